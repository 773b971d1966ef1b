//! One run, told twice: as a person reads it and as a program does.

use super::*;
use crate::measure::{
    Arrivals, Failure, Gauges, Generator, Labels, Lateness, Recorder, Row, Sample, Summary, Timeline,
};
use crate::plan::{Flags, Plan};
use crate::sidecars::Evidence;
use crate::targets::{Ending, test_row};
use std::time::Duration;

const CANARY: &str = "canary-7f3a";

pub(crate) fn plan(require: &[&str]) -> Plan {
    let flags = Flags {
        target: Some("http://127.0.0.1:8000".into()),
        users: Some("20".into()),
        variable: vec![format!("password={CANARY}")],
        require: require.iter().map(|&text| text.to_owned()).collect(),
        ..Flags::default()
    };
    crate::plan::build(&flags, &|_| None).expect("a plan")
}

pub(crate) fn summary(rows: Vec<Row>) -> Summary {
    Summary {
        rows,
        elapsed: Duration::from_secs(75),
        users: 0,
        in_flight: 0,
        oldest_in_flight: Duration::ZERO,
        generator: Generator {
            cpu_us_per_request: 9.31,
            cpu_used_ratio: 0.042,
            late: Lateness { p99_us: 640, ..Lateness::default() },
            lost_ratio: 0.004,
            saturated: false,
        },
        arrivals: Some(Arrivals { started: 1100, held_back: 22, held_p99_us: 1_400_000, waiting: 3 }),
        timeline: timeline(),
    }
}

/// A second with two requests and one in which a third hangs.
fn timeline() -> Timeline {
    let labels = Labels { names: vec!["GET /".to_owned()], stages: vec![] };
    let recorder = Recorder::new(labels, 1);
    let latency = Duration::from_millis(12);
    for failure in [None, Some(Failure::Status)] {
        let sample = Sample { name: 0, stage: 0, latency, status: 200, bytes: 0, http2: false, failure };
        recorder.record(&sample, Duration::from_millis(700), None);
    }
    let oldest = Duration::from_millis(1300);
    let seen = Gauges { users: 20, in_flight: 1, waiting: 4, oldest, offered: Some(5.0) };
    recorder.gauge(Duration::from_millis(1900), seen);
    recorder.timeline(Duration::from_secs(2), std::iter::empty())
}

pub(crate) fn rows() -> Vec<Row> {
    let mut ramp = test_row("GET /", &[(3, 40)], 0);
    ramp.stage = "ramp".into();
    let mut health = test_row("GET /health", &[(2, 50), (4, 8), (9000, 2)], 3);
    health.errors_by = [(Failure::Timeout, 2), (Failure::Status, 1)].into();
    health.example = Some(format!("assert failed: status\n  got 503, the body says {CANARY}"));
    vec![ramp, test_row("GET /", &[(3, 900), (50, 99), (800, 1)], 0), health]
}

pub(crate) fn report(require: &[&str], rows: Vec<Row>, ending: Ending) -> Report {
    build(&About::from(&plan(require)), &summary(rows), &facts(ending))
}

/// A run of these rows held against one of a third of their latencies.
pub(crate) fn report_against(rows: Vec<Row>) -> Report {
    let base = vec![test_row("GET /", &[(1, 900), (4, 99), (10, 1)], 0), test_row("GET /health", &[(1, 60)], 0)];
    let base = report(&[], base, Ending::Complete).as_baseline("base.json").expect("a baseline");
    let plan = plan(&[]);
    let about = About { baseline: Some(&base), ..About::from(&plan) };
    build(&about, &summary(rows), &facts(Ending::Complete))
}

pub(crate) fn facts(ending: Ending) -> Facts {
    let stage =
        |name: &str, seconds| Stage { name: name.to_owned(), users: 20, rate: None, seconds, judged: name != "ramp" };
    let stages = vec![stage("ramp", 15.0), stage("load", 10.0)];
    Facts { started: "2026-11-21T06:00:00Z".to_owned(), ending, stages, evidence: Evidence::default() }
}

