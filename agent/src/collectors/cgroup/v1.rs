//! Figures of cgroup v1, one tree a controller. Source: kernel documentation, admin-guide/cgroup-v1.

use super::find::Controllers;
use super::{Figures, Limit, io, keys, names, spec};
use crate::collectors::files::{self, Unread, float};
use crate::collectors::pid;
use crate::reading::Metric;
use std::path::Path;
use std::time::Duration;

/// "No limit" on v1 is the largest page-aligned number; every kernel's is above this.
const NO_LIMIT: u64 = 0x7fff_ffff_0000_0000;

/// Figures of `memory.stat`, of the container and all below it.
const MEMORY: &[(&Metric, &str)] = &[
    (&names::MEMORY_RSS, "total_rss"),
    (&names::MEMORY_CACHE, "total_cache"),
    (&names::MEMORY_MAPPED, "total_mapped_file"),
    (&names::MEMORY_SWAP, "total_swap"),
    (&names::MEMORY_ACTIVE_FILE, "total_active_file"),
    (&names::MEMORY_INACTIVE_FILE, "total_inactive_file"),
    (&names::MEMORY_DIRTY, "total_dirty"),
    (&names::MEMORY_WRITEBACK, "total_writeback"),
];

/// Reads the container's directory under every controller that has one.
pub(super) fn read(own: &Controllers) -> Result<Figures, Unread> {
    let mut figures = Figures::default();
    if let Some(own) = &own.memory {
        memory(own, &mut figures)?;
    }
    if let Some(own) = &own.cpuacct {
        cpu_time(own, &mut figures);
    }
    if let Some(own) = &own.cpu {
        cpu(own, &mut figures);
    }
    if let Some(own) = &own.pids {
        figures.pids = files::number(&own.join("pids.current")).ok();
        figures.pids_limit = files::read(&own.join("pids.max")).ok().and_then(|text| Limit::read(&text));
    }
    if let Some(own) = &own.blkio {
        figures.devices = devices(own);
    }
    Ok(figures)
}

fn memory(own: &Path, figures: &mut Figures) -> Result<(), Unread> {
    let used = files::number(&own.join("memory.usage_in_bytes"))?;
    let stat = files::read(&own.join("memory.stat"))?;
    figures.memory_bytes = Some(used);
    figures.working_set_bytes = files::keyed(&stat, "total_inactive_file").map(|cold| used.saturating_sub(cold));
    let anonymous = files::keyed(&stat, "total_rss");
    figures.unreclaimable_bytes =
        anonymous.map(|rss| rss.saturating_add(files::keyed(&stat, "total_shmem").unwrap_or(0)));
    keys(&stat, MEMORY, &mut figures.more);
    figures.faults = [files::keyed(&stat, "total_pgfault"), files::keyed(&stat, "total_pgmajfault")];
    let limit = files::number(&own.join("memory.limit_in_bytes"))?;
    figures.more.push((&names::MEMORY_LIMIT, spec(at(limit))));
    // The limits of the parents count too, and this is the least of them all.
    figures.memory_limit = Some(at(files::keyed(&stat, "hierarchical_memory_limit").unwrap_or(limit).min(limit)));
    let number = |name: &str| files::number(&own.join(name)).ok();
    let plain = [
        (&names::MEMORY_FAILCNT, number("memory.failcnt").map(float)),
        (&names::MEMORY_MAX_USAGE, number("memory.max_usage_in_bytes").map(float)),
        (&names::MEMORY_KERNEL, number("memory.kmem.usage_in_bytes").map(float)),
        (&names::SWAP_LIMIT, number("memory.memsw.limit_in_bytes").map(|limit| spec(at(limit)))),
        (&names::RESERVATION, number("memory.soft_limit_in_bytes").map(|limit| spec(at(limit)))),
    ];
    figures.more.extend(plain.into_iter().filter_map(|(metric, value)| Some((metric, value?))));
    figures.oom_kills =
        files::read(&own.join("memory.oom_control")).ok().and_then(|text| files::keyed(&text, "oom_kill"));
    figures.own_oom_kills = figures.oom_kills;
    Ok(())
}

fn at(limit: u64) -> Limit {
    if limit >= NO_LIMIT { Limit::None } else { Limit::At(limit) }
}

fn cpu_time(own: &Path, figures: &mut Figures) {
    figures.cpu = files::number(&own.join("cpuacct.usage")).ok().map(Duration::from_nanos);
    let stat = files::read(&own.join("cpuacct.stat")).unwrap_or_default();
    let ticks = |name: &str| files::keyed(&stat, name).map(|count| pid::ticks(count).as_secs_f64());
    let times = [(&names::CPU_USER, ticks("user")), (&names::CPU_SYSTEM, ticks("system"))];
    figures.more.extend(times.into_iter().filter_map(|(metric, time)| Some((metric, time?))));
}

fn cpu(own: &Path, figures: &mut Figures) {
    let stat = files::read(&own.join("cpu.stat")).unwrap_or_default();
    figures.periods = files::keyed(&stat, "nr_periods");
    figures.throttled_periods = files::keyed(&stat, "nr_throttled");
    figures.throttled = files::keyed(&stat, "throttled_time").map(Duration::from_nanos);
    let burst = files::keyed(&stat, "burst_time").map(|time| Duration::from_nanos(time).as_secs_f64());
    figures.more.extend(burst.map(|time| (&names::CFS_BURST, time)));
    keys(&stat, &[(&names::CFS_BURST_PERIODS, "nr_bursts")], &mut figures.more);
    let number = |name: &str| files::read(&own.join(name)).ok().and_then(|text| text.trim().parse::<i64>().ok());
    let (quota, period) = (number("cpu.cfs_quota_us"), number("cpu.cfs_period_us"));
    figures.cpu_cores = quota.zip(period).and_then(|(quota, period)| cores(quota, period));
    let positive = |value: Option<i64>| value.and_then(|value| u64::try_from(value).ok()).map(float);
    let plain = [
        (&names::CPU_QUOTA, positive(quota)),
        (&names::CPU_PERIOD, positive(period)),
        (&names::CPU_SHARES, files::number(&own.join("cpu.shares")).ok().map(float)),
    ];
    figures.more.extend(plain.into_iter().filter_map(|(metric, value)| Some((metric, value?))));
}

/// A quota of -1 is none.
fn cores(quota: i64, period: i64) -> Option<Option<f64>> {
    if quota < 0 {
        return Some(None);
    }
    files::ratio(u64::try_from(quota).ok()?, u64::try_from(period).ok()?).map(Some)
}

/// Bytes and operations, of all below where the kernel sums them up.
fn devices(own: &Path) -> io::Devices {
    let read = |what: &str| {
        let path = |end: &str| own.join(format!("blkio.throttle.{what}{end}"));
        files::read(&path("_recursive")).or_else(|_| files::read(&path(""))).unwrap_or_default()
    };
    io::v1(&read("io_service_bytes"), &read("io_serviced"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_cores_and_minus_one_is_none() {
        assert_eq!(cores(150_000, 100_000), Some(Some(1.5)));
        assert_eq!(cores(-1, 100_000), Some(None));
        assert_eq!(cores(100, 0), None);
    }
}
