//! Data files in CSV: a head with the names of the variables, then a row a line. Every value is a text.

use super::super::build::{TARGET, is_variable_name};
use super::{File, Format, Table};
use crate::journey::Value;
use crate::problem::Problem;

pub(super) static FORMAT: Format = Format {
    endings: &["csv"],
    holds: "CSV: a head with the variables' names, then a row a line; every value is a text. A file with another ending is read as CSV too",
    read,
};

fn read(file: &File<'_>) -> Result<Table, Problem> {
    let name = file.name;
    if matches!(file.bytes.trim_ascii_start().first(), Some(b'{' | b'[')) {
        let problem = Problem::new(format!("`{name}` looks like JSON, but its ending says CSV"));
        return Err(problem.hint("call it `.json` for an array of objects, `.jsonl` for an object a line"));
    }
    let mut rows = ::csv::ReaderBuilder::new().trim(::csv::Trim::Headers).from_reader(file.bytes);
    let broken = |error: &::csv::Error| {
        let line = error.position().map_or(0, ::csv::Position::line);
        let problem = Problem::new(why(error)).at(format!("{name}:{line}"));
        problem.hint("a head with the variables' names, then a row a line with as many fields")
    };
    let columns: Vec<String> = rows.headers().map_err(|error| broken(&error))?.iter().map(str::to_owned).collect();
    check_columns(&columns, name)?;
    let mut table = Table { columns, ..Table::default() };
    for record in rows.records() {
        let record = record.map_err(|error| broken(&error))?;
        table.add(name, record.iter().map(Value::text).collect())?;
    }
    if table.rows.is_empty() {
        return Err(Problem::new(format!("`{name}` has no rows below its head")).hint("add at least one"));
    }
    Ok(table)
}

fn check_columns(columns: &[String], name: &str) -> Result<(), Problem> {
    for (index, column) in columns.iter().enumerate() {
        let what = if !is_variable_name(column) {
            format!("column {} of `{name}` is called `{column}`, which is no name of a variable", index + 1)
        } else if column == TARGET {
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

fn why(error: &::csv::Error) -> String {
    match error.kind() {
        ::csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("this row has {len} fields, the head has {expected_len}")
        }
        ::csv::ErrorKind::Utf8 { .. } => "this row is not UTF-8".to_owned(),
        _ => "this is no CSV".to_owned(),
    }
}
