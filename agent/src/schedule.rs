//! When probes run and collectors read: one task a check, one a source, one semaphore for all probes. Results go to the one
//! writer through a bounded channel. It decides nothing about health, and a hung probe or collector delays only itself: whoever
//! has its turn and does not end within [`limits::TURN`] goes on while the next one begins, and those whose last run hung, or that
//! have not run yet, wait among themselves.

mod beat;
mod collect;
mod elsewhere;

use crate::collectors::{Collector, PeerPlan, Roots};
use crate::config::Check;
use crate::probes::net::Net;
use crate::probes::{Depth, Outcome, Reason};
use crate::snapshot::CheckFacts;
use crate::state::Event;
use crate::{clock, limits, probes};
use beat::Beats;
use elsewhere::{Memory, Ports};
use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

/// Starts the checks and sources, and stops them; dropping it stops all.
pub struct Schedule {
    /// Where results go.
    pub events: mpsc::Sender<Event>,
    /// What probes share of the network.
    pub net: Arc<Net>,
    /// The task of each check by its number, in a set of its own so that it ends when it is dropped.
    checks: BTreeMap<usize, JoinSet<()>>,
    collecting: JoinSet<()>,
    permits: Arc<Semaphore>,
    turns: Arc<Semaphore>,
    unproven: Arc<Semaphore>,
    beats: Beats,
    /// What is known of ports; another one after a reload.
    ports: watch::Sender<Option<Arc<Ports>>>,
}

impl Schedule {
    /// A schedule with nothing on it.
    #[must_use]
    pub fn new(events: mpsc::Sender<Event>, net: Arc<Net>) -> Self {
        Self {
            events,
            net,
            checks: BTreeMap::new(),
            collecting: JoinSet::new(),
            permits: Arc::new(Semaphore::new(limits::PROBES_AT_ONCE)),
            turns: Arc::new(Semaphore::new(1)),
            unproven: Arc::new(Semaphore::new(limits::UNPROVEN_AT_ONCE)),
            beats: Beats::new(clock::now(), fastrand::u64(..)),
            ports: watch::Sender::default(),
        }
    }

    /// Lets checks look for their service on other ports when theirs refuses; `checks` are all
    /// that there are, `own` is the agent's port.
    pub fn look_elsewhere(&self, roots: Roots, peer: PeerPlan, checks: &[Arc<CheckFacts>], own: u16) {
        self.ports.send_replace(Some(Arc::new(Ports::new(roots, peer, checks, own))));
    }

    /// Puts a check on the schedule, under a number that no other has.
    pub fn check(&mut self, number: usize, check: Check) {
        let lane = Lane {
            events: self.events.clone(),
            net: Arc::clone(&self.net),
            permits: Arc::clone(&self.permits),
            turns: Arc::clone(&self.turns),
            unproven: Arc::clone(&self.unproven),
            beats: self.beats,
            ports: self.ports.subscribe(),
        };
        self.checks.entry(number).or_default().spawn(repeat_check(number, check, lane));
    }

    /// Takes a check off the schedule, its run with it, however it hangs. When this returns, it gives no result any more.
    pub async fn stop(&mut self, number: usize) {
        if let Some(mut task) = self.checks.remove(&number) {
            task.shutdown().await;
        }
    }

    /// Puts sources on the schedule, read every `interval`; each comes with its number.
    pub fn sources(&mut self, sources: Vec<(usize, Box<dyn Collector>)>, interval: Duration) {
        self.collecting.spawn(collect::repeat(sources, interval, self.events.clone()));
    }

    /// Takes all sources off the schedule. A thread that hangs in the kernel stays there; nobody hears of what it reads.
    pub async fn stop_sources(&mut self) {
        self.collecting.shutdown().await;
    }

    /// Stops everything.
    pub async fn shutdown(&mut self) {
        while let Some((_, mut task)) = self.checks.pop_first() {
            task.shutdown().await;
        }
        self.stop_sources().await;
    }
}

struct Lane {
    events: mpsc::Sender<Event>,
    net: Arc<Net>,
    permits: Arc<Semaphore>,
    turns: Arc<Semaphore>,
    unproven: Arc<Semaphore>,
    beats: Beats,
    ports: watch::Receiver<Option<Arc<Ports>>>,
}

