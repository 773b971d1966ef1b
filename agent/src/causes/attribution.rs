//! Which cause follows from which: one broken database is one root, and what fails for its sake is shown below it. Pure.
//!
//! A check depends on those of its `depends_on`; the peer's own check also on the agent's other checks, for they are its dependencies, and
//! on the resources of its container; a check of the peer's host (its metrics, its certificate) on the peer's check; and two checks of one
//! address on each other. A cause follows from another when its failure can come from outside (a status, a silence; never a certificate or
//! a wrong port), the other one can stop a service, and it did not begin long after. What must stay true: every chain ends at a root.

use super::Cause;
use crate::limits;
use crate::probes::Target;
use crate::probes::facts::PART_HEALTHY;
use crate::snapshot::{CheckFacts, CheckView, Checks, Snapshot};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Causes that may follow from a dependency.
const FOLLOW: &[&str] = &[
    "not_listening",
    "no_answer",
    "slow_answer",
    "half_started",
    "unexpected_status",
    "unexpected_answer",
    "upstream_down",
    "dependency_not_ready",
    "crash_loop",
    "peer_gone",
    "pool_starved",
];

/// Causes by which no other service is stopped.
const HARMLESS: &[&str] = &[
    "certificate_near_expiry",
    "rate_limited",
    "connections_near_limit",
    "backup_missing",
    "backup_stale",
    "backup_shrunken",
    "backup_corrupt",
    "memory_near_limit",
    "fds_near_limit",
    "pids_near_limit",
    "clock_off",
    "config_drift",
    "check_misconfigured",
];

/// Causes that checks of one host have in common.
const OF_THE_HOST: &[&str] = &[
    "dns_unknown",
    "dns_dead_address",
    "host_unreachable",
    "connect_timeout",
    "not_listening",
    "dependency_not_ready",
    "no_answer",
];

/// The subject of what is found in the peer's container.
const PEER: &str = "peer";

/// Where a check's service is, read once from its URL.
#[derive(Debug, Default)]
pub(super) struct Places(Vec<(Arc<CheckFacts>, Option<Place>)>);

/// A host, and the port where it is known.
type Place = (String, Option<u16>);

impl Places {
    /// Takes in the checks as they are now.
    fn learn(&mut self, checks: &Checks) {
        let same = self.0.len() == checks.len()
            && self.0.iter().zip(checks).all(|((facts, _), check)| Arc::ptr_eq(facts, &check.facts));
        if !same {
            self.0 = checks.iter().map(|check| (Arc::clone(&check.facts), place(&check.facts))).collect();
        }
    }

    fn of(&self, index: usize) -> Option<&Place> {
        self.0.get(index)?.1.as_ref()
    }
}

fn place(facts: &CheckFacts) -> Option<Place> {
    let target = Target::parse(&facts.target).ok()?;
    let usual = match target.scheme.as_str() {
        "postgres" | "postgresql" => Some(5432),
        "mysql" | "mariadb" => Some(3306),
        "redis" | "rediss" | "valkey" | "valkeys" => Some(6379),
        "https" | "wss" | "tls" => Some(443),
        "http" | "ws" => Some(80),
        _ => None,
    };
    (!target.host.is_empty()).then(|| (target.host, target.port.or(usual)))
}

/// Says of each cause which one it follows from.
pub(super) fn attribute(causes: &mut [Cause], snapshot: &Snapshot, places: &mut Places) {
    if causes.len() < 2 {
        return;
    }
    places.learn(&snapshot.checks);
    let index: HashMap<&str, usize> =
        snapshot.checks.iter().enumerate().map(|(index, check)| (check.facts.name.as_str(), index)).collect();
    let picture = Picture { snapshot, places, index };
    let mut by_subject: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, cause) in causes.iter().enumerate() {
        by_subject.entry(cause.subject.as_str()).or_default().push(at);
    }
    let parents: Vec<Option<usize>> = (0..causes.len()).map(|at| picture.parent(causes, &by_subject, at)).collect();
    let roots: Vec<Option<String>> = (0..causes.len())
        .map(|at| root(&parents, at).and_then(|root| Some(causes.get(root)?.subject.clone())))
        .collect();
    for (cause, root) in causes.iter_mut().zip(roots) {
        cause.caused_by = root;
    }
}

/// The end of the chain of parents, `None` for a root. In a circle, which only two checks of each other's page can make, whoever stands
/// first in the list is the root.
fn root(parents: &[Option<usize>], from: usize) -> Option<usize> {
    let mut seen = vec![from];
    let mut at = from;
    while let Some(next) = parents.get(at).copied().flatten() {
        if let Some(begin) = seen.iter().position(|before| *before == next) {
            let first = seen.get(begin..)?.iter().copied().min()?;
            return (first != from).then_some(first);
        }
        seen.push(next);
        at = next;
    }
    (at != from).then_some(at)
}

struct Picture<'a> {
    snapshot: &'a Snapshot,
    places: &'a Places,
    index: HashMap<&'a str, usize>,
}

