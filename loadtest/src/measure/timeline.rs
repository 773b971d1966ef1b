//! The run over time: for each slot (a second; two, four, … in a long run) and request name how many finished, how they
//! failed and how long they took; beside it users, requests in flight and what was offered. Answers any window of time.
//!
//! A request belongs to the slot in which it finished. One that hangs is in no slot yet, but in every window that it has
//! hung through for a second or more, with its age as the lower bound of its latency.
//!
//! What must stay true: memory is bounded. Slots and cells have caps in `limits`; at either, neighbours are merged.

mod packed;

pub use packed::{Packed, PackedError};

use super::buckets::{bounds, middle, union};
use super::{Failure, Flight, Row};
use crate::limits::{TELLING_AGE, TIMELINE_CELLS, TIMELINE_SLOTS};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A run over time; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    names: Arc<[String]>,
    /// A slot is 2^level seconds wide.
    level: u32,
    slots: Vec<Arc<Slot>>,
    /// Cells of all slots together.
    cells: usize,
    /// Time since the start of the run.
    now: Duration,
    /// Requests in flight that are old enough to tell something.
    flights: Vec<Flight>,
}

/// What happened in one slot of time.
#[derive(Clone, Debug, Default)]
struct Slot {
    /// One part a request name that finished in it, sorted by the name's index.
    parts: Vec<(usize, Part)>,
    /// Users, flights and what was offered.
    gauges: Gauges,
}

/// Beside the requests of a slot: the most that was seen in it, except for what adds up.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Gauges {
    /// Users at work.
    pub users: usize,
    /// Requests in flight.
    pub in_flight: usize,
    /// Arrivals that were due and had not been started; always 0 where users set the pace.
    pub waiting: usize,
    /// Age of the oldest request in flight.
    pub oldest: Duration,
    /// Arrivals that fell due in the slot; absent where users set the pace. Adds up.
    pub offered: Option<f64>,
}

/// Requests of one name in one slot.
#[derive(Clone, Debug, Default)]
pub(super) struct Part {
    pub(super) count: u64,
    pub(super) bytes: u64,
    pub(super) errors: Vec<(Failure, u32)>,
    /// Bucket and count, sorted by bucket.
    pub(super) latencies: Vec<(u16, u32)>,
}

/// A slot of all requests, for plots.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    /// When it begins, since the start of the run.
    pub from: Duration,
    /// When it ends; the last one at the time of the summary.
    pub until: Duration,
    /// Requests that finished in it, errors included.
    pub count: u64,
    /// Errors among them.
    pub errors: u64,
    /// Percentiles; absent where the requests are too few to carry it.
    pub p50: Option<Duration>,
    /// See `p50`.
    pub p95: Option<Duration>,
    /// See `p50`.
    pub p99: Option<Duration>,
    /// Users, flights and what was offered.
    pub gauges: Gauges,
}

impl Timeline {
    /// An empty one for these request names.
    pub(super) fn new(names: &[String]) -> Self {
        Self { names: names.into(), ..Self::default() }
    }

    /// How wide a slot is.
    #[must_use]
    pub fn width(&self) -> Duration {
        Duration::from_secs(1 << self.level.min(32))
    }

    /// The request names, in the order of the plan.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// All slots, without gaps, all requests together.
    pub fn slots(&self) -> impl Iterator<Item = Moment> {
        (0..).zip(&self.slots).map(|(index, slot)| slot.moment(self.from(index), self.until(index)))
    }

    /// The latencies of each slot for a heat map: lowest and highest of a bucket in microseconds, and its count.
    pub fn heat(&self) -> impl Iterator<Item = Vec<(u64, u64, u64)>> {
        self.slots.iter().map(|slot| {
            let each = slot.latencies().into_iter();
            each.map(|(bucket, count)| (bounds(bucket).0, bounds(bucket).1, count)).collect()
        })
    }

    /// One row a request name over a window of time, as the judge reads them; only names that have something to say. The
    /// window is widened to whole slots; a row's time is that of the window within the run. Its stage has no name.
    #[must_use]
    pub fn rows(&self, from: Duration, until: Duration) -> Vec<Row> {
        let slots: Vec<&Arc<Slot>> = (0..)
            .zip(&self.slots)
            .filter(|(index, _)| self.until(*index) > from && self.from(*index) < until)
            .map(|(_, slot)| slot)
            .collect();
        let over = until.min(self.now).saturating_sub(from);
        let names = self.names.iter().enumerate();
        names.filter_map(|(name, said)| self.row((name, said), &slots, until.min(self.now), over)).collect()
    }

