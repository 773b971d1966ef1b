//! The host: memory, processors and load from sysinfo, and from `/proc` what sysinfo has no figure for (OOM kills, pressure, open
//! files). sysinfo is named in this file only. These files are not namespaced: in a container they tell of the host.

use super::facts::{CPU_USED_RATIO, FDS_USED_RATIO, MEMORY_USED_RATIO};
use super::files::{self, float, ratio};
use super::{Collected, Collector, Moment, PeerPlan, Roots, Source};
use crate::reading::{Metric, Reading};
use std::path::PathBuf;
use sysinfo::{CpuRefreshKind, MemoryRefreshKind, RefreshKind, System};

static MEMORY_TOTAL: Metric = Metric::gauge("sidecar_host_memory_total_bytes", "Memory of the host in bytes");
static MEMORY_AVAILABLE: Metric = Metric::gauge(
    "sidecar_host_memory_available_bytes",
    "Memory of the host that can be had without swapping, in bytes",
);
static SWAP_USED: Metric =
    Metric::gauge("sidecar_host_swap_used_ratio", "Swap in use divided by all swap, 0 to 1; absent without swap");
static CPUS: Metric = Metric::gauge("sidecar_host_cpus", "Processors of the host that are online");
static LOAD: Metric = Metric::gauge("sidecar_host_load", "Average number of runnable or blocked processes of the host")
    .labelled(&["over"]);
static BOOTED: Metric =
    Metric::gauge("sidecar_host_boot_time_seconds", "When the host booted, in seconds since the Unix epoch");
static OOM_KILLS: Metric =
    Metric::counter("sidecar_host_oom_kills_total", "Processes of the host killed for want of memory since it booted");
static PRESSURE: Metric = Metric::gauge(
    "sidecar_host_pressure_ratio",
    "Share of the last ten seconds in which some task of the host waited for the resource, 0 to 1",
)
.labelled(&["resource"]);

/// The row of the table.
pub(super) static SOURCE: Source = Source {
    name: "host",
    summary: "memory, processors, load, pressure, OOM kills and open files of the host",
    default_on: true,
    facts: &[
        &MEMORY_USED_RATIO,
        &CPU_USED_RATIO,
        &FDS_USED_RATIO,
        &MEMORY_TOTAL,
        &MEMORY_AVAILABLE,
        &SWAP_USED,
        &CPUS,
        &LOAD,
        &BOOTED,
        &OOM_KILLS,
        &PRESSURE,
    ],
    parsers: &[],
    build: |roots, _peer: &PeerPlan| Box::new(Host::new(roots)),
};

struct Host {
    proc: PathBuf,
    /// `None` where sysinfo does not know the system.
    system: Option<System>,
    /// A processor's use is a difference between two looks; the first has nothing to compare with.
    looked_before: bool,
    /// Does not change, and costs a look at `/proc/stat`.
    booted_at: Option<u64>,
}

impl Host {
    fn new(roots: &Roots) -> Self {
        let kind = RefreshKind::nothing()
            .with_memory(MemoryRefreshKind::everything())
            .with_cpu(CpuRefreshKind::nothing().with_usage());
        Self {
            proc: roots.proc.clone(),
            system: System::new_with_specifics(kind).ok(),
            looked_before: false,
            booted_at: None,
        }
    }

    fn ask_sysinfo(&mut self) -> Vec<Reading> {
        let Some(system) = &mut self.system else { return Vec::new() };
        system.refresh_memory();
        system.refresh_cpu_usage();
        let (total, available) = (system.total_memory(), system.available_memory());
        let mut readings = vec![
            MEMORY_TOTAL.is(float(total)),
            MEMORY_AVAILABLE.is(float(available)),
            CPUS.is(float(u64::try_from(system.cpus().len()).unwrap_or(u64::MAX))),
        ];
        if let Ok(load) = System::load_average() {
            let over = [("1m", load.one), ("5m", load.five), ("15m", load.fifteen)];
            readings.extend(over.map(|(over, load)| LOAD.with([over], load)));
        }
        self.booted_at = self.booted_at.or_else(|| System::boot_time().ok());
        readings.extend(self.booted_at.map(|at| BOOTED.is(float(at))));
        let used = ratio(total.saturating_sub(available), total);
        readings.extend(used.map(|used| MEMORY_USED_RATIO.with(["host"], used)));
        readings.extend(ratio(system.used_swap(), system.total_swap()).map(|used| SWAP_USED.is(used)));
        if self.looked_before {
            let used = f64::from(system.global_cpu_usage()) / 100.0;
            readings.push(CPU_USED_RATIO.with(["host"], used.clamp(0.0, 1.0)));
        }
        self.looked_before = true;
        readings
    }

    fn ask_proc(&self) -> Vec<Reading> {
        let text = |name: &str| files::read(&self.proc.join(name)).unwrap_or_default();
        let mut readings = Vec::new();
        readings.extend(files::keyed(&text("vmstat"), "oom_kill").map(|kills| OOM_KILLS.is(float(kills))));
        for resource in ["cpu", "memory", "io"] {
            let waited = files::pressure(&text(&format!("pressure/{resource}")), "some");
            readings.extend(waited.map(|share| PRESSURE.with([resource], share)));
        }
        readings.extend(open_files(&text("sys/fs/file-nr")).map(|used| FDS_USED_RATIO.with(["host"], used)));
        readings
    }
}

/// `/proc/sys/fs/file-nr`: allocated, free (always 0 since 2.6), most.
fn open_files(text: &str) -> Option<f64> {
    let mut words = text.split_whitespace();
    let allocated = words.next()?.parse().ok()?;
    ratio(allocated, words.nth(1)?.parse().ok()?)
}

impl Collector for Host {
    fn collect(&mut self, _at: Moment) -> Collected {
        let mut readings = self.ask_sysinfo();
        readings.extend(self.ask_proc());
        Collected::Readings(readings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::testing::{at, value};

    #[test]
    fn open_files_are_a_share_of_the_most() {
        assert_eq!(open_files("1024\t0\t4096\n"), Some(0.25));
        assert_eq!(open_files("1024\n"), None);
    }

    #[test]
    fn says_what_proc_says() {
        let mut host =
            Host::new(&Roots { proc: "/proc".into(), cgroup: "/sys/fs/cgroup".into(), ..Roots::of_system() });
        host.collect(at(0));
        let Collected::Readings(readings) = host.collect(at(1)) else { panic!("no readings") };
        let meminfo = files::read("/proc/meminfo".as_ref()).expect("meminfo");
        let total = files::keyed(&meminfo, "MemTotal").map(|kib| float(kib * 1024));
        assert_eq!(value(&readings, &MEMORY_TOTAL, &[]), total);
        let used = value(&readings, &MEMORY_USED_RATIO, &["host"]).expect("a ratio");
        assert!(used > 0.0 && used < 1.0, "{used}");
        assert!(value(&readings, &CPU_USED_RATIO, &["host"]).is_some());
    }

    #[test]
    fn has_no_processor_figure_before_there_is_something_to_compare() {
        let mut host = Host::new(&Roots { proc: "/nowhere".into(), cgroup: "/nowhere".into(), ..Roots::of_system() });
        let Collected::Readings(readings) = host.collect(at(0)) else { panic!("no readings") };
        assert_eq!(value(&readings, &CPU_USED_RATIO, &["host"]), None);
        assert_eq!(value(&readings, &OOM_KILLS, &[]), None, "a file that is not there gives no figure, and no zero");
    }
}
