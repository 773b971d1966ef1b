//! From one sidecar's pages, one after the other, to the values of the figures. Pure: pages in, values out.
//! The agent takes its own figures every few seconds, so that a page may repeat the one before: a counter that stands still
//! means "nothing new", unless the agent says that it looked anew.

use super::figures::{CAUSES, CHECK_INFO, FIGURES, Figure, RAN, SEEN};
use super::page::Page;
use super::source::Source;
use crate::limits;
use crate::units::Unit;
use std::collections::BTreeMap;

/// What was read from one page.
#[derive(Debug, Default)]
pub(super) struct Values {
    /// The figures that it tells, each with what moves on when the agent looked anew; 0 when it does not tell.
    pub(super) figures: Vec<(&'static Figure, f64, f64)>,
    /// Causes that the agent names, with their subjects.
    pub(super) causes: Vec<(String, String)>,
    /// Checks of other services: what this one depends on.
    pub(super) dependencies: Vec<String>,
    /// Whether the peer is a proxy that the agent knows as one.
    pub(super) is_proxy: bool,
    /// A figure that cannot be: what it says.
    pub(super) nonsense: Option<String>,
    /// Moves on whenever the agent looked anew.
    pub(super) stamp: f64,
}

/// What is remembered between two pages.
#[derive(Debug, Default)]
pub(super) struct Reader {
    quotients: BTreeMap<&'static str, Quotient>,
    firsts: BTreeMap<&'static str, f64>,
}

#[derive(Debug, Default)]
struct Quotient {
    top: BTreeMap<String, f64>,
    bottom: BTreeMap<String, f64>,
    stamp: f64,
    value: Option<f64>,
}

impl Reader {
    /// The values of the next page.
    pub(super) fn read(&mut self, page: &Page) -> Values {
        let peers = peers(page);
        let mut values = Values {
            stamp: stamp(page),
            dependencies: others(page),
            causes: causes(page),
            is_proxy: is_proxy(page),
            ..Values::default()
        };
        for figure in FIGURES {
            let told = figure.sources.iter().find_map(|source| Some((source, self.value(*source, page, &peers)?)));
            let Some((source, value)) = told else { continue };
            if can_be(figure.unit, value) {
                let looked = if source.is_of_checks() { RAN } else { SEEN };
                let looked = highest(page.of(looked).map(|sample| sample.value)).unwrap_or(0.0);
                values.figures.push((figure, value, looked));
            } else {
                values.nonsense = Some(format!("`{}` is {value}, which cannot be", figure.name));
            }
        }
        values
    }

    fn value(&mut self, source: Source, page: &Page, peers: &[String]) -> Option<f64> {
        match source {
            Source::Gauge(name, labels) => {
                highest(page.of(name).filter(|sample| sample.has(labels)).map(|one| one.value))
            }
            Source::OfPeer(name) => highest(of_peers(page, name, peers)),
            Source::Scaled(name, factor) => highest(of_peers(page, name, peers)).map(|value| value * factor),
            Source::PeerLost(name) => highest(of_peers(page, name, peers).map(|value| 1.0 - value)),
            Source::Used(name) => highest(page.of(name).map(|sample| 1.0 - sample.value)),
            Source::Rise(name) => self.rise(page, name),
            Source::Quotient(top, bottom, factor) => self.quotient(page, top, bottom).map(|value| value * factor),
        }
    }

    fn rise(&mut self, page: &Page, name: &'static str) -> Option<f64> {
        let values: Vec<f64> = page.of(name).map(|sample| sample.value).collect();
        let sum = (!values.is_empty()).then(|| values.iter().sum::<f64>())?;
        Some((sum - self.firsts.entry(name).or_insert(sum).min(sum)).max(0.0))
    }

    /// Over the series that both pages have: the servers keep the statements that cost most, and others come and go.
    fn quotient(&mut self, page: &Page, top: &'static str, bottom: &'static str) -> Option<f64> {
        let (top_now, bottom_now, stamp) = (series(page, top), series(page, bottom), stamp(page));
        if bottom_now.is_empty() {
            return None;
        }
        let before = self.quotients.entry(top).or_default();
        let rises = bottom_now.iter().filter_map(|(labels, count)| {
            let calls = count - before.bottom.get(labels)?;
            let spent = top_now.get(labels)? - before.top.get(labels)?;
            (calls > 0.0 && spent >= 0.0).then_some((spent, calls))
        });
        let (spent, calls) = rises.fold((0.0, 0.0), |(s, c), (spent, calls)| (s + spent, c + calls));
        let value = if calls > 0.0 {
            Some(spent / calls)
        } else if before.stamp == stamp {
            // The same look of the agent once more.
            return before.value;
        } else {
            None
        };
        *before = Quotient { top: top_now, bottom: bottom_now, stamp, value };
        value
    }
}

fn series(page: &Page, name: &str) -> BTreeMap<String, f64> {
    page.of(name).map(|sample| (sample.labels.clone(), sample.value)).collect()
}

fn highest(values: impl Iterator<Item = f64>) -> Option<f64> {
    values.reduce(f64::max)
}

/// The checks that are the peer's own; all of them where none is marked.
fn peers(page: &Page) -> Vec<String> {
    names(page, "true")
}

fn others(page: &Page) -> Vec<String> {
    let mut names = names(page, "false");
    names.truncate(limits::SIDECAR_NAMES);
    names
}

fn is_proxy(page: &Page) -> bool {
    page.of(CHECK_INFO).any(|sample| sample.has(&[("peer", "true"), ("kind", "nginx")]))
}

fn names(page: &Page, peer: &str) -> Vec<String> {
    let own = page.of(CHECK_INFO).filter(|sample| sample.label("peer") == Some(peer));
    own.filter_map(|sample| sample.label("check")).map(short).collect()
}

fn of_peers<'a>(page: &'a Page, name: &'a str, peers: &'a [String]) -> impl Iterator<Item = f64> + 'a {
    let own = move |check: Option<&str>| {
        peers.is_empty() || check.is_some_and(|check| peers.iter().any(|peer| peer == check))
    };
    page.of(name).filter(move |sample| own(sample.label("check"))).map(|sample| sample.value)
}

fn causes(page: &Page) -> Vec<(String, String)> {
    let active = page.of(CAUSES).filter(|sample| sample.value > 0.0);
    let named = active.filter_map(|sample| Some((short(sample.label("cause")?), short(sample.label("subject")?))));
    named.take(limits::SIDECAR_NAMES).collect()
}

/// When the agent looked last; 0 when it does not tell.
fn stamp(page: &Page) -> f64 {
    highest(page.of(SEEN).chain(page.of(RAN)).map(|sample| sample.value)).unwrap_or(0.0)
}

/// A name of another machine's, cut to a length that fits in a sentence and cleaned of what a terminal would obey.
fn short(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(limits::SIDECAR_NAME_CHARS).collect()
}

/// A pool may overflow tenfold, and CPU time may pass its quota for a moment; nothing is below zero.
fn can_be(unit: Unit, value: f64) -> bool {
    let most = if unit == Unit::Share { 10.0 } else { 1e15 };
    (-0.001..=most).contains(&value)
}
