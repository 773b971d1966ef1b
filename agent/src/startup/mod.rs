//! `agent start`: ordered phases, then the command under supervision, and at the end everything undone in reverse.
//! What must stay true: the first failure is fatal and told, whatever hangs ends within the budget, a second signal ends all at once,
//! and the command's own exit code is ours.

mod environment;
mod hook;
mod phases;
mod serve;
mod tell;

pub use tell::Tell;

use crate::config::{Environment, Phases, Shutdown};
use crate::probes::net::Net;
use crate::state::Event;
use crate::supervise::{self, Caught, Child, Children, NotStarted, code_of, name_of};
use crate::units::Span;
use crate::{clock, exit::Exit, limits};
use phases::{Desk, Progress, Undo};
use rustix::process::Signal;
use serde_json::json;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout, timeout_at};

/// Why nothing was begun.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The pages cannot be served.
    #[error(transparent)]
    Serve(#[from] crate::lifecycle::StartError),
    /// Signals or children cannot be watched.
    #[error("cannot watch signals and children: {0}")]
    System(#[from] std::io::Error),
}

/// What to start, and how to tell of it.
pub struct Wanted {
    /// The phases.
    pub phases: Phases,
    /// The command behind `--` with its name, when there is one.
    pub command: Option<(String, Command)>,
    /// Where to serve `/ready` and the other pages.
    pub listen: Option<SocketAddr>,
    /// How to tell.
    pub tell: Tell,
    /// The variables of this process.
    pub env: Environment,
}

/// Runs it all.
///
/// # Errors
/// When it could not begin.
pub async fn run(wanted: Wanted, caught: &mut Caught) -> Result<Exit, StartError> {
    let Wanted { phases, command, listen, tell, env } = wanted;
    let children = Children::reap()?;
    let (events, indices) = serve::begin(&phases.phases, listen).await?;
    let (halt, halted) = watch::channel(false);
    let net = Arc::new(Net::default());
    let env = Arc::new(env);
    let desk =
        Desk { children, tell, net, env, halt: halted, halt_all: halt.clone(), events, indices: Arc::new(indices) };
    let drain = phases.shutdown.drain.unwrap_or(if listen.is_some() { limits::START_DRAIN } else { Duration::ZERO });
    let shutdown = Shutdown { drain: Some(drain), ..phases.shutdown };
    let began = clock::now();
    let (mut progress, steps) = (Progress::default(), phases.phases.iter().map(|phase| phase.steps.len()).sum());
    let started = {
        let mut start = std::pin::pin!(phases::run(phases.phases, &desk, &mut progress));
        tokio::select! {
            started = &mut start => started.map_err(Cut::Failed),
            signal = stop(caught) => {
                tell.stage("stopping", clock::now() - began, &format!("stopping: {} during the start", name_of(signal)));
                halt.send_replace(true);
                tokio::select! {
                    _ended = &mut start => Err(Cut::Stopped(signal)),
                    second = stop(caught) => return Ok(abort(second, tell)),
                }
            }
        }
    };
    let (took, Progress { done, undo }) = (clock::now() - began, progress);
    if let Err(cut) = started {
        let deadline = clock::now() + shutdown.budget;
        tokio::select! {
            () = wind_up(undo, &desk, deadline) => {}
            second = stop(caught) => return Ok(abort(second, tell)),
        }
        return Ok(cut.exit(tell, took, (done.len(), steps)));
    }
    tell.summed_up("started", took, (done.len(), steps), "all phases are done");
    let Some((program, mut command)) = command else {
        return Ok(stay(listen, undo, (&desk, shutdown), caught).await);
    };
    // The name only: arguments may hold secrets.
    tell.event("running", json!({"command": program}), &format!("running `{program}`"));
    match supervise::start(&program, &mut command, &desk.children) {
        Ok(child) => Ok(supervised(child, undo, (&desk, shutdown), caught).await),
        Err(refused) => {
            wind_up(undo, &desk, clock::now() + shutdown.budget).await;
            Ok(not_started(&refused, tell))
        }
    }
}

/// Why a start did not come to its end.
enum Cut {
    Failed(String),
    Stopped(Signal),
}

impl Cut {
    fn exit(self, tell: Tell, took: Duration, steps: (usize, usize)) -> Exit {
        match self {
            Self::Failed(step) => {
                tell.summed_up("failed", took, steps, &format!("error: the start failed at `{step}`, nothing runs"));
                Exit::BadNews
            }
            Self::Stopped(signal) => Exit::Aborted(code_of(signal)),
        }
    }
}

fn not_started(refused: &NotStarted, tell: Tell) -> Exit {
    tell.event("failed", json!({"message": refused.to_string()}), &format!("error: {refused}"));
    Exit::Command(refused.code())
}

/// The next signal that asks for the end.
async fn stop(caught: &mut Caught) -> Signal {
    loop {
        let signal = caught.next().await;
        if signal == Signal::TERM || signal == Signal::INT {
            return signal;
        }
    }
}

/// At once: whatever is dropped now kills its processes.
fn abort(second: Signal, tell: Tell) -> Exit {
    let name = name_of(second);
    tell.event("aborted", json!({"signal": name}), &format!("{name} again: ending at once"));
    Exit::Aborted(code_of(second))
}

/// Without a command: the end, or, where pages are served, the wait for a signal.
async fn stay(
    listen: Option<SocketAddr>,
    undo: Vec<Undo>,
    (desk, shutdown): (&Desk, Shutdown),
    caught: &mut Caught,
) -> Exit {
    if listen.is_none() {
        return Exit::Good;
    }
    let first = stop(caught).await;
    let ending = async {
        let (_, deadline) = draining(first, (desk, shutdown)).await;
        tokio::time::sleep(shutdown.drain.unwrap_or_default()).await;
        wind_up(undo, desk, deadline).await;
    };
    tokio::select! {
        () = ending => Exit::Good,
        second = stop(caught) => abort(second, desk.tell),
    }
}

/// The command at work: its signals go to it, its end is ours.
async fn supervised(
    mut child: Child,
    undo: Vec<Undo>,
    (desk, shutdown): (&Desk, Shutdown),
    caught: &mut Caught,
) -> Exit {
    let first = loop {
        tokio::select! {
            end = child.ended() => {
                let fields = json!({"code": end.code()});
                desk.tell.event("command_ended", fields, &format!("the command has ended: {end}"));
                child.signal_group(Signal::KILL);
                tokio::select! {
                    () = wind_up(undo, desk, clock::now() + shutdown.budget) => return Exit::Command(end.code()),
                    signal = stop(caught) => return abort(signal, desk.tell),
                }
            }
            signal = caught.next() => match signal {
                Signal::TERM | Signal::INT => break signal,
                other => child.signal(other),
            },
        }
    };
    let group = child.id();
    let aborted = tokio::select! {
        code = wind_down(&mut child, first, undo, (desk, shutdown)) => return Exit::Command(code),
        second = stop(caught) => abort(second, desk.tell),
    };
    let _gone = rustix::process::kill_process_group(group, Signal::KILL);
    aborted
}

/// Says that the end has begun; when that was, and when it must be over.
async fn draining(signal: Signal, (desk, shutdown): (&Desk, Shutdown)) -> (Instant, Instant) {
    let began = clock::now();
    let _gone = desk.events.send(Event::Draining).await;
    let (name, drain, budget) = (name_of(signal), Span(shutdown.drain.unwrap_or_default()), Span(shutdown.budget));
    let line = format!("stopping: {name}, `/ready` answers 503 for {drain}, all is over within {budget}");
    desk.tell.event("stopping", json!({"signal": name, "budget": budget.to_string()}), &line);
    (began, began + shutdown.budget)
}

/// The end in order: not ready, the command told, its time, and then what the steps have to undo.
async fn wind_down(child: &mut Child, first: Signal, undo: Vec<Undo>, (desk, shutdown): (&Desk, Shutdown)) -> u8 {
    let (began, deadline) = draining(first, (desk, shutdown)).await;
    let drained = timeout(shutdown.drain.unwrap_or_default().min(shutdown.budget), child.ended()).await;
    if drained.is_err() {
        desk.tell.stage("drained", clock::now() - began, "stopping: drained, the command gets SIGTERM");
        child.signal(Signal::TERM);
    }
    let until = (clock::now() + shutdown.grace).min(deadline);
    let end = match timeout_at(until, child.ended()).await {
        Ok(end) => end,
        Err(_elapsed) => {
            let waited = clock::now() - began;
            desk.tell.stage("killed", waited, "stopping: the command did not end in time and gets SIGKILL");
            child.signal_group(Signal::KILL);
            child.ended().await
        }
    };
    child.signal_group(Signal::KILL);
    desk.tell.stage("command_ended", clock::now() - began, &format!("stopping: the command has ended, {end}"));
    wind_up(undo, desk, deadline).await;
    desk.tell.stage("stopped", clock::now() - began, "stopped");
    end.code()
}

/// Undoes what was done, the last first, each within its time and all before the deadline.
async fn wind_up(undo: Vec<Undo>, desk: &Desk, deadline: Instant) {
    // Nothing halts what undoes, but a second signal, which drops it.
    let (_open, mut never) = watch::channel(false);
    for Undo { step, hook, time } in undo.into_iter().rev() {
        let began = clock::now();
        let left = deadline.saturating_duration_since(began).min(time);
        let ended = hook::run(&step, &hook, left, (&desk.children, desk.tell), &mut never).await;
        let took = clock::now() - began;
        match ended {
            Ok(()) => desk.tell.done(&step, "stop", took, 1),
            Err(fault) => desk.tell.failed(&step, &fault, took, 1),
        }
    }
}

/// Where results of steps go, when nobody is served.
fn into_nothing() -> mpsc::Sender<Event> {
    mpsc::channel(limits::OUTCOMES_QUEUED).0
}
