//! The shape of the sources: sizes, module docs, who may name what, nothing switched off, documents present.

use std::path::{Path, PathBuf};
use tests::repo::{files, read, root, shown};

const LINES: usize = 400;
const TEST_LINES: usize = 600;

fn sources() -> Vec<PathBuf> {
    ["agent", "loadtest", "tests", "docker"].iter().flat_map(|member| files(member, ".rs")).collect()
}

fn is_test(path: &Path) -> bool {
    let shown = shown(path);
    shown.ends_with("tests.rs") || ["/tests/", "tests/it/"].iter().any(|part| shown.contains(part))
}

fn none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

#[test]
fn files_are_short_enough_to_read() {
    let long = |path: &PathBuf| {
        let lines = read(path).lines().count();
        let most = if is_test(path) { TEST_LINES } else { LINES };
        (lines > most).then(|| format!("{}: {lines} lines, at most {most}", shown(path)))
    };
    none("files too long, split them", &sources().iter().filter_map(long).collect::<Vec<_>>());
}

#[test]
fn every_file_says_what_it_owns() {
    let silent = |path: &&PathBuf| !read(path).starts_with("//!") && !path.ends_with("build.rs");
    let found: Vec<String> = sources().iter().filter(silent).map(|path| shown(path)).collect();
    none("files that do not open with `//!`", &found);
}

/// A crate or call that only the named files may mention.
const NAMED_IN: &[(&str, &str, &[&str])] = &[
    ("agent/src", "prometheus_client", &["agent/src/metrics/encode.rs"]),
    ("agent/src", "sysinfo::", &["agent/src/collectors/host.rs"]),
    ("agent/src", "rtime_clock", &["agent/src/collectors/node/timex.rs"]),
    ("agent/src", "saphyr", &["agent/src/config/yaml.rs"]),
    ("agent/src", "SystemTime::now()", &["agent/src/clock.rs"]),
    ("agent/src", "Instant::now()", &["agent/src/clock.rs", "agent/src/health.rs"]),
    ("loadtest/src", "goose::", &["loadtest/src/engine/goose.rs"]),
    ("loadtest/src", "hurl_core", &["loadtest/src/journey/compile"]),
    ("loadtest/src", "tokio_tungstenite", &["loadtest/src/http/websocket.rs"]),
    ("loadtest/src", "serde_saphyr", &["loadtest/src/plan/yaml.rs"]),
    ("loadtest/src", "SystemTime::now()", &["loadtest/src/clock.rs"]),
    ("loadtest/src", "Instant::now()", &["loadtest/src/clock.rs"]),
];

/// The code of a file: comments and what follows `#[cfg(test)]` left out.
fn code(text: &str) -> String {
    let before_tests = text.split("#[cfg(test)]").next().unwrap_or_default();
    before_tests.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_has_one_home_is_named_in_one_file() {
    let mut found = Vec::new();
    for (folder, word, homes) in NAMED_IN {
        for path in files(folder, ".rs").iter().filter(|path| !is_test(path)) {
            let at_home = homes.iter().any(|home| shown(path).starts_with(home));
            if !at_home && code(&read(path)).contains(word) {
                found.push(format!("{} names `{word}`, which belongs in {}", shown(path), homes.join(", ")));
            }
        }
    }
    none("names away from home", &found);
}

#[test]
fn no_test_is_switched_off() {
    let ignored = ["#[ign", "ore"].concat();
    let found: Vec<String> =
        sources().iter().filter(|path| read(path).contains(&ignored)).map(|path| shown(path)).collect();
    none("ignored tests", &found);
}

#[test]
fn only_the_stand_in_crate_has_unsafe_code() {
    let word = ["unsafe", " {"].concat();
    let mut found: Vec<String> =
        sources().iter().filter(|path| read(path).contains(&word)).map(|path| shown(path)).collect();
    found.retain(|path| !path.starts_with("loadtest/libxml/"));
    none("unsafe code", &found);
}

const VAGUE: &[&str] = &["Manager", "Helper", "Util", "Handler", "Misc"];

#[test]
fn nothing_has_a_vague_name() {
    let mut found = Vec::new();
    // The stand-in's names are those of the crate that it stands in for.
    let ours = |path: &&PathBuf| !is_test(path) && !shown(path).starts_with("loadtest/libxml/");
    for path in sources().iter().filter(ours) {
        for line in code(&read(path)).lines() {
            let declared = ["struct ", "enum ", "trait ", "fn ", "mod "].iter().find_map(|word| line.split_once(word));
            let name =
                declared.map(|(_, rest)| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or(""));
            if let Some(name) = name.filter(|name| VAGUE.iter().any(|vague| name.contains(vague))) {
                found.push(format!("{}: {name}", shown(path)));
            }
        }
    }
    none("vague names", &found);
}

#[test]
fn the_top_level_holds_what_it_should() {
    let wanted = [
        "Cargo.toml",
        "Cargo.lock",
        "agent",
        "loadtest",
        "dashboards",
        "docker",
        "tests",
        "README.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "REFERENCE.md",
        "SECURITY.md",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "deny.toml",
        "clippy.toml",
        "rust-toolchain.toml",
        ".ci/run",
    ];
    let missing: Vec<String> =
        wanted.iter().filter(|name| !root().join(name).exists()).map(|name| (*name).to_owned()).collect();
    none("missing at the top level", &missing);
}

#[test]
fn every_dependency_has_its_reason() {
    let mut found = Vec::new();
    for path in files(".", "Cargo.toml").iter().filter(|path| !shown(path).contains("fuzz")) {
        let text = read(path);
        let dependencies = text.split("\n[dependencies]\n").nth(1).unwrap_or_default();
        let dependencies = dependencies.split("\n[").next().unwrap_or_default();
        let bare = |line: &&str| line.contains('=') && !line.contains(" # ");
        found.extend(dependencies.lines().filter(bare).map(|line| format!("{}: {line}", shown(path))));
    }
    none("dependencies without a reason beside them", &found);
}

#[test]
fn the_changelog_has_an_unreleased_section() {
    assert!(read(&root().join("CHANGELOG.md")).contains("## Unreleased"));
}
