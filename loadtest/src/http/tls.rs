//! TLS set-ups, each made once and shared by all users: goose's own default builds one a user, 40 ms and 0.9 MB each.
//! ring is named in every one, for the engine's tree brings a second provider and rustls panics without a choice.

use super::{Protocol, RequestOptions, TransportError};
use crate::limits;
use crate::problem::why;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use std::collections::HashMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// What tells one set-up from another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    insecure: bool,
    cacert: Option<PathBuf>,
    cert: Option<PathBuf>,
    key: Option<PathBuf>,
    /// What is offered for the connection to carry.
    offer: &'static [&'static [u8]],
}

/// HTTP/2 and HTTP/1.1 in the handshake's list of protocols (ALPN, RFC 7301).
pub(super) const HTTP2: &[u8] = b"h2";
const HTTP1: &[u8] = b"http/1.1";

/// The run's TLS set-ups.
#[derive(Debug, Default)]
pub(super) struct Setups(Mutex<HashMap<Key, Arc<ClientConfig>>>);

impl Setups {
    /// The set-up for these options; files are read when it is first asked for.
    pub(super) fn get(&self, options: &RequestOptions) -> Result<Arc<ClientConfig>, TransportError> {
        let key = Key {
            insecure: options.insecure,
            cacert: options.cacert.clone(),
            cert: options.cert.clone(),
            key: options.key.clone(),
            offer: match options.protocol {
                // As ever: a server that is asked for nothing speaks HTTP/1.1.
                Protocol::Http10 | Protocol::Http11 => &[],
                Protocol::Http2 => &[HTTP2, HTTP1],
                Protocol::Http2Known => &[HTTP2],
            },
        };
        let mut setups = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(setup) = setups.get(&key) {
            return Ok(Arc::clone(setup));
        }
        let setup = Arc::new(build(&key)?);
        if setups.len() >= limits::TLS_SETUPS {
            setups.clear();
        }
        setups.insert(key, Arc::clone(&setup));
        Ok(setup)
    }
}

fn build(key: &Key) -> Result<ClientConfig, TransportError> {
    let mut setup = trust(key)?;
    setup.alpn_protocols = key.offer.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(setup)
}

fn trust(key: &Key) -> Result<ClientConfig, TransportError> {
    let provider = Arc::new(ring::default_provider());
    let tls = |error: rustls::Error| TransportError::Tls(error.to_string());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let builder = builder.map_err(tls)?;
    let builder = if key.insecure {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(Anyone(provider)))
    } else {
        builder.with_root_certificates(roots(key.cacert.as_deref())?)
    };
    let Some(cert) = &key.cert else { return Ok(builder.with_no_client_auth()) };
    let chain = certificates(cert)?;
    let file = key.key.as_ref().unwrap_or(cert);
    let secret = secret_key(file)?;
    builder.with_client_auth_cert(chain, secret).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            unreadable(file, &format!("the key in it does not belong to the certificate in `{}`", cert.display()))
        }
        other => tls(other),
    })
}

fn secret_key(file: &Path) -> Result<PrivateKeyDer<'static>, TransportError> {
    let text = read(file)?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|_| {
        let encrypted = text.windows(ENCRYPTED.len()).any(|part| part == ENCRYPTED);
        unreadable(
            file,
            if encrypted { "its key is encrypted; `openssl pkey` writes it plain" } else { "no private key in it" },
        )
    })
}

const ENCRYPTED: &[u8] = b"ENCRYPTED";

/// The roots of a PEM file, or Mozilla's.
///
/// # Errors
/// When the file cannot be used.
pub fn roots(cacert: Option<&Path>) -> Result<RootCertStore, TransportError> {
    let mut store = RootCertStore::empty();
    let Some(file) = cacert else {
        store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        return Ok(store);
    };
    for certificate in certificates(file)? {
        store.add(certificate).map_err(|_| unreadable(file, "a certificate in it is damaged"))?;
    }
    Ok(store)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TransportError> {
    let text = read(file)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(unreadable(file, "no certificate in it")),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TransportError> {
    let mut text = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| unreadable(path, &why(&error)))?;
    file.take(limits::PEM_BYTES).read_to_end(&mut text).map_err(|error| unreadable(path, &why(&error)))?;
    Ok(text)
}

fn unreadable(file: &Path, why: &str) -> TransportError {
    TransportError::Option(format!("cannot use `{}`: {why}", file.display()))
}

/// What went wrong in a handshake: the peer's certificate, or the rest.
pub(super) fn classify(error: &std::io::Error) -> TransportError {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(reason)) => TransportError::Certificate(reason.to_string()),
        Some(other) => TransportError::Tls(other.to_string()),
        None => TransportError::Tls(error.to_string().to_lowercase()),
    }
}

/// Takes any certificate, as `insecure` asks; signatures are still checked, for a broken handshake is no certificate
/// question.
#[derive(Debug)]
pub struct Anyone(pub Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
