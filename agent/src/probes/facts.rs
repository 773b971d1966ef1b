//! The alert-ready figures that several probes share, so that one rule serves every database.

use crate::reading::Metric;

/// Connections in use against the limit.
pub static CONNECTIONS_USED_RATIO: Metric =
    Metric::gauge("sidecar_connections_used_ratio", "Connections in use divided by the server's limit, 0 to 1");
/// Share of reads served from memory.
pub static CACHE_HIT_RATIO: Metric = Metric::gauge(
    "sidecar_cache_hit_ratio",
    "Reads served from the server's own memory divided by all reads since it started, 0 to 1",
);
/// Time to the earliest expiry in the certificate chain.
pub static CERTIFICATE_EXPIRES_IN_SECONDS: Metric = Metric::gauge(
    "sidecar_certificate_expires_in_seconds",
    "Seconds until the first certificate of the chain expires, negative when it has, also when verification failed",
);
