//! Flags, file and environment become a [`Plan`], or every problem at once. Reads the files that the plan names; sends
//! nothing.

use super::feed::{Feed, ORDERS, Order};
use super::origin::Setting;
use super::raw::{RawData, RawPlan};
use super::reader::{Reader, Sought, Text, count};
use super::required::{self, Known};
use super::yaml;
use super::{Flags, Plan, Variable, target};
use super::{agents, around, headers, journeys, protocol, stages, validation};
use crate::journey::{self, Value};
use crate::limits::PLAN_BYTES;
use crate::problem::{Problem, Problems, why};
use crate::redact::{Redactor, looks_secret};
use crate::suggest;
use crate::targets::{Group, Names, api_group};
use crate::units::{self, Think};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The variable that always holds the target's URL.
pub(super) const TARGET: &str = "target";
const FILE: &str = "loadtest.yml";
pub(super) const DEFAULT_THINK: Think = Think { min: Duration::from_secs(1), max: Duration::from_secs(3) };

/// The plan's file: its path, folder and text.
struct File {
    shown: String,
    folder: PathBuf,
    text: String,
}

/// Builds the plan.
///
/// # Errors
/// Every problem found, each with its place.
pub fn build(flags: &Flags, environment: &dyn Fn(&str) -> Option<String>) -> Result<Plan, Problems> {
    let file = file(flags)?;
    let raw = yaml::read(&file.text, &file.shown)?;
    let mut reader = Reader {
        file: &file.shown,
        source: &file.text,
        environment,
        problems: Problems::default(),
        secrets: Vec::new(),
    };
    let plan = assemble(&mut reader, flags, &raw, &file.folder);
    let problems = reader.problems;
    match plan {
        Some(plan) => problems.or(plan),
        None => Err(problems),
    }
}

/// The file of `--plan`, else `./loadtest.yml` where it exists, else nothing.
fn file(flags: &Flags) -> Result<File, Problem> {
    let (path, place) = match &flags.plan {
        Some(path) => (path.clone(), "--plan"),
        None if Path::new(FILE).exists() => (PathBuf::from(FILE), "the current folder"),
        None => return Ok(File { shown: FILE.to_owned(), folder: PathBuf::new(), text: String::new() }),
    };
    let shown = path.display().to_string();
    let unreadable = |error: std::io::Error| {
        Problem::new(format!("cannot read the plan `{shown}`: {}", why(&error)))
            .at(place)
            .hint("name an existing file with `--plan`; without the flag, `./loadtest.yml` is read where it exists")
    };
    let mut text = Vec::new();
    std::fs::File::open(&path).and_then(|file| file.take(PLAN_BYTES + 1).read_to_end(&mut text)).map_err(unreadable)?;
    if text.len() as u64 > PLAN_BYTES {
        let most = PLAN_BYTES >> 10;
        return Err(Problem::new(format!("the plan is larger than {most} KiB"))
            .at(shown)
            .hint("put data into files of `data`"));
    }
    let text = String::from_utf8(text).map_err(|_| Problem::new("the plan is not UTF-8").at(&shown))?;
    Ok(File { shown, folder: path.parent().map(Path::to_owned).unwrap_or_default(), text })
}

