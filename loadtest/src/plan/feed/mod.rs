//! Data files of a plan, whose columns or keys become variables: the orders, the rows and their caps. A format is one file here and one row of
//! [`FORMATS`]. Knows nothing of what a row is for. What must stay true: a file is read whole before the start, within its caps; which row a
//! user gets is a pure function of the order; no message holds a value.

mod csv;
mod json;
#[cfg(test)]
mod tests;

use crate::journey::Value;
use crate::limits::{DATA_BYTES, DATA_ROWS};
use crate::problem::{self, Problem};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Which row a user gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The next row, for all users together; after the last comes the first.
    Circular,
    /// Any row.
    Random,
    /// Each user goes through the file from its first row on its own.
    Sequential,
    /// Each user has a row of its own for the whole run; there must be as many rows as users.
    Unique,
}

/// The orders with their words and meanings.
pub const ORDERS: &[(&str, Order, &str)] = &[
    ("circular", Order::Circular, "the next row for whoever comes next; after the last comes the first (default)"),
    ("random", Order::Random, "any row, each time a journey begins"),
    ("sequential", Order::Sequential, "each user goes through the file on its own, from the first row"),
    (
        "unique",
        Order::Unique,
        "each user keeps a row of its own for the whole run; there must be as many rows as users",
    ),
];

/// A format of data files.
pub struct Format {
    /// The endings of its files, in lower case.
    pub endings: &'static [&'static str],
    /// What stands in them.
    pub holds: &'static str,
    read: fn(&File<'_>) -> Result<Table, Problem>,
}

/// The formats; the last one is that of all other endings too.
pub static FORMATS: &[&Format] = &[&json::ARRAY, &json::LINES, &csv::FORMAT];

/// A data file as it lies there.
struct File<'a> {
    /// Its name in messages.
    name: &'a str,
    /// All of it, but for a byte order mark.
    bytes: &'a [u8],
}

/// What stands in a data file.
#[derive(Default)]
struct Table {
    columns: Vec<String>,
    /// Each as long as `columns`.
    rows: Vec<Vec<Value>>,
    /// What must not be shown beside the values of columns whose names look secret.
    hidden: Vec<String>,
}

/// A data file, read.
#[derive(Clone, Debug)]
pub struct Feed {
    /// The file, as named in the plan.
    pub file: PathBuf,
    /// Names of the variables.
    pub columns: Arc<[String]>,
    /// The rows; never empty, each as long as `columns`.
    pub rows: Arc<[Vec<Value>]>,
    /// Which row a user gets.
    pub order: Order,
    /// What must not be shown, beside the values of columns whose names look secret.
    hidden: Arc<[String]>,
    /// The next row of the orders that share one.
    next: Arc<AtomicUsize>,
}

impl Order {
    /// The order of this name.
    #[must_use]
    pub fn find(word: &str) -> Option<Self> {
        ORDERS.iter().find(|(name, ..)| *name == word).map(|(_, order, _)| *order)
    }

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        ORDERS.iter().find(|(_, order, _)| *order == self).map_or("", |(name, ..)| name)
    }
}

impl Table {
    /// Adds a row, while there is room.
    fn add(&mut self, name: &str, row: Vec<Value>) -> Result<(), Problem> {
        if self.rows.len() == DATA_ROWS {
            return Err(Problem::new(format!("`{name}` has more than {DATA_ROWS} rows")).hint("keep fewer rows"));
        }
        self.rows.push(row);
        Ok(())
    }
}

impl Feed {
    /// Reads a data file; its ending says in which format.
    ///
    /// # Errors
    /// When the file cannot be read, is too large or does not hold what its format wants; never with a value in the message.
    pub fn read(path: &Path, shown: &Path, order: Order) -> Result<Self, Problem> {
        let name = shown.display();
        let unreadable = |error: &std::io::Error| {
            Problem::new(format!("cannot read `{name}`: {}", problem::why(error)))
                .hint(format!("it is sought at `{}`: paths are relative to the plan's folder", path.display()))
        };
        let file = std::fs::File::open(path).map_err(|error| unreadable(&error))?;
        let mut bytes = Vec::new();
        file.take(DATA_BYTES + 1).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
        if bytes.len() as u64 > DATA_BYTES {
            let most = DATA_BYTES >> 20;
            return Err(
                Problem::new(format!("`{name}` is larger than {most} MiB")).hint("split it, or keep fewer columns")
            );
        }
        Self::parse(&bytes, shown, order)
    }

    fn parse(bytes: &[u8], shown: &Path, order: Order) -> Result<Self, Problem> {
        let name = shown.display().to_string();
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let Table { columns, rows, hidden } = (format_of(shown).read)(&File { name: &name, bytes })?;
        let (columns, rows, hidden) = (columns.into(), rows.into(), hidden.into());
        Ok(Self { file: shown.to_owned(), columns, rows, order, hidden, next: Arc::default() })
    }

    /// The variables of a user (from 0) that begins its `round`-th journey (from 0); `chance` is a random number from 0 to 1.
    pub fn variables(&self, user: usize, round: usize, chance: f64) -> impl Iterator<Item = (String, Value)> {
        self.columns.iter().cloned().zip(self.row(user, round, chance).iter().cloned())
    }

    fn row(&self, user: usize, round: usize, chance: f64) -> &[Value] {
        let count = self.rows.len().max(1);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "chance is clamped to 0..1 and a million rows fit"
        )]
        let index = match self.order {
            Order::Circular => self.next.fetch_add(1, Ordering::Relaxed) % count,
            Order::Random => ((chance.clamp(0.0, 1.0) * count as f64) as usize).min(count - 1),
            Order::Sequential => round % count,
            Order::Unique => user % count,
        };
        self.rows.get(index).map_or(&[], Vec::as_slice)
    }

    /// Values that must not be shown: those of columns whose names look secret, and what a format found within others. What is true, false
    /// or null gives nothing away, and hidden it would be missing everywhere.
    pub fn secrets(&self) -> impl Iterator<Item = String> {
        let secret: Vec<usize> = (0..)
            .zip(self.columns.iter())
            .filter(|(_, column)| crate::redact::looks_secret(column))
            .map(|(index, _)| index)
            .collect();
        self.rows
            .iter()
            .flat_map(move |row| secret.clone().into_iter().filter_map(move |index| row.get(index)))
            .filter(|value| matches!(value, Value::String(_) | Value::Number(_)))
            .filter_map(|value| value.render().map(std::borrow::Cow::into_owned))
            .chain(self.hidden.iter().cloned())
    }
}

/// The format of a file of this name.
fn format_of(file: &Path) -> &'static Format {
    let ending = file.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
    FORMATS.iter().find(|format| format.endings.contains(&ending.as_str())).copied().unwrap_or(&csv::FORMAT)
}
