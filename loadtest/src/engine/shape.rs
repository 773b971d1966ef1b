//! How many users work when: a pure function of the time since the start. Stages follow one another; each goes in a
//! straight line from the users of the one before to its own. The users who came last leave first.
//!
//! goose has test plans of its own, but starts every user's state anew for each rise and prints a line of its own with
//! them; so goose starts all users at once, and each waits here for its turn.

use std::time::Duration;

/// A stretch of time with its own figures in the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// Its name: `ramp`, `load`.
    pub name: String,
    /// Users at its end.
    pub users: usize,
    /// How long it lasts; zero means a step.
    pub duration: Duration,
}

/// The stages of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    stages: Vec<Stage>,
}

/// Whether a user works at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It works.
    Now,
    /// It does not yet, but will then.
    From(Duration),
    /// It is not needed any more.
    Never,
}

impl Shape {
    /// A shape of these stages.
    #[must_use]
    pub fn new(stages: Vec<Stage>) -> Self {
        Self { stages }
    }

    /// The usual shape: so many users, started evenly over `ramp`, then held. Without a ramp it has one stage.
    #[must_use]
    pub fn ramp_and_hold(users: usize, ramp: Duration, hold: Duration) -> Self {
        let stage = |name: &str, duration| Stage { name: name.to_owned(), users, duration };
        // A stage's users are those at its end: the load begins with a step when there is no ramp.
        let ramp = (!ramp.is_zero()).then(|| stage("ramp", ramp));
        let step = ramp.is_none().then(|| stage("start", Duration::ZERO));
        Self { stages: ramp.into_iter().chain(step).chain([stage("load", hold)]).collect() }
    }

    /// The stages, in order.
    #[must_use]
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// Most users at work at one time.
    #[must_use]
    pub fn peak(&self) -> usize {
        self.stages.iter().map(|stage| stage.users).max().unwrap_or(0)
    }

    /// How long it lasts.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.stages.iter().map(|stage| stage.duration).sum()
    }

    /// The stage at a moment; the last one after the end.
    #[must_use]
    pub fn stage_at(&self, at: Duration) -> usize {
        let mut end = Duration::ZERO;
        for (index, stage) in self.stages.iter().enumerate() {
            end += stage.duration;
            if at < end {
                return index;
            }
        }
        self.stages.len().saturating_sub(1)
    }

    /// Whether that user (numbered from 0) works at that moment.
    #[must_use]
    pub fn turn(&self, user: usize, at: Duration) -> Turn {
        let (mut before, mut start) = (0, Duration::ZERO);
        for stage in &self.stages {
            let end = start + stage.duration;
            let change = start + stage.duration.mul_f64(share(before, stage.users, user));
            let (was, is) = (user < before, user < stage.users);
            if at < end || (end == start && at <= end) {
                match (was, is) {
                    (true, true) => return Turn::Now,
                    (false, true) if at >= change => return Turn::Now,
                    (false, true) => return Turn::From(change),
                    (true, false) if at < change => return Turn::Now,
                    _ => {}
                }
            }
            (before, start) = (stage.users, end);
        }
        // After the end nobody is sent home: the run ends.
        if user < before && at >= start { Turn::Now } else { Turn::Never }
    }
}

/// At which share of a stage that user comes or goes: the first to come at its very start, the last to come leaves
/// first.
fn share(before: usize, after: usize, user: usize) -> f64 {
    let number = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    match before.cmp(&after) {
        std::cmp::Ordering::Less if (before..after).contains(&user) => number(user - before) / number(after - before),
        std::cmp::Ordering::Greater if (after..before).contains(&user) => {
            number(before - user) / number(before - after)
        }
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const S: Duration = Duration::from_secs(1);

    fn working(shape: &Shape, at: Duration) -> usize {
        (0..shape.peak()).filter(|user| shape.turn(*user, at) == Turn::Now).count()
    }

    fn shape(stages: &[(usize, u32)]) -> Shape {
        let stage =
            |(users, seconds): &(usize, u32)| Stage { name: String::new(), users: *users, duration: S * *seconds };
        Shape::new(stages.iter().map(stage).collect())
    }

    #[test]
    fn a_ramp_starts_users_evenly_and_then_holds_them() {
        let shape = Shape::ramp_and_hold(200, S * 20, S * 60);
        let check = |at: f64, users| assert_eq!(working(&shape, S.mul_f64(at)), users, "at {at} s");
        check(0.0, 1);
        check(10.0, 101);
        check(19.95, 200);
        check(50.0, 200);
        check(1000.0, 200);
        assert_eq!(shape.turn(100, S), Turn::From(S * 10));
        assert_eq!((shape.stage_at(S), shape.stage_at(S * 20), shape.stage_at(S * 1000)), (0, 1, 1));
        assert_eq!((shape.peak(), shape.duration()), (200, S * 80));
    }

    #[test]
    fn without_a_ramp_all_start_at_once() {
        let shape = Shape::ramp_and_hold(5, Duration::ZERO, S);
        assert_eq!((working(&shape, Duration::ZERO), shape.stage_at(Duration::ZERO)), (5, 1));
    }

    #[test]
    fn the_last_to_come_leave_first_and_may_come_again() {
        let shape = shape(&[(10, 0), (10, 10), (2, 4), (2, 10), (10, 0), (10, 10)]);
        assert_eq!(working(&shape, S * 5), 10);
        assert_eq!(working(&shape, S * 12), 6);
        assert_eq!((shape.turn(1, S * 20), shape.turn(2, S * 20)), (Turn::Now, Turn::From(S * 24)));
        assert_eq!(working(&shape, S * 25), 10);
    }

    #[test]
    fn a_user_who_is_done_never_works_again() {
        let shape = shape(&[(4, 0), (4, 10), (1, 0), (1, 10)]);
        assert_eq!((shape.turn(3, S * 15), shape.turn(0, S * 15)), (Turn::Never, Turn::Now));
    }

    proptest! {
        #[test]
        fn who_waits_is_at_work_at_the_promised_time(
            stages in prop::collection::vec((0_usize..50, 0_u32..20), 1..6), user in 0_usize..50, ms in 0_u64..120_000,
        ) {
            let shape = shape(&stages);
            if let Turn::From(then) = shape.turn(user, Duration::from_millis(ms)) {
                prop_assert!(then >= Duration::from_millis(ms));
                // Stages without length may send the user home in the same instant.
                let stays = shape.turn(user, then);
                prop_assert!(stays == Turn::Now || stages.iter().any(|(_, seconds)| *seconds == 0), "{stays:?}");
            }
        }
    }
}
