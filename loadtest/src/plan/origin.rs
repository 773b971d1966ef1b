//! Where a value came from: shown by `--dry-run`, so that nobody has to guess which of three places won.

use std::fmt;

/// The place that set a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A flag of the command line.
    Flag(&'static str),
    /// A key of the plan file: file and line.
    File(String),
    /// A variable of the environment.
    Environment(&'static str),
    /// Nobody; the default holds.
    Default,
}

/// A value and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Where it came from.
    pub from: Origin,
}

impl<T> Setting<T> {
    /// A value that nobody set.
    pub const fn default_of(value: T) -> Self {
        Self { value, from: Origin::Default }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => f.write_str(flag),
            Self::File(place) => f.write_str(place),
            Self::Environment(name) => write!(f, "${name}"),
            Self::Default => f.write_str("default"),
        }
    }
}
