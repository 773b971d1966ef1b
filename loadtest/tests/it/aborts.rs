//! Runs that end before their time: because a target is lost, or because too many requests have failed.

use super::runs::{Run, run_with};
use super::{stderr, stdout};
use std::thread;
use std::time::Duration;

const LONG: [&str; 6] = ["--users", "10", "--run-time", "30s", "--think", "50ms"];

fn aborted(run: &Run) -> String {
    let said = format!("{}{}", stdout(&run.output), stderr(&run.output));
    assert_eq!(run.output.status.code(), Some(1), "{said}");
    assert_eq!((&run.report["verdict"], &run.report["ending"]["kind"]), (&"no-go".into(), &"aborted".into()), "{said}");
    said
}

#[test]
fn a_target_that_is_lost_ends_the_run_after_the_warm_up() {
    let more = ["--ramp", "4s", "--require", "p50 < 100ms", "--abort-after", "2s"];
    // A machine that is too busy for ten users proves nothing of a latency: then it is tried again.
    let mut runs = (0..4).map(|_| run_with("/slow", &[&LONG[..], &more].concat(), |_, _| {}));
    let run = runs.find(|run| run.report["ending"]["kind"] == "aborted").expect("a run that ends early");
    let said = aborted(&run);
    assert!(run.took < Duration::from_secs(25), "{:?}", run.took);
    let why = run.report["ending"]["why"].as_str().expect("why").to_owned();
    assert!(why.ends_with("when `p50 < 100ms` had been missed for 2s"), "{why}");
    assert!(said.contains("NO-GO: `p50 < 100ms` is missed") && said.contains(&why), "{said}");
    let seconds = |stage: usize| run.report["stages"][stage]["seconds"].as_f64().expect("seconds");
    assert!(seconds(0) > 3.9 && (2.0..20.0).contains(&seconds(1)), "{}", run.report["stages"]);
    assert_eq!(run.report["judged"], "load", "what was measured is judged as ever");
}

#[test]
fn a_target_that_is_met_and_one_that_never_ends_a_run_let_it_go_on() {
    let plan = tempfile::NamedTempFile::new().expect("a file");
    let targets = "abort_after: 1s\ntargets: [p95 < 9s, {target: p50 < 100ms, abort_after: never}]\n";
    std::fs::write(plan.path(), targets).expect("written");
    let path = plan.path().to_string_lossy().into_owned();
    let flags = ["--plan", &path, "--users", "10", "--run-time", "5s", "--ramp", "0s", "--think", "50ms"];
    let run = run_with("/slow", &flags, |_, _| {});
    assert_eq!(run.output.status.code(), Some(1), "{}", stderr(&run.output));
    assert_eq!(run.report["ending"]["kind"], "complete");
    assert!(
        stderr(&run.output).contains("p95 < 9s     over 1 request, ends the run when missed for 1s"),
        "{}",
        stderr(&run.output)
    );
}

#[test]
fn a_dead_target_ends_the_run_in_seconds_as_ever() {
    let more = ["--ramp", "0s", "--require", "p95 < 2s", "--abort-after", "30s"];
    let run = run_with("/", &[&LONG[..], &more].concat(), |server, _| {
        thread::sleep(Duration::from_secs(2));
        server.killer()();
    });
    assert_eq!(run.output.status.code(), Some(1), "{}", stderr(&run.output));
    assert_eq!(run.report["ending"]["kind"], "given-up");
    assert!(run.took < Duration::from_secs(25), "{:?}", run.took);
}

#[test]
fn as_many_failed_requests_as_may_end_the_run_even_in_the_warm_up() {
    let more = ["--ramp", "50s", "--require", "errors < 99%", "--max-errors", "20"];
    let run = run_with("/", &[&LONG[..], &more].concat(), |server, _| {
        thread::sleep(Duration::from_secs(2));
        server.fail_with(500);
    });
    let said = format!("{}{}", stdout(&run.output), stderr(&run.output));
    // So many of them also speak for a rollback.
    assert!([Some(1), Some(5)].contains(&run.output.status.code()), "{said}");
    assert_eq!((&run.report["verdict"], &run.report["ending"]["kind"]), (&"no-go".into(), &"aborted".into()), "{said}");
    assert!(run.took < Duration::from_secs(30), "{:?}", run.took);
    let why = run.report["ending"]["why"].as_str().expect("why");
    assert!(why.contains("requests have failed (`GET /") && why.contains("`max_errors`"), "{why}");
    assert!(run.report["total"]["errors"].as_u64() >= Some(20), "{}", run.report["total"]);
    assert!(said.contains("ends when  20 have failed"), "{said}");
}
