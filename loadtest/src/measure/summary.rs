//! The figures of a run, as the targets judge them and the reports print them.

use super::Failure;
use hdrhistogram::Histogram;
use std::collections::BTreeMap;
use std::time::Duration;

/// All requests of one name in one stage, or of all.
#[derive(Clone, Debug)]
pub struct Row {
    /// The request's name.
    pub name: String,
    /// The stage's name.
    pub stage: String,
    /// Finished requests, errors included.
    pub count: u64,
    /// Errors by cause.
    pub errors_by: BTreeMap<Failure, u64>,
    /// An example of what was wrong, for people (redacted, capped).
    pub example: Option<String>,
    /// Latencies in microseconds, errors included.
    pub latencies: Histogram<u64>,
    /// Body bytes received.
    pub bytes: u64,
    /// The time over which the requests were counted.
    pub over: Duration,
}

impl Row {
    /// Requests that count as errors.
    #[must_use]
    pub fn errors(&self) -> u64 {
        self.errors_by.values().sum()
    }
}

/// How the generator itself fared.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Generator {
    /// Client CPU time per request, in microseconds.
    pub cpu_us_per_request: f64,
    /// Share of the CPU this process may use that it did use, 0 to 1.
    pub cpu_used_ratio: f64,
    /// How late the generator's own timers fired, 99th percentile, in microseconds.
    pub late_p99_us: u64,
    /// Whether the generator was the bottleneck: its figures say more of itself than of the target.
    pub saturated: bool,
}

/// Everything measured so far.
#[derive(Clone, Debug)]
pub struct Summary {
    /// One row per stage and request name that has samples.
    pub rows: Vec<Row>,
    /// Time since the first request.
    pub elapsed: Duration,
    /// Users at work now.
    pub users: usize,
    /// Requests in flight.
    pub in_flight: usize,
    /// Age of the oldest request in flight: a lower bound of its latency.
    pub oldest_in_flight: Duration,
    /// The generator.
    pub generator: Generator,
}
