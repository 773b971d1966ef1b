//! The families whose rows need a thought: InnoDB's own counters, threads by state, binary logs, the distribution of query times.

use super::label;
use crate::limits;
use crate::probes::sql::connection::Row;
use crate::reading::{Metric, Reading, Type};
use std::collections::BTreeMap;

pub(super) const FACTS: &[&Metric] = &[
    &COUNTER,
    &GAUGE,
    &PAGES_READ,
    &PAGES_WRITTEN,
    &POOL_PAGES,
    &DIRTY_PAGES,
    &THREADS,
    &SECONDS,
    &BY_USER,
    &BY_HOST,
    &BINLOG_SIZE,
    &BINLOG_FILES,
    &BINLOG_NUMBER,
    &BUCKET,
    &SUM,
    &COUNT,
    &READ_BUCKET,
    &READ_SUM,
    &READ_COUNT,
    &WRITE_BUCKET,
    &WRITE_SUM,
    &WRITE_COUNT,
];

static COUNTER: Metric =
    Metric::counter("mysql_info_schema_innodb_metrics_*_total", "InnoDB's own counter `*`, since it was switched on");
static GAUGE: Metric = Metric::gauge("mysql_info_schema_innodb_metrics_*", "InnoDB's own figure `*`");
static PAGES_READ: Metric = Metric::counter(
    "mysql_info_schema_innodb_metrics_buffer_page_read_total",
    "Pages read into the buffer pool, by type",
)
.labelled(&["type"]);
static PAGES_WRITTEN: Metric = Metric::counter(
    "mysql_info_schema_innodb_metrics_buffer_page_written_total",
    "Pages written from the buffer pool, by type",
)
.labelled(&["type"]);
static POOL_PAGES: Metric =
    Metric::gauge("mysql_info_schema_innodb_metrics_buffer_pool_pages", "Pages of the buffer pool, by state")
        .labelled(&["state"]);
static DIRTY_PAGES: Metric = Metric::gauge(
    "mysql_info_schema_innodb_metrics_buffer_pool_dirty_pages",
    "Pages of the buffer pool that are changed and not yet written",
);

/// What is switched on by itself is free to read. Name, subsystem, kind, value.
pub(super) fn innodb_query(mariadb: bool) -> &'static str {
    if mariadb {
        "SELECT name, subsystem, type, count FROM information_schema.innodb_metrics WHERE enabled = 1 LIMIT 400"
    } else {
        "SELECT name, subsystem, type, count FROM information_schema.innodb_metrics WHERE status = 'enabled' LIMIT 400"
    }
}

pub(super) fn innodb(rows: &[Row]) -> Vec<Reading> {
    let text = |row: &Row, at: usize| row.get(at).cloned().flatten().unwrap_or_default();
    let reading = |row: &Row| {
        let (name, subsystem) = (text(row, 0), text(row, 1));
        let value = text(row, 3).parse::<f64>().ok()?;
        if subsystem == "buffer_page_io" {
            let read = name.strip_prefix("buffer_page_read_").map(|kind| PAGES_READ.with([&label(kind)], value));
            return read
                .or_else(|| Some(PAGES_WRITTEN.with([&label(name.strip_prefix("buffer_page_written_")?)], value)));
        }
        match name.strip_prefix("buffer_pool_pages_").filter(|_| subsystem == "buffer") {
            Some("total") => return None,
            Some("dirty") => return Some(DIRTY_PAGES.is(value)),
            Some(state) => return Some(POOL_PAGES.with([&label(state)], value)),
            None => {}
        }
        // A counter below zero is one that was switched off in between.
        let counts = matches!(text(row, 2).as_str(), "counter" | "status_counter") && value >= 0.0;
        let pattern = if counts { &COUNTER } else { &GAUGE };
        pattern.named(&format!("{subsystem}_{name}")).map(|metric| metric.is(value))
    };
    rows.iter().take(limits::MYSQL_INNODB_FIGURES).filter_map(reading).collect()
}

