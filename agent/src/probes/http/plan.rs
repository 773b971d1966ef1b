//! From the keys of a check to a request that is ready to send and rules that are ready to apply. All that is wrong with them is
//! said when the configuration is loaded.

use super::json::Assertion;
use super::params::{Authorization, BasicAuth, Compression, HeaderParams, Params};
use super::pool::{PoolParams, PoolPlan, Source};
use super::rules::{HeaderRule, Rules};
use crate::node::{Node, Problems};
use crate::probes::net::{Addresses, Tls, TlsConfig};
use crate::probes::{Target, place_of};
use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, HOST, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use http::{Method, Version};
use regex_lite::Regex;
use url::Url;

/// Everything that one run needs.
pub(super) struct Plan {
    /// The first URL, without credentials.
    pub(super) url: Url,
    pub(super) method: Method,
    /// Headers of the request; sent to the first server and to it alone.
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) follow_redirects: bool,
    pub(super) body_limit: usize,
    pub(super) addresses: Addresses,
    /// TLS towards the first server, and towards any other: without our certificate and the name given for the first.
    pub(super) tls: Tls,
    pub(super) tls_elsewhere: Tls,
    pub(super) rules: Rules,
    pub(super) pool: Option<PoolPlan>,
}

/// Says what is wrong, with the place of the key.
struct Desk<'a> {
    own: &'a Node,
    problems: &'a mut Problems,
}

impl Desk<'_> {
    fn wrong(&mut self, key: &str, message: impl Into<String>) {
        self.problems.add(key, place_of(self.own, key), message);
    }

    fn take<T, E: ToString>(&mut self, key: &str, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.wrong(key, error.to_string())).ok()
    }
}

/// Checks the parameters; `None` when something is wrong, and then `problems` has grown.
pub(super) fn plan(target: &Target, params: &Params, own: &Node, problems: &mut Problems) -> Option<Plan> {
    let before = problems.0.len();
    let tls = Tls::new(&params.tls_config, place_of(own, "tls_config"), problems);
    let desk = &mut Desk { own, problems };
    let url = first_url(target, desk);
    let method = desk.take("method", method(&params.method));
    let headers = headers(target, params, desk);
    let rules = rules(target, params, desk);
    let pool = params.pool.as_ref().map(|pool| pool_plan(pool, desk));
    let elsewhere = TlsConfig { cert_file: None, key_file: None, server_name: None, ..params.tls_config.clone() };
    let tls_elsewhere =
        if elsewhere == TlsConfig::default() { Some(Tls::default()) } else { Tls::build(&elsewhere).ok() };
    if problems.0.len() > before {
        return None;
    }
    let host_given = headers.get(HOST).and_then(|host| host.to_str().ok()).map(host_of);
    Some(Plan {
        url: url?,
        method: method?,
        body: params.body.as_ref().map(|body| Bytes::copy_from_slice(body.expose().as_bytes())).unwrap_or_default(),
        follow_redirects: params.follow_redirects,
        body_limit: params.body_size_limit.0,
        addresses: Addresses { prefer: params.preferred_ip_protocol, fallback: params.ip_protocol_fallback },
        tls: host_given.map_or(tls.clone()?, |host| tls.clone().unwrap_or_default().named(&host)),
        tls_elsewhere: tls_elsewhere?,
        rules,
        pool: pool.flatten(),
        headers,
    })
}

fn method(text: &str) -> Result<Method, String> {
    Method::from_bytes(text.as_bytes()).map_err(|_| format!("not an HTTP method: `{text}`"))
}

/// A `Host` header without its port.
fn host_of(header: &str) -> String {
    match header.rsplit_once(':') {
        Some((host, port)) if port.chars().all(|c| c.is_ascii_digit()) => host.to_owned(),
        _ => header.to_owned(),
    }
}

fn first_url(target: &Target, desk: &mut Desk<'_>) -> Option<Url> {
    let host = if target.host.contains(':') { format!("[{}]", target.host) } else { target.host.clone() };
    let port = target.port.map_or(String::new(), |port| format!(":{port}"));
    let query = target.query.as_ref().map_or(String::new(), |query| format!("?{query}"));
    let text = format!("{}://{host}{port}{}{query}", target.scheme, target.path);
    desk.take("url", Url::parse(&text).map_err(|error| format!("not a URL: {error}")))
}

fn headers(target: &Target, params: &Params, desk: &mut Desk<'_>) -> HeaderMap {
    let mut all = HeaderMap::new();
    all.insert(ACCEPT, HeaderValue::from_static("*/*"));
    all.insert(USER_AGENT, HeaderValue::from_static(concat!("sidecar-agent/", env!("CARGO_PKG_VERSION"))));
    match params.compression {
        Compression::Identity => None,
        Compression::Gzip => all.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip")),
        Compression::Deflate => all.insert(ACCEPT_ENCODING, HeaderValue::from_static("deflate")),
    };
    if let Some(value) = credentials(target, params, desk)
        && let Some(value) = desk.take("authorization", HeaderValue::from_str(value.expose()))
    {
        all.insert(AUTHORIZATION, secret(value));
    }
    for (name, value) in &params.headers {
        let name_read =
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("not the name of a header: `{name}`"));
        let value_read = HeaderValue::from_str(value.expose())
            .map_err(|_| format!("the value of header `{name}` has a character that no header may have"));
        if let (Some(name), Some(value)) = (desk.take("headers", name_read), desk.take("headers", value_read)) {
            all.insert(name, secret(value));
        }
    }
    all
}

