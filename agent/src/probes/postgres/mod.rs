//! `postgres` and `postgresql`: log in and read, with fixed queries in read-only transactions, what tells whether the database is
//! well. TLS is ours (the relay sees plain messages and can cap them), so certificates are described as for every other probe.

mod family;
mod relations;
mod replication;
mod sessions;
#[cfg(test)]
mod tests;
mod whole;

use super::database::{
    CONNECTIONS, CONNECTIONS_MAX, Dialed, IS_REPLICA, LONGEST_TRANSACTION, QUERY_TIME, REPLICATION_LAG, REPLICATION_UP,
    SIZE as SIZE_ON_DISK, SLOW_QUERIES, Stream, TABLES_MISSING, UPTIME, dial, other, stranger,
};
use super::facts::{CACHE_HIT_RATIO, CONNECTIONS_USED_RATIO};
use super::sql::connection::{Connection, Failure, Inner, Row, driver_fault, first, number, too_much, unwound};
use super::sql::relay::{self, Framing, Relay};
use super::sql::tables::Table;
use super::sql::{self, Dialect, Lasting, Params, Plan, Security, measure, measure_connections, optional};
use super::{Context, Detail, Fault, Kind, Reason, clean, fields_of, net};
use crate::limits;
use crate::parser::Parser;
use crate::reading::Metric;
use crate::units::Span;
use family::Family;
use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

/// The row of the table.
pub(super) static KIND: Kind = Kind {
    name: "postgres",
    schemes: &["postgres", "postgresql"],
    summary: "Logs in to PostgreSQL over one kept connection and reads connections, cache hits, slow queries, replication, tables \
              and migration.",
    example: "- name: db\n  url: postgresql://app:secret@db:5432/shop\n  tables: [users, orders]\n",
    keys: sql::KEYS,
    fields: fields_of::<Params>,
    facts: &FACTS,
    parsers: &[
        Parser { name: "postgres_messages", read: relay::walk },
        Parser { name: "postgres_rows", read: |bytes| family::read(bytes, &FAMILIES) },
    ],
    slow: false,
    build: |target, own, problems| sql::build(Dialect::Postgres, target, own, problems),
};

static OWN: [&Metric; 15] = [
    &UP,
    &LAST_SCRAPE_ERROR,
    &CONNECTIONS,
    &CONNECTIONS_MAX,
    &CONNECTIONS_USED_RATIO,
    &CACHE_HIT_RATIO,
    &SLOW_QUERIES,
    &QUERY_TIME,
    &LONGEST_TRANSACTION,
    &UPTIME,
    &IS_REPLICA,
    &REPLICATION_UP,
    &REPLICATION_LAG,
    &SIZE_ON_DISK,
    &TABLES_MISSING,
];

/// The families of the public exporter, in the order in which they are asked for.
static FAMILIES: [&Family; 20] = [
    &whole::WHOLE,
    &whole::BGWRITER,
    &whole::CHECKPOINTER,
    &sessions::SESSIONS,
    &sessions::DATABASES,
    &sessions::LOCKS,
    &sessions::IDLING,
    &replication::SLOTS,
    &replication::FOLLOWERS,
    &replication::RECEIVERS,
    &relations::TABLES,
    &relations::INDEXES,
    &relations::VACUUMS,
    &whole::WAL,
    &whole::STATEMENTS,
    &whole::SETTINGS,
    &whole::ROLES,
    &whole::VERSION,
    &sessions::SIZES,
    &relations::SIZES,
];

static FACTS: [&Metric; family::count(&OWN, &FAMILIES)] = family::joined(&OWN, &FAMILIES);

static LAST_SCRAPE_ERROR: Metric = Metric::gauge(
    "pg_exporter_last_scrape_error",
    "1 when a part of the server's figures could not be read for another cause than a missing right",
);

/// As the public exporter has it.
pub(super) static UP: Metric =
    Metric::gauge("pg_up", "1 when the PostgreSQL server let the agent in and answered, 0 when it did not");

/// The size of the database of the URL.
pub(super) const SIZE: &str = "SELECT pg_database_size(current_database())::text";

/// Average time of a statement; `false` spares the server reading the texts of all statements from disk.
const QUERY_TIMES: &str =
    "SELECT (sum(total_exec_time) / nullif(sum(calls), 0) / 1000)::text FROM pg_stat_statements(false)";

