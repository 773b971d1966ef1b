//! A stage for tests of causes: measurements come in by the names of their metrics, causes come out as words.

use crate::causes::{Cause, Watch};
use crate::collectors::Collected;
use crate::metrics::sample::{before_the_first_run, facts_of, ran, time};
use crate::probes::{Detail, Fault, Note, Outcome, Reason};
use crate::reading::{Metric, Reading};
use crate::snapshot::{CheckFacts, CheckView, Role, Snapshot, SourceView};
use std::sync::{Arc, OnceLock};

/// A figure: the metric's name, its labels, its value.
pub(in crate::causes) type Figure<'a> = (&'a str, &'a [&'a str], f64);

pub(in crate::causes) struct Scene {
    watch: Watch,
    snapshot: Snapshot,
}

impl Scene {
    /// A system of which nothing is known yet, with these checks: name, kind of probe, and whether it is the peer.
    pub(in crate::causes) fn new(checks: &[(&str, &'static str, bool)]) -> Self {
        let check = |&(name, kind, peer): &(&str, &'static str, bool)| {
            let facts = CheckFacts { peer, ..facts_of(name, kind, "tcp://host:1", Role::Observe) };
            CheckView { last: None, runs: 0, ..ran(facts, Outcome::default()) }
        };
        let snapshot =
            Snapshot { checks: checks.iter().map(check).collect(), sources: Vec::new(), ..before_the_first_run() };
        Self { watch: Watch::default(), snapshot }
    }

    /// A source was read, so many seconds after the beginning.
    pub(in crate::causes) fn read(&mut self, seconds: u64, name: &'static str, figures: &[Figure<'_>]) {
        self.told(seconds, name, Collected::Readings(readings(figures)));
    }

    /// A source gave this.
    pub(in crate::causes) fn told(&mut self, seconds: u64, name: &'static str, collected: Collected) {
        let view = SourceView { name, at: Some(time(seconds)), collected: Some(Arc::new(collected)) };
        self.watch.collected(&view);
        self.snapshot.at = time(seconds);
    }

    /// A check ran and measured this.
    pub(in crate::causes) fn ran(&mut self, seconds: u64, name: &str, figures: &[Figure<'_>]) {
        self.ended(seconds, name, Outcome { readings: readings(figures), ..Outcome::default() });
    }

    /// A check failed so.
    pub(in crate::causes) fn failed(&mut self, seconds: u64, name: &str, detail: Detail) {
        let fault = Fault::new(Reason::Status, "it said so").exactly(detail).hint("do this");
        self.ended(seconds, name, Outcome { fault: Some(fault), ..Outcome::default() });
    }

    /// A check ran, measured this, and told a note.
    pub(in crate::causes) fn noted(
        &mut self,
        seconds: u64,
        name: &str,
        figures: &[Figure<'_>],
        note: (&'static str, &str),
    ) {
        let notes = vec![Note { name: note.0, text: note.1.to_owned() }];
        self.ended(seconds, name, Outcome { readings: readings(figures), notes, ..Outcome::default() });
    }

    fn ended(&mut self, seconds: u64, name: &str, outcome: Outcome) {
        let at = self.snapshot.checks.iter().position(|check| check.facts.name == name).expect("a check of that name");
        let facts = (*self.snapshot.checks[at].facts).clone();
        let runs = self.snapshot.checks[at].runs + 1;
        self.snapshot.checks[at] = CheckView { runs, ..ran(facts, outcome) };
        // A second look at the same run, as when another port was looked for, counts nothing twice.
        self.watch.ran(at, &self.snapshot.checks[at], time(seconds));
        self.watch.ran(at, &self.snapshot.checks[at], time(seconds));
        self.snapshot.at = time(seconds);
    }

    /// So many seconds after the beginning, and nothing more has come.
    pub(in crate::causes) fn wait(&mut self, seconds: u64) {
        self.snapshot.at = time(seconds);
    }

    /// The causes.
    pub(in crate::causes) fn causes(&mut self) -> Vec<Cause> {
        self.watch.all(&self.snapshot).to_vec()
    }

    /// Their names and subjects.
    pub(in crate::causes) fn names(&mut self) -> Vec<String> {
        self.causes().iter().map(|cause| format!("{}({})", cause.kind.name, cause.subject)).collect()
    }

    /// Their names, subjects and evidence, a line each.
    pub(in crate::causes) fn words(&mut self) -> String {
        self.causes().iter().map(|cause| format!("{cause:?}")).collect::<Vec<_>>().join("\n")
    }
}

pub(in crate::causes) fn readings(figures: &[Figure<'_>]) -> Vec<Reading> {
    static TABLE: OnceLock<Vec<&'static Metric>> = OnceLock::new();
    let table = TABLE.get_or_init(crate::metrics::table);
    let reading = |(name, labels, value): &Figure<'_>| Reading {
        metric: table.iter().find(|metric| metric.name == *name).expect("a metric of that name"),
        labels: labels.iter().map(|label| (*label).to_owned()).collect(),
        value: *value,
    };
    figures.iter().map(reading).collect()
}
