//! What changed against the baseline, for people. Pure text of a given width; no colour.

use super::Report;
use super::said::latency;
use super::terminal::cut;
use crate::baseline::{Change, Comparison};

/// A name is cut to the room there is, but not below this.
const NARROWEST: usize = 16;
/// Columns other than the name, and the gaps between them.
const FIGURES: usize = 68;

/// What changed, and what speaks for taking the release back: the whole answer of a comparison.
#[must_use]
pub fn comparison(report: &Report, width: usize) -> String {
    let table = report.baseline.as_ref().map_or(String::new(), |comparison| table(comparison, width));
    let verdict = match report.rollback.as_slice() {
        [] => match report.baseline.as_ref().and_then(|comparison| comparison.inconclusive.as_deref()) {
            Some(why) => format!("INCONCLUSIVE: {why}\n"),
            None => "FINE: nothing speaks for a rollback\n".to_owned(),
        },
        _ => format!("{}ROLL BACK\n", triggers(report)),
    };
    format!("{table}\n{verdict}")
}

/// A table of the changes; nothing without a baseline.
pub(super) fn changes(report: &Report, width: usize) -> String {
    report.baseline.as_ref().map_or(String::new(), |comparison| table(comparison, width))
}

/// What speaks for taking the release back, a line each.
pub(super) fn triggers(report: &Report) -> String {
    if report.rollback.is_empty() {
        return String::new();
    }
    let lines = report.rollback.iter().map(|one| format!("  {:8}  {}\n", one.trigger.as_str(), one.said));
    format!("rollback\n{}", lines.collect::<String>())
}

fn table(comparison: &Comparison, width: usize) -> String {
    let longest = comparison.changes.iter().map(|change| change.request.chars().count()).max().unwrap_or(0);
    let name_width = longest.min(width.saturating_sub(FIGURES)).max(NARROWEST);
    let head = line("", ["", "n", "then", "now", "change", ""], name_width);
    let rows = comparison.changes.iter().map(|change| row(change, name_width));
    let started = &comparison.started;
    let unclear = comparison.inconclusive.as_ref().map_or(String::new(), |why| format!("  inconclusive: {why}\n"));
    format!("against the baseline of {started}\n{head}{}{unclear}", rows.collect::<String>())
}

fn row(change: &Change, width: usize) -> String {
    let [base, now] = change.counts;
    let said = change.said();
    let counts = format!("{base}→{now}");
    let cells =
        [change.indicator.as_str(), &counts, &latency(Some(change.was_us)), &latency(Some(change.now_us)), &said];
    let [indicator, n, then, now, said] = cells;
    line(&change.request, [indicator, n, then, now, said, change.outcome.as_str()], width)
}

fn line(name: &str, [indicator, n, then, now, said, outcome]: [&str; 6], width: usize) -> String {
    let text = format!("  {:width$} {indicator:4} {n:>13} {then:>7} {now:>7} {said:>18}  {outcome}", cut(name, width));
    text.trim_end().to_owned() + "\n"
}