static THREADS: Metric = Metric::gauge(
    "mysql_info_schema_processlist_threads",
    "Threads of the server by command and state, this agent's not among them",
)
.labelled(&["command", "state"]);
static SECONDS: Metric = Metric::gauge(
    "mysql_info_schema_processlist_seconds",
    "Seconds that the threads of this command and state have been in it, added up",
)
.labelled(&["command", "state"]);
static BY_USER: Metric =
    Metric::gauge("mysql_info_schema_processlist_processes_by_user", "Threads of the server by user")
        .labelled(&["mysql_user"]);
static BY_HOST: Metric =
    Metric::gauge("mysql_info_schema_processlist_processes_by_host", "Threads of the server by the host of the client")
        .labelled(&["client_host"]);

pub(super) const PROCESSES: &str = "\
    SELECT user, substring_index(host, ':', 1), ifnull(command, ''), ifnull(state, ''), count(*), sum(time) \
    FROM information_schema.processlist WHERE id <> connection_id() GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC LIMIT 400";

pub(super) fn processes(rows: &[Row]) -> Vec<Reading> {
    let mut states: BTreeMap<[String; 2], (f64, f64)> = BTreeMap::new();
    let (mut users, mut hosts) = (BTreeMap::<String, f64>::new(), BTreeMap::<String, f64>::new());
    for row in rows {
        let text = |at: usize| row.get(at).and_then(Option::as_deref).unwrap_or_default();
        let (count, seconds) = (text(4).parse().unwrap_or(0.0), text(5).parse().unwrap_or(0.0));
        let state = states.entry([state(text(2)), state(text(3))]).or_default();
        *state = (state.0 + count, state.1 + seconds);
        *users.entry(label(text(0))).or_default() += count;
        *hosts.entry(Some(label(text(1))).filter(|host| !host.is_empty()).unwrap_or("unknown".into())).or_default() +=
            count;
    }
    let mut readings = Vec::new();
    for ([command, state], (count, seconds)) in states.iter().take(limits::MYSQL_PROCESS_GROUPS) {
        readings.push(THREADS.with([command, state], *count));
        readings.push(SECONDS.with([command, state], *seconds));
    }
    let most = limits::MYSQL_PROCESS_GROUPS;
    readings.extend(users.iter().take(most).map(|(user, count)| BY_USER.with([user], *count)));
    readings.extend(hosts.iter().take(most).map(|(host, count)| BY_HOST.with([host], *count)));
    readings
}

/// A command or state as the public exporter writes it: small letters, no punctuation.
fn state(text: &str) -> String {
    let kept = text.chars().filter(|c| !";,:.()".contains(*c));
    let written: String = kept.map(|c| if c == ' ' || c == '-' { '_' } else { c.to_ascii_lowercase() }).collect();
    if written.is_empty() { "unknown".to_owned() } else { label(&written) }
}

static BINLOG_SIZE: Metric = Metric::gauge("mysql_binlog_size_bytes", "Bytes of all binary logs together");
static BINLOG_FILES: Metric = Metric::gauge("mysql_binlog_files", "Binary logs that the server keeps");
static BINLOG_NUMBER: Metric = Metric::gauge("mysql_binlog_file_number", "Number of the last binary log");

/// Needs the privilege REPLICATION CLIENT, or BINLOG MONITOR.
pub(super) const BINLOGS: &str = "SHOW BINARY LOGS";

pub(super) fn binlogs(rows: &[Row]) -> Vec<Reading> {
    let sizes = rows.iter().filter_map(|row| row.get(1)?.as_deref()?.parse::<f64>().ok());
    let last = rows.last().and_then(|row| row.first()?.as_deref()?.rsplit('.').next()?.parse::<f64>().ok());
    let files = u32::try_from(rows.len()).map_or(f64::INFINITY, f64::from);
    let mut readings = vec![BINLOG_SIZE.is(sizes.sum()), BINLOG_FILES.is(files)];
    readings.extend(last.map(|number| BINLOG_NUMBER.is(number)));
    readings
}

