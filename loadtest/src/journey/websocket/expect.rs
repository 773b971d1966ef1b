//! What an answer over a WebSocket must be. Values are compared as texts, as a plan writes them: `equals: 5` is met by 5 and by "5".

use crate::journey::fault::{Cause, Fault};
use crate::journey::json;
use crate::journey::outside;
use crate::journey::pattern::PathSource;
use crate::journey::predicate::{Expected, Predicate, Test};
use crate::journey::source::Span;
use crate::journey::template::Scope;
use crate::journey::value::Value;
use crate::problem::Problem;
use bytes::Bytes;

/// What an answer must be.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// What of it is looked at; all of it without.
    path: Option<PathSource>,
    predicate: Predicate,
}

/// How an answer is held against a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// It is this text.
    Equals,
    /// It has this part.
    Contains,
    /// It matches this regular expression.
    Matches,
}

impl Comparison {
    /// The key of the plan.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Equals => "equals",
            Self::Contains => "contains",
            Self::Matches => "matches",
        }
    }
}

impl Expectation {
    /// That there is something at a path.
    ///
    /// # Errors
    /// When the path is none.
    pub fn exists(path: &str) -> Result<Self, Problem> {
        Ok(Self { path: Some(outside::json_path(path)?), predicate: predicate(Test::Exists) })
    }

    /// That the answer stands so to a text.
    ///
    /// # Errors
    /// When the text has a malformed placeholder, or is no regular expression.
    pub fn new(comparison: Comparison, text: &str) -> Result<Self, Problem> {
        let expected = || outside::said_template(text).map(Expected::Template);
        let test = match comparison {
            Comparison::Equals => Test::Equal(expected()?),
            Comparison::Contains => Test::Contains(expected()?),
            Comparison::Matches => Test::Matches(outside::pattern(text)?),
        };
        Ok(Self { path: None, predicate: predicate(test) })
    }

    /// The same, asked of what lies where the other looks.
    #[must_use]
    pub fn there(self, other: Self) -> Self {
        Self { path: other.path, ..self }
    }

    /// Judges an answer: nothing, or what is wrong with it.
    ///
    /// # Errors
    /// When it cannot be judged: a placeholder names nothing.
    pub(super) fn judge(&self, answer: &Bytes, scope: Scope<'_>) -> Result<Option<String>, Fault> {
        let judged = match (&self.path, std::str::from_utf8(answer)) {
            (None, Ok(text)) => self.predicate.judge(Some(&Value::text(text)), scope),
            (None, Err(_)) => self.predicate.judge(Some(&Value::Bytes(answer.clone())), scope),
            (Some(path), text) => match text.ok().map(json::parse) {
                Some(Ok(root)) => self.predicate.judge(path.find(scope, &root, true)?.map(plain).as_ref(), scope),
                _ => return Ok(Some("it is not JSON".to_owned())),
            },
        };
        match judged {
            Ok(()) => Ok(None),
            Err(fault) if matches!(fault.cause, Cause::Mismatch { .. }) => Ok(Some(fault.summary())),
            Err(fault) => Err(fault),
        }
    }
}

const fn predicate(test: Test) -> Predicate {
    Predicate { span: Span { line: 0, column: 0, end_column: 0 }, negated: false, test }
}

/// Numbers and truth values as the texts that they are written as.
fn plain(value: std::borrow::Cow<'_, Value>) -> Value {
    match value.render() {
        Some(text) => Value::text(text),
        None => value.into_owned(),
    }
}
