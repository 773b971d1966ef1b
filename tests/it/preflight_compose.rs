//! `agent check --compose`: good files yield nothing, each mistake of a bad file is found on its line and nothing else is, and what
//! cannot be read is told with its place.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use tests::program::{Finished, binary, finish_command};
use tests::repo::{files, read, root, shown};

/// Runs the check in a folder, with an environment of its own.
fn check_in(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Finished {
    let mut command = Command::new(binary("agent"));
    command.arg("check").args(arguments).current_dir(folder).env_clear().envs(environment.iter().copied());
    finish_command(&mut command)
}

/// Line, rule of each finding, in order.
fn findings(ended: &Finished) -> Vec<(u64, String)> {
    let page: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|why| panic!("{why}: {}", ended.stdout));
    let one = |finding: &Value| {
        (finding["line"].as_u64().expect("a line"), finding["rule"].as_str().expect("a rule").to_owned())
    };
    let mut all: Vec<_> = page["findings"].as_array().expect("findings").iter().map(one).collect();
    all.sort();
    all
}

fn of_kind(kind: &str) -> Vec<PathBuf> {
    files(&format!("tests/preflight/compose/{kind}"), ".yaml")
}

#[test]
fn good_files_yield_nothing() {
    let good = of_kind("good");
    assert!(good.len() >= 20, "{} good files", good.len());
    for path in good {
        let name = shown(&path);
        let ended = check_in(&root(), &["--compose", &name], &[("DB_PASSWORD", "x"), ("BROKER_PASSWORD", "x")]);
        assert_eq!(ended.code, 0, "{}", ended.stdout);
        assert!(ended.stdout.contains(": ok, "), "{}", ended.stdout);
    }
}

