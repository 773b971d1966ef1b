//! Data files in JSON: an array of objects, or an object a line. Keys are the variables' names, and scalars keep their types. What must stay
//! true: all rows have the same keys, in one order.

mod nested;
#[cfg(test)]
mod tests;

use super::super::build::{TARGET, is_variable_name};
use super::{File, Format, Table};
use crate::journey::{JSON_DEPTH_MAX, JsonReader, NotJson, Value};
use crate::problem::Problem;
use nested::cell;

pub(super) static ARRAY: Format = Format {
    endings: &["json"],
    holds: "JSON: one array of objects, such as `[{\"email\": \"ann@example.org\", \"age\": 41}, …]`",
    read: read_array,
};

pub(super) static LINES: Format = Format {
    endings: &["jsonl", "ndjson"],
    holds: "JSON: an object a line; empty lines are skipped",
    read: read_lines,
};

const ARRAY_HINT: &str =
    "it holds one array of objects, `[{\"email\": \"ann@example.org\"}, …]`; an object a line is for a file `.jsonl`";
const LINES_HINT: &str =
    "each line is one object, `{\"email\": \"ann@example.org\"}`; an array of objects is for a file `.json`";
const SYNTAX: &str =
    "keys and texts stand in double quotes, a comma between two items and none behind the last; there are no comments";
const NAMES: &str = "name each key with letters, digits, `_` or `-`, beginning with a letter";
const SAME: &str = "give every object the same keys";
/// Characters of a key that are shown.
const KEY_SHOWN: usize = 60;

fn read_array(file: &File<'_>) -> Result<Table, Problem> {
    let source = Source::of(file, ARRAY_HINT)?;
    let mut reader = JsonReader::new(source.text);
    let first = reader.next_byte();
    if first.is_none() {
        return Err(source.empty());
    }
    if let Some(kind) = first.filter(|first| *first != b'[').and_then(kind) {
        let what = format!("`{}` is {kind}, not an array of objects", file.name);
        return Err(source.problem(reader.at(), what).hint(ARRAY_HINT));
    }
    let mut rows = Rows { source, table: Table::default() };
    let read = reader.items(0, |reader, depth| rows.read(reader, 0, depth)).and_then(|()| Ok(reader.end()?));
    read.map_err(|wrong| source.wrong(wrong, 0, source.text))?;
    rows.table()
}

fn read_lines(file: &File<'_>) -> Result<Table, Problem> {
    let source = Source::of(file, LINES_HINT)?;
    if source.text.trim_ascii().is_empty() {
        return Err(source.empty());
    }
    let mut rows = Rows { source, table: Table::default() };
    let mut start = 0;
    for line in source.text.split_inclusive('\n') {
        let mut reader = JsonReader::new(line);
        if reader.next_byte().is_some() {
            let read = rows.read(&mut reader, start, 0).and_then(|()| Ok(reader.end()?));
            read.map_err(|wrong| source.wrong(wrong, start, line))?;
        }
        start += line.len();
    }
    rows.table()
}

/// What a value is that begins so.
const fn kind(first: u8) -> Option<&'static str> {
    Some(match first {
        b'{' => "an object",
        b'[' => "an array",
        b'"' => "a text",
        b't' | b'f' => "a boolean",
        b'n' => "null",
        b'-' | b'0'..=b'9' => "a number",
        _ => return None,
    })
}

/// What went wrong with a row: its JSON, or what it says.
enum Wrong {
    Json(NotJson),
    Said(Problem),
}

impl From<NotJson> for Wrong {
    fn from(error: NotJson) -> Self {
        Self::Json(error)
    }
}

/// The text of a file, for messages with places in it.
#[derive(Clone, Copy)]
struct Source<'a> {
    name: &'a str,
    text: &'a str,
    hint: &'static str,
}

impl<'a> Source<'a> {
    fn of(file: &File<'a>, hint: &'static str) -> Result<Self, Problem> {
        let name = file.name;
        std::str::from_utf8(file.bytes).map(|text| Self { name, text, hint }).map_err(|error| {
            let good = file.bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = 1 + good.iter().filter(|byte| **byte == b'\n').count();
            Problem::new(format!("`{name}` is not UTF-8")).at(format!("{name}:{line}")).hint("save it as UTF-8")
        })
    }

    fn empty(&self) -> Problem {
        Problem::new(format!("`{}` is empty", self.name)).hint(self.hint)
    }

    /// A problem in the line of that byte.
    fn problem(&self, at: usize, what: String) -> Problem {
        Problem::new(what).at(format!("{}:{}", self.name, self.place(at).0))
    }

    /// Line and column of a byte, both from 1, the column in characters.
    fn place(&self, at: usize) -> (usize, usize) {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line = before.rsplit('\n').next().unwrap_or_default();
        (1 + before.matches('\n').count(), 1 + line.chars().count())
    }

