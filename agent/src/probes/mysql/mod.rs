//! `mysql` and `mariadb`: log in and read, with fixed queries in a read-only session, what tells whether the database is well, and beside
//! a peer the families of its public exporter. The protocol is in `wire`, `packets`, `password`, `login` and `session`.

mod families;
mod login;
mod packets;
mod password;
mod session;
#[cfg(test)]
mod tests;
mod wire;

pub(in crate::probes) use login::{fault_of, open};
pub(in crate::probes) use session::Session;
pub(in crate::probes) use wire::Trouble;

use super::database::{
    CONNECTIONS, CONNECTIONS_MAX, IS_REPLICA, LONGEST_TRANSACTION, QUERY_TIME, REPLICATION_LAG, REPLICATION_UP,
    SIZE as SIZE_ON_DISK, SLOW_QUERIES_TOTAL, TABLES_MISSING, UPTIME,
};
use super::facts::{CACHE_HIT_RATIO, CONNECTIONS_USED_RATIO};
use super::sql::connection::{Connection, Failure, Row, number};
use super::sql::tables::Table;
use super::sql::{self, Dialect, Lasting, Params, measure, measure_connections, optional};
use super::{Context, Kind, fields_of};
use crate::parser::{Parser, at_once};
use crate::reading::Metric;
use families::replica;
use std::collections::HashMap;

/// The row of the table.
pub(in crate::probes) static KIND: Kind = Kind {
    name: "mysql",
    schemes: &["mysql", "mariadb"],
    summary: "Logs in to MySQL or MariaDB over one kept connection and reads connections, cache hits, slow queries, replication, \
              tables and migration.",
    example: "- name: db\n  url: mysql://app:secret@db:3306/shop\n  tables: [users, orders]\n",
    keys: sql::KEYS,
    fields: fields_of::<Params>,
    facts: &families::FACTS,
    parsers: PARSERS,
    slow: false,
    build: |target, own, problems| sql::build(Dialect::MySql, target, own, problems),
};

/// What reads the server's bytes: the greeting, a login, an answer, and what is made of an answer.
static PARSERS: &[Parser] = &[
    Parser { name: "mysql_greeting", read: |bytes| drop(packets::Greeting::read(bytes)) },
    Parser { name: "mysql_login", read: |bytes| at_once(login::replay(bytes)) },
    Parser { name: "mysql_result", read: |bytes| drop(at_once(session::replay(bytes))) },
    Parser {
        name: "mysql_figures",
        read: |bytes| families::replay(&at_once(session::replay(bytes)).unwrap_or_default()),
    },
];

/// What the probe measures itself.
const FIGURES: &[&Metric] = &[
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
];

/// As the public exporter has it.
pub(in crate::probes) static UP: Metric =
    Metric::gauge("mysql_up", "1 when the MySQL server let the agent in and answered, 0 when it did not");

/// Names and values of everything that any user may read.
pub(in crate::probes) const SERVER: &str = "\
    SHOW GLOBAL STATUS WHERE Variable_name IN ('Threads_connected', 'Uptime', 'Slow_queries', 'Innodb_buffer_pool_reads', \
    'Innodb_buffer_pool_read_requests'); \
    SHOW GLOBAL VARIABLES WHERE Variable_name IN ('max_connections', 'version', 'lower_case_table_names')";

/// The size of the database of the URL, as far as this user may see its tables.
pub(in crate::probes) const SIZE: &str =
    "SELECT sum(data_length + index_length) FROM information_schema.tables WHERE table_schema = database()";

/// Needs the privilege PROCESS.
const LONGEST: &str = "SELECT coalesce(max(timestampdiff(SECOND, trx_started, now())), 0) FROM information_schema.innodb_trx \
                       WHERE trx_mysql_thread_id <> connection_id()";

/// Picoseconds; no rows of use while `performance_schema` is off, as in MariaDB by default.
const QUERY_TIMES: &str = "SELECT sum(sum_timer_wait) / nullif(sum(count_star), 0) / 1e12 \
                           FROM performance_schema.events_statements_summary_global_by_event_name \
                           WHERE event_name LIKE 'statement/sql/%'";

/// Writes down the figures of [`SERVER`], and those that need a query or a privilege of their own.
pub(in crate::probes) async fn figures(
    cx: &mut Context<'_>,
    connection: &mut Connection,
    server: &[Row],
) -> Result<(), Failure> {
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
    replication(cx, connection, version).await
}

fn pair(row: &Row) -> Option<(&str, &str)> {
    Some((row.first()?.as_deref()?, row.get(1)?.as_deref()?))
}

/// As a replica sees itself: whether its links are up, and how far behind it is. Needs a privilege.
async fn replication(cx: &mut Context<'_>, connection: &mut Connection, version: &str) -> Result<(), Failure> {
    let Some(session) = connection.mysql() else { return Ok(()) };
    let found = match session.query(replica::query(version)).await.map_err(Failure::from) {
        Ok(found) => replica::replication(&found),
        Err(failure) if failure.gone => return Err(failure),
        Err(failure) => {
            cx.note("replication", &format!("not read: {}", failure.fault.message));
            return Ok(());
        }
    };
    let flag = |on: bool| f64::from(u8::from(on));
    let up = found.replica.then(|| flag(found.running));
    let figures = [(&IS_REPLICA, Some(flag(found.replica))), (&REPLICATION_UP, up), (&REPLICATION_LAG, found.lag)];
    measure(cx, &figures);
    Ok(())
}

/// The families of the public exporter, asked for beside the peer only.
pub(in crate::probes) async fn families(
    cx: &mut Context<'_>,
    connection: &mut Connection,
    server: &[Row],
    lasting: &mut Lasting,
) -> Result<(), Failure> {
    let version =
        server.iter().filter_map(pair).find(|(name, _)| *name == "version").map_or("", |(_, version)| version);
    families::collect(cx, connection, version, lasting).await
}

/// The query that finds out which of these tables exist: their names, and how the server compares them.
pub(in crate::probes) fn find(tables: &[Table]) -> String {
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
pub(in crate::probes) fn missing<'a>(rows: &[Row], tables: &'a [Table]) -> Vec<&'a Table> {
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
