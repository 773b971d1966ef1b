//! What PostgreSQL tells of each database and of the sessions in it.

use super::family::{Family, On};
use crate::limits;
use crate::reading::Metric;

const DATABASE: &[&str] = &["datid", "datname"];
const NAME: &[&str] = &["datname"];

const fn counter(name: &'static str, help: &'static str) -> Metric {
    Metric::bare_counter(name, help).labelled(DATABASE)
}

/// What older exporters gave of columns that they had no description of.
const fn untyped(name: &'static str, help: &'static str) -> Metric {
    Metric::untyped(name, help).labelled(DATABASE)
}

pub(super) static DATABASES: Family = Family {
    name: "databases",
    since: 10,
    on: On::Any,
    sql: "SELECT s.datid, s.datname, d.datconnlimit, CASE WHEN d.datallowconn THEN age(d.datfrozenxid) END, \
          CASE WHEN d.datallowconn THEN mxid_age(d.datminmxid) END, s.numbackends, s.xact_commit, s.xact_rollback, s.blks_read, \
          s.blks_hit, s.tup_returned, s.tup_fetched, s.tup_inserted, s.tup_updated, s.tup_deleted, s.conflicts, s.temp_files, \
          s.temp_bytes, s.deadlocks, s.blk_read_time, s.blk_write_time, coalesce(extract(epoch FROM s.stats_reset), 0), \
          c.confl_tablespace, c.confl_lock, c.confl_snapshot, c.confl_bufferpin, c.confl_deadlock, \
          {12:s.checksum_failures|NULL}, {12:extract(epoch FROM s.checksum_last_failure)|NULL} \
          {14:, s.active_time / 1000, s.active_time, s.session_time, s.idle_in_transaction_time, s.sessions, s.sessions_abandoned, \
          s.sessions_fatal, s.sessions_killed|} \
          FROM {busiest} d JOIN pg_stat_database s ON s.datid = d.oid LEFT JOIN pg_stat_database_conflicts c ON c.datid = d.oid \
          ORDER BY s.xact_commit DESC, s.datid",
    labels: DATABASE,
    metrics: &[
        &Metric::gauge("pg_database_connection_limit", "Connections that the database may have; -1 is no limit")
            .labelled(NAME),
        &Metric::gauge(
            "pg_database_wraparound_age_datfrozenxid_seconds",
            "Age of the oldest transaction id that is not frozen, in transactions (the name is the exporter's)",
        )
        .labelled(NAME),
        &Metric::gauge(
            "pg_database_wraparound_age_datminmxid_seconds",
            "Age of the oldest multixact id, in multixacts (the name is the exporter's)",
        )
        .labelled(NAME),
        &Metric::gauge("pg_stat_database_numbackends", "Sessions in this database now").labelled(DATABASE),
        &counter("pg_stat_database_xact_commit", "Transactions committed"),
        &counter("pg_stat_database_xact_rollback", "Transactions rolled back"),
        &counter("pg_stat_database_blks_read", "Blocks read from disk"),
        &counter("pg_stat_database_blks_hit", "Blocks found in the server's buffers"),
        &counter("pg_stat_database_tup_returned", "Rows that scans went over"),
        &counter("pg_stat_database_tup_fetched", "Rows fetched by indexes"),
        &counter("pg_stat_database_tup_inserted", "Rows inserted"),
        &counter("pg_stat_database_tup_updated", "Rows updated"),
        &counter("pg_stat_database_tup_deleted", "Rows deleted"),
        &counter("pg_stat_database_conflicts", "Queries of a replica that were cancelled for its primary's sake"),
        &counter("pg_stat_database_temp_files", "Temporary files made by queries"),
        &counter("pg_stat_database_temp_bytes", "Bytes written to temporary files"),
        &counter("pg_stat_database_deadlocks", "Deadlocks found"),
        &counter("pg_stat_database_blk_read_time", "Milliseconds spent reading blocks; 0 without `track_io_timing`"),
        &counter("pg_stat_database_blk_write_time", "Milliseconds spent writing blocks; 0 without `track_io_timing`"),
        &counter("pg_stat_database_stats_reset", "When these counters were reset, in seconds since 1970"),
        &counter("pg_stat_database_conflicts_confl_tablespace", "Queries cancelled because a tablespace was dropped"),
        &counter("pg_stat_database_conflicts_confl_lock", "Queries cancelled because they waited too long for a lock"),
        &counter("pg_stat_database_conflicts_confl_snapshot", "Queries cancelled because their snapshot was too old"),
        &counter("pg_stat_database_conflicts_confl_bufferpin", "Queries cancelled because they held a buffer"),
        &counter(
            "pg_stat_database_conflicts_confl_deadlock",
            "Queries cancelled because of a deadlock with the replay",
        ),
        &untyped("pg_stat_database_checksum_failures", "Blocks whose checksum was wrong; absent without checksums"),
        &untyped("pg_stat_database_checksum_last_failure", "When the last of them was found, in seconds since 1970"),
        &Metric::counter("pg_stat_database_active_time_seconds_total", "Seconds spent executing statements")
            .labelled(DATABASE),
        &untyped("pg_stat_database_active_time", "Milliseconds spent executing statements"),
        &untyped("pg_stat_database_session_time", "Milliseconds that sessions lasted"),
        &untyped("pg_stat_database_idle_in_transaction_time", "Milliseconds that sessions idled in a transaction"),
        &untyped("pg_stat_database_sessions", "Sessions established"),
        &untyped("pg_stat_database_sessions_abandoned", "Sessions whose client went away without a word"),
        &untyped("pg_stat_database_sessions_fatal", "Sessions ended by an error"),
        &untyped("pg_stat_database_sessions_killed", "Sessions ended by an operator"),
    ],
    rows: limits::PG_DATABASES,
};