static BUCKET: Metric =
    Metric::gauge("mysql_info_schema_query_response_time_seconds_bucket", "Queries that took no longer than `le`")
        .of(Type::Histogram)
        .labelled(&["le"]);
static SUM: Metric =
    Metric::gauge("mysql_info_schema_query_response_time_seconds_sum", "Seconds that all queries took together")
        .of(Type::Histogram);
static COUNT: Metric =
    Metric::gauge("mysql_info_schema_query_response_time_seconds_count", "Queries").of(Type::Histogram);
static READ_BUCKET: Metric = Metric::gauge(
    "mysql_info_schema_read_query_response_time_seconds_bucket",
    "Reading queries that took no longer than `le`",
)
.of(Type::Histogram)
.labelled(&["le"]);
static READ_SUM: Metric =
    Metric::gauge("mysql_info_schema_read_query_response_time_seconds_sum", "Seconds that reading queries took")
        .of(Type::Histogram);
static READ_COUNT: Metric =
    Metric::gauge("mysql_info_schema_read_query_response_time_seconds_count", "Reading queries").of(Type::Histogram);
static WRITE_BUCKET: Metric = Metric::gauge(
    "mysql_info_schema_write_query_response_time_seconds_bucket",
    "Writing queries that took no longer than `le`",
)
.of(Type::Histogram)
.labelled(&["le"]);
static WRITE_SUM: Metric =
    Metric::gauge("mysql_info_schema_write_query_response_time_seconds_sum", "Seconds that writing queries took")
        .of(Type::Histogram);
static WRITE_COUNT: Metric =
    Metric::gauge("mysql_info_schema_write_query_response_time_seconds_count", "Writing queries").of(Type::Histogram);

/// Rows of a distribution that are asked for, and that are taken; the plugins have fourteen.
const BUCKETS: usize = 64;

