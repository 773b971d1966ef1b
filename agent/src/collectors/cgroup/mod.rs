//! The peer's container, through its cgroup: found by name under a read-only mount, on v1, v2 and hybrid machines, without the
//! Docker socket. Restarts and OOM kills are counted here because a restarted container gets a new cgroup whose counters begin at 0.
//! "No limit" and "cannot be read" stay different answers. Source: kernel documentation, admin-guide/cgroup-v1 and cgroup-v2.

mod container;
mod find;
mod io;
mod kills;
mod labels;
pub(in crate::collectors) mod metrics;
pub(in crate::collectors) mod names;
pub(in crate::collectors) mod processes;
mod v1;
mod v2;

pub(in crate::collectors) use self::find::{Finder, Found, Tasks};
pub(in crate::collectors) use self::labels::Labels;

use self::find::{Layout, Lost};
use self::kills::{Kills, Look};
use super::facts::{CPU_THROTTLED_RATIO, CPU_USED_RATIO, MEMORY_USED_RATIO};
use super::files::{self, float, ratio};
use super::members::Members;
use super::pid;
use super::{Collected, Collector, Moment, PeerPlan, Roots, Source};
use crate::clock;
use crate::parser::Parser;
use crate::reading::{Metric, Reading};
use std::time::Duration;
use tokio::time::Instant;

/// The row of the table.
pub(super) static SOURCE: Source = Source {
    name: "cgroup",
    summary: "memory, processor, throttling, processes, pressure, devices, network, restarts and OOM kills of the peer's container, \
              also under cAdvisor's names",
    default_on: true,
    facts: metrics::FACTS,
    parsers: &[
        Parser { name: "cgroup_figures", read: v2::read_bytes },
        Parser { name: "cgroup_devices", read: read_devices },
        Parser { name: "cgroup_of_a_process", read: read_paths },
        Parser { name: "container_net_dev", read: processes::read_bytes },
    ],
    build: |roots, peer| Box::new(Cgroup::new(roots, peer)),
};

fn read_devices(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _read = (io::v2(&text), io::v1(&text, &text));
}

fn read_paths(bytes: &[u8]) {
    let _read = find::container_of(&String::from_utf8_lossy(bytes));
}

/// What a limit file says: a limit, or that there is none. A file that cannot be read is an error, not a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Limit {
    None,
    At(u64),
}

