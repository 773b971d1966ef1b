//! The order of the start: who waits for whom, and for what.

use super::super::health::{self, Checked};
use super::super::mentions;
use super::super::model::{Dependency, Kept, Project, Service};
use super::super::notes::Notes;
use super::{error, warning};
use crate::preflight::Rule;
use std::collections::BTreeSet;

pub(super) static RULES: &[&Rule] = &[&CYCLE, &NEVER_HEALTHY, &UNPROVEN, &NOT_WAITED, &STARTED_ONLY];

static CYCLE: Rule = error(
    "compose-depends-on-cycle",
    "services depend on each other in a circle",
    "compose refuses the whole file",
    "remove one of the entries, and let that service try again instead",
);
static NEVER_HEALTHY: Rule = error(
    "compose-never-healthy",
    "a service waits for the health of one that has no health check",
    "it never starts",
    "give the dependency a `healthcheck`",
);
static UNPROVEN: Rule = warning(
    "compose-health-unproven",
    "a service waits for the health of one whose health check is not in the file",
    "if the image brings none either, the service never starts",
    "write the `healthcheck` down here",
);
static NOT_WAITED: Rule = warning(
    "compose-not-waited-for",
    "a service names another one in its environment and does not depend on it",
    "it may start first and fail, or half-start",
    "add it to `depends_on` with `condition: service_healthy`",
);
static STARTED_ONLY: Rule = warning(
    "compose-started-is-not-ready",
    "a service waits for the start of another one, not for its health",
    "a started container is not a ready one: the first connections fail",
    "write `condition: service_healthy`",
);

pub(super) fn check(project: &Project, notes: &mut Notes) {
    for service in project.services.values() {
        if let Some(dependency) = service.depends.iter().find(|one| reaches(project, &one.name, &service.name)) {
            let message = if dependency.name == service.name {
                "the service depends on itself".to_owned()
            } else {
                format!("`{}` depends on `{}` in turn", dependency.name, service.name)
            };
            notes.add(&CYCLE, dependency.at, service.key("depends_on"), message);
        }
        service.depends.iter().for_each(|dependency| condition(service, dependency, project, notes));
        not_waited(service, project, notes);
    }
}

/// Whether a service depends on another one, over any number of steps.
fn reaches(project: &Project, from: &str, to: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(name) = open.pop() {
        if name == to {
            return true;
        }
        if seen.insert(name) {
            let depends = project.services.get(name).map(|service| service.depends.as_slice()).unwrap_or_default();
            open.extend(depends.iter().map(|dependency| dependency.name.as_str()));
        }
    }
    false
}

fn condition(service: &Service, dependency: &Dependency, project: &Project, notes: &mut Notes) {
    let Some(other) = project.services.get(&dependency.name) else { return };
    let key = service.key(&format!("depends_on.{}", dependency.name));
    let checked = health::of(other);
    match (dependency.condition.as_str(), checked) {
        ("service_healthy", Checked::Never) => {
            let message = format!("`{}` has no health check, neither here nor in its image", other.name);
            notes.add(&NEVER_HEALTHY, dependency.at, key, message);
        }
        ("service_healthy", Checked::Unknown) if !other.is_partial() => {
            notes.add(&UNPROVEN, dependency.at, key, format!("no health check of `{}` can be seen", other.name));
        }
        ("service_started", _) if !health::is_job(other, project) => {
            let is_store = other.known.is_some_and(|known| known.is_store);
            let what = match (is_store, checked) {
                (true, _) => "is a store",
                (false, Checked::Always) => "has a health check",
                _ => return,
            };
            let message = format!("`{}` {what}, and is waited for until it has started only", other.name);
            let fix = match checked {
                Checked::Always => STARTED_ONLY.fix,
                _ => "give it a `healthcheck`, and write `condition: service_healthy`",
            };
            notes.advise(&STARTED_ONLY, dependency.at, key, (message, fix));
        }
        _ => {}
    }
}

fn not_waited(service: &Service, project: &Project, notes: &mut Notes) {
    let mut told = BTreeSet::new();
    // Who watches a stack is there to see it fail.
    if service.known.is_some_and(|known| known.watches_host) || watches(service) || is_run_by_hand(service, project) {
        return;
    }
    let itself_stores = service.known.is_some_and(|known| known.is_store);
    for mention in mentions::of(service, project) {
        // What the whole project needs, this one need not use; and a store uses nobody.
        let is_shared = mention.kept == Kept::DotEnv || (mention.kept == Kept::EnvFile && itself_stores);
        let Some(other) = project.named(&mention.host) else { continue };
        let waits = reaches(project, &service.name, &other.name) || reaches(project, &other.name, &service.name);
        let is_store = other.known.is_some_and(|known| known.is_store) || health::of(other) == Checked::Always;
        if is_shared || waits || !is_store || !service.implies(other) || !told.insert(other.name.clone()) {
            continue;
        }
        let message = format!("`{}` is used here and not waited for", other.name);
        let (at, key) = mention.taken_over(service);
        notes.add(&NOT_WAITED, at, key, message);
    }
}

/// A task under a profile is started by a person, when the stack runs.
fn is_run_by_hand(service: &Service, project: &Project) -> bool {
    !service.profiles.is_empty() && health::is_job(service, project)
}

/// Whether a service is an agent or exporter beside another one: it reports failed starts, so it waits for none.
fn watches(service: &Service) -> bool {
    let has_peer = service.variables.iter().any(|variable| variable.name.starts_with("AGENT_"));
    let last = service.image.as_ref().map(|image| image.last.as_str()).unwrap_or_default();
    has_peer || ["exporter", "prometheus", "monitor", "uptime-kuma"].iter().any(|word| last.contains(word))
}
