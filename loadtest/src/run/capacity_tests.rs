//! What a search makes of its steps.

use super::*;
use crate::report::tests::{report, rows};
use crate::report::{FindingLine, SlotLine, to_terminal};
use crate::targets::Ending;

fn search() -> Found {
    Found { knee: Knee::new(10.0), steps: Vec::new(), best: None, worst: None, stopped: None }
}

/// A step that holds, one that misses a target, and one that nobody can judge.
fn step(require: &str) -> Report {
    report(&[require], rows(), Ending::Complete)
}

const HOLDS: &str = "p50 < 2s";
const BREAKS: &str = "p99 < 10ms";
const UNCLEAR: &str = "'GET /health' p99 < 1s";

fn told(found: Found) -> (Report, String) {
    let report = found.report().unwrap_or_else(|_| panic!("a report"));
    let said = format!("{} {}: {}", report.exit, report.verdict.as_str(), report.reason);
    (report, said)
}

#[test]
fn the_knee_is_told_with_what_broke_first() {
    let mut found = search();
    assert!(found.take(10.0, step(HOLDS), true) && found.take(20.0, step(BREAKS), true));
    let mut blamed = step(BREAKS);
    blamed.findings = vec![FindingLine {
        target: Some(BREAKS.to_owned()),
        sentence: "`db` was throttled in 41 % of periods".to_owned(),
        from_s: 0.0,
        until_s: 10.0,
        suspects: Vec::new(),
    }];
    assert!(found.take(14.1, step(HOLDS), true) && found.take(16.8, blamed, true));
    let (report, said) = told(found);
    insta::assert_snapshot!(said, @"0 go: the capacity is 14.1/s: at 16.8/s `p99 < 10ms` is missed (50ms): `GET /` has 98 % of the requests beyond the limit");
    let text = to_terminal(&report, 100);
    assert!(
        text.contains("bottleneck: `db` was throttled in 41 % of periods") && text.contains("16.8/s  breaks"),
        "{text}"
    );
    let capacity = report.capacity.expect("a capacity");
    assert_eq!((capacity.rate, capacity.steps.len()), (Some(14.1), 4));
    assert_eq!(capacity.broken.map(|broken| (broken.rate, broken.target)), Some((16.8, Some(BREAKS.to_owned()))));
    assert_eq!(report.targets[0].text, HOLDS, "the figures are those of the step that held");
}

#[test]
fn where_nothing_holds_or_nothing_breaks_it_says_so() {
    let mut none = search();
    assert!(none.take(10.0, step(BREAKS), true) && none.take(5.0, step(BREAKS), true));
    insta::assert_snapshot!(told(none).1, @"1 no-go: there is no capacity: even at 5/s `p99 < 10ms` is missed (50ms): `GET /` has 98 % of the requests beyond the limit");
    let mut all = search();
    assert!(all.take(10.0, step(HOLDS), true) && all.take(20.0, step(HOLDS), true));
    insta::assert_snapshot!(told(all).1, @"3 inconclusive: the capacity is above 20/s: nothing broke");
}

#[test]
fn a_step_that_nobody_can_judge_a_dead_target_and_a_signal_end_the_search() {
    let mut unclear = search();
    assert!(unclear.take(10.0, step(HOLDS), true));
    assert!(!unclear.take(20.0, step(UNCLEAR), true));
    insta::assert_snapshot!(told(unclear).1, @"3 inconclusive: 10/s held, and the search ended beyond it: `'GET /health' p99 < 1s` is inconclusive: 60 requests cannot carry it, it takes 100");
    let mut dead = search();
    assert!(dead.take(10.0, step(HOLDS), true));
    let died = report(&[HOLDS], rows(), Ending::GivenUp("the target died 3s into the run".to_owned()));
    assert!(!dead.take(20.0, died, true));
    insta::assert_snapshot!(told(dead).1, @"0 go: the capacity is 10/s: at 20/s the target died 3s into the run");
    let mut stopped = search();
    assert!(stopped.take(10.0, step(HOLDS), true));
    assert!(!stopped.take(20.0, report(&[HOLDS], rows(), Ending::Signal("SIGINT", 2)), true));
    insta::assert_snapshot!(told(stopped).1, @"130 inconclusive: 10/s held, and the search ended beyond it: the run was stopped by SIGINT before its end");
}

/// Ten seconds at 100 a second of which so many are still open at the end of each.
fn timeline(open: impl Fn(usize) -> usize) -> TimelineLines {
    let slot = |from: usize| SlotLine {
        from: from as u64,
        seconds: 1.0,
        count: 90,
        errors: 0,
        p50_us: None,
        p95_us: None,
        p99_us: None,
        users: 0,
        in_flight: open(from).min(40),
        oldest_us: 0,
        waiting: open(from).saturating_sub(40),
        offered: Some(100.0),
        heat: Vec::new(),
    };
    TimelineLines { slot_seconds: 1, slots: (0..12).map(slot).collect(), bands_us: Vec::new(), requests: Vec::new() }
}

#[test]
fn what_piles_up_is_more_than_it_serves() {
    assert_eq!(growth(&timeline(|_| 12), 10.0), None);
    assert_eq!(growth(&timeline(|second| 30 + second % 3 * 4), 10.0), None);
    assert_eq!(growth(&timeline(|second| second * 4), 10.0), None, "less than a twentieth");
    insta::assert_snapshot!(growth(&timeline(|second| second * 10), 10.0).unwrap(), @"what is in flight or waits grew from 60 to 100 in 4s: it serves less than comes");
    assert_eq!(growth(&TimelineLines::default(), 10.0), None);
}
