//! The report as one HTML file: no script, nothing from elsewhere, so that it opens offline, travels by mail and can be archived.
//! Light and dark follow the reader's system; it is made for a phone as well as for paper. What must stay true: every text that
//! came from a journey or a target is escaped, and the page forbids itself to load or run anything.

mod charts;
mod heat;
mod plot;
mod sidecars;
mod tables;
#[cfg(test)]
mod tests;

use super::escape::{html_prose, xml};
use super::{EndingKind, Report};
use crate::targets::Decision;

const STYLE: &str = include_str!("style.css");

/// The report as an HTML page.
#[must_use]
pub fn render(report: &Report) -> String {
    let (word, class) = match report.verdict {
        Decision::Go => ("✓ GO", "good"),
        Decision::NoGo => ("✗ NO-GO", "bad"),
        Decision::Inconclusive => ("? INCONCLUSIVE", "open"),
    };
    let (reason, target) = (html_prose(&report.reason), xml(&report.target));
    let plots = charts::render(report);
    let plots = if plots.is_empty() {
        plots
    } else {
        format!("<h2>Over time</h2>\n<div class=\"plots\">\n{plots}</div>\n{}", tables::timeline(report))
    };
    let changes = report
        .baseline
        .as_ref()
        .map_or(String::new(), |comparison| format!("<h2>Baseline</h2>\n{}", tables::changes(comparison)));
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{plain}: load test of {target}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>Load test of <code>{target}</code></h1>\n\
         <p><strong class=\"verdict {class}\">{word}</strong></p>\n<p class=\"reason\">{reason}</p>\n{findings}{about}</header>\n<main>\n\
         <h2>Targets</h2>\n{targets}{plots}{services}{stages}<h2>Requests</h2>\n{requests}<h2>Errors</h2>\n{errors}{changes}<h2>Load generator</h2>\n{generator}</main>\n\
         <footer><p>Exit code {exit}. Plan <code>{hash}</code>. Latencies are measured to the last byte; those of errors are in them. A \
         percentile is told where at least one request lies beyond it.</p></footer>\n</body>\n</html>\n",
        plain = word.trim_start_matches(|c: char| !c.is_ascii_alphabetic()),
        findings = findings(report),
        about = about(report),
        targets = tables::targets(report),
        services = sidecars::render(report),
        stages = tables::stages(report),
        requests = tables::requests(report),
        errors = tables::errors(report),
        generator = tables::generator(report),
        exit = report.exit,
        hash = xml(&report.plan_hash),
    )
}

/// What speaks for a rollback, what missed targets are blamed on, and a teardown that failed.
fn findings(report: &Report) -> String {
    let triggers = report
        .rollback
        .iter()
        .map(|one| format!("<strong>{}</strong>: {}", one.trigger.as_str(), html_prose(&one.said)));
    let culprits = report.culprits.iter().map(|one| {
        let share = (one.share * 100.0).round();
        format!("<code>{}</code>: <code>{}</code> has {share} % of it", xml(&one.target), xml(&one.request))
    });
    let why = report.findings.iter().map(|finding| html_prose(&finding.sentence));
    let teardown = report.teardown.iter().map(|why| html_prose(why));
    list("Roll back", triggers.collect())
        + &list("Why", why.collect())
        + &list("Requests to blame", culprits.collect())
        + &list("Teardown failed", teardown.collect())
}

fn list(title: &str, items: Vec<String>) -> String {
    if items.is_empty() {
        return String::new();
    }
    let items: String = items.into_iter().map(|item| format!("<li>{item}</li>")).collect();
    format!("<h2>{title}</h2>\n<ul class=\"plain\">{items}</ul>\n")
}

fn about(report: &Report) -> String {
    let ending = match report.ending.kind {
        EndingKind::Complete => "as planned".to_owned(),
        EndingKind::GivenUp => "given up".to_owned(),
        EndingKind::Aborted => "before its time, as the plan says".to_owned(),
        EndingKind::Signal => format!("stopped by {}", report.ending.why.as_deref().unwrap_or("a signal")),
    };
    let stages = report.stages.iter().map(|stage| format!("{} {} ({})", stage.name, stage.lasted(), stage.load()));
    let stages = stages.collect::<Vec<_>>().join(", ");
    let rows = [("Started", report.started.clone()), ("Ended", ending), ("Stages", stages)];
    let rows: String =
        rows.iter().map(|(name, value)| format!("<div><dt>{name}</dt><dd>{}</dd></div>", xml(value))).collect();
    format!("<dl class=\"about\">{rows}</dl>\n")
}
