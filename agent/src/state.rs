//! The only place that changes state (invariant 3): outcomes and collections go in one at a time, a [`Snapshot`] comes out.
//! [`State::apply`] is pure: it is told the time and waits for nothing. It knows neither probes at work nor pages.

mod reload;

use crate::causes::{Cause, Change, Changes, Watch, What};
use crate::clock;
use crate::collectors::Collected;
use crate::limits;
use crate::probes::{Elsewhere, Outcome, Reason};
use crate::reload::{Attempt, Reloads};
use crate::silence::Silence;
use crate::snapshot::{CheckFacts, CheckState, CheckView, Checks, Failure, LastRun, Snapshot, SourceView, Stage};
use crate::units::Span;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::sync::{mpsc, watch};

/// Something that happened, told to the writer.
#[derive(Debug)]
pub enum Event {
    /// A check's run ended.
    Ran {
        /// The check's number: its index in the first plan, or what the reload that brought it gave it.
        check: usize,
        /// When it ended.
        at: SystemTime,
        /// What it gave.
        outcome: Outcome,
    },
    /// The ports of a check that is refused were looked at.
    Looked {
        /// The check's number.
        check: usize,
        /// When.
        at: SystemTime,
        /// What listens elsewhere.
        elsewhere: Elsewhere,
    },
    /// A source was read.
    Collected {
        /// The source's number, likewise.
        source: usize,
        /// When.
        at: SystemTime,
        /// What it gave.
        collected: Collected,
    },
    /// Another configuration is in force.
    Reloaded {
        /// The order and what it changed.
        attempt: Arc<Attempt>,
        /// All checks in their new order with their numbers; a number that is known already is a check that goes on.
        checks: Vec<(usize, Arc<CheckFacts>)>,
        /// All sources, likewise.
        sources: Vec<(usize, &'static str)>,
    },
    /// A configuration was refused, and the one before stays in force.
    Refused(Arc<Attempt>),
    /// A maintenance window began, is another one, or is over.
    Silenced(Option<Silence>),
    /// The agent was asked to stop.
    Draining,
}

/// A check that changed its debounced state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The check's place in the order of the checks.
    pub check: usize,
    /// The state left.
    pub from: CheckState,
    /// The state entered.
    pub to: CheckState,
    /// The time spent in the state left; `None` when it had not been decided before.
    pub after: Option<Span>,
}

/// All that the agent remembers.
#[derive(Debug)]
pub struct State {
    started_at: SystemTime,
    stage: Stage,
    checks: Checks,
    sources: Vec<SourceView>,
    /// The number of each check and of each source, in their order.
    numbers: (Vec<usize>, Vec<usize>),
    causes: Watch,
    reloads: Reloads,
    silence: Option<Silence>,
    changes: Changes,
}

