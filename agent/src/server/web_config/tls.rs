//! `tls_server_config`: files and names in, a rustls configuration out.

use super::clients;
use super::{Found, names};
use crate::limits;
use crate::secret::Secret;
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls::server::ServerSessionMemoryCache;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde::Deserialize;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Sessions kept for resumption: scrapers and kubelets are few, and each entry costs memory.
const SESSIONS: usize = 64;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    cert: Option<String>,
    cert_file: Option<PathBuf>,
    key: Option<Secret>,
    key_file: Option<PathBuf>,
    client_ca: Option<String>,
    client_ca_file: Option<PathBuf>,
    client_auth_type: Option<String>,
    #[serde(default)]
    client_allowed_sans: Vec<String>,
    min_version: Option<String>,
    max_version: Option<String>,
    #[serde(default)]
    cipher_suites: Vec<String>,
    #[serde(default)]
    curve_preferences: Vec<String>,
    prefer_server_cipher_suites: Option<bool>,
}

impl Raw {
    /// The files that are read.
    pub(super) fn files(&self, base: &Path) -> Vec<PathBuf> {
        let named = [&self.cert_file, &self.key_file, &self.client_ca_file];
        named.into_iter().flatten().map(|file| base.join(file)).collect()
    }
}

/// Builds the configuration, or notes all that is wrong.
pub(super) fn build(raw: &Raw, base: &Path, found: &mut Found) -> Option<Arc<ServerConfig>> {
    let before = found.problems.0.len();
    let provider = Arc::new(provider(raw, found));
    let versions = versions(raw, found);
    let chain = pem("cert", raw.cert.as_deref(), raw.cert_file.as_deref(), base, found);
    let key = pem("key", raw.key.as_ref().map(Secret::expose), raw.key_file.as_deref(), base, found);
    let roots = match (&raw.client_ca, &raw.client_ca_file) {
        (None, None) => None,
        (text, file) => pem("client_ca", text.as_deref(), file.as_deref(), base, found),
    };
    let clients = clients::verifier(
        raw.client_auth_type.as_deref(),
        roots.as_deref(),
        &raw.client_allowed_sans,
        &provider,
        found,
    );
    let chain = certificates("cert", &chain?, found);
    let key = private_key(&key?, found);
    if found.problems.0.len() > before {
        return None;
    }
    let (versions, clients, chain, key) = (versions?, clients?, chain?, key?);
    let built = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions)
        .and_then(|builder| builder.with_client_cert_verifier(clients).with_single_cert(chain, key));
    finish(raw, built, found)
}

fn private_key(pem: &[u8], found: &mut Found) -> Option<PrivateKeyDer<'static>> {
    let key = PrivateKeyDer::from_pem_slice(pem).ok();
    if key.is_none() {
        let hint = "it begins with `-----BEGIN PRIVATE KEY-----`";
        found.add(&found.written("key"), "there is no private key in PEM here", hint);
    }
    key
}

fn finish(raw: &Raw, built: Result<ServerConfig, rustls::Error>, found: &mut Found) -> Option<Arc<ServerConfig>> {
    match built {
        Ok(mut config) => {
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
            config.ignore_client_order = raw.prefer_server_cipher_suites.unwrap_or(true);
            config.session_storage = ServerSessionMemoryCache::new(SESSIONS);
            Some(Arc::new(config))
        }
        Err(rustls::Error::InconsistentKeys(_)) => {
            let path = found.written("key");
            found.add(
                &path,
                "the key does not belong to the certificate",
                "the chain begins with the server's own certificate",
            );
            None
        }
        Err(error) => {
            let hint = "try with certificate and key alone, then add the rest";
            found.add("tls_server_config", format!("these settings do not go together: {error}"), hint);
            None
        }
    }
}

/// Suites of TLS 1.3 always stay, as in Go, where the list is about TLS 1.2.
fn provider(raw: &Raw, found: &mut Found) -> CryptoProvider {
    let mut provider = ring::default_provider();
    if !raw.cipher_suites.is_empty() {
        let mut wanted = Vec::new();
        for name in &raw.cipher_suites {
            match names::cipher_suite(name) {
                Some(suite) => wanted.push(suite),
                None => found.add(
                    "tls_server_config.cipher_suites",
                    format!("cipher suite `{name}` is not available"),
                    names::SUITES_HINT,
                ),
            }
        }
        provider.cipher_suites.retain(|suite| suite.tls13().is_some() || wanted.contains(suite));
    }
    if !raw.curve_preferences.is_empty() {
        let mut wanted = Vec::new();
        for name in &raw.curve_preferences {
            match names::curve(name) {
                Some(group) => wanted.push(group),
                None => found.add(
                    "tls_server_config.curve_preferences",
                    format!("curve `{name}` is not available"),
                    "X25519, CurveP256 and CurveP384 are",
                ),
            }
        }
        provider.kx_groups = wanted;
    }
    provider
}

fn versions(raw: &Raw, found: &mut Found) -> Option<Vec<&'static rustls::SupportedProtocolVersion>> {
    let min = raw.min_version.as_deref().unwrap_or("TLS12");
    let max = raw.max_version.as_deref().unwrap_or("TLS13");
    let versions = names::versions(min, max);
    for (key, name) in [("min_version", min), ("max_version", max)] {
        let path = format!("tls_server_config.{key}");
        match name {
            "TLS12" | "TLS13" => {}
            "TLS10" | "TLS11" => {
                found.add(&path, format!("`{name}` is not spoken"), "TLS12 and TLS13 are; the older ones are broken")
            }
            _ => found.add(&path, format!("`{name}` is no TLS version"), "TLS12 or TLS13"),
        }
    }
    if (min, max) == ("TLS13", "TLS12") {
        found.add("tls_server_config.max_version", "max_version is below min_version", "leave max_version out");
    }
    versions
}

/// The text of `<key>` or of the file in `<key>_file`.
fn pem(key: &str, text: Option<&str>, file: Option<&Path>, base: &Path, found: &mut Found) -> Option<Vec<u8>> {
    let path = format!("tls_server_config.{key}");
    match (text.filter(|text| !text.is_empty()), file) {
        (Some(_), Some(_)) => {
            found.add(&path, format!("both `{key}` and `{key}_file` are given"), "keep one of them");
            None
        }
        (Some(text), None) => Some(text.as_bytes().to_vec()),
        (None, Some(file)) => {
            let file = base.join(file);
            let read = read(&file).map_err(|error| {
                let message = format!("cannot read `{}`: {error}", file.display());
                found.add(&format!("{path}_file"), message, "does it exist, and may this user read it?");
            });
            read.ok()
        }
        (None, None) => {
            found.add(
                &path,
                format!("neither `{key}` nor `{key}_file` is given"),
                "TLS needs a certificate and its key",
            );
            None
        }
    }
}

fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(file)?.take(limits::PEM_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// All certificates of a PEM text, at least one.
pub(super) fn certificates(key: &str, pem: &[u8], found: &mut Found) -> Option<Vec<CertificateDer<'static>>> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match read {
        Ok(chain) if !chain.is_empty() => Some(chain),
        _ => {
            let path = found.written(key);
            found.add(&path, "there is no certificate in PEM here", "it begins with `-----BEGIN CERTIFICATE-----`");
            None
        }
    }
}
