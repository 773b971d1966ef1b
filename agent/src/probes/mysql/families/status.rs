//! `SHOW GLOBAL STATUS` and `SHOW GLOBAL VARIABLES`: every number under its own name, the groups under a label, and what is known of a
//! Galera cluster.

use super::value::number;
use super::{label, names};
use crate::limits;
use crate::probes::sql::connection::Row;
use crate::reading::{Metric, Reading, Type};
use crate::small;
use std::collections::BTreeMap;

/// Names in lower case, each once, with their values.
pub(super) type Named = BTreeMap<String, String>;

pub(super) const FACTS: &[&Metric] = &[
    &STATUS,
    &COMMANDS,
    &HANDLERS,
    &CONNECTION_ERRORS,
    &POOL_PAGES,
    &DIRTY_PAGES,
    &PAGE_CHANGES,
    &ROW_OPS,
    &SCHEMA_LOST,
    &VARIABLES,
    &VERSION,
    &ISOLATION,
    &GALERA_STATUS,
    &GALERA_VARIABLES,
    &GCACHE,
    &GALERA_LATENCY,
];

static STATUS: Metric = Metric::untyped("mysql_global_status_*", "Value of `*` in SHOW GLOBAL STATUS");
static COMMANDS: Metric =
    Metric::counter("mysql_global_status_commands_total", "Statements executed since the server started, by command")
        .labelled(&["command"]);
static HANDLERS: Metric =
    Metric::counter("mysql_global_status_handlers_total", "Calls of storage engines since the server started, by call")
        .labelled(&["handler"]);
static CONNECTION_ERRORS: Metric = Metric::counter(
    "mysql_global_status_connection_errors_total",
    "Connections that failed since the server started, by cause",
)
.labelled(&["error"]);
static POOL_PAGES: Metric =
    Metric::gauge("mysql_global_status_buffer_pool_pages", "Pages of InnoDB's buffer pool, by state")
        .labelled(&["state"]);
static DIRTY_PAGES: Metric = Metric::gauge(
    "mysql_global_status_buffer_pool_dirty_pages",
    "Pages of InnoDB's buffer pool that are changed and not yet written",
);
static PAGE_CHANGES: Metric = Metric::counter(
    "mysql_global_status_buffer_pool_page_changes_total",
    "Operations on pages of InnoDB's buffer pool since the server started",
)
.labelled(&["operation"]);
static ROW_OPS: Metric = Metric::counter(
    "mysql_global_status_innodb_row_ops_total",
    "Operations of InnoDB on rows since the server started",
)
.labelled(&["operation"]);
static SCHEMA_LOST: Metric = Metric::counter(
    "mysql_global_status_performance_schema_lost_total",
    "What performance_schema could not watch for want of memory, by instrument",
)
.labelled(&["instrumentation"]);
static VARIABLES: Metric = Metric::gauge("mysql_global_variables_*", "Value of `*` in SHOW GLOBAL VARIABLES");
static VERSION: Metric = Metric::gauge("mysql_version_info", "Always 1; version and maker of the server as labels")
    .of(Type::Info)
    .labelled(&["innodb_version", "version", "version_comment"]);
static ISOLATION: Metric =
    Metric::gauge("mysql_transaction_isolation", "Always 1; the isolation level of new transactions as a label")
        .labelled(&["level"]);
static GALERA_STATUS: Metric = Metric::gauge("mysql_galera_status_info", "Always 1; this node of a Galera cluster")
    .of(Type::Info)
    .labelled(&["wsrep_local_state_uuid", "wsrep_cluster_state_uuid", "wsrep_provider_version"]);
static GALERA_VARIABLES: Metric =
    Metric::gauge("mysql_galera_variables_info", "Always 1; the Galera cluster that this node is of")
        .of(Type::Info)
        .labelled(&["wsrep_cluster_name"]);
static GCACHE: Metric = Metric::gauge("mysql_galera_gcache_size_bytes", "Size of Galera's cache of write sets");
static GALERA_LATENCY: Metric =
    Metric::gauge("mysql_galera_evs_repl_latency_*", "Latency of communication in the Galera cluster: *");

