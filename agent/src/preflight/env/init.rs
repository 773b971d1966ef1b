//! `agent check --init`: a schema from an environment file that works. What must stay true: no value of a secret is copied, and the
//! schema accepts the file that it was made from.

use super::schema::Schema;
use super::variables::Variable;
use crate::config::Environment;
use crate::preflight::Findings;
use crate::probes::target::Target;
use std::fmt::Write as _;

const HEAD: &str =
    "# Made by `agent check --init`. Look it over: what is optional, what may be shorter, which values there are.
# Checked by: agent check --env .env --schema schema.yml
extends: builtin:common
variables:
";

/// A schema that accepts the variables of the files.
///
/// # Errors
/// When a file cannot be read: the whole message.
pub fn init(files: &[String], env: &Environment) -> Result<String, String> {
    let common = Schema::named(None)?;
    let mut out = HEAD.to_owned();
    for file in files {
        // What is wrong with the file is told by checking it.
        let variables = super::read(file, env, &mut Findings::default())?;
        for variable in variables.iter() {
            let _ = writeln!(out, "  {}: {}", quoted(&variable.name), line(variable, &common));
        }
    }
    Ok(out)
}

/// A name as a YAML key: `NO` and `ON` are truth values to some readers.
fn quoted(name: &str) -> String {
    if name.len() < 4 { format!("\"{name}\"") } else { name.to_owned() }
}

/// What is asked of a variable: what the built-in schema knows, else what its name and value look like.
fn line(variable: &Variable, common: &Schema) -> String {
    let filled = !variable.value().is_empty();
    let required = if filled { "required: true" } else { "required: false" };
    match guess(&variable.name, variable.value(), common) {
        Some(guessed) => format!("{{type: {guessed}, {required}}}"),
        None => format!("{{{required}}}"),
    }
}

/// `None` for what the built-in schema has under this very name: its entry is extended.
fn guess(name: &str, value: &str, common: &Schema) -> Option<String> {
    if common.variables.contains_key(name) {
        return None;
    }
    if let Some(spec) = common.spec(name) {
        return Some(format!("{:?}", spec.kind).to_lowercase());
    }
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    let secret = has(&["TOKEN", "SECRET", "API_KEY", "PRIVATE", "CREDENTIAL"]);
    let guessed = match value {
        _ if has(&["PASSWORD", "PASSWD"]) && !name.ends_with("_FILE") => "password",
        _ if secret && !name.ends_with("_FILE") => "secret, min_length: 16",
        "true" | "false" => "bool",
        _ if value.contains("://") && Target::parse(value).is_ok() => "url",
        _ if !value.is_empty() && value.parse::<i64>().is_ok() => "int",
        _ if value.starts_with('/') => "path",
        _ => "text",
    };
    Some(guessed.to_owned())
}
