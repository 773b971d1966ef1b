//! Where a value stands: a chain of steps that costs nothing until a message needs it as text.

use crate::node::child;

/// A step and what it is a step from.
#[derive(Clone, Copy)]
pub(super) enum Path<'a> {
    /// The value that reading began with; the text may be empty.
    Root(&'a str),
    /// A key of a mapping.
    Key(&'a Path<'a>, &'a str),
    /// An element of a list, from 0.
    Element(&'a Path<'a>, usize),
}

impl Path<'_> {
    /// As messages have it: `checks[0].url`.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Root(path) => (*path).to_owned(),
            Self::Key(path, key) => child(&path.text(), key),
            Self::Element(path, index) => format!("{}[{index}]", path.text()),
        }
    }
}
