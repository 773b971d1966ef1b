//! What the schedule holds back: too many probes at once. On tokio's paused clock.

use super::tests::facts;
use super::*;
use crate::config::Origin;
use crate::probes::{Context, Probe, Run};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Takes a second, and keeps count of how many of its kind are at it.
struct Counted {
    now: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Probe for Counted {
    fn run<'a>(&'a mut self, _cx: &'a mut Context<'_>) -> Run<'a> {
        Box::pin(async move {
            let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_secs(1)).await;
            self.now.fetch_sub(1, Ordering::SeqCst);
            Ok(())
        })
    }
}

#[tokio::test(start_paused = true)]
async fn so_many_probes_run_at_once_and_the_others_wait_and_all_have_their_turn() {
    let (sender, mut events) = mpsc::channel(limits::OUTCOMES_QUEUED);
    let mut schedule = Schedule::new(sender, Arc::new(Net::default()));
    let (now, most) = (Arc::default(), Arc::new(AtomicUsize::new(0)));
    let all = limits::PROBES_AT_ONCE + 8;
    for index in 0..all {
        let probe = Box::new(Counted { now: Arc::clone(&now), most: Arc::clone(&most) });
        schedule.check(index, Check { facts: facts(10), probe, origin: Origin::default() });
    }
    let mut seen = std::collections::HashSet::new();
    while seen.len() < all {
        match events.recv().await {
            Some(Event::Ran { check, outcome, .. }) => {
                assert!(outcome.ok(), "waiting for a turn is not the probe's time");
                seen.insert(check);
            }
            other => panic!("unexpected {other:?}"),
        }
    }
    assert_eq!(most.load(Ordering::SeqCst), limits::PROBES_AT_ONCE);
}
