//! Whole runs under goose, without a network: scripted users.

use super::*;
use crate::clock;
use crate::limits;
use crate::measure::{Failure, Summary};
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);
const STEP: Step = Step { name: 0, latency: Duration::from_millis(10), status: 200, failure: None };
const HANGS: Step = Step { latency: Duration::from_secs(3600), ..STEP };

fn work(users: usize, hold: Duration, steps: &[Step]) -> Work {
    Work {
        shape: Shape::ramp_and_hold(users, Duration::ZERO, hold),
        requests: None,
        max_errors: None,
        names: vec!["one".to_owned(), "two".to_owned()],
        scripts: vec![(1, Arc::new(Scripted::new("journey", steps)))],
        patience: Patience::default(),
    }
}

/// Runs it, and asserts that it ended within that time.
async fn run_within(limit: Duration, work: Work, control: Control) -> Ended {
    let start = clock::now();
    let ended = run(work, control).await.unwrap();
    // Runs of this process wait for one another; the run's own time is what counts.
    assert!(ended.summary.elapsed <= limit, "{:?} in {:?}", ended.reason, clock::now() - start);
    ended
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_ends_on_time_with_all_its_requests_booked() {
    let work = work(10, MS * 800, &[STEP, Step { name: 1, failure: Some(Failure::Status), ..STEP }]);
    let control = Control::new(&work);
    let ended = run_within(MS * 3000, work, control).await;
    assert_eq!(ended.reason, Reason::Time);
    // Not the time in which goose gathers its users.
    assert!((MS * 800..MS * 1100).contains(&ended.summary.elapsed), "{:?}", ended.summary.elapsed);
    let rows = ended.summary.by_name(&[]);
    assert_eq!(rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["one", "two"]);
    assert!(rows[0].count >= 50 && rows[0].count.abs_diff(rows[1].count) <= 10, "{rows:?}");
    assert_eq!((rows[0].errors(), rows[1].errors()), (0, rows[1].count));
    assert!(rows[0].quantile(0.5).unwrap() >= MS * 9);
    assert_eq!((ended.summary.in_flight, ended.summary.users), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_hangs_is_in_the_summary_and_not_among_what_has_finished() {
    let work = work(3, MS * 60_000, &[STEP, Step { name: 1, ..HANGS }]);
    let control = Control::new(&work);
    let watched = control.clone();
    let (_, (summary, finished)) = tokio::join!(run_within(MS * 20_000, work, control), async {
        let deadline = clock::now() + MS * 10_000;
        let hangs = |summary: &Summary| summary.rows.iter().any(|row| row.unanswered == 3);
        while !hangs(&watched.summary()) && clock::now() < deadline {
            tokio::time::sleep(MS * 50).await;
        }
        let both = (watched.summary(), watched.finished());
        watched.abort(Reason::Interrupted);
        both
    });
    let hanging = |summary: &Summary| summary.rows.iter().map(|row| row.latencies.len()).sum::<u64>();
    assert_eq!((hanging(&summary), hanging(&finished)), (6, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn exactly_as_many_requests_as_asked_for() {
    for requests in [1, 7, 1000] {
        let work = Work { requests: Some(requests), ..work(16, MS * 60_000, &[Step { latency: MS, ..STEP }]) };
        let control = Control::new(&work);
        let ended = run_within(MS * 20_000, work, control).await;
        assert_eq!(ended.reason, Reason::Requests);
        let total = ended.summary.total(&[]).unwrap();
        assert_eq!(total.count, requests);
        assert!(total.over < MS * 1000 && total.over >= MS, "until the last came back: {:?}", total.over);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn so_many_failed_requests_end_a_run_and_fewer_do_not() {
    let steps = [STEP, Step { name: 1, failure: Some(Failure::Status), ..STEP }];
    for (most, reason) in [(20, Reason::Errors), (1_000_000, Reason::Time)] {
        let work = Work { max_errors: Some(most), ..work(4, MS * 1500, &steps) };
        let control = Control::new(&work);
        let ended = run_within(MS * 4000, work, control).await;
        assert_eq!(ended.reason, reason);
        let errors: u64 = ended.summary.rows.iter().map(crate::measure::Row::errors).sum();
        assert_eq!(errors >= most, reason == Reason::Errors, "{errors}");
    }
}

#[tokio::test]
async fn users_who_wait_for_nothing_neither_stop_each_other_nor_the_run() {
    let nothing: Arc<dyn Script> = Arc::new(Scripted::new("nothing", &[]));
    let mut work = work(4, MS * 300, &[STEP]);
    work.scripts.push((1, nothing));
    let control = Control::new(&work);
    let ended = tokio::time::timeout(MS * 20_000, run_within(MS * 2000, work, control)).await.unwrap();
    assert_eq!(ended.reason, Reason::Time);
    assert!(ended.summary.total(&[]).unwrap().count > 10, "the others worked meanwhile");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_users_start_quickly() {
    let work = work(1000, MS * 5000, &[Step { latency: MS * 100, ..STEP }]);
    let control = Control::new(&work);
    let watching = control.clone();
    let watch = tokio::spawn(async move {
        while watching.0.started_users.load(std::sync::atomic::Ordering::Relaxed) < 1000 {
            tokio::time::sleep(MS * 5).await;
        }
        let at = watching.now().0;
        watching.stop(Reason::Interrupted);
        at
    });
    let ended = run_within(MS * 8000, work, control).await;
    assert!(watch.await.unwrap() < MS * 4000);
    assert!(ended.summary.total(&[]).unwrap().count >= 900);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_keeps_everything_and_lets_requests_finish() {
    let work = work(5, MS * 60_000, &[Step { latency: MS * 300, ..STEP }]);
    let control = Control::new(&work);
    let stop = control.clone();
    tokio::spawn(async move {
        while stop.now().2 < 5 {
            tokio::time::sleep(MS).await;
        }
        stop.stop(Reason::Terminated);
        stop.stop(Reason::Interrupted);
    });
    let ended = run_within(MS * 5000, work, control).await;
    assert_eq!((ended.reason, ended.reason.signal()), (Reason::Terminated, Some(15)));
    let total = ended.summary.total(&[]).unwrap();
    assert_eq!((total.count, total.errors()), (5, 0), "those in flight were let finish");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abort_does_not_wait_for_anything() {
    let work = work(5, MS * 60_000, &[HANGS]);
    let control = Control::new(&work);
    let stop = control.clone();
    tokio::spawn(async move {
        while stop.now().3 < limits::TELLING_AGE + MS * 100 {
            tokio::time::sleep(MS * 10).await;
        }
        stop.stop(Reason::Interrupted);
        stop.abort(Reason::Interrupted);
    });
    let ended = run_within(MS * 4000, work, control).await;
    let total = ended.summary.total(&[]).unwrap();
    assert_eq!(total.errors_by.get(&Failure::Timeout), Some(&5), "given-up requests are lower bounds: {total:?}");
    assert!(total.quantile(0.5).unwrap() >= limits::TELLING_AGE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_target_ends_the_run_within_seconds() {
    let patience = Patience { hang: MS * 1500, ..Patience::default() };
    let work = Work { patience, ..work(3, MS * 60_000, &[STEP, HANGS]) };
    let control = Control::new(&work);
    let ended = run_within(MS * 6000, work, control).await;
    assert_eq!(ended.reason, Reason::Hung);
    let rows = ended.summary.by_name(&[]);
    let total = ended.summary.total(&[]).unwrap();
    assert_eq!((total.count, total.errors()), (6, 3), "{rows:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_target_ends_the_run_within_seconds() {
    let patience = Patience { dead: MS * 700, ..Patience::default() };
    let refused = Step { status: 0, failure: Some(Failure::Connect), ..STEP };
    let work = Work { patience, ..work(3, MS * 60_000, &[refused]) };
    let control = Control::new(&work);
    let ended = run_within(MS * 6000, work, control).await;
    assert_eq!(ended.reason, Reason::Dead);
    let total = ended.summary.total(&[]).unwrap();
    assert_eq!(total.errors(), total.count);
}

#[tokio::test(flavor = "multi_thread")]
async fn users_come_over_the_ramp_and_samples_go_to_their_stage() {
    let mut work = work(10, MS * 500, &[STEP]);
    work.shape = Shape::ramp_and_hold(10, MS * 1000, MS * 500);
    let control = Control::new(&work);
    let watching = control.clone();
    let half = tokio::spawn(async move {
        while watching.now().0 < MS * 450 {
            tokio::time::sleep(MS * 10).await;
        }
        watching.now().1
    });
    let ended = run_within(MS * 5000, work, control).await;
    assert!((3..=7).contains(&half.await.unwrap()));
    let stages: Vec<_> = ended.summary.rows.iter().map(|row| row.stage.as_str()).collect();
    assert_eq!(stages, ["ramp", "load"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn weights_share_out_the_users() {
    let mut work = work(8, MS * 500, &[STEP]);
    work.scripts.push((3, Arc::new(Scripted::new("other", &[Step { name: 1, ..STEP }]))));
    work.scripts.push((0, Arc::new(Scripted::new("never", &[HANGS]))));
    let control = Control::new(&work);
    let ended = run_within(MS * 4000, work, control).await;
    let counts: Vec<_> = ended.summary.by_name(&[]).iter().map(|row| row.count).collect();
    let share = counts[1] as f64 / (counts[0] + counts[1]) as f64;
    assert!((0.68..0.82).contains(&share), "{counts:?}");
}

#[tokio::test]
async fn nothing_to_do_is_said_before_the_start() {
    let message = async |work: Work| {
        let control = Control::new(&work);
        run(work, control).await.unwrap_err().to_string()
    };
    insta::assert_snapshot!(message(work(0, MS, &[STEP])).await, @"the run has no users or no journeys");
    insta::assert_snapshot!(message(Work { scripts: vec![], ..work(1, MS, &[STEP]) }).await,
        @"the run has no users or no journeys");
    insta::assert_snapshot!(message(work(60_000, MS, &[STEP])).await,
        @"60000 users are more than one generator can have (50000)");
}

/// goose prints through `println!` and through `log`: a run in a process of its own shows whether any of it gets out.
#[test]
fn goose_prints_nothing() {
    let run = "engine::tests::a_run_ends_on_time_with_all_its_requests_booked";
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", run, "--nocapture", "--color=never"])
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let ours = |line: &&str| !line.is_empty() && !line.starts_with("running 1") && !line.starts_with("test ");
    assert_eq!(stdout.lines().filter(ours).collect::<Vec<_>>(), Vec::<&str>::new());
    assert!(stdout.contains("1 passed"), "{stdout}");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}
