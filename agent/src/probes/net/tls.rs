//! TLS settings: from the keys of `tls_config` to a rustls configuration, built once when the configuration is loaded, so that a
//! bad file is a problem of the configuration and not of the first run. ring is named wherever a provider is asked for: in a build
//! with two providers rustls has no default and would panic.

use super::verifier::Trust;
use crate::limits;
use crate::node::{Place, Problems};
use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, ring};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

/// The keys of `tls_config`, as in blackbox_exporter.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TlsConfig {
    /// Take any certificate; it is described all the same.
    pub insecure_skip_verify: bool,
    /// Authorities in PEM that are trusted beside the built-in ones. A server's own certificate may stand here too.
    pub ca_file: Option<PathBuf>,
    /// Our certificate in PEM, for servers that want one; with `key_file`.
    pub cert_file: Option<PathBuf>,
    /// The key of `cert_file` in PEM.
    pub key_file: Option<PathBuf>,
    /// The name that the certificate must have, when it is not the host of the URL.
    pub server_name: Option<String>,
    /// The oldest version offered.
    pub min_version: Option<TlsVersion>,
    /// The newest version offered.
    pub max_version: Option<TlsVersion>,
}

/// A version of TLS as written; the old ones are known so that they can be refused by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TlsVersion {
    /// TLS 1.0, refused.
    Tls10,
    /// TLS 1.1, refused.
    Tls11,
    /// TLS 1.2.
    Tls12,
    /// TLS 1.3.
    Tls13,
}

/// TLS settings that are checked and ready.
#[derive(Clone, Debug)]
pub struct Tls {
    pub(super) client: Arc<ClientConfig>,
    pub(super) trust: Arc<Trust>,
    pub(super) server_name: Option<String>,
}

/// ring, named.
pub(super) fn provider() -> Arc<CryptoProvider> {
    static RING: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| Arc::new(ring::default_provider()));
    Arc::clone(&RING)
}

/// What is wrong with TLS settings.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read `{key}`: {error}: `{path}`")]
    Unreadable {
        /// The key that names the file.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A file does not hold what it should.
    #[error("`{key}` holds no {wanted} in PEM: `{path}`")]
    Empty {
        /// The key that names the file.
        key: &'static str,
        /// What should be in it.
        wanted: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// One of a pair of keys is missing.
    #[error("`cert_file` and `key_file` only make sense together")]
    Unpaired,
    /// rustls has neither.
    #[error(
        "TLS 1.0 and 1.1 are not in the agent's TLS library; `min_version` and `max_version` are `TLS12` or `TLS13`"
    )]
    OldVersion,
    /// No version is left.
    #[error("`min_version` is above `max_version`")]
    NoVersion,
    /// The name is no host name.
    #[error("`server_name` is no host name: `{0}`")]
    ServerName(String),
    /// The library refused.
    #[error("`cert_file` and `key_file` cannot be used: {0}")]
    Refused(#[from] rustls::Error),
}

impl Default for Tls {
    /// The built-in authorities, TLS 1.2 and 1.3, no certificate of ours. Made once and shared.
    fn default() -> Self {
        #[expect(clippy::expect_used, reason = "built from constants only; a test runs it")]
        static DEFAULT: LazyLock<Tls> = LazyLock::new(|| Tls::build(&TlsConfig::default()).expect("constants"));
        DEFAULT.clone()
    }
}

impl Tls {
    /// Checks settings and reads their files. What is wrong goes to `problems`, at the place of `tls_config`.
    pub fn new(config: &TlsConfig, at: Place, problems: &mut Problems) -> Option<Self> {
        if *config == TlsConfig::default() {
            return Some(Self::default());
        }
        Self::build(config).map_err(|error| problems.add("tls_config", at, error.to_string())).ok()
    }

    /// Checks settings and reads their files.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn build(config: &TlsConfig) -> Result<Self, TlsError> {
        let trust = Arc::new(trust(config)?);
        let recorder = Arc::new(super::verifier::Recorder::new(Arc::clone(&trust)));
        let versions = versions(config)?;
        let building = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&versions)?
            .dangerous()
            .with_custom_certificate_verifier(recorder);
        let mut client = match client_certificate(config)? {
            Some((chain, key)) => building.with_client_auth_cert(chain, key)?,
            None => building.with_no_client_auth(),
        };
        // A resumed session sends no certificate and skips half the work; a probe wants to see and time all of it.
        client.resumption = Resumption::disabled();
        if let Some(name) = config.server_name.as_ref().filter(|name| ServerName::try_from(name.as_str()).is_err()) {
            return Err(TlsError::ServerName(name.clone()));
        }
        Ok(Self { client: Arc::new(client), trust, server_name: config.server_name.clone() })
    }

    /// The same settings with the name that the certificate must have, unless `server_name` says another.
    #[must_use]
    pub fn named(mut self, host: &str) -> Self {
        self.server_name.get_or_insert_with(|| host.to_owned());
        self
    }

    /// The same settings with a protocol asked for in the handshake (ALPN).
    #[must_use]
    pub fn offering(mut self, protocol: &[u8]) -> Self {
        let mut client = ClientConfig::clone(&self.client);
        client.alpn_protocols = vec![protocol.to_vec()];
        self.client = Arc::new(client);
        self
    }
}