/// Marked so that no debug output shows it.
fn secret(mut value: HeaderValue) -> HeaderValue {
    value.set_sensitive(true);
    value
}

/// What goes into `Authorization`, from the one place that says it.
fn credentials(target: &Target, params: &Params, desk: &mut Desk<'_>) -> Option<Secret> {
    let of_url = (!target.user.is_empty() || target.password.is_some())
        .then(|| basic(&target.user, target.password.as_ref().map_or("", Secret::expose)));
    let basic_auth =
        params.basic_auth.as_ref().map(|BasicAuth { username, password }| basic(username, password.expose()));
    let other = params
        .authorization
        .as_ref()
        .map(|Authorization { scheme, credentials }| Secret::new(format!("{scheme} {}", credentials.expose())));
    let mut given: Vec<Secret> = [of_url, basic_auth, other].into_iter().flatten().collect();
    if given.len() > 1 {
        desk.wrong(
            "authorization",
            "credentials are given twice; keep one of the URL's user, `basic_auth` and `authorization`",
        );
    }
    // As it goes over the wire, a name and password look like neither.
    given.iter().for_each(|one| desk.problems.confide("authorization", one.clone()));
    given.pop()
}

fn basic(user: &str, password: &str) -> Secret {
    Secret::new(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
}

fn rules(target: &Target, params: &Params, desk: &mut Desk<'_>) -> Rules {
    Rules {
        status: params.valid_status_codes.clone(),
        versions: params.valid_http_versions.iter().filter_map(|text| version(text, desk)).collect(),
        no_ssl: params.fail_if_ssl,
        only_ssl: params.fail_if_not_ssl,
        body_without: patterns("fail_if_body_matches_regexp", &params.fail_if_body_matches_regexp, desk),
        body_with: patterns("fail_if_body_not_matches_regexp", &params.fail_if_body_not_matches_regexp, desk),
        header_without: header_rules("fail_if_header_matches", &params.fail_if_header_matches, desk),
        header_with: header_rules("fail_if_header_not_matches", &params.fail_if_header_not_matches, desk),
        json: params.json.iter().filter_map(|text| desk.take("json", Assertion::parse(text))).collect(),
        with_credentials: !target.user.is_empty() || params.basic_auth.is_some() || params.authorization.is_some(),
    }
}

fn version(text: &str, desk: &mut Desk<'_>) -> Option<Version> {
    match text {
        "HTTP/1.1" => Some(Version::HTTP_11),
        "HTTP/1.0" => Some(Version::HTTP_10),
        _ => {
            desk.wrong(
                "valid_http_versions",
                format!("the agent speaks `HTTP/1.1` and hears `HTTP/1.0`, it cannot ask for `{text}`"),
            );
            None
        }
    }
}

fn patterns(key: &str, texts: &[String], desk: &mut Desk<'_>) -> Vec<Regex> {
    texts.iter().filter_map(|text| pattern(key, text, desk)).collect()
}

fn pattern(key: &str, text: &str, desk: &mut Desk<'_>) -> Option<Regex> {
    desk.take(key, Regex::new(text).map_err(|error| format!("not a regular expression ({error}): `{text}`")))
}

fn header_rules(key: &str, params: &[HeaderParams], desk: &mut Desk<'_>) -> Vec<HeaderRule> {
    let rule = |HeaderParams { header, regexp, allow_missing }: &HeaderParams| {
        let name =
            HeaderName::from_bytes(header.as_bytes()).map_err(|_| format!("not the name of a header: `{header}`"));
        Some(HeaderRule {
            name: desk.take(key, name)?,
            regexp: pattern(key, regexp, desk)?,
            allow_missing: *allow_missing,
        })
    };
    params.iter().filter_map(rule).collect()
}

fn pool_plan(params: &PoolParams, desk: &mut Desk<'_>) -> Option<PoolPlan> {
    if params.from.as_ref().is_some_and(|from| !from.starts_with('/')) {
        desk.wrong("pool", "`from` is a page of the same server and begins with `/`");
    }
    let mut optional = |text: &Option<String>| text.as_ref().and_then(|text| desk.take("pool", Source::parse(text)));
    let (checked_in, checked_out) = (optional(&params.checked_in), optional(&params.checked_out));
    Some(PoolPlan {
        from: params.from.clone(),
        service: params.service.clone().unwrap_or_default(),
        size: desk.take("pool", Source::parse(&params.size))?,
        checked_in,
        checked_out,
    })
}
