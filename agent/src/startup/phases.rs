//! The phases one after the other, the steps of one together as soon as what they depend on has succeeded. The first failure ends it.

use super::tell::{Tell, milliseconds};
use super::{environment, hook};
use crate::config::{Environment, Hook, PhasePlan, Step, Work};
use crate::probes::net::Net;
use crate::probes::{self, Depth, Fault, Outcome};
use crate::state::Event;
use crate::supervise::Children;
use crate::{clock, limits};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// What every step needs.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) children: Children,
    pub(super) tell: Tell,
    pub(super) net: Arc<Net>,
    /// The variables of this process.
    pub(super) env: Arc<Environment>,
    /// Turns true when everything under way is to end.
    pub(super) halt: watch::Receiver<bool>,
    pub(super) halt_all: watch::Sender<bool>,
    /// Where results go, and the index of each step there.
    pub(super) events: mpsc::Sender<Event>,
    pub(super) indices: Arc<BTreeMap<String, usize>>,
}

/// A hook to be run at the end.
pub(super) struct Undo {
    pub(super) step: String,
    pub(super) hook: Hook,
    pub(super) time: Duration,
}

/// How far a start has come.
#[derive(Default)]
pub(super) struct Progress {
    /// Steps that have succeeded.
    pub(super) done: BTreeSet<String>,
    /// What is to be undone, in the order in which the steps succeeded.
    pub(super) undo: Vec<Undo>,
}

/// Runs them all. The error is the step that failed.
pub(super) async fn run(phases: Vec<PhasePlan>, desk: &Desk, progress: &mut Progress) -> Result<(), String> {
    let total = phases.len();
    for (number, phase) in phases.into_iter().enumerate() {
        if *desk.halt.borrow() {
            return Err(phase.name);
        }
        let (began, number) = (clock::now(), number + 1);
        let fields = json!({"phase": phase.name, "number": number, "of": total, "steps": phase.steps.len()});
        desk.tell.event("phase", fields, &format!("phase {number}/{total}: {}", phase.name));
        one(phase, desk, progress).await?;
        desk.tell.event("phase_done", json!({"number": number, "took_ms": milliseconds(clock::now() - began)}), "");
    }
    Ok(())
}

async fn one(phase: PhasePlan, desk: &Desk, progress: &mut Progress) -> Result<(), String> {
    let mut open = phase.steps;
    let mut running = JoinSet::new();
    let mut failed = None;
    loop {
        if failed.is_none() {
            let (free, later): (Vec<Step>, Vec<Step>) =
                open.into_iter().partition(|step| step.depends_on.iter().all(|name| progress.done.contains(name)));
            open = later;
            for step in free {
                running.spawn(attempt(step, desk.clone()));
            }
        }
        match running.join_next().await {
            Some(Ok((step, None))) => {
                progress.done.insert(step.name.clone());
                progress.undo.extend(step.stop.map(|(hook, time)| Undo { step: step.name, hook, time }));
            }
            Some(Ok((step, Some(_told)))) => failed = failed.or(Some(step.name)),
            Some(Err(_panicked)) => failed = failed.or(Some("a step, by a bug of ours".to_owned())),
            None => return failed.map_or(Ok(()), Err),
        }
        if failed.is_some() {
            // The others end in order, so that their output and their end are told.
            desk.halt_all.send_replace(true);
        }
    }
}

/// Tries a step, again and again when it says so, and tells how it went.
async fn attempt(mut step: Step, mut desk: Desk) -> (Step, Option<Fault>) {
    let (began, mut tries, mut pause) = (clock::now(), 0, limits::WAIT_FIRST_PAUSE);
    loop {
        tries += 1;
        let outcome = once(&mut step, &mut desk).await;
        let took = clock::now() - began;
        let fault = outcome.fault.clone();
        if let Some(check) = desk.indices.get(&step.name).copied() {
            let _gone = desk.events.send(Event::Ran { check, at: clock::wall(), outcome }).await;
        }
        let Some(fault) = fault else {
            desk.tell.done(&step.name, kind(&step.work), took, tries);
            return (step, None);
        };
        let again = step.retry.is_some_and(|wait| took + pause < wait) && !*desk.halt.borrow();
        if !again {
            desk.tell.failed(&step.name, &fault, took, tries);
            return (step, Some(fault));
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = hook::halted(&mut desk.halt) => {}
        }
        pause = (pause * 2).min(limits::WAIT_LONGEST_PAUSE);
    }
}

async fn once(step: &mut Step, desk: &mut Desk) -> Outcome {
    let began = clock::now();
    let ended = match &mut step.work {
        Work::Check(check) => {
            let mut halt = desk.halt.clone();
            return tokio::select! {
                outcome = probes::run(check.probe.as_mut(), &desk.net, step.timeout, Depth::Dependency) => outcome,
                () = hook::halted(&mut halt) => {
                    let fault = Fault::new(probes::Reason::Timeout, "stopped, because the start has ended");
                    Outcome { fault: Some(fault), took: clock::now() - began, ..Outcome::default() }
                }
            };
        }
        Work::Environment(variables) => {
            environment::check((&step.name, variables, &desk.env), step.timeout, desk.tell, &mut desk.halt).await
        }
        Work::Run(hook) => hook::run(&step.name, hook, step.timeout, (&desk.children, desk.tell), &mut desk.halt).await,
        Work::Nothing => Ok(()),
    };
    Outcome { fault: ended.err(), took: clock::now() - began, ..Outcome::default() }
}

pub(super) fn kind(work: &Work) -> &'static str {
    match work {
        Work::Check(check) => check.facts.kind,
        Work::Run(_) => "run",
        Work::Environment(_) => "environment",
        Work::Nothing => "stop",
    }
}
