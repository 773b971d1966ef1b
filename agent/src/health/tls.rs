//! TLS of `agent health`: towards this machine only, and without a look at the certificate. What is asked is our own agent, and its
//! certificate is made for the names by which others know it; nothing secret is sent and one status is read.

use super::Timed;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::{
    AlertDescription, ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme, StreamOwned,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::io;
use std::sync::Arc;

/// Whether these are the first bytes of an alert, with which TLS answers what it does not understand (RFC 8446, 5.1).
pub(super) fn speaks(answer: &[u8]) -> bool {
    matches!(answer, [0x15, 3, _, ..])
}

/// The connection with TLS on it; the handshake comes with the first write.
pub(super) fn over(stream: Timed) -> Result<StreamOwned<ClientConnection, Timed>, String> {
    let failed = |error: Error| format!("no TLS: {error}");
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Ourselves(provider)))
        .with_no_client_auth();
    let peer = stream.stream.peer_addr().map_err(|error| super::broken(&error))?;
    let connection = ClientConnection::new(Arc::new(config), ServerName::from(peer.ip())).map_err(failed)?;
    Ok(StreamOwned::new(connection, stream))
}

/// What an error of a TLS session means, when it is one.
pub(super) fn said(error: &io::Error) -> Option<String> {
    error.get_ref()?.downcast_ref().map(meaning)
}

/// What the other side said before it closed; a question that came too late breaks off before that is read.
pub(super) fn last_words(session: &mut StreamOwned<ClientConnection, Timed>) -> Option<String> {
    session.conn.read_tls(&mut session.sock).ok()?;
    session.conn.process_new_packets().err().as_ref().map(meaning)
}

fn meaning(error: &Error) -> String {
    match error {
        Error::AlertReceived(AlertDescription::CertificateRequired | AlertDescription::HandshakeFailure) => {
            "the agent wants a client certificate, which a health check has not; `client_auth_type: VerifyClientCertIfGiven` lets it \
             in, and users keep the pages closed"
                .to_owned()
        }
        other => format!("the TLS session failed: {other}"),
    }
}

/// Takes any certificate; whoever shows it must have its key.
#[derive(Debug)]
struct Ourselves(Arc<CryptoProvider>);

impl ServerCertVerifier for Ourselves {
    fn verify_server_cert(
        &self,
        _leaf: &CertificateDer<'_>,
        _between: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, leaf, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, leaf, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
