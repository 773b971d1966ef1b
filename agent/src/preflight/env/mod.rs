//! Environment files and the live environment, held against a schema (REQUIREMENTS D1 to D4).
//! What must stay true: no value is ever shown; a finding names the variable, its line and the rule.

mod interpolate;
mod read;
#[cfg(test)]
mod read_tests;
#[expect(dead_code, reason = "the schema reads them; it comes next")]
mod variables;

use super::{Findings, Request, Rule, counted};
use crate::config::{self, Environment};
use crate::limits;

/// The rules of this folder.
pub(super) static TABLES: &[&[&Rule]] = &[read::RULES];

/// Checks all environment files that the request names.
pub(super) fn check(request: &Request, env: &Environment, findings: &mut Findings) {
    for file in &request.env {
        match config::read_text(file, limits::ENV_FILE_BYTES) {
            Ok(text) => {
                let outer = |name: &str| env.get(name).map(str::to_owned);
                let variables = read::read(file, &text, &outer, findings);
                findings.checked(file, counted(variables.len(), "variable"));
            }
            Err(error) => findings.unreadable(format!("{error}\n")),
        }
    }
}
