//! What PostgreSQL tells of the tables and indexes in the database of the URL. The largest are looked up first and only those are asked
//! about, by the functions that the server's own views are made of: the views would reckon all tables up before the first is left out.

use super::family::{Family, On};
use crate::limits;
use crate::reading::Metric;

const TABLE: &[&str] = &["datname", "schemaname", "relname"];

const fn counter(name: &'static str, help: &'static str) -> Metric {
    Metric::bare_counter(name, help).labelled(TABLE)
}

const fn gauge(name: &'static str, help: &'static str) -> Metric {
    Metric::gauge(name, help).labelled(TABLE)
}

pub(super) static TABLES: Family = Family {
    name: "tables",
    since: 10,
    on: On::Any,
    sql: "SELECT current_database(), t.nspname, t.relname, pg_stat_get_numscans(t.oid), pg_stat_get_tuples_returned(t.oid), i.scans, \
          i.fetched + pg_stat_get_tuples_fetched(t.oid), pg_stat_get_tuples_inserted(t.oid), pg_stat_get_tuples_updated(t.oid), \
          pg_stat_get_tuples_deleted(t.oid), pg_stat_get_tuples_hot_updated(t.oid), pg_stat_get_live_tuples(t.oid), \
          pg_stat_get_dead_tuples(t.oid), pg_stat_get_mod_since_analyze(t.oid), \
          coalesce(extract(epoch FROM pg_stat_get_last_vacuum_time(t.oid)), 0), \
          coalesce(extract(epoch FROM pg_stat_get_last_autovacuum_time(t.oid)), 0), \
          coalesce(extract(epoch FROM pg_stat_get_last_analyze_time(t.oid)), 0), \
          coalesce(extract(epoch FROM pg_stat_get_last_autoanalyze_time(t.oid)), 0), \
          pg_stat_get_vacuum_count(t.oid), pg_stat_get_autovacuum_count(t.oid), pg_stat_get_analyze_count(t.oid), \
          pg_stat_get_autoanalyze_count(t.oid), \
          pg_stat_get_blocks_fetched(t.oid) - pg_stat_get_blocks_hit(t.oid), pg_stat_get_blocks_hit(t.oid), i.read, i.hit, \
          pg_stat_get_blocks_fetched(t.toast) - pg_stat_get_blocks_hit(t.toast), pg_stat_get_blocks_hit(t.toast), x.read, x.hit \
          FROM {tables} t, \
          LATERAL (SELECT sum(pg_stat_get_numscans(indexrelid)) AS scans, sum(pg_stat_get_tuples_fetched(indexrelid)) AS fetched, \
           sum(pg_stat_get_blocks_fetched(indexrelid) - pg_stat_get_blocks_hit(indexrelid)) AS read, \
           sum(pg_stat_get_blocks_hit(indexrelid)) AS hit FROM pg_index WHERE indrelid = t.oid) i, \
          LATERAL (SELECT sum(pg_stat_get_blocks_fetched(indexrelid) - pg_stat_get_blocks_hit(indexrelid)) AS read, \
           sum(pg_stat_get_blocks_hit(indexrelid)) AS hit FROM pg_index WHERE indrelid = t.toast) x",
    labels: TABLE,
    metrics: &[
        &counter("pg_stat_user_tables_seq_scan", "Scans over the whole table"),
        &counter("pg_stat_user_tables_seq_tup_read", "Rows that these scans went over"),
        &counter("pg_stat_user_tables_idx_scan", "Scans of the table's indexes; absent without indexes"),
        &counter("pg_stat_user_tables_idx_tup_fetch", "Rows fetched by these scans"),
        &counter("pg_stat_user_tables_n_tup_ins", "Rows inserted"),
        &counter("pg_stat_user_tables_n_tup_upd", "Rows updated"),
        &counter("pg_stat_user_tables_n_tup_del", "Rows deleted"),
        &counter("pg_stat_user_tables_n_tup_hot_upd", "Rows updated without touching an index"),
        &gauge("pg_stat_user_tables_n_live_tup", "Live rows, as the server reckons"),
        &gauge("pg_stat_user_tables_n_dead_tup", "Dead rows, as the server reckons"),
        &gauge("pg_stat_user_tables_n_mod_since_analyze", "Rows changed since the table was analyzed"),
        &gauge(
            "pg_stat_user_tables_last_vacuum",
            "When it was last vacuumed by hand, in seconds since 1970; 0 is never",
        ),
        &gauge("pg_stat_user_tables_last_autovacuum", "When it was last vacuumed by the server; 0 is never"),
        &gauge("pg_stat_user_tables_last_analyze", "When it was last analyzed by hand; 0 is never"),
        &gauge("pg_stat_user_tables_last_autoanalyze", "When it was last analyzed by the server; 0 is never"),
        &counter("pg_stat_user_tables_vacuum_count", "Times that it was vacuumed by hand"),
        &counter("pg_stat_user_tables_autovacuum_count", "Times that it was vacuumed by the server"),
        &counter("pg_stat_user_tables_analyze_count", "Times that it was analyzed by hand"),
        &counter("pg_stat_user_tables_autoanalyze_count", "Times that it was analyzed by the server"),
        &counter("pg_statio_user_tables_heap_blocks_read", "Blocks of the table read from disk"),
        &counter("pg_statio_user_tables_heap_blocks_hit", "Blocks of the table found in the server's buffers"),
        &counter("pg_statio_user_tables_idx_blocks_read", "Blocks of its indexes read from disk"),
        &counter("pg_statio_user_tables_idx_blocks_hit", "Blocks of its indexes found in the server's buffers"),
        &counter("pg_statio_user_tables_toast_blocks_read", "Blocks of its long values read from disk"),
        &counter("pg_statio_user_tables_toast_blocks_hit", "Blocks of its long values found in the server's buffers"),
        &counter("pg_statio_user_tables_tidx_blocks_read", "Blocks of the index of its long values read from disk"),
        &counter(
            "pg_statio_user_tables_tidx_blocks_hit",
            "Blocks of the index of its long values found in the buffers",
        ),
    ],
    rows: limits::PG_TABLES,
};

