//! Keeps the causes over time: what a check's last run says is looked at once, after that run; a cause that is found again keeps its
//! beginning; and one of a check that is down stands until the check is up, for a first success is no recovery.

use super::attribution::{self, Places};
use super::{Cause, CheckPast, Find, Found, KINDS, Kind, Past, failing};
use crate::limits;
use crate::snapshot::{CheckState, CheckView, Snapshot, SourceView};
use std::sync::Arc;
use std::time::SystemTime;

/// The causes as they stand.
#[derive(Debug, Default)]
pub struct Watch {
    of_checks: Vec<OfCheck>,
    /// Those of the whole picture, and when they were looked for.
    of_picture: Vec<Cause>,
    looked_at: Option<SystemTime>,
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
        if self.past.ran(index, check, at) {
            self.looked_at = None;
        }
        if self.of_checks.len() <= index {
            self.of_checks.resize_with(index + 1, OfCheck::default);
        }
        if let Some((kept, past)) = self.of_checks.get_mut(index).zip(self.past.check(index)) {
            kept.ran(check, past, at);
        }
    }

    /// The first that is named.
    pub(super) fn first(&self) -> Option<&'static Kind> {
        self.of_checks.iter().flat_map(|check| &check.causes).map(|cause| cause.kind).next()
    }

    /// Takes in a collection of a source.
    pub fn collected(&mut self, source: &SourceView) {
        self.past.collected(source);
        self.looked_at = None;
    }

    /// Follows the checks into their new order: each with the place it had before, `None` for one that begins.
    pub fn reordered(&mut self, before: &[Option<usize>]) {
        reorder(&mut self.of_checks, before);
        self.past.reordered(before);
        self.looked_at = None;
    }

    /// Forgets what sources told: another one may be read from now on.
    pub fn forget_sources(&mut self) {
        self.past.forget_sources();
        self.looked_at = None;
    }

    /// All causes of this picture, which itself has none yet.
    pub fn all(&mut self, snapshot: &Snapshot) -> Arc<Vec<Cause>> {
        self.look(snapshot);
        let of_checks = self.of_checks.iter().flat_map(|check| &check.causes);
        let mut all: Vec<Cause> = of_checks.chain(&self.of_picture).cloned().collect();
        if all.is_empty() && self.all.is_empty() {
            return Arc::clone(&self.all);
        }
        attribution::attribute(&mut all, snapshot, &mut self.places);
        self.all = Arc::new(all);
        Arc::clone(&self.all)
    }

    /// Looks for those of the whole picture, when it told something new since the last look or time has passed: a picture is published
    /// after every run, and these rows go through all checks.
    fn look(&mut self, snapshot: &Snapshot) {
        let now = snapshot.at;
        let fresh = |at: SystemTime| now.duration_since(at).is_ok_and(|age| age < limits::CAUSES_AGAIN);
        if self.looked_at.is_some_and(fresh) {
            return;
        }
        for ((kept, check), index) in self.of_checks.iter_mut().zip(&snapshot.checks).zip(0..) {
            // What is news for a while only may be over.
            kept.causes.retain(|cause| match (cause.kind.find, self.past.check(index)) {
                (Find::InHistory(find), Some(past)) => find(check, past, now).is_some(),
                _ => true,
            });
        }
        let mut all = Vec::new();
        for kind in KINDS {
            let Find::OverTime(find) = kind.find else { continue };
            let stands = |found: &Found| {
                let same = |cause: &Cause| cause.kind == *kind && Some(&cause.subject) == found.subject.as_ref();
                self.of_picture.iter().any(same)
            };
            let begun = find(snapshot, &self.past).into_iter().filter(|found| !found.keeps || stands(found));
            all.extend(begun.map(|found| named(kind, found, "", now, &self.of_picture)));
        }
        (self.of_picture, self.looked_at) = (all, Some(now));
    }
}

/// Puts each where it belongs now, given the places before; what has none begins anew.
pub(super) fn reorder<T: Default>(all: &mut Vec<T>, before: &[Option<usize>]) {
    let mut kept = std::mem::take(all);
    let mut one = |place: &Option<usize>| place.and_then(|place| kept.get_mut(place)).map(std::mem::take);
    *all = before.iter().map(|place| one(place).unwrap_or_default()).collect();
}

impl OfCheck {
    fn ran(&mut self, check: &CheckView, past: &CheckPast, at: SystemTime) {
        let works = check.last.as_ref().is_some_and(|last| last.outcome.ok());
        let mut found = Vec::new();
        if let Some((kind, what)) = failing::name(check) {
            found.push(named(kind, what, &check.facts.name, at, &self.causes));
        }
        let mut tentative = Vec::new();
        for kind in KINDS {
            let what = match kind.find {
                Find::InCheck(find) => find(check),
                Find::InHistory(find) => find(check, past, at),
                Find::ByFault | Find::OverTime(_) => continue,
            };
            let Some(what) = what else { continue };
            let stands = self.causes.iter().any(|cause| cause.kind == *kind);
            let again = stands || self.tentative.contains(&kind.name);
            if what.tentative {
                tentative.push(kind.name);
            }
            let counts = if what.keeps { stands } else { again || !what.tentative };
            if counts {
                found.push(named(kind, what, &check.facts.name, at, &self.causes));
            }
        }
        if works && check.state == CheckState::Down {
            // What was measured is known anew; only a failure may come back.
            let measured = |cause: &Cause| matches!(cause.kind.find, Find::InHistory(_));
            let stays = |cause: &Cause| !measured(cause) && !found.iter().any(|found| found.kind == cause.kind);
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
