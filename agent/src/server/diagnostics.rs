//! `/diagnostics`: `/health` and all that is known beside it: targets (without passwords), messages, advice, phases, versions.
//! Restricted, for it names hosts.

use super::causes::{self, Changed, Explained};
use super::figures::{self, Process, System};
use super::health::{self, Entry, Service, milliseconds};
use super::reload::Told;
use super::reply::{self, Ordered, Reply};
use super::routes::Asked;
use super::silence_page;
use super::times;
use crate::collectors::Collected;
use crate::probes::Fault;
use crate::reading::Reading;
use crate::reload::Reloads;
use crate::snapshot::{CheckView, Failure, LastRun, Snapshot, SourceView, Stage};
use crate::version::Version;
use http::StatusCode;
use serde::Serialize;

#[derive(Serialize)]
struct Body<'a> {
    status: &'static str,
    overall_healthy: bool,
    ready: bool,
    held_back_by: Vec<&'a str>,
    causes: Vec<Explained<'a>>,
    changed: Vec<Changed<'a>>,
    services: Ordered<String, Entry<'a, Detailed<'a>>>,
    system: System<'a>,
    process: Process,
    sources: Ordered<&'a str, Source<'a>>,
    agent: Agent<'a>,
    silenced: Option<silence_page::Told<'a>>,
}

/// What became of the configuration.
#[derive(Serialize)]
struct Config<'a> {
    in_force_since: String,
    reloads: u64,
    refused: u64,
    last_reload: Option<Told<'a>>,
}

#[derive(Serialize)]
struct Agent<'a> {
    version: &'static str,
    commit: &'static str,
    stage: &'static str,
    config: Config<'a>,
    started_at: String,
    uptime_seconds: u64,
    snapshot_at: String,
    process: Process,
}

#[derive(Serialize)]
struct Detailed<'a> {
    #[serde(flatten)]
    service: Service<'a>,
    probe: &'static str,
    target: &'a str,
    role: &'static str,
    peer: bool,
    depends_on: &'a [String],
    interval_seconds: f64,
    timeout_seconds: f64,
    fail_after: u32,
    ok_after: u32,
    runs: u64,
    streak: u32,
    failures: Ordered<&'static str, u64>,
    last_ok_at: Option<String>,
    last: Option<Last<'a>>,
    recent_failures: Vec<Failed<'a>>,
}

#[derive(Serialize)]
struct Last<'a> {
    at: String,
    ok: bool,
    took_ms: f64,
    phases_ms: Ordered<&'static str, f64>,
    notes: Ordered<&'static str, &'a str>,
    measured: Vec<Measured<'a>>,
    /// Series of the server's own families, hundreds of which `/metrics` shows for the peer.
    server_series: usize,
    fault: Option<Said<'a>>,
}

#[derive(Serialize)]
struct Measured<'a> {
    metric: &'static str,
    #[serde(skip_serializing_if = "Ordered::is_empty")]
    labels: Ordered<&'static str, &'a str>,
    value: f64,
}

#[derive(Serialize)]
struct Failed<'a> {
    at: String,
    took_ms: f64,
    #[serde(flatten)]
    said: Said<'a>,
}

#[derive(Serialize)]
struct Said<'a> {
    reason: &'static str,
    message: &'a str,
    hint: Option<&'a str>,
}

#[derive(Serialize)]
struct Source<'a> {
    state: &'static str,
    at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
}

/// The page. Always 200: who asks for details wants them most when something is down; `status` has the verdict.
pub(super) fn page(asked: &Asked<'_>) -> Reply {
    let snapshot = &*asked.snapshot;
    let checks: Vec<&CheckView> = snapshot.checks.iter().collect();
    let body = Body {
        status: snapshot.health().as_str(),
        overall_healthy: health::overall(&checks),
        ready: snapshot.ready(),
        held_back_by: snapshot.held_back_by(),
        causes: causes::explained(snapshot, asked.now),
        changed: causes::changed(snapshot),
        services: health::services(snapshot, &checks, detailed),
        system: figures::system(snapshot),
        process: figures::peer_process(snapshot),
        sources: Ordered(snapshot.sources.iter().map(|source| (source.name, Source::of(source))).collect()),
        agent: agent(asked, snapshot),
        silenced: snapshot.silence.as_ref().map(silence_page::Told::of),
    };
    reply::json(StatusCode::OK, &body)
}

