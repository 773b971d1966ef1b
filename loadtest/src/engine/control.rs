//! The run as seen from outside: stop it, watch it. And its books, which users write and the supervisor reads.

use super::arrivals::{Firsts, Pacer};
use super::stop::{Phase, Stop};
use super::watch::Seen;
use super::{Pace, Reason, Work};
use crate::measure::{
    Arrivals, Failure, Flight, Flights, Gauges, Labels, Recorder, Row, Sample, SelfWatch, StageLabel, Summary,
    Timeline, Window, allowed_cores,
};
use crate::{clock, limits};
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// A handle on a run; cheap to clone. Made before the run, so that a live view and the signals can hold it.
#[derive(Clone, Debug)]
pub struct Control(pub(super) Arc<Books>);

/// Everything that the users of a run share.
#[derive(Debug)]
pub(super) struct Books {
    pub(super) shape: super::Shape,
    pub(super) recorder: Recorder,
    pub(super) flights: Flights,
    pub(super) stop: Stop,
    /// Users at work.
    pub(super) working: AtomicUsize,
    /// Users that goose has started; numbers them.
    pub(super) started_users: AtomicUsize,
    start: OnceLock<Instant>,
    /// When the last requests were sent: the figures cover the time until then.
    end: OnceLock<Duration>,
    reason: OnceLock<Reason>,
    limit: Option<u64>,
    max_errors: Option<u64>,
    /// Requests sent or about to be; counted only when they are limited.
    claimed: AtomicU64,
    /// 1 + microseconds of the last answer; 0 before the first.
    answered: AtomicU64,
    silent: AtomicU64,
    /// Microseconds of the last sample; kept only when requests are limited.
    last: AtomicU64,
    itself: Mutex<SelfWatch>,
    /// The arrivals of the open model.
    pacer: Option<Mutex<Pacer>>,
    firsts: Firsts,
    /// Arrivals whose journey was begun.
    pub(super) begun: AtomicU64,
    /// Arrivals that had fallen due at the last look.
    looked: Mutex<f64>,
    /// Arrivals due and never begun, once the run is over.
    never_begun: OnceLock<u64>,
}

impl Control {
    /// The control of a run to be.
    #[must_use]
    pub fn new(work: &Work) -> Self {
        let mut from = Duration::ZERO;
        let label = |stage: &super::Stage| {
            let until = from + stage.duration;
            StageLabel { name: stage.name.clone(), from: std::mem::replace(&mut from, until), until }
        };
        let stages = work.shape.stages().iter().map(label).collect();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let allowed = allowed_cores(Path::new("/"), cores);
        let (itself, pacer) = match work.shape.pace() {
            Pace::Users => (SelfWatch::new(allowed), None),
            Pace::Arrivals { poisson, .. } => {
                let gaps = poisson.then(fastrand::Rng::new);
                (SelfWatch::paced(allowed), Some(Mutex::new(Pacer::new(gaps))))
            }
        };
        let firsts = work.scripts.iter().map(|(weight, script)| (*weight, script.first())).collect();
        Self(Arc::new(Books {
            shape: work.shape.clone(),
            recorder: Recorder::new(Labels { names: work.names.clone(), stages }, cores),
            flights: Flights::new(work.shape.seats()),
            stop: Stop::default(),
            working: AtomicUsize::new(0),
            started_users: AtomicUsize::new(0),
            start: OnceLock::new(),
            end: OnceLock::new(),
            reason: OnceLock::new(),
            limit: work.requests,
            max_errors: work.max_errors,
            claimed: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            silent: AtomicU64::new(0),
            last: AtomicU64::new(0),
            itself: Mutex::new(itself),
            pacer,
            firsts: Firsts::new(firsts),
            begun: AtomicU64::new(0),
            looked: Mutex::new(0.0),
            never_begun: OnceLock::new(),
        }))
    }

    /// Ends the run: no new requests; those in flight may finish for [`crate::limits::DRAIN`]. The first reason counts.
    pub fn stop(&self, reason: Reason) {
        self.0.finish(reason, Phase::Draining);
    }

    /// Ends the run at once, with what there is.
    pub fn abort(&self, reason: Reason) {
        self.0.finish(reason, Phase::Cut);
    }

