//! Keeps the causes over time: what a check's last run says is looked at once, after that run; a cause that is found again keeps its
//! beginning; and one of a check that is down stands until the check is up, for a first success is no recovery.

use super::attribution::{self, Places};
use super::{Cause, Find, Found, KINDS, Kind, Past, failing};
use crate::snapshot::{CheckState, CheckView, Snapshot, SourceView};
use std::sync::Arc;
use std::time::SystemTime;

/// The causes as they stand.
#[derive(Debug, Default)]
pub struct Watch {
    of_checks: Vec<OfCheck>,
    places: Places,
    all: Arc<Vec<Cause>>,
    past: Past,
}

/// The causes of one check.
#[derive(Debug, Default)]
struct OfCheck {
    causes: Vec<Cause>,
    /// Names that were found once and have to be found again.
    tentative: Vec<&'static str>,
}

impl Watch {
    /// Takes in the last run of a check.
    pub fn ran(&mut self, index: usize, check: &CheckView, at: SystemTime) {
        self.past.ran(index, check, at);
        if self.of_checks.len() <= index {
            self.of_checks.resize_with(index + 1, OfCheck::default);
        }
        if let Some(kept) = self.of_checks.get_mut(index) {
            kept.ran(check, at);
        }
    }

    /// The first that is named.
    pub(super) fn first(&self) -> Option<&'static Kind> {
        self.of_checks.iter().flat_map(|check| &check.causes).map(|cause| cause.kind).next()
    }

    /// Takes in a collection of a source.
    pub fn collected(&mut self, source: &SourceView) {
        self.past.collected(source);
    }

    /// Follows the checks into their new order: each with the place it had before, `None` for one that begins.
    pub fn reordered(&mut self, before: &[Option<usize>]) {
        reorder(&mut self.of_checks, before);
        self.past.reordered(before);
    }

    /// Forgets what sources told: another one may be read from now on.
    pub fn forget_sources(&mut self) {
        self.past.forget_sources();
    }

    /// All causes of this picture, which itself has none yet.
    pub fn all(&mut self, snapshot: &Snapshot) -> Arc<Vec<Cause>> {
        let mut all: Vec<Cause> = self.of_checks.iter().flat_map(|check| &check.causes).cloned().collect();
        for kind in KINDS {
            let found = match kind.find {
                Find::ByFault | Find::InCheck(_) => continue,
                Find::InSnapshot(find) => find(snapshot),
                Find::OverTime(find) => find(snapshot, &self.past),
            };
            let begun = found.into_iter().filter(|found| !found.keeps || self.stands(kind, found));
            all.extend(begun.map(|found| named(kind, found, "", snapshot.at, &self.all)));
        }
        if all.is_empty() && self.all.is_empty() {
            return Arc::clone(&self.all);
        }
        attribution::attribute(&mut all, snapshot, &mut self.places);
        self.all = Arc::new(all);
        Arc::clone(&self.all)
    }

    /// Whether it was among the causes of the picture before.
    fn stands(&self, kind: &'static Kind, found: &Found) -> bool {
        let subject = found.subject.as_deref().unwrap_or_default();
        self.all.iter().any(|cause| cause.kind == kind && cause.subject == subject)
    }
}

/// Puts each where it belongs now, given the places before; what has none begins anew.
pub(super) fn reorder<T: Default>(all: &mut Vec<T>, before: &[Option<usize>]) {
    let mut kept = std::mem::take(all);
    let mut one = |place: &Option<usize>| place.and_then(|place| kept.get_mut(place)).map(std::mem::take);
    *all = before.iter().map(|place| one(place).unwrap_or_default()).collect();
}

impl OfCheck {
    fn ran(&mut self, check: &CheckView, at: SystemTime) {
        let works = check.last.as_ref().is_some_and(|last| last.outcome.ok());
        let mut found = Vec::new();
        if let Some((kind, what)) = failing::name(check) {
            found.push(named(kind, what, &check.facts.name, at, &self.causes));
        }
        let mut tentative = Vec::new();
        for kind in KINDS {
            let Find::InCheck(find) = kind.find else { continue };
            let Some(what) = find(check) else { continue };
            let known = self.tentative.contains(&kind.name) || self.causes.iter().any(|cause| cause.kind == *kind);
            if what.tentative {
                tentative.push(kind.name);
            }
            if known || !what.tentative {
                found.push(named(kind, what, &check.facts.name, at, &self.causes));
            }
        }
        if works && check.state == CheckState::Down {
            let stays = |cause: &Cause| !found.iter().any(|found| found.kind == cause.kind);
            let kept: Vec<Cause> = self.causes.drain(..).filter(stays).collect();
            found.extend(kept.into_iter().map(|cause| Cause { recovering: true, ..cause }));
        }
        (self.causes, self.tentative) = (found, tentative);
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
        recovering: false,
    }
}

#[cfg(test)]
mod reload_tests {
    use super::*;
    use crate::metrics::sample::{facts_of, time};
    use crate::probes::Outcome;
    use crate::reading::Metric;
    use crate::snapshot::Role;

    static UPTIME: Metric = Metric::gauge("sidecar_database_uptime_seconds", "Uptime");

    #[test]
    fn what_is_remembered_of_a_check_follows_it_and_a_new_one_begins_with_nothing() {
        let facts = Arc::new(facts_of("a", "tcp", "tcp://db:5432", Role::Observe));
        let outcome = Outcome { readings: vec![UPTIME.is(7.0)], ..Outcome::default() };
        let mut watch = Watch::default();
        watch.ran(0, &CheckView::after_one_run(facts, time(1), outcome), time(1));
        watch.reordered(&[None, Some(0)]);
        let uptime = |watch: &Watch, place| watch.past.check(place).and_then(|past| past.figures.value(UPTIME.name));
        assert_eq!((uptime(&watch, 0), uptime(&watch, 1)), (None, Some(7.0)));
        watch.reordered(&[]);
        assert_eq!(uptime(&watch, 0), None);
    }
}
