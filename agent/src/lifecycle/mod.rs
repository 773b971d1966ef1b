//! The life of `agent run`, top to bottom: listen, start the schedule, serve, and on a signal end in logged steps.
//! What must stay true: whatever hangs (a probe, a collector, a client), the process ends within its budget, and a second signal
//! ends it at once.

mod difference;
mod keeper;
mod lookout;
mod signals;
mod steward;

pub use signals::{Heard, Signals, Stop};
pub use steward::{Load, Reading};

use crate::collectors::{Collector, Roots, SOURCES};
use crate::config::{self, Check, InForce, Loaded, Plan, Seen};
use crate::probes::net::Net;
use crate::reload::{By, Order, Orders};
use crate::schedule::Schedule;
use crate::snapshot::Snapshot;
use crate::state::{Event, State};
use crate::units::Span;
use crate::version::Version;
use crate::{clock, limits, server, state};
use difference::{Collecting, Running};
use std::net::SocketAddr;
use std::sync::Arc;
use steward::Steward;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};

/// How `agent run` ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// In order, after one signal.
    InOrder,
    /// At once, by a second signal.
    Aborted(Stop),
}

/// Why `agent run` could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is taken, or the address is not ours.
    #[error("cannot listen on `{address}`: {why}\nhint: {hint}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// The system's words.
        why: String,
        /// What to do.
        hint: &'static str,
    },
    /// The web configuration does not work.
    #[error("{0}")]
    Web(#[from] server::WebConfigError),
}

/// What it starts with.
pub struct Start {
    /// The configuration.
    pub loaded: Loaded,
    /// The files that it was read from.
    pub files: Vec<Seen>,
    /// Reads it again.
    pub load: Load,
}

/// Runs the agent until a signal ends it.
///
/// # Errors
/// When it cannot listen or its web configuration does not work. Nothing has been started then.
pub async fn run(start: Start, signals: &mut Signals) -> Result<Ended, StartError> {
    let Start { loaded, files, load } = start;
    steward::log_warnings(&loaded);
    let plan = loaded.plan;
    let (first, publish) = start_state(&plan);
    let in_force = watch::Sender::new(Arc::new(InForce { server: plan.server.clone(), effective: plan.effective() }));
    let (orders, mut ordered) = mpsc::channel(limits::RELOADS_QUEUED);
    let (silences, silences_ordered) = mpsc::channel(limits::SILENCES_QUEUED);
    let app = server::App::new(server::Feed {
        snapshots: publish.subscribe(),
        in_force: in_force.subscribe(),
        reloads: orders.clone(),
        silences,
        read: config::read_yaml,
    })?;
    let listener = listen(plan.server.listen).await?;
    let address = listener.local_addr().unwrap_or(plan.server.listen);
    let Version { number: version, commit } = Version::THIS;
    tracing::info!(version, commit, checks = plan.checks.len(), "agent starts");
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(server::serve(listener, app, async {
        let _asked = stopped.await;
    }));
    let (events, from_schedule) = mpsc::channel(limits::OUTCOMES_QUEUED);
    tokio::spawn(state::write(first, from_schedule, publish));
    let files = watch::Sender::new(if plan.watch { files } else { Vec::new() });
    tokio::spawn(lookout::watch(files.subscribe(), orders.clone()));
    let silence_file = watch::Sender::new(plan.silence_file.clone());
    tokio::spawn(keeper::keep(silences_ordered, silence_file.subscribe(), events.clone()));
    let running = Running::first(&plan);
    let schedule = start_schedule(plan, &running, events.clone(), address.port());
    let mut steward = Steward {
        load,
        running,
        schedule,
        events,
        in_force,
        files,
        silence_file,
        late: None,
        own_port: address.port(),
    };
    tracing::info!(%address, "agent is up");

    let asked = tokio::select! {
        asked = until_stopped(signals, &orders) => asked,
        // It has no end, for the server and the watcher may give orders as long as they live.
        () = steward.serve(&mut ordered) => signals.next().await,
    };
    let Steward { schedule, events, .. } = steward;
    tokio::select! {
        () = wind_down(asked, &events, schedule, stop, serving) => Ok(Ended::InOrder),
        second = next_stop(signals) => {
            tracing::warn!(signal = second.as_str(), "second signal, ending at once");
            Ok(Ended::Aborted(second))
        }
    }
}

