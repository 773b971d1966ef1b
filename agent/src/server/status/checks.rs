//! The table of checks and the list of the last failures.

use super::super::parts::{self, Placed};
use super::super::{health, times};
use super::html::{bar, escape, thousandths};
use super::reasons::words;
use super::verdict::Tone;
use crate::limits;
use crate::probes::Outcome;
use crate::small;
use crate::snapshot::{CheckState, CheckView, Failure, Role, Snapshot};
use crate::units::Span;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The table, in the order of the configuration.
pub(super) fn table(page: &mut String, snapshot: &Snapshot, now: SystemTime) {
    if snapshot.checks.is_empty() {
        page.push_str("<section>\n<h2>Checks</h2>\n<p class=\"quiet\">There are no checks.</p>\n</section>\n");
        return;
    }
    page.push_str(
        "<section>\n<h2>Checks</h2>\n<table>\n<thead><tr><th>Check</th><th>State</th><th>Since</th><th>Last run</th>\
         <th class=\"wide\">Where the time went</th></tr></thead>\n<tbody>\n",
    );
    for check in &snapshot.checks {
        row(page, check, now);
    }
    for placed in parts::placed(snapshot) {
        part(page, &placed);
    }
    page.push_str("</tbody>\n</table>\n</section>\n");
}

/// What a service says of a part of itself, beside what the checks found.
fn part(page: &mut String, Placed { name, part, checked }: &Placed<'_>) {
    let (tone, word) = match part.healthy {
        Some(true) => (Tone::Good, "healthy"),
        Some(false) => (Tone::Bad, "unhealthy"),
        None if *checked => return,
        None => (Tone::Wait, "not said"),
    };
    let took = part.response_time_ms.and_then(|took| Duration::try_from_secs_f64(took / 1e3).ok());
    let took = took.map_or("<td></td>".to_owned(), |took| format!("<td data-label=\"answers in\">{}</td>", Span(took)));
    let _ = writeln!(
        page,
        "<tr><td class=\"name\"><b>{name}</b> <small>as {by} says</small></td><td>{badge}</td><td></td>{took}\
         <td class=\"wide\"></td></tr>",
        name = escape(name),
        by = escape(part.reported_by),
        badge = badge(tone, word),
    );
}

fn badge(tone: Tone, word: &str) -> String {
    format!("<span class=\"badge {}\"><i aria-hidden=\"true\">{}</i>{word}</span>", tone.class(), tone.sign())
}

fn row(page: &mut String, check: &CheckView, now: SystemTime) {
    let facts = &check.facts;
    let peer = if facts.peer { ", the peer" } else { "" };
    let role = match facts.role {
        Role::Observe => "observed",
        gate => gate.as_str(),
    };
    let since = check.since.map_or_else(|| "—".to_owned(), |since| times::short(since, now));
    let _ = write!(
        page,
        "<tr><td class=\"name\"><b>{name}</b> <small>{kind}, {role}{peer}</small></td><td>{state}</td>\
         <td data-label=\"since\">{since}</td>",
        name = escape(&facts.name),
        kind = escape(facts.kind),
        state = state(check),
    );
    match &check.last {
        None => page.push_str("<td data-label=\"last run\">not yet</td><td></td></tr>\n"),
        Some(last) => {
            let (at, took) = (times::short(last.at, now), Span(last.outcome.took));
            let _ = write!(page, "<td data-label=\"last run\">{at} <small>{took}</small></td><td class=\"wide\">");
            phases(page, &last.outcome);
            page.push_str("</td></tr>\n");
        }
    }
}

/// The state as a word; a run that disagrees with the debounced state is shown beside it.
fn state(check: &CheckView) -> String {
    let tone = Tone::of(check.state);
    let word = if check.state == CheckState::Unknown { "undecided" } else { check.state.as_str() };
    let reason = health::reason(check).map_or(String::new(), |reason| {
        let against = if check.state == CheckState::Up { "last run: " } else { "" };
        format!(" <small>{against}{}</small>", words(reason))
    });
    format!("{}{reason}", badge(tone, word))
}

fn phases(page: &mut String, outcome: &Outcome) {
    let total = outcome.phases.iter().map(|phase| phase.took).sum::<Duration>().as_secs_f64();
    if total <= 0.0 {
        return;
    }
    let class = |index: usize| format!("p{}", index % 6);
    let share = |took: Duration| thousandths(took.as_secs_f64() / total);
    let parts: Vec<_> =
        outcome.phases.iter().enumerate().map(|(index, phase)| (class(index), share(phase.took))).collect();
    page.push_str(&bar(&parts, "phases of the last run"));
    page.push_str("<small class=\"phases\">");
    for (index, phase) in outcome.phases.iter().enumerate() {
        let _ = write!(page, "<span class=\"{}\">{} {}</span> ", class(index), escape(phase.name), Span(phase.took));
    }
    page.push_str("</small>");
}

/// The newest failures of all checks, newest first.
pub(super) fn failures(page: &mut String, snapshot: &Snapshot, now: SystemTime) {
    let mut all: Vec<(&str, &Arc<Failure>)> = Vec::new();
    for check in &snapshot.checks {
        all.extend(check.recent_failures.iter().map(|failure| (check.facts.name.as_str(), failure)));
    }
    small::sort_by_key(&mut all, |(_, failure)| std::cmp::Reverse(failure.at));
    page.push_str("<section>\n<h2>Last failures</h2>\n");
    if all.is_empty() {
        page.push_str("<p class=\"quiet\">No check has failed lately.</p>\n</section>\n");
        return;
    }
    page.push_str("<ol class=\"failures\">\n");
    for (name, failure) in all.into_iter().take(limits::STATUS_FAILURES) {
        let (at, reason) = (times::short(failure.at, now), words(failure.fault.reason));
        let (name, took) = (escape(name), Span(failure.took));
        let _ = writeln!(page, "<li><time>{at}</time> <b>{name}</b> {reason} <small>after {took}</small></li>");
    }
    page.push_str("</ol>\n<p class=\"quiet\">Messages and advice are under /diagnostics, for those who may see addresses.</p>\n</section>\n");
}
