//! The JSON form. It is an interface: keys are added, never renamed, else `version` goes up.

use crate::preflight::finding::Finding;
use crate::preflight::report::Report;
use crate::preflight::rule::Severity;
use serde::Serialize;

#[derive(Serialize)]
struct Document<'a> {
    version: u8,
    findings: Vec<Row<'a>>,
    accepted: Vec<Row<'a>>,
    checked: Vec<Input<'a>>,
    unreadable: &'a [String],
    counts: Counts,
}

#[derive(Serialize)]
struct Row<'a> {
    rule: &'static str,
    severity: Severity,
    file: &'a str,
    #[serde(skip_serializing_if = "is_zero")]
    line: usize,
    #[serde(skip_serializing_if = "is_zero")]
    column: usize,
    key: &'a str,
    message: &'a str,
    why: &'static str,
    fix: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

#[derive(Serialize)]
struct Input<'a> {
    input: &'a str,
    summary: &'a str,
}

#[derive(Serialize)]
struct Counts {
    errors: usize,
    warnings: usize,
    accepted: usize,
    beyond: usize,
}

pub(super) fn render(report: &Report) -> String {
    let accepted = report.accepted.iter().map(|waived| row(&waived.finding, waived.reason.as_deref()));
    let document = Document {
        version: 1,
        findings: report.findings.iter().map(|finding| row(finding, None)).collect(),
        accepted: accepted.collect(),
        checked: report.checked.iter().map(|one| Input { input: &one.input, summary: &one.summary }).collect(),
        unreadable: &report.unreadable,
        counts: Counts {
            errors: report.errors(),
            warnings: report.warnings(),
            accepted: report.accepted.len(),
            beyond: report.beyond,
        },
    };
    // Strings and numbers only: there is nothing in it that serde could refuse.
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

fn row<'a>(finding: &'a Finding, reason: Option<&'a str>) -> Row<'a> {
    Row {
        rule: finding.rule.name,
        severity: finding.rule.severity,
        file: &finding.place.file,
        line: finding.place.at.line,
        column: finding.place.at.column,
        key: &finding.place.key,
        message: &finding.message,
        why: finding.rule.why,
        fix: &finding.fix,
        reason,
    }
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}
