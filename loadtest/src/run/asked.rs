//! What a command asks of a run: `loadtest` and `loadtest watch` differ in their flags, and the life of their runs is one.

use crate::cli::{ReportArgs, RunArgs, WatchArgs};
use crate::limits::LONGEST_RUN;
use crate::plan::{Flags, Gently};
use crate::problem::{Problem, Problems};
use crate::units::{self, Think};
use std::path::Path;
use std::time::Duration;

/// A run as asked for.
pub(super) struct Asked<'a> {
    pub(super) flags: Flags,
    /// The load of a watch, in place of the plan's.
    pub(super) gently: Option<Gently>,
    pub(super) baseline: Option<&'a Path>,
    pub(super) save_baseline: Option<&'a Path>,
    pub(super) reports: &'a ReportArgs,
    pub(super) metrics_listen: Option<&'a str>,
    pub(super) dry_run: bool,
    pub(super) quiet: bool,
}

impl<'a> From<&'a RunArgs> for Asked<'a> {
    fn from(args: &'a RunArgs) -> Self {
        Self {
            flags: Flags::from(args),
            gently: None,
            baseline: args.baseline.as_deref(),
            save_baseline: args.save_baseline.as_deref(),
            reports: &args.reports,
            metrics_listen: args.metrics_listen.as_deref(),
            dry_run: args.dry_run,
            quiet: args.quiet,
        }
    }
}

/// Users of a watch, and how long it lasts, where nobody says.
const USERS: usize = 2;
const FOR: Duration = Duration::from_secs(600);
/// More users are no watch but a load test.
const MOST_USERS: usize = 20;

impl<'a> TryFrom<&'a WatchArgs> for Asked<'a> {
    type Error = Problems;

    fn try_from(args: &'a WatchArgs) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let users = args.users.as_ref().map_or(Ok(USERS), |text| users(text));
        let time = args.time.as_ref().map_or(Ok(FOR), |text| time(text));
        let think = args.think.as_ref().map(|text| think(text)).transpose();
        let (users, time, think) = (problems.take(users), problems.take(time), problems.take(think));
        let gently = users.zip(time).zip(think).map(|((users, time), think)| Gently { users, time, think });
        let flags = Flags {
            plan: args.plan.clone(),
            target: args.target.clone(),
            require: args.require.clone(),
            http2: args.http2.clone(),
            variable: args.variable.clone(),
            own: args.i_own_this_target,
            ..Flags::default()
        };
        problems.or(Self {
            flags,
            gently,
            baseline: args.baseline.as_deref(),
            save_baseline: args.save_baseline.as_deref(),
            reports: &args.reports,
            metrics_listen: args.metrics_listen.as_deref(),
            dry_run: false,
            quiet: args.quiet,
        })
    }
}

fn users(text: &str) -> Result<usize, Problem> {
    text.parse().ok().filter(|users| (1..=MOST_USERS).contains(users)).ok_or_else(|| {
        let hint = "a watch is gentle; for more, run a load test";
        Problem::new(format!("`{text}` is not a whole number from 1 to {MOST_USERS}")).at("--users").hint(hint)
    })
}

fn time(text: &str) -> Result<Duration, Problem> {
    let time = units::duration(text).map_err(|error| Problem::said(&error).at("--for"))?;
    if time.is_zero() || time > LONGEST_RUN {
        return Err(Problem::new(format!("`{text}` is no time to watch")).at("--for").hint("from a second to a week"));
    }
    Ok(time)
}

fn think(text: &str) -> Result<Think, Problem> {
    units::think(text).map_err(|error| Problem::said(&error).at("--think"))
}
