//! Secrets in plain sight: passwords and keys that stand in the compose file itself. No value is ever repeated.

use super::super::mentions;
use super::super::model::{Kept, Project, Service, Variable};
use super::super::notes::Notes;
use super::{error, warning};
use crate::preflight::{Profile, Rule};

pub(super) static RULES: &[&Rule] = &[&PLAIN, &DEFAULT];

static PLAIN: Rule = error(
    "compose-secret-in-plain-sight",
    "a password or key stands in the compose file",
    "whoever reads the file, or its history, has it",
    "take it from a variable (`${NAME:?}`), or from a secret with `NAME_FILE`",
);
static DEFAULT: Rule = warning(
    "compose-secret-default",
    "a password or key has a default in the compose file",
    "where the variable is forgotten everybody knows the secret",
    "write `${NAME:?}`, so that a forgotten variable stops the start",
);

/// How the name of a secret ends: with `_PROVIDER`, `_CLASS` or `_SCHEME` behind it the value is about one.
const WORDS: &[&str] = &["PASSWORD", "PASSWD", "PASS", "PWD", "SECRET", "TOKEN", "APIKEY", "CREDENTIALS"];
/// Two words that name a secret together.
const KEYS: &[&str] =
    &["API_KEY", "PRIVATE_KEY", "SECRET_KEY", "ACCESS_KEY", "ENCRYPTION_KEY", "SIGNING_KEY", "APP_KEY", "MASTER_KEY"];
/// Keys that somebody else hands out.
const ISSUED: &[&str] = &["API_KEY", "API_SECRET", "ACCESS_KEY", "APIKEY"];
/// Endings that say that the value is about a secret and not one.
const ABOUT: &[&str] = &[
    "_FILE",
    "_ID",
    "_URL",
    "_URI",
    "_PATH",
    "_DIR",
    "_NAME",
    "_TTL",
    "_EXPIRY",
    "_EXPIRE",
    "_EXPIRES",
    "_EXPIRES_IN",
    "_EXPIRATION",
    "_LIFETIME",
    "_LENGTH",
    "_TIMEOUT",
    "_ENABLED",
    "_TYPE",
    "_ALGORITHM",
    "_MINUTES",
    "_SECONDS",
    "_DAYS",
    "_HOURS",
    "_HEADER",
    "_ENDPOINT",
    "_POLICY",
    "_HOST",
    "_PORT",
    "_LIMIT",
    "_MIN",
    "_MAX",
    "_USERNAME",
    "_PREFIX",
    "_ISSUER",
    "_AUDIENCE",
    "_REQUIRED",
    "_BACKEND",
    "_ARN",
    "_VERSION",
    "_METHOD",
    "_ROUNDS",
    "_EMAIL",
    "_COST",
];

pub(super) fn check(project: &Project, profile: Profile, notes: &mut Notes) {
    if profile == Profile::Development {
        return;
    }
    for service in project.services.values() {
        for variable in service.variables.iter().filter(|variable| variable.kept == Kept::Here) {
            let key = service.key(&format!("environment.{}", variable.name));
            if is_secret(&variable.name) && is_value(&variable.value) && !opens_nothing(variable) {
                let message = format!("the value of `{}` stands in the file", variable.name);
                told(variable, key, message, notes);
            } else if !is_placeholder(&variable.value) && holds_password(service, variable, project) {
                told(variable, key, format!("the URL in `{}` holds a password", variable.name), notes);
            }
        }
    }
}

fn told(variable: &Variable, key: String, message: String, notes: &mut Notes) {
    if !variable.origin.is_written() {
        return;
    }
    let rule = if variable.origin.default { &DEFAULT } else { &PLAIN };
    let message = if variable.origin.default {
        format!("the default of `{}` stands in the file", variable.name)
    } else {
        message
    };
    notes.add(rule, variable.at, key, message);
}

fn holds_password(service: &Service, variable: &Variable, project: &Project) -> bool {
    let named = mentions::of(service, project);
    named.iter().any(|mention| mention.variable == variable.name && mention.has_password)
}

fn is_secret(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    let about = ABOUT.iter().any(|end| upper.ends_with(end));
    let allows =
        upper.contains("ALLOW") || upper.contains("EMPTY") || upper.contains("RANDOM") || upper.contains("DISABLE");
    let names_files = upper.starts_with("KAFKA_SSL_") && upper.ends_with("_CREDENTIALS");
    // A number may follow; and whoever has the hash of a password that people know has the password.
    let words = upper.rsplit(|c: char| !c.is_ascii_alphanumeric()).map(|word| word.trim_end_matches(char::is_numeric));
    let last = words.into_iter().find(|word| !matches!(*word, "" | "HASH")).unwrap_or_default();
    let word = WORDS.contains(&last) || (last.len() > 8 && (last.ends_with("PASSWORD") || last.ends_with("SECRET")));
    !about
        && !names_files
        && !allows
        && upper != "PWD"
        && upper != "OLDPWD"
        && (word || KEYS.iter().any(|key| upper.contains(key)))
}

/// Whether a value says of itself that it is no key. A password or a secret of one's own that is `dummy` is one that works.
fn opens_nothing(variable: &Variable) -> bool {
    let upper = variable.name.to_ascii_uppercase();
    ISSUED.iter().any(|end| upper.contains(end)) && matches!(variable.value.trim(), "dummy" | "invalid")
}

/// Whether a text can be a secret: not a switch, a number, a path, or nothing.
fn is_value(value: &str) -> bool {
    let lower = value.trim().to_ascii_lowercase();
    let switch = matches!(lower.as_str(), "" | "true" | "false" | "yes" | "no" | "on" | "off" | "null" | "none");
    let short_number = lower.len() < 6 && lower.chars().all(|c| c.is_ascii_digit());
    !switch && !short_number && !lower.starts_with('/') && !is_placeholder(value)
}

/// Text that something else fills in when it starts.
fn is_placeholder(value: &str) -> bool {
    ["$(", "${", "{{", "__FILE", "<"].iter().any(|mark| value.contains(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_told_from_what_is_about_one() {
        for name in [
            "POSTGRES_PASSWORD",
            "SECRET_KEY_BASE",
            "JWT_SECRET",
            "OPENAI_API_KEY",
            "MYSQL_ROOT_PASSWORD",
            "PGPASSWORD",
            "DB_PASSWORD_2",
            "DB_PASSWORD2",
            "ADMIN_PASSWORD_HASH",
            "AWS_CREDENTIALS",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in [
            "POSTGRES_PASSWORD_FILE",
            "TOKEN_TTL",
            "ALLOW_EMPTY_PASSWORD",
            "PWD",
            "COMPASS",
            "AUTH_TOKEN_URL",
            "KEY",
            "AWS_ACCESS_KEY_ID",
            "KAFKA_SSL_KEYSTORE_CREDENTIALS",
            "METADATA_AUTH_CREDENTIALS_PROVIDER",
            "PROVIDERS_SECRET_CLASS",
            "MAIL_PASS_SCHEME",
            "HASH",
        ] {
            assert!(!is_secret(name), "{name}");
        }
        assert!(!is_value("true") && !is_value("3600") && !is_value("/run/secrets/x") && is_value("hunter2"));
    }
}
