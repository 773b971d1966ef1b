//! What a replica says of itself, of each source that it follows: as `mysql_slave_status_*`, and as the figures that all databases share.
//! MySQL renamed `Master` to `Source` and `Slave` to `Replica`; rules ask for the old words, so both are given.

use super::value::number;
use super::{label, names};
use crate::limits;
use crate::probes::mysql::session::Rows;
use crate::reading::{Metric, Reading};

pub(super) const FACTS: &[&Metric] = &[&STATUS, &GTID_IO, &GTID_SLAVE];

const LABELS: &[&str] = &["master_host", "master_uuid", "channel_name", "connection_name"];
const GTID_LABELS: &[&str] =
    &["master_host", "master_uuid", "channel_name", "connection_name", "domain_id", "server_id"];

static STATUS: Metric =
    Metric::untyped("mysql_slave_status_*", "Value of `*` in SHOW SLAVE STATUS, of each source").labelled(LABELS);
static GTID_IO: Metric = Metric::gauge(
    "mysql_slave_status_gtid_io_pos",
    "Sequence number of the last transaction that MariaDB received, by domain and server",
)
.labelled(GTID_LABELS);
static GTID_SLAVE: Metric = Metric::gauge(
    "mysql_slave_status_gtid_slave_pos",
    "Sequence number of the last transaction that MariaDB applied, by domain and server",
)
.labelled(GTID_LABELS);

/// The query of a version.
pub(in crate::probes::mysql) fn query(version: &str) -> &'static str {
    if version.contains("MariaDB") {
        "SHOW ALL SLAVES STATUS"
    } else if version.starts_with("5.") || version.starts_with("8.0") {
        "SHOW SLAVE STATUS"
    } else {
        "SHOW REPLICA STATUS"
    }
}

/// The state of one source.
struct Source<'a> {
    columns: &'a [String],
    row: &'a [Option<String>],
}

impl<'a> Source<'a> {
    fn all(found: &'a Rows) -> impl Iterator<Item = Self> {
        found.rows.iter().take(limits::MYSQL_SOURCES).map(|row| Self { columns: &found.columns, row })
    }

    /// The value of a column by its old name, whichever name it has here.
    fn get(&self, old: &str) -> &'a str {
        let at = self.columns.iter().position(|column| old_name(&names(column)) == old);
        at.and_then(|at| self.row.get(at)?.as_deref()).unwrap_or_default()
    }

    fn runs(&self) -> bool {
        ["slave_io_running", "slave_sql_running"].iter().all(|thread| self.get(thread) == "Yes")
    }
}

/// The name that a column had before MySQL 8.0.22.
fn old_name(name: &str) -> String {
    name.replace("source", "master").replace("replica_", "slave_").replace("_replica", "_slave")
}

/// What the shared figures need: whether there is a source, whether all of them work, and the largest lag of those that do.
pub(in crate::probes::mysql) struct Replication {
    pub(in crate::probes::mysql) replica: bool,
    pub(in crate::probes::mysql) running: bool,
    pub(in crate::probes::mysql) lag: Option<f64>,
}

/// Reads it from the answer to [`query`].
pub(in crate::probes::mysql) fn replication(found: &Rows) -> Replication {
    let running = Source::all(found).all(|source| source.runs());
    let lags = Source::all(found).filter_map(|source| source.get("seconds_behind_master").parse::<f64>().ok());
    Replication { replica: !found.rows.is_empty(), running, lag: lags.reduce(f64::max).filter(|_| running) }
}

