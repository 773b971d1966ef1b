//! The closed table of figures: what is read from a sidecar's page, how, and from when on it is a bottleneck. A new figure is a
//! row here. Names are those of the agent's REFERENCE.

use super::source::Source;
use crate::units::Unit;

/// A row of the table.
pub struct Figure {
    /// The word in a target: `backend.cpu`.
    pub name: &'static str,
    /// What it is, for the reference.
    pub summary: &'static str,
    /// What a sentence says of it, after the service's name: `backend` was …. `{}` is the figure.
    pub words: &'static str,
    /// Its unit; times are in microseconds, as everywhere in targets.
    pub unit: Unit,
    /// Where it is read from; the first source that a page has counts.
    pub sources: &'static [Source],
    /// What a target over a longer time takes of it.
    pub take: Take,
    /// From this value on the service is at its limit there; none for a figure that can only change.
    pub saturated: Option<f64>,
    /// The least change against the calm time that counts as one.
    pub step: f64,
    /// What the figure tells of its service.
    pub kind: Kind,
    /// Figures beside which this one says nothing more of its service.
    pub unless: &'static [&'static str],
    /// Every sidecar is expected to tell it, so that a target without a service's name covers all of them.
    pub everywhere: bool,
}

/// What a target without `over` takes of a figure's course.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Take {
    /// The mean over the judged time.
    Mean,
    /// The highest value in the judged time.
    Highest,
}

/// What a figure tells of its service; the order is that of conviction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It ended, was killed or is down.
    Event,
    /// It has used up something of its own.
    Resource,
    /// Its work takes longer, whatever the reason.
    Work,
    /// It waits for something that may be another's fault.
    Waiting,
    /// The machine that it shares with others.
    Machine,
}

