//! The TLS handshake of a probe: timed whole, described always, and when it fails told apart: the certificate, the protocol, or
//! something that speaks no TLS at all.

use super::certificate::{Certificate, date, earliest_expiry, last_chain_expiry};
use super::facts::{CIPHER, EARLIEST_EXPIRY, LAST_CHAIN, LAST_CHAIN_EXPIRY, VERSION};
use super::verifier::{Recorder, Shown};
use super::{Tap, Tls, TlsStream, classify, fault_of};
use crate::clock;
use crate::probes::facts::CERTIFICATE_EXPIRES_IN_SECONDS;
use crate::probes::{Context, Detail, Fault, Reason, clean};
use rustls::{CertificateError, ClientConfig, ClientConnection, Error};
use rustls_pki_types::ServerName;
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;

/// Shakes hands over a stream, in phase `tls`; `host` is the name that the certificate must have unless the settings say another.
///
/// # Errors
/// Reasons `certificate` (expired, wrong name, unknown issuer), `protocol_mismatch` (what answered is no TLS), or `tls`.
pub async fn handshake<S>(cx: &mut Context<'_>, stream: S, host: &str, tls: &Tls) -> Result<TlsStream<S>, Fault>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    cx.phase("tls");
    let wanted = tls.server_name.as_deref().unwrap_or(host);
    let name = ServerName::try_from(wanted.trim_matches(['[', ']']).to_owned())
        .map_err(|_| Fault::new(Reason::Config, format!("`{wanted}` cannot be the name of a certificate")))?;
    let recorder = Arc::new(Recorder::new(Arc::clone(&tls.trust)));
    let mut config = ClientConfig::clone(&tls.client);
    config.dangerous().set_certificate_verifier(Arc::clone(&recorder) as Arc<_>);
    let connecting = TlsConnector::from(Arc::new(config)).connect(name, Tap::new(stream)).into_fallible();
    let ended = connecting.await;
    cx.end_phase();
    if let Some(shown) = recorder.shown() {
        describe(cx, shown, tls.trust.verify);
    }
    if let Ok(stream) = &ended {
        describe_session(cx, stream.get_ref().1);
    }
    // The one place where the verdict counts: no session leaves this function without it.
    if let Some(Shown { verdict: Err(error), chain }) = recorder.shown() {
        let leaf = chain.first().and_then(|der| Certificate::read(der));
        return Err(refused(error, leaf.as_ref(), wanted));
    }
    match ended {
        Ok(stream) if recorder.shown().is_some() => Ok(stream),
        Ok(_) => Err(Fault::new(Reason::Tls, "the server showed no certificate")),
        Err((error, tap)) => Err(failed(&error, tap.first())),
    }
}

fn describe(cx: &mut Context<'_>, shown: &Shown, verify: bool) {
    let chain: Vec<Certificate> = shown.chain.iter().filter_map(|der| Certificate::read(der)).collect();
    if let Some(expiry) = earliest_expiry(&chain).map(seconds) {
        cx.measure(EARLIEST_EXPIRY.is(expiry));
        cx.measure(CERTIFICATE_EXPIRES_IN_SECONDS.is((expiry - clock::unix(clock::wall())).round()));
    }
    if let Some(expiry) = last_chain_expiry(&chain).filter(|_| verify && shown.verdict.is_ok()) {
        cx.measure(LAST_CHAIN_EXPIRY.is(seconds(expiry)));
    }
    if let Some(leaf) = chain.first() {
        let labels = [&*leaf.fingerprint_sha256, &leaf.subject, &leaf.issuer, &leaf.dns_names, &leaf.serial_number];
        cx.measure(LAST_CHAIN.with(labels, 1.0));
    }
}

