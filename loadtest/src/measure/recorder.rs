//! The recorder: where every sample goes. One shard a worker thread, so that users do not queue for a lock; one
//! histogram a stage and request name in each, made when it is first needed.

use super::open::Open;
use super::window::{Ring, Window, window_at};
use super::{Failure, Flight, Gauges, Row, Sample, Timeline, histogram, record};
use crate::limits;
use hdrhistogram::Histogram;
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The names that the indices of a sample stand for.
#[derive(Clone, Debug, Default)]
pub struct Labels {
    /// Request names, in the order of the plan.
    pub names: Vec<String>,
    /// Stages, in the order of time.
    pub stages: Vec<StageLabel>,
}

/// A stage as the recorder sees it.
#[derive(Clone, Debug)]
pub struct StageLabel {
    /// Its name.
    pub name: String,
    /// When it begins, since the start of the run.
    pub from: Duration,
    /// When it ends; the last one goes on while requests come.
    pub until: Duration,
}

/// Counts and latencies of one request name in one stage, in one shard.
#[derive(Debug)]
struct Tally {
    latencies: Histogram<u64>,
    count: u64,
    errors: [u64; Failure::ALL.len()],
    bytes: u64,
    http2: u64,
    example: Option<String>,
}

#[derive(Debug, Default)]
struct Shard {
    tallies: Vec<Option<Tally>>,
    ring: Ring,
    open: Open,
}

/// Takes samples from all threads and gives summaries at any time.
#[derive(Debug)]
pub struct Recorder {
    labels: Labels,
    shards: Box<[Mutex<Shard>]>,
    /// Locked after a shard, never before one.
    timeline: Mutex<Timeline>,
}

impl Recorder {
    /// A recorder with one shard a thread; more threads than shards share them.
    #[must_use]
    pub fn new(labels: Labels, shards: usize) -> Self {
        let timeline = Mutex::new(Timeline::new(&labels.names));
        Self { labels, shards: (0..shards.max(1)).map(|_| Mutex::default()).collect(), timeline }
    }

    /// The names that the indices stand for.
    #[must_use]
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// Takes a sample that finished `at` since the start of the run. The example says what was wrong, for people; the
    /// first of each row is kept. Secrets have been taken out of it.
    pub fn record(&self, sample: &Sample, at: Duration, example: Option<&str>) {
        let Some(mut shard) = self.shard() else { return };
        shard.ring.record(at, sample.latency, sample.failure.is_some());
        let index = sample.stage * self.labels.names.len() + sample.name;
        if sample.name < self.labels.names.len() {
            self.count_second(&mut shard.open, sample, at.as_secs());
        }
        let Some(tally) = self.tally(&mut shard, index) else { return };
        record(&mut tally.latencies, sample.latency);
        tally.count += 1;
        tally.bytes += sample.bytes;
        tally.http2 += u64::from(sample.http2);
        if let Some(failure) = sample.failure {
            if let Some(count) = tally.errors.get_mut(failure as usize) {
                *count += 1;
            }
            if tally.example.is_none() {
                tally.example = example.map(|text| text.chars().take(limits::EXAMPLE_CHARS).collect());
            }
        }
    }

    /// One row for each stage and name that has samples or, in a live view, a request in flight old enough to tell
    /// something. `now` is the time since the start of the run.
    #[must_use]
    pub fn rows(&self, now: Duration, flights: impl Iterator<Item = Flight>) -> Vec<Row> {
        let mut rows: Vec<Option<Row>> = vec![None; self.labels.names.len() * self.labels.stages.len()];
        for shard in &self.shards {
            let shard = lock(shard);
            for (index, tally) in shard.tallies.iter().enumerate() {
                if let Some(tally) = tally
                    && let Some(row) = self.row(&mut rows, index, now)
                {
                    tally.add_to(row);
                }
            }
        }
        for flight in flights {
            let age = now.saturating_sub(flight.since);
            let index = flight.stage * self.labels.names.len() + flight.name;
            if age >= limits::TELLING_AGE
                && let Some(row) = self.row(&mut rows, index, now)
            {
                row.unanswered += 1;
                record(&mut row.latencies, age);
            }
        }
        rows.into_iter().flatten().collect()
    }

