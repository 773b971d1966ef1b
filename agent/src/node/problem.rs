//! What is wrong with a configuration, and where; and beside it the secrets that were read, for whoever must keep them.

use super::Place;
use crate::secret::Secret;

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

/// All problems of a configuration, in the order found, and what was confided in it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>, Vec<Confided>);

/// A secret, and the path of the key that holds it.
#[derive(Debug, PartialEq, Eq)]
pub struct Confided {
    /// The key path, as in `headers.Authorization`.
    pub path: String,
    /// What stands there.
    pub value: Secret,
}

impl From<Vec<Problem>> for Problems {
    fn from(all: Vec<Problem>) -> Self {
        Self(all, Vec::new())
    }
}

impl Problems {
    /// Keeps a secret for [`Problems::confided`]. Whatever is read as a [`Secret`] comes here by itself; what is made of such values
    /// (a header's base64) is brought by whoever makes it.
    pub fn confide(&mut self, path: &str, value: Secret) {
        self.1.push(Confided { path: path.to_owned(), value });
    }

    /// The secrets that came since this was last asked.
    pub fn confided(&mut self) -> Vec<Confided> {
        std::mem::take(&mut self.1)
    }

    /// Notes a problem at a place.
    pub fn add(&mut self, path: &str, at: Place, message: impl Into<String>) {
        self.0.push(Problem { message: message.into(), path: path.to_owned(), at, hint: None });
    }

    /// Notes a problem with advice.
    pub fn add_with_hint(&mut self, path: &str, at: Place, message: impl Into<String>, hint: impl Into<String>) {
        self.0.push(Problem { message: message.into(), path: path.to_owned(), at, hint: Some(hint.into()) });
    }
}
