//! `/health`: every check in the shape that monitoring of backends expects (`status`, `overall_healthy`, `services` with
//! `healthy`, `response_time_ms` and `pool`). Open to all, so it holds names from the configuration and closed words only.
//!
//! The status code is 200 while the service may work (healthy or degraded) and 503 while it does not or nobody knows (unhealthy or
//! starting). `?role=liveness` counts the liveness checks alone, and 503 then means dead: starting is 200, for whoever restarts a
//! service that is still starting keeps it from ever being up. `?role=readiness` and `?role=observe` show those checks alone.

use super::figures::{self, Pool, Process, System};
use super::reply::{self, Ordered, Reply};
use super::routes::Asked;
use super::times;
use crate::probes::Reason;
use crate::snapshot::{CheckState, CheckView, Health, Role, Snapshot};
use http::StatusCode;
use serde::Serialize;

#[derive(Serialize)]
struct Body<'a> {
    status: &'static str,
    overall_healthy: bool,
    services: Ordered<&'a str, Service>,
    system: System<'a>,
    process: Process,
    agent: Process,
}

/// A check as everybody may see it.
#[derive(Serialize)]
pub(super) struct Service {
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
    let fails = health == Health::Unhealthy || (health == Health::Starting && role != Some(Role::Liveness));
    let body = Body {
        status: health.as_str(),
        overall_healthy: overall(&checks),
        services: Ordered(
            checks.iter().map(|check| (check.facts.name.as_str(), Service::of(snapshot, check))).collect(),
        ),
        system: figures::system(snapshot),
        process: figures::peer_process(snapshot),
        agent: figures::own_process(snapshot),
    };
    reply::json(if fails { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }, &body)
}

/// The verdict over the checks of one role.
fn verdict(checks: &[&CheckView]) -> Health {
    let any = |state| checks.iter().find(|check| check.state == state);
    match (any(CheckState::Down), any(CheckState::Unknown)) {
        (Some(down), _) if down.facts.role == Role::Observe => Health::Degraded,
        (Some(_), _) => Health::Unhealthy,
        (None, Some(unknown)) if unknown.facts.role != Role::Observe => Health::Starting,
        _ => Health::Healthy,
    }
}

/// Whether each of them is up.
pub(super) fn overall(checks: &[&CheckView]) -> bool {
    checks.iter().all(|check| check.state == CheckState::Up)
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

impl Service {
    /// What everybody may see of a check.
    pub(super) fn of(snapshot: &Snapshot, check: &CheckView) -> Self {
        Self {
            healthy: check.state == CheckState::Up,
            state: check.state.as_str(),
            reason: reason(check).map(Reason::as_str),
            since: check.since.map(times::rfc3339),
            response_time_ms: check.last.as_ref().map(|last| milliseconds(last.outcome.took)),
            pool: figures::pool(snapshot, check),
        }
    }
}
