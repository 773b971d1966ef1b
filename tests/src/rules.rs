//! The rule files of `dashboards/rules` and their promtool tests as data. Plain Prometheus format: what reads them here can make a
//! PrometheusRule of them.

use crate::repo::{files, read, shown};
use serde_json::Value;

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// The file, for messages.
    pub file: String,
    /// Name of the alert, `None` for a recording rule.
    pub alert: Option<String>,
    /// Name of the series that a recording rule makes.
    pub record: Option<String>,
    /// The expression.
    pub expr: String,
    /// How long it must hold, empty when not at all.
    pub held: String,
    /// Labels and annotations as written.
    pub yaml: Value,
}

/// A group of a promtool test file.
#[derive(Debug)]
pub struct TestGroup {
    /// The file, for messages.
    pub file: String,
    /// The alert or series that it is about: what stands before the colon of its name.
    pub subject: String,
    /// What it shows: the first words behind the colon, without what is in brackets.
    pub kind: String,
    /// The whole group.
    pub yaml: Value,
}

/// YAML as data.
///
/// # Panics
/// When it is none.
#[must_use]
#[expect(clippy::panic, reason = "a test fails by panicking")]
pub fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("not YAML: {error}"))
}

/// A list within a value; empty when it is absent.
pub fn list<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

/// A text within a value; empty when it is absent.
#[must_use]
pub fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The rule files, without the tests.
#[must_use]
pub fn rule_files() -> Vec<std::path::PathBuf> {
    files("dashboards/rules", ".yml").into_iter().filter(|path| !shown(path).contains("/tests/")).collect()
}

/// All rules.
#[must_use]
pub fn rules() -> Vec<Rule> {
    let mut found = Vec::new();
    for path in rule_files() {
        for group in list(&yaml(&read(&path)), "/groups") {
            found.extend(list(group, "/rules").map(|rule| Rule {
                file: shown(&path),
                alert: rule["alert"].as_str().map(str::to_owned),
                record: rule["record"].as_str().map(str::to_owned),
                expr: text(rule, "/expr"),
                held: text(rule, "/for"),
                yaml: rule.clone(),
            }));
        }
    }
    found
}

/// All groups of the promtool tests.
#[must_use]
pub fn test_groups() -> Vec<TestGroup> {
    let mut found = Vec::new();
    for path in files("dashboards/rules/tests", ".yml") {
        for group in list(&yaml(&read(&path)), "/tests") {
            let name = text(group, "/name");
            let (subject, kind) = name.rsplit_once(": ").unwrap_or((&name, ""));
            let kind = kind.split(" (").next().unwrap_or_default().to_owned();
            found.push(TestGroup { file: shown(&path), subject: subject.to_owned(), kind, yaml: group.clone() });
        }
    }
    found
}

/// The metric names in an expression: words with `_` or `:` outside of quotes and braces that are neither functions of PromQL nor the
/// one label with `_` that rules sum by.
#[must_use]
pub fn metrics(expr: &str) -> Vec<String> {
    const OTHERS: [&str; 8] = [
        "last_over_time",
        "avg_over_time",
        "min_over_time",
        "max_over_time",
        "histogram_quantile",
        "label_replace",
        "group_left",
        "rule_group",
    ];
    let outside_quotes: String = expr.split('"').step_by(2).collect::<Vec<_>>().join(" ");
    let mut plain = String::new();
    let mut braces = 0_u32;
    for letter in outside_quotes.chars() {
        match letter {
            '{' => braces += 1,
            '}' => braces = braces.saturating_sub(1),
            _ if braces == 0 => plain.push(letter),
            _ => {}
        }
    }
    let words = plain.split(|letter: char| !letter.is_ascii_alphanumeric() && !"_:".contains(letter));
    let named = words.filter(|word| word.contains(['_', ':']) && !OTHERS.contains(word));
    named.map(str::to_owned).collect()
}
