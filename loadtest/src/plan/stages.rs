//! How the load goes: the stages, from `stages`, from a profile, or from users (or a rate), ramp and run time. What
//! contradicts is refused here, with what to do about it.

use super::Flags;
use super::origin::{Origin, Setting};
use super::profiles::{PROFILES, Profile, USUAL};
use super::raw::{RawPlan, RawStage};
use super::reader::{Reader, Sought, Text, count};
use super::search::workers_for;
use super::yaml::{At, position};
use crate::limits::{JOURNEYS_PER_WORKER, LONGEST_RUN, RATE, USERS, WORKERS};
use crate::problem::Problem;
use crate::units::{self, Readable, Think};
use crate::{suggest, targets::short};
use std::fmt;
use std::time::Duration;

/// A stretch of the run with figures of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// Its name in targets and reports.
    pub name: String,
    /// The load after its ramp.
    pub level: Level,
    /// How long the way from the level before takes; at most the whole stage.
    pub ramp: Duration,
    /// How long it lasts, its ramp included.
    pub duration: Duration,
    /// Whether targets that name no stage are about it.
    pub judged: bool,
}

/// How much load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Level {
    /// Users, one journey after the other.
    Users(usize),
    /// Arrivals per second: somebody comes, goes through one journey, and leaves.
    Rate(f64),
}

/// How arrivals follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrivals {
    /// At even distances.
    Even,
    /// Independently of each other, as people come.
    Poisson,
}

/// Ways to arrive: name and meaning.
pub const ARRIVALS: &[(&str, Arrivals, &str)] = &[
    ("even", Arrivals::Even, "at even distances; along a straight line where the rate changes"),
    (
        "poisson",
        Arrivals::Poisson,
        "independently of each other, as people come: the same rate in the mean, and clusters",
    ),
];

/// What the plan says of the load.
#[derive(Clone, Debug)]
pub struct Load {
    /// The stages; never empty, all of one kind.
    pub stages: Vec<Stage>,
    /// Users at full load; where arrivals set the pace, the workers that start them.
    pub users: Setting<usize>,
    /// Arrivals per second at full load, where the stages do not say it.
    pub rate: Option<Setting<f64>>,
    /// How arrivals come.
    pub arrivals: Setting<Arrivals>,
    /// The profile, where one was asked for.
    pub profile: Option<Setting<&'static Profile>>,
    /// Time after the ramp; none where the stages say it.
    pub run_time: Option<Setting<Duration>>,
    /// The way up; none where the stages say it.
    pub ramp: Option<Setting<Duration>>,
    /// Whether a stage could not be read: then a name that nothing has may be its name.
    pub(super) incomplete: bool,
}

/// Names of stages that are there to warm up or to cool down, and are not judged unless the plan says so.
const UNJUDGED: &[&str] = &["ramp", "warm-up", "warmup", "cool-down", "cooldown"];

impl Load {
    /// Whether arrivals set the pace.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.stages.iter().any(|stage| matches!(stage.level, Level::Rate(_)))
    }

    /// Most users at once: what needs a connection, and a row of unique data.
    #[must_use]
    pub fn seats(&self) -> usize {
        if self.is_open() {
            return self.users.value * JOURNEYS_PER_WORKER;
        }
        self.stages.iter().map(|stage| stage.level.users()).max().unwrap_or(0)
    }

    /// How long all of it lasts.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.stages.iter().map(|stage| stage.duration).sum()
    }
}

impl Level {
    /// The same kind of load, that part of it; never nothing.
    fn times(self, share: f64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "at most 50 000 users"
        )]
        match self {
            Self::Users(users) => Self::Users(((users as f64 * share).round() as usize).max(1)),
            Self::Rate(rate) => Self::Rate(rate * share),
        }
    }

    const fn users(self) -> usize {
        match self {
            Self::Users(users) => users,
            Self::Rate(_) => 0,
        }
    }

    /// Arrivals per second; none where users set the pace.
    #[must_use]
    pub const fn rate(self) -> Option<f64> {
        match self {
            Self::Users(_) => None,
            Self::Rate(rate) => Some(rate),
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Users(1) => f.write_str("1 user"),
            Self::Users(users) => write!(f, "{users} users"),
            Self::Rate(rate) => write!(f, "{}/s", short(*rate)),
        }
    }
}

