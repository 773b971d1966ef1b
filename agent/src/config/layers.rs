//! The checks of file, environment and flags, laid over each other. Knows names and URLs of checks, no other key.

use super::expand::Environment;
use super::{Desk, yaml};
use crate::node::{Key, Node, Place, Problems, Value, closest};

/// What the command line says; nothing here is checked yet.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--config`.
    pub config: Option<String>,
    /// `--listen`.
    pub listen: Option<String>,
    /// `--peer`.
    pub peer: Option<String>,
    /// `--check NAME=URL`, in order.
    pub checks: Vec<String>,
    /// `--web.config.file`.
    pub web_config: Option<String>,
    /// `--peer-cgroup`.
    pub peer_cgroup: Option<String>,
}

/// What a variable's name begins with when its value is the URL of a check.
pub const CHECK_PREFIX: &str = "AGENT_CHECK_";
/// Name of the check that `--peer` makes.
const PEER: &str = "peer";

/// A check as written, and where: a key path of the file, a flag, or a variable.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) path: String,
    pub(super) node: Node,
}

impl Written {
    /// Its name, when it is written as it should be.
    pub(super) fn name(&self) -> Option<&str> {
        self.node.get("name").and_then(Node::as_text)
    }

    fn is_peer(&self) -> bool {
        self.node.get("peer").is_some_and(|node| matches!(node.value, Value::Bool(true)))
    }
}

/// Whether there is nothing at all to go by.
pub(super) fn nothing_given(flags: &Flags, env: &Environment) -> bool {
    let by_flag = flags.peer.is_some() || !flags.checks.is_empty() || flags.peer_cgroup.is_some();
    let names = ["AGENT_PEER", "AGENT_PEER_CGROUP"];
    let by_variable = names.iter().any(|name| env.filled(name).is_some());
    !by_flag && !by_variable && from_environment(env).is_empty()
}

/// All checks: those of the file, with those of environment and flags in place of their namesakes and behind them.
pub(super) fn checks(root: &Node, flags: &Flags, env: &Environment, desk: &mut Desk) -> Vec<Written> {
    let mut all = from_file(root, &mut desk.problems);
    let mut beside = peer(flags, env, desk);
    let variables = from_environment(env);
    let flags = from_flags(flags, env, desk);
    let overruled = |variable: &Written| flags.iter().any(|flag| flag.name() == variable.name());
    beside.extend(variables.into_iter().filter(|variable| !overruled(variable)));
    beside.extend(flags);
    for check in beside {
        lay_over(&mut all, check, desk);
    }
    note_slips(env, desk);
    all
}

/// A check of flag or environment replaces the file's check of that name wholly; `--peer` the one marked as the peer.
fn lay_over(all: &mut Vec<Written>, mut check: Written, desk: &mut Desk) {
    let peer = check.is_peer();
    let same = |old: &&mut Written| old.node.at.line > 0 && (old.name() == check.name() || peer && old.is_peer());
    let Some(old) = all.iter_mut().find(same) else {
        return if peer { all.insert(0, check) } else { all.push(check) };
    };
    let message = format!("`{}` of the file is replaced by {}", old.path, check.path);
    desk.warnings.add(&old.path, old.node.at, message);
    if let (Some(name), true) = (old.name().map(str::to_owned), peer)
        && let Value::Map(entries) = &mut check.node.value
    {
        entries.retain(|(key, _)| key.name != "name");
        entries.push(entry("name", Value::Text(name)));
    }
    *old = check;
}

fn from_file(root: &Node, problems: &mut Problems) -> Vec<Written> {
    let Some(node) = root.get("checks") else { return Vec::new() };
    let items = match &node.value {
        Value::Null => return Vec::new(),
        Value::List(items) => items,
        _ => {
            let message = format!("expected a list, found {}", node.shape());
            problems.add_with_hint(
                "checks",
                node.at,
                message,
                "each check is an item: `- name: db`, below it `url: …`",
            );
            return Vec::new();
        }
    };
    let written =
        |(index, node): (usize, &Node)| Written { path: format!("checks[{index}]"), node: with_text_name(node) };
    items.iter().enumerate().map(written).collect()
}

/// `name: 1` is the name `1`.
fn with_text_name(node: &Node) -> Node {
    let mut node = node.clone();
    if let Value::Map(entries) = &mut node.value
        && let Some((_, name)) = entries.iter_mut().find(|(key, _)| key.name == "name")
    {
        match name.value {
            Value::Integer(number) => name.value = Value::Text(number.to_string()),
            Value::Bool(value) => name.value = Value::Text(value.to_string()),
            _ => {}
        }
    }
    node
}

fn peer(flags: &Flags, env: &Environment, desk: &mut Desk) -> Vec<Written> {
    let flag = flags.peer.as_deref().map(|url| ("--peer", flag_text(url, "--peer", env, desk)));
    let variable = || env.filled("AGENT_PEER").map(|url| ("AGENT_PEER", Node::text(url)));
    let made = |(path, url): (&str, Node)| Written {
        path: path.to_owned(),
        node: map([
            entry("name", Value::Text(PEER.to_owned())),
            entry("url", url.value),
            entry("peer", Value::Bool(true)),
        ]),
    };
    flag.or_else(variable).map(made).into_iter().collect()
}

