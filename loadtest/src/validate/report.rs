//! The report of `loadtest validate`: one truth, and its renderings for people, programs and CI. Pure.

use super::{Finding, Outcome};
use crate::exit::Exit;
use crate::report::{xml, xml_attribute};
use crate::targets::Decision;
use serde::Serialize;
use std::fmt::Write as _;

/// What came of it; the JSON of `--json`.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Version of this form.
    pub version: u32,
    /// `go`, `no-go` or `inconclusive`.
    pub verdict: Decision,
    /// The exit code.
    pub exit: u8,
    /// The target's URL.
    pub target: String,
    /// When it began, RFC 3339.
    pub started: String,
    /// All findings, in the order of the validators.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Judges the findings. One that failed is NO-GO; one that could not be told, or none that passed, proves nothing.
    #[must_use]
    pub fn new(target: String, started: String, findings: Vec<Finding>) -> Self {
        let has = |outcome| findings.iter().any(|finding| finding.outcome == outcome);
        let verdict = if has(Outcome::Failed) {
            Decision::NoGo
        } else if has(Outcome::CouldNotTell) || !has(Outcome::Passed) {
            Decision::Inconclusive
        } else {
            Decision::Go
        };
        Self { version: 1, verdict, exit: Exit::judged(verdict, false).0, target, started, findings }
    }

    fn count(&self, outcome: Outcome) -> usize {
        self.findings.iter().filter(|finding| finding.outcome == outcome).count()
    }
}

/// A finding for people: one line where it is as it should be, a few where it is not. What passed has its text in one line, so that a good
/// report is short.
#[must_use]
pub fn finding_lines(finding: &Finding) -> String {
    let Finding { validator, subject, outcome, expected, got, standard, way_out } = finding;
    let mut text = format!("{:<14}  {validator}  {subject}", outcome.words());
    if matches!(outcome, Outcome::Passed | Outcome::NotApplicable) {
        text += &format!(": {got}");
    }
    text.push('\n');
    let mut line = |what: &str, value: &str| text += &format!("{what:>14}  {value}\n");
    if matches!(outcome, Outcome::Failed | Outcome::CouldNotTell) {
        line("expected", expected);
        line("got", got);
        line("standard", standard);
    }
    way_out.iter().for_each(|way_out| line("way out", way_out));
    text
}

/// The last line.
#[must_use]
pub fn final_line(report: &Report) -> String {
    let verdict = report.verdict.as_str().to_uppercase();
    let count = |outcome| report.count(outcome);
    format!(
        "{verdict}: {} passed, {} failed, {} could not be told, {} not applicable\n",
        count(Outcome::Passed),
        count(Outcome::Failed),
        count(Outcome::CouldNotTell),
        count(Outcome::NotApplicable)
    )
}

/// The report as JSON.
#[must_use]
pub fn to_json(report: &Report) -> String {
    serde_json::to_string_pretty(report).map(|json| json + "\n").unwrap_or_default()
}

/// The report as JUnit's XML, as CI systems read it: what could not be told is an error, what is not applicable is skipped.
#[must_use]
pub fn to_junit(report: &Report) -> String {
    let (failed, errors, skipped) =
        (report.count(Outcome::Failed), report.count(Outcome::CouldNotTell), report.count(Outcome::NotApplicable));
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"loadtest validate\" tests=\"{}\" \
         failures=\"{failed}\" errors=\"{errors}\" skipped=\"{skipped}\" timestamp=\"{}\">\n",
        report.findings.len(),
        xml_attribute(&report.started)
    );
    for finding in &report.findings {
        let (name, class) = (xml_attribute(&finding.subject), xml_attribute(finding.validator));
        let _ = write!(text, "    <testcase classname=\"{class}\" name=\"{name}\"");
        let got = xml_attribute(&finding.got);
        let words = xml(&junit_words(finding));
        let _ = match finding.outcome {
            Outcome::Passed => writeln!(text, "/>"),
            Outcome::Failed => writeln!(text, "><failure message=\"{got}\">{words}</failure></testcase>"),
            Outcome::CouldNotTell => writeln!(text, "><error message=\"{got}\">{words}</error></testcase>"),
            Outcome::NotApplicable => writeln!(text, "><skipped message=\"{got}\"/></testcase>"),
        };
    }
    text + "  </testsuite>\n</testsuites>\n"
}

fn junit_words(finding: &Finding) -> String {
    let way_out = finding.way_out.as_ref().map(|way_out| format!("\nway out: {way_out}")).unwrap_or_default();
    format!("expected: {}\ngot: {}\nstandard: {}{way_out}", finding.expected, finding.got, finding.standard)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(outcome: Outcome) -> Finding {
        let way_out = Some("do <this>".to_owned());
        let (subject, expected, got) = ("/\u{1}".to_owned(), "\"a\"".to_owned(), "b & c".to_owned());
        Finding { validator: "hsts", subject, outcome, expected, got, standard: "RFC 6797", way_out }
    }

    fn report(outcomes: &[Outcome]) -> Report {
        let findings = outcomes.iter().map(|outcome| finding(*outcome)).collect();
        Report::new("https://h/".to_owned(), "2026-01-01T00:00:00Z".to_owned(), findings)
    }

    #[test]
    fn what_could_not_be_told_is_never_good_news() {
        use Outcome::{CouldNotTell, Failed, NotApplicable, Passed};
        for (outcomes, exit) in [
            (&[Passed, NotApplicable][..], 0),
            (&[Passed, CouldNotTell, Failed], 1),
            (&[Passed, CouldNotTell], 3),
            (&[NotApplicable, NotApplicable], 3),
            (&[], 3),
        ] {
            assert_eq!(report(outcomes).exit, exit, "{outcomes:?}");
        }
    }

    #[test]
    fn people_read_what_was_expected_what_came_and_the_way_out() {
        let shown: String =
            report(&[Outcome::Failed, Outcome::NotApplicable]).findings.iter().map(finding_lines).collect();
        insta::assert_snapshot!(shown.replace('\u{1}', ""), @r#"
        FAILED          hsts  /
              expected  "a"
                   got  b & c
              standard  RFC 6797
               way out  do <this>
        not applicable  hsts  /: b & c
               way out  do <this>
        "#);
        insta::assert_snapshot!(final_line(&report(&[Outcome::Failed])),
            @"NO-GO: 0 passed, 1 failed, 0 could not be told, 0 not applicable");
    }

    #[test]
    fn ci_reads_junit() {
        use Outcome::{CouldNotTell, Failed, NotApplicable, Passed};
        insta::assert_snapshot!(to_junit(&report(&[Failed, Passed, CouldNotTell, NotApplicable])), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites>
          <testsuite name="loadtest validate" tests="4" failures="1" errors="1" skipped="1" timestamp="2026-01-01T00:00:00Z">
            <testcase classname="hsts" name="/�"><failure message="b &amp; c">expected: &quot;a&quot;
        got: b &amp; c
        standard: RFC 6797
        way out: do &lt;this&gt;</failure></testcase>
            <testcase classname="hsts" name="/�"/>
            <testcase classname="hsts" name="/�"><error message="b &amp; c">expected: &quot;a&quot;
        got: b &amp; c
        standard: RFC 6797
        way out: do &lt;this&gt;</error></testcase>
            <testcase classname="hsts" name="/�"><skipped message="b &amp; c"/></testcase>
          </testsuite>
        </testsuites>
        "#);
    }
}