impl Arrivals {
    /// The word of the plan.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        ARRIVALS.iter().find(|(_, row, _)| *row == self).map_or("", |(name, ..)| name)
    }
}

/// A duration of at most a week.
pub(super) fn span(text: &str) -> Result<Duration, Problem> {
    let time = units::duration(text).map_err(|error| Problem::said(&error))?;
    if time > LONGEST_RUN { Err(Problem::new(format!("`{text}` is longer than a week"))) } else { Ok(time) }
}

fn some_time(text: &str) -> Result<Duration, Problem> {
    let nothing = || Problem::new("a run of no time").hint("write it like `60s`");
    span(text).and_then(|time| if time.is_zero() { Err(nothing()) } else { Ok(time) })
}

fn rate(text: &str) -> Result<f64, Problem> {
    let rate = units::rate(text).map_err(|error| Problem::said(&error))?;
    let bounds = || Problem::new(format!("`{text}` is not a rate from 0.001/s to {RATE}/s"));
    (0.001..=RATE).contains(&rate).then_some(rate).ok_or_else(bounds)
}

fn users(text: &str) -> Result<usize, Problem> {
    count(text, USERS as u64).map(|users| usize::try_from(users).unwrap_or(USERS))
}

fn arrivals(text: &str) -> Result<Arrivals, Problem> {
    ARRIVALS.iter().find(|(name, ..)| *name == text).map(|(_, arrivals, _)| *arrivals).ok_or_else(|| {
        let hint = suggest::hint(text, "ways to arrive", ARRIVALS.iter().map(|(name, ..)| *name));
        Problem::new(format!("arrivals do not come `{text}`")).hint(hint)
    })
}

fn profile(text: &str) -> Result<&'static Profile, Problem> {
    Profile::find(text).ok_or_else(|| {
        let hint = suggest::hint(text, "profiles", PROFILES.iter().map(|row| row.name));
        Problem::new(format!("unknown profile `{text}`")).hint(hint)
    })
}

/// Settings of the load as written.
struct Written {
    users: Option<Setting<usize>>,
    rate: Option<Setting<f64>>,
    arrivals: Option<Setting<Arrivals>>,
    profile: Option<Setting<&'static Profile>>,
    run_time: Option<Setting<Duration>>,
    ramp: Option<Setting<Duration>>,
}

/// Reads everything about the load.
pub(super) fn load(reader: &mut Reader<'_>, flags: &Flags, raw: &RawPlan, requests: Option<&Setting<u64>>) -> Load {
    let written = Written {
        users: reader
            .setting(&Sought { flag: ("--users", flags.users.as_ref()), key: ("users", raw.users.as_ref()) }, users),
        run_time: reader.setting(
            &Sought { flag: ("--run-time", flags.run_time.as_ref()), key: ("run_time", raw.run_time.as_ref()) },
            some_time,
        ),
        ramp: reader.setting(&Sought { flag: ("--ramp", flags.ramp.as_ref()), key: ("ramp", raw.ramp.as_ref()) }, span),
        rate: reader.setting(&Sought { flag: ("--rate", flags.rate.as_ref()), key: ("rate", raw.rate.as_ref()) }, rate),
        arrivals: reader.setting(
            &Sought { flag: ("--arrivals", flags.arrivals.as_ref()), key: ("arrivals", raw.arrivals.as_ref()) },
            arrivals,
        ),
        profile: reader.setting(
            &Sought { flag: ("--profile", flags.profile.as_ref()), key: ("profile", raw.profile.as_ref()) },
            profile,
        ),
    };
    let load = match &raw.stages {
        Some(stages) => staged(reader, written, stages),
        None => profiled(written, requests.is_some()),
    };
    if let Some(requests) = requests.filter(|_| load.is_search()) {
        let problem = Problem::new("a search for the capacity ends by itself, not after so many requests");
        reader.problems.0.push(problem.at(place("requests", &requests.from)).hint("remove one of them"));
    }
    checked(reader, load)
}