fn assemble(reader: &mut Reader<'_>, flags: &Flags, raw: &RawPlan, folder: &Path) -> Option<Plan> {
    let chosen = target::choose(reader, flags.target.as_ref(), raw.target.as_ref());
    let requests = requests(reader, flags, raw);
    let max_errors = max_errors(reader, flags, raw);
    let load = stages::load(reader, flags, raw, requests.as_ref());
    let think = think(reader, flags, raw, load.is_open() || requests.is_some());
    let http2 = protocol::read(reader, flags, raw, chosen.as_ref());
    let variables = variables(reader, flags, raw, chosen.as_ref());
    let headers = headers::read(reader, raw);
    let feeds = feeds(reader, raw.data.as_deref().unwrap_or_default(), folder, load.seats());
    let journeys = journeys::read(reader, raw.journeys.as_deref().unwrap_or_default(), &think);
    for journey in &journeys {
        stages::no_thinking(reader, &load, "think", journey.think());
    }
    let groups = groups(reader, raw);
    let loaded = chosen.as_ref().map(|target| journeys::load(reader, journeys, folder, &target.value, &think));
    let loaded = loaded.unwrap_or_default();
    let setup = around::read(reader, "setup", raw.setup.as_ref(), folder);
    around::keeps_the_target(reader, setup.as_ref());
    let teardown = around::read(reader, "teardown", raw.teardown.as_ref(), folder);
    let names = Names { requests: journeys::names(&loaded), groups };
    let agents = agents::read(reader, flags, raw);
    let calm = agents::calm(reader, flags, raw, load.stages.iter().map(|stage| stage.duration).sum());
    let known = Known { names: &names, agents: &agents, load: &load };
    let targets = required::read(reader, flags, raw, &known);
    let validation = validation::read(reader, &flags.validation, raw.validate.as_ref(), folder);
    let target = chosen?;
    let secrets = reader
        .secrets
        .drain(..)
        .chain(secret_values(&variables, &feeds))
        .chain(headers.secrets())
        .chain(agents::secrets(&agents));
    let redactor = Redactor::new(secrets);
    let mut plan = Plan {
        target,
        load,
        think,
        requests,
        max_errors,
        http2,
        variables,
        headers,
        feeds,
        journeys: loaded,
        setup,
        teardown,
        names,
        targets,
        agents,
        calm,
        validation,
        own: flags.own,
        redactor,
        hash: String::new(),
    };
    plan.hash = super::hash::of(&plan);
    Some(plan)
}

/// The think time that holds for journeys without their own. Where arrivals set the pace, or a number of requests is to be sent,
/// nobody thinks unless the plan says so.
fn think(reader: &mut Reader<'_>, flags: &Flags, raw: &RawPlan, hurried: bool) -> Setting<Think> {
    let sought = Sought { flag: ("--think", flags.think.as_ref()), key: ("think", raw.think.as_ref()) };
    let think = reader.setting(&sought, |text| units::think(text).map_err(|error| Problem::said(&error)));
    let default = if hurried { Think::default() } else { DEFAULT_THINK };
    think.unwrap_or(Setting::default_of(default))
}

fn requests(reader: &mut Reader<'_>, flags: &Flags, raw: &RawPlan) -> Option<Setting<u64>> {
    let sought = Sought { flag: ("--requests", flags.requests.as_ref()), key: ("requests", raw.requests.as_ref()) };
    reader.setting(&sought, |text| count(text, 1_000_000_000_000))
}

fn max_errors(reader: &mut Reader<'_>, flags: &Flags, raw: &RawPlan) -> Option<Setting<u64>> {
    let (flag, key) = (("--max-errors", flags.max_errors.as_ref()), ("max_errors", raw.max_errors.as_ref()));
    reader.setting(&Sought { flag, key }, |text| count(text, 1_000_000_000_000))
}

