//! Which part may know which: DESIGN's dependency direction, read from the `crate::` paths of the sources.

use tests::repo::{files, read, shown};

/// A part of a crate and the other parts that it may name; its own name is always allowed.
type Rule = (&'static str, &'static [&'static str]);

/// What every part of the agent may know.
const AGENT_LEAVES: &[&str] = &["limits", "clock", "units", "secret", "panics", "version", "parser", "small"];
/// What every part of the load tester may know.
const LOADTEST_LEAVES: &[&str] = &["limits", "clock", "units", "problem", "redact", "suggest", "exit"];

/// What a probe or collector may know beside the leaves: what it gives (readings) and what it is given (nodes).
const AGENT: &[Rule] = &[
    ("limits", &[]),
    ("clock", &[]),
    ("secret", &[]),
    ("units", &[]),
    ("panics", &[]),
    ("version", &[]),
    ("parser", &[]),
    ("small", &[]),
    ("reading", &[]),
    ("reload", &[]),
    ("silence", &[]),
    ("node", &["units", "limits"]),
    ("profile", &["node"]),
    ("probes", &["reading", "node"]),
    ("collectors", &["reading"]),
    ("snapshot", &["probes", "collectors", "reading", "causes", "reload", "silence"]),
    ("causes", &["snapshot", "probes", "collectors", "reading"]),
    ("state", &["snapshot", "probes", "collectors", "reading", "causes", "reload", "silence"]),
    ("metrics", &["snapshot", "causes", "probes", "collectors", "reading", "reload", "silence"]),
    ("supervise", &[]),
    ("wait", &["config", "probes", "snapshot", "paint", "supervise"]),
    (
        "startup",
        &[
            "config",
            "probes",
            "snapshot",
            "state",
            "server",
            "lifecycle",
            "paint",
            "supervise",
            "wait",
            "exit",
            "preflight",
        ],
    ),
    ("schedule", &["state", "snapshot", "probes", "collectors", "config"]),
    ("config", &["snapshot", "probes", "collectors", "reading", "node", "paint", "reload", "profile"]),
    ("status", &["probes", "config", "paint", "exit"]),
    (
        "server",
        &["snapshot", "causes", "probes", "collectors", "reading", "metrics", "config", "node", "reload", "silence"],
    ),
    ("preflight", &["config", "collectors", "node", "probes", "paint", "exit", "profile"]),
];

const LOADTEST: &[Rule] = &[
    ("limits", &[]),
    ("clock", &[]),
    ("units", &[]),
    ("measure", &[]),
    ("http", &[]),
    ("journey", &["http", "measure", "problem"]),
    ("engine", &["measure", "journey", "http"]),
    ("sidecars", &["http"]),
    ("targets", &["measure", "sidecars"]),
    ("culprit", &["sidecars", "targets", "measure"]),
    ("plan", &["journey", "targets", "http", "sidecars"]),
    ("baseline", &["measure", "targets"]),
    ("report", &["plan", "measure", "targets", "journey", "baseline", "sidecars", "culprit"]),
    ("validate", &["plan", "http", "journey", "report", "targets"]),
];

fn strays(source: &str, rules: &[Rule], leaves: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (part, allowed) in rules {
        let own = files(source, ".rs").into_iter().filter(|path| {
            let inside = shown(path);
            let inside = inside.strip_prefix(&format!("{source}/")).unwrap_or(&inside).to_owned();
            inside == format!("{part}.rs") || inside.starts_with(&format!("{part}/"))
        });
        for path in own.filter(|path| !path.ends_with("tests.rs") && !shown(path).contains("/tests/")) {
            let text = read(&path);
            let before_tests = text.split("#[cfg(test)]").next().unwrap_or_default();
            for named in before_tests.lines().filter(|line| !line.trim_start().starts_with("//")).flat_map(parts_named)
            {
                let fine = named == *part || leaves.contains(&named.as_str()) || allowed.contains(&named.as_str());
                if !fine {
                    found.push(format!("{} knows `{named}`", shown(&path)));
                }
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

/// The parts that a line names: `crate::a::B` and `use crate::{a::B, c}`.
fn parts_named(line: &str) -> Vec<String> {
    let word =
        |text: &str| text.trim().split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("").to_owned();
    let mut named = Vec::new();
    for rest in line.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            Some(group) => named.extend(top_level_items(group).map(word)),
            None => named.push(word(rest)),
        }
    }
    named.retain(|name| !name.is_empty() && name.chars().next().is_some_and(char::is_lowercase));
    named
}

/// The items of a use group, inner groups skipped.
fn top_level_items(group: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_i32;
    group.split(move |c: char| {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    })
}

#[test]
fn the_agents_parts_know_only_what_they_may() {
    let found = strays("agent/src", AGENT, AGENT_LEAVES);
    assert!(found.is_empty(), "the wrong direction:\n  {}", found.join("\n  "));
}

#[test]
fn the_load_testers_parts_know_only_what_they_may() {
    let found = strays("loadtest/src", LOADTEST, LOADTEST_LEAVES);
    assert!(found.is_empty(), "the wrong direction:\n  {}", found.join("\n  "));
}

#[test]
fn the_two_programs_know_each_other_only_over_the_wire() {
    for (folder, other) in [("agent", "loadtest"), ("loadtest", "agent")] {
        let manifest = read(&tests::repo::root().join(folder).join("Cargo.toml"));
        let names_it = manifest
            .lines()
            .any(|line| line.starts_with(&format!("{other} ")) || line.starts_with(&format!("{other}=")));
        assert!(!names_it, "{folder} depends on {other}");
    }
}

#[test]
fn reads_the_parts_a_line_names() {
    assert_eq!(parts_named("use crate::limits;"), ["limits"]);
    assert_eq!(parts_named("use crate::{clock, probes::{net, Fault}, units::Span};"), ["clock", "probes", "units"]);
    assert_eq!(parts_named("let x = crate::units::Span(y);"), ["units"]);
}
