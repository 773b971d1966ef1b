//! Owns reading variables one by one while collecting what is wrong with them. Knows no variable by name. No value is ever
//! part of a message: a password pasted into the wrong variable must not end up in a log.

use std::{
    fmt,
    fs::File,
    io::{self, Read},
    str::FromStr,
};

use crate::{limits, secret::Secret};

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

/// A variable that holds a secret, and the one that names a file with it, so that the secret itself need not stand in a compose
/// file or in the environment that `docker inspect` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SecretName {
    pub(super) plain: &'static str,
    pub(super) file: &'static str,
}

/// Reads variables and remembers every problem, and what the operator should hear of.
pub(super) struct Reader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    problems: Vec<Problem>,
    warnings: Vec<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { lookup, problems: Vec::new(), warnings: Vec::new() }
    }

    /// The warnings, or all problems.
    pub(super) fn finish(self) -> Result<Vec<String>, Problems> {
        if self.problems.is_empty() { Ok(self.warnings) } else { Err(Problems(self.problems)) }
    }

    pub(super) fn warn(&mut self, warning: impl Into<String>) {
        self.warnings.push(warning.into());
    }

    pub(super) fn problem(&mut self, variable: &'static str, message: &str, hint: &str) {
        self.problems.push(Problem { variable, message: message.to_owned(), hint: hint.to_owned() });
    }

    pub(super) fn is_given(&self, name: SecretName) -> bool {
        [name.plain, name.file].iter().any(|name| (self.lookup)(name).is_some())
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

    /// A secret, from its variable or from the file that the other variable names.
    pub(super) fn secret(&mut self, name: SecretName, least_chars: usize) -> Option<Secret> {
        let (given, value) = match ((self.lookup)(name.plain), (self.lookup)(name.file)) {
            (Some(_), Some(_)) => {
                let message = format!("and `{}` are both set", name.file);
                self.problem(name.plain, &message, "keep one of the two");
                return None;
            }
            (_, None) => (name.plain, self.text(name.plain)?),
            (None, Some(_)) => (name.file, self.content(name.file)?),
        };
        let chars = value.chars().count();
        if chars < least_chars {
            let hint = format!("at least {least_chars} characters; `openssl rand -base64 48` makes a good one");
            self.problem(given, &format!("is too short: {chars} characters"), &hint);
            return None;
        }
        Some(Secret::new(value))
    }

    /// What the file holds, without the line's end that editors and `echo` leave. The path is not repeated: somebody may have
    /// put the secret there.
    fn content(&mut self, name: &'static str) -> Option<String> {
        let path = self.text(name)?;
        let mut content = String::new();
        let read =
            File::open(path).and_then(|file| file.take(limits::MAX_SECRET_FILE_BYTES + 1).read_to_string(&mut content));
        let message = match read {
            Err(error) => format!("names a file that cannot be read: {}", reason(&error)),
            Ok(bytes) if u64::try_from(bytes).is_ok_and(|bytes| bytes > limits::MAX_SECRET_FILE_BYTES) => {
                format!("names a file of more than {} bytes", limits::MAX_SECRET_FILE_BYTES)
            }
            Ok(_) if content.trim().is_empty() => "names an empty file".to_owned(),
            Ok(_) => {
                let line = content.strip_suffix('\n').unwrap_or(&content);
                return Some(line.strip_suffix('\r').unwrap_or(line).to_owned());
            }
        };
        self.problem(name, &message, "the file must hold the secret alone and be readable for this user");
        None
    }
}

fn reason(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file",
        io::ErrorKind::PermissionDenied => "permission denied",
        io::ErrorKind::IsADirectory => "it is a directory",
        io::ErrorKind::InvalidData => "it is not UTF-8 text",
        _ => "the system says no",
    }
}
