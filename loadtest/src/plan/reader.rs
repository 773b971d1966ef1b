//! Reads single values, from flags and from the file alike: environment filled in, problems collected with their place.

use super::expand::expand;
use super::origin::{Origin, Setting};
use super::yaml::{At, excerpt, position};
use crate::problem::{Problem, Problems};

/// A text of the file, ready to be understood.
#[derive(Clone, Debug)]
pub(super) struct Text {
    /// The text, environment filled in.
    pub(super) text: String,
    /// Whether it holds a secret of the environment.
    pub(super) secret: bool,
    /// Where it stands, for messages: `users (loadtest.yml:2:8)`.
    pub(super) place: String,
    /// Where it came from, for `--dry-run`.
    pub(super) from: Origin,
    /// Line and column; none for a flag.
    pub(super) position: Option<(usize, usize)>,
}

/// The file being read and what is wrong with it so far.
pub(super) struct Reader<'a> {
    /// Its name for messages.
    pub(super) file: &'a str,
    /// Its text, for excerpts.
    pub(super) source: &'a str,
    /// The environment.
    pub(super) environment: &'a dyn Fn(&str) -> Option<String>,
    /// What is wrong.
    pub(super) problems: Problems,
    /// Values to hide.
    pub(super) secrets: Vec<String>,
}

/// The two places where a setting may stand.
pub(super) struct Sought<'a> {
    /// The flag's name and value.
    pub(super) flag: (&'static str, Option<&'a String>),
    /// The key's name and value.
    pub(super) key: (&'static str, Option<&'a At<String>>),
}

impl Reader<'_> {
    /// A text of the file.
    pub(super) fn text(&mut self, path: &str, at: &At<String>) -> Option<Text> {
        let (line, column) = position(at);
        let place = self.place(path, at);
        match expand(&at.value, self.environment) {
            Ok(expanded) => {
                if expanded.secret {
                    self.secrets.push(expanded.text.clone());
                }
                let from = Origin::File(format!("{}:{line}", self.file));
                let position = Some((line, column));
                Some(Text { text: expanded.text, secret: expanded.secret, place, from, position })
            }
            Err(what) => {
                let hint = "set it in the environment, or give a default: `${NAME:-value}`";
                self.problems.0.push(Problem::new(what).at(place).hint(hint));
                None
            }
        }
    }

    /// A place in the file, for messages: `users (loadtest.yml:2:8)`.
    pub(super) fn place<T>(&self, path: &str, at: &At<T>) -> String {
        let (line, column) = position(at);
        format!("{path} ({}:{line}:{column})", self.file)
    }

    /// The text of a flag.
    pub(super) fn flag(name: &'static str, value: &str) -> Text {
        let (text, place) = (value.to_owned(), name.to_owned());
        Text { text, secret: false, place, from: Origin::Flag(name), position: None }
    }

    /// The flag if given, else the key.
    pub(super) fn either(&mut self, sought: &Sought<'_>) -> Option<Text> {
        match (sought.flag, sought.key) {
            ((name, Some(value)), _) => Some(Self::flag(name, value)),
            (_, (path, Some(at))) => self.text(path, at),
            _ => None,
        }
    }

    /// A setting understood by `read`; a problem when it is not. Without the setting, nothing.
    pub(super) fn setting<T>(
        &mut self,
        sought: &Sought<'_>,
        read: impl Fn(&str) -> Result<T, Problem>,
    ) -> Option<Setting<T>> {
        let text = self.either(sought)?;
        self.understand(&text, read)
    }

    /// What `read` makes of a text.
    pub(super) fn understand<T>(
        &mut self,
        text: &Text,
        read: impl Fn(&str) -> Result<T, Problem>,
    ) -> Option<Setting<T>> {
        let value = self.problems.take(read(&text.text).map_err(|problem| problem.at(&text.place)))?;
        Some(Setting { value, from: text.from.clone() })
    }

    /// Notes a problem at a text.
    pub(super) fn problem(&mut self, text: &Text, problem: Problem) {
        self.problems.0.push(problem.at(&text.place));
    }

    /// Shows a part of a text, in its line of the file where it stands there as it is.
    pub(super) fn excerpt(&self, text: &Text, part: &std::ops::Range<usize>) -> crate::problem::Excerpt {
        let chars = |to: usize| text.text.get(..to).map_or(0, |before| before.chars().count());
        let (before, width) = (chars(part.start), chars(part.end).saturating_sub(chars(part.start)));
        let in_line = text.position.and_then(|(line, column)| {
            let shown = self.source.lines().nth(line.checked_sub(1)?)?;
            let from: String = shown.chars().skip(column.checked_sub(1)?).collect();
            let skipped = from.len() - from.trim_start_matches(['"', '\'']).len();
            let quotes = if from.starts_with(&text.text) { 0 } else { skipped.min(1) };
            let fits = from.get(quotes..)?.starts_with(&text.text);
            fits.then(|| excerpt(shown, Some(line), column - 1 + quotes + before, width))
        });
        in_line.unwrap_or_else(|| excerpt(&text.text, None, before, width))
    }
}

/// A whole number of at least 1 and at most `most`.
pub(super) fn count(text: &str, most: u64) -> Result<u64, Problem> {
    let plain: String = text.trim().chars().filter(|c| *c != '_').collect();
    plain.parse::<u64>().ok().filter(|number| (1..=most).contains(number)).ok_or_else(|| {
        Problem::new(format!("`{text}` is not a whole number from 1 to {most}")).hint("write it like `200`")
    })
}
