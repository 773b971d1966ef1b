//! A configuration value that remembers where it was written, and the list of problems found in it.
//! `config/yaml.rs` makes nodes; probes and the configuration read their own types out of them. A leaf: it knows no YAML.

use serde::de::DeserializeOwned;

/// A place in a file, counted from 1; line 0 means "not from a file" (a flag, the environment, a URL's query).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// A value with its place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where it begins.
    pub at: Place,
}

/// The shapes a configuration value can have.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// Nothing was written.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A mapping, in the order written; duplicate keys were refused when it was read.
    Map(Vec<(Key, Node)>),
}

/// A key of a mapping with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The key.
    pub name: String,
    /// Where it is written.
    pub at: Place,
}

/// One thing that is wrong with a configuration, for the reader of the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong: lower case, no full stop, the value last.
    pub message: String,
    /// The key path, as in `checks[2].interval`.
    pub path: String,
    /// Where in the file.
    pub at: Place,
    /// What to do, when there is advice.
    pub hint: Option<String>,
}

/// All problems of a configuration, in the order found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// Notes a problem at a place.
    pub fn add(&mut self, path: &str, at: Place, message: impl Into<String>) {
        self.0.push(Problem { message: message.into(), path: path.to_owned(), at, hint: None });
    }

    /// Notes a problem with advice.
    pub fn add_with_hint(&mut self, path: &str, at: Place, message: impl Into<String>, hint: impl Into<String>) {
        self.0.push(Problem { message: message.into(), path: path.to_owned(), at, hint: Some(hint.into()) });
    }
}

impl Node {
    /// Reads a type out of this node. Unknown keys, wrong types and values out of range go to `problems`, with path, place and
    /// a suggestion; `None` when the type could not be read at all.
    pub fn read<T: DeserializeOwned>(&self, path: &str, problems: &mut Problems) -> Option<T> {
        serde_json::from_value(self.to_json()).map_err(|error| problems.add(path, self.at, error.to_string())).ok()
    }

    fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Integer(value) => (*value).into(),
            Value::Float(value) => (*value).into(),
            Value::Text(value) => value.as_str().into(),
            Value::List(items) => items.iter().map(Self::to_json).collect(),
            Value::Map(entries) => entries.iter().map(|(key, node)| (key.name.clone(), node.to_json())).collect(),
        }
    }
}
