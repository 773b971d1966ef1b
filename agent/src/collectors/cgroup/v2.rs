//! Figures of cgroup v2. Source: kernel documentation, admin-guide/cgroup-v2.

use super::find::Found;
use super::{Figures, Limit};
use crate::collectors::files::{self, Unread};
use std::path::Path;
use std::time::Duration;

/// Reads the container at `found`; its memory must be readable, the rest may be absent (a controller that is not enabled).
pub(super) fn read(found: &Found) -> Result<Figures, Unread> {
    let own = found.own.as_path();
    let memory_bytes = files::number(&own.join("memory.current"))?;
    let memory = files::read(&own.join("memory.stat"))?;
    let cpu = files::read(&own.join("cpu.stat")).unwrap_or_default();
    let micros = |name: &str| files::keyed(&cpu, name).map(Duration::from_micros);
    let quota = files::read(&own.join("cpu.max")).ok();
    Ok(Figures {
        memory_bytes: Some(memory_bytes),
        working_set_bytes: files::keyed(&memory, "inactive_file").map(|cold| memory_bytes.saturating_sub(cold)),
        unreclaimable_bytes: unreclaimable(&memory),
        memory_limit: limit(&own.join("memory.max"))?.map(|own| own.and(parents(found).unwrap_or(Limit::None))),
        cpu: micros("usage_usec"),
        cpu_cores: quota.as_deref().and_then(cores),
        periods: files::keyed(&cpu, "nr_periods"),
        throttled_periods: files::keyed(&cpu, "nr_throttled"),
        throttled: micros("throttled_usec"),
        pids: files::number(&own.join("pids.current")).ok(),
        pids_limit: limit(&own.join("pids.max")).ok().flatten(),
        pressure: pressure(own),
        oom_kills: files::read(&found.parent.join("memory.events"))
            .ok()
            .and_then(|text| files::keyed(&text, "oom_kill")),
    })
}

fn parents(found: &Found) -> Option<Limit> {
    limit(&found.parent.join("memory.max")).ok().flatten()
}

/// Anonymous and shared memory, and the kernel's less what it can give back. `kernel` is there since 5.18; its parts were before.
fn unreclaimable(stat: &str) -> Option<u64> {
    let get = |name: &str| files::keyed(stat, name);
    let kernel = match get("kernel") {
        Some(all) => all.saturating_sub(get("slab_reclaimable").unwrap_or(0)),
        None => ["kernel_stack", "pagetables", "percpu", "slab_unreclaimable"].into_iter().filter_map(get).sum(),
    };
    Some(get("anon")? + get("shmem").unwrap_or(0) + kernel)
}

/// A limit file: a number, or `max`. A root cgroup has none of them, which is no limit known rather than no limit.
fn limit(path: &Path) -> Result<Option<Limit>, Unread> {
    match files::read(path) {
        Ok(text) if text.trim() == "max" => Ok(Some(Limit::None)),
        Ok(text) => text.trim().parse().map(|at| Some(Limit::At(at))).map_err(|_odd| files::odd(path, &text)),
        Err(Unread::Missing(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// `cpu.max`: `$QUOTA $PERIOD` in microseconds, the quota may be `max`.
fn cores(text: &str) -> Option<Option<f64>> {
    let (quota, period) = text.trim().split_once(' ')?;
    if quota == "max" {
        return Some(None);
    }
    let (quota, period) = (quota.parse().ok()?, period.parse().ok()?);
    files::ratio(quota, period).map(Some)
}

fn pressure(own: &Path) -> Vec<(&'static str, f64)> {
    let share = |resource: &'static str| {
        let text = files::read(&own.join(format!("{resource}.pressure"))).ok()?;
        Some((resource, files::pressure(&text, "some")?))
    };
    ["cpu", "memory", "io"].into_iter().filter_map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_cores_and_max_is_none() {
        assert_eq!(cores("50000 100000\n"), Some(Some(0.5)));
        assert_eq!(cores("max 100000\n"), Some(None));
        assert_eq!(cores("rubbish\n"), None);
    }

    #[test]
    fn page_cache_and_reclaimable_slab_are_not_counted_against_the_limit() {
        let new = "anon 100\nfile 5000\nkernel 50\nshmem 30\nslab_reclaimable 20\n";
        assert_eq!(unreclaimable(new), Some(160));
        let old =
            "anon 100\nfile 5000\nkernel_stack 10\npagetables 5\nshmem 30\nslab_reclaimable 20\nslab_unreclaimable 7\n";
        assert_eq!(unreclaimable(old), Some(152));
        assert_eq!(unreclaimable("file 5000\n"), None);
    }
}
