//! A worker of the open model: takes arrivals in order, waits until each is due and starts its journey, whether or not the
//! ones before have their answers: it carries several at once, so that a target that stalls does not keep the next arrival
//! from being sent. What must stay true: nothing is skipped because the worker is late.

use super::control::Books;
use super::stop::Phase;
use super::{Script, Seat, User};
use crate::clock;
use crate::limits::{JOURNEYS_PER_WORKER, TIMER_GRAIN};
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// A worker with its places.
pub(super) struct Crew {
    script: Arc<dyn Script>,
    books: Arc<Books>,
    /// Its number among the workers.
    number: usize,
    /// Places made so far; one is made when all others are taken.
    made: usize,
    idle: Vec<Lane>,
}

/// A place for one journey at a time.
struct Lane {
    seat: Seat,
    user: Box<dyn User>,
}

type Journeys = FuturesUnordered<BoxFuture<'static, Lane>>;

impl Crew {
    pub(super) const fn new(script: Arc<dyn Script>, books: Arc<Books>, number: usize) -> Self {
        Self { script, books, number, made: 0, idle: Vec::new() }
    }

    /// Works until no new requests are wanted and its last journeys are back.
    pub(super) async fn work(&mut self) {
        let mut under_way = Journeys::new();
        while self.books.stop.phase() == Phase::Running {
            let Some(mut lane) = self.lane() else {
                let back = under_way.next().await;
                self.idle.extend(back);
                continue;
            };
            let ready = self.books.now();
            let Some(due) = self.books.arrival() else {
                self.until(&mut under_way, None).await;
                break;
            };
            if !self.until(&mut under_way, Some(due)).await {
                break;
            }
            let late = self.books.now().saturating_sub(due);
            if ready <= due {
                self.books.itself().late(late);
            } else {
                self.books.itself().held_back(ready - due);
            }
            // What its own timer may be late by its grain is no time that the target took.
            lane.seat.expect(due + late.min(TIMER_GRAIN));
            self.books.begun.fetch_add(1, Ordering::Relaxed);
            under_way.push(journey(lane, Arc::clone(&self.books)));
        }
        while under_way.next().await.is_some() {}
    }

    /// Goes on with the journeys under way until that time, or until the run ends, which is `false`.
    async fn until(&mut self, under_way: &mut Journeys, due: Option<Duration>) -> bool {
        let books = Arc::clone(&self.books);
        let mut ending = std::pin::pin!(books.stop.draining());
        let mut waiting = std::pin::pin!(async {
            match due {
                Some(due) => tokio::time::sleep_until(clock::now() + due.saturating_sub(books.now())).await,
                None => std::future::pending().await,
            }
        });
        loop {
            tokio::select! {
                () = &mut ending => return false,
                () = &mut waiting => return true,
                Some(lane) = under_way.next(), if !under_way.is_empty() => self.idle.push(lane),
            }
        }
    }

    fn lane(&mut self) -> Option<Lane> {
        if let Some(lane) = self.idle.pop() {
            return Some(lane);
        }
        let place = (self.made < JOURNEYS_PER_WORKER).then(|| self.number * JOURNEYS_PER_WORKER + self.made)?;
        self.made += 1;
        Some(Lane { seat: Seat::new(place, Arc::clone(&self.books)), user: self.script.user(place) })
    }
}

/// One journey, from its arrival to its end.
fn journey(mut lane: Lane, books: Arc<Books>) -> BoxFuture<'static, Lane> {
    Box::pin(async move {
        let _at_work = AtWork::new(books);
        lane.user.iterate(&mut lane.seat).await;
        lane
    })
}

/// Counts a user as working, also when its journey is dropped half-way.
struct AtWork(Arc<Books>);

impl AtWork {
    fn new(books: Arc<Books>) -> Self {
        books.working.fetch_add(1, Ordering::Relaxed);
        Self(books)
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.working.fetch_sub(1, Ordering::Relaxed);
    }
}
