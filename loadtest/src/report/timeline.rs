//! The run over time as the report tells it: one entry a slot, all requests together.

use crate::measure::{Moment, Timeline};
use serde::Serialize;
use std::time::Duration;

/// The run over time.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TimelineLines {
    /// How wide a slot is; a long run has wide ones.
    pub slot_seconds: u64,
    /// The slots in order, without gaps.
    pub slots: Vec<SlotLine>,
}

/// A slot of the timeline.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
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
}

/// The timeline for the report.
pub(super) fn lines(of: &Timeline) -> TimelineLines {
    TimelineLines { slot_seconds: of.width().as_secs(), slots: of.slots().map(line).collect() }
}

fn line(slot: Moment) -> SlotLine {
    let seconds = slot.until.saturating_sub(slot.from).as_secs_f64();
    let us = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    SlotLine {
        from: slot.from.as_secs(),
        seconds,
        count: slot.count,
        errors: slot.errors,
        p50_us: slot.p50.map(us),
        p95_us: slot.p95.map(us),
        p99_us: slot.p99.map(us),
        users: slot.gauges.users,
        in_flight: slot.gauges.in_flight,
        oldest_us: us(slot.gauges.oldest),
        waiting: slot.gauges.waiting,
        offered: slot.gauges.offered.filter(|_| seconds > 0.0).map(|offered| offered / seconds),
    }
}
