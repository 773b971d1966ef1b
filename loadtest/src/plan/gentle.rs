//! The load of a watch: what the plan does, by a few users and without a ramp, for as long as a release is watched.

use super::build::DEFAULT_THINK;
use super::stages::{Level, Stage};
use super::{Origin, Plan, Setting};
use crate::targets::{self, DEFAULTS, Target};
use crate::units::Think;
use std::time::Duration;

/// A gentle load.
#[derive(Clone, Copy, Debug)]
pub struct Gently {
    /// Users.
    pub users: usize,
    /// How long.
    pub time: Duration,
    /// Their pause between two journeys, where it is not the plan's.
    pub think: Option<Think>,
}

const WATCH: Origin = Origin::Flag("watch");

impl Plan {
    /// Replaces the plan's load by a gentle one. The fingerprint leaves its length out: a watch of ten minutes may be compared
    /// with one of two. Targets about a stage fall away with the stages.
    pub fn gently(&mut self, gently: &Gently) {
        // Where arrivals set the pace, or a number of requests is sent, nobody thinks; two users who never pause are not gentle.
        let hurried = self.load.is_open() || (self.requests.is_some() && self.think.from == Origin::Default);
        let think = gently.think.or_else(|| hurried.then_some(DEFAULT_THINK));
        if let Some(think) = think {
            for journey in self.journeys.iter_mut().filter(|journey| journey.think.value == self.think.value) {
                journey.think = Setting { value: think, from: WATCH };
            }
            self.think = Setting { value: think, from: WATCH };
        }
        self.requests = None;
        self.hold(gently.users, Duration::ZERO);
        self.hash = super::hash::of(self);
        self.hold(gently.users, gently.time);
        self.targets.retain(|target| target.value.stage.is_none());
        // A watch has reasons of its own to end early, and tells a missed target as long as it lasts.
        self.targets.iter_mut().for_each(|target| target.value.abort_after = None);
        self.max_errors = None;
        if self.targets.is_empty() {
            self.targets = DEFAULTS.iter().filter_map(|text| self.default_target(text)).collect();
        }
    }

    fn hold(&mut self, users: usize, time: Duration) {
        let level = Level::Users(users);
        self.load.stages =
            vec![Stage { name: "watch".to_owned(), level, ramp: Duration::ZERO, duration: time, judged: true }];
        self.load.users = Setting { value: users, from: WATCH };
        (self.load.rate, self.load.profile) = (None, None);
        (self.load.run_time, self.load.ramp) = (Some(Setting { value: time, from: WATCH }), None);
    }

    fn default_target(&self, text: &str) -> Option<Setting<Target>> {
        let read = targets::parse(text).ok()?;
        Target::new(text, read, &self.names, &[]).ok().map(Setting::default_of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Flags, build};

    fn watch(flags: &Flags, users: usize, seconds: u64) -> Plan {
        let flags = Flags { target: Some("http://127.0.0.1".into()), ..flags.clone() };
        let mut plan = build(&flags, &|_| None).expect("a plan");
        plan.gently(&Gently { users, time: Duration::from_secs(seconds), think: None });
        plan
    }

    #[test]
    fn watches_of_any_length_are_like_and_unlike_a_load() {
        let flags = Flags { users: Some("200".into()), ..Flags::default() };
        let target = Some("http://127.0.0.1".into());
        let load = build(&Flags { target, ..flags.clone() }, &|_| None).expect("a plan");
        assert_eq!(watch(&flags, 2, 60).hash, watch(&flags, 2, 600).hash);
        assert_ne!(watch(&flags, 2, 60).hash, watch(&flags, 3, 60).hash);
        assert_ne!(watch(&flags, 200, 75).hash, load.hash);
        let gentle = watch(&flags, 2, 60);
        assert_eq!((gentle.load.seats(), gentle.load.duration()), (2, Duration::from_secs(60)));
    }

    #[test]
    fn a_plan_of_arrivals_is_watched_by_users_who_think_and_by_targets_that_are_left() {
        let flags =
            Flags { rate: Some("300/s".into()), require: vec!["p95 < 1s during load".into()], ..Flags::default() };
        let gentle = watch(&flags, 2, 60);
        assert!(!gentle.load.is_open());
        let ends = Flags { max_errors: Some("5".into()), abort_after: Some("5s".into()), ..flags.clone() };
        let ends = watch(&ends, 2, 60);
        assert!(ends.max_errors.is_none() && ends.targets.iter().all(|target| target.value.abort_after.is_none()));
        assert!(gentle.journeys.iter().all(|journey| journey.think.value == DEFAULT_THINK));
        // A number of requests is sent without a pause, but not by a watch.
        let counted = watch(&Flags { requests: Some("1000".into()), ..Flags::default() }, 2, 60);
        assert!(counted.journeys.iter().all(|journey| journey.think.value == DEFAULT_THINK));
        let texts: Vec<&str> = gentle.targets.iter().map(|target| target.value.text.as_str()).collect();
        assert_eq!(texts, DEFAULTS);
    }
}
