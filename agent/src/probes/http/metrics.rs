//! The names of what an HTTP check measures: blackbox_exporter's where it has one, with its meaning.

use crate::probes::facts::{
    CERTIFICATE_EXPIRES_IN_SECONDS, PART_HEALTHY, PART_RESPONSE_TIME, POOL_IN, POOL_OUT, POOL_RATIO, POOL_SIZE,
};
use crate::probes::net::facts as net;
use crate::reading::Metric;

pub(super) static DURATION: Metric = Metric::gauge(
    "probe_http_duration_seconds",
    "Seconds that each phase of the HTTP request took, summed over all redirects",
)
.labelled(&["phase"]);
pub(super) static STATUS: Metric =
    Metric::gauge("probe_http_status_code", "Status code of the last answer, 0 when there was none");
pub(super) static CONTENT_LENGTH: Metric =
    Metric::gauge("probe_http_content_length", "Length of the body in bytes as announced, -1 when not announced");
pub(super) static BODY_LENGTH: Metric =
    Metric::gauge("probe_http_uncompressed_body_length", "Length in bytes of the body read, after decompression");
pub(super) static REDIRECTS: Metric = Metric::gauge("probe_http_redirects", "Number of redirects followed");
pub(super) static SSL: Metric = Metric::gauge("probe_http_ssl", "1 when the last answer came over TLS, else 0");
pub(super) static VERSION: Metric =
    Metric::gauge("probe_http_version", "HTTP version of the last answer, 0 when there was none");
pub(super) static FAILED_REGEX: Metric =
    Metric::gauge("probe_failed_due_to_regex", "1 when the check failed because of a regular expression, else 0");
pub(super) static LAST_MODIFIED: Metric = Metric::gauge(
    "probe_http_last_modified_timestamp_seconds",
    "Unix time in seconds of the answer's Last-Modified header, absent without one",
);

pub(super) static CLOCK_OFFSET: Metric = Metric::gauge(
    "sidecar_clock_offset_seconds",
    "Seconds by which the service's clock is ahead of the agent's, negative when behind, by the `Date` of its answer and so to the \
     second; absent without one, and when the answer is from a cache",
);

/// The phases of a request, in order.
pub(super) const PHASES: [&str; 5] = ["resolve", "connect", "tls", "processing", "transfer"];

/// Everything that an HTTP check can measure.
pub(super) static FACTS: &[&Metric] = &[
    &net::LOOKUP_TIME,
    &net::IP_PROTOCOL,
    &net::IP_HASH,
    &DURATION,
    &STATUS,
    &CONTENT_LENGTH,
    &BODY_LENGTH,
    &REDIRECTS,
    &SSL,
    &VERSION,
    &FAILED_REGEX,
    &LAST_MODIFIED,
    &CLOCK_OFFSET,
    &net::EARLIEST_EXPIRY,
    &net::LAST_CHAIN_EXPIRY,
    &net::LAST_CHAIN,
    &net::VERSION,
    &net::CIPHER,
    &CERTIFICATE_EXPIRES_IN_SECONDS,
    &PART_HEALTHY,
    &PART_RESPONSE_TIME,
    &POOL_SIZE,
    &POOL_IN,
    &POOL_OUT,
    &POOL_RATIO,
];
