//! Why something is wrong, and what changed lately: what a person wants to read first when the page is not green. The page is open to
//! all, so the words are those of the table of causes; evidence is under `/diagnostics`.

use super::super::{causes, times};
use super::html::escape;
use crate::causes::{Cause, Change, What};
use crate::limits;
use crate::snapshot::Snapshot;
use crate::units::Span;
use std::fmt::Write as _;
use std::time::SystemTime;

/// The root causes, each with its way out and what follows from it; nothing when there is none.
pub(super) fn why(page: &mut String, snapshot: &Snapshot, now: SystemTime) {
    let all = causes::ordered(snapshot);
    let roots: Vec<&Cause> = all.iter().copied().filter(|cause| cause.is_root()).collect();
    if roots.is_empty() {
        return;
    }
    page.push_str("<section class=\"why\">\n<h2>Why</h2>\n");
    for (index, root) in roots.iter().take(limits::STATUS_CAUSES).enumerate() {
        // What follows from a subject is shown below the first cause of that subject.
        let first = roots.iter().position(|other| other.subject == root.subject) == Some(index);
        let follow = all.iter().copied().filter(|cause| first && cause.caused_by.as_deref() == Some(&root.subject));
        let silenced = if snapshot.silence.is_some() { ", silenced" } else { "" };
        one(page, root, &follow.collect::<Vec<_>>(), (now, silenced));
    }
    if let Some(more) = roots.len().checked_sub(limits::STATUS_CAUSES).filter(|more| *more > 0) {
        let _ = writeln!(page, "<p class=\"quiet\">and {more} more under /health</p>");
    }
    page.push_str(
        "<p class=\"quiet\">Evidence is under /diagnostics, for those who may see addresses.</p>\n</section>\n",
    );
}

fn one(page: &mut String, root: &Cause, follow: &[&Cause], (now, silenced): (SystemTime, &str)) {
    let _ = write!(
        page,
        "<article class=\"cause\">\n<h3><b>{subject}</b> <code>{name}</code></h3>\n<p>{summary}</p>\n\
         <p class=\"fix\"><i aria-hidden=\"true\">→</i> {fix}</p>\n<p class=\"quiet\">since {since}, for {long}{recovering}{silenced}</p>\n",
        subject = escape(&root.subject),
        name = root.kind.name,
        summary = escape(root.kind.summary),
        fix = escape(root.kind.fix),
        since = times::short(root.since, now),
        long = Span(whole_seconds(root.since, now)),
        recovering = if root.recovering { "; it answers again and is being watched" } else { "" },
    );
    if !follow.is_empty() {
        let others = if follow.len() == 1 {
            "1 other follows from it"
        } else {
            &format!("{} others follow from it", follow.len())
        };
        let _ = write!(page, "<details><summary>{others}</summary>\n<ul>\n");
        for cause in follow {
            let (subject, name) = (escape(&cause.subject), cause.kind.name);
            let since = times::short(cause.since, now);
            let _ = writeln!(page, "<li><b>{subject}</b> <code>{name}</code> <small>since {since}</small></li>");
        }
        page.push_str("</ul>\n</details>\n");
    }
    page.push_str("</article>\n");
}

fn whole_seconds(since: SystemTime, now: SystemTime) -> std::time::Duration {
    std::time::Duration::from_secs(times::ago(since, now).as_secs())
}

/// What changed last; nothing when nothing has.
pub(super) fn changed(page: &mut String, snapshot: &Snapshot, now: SystemTime) {
    if snapshot.changes.is_empty() {
        return;
    }
    page.push_str("<section>\n<h2>Changed lately</h2>\n<ol class=\"failures\">\n");
    for change in snapshot.changes.iter().take(limits::STATUS_CHANGES) {
        let (at, subject) = (times::short(change.at, now), escape(&change.subject));
        let _ = writeln!(page, "<li><time>{at}</time> <b>{subject}</b> {}</li>", escape(&words(change)));
    }
    page.push_str("</ol>\n</section>\n");
}

/// The change without what only restricted pages may say.
fn words(change: &Change) -> String {
    match change.what {
        What::State => {
            let state = change.to.split(' ').next().unwrap_or_default();
            if change.from == "unknown" { format!("is {state}") } else { format!("is {state}, was {}", change.from) }
        }
        What::Address => "has another address".to_owned(),
        What::Version => "tells another version".to_owned(),
        What::Restart => "was started anew".to_owned(),
        What::Configuration => "took another configuration".to_owned(),
    }
}
