//! What one virtual user has of the run: it asks before each request, says what came of it, and thinks.

use super::control::Books;
use super::stop::Phase;
use crate::measure::{Failure, Flight, Sample};
use crate::{clock, limits};
use std::sync::Arc;
use std::time::Duration;

/// One user's place.
#[derive(Debug)]
pub struct Seat {
    index: usize,
    books: Arc<Books>,
    /// The request in flight.
    flight: Option<Flight>,
    /// When the next request is due, where that is no matter of the user.
    due: Option<Duration>,
}

/// What came of a request.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outcome<'a> {
    /// From when it was sent to the last byte of the body.
    pub latency: Duration,
    /// HTTP status; 0 when there was no answer.
    pub status: u16,
    /// Bytes of body received.
    pub bytes: u64,
    /// Whether the answer came over HTTP/2.
    pub http2: bool,
    /// Why it counts as an error.
    pub failure: Option<Failure>,
    /// What was wrong, for people; without secrets.
    pub example: Option<&'a str>,
}

impl Seat {
    pub(super) fn new(index: usize, books: Arc<Books>) -> Self {
        Self { index, books, flight: None, due: None }
    }

    /// The user's number, from 0.
    #[must_use]
    pub const fn index(&self) -> usize {
        self.index
    }

    /// Asks for one more request of that name; `false` when the run is ending, and then none must be sent. The request
    /// is in flight from now on, until [`Seat::land`].
    pub fn depart(&mut self, name: usize) -> bool {
        let now = self.books.now();
        let since = self.due.take().map_or(now, |due| due.min(now));
        let flight = Flight { name, stage: self.books.shape.stage_at(since), since, held: now - since };
        // In flight before it is claimed: the claim of the last request ends the run as soon as nothing is in flight.
        self.books.flights.begin(self.index, flight);
        if !self.books.claim() {
            self.books.flights.end(self.index);
            return false;
        }
        self.flight = Some(flight);
        true
    }

    /// The next request is due at that time of the run: its latency counts from then on, however late it is sent.
    pub(super) const fn expect(&mut self, due: Duration) {
        self.due = Some(due);
    }

    /// The request is back, or has failed; it is recorded once it has been judged ([`Seat::record`]).
    pub fn land(&mut self) -> Option<Flight> {
        let flight = self.flight.take();
        if flight.is_some() {
            self.books.flights.end(self.index);
        }
        flight
    }

    /// Books a request that has landed.
    pub fn record(&self, flight: Flight, outcome: Outcome<'_>) {
        let Outcome { latency, status, bytes, http2, failure, example } = outcome;
        let latency = flight.held + latency;
        let at = flight.since + latency;
        self.books.heard(at, status == 0 && failure.is_some_and(Failure::is_silence));
        let sample = Sample { name: flight.name, stage: flight.stage, latency, status, bytes, http2, failure };
        self.books.recorder.record(&sample, at, example);
    }

    /// Lands and books at once, for a script that judges while it reads.
    pub fn done(&mut self, outcome: Outcome<'_>) {
        if let Some(flight) = self.land() {
            self.record(flight, outcome);
        }
    }

    /// Books a request given up with the run: its age is a lower bound of its latency. A young one says nothing.
    pub(super) fn give_up(&mut self) {
        let Some(flight) = self.land() else { return };
        let age = self.books.now().saturating_sub(flight.since);
        if age >= limits::TELLING_AGE {
            let example = Some("no answer when the run ended");
            let failure = Some(Failure::Timeout);
            let latency = age.saturating_sub(flight.held);
            self.record(flight, Outcome { latency, failure, example, ..Outcome::default() });
        }
    }

    /// Thinks, at most until the run ends. How late it ends is what the generator's own queue does to this user.
    pub async fn think(&self, time: Duration) {
        if let Some(late) = self.pause(time).await {
            self.books.itself().thought(time, late);
        }
    }

    /// Waits, at most until the run ends; how late it ended, where it ended by itself.
    pub(super) async fn pause(&self, time: Duration) -> Option<Duration> {
        if time.is_zero() {
            return None;
        }
        let due = clock::now() + time;
        tokio::select! {
            () = tokio::time::sleep_until(due) => Some(clock::now().saturating_duration_since(due)),
            () = self.books.stop.draining() => None,
        }
    }

    /// Whether the run is ending: a journey stops between two requests.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        self.books.stop.phase() != Phase::Running
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.give_up();
    }
}
