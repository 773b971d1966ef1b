//! Figures of cgroup v1, one tree a controller. Source: kernel documentation, admin-guide/cgroup-v1.

use super::find::Controllers;
use super::{Figures, Limit};
use crate::collectors::files::{self, Unread};
use std::path::Path;
use std::time::Duration;

/// "No limit" on v1 is the largest page-aligned number; every kernel's is above this.
const NO_LIMIT: u64 = 0x7fff_ffff_0000_0000;

/// Reads the container's directory under every controller that has one.
pub(super) fn read(own: &Controllers) -> Result<Figures, Unread> {
    let mut figures = Figures::default();
    if let Some(own) = &own.memory {
        memory(own, &mut figures)?;
    }
    if let Some(own) = &own.cpuacct {
        figures.cpu = files::number(&own.join("cpuacct.usage")).ok().map(Duration::from_nanos);
    }
    if let Some(own) = &own.cpu {
        cpu(own, &mut figures);
    }
    if let Some(own) = &own.pids {
        figures.pids = files::number(&own.join("pids.current")).ok();
        figures.pids_limit = pids_limit(own);
    }
    Ok(figures)
}

fn memory(own: &Path, figures: &mut Figures) -> Result<(), Unread> {
    let used = files::number(&own.join("memory.usage_in_bytes"))?;
    let path = own.join("memory.stat");
    let stat = files::read(&path)?;
    figures.memory_bytes = Some(used);
    figures.working_set_bytes = files::keyed(&stat, "total_inactive_file").map(|cold| used.saturating_sub(cold));
    let anonymous = files::keyed(&stat, "total_rss");
    figures.unreclaimable_bytes = anonymous.map(|rss| rss + files::keyed(&stat, "total_shmem").unwrap_or(0));
    let limit = files::number(&own.join("memory.limit_in_bytes"))?;
    // The limits of the parents count too, and this is the least of them all.
    let tightest = files::keyed(&stat, "hierarchical_memory_limit").unwrap_or(limit).min(limit);
    figures.memory_limit = Some(if tightest >= NO_LIMIT { Limit::None } else { Limit::At(tightest) });
    figures.oom_kills =
        files::read(&own.join("memory.oom_control")).ok().and_then(|text| files::keyed(&text, "oom_kill"));
    Ok(())
}

fn cpu(own: &Path, figures: &mut Figures) {
    let stat = files::read(&own.join("cpu.stat")).unwrap_or_default();
    figures.periods = files::keyed(&stat, "nr_periods");
    figures.throttled_periods = files::keyed(&stat, "nr_throttled");
    figures.throttled = files::keyed(&stat, "throttled_time").map(Duration::from_nanos);
    let number = |name: &str| files::read(&own.join(name)).ok().and_then(|text| text.trim().parse::<i64>().ok());
    figures.cpu_cores =
        number("cpu.cfs_quota_us").zip(number("cpu.cfs_period_us")).and_then(|(quota, period)| cores(quota, period));
}

/// A quota of -1 is none.
fn cores(quota: i64, period: i64) -> Option<Option<f64>> {
    if quota < 0 {
        return Some(None);
    }
    files::ratio(u64::try_from(quota).ok()?, u64::try_from(period).ok()?).map(Some)
}

fn pids_limit(own: &Path) -> Option<Limit> {
    let text = files::read(&own.join("pids.max")).ok()?;
    if text.trim() == "max" { Some(Limit::None) } else { text.trim().parse().ok().map(Limit::At) }
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
