//! The peer's container, through its cgroup: found by name under a read-only mount, on v1, v2 and hybrid machines, without the
//! Docker socket. Restarts and OOM kills are counted here because a restarted container gets a new cgroup whose counters begin at 0.
//! "No limit" and "cannot be read" stay different answers. Source: kernel documentation, admin-guide/cgroup-v1 and cgroup-v2.

mod find;
pub(in crate::collectors) mod metrics;
mod v1;
mod v2;

use self::find::{Found, Layout};
use super::facts::{CPU_THROTTLED_RATIO, CPU_USED_RATIO, MEMORY_USED_RATIO};
use super::files::{self, float, ratio};
use super::pid;
use super::{Collected, Collector, Moment, PeerPlan, Roots, Source};
use crate::reading::Reading;
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::Instant;

/// The row of the table.
pub(super) static SOURCE: Source = Source {
    name: "cgroup",
    summary: "memory, processor, throttling, processes, pressure, restarts and OOM kills of the peer's container",
    default_on: true,
    facts: metrics::FACTS,
    parsers: &[],
    build: |roots, peer| Box::new(Cgroup::new(roots, peer)),
};

/// What a limit file says: a limit, or that there is none. A file that cannot be read is an error, not a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Limit {
    None,
    At(u64),
}

impl Limit {
    fn at(self) -> Option<u64> {
        match self {
            Self::None => None,
            Self::At(limit) => Some(limit),
        }
    }

    /// The tighter of two limits.
    fn and(self, other: Self) -> Self {
        match (self.at(), other.at()) {
            (Some(one), Some(two)) => Self::At(one.min(two)),
            (Some(one), None) | (None, Some(one)) => Self::At(one),
            (None, None) => Self::None,
        }
    }
}

/// The figures of one container, the same for both versions. What the kernel does not tell is absent.
#[derive(Clone, Debug, Default, PartialEq)]
struct Figures {
    memory_bytes: Option<u64>,
    working_set_bytes: Option<u64>,
    unreclaimable_bytes: Option<u64>,
    memory_limit: Option<Limit>,
    cpu: Option<Duration>,
    /// Cores that the quota allows.
    cpu_cores: Option<Option<f64>>,
    periods: Option<u64>,
    throttled_periods: Option<u64>,
    throttled: Option<Duration>,
    pids: Option<u64>,
    pids_limit: Option<Limit>,
    pressure: Vec<(&'static str, f64)>,
    /// OOM kills in this very cgroup since it was made (v1), or below the named one since that was made (v2).
    oom_kills: Option<u64>,
}

#[derive(Debug)]
struct Before {
    now: Instant,
    cpu: Option<Duration>,
    periods: Option<u64>,
    throttled_periods: Option<u64>,
}

struct Cgroup {
    roots: Roots,
    name: Option<String>,
    /// Limits as told, where the cgroup has none.
    told: (Option<u64>, Option<f64>),
    seen: Option<find::Identity>,
    before: Option<Before>,
    restarts: u64,
    kills: Kills,
}

/// OOM kills over all lives of the peer's container.
#[derive(Debug, Default)]
struct Kills {
    counted: u64,
    /// The cgroup's own count at the last look.
    last: u64,
    inferred: u64,
    /// The host's count at the last look.
    host: Option<u64>,
}

impl Cgroup {
    fn new(roots: &Roots, peer: &PeerPlan) -> Self {
        Self {
            roots: roots.clone(),
            name: peer.cgroup.clone(),
            told: (peer.memory_limit, peer.cpu_limit),
            seen: None,
            before: None,
            restarts: 0,
            kills: Kills::default(),
        }
    }

    fn find(&self) -> Result<(Layout, Found), String> {
        let Some(name) = &self.name else {
            return Err(
                "no cgroup is named: give the service a `cgroup_parent` and name it in `peer.cgroup`".to_owned()
            );
        };
        let own_mount = name.starts_with('/');
        let root = if own_mount { PathBuf::from(name) } else { self.roots.cgroup.clone() };
        let layout = Layout::of(&root).ok_or_else(|| {
            format!("no cgroup file system at `{}`: mount `/sys/fs/cgroup` read-only", root.display())
        })?;
        let found = layout.find((!own_mount).then_some(name))?;
        Ok((layout, found))
    }

