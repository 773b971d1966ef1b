//! What a start must survive: a PostgreSQL that is late, never there, or not the one that is meant; bad variables; a second signal
//! while the phases run; and being process 1.

use crate::start::{command, finished, in_order};
use rustix::process::Signal;
use std::process::Command;
use std::time::{Duration, Instant};
use tests::program::{Running, finish_command};
use tests::servers::postgres::{PASSWORD, Postgres};
use tests::servers::start::free_port;
use tests::{skipped, wait_for};

/// One phase with one step that asks this.
fn asks(url: &str, more: &str) -> String {
    format!("phases:\n- name: database\n  steps:\n  - {{name: db, check: \"{url}\"{more}}}\n")
}

fn url(port: u16, password: &str, database: &str) -> String {
    format!("postgres://postgres:{password}@127.0.0.1:{port}/{database}")
}

#[test]
fn start_survives_a_postgresql_that_is_late() {
    let mut postgres = match Postgres::start(&[]) {
        Ok(postgres) => postgres,
        Err(why) => return skipped("start_survives_a_postgresql_that_is_late", &why),
    };
    postgres.server.end(Signal::INT);
    let folder = tempfile::tempdir().expect("a folder");
    let phases = asks(&url(postgres.port, PASSWORD, "postgres"), ", retry: {wait: 90s}");
    let mut starting = Running::start(&mut command(folder.path(), &phases, &["--", "echo", "the command"]));
    let _begun = starting.line("phase 1/1");
    postgres.restart().expect("it is there again");
    assert_eq!(starting.end(), 0, "{}", starting.said());
    in_order(&starting.said(), &["ok", "db (postgres)", "tries", "all phases are done; 1 of 1 steps", "the command"]);
    assert!(!starting.said().contains(PASSWORD), "{}", starting.said());
}

