//! When probes run and collectors read: one task a check, one a source, one semaphore for all probes. Results go to the one
//! writer through a bounded channel. It decides nothing about health, and a hung probe or collector delays only itself.

use crate::collectors::{Collected, Collector, Moment};
use crate::config::Check;
use crate::probes::net::Net;
use crate::snapshot::CheckFacts;
use crate::state::Event;
use crate::units::Span;
use crate::{clock, limits, probes};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

/// Starts the checks and sources on `tasks`; dropping the set stops them.
pub struct Schedule {
    /// Where results go.
    pub events: mpsc::Sender<Event>,
    /// What probes share of the network.
    pub net: Arc<Net>,
    /// The running tasks.
    pub tasks: JoinSet<()>,
    permits: Arc<Semaphore>,
}

impl Schedule {
    /// A schedule with nothing on it.
    #[must_use]
    pub fn new(events: mpsc::Sender<Event>, net: Arc<Net>) -> Self {
        Self { events, net, tasks: JoinSet::new(), permits: Arc::new(Semaphore::new(limits::PROBES_AT_ONCE)) }
    }

    /// Puts a check on the schedule.
    pub fn check(&mut self, index: usize, check: Check) {
        let (events, net, permits) = (self.events.clone(), Arc::clone(&self.net), Arc::clone(&self.permits));
        self.tasks.spawn(repeat_check(index, check, Lane { events, net, permits }));
    }

    /// Puts a source on the schedule, read every `interval`.
    pub fn source(&mut self, index: usize, collector: Box<dyn Collector>, interval: Duration) {
        self.tasks.spawn(repeat_source(index, collector, interval, self.events.clone()));
    }
}

struct Lane {
    events: mpsc::Sender<Event>,
    net: Arc<Net>,
    permits: Arc<Semaphore>,
}

async fn repeat_check(index: usize, mut check: Check, lane: Lane) {
    let mut pace = Pace::default();
    tokio::time::sleep(limits::START_SPREAD.mul_f64(fastrand::f64())).await;
    loop {
        let Ok(permit) = lane.permits.acquire().await else { return };
        let began = clock::now();
        let outcome = probes::run(check.probe.as_mut(), &lane.net, check.facts.timeout).await;
        drop(permit);
        pace.ran(outcome.ok());
        if let Some(fault) = &outcome.fault {
            tracing::debug!(check = check.facts.name, reason = %fault.reason, why = fault.message, "run failed");
        }
        if lane.events.send(Event::Ran { check: index, at: clock::wall(), outcome }).await.is_err() {
            return;
        }
        tokio::time::sleep_until(began + pace.pause(&check.facts, fastrand::f64())).await;
    }
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

    /// The time from one start to the next; `chance` between 0 and 1 spreads checks over the interval by a tenth either way.
    fn pause(&self, facts: &CheckFacts, chance: f64) -> Duration {
        let enough = if self.ok { facts.ok_after } else { facts.fail_after };
        let first_success = self.ok && self.runs == u64::from(self.streak);
        let settled = first_success || self.streak >= enough;
        let quick = (facts.interval / 4).max(limits::QUICKEST_RETRY).min(facts.interval);
        let base = if settled { facts.interval } else { quick };
        base.mul_f64(0.9 + 0.2 * chance)
    }
}

async fn repeat_source(index: usize, collector: Box<dyn Collector>, interval: Duration, events: mpsc::Sender<Event>) {
    let mut idle = Some(collector);
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(mut collector) = idle.take() else { return };
        let moment = Moment { now: clock::now(), wall: clock::wall() };
        let mut reading = tokio::task::spawn_blocking(move || (collector.collect(moment), collector));
        let first = tokio::time::timeout(limits::COLLECT_TIMEOUT, &mut reading).await;
        let hung = first.is_err();
        let joined = match first {
            Ok(joined) => joined,
            Err(_elapsed) => {
                let why = format!("has not answered for {}", Span(limits::COLLECT_TIMEOUT));
                if tell(&events, index, Collected::Failed(why)).await.is_err() {
                    return;
                }
                reading.await
            }
        };
        let collected = match joined {
            Ok((collected, collector)) => {
                idle = Some(collector);
                collected
            }
            Err(_panic) => Collected::Failed("has a bug and gave up, please report it".to_owned()),
        };
        if !hung && tell(&events, index, collected).await.is_err() {
            return;
        }
    }
}

async fn tell(events: &mpsc::Sender<Event>, source: usize, collected: Collected) -> Result<(), ()> {
    events.send(Event::Collected { source, at: clock::wall(), collected }).await.map_err(|_closed| ())
}

#[cfg(test)]
mod bounds_tests;
#[cfg(test)]
mod tests;
