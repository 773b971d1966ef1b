//! The text form, as all problems of the agent look: what, where, why, what to do; then the count.

use super::counted;
use crate::paint::Paint;
use crate::preflight::finding::Finding;
use crate::preflight::report::Report;
use crate::preflight::rule::Severity;
use std::fmt::Write as _;

pub(super) fn render(report: &Report, paint: Paint) -> String {
    let mut out = String::new();
    for finding in &report.findings {
        one(&mut out, finding, paint);
    }
    if report.beyond > 0 {
        let _ = writeln!(out, "… and {} more\n", report.beyond);
    }
    for waived in &report.accepted {
        let reason = waived.reason.as_ref().map_or(String::new(), |reason| format!(", {reason}"));
        let line = format!("accepted: {} at {}{reason}", waived.finding.rule.name, waived.finding.place.shown());
        let _ = writeln!(out, "{}", paint.dim(&line));
    }
    for checked in &report.checked {
        let of_it: Vec<&Finding> = report.findings.iter().filter(|one| one.place.file == checked.input).collect();
        let verdict = if of_it.is_empty() { paint.green("ok") } else { counted(of_it.len(), "finding") };
        let _ = writeln!(out, "{}: {verdict}, {}", checked.input, checked.summary);
    }
    if !report.findings.is_empty() {
        let _ = writeln!(out, "{}", total(report, paint));
    }
    out
}

fn one(out: &mut String, finding: &Finding, paint: Paint) {
    let word = match finding.rule.severity {
        Severity::Error => paint.red("error:"),
        Severity::Warning => paint.yellow("warning:"),
    };
    let _ = writeln!(out, "{word} {} {}", plain(&finding.message), paint.dim(&format!("[{}]", finding.rule.name)));
    let _ = writeln!(out, "  at {}\n  why: {}", plain(&finding.place.shown()), finding.rule.why);
    let _ = writeln!(out, "{} {}\n", paint.cyan("hint:"), finding.fix);
}

fn total(report: &Report, paint: Paint) -> String {
    let errors = counted(report.errors(), "error");
    let errors = if report.errors() > 0 { paint.red(&errors) } else { errors };
    format!("{errors}, {}", counted(report.warnings(), "warning"))
}

/// A terminal obeys control characters, and names come from files that others wrote.
fn plain(text: &str) -> String {
    text.replace(char::is_control, "?")
}
