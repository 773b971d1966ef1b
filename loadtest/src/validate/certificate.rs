//! The target's certificate: whether its chain leads to a root that is trusted, whether it is for the host, and how long it still holds.
//! What it does not know: whether the certificate was revoked; the stapled answer says that.

use super::finding::{Miss, Seen};
use super::tls::handshake::{Shown, server_name, shake};
use super::{Site, Validator};
use crate::clock;
use crate::http::{TransportError, roots};
use crate::limits::VALIDATE_ANSWER;
use chrono::{DateTime, Utc};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::ring;
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::time::Duration;
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

pub(super) static ROW: Validator = Validator {
    name: "certificate",
    expects: EXPECTS,
    standard: "RFC 5280, RFC 9525",
    needs: None,
    run: |site| Box::pin(run(site)),
};

const EXPECTS: &str = "a chain to a trusted root, for this host, not about to expire";

async fn run(site: &Site<'_>) -> Vec<Seen> {
    if let Some(seen) = site.without_tls(EXPECTS) {
        return seen;
    }
    let unknown = |error: &TransportError| vec![Seen::unknown(&site.host(), EXPECTS, error.to_string())];
    let late = Err(TransportError::Timeout(VALIDATE_ANSWER));
    let shown = match tokio::time::timeout(VALIDATE_ANSWER, shake(site)).await.unwrap_or(late) {
        Ok(shown) => shown,
        Err(error) => return unknown(&error),
    };
    let validation = &site.plan.validation;
    let (roots, name) = match (roots(validation.cacert.as_deref()), server_name(site)) {
        (Ok(roots), Ok(name)) => (roots, name),
        (Err(error), _) | (_, Err(error)) => return unknown(&error),
    };
    judge(&site.host(), &shown, &roots, &name, (validation.certificate_days, clock::wall().into()))
}

fn judge(
    host: &str,
    shown: &Shown,
    roots: &RootCertStore,
    name: &ServerName<'_>,
    (days, now): (u64, DateTime<Utc>),
) -> Vec<Seen> {
    let unreadable = |why: String| vec![Seen::unknown(host, EXPECTS, why)];
    let Some((own, others)) = shown.chain.split_first() else {
        return unreadable("the server showed no certificate".to_owned());
    };
    let (parsed, fields) = match (ParsedCertificate::try_from(own), X509Certificate::from_der(own)) {
        (Ok(parsed), Ok((_, fields))) => (parsed, fields),
        (Err(error), _) => return unreadable(format!("its certificate cannot be read: {error}")),
        (_, Err(error)) => return unreadable(format!("its certificate cannot be read: {error}")),
    };
    let chain = chain(&parsed, &fields, others, roots, now);
    let named = verify_server_name(&parsed, name).map(|()| names(&fields)).map_err(|_| {
        let way_out =
            "get a certificate whose `subjectAltName` has this name, or name the target as the certificate does";
        Miss::new(format!("it is for {}", names(&fields)), way_out)
    });
    let expected = format!("{days} days or more left");
    vec![
        Seen::judged(&format!("{host} chain"), "a chain to a trusted root", chain),
        Seen::judged(&format!("{host} name"), "a certificate for this host", named),
        Seen::judged(&format!("{host} validity"), &expected, validity(&fields, days, now)),
    ]
}

/// Judged at a time when the certificate holds, for its age is judged apart.
fn chain(
    parsed: &ParsedCertificate<'_>,
    fields: &X509Certificate<'_>,
    others: &[CertificateDer<'_>],
    roots: &RootCertStore,
    now: DateTime<Utc>,
) -> Result<String, Miss> {
    let validity = fields.validity();
    let at = now.timestamp().clamp(validity.not_before.timestamp(), validity.not_after.timestamp());
    let at = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(at).unwrap_or(0)));
    let algorithms = ring::default_provider().signature_verification_algorithms;
    let verified = verify_server_cert_signed_by_trust_anchor(parsed, roots, others, at, algorithms.all);
    let issuer = fields.issuer().to_string();
    match verified {
        Ok(()) => Ok(format!("issued by `{issuer}`, {} sent along", certificates(others.len()))),
        // An authority's own certificate (`CA:TRUE`, as `openssl req -x509` makes it) is refused with another error.
        Err(Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::Other(_)))
            if fields.issuer() == fields.subject() =>
        {
            let way_out = "get one from an authority; one of your own passes with `--cacert FILE`, if it is made with \
                           `basicConstraints=CA:FALSE`";
            Err(Miss::new(format!("it is signed by itself (`{issuer}`)"), way_out))
        }
        Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
            let got = format!("`{issuer}` is no trusted issuer, with {} sent along", certificates(others.len()));
            let way_out =
                "append the intermediate certificates to the server's file; an authority of your own: `--cacert FILE`";
            Err(Miss::new(got, way_out))
        }
        Err(Error::InvalidCertificate(reason)) => Err(Miss::new(reason.to_string(), "renew it")),
        Err(error) => Err(Miss::new(error.to_string(), "renew it")),
    }
}