/// Whether Hurl takes this as the name of a variable.
pub(super) fn is_variable_name(name: &str) -> bool {
    name.starts_with(char::is_alphabetic) && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

/// The variables of the file, then those of the flags, which win; and the target.
fn variables(
    reader: &mut Reader<'_>,
    flags: &Flags,
    raw: &RawPlan,
    chosen: Option<&Setting<target::Url>>,
) -> Vec<Variable> {
    let mut found: BTreeMap<String, Variable> = BTreeMap::new();
    for (name, at) in raw.variables.iter().flatten() {
        if let Some(text) = reader.text(&format!("variables.{name}"), at) {
            found.extend(variable(reader, name, text));
        }
    }
    for given in &flags.variable {
        let Some((name, value)) = given.split_once('=') else {
            let problem = Problem::new("a variable without a value").at("--variable");
            reader.problems.0.push(problem.hint("write it like `--variable NAME=VALUE`"));
            continue;
        };
        let text = Reader::flag("--variable", value);
        found.extend(variable(reader, name, text));
    }
    if let Some(chosen) = chosen {
        let (name, value) = (TARGET.to_owned(), target::base(&chosen.value));
        let secret = chosen.value.password().is_some();
        let (typed, from) = (Value::text(&value), chosen.from.clone());
        found.insert(name.clone(), Variable { name, value, typed, secret, from });
    }
    found.into_values().collect()
}

fn variable(reader: &mut Reader<'_>, name: &str, text: Text) -> Option<(String, Variable)> {
    if name == TARGET {
        let problem = Problem::new("the variable `target` always holds the target's URL");
        reader.problem(&text, problem.hint("name the target with `--target` or `target:`, or choose another name"));
        return None;
    }
    if !is_variable_name(name) {
        let problem = Problem::new(format!("`{name}` is no name of a variable"));
        reader.problem(&text, problem.hint("letters, digits, `_` and `-`, beginning with a letter"));
        return None;
    }
    let typed = match journey::parse_variable(&format!("{name}={}", text.text)) {
        Ok((_, typed)) => typed,
        Err(error) => {
            reader.problem(&text, Problem::new(error.to_string()));
            return None;
        }
    };
    let (name, secret) = (name.to_owned(), text.secret || looks_secret(name));
    Some((name.clone(), Variable { name, value: text.text, typed, secret, from: text.from }))
}

fn feeds(reader: &mut Reader<'_>, raw: &[RawData], folder: &Path, users: usize) -> Vec<Feed> {
    let mut feeds: Vec<Feed> = Vec::new();
    for (index, raw) in raw.iter().enumerate() {
        let path = format!("data[{index}]");
        let order = raw.order.as_ref().and_then(|at| reader.text(&format!("{path}.order"), at));
        let order =
            order.and_then(|text| reader.understand(&text, order_of)).map_or(Order::Circular, |order| order.value);
        let Some(text) = reader.text(&format!("{path}.file"), &raw.file) else { continue };
        let shown = PathBuf::from(&text.text);
        let read = Feed::read(&folder.join(&shown), &shown, order);
        let Some(feed) = reader.problems.take(read.map_err(|problem| with_place(problem, &text.place))) else {
            continue;
        };
        clashes(reader, &feeds, &feed, &text);
        if order == Order::Unique && feed.rows.len() < users {
            let (rows, file) = (feed.rows.len(), shown.display());
            let problem =
                Problem::new(format!("`{file}` has {rows} rows for {users} users, each of whom wants its own"));
            reader.problem(&text, problem.hint("add rows, ask for fewer users, or use the order `circular`"));
        }
        feeds.push(feed);
    }
    feeds
}

/// Keeps a place in the data file itself, and says where the plan names it otherwise.
fn with_place(problem: Problem, place: &str) -> Problem {
    match &problem.place {
        Some(_) => problem,
        None => problem.at(place),
    }
}

fn clashes(reader: &mut Reader<'_>, earlier: &[Feed], feed: &Feed, text: &Text) {
    for column in feed.columns.iter() {
        if let Some(other) = earlier.iter().find(|other| other.columns.contains(column)) {
            let (a, b) = (other.file.display(), feed.file.display());
            let problem = Problem::new(format!("`{a}` and `{b}` both have a column `{column}`"));
            reader.problem(text, problem.hint("rename one of them"));
        }
    }
}

fn order_of(text: &str) -> Result<Order, Problem> {
    Order::find(text).ok_or_else(|| {
        let hint = suggest::hint(text, "orders", ORDERS.iter().map(|(name, ..)| *name));
        Problem::new(format!("unknown order `{text}`")).hint(hint)
    })
}

/// The groups of the file; the built-in one unless the file has its own.
fn groups(reader: &mut Reader<'_>, raw: &RawPlan) -> Vec<Group> {
    let written = raw.groups.iter().flatten();
    let mut groups: Vec<Group> = written
        .map(|(name, patterns)| {
            let texts = journeys::several(reader, patterns, &format!("groups.{name}"));
            Group { name: name.clone(), patterns: texts.into_iter().map(|text| text.text).collect() }
        })
        .collect();
    if !groups.iter().any(|group| group.name == api_group().name) {
        groups.push(api_group());
    }
    groups
}

fn secret_values(variables: &[Variable], feeds: &[Feed]) -> Vec<String> {
    let variables = variables.iter().filter(|variable| variable.secret && variable.name != TARGET);
    let columns = feeds.iter().flat_map(Feed::secrets);
    variables.map(|variable| variable.value.clone()).chain(columns).collect()
}
