//! Those readings of a run or a collection that causes look at, picked out once so that no row walks through thousands of series.
//! They are known by name, as everybody who reads the page knows them; a test holds the names against the table of metrics.

use crate::reading::Reading;

/// The names, those of nodes and servers without `sidecar_` last.
pub(super) const WATCHED: &[&str] = &[
    "sidecar_memory_used_ratio",
    "sidecar_peer_memory_unreclaimable_bytes",
    "sidecar_peer_memory_limit_bytes",
    "sidecar_host_memory_total_bytes",
    "sidecar_host_memory_available_bytes",
    "sidecar_peer_cpu_limit_cores",
    "sidecar_peer_cpu_periods_total",
    "sidecar_peer_cpu_throttled_periods_total",
    "sidecar_pids_used_ratio",
    "sidecar_peer_pids",
    "sidecar_peer_pids_limit",
    "sidecar_fds_used_ratio",
    "sidecar_peer_process_open_fds",
    "sidecar_peer_process_max_fds",
    "sidecar_peer_process_start_time_seconds",
    "sidecar_peer_restarts_total",
    "sidecar_peer_oom_kills_total",
    "sidecar_host_oom_kills_total",
    "sidecar_disk_free_ratio",
    "sidecar_disk_free_bytes",
    "sidecar_disk_size_bytes",
    "sidecar_disk_inodes_free_ratio",
    "sidecar_disk_read_only",
    "sidecar_clock_offset_seconds",
    "sidecar_connections_used_ratio",
    "sidecar_database_connections",
    "sidecar_database_connections_max",
    "sidecar_database_uptime_seconds",
    "sidecar_database_is_replica",
    "sidecar_database_replication_up",
    "sidecar_database_replication_lag_seconds",
    "sidecar_database_memory_used_bytes",
    "sidecar_database_memory_max_bytes",
    "sidecar_pool_size",
    "sidecar_pool_checked_out",
    "namedprocess_namegroup_worst_fd_ratio",
    "nginx_connections_accepted",
    "nginx_connections_handled",
    "node_filesystem_size_bytes",
    "node_filesystem_avail_bytes",
    "node_filesystem_files",
    "node_filesystem_files_free",
    "node_filesystem_readonly",
    "node_timex_sync_status",
    "pg_stat_replication_pg_wal_lsn_diff",
];

/// Beginnings of those names: most readings have another, and are passed over by it.
const BEGINNINGS: &[&str] = &[
    "sidecar_",
    "namedprocess_namegroup_worst",
    "nginx_connections_",
    "node_filesystem_",
    "node_timex_sync",
    "pg_stat_replication_",
];

/// The readings, in their order.
#[derive(Clone, Debug, Default)]
pub struct Figures(Vec<Reading>);

impl Figures {
    /// Picks them out.
    #[must_use]
    pub fn of(readings: &[Reading]) -> Self {
        let watched = |reading: &&Reading| {
            let name = reading.metric.name;
            BEGINNINGS.iter().any(|begin| name.starts_with(begin)) && WATCHED.contains(&name)
        };
        Self(readings.iter().filter(watched).cloned().collect())
    }

    /// The first value of a metric.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<f64> {
        self.all(name).next().map(|(_, value)| value)
    }

    /// The value of a metric with this as one of its labels.
    #[must_use]
    pub fn labelled(&self, name: &str, label: &str) -> Option<f64> {
        self.all(name).find(|(labels, _)| labels.iter().any(|own| own == label)).map(|(_, value)| value)
    }

    /// All values of a metric with their labels.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a [String], f64)> {
        let named = self.0.iter().filter(move |reading| reading.metric.name == name);
        named.map(|reading| (reading.labels.as_slice(), reading.value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_that_is_watched_is_a_metric_of_the_table() {
        let table = crate::metrics::table();
        for name in WATCHED {
            assert!(table.iter().any(|metric| metric.name == *name), "{name}");
            assert!(BEGINNINGS.iter().any(|begin| name.starts_with(begin)), "{name} is passed over");
        }
    }
}