async fn repeat_check(number: usize, mut check: Check, lane: Lane) {
    let mut pace = Pace::default();
    let mut last = Last::None;
    let mut memory = Memory::default();
    loop {
        let Some((began, outcome)) = run_once(&mut check, &lane, last).await else { return };
        last = Last::of(&outcome);
        pace.ran(outcome.ok());
        if let Some(fault) = &outcome.fault {
            tracing::debug!(check = check.facts.name, reason = %fault.reason, why = fault.message, "run failed");
        }
        // Told apart from the look at other ports, which takes a while.
        let ran = outcome.without_readings();
        if lane.events.send(Event::Ran { check: number, at: clock::wall(), outcome }).await.is_err() {
            return;
        }
        let ports = lane.ports.borrow().clone();
        if let Some(ports) = ports
            && let Some(elsewhere) = ports.after((&check.facts, &mut memory), &ran, &lane.net).await
            && lane.events.send(Event::Looked { check: number, at: clock::wall(), elsewhere }).await.is_err()
        {
            return;
        }
        let retry = pace.retry(&check.facts, fastrand::f64()).map(|pause| began + pause);
        tokio::time::sleep_until(retry.unwrap_or_else(|| lane.beats.after(began, check.facts.interval))).await;
    }
}

/// How the run before ended, as far as it matters for the next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    /// There was none.
    None,
    /// By itself.
    Ended,
    /// By its deadline.
    Hung,
}

impl Last {
    fn of(outcome: &Outcome) -> Self {
        match &outcome.fault {
            Some(fault) if fault.reason == Reason::Timeout => Self::Hung,
            _ => Self::Ended,
        }
    }
}

/// Waits for a place, and runs; `None` when the schedule has ended. A check that hung the last time, or is new and may, waits for a place
/// among its like, so that any number of dead peers delays no check that is known to end.
async fn run_once(check: &mut Check, lane: &Lane, last: Last) -> Option<(Instant, Outcome)> {
    let depth = if check.facts.peer { Depth::Peer } else { Depth::Dependency };
    let places = if last == Last::Ended { &lane.permits } else { &lane.unproven };
    let _place = places.acquire().await.ok()?;
    let turn = if last == Last::Hung { None } else { Some(lane.turns.acquire().await.ok()?) };
    let began = clock::now();
    let run = probes::run(check.probe.as_mut(), &lane.net, check.facts.timeout, depth);
    let outcome = match turn {
        Some(turn) => first_alone(turn, run).await,
        None => run.await,
    };
    Some((began, outcome))
}

/// Does the work, and lets go of the turn when it is done or the turn is over.
async fn first_alone<T>(turn: SemaphorePermit<'_>, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    if let Ok(done) = timeout(limits::TURN, work.as_mut()).await {
        return done;
    }
    drop(turn);
    work.await
}

/// How soon to look again: often while the result is news, at the interval once it is settled.
#[derive(Debug, Default)]
struct Pace {
    ok: bool,
    streak: u32,
    runs: u64,
}

impl Pace {
    fn ran(&mut self, ok: bool) {
        self.streak = if self.runs > 0 && self.ok == ok { self.streak.saturating_add(1) } else { 1 };
        self.ok = ok;
        self.runs += 1;
    }

    /// The time from one start to the next while the result is news; `None` once it is settled, and then the next beat will do.
    /// `chance` between 0 and 1 spreads it by [`limits::JITTER`] either way.
    fn retry(&self, facts: &CheckFacts, chance: f64) -> Option<Duration> {
        let enough = if self.ok { facts.ok_after } else { facts.fail_after };
        let first_success = self.ok && self.runs == u64::from(self.streak);
        let settled = first_success || self.streak >= enough;
        let quick = (facts.interval / 4).max(limits::QUICKEST_RETRY).min(facts.interval);
        (!settled).then(|| quick.mul_f64(1.0 + limits::JITTER * (2.0 * chance - 1.0)))
    }
}

#[cfg(test)]
mod bounds_tests;
#[cfg(test)]
mod tests;
