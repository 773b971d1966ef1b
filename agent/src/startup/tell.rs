//! What a start says: lines for people or one JSON object a line, all on stderr, for stdout is the command's.

use crate::paint::Paint;
use crate::preflight::{Finding, Severity};
use crate::units::Span;
use crate::wait::rounded;
use serde_json::{Value, json};
use std::io::{self, Write as _};
use std::time::Duration;

/// Tells what happens.
#[derive(Clone, Copy, Debug)]
pub struct Tell {
    json: bool,
    paint: Paint,
}

impl Tell {
    /// As text or as JSON.
    #[must_use]
    pub fn new(json: bool) -> Self {
        Self { json, paint: Paint::for_stream(&io::stderr()) }
    }

    /// Something that happened: its name, its fields, and the line for people.
    pub(super) fn event(self, name: &str, mut fields: Value, line: &str) {
        if let (true, Value::Object(map)) = (self.json, &mut fields) {
            map.insert("event".to_owned(), name.into());
            write(&format!("{fields}\n"));
        } else if !line.is_empty() {
            write(&format!("{line}\n"));
        }
    }

    /// A line that a command of a step printed.
    pub(super) fn output(self, step: &str, stream: &str, line: &str) {
        let shown = format!("  {} {line}", self.paint.dim(&format!("{step} |")));
        self.event("output", json!({"step": step, "stream": stream, "line": line}), &shown);
    }

    /// A variable that breaks a rule.
    pub(super) fn finding(self, step: &str, finding: &Finding) {
        let Finding { rule, place, message, fix } = finding;
        let severity = match rule.severity {
            Severity::Error => self.paint.red("error:"),
            Severity::Warning => self.paint.yellow("warning:"),
        };
        let shown = format!(
            "  {} {severity} {}: {message} [{}]\n    {} {fix}",
            self.paint.dim(&format!("{step} |")),
            place.shown(),
            rule.name,
            self.paint.cyan("hint:")
        );
        let fields = json!({"step": step, "rule": rule.name, "severity": rule.severity.as_str(), "key": place.key,
            "message": message, "fix": fix});
        self.event("finding", fields, &shown);
    }

    /// A step that succeeded.
    pub(super) fn done(self, step: &str, kind: &str, took: Duration, tries: u32) {
        let more = if tries > 1 { format!(", {tries} tries") } else { String::new() };
        let line = format!("  {}      {step} ({kind}) in {}{more}", self.paint.green("ok"), Span(rounded(took)));
        let fields = json!({"step": step, "kind": kind, "ok": true, "took_ms": milliseconds(took), "tries": tries});
        self.event("step", fields, &line);
    }

    /// A step that failed, and why.
    pub(super) fn failed(self, step: &str, fault: &crate::probes::Fault, took: Duration, tries: u32) {
        let hint =
            fault.hint.as_ref().map_or(String::new(), |hint| format!("\n    {} {hint}", self.paint.cyan("hint:")));
        let (word, after) = (self.paint.red("failed"), Span(rounded(took)));
        let line = format!("  {word}  {step} after {after}: {}: {}{hint}", fault.reason, fault.message);
        let fields = json!({"step": step, "ok": false, "took_ms": milliseconds(took), "tries": tries,
            "reason": fault.reason.as_str(), "message": fault.message, "hint": fault.hint});
        self.event("step", fields, &line);
    }

    /// The end of the phases, good or bad, with what was done of them.
    pub(super) fn summed_up(self, name: &str, took: Duration, (done, steps): (usize, usize), line: &str) {
        let shown = format!("{line}; {done} of {steps} steps in {}", Span(rounded(took)));
        self.event(name, json!({"took_ms": milliseconds(took), "done": done, "steps": steps, "message": line}), &shown);
    }

    /// A stage of the whole, with its time.
    pub(super) fn stage(self, name: &str, took: Duration, line: &str) {
        let shown = format!("{line} ({})", Span(rounded(took)));
        self.event(name, json!({"took_ms": milliseconds(took), "message": line}), &shown);
    }
}

pub(super) fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

fn write(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
