//! Reads the sources, one after the other on one thread that may block. What must stay true: a source that hangs in the kernel
//! holds that thread and nothing else; the others go on with another one, and it is marked failed when its time is over.

use crate::collectors::{Collected, Collector, Moment};
use crate::state::Event;
use crate::units::Span;
use crate::{clock, limits};
use std::collections::VecDeque;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::Sender;
use tokio::task::{JoinHandle, JoinSet, spawn_blocking};
use tokio::time::{MissedTickBehavior, interval as ticks_of, timeout};

/// A collector with its source's index in the plan.
type Source = (usize, Box<dyn Collector>);

/// Reads them all every `interval`, until nobody listens or none is left.
pub(super) async fn repeat(mut idle: Vec<Source>, interval: Duration, events: Sender<Event>) {
    let mut ticks = ticks_of(interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut late = JoinSet::new();
    while !(idle.is_empty() && late.is_empty()) {
        ticks.tick().await;
        while let Some(back) = late.try_join_next() {
            idle.extend(back.unwrap_or_default());
        }
        let (mut waiting, early) = mem::take(&mut idle).into_iter().partition(|(_, one)| one.is_due(clock::now()));
        idle = early;
        while !waiting.is_empty() {
            let round = Arc::new(Round::of(waiting));
            let mut thread = start(&round);
            let in_time = timeout(limits::COLLECT_TURN, &mut thread).await.is_ok();
            let (done, rest, hanging) = round.leave();
            idle.extend(tell(&events, done).await);
            waiting = rest;
            if !in_time && let Some(index) = hanging {
                late.spawn(await_late(index, round, thread, events.clone()));
            }
        }
        if events.is_closed() {
            return;
        }
    }
}

/// Sources on one thread: those that wait, the one that is being read, those that are done.
#[derive(Default)]
struct Round(Mutex<Work>);

#[derive(Default)]
struct Work {
    waiting: VecDeque<Source>,
    at_work: Option<usize>,
    done: Vec<Done>,
}

/// What a source gave; without its collector when that had a bug.
struct Done {
    index: usize,
    collected: Collected,
    collector: Option<Box<dyn Collector>>,
}

impl Round {
    fn of(sources: Vec<Source>) -> Self {
        Self(Mutex::new(Work { waiting: sources.into(), ..Work::default() }))
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> Option<Source> {
        let mut work = self.work();
        let next = work.waiting.pop_front();
        work.at_work = next.as_ref().map(|(index, _)| *index);
        next
    }

    fn finish(&self, done: Done) {
        let mut work = self.work();
        work.at_work = None;
        work.done.push(done);
    }

    /// Takes what is done and what waits; tells which one is still being read.
    fn leave(&self) -> (Vec<Done>, Vec<Source>, Option<usize>) {
        let mut work = self.work();
        (mem::take(&mut work.done), mem::take(&mut work.waiting).into(), work.at_work)
    }
}

/// Reads what waits, on a thread that may block.
fn start(round: &Arc<Round>) -> JoinHandle<()> {
    let (round, moment) = (Arc::clone(round), Moment { now: clock::now(), wall: clock::wall() });
    spawn_blocking(move || {
        while let Some((index, mut collector)) = round.next() {
            // Nothing of a collector that panicked is used again.
            let read = catch_unwind(AssertUnwindSafe(|| collector.collect(moment)));
            round.finish(match read {
                Ok(collected) => Done { index, collected, collector: Some(collector) },
                Err(_panic) => {
                    let why = "has a bug and gave up, please report it".to_owned();
                    Done { index, collected: Collected::Failed(why), collector: None }
                }
            });
        }
    })
}

/// Waits for a source that has not answered in its turn, marks it failed when its time is over, and brings it back in the end.
async fn await_late(index: usize, round: Arc<Round>, mut thread: JoinHandle<()>, events: Sender<Event>) -> Vec<Source> {
    if timeout(limits::COLLECT_TIMEOUT, &mut thread).await.is_ok() {
        return tell(&events, round.leave().0).await;
    }
    let why = format!("has not answered for {}", Span(limits::COLLECT_TIMEOUT));
    tell(&events, vec![Done { index, collected: Collected::Failed(why), collector: None }]).await;
    let _ended = thread.await;
    // What it says now is old.
    round.leave().0.into_iter().filter_map(|done| Some((done.index, done.collector?))).collect()
}

/// Tells what was read; gives back what can be read again.
async fn tell(events: &Sender<Event>, done: Vec<Done>) -> Vec<Source> {
    let mut idle = Vec::new();
    for Done { index, collected, collector } in done {
        // When nobody listens any more, the caller sees it too.
        let _heard = events.send(Event::Collected { source: index, at: clock::wall(), collected }).await;
        idle.extend(collector.map(|collector| (index, collector)));
    }
    idle
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::Metric;
    use std::sync::mpsc as threads;
    use tokio::sync::mpsc;

    static VALUE: Metric = Metric::gauge("sidecar_test_value", "A value");

    /// Counts its collections; waits in those where the closure says so.
    struct Scripted<F>(u32, F);

    impl<F: Fn(u32) + Send> Collector for Scripted<F> {
        fn collect(&mut self, _at: Moment) -> Collected {
            self.0 += 1;
            self.1(self.0);
            Collected::Readings(vec![VALUE.is(f64::from(self.0))])
        }
    }

    fn scripted(index: usize, act: impl Fn(u32) + Send + 'static) -> Source {
        (index, Box::new(Scripted(0, act)))
    }

    /// What the sources gave, in order, until `enough`.
    async fn heard(sources: Vec<Source>, enough: impl Fn(&[(usize, Collected)]) -> bool) -> Vec<(usize, Collected)> {
        let (sender, mut receiver) = mpsc::channel(limits::OUTCOMES_QUEUED);
        let _reading = tokio::spawn(repeat(sources, Duration::from_millis(5), sender));
        let mut heard = Vec::new();
        while !enough(&heard) {
            match receiver.recv().await {
                Some(Event::Collected { source, collected, .. }) => heard.push((source, collected)),
                other => panic!("unexpected {other:?}"),
            }
        }
        heard
    }

    fn of(heard: &[(usize, Collected)], index: usize) -> Vec<&Collected> {
        heard.iter().filter(|(source, _)| *source == index).map(|(_, collected)| collected).collect()
    }

    #[tokio::test]
    async fn a_collector_with_a_bug_is_marked_failed_and_stops_and_the_others_go_on() {
        let broken = scripted(0, |count| assert!(count < 3, "a bug in the third collection"));
        let enough = |heard: &[_]| of(heard, 0).len() == 3 && of(heard, 1).len() > 5;
        let heard = heard(vec![broken, scripted(1, |_| {})], enough).await;
        let broken = of(&heard, 0);
        assert_eq!(broken[0], &Collected::Readings(vec![VALUE.is(1.0)]));
        assert!(matches!(broken[2], Collected::Failed(why) if why.contains("bug")), "{broken:?}");
        assert_eq!(broken.len(), 3);
    }

    #[tokio::test]
    async fn sources_share_one_thread() {
        let (sender, threads) = threads::channel();
        let noting = |index| {
            let sender = sender.clone();
            scripted(index, move |_| sender.send(std::thread::current().id()).unwrap_or_default())
        };
        heard((0..4).map(noting).collect(), |heard| heard.len() == 4).await;
        let seen: Vec<_> = threads.try_iter().take(4).collect();
        assert_eq!(seen, [seen[0]; 4]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_source_that_hangs_is_marked_failed_when_its_time_is_over() {
        let ((release, held), (begin, begun)) = (threads::channel::<()>(), threads::channel());
        let hanging = scripted(0, move |_| {
            let _ = begin.send(());
            let _ = held.recv();
        });
        let (sender, mut receiver) = mpsc::channel(limits::OUTCOMES_QUEUED);
        let _reading = tokio::spawn(repeat(vec![hanging], Duration::from_secs(1), sender));
        tokio::task::yield_now().await;
        begun.recv().expect("it is being read");
        let mut heard = None;
        for _ in 0..20 {
            tokio::time::advance(limits::COLLECT_TIMEOUT / 5).await;
            heard = heard.or_else(|| receiver.try_recv().ok());
        }
        drop(release);
        let Some(Event::Collected { source: 0, collected, .. }) = heard else { panic!("heard {heard:?}") };
        assert_eq!(collected, Collected::Failed("has not answered for 5 s".to_owned()));
    }

    /// The clock runs only while nothing else does, and a thread that blocks keeps it from running: so here it is the real one.
    #[tokio::test]
    async fn a_source_that_hangs_holds_up_nobody_and_comes_back() {
        let (release, held) = threads::channel::<()>();
        let hanging = scripted(0, move |count| {
            if count == 1 {
                let _ = held.recv();
            }
        });
        let (sender, mut receiver) = mpsc::channel(limits::OUTCOMES_QUEUED);
        let _reading = tokio::spawn(repeat(vec![hanging, scripted(1, |_| {})], Duration::from_millis(5), sender));
        for _ in 0..10 {
            let event = timeout(limits::COLLECT_TIMEOUT / 2, receiver.recv()).await.expect("the other one goes on");
            assert!(matches!(event, Some(Event::Collected { source: 1, .. })), "{event:?}");
        }
        drop(release);
        let back = async {
            loop {
                if let Some(Event::Collected { source: 0, collected, .. }) = receiver.recv().await {
                    return collected;
                }
            }
        };
        assert_eq!(timeout(limits::COLLECT_TIMEOUT, back).await, Ok(Collected::Readings(vec![VALUE.is(1.0)])));
    }
}
