//! YAML in, raw plan or one problem with line, column and caret out. The only file that names the YAML crate.

use super::raw::RawPlan;
use crate::limits::EXCERPT_CHARS;
use crate::problem::{Excerpt, Problem};
use crate::{redact, suggest};
use serde_saphyr::{Error, Location};

/// A value with its place in the file.
pub(super) use serde_saphyr::Spanned as At;

/// Line and column of a value, both from 1.
pub(super) fn position<T>(value: &At<T>) -> (usize, usize) {
    numbers(value.referenced)
}

/// Reads the text of a plan file.
pub(super) fn read(text: &str, file: &str) -> Result<RawPlan, Problem> {
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(RawPlan::default());
    }
    let options = serde_saphyr::options! { with_snippet: false };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| problem(&error, text, file))
}

fn numbers(location: Location) -> (usize, usize) {
    (usize::try_from(location.line()).unwrap_or(0), usize::try_from(location.column()).unwrap_or(0))
}

fn problem(error: &Error, text: &str, file: &str) -> Problem {
    let error = error.without_snippet();
    let (what, hint, width) = said(error);
    let (line, column) = error.location().map_or((0, 0), numbers);
    let problem = match text.lines().nth(line.saturating_sub(1)).filter(|_| line > 0) {
        Some(shown) => Problem::new(what).at(format!("{file}:{line}:{column}")).excerpt(excerpt(
            shown,
            Some(line),
            column.saturating_sub(1),
            width,
        )),
        None => Problem::new(what).at(file),
    };
    match hint {
        Some(hint) => problem.hint(hint),
        None => problem,
    }
}

/// A line of the file with a caret; secrets hidden, long lines cut.
pub(super) fn excerpt(line: &str, number: Option<usize>, before: usize, width: usize) -> Excerpt {
    let line: String = redact::plan_line(line).chars().take(EXCERPT_CHARS).collect();
    let length = line.chars().count();
    Excerpt { number, line, before: before.min(length), width: width.min(length.saturating_sub(before)) }
}

/// What is wrong, what to do, and how many characters are in question. Values are not repeated: one may be a secret.
fn said(error: &Error) -> (String, Option<String>, usize) {
    match error {
        Error::SerdeUnknownField { field, expected, .. } => {
            let hint = suggest::hint(field, "known keys", expected.iter().copied());
            (format!("unknown key `{field}`"), Some(hint), field.chars().count())
        }
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            let hint = "keep one of them".to_owned();
            (format!("key `{key}` is written twice"), Some(hint), key.chars().count())
        }
        Error::SerdeMissingField { field, .. } => {
            (format!("key `{field}` is missing"), Some(format!("add `{field}:` to this entry")), 1)
        }
        Error::Unexpected { expected: "string scalar", .. } => {
            ("one value belongs here, no list and no map".to_owned(), None, 1)
        }
        Error::Unexpected { expected, .. } => (format!("expected {expected} here"), None, 1),
        Error::SerdeInvalidType { expected, .. } | Error::SerdeInvalidValue { expected, .. } => {
            (format!("expected {expected} here"), None, 1)
        }
        Error::NullIntoString { .. } => {
            ("a value is missing here".to_owned(), Some("write one, or remove the key".into()), 1)
        }
        Error::ExternalMessage { msg, .. } => (format!("this is no YAML: {}", lower(msg)), quoting(), 1),
        other => (lower(other.to_string().split(" at line ").next().unwrap_or_default()), None, 1),
    }
}

fn quoting() -> Option<String> {
    let hint = "a text that begins with a quote or has `: ` or `#` in it is quoted as a whole: \"'GET /x' p95 < 2s\"";
    Some(hint.to_owned())
}

fn lower(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_lowercase().chain(letters).collect())
}
