//! How well the kernel's clock is kept, as adjtimex(2) tells. Reading needs no right; a strict seccomp profile may forbid it.
//! The crate that makes the system call is named in this file only: `rustix` has no such call, and code of ours is never unsafe.

use super::look::{Lack, Look};
use super::{Part, on};
use crate::reading::Metric;
use rtime_clock::adjtime::{Timex, adjtimex};

static SYNCED: Metric = Metric::gauge(
    "node_timex_sync_status",
    "Whether the clock is kept by a source of time, 1 or 0, as the kernel was told",
);
static OFFSET: Metric = Metric::gauge("node_timex_offset_seconds", "What the clock is off its source, in seconds");
static FREQUENCY: Metric =
    Metric::gauge("node_timex_frequency_adjustment_ratio", "Speed of the clock by its correction, 1 without one");
static ERROR_MOST: Metric = Metric::gauge("node_timex_maxerror_seconds", "Most that the clock may be off, in seconds");
static ERROR: Metric = Metric::gauge("node_timex_estimated_error_seconds", "What the clock is likely off, in seconds");
static STATUS: Metric = Metric::gauge("node_timex_status", "Bits of the clock's state");
static CONSTANT: Metric = Metric::gauge("node_timex_loop_time_constant", "Time constant of the phase-locked loop");
static TICK: Metric = Metric::gauge("node_timex_tick_seconds", "Time between two ticks, in seconds");
static PPS_FREQUENCY: Metric =
    Metric::gauge("node_timex_pps_frequency_hertz", "Frequency of the pulse-per-second signal");
static PPS_JITTER: Metric =
    Metric::gauge("node_timex_pps_jitter_seconds", "Jitter of the pulse-per-second signal, in seconds");
static PPS_SHIFT: Metric =
    Metric::gauge("node_timex_pps_shift_seconds", "Interval of the pulse-per-second signal, as the kernel has it");
static PPS_STABILITY: Metric =
    Metric::gauge("node_timex_pps_stability_hertz", "Recent change of the pulse-per-second signal's frequency");
static PPS_JITTERS: Metric =
    Metric::counter("node_timex_pps_jitter_total", "How often the pulse-per-second signal had too much jitter");
static PPS_CALIBRATIONS: Metric =
    Metric::counter("node_timex_pps_calibration_total", "Calibrations by the pulse-per-second signal");
static PPS_ERRORS: Metric =
    Metric::counter("node_timex_pps_error_total", "Calibrations by the pulse-per-second signal that failed");
static PPS_UNSTABLE: Metric = Metric::counter(
    "node_timex_pps_stability_exceeded_total",
    "How often the pulse-per-second signal's frequency changed too much",
);
static TAI: Metric =
    Metric::gauge("node_timex_tai_offset_seconds", "What atomic time is ahead of UTC, in seconds, when known");

/// The row of the table.
pub(super) static TIMEX: Part = on(
    "timex",
    timex,
    &[
        &SYNCED,
        &OFFSET,
        &FREQUENCY,
        &ERROR_MOST,
        &ERROR,
        &STATUS,
        &CONSTANT,
        &TICK,
        &PPS_FREQUENCY,
        &PPS_JITTER,
        &PPS_SHIFT,
        &PPS_STABILITY,
        &PPS_JITTERS,
        &PPS_CALIBRATIONS,
        &PPS_ERRORS,
        &PPS_UNSTABLE,
        &TAI,
    ],
);

/// The clock's state `TIME_ERROR`: nothing keeps it.
const NOT_KEPT: i32 = 5;
/// The bit `STA_NANO`: some times are in nanoseconds.
const IN_NANOSECONDS: i32 = 0x2000;
/// The kernel writes frequencies as parts in a million, with 16 bits behind the point.
const PARTS: f64 = 1e6 * 65_536.0;

fn timex(look: &mut Look<'_>) -> Result<(), Lack> {
    let mut clock = Timex::new();
    let state = adjtimex(&mut clock).map_err(|error| match error.kind() {
        std::io::ErrorKind::PermissionDenied => Lack::Nothing,
        _ => Lack::Failed(format!("the kernel does not tell of its clock: {error}")),
    })?;
    for (metric, value) in read(state, &clock) {
        look.give(metric, [], value);
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "Prometheus values are floats; these are small")]
fn read(state: i32, Timex(clock): &Timex) -> [(&'static Metric, f64); 17] {
    let unit = if clock.status & IN_NANOSECONDS == 0 { 1e6 } else { 1e9 };
    [
        (&SYNCED, f64::from(u8::from(state != NOT_KEPT))),
        (&OFFSET, clock.offset as f64 / unit),
        (&FREQUENCY, 1.0 + clock.freq as f64 / PARTS),
        (&ERROR_MOST, clock.maxerror as f64 / 1e6),
        (&ERROR, clock.esterror as f64 / 1e6),
        (&STATUS, f64::from(clock.status)),
        (&CONSTANT, clock.constant as f64),
        (&TICK, clock.tick as f64 / 1e6),
        (&PPS_FREQUENCY, clock.ppsfreq as f64 / PARTS),
        (&PPS_JITTER, clock.jitter as f64 / unit),
        (&PPS_SHIFT, f64::from(clock.shift)),
        (&PPS_STABILITY, clock.stabil as f64 / PARTS),
        (&PPS_JITTERS, clock.jitcnt as f64),
        (&PPS_CALIBRATIONS, clock.calcnt as f64),
        (&PPS_ERRORS, clock.errcnt as f64),
        (&PPS_UNSTABLE, clock.stbcnt as f64),
        (&TAI, f64::from(clock.tai)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::node::testing::look_at;

    fn value(state: i32, clock: &Timex, metric: &Metric) -> f64 {
        let found = read(state, clock).into_iter().find(|(known, _)| *known == metric);
        found.expect("a value").1
    }

    #[test]
    fn units_follow_the_clocks_state() {
        let mut clock = Timex::new();
        (clock.0.offset, clock.0.maxerror, clock.0.freq) = (1500, 16_000_000, 65_536_000);
        assert!((value(0, &clock, &OFFSET) - 0.0015).abs() < 1e-12, "microseconds");
        clock.0.tick = 10_000;
        assert!((value(0, &clock, &TICK) - 0.01).abs() < 1e-9);
        clock.0.status = IN_NANOSECONDS;
        assert!((value(0, &clock, &OFFSET) - 0.000_001_5).abs() < 1e-15, "nanoseconds");
        assert!((value(0, &clock, &ERROR_MOST) - 16.0).abs() < 1e-9);
        assert!((value(0, &clock, &FREQUENCY) - 1.001).abs() < 1e-9);
    }

    #[test]
    fn a_clock_that_nothing_keeps_is_told() {
        let clock = Timex::new();
        assert!(value(NOT_KEPT, &clock, &SYNCED) < 0.5 && value(0, &clock, &SYNCED) > 0.5);
    }

    #[test]
    fn the_kernel_of_this_machine_answers() {
        let (result, readings) = look_at(&[], &TIMEX);
        assert_eq!((result, readings.len()), (Ok(()), 17));
    }
}
