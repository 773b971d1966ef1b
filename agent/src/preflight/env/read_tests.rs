//! What an environment file says, and what is told of one that is not sound.

use super::read::read;
use super::variables::Variables;
use crate::paint::Paint;
use crate::preflight::{Finding, Findings, Format, Report, render};
use proptest::prelude::*;

fn outer(name: &str) -> Option<String> {
    (name == "HOME").then(|| "/root".to_owned())
}

fn variables(text: &str) -> (Variables, Findings) {
    let mut findings = Findings::default();
    let variables = read(".env", text, &outer, &mut findings);
    (variables, findings)
}

/// `NAME=value@line`, one a line.
fn sound(text: &str) -> String {
    let (variables, findings) = variables(text);
    assert!(findings.all.is_empty(), "{text:?}: {:?}", findings.all);
    let shown = variables.iter().map(|one| format!("{}={}@{}", one.name, one.value(), one.line));
    shown.collect::<Vec<_>>().join("\n")
}

/// `rule line key`, one a line.
fn told(text: &str) -> String {
    let (_, findings) = variables(text);
    let one =
        |one: &Finding| format!("{} {} {}", one.rule.name, one.place.at.line, one.place.key).trim_end().to_owned();
    findings.all.iter().map(one).collect::<Vec<_>>().join("\n")
}

#[test]
fn reads_what_compose_reads() {
    for (text, expected) in [
        ("", ""),
        ("# only\n\n   # comments\n", ""),
        ("A=1", "A=1@1"),
        ("\nexport A=1\nexport\tB=2\n", "A=1@2\nB=2@3"),
        ("exported=1", "exported=1@1"),
        ("A=\nB=''\nC=\"\"", "A=@1\nB=@2\nC=@3"),
        ("A=1 # comment\nB=a#b\nC=# all comment\nD=x\t#y", "A=1@1\nB=a#b@2\nC=@3\nD=x@4"),
        ("A='a # b' # c\nB=\"x\\\"y\" # z", "A=a # b@1\nB=x\"y@2"),
        ("A='it\\'s $B'", "A=it's $B@1"),
        ("A=\"1\\n2\\t\\\\ \\$x \\q\"", "A=1\n2\t\\ $x \\q@1"),
        ("K=\"-----BEGIN\n x\n-----END\"\nB=2", "K=-----BEGIN\n x\n-----END@1\nB=2@4"),
        ("K='a\n\nb'\nB=2", "K=a\n\nb@1\nB=2@4"),
        (
            "A=1\nB=${A}2\nC=\"$A-${X:-d}\"\nD='$A'\nE=a$$b\nF=$HOME",
            "A=1@1\nB=12@2\nC=1-d@3\nD=$A@4\nE=a$b@5\nF=/root@6",
        ),
        ("  A=1\n\tB=2", "A=1@1\nB=2@2"),
        ("my.key-1=x", "my.key-1=x@1"),
        ("A=a b c", "A=a b c@1"),
        ("URL=postgres://a:b@c/d?x=y=z", "URL=postgres://a:b@c/d?x=y=z@1"),
        ("A=ü", "A=ü@1"),
    ] {
        assert_eq!(sound(text), expected, "{text:?}");
    }
}

#[test]
fn every_mistake_is_told_on_its_line() {
    for (text, expected) in [
        ("A=1\nA=2", "env-duplicate 2 A"),
        ("A=1\r\nB=2\r\n", "env-carriage-return 1"),
        ("\u{feff}A=1", "env-byte-order-mark 1"),
        ("A=1\nB=\"x\nC=3\nC=4", "env-unclosed-quote 2 B\nenv-duplicate 4 C"),
        (
            "nothing at all\n=x\n1A=x\n{}",
            "env-malformed-line 1\nenv-malformed-line 2\nenv-malformed-line 3\nenv-malformed-line 4",
        ),
        ("A='x' y\nB='x'#c", "env-malformed-line 1 A"),
        ("A\nexport B # x", "env-no-value 1 A\nenv-no-value 2 B"),
        ("A = 1\nB =2\nC= 3\nD= # empty\nE= ", "env-spaces 1 A\nenv-spaces 2 B\nenv-spaces 3 C"),
        ("\nP=pa$word", "env-unset-reference 2 P"),
        ("P=pa${word", "env-malformed-line 1 P"),
        ("K=\"a\nb\" c", "env-malformed-line 2 K"),
    ] {
        assert_eq!(told(text), expected, "{text:?}");
    }
}

#[test]
fn what_refers_to_nothing_is_not_known() {
    let (variables, _) = variables("A=$X\nB=1\nC");
    assert_eq!((variables.filled("A"), variables.filled("B"), variables.len()), (None, Some("1"), 2));
}

#[test]
fn the_last_of_two_counts() {
    let (variables, _) = variables("A=1\nB=x\nA=2");
    assert_eq!(variables.filled("A"), Some("2"));
    assert_eq!(variables.place("A").shown(), "A (.env:3)");
}

#[test]
fn no_message_repeats_a_value() {
    let canary = "c4naryZ9";
    let broken = format!(
        "A=\"{canary}\nB='{canary}' {canary}\nC=a${canary}\nD=${{{canary}\n{canary} {canary}\nE = {canary}\nE={canary}\n={canary}\n"
    );
    let (_, findings) = variables(&broken);
    assert!(findings.all.len() >= 7, "{:?}", findings.all);
    let report = Report { findings: findings.all, ..Report::default() };
    for format in [Format::Text, Format::Json, Format::Junit] {
        let page = render(&report, format, Paint::OFF);
        assert!(!page.contains("c4nary"), "{page}");
    }
}

proptest! {
    #[test]
    fn any_text_is_taken_calmly(text in "[A-Z=\"'\\\\#${}:\\-\\n\\r é]{0,200}") {
        let (variables, findings) = variables(&text);
        prop_assert!(variables.len() + findings.all.len() <= 2 * text.lines().count() + 2);
    }
}
