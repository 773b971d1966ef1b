//! When a target was missed: the longest stretch of the judged time in which its figure, window by window, was not as asked; and
//! when, under load, it was. Pure.

use super::Miss;
use crate::limits::BLAME_MARGIN;
use crate::measure::{Row, Timeline};
use crate::targets::{Judged, Op, Outcome, Tally, Target};
use std::ops::Range;
use std::time::Duration;

/// Window lengths that are tried, in seconds: the shortest in which there are enough requests for the figure.
const LENGTHS: &[u64] = &[2, 5, 10, 15, 30, 60, 300];

/// When a judged target about requests was missed, over the time in which it was judged; none when it was not.
#[must_use]
pub fn miss(judged: &Judged, timeline: &Timeline, time: &[Range<Duration>]) -> Option<Miss> {
    let target = &judged.target;
    if judged.outcome != Outcome::Missed || target.figure.is_some() || target.is_recovery() {
        return None;
    }
    let end = time.iter().map(|range| range.end).max().unwrap_or_default();
    let start = time.iter().map(|range| range.start).min().unwrap_or_default();
    let tiles = tiles(target, timeline, end);
    let inside =
        |tile: &&(Range<Duration>, Held)| time.iter().any(|range| tile.0.start < range.end && tile.0.end > range.start);
    let of = |wanted: Held| move |(tile, held): &(Range<Duration>, Held)| (*held == wanted).then(|| seconds(tile));
    let bad: Vec<Range<f64>> = tiles.iter().filter(inside).filter_map(of(Held::No)).collect();
    let met = tiles.iter().filter_map(of(Held::Well));
    let when = longest(&bad).unwrap_or_else(|| seconds(&(start..end)));
    Some(Miss { what: what(target), target: target.text.clone(), when, met: met.collect(), turned_away: None })
}

/// How a window held a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    No,
    /// So closely that whatever ails the service may have ailed it then too.
    Barely,
    Well,
}

/// The run in windows, each with whether the figure was as asked; those that cannot carry it are left out.
fn tiles(target: &Target, timeline: &Timeline, end: Duration) -> Vec<(Range<Duration>, Held)> {
    let needs = (target.indicator.needs)(target.limit, target.op);
    let mut best = Vec::new();
    for length in LENGTHS {
        let length = Duration::from_secs(*length).max(timeline.width());
        let whole = end.as_secs_f64() / length.as_secs_f64();
        best =
            cut(end, length).filter_map(|tile| Some((tile.clone(), holds(target, timeline, &tile, needs)?))).collect();
        #[expect(clippy::cast_precision_loss, reason = "a run has few windows")]
        if best.len() as f64 >= whole / 2.0 || length >= end {
            break;
        }
    }
    best
}

fn cut(end: Duration, length: Duration) -> impl Iterator<Item = Range<Duration>> {
    (0_u32..).map(move |number| length * number..length * (number + 1)).take_while(move |tile| tile.start < end)
}

fn holds(target: &Target, timeline: &Timeline, tile: &Range<Duration>, needs: u64) -> Option<Held> {
    let rows = timeline.rows(tile.start, tile.end);
    let own: Vec<&Row> = rows.iter().filter(|row| target.subject.members.contains(&row.name)).collect();
    let tally = Tally::of(own.iter().copied())?;
    (tally.count >= needs).then(|| held(target.op, (target.indicator.read)(&tally), target.limit))
}

/// One that is within the limit counts as well held when a factor beyond it would be too.
fn held(op: Op, got: f64, limit: f64) -> Held {
    let beyond = match op {
        Op::Below | Op::AtMost => got * BLAME_MARGIN,
        Op::Above | Op::AtLeast => got / BLAME_MARGIN,
    };
    match (op.holds(got, limit), op.holds(beyond, limit)) {
        (false, _) => Held::No,
        (true, false) => Held::Barely,
        (true, true) => Held::Well,
    }
}

/// The longest stretch of windows that touch each other; of several the first.
fn longest(windows: &[Range<f64>]) -> Option<Range<f64>> {
    let mut stretches: Vec<Range<f64>> = Vec::new();
    for window in windows {
        match stretches.last_mut() {
            Some(last) if window.start - last.end < 0.5 => last.end = window.end,
            _ => stretches.push(window.clone()),
        }
    }
    let length = |range: &Range<f64>| range.end - range.start;
    stretches.into_iter().reduce(|best, one| if length(&one) > length(&best) { one } else { best })
}

fn seconds(range: &Range<Duration>) -> Range<f64> {
    range.start.as_secs_f64()..range.end.as_secs_f64()
}

fn what(target: &Target) -> String {
    let name = target.indicator.name;
    match &target.subject.name {
        Some(subject) => format!("{name} of {subject}"),
        None => format!("{name} of all requests"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_is_barely_held_exonerates_nobody() {
        assert_eq!(held(Op::Below, 260.0, 250.0), Held::No);
        assert_eq!(held(Op::Below, 200.0, 250.0), Held::Barely);
        assert_eq!(held(Op::Below, 150.0, 250.0), Held::Well);
        assert_eq!(held(Op::Above, 90.0, 100.0), Held::No);
        assert_eq!(held(Op::Above, 120.0, 100.0), Held::Barely);
        assert_eq!(held(Op::Above, 170.0, 100.0), Held::Well);
    }
}
