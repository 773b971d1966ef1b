//! Keeps the causes over time: what a check's last run says is looked at once, after that run; and a cause that is found again
//! keeps its beginning.

use super::{Cause, Find, Found, KINDS, Kind};
use crate::snapshot::{CheckView, Snapshot};
use std::sync::Arc;
use std::time::SystemTime;

/// The causes as they stand.
#[derive(Debug, Default)]
pub struct Watch {
    of_checks: Vec<Vec<Cause>>,
    all: Arc<Vec<Cause>>,
}

impl Watch {
    /// Takes in the last run of a check.
    pub fn ran(&mut self, index: usize, check: &CheckView, at: SystemTime) {
        if self.of_checks.len() <= index {
            self.of_checks.resize_with(index + 1, Vec::new);
        }
        let Some(kept) = self.of_checks.get_mut(index) else { return };
        let mut found = Vec::new();
        for kind in KINDS {
            if let Find::InCheck(find) = kind.find {
                found.extend(find(check).map(|found| named(kind, found, &check.facts.name, at, kept)));
            }
        }
        *kept = found;
    }

    /// Follows the checks into their new order: each with the place it had before, `None` for one that begins.
    pub fn reordered(&mut self, before: &[Option<usize>]) {
        let mut kept = std::mem::take(&mut self.of_checks);
        let mut causes = |place: &Option<usize>| place.and_then(|place| kept.get_mut(place)).map(std::mem::take);
        self.of_checks = before.iter().map(|place| causes(place).unwrap_or_default()).collect();
    }

    /// All causes of this picture, which itself has none yet.
    pub fn all(&mut self, snapshot: &Snapshot) -> Arc<Vec<Cause>> {
        let mut all: Vec<Cause> = self.of_checks.iter().flatten().cloned().collect();
        for kind in KINDS {
            if let Find::InSnapshot(find) = kind.find {
                all.extend(find(snapshot).into_iter().map(|found| named(kind, found, "", snapshot.at, &self.all)));
            }
        }
        self.all = Arc::new(all);
        Arc::clone(&self.all)
    }
}

/// The cause, with the beginning it had when it was there before.
fn named(kind: &'static Kind, found: Found, check: &str, at: SystemTime, before: &[Cause]) -> Cause {
    let subject = found.subject.unwrap_or_else(|| check.to_owned());
    let kept = before.iter().find(|cause| cause.kind == kind && cause.subject == subject).map(|cause| cause.since);
    Cause {
        kind,
        evidence: found.evidence,
        fix: found.fix.unwrap_or_else(|| kind.fix.to_owned()),
        since: kept.or(found.since).unwrap_or(at),
        subject,
        caused_by: None,
    }
}
