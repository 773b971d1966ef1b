//! What a certificate says: names, dates, fingerprint, in the forms that blackbox gives them. Reads certificates that fail
//! verification as well; those are the ones that people want described.

use crate::probes::clean;
use rustls::SupportedCipherSuite;
use rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
use std::fmt::Write as _;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate, X509Name};

/// One certificate, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// SHA-256 over the whole certificate, in hex.
    pub fingerprint_sha256: String,
    /// The subject, most specific part first: `CN=api.example,O=Example`.
    pub subject: String,
    /// The issuer, in the same form.
    pub issuer: String,
    /// The DNS names it is for, joined with commas.
    pub dns_names: String,
    /// The serial number in hex.
    pub serial_number: String,
    /// Seconds since the epoch at which it begins to hold.
    pub not_before: i64,
    /// Seconds since the epoch at which it expires.
    pub not_after: i64,
    raw_subject: Vec<u8>,
    raw_issuer: Vec<u8>,
}

impl Certificate {
    /// Reads a certificate in DER; `None` when it is none.
    #[must_use]
    pub fn read(der: &[u8]) -> Option<Self> {
        let (_, parsed) = X509Certificate::from_der(der).ok()?;
        let serial = parsed.raw_serial();
        let serial = serial.iter().position(|byte| *byte != 0).and_then(|at| serial.get(at..)).unwrap_or_default();
        Some(Self {
            fingerprint_sha256: hex(&sha256(der)),
            subject: name(parsed.subject()),
            issuer: name(parsed.issuer()),
            dns_names: dns_names(&parsed),
            serial_number: hex(serial),
            not_before: parsed.validity().not_before.timestamp(),
            not_after: parsed.validity().not_after.timestamp(),
            raw_subject: parsed.subject().as_raw().to_vec(),
            raw_issuer: parsed.issuer().as_raw().to_vec(),
        })
    }

    /// Whether it names itself as its issuer.
    #[must_use]
    pub fn self_signed(&self) -> bool {
        self.raw_subject == self.raw_issuer
    }
}

/// The expiry of the first certificate in the list to expire.
pub(super) fn earliest_expiry(chain: &[Certificate]) -> Option<i64> {
    chain.iter().map(|certificate| certificate.not_after).min()
}

/// The expiry of the chain that lasts longest, a chain's being that of its first certificate to expire: what blackbox calls the
/// last chain. From the first certificate up, by issuer, and of two with one name the younger; others sent along do not count.
pub(super) fn last_chain_expiry(chain: &[Certificate]) -> Option<i64> {
    let mut left: Vec<&Certificate> = chain.iter().skip(1).collect();
    let mut current = chain.first()?;
    let mut expiry = current.not_after;
    while !current.self_signed() {
        let issuers = left.iter().enumerate().filter(|(_, other)| other.raw_subject == current.raw_issuer);
        let Some((at, _)) = issuers.max_by_key(|(_, other)| other.not_after) else { break };
        current = left.swap_remove(at);
        expiry = expiry.min(current.not_after);
    }
    Some(expiry)
}

/// The parts of a name in the order of RFC 4514, most specific first, as Go and openssl's `-nameopt RFC2253` print it.
fn name(name: &X509Name<'_>) -> String {
    let mut parts: Vec<String> = Vec::new();
    for relative in name.iter_rdn() {
        let values = relative.iter().map(|attribute| {
            let oid = attribute.attr_type();
            let short = SHORT_NAMES.iter().find(|(dotted, _)| oid.to_id_string() == *dotted);
            let kind = short.map_or_else(|| oid.to_id_string(), |(_, short)| (*short).to_owned());
            format!("{kind}={}", escaped(attribute.as_str().unwrap_or("?")))
        });
        parts.push(values.collect::<Vec<_>>().join("+"));
    }
    parts.reverse();
    clean(&parts.join(","))
}

/// The attribute types that RFC 4514 gives a short name.
const SHORT_NAMES: &[(&str, &str)] = &[
    ("2.5.4.3", "CN"),
    ("2.5.4.5", "SERIALNUMBER"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.9", "STREET"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.17", "POSTALCODE"),
];

fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, ',' | '+' | '"' | '\\' | '<' | '>' | ';') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn dns_names(certificate: &X509Certificate<'_>) -> String {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else { return String::new() };
    let names = extension.value.general_names.iter().filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(*name),
        _ => None,
    });
    clean(&names.collect::<Vec<_>>().join(","))
}

/// The hash that ring's cipher suites bring along; saves a dependency for one hash.
fn sha256(bytes: &[u8]) -> Vec<u8> {
    match TLS13_AES_128_GCM_SHA256 {
        SupportedCipherSuite::Tls13(suite) => suite.common.hash_provider.hash(bytes).as_ref().to_vec(),
        SupportedCipherSuite::Tls12(_) => Vec::new(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A date for people: `2026-11-21`.
#[must_use]
pub fn date(seconds: i64) -> String {
    let Ok(at) = x509_parser::time::ASN1Time::from_timestamp(seconds) else { return format!("second {seconds}") };
    at.to_datetime().date().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probes::net::test_peers;
    use proptest::prelude::*;

    fn certificate(subject: &str, issuer: &str, not_after: i64) -> Certificate {
        Certificate {
            fingerprint_sha256: format!("{subject}{not_after}"),
            subject: subject.to_owned(),
            issuer: issuer.to_owned(),
            dns_names: String::new(),
            serial_number: String::new(),
            not_before: 0,
            not_after,
            raw_subject: subject.as_bytes().to_vec(),
            raw_issuer: issuer.as_bytes().to_vec(),
        }
    }

    #[test]
    fn reads_a_certificate_in_the_forms_of_blackbox() {
        let pair = test_peers::certificate(|params| {
            params.distinguished_name.push(rcgen::DnType::CommonName, "api, inner");
            params.distinguished_name.push(rcgen::DnType::OrganizationName, "Example");
            params.serial_number = Some(rcgen::SerialNumber::from_slice(&[0, 0x1f, 0x0a]));
            params.not_after = rcgen::date_time_ymd(2031, 2, 3);
        });
        let read = Certificate::read(&pair.der).unwrap();
        assert_eq!(read.subject, r"O=Example,CN=api\, inner");
        assert_eq!((read.dns_names.as_str(), read.serial_number.as_str()), ("localhost", "1f0a"));
        assert_eq!(date(read.not_after), "2031-02-03");
        assert_eq!(read.fingerprint_sha256.len(), 64);
        assert!(read.self_signed());
    }

    #[test]
    fn sha256_is_sha256() {
        assert_eq!(hex(&sha256(b"abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn the_last_chain_leaves_out_a_stale_certificate_sent_along() {
        let leaf = certificate("leaf", "middle", 500);
        let (old, new) = (certificate("middle", "root", 100), certificate("middle", "root", 400));
        let stray = certificate("stray", "stray", 50);
        let chain = [leaf.clone(), old, new, stray];
        assert_eq!((earliest_expiry(&chain), last_chain_expiry(&chain)), (Some(50), Some(400)));
        assert_eq!(last_chain_expiry(&[leaf]), Some(500));
        assert_eq!(last_chain_expiry(&[]), None);
    }

    #[test]
    fn certificates_that_sign_each_other_in_a_circle_come_to_an_end() {
        let circle: Vec<_> = (0..16).map(|n| certificate(["a", "b"][n % 2], ["b", "a"][n % 2], 9)).collect();
        assert_eq!(last_chain_expiry(&circle), Some(9));
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_calmly(der in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = Certificate::read(&der);
        }
    }
}