    /// The same as one row: all requests whose name is picked; none when nothing finished nor hung.
    #[must_use]
    pub fn window(&self, from: Duration, until: Duration, picked: impl Fn(&str) -> bool) -> Option<Row> {
        self.rows(from, until).into_iter().filter(|row| picked(&row.name)).reduce(|mut sum, row| {
            sum.add(&row);
            sum.name = "all".to_owned();
            sum
        })
    }

    /// Adds another generator's timeline of the same run.
    pub fn merge(&mut self, other: &Self) {
        let mut other = other.clone();
        while self.level < other.level {
            self.coarsen();
        }
        while other.level < self.level {
            other.coarsen();
        }
        let mut names = self.names.to_vec();
        let mut place = |name: &String| {
            names.iter().position(|mine| mine == name).unwrap_or_else(|| {
                names.push(name.clone());
                names.len() - 1
            })
        };
        let places: Vec<usize> = other.names.iter().map(&mut place).collect();
        for (index, slot) in other.slots.iter().enumerate() {
            let mut slot = Slot::clone(slot);
            slot.parts.iter_mut().for_each(|(name, _)| *name = places.get(*name).copied().unwrap_or(*name));
            slot.parts.sort_by_key(|(name, _)| *name);
            self.slot(index, |mine| mine.beside(&slot));
        }
        self.names = names.into();
        self.now = self.now.max(other.now);
        let renamed = |flight: Flight| Some(Flight { name: places.get(flight.name).copied()?, ..flight });
        self.flights.extend(other.flights.into_iter().filter_map(renamed));
    }

    /// As of a moment: the requests that hang then.
    pub(super) fn at(&self, now: Duration, flights: impl Iterator<Item = Flight>) -> Self {
        let old = |flight: &Flight| now.saturating_sub(flight.since) >= TELLING_AGE;
        Self { now, flights: flights.filter(old).collect(), ..self.clone() }
    }

    /// Adds what finished in a second of the run.
    pub(super) fn add(&mut self, second: u64, parts: impl Iterator<Item = (usize, Part)>) {
        let parts: Vec<(usize, Part)> = parts.collect();
        if !parts.is_empty() {
            let slot = Slot { parts, gauges: Gauges::default() };
            self.second(second, |mine| mine.after(&slot));
        }
    }

    /// Takes what was seen at a moment.
    pub(super) fn gauge(&mut self, at: Duration, seen: Gauges) {
        self.second(at.as_secs(), |slot| slot.gauges = slot.gauges.after(seen));
    }

    fn second(&mut self, second: u64, change: impl FnOnce(&mut Slot)) {
        while second >> self.level >= TIMELINE_SLOTS as u64 {
            self.coarsen();
        }
        self.slot(usize::try_from(second >> self.level).unwrap_or(usize::MAX), change);
        while self.cells > TIMELINE_CELLS && self.slots.len() > 1 {
            self.coarsen();
        }
    }

    fn slot(&mut self, index: usize, change: impl FnOnce(&mut Slot)) {
        while self.slots.len() <= index {
            self.slots.push(Arc::default());
        }
        if let Some(slot) = self.slots.get_mut(index) {
            self.cells -= slot.cells();
            change(Arc::make_mut(slot));
            self.cells += slot.cells();
        }
    }

    /// Twice as wide slots.
    fn coarsen(&mut self) {
        self.level += 1;
        let merged = self.slots.chunks(2).map(|pair| match pair {
            [first, second] => {
                let mut sum = Slot::clone(first);
                sum.after(second);
                Arc::new(sum)
            }
            one => one.first().cloned().unwrap_or_default(),
        });
        self.slots = merged.collect();
        self.cells = self.slots.iter().map(|slot| slot.cells()).sum();
    }

    fn from(&self, index: u32) -> Duration {
        self.width() * index
    }

    fn until(&self, index: u32) -> Duration {
        let end = self.from(index) + self.width();
        // The last slot is still being filled.
        if usize::try_from(index).is_ok_and(|index| index + 1 == self.slots.len()) && self.now > self.from(index) {
            return end.min(self.now);
        }
        end
    }

    fn row(
        &self,
        (name, said): (usize, &String),
        slots: &[&Arc<Slot>],
        until: Duration,
        over: Duration,
    ) -> Option<Row> {
        let mut parts = slots.iter().filter_map(|slot| slot.part(name)).peekable();
        let hung = |flight: &&Flight| flight.name == name && until.saturating_sub(flight.since) >= TELLING_AGE;
        let mut flights = self.flights.iter().filter(hung).peekable();
        if parts.peek().is_none() && flights.peek().is_none() {
            return None;
        }
        let mut row = Row::empty(said, "", over)?;
        parts.for_each(|part| part.add_to(&mut row));
        for flight in flights {
            row.unanswered += 1;
            super::record(&mut row.latencies, until.saturating_sub(flight.since));
        }
        Some(row)
    }
}

