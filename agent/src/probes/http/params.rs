//! The keys of an HTTP check as written, with blackbox_exporter's names where it has them.

use super::pool::PoolParams;
use super::status::StatusCodes;
use crate::limits;
use crate::probes::net::{IpProtocol, TlsConfig, keys};
use crate::probes::{Key, key};
use crate::secret::Secret;
use crate::units;
use serde::de::{self, Deserialize, Deserializer, Visitor};
use std::collections::BTreeMap;
use std::fmt;

/// See [`KEYS`] for what each key does.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Params {
    pub(super) method: String,
    pub(super) headers: BTreeMap<String, Secret>,
    pub(super) body: Option<Secret>,
    pub(super) basic_auth: Option<BasicAuth>,
    pub(super) authorization: Option<Authorization>,
    pub(super) follow_redirects: bool,
    pub(super) valid_status_codes: StatusCodes,
    pub(super) valid_http_versions: Vec<String>,
    pub(super) fail_if_ssl: bool,
    pub(super) fail_if_not_ssl: bool,
    pub(super) fail_if_body_matches_regexp: Vec<String>,
    pub(super) fail_if_body_not_matches_regexp: Vec<String>,
    pub(super) fail_if_header_matches: Vec<HeaderParams>,
    pub(super) fail_if_header_not_matches: Vec<HeaderParams>,
    pub(super) json: Vec<String>,
    pub(super) compression: Compression,
    pub(super) body_size_limit: BodyLimit,
    pub(super) pool: Option<PoolParams>,
    pub(super) tls_config: TlsConfig,
    pub(super) preferred_ip_protocol: IpProtocol,
    pub(super) ip_protocol_fallback: bool,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            method: "GET".to_owned(),
            headers: BTreeMap::new(),
            body: None,
            basic_auth: None,
            authorization: None,
            follow_redirects: true,
            valid_status_codes: StatusCodes::default(),
            valid_http_versions: Vec::new(),
            fail_if_ssl: false,
            fail_if_not_ssl: false,
            fail_if_body_matches_regexp: Vec::new(),
            fail_if_body_not_matches_regexp: Vec::new(),
            fail_if_header_matches: Vec::new(),
            fail_if_header_not_matches: Vec::new(),
            json: Vec::new(),
            compression: Compression::Identity,
            body_size_limit: BodyLimit(limits::PROBE_BODY_BYTES),
            pool: None,
            tls_config: TlsConfig::default(),
            preferred_ip_protocol: IpProtocol::default(),
            ip_protocol_fallback: true,
        }
    }
}

/// User and password.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::probes) struct BasicAuth {
    pub(super) username: String,
    #[serde(default)]
    pub(super) password: Secret,
}

/// Any other `Authorization` header.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::probes) struct Authorization {
    #[serde(rename = "type", default = "bearer")]
    pub(super) scheme: String,
    pub(super) credentials: Secret,
}

impl Authorization {
    /// A token.
    pub(in crate::probes) fn bearer(credentials: Secret) -> Self {
        Self { scheme: bearer(), credentials }
    }
}

fn bearer() -> String {
    "Bearer".to_owned()
}

/// A rule about one header of the answer.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HeaderParams {
    pub(super) header: String,
    pub(super) regexp: String,
    #[serde(default)]
    pub(super) allow_missing: bool,
}

/// What the request asks the server to compress with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Compression {
    /// Nothing; a server that compresses all the same is understood.
    Identity,
    /// gzip.
    Gzip,
    /// zlib's deflate.
    Deflate,
}

/// A size; 0 is the default, as in blackbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::probes) struct BodyLimit(pub(in crate::probes) usize);

impl Default for BodyLimit {
    fn default() -> Self {
        Self(limits::PROBE_BODY_BYTES)
    }
}

impl BodyLimit {
    fn read<E: de::Error>(text: &str) -> Result<Self, E> {
        let written = units::bytes(text).map_err(E::custom)?;
        match usize::try_from(written).ok().filter(|size| *size <= limits::PROBE_BODY_BYTES_MOST) {
            Some(0) => Ok(Self(limits::PROBE_BODY_BYTES)),
            Some(size) => Ok(Self(size)),
            None => Err(E::custom(format!("at most 16 MiB, a longer answer is no health page: `{text}`"))),
        }
    }
}

