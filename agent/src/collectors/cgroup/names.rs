//! The container's figures under cAdvisor's names, types and labels. `id`, `image` and `name` are cAdvisor's own, `container`,
//! `namespace` and `pod` the kubelet's; what is not told is empty, which to Prometheus is a label that is not there.

use crate::reading::{Metric, Type};

/// Labels of every series.
pub(super) const BASE: usize = 6;

const fn gauge(name: &'static str, help: &'static str) -> Metric {
    Metric::gauge(name, help).labelled(&["container", "id", "image", "name", "namespace", "pod"])
}

const fn counter(name: &'static str, help: &'static str) -> Metric {
    gauge(name, help).of(Type::Counter)
}

const fn by_device(name: &'static str, help: &'static str) -> Metric {
    counter(name, help).labelled(&["container", "id", "image", "name", "namespace", "pod", "device"])
}

const fn by_interface(name: &'static str, help: &'static str) -> Metric {
    counter(name, help).labelled(&["container", "id", "image", "name", "namespace", "pod", "interface"])
}

pub(in crate::collectors) static CPU_USAGE: Metric = counter(
    "container_cpu_usage_seconds_total",
    "Processor time that the container used, in seconds; `cpu` is `total`",
)
.labelled(&["container", "id", "image", "name", "namespace", "pod", "cpu"]);
pub(in crate::collectors) static CPU_USER: Metric =
    counter("container_cpu_user_seconds_total", "Processor time that the container spent in user mode, in seconds");
pub(in crate::collectors) static CPU_SYSTEM: Metric =
    counter("container_cpu_system_seconds_total", "Processor time that the container spent in the kernel, in seconds");
pub(in crate::collectors) static CFS_PERIODS: Metric =
    counter("container_cpu_cfs_periods_total", "Enforcement periods of the quota in which the container was runnable");
pub(in crate::collectors) static CFS_THROTTLED_PERIODS: Metric = counter(
    "container_cpu_cfs_throttled_periods_total",
    "Enforcement periods in which the quota held the container back",
);
pub(in crate::collectors) static CFS_THROTTLED: Metric = counter(
    "container_cpu_cfs_throttled_seconds_total",
    "Time for which the quota held the container back, in seconds",
);
pub(in crate::collectors) static CFS_BURST_PERIODS: Metric = counter(
    "container_cpu_cfs_burst_periods_total",
    "Enforcement periods in which the container used time saved before",
);
pub(in crate::collectors) static CFS_BURST: Metric = counter(
    "container_cpu_cfs_burst_seconds_total",
    "Time that the container used beyond its quota out of what it had saved, in seconds",
);
pub(in crate::collectors) static MEMORY_USAGE: Metric =
    gauge("container_memory_usage_bytes", "Memory charged to the container in bytes, page cache included");
pub(in crate::collectors) static MEMORY_WORKING_SET: Metric = gauge(
    "container_memory_working_set_bytes",
    "Memory charged to the container less inactive page cache, in bytes, never below 0",
);
pub(in crate::collectors) static MEMORY_RSS: Metric =
    gauge("container_memory_rss", "Anonymous memory of the container in bytes");
pub(in crate::collectors) static MEMORY_CACHE: Metric =
    gauge("container_memory_cache", "Page cache of the container in bytes, shared memory included");
pub(in crate::collectors) static MEMORY_SWAP: Metric =
    gauge("container_memory_swap", "Swap that the container uses, in bytes");
pub(in crate::collectors) static MEMORY_MAPPED: Metric =
    gauge("container_memory_mapped_file", "Mapped files of the container in bytes");
pub(in crate::collectors) static MEMORY_KERNEL: Metric =
    gauge("container_memory_kernel_usage", "Kernel memory charged to the container in bytes");
pub(in crate::collectors) static MEMORY_MAX_USAGE: Metric =
    gauge("container_memory_max_usage_bytes", "Most memory that was ever charged to the container, in bytes");
pub(in crate::collectors) static MEMORY_ACTIVE_FILE: Metric =
    gauge("container_memory_total_active_file_bytes", "Page cache of the container that was used lately, in bytes");
pub(in crate::collectors) static MEMORY_INACTIVE_FILE: Metric = gauge(
    "container_memory_total_inactive_file_bytes",
    "Page cache of the container that was not used lately, in bytes",
);
pub(in crate::collectors) static MEMORY_DIRTY: Metric = gauge(
    "container_memory_file_dirty_bytes",
    "Page cache of the container that waits to be written to disk, in bytes",
);
pub(in crate::collectors) static MEMORY_WRITEBACK: Metric = gauge(
    "container_memory_file_writeback_bytes",
    "Page cache of the container that is being written to disk, in bytes",
);
pub(in crate::collectors) static MEMORY_FAILCNT: Metric =
    counter("container_memory_failcnt", "Times the container's memory reached its limit").of(Type::BareCounter);