fn certificates(count: usize) -> String {
    match count {
        0 => "no intermediate certificate".to_owned(),
        1 => "1 intermediate certificate".to_owned(),
        more => format!("{more} intermediate certificates"),
    }
}

/// The names that it is for, a few of them.
fn names(fields: &X509Certificate<'_>) -> String {
    let alternatives = fields.subject_alternative_name().ok().flatten();
    let all = alternatives.map(|extension| &extension.value.general_names[..]).unwrap_or_default();
    let shown: Vec<String> = all
        .iter()
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            GeneralName::IPAddress(bytes) => address(bytes),
            _ => None,
        })
        .collect();
    match shown.len() {
        0 => "no name at all".to_owned(),
        1..=5 => shown.join(", "),
        more => format!("{} and {} more", shown.get(..5).unwrap_or_default().join(", "), more - 5),
    }
}

fn address(bytes: &[u8]) -> Option<String> {
    let v4 = <[u8; 4]>::try_from(bytes).map(|four| std::net::Ipv4Addr::from(four).to_string());
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(|all| std::net::Ipv6Addr::from(all).to_string())).ok()
}

fn validity(fields: &X509Certificate<'_>, days: u64, now: DateTime<Utc>) -> Result<String, Miss> {
    let time = |timestamp| DateTime::from_timestamp(timestamp, 0).unwrap_or_default();
    let (from, until) = (time(fields.validity().not_before.timestamp()), time(fields.validity().not_after.timestamp()));
    let date = |time: DateTime<Utc>| time.format("%Y-%m-%d");
    if from > now {
        return Err(Miss::new(format!("it holds from {} on only", date(from)), "look at the clock of both machines"));
    }
    if until <= now {
        return Err(Miss::new(format!("it expired on {}", date(until)), "renew it, and reload the server"));
    }
    let left = (until - now).num_days();
    let got = format!("{left} days left, until {}", date(until));
    if u64::try_from(left).unwrap_or(0) >= days {
        Ok(got)
    } else {
        Err(Miss::new(got, "renew it, and see why its renewal did not run by itself"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Outcome;
    use super::*;
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

    fn parameters(names: &[&str]) -> CertificateParams {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut parameters = CertificateParams::new(names).unwrap();
        parameters.not_before = rcgen::date_time_ymd(2026, 1, 1);
        parameters.not_after = rcgen::date_time_ymd(2026, 4, 1);
        parameters
    }

    fn authority() -> CertifiedIssuer<'static, KeyPair> {
        let mut parameters = parameters(&[]);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.distinguished_name.push(rcgen::DnType::CommonName, "an authority");
        CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
    }

    /// Outcome and words of all three at a day of 2026.
    fn said(chain: Vec<CertificateDer<'static>>, roots: &RootCertStore, host: &str, day: &str) -> Vec<String> {
        let now = format!("{day}T12:00:00Z").parse().unwrap();
        let name = ServerName::try_from(host.to_owned()).unwrap();
        let seen = judge("h", &Shown { chain, staple: vec![] }, roots, &name, (14, now));
        let line = |seen: Seen| {
            let sign = if seen.outcome == Outcome::Passed { "+" } else { "-" };
            format!("{sign} {}", seen.got)
        };
        seen.into_iter().map(line).collect()
    }

    #[test]
    fn chain_name_and_time_are_judged_each_for_itself() {
        let authority = authority();
        let mut roots = RootCertStore::empty();
        roots.add(authority.der().clone()).unwrap();
        let key = KeyPair::generate().unwrap();
        let own = parameters(&["a.example", "10.0.0.1"]).signed_by(&key, &authority).unwrap().der().clone();
        let good = "+ issued by `CN=an authority`, no intermediate certificate sent along";
        assert_eq!(
            said(vec![own.clone()], &roots, "a.example", "2026-02-01"),
            [good, "+ a.example, 10.0.0.1", "+ 58 days left, until 2026-04-01"]
        );
        assert_eq!(said(vec![own.clone()], &roots, "10.0.0.1", "2026-02-01")[1], "+ a.example, 10.0.0.1");
        assert_eq!(
            said(vec![own.clone()], &roots, "b.example", "2026-04-02"),
            [good, "- it is for a.example, 10.0.0.1", "- it expired on 2026-04-01"]
        );
        assert_eq!(said(vec![own.clone()], &roots, "a.example", "2026-03-30")[2], "- 1 days left, until 2026-04-01");
        assert_eq!(said(vec![own.clone()], &roots, "a.example", "2025-12-30")[2], "- it holds from 2026-01-01 on only");
        let strange = RootCertStore::empty();
        assert_eq!(
            said(vec![own], &strange, "a.example", "2026-02-01")[0],
            "- `CN=an authority` is no trusted issuer, with no intermediate certificate sent along"
        );
        let alone = parameters(&["a.example"]).self_signed(&key).unwrap().der().clone();
        assert!(said(vec![alone], &roots, "a.example", "2026-02-01")[0].starts_with("- it is signed by itself"));
    }
}
