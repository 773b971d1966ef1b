//! `mysql` and `mariadb`: log in and read, with fixed queries in a read-only session, what tells whether the database is well.
//! The driver does TLS itself, for MySQL switches to it in the middle of the login and the password depends on it.

use super::database::{
    CONNECTIONS, CONNECTIONS_MAX, Dialed, IS_REPLICA, LONGEST_TRANSACTION, QUERY_TIME, REPLICATION_LAG, REPLICATION_UP,
    SIZE as SIZE_ON_DISK, SLOW_QUERIES_TOTAL, Stream, TABLES_MISSING, UPTIME, dial, other, stranger,
};
use super::facts::{CACHE_HIT_RATIO, CONNECTIONS_USED_RATIO};
use super::sql::connection::{Connection, Failure, Inner, Row, driver_fault, number, too_much, unwound};
use super::sql::relay::{Framing, Relay};
use super::sql::tables::Table;
use super::sql::{self, Dialect, Lasting, Params, Plan, Security, measure, measure_connections, optional};
use super::{Context, Fault, Kind, Reason, clean, fields_of, net};
use crate::limits;
use crate::reading::Metric;
use crate::units::Span;
use sqlx::ConnectOptions as _;
use sqlx::mysql::{MySqlConnectOptions, MySqlDatabaseError, MySqlSslMode};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::pin::pin;
use tokio::io::AsyncReadExt as _;
use tokio::time::timeout;

/// The row of the table.
pub(super) static KIND: Kind = Kind {
    name: "mysql",
    schemes: &["mysql", "mariadb"],
    summary: "Logs in to MySQL or MariaDB over one kept connection and reads connections, cache hits, slow queries, replication, \
              tables and migration.",
    example: "- name: db\n  url: mysql://app:secret@db:3306/shop\n  tables: [users, orders]\n",
    keys: sql::KEYS,
    fields: fields_of::<Params>,
    facts: &[
        &UP,
        &CONNECTIONS,
        &CONNECTIONS_MAX,
        &CONNECTIONS_USED_RATIO,
        &CACHE_HIT_RATIO,
        &SLOW_QUERIES_TOTAL,
        &QUERY_TIME,
        &LONGEST_TRANSACTION,
        &UPTIME,
        &IS_REPLICA,
        &REPLICATION_UP,
        &REPLICATION_LAG,
        &SIZE_ON_DISK,
        &TABLES_MISSING,
    ],
    parsers: &[],
    slow: false,
    build: |target, own, problems| sql::build(Dialect::MySql, target, own, problems),
};

/// As the public exporter has it.
pub(super) static UP: Metric =
    Metric::gauge("mysql_up", "1 when the MySQL server let the agent in and answered, 0 when it did not");

/// Names and values of everything that any user may read.
pub(super) const SERVER: &str = "\
    SHOW GLOBAL STATUS WHERE Variable_name IN ('Threads_connected', 'Uptime', 'Slow_queries', 'Innodb_buffer_pool_reads', \
    'Innodb_buffer_pool_read_requests'); \
    SHOW GLOBAL VARIABLES WHERE Variable_name IN ('max_connections', 'version', 'lower_case_table_names')";

/// The size of the database of the URL, as far as this user may see its tables.
pub(super) const SIZE: &str =
    "SELECT sum(data_length + index_length) FROM information_schema.tables WHERE table_schema = database()";

/// Needs the privilege PROCESS.
const LONGEST: &str = "SELECT coalesce(max(timestampdiff(SECOND, trx_started, now())), 0) FROM information_schema.innodb_trx \
                       WHERE trx_mysql_thread_id <> connection_id()";

/// Picoseconds; no rows of use while `performance_schema` is off, as in MariaDB by default.
const QUERY_TIMES: &str = "SELECT sum(sum_timer_wait) / nullif(sum(count_star), 0) / 1e12 \
                           FROM performance_schema.events_statements_summary_global_by_event_name \
                           WHERE event_name LIKE 'statement/sql/%'";

/// As a replica sees itself, in one row: whether the link is up, and how far behind. Needs a privilege too.
const REPLICA: &str = "SHOW SLAVE STATUS";
const REPLICA_SINCE_8_4: &str = "SHOW REPLICA STATUS";

