//! Whether the server staples the OCSP answer that its certificate promises. Several authorities have given OCSP up; a certificate that
//! names no responder has nothing to staple.

use super::finding::{Miss, Seen};
use super::tls::handshake::{Shown, shake};
use super::tls::ocsp::{self, significant};
use super::{Site, Validator};
use crate::clock;
use crate::http::TransportError;
use crate::limits::{STAPLE_TRIES, VALIDATE_ANSWER};
use chrono::{DateTime, Utc};
use std::time::Duration;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::{FromDer as _, X509Certificate};

pub(super) static ROW: Validator = Validator {
    name: "ocsp-stapling",
    expects: EXPECTS,
    standard: "RFC 6066 section 8, RFC 6960; RFC 7633 where the certificate insists",
    needs: None,
    run: |site| Box::pin(run(site)),
};

const EXPECTS: &str = "a stapled answer that calls the certificate good, where it names a responder";
const NO_RESPONDER: &str = "the certificate names no OCSP responder: nothing to staple";
const WAY_OUT: &str =
    "nginx: `ssl_stapling on;` with a `resolver`, or `ssl_stapling_file`; for this stack `docker/staple`, daily";
/// nginx fetches an answer after the first handshake.
const PAUSE: Duration = Duration::from_secs(1);
/// `id-ad-ocsp` (RFC 5280, 4.2.2.1).
const OCSP: &str = "1.3.6.1.5.5.7.48.1";
/// `id-pe-tlsfeature` (RFC 7633).
const FEATURE: &str = "1.3.6.1.5.5.7.1.24";

async fn run(site: &Site<'_>) -> Vec<Seen> {
    if let Some(seen) = site.without_tls(EXPECTS) {
        return seen;
    }
    let mut shown = Shown::default();
    for attempt in 0..STAPLE_TRIES {
        if attempt > 0 {
            tokio::time::sleep(PAUSE).await;
        }
        let late = Err(TransportError::Timeout(VALIDATE_ANSWER));
        shown = match tokio::time::timeout(VALIDATE_ANSWER, shake(site)).await.unwrap_or(late) {
            Ok(shown) => shown,
            Err(error) => return vec![Seen::unknown(&site.host(), EXPECTS, error.to_string())],
        };
        if !shown.staple.is_empty() || responder(&shown).is_none() {
            break;
        }
    }
    vec![judge(&site.host(), &shown, clock::wall().into())]
}

/// The responder that the certificate names; that it insists, where it names none.
fn responder(shown: &Shown) -> Option<String> {
    let (_, fields) = X509Certificate::from_der(shown.chain.first()?).ok()?;
    let named = fields.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityInfoAccess(access) => {
            access.accessdescs.iter().find_map(|one| match one.access_location {
                GeneralName::URI(uri) if one.access_method.to_id_string() == OCSP => Some(uri.to_owned()),
                _ => None,
            })
        }
        _ => None,
    });
    let insists = fields.extensions().iter().any(|extension| extension.oid.to_id_string() == FEATURE);
    named.or_else(|| insists.then(|| "no responder, but insists on a stapled answer".to_owned()))
}

fn judge(host: &str, shown: &Shown, now: DateTime<Utc>) -> Seen {
    let Some(responder) = responder(shown) else {
        return Seen::not_applicable(host, EXPECTS, NO_RESPONDER, "");
    };
    if shown.staple.is_empty() {
        let miss = Miss::new(format!("nothing stapled; the certificate names {responder}"), WAY_OUT);
        return Seen::judged(host, EXPECTS, Err(miss));
    }
    let own = shown.chain.first().and_then(|own| X509Certificate::from_der(own).ok());
    let serial = own.as_ref().map(|(_, fields)| significant(fields.raw_serial())).unwrap_or_default();
    Seen::judged(host, EXPECTS, holds(&shown.staple, serial, now))
}

fn holds(staple: &[u8], serial: &[u8], now: DateTime<Utc>) -> Result<String, Miss> {
    let all = ocsp::read(staple).map_err(|why| Miss::new(format!("stapled, but {why}"), WAY_OUT))?;
    let Some(one) = all.iter().find(|one| one.serial == serial) else {
        return Err(Miss::new("the stapled answer is about another certificate", WAY_OUT));
    };
    if one.status != "good" {
        return Err(Miss::new(format!("the responder calls it {}", one.status), "get a new certificate"));
    }
    let until =
        one.until.map_or("without an end".to_owned(), |until| format!("until {}", until.format("%Y-%m-%d %H:%M")));
    if one.until.is_some_and(|until| until <= now) {
        return Err(Miss::new(format!("the stapled answer is stale: it held {until}"), WAY_OUT));
    }
    Ok(format!("stapled, good, {until}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_staple_that_is_none_is_a_miss_and_says_why() {
        let now: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(holds(b"x", &[1], now).unwrap_err().got, "stapled, but it is no OCSP answer");
    }

    #[test]
    fn without_a_responder_there_is_nothing_to_look_at() {
        let key = rcgen::KeyPair::generate().unwrap();
        let own = rcgen::CertificateParams::new(["h".to_owned()]).unwrap().self_signed(&key).unwrap();
        let shown = Shown { chain: vec![own.der().clone()], staple: vec![] };
        let seen = judge("h", &shown, DateTime::UNIX_EPOCH);
        assert_eq!((seen.outcome, seen.got.as_str()), (super::super::Outcome::NotApplicable, NO_RESPONDER));
    }
}
