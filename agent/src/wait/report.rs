//! How a wait ended, as text for people and as JSON. Pure.

use super::Dependency;
use crate::paint::Paint;
use crate::supervise;
use crate::units::Span;
use rustix::process::Signal;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::time::Duration;

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// All are ready.
    Ready,
    /// The time was up.
    TimedOut,
    /// Longer waiting cannot help, and that was to end it.
    Hopeless,
    /// A signal came.
    Stopped(Signal),
}

/// How a wait ended, and how each dependency stands.
#[derive(Clone, Debug)]
pub struct Report {
    /// Why it ended.
    pub ended: Ended,
    /// How long it took.
    pub took: Duration,
    /// How long it might have taken.
    pub timeout: Duration,
    /// The dependencies, as asked for.
    pub dependencies: Vec<Dependency>,
}

impl Report {
    /// One object: the verdict and every dependency.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "ready": self.ended == Ended::Ready,
            "ended": match self.ended {
                Ended::Ready => "ready",
                Ended::TimedOut => "timeout",
                Ended::Hopeless => "hopeless",
                Ended::Stopped(_) => "signal",
            },
            "waited_ms": milliseconds(self.took),
            "timeout_ms": milliseconds(self.timeout),
            "dependencies": self.dependencies.iter().map(|one| entry(one, self.took)).collect::<Vec<_>>(),
        })
    }

    /// The sentence at the end, and for each dependency that is not ready what it is, since when, why and the way out.
    #[must_use]
    pub fn text(&self, paint: Paint) -> String {
        let (took, all) = (Span(rounded(self.took)), self.dependencies.len());
        let open: Vec<&Dependency> = self.dependencies.iter().filter(|one| !one.ready()).collect();
        let mut out = match self.ended {
            Ended::Ready => return format!("{} {} ready after {took}\n", paint.green("ready:"), all_of(all)),
            Ended::TimedOut => format!("{} timed out after {took}", paint.red("error:")),
            Ended::Hopeless => format!("{} given up after {took}, for waiting will not help", paint.red("error:")),
            Ended::Stopped(signal) => {
                format!("{} stopped by {} after {took}", paint.red("error:"), supervise::name_of(signal))
            }
        };
        let _ = writeln!(out, ": {} of {all} {} not ready", open.len(), if open.len() == 1 { "is" } else { "are" });
        open.into_iter().for_each(|one| describe(&mut out, one, self.took, paint));
        out
    }
}

fn all_of(count: usize) -> String {
    match count {
        0 => "nothing to wait for,".to_owned(),
        1 => "it is".to_owned(),
        count => format!("all {count} are"),
    }
}

fn describe(out: &mut String, one: &Dependency, took: Duration, paint: Paint) {
    let tries = if one.tries == 1 { "1 try".to_owned() } else { format!("{} tries", one.tries) };
    let Some(fault) = &one.fault else {
        let _ = writeln!(out, "  {}  {}  no answer yet, {tries}", one.facts.name, one.facts.target);
        return;
    };
    let since = Span(rounded(took.saturating_sub(one.fault_since)));
    let _ = writeln!(out, "  {}  {}  {} for {since}, {tries}", one.facts.name, one.facts.target, fault.reason);
    let _ = writeln!(out, "    {}", fault.message);
    if let Some(hint) = &fault.hint {
        let _ = writeln!(out, "    {} {hint}", paint.cyan("hint:"));
    }
}

fn entry(one: &Dependency, took: Duration) -> Value {
    let fault = one.fault.as_ref();
    json!({
        "name": one.facts.name,
        "kind": one.facts.kind,
        "target": one.facts.target,
        "state": if one.ready() { "ready" } else { "waiting" },
        "reason": fault.map(|fault| fault.reason.as_str()),
        "message": fault.map(|fault| &fault.message),
        "hint": fault.and_then(|fault| fault.hint.as_ref()),
        "reason_for_ms": fault.map(|_| milliseconds(took.saturating_sub(one.fault_since))),
        "waited_ms": milliseconds(one.ready_after.unwrap_or(took)),
        "tries": one.tries,
    })
}

fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// To the millisecond, and to the tenth of a second from one second on: nobody reads the rest.
pub(crate) fn rounded(span: Duration) -> Duration {
    let whole = milliseconds(span);
    match whole {
        0..10 => span,
        10..1000 => Duration::from_millis(whole),
        _ => Duration::from_millis(whole / 100 * 100),
    }
}
