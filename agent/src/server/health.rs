//! `/health`: every check in the shape that monitoring of backends expects (`status`, `overall_healthy`, `services` with
//! `healthy`, `response_time_ms` and `pool`). Open to all, so it holds names from the configuration and closed words only.
//!
//! The status code is 200 while the service may work (healthy or degraded) and 503 while it does not or nobody knows (unhealthy or
//! starting). `?role=liveness` counts the liveness checks alone, and 503 then means dead: starting is 200, for whoever restarts a
//! service that is still starting keeps it from ever being up. `?role=readiness` and `?role=observe` show those checks alone.
//!
//! `services` has an entry for every check, and one for every part that a service reports in its own health page and no check
//! watches; such an entry says `reported_by` and holds only what was reported. Where a check has the part's name, its entry gets
//! the pool, and `reported` tells the rest. `overall_healthy` is true when every check is up and no part is reported unhealthy;
//! `status` is `degraded` when that is all that is wrong.

use super::causes::{self, Named};
use super::figures::{self, Process, System};
use super::parts::{self, Part, Placed, Pool};
use super::reply::{self, Ordered, Reply};
use super::routes::Asked;
use super::silence_page::Told;
use super::times;
use crate::probes::Reason;
use crate::snapshot::{CheckState, CheckView, Health, Role, Snapshot};
use http::StatusCode;
use serde::Serialize;

#[derive(Serialize)]
struct Body<'a> {
    status: &'static str,
    overall_healthy: bool,
    services: Ordered<String, Entry<'a, Service<'a>>>,
    system: System<'a>,
    process: Process,
    agent: Process,
    causes: Vec<Named<'a>>,
    /// The maintenance window, while there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    silenced: Option<Told<'a>>,
}

/// An entry of `services`.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Entry<'a, C> {
    /// A check, as the page shows it.
    Check(C),
    /// What a service reports of a part that no check watches.
    Part(Part<'a>),
}

/// A check as everybody may see it.
#[derive(Serialize)]
pub(super) struct Service<'a> {
    /// Whether it is up; false while undecided.
    healthy: bool,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    response_time_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pool: Option<Pool>,
    /// What another check's service reports of this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    reported: Option<Part<'a>>,
}

/// The page.
pub(super) fn page(asked: &Asked<'_>) -> Reply {
    let query = asked.head.uri.query().unwrap_or_default();
    let role = match query.split('&').find_map(|pair| pair.strip_prefix("role=")) {
        None => None,
        Some("liveness") => Some(Role::Liveness),
        Some("readiness") => Some(Role::Readiness),
        Some("observe") => Some(Role::Observe),
        Some(_) => return reply::text(StatusCode::BAD_REQUEST, "role is liveness, readiness or observe\n"),
    };
    let snapshot = &asked.snapshot;
    let chosen = |check: &&CheckView| role.is_none_or(|role| check.facts.role == role);
    let checks: Vec<&CheckView> = snapshot.checks.iter().filter(chosen).collect();
    let health = role.map_or(snapshot.health(), |_| verdict(&checks));
    let about = |subject: &str| checks.iter().any(|check| check.facts.name == subject);
    let fails = health == Health::Unhealthy || (health == Health::Starting && role != Some(Role::Liveness));
    let body = Body {
        status: health.as_str(),
        overall_healthy: overall(&checks),
        services: services(snapshot, &checks, |_, service| service),
        system: figures::system(snapshot),
        process: figures::peer_process(snapshot),
        agent: figures::own_process(snapshot),
        causes: causes::named(snapshot, |cause| role.is_none() || about(&cause.subject)),
        silenced: snapshot.silence.as_ref().map(Told::of),
    };
    reply::json(if fails { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }, &body)
}

/// The entries of these checks, each made by `show`, and behind them those of the parts that only these checks' services report.
pub(super) fn services<'a, C>(
    snapshot: &'a Snapshot,
    checks: &[&'a CheckView],
    show: impl Fn(&'a CheckView, Service<'a>) -> C,
) -> Ordered<String, Entry<'a, C>> {
    let (mut of_checks, alone): (Vec<_>, Vec<_>) = parts::placed(snapshot).into_iter().partition(|part| part.checked);
    let mut entries = Vec::with_capacity(checks.len() + alone.len());
    for check in checks.iter().copied() {
        let name = &check.facts.name;
        let reported = of_checks.iter().position(|part| part.name == *name).map(|at| of_checks.swap_remove(at).part);
        entries.push((name.clone(), Entry::Check(show(check, Service::of(check, reported)))));
    }
    let told = |part: &Placed<'_>| checks.iter().any(|check| check.facts.name == part.part.reported_by);
    entries.extend(alone.into_iter().filter(told).map(|Placed { name, part, .. }| (name, Entry::Part(part))));
    Ordered(entries)
}

/// The verdict over the checks of one role.
fn verdict(checks: &[&CheckView]) -> Health {
    let any = |state| checks.iter().find(|check| check.state == state);
    match (any(CheckState::Down), any(CheckState::Unknown)) {
        (Some(down), _) if down.facts.role == Role::Observe => Health::Degraded,
        (Some(_), _) => Health::Unhealthy,
        (None, Some(unknown)) if unknown.facts.role != Role::Observe => Health::Starting,
        _ if checks.iter().any(|check| check.calls_unhealthy().next().is_some()) => Health::Degraded,
        _ => Health::Healthy,
    }
}

/// Whether each of them is up, and none reports a part of its service as unhealthy.
pub(super) fn overall(checks: &[&CheckView]) -> bool {
    checks.iter().all(|check| check.state == CheckState::Up && check.calls_unhealthy().next().is_none())
}

/// Why a check is not up, `None` when its last run succeeded.
pub(super) fn reason(check: &CheckView) -> Option<Reason> {
    let last_fault = check.last.as_ref().and_then(|last| last.outcome.fault.as_ref());
    // Down, but the last run succeeded: it takes `ok_after` of them. The reason is then that of the failures before.
    let kept =
        || check.recent_failures.last().map(|failure| &failure.fault).filter(|_| check.state == CheckState::Down);
    last_fault.or_else(kept).map(|fault| fault.reason)
}

/// Milliseconds with three decimals.
pub(super) fn milliseconds(took: std::time::Duration) -> f64 {
    (took.as_secs_f64() * 1e6).round() / 1e3
}

impl<'a> Service<'a> {
    /// What everybody may see of a check, and of what another check's service reports of it.
    fn of(check: &CheckView, mut reported: Option<Part<'a>>) -> Self {
        let pool = reported.as_mut().and_then(|part| part.pool.take());
        Self {
            healthy: check.state == CheckState::Up,
            state: check.state.as_str(),
            reason: reason(check).map(Reason::as_str),
            since: check.since.map(times::rfc3339),
            response_time_ms: check.last.as_ref().map(|last| milliseconds(last.outcome.took)),
            pool: pool.or_else(|| parts::own_pool(check)),
            reported,
        }
    }
}
