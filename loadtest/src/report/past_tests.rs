//! A run told to CI systems, and runs read back: judged again, held against each other, refused where they are none.

use super::tests::{report, report_against, rows};
use super::*;
use crate::measure::Failure;
use crate::targets::{Ending, test_row};
use std::path::Path;
use std::time::Duration;

#[test]
fn a_ci_system_reads_a_case_for_each_target_and_one_for_the_end() {
    let report = report(&["p95 < 2s", "errors < 0.1%", "'GET /health' p99 < 1s"], rows(), Ending::Complete);
    let text = to_junit(&report).replace(&report.plan_hash, "…");
    insta::assert_snapshot!(text, @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="loadtest" tests="5" failures="1" errors="1" skipped="0" time="25.000">
      <testsuite name="loadtest" tests="5" failures="1" errors="1" skipped="0" time="25.000" timestamp="2026-11-21T06:00:00">
        <properties>
          <property name="verdict" value="no-go"/>
          <property name="reason" value="`errors &lt; 0.1%` is missed (0.28 %): `GET /health` has all of the errors"/>
          <property name="exit" value="1"/>
          <property name="target" value="http://127.0.0.1:8000/"/>
          <property name="plan_hash" value="…"/>
        </properties>
        <testcase classname="loadtest.load" name="p95 &lt; 2s"/>
        <testcase classname="loadtest.load" name="errors &lt; 0.1%">
          <failure type="missed" message="got 0.28 %">errors &lt; 0.1%: got 0.28 % from 1060 requests
    GET /health has 100 % of it</failure>
        </testcase>
        <testcase classname="loadtest.load" name="&#39;GET /health&#39; p99 &lt; 1s">
          <error type="inconclusive" message="60 requests cannot carry it, it takes 100">&#39;GET /health&#39; p99 &lt; 1s: got 9s from 60 requests
    60 requests cannot carry it, it takes 100</error>
        </testcase>
        <testcase classname="loadtest.load" name="the run reached its end"/>
        <testcase classname="loadtest.load" name="nothing speaks for a rollback"/>
      </testsuite>
    </testsuites>
    "#);
    let dead = Ending::GivenUp("the target died: <no answer> & \"worse\"".to_owned());
    let text = to_junit(&tests::report(&[], rows(), dead));
    assert!(
        text.contains("type=\"given-up\" message=\"the target died: &lt;no answer&gt; &amp; &quot;worse&quot;\""),
        "{text}"
    );
}

#[test]
fn a_pull_request_reads_verdict_targets_slowest_requests_and_errors() {
    let mut rows = rows();
    rows.push(test_row("POST /a|b`<script>alert(1)</script>@all", &[(90, 200)], 0));
    let report = report(&["p95 < 2s", "errors < 0.1%", "'GET /health' p99 < 1s"], rows, Ending::Complete);
    insta::assert_snapshot!(to_markdown(&report).replace(&report.plan_hash[..12], "…"), @r"
    <!-- loadtest -->
    ## Load test: ❌ NO-GO

    `errors < 0.1%` is missed (0.28 %): `GET /health` has all of the errors

    **Requests to blame**

    - `errors < 0.1%`: `GET /health` has 100 % of it

    | target | outcome | got | n |
    |---|---|--:|--:|
    | `p95 < 2s` | ✅ met | 50ms | 1060 |
    | `errors < 0.1%` | ❌ **missed** | 0.28 % | 1060 |
    | `'GET /health' p99 < 1s` | ⚠️ inconclusive: 60 requests cannot carry it, it takes 100 | 9s | 60 |

    | slowest requests | n | errors | p50 | p95 | p99 | max |
    |---|--:|--:|--:|--:|--:|--:|
    | ``POST /a\|b`<script>alert(1)</script>@all`` | 200 | 0 | 90ms | 90ms | 90ms | 90ms |
    | `GET /` | 1000 | 0 | 3ms | 50ms | 50ms | 800ms |
    | `GET /health` | 60 | 5 % | 2ms | 4ms | – | 9s |
    | **all** | 1260 | 0.24 % | 3ms | 90ms | 90ms | 9s |

    <details><summary>3 errors</summary>

    `GET /health` (load): 2 timeout, 1 status

    ```text
    assert failed: status
      got 503, the body says ***
    ```

    </details>

    <sub>`http://127.0.0.1:8000/` · 2026-11-21T06:00:00Z · ramp 15s with 20 users, load 10s with 20 users · 126 successes/s · load generator: 4 % of its CPU, not the bottleneck · plan `…`</sub>
    ");
}

#[test]
fn a_comparison_is_told_in_every_format() {
    let report = report_against(rows());
    assert_eq!(report.exit, 5);
    insta::assert_snapshot!(to_terminal(&report, 110).lines().skip_while(|line| !line.starts_with("against")).collect::<Vec<_>>().join("\n"), @r"
    against the baseline of 2026-11-21T06:00:00Z
                                        n    then     now             change
      GET /            p50      1000→1000     1ms     3ms   +200 % to +200 %  slower
      GET /            p95      1000→1000     4ms    50ms +1150 % to +1150 %  degraded
      GET /health      p50          60→60     1ms     2ms   +100 % to +100 %  slower
      GET /health      p95          60→60     1ms     4ms                  –  unclear
      total            p50      1060→1060     1ms     3ms   +200 % to +200 %  slower
      total            p95      1060→1060     4ms    50ms +1150 % to +1150 %  degraded

    targets
      met           p95 < 2s     50ms (n = 1060, default)
      met           errors < 5%  0.28 % (n = 1060, default)

    rollback
      slower    `GET /` p95 is at least 13 times that of the baseline (4ms then, 50ms now)
      slower    over all requests, p95 is at least 13 times that of the baseline (4ms then, 50ms now)

    NO-GO: roll back: `GET /` p95 is at least 13 times that of the baseline (4ms then, 50ms now); 1 other finding says so too
    ");
    insta::assert_snapshot!(comparison(&report, 80).lines().last().unwrap_or_default(), @"ROLL BACK");
    assert!(to_markdown(&report).contains("**Against the baseline of"), "{}", to_markdown(&report));
    assert!(to_junit(&report).contains("<failure type=\"rollback\""), "{}", to_junit(&report));
}

fn written(report: &Report) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), to_json(report)).expect("written");
    file
}

