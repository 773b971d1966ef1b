//! Why something is wrong: from what the agent knows to named causes with evidence and a way out. One table, [`KINDS`].
//! Pure: it is told the time and asks nothing. It reads the snapshot and knows neither probes at work nor pages.
//! What must stay true: a healthy system has no cause, and whatever is named rests on something measured.

mod attribution;
mod backups;
mod changes;
mod datastores;
mod failing;
mod figures;
mod kinds;
mod measured;
mod past;
mod resources;
mod storage;
#[cfg(test)]
mod tests;
mod watch;

pub use changes::{Change, Changes, What};
pub use failing::settled;
pub use figures::Figures;
pub use kinds::KINDS;
pub use past::{CheckPast, Past};
pub use watch::Watch;

use crate::probes::Outcome;
use crate::snapshot::{CheckFacts, CheckView, Snapshot};
use std::sync::Arc;
use std::time::SystemTime;

/// A row of the table: a cause that can be named.
pub struct Kind {
    /// Its name, the value of the label `cause`.
    pub name: &'static str,
    /// One sentence for operators: when it is named.
    pub summary: &'static str,
    /// What to do about it, when the finding itself knows nothing better.
    pub fix: &'static str,
    /// How it is found.
    pub find: Find,
}

/// Where a cause is looked for.
#[derive(Clone, Copy)]
pub enum Find {
    /// By the fault of a check whose failure is settled: `failing.rs` gives it exactly one name.
    ByFault,
    /// In one check, after each of its runs; the subject is the check.
    InCheck(fn(&CheckView) -> Option<Found>),
    /// In one check and what is remembered of it, likewise.
    InHistory(fn(&CheckView, &CheckPast, SystemTime) -> Option<Found>),
    /// In sources, several checks together and what is remembered of them, when one of those told something new.
    OverTime(fn(&Snapshot, &Past) -> Vec<Found>),
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// What it is about: a check, a volume, a resource of the peer. `None` is the check that was looked at.
    pub subject: Option<String>,
    /// One sentence with value and limit. It may name hosts and ports, never a secret.
    pub evidence: String,
    /// What to do, when it is more than the row's advice.
    pub fix: Option<String>,
    /// Since when, when that is known; else since it was first found.
    pub since: Option<SystemTime>,
    /// Whether it has to be found in two runs in a row before it is named. For what is found in checks.
    pub tentative: bool,
    /// Whether it only keeps a cause that stands and begins none: a value between its two thresholds, so that none flaps.
    pub keeps: bool,
}

/// The name of what a single run shows, as if it had come often enough.
#[must_use]
pub fn of_one_run(facts: &CheckFacts, at: SystemTime, outcome: &Outcome) -> Option<&'static Kind> {
    // Nothing was waited for here, so nothing is "not ready yet".
    let facts = CheckFacts { peer: true, fail_after: 1, ..facts.clone() };
    let check = CheckView::after_one_run(Arc::new(facts), at, outcome.clone());
    let mut watch = Watch::default();
    watch.ran(0, &check, at);
    watch.first()
}

/// A named cause.
#[derive(Clone)]
pub struct Cause {
    /// The row.
    pub kind: &'static Kind,
    /// What it is about; a name from the configuration or of a closed set, for it is a label value.
    pub subject: String,
    /// One sentence with value and limit; shown on restricted pages only, for it may name hosts.
    pub evidence: String,
    /// What to do.
    pub fix: String,
    /// Since when.
    pub since: SystemTime,
    /// The subject of the cause that this one follows from, the first of the chain.
    pub caused_by: Option<String>,
    /// Whether the check works again and has not done so for long enough to be called up.
    pub recovering: bool,
}

impl Cause {
    /// Whether it follows from nothing else that is known.
    #[must_use]
    pub const fn is_root(&self) -> bool {
        self.caused_by.is_none()
    }
}

impl std::fmt::Debug for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}({}): {}", self.kind.name, self.subject, self.evidence)
    }
}

impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

#[cfg(test)]
mod datastores_tests;
#[cfg(test)]
mod resources_tests;
#[cfg(test)]
mod scene_each;
