//! What a search for the capacity found.

use super::Line;
use crate::targets::Outcome;
use serde::{Deserialize, Serialize};

/// The knee and the way to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Capacity {
    /// The highest rate of arrivals per second that held; null where none did.
    pub rate: Option<f64>,
    /// The lowest rate that broke; null where none did.
    pub broken: Option<Broken>,
    /// The steps in the order in which they were tried.
    pub steps: Vec<Step>,
}

/// A rate that broke.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Broken {
    /// Arrivals per second.
    pub rate: f64,
    /// The first target that was missed; null where the target system died, or requests in flight grew.
    pub target: Option<String>,
    /// Why, in one sentence.
    pub why: String,
    /// Who is to blame for it, where the sidecars tell.
    #[serde(default)]
    pub bottleneck: Option<String>,
}

/// A step of the search.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Arrivals per second.
    pub rate: f64,
    /// `met` where it held.
    pub outcome: Outcome,
    /// Why.
    pub why: String,
    /// Requests of the step.
    pub count: u64,
    /// Errors among them.
    pub errors: u64,
    /// Percentiles in microseconds; null where the requests were too few.
    pub p50_us: Option<u64>,
    /// See `p50_us`.
    pub p95_us: Option<u64>,
    /// See `p50_us`.
    pub p99_us: Option<u64>,
    /// Requests that succeeded, per second.
    pub throughput: f64,
}

impl Step {
    /// A step with the figures of all its requests.
    #[must_use]
    pub fn of(rate: f64, outcome: Outcome, why: &str, total: &Line) -> Self {
        Self {
            rate,
            outcome,
            why: why.to_owned(),
            count: total.count,
            errors: total.errors,
            p50_us: total.p50_us,
            p95_us: total.p95_us,
            p99_us: total.p99_us,
            throughput: total.throughput,
        }
    }
}
