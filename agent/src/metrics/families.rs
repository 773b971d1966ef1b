//! Gathers what a snapshot holds into families: a metric with all its rows, sorted by name. Borrows everything, copies no text.

use super::reexported::{Counts, Reexported};
use super::{Served, names};
use crate::causes::Cause;
use crate::clock::unix;
use crate::collectors::Collected;
use crate::limits;
use crate::probes::metrics::{LEFT_OUT, LEFT_OUT_WHY, REEXPORTED};
use crate::probes::{Outcome, Reason};
use crate::reading::{Metric, Reading};
use crate::reload::Reloads;
use crate::snapshot::{CheckState, CheckView, Health, Snapshot, SourceView};
use crate::version::Version;
use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;

/// The label values of [`names::BUILD_INFO`].
static BUILD: [&str; 2] = [Version::THIS.number, Version::THIS.commit];

/// One sample: the metric's own label values in the metric's order, preceded by the check's name when it belongs to a check.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The value of the label `check`, which comes first.
    pub check: Option<&'a str>,
    /// The values of the metric's own labels.
    pub values: Values<'a>,
    /// The measured value.
    pub value: f64,
}

/// Label values as they are kept; small, for a page of many checks has a hundred thousand.
#[derive(Clone, Copy, Debug)]
pub enum Values<'a> {
    /// Of a reading.
    Texts(&'a [String]),
    /// Of a closed set.
    Words(&'a [&'a str]),
    /// The three of [`names::CHECK_INFO`].
    What(&'a CheckView),
    /// The two of [`names::CAUSE_ACTIVE`].
    Cause(&'a Cause),
}

/// A metric with all its samples.
#[derive(Debug)]
pub struct Family<'a> {
    /// Name, help, type and labels.
    pub metric: &'static Metric,
    /// The samples; no two with the same labels.
    pub rows: Vec<Row<'a>>,
}

/// By the name that the type is declared for, then by that of the sample, so that the parts of a histogram stand together.
pub type Families<'a> = BTreeMap<(&'static str, &'static str), Family<'a>>;

impl<'a> Row<'a> {
    /// Label names and values in the order written on the page.
    pub fn labels(&self, metric: &'static Metric) -> impl Iterator<Item = (&'static str, &'a str)> + use<'a> {
        let values = self.values;
        let own = metric.labels.iter().enumerate().filter_map(move |(at, name)| Some((*name, values.get(at)?)));
        self.check.map(|check| ("check", check)).into_iter().chain(own)
    }
}

impl<'a> Values<'a> {
    /// Without labels of its own.
    pub const NONE: Self = Self::Words(&[]);

    fn get(self, at: usize) -> Option<&'a str> {
        match self {
            Self::Texts(texts) => texts.get(at).map(String::as_str),
            Self::Words(words) => words.get(at).copied(),
            Self::What(view) => what(view).get(at).copied(),
            Self::Cause(cause) => [cause.kind.name, cause.subject.as_str()].get(at).copied(),
        }
    }
}

/// Everything that there is to export.
#[must_use]
pub(super) fn gather<'a>(snapshot: &'a Snapshot, served: &Served, again: &Reexported<'a>) -> Families<'a> {
    let mut gathered = Gathered::default();
    gathered.plain(&names::BUILD_INFO, Values::Words(&BUILD), 1.0);
    if snapshot.health() != Health::Starting {
        gathered.plain(&names::READY, Values::NONE, truth(snapshot.ready()));
    }
    gathered.plain(&names::CONNECTIONS_REFUSED, Values::NONE, count(served.connections_refused));
    if let Some(good) = served.web_config_read {
        gathered.plain(&names::WEB_CONFIG_READ, Values::NONE, truth(good));
    }
    gathered.reloads(&snapshot.reloads);
    gathered.plain(&names::SILENCED, Values::NONE, truth(snapshot.silence.is_some()));
    if let Some(silence) = &snapshot.silence {
        gathered.plain(&names::SILENCE_ENDS, Values::NONE, unix(silence.until));
    }
    let all_reasons = snapshot.checks.len() <= limits::CHECKS_WITH_ALL_REASONS;
    for check in &snapshot.checks {
        gathered.check(check, all_reasons);
    }
    for (check, counts) in &again.counts {
        gathered.reexported(check, counts);
    }
    for source in &snapshot.sources {
        gathered.source(source);
    }
    for cause in snapshot.causes.iter() {
        gathered.plain(&names::CAUSE_ACTIVE, Values::Cause(cause), 1.0);
    }
    for (check, metric, value) in &again.processes {
        gathered.add(metric, Row { check: Some(check), values: Values::NONE, value: *value });
    }
    gathered.families
}

#[derive(Default)]
struct Gathered<'a> {
    families: Families<'a>,
    /// Hashes of the samples with labels of their own: the samples themselves would be as large again as the families.
    seen: HashSet<u64>,
    hasher: RandomState,
}