/// One row with everything that any user may read; what only members of `pg_read_all_stats` may see is NULL for others. The functions
/// behind `pg_stat_activity` spare the server two joins, and wait for no lock on its catalogue of users.
pub(super) fn server(plan: &Plan) -> String {
    let slow = plan.slow_after.as_millis();
    format!(
        "SELECT current_setting('server_version'), d.backends, current_setting('max_connections'), d.hits, \
         extract(epoch FROM clock_timestamp() - pg_postmaster_start_time()), pg_is_in_recovery()::text, \
         (SELECT count(pid) FROM pg_stat_get_wal_receiver()), \
         CASE WHEN pg_is_in_recovery() AND pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN '0' \
              WHEN pg_is_in_recovery() THEN extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::text END, \
         CASE WHEN r.sees THEN a.slow END, CASE WHEN r.sees THEN a.oldest END, \
         (to_regprocedure('pg_stat_statements(boolean)') IS NOT NULL)::text \
         FROM (SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS sees) r, \
         (SELECT sum(numbackends) AS backends, sum(blks_hit) / nullif(sum(blks_hit) + sum(blks_read), 0) AS hits \
          FROM pg_stat_database) d, \
         (SELECT count(*) FILTER (WHERE state = 'active' AND clock_timestamp() - query_start > interval '{slow} milliseconds') AS slow, \
          coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0) AS oldest FROM pg_stat_get_activity(NULL) \
          WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()) a"
    )
}

/// A query with its guards, as one message and so one transaction of its own: nothing is left behind on a pooled connection.
pub(super) fn guarded(query: &str, left: Duration) -> String {
    let statement = left.as_millis().max(1);
    let lock = left.min(limits::SQL_LOCK_TIMEOUT).as_millis().max(1);
    format!(
        "SET TRANSACTION READ ONLY; SET LOCAL statement_timeout = {statement}; SET LOCAL lock_timeout = {lock}; {query}"
    )
}