#[test]
fn what_is_written_reads_back_as_the_same_report() {
    let report = report(&["errors < 0.1%"], rows(), Ending::Signal("SIGTERM", 15));
    let back = read(written(&report).path(), "RUN.json").expect("a report");
    assert_eq!(to_json(&back), to_json(&report));
    let summary = back.summary("run.json").expect("measurements");
    assert_eq!(summary.rows.len(), report.requests.len());
    let load: Vec<_> = summary.rows.iter().filter(|row| row.stage == "load").collect();
    let tally = crate::targets::Tally::of(load.iter().copied()).expect("requests");
    assert_eq!((tally.count, tally.errors()), (report.total.count, report.total.errors));
    assert_eq!(tally.latencies.value_at_quantile(0.95), report.total.p95_us.expect("a percentile"));
    assert_eq!(load[0].over, Duration::from_secs(10));
}

#[test]
fn answers_over_http_2_are_counted_and_nothing_is_said_where_there_was_none() {
    let mut rows = rows();
    (rows[1].http2, rows[2].http2) = (7, 2);
    let report = report(&[], rows, Ending::Complete);
    let said = |line: &Line| serde_json::to_value(line).expect("JSON").get("http2").cloned();
    let lines: Vec<_> =
        report.requests.iter().map(|line| (line.name.as_str(), line.stage.as_str(), said(line))).collect();
    assert_eq!(
        lines,
        [("GET /", "ramp", None), ("GET /", "load", Some(7.into())), ("GET /health", "load", Some(2.into()))]
    );
    assert_eq!(said(&report.total), Some(9.into()));
    // A run that is judged again is built from what was read back.
    let back = read(written(&report).path(), "RUN.json").expect("a report").summary("RUN.json").expect("measurements");
    assert_eq!(back.rows.iter().map(|row| row.http2).collect::<Vec<_>>(), [0, 7, 2]);
}