fn from_environment(env: &Environment) -> Vec<Written> {
    let checks = env.iter().filter(|(_, url)| !url.is_empty());
    let named = checks.filter_map(|(name, url)| Some((name, name.strip_prefix(CHECK_PREFIX)?, url)));
    let made = |(variable, name, url): (&str, &str, &str)| {
        named_check(variable.to_owned(), &name.to_lowercase().replace('_', "-"), Node::text(url))
    };
    named.map(made).collect()
}

fn from_flags(flags: &Flags, env: &Environment, desk: &mut Desk) -> Vec<Written> {
    let mut all = Vec::new();
    for text in &flags.checks {
        // `db` of `db=URL`; a text that begins with a URL has no name, however many `=` its query has.
        match text.split_once('=').filter(|(name, _)| !name.contains(':')) {
            Some((name, url)) => {
                let path = format!("--check {name}");
                let url = flag_text(url, &path, env, desk);
                all.push(named_check(path, name, url));
            }
            None => desk.problems.add_with_hint(
                "--check",
                Place::default(),
                "a check needs a name",
                "write `--check NAME=URL`, as in `--check db=postgres://…`",
            ),
        }
    }
    all
}

/// The text of a flag. `${…}` is filled in, so that a secret need not stand in the list of processes; a text without `${` is
/// left as it is, for a shell has seen its `$` already.
pub(super) fn flag_text(text: &str, path: &str, env: &Environment, desk: &mut Desk) -> Node {
    let mut node = Node::text(text);
    if text.contains("${") {
        desk.expanded.fill(&mut node, path, env, (&mut desk.problems, &mut desk.files));
    }
    node
}

/// The one check of `agent probe`.
pub(super) fn one(url: &str, keys: &[(String, String)], env: &Environment, desk: &mut Desk) -> Written {
    let mut entries = vec![entry("name", Value::Text("probe".to_owned()))];
    entries.push(entry("url", flag_text(url, "url", env, desk).value));
    for (name, value) in keys {
        let path = format!("{SET}{name}");
        if entries.iter().any(|(key, _)| key.name == *name) {
            desk.problems.add(&path, Place::default(), format!("`{name}` is set twice"));
            continue;
        }
        entries.push(entry(name, set_value(value, &path, env, desk).value));
    }
    Written { path: String::new(), node: map(entries) }
}

/// What stands before a key that the command line of `agent probe` sets.
const SET: &str = "--set ";

/// A path of the one check as it stands on the command line: `tiemout` was written as `--set tiemout`.
pub(super) fn as_argument(path: &str) -> String {
    let of_url = path.strip_prefix("url").is_some_and(|rest| rest.is_empty() || rest.starts_with('?'));
    match path {
        "" => "url".to_owned(),
        written if of_url || written.starts_with(SET) => written.to_owned(),
        key => format!("{SET}{key}"),
    }
}

/// The value of `--set`: text as it stands, unless it begins like a list, a mapping or a quoted text of YAML.
fn set_value(text: &str, path: &str, env: &Environment, desk: &mut Desk) -> Node {
    if !text.trim_start().starts_with(['[', '{', '"', '\'']) {
        return flag_text(text, path, env, desk);
    }
    match yaml::read(text) {
        Ok(mut node) => {
            unplace(&mut node);
            if text.contains("${") {
                desk.expanded.fill(&mut node, path, env, (&mut desk.problems, &mut desk.files));
            }
            node
        }
        Err(error) => {
            let message = format!("{}, in column {}", error.message, error.at.column);
            let hint = "a text that begins with a bracket or a quote is written in quotes of its own: `--set \"KEY='[a-z]+'\"`";
            desk.problems.add_with_hint(path, Place::default(), message, hint);
            Node::default()
        }
    }
}

/// Takes the places away: a line of a flag is no line of a file.
fn unplace(node: &mut Node) {
    node.at = Place::default();
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(unplace),
        Value::Map(entries) => entries.iter_mut().for_each(|(key, node)| {
            key.at = Place::default();
            unplace(node);
        }),
        _ => {}
    }
}

/// Variables that are one slip away from being read.
fn note_slips(env: &Environment, desk: &mut Desk) {
    let known = super::keys::ENVIRONMENT.iter().map(|(name, _)| *name).filter(|name| !name.contains('<'));
    let known: Vec<&str> = known.collect();
    for (name, _) in env.iter().filter(|(name, _)| name.starts_with("AGENT_") && !name.starts_with(CHECK_PREFIX)) {
        if known.contains(&name) || name.starts_with("AGENT_PORT") || name.starts_with("AGENT_SERVICE") {
            continue; // Kubernetes sets the latter two beside a Service called `agent`
        }
        let slipped_prefix = || {
            let (prefix, check) = name.split_at(name.match_indices('_').nth(1)?.0 + 1);
            closest(prefix, [CHECK_PREFIX]).map(|meant| format!("{meant}{check}"))
        };
        if let Some(meant) = closest(name, known.iter().copied()).map(str::to_owned).or_else(slipped_prefix) {
            let hint = format!("did you mean `{meant}`?");
            desk.warnings.add_with_hint(name, Place::default(), format!("the variable `{name}` is not read"), hint);
        }
    }
}

pub(super) fn named_check(path: String, name: &str, url: Node) -> Written {
    Written { path, node: map([entry("name", Value::Text(name.to_owned())), entry("url", url.value)]) }
}

fn entry(name: &str, value: Value) -> (Key, Node) {
    (Key { name: name.to_owned(), at: Place::default() }, Node::new(value))
}

fn map(entries: impl Into<Vec<(Key, Node)>>) -> Node {
    Node::new(Value::Map(entries.into()))
}