    /// What went wrong in a part of the text, which begins at that byte.
    fn wrong(&self, wrong: Wrong, start: usize, part: &str) -> Problem {
        let error = match wrong {
            Wrong::Said(problem) => return problem,
            Wrong::Json(error) => error,
        };
        // What is missing is missing behind the last character, and not in the line below it.
        let at = error.at.min(part.trim_ascii_end().len());
        let ended = part.get(at..).unwrap_or_default().trim_ascii().is_empty();
        let (what, hint) = if error.too_deep {
            ("arrays and objects lie too deep in one another here", format!("at most {JSON_DEPTH_MAX} levels"))
        } else if ended {
            ("the JSON ends too early here", self.hint.to_owned())
        } else {
            ("this is no JSON from here on", SYNTAX.to_owned())
        };
        let (line, column) = self.place(start + at);
        Problem::new(what).at(format!("{}:{line}:{column}", self.name)).hint(hint)
    }
}

/// The rows so far.
struct Rows<'a> {
    source: Source<'a>,
    /// Its columns are those of the first row, sorted.
    table: Table,
}

impl Rows<'_> {
    fn table(self) -> Result<Table, Problem> {
        if self.table.rows.is_empty() {
            let problem = Problem::new(format!("`{}` has no rows", self.source.name));
            return Err(problem.hint("add at least one object"));
        }
        Ok(self.table)
    }

    /// Reads the next row; what the reader reads begins at that byte of the file.
    fn read(&mut self, reader: &mut JsonReader<'_>, start: usize, depth: usize) -> Result<(), Wrong> {
        let first = reader.next_byte();
        let at = start + reader.at();
        let row = 1 + self.table.rows.len();
        if let Some(kind) = first.filter(|first| *first != b'{').and_then(kind) {
            let problem = self.source.problem(at, format!("row {row} is {kind}, not an object"));
            return Err(Wrong::Said(problem.hint(self.source.hint)));
        }
        let mut cells = Vec::new();
        reader.members(depth, |reader, key, depth| {
            let value = cell(reader, depth, &key, &mut self.table.hidden)?;
            cells.push((key, value));
            Result::<(), NotJson>::Ok(())
        })?;
        let values = self
            .values(cells)
            .map_err(|(what, hint)| Wrong::Said(self.source.problem(at, format!("row {row} {what}")).hint(hint)))?;
        self.table.add(self.source.name, values).map_err(Wrong::Said)
    }

    /// The values of a row in the order of the columns, which the first row sets; else what is wrong with it and what to do.
    fn values(&mut self, mut cells: Vec<(String, Value)>) -> Result<Vec<Value>, (String, &'static str)> {
        // An object has no order: nothing, and no fingerprint, depends on that of its keys.
        cells.sort_by(|(one, _), (two, _)| one.cmp(two));
        let (keys, values): (Vec<String>, Vec<Value>) = cells.into_iter().unzip();
        if let Some((twice, _)) = keys.iter().zip(keys.iter().skip(1)).find(|(one, two)| one == two) {
            return Err((format!("has the key `{}` twice", shown(twice)), "keep one of them"));
        }
        if self.table.rows.is_empty() {
            check(&keys)?;
            self.table.columns = keys;
        } else {
            same(&keys, &self.table.columns)?;
        }
        Ok(values)
    }
}

/// The keys of the first row are names of variables.
fn check(keys: &[String]) -> Result<(), (String, &'static str)> {
    if keys.is_empty() {
        return Err(("has no keys".to_owned(), "each key becomes a variable: add at least one"));
    }
    match keys.iter().find(|key| !is_variable_name(key) || *key == TARGET) {
        None => Ok(()),
        Some(key) if key == TARGET => {
            Err((format!("has a key `{TARGET}`, which would hide the target's URL"), "choose another name"))
        }
        Some(key) => Err((format!("has a key `{}`, which is no name of a variable", shown(key)), NAMES)),
    }
}

/// The keys of a later row are those of the first; both are sorted.
fn same(keys: &[String], first: &[String]) -> Result<(), (String, &'static str)> {
    if keys == first {
        return Ok(());
    }
    let stranger = keys.iter().find(|key| first.binary_search(key).is_err());
    let missing = first.iter().find(|key| keys.binary_search(key).is_err()).map(|key| shown(key)).unwrap_or_default();
    Err(match stranger {
        Some(key) => (format!("has a key `{}`, which the first row has not", shown(key)), SAME),
        None => (format!("lacks the key `{missing}`, which the first row has"), SAME),
    })
}

/// A key as it may be shown: no control characters, long ones cut.
fn shown(key: &str) -> String {
    key.escape_debug().take(KEY_SHOWN).collect()
}
