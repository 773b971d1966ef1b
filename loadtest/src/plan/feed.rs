//! Data files of a plan: CSV whose columns become variables. Read whole before the start, within a cap; which row a user
//! gets is a pure function of the order.

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

/// A data file, read.
#[derive(Clone, Debug)]
pub struct Feed {
    /// The file, as named in the plan.
    pub file: PathBuf,
    /// Names of the variables.
    pub columns: Arc<[String]>,
    /// The rows; never empty, each as long as `columns`.
    pub rows: Arc<[Vec<String>]>,
    /// Which row a user gets.
    pub order: Order,
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

impl Feed {
    /// Reads a CSV file: a head with the names of the variables, then at least one row.
    ///
    /// # Errors
    /// When the file cannot be read, is too large or is no such table; never with a value in the message.
    pub fn read(path: &Path, shown: &Path, order: Order) -> Result<Self, Problem> {
        let name = shown.display();
        let unreadable = |error: &std::io::Error| {
            Problem::new(format!("cannot read `{name}`: {}", problem::why(error)))
                .hint(format!("it is sought at `{}`: paths are relative to the plan's folder", path.display()))
        };
        let file = std::fs::File::open(path).map_err(|error| unreadable(&error))?;
        let mut text = Vec::new();
        file.take(DATA_BYTES + 1).read_to_end(&mut text).map_err(|error| unreadable(&error))?;
        if text.len() as u64 > DATA_BYTES {
            let most = DATA_BYTES >> 20;
            return Err(
                Problem::new(format!("`{name}` is larger than {most} MiB")).hint("split it, or keep fewer columns")
            );
        }
        Self::parse(&text, shown, order)
    }

    fn parse(text: &[u8], shown: &Path, order: Order) -> Result<Self, Problem> {
        let name = shown.display();
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let mut table = csv::ReaderBuilder::new().trim(csv::Trim::Headers).from_reader(text);
        let broken = |error: &csv::Error| {
            let line = error.position().map_or(0, csv::Position::line);
            let problem = Problem::new(why(error)).at(format!("{name}:{line}"));
            problem.hint("a head with the variables' names, then a row a line with as many fields")
        };
        let columns: Arc<[String]> =
            table.headers().map_err(|error| broken(&error))?.iter().map(str::to_owned).collect();
        check_columns(&columns, shown)?;
        let mut rows = Vec::new();
        for record in table.records() {
            let record = record.map_err(|error| broken(&error))?;
            rows.push(record.iter().map(str::to_owned).collect::<Vec<_>>());
            if rows.len() > DATA_ROWS {
                return Err(Problem::new(format!("`{name}` has more than {DATA_ROWS} rows")).hint("keep fewer rows"));
            }
        }
        if rows.is_empty() {
            return Err(Problem::new(format!("`{name}` has no rows below its head")).hint("add at least one"));
        }
        Ok(Self { file: shown.to_owned(), columns, rows: rows.into(), order, next: Arc::default() })
    }

    /// The row for a user (from 0) that begins its `round`-th journey (from 0); `chance` is a random number from 0 to 1.
    #[must_use]
    pub fn row(&self, user: usize, round: usize, chance: f64) -> &[String] {
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

    /// Values that must not be shown: those of columns whose names look secret.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        let secret: Vec<usize> = (0..)
            .zip(self.columns.iter())
            .filter(|(_, column)| crate::redact::looks_secret(column))
            .map(|(index, _)| index)
            .collect();
        self.rows
            .iter()
            .flat_map(move |row| secret.clone().into_iter().filter_map(move |index| row.get(index)))
            .map(String::as_str)
    }
}

fn check_columns(columns: &[String], shown: &Path) -> Result<(), Problem> {
    let name = shown.display();
    for (index, column) in columns.iter().enumerate() {
        let what = if !super::build::is_variable_name(column) {
            format!("column {} of `{name}` is called `{column}`, which is no name of a variable", index + 1)
        } else if column == super::build::TARGET {
            format!("column `{column}` of `{name}` would hide the target's URL")
        } else if columns.iter().take(index).any(|earlier| earlier == column) {
            format!("column `{column}` of `{name}` occurs twice")
        } else {
            continue;
        };
        return Err(Problem::new(what).hint("name each column with letters, digits, `_` or `-`, and only once"));
    }
    Ok(())
}

fn why(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("this row has {len} fields, the head has {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => "this row is not UTF-8".to_owned(),
        _ => "this is no CSV".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(text: &str, order: Order) -> Result<Feed, Problem> {
        Feed::parse(text.as_bytes(), Path::new("users.csv"), order)
    }

    #[test]
    fn each_order_gives_the_rows_it_promises() {
        let rows = |order, calls: &[(usize, usize, f64)]| {
            let feed = feed("\u{feff}name, word\na,1\nb,2\nc,3\n", order).expect("a table");
            assert_eq!(feed.columns.as_ref(), ["name", "word"]);
            calls.iter().map(|&(user, round, chance)| feed.row(user, round, chance)[0].clone()).collect::<String>()
        };
        assert_eq!(rows(Order::Circular, &[(7, 0, 0.0), (1, 3, 0.9), (7, 1, 0.0), (2, 0, 0.0)]), "abca");
        assert_eq!(rows(Order::Random, &[(0, 0, 0.0), (0, 0, 0.5), (0, 0, 0.99), (0, 0, 1.0)]), "abcc");
        assert_eq!(rows(Order::Sequential, &[(5, 0, 0.0), (5, 1, 0.0), (6, 0, 0.0), (5, 3, 0.0)]), "abaa");
        assert_eq!(rows(Order::Unique, &[(1, 0, 0.0), (1, 9, 0.0), (2, 0, 0.0)]), "bbc");
    }

    #[test]
    fn each_broken_file_has_its_message_and_no_value_in_it() {
        let mut said = String::new();
        for text in ["", "a,b\n", "a,b\n1\n", "a,a\n1,2\n", "a b\n1\n", "target\nx\n", "password\nhunter2,hunter2\n"] {
            said += &format!("{}\n", feed(text, Order::Circular).expect_err(text));
        }
        assert!(!said.contains("hunter2"));
        insta::assert_snapshot!(said, @r"
        error: `users.csv` has no rows below its head
        hint: add at least one
        error: `users.csv` has no rows below its head
        hint: add at least one
        error: this row has 1 fields, the head has 2
          at users.csv:2
        hint: a head with the variables' names, then a row a line with as many fields
        error: column `a` of `users.csv` occurs twice
        hint: name each column with letters, digits, `_` or `-`, and only once
        error: column 1 of `users.csv` is called `a b`, which is no name of a variable
        hint: name each column with letters, digits, `_` or `-`, and only once
        error: column `target` of `users.csv` would hide the target's URL
        hint: name each column with letters, digits, `_` or `-`, and only once
        error: this row has 2 fields, the head has 1
          at users.csv:2
        hint: a head with the variables' names, then a row a line with as many fields
        ");
    }

    #[test]
    fn values_of_secret_columns_are_known() {
        let feed = feed("user,api_key\nbob,k1\nann,k2\n", Order::Random).expect("a table");
        assert_eq!(feed.secrets().collect::<Vec<_>>(), ["k1", "k2"]);
    }
}
