//! `/sd`: the checks as a list of targets, in the form of Prometheus' HTTP service discovery. Open to all, so a target is the name of its
//! check, which the configuration chose, and never the host and port behind it: whoever discovers it sets `__address__` to the sidecar
//! that he asked. Made of what does not change while the agent runs, so that a target comes and goes with the configuration alone.

use super::reply::{self, Reply};
use super::routes::Asked;
use crate::snapshot::CheckFacts;
use http::StatusCode;
use serde::Serialize;

/// A group of targets; Prometheus wants every label to be text.
#[derive(Serialize)]
struct Group<'a> {
    targets: [&'a str; 1],
    labels: Labels<'a>,
}

#[derive(Serialize)]
struct Labels<'a> {
    check: &'a str,
    kind: &'a str,
    role: &'a str,
    peer: &'a str,
}

/// The page.
pub(super) fn page(asked: &Asked<'_>) -> Reply {
    let groups: Vec<Group<'_>> = asked.snapshot.checks.iter().map(|check| group(&check.facts)).collect();
    reply::json(StatusCode::OK, &groups)
}

fn group(facts: &CheckFacts) -> Group<'_> {
    let peer = if facts.peer { "true" } else { "false" };
    let labels = Labels { check: &facts.name, kind: facts.kind, role: facts.role.as_str(), peer };
    Group { targets: [&facts.name], labels }
}
