//! A configuration value that remembers where it was written, and the list of problems found in it.
//! `config/yaml.rs` makes nodes; probes and the configuration read their own types out of them. A leaf: it knows no YAML.
//! What must stay true: reading never stops at the first mistake, and no message repeats a text that was meant for a secret.

mod fields;
mod problem;
mod read;
mod suggest;
#[cfg(test)]
mod tests;

pub use fields::fields;
pub use problem::{Confided, Problem, Problems};
pub use suggest::{closest, did_you_mean};

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
    /// A whole number, written as this number is printed: `007` and `0x7` are text, for a password may look like them.
    Integer(i64),
    /// Any other number, written as it is printed.
    Float(f64),
    /// Text; read as a number or truth value where one is expected, for the environment knows only text.
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

impl Node {
    /// A value that was not written in a file: a flag, the environment, a URL's query.
    #[must_use]
    pub fn new(value: Value) -> Self {
        Self { value, at: Place::default() }
    }

    /// Text that was not written in a file.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(Value::Text(text.into()))
    }

    /// The text, when it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The entries of a mapping; none when it is something else.
    #[must_use]
    pub fn entries(&self) -> &[(Key, Self)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The value under a key of a mapping.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.entries().iter().find(|(key, _)| key.name == name).map(|(_, node)| node)
    }

    /// What it is, for a message: `text`, `a list`. Never the text itself, which may be a secret in the wrong place.
    #[must_use]
    pub fn shape(&self) -> String {
        match &self.value {
            Value::Null => "nothing".to_owned(),
            Value::Bool(value) => format!("`{value}`"),
            Value::Integer(value) => format!("the number {value}"),
            Value::Float(value) => format!("the number {value}"),
            Value::Text(_) => "text".to_owned(),
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a mapping".to_owned(),
        }
    }

    /// Reads a type out of this node. Unknown keys, wrong types and values out of range go to `problems`, with path, place and
    /// a suggestion; `None` when the type could not be read at all. Paths begin with `path`, which may be empty.
    pub fn read<T: DeserializeOwned>(&self, path: &str, problems: &mut Problems) -> Option<T> {
        let (value, sound) = read::all(self, path, problems);
        value.filter(|_| sound)
    }

    /// As [`Node::read`], and gives out what could be read also after mistakes, with the failed values left out: for a caller
    /// that has more to check and looks at `problems` afterwards.
    pub fn read_on<T: DeserializeOwned>(&self, path: &str, problems: &mut Problems) -> Option<T> {
        read::all(self, path, problems).0
    }
}

/// The path of a key below `path`.
#[must_use]
pub fn child(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
