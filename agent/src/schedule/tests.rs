//! The schedule on tokio's paused clock: no test here waits for time.

use super::*;
use crate::probes::{Context, Fault, Probe, Reason, Run};
use crate::reading::Metric;
use crate::snapshot::Role;

pub(super) fn facts(interval: u64) -> Arc<CheckFacts> {
    Arc::new(CheckFacts {
        name: "db".to_owned(),
        kind: "tcp",
        target: String::new(),
        role: Role::Observe,
        peer: false,
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
    let pause = |results: &[bool]| pace(results).pause(&facts, 0.5).as_secs();
    assert_eq!(pause(&[true]), 20, "the first success is settled");
    assert_eq!(pause(&[true, false]), 5);
    assert_eq!(pause(&[true, false, false]), 5);
    assert_eq!(pause(&[true, false, false, false]), 20, "down is settled");
    assert_eq!(pause(&[true, false, true]), 5);
    assert_eq!(pause(&[true, false, true, true]), 20);
}

#[test]
fn jitter_stays_within_a_tenth() {
    let (facts, pace) = (facts(20), pace(&[true]));
    assert_eq!(pace.pause(&facts, 0.0), Duration::from_secs(18));
    assert_eq!(pace.pause(&facts, 1.0), Duration::from_secs(22));
}

#[test]
fn never_retries_slower_than_the_interval_or_faster_than_the_floor() {
    assert_eq!(pace(&[false]).pause(&facts(1), 0.5), Duration::from_secs(1));
    assert_eq!(pace(&[false]).pause(&facts(3), 0.5), limits::QUICKEST_RETRY);
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
        schedule.check(index, Check { facts: facts(10), probe: Box::new(Scripted(*act)) });
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
    let outcome = probes::run(&mut Scripted(Act::Hang), &Net::default(), Duration::from_secs(2)).await;
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

static VALUE: Metric = Metric::gauge("sidecar_test_value", "A value");

struct Slow(Duration, u32);

impl Collector for Slow {
    fn collect(&mut self, _at: Moment) -> Collected {
        self.1 += 1;
        assert!(self.1 < 3, "a bug in the third collection");
        std::thread::sleep(self.0);
        Collected::Readings(vec![VALUE.is(f64::from(self.1))])
    }
}

async fn collections(collector: Slow, wanted: usize) -> Vec<Collected> {
    let (sender, mut receiver) = mpsc::channel(limits::OUTCOMES_QUEUED);
    let mut schedule = Schedule::new(sender, Arc::new(Net::default()));
    schedule.source(0, Box::new(collector), Duration::from_millis(5));
    let mut seen = Vec::new();
    while seen.len() < wanted {
        match receiver.recv().await {
            Some(Event::Collected { collected, .. }) => seen.push(collected),
            other => panic!("unexpected {other:?}"),
        }
    }
    seen
}

#[tokio::test]
async fn a_collector_with_a_bug_is_marked_failed_and_stops() {
    let seen = collections(Slow(Duration::ZERO, 0), 3).await;
    assert_eq!(seen[0], Collected::Readings(vec![VALUE.is(1.0)]));
    assert!(matches!(&seen[2], Collected::Failed(why) if why.contains("bug")), "{seen:?}");
}
