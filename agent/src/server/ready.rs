//! `/ready` and `/-/ready`: may the service get traffic? Names and closed words only, for everybody may ask.

use super::reply::{self, Reply};
use super::routes::Asked;
use super::times;
use crate::probes::Reason;
use crate::snapshot::{CheckView, Snapshot, Stage};
use http::StatusCode;
use serde::Serialize;

#[derive(Serialize)]
struct Ready<'a> {
    ready: bool,
    stage: &'static str,
    held_back_by: Vec<Held<'a>>,
}

/// A check that holds the service back.
#[derive(Serialize)]
struct Held<'a> {
    check: &'a str,
    state: &'static str,
    reason: Option<&'static str>,
    cause: Option<&'static str>,
    since: Option<String>,
}

/// `/ready`.
pub(super) fn page(asked: &Asked<'_>) -> Reply {
    let snapshot = &asked.snapshot;
    let held = snapshot.held_back_by().into_iter().filter_map(|name| snapshot.check(name));
    let stage = match snapshot.stage {
        Stage::Running => "running",
        Stage::Draining => "draining",
    };
    let body =
        Ready { ready: snapshot.ready(), stage, held_back_by: held.map(|check| Held::of(snapshot, check)).collect() };
    reply::json(status(snapshot), &body)
}

/// `/-/ready`.
pub(super) fn word(asked: &Asked<'_>) -> Reply {
    reply::text(status(&asked.snapshot), if asked.snapshot.ready() { "ready\n" } else { "not ready\n" })
}

fn status(snapshot: &Snapshot) -> StatusCode {
    if snapshot.ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

impl<'a> Held<'a> {
    fn of(snapshot: &Snapshot, check: &'a CheckView) -> Self {
        Self {
            check: &check.facts.name,
            state: check.state.as_str(),
            reason: super::health::reason(check).map(Reason::as_str),
            cause: super::causes::of_check(snapshot, &check.facts.name),
            since: check.since.map(times::rfc3339),
        }
    }
}
