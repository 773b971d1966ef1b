//! The figures that several probes share, so that one rule serves every database, and those that pages look up by name.

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
/// What a service says of a part of itself.
pub static PART_HEALTHY: Metric = Metric::gauge(
    "sidecar_part_healthy",
    "1 when the service's own answer calls this part of it healthy, 0 when it calls it unhealthy, absent when it says neither",
)
.labelled(&["service"]);
/// How fast a part answers the service, as the service says.
pub static PART_RESPONSE_TIME: Metric = Metric::gauge(
    "sidecar_part_response_time_seconds",
    "Seconds that this part took to answer the service, as the service's own answer says",
)
.labelled(&["service"]);
/// What a service's pool may hold.
pub static POOL_SIZE: Metric =
    Metric::gauge("sidecar_pool_size", "Connections that the service's own pool may hold").labelled(&["service"]);
/// What waits in it.
pub static POOL_IN: Metric =
    Metric::gauge("sidecar_pool_checked_in", "Idle connections in the service's own pool").labelled(&["service"]);
/// What is in use.
pub static POOL_OUT: Metric =
    Metric::gauge("sidecar_pool_checked_out", "Connections of the service's own pool in use").labelled(&["service"]);
/// The share in use.
pub static POOL_RATIO: Metric = Metric::gauge(
    "sidecar_pool_used_ratio",
    "Connections of the service's own pool in use divided by its size, above 1 when it overflows",
)
.labelled(&["service"]);
