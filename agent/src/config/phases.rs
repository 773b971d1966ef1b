//! The file of `agent start`: ordered phases of steps, and what is undone at the end, from text to a checked plan.

use super::expand::Environment;
use super::layers::Written;
use super::{Check, ConfigError, Desk, Tables, check, depend, read_file};
use crate::limits;
use crate::node::{Key, Node, Place, Problem, Problems, Value, child};
use crate::profile::Profile;
use crate::units::Span;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// A start, checked.
#[derive(Debug)]
pub struct Phases {
    /// The phases in order.
    pub phases: Vec<PhasePlan>,
    /// How it all ends.
    pub shutdown: Shutdown,
}

/// Steps of which those run together that wait for no other.
#[derive(Debug)]
pub struct PhasePlan {
    /// Its name.
    pub name: String,
    /// Its steps, as written.
    pub steps: Vec<Step>,
}

/// One thing that must succeed.
#[derive(Debug)]
pub struct Step {
    /// Its name, unique in the file.
    pub name: String,
    /// What it does.
    pub work: Work,
    /// Steps that must have succeeded before.
    pub depends_on: Vec<String>,
    /// How long one try may take.
    pub timeout: Duration,
    /// How long failing tries are repeated; `None` is the first failure's end of it all.
    pub retry: Option<Duration>,
    /// What undoes it at the end.
    pub stop: Option<(Hook, Duration)>,
}

/// What a step does.
#[derive(Debug)]
pub enum Work {
    /// Asks a dependency.
    Check(Check),
    /// Runs a command, whose exit code must be 0.
    Run(Hook),
    /// Holds the variables of this process against a schema.
    Environment(Variables),
    /// Nothing now; it is there for what it does at the end.
    Nothing,
}

/// What the variables of this process are held against, as by `agent check`.
#[derive(Clone, Debug)]
pub struct Variables {
    /// A file, or `builtin:common`.
    pub schema: String,
    /// How strict to be.
    pub profile: Profile,
    /// The file of findings that are lived with.
    pub accepted: Option<String>,
}

/// A command of a step.
#[derive(Clone, Debug)]
pub struct Hook {
    /// Program and arguments; never empty.
    pub words: Vec<String>,
    /// Variables beside those of this process.
    pub env: Vec<(String, String)>,
    /// Where it runs; else where we do.
    pub workdir: Option<PathBuf>,
}

