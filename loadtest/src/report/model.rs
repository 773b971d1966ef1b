//! The report itself; its fields are the JSON schema (`loadtest/report.schema.json`), and what is read back is the same type.

use super::Capacity;
use super::timeline::TimelineLines;
use super::why::{FindingLine, SidecarLine};
use crate::baseline::Comparison;
use crate::measure::{Arrivals, Failure, Lateness};
use crate::targets::{Culprit, Decision, Ending, Names, Outcome, Trigger};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything said about a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// Version of this schema.
    pub version: u32,
    /// `go`, `no-go` or `inconclusive`.
    pub verdict: Decision,
    /// Why, in one sentence.
    pub reason: String,
    /// The exit code.
    pub exit: u8,
    /// How the run ended.
    #[serde(default)]
    pub ending: EndingLine,
    /// The target's URL, without a password.
    pub target: String,
    /// SHA-256 over everything that shapes the load.
    pub plan_hash: String,
    /// When the first request was sent, RFC 3339.
    pub started: String,
    /// The stages as they were planned and as long as they lasted.
    pub stages: Vec<Stage>,
    /// The stages that targets without a stage are about, joined by a comma.
    pub judged: String,
    /// One line per stage and request name.
    pub requests: Vec<Line>,
    /// All requests of the judged stages.
    pub total: Line,
    /// All requests of each stage that had some.
    #[serde(default)]
    pub stage_totals: Vec<Line>,
    /// The targets.
    pub targets: Vec<TargetLine>,
    /// The load generator.
    pub generator: GeneratorLine,
    /// What became of the arrivals; null where users set the pace.
    #[serde(default)]
    pub arrivals: Option<Arrivals>,
    /// What a search for the capacity found; null where none was asked for. The figures are then those of the highest step that held.
    #[serde(default)]
    pub capacity: Option<Capacity>,
    /// Requests that missed targets are blamed on.
    pub culprits: Vec<Culprit>,
    /// Why targets were missed, as far as it shows: who moved, and since when; and whether the stack was full.
    #[serde(default)]
    pub findings: Vec<FindingLine>,
    /// What the sidecars told.
    #[serde(default)]
    pub sidecars: Vec<SidecarLine>,
    /// The run over time.
    #[serde(default)]
    pub timeline: TimelineLines,
    /// What speaks for taking the release back; not empty exactly when the exit code is 5, or a signal's.
    #[serde(default)]
    pub rollback: Vec<Trigger>,
    /// Why the plan's teardown failed; null where it passed, and where there was none. It is no part of the verdict.
    #[serde(default)]
    pub teardown: Option<String>,
    /// What changed against the baseline, where there is one.
    #[serde(default)]
    pub baseline: Option<Comparison>,
    /// Everything that targets may name.
    #[serde(default)]
    pub names: Names,
}

/// How a run ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndingLine {
    /// As planned, given up on a target that is dead or hung, aborted as the plan says, or by a signal.
    pub kind: EndingKind,
    /// Why it was given up or aborted, or the signal's name.
    pub why: Option<String>,
}

/// The kinds of ending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndingKind {
    /// As planned.
    #[default]
    Complete,
    /// The target was given up on.
    GivenUp,
    /// Before its time, for a reason that the plan gave.
    Aborted,
    /// By a signal.
    Signal,
}

/// A stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// Its name.
    pub name: String,
    /// Users at its end; workers where arrivals set the pace.
    pub users: usize,
    /// Planned arrivals per second; null where users set the pace.
    pub rate: Option<f64>,
    /// How long it lasted.
    pub seconds: f64,
    /// Whether targets that name no stage are about it.
    #[serde(default)]
    pub judged: bool,
}

/// Requests of one name in one stage, or all.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Line {
    /// The request's name; `total` for all.
    pub name: String,
    /// The stage.
    pub stage: String,
    /// Finished and given-up requests, errors included.
    pub count: u64,
    /// Errors.
    pub errors: u64,
    /// Errors by cause.
    pub errors_by: BTreeMap<Failure, u64>,
    /// An example of what was wrong.
    pub example: Option<String>,
    /// Percentiles in microseconds, errors included; null where the requests are too few to carry it.
    pub p50_us: Option<u64>,
    /// See `p50_us`.
    pub p90_us: Option<u64>,
    /// See `p50_us`.
    pub p95_us: Option<u64>,
    /// See `p50_us`.
    pub p99_us: Option<u64>,
    /// The slowest request.
    pub max_us: Option<u64>,
    /// Requests that succeeded, per second.
    pub throughput: f64,
    /// Time that users spent waiting for these requests, all together.
    pub waited_us: u64,
    /// The time over which they were counted.
    #[serde(default)]
    pub seconds: f64,
    /// Bytes of body received.
    #[serde(default)]
    pub bytes: u64,
    /// Answers that came over HTTP/2; absent where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http2: Option<u64>,
    /// The histogram of latencies in microseconds: HdrHistogram V2, deflated, base64.
    pub hdr_v2: String,
}

/// A target with its outcome.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TargetLine {
    /// As written.
    pub text: String,
    /// `met`, `missed` or `inconclusive`.
    pub outcome: Outcome,
    /// The figure: microseconds, a share from 0 to 1, or per second; null without any request.
    pub got: Option<f64>,
    /// The figure for people.
    pub said: Option<String>,
    /// Requests behind it.
    pub count: u64,
    /// Why, where the outcome does not speak for itself.
    pub why: Option<String>,
    /// Where the target was set.
    pub from: String,
}

/// How the generator fared.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct GeneratorLine {
    /// Client CPU time per request.
    pub cpu_us_per_request: f64,
    /// Share of the CPU it may use that it did use.
    pub cpu_used_ratio: f64,
    /// How late its own timers fired, 99th percentile.
    pub late_p99_us: u64,
    /// The same at each percentile that a latency is judged by.
    #[serde(default)]
    pub late: Option<Lateness>,
    /// Share of their time that users lost to it: by so much less than planned was offered.
    pub lost_ratio: f64,
    /// Whether it was the bottleneck.
    pub saturated: bool,
}

impl Report {
    /// Whether targets without a stage are about more than one, so that a name alone does not tell which line is meant.
    #[must_use]
    pub fn judges_several(&self) -> bool {
        self.stages.iter().filter(|stage| stage.judged).count() > 1
    }

    /// Whether targets without a stage are about this one.
    #[must_use]
    pub fn is_judged(&self, stage: &str) -> bool {
        // Reports written before stages said so had one judged stage.
        self.judged == stage || self.stages.iter().any(|one| one.judged && one.name == stage)
    }
}

impl From<&Ending> for EndingLine {
    fn from(ending: &Ending) -> Self {
        let (kind, why) = match ending {
            Ending::Complete => (EndingKind::Complete, None),
            Ending::GivenUp(why) => (EndingKind::GivenUp, Some(why.clone())),
            Ending::Aborted(why) => (EndingKind::Aborted, Some(why.clone())),
            Ending::Signal(name, _) => (EndingKind::Signal, Some((*name).to_owned())),
        };
        Self { kind, why }
    }
}
