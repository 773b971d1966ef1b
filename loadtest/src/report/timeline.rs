//! The run over time as the report tells it: one entry a slot, all requests together.

use crate::measure::{Gauges, Moment, Packed, PackedError, Timeline};
use crate::units::micros;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The run over time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TimelineLines {
    /// How wide a slot is; a long run has wide ones.
    pub slot_seconds: u64,
    /// The slots in order, without gaps.
    pub slots: Vec<SlotLine>,
    /// Where the bands of latency begin that `heat` counts in, in microseconds; the last is open.
    #[serde(default)]
    pub bands_us: Vec<u64>,
    /// Each request name over the slots, packed: for judging windows again. Reports of an older loadtest have none.
    #[serde(default)]
    pub requests: Vec<Packed>,
}

impl TimelineLines {
    /// The timeline that was told; an empty one where the report does not have each request name's.
    ///
    /// # Errors
    /// When what is packed is damaged.
    pub fn restored(&self) -> Result<Timeline, PackedError> {
        if self.requests.is_empty() {
            return Ok(Timeline::default());
        }
        let width = Duration::from_secs(self.slot_seconds);
        let lasted = |slot: &SlotLine| Duration::try_from_secs_f64(slot.seconds).unwrap_or_default();
        let now = self.slots.last().map_or(Duration::ZERO, |slot| Duration::from_secs(slot.from) + lasted(slot));
        Timeline::unpack(width, now, self.slots.iter().map(SlotLine::gauges).collect(), &self.requests)
    }
}

/// A slot of the timeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SlotLine {
    /// When it begins, in seconds since the first request.
    pub from: u64,
    /// How long it lasted: less than its width at the end of the run.
    pub seconds: f64,
    /// Requests that finished in it, errors included.
    pub count: u64,
    /// Errors among them.
    pub errors: u64,
    /// Percentiles in microseconds, at most 0.8 % off; null where the requests are too few to carry it.
    pub p50_us: Option<u64>,
    /// See `p50_us`.
    pub p95_us: Option<u64>,
    /// See `p50_us`.
    pub p99_us: Option<u64>,
    /// Most users at work.
    pub users: usize,
    /// Most requests in flight.
    pub in_flight: usize,
    /// Age of the oldest request in flight, in microseconds.
    pub oldest_us: u64,
    /// Most arrivals that were due and not started; 0 where users set the pace.
    pub waiting: usize,
    /// Arrivals that fell due, per second; null where users set the pace.
    pub offered: Option<f64>,
    /// Requests by the band of their latency.
    #[serde(default)]
    pub heat: Vec<u64>,
}

impl SlotLine {
    fn gauges(&self) -> Gauges {
        Gauges {
            users: self.users,
            in_flight: self.in_flight,
            waiting: self.waiting,
            oldest: Duration::from_micros(self.oldest_us),
            offered: self.offered.map(|rate| rate * self.seconds),
        }
    }
}

/// The timeline for the report.
pub(super) fn lines(of: &Timeline) -> TimelineLines {
    let heat: Vec<Vec<(u64, u64)>> = of.heat().map(|slot| slot.into_iter().map(middle).collect()).collect();
    let bands = bands(heat.iter().flatten().map(|(us, _)| *us));
    let counted = heat.iter().map(|slot| counts(slot, &bands));
    let slots = of.slots().zip(counted).map(|(slot, heat)| line(slot, heat)).collect();
    TimelineLines { slot_seconds: of.width().as_secs(), slots, bands_us: bands, requests: of.pack() }
}

fn middle((low, high, count): (u64, u64, u64)) -> (u64, u64) {
    (low.midpoint(high), count)
}

/// Bands of equal height on a logarithmic scale (five to a decade) that hold these latencies.
fn bands(latencies: impl Iterator<Item = u64>) -> Vec<u64> {
    let ends = latencies.fold(None, |ends: Option<(u64, u64)>, us| {
        Some(ends.map_or((us, us), |(least, most)| (least.min(us), most.max(us))))
    });
    let Some((least, most)) = ends else { return Vec::new() };
    let mut bands: Vec<u64> = STEPS.to_vec();
    while bands.last().is_some_and(|last| *last <= most) {
        let next: Vec<u64> = bands.iter().rev().take(DECADE).rev().map(|bound| bound * 10).collect();
        bands.extend(next);
    }
    let below = bands.iter().filter(|bound| **bound <= least).count();
    let upto = bands.iter().filter(|bound| **bound <= most).count();
    bands.into_iter().take(upto).skip(below.saturating_sub(1)).collect()
}

/// Bounds to a decade.
const DECADE: usize = 5;
/// The first bounds, in microseconds; what is faster than ten is one band.
const STEPS: [u64; 6] = [1, 10, 16, 25, 40, 63];

fn counts(slot: &[(u64, u64)], bands: &[u64]) -> Vec<u64> {
    let mut counts = vec![0; bands.len()];
    for (us, count) in slot {
        let band = bands.iter().filter(|bound| *bound <= us).count().saturating_sub(1);
        if let Some(sum) = counts.get_mut(band) {
            *sum += count;
        }
    }
    counts
}

fn line(slot: Moment, heat: Vec<u64>) -> SlotLine {
    let seconds = slot.until.saturating_sub(slot.from).as_secs_f64();
    SlotLine {
        from: slot.from.as_secs(),
        seconds,
        count: slot.count,
        errors: slot.errors,
        p50_us: slot.p50.map(micros),
        p95_us: slot.p95.map(micros),
        p99_us: slot.p99.map(micros),
        users: slot.gauges.users,
        in_flight: slot.gauges.in_flight,
        oldest_us: micros(slot.gauges.oldest),
        waiting: slot.gauges.waiting,
        offered: slot.gauges.offered.filter(|_| seconds > 0.0).map(|offered| offered / seconds),
        heat,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_latency_falls_into_one_band() {
        for (latencies, expected) in [
            (vec![], vec![]),
            (vec![12_000], vec![10_000]),
            (vec![3], vec![1]),
            (vec![90, 450], vec![63, 100, 160, 250, 400]),
            (
                vec![17, 1_000_000],
                vec![
                    16, 25, 40, 63, 100, 160, 250, 400, 630, 1000, 1600, 2500, 4000, 6300, 10_000, 16_000, 25_000,
                    40_000, 63_000, 100_000, 160_000, 250_000, 400_000, 630_000, 1_000_000,
                ],
            ),
        ] {
            let bands = bands(latencies.iter().copied());
            assert_eq!(bands, expected, "{latencies:?}");
            let slot: Vec<(u64, u64)> = latencies.iter().map(|us| (*us, 2)).collect();
            let counted: u64 = counts(&slot, &bands).iter().sum();
            assert_eq!(counted, if bands.is_empty() { 0 } else { 2 * latencies.len() as u64 }, "{latencies:?}");
        }
    }
}