fn describe_session(cx: &mut Context<'_>, session: &ClientConnection) {
    let version = match session.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_2) => "TLS 1.2",
        Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3",
        _ => "unknown",
    };
    cx.measure(VERSION.with([version], 1.0));
    if let Some(suite) = session.negotiated_cipher_suite() {
        // rustls says TLS13_AES…, everybody else TLS_AES….
        let name = format!("{:?}", suite.suite()).replacen("TLS13_", "TLS_", 1);
        cx.measure(CIPHER.with([&*name], 1.0));
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact until the year 285 million")]
const fn seconds(at: i64) -> f64 {
    at as f64
}

/// The fault of a certificate that was not accepted.
fn refused(error: &Error, leaf: Option<&Certificate>, wanted: &str) -> Fault {
    use CertificateError as E;
    let of = leaf.map_or_else(String::new, |leaf| format!(" (subject `{}`)", leaf.subject));
    let issuer = leaf.map_or("?", |leaf| &leaf.issuer);
    let (message, hint) = match error {
        Error::InvalidCertificate(E::Expired | E::ExpiredContext { .. }) => {
            let when = leaf.map_or_else(String::new, |leaf| format!(" on {}", date(leaf.not_after)));
            let whose = if leaf.is_some_and(|leaf| seconds(leaf.not_after) >= clock::unix(clock::wall())) {
                return Fault::new(
                    Reason::Certificate,
                    format!("a certificate above the server's own has expired{of}"),
                )
                .exactly(Detail::CertificateExpired)
                .hint("the server sends an old intermediate certificate; replace its chain file");
            } else {
                "the certificate expired"
            };
            (format!("{whose}{when}{of}"), "renew it, and see that the server loads the new file")
        }
        Error::InvalidCertificate(E::NotValidYet | E::NotValidYetContext { .. }) => {
            let when = leaf.map_or_else(String::new, |leaf| format!(" before {}", date(leaf.not_before)));
            (format!("the certificate is not valid{when}{of}"), "is the clock of this host right?")
        }
        Error::InvalidCertificate(E::NotValidForName | E::NotValidForNameContext { .. }) => {
            let names = leaf.map_or("", |leaf| &leaf.dns_names);
            let has = if names.is_empty() { "no name".to_owned() } else { format!("`{names}`") };
            (
                format!("the certificate is not for `{wanted}`, it names {has}"),
                "use a name that it has, or set `server_name`",
            )
        }
        Error::InvalidCertificate(E::UnknownIssuer) if leaf.is_some_and(Certificate::self_signed) => {
            (format!("the certificate is signed by itself{of}"), "put it into `ca_file`")
        }
        Error::InvalidCertificate(E::UnknownIssuer) => {
            let message = format!("the certificate's issuer is not known: `{issuer}`");
            (message, "put the issuer's certificate into `ca_file`; or does the server leave out its intermediate?")
        }
        Error::InvalidCertificate(E::Other(_)) if leaf.is_some_and(Certificate::self_signed) => {
            (format!("the certificate is an authority's own, signed by itself{of}"), "put it into `ca_file`")
        }
        _ => (
            format!("the certificate was not accepted: {}{of}", clean(&error.to_string())),
            "see the server's certificate file",
        ),
    };
    let fault = Fault::new(Reason::Certificate, message).hint(hint);
    let Error::InvalidCertificate(why) = error else { return fault };
    Fault { detail: exactly(why, leaf.is_some_and(Certificate::self_signed)), ..fault }
}

/// What exactly is wrong with a certificate.
#[must_use]
pub fn exactly(why: &CertificateError, self_signed: bool) -> Option<Detail> {
    use CertificateError as E;
    match why {
        E::Expired | E::ExpiredContext { .. } => Some(Detail::CertificateExpired),
        E::NotValidYet | E::NotValidYetContext { .. } => Some(Detail::CertificateNotYetValid),
        E::NotValidForName | E::NotValidForNameContext { .. } => Some(Detail::CertificateWrongHost),
        E::UnknownIssuer => Some(Detail::CertificateUnknownIssuer),
        E::Other(_) if self_signed => Some(Detail::CertificateUnknownIssuer),
        _ => None,
    }
}

/// The fault of a handshake that broke off before or after the certificate.
fn failed(error: &io::Error, first: &[u8]) -> Fault {
    let Some(rustls) = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) else {
        let fault = fault_of(error, "shake hands over TLS");
        return Fault { reason: reason_of(fault.reason, first), ..fault };
    };
    match (rustls, classify(first)) {
        (Error::InvalidMessage(_), Some(spoken)) if spoken.protocol != "tls" => {
            Fault::new(Reason::ProtocolMismatch, format!("speaks {spoken}, not TLS"))
                .exactly(Detail::TlsMissing)
                .hint("is it the port without TLS? then the URL must say so")
        }
        (Error::InvalidMessage(_), None) => {
            let begin: String = clean(&String::from_utf8_lossy(first)).chars().take(40).collect();
            Fault::new(Reason::ProtocolMismatch, format!("what answered is no TLS; it begins with `{begin}`"))
        }
        (Error::AlertReceived(alert), _) => {
            Fault::new(Reason::Tls, format!("the server refused the handshake: alert `{alert:?}`"))
                .hint("it may offer only TLS 1.0 or 1.1, want a client certificate (`cert_file`), or not know the name")
        }
        (other, _) => Fault::new(Reason::Tls, format!("the TLS handshake failed: {}", clean(&other.to_string()))),
    }
}

/// A connection that breaks after TLS was heard is a fault of TLS; before, it may be anything.
fn reason_of(reason: Reason, first: &[u8]) -> Reason {
    let heard = classify(first).is_some_and(|spoken| spoken.protocol == "tls");
    if heard && reason == Reason::ProtocolMismatch { Reason::Tls } else { reason }
}

#[cfg(test)]
#[path = "handshake_tests.rs"]
mod tests;
