//! Rows of measurements added up: of one name over stages, of a group, of everything. Exact, for histograms add.

use crate::measure::{Failure, Row};
use hdrhistogram::Histogram;
use std::collections::BTreeMap;
use std::time::Duration;

/// The sum of some rows.
#[derive(Clone, Debug)]
pub struct Tally {
    /// Finished requests, errors included.
    pub count: u64,
    /// Errors by cause.
    pub errors_by: BTreeMap<Failure, u64>,
    /// Latencies in microseconds, errors included.
    pub latencies: Histogram<u64>,
    /// The time over which the requests were counted.
    pub over: Duration,
    /// Bytes of body received.
    pub bytes: u64,
    /// Answers that came over HTTP/2.
    pub http2: u64,
}

impl Tally {
    /// Adds rows up; none when there is no request in them.
    #[must_use]
    pub fn of<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Option<Self> {
        let mut rows = rows.into_iter().filter(|row| row.count > 0);
        let first = rows.next()?;
        let mut latencies = first.latencies.clone();
        latencies.auto(true);
        let (count, errors_by, over) = (first.count, first.errors_by.clone(), first.over);
        let mut tally = Self { count, errors_by, latencies, over, bytes: first.bytes, http2: first.http2 };
        let mut stages = BTreeMap::from([(first.stage.as_str(), first.over)]);
        for row in rows {
            tally.add(row);
            let longest = stages.entry(row.stage.as_str()).or_default();
            *longest = row.over.max(*longest);
        }
        // Names of one stage share its time; stages follow each other.
        tally.over = stages.values().sum();
        Some(tally)
    }

    fn add(&mut self, row: &Row) {
        self.count += row.count;
        self.bytes += row.bytes;
        self.http2 += row.http2;
        for (failure, count) in &row.errors_by {
            *self.errors_by.entry(*failure).or_default() += count;
        }
        // A histogram that grows by itself can only refuse values beyond 2^63 µs; latencies are capped far below.
        let _ = self.latencies.add(&row.latencies);
    }

    /// Requests that count as errors.
    #[must_use]
    pub fn errors(&self) -> u64 {
        self.errors_by.values().sum()
    }

    /// Share of requests that failed, 0 to 1.
    #[must_use]
    pub fn error_ratio(&self) -> f64 {
        ratio(self.errors(), self.count)
    }

    /// Requests that succeeded, per second.
    #[must_use]
    pub fn throughput(&self) -> f64 {
        let seconds = self.over.as_secs_f64();
        if seconds > 0.0 { to_f64(self.count.saturating_sub(self.errors())) / seconds } else { 0.0 }
    }

    /// The latency that this share of the requests did not exceed, in microseconds.
    #[must_use]
    pub fn quantile_us(&self, share: f64) -> f64 {
        to_f64(self.latencies.value_at_quantile(share).min(self.latencies.max()))
    }

    /// The slowest request, in microseconds.
    #[must_use]
    pub fn max_us(&self) -> f64 {
        to_f64(self.latencies.max())
    }

    /// Time spent waiting for all these requests together.
    #[must_use]
    pub fn waited(&self) -> Duration {
        Duration::from_secs_f64((self.latencies.mean() * to_f64(self.count) / 1e6).clamp(0.0, 1e12))
    }

    /// Requests slower than a limit in microseconds.
    #[must_use]
    pub fn slower_than(&self, limit_us: f64) -> u64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a limit is positive and far below 2^53 µs"
        )]
        let limit = limit_us.max(0.0) as u64;
        self.latencies.len().saturating_sub(self.latencies.count_between(0, limit))
    }

    /// The commonest cause of error.
    #[must_use]
    pub fn main_failure(&self) -> Option<Failure> {
        self.errors_by.iter().max_by_key(|(_, count)| **count).map(|(failure, _)| *failure)
    }
}

pub(super) fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { to_f64(part) / to_f64(whole) }
}

#[expect(clippy::cast_precision_loss, reason = "counts and microseconds stay far below 2^53")]
pub(crate) fn to_f64(count: u64) -> f64 {
    count as f64
}
