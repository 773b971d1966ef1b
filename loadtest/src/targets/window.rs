//! Targets over windows: `p95 < 300ms over 30s` holds when it holds in every window of thirty seconds within the judged time.
//! Windows begin at each slot of the timeline, so that the worst one is not missed between two of them. Pure.

use super::{Judged, Outcome, Target, judge};
use crate::measure::{Generator, Row, Timeline};
use crate::units::Readable;
use std::ops::Range;
use std::time::Duration;

/// Why neither windows nor a recovery can be judged from a report without the course of its requests.
pub(super) const UNTOLD: &str =
    "the report does not have the run over time for each request, for an older loadtest wrote it; run again";

/// Every window of this length within a time; the whole time when it is no longer than that.
pub fn windows(
    timeline: &Timeline,
    within: &Range<Duration>,
    length: Duration,
) -> impl Iterator<Item = Range<Duration>> {
    let (step, end) = (timeline.width(), within.end);
    let mut from = within.start;
    let mut first = true;
    std::iter::from_fn(move || {
        let until = from + length;
        if until > end && !first {
            return None;
        }
        let window = from..until.min(end);
        first = false;
        from += step;
        Some(window)
    })
}

/// Judges a target window by window; none when it is about the whole time. The worst window counts.
#[must_use]
pub fn judge_windows(
    target: &Target,
    timeline: &Timeline,
    judged: &[Range<Duration>],
    generator: Generator,
) -> Option<Judged> {
    let length = target.over.filter(|_| target.figure.is_none())?;
    if timeline.names().is_empty() && !judged.is_empty() {
        let nothing = judge(target, &[], generator);
        return Some(Judged { why: Some(UNTOLD.to_owned()), ..nothing });
    }
    let mut worst: Option<(Judged, Range<Duration>)> = None;
    for window in judged.iter().flat_map(|within| windows(timeline, within, length)) {
        let rows = timeline.rows(window.start, window.end);
        let one = one(target, &rows, generator);
        if worst.as_ref().is_none_or(|(known, _)| is_worse(target, &one, known)) {
            worst = Some((one, window));
        }
    }
    let Some((mut worst, window)) = worst else { return Some(judge(target, &[], generator)) };
    if worst.outcome != Outcome::Met {
        let place = format!("in the {} from {} on", Readable(length), Readable(window.start));
        worst.why = Some(worst.why.map_or_else(|| place.clone(), |why| format!("{place}: {why}")));
    }
    Some(worst)
}

/// In a window, also a share of errors wants enough requests: one of three is no third.
fn one(target: &Target, rows: &[Row], generator: Generator) -> Judged {
    let rows: Vec<&Row> = rows.iter().collect();
    let mut judged = judge(target, &rows, generator);
    let needs = (target.indicator.needs)(target.limit, target.op);
    if judged.outcome == Outcome::Missed && judged.count < needs {
        judged.outcome = Outcome::Inconclusive;
        judged.why = Some(format!("{} requests cannot carry it, it takes {needs}", judged.count));
    }
    judged
}

/// A miss before doubt before success; among like ones the figure that is farther from what is asked. Doubt for want of requests
/// counts only where no window had enough.
fn is_worse(target: &Target, one: &Judged, known: &Judged) -> bool {
    let rank = |judged: &Judged| match judged.outcome {
        Outcome::Missed => 2,
        Outcome::Met => 1,
        Outcome::Inconclusive => 0,
    };
    let farther = || {
        let (one, known) = (one.got.unwrap_or(0.0), known.got.unwrap_or(0.0));
        if target.op.holds(0.0, 1.0) { one > known } else { one < known }
    };
    rank(one) > rank(known) || (rank(one) == rank(known) && farther())
}

#[cfg(test)]
mod tests {
    use super::super::judge::tests::target;
    use super::*;
    use crate::measure::{Failure, Labels, Recorder, Sample, StageLabel};

    /// Ten requests a second for a minute: 10 ms, but 900 ms from second 20 to 32, where one in five fails.
    fn timeline() -> Timeline {
        let stage = StageLabel { name: "load".to_owned(), from: Duration::ZERO, until: Duration::from_secs(60) };
        let recorder = Recorder::new(Labels { names: vec!["a".to_owned()], stages: vec![stage] }, 1);
        for tenth in 0..600_u64 {
            let at = Duration::from_millis(tenth * 100 + 50);
            let slow = (20..32).contains(&at.as_secs());
            let latency = Duration::from_millis(if slow { 900 } else { 10 });
            let failure = (slow && tenth % 5 == 0).then_some(Failure::Status);
            recorder.record(
                &Sample { name: 0, stage: 0, latency, status: 200, bytes: 0, http2: false, failure },
                at,
                None,
            );
        }
        recorder.timeline(Duration::from_secs(60), std::iter::empty())
    }

    fn judged(text: &str) -> String {
        let whole = Duration::ZERO..Duration::from_secs(60);
        let judged =
            judge_windows(&target(text, &["a"]), &timeline(), &[whole], Generator::default()).expect("a window");
        let why = judged.why.clone().map_or(String::new(), |why| format!(": {why}"));
        format!("{} {}{why}", judged.outcome.as_str(), judged.said().unwrap_or_default())
    }

    #[test]
    fn the_worst_window_counts() {
        insta::assert_snapshot!(judged("p95 < 1s over 10s"), @"met 897ms");
        insta::assert_snapshot!(judged("p50 < 100ms over 10s"), @"missed 897ms: in the 10s from 16s on");
        insta::assert_snapshot!(judged("p50 < 100ms over 30s"), @"met 10ms");
        insta::assert_snapshot!(judged("errors < 5% over 10s"), @"missed 20 %: in the 10s from 20s on");
        insta::assert_snapshot!(judged("errors < 10% over 1m"), @"met 4 %");
        insta::assert_snapshot!(judged("throughput > 9/s over 10s"), @"missed 8/s: in the 10s from 20s on");
        insta::assert_snapshot!(judged("p99 < 1s over 5s"), @"inconclusive 897ms: in the 5s from 16s on: 50 requests cannot carry it, it takes 100");
        insta::assert_snapshot!(judged("p50 < 100ms over 10m"), @"met 10ms");
    }

    #[test]
    fn windows_begin_at_every_slot() {
        let seconds = |from, until| Duration::from_secs(from)..Duration::from_secs(until);
        let all: Vec<_> = windows(&timeline(), &seconds(5, 10), Duration::from_secs(3)).collect();
        assert_eq!(all, [seconds(5, 8), seconds(6, 9), seconds(7, 10)]);
        let all: Vec<_> = windows(&timeline(), &seconds(5, 10), Duration::from_secs(30)).collect();
        assert_eq!(all, [seconds(5, 10)]);
    }
}
