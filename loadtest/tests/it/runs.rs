//! Whole runs: exit code, report, and what is said.

use super::server::Server;
use super::{loadtest, stderr, stdout};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

struct Run {
    output: Output,
    report: serde_json::Value,
    took: Duration,
}

/// Runs 20 users against a path; `meanwhile` may disturb them. A machine that is too busy for 20 users makes the load tester
/// say so instead of judging: then it is tried again.
fn run(path: &str, flags: &[&str], meanwhile: impl Fn(&Server, &mut Child)) -> Run {
    let runs = (0..8).map(|_| once(path, flags, &meanwhile));
    let mut last = None;
    for run in runs {
        let saturated = run.report["generator"]["saturated"] == true;
        last = Some(run);
        if !saturated {
            break;
        }
    }
    last.expect("a run")
}

fn once(path: &str, flags: &[&str], meanwhile: &impl Fn(&Server, &mut Child)) -> Run {
    let server = Server::start();
    let report = tempfile::NamedTempFile::new().expect("a file");
    let (url, json) = (format!("{}{path}", server.url()), report.path().to_string_lossy().into_owned());
    let mut command: Command = loadtest(&["--target", &url, "--users", "20", "--ramp", "0s", "--json", &json]);
    command.args(flags).stdout(Stdio::piped()).stderr(Stdio::piped());
    let begun = Instant::now();
    let mut child = command.spawn().expect("the program starts");
    meanwhile(&server, &mut child);
    let output = child.wait_with_output().expect("it ends");
    let text = std::fs::read_to_string(report.path()).expect("a report");
    let report = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}\n{}", stderr(&output)));
    Run { output, report, took: begun.elapsed() }
}

#[test]
fn a_fit_target_is_go() {
    let run = run("/", &["--run-time", "2s", "--think", "10ms"], |_, _| {});
    assert_eq!(run.output.status.code(), Some(0), "{}{}", stdout(&run.output), stderr(&run.output));
    assert_eq!(run.report["verdict"], "go");
    assert_eq!(run.report["total"]["errors"], 0);
    assert!(run.report["total"]["count"].as_u64() > Some(20));
    assert!(stdout(&run.output).contains("GO: all 2 targets are met"), "{}", stdout(&run.output));
}

#[test]
fn a_slow_target_is_no_go_and_the_request_is_named() {
    let flags = ["--run-time", "2s", "--think", "10ms", "--require", "p95 < 100ms", "--quiet"];
    let run = run("/slow", &flags, |_, _| {});
    assert_eq!(run.output.status.code(), Some(1), "{}", stderr(&run.output));
    assert_eq!(run.report["culprits"][0]["request"], "GET /slow");
    let said = stdout(&run.output);
    assert!(said.contains("NO-GO: `p95 < 100ms` is missed") && said.contains("`GET /slow`"), "{said}");
}

#[test]
fn as_many_requests_as_asked_for_are_sent() {
    let run = run("/page", &["--run-time", "30s", "--think", "0s", "--requests", "1000"], |_, _| {});
    assert_eq!(run.output.status.code(), Some(0), "{}{}", stdout(&run.output), stderr(&run.output));
    assert_eq!(run.report["total"]["count"], 1000);
    assert!(run.took < Duration::from_secs(20), "{:?}", run.took);
}

#[test]
fn a_target_that_fails_for_one_user_is_no_go_before_the_load() {
    let run = run("/broken", &["--run-time", "30s"], |_, _| {});
    assert_eq!(run.output.status.code(), Some(1), "{}", stderr(&run.output));
    assert!(run.took < Duration::from_secs(10), "{:?}", run.took);
    assert_eq!(run.report["verdict"], "no-go");
}

#[test]
fn a_target_that_dies_ends_the_run_within_seconds_with_a_report() {
    let run = run("/", &["--run-time", "60s", "--think", "20ms"], |server, _| {
        thread::sleep(Duration::from_secs(2));
        server.killer()();
    });
    assert_eq!(run.output.status.code(), Some(1), "{}", stderr(&run.output));
    assert!(run.took < Duration::from_secs(25), "{:?}", run.took);
    assert_eq!(run.report["verdict"], "no-go");
    assert!(run.report["total"]["errors"].as_u64() > Some(0));
}

#[test]
fn a_target_that_hangs_is_no_go_within_seconds() {
    let run = run("/hang", &["--run-time", "60s"], |_, _| {});
    assert_eq!(run.output.status.code(), Some(1), "{}", stderr(&run.output));
    assert!(run.took < Duration::from_secs(20), "{:?}", run.took);
    assert!(stdout(&run.output).contains("no whole answer within 10s"), "{}", stdout(&run.output));
}

fn stopped_by(signal: &str) -> Run {
    run("/", &["--run-time", "60s", "--think", "20ms"], |_, child| {
        thread::sleep(Duration::from_secs(2));
        let sent = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().expect("kill");
        assert!(sent.success());
    })
}

#[test]
fn sigterm_leaves_a_full_report_and_ends_with_143() {
    let run = stopped_by("TERM");
    assert_eq!(run.output.status.code(), Some(143), "{}", stderr(&run.output));
    assert_eq!(run.report["exit"], 143);
    assert!(run.report["total"]["count"].as_u64() > Some(20));
    assert!(run.took < Duration::from_secs(20), "{:?}", run.took);
    assert!(stdout(&run.output).contains("SIGTERM"), "{}", stdout(&run.output));
}

#[test]
fn ctrl_c_leaves_a_full_report_and_ends_with_130() {
    let run = stopped_by("INT");
    assert_eq!(run.output.status.code(), Some(130), "{}", stderr(&run.output));
    assert_eq!(run.report["exit"], 130);
}

#[test]
fn no_secret_is_in_report_output_or_errors() {
    const CANARY: &str = "canary-7f3a";
    let flags = ["--run-time", "1s", "--think", "10ms", "--variable", "password=canary-7f3a"];
    let run = run("/", &flags, |_, _| {});
    let said = format!("{}{}{}", stdout(&run.output), stderr(&run.output), run.report);
    assert!(!said.contains(CANARY), "{said}");
}
