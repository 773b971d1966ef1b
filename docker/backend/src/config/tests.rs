//! The environment, well and badly filled in.

use super::*;

fn read(variables: &[(&str, &str)]) -> Result<Config, Problems> {
    Config::from_lookup(|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
}

fn message(variables: &[(&str, &str)]) -> String {
    read(variables).expect_err("the variables should be refused").to_string()
}

#[test]
fn an_empty_environment_is_a_working_demo() {
    let config = read(&[]).expect("defaults");
    assert_eq!(config.listen.to_string(), "0.0.0.0:8000");
    assert_eq!(config.storage, Storage::Temporary);
    assert_eq!(config.seed_users, 200);
    assert!(config.faults.is_none());
    assert_eq!(config.warnings.len(), 2, "both defaults that a real service must not keep are warned about");
}

#[test]
fn generated_secrets_differ_and_are_long() {
    let (one, two) = (read(&[]).expect("defaults"), read(&[]).expect("defaults"));
    assert_ne!(one.jwt_secret.reveal(), two.jwt_secret.reveal());
    assert!(one.jwt_secret.reveal().len() >= limits::MIN_SECRET_CHARS);
}

#[test]
fn sqlite_urls_are_understood() {
    let storage = |url| read(&[("DATABASE_URL", url)]).expect("a good URL").storage;
    assert_eq!(storage("sqlite::memory:"), Storage::Memory);
    assert_eq!(storage("sqlite://demo.db"), Storage::File("demo.db".into()));
    assert_eq!(storage("sqlite:///var/lib/demo.db?mode=rwc"), Storage::File("/var/lib/demo.db".into()));
}

#[test]
fn every_problem_is_listed_at_once() {
    let text = message(&[
        ("LISTEN", "localhost"),
        ("DATABASE_URL", "postgresql+asyncpg://app:canary@db/app"),
        ("JWT_SECRET", "canary"),
        ("POOL_SIZE", "1"),
        ("LOG_FORMAT", "xml"),
        ("ADMIN_PASSWORD", ""),
        ("FAULT_STUCK_WORKER", "1"),
    ]);
    let expected = "\
error: `LISTEN` cannot be read
hint: it must be an address and a port, such as `0.0.0.0:8000` or `127.0.0.1:0`
error: `DATABASE_URL` names a database that this build has no driver for: `postgresql+asyncpg`
hint: only SQLite is built in: `sqlite://path/to/file.db`, or leave it unset
error: `POOL_SIZE` is out of range: 1
hint: it must be a whole number from 2 to 64
error: `JWT_SECRET` is too short: 6 characters
hint: at least 32 characters; `openssl rand -base64 48` makes a good one
error: `ADMIN_PASSWORD` is set but empty
hint: give it a value, or unset it for the default
error: `FAULTS` is not `1`, yet a `FAULT_*` variable is set
hint: set `FAULTS=1`, or unset `FAULT_*`
error: `LOG_FORMAT` is neither of its two values
hint: `text` or `json`";
    assert_eq!(text, expected);
}

#[test]
fn no_value_shows_up_in_a_message_or_in_debug_output() {
    let names =
        ["LISTEN", "DATABASE_URL", "JWT_SECRET", "POOL_SIZE", "LOG_FORMAT", "LOG_LEVEL", "FAULTS", "FAULT_ERROR_RATE"];
    for name in names {
        let text = message(&[(name, "canary canary:x")]);
        assert!(!text.contains("canary"), "{name}: {text}");
    }
    let secret = "canary-canary-canary-canary-canary-canary";
    let config = read(&[("JWT_SECRET", secret), ("ADMIN_PASSWORD", secret), ("SEED_PASSWORD", secret)]).expect("good");
    assert!(!format!("{config:?}").contains("canary"));
}

#[test]
fn faults_can_be_set_at_start_when_allowed() {
    let config = read(&[("FAULTS", "1"), ("FAULT_LATENCY_MS", "250"), ("FAULT_ERROR_RATE", "0.5")]).expect("good");
    let faults = config.faults.expect("allowed");
    assert_eq!((faults.latency_ms, faults.error_rate), (250, 0.5));
}
