//! A timeline as texts for a report, and back: so a run can be judged again over any window. Exact: what comes back answers every
//! question as the run's own does. What must stay true: a text from anywhere is read within the caps of a timeline, or refused.
//!
//! A text is one request name's: base64 of whole numbers, seven bits a byte, the lowest first, the eighth bit says that more follow.
//! The first is the form, 1. Then, for each slot in which requests finished: slots since the one before, requests, bytes; how many
//! causes of error, and for each its place in `causes` and its count; how many buckets of latency, and for each the steps from the one
//! before and its count. Up to 127 µs a bucket is a microsecond; above, each doubling has 64.

use super::super::buckets::BUCKETS;
use super::{Gauges, Part, Slot, Timeline};
use crate::limits::{TIMELINE_CELLS, TIMELINE_SLOTS};
use crate::measure::Failure;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// The form that this program writes and reads.
const FORM: u64 = 1;

/// One request name over time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packed {
    /// The request's name.
    pub name: String,
    /// Causes of error, which the text refers to.
    pub causes: Vec<Failure>,
    /// Requests, errors and latencies of each slot, packed; see `loadtest/src/measure/timeline/packed.rs`.
    pub slots: String,
}

/// Why a timeline cannot be read back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PackedError {
    /// Another program's, or damaged.
    #[error("is not in the form that this loadtest reads")]
    Form,
    /// More than any run leaves.
    #[error("has more than a run leaves")]
    TooMuch,
}

impl Timeline {
    /// Each request name, in the order of the plan.
    #[must_use]
    pub fn pack(&self) -> Vec<Packed> {
        (0..).zip(self.names.iter()).map(|(index, name)| self.pack_one(index, name)).collect()
    }

    fn pack_one(&self, index: usize, name: &str) -> Packed {
        let (mut bytes, mut causes, mut last) = (Vec::new(), Vec::new(), 0);
        write(&mut bytes, FORM);
        for (number, slot) in (0_u64..).zip(&self.slots) {
            let Some(part) = slot.part(index) else { continue };
            write(&mut bytes, number - last);
            last = number;
            part.write(&mut bytes, &mut causes);
        }
        Packed { name: name.to_owned(), causes, slots: STANDARD.encode(bytes) }
    }

    /// A timeline from its parts: how wide a slot is, when the last one ends, and what was seen in each beside the requests.
    ///
    /// # Errors
    /// When a text is damaged, or larger than any run's.
    pub fn unpack(width: Duration, now: Duration, gauges: Vec<Gauges>, packed: &[Packed]) -> Result<Self, PackedError> {
        if gauges.len() > TIMELINE_SLOTS || !width.as_secs().is_power_of_two() {
            return Err(PackedError::Form);
        }
        let mut slots: Vec<Slot> = gauges.into_iter().map(|gauges| Slot { gauges, ..Slot::default() }).collect();
        let mut cells = 0;
        for (index, one) in packed.iter().enumerate() {
            let bytes = STANDARD.decode(one.slots.trim()).map_err(|_| PackedError::Form)?;
            let mut bytes = bytes.as_slice();
            if read(&mut bytes)? != FORM {
                return Err(PackedError::Form);
            }
            let mut number = 0_u64;
            while !bytes.is_empty() {
                number = number.saturating_add(read(&mut bytes)?);
                let part = Part::read(&mut bytes, &one.causes)?;
                cells += part.latencies.len();
                if cells > TIMELINE_CELLS {
                    return Err(PackedError::TooMuch);
                }
                let slot = usize::try_from(number).ok().and_then(|number| slots.get_mut(number));
                slot.ok_or(PackedError::Form)?.parts.push((index, part));
            }
        }
        Ok(Self {
            names: packed.iter().map(|one| one.name.clone()).collect(),
            level: width.as_secs().trailing_zeros(),
            slots: slots.into_iter().map(Arc::new).collect(),
            cells,
            now,
            flights: Vec::new(),
        })
    }
}

impl Part {
    fn write(&self, bytes: &mut Vec<u8>, causes: &mut Vec<Failure>) {
        write(bytes, self.count);
        write(bytes, self.bytes);
        write(bytes, self.errors.len() as u64);
        for (failure, count) in &self.errors {
            let known = causes.iter().position(|cause| cause == failure);
            let place = known.unwrap_or_else(|| {
                causes.push(*failure);
                causes.len() - 1
            });
            write(bytes, place as u64);
            write(bytes, u64::from(*count));
        }
        write(bytes, self.latencies.len() as u64);
        let mut last = 0;
        for (bucket, count) in &self.latencies {
            write(bytes, u64::from(bucket - last));
            write(bytes, u64::from(*count));
            last = *bucket;
        }
    }

    fn read(bytes: &mut &[u8], causes: &[Failure]) -> Result<Self, PackedError> {
        let mut part = Self { count: read(bytes)?, bytes: read(bytes)?, ..Self::default() };
        for _ in 0..length(bytes, Failure::ALL.len())? {
            let cause = usize::try_from(read(bytes)?).ok().and_then(|place| causes.get(place));
            part.errors.push((*cause.ok_or(PackedError::Form)?, small(read(bytes)?)?));
        }
        let mut last = 0_u64;
        for _ in 0..length(bytes, BUCKETS)? {
            last = last.saturating_add(read(bytes)?);
            let bucket = u16::try_from(last).ok().filter(|bucket| usize::from(*bucket) < BUCKETS);
            part.latencies.push((bucket.ok_or(PackedError::Form)?, small(read(bytes)?)?));
        }
        Ok(part)
    }
}

