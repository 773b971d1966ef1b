//! The schedule on tokio's paused clock: no test here waits for time.

use super::*;
use crate::config::Origin;
use crate::probes::{Context, Fault, Probe, Reason, Run};
use crate::snapshot::Role;
use std::sync::Mutex;
use tokio::time::Instant;

pub(super) fn facts(interval: u64) -> Arc<CheckFacts> {
    Arc::new(CheckFacts {
        name: "db".to_owned(),
        kind: "tcp",
        target: String::new(),
        role: Role::Observe,
        peer: false,
        sweep: false,
        depends_on: Vec::new(),
        interval: Duration::from_secs(interval),
        timeout: Duration::from_secs(2),
        fail_after: 3,
        ok_after: 2,
    })
}

fn pace(results: &[bool]) -> Pace {
    let mut pace = Pace::default();
    results.iter().for_each(|ok| pace.ran(*ok));
    pace
}

#[test]
fn looks_more_often_while_a_result_is_news() {
    let facts = facts(20);
    let retry = |results: &[bool]| pace(results).retry(&facts, 0.5).map(|pause| pause.as_secs());
    assert_eq!(retry(&[true]), None, "the first success is settled");
    assert_eq!(retry(&[true, false]), Some(5));
    assert_eq!(retry(&[true, false, false]), Some(5));
    assert_eq!(retry(&[true, false, false, false]), None, "down is settled");
    assert_eq!(retry(&[true, false, true]), Some(5));
    assert_eq!(retry(&[true, false, true, true]), None);
}

#[test]
fn retries_are_jittered_by_a_tenth_at_most() {
    let (facts, pace) = (facts(20), pace(&[false]));
    assert_eq!(pace.retry(&facts, 0.0), Some(Duration::from_millis(4500)));
    assert_eq!(pace.retry(&facts, 1.0), Some(Duration::from_millis(5500)));
}

#[test]
fn never_retries_slower_than_the_interval_or_faster_than_the_floor() {
    assert_eq!(pace(&[false]).retry(&facts(1), 0.5), Some(Duration::from_secs(1)));
    assert_eq!(pace(&[false]).retry(&facts(3), 0.5), Some(limits::QUICKEST_RETRY));
}

/// What a scripted probe does in a run.
#[derive(Clone, Copy)]
enum Act {
    Succeed,
    Hang,
    Panic,
    Fail,
}

struct Scripted(Act);

impl Probe for Scripted {
    fn run<'a>(&'a mut self, cx: &'a mut Context<'_>) -> Run<'a> {
        Box::pin(async move {
            cx.phase("connect");
            match self.0 {
                Act::Succeed => Ok(()),
                Act::Hang => std::future::pending().await,
                Act::Panic => panic!("a bug"),
                Act::Fail => Err(Fault::new(Reason::Refused, "nothing listens")),
            }
        })
    }
}

async fn outcomes(acts: &[Act], wanted: usize) -> Vec<(usize, Option<Reason>)> {
    let (sender, mut receiver) = mpsc::channel(limits::OUTCOMES_QUEUED);
    let mut schedule = Schedule::new(sender, Arc::new(Net::default()));
    for (index, act) in acts.iter().enumerate() {
        schedule.check(index, Check { facts: facts(10), probe: Box::new(Scripted(*act)), origin: Origin::default() });
    }
    let mut seen = Vec::new();
    while seen.len() < wanted {
        match receiver.recv().await {
            Some(Event::Ran { check, outcome, .. }) => seen.push((check, outcome.fault.map(|fault| fault.reason))),
            other => panic!("unexpected {other:?}"),
        }
    }
    seen
}

#[tokio::test(start_paused = true)]
async fn a_hung_probe_is_cut_at_its_deadline_with_the_phase_it_was_in() {
    let outcome = probes::run(&mut Scripted(Act::Hang), &Net::default(), Duration::from_secs(2), Depth::Peer).await;
    let fault = outcome.fault.expect("a fault");
    insta::assert_snapshot!(format!("{} {}", fault.reason, fault.message), @"timeout no answer within 2 s in phase `connect`");
    assert_eq!((outcome.took, outcome.phases[0].took), (Duration::from_secs(2), Duration::from_secs(2)));
}

