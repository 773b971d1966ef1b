//! One line a case: what was measured, what was asked, how it comes out.

use super::*;
use crate::measure::{Failure, Lateness};
use hdrhistogram::Histogram;
use std::time::Duration;

const SATURATED: Generator =
    Generator { cpu_us_per_request: 9.0, cpu_used_ratio: 0.95, late: CALM, lost_ratio: 0.0, saturated: true };
const CALM: Lateness = Lateness { p50_us: 0, p90_us: 0, p95_us: 0, p99_us: 0, max_us: 0 };

pub(crate) fn row(name: &str, latencies_ms: &[(u64, u64)], errors: u64) -> Row {
    let mut histogram = Histogram::new(3).expect("three digits");
    for (ms, count) in latencies_ms {
        histogram.record_n(ms * 1000, *count).expect("in range");
    }
    let mut row = Row::empty(name, "load", Duration::from_secs(10)).expect("three digits");
    row.count = histogram.len();
    row.latencies = histogram;
    if errors > 0 {
        row.errors_by.insert(Failure::Status, errors);
    }
    row
}

pub(crate) fn target(text: &str, members: &[&str]) -> Target {
    let read = super::super::parse(text).expect("a target");
    let members = members.iter().map(|&name| name.to_owned()).collect();
    let subject = Subject { name: read.name, members };
    Target {
        text: text.to_owned(),
        subject,
        indicator: read.indicator,
        op: read.op,
        limit: read.limit,
        stage: read.stage,
        figure: None,
        abort_after: None,
        over: read.over,
    }
}

fn outcome(text: &str, latencies_ms: &[(u64, u64)], errors: u64) -> Outcome {
    let row = row("a", latencies_ms, errors);
    judge(&target(text, &["a"]), &[&row], Generator::default()).outcome
}

/// A target, latencies in milliseconds with their numbers, errors, and what comes out.
type Case = (&'static str, &'static [(u64, u64)], u64, Outcome);

#[test]
fn each_indicator_is_met_missed_or_inconclusive() {
    use Outcome::{Inconclusive, Met, Missed};
    let cases: &[Case] = &[
        ("p50 < 20ms", &[(10, 60), (90, 40)], 0, Met),
        ("p50 < 20ms", &[(10, 40), (90, 60)], 0, Missed),
        ("p50 < 20ms", &[(10, 1)], 0, Inconclusive),
        ("p90 < 20ms", &[(10, 91), (90, 9)], 0, Met),
        ("p90 < 20ms", &[(10, 89), (90, 11)], 0, Missed),
        ("p90 < 20ms", &[(10, 9)], 0, Inconclusive),
        ("p95 < 20ms", &[(10, 96), (90, 4)], 0, Met),
        ("p95 < 20ms", &[(10, 94), (90, 6)], 0, Missed),
        ("p95 < 20ms", &[(90, 19)], 0, Inconclusive),
        ("p99 < 20ms", &[(10, 990), (90, 10)], 0, Met),
        ("p99 < 20ms", &[(10, 989), (90, 11)], 0, Missed),
        ("p99 < 20ms", &[(10, 99)], 0, Inconclusive),
        ("max < 20ms", &[(10, 1)], 0, Met),
        ("max < 20ms", &[(10, 99), (90, 1)], 0, Missed),
        ("max < 20ms", &[], 0, Inconclusive),
        ("errors < 5%", &[(10, 100)], 4, Met),
        ("errors < 5%", &[(10, 100)], 5, Missed),
        ("errors < 5%", &[(10, 19)], 0, Inconclusive),
        ("errors < 5%", &[(10, 3)], 1, Missed),
        ("errors <= 0%", &[(10, 3)], 0, Met),
        ("throughput > 9/s", &[(10, 100)], 0, Met),
        ("throughput > 9/s", &[(10, 100)], 20, Missed),
        ("throughput > 9/s", &[], 0, Inconclusive),
    ];
    for (text, latencies, errors, expected) in cases {
        assert_eq!(outcome(text, latencies, *errors), *expected, "{text} {latencies:?} {errors} errors");
    }
}

#[test]
fn every_indicator_has_a_case_above() {
    let source = include_str!("judge_tests.rs");
    for indicator in super::super::INDICATORS {
        assert!(source.contains(&format!("(\"{} ", indicator.name)), "{} has no case", indicator.name);
    }
}

#[test]
fn a_fast_refusal_is_no_fast_answer() {
    assert_eq!(outcome("p95 < 2s", &[(1, 100)], 100), Outcome::Inconclusive);
    assert_eq!(outcome("p95 < 2s", &[(5000, 100)], 100), Outcome::Missed);
}

