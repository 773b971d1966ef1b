//! What PostgreSQL tells of itself as a whole: process, checkpoints, archive, write-ahead log, parameters, roles.

use super::family::{Family, On};
use crate::limits;
use crate::reading::Metric;

/// One row, from functions and views that any user may read and no lock keeps.
pub(super) static WHOLE: Family = Family {
    name: "server",
    since: 10,
    on: On::Any,
    sql: "SELECT 1, extract(epoch FROM pg_postmaster_start_time()), pg_is_in_recovery()::int, lag, lag, \
          greatest(0, extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())), \
          a.archived_count, a.failed_count, extract(epoch FROM clock_timestamp() - a.last_archived_time), \
          b.buffers_clean, b.maxwritten_clean, b.buffers_alloc, coalesce(extract(epoch FROM b.stats_reset), 0), t.count, t.oldest \
          FROM pg_stat_archiver a, pg_stat_bgwriter b, \
          (SELECT CASE WHEN NOT pg_is_in_recovery() OR pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0 \
           ELSE greatest(0, extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())) END AS lag) r, \
          (SELECT CASE WHEN pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') THEN count(*) END AS count, \
           CASE WHEN pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') \
           THEN coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0) END AS oldest FROM pg_stat_get_activity(NULL) \
           WHERE state IS DISTINCT FROM 'idle' AND query NOT LIKE 'autovacuum:%' AND xact_start IS NOT NULL \
           AND pid <> pg_backend_pid()) t",
    labels: &["one"],
    metrics: &[
        &Metric::gauge("pg_postmaster_start_time_seconds", "When the server started, in seconds since 1970"),
        &Metric::gauge("pg_replication_is_replica", "1 when the server follows another one, 0 when it takes writes"),
        &Metric::gauge("pg_replication_lag_seconds", "Seconds that a replica is behind its primary; 0 on a primary"),
        &Metric::gauge("pg_replication_lag", "As pg_replication_lag_seconds, under the name of older exporters"),
        &Metric::gauge(
            "pg_replication_last_replay_seconds",
            "Seconds since a replica replayed a transaction; 0 on a primary",
        ),
        &Metric::bare_counter("pg_stat_archiver_archived_count", "WAL files archived"),
        &Metric::bare_counter("pg_stat_archiver_failed_count", "Attempts to archive a WAL file that failed"),
        &Metric::gauge(
            "pg_stat_archiver_last_archive_age",
            "Seconds since a WAL file was archived; absent before the first",
        ),
        &Metric::counter("pg_stat_bgwriter_buffers_clean_total", "Buffers written by the background writer"),
        &Metric::counter(
            "pg_stat_bgwriter_maxwritten_clean_total",
            "Rounds that the background writer stopped because it had written its most",
        ),
        &Metric::counter("pg_stat_bgwriter_buffers_alloc_total", "Buffers allocated"),
        &Metric::counter("pg_stat_bgwriter_stats_reset_total", "When these counters were reset, in seconds since 1970"),
        &Metric::gauge(
            "pg_long_running_transactions",
            "Transactions of other sessions that are open now; absent when the agent may not see them",
        ),
        &Metric::gauge(
            "pg_long_running_transactions_oldest_timestamp_seconds",
            "Seconds that the oldest of them has been open",
        ),
    ],
    rows: 1,
};

