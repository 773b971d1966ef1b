//! The names that Go gives to TLS versions, cipher suites and curves, and what rustls has of them.

use rustls::crypto::SupportedKxGroup;
use rustls::crypto::ring::{cipher_suite as suite, kx_group as group};
use rustls::{SupportedCipherSuite, SupportedProtocolVersion, version};

/// The advice for what rustls does not have: it is unsafe today.
pub(super) const SUITES_HINT: &str = "this agent has the ECDHE suites with AES-GCM or ChaCha20-Poly1305 and those of TLS 1.3; \
    leave `cipher_suites` out to offer all of them";

const SUITES: &[(&str, SupportedCipherSuite)] = &[
    ("TLS_AES_128_GCM_SHA256", suite::TLS13_AES_128_GCM_SHA256),
    ("TLS_AES_256_GCM_SHA384", suite::TLS13_AES_256_GCM_SHA384),
    ("TLS_CHACHA20_POLY1305_SHA256", suite::TLS13_CHACHA20_POLY1305_SHA256),
    ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
    ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384),
    ("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256),
    ("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305", suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256),
    ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
    ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384),
    ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256),
    ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256),
];

/// A cipher suite by Go's name.
pub(super) fn cipher_suite(name: &str) -> Option<SupportedCipherSuite> {
    SUITES.iter().find(|(known, _)| *known == name).map(|(_, suite)| *suite)
}

/// A curve by Go's name.
pub(super) fn curve(name: &str) -> Option<&'static dyn SupportedKxGroup> {
    match name {
        "X25519" => Some(group::X25519),
        "CurveP256" => Some(group::SECP256R1),
        "CurveP384" => Some(group::SECP384R1),
        _ => None,
    }
}

/// The versions from one to another, by Go's names.
pub(super) fn versions(min: &str, max: &str) -> Option<Vec<&'static SupportedProtocolVersion>> {
    match (min, max) {
        ("TLS12", "TLS12") => Some(vec![&version::TLS12]),
        ("TLS12", "TLS13") => Some(vec![&version::TLS13, &version::TLS12]),
        ("TLS13", "TLS13") => Some(vec![&version::TLS13]),
        _ => None,
    }
}