impl Picture<'_> {
    /// The cause that this one follows from directly.
    fn parent(&self, causes: &[Cause], by_subject: &HashMap<&str, Vec<usize>>, at: usize) -> Option<usize> {
        let cause = causes.get(at)?;
        if let Some(same) = self.twin(causes, by_subject, at) {
            return Some(same);
        }
        let mut best: Option<usize> = None;
        for subject in self.needs(&cause.subject) {
            let found = by_subject.get(subject).into_iter().flatten().copied();
            let fits = found
                .filter(|other| causes.get(*other).is_some_and(|it| may_follow(cause, it) && self.in_time(cause, it)));
            // Of several the one that began first; it is the likeliest, and the choice is stable.
            best = best
                .into_iter()
                .chain(fits.filter(|other| *other != at))
                .min_by_key(|other| causes.get(*other).map(|it| it.since));
        }
        best
    }

    /// What a subject depends on, through those that work too.
    fn needs(&self, subject: &str) -> Vec<&str> {
        let mut needs: Vec<&str> = Vec::new();
        let peer = self.snapshot.checks.iter().find(|check| check.facts.peer);
        let start =
            if subject == PEER { peer } else { self.index.get(subject).and_then(|at| self.snapshot.checks.get(*at)) };
        let mut open: Vec<&CheckView> = start.into_iter().collect();
        if subject == PEER {
            needs.push(PEER);
        }
        while let Some(check) = open.pop() {
            for name in self.direct(check) {
                if name == subject || needs.contains(&name) {
                    continue;
                }
                needs.push(name);
                open.extend(self.index.get(name).and_then(|at| self.snapshot.checks.get(*at)));
            }
        }
        needs
    }

    fn direct<'b>(&'b self, check: &'b CheckView) -> Vec<&'b str> {
        let mut names: Vec<&str> = check.facts.depends_on.iter().map(String::as_str).collect();
        let part = |other: &CheckView| check.readings().iter().any(|reading| is_part(reading, other));
        let others = self.snapshot.checks.iter().filter(|other| other.facts.name != check.facts.name);
        if check.facts.peer {
            names.push(PEER);
            // The other checks of the peer itself (its metrics, its certificate) need it.
            let apart = |other: &&CheckView| !self.is_of(other, check);
            names.extend(others.filter(apart).map(|other| other.facts.name.as_str()));
        } else {
            names.extend(others.filter(|other| part(other)).map(|other| other.facts.name.as_str()));
        }
        names
    }

    /// Another cause of the same place with the same name, or one that all checks of a host have in common; the peer's check comes first.
    fn twin(&self, causes: &[Cause], by_subject: &HashMap<&str, Vec<usize>>, at: usize) -> Option<usize> {
        let cause = causes.get(at)?;
        if !OF_THE_HOST.contains(&cause.kind.name) {
            return None;
        }
        let own = self.index.get(cause.subject.as_str()).copied()?;
        let (host, port) = self.places.of(own)?;
        let check = self.snapshot.checks.get(own)?;
        for (index, other) in self.snapshot.checks.iter().enumerate().filter(|(index, _)| *index != own) {
            let Some((other_host, other_port)) = self.places.of(index) else { continue };
            let first = if check.facts.peer { false } else { other.facts.peer || index < own };
            let of_peer = other.facts.peer && self.is_of(check, other);
            if other_host != host || !first || !(of_peer || other_port == port || of_the_name(cause)) {
                continue;
            }
            let found = by_subject.get(other.facts.name.as_str()).into_iter().flatten().copied();
            let same = |it: &usize| causes.get(*it).is_some_and(|it| OF_THE_HOST.contains(&it.kind.name));
            if let Some(found) = found.into_iter().find(same) {
                return Some(found);
            }
        }
        None
    }

    /// Whether a check asks the peer itself: it is on the peer's host. On loopback, which a pod's containers share, that holds for what is
    /// of the peer's kind or at its port only; a database beside it is a dependency.
    fn is_of(&self, check: &CheckView, peer: &CheckView) -> bool {
        let Some(((host, port), (own, own_port))) = self.place_of(check).zip(self.place_of(peer)) else { return false };
        let shared = own == "localhost" || own.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        host == own && (!shared || port == own_port || check.facts.kind == peer.facts.kind)
    }

    fn place_of(&self, check: &CheckView) -> Option<&Place> {
        self.places.of(self.index.get(check.facts.name.as_str()).copied()?)
    }

    /// Whether the other one began before this one, give or take the time until each was noticed.
    fn in_time(&self, cause: &Cause, other: &Cause) -> bool {
        let until = |subject: &str| {
            let check = self.index.get(subject).and_then(|at| self.snapshot.checks.get(*at));
            check.map_or(limits::COLLECT_INTERVAL, |check| check.facts.interval + check.facts.timeout)
        };
        let slack: Duration = until(&other.subject) + until(&cause.subject) + limits::ATTRIBUTION_SLACK;
        let latest: SystemTime = cause.since + slack;
        other.since <= latest
    }
}

/// Whether one may come of the other: it can come from outside, and the other one stops a service. With a container goes its name, and its
/// address leads nowhere.
fn may_follow(cause: &Cause, from: &Cause) -> bool {
    let went = from.kind.name == "peer_gone" && OF_THE_HOST.contains(&cause.kind.name);
    !HARMLESS.contains(&from.kind.name) && (went || FOLLOW.contains(&cause.kind.name))
}

/// What is wrong with the name or the host, whatever the port.
fn of_the_name(cause: &Cause) -> bool {
    matches!(cause.kind.name, "dns_unknown" | "dns_dead_address" | "host_unreachable")
}

/// Whether a service reports this check's service as a part of itself: by the check's name or its kind.
fn is_part(reading: &crate::reading::Reading, other: &CheckView) -> bool {
    let named = |label: &String| *label == other.facts.name || label == other.facts.kind;
    reading.metric.name == PART_HEALTHY.name && reading.labels.first().is_some_and(named)
}

#[cfg(test)]
pub(super) fn lists() -> impl Iterator<Item = &'static str> {
    FOLLOW.iter().chain(HARMLESS).chain(OF_THE_HOST).copied()
}