impl State {
    /// The state before anything was measured.
    #[must_use]
    pub fn new(started_at: SystemTime, checks: Vec<Arc<CheckFacts>>, sources: &[&'static str]) -> Self {
        Self {
            started_at,
            stage: Stage::Running,
            numbers: ((0..checks.len()).collect(), (0..sources.len()).collect()),
            checks: checks.into_iter().map(CheckView::unmeasured).collect(),
            sources: sources.iter().map(|name| unread(name)).collect(),
            causes: Watch::default(),
            changes: Changes::default(),
            reloads: Reloads::none(started_at),
            silence: None,
        }
    }

    /// Takes in one event; tells when a check changed its state.
    pub fn apply(&mut self, event: Event) -> Option<Transition> {
        match event {
            Event::Ran { check, at, outcome } => {
                let check = self.numbers.0.iter().position(|number| *number == check)?;
                let view = self.checks.get_mut(check)?;
                self.changes.ran(&view.facts.name, at, &outcome, view.usual_address);
                remember(view, at, outcome);
                let (from, since) = (view.state, view.since);
                let to = decide(view);
                view.state = to;
                if to != from {
                    view.since = Some(at);
                }
                self.causes.ran(check, view, at);
                if to == from {
                    return None;
                }
                self.changes.keep(changed(view, from, at));
                let after = since.and_then(|since| at.duration_since(since).ok()).map(Span);
                Some(Transition { check, from, to, after })
            }
            Event::Looked { check, at, elsewhere } => {
                let check = self.numbers.0.iter().position(|number| *number == check)?;
                let view = self.checks.get_mut(check)?;
                // A run may have succeeded meanwhile.
                if view.last.as_ref().is_some_and(|last| !last.outcome.ok()) {
                    view.elsewhere = Some(Arc::new(elsewhere));
                    self.causes.ran(check, view, at);
                }
                None
            }
            Event::Collected { source, at, collected } => {
                let source = self.numbers.1.iter().position(|number| *number == source)?;
                let view = self.sources.get_mut(source)?;
                self.changes.collected(at, &collected);
                view.at = Some(at);
                view.collected = Some(Arc::new(collected));
                self.causes.collected(view);
                None
            }
            Event::Reloaded { attempt, checks, sources } => {
                self.take_over(checks, sources);
                self.note(attempt);
                None
            }
            Event::Silenced(silence) => {
                self.silence = silence;
                None
            }
            Event::Refused(attempt) => {
                self.note(attempt);
                None
            }
            Event::Draining => {
                self.stage = Stage::Draining;
                None
            }
        }
    }

    /// The picture as of `at`.
    #[must_use]
    pub fn snapshot(&mut self, at: SystemTime) -> Snapshot {
        let mut snapshot = Snapshot {
            at,
            started_at: self.started_at,
            stage: self.stage,
            checks: self.checks.clone(),
            sources: self.sources.clone(),
            causes: Arc::default(),
            reloads: self.reloads.clone(),
            silence: self.silence.clone(),
            changes: self.changes.shown(),
        };
        snapshot.causes = self.causes.all(&snapshot);
        snapshot
    }
}

const fn unread(name: &'static str) -> SourceView {
    SourceView { name, at: None, collected: None }
}

fn remember(view: &mut CheckView, at: SystemTime, outcome: Outcome) {
    let same = view.last.as_ref().is_some_and(|last| last.outcome.ok() == outcome.ok());
    view.streak = if same { view.streak.saturating_add(1) } else { 1 };
    view.streak_since = view.streak_since.filter(|_| same).or(Some(at));
    view.runs += 1;
    match &outcome.fault {
        None => {
            view.last_ok_at = Some(at);
            view.usual_address = outcome.address.or(view.usual_address);
            view.elsewhere = None;
        }
        Some(fault) => {
            *Arc::make_mut(&mut view.failures).entry(fault.reason).or_default() += 1;
            let recent = Arc::make_mut(&mut view.recent_failures);
            if recent.len() >= limits::FAILURES_KEPT {
                recent.remove(0);
            }
            recent.push(Arc::new(Failure { at, took: outcome.took, fault: fault.clone() }));
        }
    }
    view.last = Some(Arc::new(LastRun { at, outcome }));
}

/// The debounced state after the last run. The first success decides at once: there is nothing yet to debounce it against.
fn decide(view: &CheckView) -> CheckState {
    let ok = view.last.as_ref().is_some_and(|last| last.outcome.ok());
    match (view.state, ok) {
        (CheckState::Unknown, true) => CheckState::Up,
        (CheckState::Unknown | CheckState::Up, false) if view.streak >= view.facts.fail_after => CheckState::Down,
        (CheckState::Down, true) if view.streak >= view.facts.ok_after => CheckState::Up,
        (state, _) => state,
    }
}

/// The writer: takes events until every sender is gone, logs transitions, and publishes a snapshot of all that had come. Under a flood
/// of events several go into one.
pub async fn write(mut state: State, mut events: mpsc::Receiver<Event>, publish: watch::Sender<Arc<Snapshot>>) {
    let mut come = Vec::new();
    let mut known: Arc<Vec<Cause>> = Arc::default();
    let mut next = clock::now();
    while events.recv_many(&mut come, limits::OUTCOMES_QUEUED).await > 0 {
        if clock::now() < next {
            tokio::time::sleep_until(next).await;
            while let Ok(event) = events.try_recv() {
                come.push(event);
            }
        }
        next = clock::now() + limits::PUBLISHED_APART;
        for event in come.drain(..) {
            if let Some(transition) = state.apply(event) {
                tell(&state, &transition);
            }
        }
        let snapshot = state.snapshot(clock::wall());
        tell_causes(&known, &snapshot);
        known = Arc::clone(&snapshot.causes);
        publish.send_replace(Arc::new(snapshot));
    }
}

fn tell(state: &State, transition: &Transition) {
    let Some(view) = state.checks.get(transition.check) else { return };
    let fault = view.last.as_ref().and_then(|last| last.outcome.fault.as_ref());
    let (check, was) = (view.facts.name.as_str(), transition.from.as_str());
    let after = transition.after.map(|after| after.to_string());
    match (transition.to, fault) {
        (CheckState::Up, _) => tracing::info!(check, was, after, "check is up"),
        (_, Some(fault)) => {
            let reason: Reason = fault.reason;
            tracing::warn!(check, was, after, %reason, why = fault.message, "check is down");
        }
        (_, None) => tracing::warn!(check, was, after, "check is down"),
    }
}

fn changed(view: &CheckView, from: CheckState, at: SystemTime) -> Change {
    let fault = view.last.as_ref().and_then(|last| last.outcome.fault.as_ref());
    let why = fault.filter(|_| view.state == CheckState::Down).map(|fault| format!(" ({})", fault.reason));
    let to = format!("{}{}", view.state.as_str(), why.unwrap_or_default());
    let subject = view.facts.name.clone();
    Change { at, what: What::State, subject, from: from.as_str().to_owned(), to }
}

/// One line for a cause that begins, one for a cause that ends. What follows from another cause is told at info.
fn tell_causes(before: &[Cause], snapshot: &Snapshot) {
    let among =
        |all: &[Cause], it: &Cause| all.iter().any(|other| other.kind == it.kind && other.subject == it.subject);
    for cause in snapshot.causes.iter().filter(|cause| !among(before, cause)) {
        let (name, about, why, fix) = (cause.kind.name, &cause.subject, &cause.evidence, &cause.fix);
        match &cause.caused_by {
            None => tracing::warn!(cause = name, about, why, fix, "cause found"),
            Some(caused_by) => tracing::info!(cause = name, about, caused_by, why, "cause found"),
        }
    }
    for cause in before.iter().filter(|cause| !among(&snapshot.causes, cause)) {
        let stood = Span(snapshot.at.duration_since(cause.since).unwrap_or_default()).to_string();
        tracing::info!(cause = cause.kind.name, about = cause.subject, stood, "cause is gone");
    }
}

#[cfg(test)]
mod tests;
