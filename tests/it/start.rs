//! `agent start` from outside: phases on real servers, failures, signals at every moment, and the shutdown in reverse.

use rustix::process::Signal;
use std::path::Path;
use std::time::{Duration, Instant};
use tests::http::get;
use tests::program::{Finished, Running, clean, finish_command};
use tests::servers::redis::{self, Redis};
use tests::servers::start::free_port;
use tests::{skipped, wait_for};

/// `agent start` with this file and these further words.
pub(crate) fn command(folder: &Path, phases: &str, words: &[&str]) -> std::process::Command {
    let path = folder.join("phases.yml");
    std::fs::write(&path, phases).expect("written");
    let mut command = clean("agent");
    command.current_dir(folder).args(["start", "--phases"]).arg(&path).args(words);
    command
}

pub(crate) fn finished(phases: &str, words: &[&str]) -> Finished {
    let folder = tempfile::tempdir().expect("a folder");
    finish_command(&mut command(folder.path(), phases, words))
}

/// Where in a text each of these words first stands, in this order.
pub(crate) fn in_order(text: &str, words: &[&str]) {
    let mut from = 0;
    for word in words {
        let at = text.get(from..).and_then(|rest| rest.find(word));
        from += at.unwrap_or_else(|| panic!("no `{word}` behind the others in\n{text}")) + word.len();
    }
}

const TWO_HOOKS: &str = "shutdown: {grace: 1s, budget: 10s}\nphases:\n- name: first\n  steps:\n  \
    - {name: a, run: [sh, -c, echo a up], stop: {run: [sh, -c, echo a down]}}\n- name: second\n  steps:\n  \
    - {name: b, run: [sh, -c, echo b up >&2], stop: {run: [sh, -c, echo b down]}}\n";

#[test]
fn start_runs_phases_in_order_then_the_command_then_undoes_all_in_reverse() {
    let ended = finished(TWO_HOOKS, &["--", "sh", "-c", "echo the command; exit 7"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (7, "the command\n"), "{}", ended.stderr);
    in_order(
        &ended.stderr,
        &[
            "phase 1/2: first",
            "a | a up",
            "ok",
            "phase 2/2: second",
            "b | b up",
            "all phases are done; 2 of 2 steps in",
            "running `sh`",
            "exit code 7",
            "b | b down",
            "a | a down",
        ],
    );
}

#[test]
fn start_tells_json_one_object_a_line() {
    let ended = finished(TWO_HOOKS, &["--format", "json", "--", "sh", "-c", "exit 0"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let events: Vec<serde_json::Value> =
        ended.stderr.lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect();
    let named = |name: &str| events.iter().filter(|event| event["event"] == name).count();
    assert_eq!((named("phase"), named("step"), named("started"), named("command_ended")), (2, 4, 1, 1));
    assert!(events.iter().any(|event| event["line"] == "b up" && event["stream"] == "stderr"));
}

#[test]
fn start_waits_for_a_late_redis_and_does_not_for_one_without_retry() {
    let port = free_port();
    let url = format!("redis://:{}@127.0.0.1:{port}", redis::PASSWORD);
    let once = finished(
        &format!("phases:\n- name: r\n  steps:\n  - {{name: cache, check: \"{url}\"}}\n"),
        &["--", "echo", "up"],
    );
    assert_eq!((once.code, once.stdout.as_str()), (1, ""), "{}", once.stderr);
    in_order(&once.stderr, &["failed", "cache", "refused", "the start failed at `cache`"]);

    let folder = tempfile::tempdir().expect("a folder");
    let phases = format!("phases:\n- name: r\n  steps:\n  - {{name: cache, check: \"{url}\", retry: {{wait: 60s}}}}\n");
    let mut starting = Running::start(&mut command(folder.path(), &phases, &["--", "echo", "the command"]));
    let _begun = starting.line("phase 1/1");
    let Ok(_redis) = Redis::start_at(port, &[]) else {
        return skipped("start_waits_for_a_late_redis_and_does_not_for_one_without_retry", "no Redis");
    };
    assert_eq!(starting.end(), 0, "{}", starting.said());
    let _up = starting.line("the command");
    assert!(starting.said().contains("tries") && !starting.said().contains(redis::PASSWORD), "{}", starting.said());
}

#[test]
fn start_names_another_server_than_the_url_says() {
    let Ok(redis) = Redis::start(&[]) else {
        return skipped("start_names_another_server_than_the_url_says", "no Redis");
    };
    let phases = format!(
        "phases:\n- name: db\n  steps:\n  - {{name: db, check: \"postgres://app:canary-start@127.0.0.1:{}/x\"}}\n",
        redis.port
    );
    let ended = finished(&phases, &[]);
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    in_order(&ended.stderr, &["db", "protocol_mismatch", "edis"]);
    assert!(!ended.stderr.contains("canary-start"), "{}", ended.stderr);
}

#[test]
fn start_ends_at_the_first_failure_and_undoes_what_was_done() {
    let phases = "phases:\n- name: one\n  steps:\n  - {name: a, run: [sh, -c, echo a up], stop: {run: [echo, a down]}}\n  \
        - {name: slow, run: [sh, -c, 'sleep 30 & wait'], depends_on: a, stop: {run: [echo, never said]}}\n  \
        - {name: bad, run: [sh, -c, 'sleep 0.3; echo it broke; exit 3'], depends_on: a}\n- name: two\n  steps:\n  - {name: c, run: [echo, c up]}\n";
    let began = Instant::now();
    let ended = finished(phases, &["--", "echo", "the command"]);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{}", ended.stderr);
    in_order(
        &ended.stderr,
        &[
            "bad | it broke",
            "bad",
            "exit code 3",
            "a | a down",
            "the start failed at `bad`, nothing runs; 1 of 4 steps in",
        ],
    );
    assert!(!ended.stderr.contains("c up") && !ended.stderr.contains("never said"), "{}", ended.stderr);
}

#[test]
fn start_kills_what_is_too_slow_with_all_its_children() {
    let folder = tempfile::tempdir().expect("a folder");
    let phases = "phases:\n- name: one\n  steps:\n  - {name: slow, timeout: 300ms, run: [sh, -c, 'sleep 61 & echo $! >child; wait']}\n";
    let ended = finish_command(&mut command(folder.path(), phases, &[]));
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    assert!(ended.stderr.contains("not over within 300 ms"), "{}", ended.stderr);
    let child = std::fs::read_to_string(folder.path().join("child")).expect("a child");
    wait_for("the child's end", Duration::from_secs(10), || {
        let status = std::fs::read_to_string(format!("/proc/{}/stat", child.trim())).unwrap_or_default();
        (status.is_empty() || status.contains(") Z ")).then_some(())
    });
}

#[test]
fn start_stopped_by_a_signal_before_the_command_undoes_what_was_done() {
    let phases = "phases:\n- name: one\n  steps:\n  - {name: a, run: [echo, a up], stop: {run: [echo, a down]}}\n- name: two\n  steps:\n  \
        - {name: slow, run: [sh, -c, 'echo slow begins; sleep 62']}\n";
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130)] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut starting = Running::start(&mut command(folder.path(), phases, &["--", "echo", "the command"]));
        let _slow = starting.line("slow begins");
        starting.signal(signal);
        assert_eq!(starting.end(), code, "{}", starting.said());
        in_order(&starting.said(), &["stopping: SIG", "slow", "a | a down"]);
        assert!(!starting.said().contains("the command"), "{}", starting.said());
    }
}

