//! From a check's own keys to a probe's parameters.

use crate::node::{Node, Place, Problems, Value};
use serde::de::DeserializeOwned;

/// Reads a probe's parameters; a check without keys of its own has the defaults.
pub fn parameters<T: DeserializeOwned>(own: &Node, problems: &mut Problems) -> Option<T> {
    match own.value {
        Value::Null => Node { value: Value::Map(Vec::new()), at: own.at }.read("", problems),
        _ => own.read("", problems),
    }
}

/// Where the value of a key is written; the place of the whole when it is not.
#[must_use]
pub fn place_of(own: &Node, key: &str) -> Place {
    own.get(key).map_or(own.at, |node| node.at)
}
