//! The metrics of connections and TLS sessions: blackbox_exporter's names and meanings.

use crate::probes::facts::CERTIFICATE_EXPIRES_IN_SECONDS;
use crate::reading::{Metric, Type};

/// Time of name look-ups.
pub static LOOKUP_TIME: Metric =
    Metric::gauge("probe_dns_lookup_time_seconds", "Seconds that name look-ups took, over all redirects");
/// IP version.
pub static IP_PROTOCOL: Metric = Metric::gauge("probe_ip_protocol", "IP version of the address connected to, 4 or 6");
/// A number that changes when the address does.
pub static IP_HASH: Metric = Metric::gauge(
    "probe_ip_addr_hash",
    "FNV-1a hash (32 bits) of the address connected to; it changes when the address does",
);

/// What a connection by name or address always measures.
pub static FACTS: &[&Metric] = &[&LOOKUP_TIME, &IP_PROTOCOL, &IP_HASH];

/// First expiry of those sent.
pub static EARLIEST_EXPIRY: Metric = Metric::gauge(
    "probe_ssl_earliest_cert_expiry",
    "Unix time in seconds at which the first certificate of those sent expires, also when verification failed",
);
/// Expiry of the verified chain.
pub static LAST_CHAIN_EXPIRY: Metric = Metric::gauge(
    "probe_ssl_last_chain_expiry_timestamp_seconds",
    "Unix time in seconds at which the verified chain that lasts longest expires; absent when verification failed",
);
/// The server's certificate.
pub static LAST_CHAIN: Metric =
    Metric::gauge("probe_ssl_last_chain_info", "The server's own certificate, also when verification failed")
        .of(Type::Info)
        .labelled(&["fingerprint_sha256", "subject", "issuer", "subjectalternative", "serialnumber"]);
/// TLS version.
pub static VERSION: Metric =
    Metric::gauge("probe_tls_version_info", "The TLS version agreed on").of(Type::Info).labelled(&["version"]);
/// Cipher suite.
pub static CIPHER: Metric =
    Metric::gauge("probe_tls_cipher_info", "The cipher suite agreed on").of(Type::Info).labelled(&["cipher"]);

/// What a handshake measures.
pub static SECURE_FACTS: &[&Metric] =
    &[&EARLIEST_EXPIRY, &LAST_CHAIN_EXPIRY, &LAST_CHAIN, &VERSION, &CIPHER, &CERTIFICATE_EXPIRES_IN_SECONDS];