/// Measuring a table takes a lock that waits behind whoever alters it, so those are left out.
pub(super) static SIZES: Family = Family {
    name: "table_sizes",
    since: 10,
    on: On::Seldom,
    sql: "SELECT current_database(), t.nspname, t.relname, pg_indexes_size(t.oid), pg_table_size(t.oid) FROM {tables} t \
          WHERE t.oid NOT IN (SELECT relation FROM pg_lock_status() WHERE mode = 'AccessExclusiveLock' AND relation IS NOT NULL)",
    labels: TABLE,
    metrics: &[
        &gauge("pg_stat_user_tables_index_size_bytes", "Bytes of the table's indexes on disk"),
        &gauge("pg_stat_user_tables_table_size_bytes", "Bytes of the table on disk, long values included, indexes not"),
    ],
    rows: limits::PG_TABLES,
};

const INDEX: &[&str] = &["schemaname", "relname", "indexrelname"];

pub(super) static INDEXES: Family = Family {
    name: "indexes",
    since: 10,
    on: On::Any,
    sql: "SELECT n.nspname, t.relname, c.relname, pg_stat_get_blocks_fetched(c.oid) - pg_stat_get_blocks_hit(c.oid), \
          pg_stat_get_blocks_hit(c.oid) FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid JOIN pg_class t ON t.oid = i.indrelid \
          JOIN pg_namespace n ON n.oid = t.relnamespace WHERE c.relkind = 'i' AND t.relkind IN ('r', 'm') AND t.relpersistence <> 't' \
          AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_toast' ORDER BY c.relpages DESC, c.oid",
    labels: INDEX,
    metrics: &[
        &Metric::counter("pg_statio_user_indexes_idx_blks_read_total", "Blocks of the index read from disk")
            .labelled(INDEX),
        &Metric::counter(
            "pg_statio_user_indexes_idx_blks_hit_total",
            "Blocks of the index found in the server's buffers",
        )
        .labelled(INDEX),
    ],
    rows: limits::PG_INDEXES,
};

const VACUUM: &[&str] = &["datname", "relname"];
const PHASES: usize = 7;

/// Numbers instead of the view's words, as the exporter has them. The figures stand in the row of one phase, or they would come seven
/// times. A table of another database has no name here, so its number stands for it.
pub(super) static VACUUMS: Family = Family {
    name: "vacuums",
    since: 10,
    on: On::Any,
    sql: "SELECT d.datname, CASE WHEN d.datname = current_database() THEN v.relid::regclass::text ELSE v.relid::text END, p.name, \
          (v.param1 = p.at - 1)::int, CASE WHEN p.at = 1 THEN v.param2 END, CASE WHEN p.at = 1 THEN v.param3 END, \
          CASE WHEN p.at = 1 THEN v.param4 END, CASE WHEN p.at = 1 THEN v.param5 END, CASE WHEN p.at = 1 THEN v.param6 END, \
          CASE WHEN p.at = 1 THEN v.param7 END \
          FROM pg_stat_get_progress_info('VACUUM') v JOIN pg_database d ON d.oid = v.datid, \
          unnest(ARRAY['initializing', 'scanning heap', 'vacuuming indexes', 'vacuuming heap', 'cleaning up indexes', \
          'truncating heap', 'performing final cleanup']) WITH ORDINALITY p(name, at)",
    labels: &["datname", "relname", "phase"],
    metrics: &[
        &Metric::gauge("pg_stat_progress_vacuum_phase", "1 for what the vacuum of this table is doing now")
            .labelled(&["datname", "relname", "phase"]),
        &Metric::gauge("pg_stat_progress_vacuum_heap_blks", "Blocks of the table under vacuum").labelled(VACUUM),
        &Metric::gauge("pg_stat_progress_vacuum_heap_blks_scanned", "Blocks of it that are scanned").labelled(VACUUM),
        &Metric::gauge("pg_stat_progress_vacuum_heap_blks_vacuumed", "Blocks of it that are vacuumed").labelled(VACUUM),
        &Metric::gauge("pg_stat_progress_vacuum_index_vacuums", "Rounds over its indexes that are done")
            .labelled(VACUUM),
        &Metric::gauge(
            "pg_stat_progress_vacuum_max_dead_tuples",
            "Dead rows that fit into one round; bytes of them since 17",
        )
        .labelled(VACUUM),
        &Metric::gauge(
            "pg_stat_progress_vacuum_num_dead_tuples",
            "Dead rows found in this round; bytes of them since 17",
        )
        .labelled(VACUUM),
    ],
    rows: PHASES * limits::PG_REPLICAS,
};