/// Checkpoints under their old names; since version 17 they are counted elsewhere, and older dashboards go on all the same.
pub(super) static BGWRITER: Family = Family {
    name: "checkpoints",
    since: 10,
    on: On::Any,
    sql: "SELECT 1, {17:num_timed, num_requested, write_time, sync_time, buffers_written, w.writes, w.fsyncs FROM pg_stat_checkpointer, \
          (SELECT sum(coalesce((to_jsonb(io) ->> 'write_bytes')::numeric / current_setting('block_size')::int, writes)) AS writes, \
          sum(fsyncs) AS fsyncs FROM pg_stat_io io \
          WHERE object = 'relation' AND backend_type NOT IN ('background writer', 'checkpointer')) w\
          |checkpoints_timed, checkpoints_req, checkpoint_write_time, checkpoint_sync_time, buffers_checkpoint, \
          buffers_backend, buffers_backend_fsync FROM pg_stat_bgwriter}",
    labels: &["one"],
    metrics: &[
        &Metric::counter("pg_stat_bgwriter_checkpoints_timed_total", "Checkpoints that were due"),
        &Metric::counter("pg_stat_bgwriter_checkpoints_req_total", "Checkpoints that were asked for"),
        &Metric::counter("pg_stat_bgwriter_checkpoint_write_time_total", "Milliseconds of checkpoints spent writing"),
        &Metric::counter("pg_stat_bgwriter_checkpoint_sync_time_total", "Milliseconds of checkpoints spent syncing"),
        &Metric::counter("pg_stat_bgwriter_buffers_checkpoint_total", "Buffers written by checkpoints"),
        &Metric::counter("pg_stat_bgwriter_buffers_backend_total", "Buffers that sessions wrote themselves"),
        &Metric::counter("pg_stat_bgwriter_buffers_backend_fsync_total", "Syncs that sessions did themselves"),
    ],
    rows: 1,
};

/// Checkpoints under their new names.
pub(super) static CHECKPOINTER: Family = Family {
    name: "checkpointer",
    since: 17,
    on: On::Any,
    sql: "SELECT 1, num_timed, num_requested, restartpoints_timed, restartpoints_req, restartpoints_done, write_time, sync_time, \
          buffers_written, coalesce(extract(epoch FROM stats_reset), 0) FROM pg_stat_checkpointer",
    labels: &["one"],
    metrics: &[
        &Metric::counter("pg_stat_checkpointer_num_timed_total", "Checkpoints that were due"),
        &Metric::counter("pg_stat_checkpointer_num_requested_total", "Checkpoints that were asked for"),
        &Metric::counter("pg_stat_checkpointer_restartpoints_timed_total", "Restartpoints of a replica that were due"),
        &Metric::counter("pg_stat_checkpointer_restartpoints_req_total", "Restartpoints that were asked for"),
        &Metric::counter("pg_stat_checkpointer_restartpoints_done_total", "Restartpoints performed"),
        &Metric::counter("pg_stat_checkpointer_write_time_total", "Milliseconds of checkpoints spent writing"),
        &Metric::counter("pg_stat_checkpointer_sync_time_total", "Milliseconds of checkpoints spent syncing"),
        &Metric::counter("pg_stat_checkpointer_buffers_written_total", "Buffers written by checkpoints"),
        &Metric::counter(
            "pg_stat_checkpointer_stats_reset_total",
            "When these counters were reset, in seconds since 1970",
        ),
    ],
    rows: 1,
};

/// Parameters in base units. Those that our own guards set (`postgres::guarded`) are told as they were before: alerts watch for changes.
pub(super) static SETTINGS: Family = Family {
    name: "settings",
    since: 10,
    on: On::Any,
    sql: "SELECT regexp_replace(name, '[.-]', '_', 'g') || CASE WHEN unit IS NULL THEN '' WHEN u.factor < 0 THEN '_seconds' \
          ELSE '_bytes' END, \
          CASE WHEN vartype = 'bool' THEN (setting = 'on')::int WHEN unit IS NULL OR setting = '-1' THEN setting::float \
          ELSE setting::float * abs(u.factor) END \
          FROM (SELECT name, unit, vartype, CASE WHEN name = 'transaction_read_only' \
          THEN CASE WHEN pg_is_in_recovery() THEN 'on' ELSE current_setting('default_transaction_read_only') END \
          WHEN name IN ('statement_timeout', 'lock_timeout') THEN reset_val ELSE setting END AS setting FROM pg_settings) s \
          LEFT JOIN (VALUES ('us', -1e-6), ('ms', -1e-3), ('s', -1), ('min', -60), ('h', -3600), ('d', -86400), \
          ('B', 1), ('kB', 1024), ('8kB', 8192), ('16kB', 16384), ('32kB', 32768), ('4kB', 4096), ('2kB', 2048), ('1kB', 1024), \
          ('64kB', 65536), ('MB', 1048576), ('16MB', 16777216), ('32MB', 33554432), ('64MB', 67108864), ('GB', 1073741824), \
          ('TB', 1099511627776)) u(word, factor) ON u.word = unit \
          WHERE vartype IN ('bool', 'integer', 'real') AND (unit IS NULL OR u.word IS NOT NULL) \
          AND (vartype = 'bool' OR setting ~ '^-?[0-9.]+(e[+-]?[0-9]+)?$') ORDER BY name",
    labels: &["name"],
    metrics: &[&Metric::gauge(
        "pg_settings_*",
        "The server's parameter *, switches as 0 or 1, sizes in bytes, times in seconds",
    )],
    rows: limits::PG_SETTINGS,
};

