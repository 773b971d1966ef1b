//! Client certificates: Go's five ways to ask for them, and the names that may come.

use super::{Found, tls};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, UnixTime};
use std::net::IpAddr;
use std::sync::Arc;
use x509_parser::extensions::GeneralName;

const KEY: &str = "tls_server_config.client_auth_type";

/// The verifier for a `client_auth_type`.
pub(super) fn verifier(
    kind: Option<&str>,
    ca: Option<&[u8]>,
    sans: &[String],
    provider: &Arc<CryptoProvider>,
    found: &mut Found,
) -> Option<Arc<dyn ClientCertVerifier>> {
    let kind = kind.filter(|kind| !kind.is_empty()).unwrap_or("NoClientCert");
    let verifies = matches!(kind, "VerifyClientCertIfGiven" | "RequireAndVerifyClientCert");
    if ca.is_some() && kind == "NoClientCert" {
        let hint = "set client_auth_type to RequireAndVerifyClientCert, or leave the CA out";
        found.add(KEY, "a client CA is given and no client certificate is asked for", hint);
        return None;
    }
    if !sans.is_empty() && !verifies {
        found.add(
            "tls_server_config.client_allowed_sans",
            "names are checked in verified certificates only",
            "set client_auth_type to RequireAndVerifyClientCert",
        );
        return None;
    }
    match kind {
        "NoClientCert" => Some(WebPkiClientVerifier::no_client_auth()),
        "RequestClientCert" | "RequireAnyClientCert" => {
            let algorithms = provider.signature_verification_algorithms;
            Some(Arc::new(AnyCertificate { mandatory: kind == "RequireAnyClientCert", algorithms }))
        }
        "VerifyClientCertIfGiven" | "RequireAndVerifyClientCert" => {
            let inner = verified(kind == "VerifyClientCertIfGiven", ca, provider, found)?;
            Some(if sans.is_empty() { inner } else { Arc::new(Named { inner, allowed: sans.to_vec() }) })
        }
        other => {
            let all = "one of: NoClientCert, RequestClientCert, RequireAnyClientCert, VerifyClientCertIfGiven, RequireAndVerifyClientCert";
            found.add(KEY, format!("unknown client_auth_type `{other}`"), all);
            None
        }
    }
}

fn verified(
    optional: bool,
    ca: Option<&[u8]>,
    provider: &Arc<CryptoProvider>,
    found: &mut Found,
) -> Option<Arc<dyn ClientCertVerifier>> {
    let Some(ca) = ca else {
        found.add(KEY, "client certificates cannot be verified without a CA", "set client_ca_file");
        return None;
    };
    let mut roots = RootCertStore::empty();
    for certificate in tls::certificates("client_ca", ca, found)? {
        if let Err(error) = roots.add(certificate) {
            found.add(
                "tls_server_config.client_ca_file",
                format!("this is no CA certificate: {error}"),
                "give the issuer's certificate",
            );
            return None;
        }
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    let built = if optional { builder.allow_unauthenticated().build() } else { builder.build() };
    built.map_err(|error| found.add(KEY, format!("client CA cannot be used: {error}"), "is it a CA certificate?")).ok()
}

/// Takes any certificate whose key the client really has, and believes nothing that stands in it.
#[derive(Debug)]
struct AnyCertificate {
    mandatory: bool,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ClientCertVerifier for AnyCertificate {
    fn client_auth_mandatory(&self) -> bool {
        self.mandatory
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// After verification, one of the certificate's alternative names must be allowed.
#[derive(Debug)]
struct Named {
    inner: Arc<dyn ClientCertVerifier>,
    allowed: Vec<String>,
}

impl Named {
    fn allows(&self, certificate: &CertificateDer<'_>) -> bool {
        let Ok((_, parsed)) = x509_parser::parse_x509_certificate(certificate) else { return false };
        let Ok(Some(names)) = parsed.subject_alternative_name() else { return false };
        names.value.general_names.iter().filter_map(text).any(|name| self.allowed.contains(&name))
    }
}

fn text(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DNSName(text) | GeneralName::RFC822Name(text) | GeneralName::URI(text) => Some((*text).to_owned()),
        GeneralName::IPAddress(bytes) => match *bytes {
            [a, b, c, d] => Some(IpAddr::from([*a, *b, *c, *d]).to_string()),
            bytes => <[u8; 16]>::try_from(bytes).ok().map(|v6| IpAddr::from(v6).to_string()),
        },
        _ => None,
    }
}

impl ClientCertVerifier for Named {
    fn client_auth_mandatory(&self) -> bool {
        self.inner.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.inner.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.inner.verify_client_cert(end_entity, intermediates, now)?;
        let refused = || Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure);
        self.allows(end_entity).then_some(verified).ok_or_else(refused)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
