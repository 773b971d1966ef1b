//! The rules of compose files, one file a topic: each holds its rows and the function that looks.

pub(super) mod conflicts;
pub(super) mod declared;
pub(super) mod exposure;
pub(super) mod file;
pub(super) mod health;
pub(super) mod names;
pub(super) mod order;
pub(super) mod ports;
pub(super) mod resources;
pub(super) mod secrets;

use super::model::Project;
use super::notes::Notes;
use crate::preflight::{Profile, Rule, Severity};

/// All rows.
pub(in crate::preflight) static RULES: &[&[&Rule]] = &[
    file::RULES,
    declared::RULES,
    names::RULES,
    ports::RULES,
    order::RULES,
    health::RULES,
    conflicts::RULES,
    secrets::RULES,
    exposure::RULES,
    resources::RULES,
];

/// Looks at a project with all of them.
pub(super) fn check(project: &Project, profile: Profile, notes: &mut Notes) {
    file::check(project, notes);
    declared::check(project, notes);
    names::check(project, notes);
    ports::check(project, notes);
    order::check(project, notes);
    health::check(project, notes);
    conflicts::check(project, notes);
    secrets::check(project, profile, notes);
    exposure::check(project, profile, notes);
    resources::check(project, profile, notes);
}

/// A row whose breach must not be deployed.
const fn error(name: &'static str, summary: &'static str, why: &'static str, fix: &'static str) -> Rule {
    Rule { name, severity: Severity::Error, summary, why, fix }
}

/// A row whose breach is worth a look.
const fn warning(name: &'static str, summary: &'static str, why: &'static str, fix: &'static str) -> Rule {
    Rule { name, severity: Severity::Warning, summary, why, fix }
}