/// The server walks over all of a database's files.
pub(super) static SIZES: Family = Family {
    name: "database_sizes",
    since: 10,
    on: On::Seldom,
    sql: "SELECT datname, CASE WHEN has_database_privilege(oid, 'CONNECT') OR pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') \
          THEN pg_database_size(oid) END FROM pg_database ORDER BY 2 DESC NULLS LAST, 1",
    labels: NAME,
    metrics: &[&Metric::gauge("pg_database_size_bytes", "Bytes that the database takes on disk").labelled(NAME)],
    rows: limits::PG_DATABASES,
};

const MODES: usize = 9;

pub(super) static LOCKS: Family = Family {
    name: "locks",
    since: 10,
    on: On::Any,
    sql: "SELECT d.datname, m.mode, coalesce(l.count, 0) FROM {busiest} d \
          CROSS JOIN unnest(ARRAY['accesssharelock', 'rowsharelock', 'rowexclusivelock', 'shareupdateexclusivelock', 'sharelock', \
          'sharerowexclusivelock', 'exclusivelock', 'accessexclusivelock', 'sireadlock']) m(mode) \
          LEFT JOIN (SELECT database, lower(mode) AS mode, count(*) FROM pg_lock_status() WHERE database IS NOT NULL GROUP BY 1, 2) l \
          ON l.database = d.oid AND l.mode = m.mode",
    labels: &["datname", "mode"],
    metrics: &[
        &Metric::gauge("pg_locks_count", "Locks held or waited for in this database").labelled(&["datname", "mode"])
    ],
    rows: limits::PG_DATABASES * MODES,
};

const SESSION: &[&str] =
    &["datname", "state", "usename", "application_name", "backend_type", "wait_event_type", "wait_event"];
const STATES: usize = 6;

/// Whoever may not see other users' sessions gets none: a part of them would look like all.
pub(super) static SESSIONS: Family = Family {
    name: "sessions",
    since: 10,
    on: On::Any,
    sql: "WITH told AS (SELECT datid, state, usesysid, application_name, backend_type, wait_event_type, wait_event, count(*) AS count, \
          max(extract(epoch FROM clock_timestamp() - xact_start)) AS age, row_number() OVER (ORDER BY count(*) DESC) <= {sessions} AS large \
          FROM pg_stat_get_activity(NULL) WHERE pid <> pg_backend_pid() GROUP BY 1, 2, 3, 4, 5, 6, 7), \
          kept AS (SELECT datid, state, CASE WHEN large THEN usesysid END AS usesysid, \
          CASE WHEN large THEN application_name ELSE '(others)' END AS application_name, \
          CASE WHEN large THEN backend_type END AS backend_type, CASE WHEN large THEN wait_event_type END AS wait_event_type, \
          CASE WHEN large THEN wait_event END AS wait_event, sum(count) AS count, max(age) AS age FROM told GROUP BY 1, 2, 3, 4, 5, 6, 7) \
          SELECT d.datname, s.state, CASE WHEN k.usesysid IS NOT NULL THEN pg_get_userbyid(k.usesysid) END, k.application_name, \
          k.backend_type, k.wait_event_type, k.wait_event, coalesce(k.count, 0), coalesce(k.age, 0) \
          FROM {busiest} d CROSS JOIN unnest(ARRAY['active', 'idle', 'idle in transaction', 'idle in transaction (aborted)', \
          'fastpath function call', 'disabled']) s(state) LEFT JOIN kept k ON k.datid = d.oid AND k.state = s.state \
          WHERE pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') ORDER BY 8 DESC",
    labels: SESSION,
    metrics: &[
        &Metric::gauge("pg_stat_activity_count", "Sessions in this state; the agent's own is not counted")
            .labelled(SESSION),
        &Metric::gauge(
            "pg_stat_activity_max_tx_duration",
            "Seconds that the oldest transaction of these sessions has been open",
        )
        .labelled(SESSION),
    ],
    rows: limits::PG_SESSIONS + 2 * limits::PG_DATABASES * STATES,
};