/// Writes down the figures of [`SERVER`], and those that need a query or a privilege of their own.
pub(super) async fn figures(cx: &mut Context<'_>, connection: &mut Connection, server: &[Row]) -> Result<(), Failure> {
    let named: HashMap<&str, &str> = server.iter().filter_map(pair).collect();
    let value = |name: &str| named.get(name).and_then(|text| text.parse::<f64>().ok());
    let version = named.get("version").copied().unwrap_or_default();
    let mariadb = version.contains("MariaDB");
    cx.note(
        "version",
        &format!("{} {}", if mariadb { "mariadb" } else { "mysql" }, version.split('-').next().unwrap_or_default()),
    );
    measure_connections(cx, value("Threads_connected"), value("max_connections"));
    let asked = value("Innodb_buffer_pool_read_requests").filter(|asked| *asked > 0.0);
    let hits = asked.zip(value("Innodb_buffer_pool_reads")).map(|(asked, read)| (1.0 - read / asked).clamp(0.0, 1.0));
    measure(cx, &[(&CACHE_HIT_RATIO, hits), (&UPTIME, value("Uptime")), (&SLOW_QUERIES_TOTAL, value("Slow_queries"))]);
    if let Some(rows) = optional(cx, connection, LONGEST, "longest_transaction").await? {
        measure(cx, &[(&LONGEST_TRANSACTION, number(&rows, 0))]);
    }
    if let Some(rows) = optional(cx, connection, QUERY_TIMES, "query_time").await? {
        measure(cx, &[(&QUERY_TIME, number(&rows, 0))]);
    }
    let old_words = mariadb || version.starts_with("5.") || version.starts_with("8.0");
    let replica = if old_words { REPLICA } else { REPLICA_SINCE_8_4 };
    if let Some(rows) = optional(cx, connection, replica, "replication").await? {
        replication(cx, &rows);
    }
    Ok(())
}

fn pair(row: &Row) -> Option<(&str, &str)> {
    Some((row.first()?.as_deref()?, row.get(1)?.as_deref()?))
}

/// The columns of the replica's status by place: MySQL and MariaDB agree on these since 5.0.
const IO_RUNNING: usize = 10;
const SQL_RUNNING: usize = 11;
const SECONDS_BEHIND: usize = 32;

fn replication(cx: &mut Context<'_>, rows: &[Row]) {
    let column = |at: usize| rows.first().and_then(|row| row.get(at)?.as_deref());
    let running = [IO_RUNNING, SQL_RUNNING].iter().all(|at| column(*at) == Some("Yes"));
    let replica = !rows.is_empty();
    let lag = column(SECONDS_BEHIND).and_then(|seconds| seconds.parse().ok()).filter(|_| running);
    let flag = |on: bool| f64::from(u8::from(on));
    measure(
        cx,
        &[
            (&IS_REPLICA, Some(flag(replica))),
            (&REPLICATION_UP, replica.then(|| flag(running))),
            (&REPLICATION_LAG, lag),
        ],
    );
}

/// The families of the public exporter, asked for beside the peer only.
#[expect(clippy::unused_async, reason = "its queries follow")]
pub(super) async fn families(
    _cx: &mut Context<'_>,
    _connection: &mut Connection,
    _server: &[Row],
    _lasting: &mut Lasting,
) -> Result<(), Failure> {
    Ok(())
}

/// The query that finds out which of these tables exist: their names, and how the server compares them.
pub(super) fn find(tables: &[Table]) -> String {
    let one = |table: &Table| {
        let schema = table.schema.as_ref().map_or("database()".to_owned(), |schema| format!("'{schema}'"));
        format!("(table_schema = {schema} AND table_name = '{}')", table.name)
    };
    let conditions: Vec<String> = tables.iter().map(one).collect();
    format!(
        "SELECT table_name, table_schema = database(), table_schema, @@lower_case_table_names FROM information_schema.tables WHERE {}",
        conditions.join(" OR ")
    )
}

/// The tables that [`find`] did not find. Names differ by case only where the server's files do.
pub(super) fn missing<'a>(rows: &[Row], tables: &'a [Table]) -> Vec<&'a Table> {
    let same = |row: &Row, wanted: &str, at: usize| {
        let folded = row.get(3).and_then(Option::as_deref) != Some("0");
        row.get(at)
            .and_then(Option::as_deref)
            .is_some_and(|name| name == wanted || folded && name.eq_ignore_ascii_case(wanted))
    };
    let is = |row: &Row, table: &Table| {
        let schema = table.schema.as_deref().map_or_else(|| same(row, "1", 1), |schema| same(row, schema, 2));
        schema && same(row, &table.name, 0)
    };
    tables.iter().filter(|table| !rows.iter().any(|row| is(row, table))).collect()
}

/// Connects and logs in, in phases `resolve`, `connect` and `login`, TLS included.
pub(super) async fn open(cx: &mut Context<'_>, plan: &Plan) -> Result<Connection, Fault> {
    let Dialed { mut stream, address } = dial(cx, &plan.target, 3306).await?;
    cx.phase("login");
    let greeting = greeting(cx, &mut stream, address, plan).await?;
    let internal = |error: std::io::Error| Fault::new(Reason::Internal, format!("no relay socket: {error}"));
    let relay = Relay::start(stream, greeting, Framing::Opaque, "").map_err(internal)?;
    let logged_in = unwound(options(plan, &relay.socket).connect()).await;
    let connection =
        logged_in.map_err(|error| if relay.was_cut() { too_much() } else { fault_of(&error, "the login") })?;
    let mut connection = Connection::new(Inner::MySql(connection), relay);
    let milliseconds = cx.left().as_millis().max(1);
    // Each of the two knows only its own word for the limit of a statement's time; the other's is an error that means nothing.
    let guards = [
        "SET SESSION TRANSACTION READ ONLY".to_owned(),
        "SET SESSION lock_wait_timeout = 1, innodb_lock_wait_timeout = 1".to_owned(),
        format!("SET SESSION max_execution_time = {milliseconds}"),
        format!("SET SESSION max_statement_time = {}.{:03}", milliseconds / 1000, milliseconds % 1000),
    ];
    for guard in guards {
        match connection.rows(&guard, cx.left()).await {
            Err(failure) if failure.gone => return Err(failure.fault),
            _ => {}
        }
    }
    Ok(connection)
}

