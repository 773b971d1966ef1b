//! Why an entry did not pass: the cause, and where in the file it lies.
//!
//! Hurl tells an error (the entry could not be carried out: exit 3) from a failed assert (exit 4): whatever goes wrong
//! in the `[Asserts]` and the implicit asserts is the second, everything before is the first.

use super::source::{Source, Span};
use crate::http::TransportError;
use crate::measure::Failure;
use crate::problem::Problem;
use std::path::PathBuf;

/// What went wrong, and where.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Where in the file.
    pub span: Span,
    /// What.
    pub cause: Cause,
    /// Whether it is an assert that failed; else the entry could not be carried out.
    pub is_assert: bool,
    /// What a failed assert says of the target, where that is more than that it failed: refused, or damaged data.
    pub tells: Option<Failure>,
}

/// What went wrong.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Cause {
    /// A placeholder names nothing.
    #[error("no variable `{0}`")]
    UnknownVariable(String),
    /// A placeholder's value has no text.
    #[error("{0} cannot be written as text")]
    Unrenderable(String),
    /// A placeholder's value is of the wrong type.
    #[error("expected {expected}, got {actual}")]
    WrongType {
        /// What would do.
        expected: &'static str,
        /// The value.
        actual: String,
    },
    /// The rendered URL is none.
    #[error("`{url}` is not a URL to send to: {reason}")]
    Url {
        /// As rendered.
        url: String,
        /// Why not.
        reason: String,
    },
    /// A rendered header cannot be sent.
    #[error("`{0}` is not a header that can be sent")]
    Header(String),
    /// A header that cannot be left out.
    #[error("`no-header` cannot leave out `{0}`: the server could not tell where the body ends")]
    Framing(String),
    /// A header of the plan cannot be worked out.
    #[error("the plan's header `{name}`: {cause}")]
    PlanHeader {
        /// Its name.
        name: String,
        /// Why not.
        cause: Box<Cause>,
    },
    /// A placeholder in a JSON body is no JSON scalar.
    #[error("`{0}` is not a number, boolean or null, and stands outside quotes in a JSON body")]
    JsonPlaceholder(String),
    /// A file cannot be read.
    #[error("cannot read `{}`: {reason}", path.display())]
    File {
        /// As rendered.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// No response.
    #[error("{0}")]
    Transport(TransportError),
    /// The chain of redirects is too long.
    #[error("more than {0} redirects")]
    TooManyRedirects(usize),
    /// A file of the page did not come.
    #[error("`{file}` of the page: {why}")]
    PageFile {
        /// Its path.
        file: String,
        /// What is wrong.
        why: String,
        /// The class for the books.
        class: Failure,
    },
    /// The body cannot be decoded or read.
    #[error("{0}")]
    Body(String),
    /// A regular expression cannot be compiled.
    #[error("`{0}` is not a valid regular expression")]
    Regex(String),
    /// A JSONPath cannot be parsed.
    #[error("`{path}` is not a valid JSONPath: expected {expected} at character {column}")]
    JsonPath {
        /// As rendered.
        path: String,
        /// What should be there.
        expected: &'static str,
        /// Where.
        column: usize,
    },
    /// A cookie's date cannot be read.
    #[error("`{0}` is not a date")]
    Date(String),
    /// A filter got a value of another type.
    #[error("filter `{filter}` needs {expected}, got {actual}")]
    FilterType {
        /// Its name.
        filter: &'static str,
        /// What it takes.
        expected: &'static str,
        /// What it got.
        actual: String,
    },
    /// A filter cannot work on this value.
    #[error("filter `{filter}`: {reason}")]
    Filter {
        /// Its name.
        filter: &'static str,
        /// Why.
        reason: String,
    },
    /// The query, or the filter before, found nothing.
    #[error("there is no value to filter")]
    NothingToFilter,
    /// A capture found nothing.
    #[error("there is no value to capture")]
    NothingToCapture,
    /// A redacted capture is no text.
    #[error("only a string can be redacted, got {0}")]
    Redact(&'static str),
    /// Answers came over a WebSocket, and none was the expected one.
    #[error("{}", unfit(*.answers, .until, .last))]
    Unfit {
        /// How many.
        answers: usize,
        /// Until when: `within 5s`.
        until: String,
        /// What was wrong with the last one.
        last: String,
    },
    /// Another status.
    #[error("another status")]
    Status {
        /// Asked for.
        expected: u64,
        /// Got.
        actual: u16,
    },
    /// Another value than asked for.
    #[error("another value")]
    Mismatch {
        /// What was judged, with a space behind; empty for an assert, whose line says it.
        what: &'static str,
        /// Got.
        actual: String,
        /// Asked for.
        expected: String,
    },
}

impl Fault {
    /// The entry could not be carried out.
    #[must_use]
    pub const fn error(span: Span, cause: Cause) -> Self {
        Self { span, cause, is_assert: false, tells: None }
    }

    /// The same, in an assert.
    #[must_use]
    pub fn in_assert(self) -> Self {
        Self { is_assert: true, ..self }
    }

    /// The same, in an assert that reads something back. Only another value, or none, is lost or damaged data: a body that
    /// cannot be decoded is no value at all.
    #[must_use]
    pub fn in_data(self) -> Self {
        let is_data = matches!(self.cause, Cause::Mismatch { .. } | Cause::NothingToFilter);
        Self { tells: is_data.then_some(Failure::Data), ..self }
    }

    /// The same, in an assert about the status of this answer.
    #[must_use]
    pub fn in_status(self, status: u16) -> Self {
        Self { tells: told_by(status), ..self }
    }

    /// The class for the books.
    #[must_use]
    pub const fn class(&self) -> Failure {
        match &self.cause {
            Cause::Transport(error) => transport_class(error),
            Cause::PageFile { class, .. } => *class,
            Cause::TooManyRedirects(_) => Failure::Protocol,
            Cause::Status { actual, .. } => match told_by(*actual) {
                Some(told) => told,
                None => Failure::Status,
            },
            _ if self.is_assert => match self.tells {
                Some(told) => told,
                None => Failure::Assert,
            },
            _ => Failure::Journey,
        }
    }

    /// For people: what, and where with carets. Not yet redacted.
    #[must_use]
    pub fn problem(&self, source: &Source) -> Problem {
        source.problem(self.span, self.sentence())
    }

    /// In one line, and whether an assert failed or it cannot go on. Not yet redacted.
    #[must_use]
    pub fn sentence(&self) -> String {
        let kind = if self.is_assert { "assert failed" } else { "cannot go on" };
        format!("{kind}: {}", self.summary())
    }

    /// In one line, without the place. Not yet redacted.
    #[must_use]
    pub fn summary(&self) -> String {
        match &self.cause {
            Cause::Status { expected, actual } => format!("expected status {expected}, got {actual}"),
            Cause::Mismatch { what, actual, expected } => format!("expected {what}{expected}, got {actual}"),
            cause => cause.to_string(),
        }
    }
}

fn unfit(answers: usize, until: &str, last: &str) -> String {
    match answers {
        1 => format!("the only answer {until} is another one: {last}"),
        more => format!("none of {more} answers {until} is the expected one; the last: {last}"),
    }
}

/// What a status that was not expected says by itself (RFC 9110 15.5.2 and 15.5.4, RFC 6585 4).
const fn told_by(status: u16) -> Option<Failure> {
    match status {
        401 | 403 => Some(Failure::Auth),
        429 => Some(Failure::Limited),
        _ => None,
    }
}

/// The class of a request without an answer.
pub(super) const fn transport_class(error: &TransportError) -> Failure {
    match error {
        TransportError::Dns(_) => Failure::Dns,
        TransportError::Refused(_) | TransportError::Unreachable(_) => Failure::Connect,
        TransportError::ConnectTimeout(_) | TransportError::Timeout(_) | TransportError::Cancelled => Failure::Timeout,
        TransportError::Tls(_) | TransportError::Certificate(_) => Failure::Tls,
        TransportError::Reset | TransportError::Closed(_) => Failure::Broken,
        TransportError::Protocol(_)
        | TransportError::WebSocket(_)
        | TransportError::BodyTooLarge(_)
        | TransportError::HeadTooLarge(_) => Failure::Protocol,
        TransportError::Option(_) | TransportError::Public(_) => Failure::Journey,
    }
}
