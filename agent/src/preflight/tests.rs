//! The table of rules, the list of accepted findings, the order and the exit code.

use super::*;
use crate::exit::Exit;
use std::collections::BTreeSet;

static ERROR: Rule =
    Rule { name: "test-error", severity: Severity::Error, summary: "s", why: "it breaks", fix: "mend it" };
static WARNING: Rule = Rule { severity: Severity::Warning, name: "test-warning", ..ERROR };

#[test]
fn the_table_of_rules_is_sound() {
    let mut names = BTreeSet::new();
    for rule in rules() {
        assert!(names.insert(rule.name), "{} twice", rule.name);
        assert!(rule.name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", rule.name);
        for text in [rule.summary, rule.why, rule.fix] {
            assert!(!text.is_empty() && !text.ends_with('.') && !text.contains('\n'), "{}: {text}", rule.name);
            assert!(!text.starts_with(|c: char| c.is_uppercase()) || text.starts_with("HTTP"), "{}: {text}", rule.name);
        }
    }
}

fn findings() -> Findings {
    let mut findings = Findings::default();
    findings.add(&ERROR, Place::line("b.env", 7, "PORT"), "late");
    findings.add(
        &WARNING,
        Place::new("b.env", crate::node::Place { line: 2, column: 3 }, "services.db.ports[0]"),
        "early",
    );
    findings.add_with_fix(&ERROR, Place::line("a.env", 0, "KEY"), "missing", "set it");
    findings
}

fn accepted(text: &str, findings: &mut Findings) -> Result<Vec<Waived>, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("accepted.yml");
    std::fs::write(&file, text).unwrap();
    let file = file.to_string_lossy().into_owned();
    let read = Accepted::read(&file, &[&ERROR, &WARNING]).map_err(|error| error.replace(&file, "accepted.yml"))?;
    Ok(read.apply(findings))
}

#[test]
fn findings_stand_by_input_and_line_and_decide_the_exit_code() {
    let report = Report::new(findings(), Vec::new());
    let order: Vec<&str> = report.findings.iter().map(|one| one.message.as_str()).collect();
    assert_eq!(order, ["early", "late", "missing"]);
    assert_eq!((report.errors(), report.warnings(), report.exit()), (2, 1, Exit::BadNews));
    let warned = Report { findings: report.findings.into_iter().take(1).collect(), ..Report::default() };
    assert_eq!(warned.exit(), Exit::Good);
    assert_eq!(Report { unreadable: vec![String::new()], ..warned }.exit(), Exit::Input);
}

#[test]
fn an_accepted_finding_is_set_aside_and_a_stale_entry_is_told() {
    let mut found = findings();
    let list = "- {rule: test-error, at: PORT, reason: known}\n- {rule: test-warning, at: services.db}\n\
                - {rule: test-error, at: KEY, file: other.env}\n- {rule: test-warning, at: services.d}\n";
    let waived = accepted(list, &mut found).unwrap();
    assert_eq!(waived.iter().map(|one| one.reason.as_deref()).collect::<Vec<_>>(), [Some("known"), None]);
    let left: Vec<(&str, usize)> = found.all.iter().map(|one| (one.rule.name, one.place.at.line)).collect();
    assert_eq!(left, [("test-error", 0), ("accepted-stale", 3), ("accepted-stale", 4)]);
}

#[test]
fn a_list_that_makes_no_sense_is_told_with_every_place() {
    let list = "- {rule: test-eror, at: PORT}\n- {rule: test-error, place: PORT}\n";
    insta::assert_snapshot!(accepted(list, &mut findings()).unwrap_err(), @"
    error: unknown rule `test-eror`
      at [0].rule (accepted.yml:1:10)
    hint: did you mean `test-error`? known rules: test-error, test-warning

    error: `at` is missing
      at [1].at (accepted.yml:2:3)

    error: unknown key `place`
      at [1].place (accepted.yml:2:22)
    hint: known keys: rule, at, file, reason
    ");
    insta::assert_snapshot!(accepted("rule: x\n", &mut findings()).unwrap_err(), @"
    error: expected a list, found a mapping
      at the top (accepted.yml:1:1)
    hint: write `- {rule: env-default-secret, at: SECRET_KEY, reason: why}`, one a line; `file:` is optional
    ");
}

#[test]
fn findings_beyond_the_cap_are_counted() {
    let mut found = Findings::default();
    (0..crate::limits::FINDINGS + 3).for_each(|_| found.add(&WARNING, Place::default(), "again"));
    assert_eq!((found.all.len(), found.beyond), (crate::limits::FINDINGS, 3));
    assert_eq!(Report::new(found, Vec::new()).exit(), Exit::BadNews);
}
