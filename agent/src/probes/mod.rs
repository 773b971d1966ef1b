//! Probes: one file a kind, one row a kind in [`KINDS`]. A probe looks at one target once and says what it saw.
//! Probes are leaves: they know limits, clock, units, secrets, readings and nodes; never configuration, state, metrics or the
//! server. What must stay true: a probe never outlives its deadline, never reads past a cap, and its failure is its own.

mod cert;
mod database;
mod detail;
mod dialogue;
mod dns;
mod elsewhere;
pub mod every;
pub mod facts;
mod fields;
mod file;
mod grpc;
pub mod http;
mod icmp;
pub mod metrics;
mod mysql;
pub mod net;
mod nginx;
mod outcome;
mod postgres;
mod redis;
mod service;
mod smtp;
mod sql;
pub mod target;
pub mod tcp;
#[cfg(test)]
pub(crate) mod tests;
pub mod tls;
mod unix;
mod veil;
mod websocket;

pub use detail::Detail;
pub use elsewhere::{Elsewhere, Open};
pub use outcome::{Context, Depth, Fault, Note, Outcome, Phase, Reason, Run, clean, run};

pub use crate::node::fields as fields_of;
pub use fields::{parameters, place_of};
pub use target::Target;
pub use veil::{Veil, build};

use crate::node::{Node, Problems};
use crate::parser::Parser;
use crate::reading::Metric;

/// A probe of one target. It may keep a connection between runs; [`Probe::run`] can be dropped at any await when its deadline
/// passes, so a kept connection is taken out while in use and put back only when it is sound.
pub trait Probe: Send {
    /// Looks once. Phases, readings and notes go into `cx` as they become known, so that a deadline loses none of them.
    fn run<'a>(&'a mut self, cx: &'a mut Context<'_>) -> Run<'a>;

    /// What no outcome of it may show. Kinds leave this to [`build`]; whoever wraps a probe hands its veil on.
    fn veil(&self) -> &Veil {
        Veil::none()
    }
}

/// One key of a check that belongs to the probe itself; the text is what REFERENCE.md prints.
pub struct Key {
    /// The key as written.
    pub name: &'static str,
    /// The form of its value, for people: `duration`, `list of text`.
    pub form: &'static str,
    /// What holds when it is not written.
    pub default: &'static str,
    /// What it does, for operators.
    pub doc: &'static str,
}

/// A key with its form, its default and what it does.
#[must_use]
pub const fn key(name: &'static str, form: &'static str, default: &'static str, doc: &'static str) -> Key {
    Key { name, form, default, doc }
}

/// A row of the table: all that the rest of the agent knows of a probe.
pub struct Kind {
    /// The kind's name.
    pub name: &'static str,
    /// The URL schemes that choose it.
    pub schemes: &'static [&'static str],
    /// One sentence for operators.
    pub summary: &'static str,
    /// A check of this kind as it stands in a config file: a YAML list item. Tests load it, and a twin with an unknown key.
    pub example: &'static str,
    /// Its own keys; a test holds them against the fields of its parameters.
    pub keys: &'static [Key],
    /// Names of those fields, from serde.
    pub fields: fn() -> &'static [&'static str],
    /// What it can measure, beside what every probe measures.
    pub facts: &'static [&'static Metric],
    /// What it reads of bytes that a peer chose, for fuzz targets and their corpora.
    pub parsers: &'static [Parser],
    /// Whether it watches something slow to change or not ours (external APIs, certificates, backups): 5 minutes, not 10 s.
    pub slow: bool,
    /// Makes a probe for a target from the check's own keys, or says all that is wrong with them.
    pub build: fn(&Target, &Node, &mut Problems) -> Option<Box<dyn Probe>>,
}

/// All kinds. A new probe is one file and one row here.
pub static KINDS: &[&Kind] = &[
    &http::KIND,
    &tcp::KIND,
    &tls::KIND,
    &redis::KIND,
    &postgres::KIND,
    &mysql::KIND,
    &nginx::KIND,
    &metrics::KIND,
    &file::KIND,
    &dns::KIND,
    &unix::KIND,
    &smtp::KIND,
    &icmp::KIND,
    &websocket::KIND,
    &grpc::KIND,
    &service::prometheus::KIND,
    &service::alertmanager::KIND,
    &service::grafana::KIND,
    &service::logstash::KIND,
    &service::chroma::KIND,
    &service::openai::KIND,
    &service::mcp::KIND,
    &cert::KIND,
];

/// The kind that a URL scheme chooses.
#[must_use]
pub fn kind_of(scheme: &str) -> Option<&'static Kind> {
    KINDS.iter().copied().find(|kind| kind.schemes.contains(&scheme))
}

/// Every scheme that is known, in the order of the table.
#[must_use]
pub fn schemes() -> Vec<&'static str> {
    KINDS.iter().flat_map(|kind| kind.schemes).copied().collect()
}