#[test]
fn a_person_reads_a_table_errors_times_targets_and_the_verdict() {
    let report = report(&["p95 < 2s", "errors < 0.1%", "'GET /health' p99 < 1s"], rows(), Ending::Complete);
    let text = to_terminal(&report, 120);
    assert!(!text.contains(CANARY));
    insta::assert_snapshot!(text, @r"
    requests of the stage `load`, 20 users for 10s
                             n      errors     p50     p90     p95     p99     max    n/s
      GET /               1000           0     3ms     3ms    50ms    50ms   800ms    100
      GET /health           60      3 (5%)     2ms     4ms     4ms       –      9s    5.7
      total               1060   3 (0.28%)     3ms     4ms    50ms    50ms      9s    106

    stage `ramp`, not judged: 40 requests, 0 errors

    errors
      GET /health (load): 2 timeout, 1 status
        for example: assert failed: status
          got 503, the body says ***

    where the time went: `GET /health` 68 %, `GET /` 32 %

    load generator: 9.3 µs of CPU per request, 4 % of its CPU, timers at most 640us late (p99), 99.6 % of the load offered: it was not the bottleneck

    arrivals: of 1103, 22 (2 %) found all workers busy and began up to 1.4s late (p99), 3 were due and never begun; their latencies count from when they were due

    targets
      met           p95 < 2s                50ms (n = 1060)
      missed        errors < 0.1%           0.28 % (n = 1060)
      inconclusive  'GET /health' p99 < 1s  9s (n = 60): 60 requests cannot carry it, it takes 100

    NO-GO: `errors < 0.1%` is missed (0.28 %): `GET /health` has all of the errors
    ");
}

#[test]
fn without_errors_nothing_is_said_of_them() {
    let report = report(&[], vec![test_row("GET /", &[(3, 900)], 0)], Ending::Complete);
    insta::assert_snapshot!(to_terminal(&report, 80), @r"
    requests of the stage `load`, 20 users for 10s
                             n      errors     p50     p90     p95     p99     max    n/s
      GET /                900           0     3ms     3ms     3ms     3ms     3ms     90
      total                900           0     3ms     3ms     3ms     3ms     3ms     90

    load generator: 9.3 µs of CPU per request, 4 % of its CPU, timers at most 640us late (p99), 99.6 % of the load offered: it was not the bottleneck

    arrivals: of 1103, 22 (2 %) found all workers busy and began up to 1.4s late (p99), 3 were due and never begun; their latencies count from when they were due

    targets
      met           p95 < 2s     3ms (n = 900, default)
      met           errors < 5%  0 % (n = 900, default)

    GO: all 2 targets are met
    ");
}

#[test]
fn a_run_of_several_stages_tells_each() {
    let in_stage = |stage: &str, latencies: &[(u64, u64)]| {
        let mut row = test_row("GET /", latencies, 0);
        stage.clone_into(&mut row.stage);
        row
    };
    let rows = vec![in_stage("calm", &[(3, 100)]), in_stage("spike", &[(900, 400)]), in_stage("after", &[(4, 100)])];
    let stage = |name: &str, rate: f64, judged| Stage {
        name: name.to_owned(),
        users: 40,
        rate: Some(rate),
        seconds: 10.0,
        judged,
    };
    let stages = vec![stage("calm", 10.0, true), stage("spike", 40.0, true), stage("after", 10.0, false)];
    let facts = Facts {
        started: "2026-11-21T06:00:00Z".to_owned(),
        ending: Ending::Complete,
        stages,
        evidence: Evidence::default(),
    };
    let report = build(&About::from(&plan(&["p95 < 2s"])), &summary(rows), &facts);
    assert_eq!((report.judged.as_str(), report.total.count), ("calm, spike", 500));
    insta::assert_snapshot!(to_terminal(&report, 110), @r"
    requests of the stages `calm`, `spike`
                             n      errors     p50     p90     p95     p99     max    n/s
      GET / (calm)         100           0     3ms     3ms     3ms     3ms     3ms     10
      GET / (spike)        400           0   900ms   900ms   900ms   900ms   900ms     40
      total                500           0   900ms   900ms   900ms   900ms   900ms     25

    stages
                                            n      errors     p50     p90     p95     p99     max    n/s
      calm: 10/s for 10s                  100           0     3ms     3ms     3ms     3ms     3ms     10
      spike: 40/s for 10s                 400           0   900ms   900ms   900ms   900ms   900ms     40
      after: 10/s for 10s, not judged     100           0     4ms     4ms     4ms     4ms     4ms     10

    load generator: 9.3 µs of CPU per request, 4 % of its CPU, timers at most 640us late (p99), 99.6 % of the load offered: it was not the bottleneck

    arrivals: of 1103, 22 (2 %) found all workers busy and began up to 1.4s late (p99), 3 were due and never begun; their latencies count from when they were due

    targets
      met           p95 < 2s  900ms (n = 500)

    GO: the target is met
    ");
}

#[test]
fn a_run_without_a_request_is_no_success() {
    let report = report(&[], Vec::new(), Ending::Complete);
    assert_eq!((report.verdict.as_str(), report.exit), ("inconclusive", 3));
    insta::assert_snapshot!(final_lines(&report), @r"
    targets
      inconclusive  p95 < 2s     – (n = 0, default): no request was finished
      inconclusive  errors < 5%  – (n = 0, default): no request was finished

    INCONCLUSIVE: `p95 < 2s` is inconclusive: no request was finished; 1 other target is inconclusive
    ");
}

#[test]
fn a_run_that_ended_in_the_ramp_is_judged_by_the_ramp() {
    let mut ramp = test_row("GET /", &[(1, 40)], 40);
    ramp.stage = "ramp".into();
    let dead = Ending::GivenUp("the target is dead: connection refused".to_owned());
    let report = report(&[], vec![ramp], dead);
    assert_eq!((report.judged.as_str(), report.verdict.as_str(), report.exit), ("ramp", "no-go", 1));
}

#[test]
fn a_program_reads_the_documented_schema() {
    let report = report(&["errors < 0.1%"], rows(), Ending::Signal("SIGTERM", 15));
    let mut json: serde_json::Value = serde_json::from_str(&to_json(&report)).expect("JSON");
    assert!(!json.to_string().contains(CANARY));
    assert_eq!(json["exit"], 143);
    let encoded = json["total"]["hdr_v2"].as_str().expect("a histogram").to_owned();
    let histogram = crate::measure::decode(&encoded).expect("HDR V2");
    assert_eq!(histogram.len(), report.total.count);
    for line in json["requests"].as_array_mut().expect("a list") {
        line["hdr_v2"] = "…".into();
    }
    json["total"]["hdr_v2"] = "…".into();
    json["plan_hash"] = "…".into();
    json["timeline"]["bands_us"] = "…".into();
    json["requests"].as_array_mut().expect("a list").truncate(2);
    insta::assert_snapshot!("report_json", serde_json::to_string_pretty(&json).expect("JSON"));
}

#[test]
fn a_teardown_that_failed_is_told_in_every_report_and_changes_no_verdict() {
    let why = "`DELETE /tenant` of the teardown fails: expected status 204, got 500 (undo.hurl:2)";
    let good = report(&["p95 < 2s"], rows(), Ending::Complete);
    let undone = Report { teardown: Some(why.to_owned()), ..good.clone() };
    assert_eq!((undone.verdict, undone.exit), (good.verdict, good.exit));
    let said = [final_lines(&undone), to_markdown(&undone), to_html(&undone), to_junit(&undone), to_json(&undone)];
    for text in said {
        assert!(text.contains("undo.hurl:2"), "{text}");
    }
    assert!(!final_lines(&good).contains("teardown"));
}
