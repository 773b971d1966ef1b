//! The life of `agent run`, top to bottom: listen, start the schedule, serve, and on a signal end in logged steps.
//! What must stay true: whatever hangs (a probe, a collector, a client), the process ends within its budget, and a second signal
//! ends it at once.

mod signals;

pub use signals::{Signals, Stop};

use crate::collectors::{Roots, SOURCES};
use crate::config::{self, Check, Plan};
use crate::probes::net::Net;
use crate::schedule::Schedule;
use crate::snapshot::Snapshot;
use crate::state::{Event, State};
use crate::units::Span;
use crate::version::Version;
use crate::{clock, limits, server, state};
use std::net::SocketAddr;
use std::sync::Arc;
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

/// Runs the agent until a signal ends it.
///
/// # Errors
/// When it cannot listen or its web configuration does not work. Nothing has been started then.
pub async fn run(plan: Plan, signals: &mut Signals) -> Result<Ended, StartError> {
    let (first, publish) = start_state(&plan);
    let app = server::App::new(server::Feed {
        snapshots: publish.subscribe(),
        plan: plan.server.clone(),
        effective: plan.effective(),
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
    let schedule = start_schedule(plan, events.clone(), address.port());
    tracing::info!(%address, "agent is up");

    let asked = signals.next().await;
    tokio::select! {
        () = wind_down(asked, &events, schedule, stop, serving) => Ok(Ended::InOrder),
        second = signals.next() => {
            tracing::warn!(signal = second.as_str(), "second signal, ending at once");
            Ok(Ended::Aborted(second))
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

fn start_schedule(plan: Plan, events: mpsc::Sender<Event>, own_port: u16) -> Schedule {
    let mut schedule = Schedule::new(events, Arc::new(Net::default()));
    let facts: Vec<_> = plan.checks.iter().map(|check| Arc::clone(&check.facts)).collect();
    schedule.look_elsewhere(Roots::of_system(), plan.peer.clone(), &facts, own_port);
    for (index, check) in plan.checks.into_iter().enumerate() {
        announce(&check);
        schedule.check(index, check);
    }
    let roots = Roots { root: plan.host_root.clone(), ..Roots::of_system() };
    let source = |name: &str| SOURCES.iter().find(|source| source.name == name);
    let collectors = plan.collectors.iter().enumerate().filter_map(|(index, name)| Some((index, source(name)?)));
    let collectors = collectors.map(|(index, source)| (index, (source.build)(&roots, &plan.peer)));
    schedule.sources(collectors.collect(), plan.collect_interval);
    schedule
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
    schedule.tasks.shutdown().await;
    step("probes and collectors have ended, `/ready` answers 503");
    tokio::time::sleep(limits::DRAIN_NOTICE).await;
    let _serving = stop.send(());
    match tokio::time::timeout(limits::DRAIN_TIMEOUT + limits::DRAIN_NOTICE, serving).await {
        Ok(_ended) => step("requests in flight are finished"),
        Err(_elapsed) => step("the budget is used up, the rest is cut"),
    }
}
