//! What the three databases share: how a connection is made (by name or by unix socket), how a wrong peer is named, and the family
//! `sidecar_database_*`, so that one rule and one panel serve them all. It knows no database's protocol.

use super::net::{self, Addresses};
use super::{Context, Fault, Reason, Target};
use crate::reading::Metric;
use std::net::SocketAddr;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;

/// A connection, whatever it runs over.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send + Sync {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send + Sync> Stream for S {}

/// A fresh connection and where it leads; a unix socket has no address.
pub(super) struct Dialed {
    pub(super) stream: Box<dyn Stream>,
    pub(super) address: Option<SocketAddr>,
}

/// Connects to a target, in phases `resolve` and `connect`. PostgreSQL's socket is a file in the directory that its URL names.
pub(super) async fn dial(cx: &mut Context<'_>, target: &Target, port: u16) -> Result<Dialed, Fault> {
    let port = target.port.unwrap_or(port);
    let Some(mut path) = target.socket() else {
        let connected = net::connect(cx, &target.host, port, Addresses::default()).await?;
        return Ok(Dialed { stream: Box::new(connected.stream), address: Some(connected.address) });
    };
    if target.scheme.starts_with("postgres") {
        path.push(format!(".s.PGSQL.{port}"));
    }
    cx.phase("connect");
    let connected = UnixStream::connect(&path).await;
    cx.end_phase();
    match connected {
        Ok(stream) => Ok(Dialed { stream: Box::new(stream), address: None }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let message = format!("no such socket: `{}`", path.display());
            Err(Fault::new(Reason::Refused, message).hint("is its directory mounted into this container?"))
        }
        Err(error) => Err(net::fault_of(&error, &format!("connect to `{}`", path.display()))),
    }
}

/// The fault of a peer that did not answer as `scheme` would: looks at what does answer, and says it when it is something else.
pub(super) async fn stranger(cx: &Context<'_>, address: Option<SocketAddr>, scheme: &str) -> Option<Fault> {
    let address = address?;
    let spoken = net::sniff(&cx.net.sniffed, address, cx.deadline).await?;
    other(&spoken, scheme, address)
}

/// The fault of a peer that speaks this, unless it is what the URL says.
pub(super) fn other(spoken: &net::Spoken, scheme: &str, address: SocketAddr) -> Option<Fault> {
    (!spoken.is_of(scheme)).then(|| spoken.instead_of(scheme, address))
}

/// Client connections.
pub(super) static CONNECTIONS: Metric = Metric::gauge(
    "sidecar_database_connections",
    "Client connections that the database server has open now, the agent's own among them",
);
/// Limit of client connections.
pub(super) static CONNECTIONS_MAX: Metric =
    Metric::gauge("sidecar_database_connections_max", "Client connections that the database server allows at most");
/// Time since the server started.
pub(super) static UPTIME: Metric =
    Metric::gauge("sidecar_database_uptime_seconds", "Seconds since the database server started");
/// Role.
pub(super) static IS_REPLICA: Metric = Metric::gauge(
    "sidecar_database_is_replica",
    "1 when the database server follows another one, 0 when it takes writes",
);
/// Distance of a replica.
pub(super) static REPLICATION_LAG: Metric = Metric::gauge(
    "sidecar_database_replication_lag_seconds",
    "Seconds by which a replica is behind its primary; absent on a primary and while replication is broken",
);
/// Link of a replica.
pub(super) static REPLICATION_UP: Metric = Metric::gauge(
    "sidecar_database_replication_up",
    "1 when a replica receives from its primary, 0 when the link is broken; absent on a primary",
);

pub(super) static MEMORY_USED: Metric =
    Metric::gauge("sidecar_database_memory_used_bytes", "Bytes that Redis has allocated for data and buffers");
pub(super) static MEMORY_MAX: Metric = Metric::gauge(
    "sidecar_database_memory_max_bytes",
    "Bytes that Redis may allocate (`maxmemory`); absent when there is no limit",
);
pub(super) static EVICTED_KEYS: Metric = Metric::counter(
    "sidecar_database_evicted_keys_total",
    "Keys that Redis removed since it started because memory was full",
);
pub(super) static PERSISTENCE_OK: Metric = Metric::gauge(
    "sidecar_database_persistence_ok",
    "1 when the last snapshot and the last write of the append-only file of Redis succeeded, 0 when one failed",
);

pub(super) static SIZE: Metric =
    Metric::gauge("sidecar_database_size_bytes", "Bytes that the database of the URL takes on disk, indexes included");
pub(super) static TABLES_MISSING: Metric = Metric::gauge(
    "sidecar_database_tables_missing",
    "Tables of `tables:` that the database does not have; absent when none are required",
);
pub(super) static SLOW_QUERIES: Metric = Metric::gauge(
    "sidecar_database_slow_queries",
    "Queries of other clients that have been running for longer than `slow_after` at this moment",
);
pub(super) static SLOW_QUERIES_TOTAL: Metric = Metric::counter(
    "sidecar_database_slow_queries_total",
    "Queries that took longer than MySQL's `long_query_time` since the server started",
);
pub(super) static QUERY_TIME: Metric = Metric::gauge(
    "sidecar_database_query_time_seconds",
    "Average seconds of a statement over the server's own statistics (`pg_stat_statements`, `performance_schema`), since their \
     last reset; absent without them",
);
pub(super) static LONGEST_TRANSACTION: Metric = Metric::gauge(
    "sidecar_database_longest_transaction_seconds",
    "Seconds that the oldest open transaction of another client has been open; 0 when there is none",
);