fn agent<'a>(asked: &Asked<'_>, snapshot: &'a Snapshot) -> Agent<'a> {
    let Version { number: version, commit } = Version::THIS;
    Agent {
        version,
        commit,
        stage: if snapshot.stage == Stage::Running { "running" } else { "draining" },
        config: config(&snapshot.reloads),
        started_at: times::rfc3339(snapshot.started_at),
        uptime_seconds: times::ago(snapshot.started_at, asked.now).as_secs(),
        snapshot_at: times::rfc3339(snapshot.at),
        process: figures::own_process(snapshot),
    }
}

fn config(reloads: &Reloads) -> Config<'_> {
    Config {
        in_force_since: times::rfc3339(reloads.in_force_since),
        reloads: reloads.taken,
        refused: reloads.refused,
        last_reload: reloads.last.as_deref().map(Told::of),
    }
}

fn detailed<'a>(check: &'a CheckView, service: Service<'a>) -> Detailed<'a> {
    let facts = &check.facts;
    Detailed {
        service,
        probe: facts.kind,
        target: &facts.target,
        role: facts.role.as_str(),
        peer: facts.peer,
        depends_on: &facts.depends_on,
        interval_seconds: facts.interval.as_secs_f64(),
        timeout_seconds: facts.timeout.as_secs_f64(),
        fail_after: facts.fail_after,
        ok_after: facts.ok_after,
        runs: check.runs,
        streak: check.streak,
        failures: Ordered(check.failures.iter().map(|(reason, count)| (reason.as_str(), *count)).collect()),
        last_ok_at: check.last_ok_at.map(times::rfc3339),
        last: check.last.as_deref().map(Last::of),
        recent_failures: check.recent_failures.iter().map(|failure| Failed::of(failure)).collect(),
    }
}

impl<'a> Last<'a> {
    fn of(last: &'a LastRun) -> Self {
        let outcome = &last.outcome;
        let (families, measured): (Vec<&Reading>, Vec<&Reading>) =
            outcome.readings.iter().partition(|reading| reading.metric.is_of_the_peer_alone());
        Self {
            at: times::rfc3339(last.at),
            ok: outcome.ok(),
            took_ms: milliseconds(outcome.took),
            phases_ms: Ordered(outcome.phases.iter().map(|phase| (phase.name, milliseconds(phase.took))).collect()),
            notes: Ordered(outcome.notes.iter().map(|note| (note.name, note.text.as_str())).collect()),
            measured: measured.into_iter().map(Measured::of).collect(),
            server_series: families.len(),
            fault: outcome.fault.as_ref().map(Said::of),
        }
    }
}

impl<'a> Measured<'a> {
    fn of(reading: &'a Reading) -> Self {
        let labels = reading.metric.labels.iter().copied().zip(reading.labels.iter().map(String::as_str));
        Self { metric: reading.metric.name, labels: Ordered(labels.collect()), value: reading.value }
    }
}

impl<'a> Failed<'a> {
    fn of(failure: &'a Failure) -> Self {
        let at = times::rfc3339(failure.at);
        Self { at, took_ms: milliseconds(failure.took), said: Said::of(&failure.fault) }
    }
}

impl<'a> Said<'a> {
    fn of(fault: &'a Fault) -> Self {
        Self { reason: fault.reason.as_str(), message: &fault.message, hint: fault.hint.as_deref() }
    }
}

impl<'a> Source<'a> {
    fn of(source: &'a SourceView) -> Self {
        let (state, why, from) = match source.collected.as_deref() {
            None => ("pending", None, None),
            Some(Collected::Readings(_)) => ("read", None, None),
            Some(Collected::Noted(_, from)) => ("read", None, Some(from.as_str())),
            Some(Collected::Partly(_, why)) => ("partly read", Some(why.as_str()), None),
            Some(Collected::Absent(why)) => ("absent", Some(why.as_str()), None),
            Some(Collected::Failed(why)) => ("failed", Some(why.as_str()), None),
        };
        Self { state, at: source.at.map(times::rfc3339), from, why }
    }
}