    /// Takes note of the container that is there now; a new one after an old one is a restart.
    fn meet(&mut self, found: &Found, figures: &Figures, outlives: bool) {
        let known = self.seen.as_ref() == Some(&found.identity);
        let restarted = self.seen.is_some() && !known;
        let host = files::read(&self.roots.proc.join("vmstat")).ok().and_then(|text| files::keyed(&text, "oom_kill"));
        self.kills.step(figures.oom_kills, host, restarted, outlives);
        if restarted {
            self.restarts += 1;
            self.before = None;
        }
        self.seen = Some(found.identity.clone());
    }

    fn readings(&self, at: Moment, figures: &Figures, exact: bool) -> Vec<Reading> {
        let mut readings = metrics::plain(figures);
        let (proc, before) = (&self.roots.proc, self.before.as_ref());
        let most = figures.memory_limit.and_then(Limit::at).or(self.told.0).or_else(|| pid::memory_total(proc));
        let memory = figures.unreclaimable_bytes.zip(most).and_then(|(used, most)| ratio(used, most));
        readings.extend(memory.map(|used| MEMORY_USED_RATIO.with(["peer"], used)));
        let cores = figures.cpu_cores.flatten().or(self.told.1).unwrap_or_else(|| pid::host_cores(proc));
        let then = before.and_then(|before| Some((before.now, before.cpu?)));
        let cpu = figures.cpu.and_then(|cpu| pid::used_since(then, (at.now, cpu), cores));
        readings.extend(cpu.map(|used| CPU_USED_RATIO.with(["peer"], used)));
        readings.extend(
            before.and_then(|before| throttled(before, figures)).map(|share| CPU_THROTTLED_RATIO.with(["peer"], share)),
        );
        readings.push(metrics::RESTARTS.is(float(self.restarts)));
        if figures.oom_kills.is_some() {
            readings.push(metrics::OOM_KILLS.with(["counted"], float(self.kills.counted)));
        }
        if !exact && self.kills.host.is_some() {
            readings.push(metrics::OOM_KILLS.with(["inferred"], float(self.kills.inferred)));
        }
        readings
    }
}

/// The share of scheduling periods since the last look in which the container was held back; 0 when no period passed.
fn throttled(before: &Before, now: &Figures) -> Option<f64> {
    let periods = now.periods?.checked_sub(before.periods?)?;
    let held = now.throttled_periods?.checked_sub(before.throttled_periods?)?;
    Some(ratio(held, periods).unwrap_or(0.0))
}

impl Kills {
    /// `outlives`: the count belongs to a cgroup that outlives the container (v2), and so is exact over restarts. Otherwise a new
    /// container begins at 0, and the kill that ended the old one is inferred from a step of the host's count at its restart.
    fn step(&mut self, own: Option<u64>, host: Option<u64>, restarted: bool, outlives: bool) {
        let base = if restarted && !outlives { 0 } else { self.last };
        let new = own.map_or(0, |own| own.saturating_sub(base));
        self.counted += new;
        self.last = own.unwrap_or(0);
        let host_step = host.zip(self.host).map_or(0, |(now, before)| now.saturating_sub(before));
        if restarted && !outlives && host_step > new {
            self.inferred += 1;
        }
        self.host = host;
    }
}

impl Collector for Cgroup {
    fn collect(&mut self, at: Moment) -> Collected {
        let (layout, found) = match self.find() {
            Ok(found) => found,
            Err(why) => return Collected::Absent(why),
        };
        let read = match &layout {
            Layout::V2(_) => v2::read(&found),
            Layout::V1(_) => v1::read(&found.by_controller),
        };
        let figures = match read {
            Ok(figures) => figures,
            Err(error) => return Collected::Failed(error.to_string()),
        };
        let outlives = layout.counts_outlive_the_container(&found);
        self.meet(&found, &figures, outlives);
        let readings = self.readings(at, &figures, outlives);
        self.before = Some(Before {
            now: at.now,
            cpu: figures.cpu,
            periods: figures.periods,
            throttled_periods: figures.throttled_periods,
        });
        Collected::Readings(readings)
    }
}

#[cfg(test)]
mod tests;