#[test]
fn a_saturated_generator_proves_nothing_but_errors() {
    let slow = row("a", &[(5000, 200)], 20);
    for (text, expected) in [
        ("p95 < 2s", Outcome::Inconclusive),
        ("p95 < 9s", Outcome::Inconclusive),
        ("throughput > 1/s", Outcome::Inconclusive),
        ("errors < 50%", Outcome::Inconclusive),
        ("errors < 1%", Outcome::Missed),
    ] {
        assert_eq!(judge(&target(text, &["a"]), &[&slow], SATURATED).outcome, expected, "{text}");
    }
}

#[test]
fn a_miss_by_less_than_the_generators_own_lateness_proves_nothing_and_what_is_met_stays_met() {
    let rows = row("a", &[(2040, 200)], 0);
    let late = |ms: u64| Generator { late: Lateness { p95_us: ms * 1000, ..CALM }, ..Generator::default() };
    let judged = |text, ms| judge(&target(text, &["a"]), &[&rows], late(ms));
    assert_eq!(judged("p95 < 2s", 15).outcome, Outcome::Missed);
    assert_eq!(judged("p95 < 2s", 25).outcome, Outcome::Inconclusive, "a request waits for the generator twice");
    let doubtful = judged("p95 < 2s", 60);
    assert_eq!(doubtful.outcome, Outcome::Inconclusive);
    insta::assert_snapshot!(doubtful.why.unwrap_or_default(), @"the load generator's own timers fired 60ms late at the same percentile; twice that is more than the figure is over the limit");
    assert_eq!(judged("p95 < 3s", 60).outcome, Outcome::Met);
    assert_eq!(judged("throughput > 1000/s", 60).outcome, Outcome::Missed);
}

#[test]
fn each_percentile_is_excused_by_its_own_lateness_only() {
    let rows = row("a", &[(2040, 200)], 0);
    let late = |us: [u64; 5]| {
        let [p50_us, p90_us, p95_us, p99_us, max_us] = us.map(|ms| ms * 1000);
        Generator { late: Lateness { p50_us, p90_us, p95_us, p99_us, max_us }, ..Generator::default() }
    };
    for (index, name) in ["p50", "p90", "p95", "p99", "max"].iter().enumerate() {
        let mut own = [0; 5];
        own[index] = 60;
        let target = target(&format!("{name} < 2s"), &["a"]);
        assert_eq!(judge(&target, &[&rows], late(own)).outcome, Outcome::Inconclusive, "{name}");
        let others = own.map(|ms| 60 - ms);
        assert_eq!(judge(&target, &[&rows], late(others)).outcome, Outcome::Missed, "{name}");
    }
}

#[test]
fn a_miss_names_the_request_with_the_largest_part_in_it() {
    let rows = [row("fast", &[(10, 900)], 1), row("slow", &[(3000, 90)], 0), row("rare", &[(9000, 10)], 9)];
    let rows: Vec<&Row> = rows.iter().collect();
    let blamed = |text| judge(&target(text, &["fast", "slow", "rare"]), &rows, Generator::default()).blame;
    assert_eq!(blamed("p95 < 2s"), Some(("slow".to_owned(), 0.9)));
    assert_eq!(blamed("errors < 0.5%"), Some(("rare".to_owned(), 0.9)));
    assert_eq!(blamed("throughput > 500/s").map(|(name, _)| name), Some("slow".to_owned()));
    assert_eq!(blamed("p95 < 9s"), None);
}

#[test]
fn says_why_it_cannot_say() {
    let few = row("a", &[(10, 42)], 0);
    let why = |text| judge(&target(text, &["a"]), &[&few], Generator::default()).why.unwrap_or_default();
    insta::assert_snapshot!(why("p99 < 2s"), @"42 requests cannot carry it, it takes 100");
    insta::assert_snapshot!(why("errors < 0.1%"), @"42 requests cannot carry it, it takes 1000");
    let none = judge(&target("p95 < 2s", &["b"]), &[&few], Generator::default());
    insta::assert_snapshot!(none.why.unwrap_or_default(), @"no request was finished");
}

#[test]
fn stages_follow_one_another_and_names_share_the_time_of_theirs() {
    let staged = |stage: &str, name: &str| Row { stage: stage.to_owned(), ..row(name, &[(10, 60)], 0) };
    let rows = [staged("one", "a"), staged("one", "b"), staged("two", "a")];
    let tally = Tally::of(&rows).unwrap();
    assert_eq!(tally.over, rows[0].over * 2);
    assert_eq!(tally.count, 180);
}
