//! From the snapshot to the text that Prometheus reads: [`families`] gathers, [`encode`] and [`text`] write, [`negotiate`] chooses.
//! Pure renderings; nothing here measures, waits or keeps state. What must stay true: a value that is not known is absent, and
//! every name on the page stands in [`table`].

pub mod encode;
pub mod families;
pub mod names;
pub mod negotiate;
mod page;
mod reexported;
mod text;

#[cfg(test)]
mod reexported_tests;
#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;

pub use page::{Page, Pages};

use crate::collectors::SOURCES;
use crate::probes::{KINDS, every};
use crate::reading::Metric;
use std::collections::HashSet;

/// What the server knows of itself, which is no part of the snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Served {
    /// Connections closed at once because too many were open.
    pub connections_refused: u64,
    /// Whether the web configuration was read without error the last time; `None` when there is none.
    pub web_config_read: Option<bool>,
}

/// Every metric that the agent can export, each name once, in the order of the tables.
#[must_use]
pub fn table() -> Vec<&'static Metric> {
    let probes = KINDS.iter().flat_map(|kind| kind.facts);
    let sources = SOURCES.iter().flat_map(|source| source.facts);
    let all = names::ALL.iter().chain(every::FACTS).chain(probes).chain(sources).copied();
    let mut known = HashSet::new();
    all.filter(|metric| known.insert(metric.name)).collect()
}
