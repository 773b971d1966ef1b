//! What was found, and where. What must stay true: no message holds a value that may be a secret, nor a piece of one (invariant 8);
//! the code that adds a finding knows which values those are.

use super::rule::{Rule, Severity};
use crate::limits;
use crate::node;

/// Where a finding is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The file as given; empty for what is in no file (the live environment, this container).
    pub file: String,
    /// Line and column in it, from 1; 0 when it is about something that is missing.
    pub at: node::Place,
    /// What it is about: a variable, or the path of a key like `services.db.ports[0]`.
    pub key: String,
}

impl Place {
    /// A place in a file.
    #[must_use]
    pub fn new(file: &str, at: node::Place, key: &str) -> Self {
        Self { file: file.to_owned(), at, key: key.to_owned() }
    }

    /// A place in a file of which only the line is known.
    #[must_use]
    pub fn line(file: &str, line: usize, key: &str) -> Self {
        Self::new(file, node::Place { line, column: 0 }, key)
    }

    /// For people: `SECRET_KEY (.env:12)`.
    #[must_use]
    pub fn shown(&self) -> String {
        let node::Place { line, column } = self.at;
        let place = match (line, column) {
            (0, _) => self.file.clone(),
            (_, 0) => format!("{}:{line}", self.file),
            _ => format!("{}:{line}:{column}", self.file),
        };
        match (self.key.is_empty(), place.is_empty()) {
            (false, false) => format!("{} ({place})", self.key),
            (false, true) => self.key.clone(),
            (true, false) => place,
            (true, true) => "this container".to_owned(),
        }
    }
}

/// A breach of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which.
    pub rule: &'static Rule,
    /// Where.
    pub place: Place,
    /// What is wrong, in the form of all messages: lower case, no full stop.
    pub message: String,
    /// What to do.
    pub fix: String,
}

/// An input that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The file as given; `the environment` and the like for what is none.
    pub input: String,
    /// How much was looked at: `12 variables`.
    pub summary: String,
}

/// Where the checks of all inputs lay down what they find.
#[derive(Debug, Default)]
pub struct Findings {
    /// In the order found, at most [`limits::FINDINGS`].
    pub all: Vec<Finding>,
    /// How many more there were.
    pub beyond: usize,
    /// The inputs that could be read.
    pub checked: Vec<Checked>,
    /// The whole message, in the house form, for each input that could not be read.
    pub unreadable: Vec<String>,
}

impl Findings {
    /// Notes a breach; the advice is the rule's.
    pub fn add(&mut self, rule: &'static Rule, place: Place, message: impl Into<String>) {
        self.add_with_fix(rule, place, message, rule.fix);
    }

    /// Notes a breach with advice for this very case.
    pub fn add_with_fix(
        &mut self,
        rule: &'static Rule,
        place: Place,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) {
        if self.all.len() >= limits::FINDINGS {
            self.beyond += 1;
        } else {
            self.all.push(Finding { rule, place, message: message.into(), fix: fix.into() });
        }
    }

    /// Notes that an input was read and looked at, with how much of it there was.
    pub fn checked(&mut self, input: &str, summary: impl Into<String>) {
        self.checked.push(Checked { input: input.to_owned(), summary: summary.into() });
    }

    /// Notes that an input could not be read; `message` has the house form (`error: …`, `  at …`, `hint: …`) without colour.
    pub fn unreadable(&mut self, message: impl Into<String>) {
        self.unreadable.push(message.into());
    }
}

/// Findings of one severity.
pub(super) fn count(findings: &[Finding], severity: Severity) -> usize {
    findings.iter().filter(|finding| finding.rule.severity == severity).count()
}
