//! What services say of their own parts, and the entry of `services` that each belongs to: that of the check of its name, or one of
//! its own, marked with who said it. Pure. What must stay true: what a service says is never shown as what a check found.

use crate::probes::facts::{PART_HEALTHY, PART_RESPONSE_TIME, POOL_IN, POOL_OUT, POOL_SIZE};
use crate::reading::{Metric, Reading};
use crate::snapshot::{CheckView, Snapshot};
use serde::Serialize;

/// The connections of a pool, as the service itself reports them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Pool {
    pub(super) size: Option<u64>,
    pub(super) checked_in: Option<u64>,
    pub(super) checked_out: Option<u64>,
}

/// A part, as the service behind a check reports it. What it does not say is absent.
#[derive(Debug, Serialize)]
pub(super) struct Part<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) healthy: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) response_time_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pool: Option<Pool>,
    /// The name of the check whose answer says it.
    pub(super) reported_by: &'a str,
}

/// A part under the name of its entry.
pub(super) struct Placed<'a> {
    /// Its name; behind that of the check that reports it where several report one of this name.
    pub(super) name: String,
    pub(super) part: Part<'a>,
    /// Whether a check has this name, so that what is said belongs into the check's entry.
    pub(super) checked: bool,
}

/// All parts, those of the peer first, then in the order of the configuration.
pub(super) fn placed(snapshot: &Snapshot) -> Vec<Placed<'_>> {
    let mut placed: Vec<Placed<'_>> = Vec::new();
    let peer_first = snapshot.checks.iter().filter(|check| check.facts.peer);
    for by in peer_first.chain(snapshot.checks.iter().filter(|check| !check.facts.peer)) {
        for label in labels(by) {
            let mut name = label.to_owned();
            if placed.iter().any(|other| other.name == name) {
                name = format!("{}.{label}", by.facts.name);
            }
            let checked = snapshot.check(&name).is_some();
            placed.push(Placed { name, part: part(by, label), checked });
        }
    }
    placed
}

/// The pool of the service itself, where its answer has one that is no part's.
pub(super) fn own_pool(check: &CheckView) -> Option<Pool> {
    pool(check, "")
}

/// The names of the parts that a check's answer tells of.
fn labels(check: &CheckView) -> Vec<&str> {
    let of = [&PART_HEALTHY, &PART_RESPONSE_TIME, &POOL_SIZE, &POOL_IN, &POOL_OUT];
    let mut labels = Vec::new();
    for reading in check.readings().iter().filter(|reading| of.iter().any(|metric| metric.name == reading.metric.name))
    {
        let label = reading.labels.first().map(String::as_str).unwrap_or_default();
        if !label.is_empty() && !labels.contains(&label) {
            labels.push(label);
        }
    }
    labels
}

fn part<'a>(by: &'a CheckView, label: &str) -> Part<'a> {
    Part {
        healthy: value(by, &PART_HEALTHY, label).map(|healthy| healthy > 0.0),
        response_time_ms: value(by, &PART_RESPONSE_TIME, label).map(|seconds| (seconds * 1e6).round() / 1e3),
        pool: pool(by, label),
        reported_by: &by.facts.name,
    }
}

fn pool(check: &CheckView, label: &str) -> Option<Pool> {
    let figure = |metric| value(check, metric, label).and_then(whole);
    let pool = Pool { size: figure(&POOL_SIZE), checked_in: figure(&POOL_IN), checked_out: figure(&POOL_OUT) };
    let known = pool.size.or(pool.checked_in).or(pool.checked_out).is_some();
    known.then_some(pool)
}

fn value(check: &CheckView, metric: &Metric, label: &str) -> Option<f64> {
    let fits = |reading: &&Reading| {
        reading.metric.name == metric.name && reading.labels.first().is_some_and(|first| first == label)
    };
    check.readings().iter().find(fits).map(|reading| reading.value)
}

/// A count or a size; what a service reports as NaN or below zero is not known.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be positive; saturates")]
pub(super) fn whole(value: f64) -> Option<u64> {
    (value >= 0.0).then_some(value.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::sample;

    fn lines(snapshot: &Snapshot) -> String {
        let line = |Placed { name, part, checked }: &Placed<'_>| {
            let whose = if *checked { "of the check" } else { "on its own" };
            format!("{name} {whose} {}", serde_json::to_string(part).unwrap())
        };
        placed(snapshot).iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_part_goes_to_the_check_of_its_name_or_stands_alone() {
        insta::assert_snapshot!(lines(&sample::full()), @r#"
        database of the check {"healthy":true,"response_time_ms":1.3,"pool":{"size":20,"checked_in":17,"checked_out":3},"reported_by":"backend"}
        search on its own {"healthy":true,"reported_by":"backend"}
        "#);
        insta::assert_snapshot!(lines(&sample::healthy()), @r#"
        database on its own {"healthy":true,"response_time_ms":1.3,"pool":{"size":20,"checked_in":17,"checked_out":3},"reported_by":"backend"}
        search on its own {"healthy":true,"reported_by":"backend"}
        "#);
    }

    #[test]
    fn of_two_services_with_a_part_of_one_name_the_peer_has_the_plain_name() {
        let mut snapshot = sample::healthy();
        let mut other = snapshot.checks[0].clone();
        let facts = crate::snapshot::CheckFacts { name: "auth".to_owned(), peer: false, ..(*other.facts).clone() };
        other.facts = std::sync::Arc::new(facts);
        snapshot.checks.insert(0, other);
        let names: Vec<_> = placed(&snapshot).iter().map(|p| format!("{} {}", p.name, p.part.reported_by)).collect();
        assert_eq!(names, ["database backend", "search backend", "auth.database auth", "auth.search auth"]);
    }

    #[test]
    fn a_pool_without_a_figure_is_none() {
        let snapshot = sample::healthy();
        assert_eq!(own_pool(&snapshot.checks[0]), None);
        assert_eq!([whole(f64::NAN), whole(-1.0), whole(2.6)], [None, None, Some(3)]);
    }
}
