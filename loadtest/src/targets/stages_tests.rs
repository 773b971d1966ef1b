//! Which part of a run a target is judged by, and recovery after a stage.

use super::judge::tests::{row, target};
use super::*;
use crate::measure::{Failure, Flight, Generator, Labels, Recorder, Row, Sample, StageLabel, Summary, Timeline};
use std::time::Duration;

const S: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

fn span(name: &str, from: u32, until: u32, judged: bool) -> Span {
    Span { name: name.to_owned(), from: S * from, until: S * until, judged }
}

fn spans() -> Vec<Span> {
    vec![
        span("warm-up", 0, 10, false),
        span("calm", 10, 20, true),
        span("spike", 20, 30, true),
        span("after", 30, 60, false),
    ]
}

fn summary(rows: Vec<Row>, timeline: Timeline) -> Summary {
    Summary {
        rows,
        elapsed: S * 60,
        users: 0,
        in_flight: 0,
        oldest_in_flight: Duration::ZERO,
        generator: Generator::default(),
        arrivals: None,
        timeline,
    }
}

fn in_stage(stage: &str, ms: u64, count: u64) -> Row {
    let mut row = row("GET /", &[(ms, count)], 0);
    stage.clone_into(&mut row.stage);
    row
}

fn outcome(text: &str, summary: &Summary) -> String {
    let judged = judge_stages(&target(text, &["GET /"]), summary, &spans());
    let said = judged.said().map_or(String::new(), |said| format!(" {said}"));
    let why = judged.why.map_or(String::new(), |why| format!(": {why}"));
    format!("{}{said}{why}", judged.outcome.as_str())
}

#[test]
fn a_target_is_about_its_stage_or_all_judged_ones() {
    let rows = vec![
        in_stage("warm-up", 9000, 500),
        in_stage("calm", 10, 500),
        in_stage("spike", 700, 500),
        in_stage("after", 5000, 500),
    ];
    let summary = summary(rows, Timeline::default());
    insta::assert_snapshot!(outcome("p99 < 1s", &summary), @"met 700ms");
    insta::assert_snapshot!(outcome("p50 < 1s during calm", &summary), @"met 10ms");
    insta::assert_snapshot!(outcome("p50 < 500ms during spike", &summary), @"missed 700ms");
    insta::assert_snapshot!(outcome("p50 < 1s during warm-up", &summary), @"missed 9s");
    assert_eq!(judged_stages(&summary, &spans()), ["calm", "spike"]);
}

#[test]
fn a_run_that_ended_early_is_judged_by_what_there_was() {
    let early = summary(vec![in_stage("warm-up", 10, 500)], Timeline::default());
    assert_eq!(judged_stages(&early, &spans()), ["warm-up"]);
    insta::assert_snapshot!(outcome("p50 < 1s", &early), @"met 10ms");
    insta::assert_snapshot!(outcome("p50 < 1s during spike", &early), @"inconclusive: the run had no request in the stage `spike`");
    let empty = summary(Vec::new(), Timeline::default());
    assert_eq!(judged_stages(&empty, &spans()), ["spike"]);
    insta::assert_snapshot!(outcome("p50 < 1s", &empty), @"inconclusive: no request was finished");
}

/// Twenty requests a second; what a second of the run had as latency and errors, `figures` says.
fn timeline(seconds: u32, figures: impl Fn(u32) -> (Duration, bool)) -> Timeline {
    let stage = StageLabel { name: "all".to_owned(), from: Duration::ZERO, until: S * 60 };
    let recorder = Recorder::new(Labels { names: vec!["GET /".to_owned()], stages: vec![stage] }, 1);
    for second in 0..seconds {
        let (latency, failed) = figures(second);
        for part in 0..20 {
            let failure = failed.then_some(Failure::Status);
            let sample = Sample { name: 0, stage: 0, latency, status: 200, bytes: 0, http2: false, failure };
            recorder.record(&sample, S * second + MS * 50 * part, None);
        }
    }
    recorder.timeline(S * seconds, std::iter::empty())
}

