//! The alert-ready figures that several collectors share. `scope` is `peer` (its container), `host` or `agent` (this process).

use crate::reading::Metric;

/// Memory in use against the limit.
pub static MEMORY_USED_RATIO: Metric = Metric::gauge(
    "sidecar_memory_used_ratio",
    "Memory that cannot be reclaimed divided by the limit (a container's limit, the host's memory), 0 to 1",
)
.labelled(&["scope"]);
/// CPU in use against the limit.
pub static CPU_USED_RATIO: Metric = Metric::gauge(
    "sidecar_cpu_used_ratio",
    "CPU time used since the last collection divided by what the limit (a container's quota, the host's cores) allowed, 0 to 1",
)
.labelled(&["scope"]);
/// Share of scheduling periods in which the container was throttled.
pub static CPU_THROTTLED_RATIO: Metric = Metric::gauge(
    "sidecar_cpu_throttled_ratio",
    "CFS periods in which the container was throttled divided by all periods since the last collection, 0 to 1",
)
.labelled(&["scope"]);
/// Free share of a file system.
pub static DISK_FREE_RATIO: Metric = Metric::gauge(
    "sidecar_disk_free_ratio",
    "Space available to unprivileged users divided by the size of the file system, 0 to 1",
)
.labelled(&["mountpoint"]);
/// Open file descriptors against the limit.
pub static FDS_USED_RATIO: Metric =
    Metric::gauge("sidecar_fds_used_ratio", "Open file descriptors divided by the limit, 0 to 1").labelled(&["scope"]);
/// Processes and threads against the limit.
pub static PIDS_USED_RATIO: Metric = Metric::gauge(
    "sidecar_pids_used_ratio",
    "Processes and threads of the container divided by its limit, 0 to 1; absent when it has none",
)
.labelled(&["scope"]);
