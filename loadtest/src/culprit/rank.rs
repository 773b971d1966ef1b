//! Ranks the services by what speaks against them.

use super::signs::{Against, Looks, Moved, Sign, look};
use super::{Miss, say};
use crate::limits::{BLAME_CLEARLY, BLAME_CONVINCING, BLAME_LAG};
use crate::sidecars::{Evidence, Kind, Service};

/// Who is to blame for one miss.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The miss.
    pub miss: Miss,
    /// The suspects, the first one first.
    pub suspects: Vec<Suspect>,
    /// How many of them are named: none when nothing is convincing, several when they cannot be told apart.
    pub named: usize,
    /// What changed and is not to blame: service and figure.
    pub moved: Vec<(String, Moved)>,
    /// What came to its limit only afterwards.
    pub later: Vec<(String, Sign)>,
    /// Sidecars that were not heard, with the reason.
    pub silent: Vec<(String, String)>,
    /// The sentence for people. Times in it are written by the caller's clock.
    pub sentence: String,
}

/// A service and what speaks against it.
#[derive(Clone, Debug, PartialEq)]
pub struct Suspect {
    /// The service.
    pub service: String,
    /// What speaks most.
    pub sign: Sign,
    /// The service that it waits for, and that is therefore suspected before it.
    pub waits_for: Option<String>,
    /// Conviction, 0 to 1.
    pub score: f64,
}

/// Finds who is to blame. `generator` says what shows that the load generator itself was the bottleneck; `clock` writes a moment.
#[must_use]
pub fn find(miss: &Miss, evidence: &Evidence, generator: Option<&str>, clock: &dyn Fn(f64) -> String) -> Finding {
    let seen: Vec<(&Service, Looks)> = evidence.services.iter().map(|service| (service, look(service, miss))).collect();
    let mut suspects: Vec<Suspect> =
        seen.iter().filter_map(|(service, looks)| suspect(&service.name, &looks.signs)).collect();
    named_by_agents(&seen, miss, evidence, &mut suspects);
    turned_away(miss, evidence, &mut suspects);
    waiting(evidence, &mut suspects);
    let telling = suspects.iter().filter(|one| one.sign.also_when_met < 0.5 && !one.sign.stood());
    let first = telling.map(|one| one.sign.from).fold(f64::MAX, f64::min);
    for one in &mut suspects {
        one.score = score(one, first);
    }
    suspects.sort_by(|a, b| b.score.total_cmp(&a.score));
    let named = if generator.is_some() { 0 } else { convincing(&suspects) };
    let blamed = |name: &str| suspects.iter().any(|suspect| suspect.service == name);
    let moved = seen.iter().filter(|(service, _)| !blamed(&service.name));
    let moved = moved
        .flat_map(|(service, looks)| looks.moved.iter().map(|moved| (service.name.clone(), moved.clone())))
        .collect();
    let later = seen.iter().filter(|(service, _)| !blamed(&service.name));
    let later = later.flat_map(|(service, looks)| looks.later.iter().map(|sign| (service.name.clone(), sign.clone())));
    let mut finding = Finding {
        miss: miss.clone(),
        later: later.collect(),
        named,
        moved,
        silent: silent(evidence, miss),
        sentence: String::new(),
        suspects,
    };
    finding.sentence = say::sentence(&finding, generator, clock);
    finding
}

/// The sign that tells most of a service: by its kind, then by how far it went.
fn suspect(service: &str, signs: &[Sign]) -> Option<Suspect> {
    let most = |a: &&Sign, b: &&Sign| a.kind().cmp(&b.kind()).then(b.severity.total_cmp(&a.severity));
    let sign = signs.iter().min_by(most)?.clone();
    Some(Suspect { service: service.to_owned(), sign, waits_for: None, score: 0.0 })
}

/// Causes that agents named since the load began; their subject may be another service than the agent's own.
fn named_by_agents(seen: &[(&Service, Looks)], miss: &Miss, evidence: &Evidence, suspects: &mut Vec<Suspect>) {
    for (service, _) in seen {
        let new = service.causes.iter().filter(|one| {
            one.from >= 0.0 && one.from <= miss.when.start + BLAME_LAG && one.until >= miss.when.start - BLAME_LAG
        });
        for one in new {
            let known = evidence.service(&one.subject).is_some() || service.dependencies.contains(&one.subject);
            let about = if known { &one.subject } else { &service.name };
            if suspects.iter().any(|suspect| suspect.service == *about) {
                continue;
            }
            let sign = Sign::plain(Against::Cause(one.cause.clone()), one.from);
            suspects.push(Suspect { service: about.clone(), sign, waits_for: None, score: 0.0 });
        }
    }
}

