//! The one truth of the agent: an immutable picture of all it knows, published by `state.rs` and rendered by everything else.
//! Plain data; it knows nothing of how it is made or shown.

mod checks;

pub use checks::{Checks, Iter};

use crate::causes::{Cause, Change};
use crate::collectors::Collected;
use crate::probes::facts::PART_HEALTHY;
use crate::probes::{Elsewhere, Fault, Outcome, Reason};
use crate::reading::Reading;
use crate::reload::Reloads;
use crate::silence::Silence;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// What a check means for the service's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A failure says that the peer itself is dead: not ready, and `/health?role=liveness` answers 503.
    Liveness,
    /// A failure says that the peer should get no traffic: `/ready` answers 503.
    Readiness,
    /// A failure is shown and exported, and changes neither.
    Observe,
}

impl Role {
    /// The name as written in a config file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Liveness => "liveness",
            Self::Readiness => "readiness",
            Self::Observe => "observe",
        }
    }
}

/// The debounced state of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckState {
    /// Not decided yet: no run has succeeded, and fewer than `fail_after` have failed.
    Unknown,
    /// Working.
    Up,
    /// Failed `fail_after` times in a row, and has not succeeded `ok_after` times in a row since.
    Down,
}

impl CheckState {
    /// The word for people and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// What does not change about a check while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckFacts {
    /// Its name.
    pub name: String,
    /// Its probe's kind.
    pub kind: &'static str,
    /// Its target without password; shown on restricted pages only.
    pub target: String,
    /// What it means.
    pub role: Role,
    /// Whether it is the peer itself.
    pub peer: bool,
    /// Whether all ports of its host may be tried when its own refuses.
    pub sweep: bool,
    /// Names of the checks it depends on.
    pub depends_on: Vec<String>,
    /// Time between two runs.
    pub interval: Duration,
    /// Deadline of a run.
    pub timeout: Duration,
    /// Failures in a row that turn it down.
    pub fail_after: u32,
    /// Successes in a row that turn it up again.
    pub ok_after: u32,
}

/// A failed run, kept for people.
#[derive(Clone, Debug)]
pub struct Failure {
    /// When it ended.
    pub at: SystemTime,
    /// How long it had taken.
    pub took: Duration,
    /// Why.
    pub fault: Fault,
}

/// The last run of a check.
#[derive(Clone, Debug)]
pub struct LastRun {
    /// When it ended.
    pub at: SystemTime,
    /// What it gave.
    pub outcome: Outcome,
}

/// A check as it stands.
#[derive(Clone, Debug)]
pub struct CheckView {
    /// What does not change.
    pub facts: Arc<CheckFacts>,
    /// Debounced.
    pub state: CheckState,
    /// When the state was entered; `None` while it is unknown.
    pub since: Option<SystemTime>,
    /// The last run; `None` before the first has ended.
    pub last: Option<Arc<LastRun>>,
    /// The last run that succeeded.
    pub last_ok_at: Option<SystemTime>,
    /// Runs in a row with the result of the last one.
    pub streak: u32,
    /// When the first run of that row ended; `None` before the first run.
    pub streak_since: Option<SystemTime>,
    /// The address that the check's name had when it last succeeded.
    pub usual_address: Option<IpAddr>,
    /// What listens elsewhere on the host of a check that is refused; absent as long as nobody has looked, or it is not refused.
    pub elsewhere: Option<Arc<Elsewhere>>,
    /// All runs.
    pub runs: u64,
    /// Failed runs by reason; a reason that never came is absent. Shared with earlier snapshots until one more fails.
    pub failures: Arc<BTreeMap<Reason, u64>>,
    /// The last failures, oldest first; shared likewise.
    pub recent_failures: Arc<Vec<Arc<Failure>>>,
}

/// A collector's source as it stands.
#[derive(Clone, Debug)]
pub struct SourceView {
    /// Its name.
    pub name: &'static str,
    /// When it was last read; `None` before the first time.
    pub at: Option<SystemTime>,
    /// What it gave.
    pub collected: Option<Arc<Collected>>,
}

