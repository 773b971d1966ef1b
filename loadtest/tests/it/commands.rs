//! What sends no load: help, dry run, wrong input.

use super::{loadtest, stderr, stdout};
use std::path::Path;

#[test]
fn wrong_input_ends_with_2_and_says_everything_at_once() {
    let output = loadtest(&["--users", "lots", "--require", "p96 < 2s"]).output().expect("a run");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(stdout(&output), "");
    insta::assert_snapshot!(stderr(&output), @r"
    error: no target
    hint: name it with `--target URL`, `target:` in `loadtest.yml`, or `LOADTEST_TARGET` in the environment

    error: `lots` is not a whole number from 1 to 50000
      at --users
    hint: write it like `200`

    error: unknown indicator `p96`
      at --require
       | p96 < 2s
       | ^^^
    hint: did you mean `p95`? indicators: p50, p90, p95, p99, max, errors, throughput, recovery
    ");
}

#[test]
fn an_unknown_flag_ends_with_2() {
    let output = loadtest(&["--user", "3"]).output().expect("a run");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_dry_run_sends_nothing_and_ends_with_0() {
    let plan = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plans/good.yml");
    // Nothing listens on port 1: a request would fail.
    let output = loadtest(&["--plan", &plan.to_string_lossy(), "--target", "http://127.0.0.1:1", "--dry-run"])
        .output()
        .expect("a run");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let said = stdout(&output);
    for expected in ["--target", "journeys", "GET /health", "pages p95 < 2s", "***"] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    assert!(!said.contains("canary"));
}

#[test]
fn a_report_that_cannot_be_written_is_known_before_the_start() {
    let output = loadtest(&["--target", "http://127.0.0.1:1", "--json", "/nowhere/r.json"]).output().expect("a run");
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(stderr(&output), @r"
    error: cannot write the report `/nowhere/r.json`: there is no such file or folder
      at --json
    hint: name a file in a folder that exists and that you may write to
    ");
}

#[test]
fn somebody_elses_target_is_refused() {
    let output = loadtest(&["--target", "http://203.0.113.7"]).output().expect("a run");
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(stderr(&output), @r"
    error: `203.0.113.7` is a public address
      at target (--target)
    hint: a load test of somebody else's service is an attack; say `--i-own-this-target` if it is yours and they know
    ");
}

#[test]
fn the_reference_is_printed() {
    let output = loadtest(&["reference"]).output().expect("a run");
    assert_eq!(output.status.code(), Some(0));
    for expected in ["## Command line", "## Plan", "## Targets", "## Journeys", "## Reports", "## Exit codes"] {
        assert!(stdout(&output).contains(expected), "{expected}");
    }
}

#[test]
fn a_smoke_test_ends_as_its_asserts_do() {
    let server = super::server::Server::start();
    let file = tempfile::Builder::new().suffix(".hurl").tempfile().expect("a file");
    let target = format!("target={}", server.url());
    let run = |text: &str| {
        std::fs::write(file.path(), text).expect("written");
        loadtest(&["smoke", &file.path().to_string_lossy(), "--variable", &target]).output().expect("a run")
    };
    let code = |text: &str| run(text).status.code();
    assert_eq!(code("GET {{target}}/\nHTTP 200\n"), Some(0));
    assert_eq!(code("GET {{target}}/broken\nHTTP 200\n"), Some(1));
    assert_eq!(code("GET {{target}}/\nHTTP 200\n[Asserts]\nxpath \"//a\" exists\n"), Some(2));
    assert_eq!(code("this is no hurl file"), Some(2));
}

#[test]
fn more_users_than_file_descriptors_are_refused_before_the_start() {
    let program = env!("CARGO_BIN_EXE_loadtest");
    let line = format!("ulimit -n 100; exec {program} --target http://127.0.0.1:1 --users 5000");
    let output = std::process::Command::new("sh").args(["-c", &line]).output().expect("a shell");
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(stderr(&output), @r"
    error: 5000 users at once need 5064 file descriptors, and this process may open 100
      at users (--users)
    hint: raise the limit (`ulimit -n 5064`, or `ulimits: {nofile: 5064}` in a compose file), or use fewer users
    ");
}
