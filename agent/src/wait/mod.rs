//! `agent wait`: asks all dependencies at once, each with back-off, until every one answers or the time is up.
//! It knows checks and their probes; the command that follows and the command line are others' affair. What must stay true: the first
//! question is asked at once, nothing is waited for beyond the deadline, and whoever is not ready has a reason in the report.

mod dependency;
mod report;
mod show;

pub use dependency::{Change, Dependency};
pub(crate) use report::rounded;
pub use report::{Ended, Report};
pub use show::{Form, Show};

use crate::config::Check;
use crate::probes::net::Net;
use crate::probes::{self, Depth, Outcome};
use crate::{clock, limits};
use rustix::process::Signal;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval_at, sleep_until};

/// What is waited for, and how.
#[derive(Debug)]
pub struct Wanted {
    /// The dependencies.
    pub checks: Vec<Check>,
    /// How long in all.
    pub timeout: Duration,
    /// The longest pause between two questions to one dependency.
    pub longest_pause: Duration,
    /// Whether to give up when longer waiting cannot help.
    pub fail_fast: bool,
}

/// One question that has been answered, or not in time.
type Answer = (usize, Check, Outcome);

/// Waits. `stop` ends it early: it is a signal.
pub async fn wait(wanted: Wanted, show: &mut Show, stop: impl Future<Output = Signal>) -> Report {
    let began = clock::now();
    let mut gate = Gate::open(wanted, began);
    show.begin(&gate.dependencies, gate.timeout);
    let mut stop = std::pin::pin!(stop);
    let mut tick = interval_at(began + limits::WAIT_TICK, limits::WAIT_TICK);
    let ended = loop {
        if let Some(ended) = gate.verdict() {
            break ended;
        }
        tokio::select! {
            biased;
            signal = &mut stop => break Ended::Stopped(signal),
            Some(Ok(answer)) = gate.asking.join_next() => {
                let change = gate.learn(answer, clock::now());
                show.changed(&gate.dependencies, change, clock::now() - began);
            }
            _ = tick.tick() => show.tick(&gate.dependencies, clock::now() - began),
            // What a try cut by the deadline has learnt comes a moment after it.
            () = sleep_until(gate.deadline + limits::WAIT_LAST_WORDS) => break Ended::TimedOut,
        }
    };
    let report = gate.close(ended, clock::now());
    show.end(&report);
    report
}

/// The dependencies and the questions under way.
struct Gate {
    began: Instant,
    deadline: Instant,
    timeout: Duration,
    longest_pause: Duration,
    fail_fast: bool,
    dependencies: Vec<Dependency>,
    /// Those that are not being asked, because they are ready.
    at_rest: Vec<(usize, Check)>,
    asking: JoinSet<Answer>,
    net: Arc<Net>,
    places: Arc<Semaphore>,
}

impl Gate {
    /// Asks all of them.
    fn open(wanted: Wanted, began: Instant) -> Self {
        let Wanted { checks, timeout, longest_pause, fail_fast } = wanted;
        let mut gate = Self {
            began,
            deadline: began + timeout,
            timeout,
            longest_pause,
            fail_fast,
            dependencies: checks.iter().map(|check| Dependency::new(Arc::clone(&check.facts))).collect(),
            at_rest: Vec::new(),
            asking: JoinSet::new(),
            net: Arc::new(Net::default()),
            places: Arc::new(Semaphore::new(limits::PROBES_AT_ONCE)),
        };
        for (index, check) in checks.into_iter().enumerate() {
            gate.ask(index, check, began);
        }
        gate
    }

    /// Asks one at a moment, unless that is beyond the deadline.
    fn ask(&mut self, index: usize, mut check: Check, at: Instant) {
        if at >= self.deadline {
            return;
        }
        let (net, places, deadline) = (Arc::clone(&self.net), Arc::clone(&self.places), self.deadline);
        self.asking.spawn(async move {
            sleep_until(at).await;
            let _place = places.acquire_owned().await;
            let time = check.facts.timeout.min(deadline.saturating_duration_since(clock::now()));
            let outcome = probes::run(check.probe.as_mut(), &net, time, Depth::Dependency).await;
            (index, check, outcome)
        });
    }

    /// Takes in an answer, and sees to the next question.
    fn learn(&mut self, (index, check, outcome): Answer, now: Instant) -> Option<Change> {
        let dependency = self.dependencies.get_mut(index)?;
        let change = dependency.learn(outcome, now - self.began);
        if dependency.ready() {
            self.at_rest.push((index, check));
        } else {
            let pause = dependency.pause(self.longest_pause, fastrand::f64());
            self.ask(index, check, now + pause);
        }
        if self.dependencies.iter().all(Dependency::ready) {
            self.ask_again(now);
        }
        Some(Change { index, kind: change })
    }

    /// Asks those again that have been ready for long when the last one is: what was up a minute ago may have gone.
    fn ask_again(&mut self, now: Instant) {
        let old =
            |index: usize, gate: &Self| gate.dependencies.get(index).is_some_and(|one| one.stale(now - gate.began));
        let (stale, fresh) = std::mem::take(&mut self.at_rest).into_iter().partition(|(index, _)| old(*index, self));
        self.at_rest = fresh;
        let stale: Vec<(usize, Check)> = stale;
        for (index, check) in stale {
            self.dependencies.get_mut(index).into_iter().for_each(Dependency::doubt);
            self.ask(index, check, now);
        }
    }

    fn verdict(&self) -> Option<Ended> {
        if self.dependencies.iter().all(Dependency::ready) {
            return Some(Ended::Ready);
        }
        let hopeless = self.dependencies.iter().any(Dependency::hopeless);
        (self.fail_fast && hopeless).then_some(Ended::Hopeless)
    }

    fn close(self, ended: Ended, now: Instant) -> Report {
        let took = now - self.began;
        Report { ended, took, timeout: self.timeout, dependencies: self.dependencies }
    }
}

#[cfg(test)]
mod tests;