/// The first bytes of the server: MySQL speaks first, and whoever says something else, or nothing, is named.
async fn greeting(
    cx: &Context<'_>,
    stream: &mut Box<dyn Stream>,
    address: Option<SocketAddr>,
    plan: &Plan,
) -> Result<Vec<u8>, Fault> {
    let mut first = vec![0; limits::FIRST_BYTES];
    let share = cx.left().mul_f64(0.7);
    let scheme = &plan.target.scheme;
    let said = {
        let mut said = pin!(timeout(share, stream.read(&mut first)));
        match timeout(limits::GREETING_PATIENCE, &mut said).await {
            Ok(said) => said,
            // A server of HTTP waits for us as we do for it. A sound one that is slow to greet goes on being waited for: each
            // look at it costs it a handshake that is broken off, so it gets one look a minute.
            Err(_silent) => tokio::select! {
                biased;
                said = &mut said => said,
                Some(fault) = stranger(cx, address, scheme) => return Err(fault),
            },
        }
    };
    let fault = match said {
        Ok(Ok(length)) if length > 0 => {
            first.truncate(length);
            let named = net::classify(&first).zip(address).and_then(|(spoken, at)| other(&spoken, scheme, at));
            return named.map_or(Ok(first), Err);
        }
        Ok(Ok(_)) => net::fault_of(&std::io::ErrorKind::UnexpectedEof.into(), "read the server's greeting"),
        Ok(Err(error)) => net::fault_of(&error, "read the server's greeting"),
        Err(_elapsed) => Fault::new(Reason::Timeout, format!("connected, and no greeting within {}", Span(share))),
    };
    Err(stranger(cx, address, scheme).await.unwrap_or(fault))
}

fn options(plan: &Plan, socket: &str) -> MySqlConnectOptions {
    let (target, tls) = (&plan.target, &plan.tls_config);
    let mode = match plan.security {
        Security::Off => MySqlSslMode::Disabled,
        Security::Preferred => MySqlSslMode::Preferred,
        Security::Required => MySqlSslMode::Required,
        Security::Verified => MySqlSslMode::VerifyIdentity,
    };
    // The host is only the name that the certificate must have: the way there is the relay's socket.
    let mut options = MySqlConnectOptions::new()
        .socket(socket)
        .host(tls.server_name.as_deref().unwrap_or(&target.host))
        .ssl_mode(mode)
        // What the driver would like to set at the start needs an answer and gains nothing here.
        .pipes_as_concat(false)
        .no_engine_substitution(false)
        .timezone(None)
        .set_names(false)
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
    options = tls.ca_file.as_ref().map_or(options.clone(), |file| options.ssl_ca(file));
    match (&tls.cert_file, &tls.key_file) {
        (Some(cert), Some(key)) => options.ssl_client_cert(cert).ssl_client_key(key),
        _ => options,
    }
}

/// The fault of an error, by the server's own number (MySQL's and MariaDB's error reference).
pub(super) fn fault_of(error: &sqlx::Error, doing: &str) -> Fault {
    let sqlx::Error::Database(database) = error else { return driver_fault(error, doing) };
    let number = database.try_downcast_ref::<MySqlDatabaseError>().map_or(0, MySqlDatabaseError::number);
    let (reason, hint) = match number {
        1045 | 1251 | 1275 | 1524 | 1698 | 1862 | 2059 => {
            (Reason::Auth, "compare user, password and host of the account with the URL")
        }
        1044 | 1130 | 1142 | 1143 | 1227 => (Reason::Auth, "grant this user, from this host, what the message names"),
        1049 => (Reason::Schema, "create the database, or correct the path of the URL"),
        1046 => (Reason::Schema, "name the database in the URL's path"),
        1054 | 1146 => (Reason::Schema, "run the migrations"),
        1040 | 1203 | 1226 => {
            (Reason::Saturated, "raise `max_connections`, or find who does not give connections back")
        }
        1129 => {
            (Reason::Saturated, "the server counted too many broken connections: `FLUSH HOSTS` lets this host in again")
        }
        1021 | 1037 | 1038 | 1041 => (Reason::Saturated, "look at the server's memory and disk"),
        1053 | 1927 => (Reason::Status, "it is stopping: look at its log"),
        1205 | 1969 | 3024 => (Reason::Timeout, "the server is too busy, or a lock is held: see SHOW PROCESSLIST"),
        _ => (Reason::Body, "the server's log may say more"),
    };
    Fault::new(reason, format!("the server refused {doing}: {}", clean(database.message()))).hint(hint)
}