pub(in crate::collectors) static MEMORY_HIGH: Metric = counter(
    "container_memory_events_high_total",
    "Times the container was slowed down above `memory.high` (cgroup v2)",
);
pub(in crate::collectors) static MEMORY_MAX: Metric = counter(
    "container_memory_events_max_total",
    "Times the container's memory was about to pass `memory.max` (cgroup v2)",
);
pub(in crate::collectors) static MEMORY_SCANNED: Metric = counter(
    "container_memory_pgscan_total",
    "Pages of the container that the kernel looked at in order to take them back (cgroup v2)",
);
pub(in crate::collectors) static MEMORY_STOLEN: Metric =
    counter("container_memory_pgsteal_total", "Pages of the container that the kernel took back (cgroup v2)");
pub(in crate::collectors) static MEMORY_REFAULT_FILE: Metric = counter(
    "container_memory_workingset_refault_file_total",
    "File pages of the container that were needed again after they had been taken back (cgroup v2)",
);
pub(in crate::collectors) static MEMORY_REFAULT_ANON: Metric = counter(
    "container_memory_workingset_refault_anon_total",
    "Anonymous pages of the container that were needed again after they had been taken back (cgroup v2)",
);
pub(in crate::collectors) static MEMORY_FAILURES: Metric = counter(
    "container_memory_failures_total",
    "Page faults of the container (`pgfault`), and those that waited for a disk (`pgmajfault`)",
)
.labelled(&["container", "id", "image", "name", "namespace", "pod", "failure_type", "scope"]);
pub(in crate::collectors) static OOM_EVENTS: Metric = counter(
    "container_oom_events_total",
    "Processes of the container killed for want of memory, over all its lives; on cgroup v1 those inferred at its end included. `id` is the cgroup that outlives it",
);
pub(in crate::collectors) static PROCESSES: Metric = gauge("container_processes", "Processes in the container");
pub(in crate::collectors) static THREADS: Metric = gauge("container_threads", "Processes and threads in the container");
pub(in crate::collectors) static THREADS_MAX: Metric =
    gauge("container_threads_max", "Most processes and threads in the container; 0 is no limit");
pub(in crate::collectors) static FILE_DESCRIPTORS: Metric = gauge(
    "container_file_descriptors",
    "Open file descriptors of the container's processes, where this user may count them",
);
pub(in crate::collectors) static SOCKETS: Metric =
    gauge("container_sockets", "Open sockets of the container's processes, where this user may count them");
pub(in crate::collectors) static ULIMITS: Metric =
    gauge("container_ulimits_soft", "Soft limit of the container's first process: the files that it may have open")
        .labelled(&["container", "id", "image", "name", "namespace", "pod", "ulimit"]);
pub(in crate::collectors) static START_TIME: Metric =
    gauge("container_start_time_seconds", "When the container started, in seconds since the Unix epoch");
pub(in crate::collectors) static LAST_SEEN: Metric = gauge(
    "container_last_seen",
    "When the container was last seen, in seconds since the Unix epoch; goes on standing after it has ended",
);
pub(in crate::collectors) static CPU_QUOTA: Metric = gauge(
    "container_spec_cpu_quota",
    "Processor time that the container may use in a period, in microseconds; absent when there is no quota",
);
pub(in crate::collectors) static CPU_PERIOD: Metric =
    gauge("container_spec_cpu_period", "Enforcement period of the quota in microseconds");
pub(in crate::collectors) static CPU_SHARES: Metric =
    gauge("container_spec_cpu_shares", "Weight of the container among others, as cgroup v1 counts it");
pub(in crate::collectors) static MEMORY_LIMIT: Metric =
    gauge("container_spec_memory_limit_bytes", "Memory limit of the container in bytes; 0 is no limit");
pub(in crate::collectors) static SWAP_LIMIT: Metric = gauge(
    "container_spec_memory_swap_limit_bytes",
    "Limit of the container's swap (cgroup v2) or of memory and swap (v1) in bytes; 0 is no limit",
);
pub(in crate::collectors) static RESERVATION: Metric = gauge(
    "container_spec_memory_reservation_limit_bytes",
    "Memory of the container that is kept for it, in bytes; 0 is none",
);
pub(in crate::collectors) static FS_READS: Metric =
    by_device("container_fs_reads_total", "Reads that the container caused on the device");
pub(in crate::collectors) static FS_WRITES: Metric =
    by_device("container_fs_writes_total", "Writes that the container caused on the device");