/// Where the agent is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// At work.
    Running,
    /// Asked to stop: `/ready` answers 503 while requests are finished.
    Draining,
}

/// The whole picture.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// When it was taken.
    pub at: SystemTime,
    /// When the agent started.
    pub started_at: SystemTime,
    /// The agent's stage.
    pub stage: Stage,
    /// The checks, in the order of the configuration.
    pub checks: Checks,
    /// The sources, in the order of the table.
    pub sources: Vec<SourceView>,
    /// Why something is wrong; empty in a healthy system.
    pub causes: Arc<Vec<Cause>>,
    /// What became of the configuration since the start.
    pub reloads: Reloads,
    /// The maintenance window, while there is one.
    pub silence: Option<Silence>,
    /// What changed last, newest first.
    pub changes: Arc<Vec<Change>>,
}

/// The verdict over all checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// A liveness or readiness check is not decided yet, and none is down.
    Starting,
    /// Every check that is decided is up.
    Healthy,
    /// A check that is only observed is down, or a service calls a part of itself unhealthy although its check is up.
    Degraded,
    /// A liveness or readiness check is down.
    Unhealthy,
}

impl Health {
    /// The word for people and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unhealthy => "unhealthy",
        }
    }
}

impl CheckView {
    /// A check before its first run.
    #[must_use]
    pub fn unmeasured(facts: Arc<CheckFacts>) -> Self {
        Self {
            facts,
            state: CheckState::Unknown,
            since: None,
            last: None,
            last_ok_at: None,
            streak: 0,
            streak_since: None,
            usual_address: None,
            elsewhere: None,
            runs: 0,
            failures: Arc::default(),
            recent_failures: Arc::default(),
        }
    }

    /// A check that has run once and is judged by that.
    #[must_use]
    pub fn after_one_run(facts: Arc<CheckFacts>, at: SystemTime, outcome: Outcome) -> Self {
        let state = if outcome.ok() { CheckState::Up } else { CheckState::Down };
        let last = Some(Arc::new(LastRun { at, outcome }));
        Self { state, since: Some(at), last, streak: 1, streak_since: Some(at), runs: 1, ..Self::unmeasured(facts) }
    }

    /// What the last run measured.
    #[must_use]
    pub fn readings(&self) -> &[Reading] {
        self.last.as_ref().map_or(&[], |last| &last.outcome.readings)
    }

    /// The parts of itself that the service's own answer calls unhealthy.
    pub fn calls_unhealthy(&self) -> impl Iterator<Item = &str> {
        let ill =
            self.readings().iter().filter(|reading| reading.metric.name == PART_HEALTHY.name && reading.value < 1.0);
        ill.filter_map(|reading| reading.labels.first()).map(String::as_str)
    }
}

impl Snapshot {
    /// The verdict over all checks.
    #[must_use]
    pub fn health(&self) -> Health {
        let gates = |check: &&CheckView| check.facts.role != Role::Observe;
        if self.checks.iter().filter(gates).any(|check| check.state == CheckState::Down) {
            Health::Unhealthy
        } else if self.checks.iter().filter(gates).any(|check| check.state == CheckState::Unknown) {
            Health::Starting
        } else if self
            .checks
            .iter()
            .any(|check| check.state == CheckState::Down || check.calls_unhealthy().next().is_some())
        {
            Health::Degraded
        } else {
            Health::Healthy
        }
    }

    /// What keeps the service from being ready: names of gating checks that are not up. Empty means ready, unless draining.
    #[must_use]
    pub fn held_back_by(&self) -> Vec<&str> {
        let holds = |check: &&CheckView| check.facts.role != Role::Observe && check.state != CheckState::Up;
        self.checks.iter().filter(holds).map(|check| check.facts.name.as_str()).collect()
    }

    /// Whether `/ready` says yes.
    #[must_use]
    pub fn ready(&self) -> bool {
        self.stage == Stage::Running && self.held_back_by().is_empty()
    }

    /// A check by name.
    #[must_use]
    pub fn check(&self, name: &str) -> Option<&CheckView> {
        self.checks.iter().find(|check| check.facts.name == name)
    }
}
