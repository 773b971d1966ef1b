//! A whole handshake with whoever answers, for the sake of what the server shows in it: its certificates and its stapled OCSP answer.
//! The verifier takes any certificate and keeps it; signatures are checked, so that who shows it also has its key.

use crate::http::{Anyone, TransportError};
use crate::validate::Site;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::sync::{Arc, Mutex, PoisonError};
use tokio_rustls::TlsConnector;

/// What a server shows.
#[derive(Clone, Debug, Default)]
pub(in crate::validate) struct Shown {
    /// Its certificate first, then those that it sends along.
    pub(in crate::validate) chain: Vec<CertificateDer<'static>>,
    /// The OCSP answer that it staples; empty without one.
    pub(in crate::validate) staple: Vec<u8>,
}

/// The name that the target's certificate must be for.
pub(in crate::validate) fn server_name(site: &Site<'_>) -> Result<ServerName<'static>, TransportError> {
    let host = site.target().host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    ServerName::try_from(host.clone()).map_err(|_| TransportError::Tls(format!("`{host}` cannot be a server name")))
}

/// Shakes hands once. The caller sets the deadline.
pub(in crate::validate) async fn shake(site: &Site<'_>) -> Result<Shown, TransportError> {
    let provider = Arc::new(ring::default_provider());
    let witness = Arc::new(Witness { anyone: Anyone(Arc::clone(&provider)), shown: Mutex::default() });
    let tls = |error: &dyn std::fmt::Display| TransportError::Tls(error.to_string());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let verifier: Arc<dyn ServerCertVerifier> = Arc::clone(&witness) as Arc<dyn ServerCertVerifier>;
    let config = config.map_err(|error| tls(&error))?.dangerous().with_custom_certificate_verifier(verifier);
    let stream = site.network.connect(site.target()).await?;
    let connector = TlsConnector::from(Arc::new(config.with_no_client_auth()));
    connector.connect(server_name(site)?, stream).await.map_err(|error| tls(&error))?;
    let shown = witness.shown.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(shown.clone())
}

#[derive(Debug)]
struct Witness {
    anyone: Anyone,
    shown: Mutex<Shown>,
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        staple: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let all = std::iter::once(own).chain(others);
        *shown = Shown { chain: all.map(|one| one.clone().into_owned()).collect(), staple: staple.to_vec() };
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.anyone.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.anyone.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.anyone.supported_verify_schemes()
    }
}