/// The times of the end.
#[derive(Clone, Copy, Debug)]
pub struct Shutdown {
    /// How long `/ready` says 503 before the command is told; `None` is the default, which depends on whether anybody is served.
    pub drain: Option<Duration>,
    /// How long the command has after its SIGTERM.
    pub grace: Duration,
    /// How long all of it may take.
    pub budget: Duration,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawTop {
    shutdown: RawShutdown,
    /// Read one by one, so that each keeps its place.
    phases: IgnoredAny,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawShutdown {
    drain: Option<Span>,
    grace: Option<Span>,
    budget: Option<Span>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawPhase {
    name: String,
    steps: IgnoredAny,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawStep {
    name: String,
    check: IgnoredAny,
    run: Vec<String>,
    environment: Option<String>,
    profile: Option<Profile>,
    accepted: Option<String>,
    env: BTreeMap<String, String>,
    workdir: Option<PathBuf>,
    depends_on: Vec<String>,
    timeout: Option<Span>,
    retry: Option<RawRetry>,
    stop: Option<RawStop>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawRetry {
    wait: Option<Span>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawStop {
    run: Vec<String>,
    env: BTreeMap<String, String>,
    workdir: Option<PathBuf>,
    timeout: Option<Span>,
}

/// Keys of a check that mean nothing for one that is asked until it answers once.
const MEANINGLESS: [&str; 7] = ["name", "interval", "fail_after", "ok_after", "role", "depends_on", "peer"];

/// Reads and checks the file.
///
/// # Errors
/// When anything is wrong: all of it.
pub fn load_phases(file: &str, env: &Environment) -> Result<(Phases, Vec<Problem>), ConfigError> {
    let mut root = read_file(file)?;
    let mut desk = Desk::default();
    desk.expanded.fill(&mut root, "", env, (&mut desk.problems, &mut desk.files));
    desk.unfilled = desk.problems.0.len();
    let plan = read(&root, &mut desk);
    let refused = |problems| ConfigError::Problems { file: Some(file.to_owned()), problems };
    let warnings = desk.verdict().map_err(refused)?;
    plan.map(|plan| (plan, warnings)).ok_or_else(|| refused(Problems::default()))
}

fn read(root: &Node, desk: &mut Desk) -> Option<Phases> {
    let top: RawTop = root.read_on("", &mut desk.problems)?;
    let mut written = Vec::new();
    let mut order: BTreeMap<String, usize> = BTreeMap::new();
    let mut phases = Vec::new();
    let listed = items(root, "phases", "phases", &mut desk.problems);
    for (number, node) in listed.iter().enumerate() {
        let path = format!("phases[{number}]");
        let raw: RawPhase = node.read_on(&path, &mut desk.problems).unwrap_or_default();
        if raw.name.is_empty() {
            desk.problems.add(&child(&path, "name"), node.at, "`name` is missing");
        }
        let mut steps = Vec::new();
        for (index, node) in items(node, "steps", &child(&path, "steps"), &mut desk.problems).iter().enumerate() {
            let one = Written { path: format!("{path}.steps[{index}]"), node: node.clone() };
            steps.extend(step(&one, desk));
            one.name().into_iter().for_each(|name| note_name(name, number, &one, &mut order, &mut desk.problems));
            written.push((number, one));
        }
        phases.push(PhasePlan { name: raw.name, steps });
    }
    refuse_later(&written, &order, &mut desk.problems);
    let written: Vec<Written> = written.into_iter().map(|(_, one)| one).collect();
    if written.len() > limits::CHECKS {
        desk.problems.add("phases", Place::default(), format!("a start has {} steps at most", limits::CHECKS));
    }
    depend::check("step", &written, &mut desk.problems);
    Some(Phases { phases, shutdown: shutdown(top.shutdown) })
}

fn shutdown(raw: RawShutdown) -> Shutdown {
    let grace = raw.grace.map_or(limits::START_GRACE, |Span(grace)| grace);
    let budget = raw.budget.map_or(limits::START_BUDGET, |Span(budget)| budget);
    Shutdown { drain: raw.drain.map(|Span(drain)| drain), grace, budget }
}

/// The items of a list that must have some.
fn items<'a>(node: &'a Node, key: &str, path: &str, problems: &mut Problems) -> &'a [Node] {
    match node.get(key).map(|list| &list.value) {
        Some(Value::List(items)) if !items.is_empty() => items,
        _ => {
            let at = node.get(key).map_or(node.at, |list| list.at);
            problems.add(path, at, format!("`{key}` is a list with at least one item"));
            &[]
        }
    }
}

fn note_name(name: &str, phase: usize, one: &Written, order: &mut BTreeMap<String, usize>, problems: &mut Problems) {
    let at = one.node.get("name").map_or(one.node.at, |node| node.at);
    if order.insert(name.to_owned(), phase).is_some() {
        problems.add(&child(&one.path, "name"), at, format!("two steps are called `{name}`"));
    }
}

/// A step cannot wait for one of a later phase.
fn refuse_later(written: &[(usize, Written)], order: &BTreeMap<String, usize>, problems: &mut Problems) {
    for (phase, one) in written {
        let Some(list) = one.node.get("depends_on") else { continue };
        let needed: &[Node] = match &list.value {
            Value::List(items) => items,
            _ => std::slice::from_ref(list),
        };
        for node in needed {
            let later = node.as_text().filter(|name| order.get(*name).is_some_and(|other| other > phase));
            if let Some(name) = later {
                let message = format!("`{name}` is a step of a later phase");
                problems.add(&child(&one.path, "depends_on"), node.at, message);
            }
        }
    }
}

fn step(one: &Written, desk: &mut Desk) -> Option<Step> {
    let raw: RawStep = one.node.read_on(&one.path, &mut desk.problems)?;
    if !check::is_name(&raw.name) {
        let message = format!("a step needs a `name`: 1 to {} of `a-z 0-9 - _`", limits::NAME_CHARS);
        desk.problems.add(&child(&one.path, "name"), one.node.at, message);
    }
    let stop = raw.stop.map(|stop| {
        let timeout = stop.timeout.map_or(limits::HOOK_STOP_TIMEOUT, |Span(timeout)| timeout);
        let path = child(&one.path, "stop");
        let hook = Hook {
            words: words(stop.run, &child(&path, "run"), one, desk),
            env: stop.env.into_iter().collect(),
            workdir: stop.workdir,
        };
        if hook.words.is_empty() {
            desk.problems.add(&path, one.node.at, "`stop` needs a `run`");
        }
        (hook, timeout)
    });
    let (asks, runs) = (one.node.get("check"), one.node.get("run").is_some());
    match usize::from(asks.is_some()) + usize::from(runs) + usize::from(raw.environment.is_some()) {
        0 if stop.is_some() => {}
        1 => {}
        _ => {
            let hint = "write `check:` to ask a dependency, `environment:` to check the variables, `run:` for a command, or only \
                        `stop:` for what is done at the end";
            desk.problems.add_with_hint(&one.path, one.node.at, "a step does one thing", hint);
        }
    }
    if !runs && (!raw.env.is_empty() || raw.workdir.is_some()) {
        desk.problems.add(&one.path, one.node.at, "`env` and `workdir` belong to a `run`");
    }
    if raw.environment.is_none() && (raw.profile.is_some() || raw.accepted.is_some()) {
        desk.problems.add(&one.path, one.node.at, "`profile` and `accepted` belong to an `environment`");
    }
    let work = match (asks, raw.environment) {
        (Some(node), _) => Work::Check(ask(one, &raw.name, node, desk)?),
        (None, Some(schema)) => {
            Work::Environment(Variables { schema, profile: raw.profile.unwrap_or_default(), accepted: raw.accepted })
        }
        (None, None) if runs => {
            let words = words(raw.run, &child(&one.path, "run"), one, desk);
            Work::Run(Hook { words, env: raw.env.into_iter().collect(), workdir: raw.workdir })
        }
        (None, None) => Work::Nothing,
    };
    let usual = match &work {
        Work::Check(check) => check.facts.timeout,
        _ => limits::HOOK_TIMEOUT,
    };
    let timeout = raw.timeout.map_or(usual, |Span(timeout)| timeout);
    let retry = raw.retry.map(|retry| retry.wait.map_or(limits::START_RETRY, |Span(wait)| wait));
    Some(Step { name: raw.name, work, depends_on: raw.depends_on, timeout, retry, stop })
}

/// A command is a list of words: there may be no shell, and its quoting is nobody's friend.
fn words(words: Vec<String>, path: &str, one: &Written, desk: &mut Desk) -> Vec<String> {
    let line = words.len() == 1 && words.first().is_some_and(|word| word.contains(char::is_whitespace));
    if line || words.first().is_some_and(String::is_empty) {
        let hint = "write `run: [./migrate, up]`, or with a shell `run: [sh, -c, \"…\"]`";
        desk.problems.add_with_hint(path, one.node.at, "a command is a list of words", hint);
    }
    words
}

/// The check of a step, as in a configuration file; a URL alone will do.
fn ask(one: &Written, name: &str, node: &Node, desk: &mut Desk) -> Option<Check> {
    let path = child(&one.path, "check");
    let key = |name: &str| Key { name: name.to_owned(), at: node.at };
    let mut entries = match &node.value {
        Value::Map(entries) => entries.clone(),
        _ => vec![(key("url"), node.clone())],
    };
    for (key, _) in entries.iter().filter(|(key, _)| MEANINGLESS.contains(&key.name.as_str())) {
        let message = format!("`{}` means nothing in the check of a step", key.name);
        desk.problems.add(&child(&path, &key.name), key.at, message);
    }
    entries.retain(|(key, _)| !MEANINGLESS.contains(&key.name.as_str()));
    entries.push((key("name"), Node { value: Value::Text(name.to_owned()), at: node.at }));
    let written = Written { path, node: Node { value: Value::Map(entries), at: node.at } };
    check::build_all(&[written], Tables::of_program(), desk).pop()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("phases.yml");
        std::fs::write(&path, text).unwrap();
        let env = Environment::from([("SECRET", "canary-hook")]);
        match load_phases(path.to_str().unwrap(), &env) {
            Ok((phases, _)) => Ok(format!("{phases:?}")),
            Err(error) => Err(error.to_string().replace(path.to_str().unwrap(), "phases.yml")),
        }
    }

    #[test]
    fn the_example_loads() {
        let example = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/phases.yml");
        let env = Environment::from([("DATABASE_URL", "postgres://app@db/shop"), ("REDIS_URL", "redis://cache")]);
        let (phases, warnings) = load_phases(example.to_str().unwrap(), &env).unwrap();
        let names: Vec<&str> = phases.phases.iter().map(|phase| phase.name.as_str()).collect();
        assert_eq!(names, ["environment", "database", "redis", "external apis", "vector store"]);
        assert!(warnings.is_empty(), "{warnings:?}");
    }

    #[test]
    fn every_key_is_in_the_reference() {
        let below = |under: &str, names: &[&str]| names.iter().map(|name| format!("{under}{name}")).collect::<Vec<_>>();
        let read = [
            below("", crate::node::fields::<RawTop>()),
            below("shutdown.", crate::node::fields::<RawShutdown>()),
            below("phases[].", crate::node::fields::<RawPhase>()),
            below("steps[].", crate::node::fields::<RawStep>()),
            below("steps[].retry.", crate::node::fields::<RawRetry>()),
            below("steps[].stop.", crate::node::fields::<RawStop>()),
        ];
        let told: Vec<&str> = super::super::keys::PHASES.iter().map(|key| key.name).collect();
        assert_eq!(told, read.concat());
    }

    #[test]
    fn everything_wrong_is_told_with_its_place() {
        let text = "phases:\n- name: one\n  steps:\n  - {name: a, run: ./x y, depends_on: [later]}\n  - {name: b, check: \"htpp://h\", tiemout: 3s}\n  - {name: c, depends_on: [d], profile: staging}\n  - {name: d, run: [x], depends_on: [c, nobody]}\n- name: two\n  steps:\n  - {name: later, check: {url: \"tcp://h:1\", role: observe}, run: [x]}\nshutdwn: {}\n";
        let told = load(text).unwrap_err();
        for words in [
            "a command is a list of words",
            "`later` is a step of a later phase",
            "did you mean `http`",
            "did you mean `timeout`",
            "a step does one thing",
            "`profile` and `accepted` belong to an `environment`",
            "the steps depend on each other in a circle: c → d → c",
            "no step is called `nobody`",
            "`role` means nothing in the check of a step",
            "did you mean `shutdown`",
            "phases.yml:10",
        ] {
            assert!(told.contains(words), "no `{words}` in\n{told}");
        }
        assert!(load("phases: []\n").unwrap_err().contains("at least one"));
        assert!(load("").unwrap_err().contains("phases"));
    }
}
