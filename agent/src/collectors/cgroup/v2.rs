//! Figures of cgroup v2. Source: kernel documentation, admin-guide/cgroup-v2.

use super::find::Found;
use super::{Figures, Limit, io, keys, names, spec};
use crate::collectors::files::{self, Unread, float};
use crate::reading::Metric;
use std::path::Path;
use std::time::Duration;

/// Figures of `memory.stat`.
const MEMORY: &[(&Metric, &str)] = &[
    (&names::MEMORY_RSS, "anon"),
    (&names::MEMORY_CACHE, "file"),
    (&names::MEMORY_MAPPED, "file_mapped"),
    (&names::MEMORY_KERNEL, "kernel"),
    (&names::MEMORY_ACTIVE_FILE, "active_file"),
    (&names::MEMORY_INACTIVE_FILE, "inactive_file"),
    (&names::MEMORY_DIRTY, "file_dirty"),
    (&names::MEMORY_WRITEBACK, "file_writeback"),
    (&names::MEMORY_SCANNED, "pgscan"),
    (&names::MEMORY_STOLEN, "pgsteal"),
    (&names::MEMORY_REFAULT_FILE, "workingset_refault_file"),
    (&names::MEMORY_REFAULT_ANON, "workingset_refault_anon"),
];
/// Figures of `memory.events`: `failcnt` is v1's word for what v2 calls `max`.
const EVENTS: &[(&Metric, &str)] =
    &[(&names::MEMORY_HIGH, "high"), (&names::MEMORY_MAX, "max"), (&names::MEMORY_FAILCNT, "max")];
/// Resources with a PSI file, and the names of the times waited, by some and by all.
const PRESSURES: &[(&str, [&Metric; 2])] = &[
    ("cpu", [&names::PRESSURE_CPU_WAITING, &names::PRESSURE_CPU_STALLED]),
    ("memory", [&names::PRESSURE_MEMORY_WAITING, &names::PRESSURE_MEMORY_STALLED]),
    ("io", [&names::PRESSURE_IO_WAITING, &names::PRESSURE_IO_STALLED]),
];

/// Reads the container at `found`; its memory must be readable, the rest may be absent (a controller that is not enabled).
pub(super) fn read(found: &Found) -> Result<Figures, Unread> {
    let own = found.own.as_path();
    let mut figures = Figures::default();
    memory(own, &mut figures)?;
    if let Some(limit) = limit(&own.join("memory.max"))? {
        figures.more.push((&names::MEMORY_LIMIT, spec(limit)));
        figures.memory_limit = Some(limit.and(parents(found).unwrap_or(Limit::None)));
    }
    cpu(own, &mut figures);
    figures.pids = files::number(&own.join("pids.current")).ok();
    figures.pids_limit = limit(&own.join("pids.max")).ok().flatten();
    pressure(own, &mut figures);
    figures.devices = files::read(&own.join("io.stat")).map(|text| io::v2(&text)).unwrap_or_default();
    let events = files::read(&own.join("memory.events")).unwrap_or_default();
    keys(&events, EVENTS, &mut figures.more);
    figures.own_oom_kills = files::keyed(&events, "oom_kill");
    figures.oom_kills = if found.parent == found.own { figures.own_oom_kills } else { oom_kills(&found.parent) };
    Ok(figures)
}

/// The kills below a directory, which v2 counts hierarchically.
pub(super) fn oom_kills(folder: &Path) -> Option<u64> {
    files::read(&folder.join("memory.events")).ok().and_then(|text| files::keyed(&text, "oom_kill"))
}

fn memory(own: &Path, figures: &mut Figures) -> Result<(), Unread> {
    let used = files::number(&own.join("memory.current"))?;
    let stat = files::read(&own.join("memory.stat"))?;
    figures.memory_bytes = Some(used);
    figures.working_set_bytes = files::keyed(&stat, "inactive_file").map(|cold| used.saturating_sub(cold));
    figures.unreclaimable_bytes = unreclaimable(&stat);
    keys(&stat, MEMORY, &mut figures.more);
    figures.faults = [files::keyed(&stat, "pgfault"), files::keyed(&stat, "pgmajfault")];
    let number = |name: &str| files::number(&own.join(name)).ok().map(float);
    let limit = |name: &str| limit(&own.join(name)).ok().flatten().map(spec);
    let plain = [
        (&names::MEMORY_SWAP, number("memory.swap.current")),
        (&names::MEMORY_MAX_USAGE, number("memory.peak")),
        (&names::SWAP_LIMIT, limit("memory.swap.max")),
        (&names::RESERVATION, limit("memory.min")),
    ];
    figures.more.extend(plain.into_iter().filter_map(|(metric, value)| Some((metric, value?))));
    Ok(())
}

