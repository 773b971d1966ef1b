//! What causes need of the past, and no more: when the peer was restarted or killed, how much it was throttled of late, what a server
//! was before. Pure and bounded: it is told what was measured and when, and keeps at most what `limits.rs` says.

use super::figures::Figures;
use crate::clock;
use crate::collectors::Collected;
use crate::limits;
use crate::snapshot::{CheckView, SourceView};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, SystemTime};

/// The moments of something that happens now and then, the last ones of them.
#[derive(Clone, Debug, Default)]
pub struct Recent(VecDeque<SystemTime>);

impl Recent {
    /// It has happened so many times more.
    pub fn happened(&mut self, times: f64, at: SystemTime) {
        let mut left = times;
        while left >= 1.0 && self.0.len() <= limits::EVENTS_REMEMBERED {
            self.0.push_back(at);
            left -= 1.0;
        }
        while self.0.len() > limits::EVENTS_REMEMBERED {
            self.0.pop_front();
        }
    }

    /// Those of the last `span`: how many, the first and the last.
    #[must_use]
    pub fn within(&self, span: Duration, now: SystemTime) -> Option<(usize, SystemTime, SystemTime)> {
        let young = |at: &&SystemTime| now.duration_since(**at).is_ok_and(|age| age <= span);
        let young: Vec<&SystemTime> = self.0.iter().filter(young).collect();
        Some((young.len(), **young.first()?, **young.last()?))
    }
}

/// A counter whose steps are events.
#[derive(Clone, Debug, Default)]
struct Steps {
    /// The count at the last look; the first look is no event, for who knows when that was.
    last: Option<f64>,
    events: Recent,
}

impl Steps {
    fn step(&mut self, count: Option<f64>, at: SystemTime) {
        let Some(count) = count else { return };
        let new = self.last.map_or(0.0, |last| count - last);
        self.events.happened(new, at);
        self.last = Some(count);
    }
}

/// Scheduling periods of late.
#[derive(Clone, Debug, Default)]
pub struct Throttling(VecDeque<(SystemTime, f64, f64)>);

impl Throttling {
    fn step(&mut self, figures: &Figures, at: SystemTime) {
        let periods = figures.value("sidecar_peer_cpu_periods_total");
        let held = figures.value("sidecar_peer_cpu_throttled_periods_total");
        let Some((periods, held)) = periods.zip(held) else { return self.0.clear() };
        if self.0.back().is_some_and(|(_, before, _)| *before > periods) {
            self.0.clear();
        }
        let long_ago = |then: SystemTime| at.duration_since(then).is_ok_and(|age| age > limits::THROTTLED_OVER);
        // One look beyond the window stays, so that what is kept spans it.
        while self.0.len() >= limits::EVENTS_REMEMBERED || self.0.get(1).is_some_and(|(then, ..)| long_ago(*then)) {
            self.0.pop_front();
        }
        self.0.push_back((at, periods, held));
    }

    /// The share of periods in which the container was held back, once the window is full and it ran in enough of them.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        let ((from, periods, held), (to, ..)) = (self.0.front()?, self.0.back()?);
        let (_, periods_now, held_now) = self.0.back()?;
        let spans = to.duration_since(*from).is_ok_and(|span| span >= limits::THROTTLED_OVER);
        let ran = periods_now - periods;
        (spans && ran >= limits::THROTTLED_PERIODS_LEAST).then(|| (held_now - held) / ran)
    }
}

/// Whether something that was there still is.
#[derive(Clone, Debug, Default)]
pub struct Presence {
    was_there: bool,
    /// Looks in a row at which it was not.
    missed: u32,
    since: Option<SystemTime>,
    why: String,
}

impl Presence {
    fn step(&mut self, there: bool, why: &str, at: SystemTime) {
        if there {
            *self = Self { was_there: true, ..Self::default() };
        } else if self.was_there {
            self.missed = self.missed.saturating_add(1);
            self.since.get_or_insert(at);
            why.clone_into(&mut self.why);
        }
    }

    /// Since when it is gone, and what was found in its place, in words; what was never there is not.
    #[must_use]
    pub fn gone(&self) -> Option<(SystemTime, &str)> {
        self.since.filter(|_| self.missed >= limits::GONE_LOOKS).map(|since| (since, self.why.as_str()))
    }
}

/// A pool that is fully checked out.
#[derive(Clone, Debug)]
pub struct FullPool {
    /// The part of the service that it belongs to; empty for its own.
    pub service: String,
    /// Runs in a row.
    pub runs: u32,
    /// The first of them.
    pub since: SystemTime,
}