#[test]
fn start_ends_when_a_postgresql_never_comes() {
    let began = Instant::now();
    let phases = asks(&url(free_port(), "canary-never", "shop"), ", retry: {wait: 2s}");
    let ended = finished(&phases, &["--", "echo", "the command"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{}", ended.stderr);
    in_order(&ended.stderr, &["failed", "db", "refused", "the start failed at `db`, nothing runs; 0 of 1 steps"]);
    assert!(!ended.stderr.contains("canary-never"), "{}", ended.stderr);
    assert!((1..30).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
}

#[test]
fn start_names_what_is_wrong_with_a_postgresql_that_is_not_the_one_meant() {
    let postgres = match Postgres::start(&[]) {
        Ok(postgres) => postgres,
        Err(why) => return skipped("start_names_what_is_wrong_with_a_postgresql_that_is_not_the_one_meant", &why),
    };
    let cases = [
        (url(postgres.port, "canary-other", "postgres"), "auth"),
        (url(postgres.port, PASSWORD, "nowhere"), "schema"),
        (url(postgres.port, PASSWORD, "shop").replace("postgres:", "mysql:"), "protocol_mismatch"),
    ];
    for (url, reason) in cases {
        let ended = finished(&asks(&url, ""), &["--", "echo", "the command"]);
        assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{}", ended.stderr);
        in_order(&ended.stderr, &["failed", "db", reason, "the start failed at `db`"]);
        assert!(!ended.stderr.contains("canary"), "{}", ended.stderr);
    }
}

#[test]
fn start_tells_every_bad_variable_at_once_and_no_value() {
    let folder = tempfile::tempdir().expect("a folder");
    let schema = "variables:\n  API_TOKEN: {type: secret, required: true}\n  MODE: {required: true}\n";
    std::fs::write(folder.path().join("schema.yml"), schema).expect("written");
    let phases = "phases:\n- name: environment\n  steps:\n  - {name: variables, environment: schema.yml}\n";
    let run = |token: &str, mode: &str, words: &[&str]| {
        let mut command = command(folder.path(), phases, words);
        finish_command(command.env("API_TOKEN", token).env("MODE", mode))
    };
    let bad = run("canary-token", "", &["--", "echo", "the command"]);
    assert_eq!((bad.code, bad.stdout.as_str()), (1, ""), "{}", bad.stderr);
    assert!(bad.stderr.contains("API_TOKEN") && bad.stderr.contains("MODE"), "{}", bad.stderr);
    in_order(
        &bad.stderr,
        &["variables |", "failed", "the environment has 2 errors", "the start failed at `variables`"],
    );
    let json = run("canary-token", "", &["--format", "json", "--", "echo", "the command"]);
    let events = json.stderr.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let keys: Vec<String> = events
        .filter(|event| event["event"] == "finding" && event["severity"] == "error")
        .map(|event| event["key"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(keys, ["API_TOKEN", "MODE"], "{}", json.stderr);
    assert!(!bad.stderr.contains("canary") && !json.stderr.contains("canary"), "{}", bad.stderr);
    let good = run("8Wq2vTz0Lm41xKd7Rb96Uy35Ge18Ho74Js", "fast", &["--", "echo", "the command"]);
    assert_eq!((good.code, good.stdout.as_str()), (0, "the command\n"), "{}", good.stderr);
    in_order(&good.stderr, &["variables (environment)", "all phases are done; 1 of 1 steps"]);
}

#[test]
fn start_ends_at_once_on_the_second_signal_while_the_phases_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let phases = "phases:\n- name: one\n  steps:\n  - {name: a, run: [echo, a up], stop: {run: [echo, a down]}}\n- name: two\n  steps:\n  \
        - {name: deaf, run: [sh, -c, \"trap '' TERM; echo deaf $$; while :; do sleep 0.05; done\"]}\n";
    let mut starting = Running::start(&mut command(folder.path(), phases, &["--", "echo", "the command"]));
    let line = starting.line("| deaf");
    let pid = line.rsplit(' ').next().unwrap_or_default().to_owned();
    starting.signal(Signal::TERM);
    let _first = starting.line("stopping: SIGTERM during the start");
    starting.signal(Signal::TERM);
    assert_eq!(starting.end(), 143, "{}", starting.said());
    in_order(&starting.said(), &["stopping: SIGTERM", "SIGTERM again: ending at once"]);
    assert!(!starting.said().contains("a down") && !starting.said().contains("the command"), "{}", starting.said());
    wait_for("the end of what the step ran", Duration::from_secs(10), || {
        let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        (status.is_empty() || status.contains(") Z ")).then_some(())
    });
}

/// `agent start` as the first process of a new PID namespace; `None` where that is not allowed.
fn as_first_process(folder: &std::path::Path, phases: &str, script: &str) -> Option<Command> {
    let allowed = Command::new("unshare").args(["--pid", "--fork", "--mount-proc", "true"]).status();
    let agent = command(folder, phases, &["--", "sh", "-c", script]);
    let mut command = Command::new("unshare");
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).current_dir(folder);
    command
        .args(["--pid", "--fork", "--kill-child", "--mount-proc", "--"])
        .arg(agent.get_program())
        .args(agent.get_args());
    allowed.is_ok_and(|status| status.success()).then_some(command)
}

/// A step whose command leaves an orphan behind, and what undoes it.
const ORPHAN: &str = "phases:\n- name: one\n  steps:\n  \
    - {name: a, run: [sh, -c, '(sleep 0.2 &)'], stop: {run: [echo, a down]}}\n";

#[test]
fn start_as_process_1_passes_on_the_exit_code_and_leaves_no_zombies_of_orphans() {
    let test = "start_as_process_1_passes_on_the_exit_code_and_leaves_no_zombies_of_orphans";
    let folder = tempfile::tempdir().expect("a folder");
    // Orphans of the step and of the command belong to process 1; whoever does not reap them leaves them in state Z.
    let script = "echo mother $PPID; for n in 1 2 3; do (sh -c 'sleep 0.1' &) ; done; n=0; while :; do sleep 0.1; n=$((n+1)); \
        z=$(cat /proc/[0-9]*/stat 2>/dev/null | grep -c ') Z '); s=$(cat /proc/[0-9]*/stat 2>/dev/null | grep -c '(sleep)'); \
        if [ $s = 0 ] && [ $z = 0 ]; then echo clean; exit 9; fi; if [ $n = 50 ]; then echo zombies $z; exit 1; fi; done";
    let Some(mut command) = as_first_process(folder.path(), ORPHAN, script) else {
        return skipped(test, "no new PID namespace without root");
    };
    let ended = finish_command(&mut command);
    assert_eq!((ended.code, ended.stdout.as_str()), (9, "mother 1\nclean\n"), "{}", ended.stderr);
    in_order(&ended.stderr, &["all phases are done; 1 of 1 steps", "exit code 9", "a | a down"]);
}

#[test]
fn start_as_process_1_ends_in_order_on_sigterm() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = "trap 'echo told; exit 0' TERM; echo serving; while :; do sleep 0.05; done";
    let Some(mut command) = as_first_process(folder.path(), ORPHAN, script) else {
        return skipped("start_as_process_1_ends_in_order_on_sigterm", "no new PID namespace without root");
    };
    let mut running = Running::start(&mut command);
    let _serving = running.line("serving");
    let path = format!("/proc/{0}/task/{0}/children", running.id());
    let first = std::fs::read_to_string(path).ok().and_then(|pids| pids.split_whitespace().next()?.parse().ok());
    let first = first.and_then(rustix::process::Pid::from_raw).expect("process 1 of the namespace");
    rustix::process::kill_process(first, Signal::TERM).expect("sent");
    assert_eq!(running.end(), 0, "{}", running.said());
    in_order(&running.said(), &["stopping: SIGTERM", "the command has ended", "a | a down", "stopped"]);
    assert!(running.said().contains("told\n"), "{}", running.said());
}