/// The first signal that ends the agent; each SIGHUP before it orders a reload.
async fn until_stopped(signals: &mut Signals, orders: &Orders) -> Stop {
    loop {
        match signals.heard().await {
            Heard::Stop(stop) => return stop,
            Heard::Reload => {
                // With no room left, the last of those that wait will read what there is then.
                let _room = orders.try_send(Order { by: By::Signal, answer: None });
            }
        }
    }
}

/// The next signal that ends the agent; there is nothing to reload any more.
async fn next_stop(signals: &mut Signals) -> Stop {
    loop {
        if let Heard::Stop(stop) = signals.heard().await {
            return stop;
        }
    }
}

pub(crate) async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|error| StartError::Listen {
        address,
        hint: match error.kind() {
            std::io::ErrorKind::AddrInUse => "another process has this port, choose another one with `--listen`",
            std::io::ErrorKind::PermissionDenied => {
                "ports below 1024 need a capability, choose a higher one with `--listen`"
            }
            _ => "the address must be one of this machine, `0.0.0.0` stands for all of them",
        },
        why: error.to_string(),
    })
}

fn start_state(plan: &Plan) -> (State, watch::Sender<Arc<Snapshot>>) {
    let now = clock::wall();
    let checks = plan.checks.iter().map(|check| Arc::clone(&check.facts)).collect();
    let mut state = State::new(now, checks, &plan.collectors);
    let first = Arc::new(state.snapshot(now));
    (state, watch::Sender::new(first))
}

fn start_schedule(plan: Plan, running: &Running, events: mpsc::Sender<Event>, own_port: u16) -> Schedule {
    let mut schedule = Schedule::new(events, Arc::new(Net::default()));
    look_elsewhere(&schedule, running, own_port);
    for (index, check) in plan.checks.into_iter().enumerate() {
        announce(&check);
        schedule.check(index, check);
    }
    schedule.sources(build_sources(running), running.collecting.interval);
    schedule
}

/// Tells the checks where else their services may be.
fn look_elsewhere(schedule: &Schedule, running: &Running, own_port: u16) {
    let facts: Vec<_> = running.checks().into_iter().map(|(_, facts)| facts).collect();
    schedule.look_elsewhere(Roots::of_system(), running.collecting.peer.clone(), &facts, own_port);
}

/// The sources of what runs, with their numbers.
fn build_sources(running: &Running) -> Vec<(usize, Box<dyn Collector>)> {
    let Collecting { peer, host_root, .. } = &running.collecting;
    let roots = Roots { root: host_root.clone(), ..Roots::of_system() };
    let source = |name: &str| SOURCES.iter().find(|source| source.name == name);
    let sources = running.numbered_sources().into_iter();
    let built = sources.filter_map(|(number, name)| Some((number, (source(name)?.build)(&roots, peer))));
    built.collect()
}

fn announce(check: &Check) {
    let facts = &check.facts;
    let (role, every) = (facts.role.as_str(), Span(facts.interval).to_string());
    tracing::info!(check = facts.name, kind = facts.kind, role, every, peer = facts.peer, "watching");
}

/// The shutdown, in order and within its budget: not ready, no more probes, requests in flight finished.
async fn wind_down(
    asked: Stop,
    events: &mpsc::Sender<Event>,
    mut schedule: Schedule,
    stop: oneshot::Sender<()>,
    serving: tokio::task::JoinHandle<()>,
) {
    let began = clock::now();
    let step = |done: &str| {
        let after = Span(clock::now().duration_since(began)).to_string();
        tracing::info!(after, "stopping: {done}");
    };
    let budget = Span(limits::DRAIN_TIMEOUT).to_string();
    tracing::info!(signal = asked.as_str(), budget, "stopping");
    if events.send(Event::Draining).await.is_err() {
        step("the state was gone already");
    }
    schedule.shutdown().await;
    step("probes and collectors have ended, `/ready` answers 503");
    tokio::time::sleep(limits::DRAIN_NOTICE).await;
    let _serving = stop.send(());
    match tokio::time::timeout(limits::DRAIN_TIMEOUT + limits::DRAIN_NOTICE, serving).await {
        Ok(_ended) => step("requests in flight are finished"),
        Err(_elapsed) => step("the budget is used up, the rest is cut"),
    }
}
