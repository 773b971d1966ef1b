//! One report in its three forms.

use super::{Format, render};
use crate::node;
use crate::paint::Paint;
use crate::preflight::{Checked, Finding, Place, Report, Rule, Severity, Waived};

static ERROR: Rule =
    Rule { name: "test-error", severity: Severity::Error, summary: "s", why: "it breaks", fix: "mend it" };
static WARNING: Rule = Rule { severity: Severity::Warning, name: "test-warning", ..ERROR };

fn report() -> Report {
    let one = |rule: &'static Rule, place: Place, message: &str| Finding {
        rule,
        place,
        message: message.to_owned(),
        fix: rule.fix.to_owned(),
    };
    let checked = |input: &str| Checked { input: input.to_owned(), summary: "3 variables".to_owned() };
    let place = Place::new("a.yml", node::Place { line: 3, column: 5 }, "services.db");
    Report {
        findings: vec![
            one(&ERROR, Place::line(".env", 12, "KEY"), "`KEY` is <bad> & \"quoted\""),
            one(&WARNING, place, "so\u{1} so"),
        ],
        accepted: vec![Waived {
            finding: one(&ERROR, Place::line(".env", 0, "OLD"), "old"),
            reason: Some("known".into()),
        }],
        checked: vec![checked(".env"), checked("good.env")],
        unreadable: vec!["error: cannot read `x`: gone\nhint: look\n".to_owned()],
        ..Report::default()
    }
}

#[test]
fn text_for_people() {
    insta::assert_snapshot!(render(&report(), Format::Text, Paint::OFF), @r#"
    error: `KEY` is <bad> & "quoted" [test-error]
      at KEY (.env:12)
      why: it breaks
    hint: mend it

    warning: so? so [test-warning]
      at services.db (a.yml:3:5)
      why: it breaks
    hint: mend it

    accepted: test-error at OLD (.env), known
    .env: 1 finding, 3 variables
    good.env: ok, 3 variables
    1 error, 1 warning
    "#);
}

#[test]
fn json_for_programs() {
    insta::assert_snapshot!(render(&report(), Format::Json, Paint::OFF), @r#"
    {
      "version": 1,
      "findings": [
        {
          "rule": "test-error",
          "severity": "error",
          "file": ".env",
          "line": 12,
          "key": "KEY",
          "message": "`KEY` is <bad> & \"quoted\"",
          "why": "it breaks",
          "fix": "mend it"
        },
        {
          "rule": "test-warning",
          "severity": "warning",
          "file": "a.yml",
          "line": 3,
          "column": 5,
          "key": "services.db",
          "message": "so\u0001 so",
          "why": "it breaks",
          "fix": "mend it"
        }
      ],
      "accepted": [
        {
          "rule": "test-error",
          "severity": "error",
          "file": ".env",
          "key": "OLD",
          "message": "old",
          "why": "it breaks",
          "fix": "mend it",
          "reason": "known"
        }
      ],
      "checked": [
        {
          "input": ".env",
          "summary": "3 variables"
        },
        {
          "input": "good.env",
          "summary": "3 variables"
        }
      ],
      "unreadable": [
        "error: cannot read `x`: gone\nhint: look\n"
      ],
      "counts": {
        "errors": 1,
        "warnings": 1,
        "accepted": 1,
        "beyond": 0
      }
    }
    "#);
}

#[test]
fn junit_for_ci() {
    insta::assert_snapshot!(render(&report(), Format::Junit, Paint::OFF), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="agent check" tests="5" failures="1" errors="1" skipped="1">
      <testsuite name=".env" tests="2" failures="1" errors="0" skipped="1">
        <testcase classname="test-error" name="KEY (.env:12)"><failure type="test-error" message="`KEY` is &lt;bad&gt; &amp; &quot;quoted&quot;">at KEY (.env:12)&#10;why: it breaks&#10;hint: mend it</failure></testcase>
        <testcase classname="test-error" name="OLD (.env)"><skipped message="known"/></testcase>
      </testsuite>
      <testsuite name="a.yml" tests="1" failures="0" errors="0" skipped="0">
        <testcase classname="test-warning" name="services.db (a.yml:3:5)"><system-out>warning: so� so
    at services.db (a.yml:3:5)&#10;why: it breaks&#10;hint: mend it</system-out></testcase>
      </testsuite>
      <testsuite name="good.env" tests="1" failures="0" errors="0" skipped="0">
        <testcase classname="no-finding" name="3 variables"></testcase>
      </testsuite>
      <testsuite name="unreadable input" tests="1" failures="0" errors="1" skipped="0">
        <testcase classname="unreadable" name="error: cannot read `x`: gone"><error message="error: cannot read `x`: gone">error: cannot read `x`: gone&#10;hint: look&#10;</error></testcase>
      </testsuite>
    </testsuites>
    "#);
}
