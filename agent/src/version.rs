//! Which agent this is. A leaf.

use std::fmt;

/// Version and commit of this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// As in Cargo.toml.
    pub number: &'static str,
    /// The commit it was built from; `unknown` when it was built without git and without `AGENT_COMMIT` (see `build.rs`).
    pub commit: &'static str,
}

impl Version {
    /// This program's.
    pub const THIS: Self = Self {
        number: env!("CARGO_PKG_VERSION"),
        commit: match option_env!("AGENT_COMMIT") {
            Some(commit) if !commit.is_empty() => commit,
            _ => "unknown",
        },
    };
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.number, self.commit)
    }
}