    /// What has been measured so far; requests in flight count with their age, as a lower bound.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let covered = self.covered();
        self.sum(covered, self.0.flights.iter().chain(self.0.waiting(covered)), self.timeline())
    }

    /// The same without requests in flight, so that no count ever falls, and without the run over time: for a page of counters.
    #[must_use]
    pub fn finished(&self) -> Summary {
        self.sum(self.covered(), std::iter::empty(), Timeline::default())
    }

    fn covered(&self) -> Duration {
        self.0.end.get().copied().unwrap_or_else(|| self.0.now())
    }

    fn sum(&self, covered: Duration, flights: impl Iterator<Item = Flight>, timeline: Timeline) -> Summary {
        let books = &self.0;
        let (in_flight, oldest_in_flight) = books.flights.oldest(books.now());
        let rows = books.recorder.rows(covered, flights);
        let generator = books.itself().generator(books.recorder.count(), rows.iter().map(Row::waited).sum());
        Summary {
            rows,
            elapsed: covered,
            users: books.working.load(Ordering::Relaxed),
            in_flight,
            oldest_in_flight,
            generator,
            arrivals: books.arrivals(),
            timeline,
        }
    }

    /// The run over time, so far: cheap enough to be asked once a second.
    #[must_use]
    pub fn timeline(&self) -> Timeline {
        let now = self.covered();
        self.0.recorder.timeline(now, self.0.flights.iter().chain(self.0.waiting(now)))
    }

    /// When the first user started; none before.
    #[must_use]
    pub fn began(&self) -> Option<Instant> {
        self.0.start.get().copied()
    }

    /// Requests and errors so far: cheap, for a live line.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        self.0.recorder.counts()
    }

    /// The last seconds, for a live view.
    #[must_use]
    pub fn window(&self) -> Option<Window> {
        self.0.recorder.window(self.0.now())
    }

    /// The name of the stage that the run is in.
    #[must_use]
    pub fn stage(&self) -> &str {
        let index = self.0.shape.stage_at(self.0.now());
        self.0.shape.stages().get(index).map_or("", |stage| stage.name.as_str())
    }

    /// Time since the start, users at work, requests in flight and the age of the oldest: cheap, for a live line.
    #[must_use]
    pub fn now(&self) -> (Duration, usize, usize, Duration) {
        let now = self.0.now();
        let (in_flight, oldest) = self.0.flights.oldest(now);
        (now, self.0.working.load(Ordering::Relaxed), in_flight, oldest)
    }
}

impl Books {
    /// Time since the first user started; zero before.
    pub(super) fn now(&self) -> Duration {
        self.at(clock::now())
    }

    /// That moment as time since the first user started.
    pub(super) fn at(&self, moment: Instant) -> Duration {
        self.start.get().map_or(Duration::ZERO, |start| moment.saturating_duration_since(*start))
    }

    /// The first user starts the clock.
    pub(super) fn begin(&self) {
        self.start.get_or_init(clock::now);
    }

    pub(super) fn has_begun(&self) -> bool {
        self.start.get().is_some()
    }

    /// All requests are booked. With a limited number of them the figures cover the time until the last one came back;
    /// otherwise the time in which they were sent, and not that in which the last were waited for.
    pub(super) fn close(&self) -> Reason {
        let reason = self.reason.get().copied().unwrap_or(Reason::Time);
        let last = Duration::from_micros(self.last.load(Ordering::Relaxed));
        let _ = self.end.set(if reason == Reason::Requests { last } else { self.now() });
        if reason != Reason::Requests {
            self.give_up_waiting();
        }
        reason
    }

    /// Books the arrivals that were due before the end and never begun, as requests given up with the run are booked.
    fn give_up_waiting(&self) {
        let (Some(pacer), Some(end)) = (self.pacer(), self.end.get().copied()) else { return };
        let mut number = 0;
        let example = Some("due, but all workers had their hands full until the run ended");
        for due in pacer.waiting(&self.shape, end) {
            let (age, flight) = (end.saturating_sub(due), self.firsts.flight(number, due, &self.shape));
            number += 1;
            if age >= limits::TELLING_AGE {
                let failure = Some(Failure::Timeout);
                let (name, stage) = (flight.name, flight.stage);
                let sample = Sample { name, stage, latency: age, status: 0, bytes: 0, http2: false, failure };
                self.recorder.record(&sample, end, example);
            }
        }
        let _ = self.never_begun.set(u64::try_from(number).unwrap_or(u64::MAX));
    }

