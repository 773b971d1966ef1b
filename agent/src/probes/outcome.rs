//! What one run of a probe gives: phases with their times, readings, notes, and a fault with a closed reason, or none.

use super::metrics::Exposition;
use super::net::Net;
use super::{Detail, Probe};
use crate::reading::{Metric, Reading};
use crate::{clock, limits};
use futures_util::FutureExt as _;
use std::fmt;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Why a check failed: a closed set, for it is a label value. DESIGN section 3 has the list; the order is that of the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The name is unknown, or the resolver did not answer.
    Dns,
    /// Nothing listens there.
    Refused,
    /// No route to the address.
    Unreachable,
    /// No answer within the deadline.
    Timeout,
    /// The TLS handshake failed for another cause than the certificate.
    Tls,
    /// The certificate is expired, not yet valid, for another name, or of an unknown issuer.
    Certificate,
    /// Something else answers than the URL says.
    ProtocolMismatch,
    /// The credentials were refused.
    Auth,
    /// The status is not one of those expected.
    Status,
    /// A header is missing or not as expected.
    Header,
    /// The body or the answer is not as expected, or is too large.
    Body,
    /// A table, column or migration is missing.
    Schema,
    /// The service answers that it is full: too many connections, out of memory.
    Saturated,
    /// What was found is too old.
    Stale,
    /// The check itself cannot work as it is configured.
    Config,
    /// A bug in the probe.
    Internal,
}

impl Reason {
    /// All reasons, in label order.
    pub const ALL: [Self; 16] = [
        Self::Dns,
        Self::Refused,
        Self::Unreachable,
        Self::Timeout,
        Self::Tls,
        Self::Certificate,
        Self::ProtocolMismatch,
        Self::Auth,
        Self::Status,
        Self::Header,
        Self::Body,
        Self::Schema,
        Self::Saturated,
        Self::Stale,
        Self::Config,
        Self::Internal,
    ];

    /// The label value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::Tls => "tls",
            Self::Certificate => "certificate",
            Self::ProtocolMismatch => "protocol_mismatch",
            Self::Auth => "auth",
            Self::Status => "status",
            Self::Header => "header",
            Self::Body => "body",
            Self::Schema => "schema",
            Self::Saturated => "saturated",
            Self::Stale => "stale",
            Self::Config => "config",
            Self::Internal => "internal",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a run failed. The message may name hosts and ports (restricted pages show it), never a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The closed reason.
    pub reason: Reason,
    /// What exactly, where the probe knows it.
    pub detail: Option<Detail>,
    /// One sentence: what was seen, and what was expected.
    pub message: String,
    /// What to do, when there is advice.
    pub hint: Option<String>,
}

impl Fault {
    /// A fault without advice.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, detail: None, message: message.into(), hint: None }
    }

    /// The same fault, told more exactly.
    #[must_use]
    pub fn exactly(mut self, detail: Detail) -> Self {
        self.detail = Some(detail);
        self
    }

    /// The same fault with advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// The future of one run.
pub type Run<'a> = Pin<Box<dyn Future<Output = Result<(), Fault>> + Send + 'a>>;

/// A finished stretch of a run, as in blackbox: `resolve`, `connect`, `tls`, `processing`, `transfer`, or the probe's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Phase {
    /// Its name.
    pub name: &'static str,
    /// How long it took; the sum when it came more than once (redirects).
    pub took: Duration,
}

/// A fact for people that is no number: a version, a protocol. Cleaned and capped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What it tells.
    pub name: &'static str,
    /// The text.
    pub text: String,
}

/// Everything one run gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Why it failed; `None` is success.
    pub fault: Option<Fault>,
    /// From start to end.
    pub took: Duration,
    /// The phases in order.
    pub phases: Vec<Phase>,
    /// The values measured, also by a run that failed later.
    pub readings: Vec<Reading>,
    /// The facts for people.
    pub notes: Vec<Note>,
    /// The address of the name that was taken, or tried first.
    pub address: Option<IpAddr>,
    /// What is to be exported again of the peer's own page of metrics; absent when the page could not be read.
    pub exposition: Option<Arc<Exposition>>,
}

