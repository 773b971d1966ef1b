//! Requests in flight: one place a virtual user, for a user has one request out at a time. A request that hangs is seen
//! here long before it fails: its age is a lower bound of its latency.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// A request in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flight {
    /// Index of the request's name.
    pub name: usize,
    /// Index of the stage in which it was due.
    pub stage: usize,
    /// When it was due, since the start of the run.
    pub since: Duration,
    /// How long after that it was sent; zero where users set the pace.
    pub held: Duration,
}

/// Where one user's request stands. `since` is 1 + microseconds since the start of the run, 0 when nothing is out; it is
/// written last and read first, so that a reader never takes an old age for a new request (at worst it sees the new
/// name with the old time for an instant, which only the live view shows).
#[derive(Debug, Default)]
struct Place {
    since: AtomicU64,
    name: AtomicUsize,
    stage: AtomicUsize,
}

/// All requests in flight.
#[derive(Debug)]
pub struct Flights {
    places: Box<[Place]>,
}

impl Flights {
    /// One place for each user.
    #[must_use]
    pub fn new(users: usize) -> Self {
        Self { places: (0..users).map(|_| Place::default()).collect() }
    }

    /// The user's request is out.
    pub fn begin(&self, user: usize, flight: Flight) {
        let Some(place) = self.places.get(user) else { return };
        place.name.store(flight.name, Ordering::Relaxed);
        place.stage.store(flight.stage, Ordering::Relaxed);
        let since = u64::try_from(flight.since.as_micros()).unwrap_or(u64::MAX - 1) + 1;
        place.since.store(since, Ordering::Release);
    }

    /// The user's request is back or given up.
    pub fn end(&self, user: usize) {
        if let Some(place) = self.places.get(user) {
            place.since.store(0, Ordering::Release);
        }
    }

    /// Everything that is out.
    pub fn iter(&self) -> impl Iterator<Item = Flight> {
        self.places.iter().filter_map(|place| {
            let since = place.since.load(Ordering::Acquire).checked_sub(1)?;
            let (name, stage) = (place.name.load(Ordering::Relaxed), place.stage.load(Ordering::Relaxed));
            Some(Flight { name, stage, since: Duration::from_micros(since), held: Duration::ZERO })
        })
    }

    /// How many are out, and the age of the oldest.
    #[must_use]
    pub fn oldest(&self, now: Duration) -> (usize, Duration) {
        self.iter().fold((0, Duration::ZERO), |(count, oldest), flight| {
            (count + 1, oldest.max(now.saturating_sub(flight.since)))
        })
    }
}