/// What is remembered of a check.
#[derive(Clone, Debug, Default)]
pub struct CheckPast {
    /// Runs of the check when it was looked at last; a second look at one run counts nothing twice.
    runs: u64,
    /// Of the last run.
    pub figures: Figures,
    /// When the server was seen to take writes, before it became a replica.
    pub wrote_at: Option<SystemTime>,
    /// When it became a replica.
    pub turned_at: Option<SystemTime>,
    /// Runs in a row in which its replication was broken.
    pub link_down: u32,
    /// Pools that are fully checked out.
    pub full_pools: Vec<FullPool>,
    /// Connections that the server took and dropped, since it started.
    dropped: Option<f64>,
    /// When it last dropped some.
    pub dropped_at: Option<SystemTime>,
    /// When the server started, by its own uptime.
    started: Option<f64>,
}

impl CheckPast {
    fn ran(&mut self, check: &CheckView, at: SystemTime) {
        self.figures = Figures::of(check.readings());
        let figures = &self.figures;
        match figures.value("sidecar_database_is_replica") {
            Some(replica) if replica > 0.5 => self.turned_at = self.turned_at.or(self.wrote_at.map(|_| at)),
            Some(_) => (self.wrote_at, self.turned_at) = (Some(at), None),
            None => {}
        }
        let down = figures.value("sidecar_database_replication_up").is_some_and(|up| up < 0.5);
        self.link_down = if down { self.link_down.saturating_add(1) } else { 0 };
        let accepted = figures.value("nginx_connections_accepted");
        if let Some((accepted, handled)) = accepted.zip(figures.value("nginx_connections_handled")) {
            let dropped = accepted - handled;
            if self.dropped.is_some_and(|before| dropped > before) {
                self.dropped_at = Some(at);
            }
            self.dropped = Some(dropped);
        }
        self.full_pools = full_pools(figures, &self.full_pools, at);
    }

    fn has_full_pools(&self) -> bool {
        !self.full_pools.is_empty()
    }

    /// Whether its clock may be off.
    fn clock_counts(&self) -> bool {
        let off = limits::CLOCK_OFF.as_secs_f64() * limits::CAUSE_KEPT;
        self.figures.value("sidecar_clock_offset_seconds").is_some_and(|offset| offset.abs() > off)
    }

    /// Whether the server began anew since the last time it told its uptime.
    fn restarted(&mut self, at: SystemTime) -> bool {
        let Some(uptime) = self.figures.value("sidecar_database_uptime_seconds") else { return false };
        let started = clock::unix(at) - uptime;
        let before = self.started.replace(started);
        before.is_some_and(|before| started - before > limits::START_TIME_SLACK.as_secs_f64())
    }
}

fn full_pools(figures: &Figures, before: &[FullPool], at: SystemTime) -> Vec<FullPool> {
    let sizes = figures.all("sidecar_pool_size").filter(|(_, size)| *size > 0.0);
    let full = sizes.filter_map(|(labels, size)| {
        let service = labels.first()?;
        let out = figures.labelled("sidecar_pool_checked_out", service)?;
        let known = before.iter().find(|pool| pool.service == *service);
        let least =
            if known.is_some_and(|pool| pool.runs >= limits::POOL_FULL_RUNS) { limits::POOL_FULL_UNTIL } else { 1.0 };
        (out / size >= least).then(|| FullPool {
            service: service.clone(),
            runs: known.map_or(1, |pool| pool.runs.saturating_add(1)),
            since: known.map_or(at, |pool| pool.since),
        })
    });
    full.collect()
}

/// All that is remembered.
#[derive(Clone, Debug, Default)]
pub struct Past {
    checks: Vec<CheckPast>,
    /// How many of them have a pool that is fully checked out: counted along, for every run asks.
    with_full_pools: usize,
    sources: BTreeMap<&'static str, Figures>,
    /// Restarts of the peer by who saw them; one restart may be seen by several.
    restarts: BTreeMap<&'static str, Steps>,
    kills: BTreeMap<&'static str, Steps>,
    /// Of the peer's container.
    pub throttling: Throttling,
    /// The peer's container, and its process.
    pub presence: [Presence; 2],
    /// File systems that were seen to take writes.
    wrote: BTreeSet<String>,
    /// The host's clock was kept once.
    pub clock_was_kept: bool,
}

impl Past {
    /// Takes in a check's last run; tells whether rows about the whole picture may say something else now: a restart, a clock that is off,
    /// any run while a pool is fully checked out.
    pub fn ran(&mut self, index: usize, check: &CheckView, at: SystemTime) -> bool {
        let before = self.with_full_pools > 0;
        if self.checks.len() <= index {
            self.checks.resize_with(index + 1, CheckPast::default);
        }
        let Some(past) = self.checks.get_mut(index).filter(|past| past.runs != check.runs) else { return before };
        past.runs = check.runs;
        let (clock, had_full) = (past.clock_counts(), past.has_full_pools());
        past.ran(check, at);
        let clock = clock || past.clock_counts();
        self.with_full_pools = self.with_full_pools + usize::from(past.has_full_pools()) - usize::from(had_full);
        let restarted = past.restarted(at) && check.facts.peer;
        if restarted {
            self.restarts.entry("its uptime").or_default().events.happened(1.0, at);
        }
        restarted || clock || before || self.with_full_pools > 0
    }