impl Outcome {
    /// Whether the run succeeded.
    #[must_use]
    pub fn ok(&self) -> bool {
        self.fault.is_none()
    }

    /// How it ended and where it led, without what was measured.
    #[must_use]
    pub fn without_readings(&self) -> Self {
        Self { fault: self.fault.clone(), address: self.address, ..Self::default() }
    }

    /// The value of a metric, when it was measured.
    #[must_use]
    pub fn value(&self, metric: &Metric) -> Option<f64> {
        self.readings.iter().find(|reading| reading.metric == metric).map(|reading| reading.value)
    }

    /// The text of a note.
    #[must_use]
    pub fn note(&self, name: &str) -> Option<&str> {
        self.notes.iter().find(|note| note.name == name).map(|note| note.text.as_str())
    }
}

/// How much a run is to learn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Whether a dependency works: what `probe_*` and `sidecar_*` need, as cheap as can be.
    Dependency,
    /// All figures of the server that this agent stands beside, under the names of its public exporter.
    Peer,
}

/// A name that was looked up already, and the one of its addresses that a run is for.
#[derive(Clone, Debug)]
pub struct Pinned {
    /// The name.
    pub host: String,
    /// Its address.
    pub address: IpAddr,
    /// How long the look-up took.
    pub lookup: Duration,
}

/// What a run has to work with: its deadline, the network, and where it writes down what it learns.
pub struct Context<'a> {
    /// When the run must be over.
    pub deadline: Instant,
    /// Whether the server's own families are wanted; without, a probe asks for none of them.
    pub depth: Depth,
    /// Name look-up and TLS settings shared by all probes.
    pub net: &'a Net,
    /// The one address that a name stands for in this run; see [`super::every`].
    pub pinned: Option<Pinned>,
    outcome: Outcome,
    current: Option<(&'static str, Instant)>,
}

impl<'a> Context<'a> {
    /// A context for one run that must be over at `deadline`.
    #[must_use]
    pub fn new(net: &'a Net, deadline: Instant, depth: Depth) -> Self {
        Self { deadline, depth, net, pinned: None, outcome: Outcome::default(), current: None }
    }

    /// A phase that was over before this run began.
    pub fn earlier_phase(&mut self, name: &'static str, took: Duration) {
        self.outcome.phases.push(Phase { name, took });
    }

    /// Takes over phases, readings and notes of another run, as if they were this one's.
    pub fn adopt(&mut self, outcome: Outcome) {
        self.outcome.phases = outcome.phases;
        self.outcome.notes = outcome.notes;
        self.outcome.address = outcome.address;
        outcome.readings.into_iter().for_each(|reading| self.measure(reading));
    }

    /// Begins a phase and ends the one before.
    pub fn phase(&mut self, name: &'static str) {
        self.end_phase();
        self.current = Some((name, clock::now()));
    }

    /// Ends the current phase, if there is one.
    pub fn end_phase(&mut self) {
        let Some((name, began)) = self.current.take() else { return };
        let took = clock::now().duration_since(began);
        match self.outcome.phases.iter_mut().find(|phase| phase.name == name) {
            Some(phase) => phase.took += took,
            None => self.outcome.phases.push(Phase { name, took }),
        }
    }

