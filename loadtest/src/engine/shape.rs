//! How the load goes: a pure function of the time since the start. Stages follow one another; each goes in a straight line
//! from the level of the one before to its own, for as long as its ramp takes, and then holds it.
//!
//! In the closed model the levels are users, who each do one thing after the other: a slow target gets less load. In the
//! open model they are arrivals per second, which come whatever the target does: each has a time at which it is due. The
//! users who came last leave first.
//!
//! goose has test plans of its own, but starts every user's state anew for each rise and prints a line of its own with
//! them; so goose starts all users at once, and each waits here for its turn.

use crate::limits::JOURNEYS_PER_WORKER;
use std::time::Duration;

/// A stretch of time with its own figures in the report.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// Its name: `ramp`, `load`.
    pub name: String,
    /// Users, or arrivals per second, after its ramp.
    pub level: f64,
    /// How long the way from the level before takes; zero for a step, at most the whole stage.
    pub ramp: Duration,
    /// How long it lasts, its ramp included.
    pub duration: Duration,
}

/// Who sets the pace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Users, one journey after the other: the closed model.
    Users,
    /// Arrivals, each at its time: the open model.
    Arrivals {
        /// Whether they come at random, as independent people do, instead of evenly.
        poisson: bool,
        /// Workers that start what is due; each carries up to [`JOURNEYS_PER_WORKER`] journeys at once.
        workers: usize,
    },
}

/// The stages of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    pace: Pace,
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
    pub fn new(pace: Pace, stages: Vec<Stage>) -> Self {
        Self { pace, stages }
    }

    /// The usual shape: so many users, started evenly over `ramp`, then held. Without a ramp it has one stage.
    #[must_use]
    pub fn ramp_and_hold(users: usize, ramp: Duration, hold: Duration) -> Self {
        let level = number(users);
        let stage = |name: &str, ramp, duration| Stage { name: name.to_owned(), level, ramp, duration };
        let rise = (!ramp.is_zero()).then(|| stage("ramp", ramp, ramp));
        Self::new(Pace::Users, rise.into_iter().chain([stage("load", Duration::ZERO, hold)]).collect())
    }

    /// Who sets the pace.
    #[must_use]
    pub const fn pace(&self) -> Pace {
        self.pace
    }

    /// The stages, in order.
    #[must_use]
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// Most users at work at one time; in the open model the workers.
    #[must_use]
    pub fn peak(&self) -> usize {
        match self.pace {
            Pace::Users => self.stages.iter().map(|stage| whole(stage.level)).max().unwrap_or(0),
            Pace::Arrivals { workers, .. } => workers,
        }
    }

    /// Most requests in flight at one time.
    #[must_use]
    pub fn seats(&self) -> usize {
        match self.pace {
            Pace::Users => self.peak(),
            Pace::Arrivals { workers, .. } => workers * JOURNEYS_PER_WORKER,
        }
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
            let (end, level) = (start + stage.duration, whole(stage.level));
            let change = start + stage.ramp.min(stage.duration).mul_f64(share(before, level, user));
            let (was, is) = (user < before, user < level);
            if at < end {
                match (was, is) {
                    (true, true) => return Turn::Now,
                    (false, true) if at >= change => return Turn::Now,
                    (false, true) => return Turn::From(change),
                    (true, false) if at < change => return Turn::Now,
                    _ => {}
                }
            }
            (before, start) = (level, end);
        }
        // After the end nobody is sent home: the run ends.
        if user < before && at >= start { Turn::Now } else { Turn::Never }
    }

    /// Arrivals that fall due before a moment, in the mean.
    #[must_use]
    pub fn arrivals(&self, at: Duration) -> f64 {
        self.spans().map(|span| span.arrivals(at.saturating_sub(span.start))).sum()
    }

    /// When the arrival of that position is due; positions count from 0 and need not be whole. None after the end.
    #[must_use]
    pub fn due(&self, position: f64) -> Option<Duration> {
        let mut left = position;
        for span in self.spans() {
            let area = span.arrivals(span.ramp + span.hold);
            if left < area {
                return Some(span.start + span.due(left));
            }
            left -= area;
        }
        None
    }

    fn spans(&self) -> impl Iterator<Item = Span> {
        let (mut before, mut start) = (0.0, Duration::ZERO);
        self.stages.iter().map(move |stage| {
            let ramp = stage.ramp.min(stage.duration);
            let span = Span { start, ramp, hold: stage.duration - ramp, before, level: stage.level };
            (before, start) = (stage.level, start + stage.duration);
            span
        })
    }
}

/// A stage of the open model.
struct Span {
    start: Duration,
    ramp: Duration,
    hold: Duration,
    before: f64,
    level: f64,
}

impl Span {
    /// How much the rate grows each second of the ramp.
    fn slope(&self) -> f64 {
        if self.ramp.is_zero() { 0.0 } else { (self.level - self.before) / self.ramp.as_secs_f64() }
    }

    /// Arrivals in the first part of it: the area below the line.
    fn arrivals(&self, part: Duration) -> f64 {
        let on_ramp = part.min(self.ramp).as_secs_f64();
        let held = part.saturating_sub(self.ramp).min(self.hold).as_secs_f64();
        on_ramp * (self.before + self.slope() * on_ramp / 2.0) + held * self.level
    }

    /// When it has had so many of them, since its start.
    fn due(&self, arrivals: f64) -> Duration {
        let on_ramp = self.arrivals(self.ramp);
        if arrivals >= on_ramp {
            return self.ramp + seconds((arrivals - on_ramp) / self.level);
        }
        // The root of before·t + slope·t²/2 = arrivals, in the form that also holds without a slope.
        let root = self.before.mul_add(self.before, 2.0 * self.slope() * arrivals).max(0.0).sqrt();
        seconds(2.0 * arrivals / (self.before + root)).min(self.ramp)
    }
}