impl Limit {
    /// A number, or `max`.
    fn read(text: &str) -> Option<Self> {
        if text.trim() == "max" { Some(Self::None) } else { text.trim().parse().ok().map(Self::At) }
    }

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
    /// OOM kills in this very cgroup since it was made.
    own_oom_kills: Option<u64>,
    /// Page faults, and those that waited for a disk.
    faults: [Option<u64>; 2],
    /// What has no other use than to be exported.
    more: Vec<(&'static Metric, f64)>,
    devices: io::Devices,
}

/// The figures of these keys of a flat-keyed file.
fn keys(text: &str, wanted: &[(&'static Metric, &str)], more: &mut Vec<(&'static Metric, f64)>) {
    more.extend(wanted.iter().filter_map(|(metric, key)| Some((*metric, float(files::keyed(text, key)?)))));
}

/// A limit as cAdvisor tells it: 0 is none. One that cannot be read is absent.
fn spec(limit: Limit) -> f64 {
    limit.at().map_or(0.0, float)
}

#[derive(Debug)]
struct Before {
    now: Instant,
    cpu: Option<Duration>,
    periods: Option<u64>,
    throttled_periods: Option<u64>,
}

/// What is known of the container that was there last.
struct Life {
    identity: find::Identity,
    /// It was there at the last look.
    there: bool,
    /// Its directory outlives it, and counts on.
    outlives: bool,
    labels: Labels,
    /// The labels of what outlives it.
    lasting: Labels,
    seen_at: f64,
    /// When its directory was made, as far as its files tell.
    made_at: Option<f64>,
}

struct Cgroup {
    roots: Roots,
    finder: Finder,
    members: Members,
    plan: PeerPlan,
    life: Option<Life>,
    before: Option<Before>,
    restarts: u64,
    kills: Kills,
    devices: io::DeviceNames,
    machine: container::Machine,
}

impl Cgroup {
    fn new(roots: &Roots, peer: &PeerPlan) -> Self {
        Self {
            roots: roots.clone(),
            finder: Finder::new(roots, peer),
            members: Members::new(roots, peer),
            plan: peer.clone(),
            life: None,
            before: None,
            restarts: 0,
            kills: Kills::default(),
            devices: io::DeviceNames::default(),
            machine: container::Machine::default(),
        }
    }

    /// Takes note of the container that is there now; a new one after an old one is a restart.
    fn meet(&mut self, at: Moment, found: &Found, figures: &Figures) {
        let before = self.life.take();
        let known = before.as_ref().is_some_and(|life| life.identity == found.identity);
        let restarted = before.is_some() && !known;
        let ended = restarted && before.as_ref().is_some_and(|life| life.there);
        let outlives = found.count_outlives_the_container() && figures.own_oom_kills <= figures.oom_kills;
        let counted = if outlives { figures.oom_kills } else { figures.own_oom_kills };
        let around = self.kills_around(found.parent_is_the_peers, figures.oom_kills);
        self.kills.step(Look { counted, around, ended, outlives });
        if restarted {
            self.restarts += 1;
            self.before = None;
        }
        let labels = Labels::new(&self.plan.labels, &found.name(&self.plan)).with_id(&found.id);
        let lasting = if outlives { labels.with_id(&found.parent_id) } else { labels.clone() };
        let made_at = found.made_at().map(clock::unix);
        // The kernel may forget a file's time and begin it anew: the earliest is the truth.
        let earlier = before.filter(|_| known).and_then(|life| life.made_at);
        let made_at = earlier.into_iter().chain(made_at).reduce(f64::min);
        let (identity, seen_at) = (found.identity.clone(), clock::unix(at.wall));
        self.life = Some(Life { identity, there: true, outlives, labels, lasting, seen_at, made_at });
    }

    /// The count that tells of a kill which took the container's own count with it: the pod's on v2, otherwise the host's.
    fn kills_around(&self, parent_is_the_peers: bool, parents: Option<u64>) -> Option<u64> {
        let host = || files::keyed(&files::read(&self.roots.proc.join("vmstat")).ok()?, "oom_kill");
        if parent_is_the_peers { host() } else { parents.or_else(host) }
    }

    fn readings(&mut self, at: Moment, found: &Found, figures: &Figures) -> Vec<Reading> {
        let mut readings = metrics::plain(figures);
        let (proc, before) = (&self.roots.proc, self.before.as_ref());
        let total = pid::memory_total(proc);
        let most = figures.memory_limit.and_then(Limit::at).or(self.plan.memory_limit).or(total);
        let memory = figures.unreclaimable_bytes.zip(most).and_then(|(used, most)| ratio(used, most));
        readings.extend(memory.map(|used| MEMORY_USED_RATIO.with(["peer"], used)));
        let cores = figures.cpu_cores.flatten().or(self.plan.cpu_limit).unwrap_or_else(|| pid::host_cores(proc));
        let then = before.and_then(|before| Some((before.now, before.cpu?)));
        let cpu = figures.cpu.and_then(|cpu| pid::used_since(then, (at.now, cpu), cores));
        readings.extend(cpu.map(|used| CPU_USED_RATIO.with(["peer"], used)));
        readings.extend(
            before.and_then(|before| throttled(before, figures)).map(|share| CPU_THROTTLED_RATIO.with(["peer"], share)),
        );
        if let Some(life) = &self.life {
            container::plain(figures, &life.labels, &mut readings);
            self.devices.readings(&self.roots.sys, &figures.devices, &life.labels, &mut readings);
            let lines = found.tasks();
            let members = self.members.of(lines.as_ref());
            processes::readings(&self.roots.proc, &members, &life.labels, &mut readings);
            if let Some(lines) = lines {
                readings.push(life.labels.reading(&names::PROCESSES, &[], float(lines.all)));
            }
            if !members.seen() {
                readings.extend(life.made_at.map(|at| life.labels.reading(&names::START_TIME, &[], at)));
            }
        }
        self.machine.readings(&self.roots.proc, &mut readings);
        readings.extend(self.lasting());
        readings
    }

    /// What is true of the peer whether its container runs or not.
    fn lasting(&self) -> Vec<Reading> {
        let Some(life) = &self.life else { return Vec::new() };
        let mut readings =
            vec![metrics::RESTARTS.is(float(self.restarts)), life.labels.reading(&names::LAST_SEEN, &[], life.seen_at)];
        readings.extend(self.kills.all().map(|kills| life.lasting.reading(&names::OOM_EVENTS, &[], float(kills))));
        readings.extend(self.kills.counted.map(|counted| metrics::OOM_KILLS.with(["counted"], float(counted))));
        if !life.outlives && self.kills.around.is_some() {
            readings.push(metrics::OOM_KILLS.with(["inferred"], float(self.kills.inferred)));
        }
        readings
    }

    /// The container is not there. Once it was, its end is told: what killed it, and when it was seen last.
    fn without(&mut self, lost: Lost) -> Collected {
        self.before = None;
        let Some(life) = &mut self.life else { return Collected::Absent(lost.why()) };
        let (ended, outlives) = (life.there, life.outlives);
        life.there = false;
        let parents = match &lost {
            Lost::Ended { parent, .. } => v2::oom_kills(parent),
            Lost::Nowhere(_) => None,
        };
        let around = self.kills_around(true, None);
        self.kills.step(Look { counted: parents.filter(|_| outlives), around, ended, outlives });
        Collected::Noted(self.lasting(), lost.why())
    }
}

/// The share of scheduling periods since the last look in which the container was held back; 0 when no period passed.
fn throttled(before: &Before, now: &Figures) -> Option<f64> {
    let periods = now.periods?.checked_sub(before.periods?)?;
    let held = now.throttled_periods?.checked_sub(before.throttled_periods?)?;
    Some(ratio(held, periods).unwrap_or(0.0))
}

impl Collector for Cgroup {
    fn collect(&mut self, at: Moment) -> Collected {
        let found = match self.finder.find() {
            Ok(found) => found,
            Err(lost) => return self.without(lost),
        };
        let read = match &found.layout {
            Layout::V2(_) => v2::read(&found),
            Layout::V1(_) => v1::read(&found.by_controller),
        };
        let figures = match read {
            Ok(figures) => figures,
            Err(_) if found.has_ended() => return self.without(found.ended()),
            Err(error) => return Collected::Failed(error.to_string()),
        };
        self.meet(at, &found, &figures);
        let readings = self.readings(at, &found, &figures);
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
mod page_tests;
#[cfg(test)]
mod place_tests;
#[cfg(test)]
mod tests;
