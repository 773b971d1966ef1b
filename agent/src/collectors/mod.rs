//! Collectors: one file a source, one row a source in [`SOURCES`]. A collector reads files under roots that are passed in, needs
//! no root rights and runs no command. Leaves, like probes. "Nothing to report" is not a failure.

mod cgroup;
pub mod facts;
mod files;
mod host;
mod itself;
pub mod listening;
mod members;
mod namegroups;
mod node;
mod pid;
mod pod;
mod process;
#[cfg(test)]
mod testing;
mod volumes;

pub use listening::Listener;

use crate::parser::Parser;
use crate::reading::{Metric, Reading};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// Where the kernel's files are found; tests pass fixture trees.
#[derive(Clone, Debug)]
pub struct Roots {
    /// `/proc`.
    pub proc: PathBuf,
    /// `/sys/fs/cgroup`.
    pub cgroup: PathBuf,
    /// `/sys`.
    pub sys: PathBuf,
    /// The root of the host's file systems, where it is mounted into this container; `/` otherwise.
    pub root: PathBuf,
}

impl Roots {
    /// Where a running system has them.
    #[must_use]
    pub fn of_system() -> Self {
        Self { proc: "/proc".into(), cgroup: "/sys/fs/cgroup".into(), sys: "/sys".into(), root: "/".into() }
    }
}

/// What the collectors are told about the peer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PeerPlan {
    /// The peer's cgroup by name (`cgroup_parent` of its service, with or without `.slice`), or an absolute path of the directory.
    pub cgroup: Option<String>,
    /// The peer's process: its command name as in `/proc/<pid>/comm`. PID 1 of a shared PID namespace when not given.
    pub process: Option<String>,
    /// The container's memory limit in bytes as told (downward API), where no cgroup can be read or the cgroup has none.
    pub memory_limit: Option<u64>,
    /// The cores that the container may use, likewise.
    pub cpu_limit: Option<f64>,
    /// Paths of volumes whose free space is watched, as mounted here.
    pub volumes: Vec<PathBuf>,
    /// How the source `node` is read.
    pub node: NodePlan,
    /// What the container is called, for the labels that cAdvisor and the kubelet give.
    pub labels: PeerLabels,
}

/// What the configuration says of the source `node`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodePlan {
    /// The parts that are switched on or off by name; the others are as by default.
    pub switches: Vec<(&'static str, bool)>,
    /// Time between two looks, when it is not the usual one.
    pub interval: Option<Duration>,
}

/// The names of the parts of the source `node`, and whether each is on by default.
pub fn node_parts() -> impl Iterator<Item = (&'static str, bool)> {
    node::parts()
}

/// What the peer's container is called, as told by the configuration or the downward API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerLabels {
    /// The container's name in its pod, or its service's.
    pub container: Option<String>,
    /// The pod.
    pub pod: Option<String>,
    /// The pod's namespace.
    pub namespace: Option<String>,
    /// The image that it runs.
    pub image: Option<String>,
}

/// The time of a collection.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Monotonic.
    pub now: Instant,
    /// Wall time.
    pub wall: SystemTime,
}

/// What one collection gave.
#[derive(Clone, Debug, PartialEq)]
pub enum Collected {
    /// Values.
    Readings(Vec<Reading>),
    /// Values, and what is to be known of where they are from, for people who may see addresses.
    Noted(Vec<Reading>, String),
    /// Some values, and why the others are missing, for people.
    Partly(Vec<Reading>, String),
    /// There is nothing to read here, and that is no failure: why, for people.
    Absent(String),
    /// Reading failed: why, for people.
    Failed(String),
}

impl Collected {
    /// The values, also of a collection that is not whole.
    #[must_use]
    pub fn readings(&self) -> &[Reading] {
        match self {
            Self::Readings(readings) | Self::Noted(readings, _) | Self::Partly(readings, _) => readings,
            Self::Absent(_) | Self::Failed(_) => &[],
        }
    }
}

/// A source of readings. It may keep the figures of the time before, to make rates and ratios.
pub trait Collector: Send {
    /// Reads once. Runs on a thread of its own: it may block, and is marked failed when it takes too long.
    fn collect(&mut self, at: Moment) -> Collected;

    /// Whether it wants to be read now. One that has a pace of its own is asked at every collection and says no to most.
    fn is_due(&self, _now: Instant) -> bool {
        true
    }
}

/// A row of the table.
pub struct Source {
    /// The name, also the label value of `sidecar_source_up`.
    pub name: &'static str,
    /// One sentence for operators.
    pub summary: &'static str,
    /// Whether it runs unless configured otherwise.
    pub default_on: bool,
    /// What it can measure.
    pub facts: &'static [&'static Metric],
    /// What it reads of files that others write to, for fuzz targets and their corpora.
    pub parsers: &'static [Parser],
    /// Makes it.
    pub build: fn(&Roots, &PeerPlan) -> Box<dyn Collector>,
}

/// All sources. A new collector is one file and one row here.
pub static SOURCES: &[&Source] = &[
    &host::SOURCE,
    &node::SOURCE,
    &volumes::SOURCE,
    &cgroup::SOURCE,
    &process::SOURCE,
    &namegroups::SOURCE,
    &pod::SOURCE,
    &itself::SOURCE,
];
