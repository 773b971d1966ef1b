//! `--accepted FILE`: findings that somebody looked at and lives with. What must stay true: an entry that no longer matches anything is
//! told, so that the list never grows old in silence.

use super::finding::{Finding, Findings, Place};
use super::rule::{Rule, Severity};
use crate::config;
use crate::node::{self, Node, Problem, Problems, Value, did_you_mean};
use crate::paint::Paint;
use serde::Deserialize;

/// The rules of this file.
pub(super) static RULES: &[&Rule] = &[&STALE];

static STALE: Rule = Rule {
    name: "accepted-stale",
    severity: Severity::Warning,
    summary: "an entry of the `--accepted` file matches no finding",
    why: "a list of exceptions that nobody needs any more hides the next real one",
    fix: "remove the entry",
};

/// One entry.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    rule: String,
    at: String,
    file: Option<String>,
    reason: Option<String>,
}

/// An entry with its place.
#[derive(Debug)]
struct Entry {
    raw: Raw,
    at: node::Place,
    path: String,
}

/// The list.
#[derive(Debug, Default)]
pub(super) struct Accepted {
    file: String,
    entries: Vec<Entry>,
}

/// A finding that is lived with, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waived {
    /// What was found.
    pub finding: Finding,
    /// What the entry says.
    pub reason: Option<String>,
}

impl Accepted {
    /// Reads the list; the error is the whole message.
    pub(super) fn read(file: &str, known: &[&'static Rule]) -> Result<Self, String> {
        let root = config::read_yaml(file.as_ref())?;
        let mut problems = Problems::default();
        let entries = entries(&root, known, &mut problems);
        if problems.0.is_empty() {
            return Ok(Self { file: file.to_owned(), entries });
        }
        Err(rendered(&problems.0, file))
    }

    /// Takes the accepted findings out of the others, and notes entries that match none.
    pub(super) fn apply(&self, findings: &mut Findings) -> Vec<Waived> {
        let mut used = vec![false; self.entries.len()];
        let mut waived = Vec::new();
        findings.all.retain(|finding| {
            let matching = self.entries.iter().zip(&mut used).find(|(entry, _)| entry.matches(finding));
            let Some((entry, used)) = matching else { return true };
            *used = true;
            waived.push(Waived { finding: finding.clone(), reason: entry.raw.reason.clone() });
            false
        });
        for (entry, _) in self.entries.iter().zip(used).filter(|(_, used)| !used) {
            let message = format!("nothing matches `{}` at `{}` any more", entry.raw.rule, entry.raw.at);
            findings.add(&STALE, Place::new(&self.file, entry.at, &entry.path), message);
        }
        waived
    }
}

impl Entry {
    /// The rule is the same, the place is the named one or lies below it, and so is the file when one is named.
    fn matches(&self, finding: &Finding) -> bool {
        let Raw { rule, at, file, .. } = &self.raw;
        let below = finding.place.key.strip_prefix(at.as_str());
        finding.rule.name == rule
            && below.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            && file.as_ref().is_none_or(|file| *file == finding.place.file)
    }
}

fn entries(root: &Node, known: &[&'static Rule], problems: &mut Problems) -> Vec<Entry> {
    let Value::List(items) = &root.value else {
        if root.value != Value::Null {
            let message = format!("expected a list, found {}", root.shape());
            problems.add_with_hint("", root.at, message, EXAMPLE);
        }
        return Vec::new();
    };
    let mut found = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let path = format!("[{index}]");
        let Some(raw) = item.read::<Raw>(&path, problems) else { continue };
        if !known.iter().any(|rule| rule.name == raw.rule) {
            let names: Vec<&str> = known.iter().map(|rule| rule.name).collect();
            let at = item.get("rule").map_or(item.at, |node| node.at);
            let hint = did_you_mean(&raw.rule, "rules", &names);
            problems.add_with_hint(&format!("{path}.rule"), at, format!("unknown rule `{}`", raw.rule), hint);
        }
        found.push(Entry { raw, at: item.at, path });
    }
    found
}

const EXAMPLE: &str =
    "write `- {rule: env-default-secret, at: SECRET_KEY, reason: why}`, one a line; `file:` is optional";

/// Problems in the house form, one below the other.
pub(super) fn rendered(problems: &[Problem], file: &str) -> String {
    let one = |problem: &Problem| config::render_problem(problem, Some(file), "error:", Paint::OFF);
    problems.iter().map(one).collect::<Vec<_>>().join("\n")
}
