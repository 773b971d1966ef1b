//! The last seconds, for the live view: a ring of one small histogram a second, so that old seconds fall out whole.

use super::{histogram, record};
use crate::limits::WINDOW_SECONDS;
use hdrhistogram::Histogram;
use std::time::Duration;

/// What finished during the last [`WINDOW_SECONDS`] whole seconds.
#[derive(Clone, Debug)]
pub struct Window {
    /// Finished requests.
    pub count: u64,
    /// Errors among them.
    pub errors: u64,
    /// Latencies in microseconds.
    pub latencies: Histogram<u64>,
    /// The time that the window covers: less than its full length at the start of a run, zero in the first second.
    pub over: Duration,
}

impl Window {
    /// Finished requests a second; absent in the first second.
    #[must_use]
    pub fn throughput(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "requests of a few seconds")]
        let count = self.count as f64;
        (!self.over.is_zero()).then(|| count / self.over.as_secs_f64())
    }
}

/// One second of samples.
#[derive(Debug)]
struct Second {
    number: u64,
    count: u64,
    errors: u64,
    latencies: Histogram<u64>,
}

/// The seconds of one shard: the current one and the whole ones before it.
#[derive(Debug, Default)]
pub(super) struct Ring {
    seconds: Vec<Second>,
}

/// The window and the second that is still being filled.
const SLOTS: u64 = WINDOW_SECONDS + 1;

impl Ring {
    /// Counts a request that finished `at` since the start of the run.
    pub(super) fn record(&mut self, at: Duration, latency: Duration, failed: bool) {
        let number = at.as_secs();
        let Some(second) = self.second(number) else { return };
        second.count += 1;
        second.errors += u64::from(failed);
        record(&mut second.latencies, latency);
    }

    /// Adds the whole seconds before `now` to a window.
    pub(super) fn add_to(&self, window: &mut Window, now: Duration) {
        let current = now.as_secs();
        let covered = current.saturating_sub(WINDOW_SECONDS)..current;
        for second in self.seconds.iter().filter(|second| covered.contains(&second.number)) {
            window.count += second.count;
            window.errors += second.errors;
            let _ = window.latencies.add(&second.latencies);
        }
    }

    /// The slot of that second, emptied of an older one; absent when the second has been overtaken.
    fn second(&mut self, number: u64) -> Option<&mut Second> {
        let slot = usize::try_from(number % SLOTS).ok()?;
        while self.seconds.len() <= slot {
            self.seconds.push(Second { number, count: 0, errors: 0, latencies: histogram()? });
        }
        let second = self.seconds.get_mut(slot)?;
        if second.number < number {
            (second.number, second.count, second.errors) = (number, 0, 0);
            second.latencies.reset();
        }
        (second.number == number).then_some(second)
    }
}

/// An empty window as of `now`.
pub(super) fn window_at(now: Duration) -> Option<Window> {
    let over = Duration::from_secs(now.as_secs().min(WINDOW_SECONDS));
    Some(Window { count: 0, errors: 0, latencies: histogram()?, over })
}