impl std::fmt::Debug for Figure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Figure {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

const PEER: &[(&str, &str)] = &[("scope", "peer")];
const HOST: &[(&str, &str)] = &[("scope", "host")];
const MICROS: f64 = 1e6;

/// The rows, in the order of the reference.
pub const FIGURES: &[Figure] = &[
    Figure {
        take: Take::Mean,
        everywhere: true,
        unless: &["cpu_throttled"],
        ..resource(
            "cpu",
            "CPU time used, as a share of the container's quota, or of the machine's cores without one",
            "used {} of its CPU",
            &[Source::Gauge("sidecar_cpu_used_ratio", PEER)],
            0.9,
        )
    },
    Figure {
        take: Take::Mean,
        step: 0.05,
        ..resource(
            "cpu_throttled",
            "scheduling periods in which the container's quota held it back",
            "was CPU-throttled in {} of periods",
            &[Source::Gauge("sidecar_cpu_throttled_ratio", PEER)],
            0.1,
        )
    },
    Figure {
        take: Take::Mean,
        unless: &["cpu_throttled", "cpu"],
        ..resource(
            "cpu_pressure",
            "share of the time in which some task of the container waited for a CPU (cgroup v2)",
            "waited for CPU in {} of the time",
            &[Source::Gauge("sidecar_peer_pressure_ratio", &[("resource", "cpu")])],
            0.4,
        )
    },
    Figure {
        everywhere: true,
        unless: &["oom_kills"],
        ..resource(
            "memory",
            "memory that cannot be reclaimed, as a share of the container's limit, or of the machine's memory",
            "used {} of its memory",
            &[Source::Gauge("sidecar_memory_used_ratio", PEER)],
            0.9,
        )
    },
    Figure {
        take: Take::Mean,
        step: 0.05,
        ..resource(
            "memory_pressure",
            "share of the time in which some task of the container waited for memory (cgroup v2)",
            "waited for memory in {} of the time",
            &[Source::Gauge("sidecar_peer_pressure_ratio", &[("resource", "memory")])],
            0.1,
        )
    },
    Figure {
        take: Take::Mean,
        ..resource(
            "io_pressure",
            "share of the time in which some task of the container waited for a disk (cgroup v2)",
            "waited for its disk in {} of the time",
            &[Source::Gauge("sidecar_peer_pressure_ratio", &[("resource", "io")])],
            0.3,
        )
    },
    Figure {
        step: 0.01,
        ..resource(
            "disk",
            "the fullest file system of the service",
            "filled its disk to {}",
            &[Source::Used("sidecar_disk_free_ratio")],
            0.95,
        )
    },
    Figure {
        step: 0.01,
        ..resource(
            "inodes",
            "inodes used on the file system of the service that has the fewest left",
            "used {} of its disk's inodes",
            &[Source::Used("sidecar_disk_inodes_free_ratio")],
            0.95,
        )
    },
    resource(
        "fds",
        "open file descriptors, as a share of the limit",
        "used {} of its file descriptors",
        &[Source::Gauge("sidecar_fds_used_ratio", PEER)],
        0.9,
    ),
    resource(
        "processes",
        "processes and threads of the container, as a share of its limit",
        "used {} of the processes that it may have",
        &[Source::Gauge("sidecar_pids_used_ratio", PEER)],
        0.9,
    ),
    Figure {
        kind: Kind::Waiting,
        ..resource(
            "connections_used",
            "connections of a database server, as a share of its limit",
            "had {} of its connections in use",
            &[Source::OfPeer("sidecar_connections_used_ratio")],
            0.9,
        )
    },
    Figure {
        kind: Kind::Waiting,
        ..resource(
            "pool",
            "connections in use of the service's own pool, as its health answer tells",
            "had {} of its connection pool in use",
            &[Source::OfPeer("sidecar_pool_used_ratio")],
            0.95,
        )
    },
    Figure {
        unit: Unit::Time,
        take: Take::Mean,
        step: 20_000.0,
        saturated: None,
        ..work(
            "query",
            "average time of a database's statements, or of Redis' commands, between two looks at its statistics",
            "took {} for a query on average",
            &[
                Source::Quotient("pg_stat_statements_seconds_total", "pg_stat_statements_calls_total", MICROS),
                Source::Quotient(
                    "mysql_perf_schema_events_statements_sum_timer_wait",
                    "mysql_perf_schema_events_statements_sum_total",
                    MICROS,
                ),
                Source::Quotient("redis_commands_duration_seconds_total", "redis_commands_total", MICROS),
                Source::Scaled("sidecar_database_query_time_seconds", MICROS),
            ],
        )
    },
    Figure {
        step: 1.0,
        ..work(
            "slow_queries",
            "queries that run longer than the sidecar's `slow_after` at this moment",
            "had {} slow queries running",
            &[Source::OfPeer("sidecar_database_slow_queries")],
        )
    },
    Figure {
        unit: Unit::Time,
        step: 1e6,
        saturated: Some(5e6),
        ..work(
            "transaction",
            "age of the oldest open transaction",
            "had a transaction open for {}",
            &[Source::Scaled("sidecar_database_longest_transaction_seconds", MICROS)],
        )
    },
    Figure {
        kind: Kind::Waiting,
        take: Take::Mean,
        step: 0.3,
        unless: &["restarts", "oom_kills"],
        ..resource(
            "failing",
            "looks of the sidecar at its service that failed, as they came; `down` tells it later, and surely",
            "failed {} of its sidecar's looks",
            &[Source::PeerLost("probe_success")],
            0.5,
        )
    },
    Figure {
        kind: Kind::Waiting,
        unless: &["restarts", "oom_kills", "failing"],
        ..event(
            "down",
            "1 while the sidecar's check of its service fails",
            "was down",
            &[Source::PeerLost("sidecar_check_up")],
        )
    },
    Figure {
        unless: &["oom_kills"],
        ..event(
            "restarts",
            "times the container was replaced by a new one since the calm time began",
            "was restarted",
            &[Source::Rise("sidecar_peer_restarts_total")],
        )
    },
    event(
        "oom_kills",
        "processes of the container killed for want of memory since the calm time began",
        "was killed for want of memory",
        &[Source::Rise("sidecar_peer_oom_kills_total")],
    ),
    Figure {
        kind: Kind::Machine,
        take: Take::Mean,
        ..resource(
            "host_cpu",
            "CPU time used on the machine, where the sidecar watches it",
            "runs on a machine that used {} of its CPU",
            &[Source::Gauge("sidecar_cpu_used_ratio", HOST)],
            0.95,
        )
    },
    Figure {
        kind: Kind::Machine,
        ..resource(
            "host_memory",
            "memory used on the machine, where the sidecar watches it",
            "runs on a machine that used {} of its memory",
            &[Source::Gauge("sidecar_memory_used_ratio", HOST)],
            0.95,
        )
    },
];

/// A share of something that can run out.
const fn resource(
    name: &'static str,
    summary: &'static str,
    words: &'static str,
    sources: &'static [Source],
    saturated: f64,
) -> Figure {
    Figure {
        name,
        summary,
        words,
        unit: Unit::Share,
        sources,
        take: Take::Highest,
        saturated: Some(saturated),
        step: 0.1,
        kind: Kind::Resource,
        unless: &[],
        everywhere: false,
    }
}

const fn work(name: &'static str, summary: &'static str, words: &'static str, sources: &'static [Source]) -> Figure {
    Figure {
        name,
        summary,
        words,
        unit: Unit::Count,
        sources,
        take: Take::Highest,
        saturated: Some(1.0),
        step: 1.0,
        kind: Kind::Work,
        unless: &[],
        everywhere: false,
    }
}

const fn event(name: &'static str, summary: &'static str, words: &'static str, sources: &'static [Source]) -> Figure {
    Figure {
        name,
        summary,
        words,
        unit: Unit::Count,
        sources,
        take: Take::Highest,
        saturated: Some(1.0),
        step: 1.0,
        kind: Kind::Event,
        unless: &[],
        everywhere: false,
    }
}

/// Tells which checks are the peer's own.
pub(super) const CHECK_INFO: &str = "sidecar_check_info";
/// What the agent itself names.
pub(super) const CAUSES: &str = "sidecar_cause_active";
/// Moves on when the container's figures were taken anew.
pub(super) const SEEN: &str = "container_last_seen";
/// Moves on when a check ran anew.
pub(super) const RAN: &str = "sidecar_check_last_run_timestamp_seconds";

/// The row of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Figure> {
    FIGURES.iter().find(|row| row.name == name)
}

/// Every family that is kept of a page.
pub(super) fn wanted() -> Vec<&'static str> {
    let of_rows = FIGURES.iter().flat_map(|row| row.sources).flat_map(|source| source.families());
    let mut wanted: Vec<&str> = of_rows.chain([CHECK_INFO, CAUSES, SEEN, RAN]).collect();
    wanted.sort_unstable();
    wanted.dedup();
    wanted
}
