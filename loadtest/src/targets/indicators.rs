//! What a target can be about: one row each. A new indicator is a row here and a case in the judge's table test.
//! A row knows how to read its figure and how many requests it takes before that figure means anything.

use super::{Op, Tally};
use crate::measure::Lateness;
use crate::units::Unit;

/// A row of the table.
pub struct Indicator {
    /// The word in a target.
    pub name: &'static str,
    /// What it is, for the reference.
    pub summary: &'static str,
    /// Its unit.
    pub unit: Unit,
    /// The figure, when there is any request at all.
    pub read: fn(&Tally) -> f64,
    /// How many requests it takes to say that a limit is met, given the limit.
    pub needs: fn(f64, Op) -> u64,
    /// The error bar: microseconds by which the generator's own lateness may have lengthened the figure.
    pub late: fn(&Lateness) -> u64,
    /// A miss counts with any number of requests, and also when the generator was saturated: it is a fact, no estimate.
    pub miss_is_fact: bool,
}

impl std::fmt::Debug for Indicator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// All of them, in the order of the reference.
pub const INDICATORS: &[Indicator] = &[
    percentile(
        "p50",
        "the median: half of the requests were at most this slow",
        |t| t.quantile_us(0.50),
        |_, _| 2,
        |late| late.p50_us,
    ),
    percentile(
        "p90",
        "nine in ten requests were at most this slow",
        |t| t.quantile_us(0.90),
        |_, _| 10,
        |late| late.p90_us,
    ),
    percentile(
        "p95",
        "19 in 20 requests were at most this slow",
        |t| t.quantile_us(0.95),
        |_, _| 20,
        |late| late.p95_us,
    ),
    percentile(
        "p99",
        "99 in 100 requests were at most this slow",
        |t| t.quantile_us(0.99),
        |_, _| 100,
        |late| late.p99_us,
    ),
    percentile("max", "the slowest request", Tally::max_us, |_, _| 1, |late| late.max_us),
    Indicator {
        name: "errors",
        summary: "share of requests that failed: no answer, an unexpected status, a failed assert",
        unit: Unit::Share,
        read: Tally::error_ratio,
        needs: resolution,
        late: |_| 0,
        miss_is_fact: true,
    },
    Indicator {
        name: "throughput",
        summary: "requests that succeeded, per second",
        unit: Unit::Rate,
        read: Tally::throughput,
        needs: |_, _| 1,
        late: |_| 0,
        miss_is_fact: false,
    },
];

/// How soon after a stage the figures are again what they were before it. Read from the timeline, so that no row of the table
/// fits: `recovery < 30s after spike`.
pub static RECOVERY: Indicator = Indicator {
    name: "recovery",
    summary: "how soon after a stage p95 and errors are again what they were before it; written `recovery < 30s after spike`",
    unit: Unit::Time,
    read: |_| 0.0,
    needs: |_, _| u64::MAX,
    late: |_| 0,
    miss_is_fact: false,
};

/// What stands for the indicator of a target about a sidecar's figure: no request is behind it.
pub static OF_SIDECAR: Indicator = Indicator {
    name: "figure",
    summary: "a figure of a sidecar",
    unit: Unit::Share,
    read: |_| 0.0,
    needs: |_, _| u64::MAX,
    late: |_| 0,
    miss_is_fact: true,
};

/// A percentile q needs 1/(1-q) requests: with fewer, no request lies beyond it and it would be the maximum by another name.
const fn percentile(
    name: &'static str,
    summary: &'static str,
    read: fn(&Tally) -> f64,
    needs: fn(f64, Op) -> u64,
    late: fn(&Lateness) -> u64,
) -> Indicator {
    Indicator { name, summary, unit: Unit::Time, read, needs, late, miss_is_fact: false }
}

/// To say that fewer than 1 % fail takes 100 requests: with fewer, the smallest share above none is already more.
fn resolution(limit: f64, op: Op) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a range that fits")]
    match op {
        Op::Below | Op::AtMost if limit > 0.0 => (1.0 / limit).ceil().clamp(1.0, 1e9) as u64,
        _ => 1,
    }
}

impl Indicator {
    /// The row of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        INDICATORS.iter().find(|row| row.name == name)
    }
}