/// Requests that a rate limit turned away were so by the proxy in front, or by something behind it that it does not tell. More
/// than one proxy cannot be told apart.
fn turned_away(miss: &Miss, evidence: &Evidence, suspects: &mut Vec<Suspect>) {
    let Some(away) = miss.turned_away else { return };
    for proxy in evidence.services.iter().filter(|service| service.is_proxy) {
        suspects.retain(|suspect| suspect.service != proxy.name);
        let sign = Sign::plain(Against::Limit(away), miss.when.start);
        suspects.push(Suspect { service: proxy.name.clone(), sign, waits_for: None, score: 0.0 });
    }
}

/// Who only waits points to the one that it waits for: one that it depends on and that is suspected itself; where its
/// dependencies are unknown, one that has used up something of its own or became slow.
fn waiting(evidence: &Evidence, suspects: &mut [Suspect]) {
    // Nobody waits for what was the same while all was well.
    let telling = suspects.iter().filter(|one| one.sign.also_when_met < 0.5);
    let all: Vec<(String, Kind, f64)> =
        telling.map(|one| (one.service.clone(), one.sign.kind(), one.sign.severity)).collect();
    for one in suspects.iter_mut() {
        let kind = one.sign.kind();
        let dependencies =
            evidence.service(&one.service).map(|service| service.dependencies.as_slice()).unwrap_or_default();
        let knows = dependencies
            .iter()
            .any(|name| evidence.service(name).is_some() || all.iter().any(|(other, ..)| other == name));
        let awaited = |(other, other_kind, _): &&(String, Kind, f64)| {
            let own_fault = *other_kind <= Kind::Work;
            let depends = dependencies.iter().any(|name| name == other);
            *other != one.service
                && match kind {
                    Kind::Waiting => (depends && *other_kind <= Kind::Waiting) || (!knows && own_fault),
                    Kind::Work => depends && *other_kind <= Kind::Resource,
                    _ => false,
                }
        };
        one.waits_for = all
            .iter()
            .filter(awaited)
            .min_by(|a, b| a.1.cmp(&b.1).then(b.2.total_cmp(&a.2)))
            .map(|(name, ..)| name.clone());
    }
}

/// Conviction: what kind of sign it is, how far it went, whether it came first, and whether it was so before, or while all was well.
fn score(one: &Suspect, first: f64) -> f64 {
    let kind = match one.sign.kind() {
        Kind::Event => 1.0,
        Kind::Resource => 0.9,
        Kind::Work => 0.75,
        Kind::Waiting => 0.5,
        Kind::Machine => 0.3,
    };
    let timing = if one.sign.from > first + BLAME_LAG { 0.6 } else { 1.0 };
    let waits = if one.waits_for.is_some() { 0.3 } else { 1.0 };
    let stood = if one.sign.stood() { 0.5 } else { 1.0 };
    // Half of the good time is much; what was so all the time is no reason at all.
    let same = (1.0 - 1.2 * one.sign.also_when_met).max(0.05);
    kind * (0.6 + 0.4 * one.sign.severity) * same * timing * waits * stood
}

/// How many of the first are named: those that are convincing, and not clearly less so than the first.
fn convincing(suspects: &[Suspect]) -> usize {
    let Some(best) = suspects.first().map(|one| one.score).filter(|best| *best >= BLAME_CONVINCING) else { return 0 };
    suspects.iter().take_while(|one| one.score * BLAME_CLEARLY >= best).count()
}

fn silent(evidence: &Evidence, miss: &Miss) -> Vec<(String, String)> {
    let heard = |service: &Service| match service.hears(&miss.when) {
        crate::sidecars::Hears::Silent(_, why) => Some((service.name.clone(), why.to_owned())),
        crate::sidecars::Hears::Well => None,
    };
    evidence.services.iter().filter_map(heard).collect()
}