/// Writes down the figures of [`server`], and those that need a query of their own.
pub(super) async fn figures(cx: &mut Context<'_>, connection: &mut Connection, server: &[Row]) -> Result<(), Failure> {
    let version = first(server, 0).unwrap_or_default();
    cx.note("version", &format!("postgresql {}", version.split(' ').next().unwrap_or_default()));
    measure_connections(cx, number(server, 1), number(server, 2));
    let replica = first(server, 5) == Some("true");
    let receiving = number(server, 6).is_some_and(|receivers| receivers > 0.0);
    let found = [
        (&CACHE_HIT_RATIO, number(server, 3)),
        (&UPTIME, number(server, 4)),
        (&IS_REPLICA, Some(f64::from(u8::from(replica)))),
        (&REPLICATION_UP, replica.then(|| f64::from(u8::from(receiving)))),
        (&REPLICATION_LAG, number(server, 7).filter(|_| receiving).map(|lag| lag.max(0.0))),
        (&SLOW_QUERIES, number(server, 8)),
        (&LONGEST_TRANSACTION, number(server, 9).map(|age| age.max(0.0))),
    ];
    measure(cx, &found.map(|(metric, value)| (metric as &'static _, value)));
    if number(server, 8).is_none() {
        cx.note("statistics", "other users' queries are hidden: `GRANT pg_monitor TO` this user shows slow ones");
    }
    if first(server, 10) == Some("true")
        && let Some(rows) = optional(cx, connection, QUERY_TIMES, "query_time").await?
    {
        measure(cx, &[(&QUERY_TIME, number(&rows, 0))]);
    }
    Ok(())
}

/// Asks for the families of the public exporter, beside the peer only.
pub(super) async fn families(
    cx: &mut Context<'_>,
    connection: &mut Connection,
    server: &[Row],
    lasting: &mut Lasting,
) -> Result<(), Failure> {
    let version = first(server, 0).and_then(|text| text.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok());
    let server = family::Server {
        version: version.unwrap_or_default(),
        replica: first(server, 5) == Some("true"),
        statements: first(server, 10) == Some("true"),
    };
    let failed = family::gather(cx, connection, server, lasting, &FAMILIES).await?;
    cx.measure_all([LAST_SCRAPE_ERROR.is(f64::from(u8::from(failed)))]);
    Ok(())
}

/// The query that finds out which of these tables exist: one row each, in order. A name counts as written, and folded to lower case.
pub(super) fn find(tables: &[Table]) -> String {
    let value = |table: &Table| {
        let exact = match &table.schema {
            Some(schema) => format!("\"{schema}\".\"{}\"", table.name),
            None => format!("\"{}\"", table.name),
        };
        let folded = exact.to_lowercase();
        let folded = if folded == exact { "NULL::regclass".to_owned() } else { format!("to_regclass('{folded}')") };
        format!("(to_regclass('{exact}'), {folded})")
    };
    let values: Vec<String> = tables.iter().map(value).collect();
    format!(
        "SELECT EXISTS (SELECT 1 FROM pg_class WHERE oid IN (t.a, t.b) AND relkind IN ('r', 'p', 'v', 'm', 'f'))::text \
         FROM (VALUES {}) AS t(a, b)",
        values.join(", ")
    )
}

/// The tables that [`find`] did not find.
pub(super) fn missing<'a>(rows: &[Row], tables: &'a [Table]) -> Vec<&'a Table> {
    let found = |row: Option<&Row>| row.and_then(|row| row.first()?.as_deref()) == Some("true");
    tables.iter().enumerate().filter(|(at, _)| !found(rows.get(*at))).map(|(_, table)| table).collect()
}

/// Connects and logs in, in phases `resolve`, `connect`, `tls` and `login`.
pub(super) async fn open(cx: &mut Context<'_>, plan: &Plan) -> Result<Connection, Fault> {
    let Dialed { stream, address } = dial(cx, &plan.target, 5432).await?;
    let stream = secured(cx, stream, address, plan).await?;
    cx.phase("login");
    let internal = |error: std::io::Error| Fault::new(Reason::Internal, format!("no relay socket: {error}"));
    let relay = Relay::start(stream, Vec::new(), Framing::Postgres, "/.s.PGSQL.5432").map_err(internal)?;
    let options = options(plan, &relay.socket);
    let share = cx.left().mul_f64(0.7);
    let error = match timeout(share, unwound(options.connect())).await {
        Ok(Ok(connection)) => return Ok(Connection::new(Inner::Postgres(connection), relay)),
        Ok(Err(sqlx::Error::Database(error))) => return Err(fault_of(&sqlx::Error::Database(error), "the login")),
        Ok(Err(error)) => fault_of(&error, "the login"),
        Err(_elapsed) => {
            Fault::new(Reason::Timeout, format!("connected, and no answer to the login within {}", Span(share)))
        }
    };
    let heard = relay.first();
    let named = net::classify(&heard).zip(address).and_then(|(spoken, at)| other(&spoken, &plan.target.scheme, at));
    Err(match named {
        Some(named) => named,
        None if heard.is_empty() => stranger(cx, address, &plan.target.scheme).await.unwrap_or(error),
        None if relay.was_cut() => too_much(),
        None => error,
    })
}

fn options(plan: &Plan, socket: &str) -> PgConnectOptions {
    let target = &plan.target;
    let mut options = PgConnectOptions::new_without_pgpass()
        .socket(socket)
        .port(5432)
        .ssl_mode(PgSslMode::Disable)
        .application_name(limits::CLIENT_NAME)
        // PgBouncer refuses start-up parameters that it does not know.
        .extra_float_digits(None)
        .disable_statement_logging();
    if !target.user.is_empty() {
        options = options.username(&target.user);
    }
    if let Some(password) = &target.password {
        options = options.password(password.expose());
    }
    if !target.database().is_empty() {
        options = options.database(&target.database());
    }
    options.options(settings(&target.param(&["options"]).unwrap_or_default()))
}

/// The `-c name=value` pairs of the URL's `options`, so that `search_path` is the application's.
fn settings(written: &str) -> Vec<(String, String)> {
    let words = written.split_whitespace().map(|word| word.trim_start_matches("-c").trim_start_matches('-'));
    words.filter_map(|word| word.split_once('=')).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// PostgreSQL's request for TLS, length first: the server answers `S` or `N`.
const SSL_REQUEST: &[u8] = &[0, 0, 0, 8, 4, 210, 22, 47];

async fn secured(
    cx: &mut Context<'_>,
    mut stream: Box<dyn Stream>,
    address: Option<SocketAddr>,
    plan: &Plan,
) -> Result<Box<dyn Stream>, Fault> {
    if plan.security == Security::Off {
        return Ok(stream);
    }
    cx.phase("tls");
    let mut first = [0; limits::FIRST_BYTES];
    let share = cx.left().mul_f64(0.7);
    let asking = async {
        stream.write_all(SSL_REQUEST).await?;
        stream.read(&mut first).await
    };
    let ended = timeout(share, asking).await;
    let heard = first.get(..*ended.as_ref().ok().and_then(|read| read.as_ref().ok()).unwrap_or(&0)).unwrap_or_default();
    let scheme = &plan.target.scheme;
    match (heard, ended) {
        // One byte and nothing behind it: a greeting of MySQL may begin with either letter.
        (b"S", _) => {
            let stream = net::handshake(cx, stream, &plan.target.host, &plan.tls).await?;
            Ok(Box::new(stream))
        }
        (b"N", _) if plan.security == Security::Preferred => {
            cx.end_phase();
            Ok(stream)
        }
        (b"N", _) => Err(Fault::new(Reason::Tls, "the server has no TLS, and the URL or `tls_config` wants it")
            .exactly(Detail::TlsMissing)
            .hint("switch `ssl` on in postgresql.conf, or write `?sslmode=disable`")),
        ([], ended) => {
            let fault = match ended {
                Ok(Err(error)) => net::fault_of(&error, "ask for TLS"),
                Ok(Ok(_)) => net::fault_of(&std::io::ErrorKind::UnexpectedEof.into(), "ask for TLS"),
                Err(_elapsed) => {
                    Fault::new(Reason::Timeout, format!("connected, and no answer within {}", Span(share)))
                        .exactly(Detail::NoAnswer)
                }
            };
            Err(stranger(cx, address, scheme).await.unwrap_or(fault))
        }
        (heard, _) => {
            let named = net::classify(heard).zip(address).and_then(|(spoken, at)| other(&spoken, scheme, at));
            Err(named.unwrap_or_else(|| Fault::new(Reason::ProtocolMismatch, "what answers is no PostgreSQL")))
        }
    }
}

/// The fault of an error. The five letters are SQLSTATE codes (PostgreSQL documentation, appendix A).
/// A server that is starting, stopping or recovering works and says that it is in no state to serve: `status`.
pub(super) fn fault_of(error: &sqlx::Error, doing: &str) -> Fault {
    let sqlx::Error::Database(database) = error else { return driver_fault(error, doing) };
    let (code, text) = (database.code().unwrap_or_default(), database.message());
    let pooler_is_full =
        text.contains("no more connections") || text.contains("too many") || text.contains("pool_size");
    let (reason, hint) = match &*code {
        "28P01" | "28000" => {
            (Reason::Auth, "compare user and password of the URL with the server's, and its pg_hba.conf")
        }
        "42501" => (Reason::Auth, "grant this user what the message names"),
        "3D000" => (Reason::Schema, "create the database, or correct the path of the URL"),
        "3F000" | "42P01" | "42703" => (Reason::Schema, "run the migrations"),
        "53300" => (Reason::Saturated, "raise `max_connections`, or find who does not give connections back"),
        _ if code.starts_with("53") => (Reason::Saturated, "look at the server's memory and disk"),
        "08P01" if pooler_is_full => (Reason::Saturated, "the pooler is full: raise its limits"),
        "57P03" | "57P01" | "57P02" | "57P05" => {
            (Reason::Status, "it is starting, stopping or recovering: look at its log")
        }
        "57014" | "55P03" => (Reason::Timeout, "the server is too busy, or a lock is held: see pg_stat_activity"),
        _ => (Reason::Body, "the server's log may say more"),
    };
    let fault = Fault::new(reason, format!("the server refused {doing}: {}", clean(text))).hint(hint);
    Fault { detail: exactly(&code, reason), ..fault }
}

/// What a code says exactly.
fn exactly(code: &str, reason: Reason) -> Option<Detail> {
    Some(match code {
        "28P01" | "28000" => Detail::LoginRefused,
        "42501" => Detail::PermissionMissing,
        "3D000" => Detail::DatabaseMissing,
        "3F000" | "42P01" | "42703" => Detail::TableMissing,
        "53300" | "08P01" if reason == Reason::Saturated => Detail::TooManyConnections,
        "25006" => Detail::ReadOnly,
        "53200" => Detail::OutOfMemory,
        "57P03" | "57P01" | "57P02" | "57P05" => Detail::NotReady,
        "57014" | "55P03" => Detail::TooSlow,
        _ => return None,
    })
}
