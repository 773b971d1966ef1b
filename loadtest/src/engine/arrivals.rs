//! The arrivals of the open model: each has its time, whatever the target does. Workers take them in order; one that is
//! late is counted from the time at which it was due, and one that nobody could take is waiting, not lost.

use super::Shape;
use crate::measure::Flight;
use fastrand::Rng;
use std::time::Duration;

/// Hands out arrivals in the order of their times.
#[derive(Clone, Debug)]
pub(super) struct Pacer {
    /// Position of the next one on the shape.
    next: f64,
    /// Independent arrivals have gaps of random length; even ones do not.
    gaps: Option<Rng>,
}

impl Pacer {
    /// A pacer at the start; `gaps` are drawn for independent arrivals.
    pub(super) fn new(gaps: Option<Rng>) -> Self {
        let mut pacer = Self { next: 0.0, gaps };
        if pacer.gaps.is_some() {
            pacer.next = pacer.gap();
        }
        pacer
    }

    /// When the next arrival is due; none after the end.
    pub(super) fn take(&mut self, shape: &Shape) -> Option<Duration> {
        let due = shape.due(self.next)?;
        self.next += self.gap();
        Some(due)
    }

    /// The times of those that are due and not taken.
    pub(super) fn waiting(&self, shape: &Shape, now: Duration) -> impl Iterator<Item = Duration> {
        let mut rest = self.clone();
        std::iter::from_fn(move || rest.take(shape).filter(|due| *due <= now))
    }

    /// How many are due and not taken: exact for even arrivals, in the mean for independent ones.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "far below 2^53 arrivals")]
    pub(super) fn backlog(&self, shape: &Shape, now: Duration) -> usize {
        (shape.arrivals(now) - self.next).ceil().max(0.0) as usize
    }

    /// The way to the next position: 1, or exponential around it.
    fn gap(&mut self) -> f64 {
        self.gaps.as_mut().map_or(1.0, |gaps| -(1.0 - gaps.f64()).ln())
    }
}

/// Whose first request an arrival is, where none was started: journeys in proportion to their weights.
#[derive(Debug, Default)]
pub(super) struct Firsts(Vec<(usize, usize)>);

impl Firsts {
    /// Weights and indices of the names.
    pub(super) const fn new(weighed: Vec<(usize, usize)>) -> Self {
        Self(weighed)
    }

    /// The flight of an arrival that did not come off the ground.
    pub(super) fn flight(&self, number: usize, due: Duration, shape: &Shape) -> Flight {
        let whole: usize = self.0.iter().map(|(weight, _)| weight).sum();
        let mut left = number.checked_rem(whole).unwrap_or(0);
        let chosen = self.0.iter().find(|(weight, _)| {
            let found = left < *weight;
            left = left.saturating_sub(*weight);
            found
        });
        let name = chosen.map_or(0, |(_, name)| *name);
        Flight { name, stage: shape.stage_at(due), since: due, held: Duration::ZERO }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Pace, Stage};
    use super::*;

    const S: Duration = Duration::from_secs(1);

    fn shape(poisson: bool) -> Shape {
        let stage = Stage { name: "load".to_owned(), level: 100.0, ramp: Duration::ZERO, duration: S * 100 };
        Shape::new(Pace::Arrivals { poisson, workers: 1 }, vec![stage])
    }

    #[test]
    fn what_nobody_took_waits() {
        let (shape, mut pacer) = (shape(false), Pacer::new(None));
        assert_eq!((pacer.take(&shape), pacer.take(&shape)), (Some(Duration::ZERO), Some(S / 100)));
        let waiting: Vec<Duration> = pacer.waiting(&shape, S / 20).collect();
        assert_eq!(waiting, [S / 50, S * 3 / 100, S / 25, S / 20]);
        assert_eq!((pacer.backlog(&shape, S / 20), pacer.backlog(&shape, S * 10)), (3, 998));
        assert_eq!(std::iter::from_fn(|| pacer.take(&shape)).count(), 9998, "and no more after the end");
    }

    #[test]
    fn independent_arrivals_come_at_random_with_the_same_rate() {
        let (shape, mut pacer) = (shape(true), Pacer::new(Some(Rng::with_seed(7))));
        let due: Vec<f64> = std::iter::from_fn(|| pacer.take(&shape)).map(|due| due.as_secs_f64()).collect();
        assert!((9_700..10_300).contains(&due.len()), "{}", due.len());
        let gaps: Vec<f64> = due.windows(2).map(|pair| pair[1] - pair[0]).collect();
        // Exponential gaps: 37 % are longer than the mean, 5 % than three times it.
        let longer = |than: f64| gaps.iter().filter(|gap| **gap > than).count() as f64 / gaps.len() as f64;
        assert!((longer(0.01) - 0.368).abs() < 0.02 && (longer(0.03) - 0.05).abs() < 0.01, "{}", longer(0.01));
    }

    #[test]
    fn those_that_wait_are_shared_out_by_weight() {
        let firsts = Firsts::new(vec![(3, 7), (1, 9)]);
        let names: Vec<usize> = (0..8).map(|number| firsts.flight(number, S, &shape(false)).name).collect();
        assert_eq!(names, [7, 7, 7, 9, 7, 7, 7, 9]);
    }
}