    /// The phase that has begun and not ended.
    #[must_use]
    pub fn current_phase(&self) -> Option<&'static str> {
        self.current.map(|(name, _)| name)
    }

    /// The value of a metric, when it has been measured.
    #[must_use]
    pub fn value(&self, metric: &Metric) -> Option<f64> {
        self.outcome.value(metric)
    }

    /// The time a phase took so far.
    #[must_use]
    pub fn took(&self, name: &str) -> Option<Duration> {
        self.outcome.phases.iter().find(|phase| phase.name == name).map(|phase| phase.took)
    }

    /// Keeps a measured value while there are not [`limits::RUN_READINGS`]; a later value of the same metric and labels replaces it.
    pub fn measure(&mut self, reading: Reading) {
        let same = |kept: &&mut Reading| kept.metric == reading.metric && kept.labels == reading.labels;
        match self.outcome.readings.iter_mut().find(same) {
            Some(kept) => kept.value = reading.value,
            None => self.measure_all([reading]),
        }
    }

    /// Keeps many values that are known to differ in metric or labels, such as a server's own family, up to the same cap.
    pub fn measure_all(&mut self, readings: impl IntoIterator<Item = Reading>) {
        let room = limits::RUN_READINGS.saturating_sub(self.outcome.readings.len());
        self.outcome.readings.extend(readings.into_iter().take(room));
    }

    /// Keeps a fact for people: control characters removed, capped at [`limits::PEER_TEXT_CHARS`].
    pub fn note(&mut self, name: &'static str, text: &str) {
        self.outcome.notes.retain(|note| note.name != name);
        self.outcome.notes.push(Note { name, text: clean(text) });
    }

    /// Keeps the address that was taken.
    pub fn reached(&mut self, address: IpAddr) {
        self.outcome.address = Some(address);
    }

    /// Keeps what is to be exported again.
    pub fn reexport(&mut self, exposition: Exposition) {
        self.outcome.exposition = Some(Arc::new(exposition));
    }

    /// What was learnt so far.
    #[cfg(test)]
    #[must_use]
    pub fn into_outcome(self) -> Outcome {
        self.outcome
    }

    /// How much time is left.
    #[must_use]
    pub fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(clock::now())
    }
}

/// A peer's text made fit for people: control characters become spaces, the length is capped.
#[must_use]
pub fn clean(text: &str) -> String {
    text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(limits::PEER_TEXT_CHARS).collect()
}

/// Runs a probe once under its deadline. Whatever it does (hang, panic, fail), the result is an outcome.
pub async fn run(probe: &mut dyn Probe, net: &Net, timeout: Duration, depth: Depth) -> Outcome {
    drive(probe, Context::new(net, clock::now() + timeout, depth)).await
}

/// Runs a probe once in this context, as [`run`] does.
pub(super) async fn drive(probe: &mut dyn Probe, mut cx: Context<'_>) -> Outcome {
    let began = clock::now();
    let timeout = cx.left();
    let ended = tokio::time::timeout(timeout, AssertUnwindSafe(probe.run(&mut cx)).catch_unwind()).await;
    let fault = match ended {
        Ok(Ok(Ok(()))) => None,
        Ok(Ok(Err(fault))) => Some(fault),
        Ok(Err(_panic)) => Some(Fault::new(Reason::Internal, "the probe has a bug and gave up, please report it")),
        Err(_elapsed) => Some(late(cx.current.map(|(name, _)| name), timeout)),
    };
    cx.end_phase();
    let took = clock::now().duration_since(began);
    probe.veil().over(Outcome { fault, took, ..cx.outcome })
}

/// The fault of a run whose deadline passed in this phase.
pub(super) fn late(phase: Option<&'static str>, timeout: Duration) -> Fault {
    // What was left of a round figure when the run began is that figure.
    let timeout = Duration::from_millis(u64::try_from((timeout.as_micros() + 500) / 1000).unwrap_or(u64::MAX));
    let doing = phase.map_or(String::new(), |name| format!(" in phase `{name}`"));
    let detail = match phase {
        Some("resolve") => Detail::ResolverSilent,
        Some("connect") => Detail::ConnectTimeout,
        _ => Detail::NoAnswer,
    };
    Fault::new(Reason::Timeout, format!("no answer within {}{doing}", crate::units::Span(timeout))).exactly(detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_run_keeps_is_bounded() {
        static FIGURE: Metric = Metric::gauge("figure", "A figure").labelled(&["of"]);
        let net = Net::default();
        let mut cx = Context::new(&net, clock::now(), Depth::Peer);
        let many = |from: usize| (from..from + limits::RUN_READINGS).map(|at| FIGURE.with([&at.to_string()], 1.0));
        cx.measure_all(many(0).skip(1));
        cx.measure_all(many(limits::RUN_READINGS));
        cx.measure(FIGURE.with(["one more"], 1.0));
        assert_eq!(cx.into_outcome().readings.len(), limits::RUN_READINGS);
    }
}
