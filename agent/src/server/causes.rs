//! The causes as the pages tell them. Open pages get closed words and names from the configuration; evidence, which names hosts and quotes
//! what servers said, goes to the restricted ones.

use super::times;
use crate::causes::{Cause, Change};
use crate::snapshot::Snapshot;
use serde::Serialize;
use std::time::SystemTime;

/// A cause as everybody may see it.
#[derive(Serialize)]
pub(super) struct Named<'a> {
    cause: &'static str,
    subject: &'a str,
    since: String,
    caused_by: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    recovering: bool,
    /// Whether a maintenance window is open, in which nobody is to be called for it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    silenced: bool,
}

/// A cause with all that is known of it.
#[derive(Serialize)]
pub(super) struct Explained<'a> {
    #[serde(flatten)]
    named: Named<'a>,
    for_seconds: u64,
    meaning: &'static str,
    evidence: &'a str,
    fix: &'a str,
}

/// Something that changed.
#[derive(Serialize)]
pub(super) struct Changed<'a> {
    at: String,
    what: &'static str,
    subject: &'a str,
    from: &'a str,
    to: &'a str,
}

/// The causes of a snapshot, roots first, those of `keep` only.
pub(super) fn named<'a>(snapshot: &'a Snapshot, keep: impl Fn(&Cause) -> bool) -> Vec<Named<'a>> {
    ordered(snapshot).into_iter().filter(|cause| keep(cause)).map(|cause| Named::of(cause, snapshot)).collect()
}

/// The same with evidence and advice.
pub(super) fn explained(snapshot: &Snapshot, now: SystemTime) -> Vec<Explained<'_>> {
    let explain = |cause: &'_ Cause| times::ago(cause.since, now).as_secs();
    let all = ordered(snapshot).into_iter();
    all.map(|cause| Explained {
        named: Named::of(cause, snapshot),
        for_seconds: explain(cause),
        meaning: cause.kind.summary,
        evidence: &cause.evidence,
        fix: &cause.fix,
    })
    .collect()
}

/// What changed last, newest first.
pub(super) fn changed(snapshot: &Snapshot) -> Vec<Changed<'_>> {
    let show = |change: &'_ Change| times::rfc3339(change.at);
    let all = snapshot.changes.iter();
    all.map(|change| Changed {
        at: show(change),
        what: change.what.as_str(),
        subject: &change.subject,
        from: &change.from,
        to: &change.to,
    })
    .collect()
}

/// The name of what is wrong with a check, when it has one.
pub(super) fn of_check(snapshot: &Snapshot, check: &str) -> Option<&'static str> {
    snapshot.causes.iter().find(|cause| cause.subject == check).map(|cause| cause.kind.name)
}

/// Roots first, then what follows from them; each in the order of the configuration.
pub(super) fn ordered(snapshot: &Snapshot) -> Vec<&Cause> {
    let (mut roots, follow): (Vec<&Cause>, Vec<&Cause>) = snapshot.causes.iter().partition(|cause| cause.is_root());
    roots.extend(follow);
    roots
}

impl<'a> Named<'a> {
    fn of(cause: &'a Cause, snapshot: &Snapshot) -> Self {
        Self {
            cause: cause.kind.name,
            subject: &cause.subject,
            since: times::rfc3339(cause.since),
            caused_by: cause.caused_by.as_deref(),
            recovering: cause.recovering,
            silenced: snapshot.silence.is_some(),
        }
    }
}
