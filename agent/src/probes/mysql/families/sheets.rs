//! The families whose rows need no thought: a query, which of its columns are labels, and which metric each of the others is.

use super::label;
use crate::probes::sql::connection::Row;
use crate::reading::{Metric, Reading};

/// A query and what its columns mean, the largest or fullest rows first.
pub(super) struct Sheet {
    /// The name of the collector, as the public exporter has it.
    pub(super) collector: &'static str,
    sql: &'static str,
    /// Rows that are asked for, and that are taken: a server may give more than it was asked for.
    rows: usize,
    figures: &'static [Figure],
}

/// A column that is measured.
pub(super) struct Figure {
    metric: &'static Metric,
    /// The columns of its labels; a last label that is fixed stands in `is`.
    labels: &'static [usize],
    is: Option<&'static str>,
    column: usize,
    /// What the server's unit is divided by.
    per: f64,
}

const PICOSECONDS: f64 = 1e12;
const MILLISECONDS: f64 = 1e3;

const fn figure(metric: &'static Metric, labels: &'static [usize], column: usize) -> Figure {
    Figure { metric, labels, is: None, column, per: 1.0 }
}

impl Figure {
    const fn is(self, is: &'static str) -> Self {
        Self { is: Some(is), ..self }
    }

    const fn per(self, per: f64) -> Self {
        Self { per, ..self }
    }
}

impl Sheet {
    /// The query with its limit.
    pub(super) fn query(&self) -> String {
        format!("{} LIMIT {}", self.sql, self.rows)
    }

    /// The readings of its rows. A value that is no number, NULL for one, is none.
    pub(super) fn readings(&self, rows: &[Row]) -> Vec<Reading> {
        let cell = |row: &Row, at: usize| row.get(at).cloned().flatten();
        let reading = |row: &Row, figure: &Figure| {
            let value = cell(row, figure.column)?.parse::<f64>().ok().filter(|value| value.is_finite())?;
            let of = figure.labels.iter().map(|at| label(&cell(row, *at).unwrap_or_default()));
            let labels = of.chain(figure.is.map(str::to_owned)).collect();
            Some(Reading { metric: figure.metric, labels, value: value / figure.per })
        };
        let rows = rows.iter().take(self.rows);
        rows.flat_map(|row| self.figures.iter().filter_map(move |figure| reading(row, figure))).collect()
    }
}

macro_rules! counter {
    ($name:literal, $help:literal, $labels:expr) => {
        Metric::counter($name, $help).labelled($labels)
    };
}

static CMP_OPS: Metric = counter!(
    "mysql_info_schema_innodb_cmp_compress_ops_total",
    "Times that InnoDB compressed a page of this size",
    &["page_size"]
);
static CMP_OK: Metric = counter!(
    "mysql_info_schema_innodb_cmp_compress_ops_ok_total",
    "Times that InnoDB compressed a page of this size with success",
    &["page_size"]
);
static CMP_TIME: Metric = counter!(
    "mysql_info_schema_innodb_cmp_compress_time_seconds_total",
    "Seconds spent on compressing pages of this size",
    &["page_size"]
);
static UNCMP_OPS: Metric = counter!(
    "mysql_info_schema_innodb_cmp_uncompress_ops_total",
    "Times that InnoDB uncompressed a page of this size",
    &["page_size"]
);
static UNCMP_TIME: Metric = counter!(
    "mysql_info_schema_innodb_cmp_uncompress_time_seconds_total",
    "Seconds spent on uncompressing pages of this size",
    &["page_size"]
);

pub(super) static CMP: Sheet = Sheet {
    collector: "collect.info_schema.innodb_cmp",
    sql: "SELECT page_size, compress_ops, compress_ops_ok, compress_time, uncompress_ops, uncompress_time \
          FROM information_schema.innodb_cmp",
    rows: 16,
    figures: &[
        figure(&CMP_OPS, &[0], 1),
        figure(&CMP_OK, &[0], 2),
        figure(&CMP_TIME, &[0], 3),
        figure(&UNCMP_OPS, &[0], 4),
        figure(&UNCMP_TIME, &[0], 5),
    ],
};

static CMPMEM_USED: Metric = counter!(
    "mysql_info_schema_innodb_cmpmem_pages_used_total",
    "Blocks of this size that compressed pages use now",
    &["page_size", "buffer_pool"]
);
static CMPMEM_FREE: Metric = counter!(
    "mysql_info_schema_innodb_cmpmem_pages_free_total",
    "Blocks of this size that are free for compressed pages now",
    &["page_size", "buffer_pool"]
);
static CMPMEM_OPS: Metric = counter!(
    "mysql_info_schema_innodb_cmpmem_relocation_ops_total",
    "Times that a block of this size was moved",
    &["page_size", "buffer_pool"]
);
static CMPMEM_TIME: Metric = counter!(
    "mysql_info_schema_innodb_cmpmem_relocation_time_seconds_total",
    "Seconds spent on moving blocks of this size",
    &["page_size", "buffer_pool"]
);