#[tokio::test(start_paused = true)]
async fn one_probes_bug_costs_one_probe() {
    let seen = outcomes(&[Act::Panic, Act::Succeed, Act::Fail], 9).await;
    assert!(seen.contains(&(0, Some(Reason::Internal))));
    assert!(seen.contains(&(1, None)));
    assert!(seen.iter().filter(|(check, _)| *check == 0).count() > 1, "the broken probe is run again");
}

#[tokio::test(start_paused = true)]
async fn hung_probes_do_not_hold_back_the_others() {
    let mut acts = vec![Act::Hang; limits::PROBES_AT_ONCE - 1];
    acts.push(Act::Succeed);
    let seen = outcomes(&acts, 4).await;
    let last = acts.len() - 1;
    assert!(seen.iter().take(1).all(|(check, _)| *check == last), "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn however_many_peers_hang_the_others_keep_their_beats() {
    let (sender, mut receiver) = mpsc::channel(limits::OUTCOMES_QUEUED);
    let mut schedule = Schedule::new(sender, Arc::new(Net::default()));
    let hanging = 15 * limits::PROBES_AT_ONCE;
    for index in 0..hanging {
        schedule
            .check(index, Check { facts: facts(10), probe: Box::new(Scripted(Act::Hang)), origin: Origin::default() });
    }
    let began = Arc::new(Mutex::new(Vec::new()));
    let probe = Noting { took: Duration::from_millis(2), began: Arc::clone(&began) };
    schedule.check(hanging, Check { facts: facts(10), probe: Box::new(probe), origin: Origin::default() });
    let all = async { while receiver.recv().await.is_some() {} };
    let _over = timeout(Duration::from_secs(300), all).await;
    let began = began.lock().unwrap();
    // Its first run may have to wait: nobody knows yet who hangs.
    let gaps: Vec<u64> = began.windows(2).map(|pair| pair[1].duration_since(pair[0]).as_secs()).collect();
    assert!(gaps.len() > 20 && gaps.iter().all(|gap| (8..=12).contains(gap)), "{gaps:?}");
}

/// Notes when it is run; takes its time.
struct Noting {
    took: Duration,
    began: Arc<Mutex<Vec<Instant>>>,
}

impl Probe for Noting {
    fn run<'a>(&'a mut self, _cx: &'a mut Context<'_>) -> Run<'a> {
        Box::pin(async move {
            self.began.lock().unwrap().push(clock::now());
            tokio::time::sleep(self.took).await;
            Ok(())
        })
    }
}

/// When probes that take so long began within `seconds`, in milliseconds since the start.
async fn beginnings(durations: &[Duration], seconds: u64) -> Vec<u128> {
    let (sender, mut receiver) = mpsc::channel(limits::OUTCOMES_QUEUED);
    let (start, began) = (clock::now(), Arc::new(Mutex::new(Vec::new())));
    let mut schedule = Schedule::new(sender, Arc::new(Net::default()));
    for (index, took) in durations.iter().enumerate() {
        let probe = Noting { took: *took, began: Arc::clone(&began) };
        schedule.check(index, Check { facts: facts(10), probe: Box::new(probe), origin: Origin::default() });
    }
    let all = async { while receiver.recv().await.is_some() {} };
    let _over = timeout(Duration::from_secs(seconds), all).await;
    let began = began.lock().unwrap();
    began.iter().map(|at| at.duration_since(start).as_millis()).collect()
}

#[tokio::test(start_paused = true)]
async fn probes_run_one_after_the_other_and_one_that_is_slow_gives_up_its_turn() {
    let (quick, slow) = (Duration::from_millis(2), Duration::from_secs(1));
    assert_eq!(beginnings(&[quick, slow, slow, quick], 5).await, [0, 2, 7, 12]);
}

#[tokio::test(start_paused = true)]
async fn checks_of_one_interval_stay_together_at_every_beat() {
    let began = beginnings(&[Duration::from_millis(2); 4], 100).await;
    assert!(began.len() >= 36, "{began:?}");
    for beat in began.chunks_exact(4) {
        assert!(beat[3] - beat[0] <= 12, "{began:?}");
    }
}
