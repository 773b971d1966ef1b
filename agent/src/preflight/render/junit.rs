//! The JUnit form: a suite for each input, a case for each finding. Errors fail, warnings pass with a word, accepted ones are skipped,
//! and an input without findings is one case that passes.

use crate::preflight::finding::Finding;
use crate::preflight::report::Report;
use crate::preflight::rule::Severity;
use std::fmt::Write as _;

/// A case: its rule and place, and what stands in it.
struct Case {
    suite: String,
    name: String,
    class: &'static str,
    inside: String,
}

pub(super) fn render(report: &Report) -> String {
    let mut cases: Vec<Case> = report.findings.iter().map(of_finding).collect();
    cases.extend(report.accepted.iter().map(|waived| {
        let reason = waived.reason.as_deref().unwrap_or("accepted");
        Case { inside: format!("<skipped message=\"{}\"/>", escaped(reason)), ..of_finding(&waived.finding) }
    }));
    let clean = report.checked.iter().filter(|checked| !cases.iter().any(|case| case.suite == checked.input));
    let clean: Vec<Case> = clean.map(|checked| passing(&checked.input, &checked.summary)).collect();
    cases.extend(clean);
    cases.extend(report.unreadable.iter().map(|message| unreadable(message)));

    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(out, "<testsuites name=\"agent check\" {}>", numbers(&cases.iter().collect::<Vec<_>>()));
    let mut suites: Vec<&str> = Vec::new();
    for case in &cases {
        if !suites.contains(&case.suite.as_str()) {
            suites.push(&case.suite);
        }
    }
    for name in suites {
        suite(&mut out, name, &cases.iter().filter(|case| case.suite == name).collect::<Vec<_>>());
    }
    out.push_str("</testsuites>\n");
    out
}

fn of_finding(finding: &Finding) -> Case {
    let detail = format!("at {}\nwhy: {}\nhint: {}", finding.place.shown(), finding.rule.why, finding.fix);
    let (message, detail) = (escaped(&finding.message), escaped(&detail));
    let inside = match finding.rule.severity {
        Severity::Error => {
            format!("<failure type=\"{}\" message=\"{message}\">{detail}</failure>", finding.rule.name)
        }
        Severity::Warning => format!("<system-out>warning: {message}\n{detail}</system-out>"),
    };
    let suite = if finding.place.file.is_empty() { "this container" } else { &finding.place.file };
    Case { suite: suite.to_owned(), name: finding.place.shown(), class: finding.rule.name, inside }
}

fn passing(input: &str, summary: &str) -> Case {
    Case { suite: input.to_owned(), name: summary.to_owned(), class: "no-finding", inside: String::new() }
}

fn unreadable(message: &str) -> Case {
    let first = message.lines().next().unwrap_or_default();
    let inside = format!("<error message=\"{}\">{}</error>", escaped(first), escaped(message));
    Case { suite: "unreadable input".to_owned(), name: first.to_owned(), class: "unreadable", inside }
}

fn suite(out: &mut String, name: &str, cases: &[&Case]) {
    let _ = writeln!(out, "  <testsuite name=\"{}\" {}>", escaped(name), numbers(cases));
    for Case { name, class, inside, .. } in cases {
        let _ = writeln!(out, "    <testcase classname=\"{class}\" name=\"{}\">{inside}</testcase>", escaped(name));
    }
    out.push_str("  </testsuite>\n");
}

fn numbers(cases: &[&Case]) -> String {
    let with = |tag: &str| cases.iter().filter(|case| case.inside.starts_with(tag)).count();
    let (failures, errors, skipped) = (with("<failure"), with("<error"), with("<skipped"));
    format!("tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\"", cases.len())
}

/// Text fit for an attribute or an element of XML 1.0, which has no form at all for most control characters.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