pub(super) static CMPMEM: Sheet = Sheet {
    collector: "collect.info_schema.innodb_cmpmem",
    sql: "SELECT page_size, buffer_pool_instance, pages_used, pages_free, relocation_ops, relocation_time \
          FROM information_schema.innodb_cmpmem",
    rows: 128,
    figures: &[
        figure(&CMPMEM_USED, &[0, 1], 2),
        figure(&CMPMEM_FREE, &[0, 1], 3),
        figure(&CMPMEM_OPS, &[0, 1], 4),
        figure(&CMPMEM_TIME, &[0, 1], 5).per(MILLISECONDS),
    ],
};

static TABLE_VERSION: Metric = Metric::gauge(
    "mysql_info_schema_table_version",
    "Version of a table's definition; engine and format as labels; the fifty largest tables",
)
.labelled(&["schema", "table", "type", "engine", "row_format", "create_options"]);
static TABLE_ROWS: Metric =
    Metric::gauge("mysql_info_schema_table_rows", "Rows of a table as the server estimates; the fifty largest tables")
        .labelled(&["schema", "table"]);
static TABLE_SIZE: Metric =
    Metric::gauge("mysql_info_schema_table_size", "Bytes of a table, by part; the fifty largest tables").labelled(&[
        "schema",
        "table",
        "component",
    ]);

/// Opens every table of the server on MariaDB: asked for every few minutes. Options in quotation marks are those of an engine, which may
/// hold the password of another server, and are not shown.
pub(super) static TABLES: Sheet = Sheet {
    collector: "collect.info_schema.tables",
    sql: "SELECT table_schema, table_name, table_type, ifnull(engine, 'NONE'), ifnull(row_format, 'NONE'), \
          CASE WHEN create_options LIKE '%''%' THEN 'HIDDEN' ELSE ifnull(create_options, 'NONE') END, \
          ifnull(version, 0), ifnull(table_rows, 0), ifnull(data_length, 0), \
          ifnull(index_length, 0), ifnull(data_free, 0) FROM information_schema.tables \
          WHERE table_schema NOT IN ('mysql', 'performance_schema', 'information_schema', 'sys') \
          ORDER BY ifnull(data_length, 0) + ifnull(index_length, 0) DESC",
    rows: 50,
    figures: &[
        figure(&TABLE_VERSION, &[0, 1, 2, 3, 4, 5], 6),
        figure(&TABLE_ROWS, &[0, 1], 7),
        figure(&TABLE_SIZE, &[0, 1], 8).is("data_length"),
        figure(&TABLE_SIZE, &[0, 1], 9).is("index_length"),
        figure(&TABLE_SIZE, &[0, 1], 10).is("data_free"),
    ],
};

static AUTO_INCREMENT: Metric = Metric::gauge(
    "mysql_info_schema_auto_increment_column",
    "Next value of an AUTO_INCREMENT column; the fifty that are nearest to their end",
)
.labelled(&["schema", "table", "column"]);
static AUTO_INCREMENT_MAX: Metric = Metric::gauge(
    "mysql_info_schema_auto_increment_column_max",
    "Largest value that an AUTO_INCREMENT column can hold; the fifty that are nearest to their end",
)
.labelled(&["schema", "table", "column"]);

/// As dear as [`TABLES`].
pub(super) static AUTO_INCREMENTS: Sheet = Sheet {
    collector: "collect.auto_increment.columns",
    sql: "SELECT s, t, c, v, m FROM (SELECT c.table_schema AS s, c.table_name AS t, c.column_name AS c, \
          t.auto_increment AS v, pow(2, CASE c.data_type WHEN 'tinyint' THEN 7 WHEN 'smallint' THEN 15 \
          WHEN 'mediumint' THEN 23 WHEN 'int' THEN 31 WHEN 'bigint' THEN 63 END + (c.column_type LIKE '% unsigned')) - 1 AS m \
          FROM information_schema.columns c JOIN information_schema.tables t \
          ON BINARY c.table_schema = t.table_schema AND BINARY c.table_name = t.table_name \
          WHERE c.extra = 'auto_increment' AND t.auto_increment IS NOT NULL) AS found ORDER BY v / m DESC",
    rows: 50,
    figures: &[figure(&AUTO_INCREMENT, &[0, 1, 2], 3), figure(&AUTO_INCREMENT_MAX, &[0, 1, 2], 4)],
};