pub(in crate::collectors) static FS_READ_BYTES: Metric =
    by_device("container_fs_reads_bytes_total", "Bytes that the container read from the device");
pub(in crate::collectors) static FS_WRITTEN_BYTES: Metric =
    by_device("container_fs_writes_bytes_total", "Bytes that the container wrote to the device");
pub(in crate::collectors) static BLKIO_USAGE: Metric = counter(
    "container_blkio_device_usage_total",
    "Bytes that the container read from (`Read`) and wrote to (`Write`) the device",
)
.labelled(&["container", "id", "image", "name", "namespace", "pod", "device", "major", "minor", "operation"]);
pub(in crate::collectors) static FS_LIMIT: Metric = by_device(
    "container_fs_limit_bytes",
    "Size of the file system that holds the container's root, where this user may look into it, in bytes",
)
.of(Type::Gauge);
pub(in crate::collectors) static FS_INODES: Metric =
    by_device("container_fs_inodes_total", "Inodes of that file system").of(Type::Gauge);
pub(in crate::collectors) static FS_INODES_FREE: Metric =
    by_device("container_fs_inodes_free", "Free inodes of that file system").of(Type::Gauge);
pub(in crate::collectors) static RECEIVED_BYTES: Metric =
    by_interface("container_network_receive_bytes_total", "Bytes that the container's interface received");
pub(in crate::collectors) static RECEIVED_PACKETS: Metric =
    by_interface("container_network_receive_packets_total", "Packets that the container's interface received");
pub(in crate::collectors) static RECEIVED_DROPPED: Metric = by_interface(
    "container_network_receive_packets_dropped_total",
    "Packets that were dropped while the container's interface received",
);
pub(in crate::collectors) static RECEIVED_ERRORS: Metric =
    by_interface("container_network_receive_errors_total", "Errors of the container's interface while it received");
pub(in crate::collectors) static SENT_BYTES: Metric =
    by_interface("container_network_transmit_bytes_total", "Bytes that the container's interface sent");
pub(in crate::collectors) static SENT_PACKETS: Metric =
    by_interface("container_network_transmit_packets_total", "Packets that the container's interface sent");
pub(in crate::collectors) static SENT_DROPPED: Metric = by_interface(
    "container_network_transmit_packets_dropped_total",
    "Packets that were dropped while the container's interface sent",
);
pub(in crate::collectors) static SENT_ERRORS: Metric =
    by_interface("container_network_transmit_errors_total", "Errors of the container's interface while it sent");
pub(in crate::collectors) static PRESSURE_CPU_WAITING: Metric = counter(
    "container_pressure_cpu_waiting_seconds_total",
    "Time in which some task of the container waited for cpu, in seconds (cgroup v2 and hybrid)",
);
pub(in crate::collectors) static PRESSURE_CPU_STALLED: Metric = counter(
    "container_pressure_cpu_stalled_seconds_total",
    "Time in which every task of the container waited for cpu, in seconds (cgroup v2 and hybrid)",
);
pub(in crate::collectors) static PRESSURE_MEMORY_WAITING: Metric = counter(
    "container_pressure_memory_waiting_seconds_total",
    "Time in which some task of the container waited for memory, in seconds (cgroup v2 and hybrid)",
);
pub(in crate::collectors) static PRESSURE_MEMORY_STALLED: Metric = counter(
    "container_pressure_memory_stalled_seconds_total",
    "Time in which every task of the container waited for memory, in seconds (cgroup v2 and hybrid)",
);
pub(in crate::collectors) static PRESSURE_IO_WAITING: Metric = counter(
    "container_pressure_io_waiting_seconds_total",
    "Time in which some task of the container waited for io, in seconds (cgroup v2 and hybrid)",
);
pub(in crate::collectors) static PRESSURE_IO_STALLED: Metric = counter(
    "container_pressure_io_stalled_seconds_total",
    "Time in which every task of the container waited for io, in seconds (cgroup v2 and hybrid)",
);

/// The machine's, with cAdvisor's label of the machine that can be read without root.
pub(super) static MACHINE_CORES: Metric =
    Metric::gauge("machine_cpu_cores", "Logical processors of the machine; every sidecar on it tells them")
        .labelled(&["boot_id"]);
pub(super) static MACHINE_MEMORY: Metric =
    Metric::gauge("machine_memory_bytes", "Memory of the machine in bytes; every sidecar on it tells it")
        .labelled(&["boot_id"]);
pub(super) static MACHINE_SWAP: Metric =
    Metric::gauge("machine_swap_bytes", "Swap of the machine in bytes; every sidecar on it tells it")
        .labelled(&["boot_id"]);