/// The load of a profile, the usual one where none is named.
fn profiled(written: Written, counted: bool) -> Load {
    let shape = written.profile.as_ref().map_or(USUAL, |profile| profile.value);
    let run_time = written.run_time.unwrap_or(Setting::default_of(shape.run_time));
    // A number of requests is sent as fast as it goes, as `ab` does.
    let ramp = if counted { Duration::ZERO } else { shape.ramp };
    let ramp = written.ramp.unwrap_or(Setting::default_of(ramp));
    let full = written.rate.as_ref().map(|rate| rate.value).or(shape.rate).map(Level::Rate);
    let users = written.users.unwrap_or_else(|| Setting::default_of(full.map_or(shape.users, |_| 0)));
    let full = full.unwrap_or(Level::Users(users.value));
    let part = |part: &super::profiles::Part| Stage {
        name: part.name.to_owned(),
        level: full.times(part.height),
        ramp: Duration::ZERO,
        duration: run_time.value.mul_f64(part.length),
        judged: part.judged,
    };
    let mut stages: Vec<Stage> = shape.parts.iter().map(part).collect();
    if let Some(first) = stages.first().filter(|_| !ramp.value.is_zero()) {
        let (level, time) = (first.level, ramp.value);
        stages.insert(0, Stage { name: "ramp".to_owned(), level, ramp: time, duration: time, judged: false });
    }
    let arrivals = written.arrivals.unwrap_or(Setting::default_of(Arrivals::Even));
    let (rate, profile) = (written.rate, written.profile);
    Load { stages, users, rate, arrivals, profile, run_time: Some(run_time), ramp: Some(ramp), incomplete: false }
}

/// The load of `stages`, which leave nothing to say beside them but the workers of a rate.
fn staged(reader: &mut Reader<'_>, written: Written, raw: &[RawStage]) -> Load {
    let read = raw.iter().enumerate().filter_map(|(index, raw)| one(reader, raw, &format!("stages[{index}]")));
    let read: Vec<(Stage, Text)> = read.collect();
    if raw.is_empty() {
        let hint = "name at least one, or remove the key";
        reader.problems.0.push(Problem::new("no stages").at(format!("stages ({})", reader.file)).hint(hint));
    }
    for (index, (stage, name)) in read.iter().enumerate() {
        let earlier = read.get(..index).unwrap_or_default();
        if earlier.iter().any(|(earlier, _)| earlier.name == stage.name) {
            let problem = Problem::new(format!("two stages are called `{}`", stage.name));
            reader.problem(name, problem.hint("give each its own `name`"));
        }
    }
    let open = |level: Level| matches!(level, Level::Rate(_));
    let mixed =
        read.iter().find(|(stage, _)| read.first().is_some_and(|(first, _)| open(first.level) != open(stage.level)));
    if let Some((stage, name)) = mixed {
        let problem = Problem::new(format!("`{}` changes from users to a rate, or back", stage.name));
        reader.problem(name, problem.hint("either every stage has `users`, or every stage has a `rate`"));
    }
    let is_open = read.first().is_some_and(|(stage, _)| open(stage.level));
    let beside = [
        ("users", written.users.as_ref().filter(|_| !is_open).map(|users| &users.from)),
        ("rate", written.rate.as_ref().map(|rate| &rate.from)),
        ("run_time", written.run_time.as_ref().map(|time| &time.from)),
        ("ramp", written.ramp.as_ref().map(|time| &time.from)),
        ("profile", written.profile.as_ref().map(|profile| &profile.from)),
    ];
    for (key, from) in beside.into_iter().filter_map(|(key, from)| Some((key, from?))) {
        let problem = Problem::new(format!("`{key}` beside `stages`, which say how the load goes"));
        reader.problems.0.push(problem.at(place(key, from)).hint("remove one of them"));
    }
    let stages: Vec<Stage> = read.into_iter().map(|(stage, _)| stage).collect();
    let most = stages.iter().map(|stage| stage.level.users()).max().unwrap_or(0);
    let users = written.users.filter(|_| is_open).unwrap_or(Setting::default_of(most));
    let arrivals = written.arrivals.unwrap_or(Setting::default_of(Arrivals::Even));
    let incomplete = stages.len() < raw.len();
    Load { stages, users, rate: None, arrivals, profile: None, run_time: None, ramp: None, incomplete }
}

