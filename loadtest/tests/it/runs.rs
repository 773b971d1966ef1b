//! Whole runs: exit code, report, and what is said.

use super::server::Server;
use super::{loadtest, stderr, stdout};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

pub(super) struct Run {
    pub(super) output: Output,
    pub(super) report: serde_json::Value,
    pub(super) took: Duration,
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
    let flags: Vec<&str> = ["--users", "20", "--ramp", "0s"].iter().chain(flags).copied().collect();
    run_with(path, &flags, meanwhile)
}

/// Runs against a path with these flags alone.
pub(super) fn run_with(path: &str, flags: &[&str], meanwhile: impl Fn(&Server, &mut Child)) -> Run {
    let server = Server::start();
    let report = tempfile::NamedTempFile::new().expect("a file");
    let (url, json) = (format!("{}{path}", server.url()), report.path().to_string_lossy().into_owned());
    let mut command: Command = loadtest(&["--target", &url, "--json", &json]);
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
fn a_terminal_that_does_not_say_its_size_shows_whole_lines() {
    let server = Server::start();
    let wanted = ["--target", &server.url(), "--users", "5", "--ramp", "0s", "--run-time", "2s", "--think", "10ms"];
    let line = format!("stty cols 0 rows 0; {} {}", env!("CARGO_BIN_EXE_loadtest"), wanted.join(" "));
    // util-linux's `script` gives it a terminal.
    let mut command = Command::new("script");
    command.args(["-q", "-c", &line, "/dev/null"]).env("TERM", "xterm").stdin(Stdio::null());
    let output = command.output().expect("it runs");
    let said = stdout(&output);
    assert!(said.contains("/00:02 ") || said.contains(" of 00:02"), "the live view is cut: {said}");
    assert!(said.contains("in flight"), "the live view is cut: {said}");
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
fn requests_alone_are_what_ab_does() {
    let server = Server::start();
    let url = format!("{}/page", server.url());
    let begun = Instant::now();
    let output = loadtest(&["--requests", "1000", "--users", "10", "--target", &url]).output().expect("it runs");
    assert!([Some(0), Some(3)].contains(&output.status.code()), "{}{}", stdout(&output), stderr(&output));
    assert!(stdout(&output).contains("(n = 1000"), "{}", stdout(&output));
    assert!(begun.elapsed() < Duration::from_secs(15), "neither thinks nor ramps: {:?}", begun.elapsed());
}

#[test]
fn a_rate_comes_whatever_the_target_does() {
    // 20 a second that take 300 ms each: two workers carry the six that are open at a time.
    let flags = ["--rate", "20/s", "--users", "2", "--ramp", "0s", "--run-time", "3s", "--require", "p95 < 10s"];
    let run = run_with("/slow", &flags, |_, _| {});
    assert_eq!(run.output.status.code(), Some(0), "{}{}", stdout(&run.output), stderr(&run.output));
    assert_eq!((&run.report["total"]["count"], &run.report["arrivals"]["waiting"]), (&60.into(), &0.into()));
    assert_eq!(run.report["stages"][0]["rate"], 20.0);
    assert!(run.report["timeline"]["slots"][1]["offered"].as_f64() > Some(10.0));
}

#[test]
fn stages_of_a_plan_have_figures_and_targets_of_their_own() {
    let plan = tempfile::NamedTempFile::new().expect("a file");
    let text = "
stages:
  - {name: warm-up, rate: 20/s, ramp: 1s, duration: 1s}
  - {name: calm, rate: 30/s, duration: 3s}
  - {name: spike, rate: 90/s, duration: 1s}
  - {name: after, rate: 30/s, duration: 4s}
targets: [p50 < 10s during spike, p90 < 1us during calm, recovery < 4s after spike, p90 < 5s over 2s]
";
    std::fs::write(plan.path(), text).expect("written");
    let path = plan.path().to_string_lossy().into_owned();
    let run = run_with("/page", &["--plan", &path], |_, _| {});
    assert_eq!(run.output.status.code(), Some(1), "{}{}", stdout(&run.output), stderr(&run.output));
    let outcomes: Vec<_> =
        run.report["targets"].as_array().expect("targets").iter().map(|one| &one["outcome"]).collect();
    assert_eq!(outcomes[..2], ["met", "missed"]);
    assert_ne!(outcomes[2], "missed", "nothing was slow: {}", run.report["targets"][2]);
    let counts: Vec<_> =
        run.report["stage_totals"].as_array().expect("stages").iter().map(|one| &one["count"]).collect();
    assert_eq!(counts, [10, 90, 90, 120]);
    assert_eq!(run.report["judged"], "calm, spike, after");
    let again = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(again.path(), run.report.to_string()).expect("written");
    let judged = loadtest(&["judge", &again.path().to_string_lossy(), "--quiet"]).output().expect("it runs");
    let lines = |said: &str| said[said.find("targets\n").expect("targets")..].to_owned();
    assert_eq!(lines(&stdout(&judged)), lines(&stdout(&run.output)), "{}", stderr(&judged));
}

#[test]
fn a_search_finds_no_more_than_the_target_serves() {
    let flags =
        ["--profile", "capacity", "--rate", "30/s", "--run-time", "2s", "--ramp", "1s", "--require", "p90 < 100ms"];
    let run = run_with("/queue", &flags, |_, _| {});
    let said = format!("{}{}", stdout(&run.output), stderr(&run.output));
    let (held, broke) = (&run.report["capacity"]["rate"], &run.report["capacity"]["broken"]["rate"]);
    assert!(broke.as_f64() > held.as_f64(), "{said}");
    // A busy machine may serve less; nothing serves more than one every ten milliseconds.
    assert!(held.as_f64() < Some(115.0) && said.contains("capacity"), "{said}");
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
