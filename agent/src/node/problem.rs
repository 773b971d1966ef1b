//! What is wrong with a configuration, and where.

use super::Place;

/// One thing that is wrong with a configuration, for the reader of the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong: lower case, no full stop, the value last.
    pub message: String,
    /// The key path, as in `checks[2].interval`.
    pub path: String,
    /// Where in the file.
    pub at: Place,
    /// What to do, when there is advice.
    pub hint: Option<String>,
}

/// All problems of a configuration, in the order found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// Notes a problem at a place.
    pub fn add(&mut self, path: &str, at: Place, message: impl Into<String>) {
        self.0.push(Problem { message: message.into(), path: path.to_owned(), at, hint: None });
    }

    /// Notes a problem with advice.
    pub fn add_with_hint(&mut self, path: &str, at: Place, message: impl Into<String>, hint: impl Into<String>) {
        self.0.push(Problem { message: message.into(), path: path.to_owned(), at, hint: Some(hint.into()) });
    }
}