fn versions(config: &TlsConfig) -> Result<Vec<&'static SupportedProtocolVersion>, TlsError> {
    let all = [(TlsVersion::Tls13, &rustls::version::TLS13), (TlsVersion::Tls12, &rustls::version::TLS12)];
    let wanted = |version: TlsVersion| {
        config.min_version.is_none_or(|min| version >= min) && config.max_version.is_none_or(|max| version <= max)
    };
    if [config.min_version, config.max_version].iter().flatten().any(|version| *version < TlsVersion::Tls12) {
        return Err(TlsError::OldVersion);
    }
    let chosen: Vec<_> = all.into_iter().filter(|(version, _)| wanted(*version)).map(|(_, known)| known).collect();
    if chosen.is_empty() { Err(TlsError::NoVersion) } else { Ok(chosen) }
}

/// The built-in authorities, shared, and those of `ca_file` beside them.
fn trust(config: &TlsConfig) -> Result<Trust, TlsError> {
    static BUILT_IN: LazyLock<Arc<RootCertStore>> =
        LazyLock::new(|| Arc::new(webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect()));
    let verify = !config.insecure_skip_verify;
    let Some(path) = &config.ca_file else {
        return Ok(Trust { verify, roots: Arc::clone(&BUILT_IN), pinned: Vec::new() });
    };
    let pinned = certificates("ca_file", path)?;
    let mut roots = RootCertStore::clone(&BUILT_IN);
    // Certificates that cannot be an authority are still good for an exact match.
    let _ = roots.add_parsable_certificates(pinned.iter().cloned());
    Ok(Trust { verify, roots: Arc::new(roots), pinned })
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn client_certificate(config: &TlsConfig) -> Result<Option<Identity>, TlsError> {
    let (cert, key) = match (&config.cert_file, &config.key_file) {
        (None, None) => return Ok(None),
        (Some(cert), Some(key)) => (cert, key),
        _ => return Err(TlsError::Unpaired),
    };
    let chain = certificates("cert_file", cert)?;
    let empty = |_| TlsError::Empty { key: "key_file", wanted: "private key", path: key.clone() };
    Ok(Some((chain, PrivateKeyDer::from_pem_slice(&read("key_file", key)?).map_err(empty)?)))
}

fn certificates(key: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = read(key, path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(TlsError::Empty { key, wanted: "certificate", path: path.to_owned() }),
    }
}

/// Reads a file when the configuration is loaded, up to [`limits::PEM_BYTES`].
fn read(key: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    let unreadable = |error| TlsError::Unreadable { key, path: path.to_owned(), error };
    let mut text = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(limits::PEM_BYTES).read_to_end(&mut text).map_err(unreadable)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        match serde_json::from_str::<TlsConfig>(text) {
            Ok(config) => Tls::build(&config).map_or_else(|error| error.to_string(), |_| "none".to_owned()),
            Err(error) => error.to_string().split(" at line").next().unwrap_or_default().to_owned(),
        }
    }

    #[test]
    fn the_default_is_built_once_and_shared() {
        assert!(Arc::ptr_eq(&Tls::default().client, &Tls::default().client));
        assert!(Tls::default().trust.verify);
    }

    #[test]
    fn each_mistake_has_its_message() {
        insta::assert_snapshot!(problem(r#"{"min_version": "TLS11"}"#), @"TLS 1.0 and 1.1 are not in the agent's TLS library; `min_version` and `max_version` are `TLS12` or `TLS13`");
        insta::assert_snapshot!(problem(r#"{"min_version": "SSL3"}"#), @"unknown variant `SSL3`, expected one of `TLS10`, `TLS11`, `TLS12`, `TLS13`");
        insta::assert_snapshot!(problem(r#"{"min_version": "TLS13", "max_version": "TLS12"}"#), @"`min_version` is above `max_version`");
        insta::assert_snapshot!(problem(r#"{"cert_file": "/nowhere.pem"}"#), @"`cert_file` and `key_file` only make sense together");
        insta::assert_snapshot!(problem(r#"{"ca_file": "/nowhere.pem"}"#), @"cannot read `ca_file`: No such file or directory (os error 2): `/nowhere.pem`");
        insta::assert_snapshot!(problem(r#"{"ca_file": "Cargo.toml"}"#), @"`ca_file` holds no certificate in PEM: `Cargo.toml`");
        insta::assert_snapshot!(problem(r#"{"server_name": "no host"}"#), @"`server_name` is no host name: `no host`");
        assert_eq!(problem(r#"{"min_version": "TLS12", "insecure_skip_verify": true}"#), "none");
    }
}
