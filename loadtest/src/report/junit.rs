//! The report as JUnit XML, which CI systems show: one test case a target, one for the end of the run. A target that is
//! inconclusive is an `error`: most systems paint a skipped test green, and no data is never success (invariant 6).

use super::escape::{xml, xml_attribute};
use super::{EndingKind, Report, TargetLine};
use crate::targets::Outcome;
use std::fmt::Write;

/// A test case as it came out.
struct Case {
    name: String,
    /// The element that says what is wrong, the kind of it, a line and the figures.
    wrong: Option<(&'static str, &'static str, String, String)>,
}

/// The report as JUnit XML.
#[must_use]
pub fn render(report: &Report) -> String {
    let mut cases: Vec<Case> = report.targets.iter().map(|target| case(report, target)).collect();
    cases.push(ending(report));
    cases.extend(rollback(report));
    let seconds: f64 = report.stages.iter().map(|stage| stage.seconds).sum();
    let count =
        |kind: &str| cases.iter().filter(|case| case.wrong.as_ref().is_some_and(|(of, ..)| *of == kind)).count();
    let totals = format!(
        "tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"0\" time=\"{seconds:.3}\"",
        cases.len(),
        count("failure"),
        count("error")
    );
    let started = xml_attribute(report.started.trim_end_matches('Z'));
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"loadtest\" {totals}>\n  <testsuite name=\"loadtest\" \
         {totals} timestamp=\"{started}\">\n    <properties>\n"
    );
    for (name, value) in properties(report) {
        let _ = writeln!(text, "      <property name=\"{name}\" value=\"{}\"/>", xml_attribute(&value));
    }
    text += "    </properties>\n";
    for one in &cases {
        text += &element(&report.judged, one);
    }
    text + "  </testsuite>\n</testsuites>\n"
}

fn properties(report: &Report) -> impl Iterator<Item = (&'static str, String)> {
    let always = [
        ("verdict", report.verdict.as_str().to_owned()),
        ("reason", report.reason.clone()),
        ("exit", report.exit.to_string()),
        ("target", report.target.clone()),
        ("plan_hash", report.plan_hash.clone()),
    ];
    // It is no part of the verdict, so no test case either.
    always.into_iter().chain(report.teardown.clone().map(|why| ("teardown_failed", why)))
}

fn case(report: &Report, target: &TargetLine) -> Case {
    let got = target.said.as_deref().unwrap_or("no figure");
    let figures = format!("{}: got {got} from {} requests", target.text, target.count);
    let wrong = match target.outcome {
        Outcome::Met => None,
        Outcome::Missed => {
            let blame = report.culprits.iter().find(|culprit| culprit.target == target.text);
            let blame = blame.map_or(String::new(), |culprit| {
                format!("\n{} has {:.0} % of it", culprit.request, culprit.share * 100.0)
            });
            Some(("failure", "missed", format!("got {got}"), figures + &blame))
        }
        Outcome::Inconclusive => {
            let why = target.why.clone().unwrap_or_else(|| "nobody can say".to_owned());
            Some(("error", "inconclusive", why.clone(), format!("{figures}\n{why}")))
        }
    };
    Case { name: target.text.clone(), wrong }
}

/// A run that was given up or stopped is red, even where no target was missed by then.
fn ending(report: &Report) -> Case {
    let why = report.ending.why.clone().unwrap_or_default();
    let wrong = match report.ending.kind {
        EndingKind::Complete => None,
        EndingKind::GivenUp => Some(("failure", "given-up", why.clone(), why)),
        EndingKind::Aborted => Some(("failure", "aborted", why.clone(), why)),
        EndingKind::Signal => Some(("error", "stopped", format!("stopped by {why}"), format!("stopped by {why}"))),
    };
    Case { name: "the run reached its end".to_owned(), wrong }
}

/// A case for the rollback triggers, one for each that fires; one for the comparison where a baseline says nothing.
fn rollback(report: &Report) -> Vec<Case> {
    let name = "nothing speaks for a rollback".to_owned();
    let mut cases: Vec<Case> = (report.rollback.iter())
        .map(|one| Case {
            name: format!("no rollback: {} {}", one.trigger.as_str(), one.request),
            wrong: Some(("failure", "rollback", one.said.clone(), one.said.clone())),
        })
        .collect();
    if cases.is_empty() {
        let unclear = report.baseline.as_ref().and_then(|comparison| comparison.inconclusive.clone());
        let wrong = unclear.map(|why| ("error", "inconclusive", why.clone(), why));
        cases.push(Case { name, wrong });
    }
    cases
}

fn element(stage: &str, case: &Case) -> String {
    let head =
        format!("    <testcase classname=\"loadtest.{}\" name=\"{}\"", xml_attribute(stage), xml_attribute(&case.name));
    match &case.wrong {
        None => head + "/>\n",
        Some((element, kind, line, figures)) => format!(
            "{head}>\n      <{element} type=\"{kind}\" message=\"{}\">{}</{element}>\n    </testcase>\n",
            xml_attribute(line),
            xml(figures)
        ),
    }
}