impl Slot {
    fn part(&self, name: usize) -> Option<&Part> {
        let at = self.parts.binary_search_by_key(&name, |(name, _)| *name).ok()?;
        self.parts.get(at).map(|(_, part)| part)
    }

    fn cells(&self) -> usize {
        self.parts.iter().map(|(_, part)| part.latencies.len()).sum()
    }

    /// Adds what came later, or another part of the same slot.
    fn after(&mut self, later: &Self) {
        self.add_parts(later);
        self.gauges = self.gauges.after(later.gauges);
    }

    /// Adds what another generator saw in the same slot.
    fn beside(&mut self, other: &Self) {
        self.add_parts(other);
        self.gauges = self.gauges.beside(other.gauges);
    }

    fn add_parts(&mut self, other: &Self) {
        for (name, part) in &other.parts {
            match self.parts.binary_search_by_key(name, |(name, _)| *name) {
                Ok(at) => self.parts.iter_mut().skip(at).take(1).for_each(|(_, mine)| mine.add(part)),
                Err(at) => self.parts.insert(at, (*name, part.clone())),
            }
        }
    }

    /// All names together.
    fn latencies(&self) -> BTreeMap<u16, u64> {
        let mut all = BTreeMap::new();
        for (bucket, count) in self.parts.iter().flat_map(|(_, part)| &part.latencies) {
            *all.entry(*bucket).or_default() += u64::from(*count);
        }
        all
    }

    fn moment(&self, from: Duration, until: Duration) -> Moment {
        let count = self.parts.iter().map(|(_, part)| part.count).sum();
        let latencies = self.latencies();
        let carried = |share: f64| super::carries(count, share).then(|| quantile(&latencies, share)).flatten();
        Moment {
            from,
            until,
            count,
            errors: self.parts.iter().map(|(_, part)| part.errors()).sum(),
            p50: carried(0.50),
            p95: carried(0.95),
            p99: carried(0.99),
            gauges: self.gauges,
        }
    }
}

/// The latency that this share of the requests did not exceed.
fn quantile(latencies: &BTreeMap<u16, u64>, share: f64) -> Option<Duration> {
    let whole: u64 = latencies.values().sum();
    #[expect(clippy::cast_precision_loss, reason = "requests of a slot stay below 2^53")]
    let wanted = share * whole as f64;
    let mut seen = 0;
    let reached = latencies.iter().find(|(_, count)| {
        seen += **count;
        #[expect(clippy::cast_precision_loss, reason = "requests of a slot stay below 2^53")]
        let enough = seen as f64 >= wanted;
        enough
    });
    reached.map(|(bucket, _)| Duration::from_micros(middle(*bucket)))
}

impl Gauges {
    fn after(self, later: Self) -> Self {
        Self {
            users: self.users.max(later.users),
            in_flight: self.in_flight.max(later.in_flight),
            waiting: self.waiting.max(later.waiting),
            oldest: self.oldest.max(later.oldest),
            offered: sum(self.offered, later.offered),
        }
    }

    fn beside(self, other: Self) -> Self {
        Self {
            users: self.users + other.users,
            in_flight: self.in_flight + other.in_flight,
            waiting: self.waiting + other.waiting,
            ..self.after(other)
        }
    }
}

fn sum(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one + other),
        (one, other) => one.or(other),
    }
}

impl Part {
    fn errors(&self) -> u64 {
        self.errors.iter().map(|(_, count)| u64::from(*count)).sum()
    }

    fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.bytes += other.bytes;
        for (failure, count) in &other.errors {
            match self.errors.iter_mut().find(|(mine, _)| mine == failure) {
                Some((_, mine)) => *mine = mine.saturating_add(*count),
                None => self.errors.push((*failure, *count)),
            }
        }
        self.latencies = union(&self.latencies, &other.latencies);
    }

    fn add_to(&self, row: &mut Row) {
        row.count += self.count;
        row.bytes += self.bytes;
        for (failure, count) in &self.errors {
            *row.errors_by.entry(*failure).or_default() += u64::from(*count);
        }
        for (bucket, count) in &self.latencies {
            // The histogram resizes itself, so that the addition cannot fail.
            let _ = row.latencies.record_n(middle(*bucket), u64::from(*count));
        }
    }
}
