//! The tables are whole, and what they say is true: every example loads, its twin with an unknown key does not, the committed
//! REFERENCE.md is fresh.

use super::*;
use crate::config::{self, Environment, Flags};
use crate::probes::KINDS;
use std::path::Path;

/// A file with one check, loaded by the loader of `agent run`.
fn load(check: &str) -> Result<config::Loaded, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("agent.yml");
    let text = format!("checks:\n{}", check.trim_matches('\n').replace("\t", "  "));
    std::fs::write(&path, &text).unwrap();
    let flags = Flags { config: Some(path.display().to_string()), ..Flags::default() };
    let env = variables(&text);
    config::load(&flags, &env, Tables::of_program()).map_err(|error| format!("{text}\n{error}"))
}

/// Some value for each variable that an example names.
fn variables(text: &str) -> Environment {
    let names = text.split("${").skip(1).filter_map(|rest| rest.split(['}', ':']).next());
    names.map(|name| (name.to_owned(), format!("some-{}", name.to_lowercase()))).collect()
}

#[test]
fn every_example_loads_as_its_own_kind() {
    for kind in KINDS {
        let loaded = load(kind.example).unwrap_or_else(|error| panic!("{}: {error}", kind.name));
        assert_eq!(loaded.warnings, [], "{}", kind.name);
        assert!(loaded.plan.checks.iter().all(|check| check.facts.kind == kind.name), "{}", kind.name);
        assert!(!loaded.plan.checks.is_empty(), "{}", kind.name);
    }
}

#[test]
fn the_twin_of_every_example_with_an_unknown_key_is_refused() {
    for kind in KINDS {
        let twin = format!("{}\n  no_such_key: 1\n", kind.example.trim_end());
        let error = load(&twin).map(|_| ()).unwrap_err();
        assert!(error.contains("unknown key `no_such_key`"), "{}: {error}", kind.name);
    }
}

#[test]
fn the_keys_that_are_described_are_those_that_are_read() {
    for kind in KINDS {
        let described: Vec<&str> = kind.keys.iter().map(|key| key.name).collect();
        assert_eq!(described, (kind.fields)(), "{}", kind.name);
    }
}

#[test]
fn no_key_of_a_probe_hides_a_key_of_every_check() {
    for kind in KINDS {
        let hidden = kind.keys.iter().find(|key| keys::CHECK.iter().any(|common| common.name == key.name));
        assert!(hidden.is_none_or(|key| panic!("{}: {}", kind.name, key.name)));
    }
}

#[test]
fn no_scheme_belongs_to_two_kinds() {
    let mut schemes: Vec<&str> = crate::probes::schemes();
    schemes.sort_unstable();
    let all = schemes.len();
    schemes.dedup();
    assert_eq!(schemes.len(), all);
}

#[test]
fn metrics_of_one_name_are_one_metric() {
    let tables = Tables::of_program();
    let probes = tables.kinds.iter().flat_map(|kind| kind.facts);
    let all: Vec<_> = probes.chain(tables.sources.iter().flat_map(|source| source.facts)).collect();
    for metric in &all {
        for other in all.iter().filter(|other| other.name == metric.name) {
            assert_eq!(other, metric, "two metrics share this name");
        }
    }
}

/// Refresh it with `tests/reference`; only the part of the agent is compared here.
#[test]
fn the_committed_reference_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../REFERENCE.md");
    let committed = std::fs::read_to_string(path).unwrap();
    let fresh = text();
    if !committed.starts_with(&fresh) {
        let differs = fresh.lines().zip(committed.lines()).find(|(new, old)| new != old);
        panic!("REFERENCE.md is stale at {differs:?}; refresh it: tests/reference");
    }
}
