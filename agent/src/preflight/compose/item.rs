//! A value of a compose file after its variables were filled in: text, list or mapping, each with file and place. Numbers and truth
//! values are text here, for compose reads `"8080"` and `8080` alike.

use crate::node::Place;

/// Where something is written: the file's index among the sources, and the place in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    pub(super) file: usize,
    pub(super) at: Place,
}

/// Where a text came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Origin {
    /// A part of it is a variable's value.
    pub(super) variable: bool,
    /// A part of it is a default that stands in the file: `${X:-default}`.
    pub(super) default: bool,
    /// A part of it is missing: a variable that is not set.
    pub(super) unset: bool,
}

impl Origin {
    /// Whether all of it stands in the file.
    pub(super) fn is_written(self) -> bool {
        !self.variable && !self.unset
    }
}

/// What merging does with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    /// `!reset`: the value of the files before is removed.
    Reset,
    /// `!override`: it is replaced as a whole.
    Override,
}

/// A value with its place.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Item {
    pub(super) value: Value,
    pub(super) at: Spot,
    pub(super) tag: Option<Tag>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Value {
    #[default]
    Null,
    Text(String, Origin),
    List(Vec<Item>),
    Map(Vec<(Key, Item)>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) at: Spot,
}

impl Item {
    pub(super) fn new(value: Value, at: Spot) -> Self {
        Self { value, at, tag: None }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text, _) => Some(text),
            _ => None,
        }
    }

    pub(super) fn origin(&self) -> Origin {
        match &self.value {
            Value::Text(_, origin) => *origin,
            _ => Origin::default(),
        }
    }

    pub(super) fn is_true(&self) -> bool {
        self.text().is_some_and(|text| matches!(text.to_ascii_lowercase().as_str(), "true" | "yes" | "on"))
    }

    /// The entries of a mapping; none when it is something else.
    pub(super) fn entries(&self) -> &[(Key, Self)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; a single text stands for a list of one.
    pub(super) fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            Value::Text(..) => std::slice::from_ref(self),
            _ => &[],
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        self.entry(name).map(|(_, item)| item)
    }

    pub(super) fn entry(&self, name: &str) -> Option<&(Key, Self)> {
        self.entries().iter().find(|(key, _)| key.name == name)
    }

    /// The value at a path of keys: `["deploy", "resources"]`.
    pub(super) fn under(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |item, name| item.get(name))
    }

    pub(super) fn entries_mut(&mut self) -> Option<&mut Vec<(Key, Self)>> {
        match &mut self.value {
            Value::Map(entries) => Some(entries),
            _ => None,
        }
    }
}