/// The groups of status variables, by the beginning of their names.
const GROUPS: &[(&str, &Metric)] = &[
    ("com_", &COMMANDS),
    ("handler_", &HANDLERS),
    ("connection_errors_", &CONNECTION_ERRORS),
    ("innodb_rows_", &ROW_OPS),
    ("performance_schema_", &SCHEMA_LOST),
];
const PAGES: &str = "innodb_buffer_pool_pages_";

/// Names and values of two columns.
pub(super) fn named(rows: &[Row]) -> Named {
    let pair = |row: &Row| Some((names(row.first()?.as_deref()?), row.get(1)?.clone()?));
    small::map(rows.iter().filter_map(pair))
}

/// The readings of SHOW GLOBAL STATUS.
pub(super) fn status(named: &Named) -> Vec<Reading> {
    let mut counts = [0_usize; GROUPS.len() + 1];
    let reading = |(name, text): (&String, &String)| {
        let value = number(text)?;
        let group = GROUPS.iter().position(|(begin, _)| name.starts_with(begin));
        let mut room = |group: usize| {
            let count = counts.get_mut(group)?;
            *count += 1;
            (*count <= limits::MYSQL_LABELS).then_some(())
        };
        if let Some((at, (begin, metric))) = group.and_then(|at| Some((at, GROUPS.get(at)?))) {
            room(at)?;
            return Some(metric.with([&label(name.strip_prefix(begin)?)], value));
        }
        match name.strip_prefix(PAGES) {
            None => STATUS.named(name).map(|metric| metric.is(value)),
            Some("total") => None,
            Some("dirty") => Some(DIRTY_PAGES.is(value)),
            Some(state @ ("data" | "free" | "misc" | "old")) => Some(POOL_PAGES.with([state], value)),
            Some(operation) => {
                room(GROUPS.len())?;
                Some(PAGE_CHANGES.with([&label(operation)], value))
            }
        }
    };
    let mut readings: Vec<Reading> = named.iter().filter_map(reading).collect();
    let text = |name: &str| named.get(name).map_or(String::new(), |text| label(text));
    if !text("wsrep_local_state_uuid").is_empty() {
        let labels = ["wsrep_local_state_uuid", "wsrep_cluster_state_uuid", "wsrep_provider_version"].map(text);
        readings.push(GALERA_STATUS.with([&labels[0], &labels[1], &labels[2]], 1.0));
    }
    readings.extend(latency(named.get("wsrep_evs_repl_latency").map_or("", String::as_str)));
    readings
}

/// `min/avg/max/deviation/samples`, in seconds.
fn latency(text: &str) -> Vec<Reading> {
    let numbers: Vec<f64> = text.split('/').map_while(|part| part.parse().ok()).collect();
    let names = ["min_seconds", "avg_seconds", "max_seconds", "stdev", "sample_size"];
    if numbers.len() != names.len() {
        return Vec::new();
    }
    names.iter().zip(numbers).filter_map(|(name, value)| Some(GALERA_LATENCY.named(name)?.is(value))).collect()
}

/// The readings of SHOW GLOBAL VARIABLES.
pub(super) fn variables(named: &Named) -> Vec<Reading> {
    let reading = |(name, text): (&String, &String)| Some(VARIABLES.named(name)?.is(number(text)?));
    let mut readings: Vec<Reading> = named.iter().filter_map(reading).collect();
    let text = |name: &str| named.get(name).map_or(String::new(), |text| label(text));
    let [innodb, version, comment] = ["innodb_version", "version", "version_comment"].map(text);
    readings.push(VERSION.with([&innodb, &version, &comment], 1.0));
    let level = [text("transaction_isolation"), text("tx_isolation")].into_iter().find(|level| !level.is_empty());
    readings.extend(level.map(|level| ISOLATION.with([&level], 1.0)));
    let cluster = text("wsrep_cluster_name");
    if !cluster.is_empty() {
        readings.push(GALERA_VARIABLES.with([&cluster], 1.0));
    }
    readings
        .extend(named.get("wsrep_provider_options").and_then(|options| gcache(options)).map(|size| GCACHE.is(size)));
    readings
}