/// What a file is refused with, as RUN.json of that text.
fn refused(text: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.json");
    std::fs::write(&path, text).expect("written");
    let said = read(&path, "RUN.json").expect_err("refused").to_string();
    said.replace(&folder.path().display().to_string(), "")
}

#[test]
fn what_is_no_report_is_refused_with_what_it_is() {
    let mut json: serde_json::Value =
        serde_json::from_str(&to_json(&report(&[], rows(), Ending::Complete))).expect("JSON");
    json["version"] = 2.into();
    let newer = refused(&json.to_string());
    json["version"] = 1.into();
    json.as_object_mut().expect("an object").remove("requests");
    let said =
        ["", "hello", "{\"success\": true}", "[1]"].map(refused).into_iter().chain([newer, refused(&json.to_string())]);
    insta::assert_snapshot!(said.collect::<Vec<_>>().join("\n"), @r"
    error: the report `/run.json` is empty
      at RUN.json
    hint: the run that should have written it was killed, or is still going on
    error: `/run.json` is not JSON: expected value at line 1 column 1
      at RUN.json
    hint: name a file that `loadtest … --json FILE` or `--save-baseline FILE` wrote
    error: `/run.json` is JSON, but no report of a load test: it has no `verdict` and `plan_hash`
      at RUN.json
    hint: name a file that `loadtest … --json FILE` or `--save-baseline FILE` wrote
    error: `/run.json` is JSON, but no report of a load test: it has no `verdict` and `plan_hash`
      at RUN.json
    hint: name a file that `loadtest … --json FILE` or `--save-baseline FILE` wrote
    error: `/run.json` is a report of version 2; this loadtest reads version 1
      at RUN.json
    hint: use the loadtest that wrote it, or run again
    error: `/run.json` is no whole report: missing field `requests`
      at RUN.json
    hint: name a file that `loadtest … --json FILE` or `--save-baseline FILE` wrote
    ");
    let missing = read(Path::new("/nowhere/run.json"), "--baseline").expect_err("refused");
    insta::assert_snapshot!(missing, @r"
    error: cannot read the report `/nowhere/run.json`: there is no such file or folder
      at --baseline
    hint: name a file that `loadtest … --json FILE` or `--save-baseline FILE` wrote
    ");
}

#[test]
fn a_report_without_its_histograms_is_neither_judged_nor_compared() {
    let mut report = report(&[], rows(), Ending::Complete);
    report.requests[1].hdr_v2 = String::new();
    insta::assert_snapshot!(report.summary("run.json").expect_err("refused"), @r"
    error: there is no histogram `hdr_v2` of `GET /` of the stage `load` in the report `run.json`
    hint: only a whole report can be judged again or compared; run again with `--json`
    ");
    report.requests[1].hdr_v2 = "AAAA".to_owned();
    insta::assert_snapshot!(report.summary("run.json").expect_err("refused"), @r"
    error: the histogram is not in HdrHistogram's V2 form; it is the `hdr_v2` of `GET /` of the stage `load` in the report `run.json`
    hint: only a whole report can be judged again or compared; run again with `--json`
    ");
    report.requests[1].hdr_v2 = report.requests[0].hdr_v2.clone();
    insta::assert_snapshot!(report.summary("run.json").expect_err("refused"), @r"
    error: the histogram holds fewer requests than the `count` of `GET /` of the stage `load` in the report `run.json`
    hint: only a whole report can be judged again or compared; run again with `--json`
    ");
}

#[test]
fn a_run_that_proves_nothing_is_no_baseline() {
    let why = |report: &Report| report.as_baseline("run.json").expect_err("refused").what;
    insta::assert_snapshot!(why(&report(&[], Vec::new(), Ending::Complete)), @"`run.json` is no baseline: it has no requests");
    let stopped = report(&[], rows(), Ending::Signal("SIGINT", 2));
    insta::assert_snapshot!(why(&stopped), @"`run.json` is no baseline: the run did not reach its end: SIGINT");
    let mut saturated = report(&[], rows(), Ending::Complete);
    saturated.generator.saturated = true;
    insta::assert_snapshot!(why(&saturated), @"`run.json` is no baseline: its load generator was the bottleneck");
}

#[test]
fn a_rate_limit_is_the_reason_where_most_failures_are_429_and_not_else() {
    let told = |target: &str, limited, others| {
        let mut row = test_row("GET /", &[(3, 900)], 0);
        row.errors_by = [(Failure::Limited, limited), (Failure::Status, others)].into();
        report(&[target], vec![row], Ending::Complete).findings.into_iter().map(|finding| finding.sentence).collect()
    };
    let said: Vec<String> = told("errors < 1%", 80, 20);
    assert!(
        matches!(said.as_slice(), [one] if one.contains("80 of 100 failed requests were answered 429")),
        "{said:?}"
    );
    assert_eq!(told("errors < 1%", 20, 80), Vec::<String>::new(), "nothing is known without sidecars");
    assert_eq!(told("p95 < 1ms", 80, 20), Vec::<String>::new(), "those that were let through are slow");
}

#[test]
fn triggers_end_with_5_and_their_reason_and_a_dead_target_only_when_it_is_guarded() {
    let with = |failure, errors| {
        let mut row = test_row("GET /", &[(3, 900)], 0);
        row.errors_by = [(failure, errors)].into();
        vec![row]
    };
    let data = report(&[], with(Failure::Data, 2), Ending::Complete);
    assert_eq!((data.verdict.as_str(), data.exit), ("no-go", 5));
    assert_eq!(data.reason, "roll back: data read back is wrong: `GET /` 2 of 900 times");
    assert_eq!(report(&[], with(Failure::Auth, 200), Ending::Complete).exit, 5);
    assert_eq!(report(&[], with(Failure::Status, 400), Ending::Complete).exit, 5);
    assert_eq!(report(&[], with(Failure::Status, 100), Ending::Complete).exit, 1);
    let dead = Ending::GivenUp("the target died".to_owned());
    let died = report(&[], with(Failure::Connect, 400), dead.clone());
    assert_eq!((died.exit, died.rollback.len()), (1, 0), "its errors are its death");
    let plan = tests::plan(&[]);
    let facts = Facts { ending: dead, ..tests::facts(Ending::Complete) };
    let guarded =
        build(&About { guards: true, ..About::from(&plan) }, &tests::summary(with(Failure::Connect, 400)), &facts);
    assert_eq!(guarded.exit, 5);
    assert_eq!(
        guarded.reason,
        "roll back: 44.4 % of the requests failed (n = 900); the limit is 25 %; 1 other finding says so too"
    );
}

#[test]
fn windows_and_the_limit_are_judged_again_as_they_were() {
    let texts = ["p95 < 300ms over 1s", "p50 < 1ms over 1s", "errors < 5%"];
    let mut report = report(&texts, rows(), Ending::Complete);
    let plan = tests::plan(&texts);
    let again = |report: &Report| {
        let summary = report.summary("run.json").expect("measurements");
        let facts = tests::facts(Ending::Complete);
        let judged = build(&About::from(&plan), &summary, &facts);
        judged.targets.iter().map(|one| format!("{:?} {:?} {:?}", one.outcome, one.got, one.why)).collect::<Vec<_>>()
    };
    let told = report.targets.iter().map(|one| format!("{:?} {:?} {:?}", one.outcome, one.got, one.why));
    assert_eq!(again(&report), told.collect::<Vec<_>>());
    let json = to_json(&report);
    let mut older: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    older["timeline"].as_object_mut().expect("an object").remove("requests");
    let older: Report = serde_json::from_value(older).expect("a report of an older loadtest");
    assert!(again(&older)[0].contains("an older loadtest wrote it"), "{:?}", again(&older));
    report.timeline.requests[0].slots = "AAAA".to_owned();
    insta::assert_snapshot!(report.summary("run.json").expect_err("refused"), @r"
    error: the `timeline.requests` of the report `run.json` is not in the form that this loadtest reads
    hint: only a whole report can be judged again or compared; run again with `--json`
    ");
}