static IO_WAITS: Metric = counter!(
    "mysql_perf_schema_table_io_waits_total",
    "Waits for reading or writing a table, by operation; the twenty that were waited for longest",
    &["schema", "name", "operation"]
);
static IO_WAIT_TIME: Metric = counter!(
    "mysql_perf_schema_table_io_waits_seconds_total",
    "Seconds of waits for reading or writing a table, by operation; the twenty that were waited for longest",
    &["schema", "name", "operation"]
);

pub(super) static TABLE_IO: Sheet = Sheet {
    collector: "collect.perf_schema.tableiowaits",
    sql: "SELECT object_schema, object_name, count_fetch, count_insert, count_update, count_delete, sum_timer_fetch, \
          sum_timer_insert, sum_timer_update, sum_timer_delete FROM performance_schema.table_io_waits_summary_by_table \
          WHERE object_schema NOT IN ('mysql', 'performance_schema') ORDER BY sum_timer_wait DESC",
    rows: 20,
    figures: &[
        figure(&IO_WAITS, &[0, 1], 2).is("fetch"),
        figure(&IO_WAITS, &[0, 1], 3).is("insert"),
        figure(&IO_WAITS, &[0, 1], 4).is("update"),
        figure(&IO_WAITS, &[0, 1], 5).is("delete"),
        figure(&IO_WAIT_TIME, &[0, 1], 6).is("fetch").per(PICOSECONDS),
        figure(&IO_WAIT_TIME, &[0, 1], 7).is("insert").per(PICOSECONDS),
        figure(&IO_WAIT_TIME, &[0, 1], 8).is("update").per(PICOSECONDS),
        figure(&IO_WAIT_TIME, &[0, 1], 9).is("delete").per(PICOSECONDS),
    ],
};

macro_rules! sum {
    ($name:literal, $help:literal) => {
        Metric::bare_counter(concat!("mysql_perf_schema_events_statements_sum_", $name), $help)
    };
}

static SUM_TOTAL: Metric = sum!("total", "Statements since the statistics began");
static SUM_ERRORS: Metric = sum!("errors", "Statements that failed");
static SUM_WARNINGS: Metric = sum!("warnings", "Warnings of statements");
static SUM_TIME: Metric = sum!("timer_wait", "Seconds that statements took");
static SUM_LOCK_TIME: Metric = sum!("lock_time", "Picoseconds that statements waited for locks");
static SUM_AFFECTED: Metric = sum!("rows_affected", "Rows that statements changed");
static SUM_SENT: Metric = sum!("rows_sent", "Rows that statements gave");
static SUM_EXAMINED: Metric = sum!("rows_examined", "Rows that statements looked at");
static SUM_TMP_TABLES: Metric = sum!("created_tmp_tables", "Temporary tables that statements made");
static SUM_TMP_DISK: Metric = sum!("created_tmp_disk_tables", "Temporary tables that statements made on disk");
static SUM_FULL_JOIN: Metric = sum!("select_full_join", "Joins without an index");
static SUM_FULL_RANGE_JOIN: Metric = sum!("select_full_range_join", "Joins with a range search of the first table");
static SUM_RANGE: Metric = sum!("select_range", "Joins with a range of the first table");
static SUM_RANGE_CHECK: Metric = sum!("select_range_check", "Joins that look for an index after each row");
static SUM_SCAN: Metric = sum!("select_scan", "Joins that read the first table whole");
static SUM_SORT_PASSES: Metric = sum!("sort_merge_passes", "Passes of merging in sorts");
static SUM_SORT_RANGE: Metric = sum!("sort_range", "Sorts of a range");
static SUM_SORT_ROWS: Metric = sum!("sort_rows", "Rows that were sorted");
static SUM_SORT_SCAN: Metric = sum!("sort_scan", "Sorts of a whole table");
static SUM_NO_INDEX: Metric = sum!("no_index_used", "Statements that used no index");
static SUM_NO_GOOD_INDEX: Metric = sum!("no_good_index_used", "Statements that found no good index");