/// `…; gcache.size = 128M; …`
fn gcache(options: &str) -> Option<f64> {
    let written = options.split(';').find_map(|option| option.trim().strip_prefix("gcache.size = "))?;
    let (digits, factor) = match written.strip_suffix(['M', 'G']) {
        Some(digits) if written.ends_with('M') => (digits, 1024.0 * 1024.0),
        Some(digits) => (digits, 1024.0 * 1024.0 * 1024.0),
        None => (written, 1.0),
    };
    digits.parse::<f64>().ok().map(|size| size * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(readings: &[Reading]) -> Vec<String> {
        let line = |reading: &Reading| format!("{}{:?} {}", reading.metric.name, reading.labels, reading.value);
        readings.iter().map(line).collect()
    }

    fn table(text: &str) -> Named {
        let row = |line: &str| line.split('|').map(|cell| Some(cell.to_owned())).collect();
        named(&text.lines().map(row).collect::<Vec<Row>>())
    }

    #[test]
    fn status_variables_go_into_their_families() {
        let found = table(
            "Uptime|7\nCom_select|3\nHandler_commit|4\nConnection_errors_max_connections|5\nInnodb_rows_read|6\n\
             Performance_schema_users_lost|1\nInnodb_buffer_pool_pages_data|8\nInnodb_buffer_pool_pages_dirty|9\n\
             Innodb_buffer_pool_pages_total|10\nInnodb_buffer_pool_pages_flushed|11\nRpl_status|AUTH_MASTER\n\
             wsrep_cluster_status|Primary\nwsrep_local_state_uuid|u\nwsrep_evs_repl_latency|0.1/0.2/0.3/0.04/5\nwsrep_apply.x|1",
        );
        insta::assert_snapshot!(lines(&status(&found)).join("\n"), @r#"
        mysql_global_status_commands_total["select"] 3
        mysql_global_status_connection_errors_total["max_connections"] 5
        mysql_global_status_handlers_total["commit"] 4
        mysql_global_status_buffer_pool_pages["data"] 8
        mysql_global_status_buffer_pool_dirty_pages[] 9
        mysql_global_status_buffer_pool_page_changes_total["flushed"] 11
        mysql_global_status_innodb_row_ops_total["read"] 6
        mysql_global_status_performance_schema_lost_total["users_lost"] 1
        mysql_global_status_uptime[] 7
        mysql_global_status_wsrep_apply_x[] 1
        mysql_global_status_wsrep_cluster_status[] 1
        mysql_galera_status_info["u", "", ""] 1
        mysql_galera_evs_repl_latency_min_seconds[] 0.1
        mysql_galera_evs_repl_latency_avg_seconds[] 0.2
        mysql_galera_evs_repl_latency_max_seconds[] 0.3
        mysql_galera_evs_repl_latency_stdev[] 0.04
        mysql_galera_evs_repl_latency_sample_size[] 5
        "#);
    }

    #[test]
    fn variables_give_version_isolation_and_cluster() {
        let found = table(
            "max_connections|151\nread_only|OFF\nversion|8.0.36\ninnodb_version|8.0.36\nversion_comment|MySQL\n\
             transaction_isolation|REPEATABLE-READ\nwsrep_cluster_name|shop\n\
             wsrep_provider_options|base_port = 4567; gcache.size = 128M; x = 1",
        );
        insta::assert_snapshot!(lines(&variables(&found)).join("\n"), @r#"
        mysql_global_variables_max_connections[] 151
        mysql_global_variables_read_only[] 0
        mysql_version_info["8.0.36", "8.0.36", "MySQL"] 1
        mysql_transaction_isolation["REPEATABLE-READ"] 1
        mysql_galera_variables_info["shop"] 1
        mysql_galera_gcache_size_bytes[] 134217728
        "#);
    }

    #[test]
    fn the_size_of_galeras_cache_has_its_unit() {
        let sizes = ["gcache.size = 512", "a = 1; gcache.size = 2M", "gcache.size = 2G; b", "gcache.size = x"];
        assert_eq!(sizes.map(gcache), [Some(512.0), Some(2_097_152.0), Some(2_147_483_648.0), None]);
    }

    #[test]
    fn a_server_that_makes_up_commands_gives_no_more_labels_than_the_cap() {
        let many: String = (0..limits::MYSQL_LABELS + 50).map(|at| format!("Com_made_up_{at}|1\n")).collect();
        assert_eq!(status(&table(&many)).len(), limits::MYSQL_LABELS);
    }
}
