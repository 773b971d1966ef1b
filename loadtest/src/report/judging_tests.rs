//! What counts as missed while a run goes on: one line a case.

use super::missed_so_far;
use crate::measure::{Failure, Labels, Recorder, Row, Sample, StageLabel, Summary};
use crate::report::tests::{plan, summary};
use crate::sidecars::{Evidence, Service, Track, find};
use crate::targets::{Span, Target, parse};
use std::time::Duration;

const WARM_UP: u64 = 10;

fn second(at: u64) -> Duration {
    Duration::from_secs(at)
}

/// A run that began so many seconds ago: a warm-up of ten seconds, then load. Ten requests a second; those of the seconds `bad` take a
/// second and fail.
fn run(seconds: u64, bad: std::ops::Range<u64>) -> (Summary, Vec<Span>) {
    let label =
        |name: &str, from, until| StageLabel { name: name.to_owned(), from: second(from), until: second(until) };
    let stages = vec![label("warm-up", 0, WARM_UP), label("load", WARM_UP, 600)];
    let recorder = Recorder::new(Labels { names: vec!["GET /".to_owned()], stages }, 1);
    for at in 0..seconds {
        let (stage, bad) = (usize::from(at >= WARM_UP), bad.contains(&at));
        let latency = Duration::from_millis(if bad { 1000 } else { 10 });
        for _ in 0..10 {
            let sample = Sample {
                name: 0,
                stage,
                latency,
                status: 200,
                bytes: 0,
                http2: false,
                failure: bad.then_some(Failure::Status),
            };
            recorder.record(&sample, second(at), None);
        }
    }
    let rows: Vec<Row> = recorder.rows(second(seconds), std::iter::empty());
    let timeline = recorder.timeline(second(seconds), std::iter::empty());
    let span = |name: &str, from: u64, until: u64, judged| Span {
        name: name.to_owned(),
        from: second(from.min(seconds)),
        until: second(until.min(seconds)),
        judged,
    };
    let spans = vec![span("warm-up", 0, WARM_UP, false), span("load", WARM_UP, 600, true)];
    (Summary { elapsed: second(seconds), timeline, ..summary(rows) }, spans)
}

fn missed(text: &str, seconds: u64, bad: std::ops::Range<u64>) -> bool {
    let mut backend = Service::new("backend");
    backend.tracks.push(Track::of(find("cpu").expect("a row"), (0..seconds).map(|at| (at as f64, 0.95))));
    let read = parse(text).expect("a target");
    let target = Target::new(text, read, &plan(&[]).names, &["backend"]).expect("a target");
    let (summary, spans) = run(seconds, bad);
    missed_so_far(&target, (&summary, &Evidence { services: vec![backend] }), &spans, second(5))
}

#[test]
fn a_warm_up_is_not_missed_unless_a_target_is_about_it() {
    assert!(!missed("errors < 5%", 8, 0..600));
    assert!(!missed("errors < 5%", 10, 0..600));
    assert!(!missed("errors < 5%", 20, 0..10), "only the warm-up was bad");
    assert!(missed("errors < 5%", 20, 0..600));
    assert!(missed("errors < 5% during warm-up", 20, 0..10));
    assert!(!missed("backend.cpu < 70%", 9, 0..0));
    assert!(missed("backend.cpu < 70%", 12, 0..0));
}

#[test]
fn it_takes_the_requests_that_the_figure_takes() {
    assert!(!missed("errors < 1%", 19, 10..600), "90 of them cannot carry it");
    assert!(missed("errors < 1%", 20, 10..600));
    assert!(!missed("p95 < 500ms", 11, 10..600));
    assert!(missed("p95 < 500ms", 12, 10..600));
    assert!(missed("throughput > 10/s", 14, 10..600));
    assert!(!missed("throughput > 9/s", 14, 0..0));
}

#[test]
fn of_windows_whole_and_late_ones_count() {
    assert!(!missed("p95 < 500ms over 10s", 19, 10..600), "no window is whole yet");
    assert!(missed("p95 < 500ms over 10s", 20, 10..600));
    assert!(missed("p95 < 500ms over 10s", 35, 20..30));
    assert!(!missed("p95 < 500ms over 10s", 60, 20..30), "it was seen then");
    assert!(missed("backend.cpu < 70% over 10s", 20, 0..0));
    assert!(!missed("backend.cpu < 70% over 10s", 19, 0..0));
}