/// How many follow: no more than there can be.
fn length(bytes: &mut &[u8], most: usize) -> Result<usize, PackedError> {
    usize::try_from(read(bytes)?).ok().filter(|length| *length <= most).ok_or(PackedError::Form)
}

fn small(number: u64) -> Result<u32, PackedError> {
    u32::try_from(number).map_err(|_| PackedError::Form)
}

fn write(bytes: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push((number & 0x7f) as u8);
}

fn read(bytes: &mut &[u8]) -> Result<u64, PackedError> {
    let mut number = 0_u64;
    for shift in (0..63).step_by(7) {
        let (first, rest) = bytes.split_first().ok_or(PackedError::Form)?;
        *bytes = rest;
        number |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(PackedError::Form)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{Labels, Recorder, Sample};
    use proptest::prelude::*;

    /// Requests of two names: second, name, milliseconds, whether they failed.
    fn timeline(requests: &[(u64, usize, u64, bool)]) -> Timeline {
        let names = vec!["GET /a".to_owned(), "GET /b".to_owned()];
        let recorder = Recorder::new(Labels { names, stages: Vec::new() }, 1);
        let mut sorted = requests.to_vec();
        sorted.sort_unstable();
        for (second, name, ms, failed) in &sorted {
            let failure = failed.then_some(if ms % 2 == 0 { Failure::Timeout } else { Failure::Status });
            let latency = Duration::from_millis(*ms);
            let sample = Sample { name: *name, stage: 0, latency, status: 200, bytes: ms * 3, http2: false, failure };
            recorder.record(&sample, Duration::from_secs(*second), None);
            recorder.gauge(Duration::from_secs(*second), Gauges { users: *name + 1, ..Gauges::default() });
        }
        let end = sorted.last().map_or(0, |(second, ..)| second + 1);
        recorder.timeline(Duration::from_secs(end), std::iter::empty())
    }

    fn again(of: &Timeline) -> Timeline {
        let gauges = of.slots().map(|slot| slot.gauges).collect();
        let text = serde_json::to_string(&of.pack()).expect("JSON");
        let packed: Vec<Packed> = serde_json::from_str(&text).expect("JSON");
        Timeline::unpack(of.width(), of.now, gauges, &packed).expect("a timeline")
    }

    /// All that a timeline tells of every window of three slots.
    fn told(of: &Timeline) -> Vec<String> {
        let width = of.width();
        let windows = (0..u32::try_from(of.slots.len()).expect("few")).map(|from| width * from..width * (from + 3));
        let rows = windows.flat_map(|window| of.rows(window.start, window.end));
        rows.map(|row| format!("{row:?}")).chain(of.slots().map(|slot| format!("{slot:?}"))).collect()
    }

    #[test]
    fn a_run_of_an_hour_comes_back_as_it_was() {
        let requests: Vec<_> = (0..3600).map(|at| (at, (at % 2) as usize, 1 + at * 7 % 900, at % 11 == 0)).collect();
        let timeline = timeline(&requests);
        assert_eq!(timeline.width(), Duration::from_secs(4));
        assert_eq!(told(&again(&timeline)), told(&timeline));
        let size = serde_json::to_string(&timeline.pack()).expect("JSON").len();
        assert!(size < 60_000, "{size} bytes for 3600 requests");
    }

    #[test]
    fn what_is_damaged_or_endless_is_refused() {
        let packed = timeline(&[(0, 0, 5, true), (1, 0, 9, false)]).pack();
        let with = |slots: String, causes: Vec<Failure>| {
            let one = Packed { name: "a".to_owned(), causes, slots };
            Timeline::unpack(Duration::from_secs(1), Duration::from_secs(2), vec![Gauges::default(); 2], &[one])
        };
        let good = &packed[0];
        assert!(with(good.slots.clone(), good.causes.clone()).is_ok());
        assert_eq!(with("%".to_owned(), vec![]).expect_err("no base64"), PackedError::Form);
        assert_eq!(with(good.slots.clone(), vec![]).expect_err("no causes"), PackedError::Form);
        let bytes = STANDARD.decode(&good.slots).expect("bytes");
        // Cut off behind a slot, it is a shorter run's.
        let cuts = (0..bytes.len()).filter(|cut| with(STANDARD.encode(&bytes[..*cut]), good.causes.clone()).is_ok());
        assert!(cuts.count() <= 2);
        let late = Timeline::unpack(Duration::from_secs(1), Duration::ZERO, Vec::new(), &packed);
        assert_eq!(late.expect_err("slots that are not there"), PackedError::Form);
        let odd = Timeline::unpack(Duration::from_secs(3), Duration::ZERO, Vec::new(), &[]);
        assert_eq!(odd.expect_err("three seconds are no width"), PackedError::Form);
    }

    proptest! {
        #[test]
        fn every_timeline_comes_back(requests in prop::collection::vec((0_u64..40, 0_usize..2, 1_u64..700_000, any::<bool>()), 0..60)) {
            let timeline = timeline(&requests);
            prop_assert_eq!(told(&again(&timeline)), told(&timeline));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let one = Packed { name: "a".to_owned(), causes: vec![Failure::Status], slots: STANDARD.encode(bytes) };
            let _ = Timeline::unpack(Duration::from_secs(1), Duration::from_secs(9), vec![Gauges::default(); 9], &[one]);
        }
    }
}