#[test]
fn recovery_is_the_time_until_latency_is_as_before() {
    let slow_for = |more: u32| {
        let figures = move |second| (if (20..30 + more).contains(&second) { S } else { MS * 40 }, false);
        outcome("recovery < 5s after spike", &summary(Vec::new(), timeline(60, figures)))
    };
    insta::assert_snapshot!(slow_for(0), @"met 0s: p95 was 40.2ms before and 60.3ms counts as recovered");
    insta::assert_snapshot!(slow_for(3), @"met 3s: p95 was 40.2ms before and 60.3ms counts as recovered");
    insta::assert_snapshot!(slow_for(7), @"missed 7s: p95 was 40.2ms before and 60.3ms counts as recovered");
    insta::assert_snapshot!(slow_for(40), @"missed 30s: not within 30s until the run ended, p95 was 40.2ms before and 60.3ms counts as recovered");
}

#[test]
fn errors_and_short_lulls_are_no_recovery() {
    let failing = timeline(60, |second| (MS * 40, (20..37).contains(&second)));
    insta::assert_snapshot!(outcome("recovery < 5s after spike", &summary(Vec::new(), failing)), @"missed 7s: p95 was 40.2ms before and 60.3ms counts as recovered");
    let lull = timeline(60, |second| (if (20..40).contains(&second) && second != 33 { S } else { MS * 40 }, false));
    insta::assert_snapshot!(outcome("recovery < 5s after spike", &summary(Vec::new(), lull)), @"missed 10s: p95 was 40.2ms before and 60.3ms counts as recovered");
}

#[test]
fn without_evidence_recovery_is_inconclusive() {
    let check = |text: &str, timeline: Timeline, elapsed: Duration| {
        outcome(text, &Summary { elapsed, ..summary(Vec::new(), timeline) })
    };
    let quiet = || timeline(60, |second| (if (10..20).contains(&second) { S } else { MS * 40 }, false));
    insta::assert_snapshot!(check("recovery < 5s after warm-up", quiet(), S * 60), @"inconclusive: nothing came before the stage `warm-up` that it could be measured by");
    insta::assert_snapshot!(check("recovery < 5s after spike", Timeline::default(), S * 60), @"inconclusive: the report does not have the run over time for each request, for an older loadtest wrote it; run again");
    // It ended two seconds after the spike: nobody knows whether it would have recovered within five.
    let slow = timeline(32, |second| (if second >= 20 { S } else { MS * 40 }, false));
    insta::assert_snapshot!(check("recovery < 5s after spike", slow, S * 32), @"inconclusive: not within 2s until the run ended, p95 was 40.2ms before and 60.3ms counts as recovered");
    let saturated = Summary {
        generator: Generator { saturated: true, ..Generator::default() },
        ..summary(Vec::new(), timeline(60, |second| (if (20..40).contains(&second) { S } else { MS * 40 }, false)))
    };
    insta::assert_snapshot!(outcome("recovery < 5s after spike", &saturated), @"inconclusive 10s: the load generator was the bottleneck");
}

#[test]
fn requests_that_hang_after_the_stage_are_no_recovery() {
    let stage = StageLabel { name: "all".to_owned(), from: Duration::ZERO, until: S * 60 };
    let recorder = Recorder::new(Labels { names: vec!["GET /".to_owned()], stages: vec![stage] }, 1);
    for second in 0..60 {
        for part in 0..20 {
            let sample =
                Sample { name: 0, stage: 0, latency: MS * 40, status: 200, bytes: 0, http2: false, failure: None };
            recorder.record(&sample, S * second + MS * 50 * part, None);
        }
    }
    // Twenty users hang since the spike; others go on.
    let flights = (0..20).map(|_| Flight { name: 0, stage: 0, since: S * 25, held: Duration::ZERO });
    let hung = summary(Vec::new(), recorder.timeline(S * 60, flights));
    assert!(
        outcome("recovery < 5s after spike", &hung).starts_with("missed 30s"),
        "{}",
        outcome("recovery < 5s after spike", &hung)
    );
}