impl<'de> Deserialize<'de> for BodyLimit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;
        impl Visitor<'_> for Written {
            type Value = BodyLimit;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a size such as `64KiB`")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<BodyLimit, E> {
                BodyLimit::read(text)
            }
            fn visit_i64<E: de::Error>(self, bytes: i64) -> Result<BodyLimit, E> {
                BodyLimit::read(&bytes.to_string())
            }
            fn visit_u64<E: de::Error>(self, bytes: u64) -> Result<BodyLimit, E> {
                BodyLimit::read(&bytes.to_string())
            }
        }
        deserializer.deserialize_any(Written)
    }
}

/// The keys, for the reference.
pub(super) static KEYS: &[Key] = &[
    key("method", "text", "GET", "The request's method."),
    key(
        "headers",
        "mapping of text",
        "",
        "Headers of the request. `Host` is also the name that the certificate must have.",
    ),
    key("body", "text", "", "Body of the request."),
    key(
        "basic_auth",
        "mapping: username, password",
        "user and password of the URL",
        "Logs in with user and password. Credentials are never sent to another host that a redirect leads to.",
    ),
    key(
        "authorization",
        "mapping: type, credentials",
        "",
        "Sends `Authorization: TYPE CREDENTIALS`; the type is `Bearer` unless said.",
    ),
    key("follow_redirects", "true or false", "true", "Follows up to 10 redirects; the last answer is judged."),
    key(
        "valid_status_codes",
        "list of codes and ranges",
        "200-299",
        "Good status codes: `200`, `200-299`, `2xx`. Any other fails the check.",
    ),
    key("valid_http_versions", "list of text", "both", "`HTTP/1.1` or `HTTP/1.0`. The agent speaks HTTP/1.1 only."),
    key("fail_if_ssl", "true or false", "false", "Fails when the last answer came over TLS."),
    key("fail_if_not_ssl", "true or false", "false", "Fails when the last answer did not come over TLS."),
    key("fail_if_body_matches_regexp", "list of patterns", "", "Fails when the body matches one of these."),
    key(
        "fail_if_body_not_matches_regexp",
        "list of patterns",
        "",
        "Fails when the body does not match every one of these.",
    ),
    key(
        "fail_if_header_matches",
        "list of mappings: header, regexp, allow_missing",
        "",
        "Fails when a header matches; also when it is missing, unless `allow_missing: true`.",
    ),
    key(
        "fail_if_header_not_matches",
        "list of mappings: header, regexp, allow_missing",
        "",
        "Fails when a header does not match; also when it is missing, unless `allow_missing: true`.",
    ),
    key(
        "json",
        "list of assertions",
        "",
        "What must hold of a JSON answer: `$.status == \"ok\"`, `$.queue < 10`, `$.services.*.healthy == true`. \
         Operators: `== != < <= > >=`; `*` means every member.",
    ),
    key("compression", "identity, gzip or deflate", "identity", "What the server is asked to compress with."),
    key(
        "body_size_limit",
        "size",
        "1MiB",
        "A longer body fails the check, also when it is only long once unpacked; at most 16 MiB.",
    ),
    key(
        "pool",
        "mapping: from, size, checked_in, checked_out, service",
        "found in JSON answers by itself",
        "Where the service tells of its connection pool: JSON paths (`$.pool.size`) or names of Prometheus metrics; `from` is \
         another page of the same server, such as `/metrics`.",
    ),
    key(
        "tls_config",
        "mapping: insecure_skip_verify, ca_file, cert_file, key_file, server_name, min_version, max_version",
        "",
        "TLS settings, read when the configuration is loaded. `ca_file` adds to the built-in authorities. Versions: `TLS12`, `TLS13`.",
    ),
    keys::PREFERRED_IP_PROTOCOL,
    keys::IP_PROTOCOL_FALLBACK,
];