    /// The last whole seconds before `now`, all stages and names together.
    #[must_use]
    pub fn window(&self, now: Duration) -> Option<Window> {
        let mut window = window_at(now)?;
        self.shards.iter().for_each(|shard| lock(shard).ring.add_to(&mut window, now));
        Some(window)
    }

    /// The run over time, up to `now`.
    #[must_use]
    pub fn timeline(&self, now: Duration, flights: impl Iterator<Item = Flight>) -> Timeline {
        for shard in &self.shards {
            let mut shard = lock(shard);
            shard.open.close(&mut lock(&self.timeline), now.as_secs());
        }
        lock(&self.timeline).at(now, flights)
    }

    /// Takes what was seen of the run at a moment, for the timeline.
    pub fn gauge(&self, at: Duration, seen: Gauges) {
        lock(&self.timeline).gauge(at, seen);
    }

    /// Requests recorded so far.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.shards.iter().map(|shard| lock(shard).tallies.iter().flatten().map(|tally| tally.count).sum::<u64>()).sum()
    }

    /// Requests and errors recorded so far: a sum of counters, cheap enough for a live view.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        let of = |shard: &Mutex<Shard>| {
            let shard = lock(shard);
            let tallies = shard.tallies.iter().flatten();
            tallies.fold((0, 0), |(n, e), tally| (n + tally.count, e + tally.errors.iter().sum::<u64>()))
        };
        self.shards.iter().map(of).fold((0, 0), |(n, e), (count, errors)| (n + count, e + errors))
    }

    fn count_second(&self, open: &mut Open, sample: &Sample, second: u64) {
        if open.is_over(second) {
            open.close(&mut lock(&self.timeline), second);
        }
        open.count(sample);
    }

    fn shard(&self) -> Option<MutexGuard<'_, Shard>> {
        let index = thread_number().checked_rem(self.shards.len())?;
        self.shards.get(index).map(lock)
    }

    fn tally<'a>(&self, shard: &'a mut Shard, index: usize) -> Option<&'a mut Tally> {
        if index >= self.labels.names.len() * self.labels.stages.len() {
            return None;
        }
        if shard.tallies.len() <= index {
            shard.tallies.resize_with(index + 1, || None);
        }
        let tally = shard.tallies.get_mut(index)?;
        if tally.is_none() {
            *tally = Tally::new();
        }
        tally.as_mut()
    }

    /// The row of an index, made when it is first needed.
    fn row<'a>(&self, rows: &'a mut [Option<Row>], index: usize, now: Duration) -> Option<&'a mut Row> {
        let names = self.labels.names.len();
        let name = self.labels.names.get(index.checked_rem(names)?)?;
        let stage = index.checked_div(names)?;
        let label = self.labels.stages.get(stage)?;
        let until = if stage + 1 == self.labels.stages.len() { now } else { label.until.min(now) };
        let row = rows.get_mut(index)?;
        if row.is_none() {
            *row = Row::empty(name, &label.name, until.saturating_sub(label.from));
        }
        row.as_mut()
    }
}

impl Tally {
    fn new() -> Option<Self> {
        let errors = [0; Failure::ALL.len()];
        Some(Self { latencies: histogram()?, count: 0, errors, bytes: 0, http2: 0, example: None })
    }

    fn add_to(&self, row: &mut Row) {
        row.count += self.count;
        row.bytes += self.bytes;
        row.http2 += self.http2;
        for (failure, errors) in Failure::ALL.iter().zip(self.errors).filter(|(_, errors)| *errors > 0) {
            *row.errors_by.entry(*failure).or_default() += errors;
        }
        if row.example.is_none() {
            row.example.clone_from(&self.example);
        }
        // The histogram resizes itself, so that the addition cannot fail.
        let _ = row.latencies.add(&self.latencies);
    }
}

/// A panic while they were locked leaves counts that are still counts.
fn lock<T>(books: &Mutex<T>) -> MutexGuard<'_, T> {
    books.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Numbers the threads in the order of their first sample.
fn thread_number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: Cell<usize> = Cell::new(NEXT.fetch_add(1, Ordering::Relaxed));
    }
    NUMBER.with(Cell::get)
}
