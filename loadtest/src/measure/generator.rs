//! How the generator itself fares. A saturated generator measures its own queue: at 1000 closed-loop users goose's own
//! p99 was ten times the server's (reference figures in tests/bench), and a healthy service would fail.
//!
//! Saturated means: the process used at least 90 % of the CPU it may use during more than half of the seconds, or its
//! timers fired more than 250 ms late at the 99th percentile (another process may hold the CPU, or the run queue is long).
//! Lateness below that is an error bar, which the judge takes off a missed latency.

use super::{Generator, histogram, record};
use crate::limits;
use hdrhistogram::Histogram;
use std::time::Duration;

/// Watches CPU time and the lateness of timers. Fed by the engine; asks no clock.
#[derive(Debug)]
pub struct SelfWatch {
    cores: f64,
    first: Option<Reading>,
    last: Option<Reading>,
    seconds: u64,
    busy_seconds: u64,
    lateness: Option<Histogram<u64>>,
}

/// CPU time used by a moment of the run.
#[derive(Clone, Copy, Debug)]
struct Reading {
    at: Duration,
    cpu: Duration,
}

impl SelfWatch {
    /// A watch on a process that may use this many cores.
    #[must_use]
    pub fn new(cores: f64) -> Self {
        Self { cores, first: None, last: None, seconds: 0, busy_seconds: 0, lateness: histogram() }
    }

    /// The process had used `cpu` at this moment of the run. Called about once a second.
    pub fn cpu(&mut self, at: Duration, cpu: Duration) {
        let reading = Reading { at, cpu };
        if let Some(ratio) = self.last.and_then(|last| self.used(last, reading)) {
            self.seconds += 1;
            self.busy_seconds += u64::from(ratio >= limits::BUSY_RATIO);
        }
        self.first = self.first.or(Some(reading));
        self.last = Some(reading);
    }

    /// A timer fired this much after it was due.
    pub fn late(&mut self, by: Duration) {
        if let Some(lateness) = &mut self.lateness {
            record(lateness, by);
        }
    }

    /// The figures so far, for this many finished requests.
    #[must_use]
    pub fn generator(&self, requests: u64) -> Generator {
        let enough = self.lateness.as_ref().filter(|lateness| lateness.len() >= limits::LATE_SAMPLES);
        let late_p99_us = enough.map_or(0, |lateness| lateness.value_at_quantile(0.99));
        let (first, last) = (self.first, self.last);
        let used = first.zip(last).map(|(first, last)| last.cpu.saturating_sub(first.cpu)).unwrap_or_default();
        #[expect(clippy::cast_precision_loss, reason = "counts stay below 2^53")]
        let (requests, seconds, busy) = (requests as f64, self.seconds as f64, self.busy_seconds as f64);
        Generator {
            cpu_us_per_request: if requests > 0.0 { used.as_secs_f64() * 1e6 / requests } else { 0.0 },
            cpu_used_ratio: first.zip(last).and_then(|(first, last)| self.used(first, last)).unwrap_or(0.0),
            late_p99_us,
            saturated: busy > seconds * limits::BUSY_SECONDS_RATIO || late_p99_us > limits::LATE_US,
        }
    }

    /// Share of the allowed CPU used between two readings; absent when they are too close to tell.
    fn used(&self, from: Reading, to: Reading) -> Option<f64> {
        let wall = to.at.saturating_sub(from.at);
        (wall >= Duration::from_millis(100))
            .then(|| to.cpu.saturating_sub(from.cpu).as_secs_f64() / (wall.as_secs_f64() * self.cores))
    }
}
