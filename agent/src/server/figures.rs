//! Looks up figures of the snapshot by metric name, and arranges those of C1: pools, system, process. Pure.

use super::reply::Ordered;
use crate::collectors::Collected;
use crate::reading::Reading;
use crate::snapshot::{CheckView, Snapshot};
use serde::Serialize;

/// The connections of a pool, as the peer itself reports them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Pool {
    pub(super) size: Option<f64>,
    pub(super) checked_in: Option<f64>,
    pub(super) checked_out: Option<f64>,
}

/// Use of CPU, memory and disk by scope; empty where nothing was measured.
#[derive(Serialize)]
pub(super) struct System<'a> {
    cpu: Ordered<&'a str, Used>,
    memory: Ordered<&'a str, Used>,
    disk: Ordered<&'a str, Free>,
}

#[derive(Serialize)]
struct Used {
    used_ratio: f64,
}

#[derive(Serialize)]
struct Free {
    free_ratio: f64,
}

/// A process; what could not be measured is `null`.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(super) struct Process {
    pub(super) threads: Option<f64>,
    pub(super) connections: Option<f64>,
    #[serde(rename = "memory")]
    pub(super) memory_bytes: Option<f64>,
    pub(super) fds: Option<f64>,
}

/// All readings of the sources.
pub(super) fn sources(snapshot: &Snapshot) -> impl Iterator<Item = &Reading> {
    snapshot.sources.iter().flat_map(|source| source.collected.as_deref().map_or(&[][..], Collected::readings))
}

/// The readings of one metric by the value of their first label.
pub(super) fn by_label<'a>(snapshot: &'a Snapshot, name: &str) -> Vec<(&'a str, f64)> {
    let of_metric = sources(snapshot).filter(|reading| reading.metric.name == name);
    of_metric.filter_map(|reading| Some((reading.labels.first()?.as_str(), reading.value))).collect()
}

/// The first reading of a metric with this label value among its labels.
fn value(snapshot: &Snapshot, name: &str, label: Option<&str>) -> Option<f64> {
    let fits = |reading: &&Reading| {
        reading.metric.name == name && label.is_none_or(|label| reading.labels.iter().any(|value| value == label))
    };
    sources(snapshot).find(fits).map(|reading| reading.value)
}

/// The figures of the machine and the peer's container.
pub(super) fn system(snapshot: &Snapshot) -> System<'_> {
    let used = |name| {
        Ordered(by_label(snapshot, name).into_iter().map(|(scope, used_ratio)| (scope, Used { used_ratio })).collect())
    };
    let free = by_label(snapshot, "sidecar_disk_free_ratio").into_iter();
    System {
        cpu: used("sidecar_cpu_used_ratio"),
        memory: used("sidecar_memory_used_ratio"),
        disk: Ordered(free.map(|(mount, free_ratio)| (mount, Free { free_ratio })).collect()),
    }
}

/// The peer's process, when it is visible.
pub(super) fn peer_process(snapshot: &Snapshot) -> Process {
    Process {
        threads: value(snapshot, "namedprocess_namegroup_num_threads", None),
        connections: value(snapshot, "sidecar_peer_connections", None),
        memory_bytes: value(snapshot, "namedprocess_namegroup_memory_bytes", Some("resident")),
        fds: value(snapshot, "namedprocess_namegroup_open_filedesc", None),
    }
}

/// This agent's own process.
pub(super) fn own_process(snapshot: &Snapshot) -> Process {
    Process {
        threads: value(snapshot, "process_threads", None),
        connections: None,
        memory_bytes: value(snapshot, "process_resident_memory_bytes", None),
        fds: value(snapshot, "process_open_fds", None),
    }
}

/// The pool of the service that a check watches: the one that any check reports under this check's name, else the first that this
/// check itself reports under a name that is no check's.
pub(super) fn pool(snapshot: &Snapshot, check: &CheckView) -> Option<Pool> {
    let name = check.facts.name.as_str();
    if let Some(pool) = snapshot.checks.iter().find_map(|other| pool_of(other, name)) {
        return Some(pool);
    }
    let stray = |service: &&str| snapshot.check(service).is_none();
    let service = readings(check).filter(|reading| reading.metric.name.starts_with("sidecar_pool_"));
    let service = service.filter_map(|reading| reading.labels.first()).map(String::as_str).find(stray)?;
    pool_of(check, service)
}

fn pool_of(check: &CheckView, service: &str) -> Option<Pool> {
    let figure = |name: &str| {
        let fits =
            |reading: &&Reading| reading.metric.name == name && reading.labels.first().is_some_and(|s| s == service);
        readings(check).find(fits).map(|reading| reading.value)
    };
    let pool = Pool {
        size: figure("sidecar_pool_size"),
        checked_in: figure("sidecar_pool_checked_in"),
        checked_out: figure("sidecar_pool_checked_out"),
    };
    let known = pool.size.or(pool.checked_in).or(pool.checked_out).is_some();
    known.then_some(pool)
}

fn readings(check: &CheckView) -> impl Iterator<Item = &Reading> {
    check.last.iter().flat_map(|last| &last.outcome.readings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::sample;

    #[test]
    fn a_pool_goes_to_the_check_of_its_name() {
        let snapshot = sample::full();
        let expected = Some(Pool { size: Some(20.0), checked_in: Some(17.0), checked_out: Some(3.0) });
        assert_eq!(pool(&snapshot, snapshot.check("database").unwrap()), expected);
        assert_eq!(pool(&snapshot, snapshot.check("backend").unwrap()), None);
    }

    #[test]
    fn a_pool_of_no_check_stays_with_the_one_that_reports_it() {
        let snapshot = sample::healthy();
        assert_eq!(pool(&snapshot, snapshot.check("backend").unwrap()).unwrap().size, Some(20.0));
        assert_eq!(pool(&snapshot, snapshot.check("public-site").unwrap()), None);
    }

    #[test]
    fn what_was_not_measured_is_null() {
        let snapshot = sample::before_the_first_run();
        assert_eq!(peer_process(&snapshot), Process::default());
        assert_eq!(serde_json::to_string(&system(&snapshot)).unwrap(), r#"{"cpu":{},"memory":{},"disk":{}}"#);
    }
}