/// A time that may have come out of a division by nothing.
fn seconds(time: f64) -> Duration {
    Duration::try_from_secs_f64(time).unwrap_or_default()
}

/// At which share of a ramp that user comes or goes: the first to come at its very start, the last to come leaves first.
fn share(before: usize, after: usize, user: usize) -> f64 {
    match before.cmp(&after) {
        std::cmp::Ordering::Less if (before..after).contains(&user) => number(user - before) / number(after - before),
        std::cmp::Ordering::Greater if (after..before).contains(&user) => {
            number(before - user) / number(before - after)
        }
        _ => 0.0,
    }
}

fn number(users: usize) -> f64 {
    f64::from(u32::try_from(users).unwrap_or(u32::MAX))
}

/// A level as a number of users.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of users, at most 50 000")]
const fn whole(level: f64) -> usize {
    level as usize
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
        let stage = |(users, seconds): &(usize, u32)| rise(number(*users), *seconds, *seconds);
        Shape::new(Pace::Users, stages.iter().map(stage).collect())
    }

    fn rise(level: f64, ramp: u32, duration: u32) -> Stage {
        Stage { name: String::new(), level, ramp: S * ramp, duration: S * duration }
    }

    fn open(stages: &[(f64, u32, u32)]) -> Shape {
        let stages = stages.iter().map(|(rate, ramp, duration)| rise(*rate, *ramp, *duration)).collect();
        Shape::new(Pace::Arrivals { poisson: false, workers: 1 }, stages)
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
        assert_eq!((working(&shape, Duration::ZERO), shape.stages().len()), (5, 1));
    }

    #[test]
    fn the_last_to_come_leave_first_and_may_come_again() {
        let stages = vec![rise(10.0, 0, 10), rise(2.0, 4, 14), rise(10.0, 0, 10)];
        let shape = Shape::new(Pace::Users, stages);
        assert_eq!(working(&shape, S * 5), 10);
        assert_eq!(working(&shape, S * 12), 6);
        assert_eq!((shape.turn(1, S * 20), shape.turn(2, S * 20)), (Turn::Now, Turn::From(S * 24)));
        assert_eq!(working(&shape, S * 25), 10);
    }

    #[test]
    fn a_user_who_is_done_never_works_again() {
        let shape = Shape::new(Pace::Users, vec![rise(4.0, 0, 10), rise(1.0, 0, 10)]);
        assert_eq!((shape.turn(3, S * 15), shape.turn(0, S * 15)), (Turn::Never, Turn::Now));
    }

    #[test]
    fn arrivals_are_due_evenly_at_a_constant_rate() {
        let shape = open(&[(80.0, 0, 20)]);
        assert_eq!(shape.arrivals(S * 10), 800.0);
        assert_eq!((shape.due(0.0), shape.due(800.0)), (Some(Duration::ZERO), Some(S * 10)));
        assert_eq!((shape.due(1599.0), shape.due(1600.0)), (Some(S.mul_f64(19.9875)), None));
    }

    #[test]
    fn a_ramp_of_arrivals_goes_in_a_straight_line() {
        // 0 to 100 in 10 s, held for 10 s, down to 20 in 4 s, held for 6 s.
        let shape = open(&[(100.0, 10, 20), (20.0, 4, 10)]);
        let check = |at: f64, arrivals: f64| {
            assert!((shape.arrivals(S.mul_f64(at)) - arrivals).abs() < 1e-6, "{at}: {}", shape.arrivals(S.mul_f64(at)));
            let due = shape.due(arrivals).expect("due").as_secs_f64();
            assert!((due - at).abs() < 1e-6, "{arrivals} due at {due}, not {at}");
        };
        check(5.0, 125.0);
        check(10.0, 500.0);
        check(15.0, 1000.0);
        check(22.0, 1500.0 + 160.0);
        check(29.0, 1500.0 + 240.0 + 100.0);
        assert_eq!(shape.arrivals(S * 100), 1860.0);
    }

    #[test]
    fn nothing_is_due_while_the_rate_is_zero() {
        let shape = open(&[(0.0, 0, 10), (10.0, 0, 10)]);
        assert_eq!((shape.due(0.0), shape.due(10.0), shape.due(100.0)), (Some(S * 10), Some(S * 11), None));
    }

    proptest! {
        #[test]
        fn the_due_times_are_in_order_and_as_many_as_the_area(
            stages in prop::collection::vec((0.0_f64..200.0, 0_u32..10, 0_u32..10), 1..5), part in 0.0_f64..1.0,
        ) {
            let stages: Vec<_> = stages.into_iter().map(|(rate, ramp, hold)| (rate, ramp, ramp + hold)).collect();
            let shape = open(&stages);
            let position = shape.arrivals(shape.duration()) * part;
            if let Some(due) = shape.due(position) {
                prop_assert!((shape.arrivals(due) - position).abs() < 1e-3, "{position} due at {due:?}");
                prop_assert!(shape.due(position * 0.9).is_some_and(|earlier| earlier <= due));
            }
        }

        #[test]
        fn who_waits_is_at_work_at_the_promised_time(
            stages in prop::collection::vec((0_usize..50, 0_u32..20), 1..6), user in 0_usize..50, ms in 0_u64..120_000,
        ) {
            let shape = shape(&stages);
            if let Turn::From(then) = shape.turn(user, Duration::from_millis(ms)) {
                prop_assert!(then >= Duration::from_millis(ms));
                prop_assert_eq!(shape.turn(user, then), Turn::Now);
            }
        }
    }
}