#[test]
fn every_mistake_of_a_bad_file_is_found_on_its_line_and_nothing_else() {
    for path in of_kind("bad") {
        let text = read(&path);
        let expected =
            text.lines().enumerate().filter_map(|(index, line)| Some((index, line.split_once("# finds: ")?.1)));
        let mut expected: Vec<(u64, String)> = expected
            .flat_map(|(index, rules)| rules.split(',').map(move |rule| (index as u64 + 1, rule.trim().to_owned())))
            .collect();
        expected.sort();
        let ended =
            check_in(path.parent().expect("a folder"), &["--compose", &file_name(&path), "--format", "json"], &[]);
        assert_eq!(findings(&ended), expected, "{}", shown(&path));
        assert!(!ended.stdout.contains("hunter2"), "a secret is shown: {}", ended.stdout);
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().expect("a name").to_string_lossy().into_owned()
}

#[test]
fn every_rule_is_broken_by_a_bad_file() {
    let all: String = of_kind("bad").iter().map(|path| read(path)).collect();
    let rows: String = files("agent/src/preflight/compose/rules", ".rs").iter().map(|path| read(path)).collect();
    let rules = rows.split('"').filter(|word| word.starts_with("compose-") && !word.contains([' ', '{']));
    assert!(rules.clone().count() > 30, "the rows are read");
    let elsewhere = ["compose-variable-required"];
    let untried: Vec<&str> = rules.filter(|rule| !all.contains(rule) && !elsewhere.contains(rule)).collect();
    assert!(untried.is_empty(), "no bad file breaks {untried:?}");
}

#[test]
fn our_own_stack_is_clean() {
    let docker = root().join("docker");
    for over in ["compose.mysql.yaml", "compose.local.yaml", "compose.loadtest.yaml"] {
        let ended = check_in(&docker, &["--compose", "compose.yaml", "--compose", over], &[]);
        assert_eq!((ended.code, ended.stdout.contains(": ok, 17 services")), (0, true), "{over}: {}", ended.stdout);
    }
}

fn written(all: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    all.iter().for_each(|(name, text)| std::fs::write(folder.path().join(name), text).expect("written"));
    folder
}

const QUIET: &str = "restart: always, mem_limit: 64m, healthcheck: {test: [CMD, /x]}";

#[test]
fn a_later_file_overrides_an_earlier_one_and_keeps_its_own_lines() {
    let base = format!("services:\n  db: {{image: 'postgres:16', {QUIET}, ports: ['5432:5432']}}\n");
    let reset = "services:\n  db:\n    ports: !reset []\n";
    let over = "services:\n  db:\n    ports: !override\n      - 127.0.0.1:5432:5432\n    privileged: true\n";
    let folder = written(&[("a.yaml", &base), ("reset.yaml", reset), ("over.yaml", over)]);
    let rules = |files: &[&str]| {
        let arguments: Vec<&str> =
            files.iter().flat_map(|file| ["--compose", *file]).chain(["--format", "json"]).collect();
        findings(&check_in(folder.path(), &arguments, &[]))
    };
    assert_eq!(rules(&["a.yaml"]), [(2, "compose-store-published".to_owned())]);
    assert!(rules(&["a.yaml", "reset.yaml"]).is_empty());
    assert_eq!(rules(&["a.yaml", "over.yaml"]), [(5, "compose-privileged".to_owned())]);
}

#[test]
fn variables_come_from_the_file_beside_from_the_named_one_and_from_the_environment() {
    let text = format!("services:\n  a: {{image: 'x/a:${{TAG:?which version}}', {QUIET}}}\n");
    let folder = written(&[("compose.yaml", &text), ("other.env", "TAG=2\n")]);
    let code = |arguments: &[&str], environment: &[(&str, &str)]| {
        let ended = check_in(folder.path(), &[&["--compose", "compose.yaml"][..], arguments].concat(), environment);
        (ended.code, ended.stdout)
    };
    // Nobody knows what is set where it is deployed.
    let (unknown, page) = code(&[], &[]);
    assert_eq!((unknown, page.contains("compose-variable-unset")), (0, true), "{page}");
    assert_eq!(code(&[], &[("TAG", "1")]).0, 0);
    assert_eq!(code(&["--env", "other.env"], &[]).0, 0);
    std::fs::write(folder.path().join(".env"), "OTHER=1\n").expect("written");
    let (required, page) = code(&[], &[]);
    assert_eq!(required, 1, "{page}");
    assert!(page.contains("`TAG` is required and not set: which version [compose-variable-required]"), "{page}");
}

#[test]
fn what_is_extended_and_included_is_checked_where_it_stands() {
    let main =
        "include: [more.yaml]\nservices:\n  a:\n    extends: {file: base.yaml, service: base}\n    image: x/a:1\n";
    let base = format!("services:\n  base: {{{QUIET}, privileged: true}}\n");
    let more = format!("services:\n  b: {{{QUIET}, image: x/b:latest}}\n");
    let folder = written(&[("compose.yaml", main), ("base.yaml", &base), ("more.yaml", &more)]);
    let ended = check_in(folder.path(), &["--compose", "compose.yaml"], &[]);
    assert!(ended.stdout.contains("(base.yaml:2:"), "{}", ended.stdout);
    assert!(ended.stdout.contains("(more.yaml:2:"), "{}", ended.stdout);
    assert_eq!(ended.code, 0, "{}", ended.stdout);
}

#[test]
fn development_allows_what_production_does_not() {
    let text = "services:\n  db: {image: postgres, ports: ['5432:5432'], environment: {POSTGRES_PASSWORD: dev}, \
                healthcheck: {test: [CMD, pg_isready]}}\n";
    let folder = written(&[("compose.yaml", text)]);
    let code = |profile| check_in(folder.path(), &["--compose", "compose.yaml", "--profile", profile], &[]).code;
    assert_eq!((code("production"), code("staging"), code("development")), (1, 1, 0));
}

#[test]
fn what_cannot_be_read_has_its_message_and_place() {
    let folder = written(&[("broken.yaml", "services:\n  a: {image: x\n")]);
    std::fs::write(folder.path().join("latin.yaml"), b"services:\n  a: {image: \xff}\n").expect("written");
    std::fs::write(folder.path().join("large.yaml"), "# x\n".repeat(10 << 18)).expect("written");
    std::fs::create_dir(folder.path().join("folder.yaml")).expect("a folder");
    for (file, message) in [
        ("broken.yaml", "at broken.yaml:2:"),
        ("latin.yaml", "cannot read `latin.yaml`: it is not UTF-8"),
        ("large.yaml", "cannot read `large.yaml`: larger than"),
        ("folder.yaml", "hint: name a file"),
        ("none.yaml", "cannot read `none.yaml`"),
    ] {
        let ended = check_in(folder.path(), &["--compose", file], &[]);
        assert_eq!(ended.code, 2, "{file}: {}", ended.stderr);
        assert!(ended.stderr.contains(message), "{file}: {}", ended.stderr);
    }
}
