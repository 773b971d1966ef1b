//! The names of the container's figures, and those that need nothing but the figures.

use super::super::facts::{CPU_THROTTLED_RATIO, CPU_USED_RATIO, MEMORY_USED_RATIO, PIDS_USED_RATIO};
use super::super::files::{float, ratio};
use super::{Figures, Limit, names};
use crate::reading::{Metric, Reading};

static MEMORY: Metric =
    Metric::gauge("sidecar_peer_memory_bytes", "Memory charged to the peer's container in bytes, page cache included");
static WORKING_SET: Metric = Metric::gauge(
    "sidecar_peer_memory_working_set_bytes",
    "Memory of the peer's container less inactive page cache, in bytes, as cAdvisor counts it",
);
pub(in crate::collectors) static UNRECLAIMABLE: Metric = Metric::gauge(
    "sidecar_peer_memory_unreclaimable_bytes",
    "Memory of the peer's container that the kernel cannot take back: anonymous, shared and kernel memory, in bytes",
);
pub(in crate::collectors) static MEMORY_LIMIT: Metric = Metric::gauge(
    "sidecar_peer_memory_limit_bytes",
    "Memory limit of the peer's container in bytes; absent when it has none",
);
static CPU: Metric =
    Metric::counter("sidecar_peer_cpu_seconds_total", "CPU time of the peer's container in seconds, since it started");
pub(in crate::collectors) static CPU_LIMIT: Metric = Metric::gauge(
    "sidecar_peer_cpu_limit_cores",
    "Cores that the peer's container may use; absent when it has no quota",
);
static PERIODS: Metric =
    Metric::counter("sidecar_peer_cpu_periods_total", "CFS periods in which the peer's container was runnable");
static THROTTLED_PERIODS: Metric = Metric::counter(
    "sidecar_peer_cpu_throttled_periods_total",
    "CFS periods in which the peer's container was throttled",
);
static THROTTLED: Metric = Metric::counter(
    "sidecar_peer_cpu_throttled_seconds_total",
    "Time for which the peer's container was throttled, in seconds",
);
static PIDS: Metric = Metric::gauge("sidecar_peer_pids", "Processes and threads in the peer's container");
static PIDS_LIMIT: Metric = Metric::gauge(
    "sidecar_peer_pids_limit",
    "Most processes and threads in the peer's container; absent when there is no limit",
);
static PRESSURE: Metric = Metric::gauge(
    "sidecar_peer_pressure_ratio",
    "Share of the last ten seconds in which some task of the peer's container waited for the resource, 0 to 1 (cgroup v2 and hybrid)",
)
.labelled(&["resource"]);
/// Restarts seen.
pub(super) static RESTARTS: Metric = Metric::counter(
    "sidecar_peer_restarts_total",
    "Times the peer's container was replaced by a new one while the agent watched",
);
/// OOM kills over all lives of the container.
pub(super) static OOM_KILLS: Metric = Metric::counter(
    "sidecar_peer_oom_kills_total",
    "Processes of the peer's container killed for want of memory: `counted` by its cgroup, or `inferred` from its end when the host's count (cgroup v1) or its pod's (v2) rose with it",
)
.labelled(&["how"]);