pub(super) static STATEMENTS: Sheet = Sheet {
    collector: "collect.perf_schema.eventsstatementssum",
    sql: "SELECT sum(count_star), sum(sum_errors), sum(sum_warnings), sum(sum_timer_wait), sum(sum_lock_time), \
          sum(sum_rows_affected), sum(sum_rows_sent), sum(sum_rows_examined), sum(sum_created_tmp_tables), \
          sum(sum_created_tmp_disk_tables), sum(sum_select_full_join), sum(sum_select_full_range_join), \
          sum(sum_select_range), sum(sum_select_range_check), sum(sum_select_scan), sum(sum_sort_merge_passes), \
          sum(sum_sort_range), sum(sum_sort_rows), sum(sum_sort_scan), sum(sum_no_index_used), \
          sum(sum_no_good_index_used) FROM performance_schema.events_statements_summary_by_digest",
    rows: 1,
    figures: &[
        figure(&SUM_TOTAL, &[], 0),
        figure(&SUM_ERRORS, &[], 1),
        figure(&SUM_WARNINGS, &[], 2),
        figure(&SUM_TIME, &[], 3).per(PICOSECONDS),
        figure(&SUM_LOCK_TIME, &[], 4),
        figure(&SUM_AFFECTED, &[], 5),
        figure(&SUM_SENT, &[], 6),
        figure(&SUM_EXAMINED, &[], 7),
        figure(&SUM_TMP_TABLES, &[], 8),
        figure(&SUM_TMP_DISK, &[], 9),
        figure(&SUM_FULL_JOIN, &[], 10),
        figure(&SUM_FULL_RANGE_JOIN, &[], 11),
        figure(&SUM_RANGE, &[], 12),
        figure(&SUM_RANGE_CHECK, &[], 13),
        figure(&SUM_SCAN, &[], 14),
        figure(&SUM_SORT_PASSES, &[], 15),
        figure(&SUM_SORT_RANGE, &[], 16),
        figure(&SUM_SORT_ROWS, &[], 17),
        figure(&SUM_SORT_SCAN, &[], 18),
        figure(&SUM_NO_INDEX, &[], 19),
        figure(&SUM_NO_GOOD_INDEX, &[], 20),
    ],
};

static HEARTBEAT_NOW: Metric =
    Metric::gauge("mysql_heartbeat_now_timestamp_seconds", "Time of the server when its heartbeat table was read")
        .labelled(&["server_id"]);
static HEARTBEAT_STORED: Metric =
    Metric::gauge("mysql_heartbeat_stored_timestamp_seconds", "Time that a server wrote into the heartbeat table")
        .labelled(&["server_id"]);

const HEARTBEATS: &[Figure] = &[figure(&HEARTBEAT_STORED, &[0], 1), figure(&HEARTBEAT_NOW, &[0], 2)];

/// pt-heartbeat's table where the public exporter looks for it, and where its own manual puts it.
pub(super) static HEARTBEAT: [(&str, Sheet); 2] = [
    (
        "heartbeat",
        Sheet {
            collector: "collect.heartbeat",
            sql: "SELECT server_id, unix_timestamp(ts), unix_timestamp(now(6)) FROM heartbeat.heartbeat",
            rows: 32,
            figures: HEARTBEATS,
        },
    ),
    (
        "percona",
        Sheet {
            collector: "collect.heartbeat",
            sql: "SELECT server_id, unix_timestamp(ts), unix_timestamp(now(6)) FROM percona.heartbeat",
            rows: 32,
            figures: HEARTBEATS,
        },
    ),
];
/// In which of them it is.
pub(super) const HEARTBEAT_AT: &str = "SELECT table_schema FROM information_schema.tables WHERE table_schema IN ('heartbeat', 'percona') AND table_name = 'heartbeat'";

/// All that they measure.
pub(super) const FACTS: &[&Metric] = &[
    &CMP_OPS,
    &CMP_OK,
    &CMP_TIME,
    &UNCMP_OPS,
    &UNCMP_TIME,
    &CMPMEM_USED,
    &CMPMEM_FREE,
    &CMPMEM_OPS,
    &CMPMEM_TIME,
    &TABLE_VERSION,
    &TABLE_ROWS,
    &TABLE_SIZE,
    &AUTO_INCREMENT,
    &AUTO_INCREMENT_MAX,
    &IO_WAITS,
    &IO_WAIT_TIME,
    &SUM_TOTAL,
    &SUM_ERRORS,
    &SUM_WARNINGS,
    &SUM_TIME,
    &SUM_LOCK_TIME,
    &SUM_AFFECTED,
    &SUM_SENT,
    &SUM_EXAMINED,
    &SUM_TMP_TABLES,
    &SUM_TMP_DISK,
    &SUM_FULL_JOIN,
    &SUM_FULL_RANGE_JOIN,
    &SUM_RANGE,
    &SUM_RANGE_CHECK,
    &SUM_SCAN,
    &SUM_SORT_PASSES,
    &SUM_SORT_RANGE,
    &SUM_SORT_ROWS,
    &SUM_SORT_SCAN,
    &SUM_NO_INDEX,
    &SUM_NO_GOOD_INDEX,
    &HEARTBEAT_NOW,
    &HEARTBEAT_STORED,
];
