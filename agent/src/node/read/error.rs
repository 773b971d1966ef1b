//! serde's errors in this project's words, with the path and place of the value they speak of.

use super::path::Path;
use crate::node::{Place, Problem, child, did_you_mean};
use serde::de::{self, Expected, Unexpected};
use std::fmt;

/// Why a value could not be read. One pointer, for it is part of every result of every reader.
#[derive(Debug)]
pub(super) struct ReadError(Box<Told>);

#[derive(Debug, Default)]
struct Told {
    message: String,
    hint: Option<String>,
    /// The key that is not there; the path gets it when the mapping is known.
    missing: Option<&'static str>,
    at: Option<(String, Place)>,
}

impl ReadError {
    pub(super) fn plain(message: impl Into<String>) -> Self {
        Self(Box::new(Told { message: message.into(), ..Told::default() }))
    }

    /// The same error at a place; the innermost place stays.
    #[cold]
    pub(super) fn at(mut self, path: Path<'_>, at: Place) -> Self {
        let told = &mut *self.0;
        if told.at.is_none() {
            let path = path.text();
            let path = told.missing.map_or_else(|| path.clone(), |key| child(&path, key));
            told.at = Some((path, at));
        }
        self
    }

    pub(super) fn into_problem(self, path: &str, at: Place) -> Problem {
        let Told { message, hint, at: inner, .. } = *self.0;
        let (path, at) = inner.unwrap_or_else(|| (path.to_owned(), at));
        Problem { message, path, at, hint }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for ReadError {}

impl de::Error for ReadError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::plain(message.to_string())
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::plain(format!("expected {expected}, found {}", shape(unexpected)))
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(unexpected, expected)
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let hint = Some(did_you_mean(variant, "values", expected));
        Self(Box::new(Told { message: format!("unknown value `{variant}`"), hint, ..Told::default() }))
    }

    fn missing_field(field: &'static str) -> Self {
        Self(Box::new(Told { message: format!("`{field}` is missing"), missing: Some(field), ..Told::default() }))
    }
}

/// What was found, without repeating a text: it may be a secret in the wrong place.
fn shape(unexpected: Unexpected<'_>) -> String {
    match unexpected {
        Unexpected::Bool(value) => format!("`{value}`"),
        Unexpected::Signed(number) => format!("the number {number}"),
        Unexpected::Unsigned(number) => format!("the number {number}"),
        Unexpected::Float(number) => format!("the number {number}"),
        Unexpected::Unit | Unexpected::Option => "nothing".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "a mapping".to_owned(),
        _ => "text".to_owned(),
    }
}