impl<'a> Gathered<'a> {
    fn family(&mut self, metric: &'static Metric) -> &mut Vec<Row<'a>> {
        let new = || Family { metric, rows: Vec::new() };
        &mut self.families.entry((metric.family(), metric.name)).or_insert_with(new).rows
    }

    fn add(&mut self, metric: &'static Metric, row: Row<'a>) {
        self.family(metric).push(row);
    }

    fn plain(&mut self, metric: &'static Metric, values: Values<'a>, value: f64) {
        self.add(metric, Row { check: None, values, value });
    }

    /// Two samples with the same labels would cost Prometheus the whole page, so the first one stands. Without labels of its own the
    /// other one is that of the same check, and the last. That two hashes are the same by chance is less likely than a broken memory.
    fn reading(&mut self, check: Option<&'a str>, reading: &'a Reading) {
        let row = Row { check, values: Values::Texts(&reading.labels), value: reading.value };
        let labelled = !reading.labels.is_empty();
        if labelled && !self.seen.insert(self.hasher.hash_one((reading.metric.name, check, &reading.labels))) {
            return;
        }
        let rows = self.family(reading.metric);
        if labelled || rows.last().is_none_or(|last| last.check != check) {
            rows.push(row);
        }
    }

    fn reloads(&mut self, reloads: &Reloads) {
        self.plain(&names::CONFIG_READ, Values::NONE, truth(reloads.last_was_taken()));
        self.plain(&names::CONFIG_READ_AT, Values::NONE, unix(reloads.in_force_since));
        let [ok_word, failed_word] = &names::RESULTS;
        self.plain(&names::CONFIG_RELOADS, word(ok_word), count(reloads.taken));
        self.plain(&names::CONFIG_RELOADS, word(failed_word), count(reloads.refused));
    }

    fn check(&mut self, view: &'a CheckView, all_reasons: bool) {
        let check = Some(view.facts.name.as_str());
        let mut add = |metric, values, value| self.add(metric, Row { check, values, value });
        add(&names::CHECK_INFO, Values::What(view), 1.0);
        if view.state != CheckState::Unknown {
            add(&names::CHECK_UP, Values::NONE, truth(view.state == CheckState::Up));
        }
        if let Some(since) = view.since {
            add(&names::CHECK_STATE_SINCE, Values::NONE, unix(since));
        }
        let Some(last) = &view.last else { return };
        add(&names::CHECK_LAST_RUN, Values::NONE, unix(last.at));
        let failed: u64 = view.failures.values().sum();
        let [ok_word, failed_word] = &names::RESULTS;
        add(&names::CHECK_RUNS, word(ok_word), count(view.runs.saturating_sub(failed)));
        add(&names::CHECK_RUNS, word(failed_word), count(failed));
        self.failures(view, all_reasons);
        self.outcome(view, &last.outcome);
    }

    /// A counter that appears with 1 hides its first event from `increase()`, so every reason is there from the first run on, as
    /// long as that costs few series. Beyond that, `sidecar_check_runs_total{result="failed"}` still counts every failure.
    fn failures(&mut self, view: &'a CheckView, all_reasons: bool) {
        let check = Some(view.facts.name.as_str());
        for (reason, name) in Reason::ALL.iter().zip(REASONS.iter()) {
            match view.failures.get(reason) {
                None if !all_reasons => {}
                seen => {
                    let value = count(seen.copied().unwrap_or(0));
                    self.add(&names::CHECK_FAILURES, Row { check, values: word(name), value });
                }
            }
        }
    }

    fn outcome(&mut self, view: &'a CheckView, outcome: &'a Outcome) {
        let check = Some(view.facts.name.as_str());
        let mut add = |metric, value| self.add(metric, Row { check, values: Values::NONE, value });
        add(&names::PROBE_SUCCESS, truth(outcome.ok()));
        add(&names::PROBE_DURATION, outcome.took.as_secs_f64());
        add(&names::PROBE_TIMEOUT, view.facts.timeout.as_secs_f64());
        let exported = |reading: &&Reading| view.facts.peer || !reading.metric.is_of_the_peer_alone();
        for reading in outcome.readings.iter().filter(exported) {
            self.reading(check, reading);
        }
    }

    fn reexported(&mut self, check: &'a str, counts: &Counts) {
        let check = Some(check);
        let figure = |count: usize| u64::try_from(count).map_or(f64::NAN, self::count);
        self.add(&REEXPORTED, Row { check, values: Values::NONE, value: figure(counts.written) });
        for (why, left_out) in LEFT_OUT_WHY.iter().zip(counts.left_out) {
            self.add(&LEFT_OUT, Row { check, values: word(why), value: figure(left_out) });
        }
    }

    fn source(&mut self, view: &'a SourceView) {
        let up = match view.collected.as_deref() {
            None | Some(Collected::Absent(_)) => return,
            Some(Collected::Failed(_) | Collected::Partly(..)) => 0.0,
            Some(Collected::Readings(_) | Collected::Noted(..)) => 1.0,
        };
        self.plain(&names::SOURCE_UP, word(&view.name), up);
        for reading in view.collected.as_deref().map_or(&[][..], Collected::readings) {
            self.reading(None, reading);
        }
    }
}

/// The words of [`Reason::ALL`], kept so that rows can borrow them.
static REASONS: LazyLock<[&str; Reason::ALL.len()]> = LazyLock::new(|| Reason::ALL.map(Reason::as_str));

/// The label values of [`names::CHECK_INFO`].
fn what(view: &CheckView) -> [&str; 3] {
    [view.facts.kind, view.facts.role.as_str(), if view.facts.peer { "true" } else { "false" }]
}

fn word<'a>(word: &'a &'a str) -> Values<'a> {
    Values::Words(std::slice::from_ref(word))
}

const fn truth(value: bool) -> f64 {
    if value { 1.0 } else { 0.0 }
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53, which no counter of ours reaches")]
const fn count(value: u64) -> f64 {
    value as f64
}
