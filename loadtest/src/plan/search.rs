//! The load of a search for the capacity: one step of it, and the workers that a rate takes.

use super::origin::Origin;
use super::stages::{Level, Load};
use crate::limits::WORKERS;
use std::time::Duration;

/// The profile that searches.
pub(super) const CAPACITY: &str = "capacity";

impl Load {
    /// Whether the load is searched for, step by step.
    #[must_use]
    pub fn is_search(&self) -> bool {
        self.profile.as_ref().is_some_and(|profile| profile.value.name == CAPACITY)
    }

    /// One step of the search: this rate, held so long after its ramp.
    #[must_use]
    pub fn at(&self, rate: f64, held: Duration) -> Self {
        let mut step = self.clone();
        for stage in &mut step.stages {
            stage.level = Level::Rate(rate);
            if stage.judged {
                stage.duration = held;
            }
        }
        if step.users.from == Origin::Default {
            step.users.value = workers_for(rate);
        }
        step
    }
}

/// As many workers as it takes where a journey lasts four seconds, for each carries eight journeys.
pub(super) fn workers_for(rate: f64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "clamped to a small range"
    )]
    let workers = (rate / 2.0).ceil().clamp(10.0, WORKERS as f64) as usize;
    workers
}
