//! What variables there should be: a YAML file, or the built-in one, into specifications by name.

use crate::config;
use crate::node::{Key, Node, Problems, Value, child, did_you_mean};
use crate::preflight::Profile;
use crate::preflight::accepted::rendered;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The built-in schema's name, and its text.
const BUILT_IN: &str = "builtin:common";
const COMMON: &str = include_str!("common.yml");

/// What a value is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    #[default]
    Text,
    Secret,
    Password,
    Url,
    /// A URL with a key in it, as Sentry has them.
    Dsn,
    Origins,
    Host,
    Port,
    Bool,
    Int,
    Enum,
    Email,
    Path,
}

/// How a value is written exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Form {
    Hex,
    Hex32,
    Hex64,
    Base64,
    Uuid,
}

/// What is asked of one variable.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Spec {
    #[serde(rename = "type")]
    pub(super) kind: Kind,
    pub(super) required: bool,
    pub(super) required_in: Vec<Profile>,
    /// Required when one of these is set.
    pub(super) required_with: Vec<String>,
    pub(super) form: Option<Form>,
    /// Characters; 12 for a password and 32 for a secret unless told otherwise.
    pub(super) min_length: Option<usize>,
    pub(super) max_length: Option<usize>,
    pub(super) prefix: Option<String>,
    pub(super) prefix_in: BTreeMap<Profile, String>,
    pub(super) schemes: Vec<String>,
    pub(super) one_of: Vec<String>,
    pub(super) one_of_in: BTreeMap<Profile, Vec<String>>,
    pub(super) pattern: Option<String>,
    pub(super) least: Option<i64>,
    pub(super) most: Option<i64>,
    /// Whether well-known defaults are refused; by default for secrets and passwords.
    pub(super) default_forbidden: Option<bool>,
    /// A browser or another network uses it: no plain text, no name that only this stack knows.
    pub(super) public: bool,
}

impl Spec {
    /// Whether nobody may see the value.
    pub(super) fn is_secret(&self) -> bool {
        matches!(self.kind, Kind::Secret | Kind::Password)
    }

    /// Whether it must be set.
    pub(super) fn is_required(&self, profile: Profile) -> bool {
        self.required || self.required_in.contains(&profile)
    }
}

/// Specifications by name; a name that begins with `*` stands for all that end so.
#[derive(Clone, Debug, Default)]
pub(super) struct Schema {
    pub(super) variables: BTreeMap<String, Spec>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Top {
    extends: Option<String>,
    #[serde(rename = "variables")]
    _variables: Option<serde::de::IgnoredAny>,
}

impl Schema {
    /// The schema of that name or file; the built-in one when none is named. The error is the whole message.
    pub(super) fn named(name: Option<&str>) -> Result<Self, String> {
        match name {
            None | Some(BUILT_IN) => Self::of(&config::parse_yaml(BUILT_IN, COMMON)?, BUILT_IN),
            Some(file) if file.starts_with("builtin:") => {
                let hint = did_you_mean(file, "built-in schemas", &[BUILT_IN]);
                Err(format!("error: unknown schema `{file}`\n  at --schema\nhint: {hint}\n"))
            }
            Some(file) => Self::of(&config::read_yaml(file.as_ref())?, file),
        }
    }

    /// What is asked of a variable.
    pub(super) fn spec(&self, name: &str) -> Option<&Spec> {
        self.variables.get(name).or_else(|| {
            let globs = self.variables.iter().filter_map(|(key, spec)| Some((key.strip_prefix('*')?, spec)));
            globs.filter(|(end, _)| name.ends_with(end)).max_by_key(|(end, _)| end.len()).map(|(_, spec)| spec)
        })
    }

    fn of(root: &Node, file: &str) -> Result<Self, String> {
        let mut problems = Problems::default();
        let top: Option<Top> = root.read("", &mut problems);
        let base = match top.and_then(|top| top.extends).as_deref() {
            Some(BUILT_IN) => config::parse_yaml(BUILT_IN, COMMON)?,
            Some(other) => {
                let at = root.get("extends").map_or(root.at, |node| node.at);
                let hint = did_you_mean(other, "built-in schemas", &[BUILT_IN]);
                problems.add_with_hint("extends", at, format!("unknown schema `{other}`"), hint);
                Node::default()
            }
            None => Node::default(),
        };
        let mut schema = Self::default();
        let inherited = base.get("variables").map(Node::entries).unwrap_or_default();
        let variables = root.get("variables");
        if variables.is_none_or(|node| !matches!(node.value, Value::Map(_))) {
            let hint = "write `variables:` and below it `SECRET_KEY: secret` or `PORT: {type: port, required: true}`";
            problems.add_with_hint("variables", root.at, "a schema needs a mapping `variables`", hint);
        }
        let own = variables.map(Node::entries).unwrap_or_default();
        for (key, node) in inherited.iter().chain(own) {
            let beneath = inherited.iter().find(|(other, _)| other.name == key.name).map(|(_, node)| node);
            let (path, node) = (child("variables", &key.name), over(node, beneath));
            let Some(spec) = node.read::<Spec>(&path, &mut problems) else { continue };
            sense(&spec, &path, &node, &mut problems);
            schema.variables.insert(key.name.clone(), spec);
        }
        if problems.0.is_empty() { Ok(schema) } else { Err(rendered(&problems.0, file)) }
    }
}

/// A specification in its long form, with what it does not say taken from the one that it extends.
fn over(own: &Node, beneath: Option<&Node>) -> Node {
    let long = |node: &Node| match &node.value {
        Value::Text(_) => vec![(Key { name: "type".to_owned(), at: node.at }, node.clone())],
        Value::Map(entries) => entries.clone(),
        _ => Vec::new(),
    };
    if !matches!(own.value, Value::Text(_) | Value::Map(_) | Value::Null) {
        return own.clone();
    }
    let mut entries = long(own);
    for (key, node) in beneath.map(long).unwrap_or_default() {
        if !entries.iter().any(|(own, _)| own.name == key.name) {
            entries.push((key, node));
        }
    }
    Node { value: Value::Map(entries), at: own.at }
}

/// Whether a specification can be met at all.
fn sense(spec: &Spec, path: &str, node: &Node, problems: &mut Problems) {
    if let Some(error) = spec.pattern.as_ref().and_then(|pattern| regex_lite::Regex::new(pattern).err()) {
        let at = node.get("pattern").map_or(node.at, |node| node.at);
        problems.add(&child(path, "pattern"), at, format!("not a regular expression: {error}"));
    }
    if spec.kind == Kind::Enum && spec.one_of.is_empty() && spec.one_of_in.is_empty() {
        problems.add_with_hint(path, node.at, "an `enum` needs its values", "add `one_of: [debug, info]`");
    }
    if spec.min_length.zip(spec.max_length).is_some_and(|(min, max)| min > max) {
        problems.add(path, node.at, "`min_length` is above `max_length`");
    }
}
