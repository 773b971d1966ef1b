//! Which judge a target goes to: that of the sidecars' figures, of windows, or of the whole judged time. And the times that were
//! judged, from the stages.

use crate::culprit::{self, Miss, TurnedAway};
use crate::measure::{Failure, Row, Summary};
use crate::sidecars::Evidence;
use crate::targets::{self, Decision, Judged, Outcome, Span, Target, Verdict};
use std::ops::Range;
use std::time::Duration;

/// The stage that is named, else the judged stages.
fn stages<'a>(stage: Option<&'a str>, summary: &'a Summary, spans: &'a [Span]) -> Vec<&'a str> {
    stage.map_or_else(|| targets::judged_stages(summary, spans), |stage| vec![stage])
}

/// The times of the stage that is named, else of the judged stages, since the load began.
pub(super) fn times(stage: Option<&str>, summary: &Summary, spans: &[Span]) -> Vec<Range<Duration>> {
    let names = stages(stage, summary, spans);
    let own = spans.iter().filter(|span| names.contains(&span.name.as_str()) && span.until > span.from);
    own.map(|span| span.from..span.until).collect()
}

/// The same in seconds, as the sidecars' figures have it.
fn seconds(times: &[Range<Duration>]) -> Vec<Range<f64>> {
    times.iter().map(|time| time.start.as_secs_f64()..time.end.as_secs_f64()).collect()
}

/// Judges a target.
pub(super) fn judge(target: &Target, measured: (&Summary, &Evidence), spans: &[Span]) -> Judged {
    over(target, measured, spans, &times(target.stage.as_deref(), measured.0, spans))
}

fn over(
    target: &Target,
    (summary, evidence): (&Summary, &Evidence),
    spans: &[Span],
    times: &[Range<Duration>],
) -> Judged {
    targets::judge_sidecars(target, evidence, &seconds(times))
        .or_else(|| targets::judge_windows(target, &summary.timeline, times, summary.generator))
        .unwrap_or_else(|| targets::judge_stages(target, summary, spans))
}

/// Whether a target is missed by what there is while the run goes on, with as many requests as the figure takes. Of windows only
/// whole ones count, and only those that ended `lately`: earlier ones were seen then.
#[must_use]
pub fn missed_so_far(target: &Target, measured: (&Summary, &Evidence), spans: &[Span], lately: Duration) -> bool {
    let (summary, _) = measured;
    let own = |span: &&Span| target.stage.as_ref().map_or(span.judged, |stage| *stage == span.name);
    let went = |span: &Span| summary.rows.iter().any(|row| row.stage == span.name && row.count > 0);
    if !target.is_recovery() && !spans.iter().filter(own).any(went) {
        return false;
    }
    let mut times = times(target.stage.as_deref(), summary, spans);
    if let Some(length) = target.over {
        times =
            times.into_iter().filter_map(|time| late_part(&time, length, lately, summary.timeline.width())).collect();
        if times.is_empty() {
            return false;
        }
    }
    let judged = over(target, measured, spans, &times);
    let counted = target.figure.is_none() && !target.is_recovery();
    let enough = !counted || judged.count >= (target.indicator.needs)(target.limit, target.op);
    judged.outcome == Outcome::Missed && enough
}

/// The part of a time that holds all windows that ended lately; its windows begin where those of the whole time do. None where
/// no window is whole yet.
fn late_part(time: &Range<Duration>, length: Duration, lately: Duration, width: Duration) -> Option<Range<Duration>> {
    let lasted = time.end.saturating_sub(time.start);
    let skipped = lasted.saturating_sub(length + lately + width).as_secs() / width.as_secs().max(1);
    let start = time.start + width * u32::try_from(skipped).unwrap_or(0);
    (lasted >= length).then_some(start..time.end)
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
    let stages = stages(target.stage.as_deref(), summary, spans);
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
