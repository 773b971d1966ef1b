//! The search for the highest rate that holds: doubled until one breaks (or halved until one holds), then bisected between the
//! two. Pure.

use crate::limits::{CAPACITY_LOWEST, CAPACITY_STEPS, CAPACITY_WITHIN, RATE};

/// What is known of the knee.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Knee {
    start: f64,
    steps: usize,
    /// The highest rate that held.
    pub(super) held: Option<f64>,
    /// The lowest rate that broke.
    pub(super) broke: Option<f64>,
}

impl Knee {
    pub(super) const fn new(start: f64) -> Self {
        Self { start, steps: 0, held: None, broke: None }
    }

    /// The rate to try next; none when the knee is known well enough, or cannot be.
    pub(super) fn next(&self) -> Option<f64> {
        let next = match (self.held, self.broke) {
            (None, None) => self.start,
            (Some(held), None) => held * 2.0,
            (None, Some(broke)) => broke / 2.0,
            (Some(held), Some(broke)) if broke / held > CAPACITY_WITHIN => (held * broke).sqrt(),
            _ => return None,
        };
        let next = three_digits(next);
        let sensible = (CAPACITY_LOWEST..=RATE).contains(&next) && self.steps < CAPACITY_STEPS;
        // Rounded onto a rate that was tried, nothing would be learnt.
        (sensible && Some(next) != self.held && Some(next) != self.broke).then_some(next)
    }

    /// Whether that rate held.
    pub(super) fn tell(&mut self, rate: f64, held: bool) {
        self.steps += 1;
        if held {
            self.held = Some(self.held.map_or(rate, |before| before.max(rate)));
        } else {
            self.broke = Some(self.broke.map_or(rate, |before| before.min(rate)));
        }
    }
}

/// A rate as people say it.
fn three_digits(rate: f64) -> f64 {
    let scale = 10_f64.powf(2.0 - rate.log10().floor());
    (rate * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Searches a system that holds up to that rate; the rates that were tried, and what came out.
    fn search(start: f64, capacity: f64) -> (Vec<f64>, Knee) {
        let (mut knee, mut tried) = (Knee::new(start), Vec::new());
        while let Some(rate) = knee.next() {
            tried.push(rate);
            knee.tell(rate, rate <= capacity);
        }
        (tried, knee)
    }

    #[test]
    fn grows_until_it_breaks_and_then_bisects() {
        let (tried, knee) = search(10.0, 137.0);
        assert_eq!(tried, [10.0, 20.0, 40.0, 80.0, 160.0, 113.0, 134.0, 146.0]);
        assert_eq!((knee.held, knee.broke), (Some(134.0), Some(146.0)));
    }

    #[test]
    fn goes_down_where_the_first_rate_breaks() {
        let (tried, knee) = search(100.0, 13.0);
        assert_eq!(tried[..4], [100.0, 50.0, 25.0, 12.5]);
        assert!(knee.held.unwrap() >= 12.5 && knee.broke.unwrap() <= 14.5, "{knee:?}");
    }

    #[test]
    fn ends_where_nothing_breaks_and_where_nothing_holds() {
        assert_eq!(search(10.0, f64::INFINITY).1.broke, None);
        let (tried, knee) = search(1.0, 0.0);
        assert!(knee.held.is_none() && tried.len() < 20, "{tried:?}");
    }

    proptest! {
        #[test]
        fn finds_any_capacity_within_a_tenth(start in 1.0_f64..1000.0, capacity in 1.0_f64..20_000.0) {
            let (tried, knee) = search(start, capacity);
            prop_assert!(tried.len() <= CAPACITY_STEPS);
            if let (Some(held), Some(broke)) = (knee.held, knee.broke) {
                prop_assert!(held <= capacity && capacity <= broke && broke / held <= 1.13, "{held} {capacity} {broke}");
            }
        }
    }
}