    /// The time of the next arrival of the open model; none after the last.
    pub(super) fn arrival(&self) -> Option<Duration> {
        self.pacer()?.take(&self.shape)
    }

    /// Arrivals that are due and not begun, as if they were in flight: their ages are lower bounds too. None once they are booked.
    fn waiting(&self, now: Duration) -> impl Iterator<Item = Flight> {
        let pacer = self.pacer().filter(|_| self.never_begun.get().is_none()).map(|pacer| pacer.clone());
        let due: Vec<Duration> = pacer
            .into_iter()
            .flat_map(|pacer| pacer.waiting(&self.shape, now).take(limits::WAITING_SHOWN).collect::<Vec<_>>())
            .collect();
        (0..).zip(due).map(|(number, due)| self.firsts.flight(number, due, &self.shape))
    }

    fn arrivals(&self) -> Option<Arrivals> {
        let backlog = self.pacer()?.backlog(&self.shape, self.now());
        let started = self.begun.load(Ordering::Relaxed);
        let waiting = self.never_begun.get().copied().unwrap_or(u64::try_from(backlog).unwrap_or(u64::MAX));
        let (held_back, held_p99_us) = self.itself().held();
        Some(Arrivals { started, held_back, held_p99_us, waiting })
    }

    fn pacer(&self) -> Option<std::sync::MutexGuard<'_, Pacer>> {
        self.pacer.as_ref().map(|pacer| pacer.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn finish(&self, reason: Reason, phase: Phase) {
        if self.reason.set(reason).is_ok() && reason != Reason::Requests {
            let _ = self.end.set(self.now());
        }
        self.stop.reach(phase);
    }

    /// Whether one more request may be sent; it is counted.
    pub(super) fn claim(&self) -> bool {
        if self.stop.phase() != Phase::Running {
            return false;
        }
        let Some(limit) = self.limit else { return true };
        let before = self.claimed.fetch_add(1, Ordering::Relaxed);
        if before.saturating_add(1) >= limit {
            self.finish(Reason::Requests, Phase::Draining);
        }
        before < limit
    }

    /// An answer came, or a request failed without one.
    pub(super) fn heard(&self, at: Duration, silence: bool) {
        let at = u64::try_from(at.as_micros()).unwrap_or(u64::MAX - 1);
        if self.limit.is_some() {
            self.last.fetch_max(at, Ordering::Relaxed);
        }
        if silence {
            self.silent.fetch_add(1, Ordering::Relaxed);
            return;
        }
        if self.silent.load(Ordering::Relaxed) > 0 {
            self.silent.store(0, Ordering::Relaxed);
        }
        self.answered.store(at + 1, Ordering::Relaxed);
    }

    /// Whether as many requests have failed as may.
    pub(super) fn has_failed(&self) -> bool {
        self.max_errors.is_some_and(|most| self.recorder.counts().1 >= most)
    }

    pub(super) fn seen(&self) -> Seen {
        let now = self.now();
        Seen {
            now,
            answered: self.answered.load(Ordering::Relaxed).checked_sub(1).map(Duration::from_micros),
            silent: self.silent.load(Ordering::Relaxed),
            oldest: self.flights.oldest(now).1,
        }
    }

    /// Notes users and requests in flight for the timeline.
    pub(super) fn look(&self) {
        let now = self.now();
        let (in_flight, oldest) = self.flights.oldest(now);
        let users = self.working.load(Ordering::Relaxed);
        let (waiting, offered) = match self.pacer() {
            None => (0, None),
            Some(pacer) => (pacer.backlog(&self.shape, now), Some(self.shape.arrivals(now))),
        };
        // What fell due since the last look.
        let offered = offered.map(|so_far| {
            let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
            so_far - std::mem::replace(&mut *looked, so_far)
        });
        self.recorder.gauge(now, Gauges { users, in_flight, waiting, oldest, offered });
    }

    pub(super) fn itself(&self) -> std::sync::MutexGuard<'_, SelfWatch> {
        self.itself.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
