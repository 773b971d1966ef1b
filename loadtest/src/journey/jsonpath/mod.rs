//! JSONPath (RFC 9535) over [`Value`], parsed once and evaluated by reference. Knows nothing of Hurl but two facts:
//! numbers within 1e-12 of each other count as equal in filters, and nesting is capped at 64.

mod eval;
mod parse;
mod reader;
#[cfg(test)]
mod tests;

use super::value::Value;
use std::sync::Arc;

/// A parsed path.
#[derive(Clone, Debug)]
pub struct Path {
    segments: Vec<Segment>,
}

/// The text is no path: at which character, counted from 1, and what should be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadPath {
    /// The character, counted from 1.
    pub column: usize,
    /// What should be there.
    pub expected: &'static str,
}

#[derive(Clone, Debug)]
struct Segment {
    descendant: bool,
    selectors: Vec<Selector>,
}

#[derive(Clone, Debug)]
enum Selector {
    Name(String),
    Wildcard,
    Index(i64),
    Slice { start: Option<i64>, end: Option<i64>, step: i64 },
    Filter(Logical),
}

#[derive(Clone, Debug)]
enum Logical {
    Or(Vec<Logical>),
    And(Vec<Logical>),
    Not(Box<Logical>),
    Compare(Comparable, Operator, Comparable),
    Exists(SubQuery),
    Matches { text: Comparable, pattern: Pattern, whole: bool },
}

#[derive(Clone, Copy, Debug)]
enum Operator {
    Equal,
    NotEqual,
    LessOrEqual,
    Less,
    GreaterOrEqual,
    Greater,
}

#[derive(Clone, Debug)]
enum Comparable {
    Literal(Value),
    Query(SubQuery),
    Length(Box<Comparable>),
    Count(SubQuery),
    ValueOf(SubQuery),
}

#[derive(Clone, Debug)]
enum Pattern {
    Constant(Option<Arc<regex::Regex>>),
    Computed(Box<Comparable>),
}

#[derive(Clone, Debug)]
struct SubQuery {
    absolute: bool,
    segments: Vec<Segment>,
}

impl Path {
    /// Parses a path.
    ///
    /// # Errors
    /// Where and what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, BadPath> {
        parse::path(text)
    }

    /// The nodes found, in the order of the document.
    #[must_use]
    pub fn find<'v>(&self, root: &'v Value) -> Vec<&'v Value> {
        eval::find(&self.segments, root, root)
    }
}
