//! The second that one shard is filling: flat arrays, so that counting a request costs a few nanoseconds. When it is over
//! it goes into the timeline in its small form.

use super::buckets::{BUCKETS, bucket_of};
use super::timeline::{Part, Timeline};
use super::{Failure, Sample};

/// One second of one shard.
#[derive(Debug, Default)]
pub(super) struct Open {
    second: u64,
    names: Vec<Option<Box<Counts>>>,
}

#[derive(Debug)]
struct Counts {
    count: u32,
    bytes: u64,
    errors: [u32; Failure::ALL.len()],
    latencies: [u32; BUCKETS],
}

impl Default for Counts {
    fn default() -> Self {
        Self { count: 0, bytes: 0, errors: [0; Failure::ALL.len()], latencies: [0; BUCKETS] }
    }
}

impl Open {
    /// Whether a sample of that second goes elsewhere: this one has to be closed first.
    pub(super) const fn is_over(&self, second: u64) -> bool {
        self.second != second
    }

    /// Counts a sample of the open second.
    pub(super) fn count(&mut self, sample: &Sample) {
        if self.names.len() <= sample.name {
            self.names.resize_with(sample.name + 1, || None);
        }
        let Some(counts) = self.names.get_mut(sample.name) else { return };
        let counts = counts.get_or_insert_default();
        counts.count += 1;
        counts.bytes += sample.bytes;
        if let Some(count) = sample.failure.and_then(|failure| counts.errors.get_mut(failure as usize)) {
            *count += 1;
        }
        if let Some(count) = counts.latencies.get_mut(bucket_of(sample.latency)) {
            *count += 1;
        }
    }

    /// Puts what was counted into the timeline and goes on with that second.
    pub(super) fn close(&mut self, timeline: &mut Timeline, next: u64) {
        let second = std::mem::replace(&mut self.second, next);
        let counted = self.names.iter_mut().enumerate().filter_map(|(name, counts)| Some((name, counts.as_mut()?)));
        timeline
            .add(second, counted.filter(|(_, counts)| counts.count > 0).map(|(name, counts)| (name, counts.take())));
    }
}

impl Counts {
    /// The small form; the counts are zero again.
    fn take(&mut self) -> Part {
        let errors = Failure::ALL.into_iter().zip(self.errors).filter(|(_, count)| *count > 0).collect();
        let latencies = (0_u16..).zip(self.latencies).filter(|(_, count)| *count > 0).collect();
        let part = Part { count: u64::from(self.count), bytes: self.bytes, errors, latencies };
        *self = Self::default();
        part
    }
}