pub(super) static VERSION: Family = Family {
    name: "version",
    since: 10,
    on: On::Any,
    sql: "SELECT version(), split_part(current_setting('server_version'), ' ', 1) || CASE WHEN current_setting('server_version') \
          ~ '^[0-9]+[.][0-9]+( |$)' THEN '.0' ELSE '' END, 1",
    labels: &["version", "short_version"],
    metrics: &[
        &Metric::untyped("pg_static", "Always 1; its labels tell the version").labelled(&["short_version", "version"])
    ],
    rows: 1,
};

/// Reading the folder needs the role `pg_monitor`.
pub(super) static WAL: Family = Family {
    name: "wal",
    since: 10,
    on: On::Any,
    sql: "SELECT 1, count(*), coalesce(sum(size), 0) FROM pg_ls_waldir() WHERE length(name) = 24 AND name !~ '[^0-9A-F]'",
    labels: &["one"],
    metrics: &[
        &Metric::gauge("pg_wal_segments", "Segments of the write-ahead log on disk"),
        &Metric::gauge("pg_wal_size_bytes", "Bytes of the write-ahead log on disk"),
    ],
    rows: 1,
};

pub(super) static ROLES: Family = Family {
    name: "roles",
    since: 10,
    on: On::Any,
    sql: "SELECT rolname, rolconnlimit FROM pg_roles ORDER BY rolcanlogin DESC, rolconnlimit DESC, rolname",
    labels: &["rolname"],
    metrics: &[&Metric::gauge("pg_roles_connection_limit", "Connections that the role may have; -1 is no limit")
        .labelled(&["rolname"])],
    rows: limits::PG_ROLES,
};

const STATEMENT: &[&str] = &["user", "datname", "queryid"];

/// The statements that took most time; their texts are left on the server.
pub(super) static STATEMENTS: Family = Family {
    name: "statements",
    since: 10,
    on: On::Statements,
    sql: "SELECT pg_get_userbyid(s.userid), d.datname, s.queryid, sum(s.calls), sum(s.{13:total_exec_time|total_time}) / 1000, \
          sum(s.rows), sum(s.{17:shared_blk_read_time|blk_read_time}) / 1000, sum(s.{17:shared_blk_write_time|blk_write_time}) / 1000 \
          FROM pg_stat_statements(false) s JOIN pg_database d ON d.oid = s.dbid WHERE s.queryid IS NOT NULL \
          GROUP BY 1, 2, 3 ORDER BY 5 DESC",
    labels: STATEMENT,
    metrics: &[
        &Metric::counter("pg_stat_statements_calls_total", "Times that the statement was executed").labelled(STATEMENT),
        &Metric::counter("pg_stat_statements_seconds_total", "Seconds spent executing the statement")
            .labelled(STATEMENT),
        &Metric::counter("pg_stat_statements_rows_total", "Rows that the statement returned or changed")
            .labelled(STATEMENT),
        &Metric::counter("pg_stat_statements_block_read_seconds_total", "Seconds the statement spent reading blocks")
            .labelled(STATEMENT),
        &Metric::counter("pg_stat_statements_block_write_seconds_total", "Seconds the statement spent writing blocks")
            .labelled(STATEMENT),
    ],
    rows: limits::PG_STATEMENTS,
};
