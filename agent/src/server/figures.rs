//! Looks up figures of the snapshot by metric name, and arranges those of C1: pools, system, process. Pure.

use super::parts::whole;
use super::reply::Ordered;
use crate::collectors::{Collected, facts as host};
use crate::probes::facts as probed;
use crate::reading::Reading;
use crate::snapshot::Snapshot;
use serde::Serialize;

pub(super) const CPU_USED: &str = host::CPU_USED_RATIO.name;
pub(super) const CPU_THROTTLED: &str = host::CPU_THROTTLED_RATIO.name;
pub(super) const MEMORY_USED: &str = host::MEMORY_USED_RATIO.name;
pub(super) const FDS_USED: &str = host::FDS_USED_RATIO.name;
pub(super) const DISK_FREE: &str = host::DISK_FREE_RATIO.name;
pub(super) const CONNECTIONS_USED: &str = probed::CONNECTIONS_USED_RATIO.name;
// Of collectors that keep their metrics to themselves; a test holds these names against the table of all metrics.
const PEER_THREADS: &str = "sidecar_peer_process_threads";
const PEER_CONNECTIONS: &str = "sidecar_peer_connections";
const PEER_RESIDENT: &str = "sidecar_peer_process_resident_memory_bytes";
const PEER_FDS: &str = "sidecar_peer_process_open_fds";
const OWN_THREADS: &str = "process_threads";
const OWN_RESIDENT: &str = "process_resident_memory_bytes";
const OWN_FDS: &str = "process_open_fds";

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
    pub(super) threads: Option<u64>,
    pub(super) connections: Option<u64>,
    pub(super) memory_bytes: Option<u64>,
    pub(super) fds: Option<u64>,
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

/// The first reading of a metric, as a whole number.
fn value(snapshot: &Snapshot, name: &str) -> Option<u64> {
    sources(snapshot).find(|reading| reading.metric.name == name).and_then(|reading| whole(reading.value))
}

/// The figures of the machine and the peer's container.
pub(super) fn system(snapshot: &Snapshot) -> System<'_> {
    let used = |name| {
        Ordered(by_label(snapshot, name).into_iter().map(|(scope, used_ratio)| (scope, Used { used_ratio })).collect())
    };
    let free = by_label(snapshot, DISK_FREE).into_iter();
    System {
        cpu: used(CPU_USED),
        memory: used(MEMORY_USED),
        disk: Ordered(free.map(|(mount, free_ratio)| (mount, Free { free_ratio })).collect()),
    }
}

/// The peer's process, when it is visible.
pub(super) fn peer_process(snapshot: &Snapshot) -> Process {
    Process {
        threads: value(snapshot, PEER_THREADS),
        connections: value(snapshot, PEER_CONNECTIONS),
        memory_bytes: value(snapshot, PEER_RESIDENT),
        fds: value(snapshot, PEER_FDS),
    }
}

/// This agent's own process.
pub(super) fn own_process(snapshot: &Snapshot) -> Process {
    Process {
        threads: value(snapshot, OWN_THREADS),
        connections: None,
        memory_bytes: value(snapshot, OWN_RESIDENT),
        fds: value(snapshot, OWN_FDS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::sample;

    #[test]
    fn what_is_looked_up_is_what_is_measured() {
        for name in [PEER_THREADS, PEER_CONNECTIONS, PEER_RESIDENT, PEER_FDS, OWN_THREADS, OWN_RESIDENT, OWN_FDS] {
            assert!(crate::metrics::table().iter().any(|metric| metric.name == name), "{name}");
        }
    }

    #[test]
    fn what_was_not_measured_is_null() {
        let snapshot = sample::before_the_first_run();
        assert_eq!(peer_process(&snapshot), Process::default());
        assert_eq!(serde_json::to_string(&system(&snapshot)).unwrap(), r#"{"cpu":{},"memory":{},"disk":{}}"#);
    }
}
