//! Where something stands in a `.hurl` file, and how that place is shown to people.

use crate::problem::{Excerpt, Problem};
use std::path::PathBuf;

/// A range of a file; lines and columns count from 1, columns in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// First line.
    pub line: u32,
    /// First column.
    pub column: u32,
    /// Column after the last one; on another line than `line` when the range spans several.
    pub end_column: u32,
}

/// A journey's file.
#[derive(Debug)]
pub struct Source {
    /// The file's name, as given.
    pub name: String,
    /// The directory that its `file,…;` bodies may be read from.
    pub root: PathBuf,
    /// Its text.
    pub text: String,
}

impl Source {
    /// `name:line:column`.
    #[must_use]
    pub fn place(&self, span: Span) -> String {
        format!("{}:{}:{}", self.name, span.line, span.column)
    }

    /// The line with carets below the range.
    #[must_use]
    pub fn excerpt(&self, span: Span) -> Excerpt {
        let number = span.line as usize;
        let line = self.text.lines().nth(number.saturating_sub(1)).unwrap_or_default();
        let before = span.column.saturating_sub(1) as usize;
        let width = span.end_column.saturating_sub(span.column).max(1) as usize;
        let room = line.chars().count().saturating_sub(before).max(1);
        Excerpt { number: Some(number), line: line.to_owned(), before, width: width.min(room) }
    }

    /// A problem at that place.
    #[must_use]
    pub fn problem(&self, span: Span, what: impl Into<String>) -> Problem {
        Problem::new(what).at(self.place(span)).excerpt(self.excerpt(span))
    }
}