/// A stage, and its name for problems that come later.
fn one(reader: &mut Reader<'_>, raw: &RawStage, path: &str) -> Option<(Stage, Text)> {
    let mut read = |key: &str, at: Option<&At<String>>| at.and_then(|at| reader.text(&format!("{path}.{key}"), at));
    let name = read("name", Some(&raw.name));
    let texts = (read("users", raw.users.as_ref()), read("rate", raw.rate.as_ref()));
    let (duration, ramp, judged) =
        (read("duration", Some(&raw.duration)), read("ramp", raw.ramp.as_ref()), read("judged", raw.judged.as_ref()));
    let (line, column) = position(&raw.name);
    let level = match texts {
        (Some(text), None) => reader.understand(&text, users).map(|users| Level::Users(users.value)),
        (None, Some(text)) => reader.understand(&text, rate).map(|rate| Level::Rate(rate.value)),
        _ => {
            let problem = Problem::new("a stage has `users` or a `rate`, one of the two");
            let place = format!("{path} ({}:{line}:{column})", reader.file);
            let hint = "`users` go on as fast as they get answers; a `rate` comes whatever the target does";
            reader.problems.0.push(problem.at(place).hint(hint));
            None
        }
    };
    let duration = duration.and_then(|text| reader.understand(&text, some_time))?.value;
    let ramp = match ramp {
        None => Duration::ZERO,
        Some(text) => {
            let fits = |text: &str| match span(text)? {
                ramp if ramp > duration => {
                    let problem = Problem::new(format!("the ramp is longer than its stage, {}", Readable(duration)));
                    Err(problem.hint("`duration` is that of the whole stage, its ramp included"))
                }
                ramp => Ok(ramp),
            };
            reader.understand(&text, fits)?.value
        }
    };
    let name = name?;
    let judged = judged.and_then(|text| reader.understand(&text, yes_or_no));
    let judged = judged.map_or(!UNJUDGED.contains(&name.text.as_str()), |judged| judged.value);
    Some((Stage { name: name.text.clone(), level: level?, ramp, duration, judged }, name))
}

pub(super) fn yes_or_no(text: &str) -> Result<bool, Problem> {
    match text {
        "true" | "yes" => Ok(true),
        "false" | "no" => Ok(false),
        _ => Err(Problem::new(format!("`{text}` is neither `true` nor `false`"))),
    }
}

/// What holds however the load was written.
fn checked(reader: &mut Reader<'_>, mut load: Load) -> Load {
    if !load.is_open() && load.arrivals.from != Origin::Default {
        let problem = Problem::new("`arrivals` say how a rate comes, and there is no rate");
        let hint = "add a `rate`, or remove `arrivals`";
        reader.problems.0.push(problem.at(place("arrivals", &load.arrivals.from)).hint(hint));
    }
    if !load.stages.is_empty() && !load.stages.iter().any(|stage| stage.judged) {
        let problem = Problem::new("no stage is judged");
        let hint = format!("stages called {} are not, unless they say `judged: true`", UNJUDGED.join(", "));
        reader.problems.0.push(problem.at(format!("stages ({})", reader.file)).hint(hint));
    }
    if load.is_open() {
        workers(reader, &mut load);
    }
    let most = load.seats();
    if !load.is_open() && most > USERS {
        let problem = Problem::new(format!("{most} users at once are more than one generator can have ({USERS})"));
        reader.problems.0.push(problem.at(place("users", &load.users.from)).hint("ask for fewer `users`"));
    }
    load
}

/// The workers of a rate, unless the plan has their number.
fn workers(reader: &mut Reader<'_>, load: &mut Load) {
    let peak = load.stages.iter().filter_map(|stage| stage.level.rate()).fold(0.0, f64::max);
    if load.users.from == Origin::Default {
        load.users.value = workers_for(peak);
    } else if load.users.value > WORKERS {
        let each = format!("each carries up to {JOURNEYS_PER_WORKER} journeys at once");
        let problem = Problem::new(format!("with a rate, `users` are workers, at most {WORKERS}: {each}"));
        reader.problems.0.push(problem.at(place("users", &load.users.from)));
    }
}

/// Refuses to think where arrivals set the pace: nobody stays to think.
pub(super) fn no_thinking(reader: &mut Reader<'_>, load: &Load, key: &str, think: &Setting<Think>) {
    if load.is_open() && think.from != Origin::Default && think.value != Think::default() {
        let problem = Problem::new("a think time beside a rate: whoever arrives goes through one journey and leaves");
        let hint = "remove `think`, or ask for `users` instead of a `rate`";
        reader.problems.0.push(problem.at(place(key, &think.from)).hint(hint));
    }
}

fn place(key: &str, from: &Origin) -> String {
    match from {
        Origin::Flag(flag) => (*flag).to_owned(),
        from => format!("{key} ({from})"),
    }
}
