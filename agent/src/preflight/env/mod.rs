//! Environment files and the live environment, held against a schema (REQUIREMENTS D1 to D4).
//! What must stay true: no value is ever shown; a finding names the variable, its line and the rule.

mod files;
mod init;
pub(super) mod interpolate;
mod judge;
mod read;
#[cfg(test)]
mod read_tests;
mod schema;
mod strength;
#[cfg(test)]
mod tests;
mod urls;
mod variables;

pub use init::init;

use super::{Findings, Request, Rule, counted};
use crate::clock;
use crate::config::{self, Environment};
use crate::limits;
use judge::Desk;
use schema::Schema;
use variables::Variables;

/// The rules of this folder.
pub(super) static TABLES: &[&[&Rule]] = &[read::RULES, judge::RULES, urls::RULES, files::RULES];

/// Checks all environment files that the request names; with a schema and no file, the live environment.
pub(super) fn check(request: &Request, env: &Environment, findings: &mut Findings) {
    if request.env.is_empty() && request.schema.is_none() {
        return;
    }
    let schema = match Schema::named(request.schema.as_deref()) {
        Ok(schema) => schema,
        Err(message) => return findings.unreadable(message),
    };
    if request.env.is_empty() {
        variables(request, &schema, &Variables::live(env), findings);
    }
    for file in &request.env {
        match read(file, env, findings) {
            Ok(found) => variables(request, &schema, &found, findings),
            Err(message) => findings.unreadable(message),
        }
    }
}

/// A variable as an environment file sets it.
pub(super) struct Assigned {
    pub(super) name: String,
    pub(super) value: String,
    /// Where it begins, from 1.
    pub(super) line: usize,
}

/// What the text of such a file sets, in the order first set, for whoever needs no more: what is wrong with the file is told by
/// [`check`]. `outer` knows the variables that are not in it.
pub(super) fn assigned(text: &str, outer: &dyn Fn(&str) -> Option<String>) -> Vec<Assigned> {
    let read = read::read("", text, outer, &mut Findings::default());
    let one = |variable: &variables::Variable| {
        let (name, value) = (variable.name.clone(), variable.value().to_owned());
        Assigned { name, value, line: variable.line }
    };
    read.iter().map(one).collect()
}

fn variables(request: &Request, schema: &Schema, variables: &Variables, findings: &mut Findings) {
    let mut desk = Desk { schema, profile: request.profile, variables, findings };
    judge::judge(&mut desk);
    urls::twins(&mut desk);
    files::judge(&mut desk, clock::wall());
    let known = variables.iter().filter(|one| schema.spec(&one.name).is_some()).count();
    let summary =
        format!("{}, {known} in the schema, {}", counted(variables.len(), "variable"), request.profile.as_str());
    findings.checked(&variables.input, summary);
}

/// Reads a file; the error is the whole message.
fn read(file: &str, env: &Environment, findings: &mut Findings) -> Result<Variables, String> {
    let text = config::read_text(file, limits::ENV_FILE_BYTES).map_err(|error| format!("{error}\n"))?;
    let outer = |name: &str| env.get(name).map(str::to_owned);
    Ok(read::read(file, &text, &outer, findings))
}
