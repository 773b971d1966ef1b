//! Why a configuration is refused, in the form that people read. Knows no file format.

use super::source;
use crate::limits;
use crate::node::{Place, Problem, Problems};
use crate::paint::Paint;
use crate::reload::Trouble;
use std::fmt::{self, Write as _};

const THREE_WAYS: &str = "give one of these, or several
  a flag         agent --peer http://backend:8000/health --check db=postgres://user@db/app
  a variable     AGENT_PEER=http://backend:8000/health AGENT_CHECK_DB=postgres://user@db/app agent
  a file         agent --config agent.yml";

/// A refused configuration.
#[derive(Debug, PartialEq, Eq)]
pub enum ConfigError {
    /// There is no file, no peer and no check.
    Nothing,
    /// The file could not be read.
    Unreadable {
        /// As given.
        file: String,
        /// What the system said.
        message: String,
        /// What to do.
        hint: String,
    },
    /// The file is not what its format asks for.
    Malformed {
        /// As given.
        file: String,
        /// What is wrong.
        message: String,
        /// Where.
        at: Place,
        /// The line with a caret.
        excerpt: String,
        /// What to do.
        hint: Option<String>,
    },
    /// It is well formed and makes no sense: everything that is wrong.
    Problems {
        /// As given; `None` when there was no file.
        file: Option<String>,
        /// What is wrong, in the order of the file.
        problems: Problems,
    },
}

impl ConfigError {
    /// A malformed file, with the line in question.
    pub(super) fn malformed(file: &str, text: &str, at: Place, message: String, hint: Option<&str>) -> Self {
        let at = source::inside(text, at);
        let excerpt = source::excerpt(text, at.line, at.column);
        Self::Malformed { file: file.to_owned(), message, at, excerpt, hint: hint.map(str::to_owned) }
    }

    /// The message, in colour or not, ending in a line break.
    #[must_use]
    pub fn render(&self, paint: Paint) -> String {
        let error = paint.red("error:");
        let mut out = String::new();
        match self {
            Self::Nothing => {
                let _ = writeln!(out, "{error} nothing to watch: no peer, no check and no configuration file");
                push_hint(&mut out, Some(&THREE_WAYS.to_owned()), paint);
            }
            Self::Unreadable { file, message, hint } => {
                let _ = writeln!(out, "{error} cannot read `{file}`: {message}");
                push_hint(&mut out, Some(hint), paint);
            }
            Self::Malformed { file, message, at, excerpt, hint } => {
                let _ = writeln!(out, "{error} {message}\n  at {file}:{}:{}", at.line, at.column);
                out.push_str(excerpt);
                push_hint(&mut out, hint.as_ref(), paint);
            }
            Self::Problems { file, problems } => {
                let all = &problems.0;
                for (index, problem) in all.iter().take(limits::PROBLEMS_SHOWN).enumerate() {
                    out.push_str(if index == 0 { "" } else { "\n" });
                    out.push_str(&render_problem(problem, file.as_deref(), &error, paint));
                }
                if let Some(more) = all.len().checked_sub(limits::PROBLEMS_SHOWN).filter(|more| *more > 0) {
                    let _ = writeln!(out, "\n… and {more} more");
                }
            }
        }
        out
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.render(Paint::OFF).trim_end())
    }
}

impl std::error::Error for ConfigError {}

/// One problem or warning in the house form; `word` is `error:` or `warning:`.
#[must_use]
pub fn render_problem(problem: &Problem, file: Option<&str>, word: &str, paint: Paint) -> String {
    let Trouble { message, at, hint } = trouble(problem, file);
    let mut out = format!("{word} {message}\n  at {at}\n");
    push_hint(&mut out, hint.as_ref(), paint);
    out
}

fn push_hint(out: &mut String, hint: Option<&String>, paint: Paint) {
    if let Some(hint) = hint {
        let _ = writeln!(out, "{} {hint}", paint.cyan("hint:"));
    }
}

/// What is wrong, for those who read it elsewhere than in a terminal: JSON, a log.
#[must_use]
pub fn troubles(error: &ConfigError) -> Vec<Trouble> {
    let one = |message: &str, at: String, hint: Option<&String>| Trouble {
        message: message.to_owned(),
        at,
        hint: hint.cloned(),
    };
    match error {
        ConfigError::Nothing => {
            vec![one("nothing to watch: no peer, no check and no configuration file", String::new(), None)]
        }
        ConfigError::Unreadable { file, message, hint } => {
            vec![one(&format!("cannot read `{file}`: {message}"), file.clone(), Some(hint))]
        }
        ConfigError::Malformed { file, message, at, hint, .. } => {
            vec![one(message, format!("{file}:{}:{}", at.line, at.column), hint.as_ref())]
        }
        ConfigError::Problems { file, problems } => {
            problems.0.iter().take(limits::PROBLEMS_SHOWN).map(|problem| trouble(problem, file.as_deref())).collect()
        }
    }
}

/// A problem or warning, with its place in the file where it has one.
#[must_use]
pub fn trouble(problem: &Problem, file: Option<&str>) -> Trouble {
    let Problem { message, path, at, hint } = problem;
    let path = if path.is_empty() { "the top" } else { path };
    let at = match (at.line, file) {
        (1.., Some(file)) => format!("{path} ({file}:{}:{})", at.line, at.column),
        _ => path.to_owned(),
    };
    Trouble { message: message.clone(), at, hint: hint.clone() }
}
