//! A rule: what it is called, how bad breaking it is, why it exists and what to do. Each stands as a `static` beside the code that finds
//! its breaches; `mod.rs` unites them in one table.

use serde::Serialize;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It must not be deployed so: the exit code is 1.
    Error,
    /// Worth a look: the exit code stays 0.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One rule. Its name is an interface: `--accepted` files and CI jobs quote it.
#[derive(Debug)]
pub struct Rule {
    /// In lower case with dashes, the kind of input first: `env-default-secret`.
    pub name: &'static str,
    /// How bad a breach is.
    pub severity: Severity,
    /// What breaks it, for the reference.
    pub summary: &'static str,
    /// What goes wrong when it is broken: one clause, shown with every finding.
    pub why: &'static str,
    /// What to do, unless a finding knows better.
    pub fix: &'static str,
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Rule {}