/// All of them.
pub(super) const FACTS: &[&Metric] = &[
    &MEMORY_USED_RATIO,
    &CPU_USED_RATIO,
    &CPU_THROTTLED_RATIO,
    &PIDS_USED_RATIO,
    &MEMORY,
    &WORKING_SET,
    &UNRECLAIMABLE,
    &MEMORY_LIMIT,
    &CPU,
    &CPU_LIMIT,
    &PERIODS,
    &THROTTLED_PERIODS,
    &THROTTLED,
    &PIDS,
    &PIDS_LIMIT,
    &PRESSURE,
    &RESTARTS,
    &OOM_KILLS,
    &names::CPU_USAGE,
    &names::CPU_USER,
    &names::CPU_SYSTEM,
    &names::CFS_PERIODS,
    &names::CFS_THROTTLED_PERIODS,
    &names::CFS_THROTTLED,
    &names::CFS_BURST_PERIODS,
    &names::CFS_BURST,
    &names::MEMORY_USAGE,
    &names::MEMORY_WORKING_SET,
    &names::MEMORY_RSS,
    &names::MEMORY_CACHE,
    &names::MEMORY_SWAP,
    &names::MEMORY_MAPPED,
    &names::MEMORY_KERNEL,
    &names::MEMORY_MAX_USAGE,
    &names::MEMORY_ACTIVE_FILE,
    &names::MEMORY_INACTIVE_FILE,
    &names::MEMORY_DIRTY,
    &names::MEMORY_WRITEBACK,
    &names::MEMORY_FAILCNT,
    &names::MEMORY_HIGH,
    &names::MEMORY_MAX,
    &names::MEMORY_SCANNED,
    &names::MEMORY_STOLEN,
    &names::MEMORY_REFAULT_FILE,
    &names::MEMORY_REFAULT_ANON,
    &names::MEMORY_FAILURES,
    &names::OOM_EVENTS,
    &names::PROCESSES,
    &names::THREADS,
    &names::THREADS_MAX,
    &names::FILE_DESCRIPTORS,
    &names::SOCKETS,
    &names::ULIMITS,
    &names::START_TIME,
    &names::LAST_SEEN,
    &names::CPU_QUOTA,
    &names::CPU_PERIOD,
    &names::CPU_SHARES,
    &names::MEMORY_LIMIT,
    &names::SWAP_LIMIT,
    &names::RESERVATION,
    &names::FS_READS,
    &names::FS_WRITES,
    &names::FS_READ_BYTES,
    &names::FS_WRITTEN_BYTES,
    &names::BLKIO_USAGE,
    &names::FS_LIMIT,
    &names::FS_INODES,
    &names::FS_INODES_FREE,
    &names::RECEIVED_BYTES,
    &names::RECEIVED_PACKETS,
    &names::RECEIVED_DROPPED,
    &names::RECEIVED_ERRORS,
    &names::SENT_BYTES,
    &names::SENT_PACKETS,
    &names::SENT_DROPPED,
    &names::SENT_ERRORS,
    &names::PRESSURE_CPU_WAITING,
    &names::PRESSURE_CPU_STALLED,
    &names::PRESSURE_MEMORY_WAITING,
    &names::PRESSURE_MEMORY_STALLED,
    &names::PRESSURE_IO_WAITING,
    &names::PRESSURE_IO_STALLED,
    &names::MACHINE_CORES,
    &names::MACHINE_MEMORY,
    &names::MACHINE_SWAP,
];

/// The figures as they are; what is unknown, and a limit that is not set, is absent.
pub(super) fn plain(figures: &Figures) -> Vec<Reading> {
    let bytes = [
        (&MEMORY, figures.memory_bytes),
        (&WORKING_SET, figures.working_set_bytes),
        (&UNRECLAIMABLE, figures.unreclaimable_bytes),
        (&MEMORY_LIMIT, figures.memory_limit.and_then(Limit::at)),
        (&PERIODS, figures.periods),
        (&THROTTLED_PERIODS, figures.throttled_periods),
        (&PIDS, figures.pids),
        (&PIDS_LIMIT, figures.pids_limit.and_then(Limit::at)),
    ];
    let mut readings: Vec<Reading> =
        bytes.into_iter().filter_map(|(metric, value)| value.map(|value| metric.is(float(value)))).collect();
    let pids = figures.pids.zip(figures.pids_limit.and_then(Limit::at)).and_then(|(pids, most)| ratio(pids, most));
    readings.extend(pids.map(|used| PIDS_USED_RATIO.with(["peer"], used)));
    readings.extend(figures.cpu.map(|cpu| CPU.is(cpu.as_secs_f64())));
    readings.extend(figures.throttled.map(|time| THROTTLED.is(time.as_secs_f64())));
    readings.extend(figures.cpu_cores.flatten().map(|cores| CPU_LIMIT.is(cores)));
    readings.extend(figures.pressure.iter().map(|(resource, share)| PRESSURE.with([resource], *share)));
    readings
}
