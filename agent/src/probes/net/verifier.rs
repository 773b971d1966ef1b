//! Verifying a server's certificate in two steps: write down what was shown and what is to be said of it, and let the handshake
//! end; `handshake.rs` then refuses the session before a byte of ours goes through it. So the facts of a certificate that fails
//! (its expiry, the TLS version) are known at the moment when they are needed most.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::sync::{Arc, OnceLock};

use super::certificate::Certificate;
use super::tls::provider;
use crate::limits;

/// Whom we trust.
#[derive(Debug)]
pub(super) struct Trust {
    /// Whether certificates are verified at all.
    pub(super) verify: bool,
    /// The authorities.
    pub(super) roots: Arc<RootCertStore>,
    /// Certificates that are good as they stand: those of `ca_file`. `openssl req -x509` makes self-signed certificates that call
    /// themselves an authority, which path building refuses for a server; whoever lists one in `ca_file` means exactly it.
    pub(super) pinned: Vec<CertificateDer<'static>>,
}

impl Trust {
    fn judge(&self, shown: &[CertificateDer<'_>], name: &ServerName<'_>, now: UnixTime) -> Result<(), Error> {
        let Some((leaf, between)) = shown.split_first().filter(|_| self.verify) else { return Ok(()) };
        let parsed = ParsedCertificate::try_from(leaf)?;
        if self.pinned.contains(leaf) {
            in_time(leaf, now)?;
        } else {
            let algorithms = provider().signature_verification_algorithms.all;
            verify_server_cert_signed_by_trust_anchor(&parsed, &self.roots, between, now, algorithms)?;
        }
        verify_server_name(&parsed, name)
    }
}

fn in_time(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), Error> {
    let read = Certificate::read(certificate).ok_or(CertificateError::BadEncoding)?;
    let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    if seconds > read.not_after {
        return Err(CertificateError::Expired.into());
    }
    if seconds < read.not_before {
        return Err(CertificateError::NotValidYet.into());
    }
    Ok(())
}

/// What a server showed, and what is to be said of it.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) verdict: Result<(), Error>,
}

/// The verifier of one handshake.
#[derive(Debug)]
pub(super) struct Recorder {
    trust: Arc<Trust>,
    shown: OnceLock<Shown>,
}

impl Recorder {
    pub(super) const fn new(trust: Arc<Trust>) -> Self {
        Self { trust, shown: OnceLock::new() }
    }

    /// What the server showed; `None` when the handshake did not get that far.
    pub(super) fn shown(&self) -> Option<&Shown> {
        self.shown.get()
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let all = std::iter::once(end_entity).chain(intermediates).take(limits::CHAIN_CERTIFICATES);
        let chain: Vec<_> = all.map(|certificate| certificate.clone().into_owned()).collect();
        let verdict = self.trust.judge(&chain, server_name, now);
        let _ = self.shown.set(Shown { chain, verdict });
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &provider().signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &provider().signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}