/// A query of a distribution, and its buckets, sum and count.
pub(super) struct Times {
    pub(super) sql: &'static str,
    of: [&'static Metric; 3],
}

/// Percona's and MariaDB's plugin; the latter two tables are Percona's alone.
pub(super) static TIMES: [Times; 3] = [
    Times {
        sql: "SELECT time, count, total FROM information_schema.QUERY_RESPONSE_TIME LIMIT 64",
        of: [&BUCKET, &SUM, &COUNT],
    },
    Times {
        sql: "SELECT time, count, total FROM information_schema.QUERY_RESPONSE_TIME_READ LIMIT 64",
        of: [&READ_BUCKET, &READ_SUM, &READ_COUNT],
    },
    Times {
        sql: "SELECT time, count, total FROM information_schema.QUERY_RESPONSE_TIME_WRITE LIMIT 64",
        of: [&WRITE_BUCKET, &WRITE_SUM, &WRITE_COUNT],
    },
];

impl Times {
    /// Each row counts what took longer than the row before; what is too long for any has no bound, and belongs to the count alone.
    pub(super) fn readings(&self, rows: &[Row]) -> Vec<Reading> {
        let [bucket, sum, count] = self.of;
        let (mut counted, mut total, mut readings) = (0.0, 0.0, Vec::new());
        for row in rows.iter().take(BUCKETS) {
            let number = |at: usize| row.get(at).and_then(|cell| cell.as_deref()?.trim().parse::<f64>().ok());
            counted += number(1).unwrap_or(0.0);
            total += number(2).unwrap_or(0.0);
            if let Some(bound) = number(0).filter(|bound| *bound > 0.0) {
                readings.push(bucket.with([&written(bound)], counted));
            }
        }
        readings.push(bucket.with(["+Inf"], counted));
        readings.extend([sum.is(total), count.is(counted)]);
        readings
    }
}

/// A bound as the public exporters write numbers: `0.001`, `1e-06`, `1e+06`.
fn written(bound: f64) -> String {
    let scientific = format!("{bound:e}");
    let Some((digits, power)) = scientific.split_once('e') else { return scientific };
    match power.parse::<i32>() {
        Ok(power) if power < -4 => format!("{digits}e-{:02}", -power),
        Ok(power) if power >= 6 => format!("{digits}e+{power:02}"),
        _ => bound.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<Row> {
        text.lines().map(|line| line.split('|').map(|cell| Some(cell.to_owned())).collect()).collect()
    }

    fn lines(readings: &[Reading]) -> String {
        let line = |reading: &Reading| format!("{}{:?} {}", reading.metric.name, reading.labels, reading.value);
        readings.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn innodb_counters_go_by_subsystem_and_kind() {
        let found = rows(
            "trx_rseg_history_len|transaction|value|5\nlock_deadlocks|lock|counter|2\nbroken|lock|counter|-1\n\
             buffer_pool_pages_total|buffer|value|99\nbuffer_pool_pages_dirty|buffer|value|3\nbuffer_pool_pages_free|buffer|value|4\n\
             buffer_pool_reads|buffer|status_counter|6\nbuffer_page_read_undo_log|buffer_page_io|counter|7\n\
             buffer_page_written_blob|buffer_page_io|counter|8",
        );
        insta::assert_snapshot!(lines(&innodb(&found)), @r#"
        mysql_info_schema_innodb_metrics_transaction_trx_rseg_history_len[] 5
        mysql_info_schema_innodb_metrics_lock_lock_deadlocks_total[] 2
        mysql_info_schema_innodb_metrics_lock_broken[] -1
        mysql_info_schema_innodb_metrics_buffer_pool_dirty_pages[] 3
        mysql_info_schema_innodb_metrics_buffer_pool_pages["free"] 4
        mysql_info_schema_innodb_metrics_buffer_buffer_pool_reads_total[] 6
        mysql_info_schema_innodb_metrics_buffer_page_read_total["undo_log"] 7
        mysql_info_schema_innodb_metrics_buffer_page_written_total["blob"] 8
        "#);
    }

    #[test]
    fn threads_are_counted_by_state_user_and_host() {
        let found = rows(
            "app|10.0.0.1|Sleep||3|30\napp|10.0.0.2|Query|Sending data: (x)|1|2\nsystem user||Daemon|InnoDB-purge|1|0",
        );
        insta::assert_snapshot!(lines(&processes(&found)), @r#"
        mysql_info_schema_processlist_threads["daemon", "innodb_purge"] 1
        mysql_info_schema_processlist_seconds["daemon", "innodb_purge"] 0
        mysql_info_schema_processlist_threads["query", "sending_data_x"] 1
        mysql_info_schema_processlist_seconds["query", "sending_data_x"] 2
        mysql_info_schema_processlist_threads["sleep", "unknown"] 3
        mysql_info_schema_processlist_seconds["sleep", "unknown"] 30
        mysql_info_schema_processlist_processes_by_user["app"] 4
        mysql_info_schema_processlist_processes_by_user["system user"] 1
        mysql_info_schema_processlist_processes_by_host["10.0.0.1"] 3
        mysql_info_schema_processlist_processes_by_host["10.0.0.2"] 1
        mysql_info_schema_processlist_processes_by_host["unknown"] 1
        "#);
    }

    #[test]
    fn binary_logs_and_query_times_are_added_up() {
        insta::assert_snapshot!(lines(&binlogs(&rows("binlog.000041|100|No\nbinlog.000042|50|No"))), @r"
        mysql_binlog_size_bytes[] 150
        mysql_binlog_files[] 2
        mysql_binlog_file_number[] 42
        ");
        insta::assert_snapshot!(lines(&TIMES[0].readings(&rows("0.000001|2|0.5\n 10.0|3|20.5\nTOO LONG|1|TOO LONG"))), @r#"
        mysql_info_schema_query_response_time_seconds_bucket["1e-06"] 2
        mysql_info_schema_query_response_time_seconds_bucket["10"] 5
        mysql_info_schema_query_response_time_seconds_bucket["+Inf"] 6
        mysql_info_schema_query_response_time_seconds_sum[] 21
        mysql_info_schema_query_response_time_seconds_count[] 6
        "#);
    }
}
