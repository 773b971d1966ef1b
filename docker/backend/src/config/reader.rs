//! Owns reading variables one by one while collecting what is wrong with them. Knows no variable by name. No value is ever
//! part of a message: a password pasted into the wrong variable must not end up in a log.

use std::{fmt, str::FromStr};

use crate::secret::Secret;

/// One variable that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The variable's name.
    pub variable: &'static str,
    /// What is wrong with it.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// All variables that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(formatter, "{separator}error: `{}` {}\nhint: {}", problem.variable, problem.message, problem.hint)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// Reads variables and remembers every problem.
pub(super) struct Reader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { lookup, problems: Vec::new() }
    }

    pub(super) fn finish(self) -> Result<(), Problems> {
        if self.problems.is_empty() { Ok(()) } else { Err(Problems(self.problems)) }
    }

    pub(super) fn problem(&mut self, variable: &'static str, message: &str, hint: &str) {
        self.problems.push(Problem { variable, message: message.to_owned(), hint: hint.to_owned() });
    }

    pub(super) fn is_set(&self, name: &str) -> bool {
        (self.lookup)(name).is_some()
    }

    /// The value, which must not be empty: an empty one is mostly a compose file whose variable was forgotten.
    pub(super) fn text(&mut self, name: &'static str) -> Option<String> {
        let value = (self.lookup)(name)?;
        if value.trim().is_empty() {
            self.problem(name, "is set but empty", "give it a value, or unset it for the default");
            return None;
        }
        Some(value)
    }

    pub(super) fn parsed<T: FromStr>(&mut self, name: &'static str, expected: &str) -> Option<T> {
        let value = self.text(name)?.parse().ok();
        if value.is_none() {
            self.problem(name, "cannot be read", &format!("it must be {expected}"));
        }
        value
    }

    pub(super) fn number(&mut self, name: &'static str, (least, most): (u64, u64)) -> Option<u64> {
        let expected = format!("a whole number from {least} to {most}");
        let value = self.parsed(name, &expected)?;
        if !(least..=most).contains(&value) {
            self.problem(name, &format!("is out of range: {value}"), &format!("it must be {expected}"));
            return None;
        }
        Some(value)
    }

    pub(super) fn ratio(&mut self, name: &'static str) -> Option<f64> {
        let value = self.parsed::<f64>(name, "a number from 0 to 1")?;
        if !(0.0..=1.0).contains(&value) {
            self.problem(name, "is out of range", "it must be a number from 0 to 1");
            return None;
        }
        Some(value)
    }

    pub(super) fn switch(&mut self, name: &'static str) -> bool {
        match self.text(name).as_deref() {
            None | Some("0" | "false") => false,
            Some("1" | "true") => true,
            Some(_) => {
                self.problem(name, "is neither on nor off", "`1` or `0`");
                false
            }
        }
    }

    pub(super) fn secret(&mut self, name: &'static str, least_chars: usize) -> Option<Secret> {
        let value = self.text(name)?;
        let chars = value.chars().count();
        if chars < least_chars {
            let hint = format!("at least {least_chars} characters; `openssl rand -base64 48` makes a good one");
            self.problem(name, &format!("is too short: {chars} characters"), &hint);
            return None;
        }
        Some(Secret::new(value))
    }
}
