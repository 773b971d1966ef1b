//! How the generator itself fares. A saturated generator measures its own queue: at 1000 closed-loop users goose's own
//! p99 was ten times the server's (reference figures in tests/bench), and a healthy service would fail.
//!
//! Saturated means: the process used at least 90 % of the CPU it may use during more than half of the seconds, or its
//! timers fired more than 200 ms late at the 99th percentile (another process may hold the CPU, or the run queue is long).
//! Lateness below that is an error bar, which the judge takes off a missed latency, percentile by percentile.

use super::{Generator, Lateness, histogram, record};
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
    /// Time that users meant to think, and how often they did.
    thought: Duration,
    thoughts: u64,
    /// Whether arrivals set the pace: then lateness withholds no load, for what is late is sent all the same.
    paced: bool,
    /// By how much arrivals were late because all workers had their hands full.
    held: Option<Histogram<u64>>,
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
        Self {
            cores,
            first: None,
            last: None,
            seconds: 0,
            busy_seconds: 0,
            lateness: histogram(),
            thought: Duration::ZERO,
            thoughts: 0,
            paced: false,
            held: None,
        }
    }

    /// The same where arrivals set the pace.
    #[must_use]
    pub fn paced(cores: f64) -> Self {
        Self { paced: true, held: histogram(), ..Self::new(cores) }
    }

    /// An arrival was due so long ago when the first worker was free for it. That is the target's doing, not the generator's.
    pub fn held_back(&mut self, by: Duration) {
        if let Some(held) = &mut self.held {
            record(held, by);
        }
    }

    /// How many arrivals were held back, and for how long at the 99th percentile, in microseconds.
    #[must_use]
    pub fn held(&self) -> (u64, u64) {
        self.held.as_ref().map_or((0, 0), |held| (held.len(), held.value_at_quantile(0.99)))
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

    /// A timer fired this much after it was due. What the timer's own grain may add is no lateness.
    pub fn late(&mut self, by: Duration) {
        if let Some(lateness) = &mut self.lateness {
            record(lateness, by.saturating_sub(limits::TIMER_GRAIN));
        }
    }

    /// A user meant to think for a time, and went on so late after it.
    pub fn thought(&mut self, time: Duration, late: Duration) {
        self.thought += time;
        self.thoughts += 1;
        self.late(late);
    }

    /// The figures so far, for this many finished requests, which took the users so long.
    #[must_use]
    pub fn generator(&self, requests: u64, waited: Duration) -> Generator {
        let enough = self.lateness.as_ref().filter(|lateness| lateness.len() >= limits::LATE_SAMPLES);
        let late = enough.map(lateness).unwrap_or_default();
        let lost_ratio =
            enough.filter(|_| !self.paced).map_or(0.0, |lateness| self.lost(lateness.mean(), requests, waited));
        let (first, last) = (self.first, self.last);
        let used = first.zip(last).map(|(first, last)| last.cpu.saturating_sub(first.cpu)).unwrap_or_default();
        #[expect(clippy::cast_precision_loss, reason = "counts stay below 2^53")]
        let (requests, seconds, busy) = (requests as f64, self.seconds as f64, self.busy_seconds as f64);
        Generator {
            cpu_us_per_request: if requests > 0.0 { used.as_secs_f64() * 1e6 / requests } else { 0.0 },
            cpu_used_ratio: first.zip(last).and_then(|(first, last)| self.used(first, last)).unwrap_or(0.0),
            late,
            lost_ratio,
            saturated: busy > seconds * limits::BUSY_SECONDS_RATIO
                || late.p99_us > limits::LATE_US
                || lost_ratio > limits::LOST_RATIO,
        }
    }

    /// Share of their time that users lost: each thought and each answer was noticed so late, in the mean.
    fn lost(&self, mean_late_us: f64, requests: u64, waited: Duration) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "counts stay below 2^53")]
        let lost = mean_late_us / 1e6 * (requests + self.thoughts) as f64;
        let whole = (self.thought + waited).as_secs_f64();
        if whole > 0.0 { (lost / (whole + lost)).min(1.0) } else { 0.0 }
    }

    /// Share of the allowed CPU used between two readings; absent when they are too close to tell.
    fn used(&self, from: Reading, to: Reading) -> Option<f64> {
        let wall = to.at.saturating_sub(from.at);
        (wall >= Duration::from_millis(100))
            .then(|| to.cpu.saturating_sub(from.cpu).as_secs_f64() / (wall.as_secs_f64() * self.cores))
    }
}

fn lateness(of: &Histogram<u64>) -> Lateness {
    Lateness {
        p50_us: of.value_at_quantile(0.50),
        p90_us: of.value_at_quantile(0.90),
        p95_us: of.value_at_quantile(0.95),
        p99_us: of.value_at_quantile(0.99),
        max_us: of.max(),
    }
}
