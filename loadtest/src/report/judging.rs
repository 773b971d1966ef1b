//! Which judge a target goes to: that of the sidecars' figures, of windows, or of the whole judged time. And the times that were
//! judged, from the stages.

use super::Facts;
use crate::culprit::{self, Miss, TurnedAway};
use crate::measure::{Failure, Row, Summary};
use crate::sidecars::Evidence;
use crate::targets::{self, Decision, Judged, Span, Target, Verdict};
use std::ops::Range;
use std::time::Duration;

/// The times of the stage that is named, else of the judged stages, since the load began.
pub(super) fn times(stage: Option<&str>, summary: &Summary, spans: &[Span]) -> Vec<Range<Duration>> {
    let names = stage.map_or_else(|| targets::judged_stages(summary, spans), |stage| vec![stage]);
    let own = spans.iter().filter(|span| names.contains(&span.name.as_str()) && span.until > span.from);
    own.map(|span| span.from..span.until).collect()
}

/// The same in seconds, as the sidecars' figures have it.
fn seconds(times: &[Range<Duration>]) -> Vec<Range<f64>> {
    times.iter().map(|time| time.start.as_secs_f64()..time.end.as_secs_f64()).collect()
}

/// Judges a target.
pub(super) fn judge(target: &Target, (summary, facts): (&Summary, &Facts), spans: &[Span]) -> Judged {
    let times = times(target.stage.as_deref(), summary, spans);
    targets::judge_sidecars(target, &facts.evidence, &seconds(&times))
        .or_else(|| targets::judge_windows(target, &summary.timeline, &times, summary.generator))
        .unwrap_or_else(|| targets::judge_stages(target, summary, spans))
}

/// When targets were missed.
pub(super) fn misses(judged: &[Judged], summary: &Summary, spans: &[Span]) -> Vec<Miss> {
    let miss = |one: &Judged| {
        let times = times(one.target.stage.as_deref(), summary, spans);
        let turned_away = turned_away(one, summary, spans);
        Some(Miss { turned_away, ..culprit::miss(one, &summary.timeline, &times)? })
    };
    judged.iter().filter_map(miss).collect()
}

/// Whether most of the requests that failed the target were turned away by a rate limit. A latency is missed by those that
/// were let through.
fn turned_away(judged: &Judged, summary: &Summary, spans: &[Span]) -> Option<TurnedAway> {
    let target = &judged.target;
    if !matches!(target.indicator.name, "errors" | "throughput") {
        return None;
    }
    let stages = target.stage.as_deref().map_or_else(|| targets::judged_stages(summary, spans), |stage| vec![stage]);
    let own = |row: &&Row| stages.contains(&row.stage.as_str()) && target.subject.members.contains(&row.name);
    let (mut limited, mut failed) = (0, 0);
    for row in summary.rows.iter().filter(own) {
        failed += row.errors_by.values().sum::<u64>();
        limited += row.errors_by.get(&Failure::Limited).copied().unwrap_or(0);
    }
    (limited * 2 > failed).then_some(TurnedAway { limited, failed })
}

/// A verdict that is green although a sidecar of the plan was silent is none: whoever names a sidecar wants it to be heard.
pub(super) fn heard(verdict: Verdict, evidence: &Evidence, times: &[Range<Duration>]) -> Verdict {
    if verdict.decision != Decision::Go {
        return verdict;
    }
    let times = seconds(times);
    let silent = times.iter().flat_map(|time| evidence.services.iter().map(move |service| (service, time)));
    let reason = silent.filter_map(|(service, time)| service.lack(time).or_else(|| service.lie())).next();
    match reason {
        Some(reason) => Verdict { decision: Decision::Inconclusive, reason, culprits: verdict.culprits },
        None => verdict,
    }
}
