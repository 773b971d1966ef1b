//! The plan's load as the engine takes it, and its stages as the report tells them.

use crate::engine::{self, Pace, Shape};
use crate::plan::{Arrivals, Level, Load};
use crate::report;
use std::time::Duration;

/// The shape of the load.
pub(super) fn shape(load: &Load) -> Shape {
    let pace = if load.is_open() {
        Pace::Arrivals { poisson: load.arrivals.value == Arrivals::Poisson, workers: load.users.value }
    } else {
        Pace::Users
    };
    let stage = |stage: &crate::plan::Stage| engine::Stage {
        name: stage.name.clone(),
        level: height(stage.level),
        ramp: stage.ramp,
        duration: stage.duration,
    };
    Shape::new(pace, load.stages.iter().map(stage).collect())
}

fn height(level: Level) -> f64 {
    match level {
        Level::Users(users) => f64::from(u32::try_from(users).unwrap_or(u32::MAX)),
        Level::Rate(rate) => rate,
    }
}

/// The stages as long as they lasted.
pub(super) fn stages(load: &Load, elapsed: Duration) -> Vec<report::Stage> {
    let mut left = elapsed;
    let lasted = load.stages.iter().map(|stage| {
        let seconds = stage.duration.min(left);
        left -= seconds;
        let users = match stage.level {
            Level::Users(users) => users,
            Level::Rate(_) => load.users.value,
        };
        report::Stage {
            name: stage.name.clone(),
            users,
            rate: stage.level.rate(),
            seconds: seconds.as_secs_f64(),
            judged: stage.judged,
        }
    });
    lasted.collect()
}
