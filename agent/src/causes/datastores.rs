//! Causes that lie in a datastore's state: connections, pools, memory and replication. They are read from what a check's last runs
//! measured, and from the detail of its fault; no message is ever taken apart.

use super::past::{CheckPast, Past};
use super::resources::{percent, size, time};
use super::{Find, Found, Kind, settled};
use crate::limits;
use crate::probes::{Detail, Fault};
use crate::snapshot::{CheckView, Snapshot};
use crate::units::Span;
use std::time::{Duration, SystemTime};

const REDIS: &str = "redis";
const SQL: [&str; 2] = ["postgres", "mysql"];

pub(super) static CONNECTIONS_NEAR_LIMIT: Kind = Kind {
    name: "connections_near_limit",
    summary: "80 % or more of the connections that a database or Redis allows are in use; stands until fewer than 72 % are",
    fix: "find the client that holds them (`pg_stat_activity`, `SHOW PROCESSLIST`, `CLIENT LIST`), make its pool smaller, or raise the limit",
    find: Find::InHistory(connections_near_limit),
};

pub(super) static CONNECTIONS_EXHAUSTED: Kind = Kind {
    name: "connections_exhausted",
    summary: "a server refuses connections because it has too many, or nginx dropped some at `worker_connections` within a minute",
    fix: "find the client that holds them and restart it, make the pools smaller than the limit together, or raise the limit",
    find: Find::InHistory(connections_exhausted),
};

pub(super) static POOL_STARVED: Kind = Kind {
    name: "pool_starved",
    summary: "by its own health page all connections of a service's pool were checked out three times in a row, while the database has \
              less than half of its own in use; stands until fewer than 80 % are",
    fix: "find what keeps connections checked out (a transaction around a slow call, a connection that is never returned), or make the \
          pool larger: the database has room",
    find: Find::OverTime(pool_starved),
};

pub(super) static REDIS_READ_ONLY: Kind = Kind {
    name: "redis_read_only",
    summary: "Redis refuses writes, or became a replica; of the peer itself the latter is news for ten minutes",
    fix: "point the URL at the primary; if it cannot write its snapshot (MISCONF), make room on its disk",
    find: Find::InHistory(redis_read_only_at),
};

pub(super) static REDIS_LOADING: Kind = Kind {
    name: "redis_loading",
    summary: "Redis reads its data from disk after a start and serves nobody yet",
    fix: "wait: it serves by itself when that is done; if it starts again and again, look for a kill for want of memory",
    find: Find::InCheck(|check| {
        failed(check, |detail| *detail == Detail::Loading).filter(|_| check.facts.kind == REDIS)
    }),
};

pub(super) static REDIS_OUT_OF_MEMORY: Kind = Kind {
    name: "redis_out_of_memory",
    summary: "Redis has used up `maxmemory` and refuses writes, or would: it is full and its policy evicts nothing",
    fix: "raise `maxmemory`, let keys expire, or choose a `maxmemory-policy` that evicts",
    find: Find::InHistory(redis_out_of_memory),
};

pub(super) static REPLICATION_BEHIND: Kind = Kind {
    name: "replication_behind",
    summary: "a replica is 30 s or more behind its primary, or one of PostgreSQL has 256 MiB of WAL still to replay; stands until it is \
              below nine tenths of that",
    fix: "look for a long transaction or a slow disk on the replica, and at the network between them",
    find: Find::InHistory(replication_behind),
};

pub(super) static REPLICATION_BROKEN: Kind = Kind {
    name: "replication_broken",
    summary: "a replica receives nothing from its primary, two runs in a row, or refuses to serve for that reason",
    fix: "is the primary up, and reachable from the replica, and its replication user's password right? the replica's log names it",
    find: Find::InHistory(replication_broken),
};

/// The fault of a check whose failure is settled, when its detail is such.
fn failed(check: &CheckView, is: impl Fn(&Detail) -> bool) -> Option<Found> {
    settled(check).filter(|fault| fault.detail.as_ref().is_some_and(is)).map(told)
}

/// A fault's own words.
pub(super) fn told(fault: &Fault) -> Found {
    Found { evidence: fault.message.clone(), fix: fault.hint.clone(), ..Found::default() }
}

fn connections_near_limit(_: &CheckView, past: &CheckPast, _: SystemTime) -> Option<Found> {
    let figures = &past.figures;
    let share = figures.value("sidecar_connections_used_ratio")?;
    (share >= limits::CONNECTIONS_NEAR_FROM * limits::CAUSE_KEPT).then(|| {
        let (open, most) =
            (figures.value("sidecar_database_connections"), figures.value("sidecar_database_connections_max"));
        let figures = open.zip(most).map_or(String::new(), |(open, most)| format!("{open} of {most}, "));
        Found {
            evidence: format!("{figures}{} of the connections that it allows are in use", percent(share)),
            keeps: share < limits::CONNECTIONS_NEAR_FROM,
            ..Found::default()
        }
    })
}

fn connections_exhausted(check: &CheckView, past: &CheckPast, now: SystemTime) -> Option<Found> {
    let refused = failed(check, |detail| *detail == Detail::TooManyConnections);
    let dropped = past.dropped_at.filter(|at| now.duration_since(*at).is_ok_and(|age| age <= limits::DROPPED_MEMORY));
    refused.or_else(|| {
        let at = time(dropped?);
        Some(Found {
            evidence: format!("it took connections and dropped them at its limit, the last time seen at {at}"),
            fix: Some("raise `worker_connections`, and `worker_rlimit_nofile` with it".to_owned()),
            ..Found::default()
        })
    })
}