fn cpu(own: &Path, figures: &mut Figures) {
    let stat = files::read(&own.join("cpu.stat")).unwrap_or_default();
    let micros = |name: &str| files::keyed(&stat, name).map(Duration::from_micros);
    figures.cpu = micros("usage_usec");
    figures.periods = files::keyed(&stat, "nr_periods");
    figures.throttled_periods = files::keyed(&stat, "nr_throttled");
    figures.throttled = micros("throttled_usec");
    let times = [
        (&names::CPU_USER, micros("user_usec")),
        (&names::CPU_SYSTEM, micros("system_usec")),
        (&names::CFS_BURST, micros("burst_usec")),
    ];
    figures.more.extend(times.into_iter().filter_map(|(metric, time)| Some((metric, time?.as_secs_f64()))));
    keys(&stat, &[(&names::CFS_BURST_PERIODS, "nr_bursts")], &mut figures.more);
    if let Some((quota, period)) = files::read(&own.join("cpu.max")).ok().as_deref().and_then(quota) {
        figures.cpu_cores = Some(quota.and_then(|quota| files::ratio(quota, period)));
        figures.more.push((&names::CPU_PERIOD, float(period)));
        figures.more.extend(quota.map(|quota| (&names::CPU_QUOTA, float(quota))));
    }
    let weight = files::number(&own.join("cpu.weight")).ok().and_then(shares);
    figures.more.extend(weight.map(|shares| (&names::CPU_SHARES, float(shares))));
}

fn parents(found: &Found) -> Option<Limit> {
    limit(&found.parent.join("memory.max")).ok().flatten()
}

/// Anonymous and shared memory, and the kernel's less what it can give back. `kernel` is there since 5.18; its parts were before.
fn unreclaimable(stat: &str) -> Option<u64> {
    let get = |name: &str| files::keyed(stat, name);
    let kernel = match get("kernel") {
        Some(all) => all.saturating_sub(get("slab_reclaimable").unwrap_or(0)),
        None => ["kernel_stack", "pagetables", "percpu", "slab_unreclaimable"]
            .into_iter()
            .filter_map(get)
            .fold(0, u64::saturating_add),
    };
    Some(get("anon")?.saturating_add(get("shmem").unwrap_or(0)).saturating_add(kernel))
}

/// A limit file: a number, or `max`. A root cgroup has none of them, which is no limit known rather than no limit.
fn limit(path: &Path) -> Result<Option<Limit>, Unread> {
    match files::read(path) {
        Ok(text) => Limit::read(&text).map(Some).ok_or_else(|| files::odd(path, &text)),
        Err(Unread::Missing(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// `cpu.max`: `$QUOTA $PERIOD` in microseconds, the quota may be `max`.
fn quota(text: &str) -> Option<(Option<u64>, u64)> {
    let (quota, period) = text.trim().split_once(' ')?;
    let period = period.parse().ok().filter(|period| *period > 0)?;
    if quota == "max" { Some((None, period)) } else { Some((Some(quota.parse().ok()?), period)) }
}

/// A weight of 1 to 10 000 as the shares of v1, 2 to 262 144, as the container runtimes translate it.
fn shares(weight: u64) -> Option<u64> {
    (1..=10_000).contains(&weight).then(|| 2 + (weight - 1) * 262_142 / 9_999)
}

fn pressure(own: &Path, figures: &mut Figures) {
    for (resource, [waiting, stalled]) in PRESSURES {
        let Ok(text) = files::read(&own.join(format!("{resource}.pressure"))) else { continue };
        figures.pressure.extend(files::pressure(&text, "some").map(|share| (*resource, share)));
        for (metric, who) in [(*waiting, "some"), (*stalled, "full")] {
            figures.more.extend(files::waited(&text, who).map(|time| (metric, time.as_secs_f64())));
        }
    }
}

/// Reads any bytes as each of these files, for fuzzing.
pub(super) fn read_bytes(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut more = Vec::new();
    keys(&text, MEMORY, &mut more);
    let _read = (unreclaimable(&text), quota(&text), Limit::read(&text), files::waited(&text, "some"), shares(1), more);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_of_a_period_and_max_is_none() {
        assert_eq!(quota("50000 100000\n"), Some((Some(50_000), 100_000)));
        assert_eq!(quota("max 100000\n"), Some((None, 100_000)));
        assert_eq!(quota("rubbish\n"), None);
        assert_eq!(quota("50000 0\n"), None);
    }

    #[test]
    fn a_weight_is_shares() {
        assert_eq!([shares(0), shares(1), shares(39), shares(10_000)], [None, Some(2), Some(998), Some(262_144)]);
    }

    #[test]
    fn page_cache_and_reclaimable_slab_are_not_counted_against_the_limit() {
        let new = "anon 100\nfile 5000\nkernel 50\nshmem 30\nslab_reclaimable 20\n";
        assert_eq!(unreclaimable(new), Some(160));
        let old =
            "anon 100\nfile 5000\nkernel_stack 10\npagetables 5\nshmem 30\nslab_reclaimable 20\nslab_unreclaimable 7\n";
        assert_eq!(unreclaimable(old), Some(152));
        assert_eq!(unreclaimable("file 5000\n"), None);
        assert_eq!(unreclaimable(&format!("anon {0}\nkernel {0}\n", u64::MAX)), Some(u64::MAX));
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_the_parsers(text in "((anon|kernel|max|some|total=)? ?[0-9]{0,25}\n|.{0,40}\n){0,20}") {
            read_bytes(text.as_bytes());
        }
    }
}