    /// Follows the checks into their new order, as [`super::Watch::reordered`] does.
    pub fn reordered(&mut self, before: &[Option<usize>]) {
        super::watch::reorder(&mut self.checks, before);
        self.with_full_pools = self.checks.iter().filter(|check| check.has_full_pools()).count();
    }

    /// Forgets what sources told, and keeps what checks did.
    pub fn forget_sources(&mut self) {
        let (checks, with_full_pools) = (std::mem::take(&mut self.checks), self.with_full_pools);
        *self = Self { checks, with_full_pools, ..Self::default() };
    }

    /// Takes in a collection. One that failed says nothing, and what was known before stays.
    pub fn collected(&mut self, source: &SourceView) {
        let (Some(at), Some(collected)) = (source.at, source.collected.as_deref()) else { return };
        if matches!(collected, Collected::Failed(_)) {
            return;
        }
        let figures = Figures::of(collected.readings());
        let why = match collected {
            Collected::Absent(why) | Collected::Noted(_, why) => why.as_str(),
            _ => "",
        };
        match source.name {
            "cgroup" => self.container(&figures, why, at),
            "process" => self.process(&figures, why, at),
            "volumes" => self.volumes(&figures),
            "node" => self.node(&figures),
            _ => {}
        }
        self.sources.insert(source.name, figures);
    }

    fn container(&mut self, figures: &Figures, why: &str, at: SystemTime) {
        // What outlives the container is told without it; these are its own.
        let there = ["sidecar_memory_used_ratio", "sidecar_peer_pids", "sidecar_peer_cpu_periods_total"]
            .iter()
            .any(|name| figures.value(name).is_some());
        let [container, _] = &mut self.presence;
        container.step(there, why, at);
        let restarts = figures.value("sidecar_peer_restarts_total");
        self.restarts.entry("its container").or_default().step(restarts, at);
        for how in ["counted", "inferred"] {
            self.kills.entry(how).or_default().step(figures.labelled("sidecar_peer_oom_kills_total", how), at);
        }
        self.throttling.step(figures, at);
    }

    fn process(&mut self, figures: &Figures, why: &str, at: SystemTime) {
        let started = figures.value("sidecar_peer_process_start_time_seconds");
        let [_, process] = &mut self.presence;
        process.step(started.is_some(), why, at);
        let Some(started) = started else { return };
        let steps = self.restarts.entry("its process").or_default();
        // The kernel reckons it from a time of boot that follows the clock: some seconds are no restart.
        if steps.last.is_some_and(|last| started - last > limits::START_TIME_SLACK.as_secs_f64()) {
            steps.events.happened(1.0, at);
        }
        steps.last = Some(started);
    }

    fn volumes(&mut self, figures: &Figures) {
        let writable = figures.all("sidecar_disk_read_only").filter(|(_, read_only)| *read_only < 0.5);
        self.remember_writable(writable.filter_map(|(labels, _)| labels.first().cloned()).collect());
    }

    fn node(&mut self, figures: &Figures) {
        let writable = figures.all("node_filesystem_readonly").filter(|(_, read_only)| *read_only < 0.5);
        self.remember_writable(writable.filter_map(|(labels, _)| labels.get(1).cloned()).collect());
        self.clock_was_kept |= figures.value("node_timex_sync_status").is_some_and(|kept| kept > 0.5);
    }

    fn remember_writable(&mut self, points: Vec<String>) {
        let room = limits::NODE_MOUNTS.saturating_sub(self.wrote.len());
        self.wrote.extend(points.into_iter().take(room));
    }

    /// Of a check, by its place in the configuration.
    #[must_use]
    pub fn check(&self, index: usize) -> Option<&CheckPast> {
        self.checks.get(index)
    }

    /// The figures of a source at its last look that did not fail.
    #[must_use]
    pub fn source(&self, name: &str) -> Option<&Figures> {
        self.sources.get(name)
    }

    /// Restarts of the peer by who saw them.
    pub fn restarts(&self) -> impl Iterator<Item = (&'static str, &Recent)> {
        self.restarts.iter().map(|(seen_by, steps)| (*seen_by, &steps.events))
    }

    /// Kills for want of memory: `counted` or `inferred`.
    #[must_use]
    pub fn kills(&self, how: &str) -> Option<&Recent> {
        self.kills.get(how).map(|steps| &steps.events)
    }

    /// Whether a file system was seen to take writes.
    #[must_use]
    pub fn was_writable(&self, point: &str) -> bool {
        self.wrote.contains(point)
    }

    /// Whether this agent is the one that watches the host.
    #[must_use]
    pub fn watches_the_host(&self) -> bool {
        self.sources.contains_key("node")
    }
}
