//! What was measured: samples go into a recorder of HDR histograms per stage and request name, a summary comes out.
//! In microseconds, body included. Knows neither the engine nor the report; asks no clock: the time is an argument.
//! Memory stays flat: it grows with names and stages, never with requests; the timeline grows up to its cap.

mod allowance;
mod buckets;
mod flights;
mod generator;
mod hdr;
mod open;
mod recorder;
mod sample;
mod summary;
#[cfg(test)]
mod tests;
mod timeline;
#[cfg(test)]
mod timeline_tests;
mod window;

pub use allowance::allowed_cores;
pub use flights::{Flight, Flights};
pub use generator::SelfWatch;
pub use hdr::{HdrError, decode, encode};
pub use recorder::{Labels, Recorder, StageLabel};
pub use sample::{Failure, Sample};
pub use summary::{Arrivals, Generator, Lateness, Row, Summary};
pub use timeline::{Gauges, Moment, Packed, PackedError, Timeline};
pub use window::Window;

use crate::limits;
use hdrhistogram::Histogram;
use std::time::Duration;

/// A histogram as used everywhere: microseconds, three significant digits (an error of at most 0.1 %), growing as
/// needed up to ten minutes.
pub(crate) fn histogram() -> Option<Histogram<u64>> {
    Histogram::new(3).ok()
}

/// Whether so many requests carry the percentile of this share (0 to 1): at least one must lie beyond it, so that p99 takes 100.
#[must_use]
pub fn carries(count: u64, share: f64) -> bool {
    // 1.0 - 0.99 is a little below 0.01.
    (1.0 - share) * summary::ratio(count, 1) >= 0.999_999
}

/// Counts a latency. (`saturating_record` would clamp to the present size instead of growing.)
pub(crate) fn record(histogram: &mut Histogram<u64>, latency: Duration) {
    // Fails only when it may not grow; ours may.
    let _ = histogram.record(micros(latency));
}

/// A latency as the histograms hold it: whole microseconds, at least one, at most the longest they hold.
fn micros(latency: Duration) -> u64 {
    u64::try_from(latency.as_micros()).unwrap_or(limits::LATENCY_US).clamp(1, limits::LATENCY_US)
}
