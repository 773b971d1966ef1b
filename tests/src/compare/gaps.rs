//! The committed list of differences that are meant: a line each, `<name, * at its end allowed> <what> <reason>`.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;

/// What differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// We do not have the name.
    Name,
    /// The type is another one.
    Type,
    /// The names of the labels are others.
    Labels,
    /// A series of theirs, by the values of its labels, is not there.
    Series,
    /// A value is another one.
    Value,
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "name",
            Self::Type => "type",
            Self::Labels => "labels",
            Self::Series => "series",
            Self::Value => "value",
        })
    }
}

/// A line of the list.
#[derive(Clone, Debug)]
pub struct Gap {
    /// The name, or its beginning and a `*`.
    pub name: String,
    /// What may differ.
    pub what: What,
    /// Why.
    pub reason: String,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.name, self.what, self.reason)
    }
}

/// The list, and which of its lines were needed.
#[derive(Debug, Default)]
pub struct Gaps {
    all: Vec<Gap>,
    used: RefCell<BTreeSet<usize>>,
}

impl Gaps {
    /// Reads a list; empty lines and those that begin with `#` are comments.
    ///
    /// # Errors
    /// When a line has no reason or names nothing that may differ.
    pub fn read(text: &str) -> Result<Self, String> {
        let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
        let all: Result<Vec<Gap>, String> =
            lines.map(|line| gap(line).ok_or_else(|| format!("no gap: {line}"))).collect();
        Ok(Self { all: all?, used: RefCell::default() })
    }

    /// The list of an exporter, `tests/compare/<exporter>.gaps`.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(exporter: &str) -> Result<Self, String> {
        let path = crate::repo::root().join(format!("tests/compare/{exporter}.gaps"));
        Self::read(&std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?)
    }

    /// Whether a line excuses this.
    pub fn excuses(&self, name: &str, what: What) -> bool {
        let fits = |gap: &Gap| match gap.name.strip_suffix('*') {
            Some(begin) => name.starts_with(begin),
            None => gap.name == name,
        };
        let found = self.all.iter().position(|gap| gap.what == what && fits(gap));
        self.used.borrow_mut().extend(found);
        found.is_some()
    }

    /// The lines that excused nothing.
    #[must_use]
    pub fn unused(&self) -> Vec<&Gap> {
        let used = self.used.borrow();
        self.all.iter().enumerate().filter(|(at, _)| !used.contains(at)).map(|(_, gap)| gap).collect()
    }
}

fn gap(line: &str) -> Option<Gap> {
    let mut words = line.split_whitespace();
    let name = words.next()?.to_owned();
    let what = match words.next()? {
        "name" => What::Name,
        "type" => What::Type,
        "labels" => What::Labels,
        "series" => What::Series,
        "value" => What::Value,
        _ => return None,
    };
    let reason = words.collect::<Vec<_>>().join(" ");
    (!reason.is_empty()).then_some(Gap { name, what, reason })
}