/// The readings of the answer to [`query`].
pub(super) fn readings(found: &Rows) -> Vec<Reading> {
    let mut readings = Vec::new();
    for source in Source::all(found) {
        let labels: Vec<String> = LABELS.iter().map(|name| label(source.get(name))).collect();
        for (column, value) in source.columns.iter().zip(source.row) {
            let Some(value) = value.as_deref().and_then(number) else { continue };
            let name = names(column);
            let old = old_name(&name);
            for metric in [Some(&name), Some(&old).filter(|old| **old != name)].into_iter().flatten() {
                let metric = STATUS.named(metric);
                readings.extend(metric.map(|metric| Reading { metric, labels: labels.clone(), value }));
            }
        }
        readings.extend(positions(&GTID_IO, source.get("gtid_io_pos"), &labels));
        readings.extend(positions(&GTID_SLAVE, source.get("gtid_slave_pos"), &labels));
    }
    readings
}

/// `domain-server-sequence,…`
fn positions(metric: &'static Metric, text: &str, labels: &[String]) -> Vec<Reading> {
    let position = |gtid: &str| {
        let mut parts = gtid.trim().splitn(3, '-').map(str::parse::<u64>);
        let (domain, server) = (parts.next()?.ok()?, parts.next()?.ok()?);
        #[expect(clippy::cast_precision_loss, reason = "a count of transactions")]
        let sequence = parts.next()?.ok()? as f64;
        let labels = labels.iter().cloned().chain([domain.to_string(), server.to_string()]).collect();
        Some(Reading { metric, labels, value: sequence })
    };
    text.split(',').take(limits::MYSQL_SOURCES).filter_map(position).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Rows {
        let mut lines = text.lines().map(|line| line.split('|').map(str::to_owned).collect::<Vec<_>>());
        let columns = lines.next().unwrap();
        let cell = |cell: String| Some(cell).filter(|cell| cell != "NULL");
        Rows { columns, rows: lines.map(|line| line.into_iter().map(cell).collect()).collect() }
    }

    const MARIADB: &str = "Connection_name|Master_Host|Slave_IO_Running|Slave_SQL_Running|Seconds_Behind_Master|Gtid_IO_Pos\n\
                           a|db1|Yes|Yes|3|0-1-17,1-2-5\nb|db2|Yes|Yes|7|";

    #[test]
    fn all_sources_of_mariadb_count() {
        let found = rows(MARIADB);
        let shared = replication(&found);
        assert_eq!((shared.replica, shared.running, shared.lag), (true, true, Some(7.0)));
        let broken = replication(&rows(&MARIADB.replace("db2|Yes|Yes|7", "db2|Connecting|Yes|NULL")));
        assert_eq!((broken.replica, broken.running, broken.lag), (true, false, None));
        assert!(!replication(&Rows::default()).replica);
        let of = |name: &str| readings(&found).into_iter().filter(|r| r.metric.name == name).collect::<Vec<_>>();
        let lag = of("mysql_slave_status_seconds_behind_master");
        assert_eq!(lag.len(), 2);
        assert_eq!((lag[1].value, lag[1].labels.join(",")), (7.0, "db2,,,b".to_owned()));
        let gtid = of("mysql_slave_status_gtid_io_pos");
        assert_eq!((gtid[0].value, gtid[0].labels.join(",")), (17.0, "db1,,,a,0,1".to_owned()));
        assert_eq!(gtid.len(), 2);
    }

    #[test]
    fn the_new_words_of_mysql_8_are_given_as_the_old_ones_too() {
        let found = rows(
            "Source_Host|Source_UUID|Channel_Name|Replica_IO_Running|Replica_SQL_Running|Seconds_Behind_Source|Source_Server_Id\n\
             db1|u-1|c|Yes|No|NULL|1",
        );
        assert!(!replication(&found).running && replication(&found).replica);
        let names: Vec<String> = readings(&found)
            .iter()
            .map(|r| format!("{} {}", r.metric.name.trim_start_matches("mysql_slave_status_"), r.value))
            .collect();
        let expected = [
            "replica_io_running 1",
            "slave_io_running 1",
            "replica_sql_running 0",
            "slave_sql_running 0",
            "source_server_id 1",
            "master_server_id 1",
        ];
        assert_eq!(names, expected);
        assert_eq!(readings(&found)[0].labels, ["db1", "u-1", "c", ""]);
    }
}