fn pool_starved(snapshot: &Snapshot, past: &Past) -> Vec<Found> {
    let mut found = Vec::new();
    for (index, check) in snapshot.checks.iter().enumerate() {
        let Some(own) = past.check(index) else { continue };
        let starved = own.full_pools.iter().filter(|pool| pool.runs >= limits::POOL_FULL_RUNS);
        let named = starved.filter_map(|pool| {
            let (database, open, most) = idle_database(snapshot, past, check, &pool.service)?;
            let out = own.figures.labelled("sidecar_pool_checked_out", &pool.service)?;
            let whole = own.figures.labelled("sidecar_pool_size", &pool.service)?;
            let name = if pool.service.is_empty() { String::new() } else { format!(" `{}`", pool.service) };
            Some(Found {
                subject: Some(check.facts.name.clone()),
                evidence: format!(
                    "its pool{name} has {out} of {whole} connections checked out since {}, while {database} has {open} of {most} in use",
                    time(pool.since)
                ),
                since: Some(pool.since),
                ..Found::default()
            })
        });
        found.extend(named.take(1));
    }
    found
}

/// The database behind a pool, when it has room: the check of the pool's name, else one that the service depends on, else any.
fn idle_database<'a>(
    snapshot: &'a Snapshot,
    past: &Past,
    owner: &CheckView,
    service: &str,
) -> Option<(&'a str, f64, f64)> {
    let kinds: &[&str] = if service.contains(REDIS) || service.contains("cache") { &[REDIS] } else { &SQL };
    let all = snapshot.checks.iter().enumerate().filter(|(_, check)| kinds.contains(&check.facts.kind));
    let rank = |check: &CheckView| match &check.facts.name {
        name if name == service => 0,
        name if owner.facts.depends_on.contains(name) => 1,
        _ => 2,
    };
    let (index, check) = all.min_by_key(|(_, check)| rank(check))?;
    let figures = &past.check(index)?.figures;
    let open = figures.value("sidecar_database_connections")?;
    let most = figures.value("sidecar_database_connections_max").filter(|most| *most > 0.0)?;
    (open / most < limits::DATABASE_IDLE_BELOW).then_some((check.facts.name.as_str(), open, most))
}

fn redis_read_only_at(check: &CheckView, past: &CheckPast, now: SystemTime) -> Option<Found> {
    if check.facts.kind != REDIS {
        return None;
    }
    let refused = failed(check, |detail| *detail == Detail::ReadOnly);
    let turned = past.turned_at.filter(|at| {
        // After a failover the old primary is a replica for good, and well; who depends on it still writes to the wrong one.
        !check.facts.peer || now.duration_since(*at).is_ok_and(|age| age <= limits::CAUSE_MEMORY)
    });
    refused.or_else(|| {
        let at = turned?;
        let evidence = format!("it became a replica at {} and takes no writes", time(at));
        Some(Found { evidence, since: Some(at), ..Found::default() })
    })
}

fn redis_out_of_memory(check: &CheckView, past: &CheckPast, _: SystemTime) -> Option<Found> {
    if check.facts.kind != REDIS {
        return None;
    }
    let refused = failed(check, |detail| *detail == Detail::OutOfMemory);
    refused.or_else(|| {
        let used = past.figures.value("sidecar_database_memory_used_bytes")?;
        let most = past.figures.value("sidecar_database_memory_max_bytes").filter(|most| *most > 0.0)?;
        let policy = check.last.as_ref()?.outcome.note("maxmemory_policy")?;
        (used >= most * limits::CAUSE_KEPT && policy == "noeviction").then(|| Found {
            evidence: format!(
                "memory {} of {} (`maxmemory`), and its policy `noeviction` makes no room",
                size(used),
                size(most)
            ),
            keeps: used < most,
            ..Found::default()
        })
    })
}

fn replication_behind(_: &CheckView, past: &CheckPast, _: SystemTime) -> Option<Found> {
    let figures = &past.figures;
    let most = limits::REPLICA_BEHIND_FROM.as_secs_f64();
    let late =
        figures.value("sidecar_database_replication_lag_seconds").filter(|lag| *lag >= most * limits::CAUSE_KEPT);
    if let Some(lag) = late {
        let span = Span(Duration::try_from_secs_f64(lag.round()).unwrap_or_default());
        let evidence =
            format!("it is {span} behind its primary, at most {} expected", Span(limits::REPLICA_BEHIND_FROM));
        return Some(Found { evidence, keeps: lag < most, ..Found::default() });
    }
    let behind = figures.all("pg_stat_replication_pg_wal_lsn_diff");
    let (labels, bytes) = behind.max_by(|(_, one), (_, other)| one.total_cmp(other))?;
    (bytes >= limits::REPLICA_BEHIND_BYTES * limits::CAUSE_KEPT).then(|| Found {
        evidence: format!(
            "its replica `{}` has {} of WAL still to replay",
            labels.first().map_or("", String::as_str),
            size(bytes)
        ),
        keeps: bytes < limits::REPLICA_BEHIND_BYTES,
        ..Found::default()
    })
}

fn replication_broken(check: &CheckView, past: &CheckPast, _: SystemTime) -> Option<Found> {
    failed(check, |detail| *detail == Detail::ReplicationBroken).or_else(|| {
        (past.link_down >= limits::LINK_DOWN_RUNS).then(|| Found {
            evidence: "it is a replica, and receives nothing from its primary".to_owned(),
            ..Found::default()
        })
    })
}
