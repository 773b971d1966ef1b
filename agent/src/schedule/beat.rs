//! When checks with the same interval run: together, at beats that they have in common, and there one after the other.
//! A machine that was woken for one check has its caches warm for the next: ten checks at one beat cost a quarter of ten checks
//! spread over the interval. Beats are jittered, so that agents that were started together do not stay together. Pure.

use crate::limits;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;
use tokio::time::Instant;

/// The beats of every interval, counted from the start of the schedule.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beats {
    start: Instant,
    seed: u64,
}

impl Beats {
    /// Beats counted from `start`; agents differ by `seed`.
    pub(super) const fn new(start: Instant, seed: u64) -> Self {
        Self { start, seed }
    }

    /// When a check that ran at `began` runs next: at the first beat that is more than a quarter of the interval later.
    pub(super) fn after(&self, began: Instant, interval: Duration) -> Instant {
        let earliest = began + interval / 4;
        let passed = earliest.saturating_duration_since(self.start).as_nanos() / interval.as_nanos().max(1);
        let first = u32::try_from(passed).unwrap_or(u32::MAX);
        let near = [first, first.saturating_add(1)].map(|number| self.beat(interval, number));
        near.into_iter().find(|beat| *beat > earliest).unwrap_or(began + interval)
    }

    /// The interval times its number, and up to [`limits::JITTER`] of the interval more.
    fn beat(&self, interval: Duration, number: u32) -> Instant {
        let mut hasher = DefaultHasher::new();
        (self.seed, interval, number).hash(&mut hasher);
        let chance = f64::from(u32::try_from(hasher.finish() >> 32).unwrap_or_default()) / f64::from(u32::MAX);
        self.start + interval * number + interval.mul_f64(limits::JITTER * chance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    const INTERVAL: Duration = Duration::from_secs(10);

    /// The first beats, as seconds since the start, of checks that run at each of them, late by `late`.
    fn beats(seed: u64, late: Duration) -> Vec<f64> {
        let start = clock::now();
        let beats = Beats::new(start, seed);
        let mut began = start;
        let next = |_| {
            began = beats.after(began + late, INTERVAL);
            began.duration_since(start).as_secs_f64()
        };
        (0..100).map(next).collect()
    }

    #[test]
    fn checks_of_one_interval_meet_at_every_beat_however_late_their_turn_came() {
        assert_eq!(beats(1, Duration::ZERO), beats(1, Duration::from_secs(3)));
    }

    #[test]
    fn beats_are_an_interval_apart_give_or_take_a_tenth_and_never_drift() {
        let all = beats(1, Duration::from_millis(3));
        let gaps: Vec<f64> = all.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(gaps.iter().all(|gap| (9.0..=11.0).contains(gap)), "{gaps:?}");
        assert!(gaps.iter().any(|gap| (gap - 10.0).abs() > 0.5), "they are jittered: {gaps:?}");
        assert!((all[99] - 1000.0).abs() <= 1.0, "{}", all[99]);
    }

    #[test]
    fn agents_that_started_together_do_not_stay_together() {
        let (one, other) = (beats(1, Duration::ZERO), beats(2, Duration::ZERO));
        assert!(one.iter().zip(&other).filter(|(one, other)| (*one - *other).abs() > 0.1).count() > 50);
    }

    #[test]
    fn a_run_between_two_beats_is_followed_by_the_next_beat_that_is_not_too_near() {
        let (start, seconds) = (clock::now(), Duration::from_secs);
        let beats = Beats::new(start, 1);
        assert_eq!(beats.after(start + seconds(13), INTERVAL), beats.after(start + seconds(10), INTERVAL));
        assert_eq!(beats.after(start + seconds(19), INTERVAL), beats.after(start + seconds(20), INTERVAL));
    }

    #[test]
    fn the_shortest_interval_still_has_beats_after_years() {
        let start = clock::now();
        let began = start + Duration::from_hours(24 * 365 * 20);
        let next = Beats::new(start, 1).after(began, limits::INTERVAL_LEAST);
        assert_eq!(next - began, limits::INTERVAL_LEAST);
    }
}
