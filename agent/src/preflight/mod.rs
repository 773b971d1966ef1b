//! `agent check` of what is deployed: environment files, compose files, manifests and this container, held against rules before
//! anything starts. Every kind of input has one function that reads it and lays down findings; nobody else decides anything.
//! What must stay true: everything wrong is told at once, each with rule, place, reason and way out, and no value of a secret is.

mod accepted;
mod compose;
mod env;
mod finding;
mod image;
mod known;
mod kubernetes;
mod privileges;
mod render;
mod report;
mod rule;

#[cfg(test)]
mod tests;

pub use crate::profile::Profile;
pub use accepted::Waived;
pub use env::init;
pub use finding::{Checked, Finding, Findings, Place};
pub use privileges::Sight;
pub use render::{Format, counted, render};
pub use report::Report;
pub use rule::{Rule, Severity};

use crate::config::Environment;
use accepted::Accepted;

/// What is to be checked, and for which life of the stack.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Environment files.
    pub env: Vec<String>,
    /// What they are held against: a file or `builtin:common`; with a schema and no file the live environment is checked.
    pub schema: Option<String>,
    /// Compose files of one project; later ones override earlier ones.
    pub compose: Vec<String>,
    /// Kubernetes manifests, files and folders.
    pub kubernetes: Vec<String>,
    /// What this container is to see, when that is asked for.
    pub privileges: Option<Sight>,
    /// How strict to be.
    pub profile: Profile,
    /// The file of findings that are lived with.
    pub accepted: Option<String>,
}

impl Request {
    /// Whether there is anything to check.
    #[must_use]
    pub fn names_something(&self) -> bool {
        let names_files = [&self.env, &self.compose, &self.kubernetes].iter().any(|files| !files.is_empty());
        names_files || self.schema.is_some() || self.privileges.is_some() || self.accepted.is_some()
    }
}

/// The rules of every kind of input: one row a kind, in it one a file that finds something.
static TABLES: &[&[&[&Rule]]] =
    &[&[accepted::RULES], env::TABLES, compose::RULES, &[kubernetes::RULES], &[privileges::RULES]];

/// All rules there are, for the reference and for `--accepted`.
#[must_use]
pub fn rules() -> Vec<&'static Rule> {
    TABLES.iter().copied().flatten().copied().flatten().copied().collect()
}

/// Checks everything that the request names.
#[must_use]
pub fn check(request: &Request, environment: &Environment) -> Report {
    let mut findings = Findings::default();
    let accepted = read_accepted(request, &mut findings);
    // Each kind of input: one line here, one field in `Request`, one row in `TABLES`.
    env::check(request, environment, &mut findings);
    compose::check(&compose::Compose::of(request, environment), &mut findings);
    kubernetes::check(&request.kubernetes, &mut findings);
    if let Some(sight) = &request.privileges {
        privileges::check(sight, environment, &mut findings);
    }
    let waived = accepted.apply(&mut findings);
    Report::new(findings, waived)
}

fn read_accepted(request: &Request, findings: &mut Findings) -> Accepted {
    let Some(file) = &request.accepted else { return Accepted::default() };
    Accepted::read(file, &rules()).unwrap_or_else(|message| {
        findings.unreadable(message);
        Accepted::default()
    })
}
