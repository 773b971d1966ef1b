//! Which part of a run a target is about: the stage that it names, else all judged stages; and how soon after a stage the
//! target system was itself again. Pure.

use super::window::UNTOLD;
use super::{Judged, Op, Outcome, Target, judge};
use crate::limits::{RECOVERED_ERRORS, RECOVERED_FLOOR, RECOVERED_TIMES, RECOVERY_REQUESTS, RECOVERY_SLOTS};
use crate::measure::{Row, Summary, Timeline};
use crate::units::Readable;
use std::time::Duration;

/// A stage as it went.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// Its name.
    pub name: String,
    /// When it began, since the start of the run.
    pub from: Duration,
    /// When it ended; as soon as it began, where the run did not reach it.
    pub until: Duration,
    /// Whether targets that name no stage are about it.
    pub judged: bool,
}

/// The stages that targets without one are about: the judged ones with requests. A run that ended before has only what came
/// until then, and is judged by the last of it.
#[must_use]
pub fn judged_stages<'a>(summary: &Summary, spans: &'a [Span]) -> Vec<&'a str> {
    let has_requests = |span: &&Span| summary.rows.iter().any(|row| row.stage == span.name && row.count > 0);
    let judged: Vec<&str> =
        spans.iter().filter(|span| span.judged).filter(has_requests).map(|span| span.name.as_str()).collect();
    if !judged.is_empty() {
        return judged;
    }
    let last = spans.iter().rev().find(has_requests).or(spans.iter().rev().find(|span| span.judged));
    last.map(|span| span.name.as_str()).into_iter().collect()
}

/// Judges a target over the part of the run that it is about.
#[must_use]
pub fn judge_stages(target: &Target, summary: &Summary, spans: &[Span]) -> Judged {
    if target.is_recovery() {
        return recovery(target, summary, spans);
    }
    let stages = match &target.stage {
        Some(stage) => vec![stage.as_str()],
        None => judged_stages(summary, spans),
    };
    let rows: Vec<&Row> = summary.rows.iter().filter(|row| stages.contains(&row.stage.as_str())).collect();
    let mut judged = judge(target, &rows, summary.generator);
    if let Some(stage) = target.stage.as_ref().filter(|_| rows.is_empty()) {
        judged.why = Some(format!("the run had no request in the stage `{stage}`"));
    }
    judged
}

/// How soon after the stage latency and errors were again what they were before it.
fn recovery(target: &Target, summary: &Summary, spans: &[Span]) -> Judged {
    let open = |why: String| Judged {
        target: target.clone(),
        outcome: Outcome::Inconclusive,
        got: None,
        count: 0,
        why: Some(why),
        blame: None,
    };
    let stage = target.stage.as_deref().unwrap_or_default();
    let Some(at) = spans.iter().position(|span| span.name == stage && span.until > span.from) else {
        return open(format!("the run did not reach the stage `{stage}`"));
    };
    if summary.timeline.names().is_empty() {
        return open(UNTOLD.to_owned());
    }
    let before = at.checked_sub(1).and_then(|before| spans.get(before));
    let (Some(before), Some(span)) = (before, spans.get(at)) else {
        return open(format!("nothing came before the stage `{stage}` that it could be measured by"));
    };
    let picked = |name: &str| target.subject.members.iter().any(|member| member == name);
    let timeline = &summary.timeline;
    let Some(usual) =
        Usual::of(inside(timeline, before).and_then(|(from, until)| timeline.window(from, until, picked)))
    else {
        return open(format!("the stage `{}` before it had too few requests to tell what is usual", before.name));
    };
    let end = spans.last().map_or(summary.elapsed, |last| last.until).min(summary.elapsed);
    match recovered(timeline, span.until, end, |row| usual.again(row), picked) {
        Some((after, count)) => decided(target, after, count, summary.generator.saturated, usual.said()),
        None => {
            let after = end.saturating_sub(span.until);
            let why = format!("not within {} until the run ended, {}", Readable(after), usual.said());
            let missed = !target.op.holds(micros(after), target.limit) && matches!(target.op, Op::Below | Op::AtMost);
            let outcome = if missed && !summary.generator.saturated { Outcome::Missed } else { Outcome::Inconclusive };
            Judged { got: missed.then_some(micros(after)), outcome, ..open(why) }
        }
    }
}

fn decided(target: &Target, after: Duration, count: u64, saturated: bool, usual: String) -> Judged {
    let got = micros(after);
    let (outcome, why) = match (target.op.holds(got, target.limit), saturated) {
        (true, _) => (Outcome::Met, usual),
        (false, false) => (Outcome::Missed, usual),
        (false, true) => (Outcome::Inconclusive, "the load generator was the bottleneck".to_owned()),
    };
    Judged { target: target.clone(), outcome, got: Some(got), count, why: Some(why), blame: None }
}

/// The whole slots within a stage.
fn inside(timeline: &Timeline, span: &Span) -> Option<(Duration, Duration)> {
    let width = timeline.width().as_secs().max(1);
    let from = span.from.as_secs_f64() / width_of(width);
    let until = span.until.as_secs() / width * width;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a run is shorter than 2^53 seconds")]
    let from = from.ceil() as u64 * width;
    (from < until).then(|| (Duration::from_secs(from), Duration::from_secs(until)))
}

fn width_of(width: u64) -> f64 {
    Duration::from_secs(width).as_secs_f64()
}

/// The first time after `since` from which a few slots, and enough requests in them, are as usual again: how long after it,
/// and how many requests showed it.
fn recovered(
    timeline: &Timeline,
    since: Duration,
    end: Duration,
    usual: impl Fn(&Row) -> bool,
    picked: impl Fn(&str) -> bool,
) -> Option<(Duration, u64)> {
    let width = timeline.width();
    let mut from = since;
    while from < end {
        let mut until = from + width * RECOVERY_SLOTS;
        while until <= end {
            match timeline.window(from, until, &picked).filter(|row| row.latencies.len() >= RECOVERY_REQUESTS) {
                Some(row) if usual(&row) => return Some((from - since, row.count)),
                Some(_) => break,
                None => until += width,
            }
        }
        from += width;
    }
    None
}

/// What was usual before the stage.
struct Usual {
    p95: Duration,
    errors: f64,
}

impl Usual {
    fn of(row: Option<Row>) -> Option<Self> {
        let row = row.filter(|row| row.count >= RECOVERY_REQUESTS)?;
        Some(Self { p95: row.quantile(0.95)?, errors: row.error_ratio()? })
    }

    fn limit(&self) -> Duration {
        self.p95.mul_f64(RECOVERED_TIMES).max(self.p95 + RECOVERED_FLOOR)
    }

    fn again(&self, row: &Row) -> bool {
        let p95 = Duration::from_micros(row.latencies.value_at_quantile(0.95));
        p95 <= self.limit() && row.error_ratio().unwrap_or(1.0) <= self.errors + RECOVERED_ERRORS
    }

    fn said(&self) -> String {
        format!("p95 was {} before and {} counts as recovered", Readable(self.p95), Readable(self.limit()))
    }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