#[test]
fn start_drains_tells_the_command_and_undoes_on_sigterm() {
    let folder = tempfile::tempdir().expect("a folder");
    let listen = format!("127.0.0.1:{}", free_port());
    let phases = TWO_HOOKS.replace("grace: 1s", "grace: 5s, drain: 1s");
    let script = "trap 'echo told; exit 0' TERM; trap 'echo hup' HUP; echo serving; while :; do sleep 0.05; done";
    let words = ["--listen", &listen, "--", "sh", "-c", script];
    let mut running = Running::start(&mut command(folder.path(), &phases, &words));
    let _serving = running.line("serving");
    let status = |path: &str| get(&format!("http://{listen}{path}")).map(|answer| answer.status).unwrap_or_default();
    wait_for("an open /ready", Duration::from_secs(10), || (status("/ready") == 200).then_some(()));
    running.signal(Signal::HUP);
    let _passed_on = running.line("hup");
    running.signal(Signal::TERM);
    wait_for("503 while draining", Duration::from_secs(5), || (status("/ready") == 503).then_some(()));
    assert!(!running.said().contains("told"), "first the drain, then the command:\n{}", running.said());
    assert_eq!((running.end(), status("/live")), (0, 0));
    in_order(
        &running.said(),
        &["stopping: SIGTERM", "drained", "the command has ended", "b | b down", "a | a down", "stopped"],
    );
    assert!(running.said().contains("told\n"), "{}", running.said());
}

#[test]
fn start_kills_a_command_that_does_not_end_in_its_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = "trap '' TERM; echo deaf; while :; do sleep 0.05; done";
    let mut running = Running::start(&mut command(folder.path(), TWO_HOOKS, &["--", "sh", "-c", script]));
    let _deaf = running.line("deaf");
    running.signal(Signal::TERM);
    assert_eq!(running.end(), 137, "{}", running.said());
    in_order(&running.said(), &["gets SIGKILL", "killed by SIGKILL", "b | b down", "a | a down"]);
}

#[test]
fn start_ends_at_once_on_the_second_signal_and_takes_the_command_along() {
    let folder = tempfile::tempdir().expect("a folder");
    let phases = TWO_HOOKS.replace("grace: 1s, budget: 10s", "grace: 50s, budget: 60s");
    let script = "trap '' TERM; echo deaf $$; while :; do sleep 0.05; done";
    let mut running = Running::start(&mut command(folder.path(), &phases, &["--", "sh", "-c", script]));
    let line = running.line("deaf");
    let pid = line.trim_start_matches("deaf ").trim().to_owned();
    running.signal(Signal::TERM);
    let _first = running.line("stopping");
    running.signal(Signal::INT);
    assert_eq!(running.end(), 130, "{}", running.said());
    assert!(!running.said().contains("b down"), "{}", running.said());
    wait_for("the command's end", Duration::from_secs(10), || {
        let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        (status.is_empty() || status.contains(") Z ")).then_some(())
    });
}

#[test]
fn start_refuses_a_bad_file_and_a_command_that_is_not_there() {
    let bad = finished("phases:\n- name: a\n  stepz: []\n", &[]);
    assert_eq!(bad.code, 2);
    assert!(bad.stderr.contains("did you mean `steps`") && bad.stderr.contains("phases.yml:3"), "{}", bad.stderr);
    let none = finished(TWO_HOOKS, &["--", "no-such-command-here"]);
    assert_eq!(none.code, 127, "{}", none.stderr);
    in_order(&none.stderr, &["b | b down", "a | a down", "cannot start `no-such-command-here`"]);
}
