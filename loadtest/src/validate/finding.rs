//! What a validator found: what was expected, what came, and the way out.

use super::Validator;
use crate::limits::FOUND_CHARS;
use serde::Serialize;

/// How it is with one thing that was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// As expected.
    Passed,
    /// Not as expected.
    Failed,
    /// There is nothing to look at, or nobody said what to expect.
    NotApplicable,
    /// It could not be found out.
    CouldNotTell,
}

impl Outcome {
    /// For people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "FAILED",
            Self::NotApplicable => "not applicable",
            Self::CouldNotTell => "could not tell",
        }
    }
}

/// What a validator saw of one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// What was looked at: a path, an origin, a cookie.
    pub subject: String,
    /// What should be.
    pub expected: String,
    /// What was.
    pub got: String,
    /// What that means.
    pub outcome: Outcome,
    /// What to do.
    pub way_out: Option<String>,
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Miss {
    /// What came.
    pub got: String,
    /// What to do.
    pub way_out: String,
}

impl Miss {
    /// What came, and what to do.
    pub fn new(got: impl Into<String>, way_out: impl Into<String>) -> Self {
        Self { got: got.into(), way_out: way_out.into() }
    }
}

impl Seen {
    /// What a judgement makes of a subject.
    #[must_use]
    pub fn judged(subject: &str, expected: &str, judgement: Result<String, Miss>) -> Self {
        let (subject, expected) = (subject.to_owned(), expected.to_owned());
        match judgement {
            Ok(got) => Self { subject, expected, got, outcome: Outcome::Passed, way_out: None },
            Err(Miss { got, way_out }) => {
                Self { subject, expected, got, outcome: Outcome::Failed, way_out: Some(way_out) }
            }
        }
    }

    /// It could not be found out.
    #[must_use]
    pub fn unknown(subject: &str, expected: &str, why: impl Into<String>) -> Self {
        let (subject, expected) = (subject.to_owned(), expected.to_owned());
        Self { subject, expected, got: why.into(), outcome: Outcome::CouldNotTell, way_out: None }
    }

    /// There is nothing to look at.
    #[must_use]
    pub fn not_applicable(subject: &str, expected: &str, why: &str, way_out: &str) -> Self {
        let way_out = (!way_out.is_empty()).then(|| way_out.to_owned());
        let (subject, expected, got) = (subject.to_owned(), expected.to_owned(), why.to_owned());
        Self { subject, expected, got, outcome: Outcome::NotApplicable, way_out }
    }

    /// With a way out.
    #[must_use]
    pub fn way_out(self, way_out: &str) -> Self {
        Self { way_out: Some(way_out.to_owned()), ..self }
    }

    /// As a finding of this validator, its texts cleaned of secrets.
    #[must_use]
    pub fn of(self, validator: &Validator, clean: impl Fn(&str) -> String) -> Finding {
        let clean = |text: &str| shown(&clean(text));
        Finding {
            validator: validator.name,
            subject: clean(&self.subject),
            outcome: self.outcome,
            expected: clean(&self.expected),
            got: clean(&self.got),
            standard: validator.standard,
            way_out: self.way_out.map(|text| clean(&text)),
        }
    }
}

/// What a server says may be long, and may hold what moves a terminal's cursor.
fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(FOUND_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(FOUND_CHARS).is_some() {
        shown.push('…');
    }
    shown
}

/// A line of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The validator.
    pub validator: &'static str,
    /// What it looked at.
    pub subject: String,
    /// What it means.
    pub outcome: Outcome,
    /// What should be.
    pub expected: String,
    /// What came.
    pub got: String,
    /// Who says so.
    pub standard: &'static str,
    /// What to do.
    pub way_out: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_moves_no_cursor_and_fills_no_screen() {
        assert_eq!(shown("a\u{1b}[2Jb\n"), "a [2Jb ");
        assert_eq!(shown(&"x".repeat(5000)).chars().count(), FOUND_CHARS + 1);
    }
}
