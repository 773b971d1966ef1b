//! Assertions on a JSON answer: `$.status == "ok"`, `$.queue < 10`, `$.services.*.healthy == true`.
//! A path of names, `[0]` and `*`, an operator, a JSON literal (quotes may be left out of one word). `*` means every member, and
//! at least one. Pure; the answer may be anything.

use crate::probes::clean;
use serde_json::Value;
use std::fmt;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Name(String),
    Index(usize),
    Every,
}

/// A place in a JSON value, or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct JsonPath {
    text: String,
    steps: Vec<Step>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

const OPERATORS: &[(&str, Operator)] = &[
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

/// What must hold.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Assertion {
    path: JsonPath,
    operator: (&'static str, Operator),
    literal: Value,
}

/// Why a text is no assertion or path.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum JsonError {
    #[error("a JSON assertion is `PATH OPERATOR VALUE`, such as `$.status == \"ok\"` or `$.queue < 10`, not `{0}`")]
    Shape(String),
    #[error("a JSON path is written `$.name.other[0].*`, not `{0}`")]
    Path(String),
    #[error("`{0}` compares sizes, the value must be a number, not `{1}`")]
    Size(&'static str, String),
}

impl JsonPath {
    /// Reads a path.
    pub(super) fn parse(text: &str) -> Result<Self, JsonError> {
        let wrong = || JsonError::Path(text.to_owned());
        let mut rest = text.strip_prefix('$').ok_or_else(wrong)?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (step, tail) = step(rest).ok_or_else(wrong)?;
            steps.push(step);
            rest = tail;
        }
        Ok(Self { text: text.to_owned(), steps })
    }

    /// All that the path leads to.
    pub(super) fn find<'v>(&self, value: &'v Value) -> Vec<&'v Value> {
        self.steps
            .iter()
            .fold(vec![value], |found, step| found.into_iter().flat_map(|value| follow(value, step)).collect())
    }
}

impl fmt::Display for JsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Takes one step off the front of a path: `.name`, `.*`, `[0]`, `[*]` or `["any name"]`.
fn step(rest: &str) -> Option<(Step, &str)> {
    if let Some(rest) = rest.strip_prefix('.') {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (name, tail) = rest.split_at(end);
        let good = !name.is_empty() && !name.contains([' ', ']', '"', '=', '<', '>', '!']);
        let step = if name == "*" { Step::Every } else { Step::Name(name.to_owned()) };
        return good.then_some((step, tail));
    }
    let rest = rest.strip_prefix('[')?;
    if let Some(quoted) = rest.strip_prefix('"') {
        let (name, tail) = quoted.split_once("\"]")?;
        return Some((Step::Name(name.to_owned()), tail));
    }
    let (index, tail) = rest.split_once(']')?;
    let step = if index == "*" { Step::Every } else { Step::Index(index.parse().ok()?) };
    Some((step, tail))
}

fn follow<'v>(value: &'v Value, step: &Step) -> Vec<&'v Value> {
    match (value, step) {
        (Value::Object(members), Step::Name(name)) => members.get(name).into_iter().collect(),
        (Value::Object(members), Step::Every) => members.values().collect(),
        (Value::Array(items), Step::Index(index)) => items.get(*index).into_iter().collect(),
        (Value::Array(items), Step::Every) => items.iter().collect(),
        _ => Vec::new(),
    }
}

impl Assertion {
    /// Reads an assertion.
    pub(super) fn parse(text: &str) -> Result<Self, JsonError> {
        let wrong = || JsonError::Shape(text.to_owned());
        // The first operator outside quotes: a quoted name or value may hold any.
        let mut quoted = false;
        let at = text.char_indices().find(|(_, c)| {
            quoted ^= *c == '"';
            !quoted && matches!(c, '=' | '!' | '<' | '>')
        });
        let (path, rest) = text.split_at(at.ok_or_else(wrong)?.0);
        let operator = *OPERATORS.iter().find(|(sign, _)| rest.starts_with(sign)).ok_or_else(wrong)?;
        let written = rest.strip_prefix(operator.0).unwrap_or_default().trim();
        let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
        let literal = match serde_json::from_str(written) {
            Ok(literal @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_))) => literal,
            _ if !written.is_empty() && written.chars().all(word) => Value::String(written.to_owned()),
            _ => return Err(wrong()),
        };
        let by_size = !matches!(operator.1, Operator::Equal | Operator::NotEqual);
        if by_size && !literal.is_number() {
            return Err(JsonError::Size(operator.0, literal.to_string()));
        }
        Ok(Self { path: JsonPath::parse(path.trim())?, operator, literal })
    }

    /// Why it does not hold, or `None` when it does.
    pub(super) fn broken_by(&self, answer: &Value) -> Option<String> {
        let expected = format!("expected {} {}", self.operator.0, self.literal);
        let found = self.path.find(answer);
        if found.is_empty() {
            return Some(format!("`{}` is not in the answer, {expected}", self.path));
        }
        let bad = found.into_iter().find(|value| !self.holds(value))?;
        let shown: String = clean(&bad.to_string()).chars().take(60).collect();
        Some(format!("`{}` is {shown}, {expected}", self.path))
    }

    fn holds(&self, value: &Value) -> bool {
        let same = || match (value.as_f64(), self.literal.as_f64()) {
            (Some(left), Some(right)) => left.total_cmp(&right).is_eq(),
            _ => *value == self.literal,
        };
        let order = || value.as_f64()?.partial_cmp(&self.literal.as_f64()?);
        match self.operator.1 {
            Operator::Equal => same(),
            Operator::NotEqual => !same(),
            Operator::Less => order().is_some_and(std::cmp::Ordering::is_lt),
            Operator::LessOrEqual => order().is_some_and(std::cmp::Ordering::is_le),
            Operator::Greater => order().is_some_and(std::cmp::Ordering::is_gt),
            Operator::GreaterOrEqual => order().is_some_and(std::cmp::Ordering::is_ge),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(assertion: &str, answer: &str) -> String {
        let answer = serde_json::from_str(answer).unwrap();
        match Assertion::parse(assertion) {
            Ok(assertion) => assertion.broken_by(&answer).unwrap_or_else(|| "holds".to_owned()),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn holds_when_the_value_is_as_said() {
        let answer = r#"{"status": "ok", "queue": 9, "load": 1.0, "none": null, "a b": [{"x": true}, {"x": true}],
                         "services": {"db": {"healthy": true}, "redis": {"healthy": true}}, "==": 1}"#;
        for assertion in [
            r#"$.status == "ok""#,
            "$.status == ok",
            "$.status != down",
            "$.queue < 10",
            "$.queue<=9",
            "$.queue >= 9",
            "$.load == 1",
            "$.none == null",
            r#"$["a b"][1].x == true"#,
            r#"$["a b"][*].x == true"#,
            r#"$["=="] == 1"#,
            "$.services.*.healthy == true",
        ] {
            assert_eq!(check(assertion, answer), "holds", "{assertion}");
        }
    }

    #[test]
    fn says_what_was_found_instead() {
        let answer = r#"{"status": "down", "queue": 12, "services": {"db": {"healthy": true}, "redis": {"healthy": false}}, "e": []}"#;
        insta::assert_snapshot!(check(r#"$.status == "ok""#, answer), @r#"`$.status` is "down", expected == "ok""#);
        insta::assert_snapshot!(check("$.queue < 10", answer), @"`$.queue` is 12, expected < 10");
        insta::assert_snapshot!(check("$.services.*.healthy == true", answer), @"`$.services.*.healthy` is false, expected == true");
        insta::assert_snapshot!(check("$.absent == 1", answer), @"`$.absent` is not in the answer, expected == 1");
        insta::assert_snapshot!(check("$.e[*].x == 1", answer), @"`$.e[*].x` is not in the answer, expected == 1");
        insta::assert_snapshot!(check("$.status < 10", answer), @r#"`$.status` is "down", expected < 10"#);
    }

    #[test]
    fn refuses_what_is_no_assertion() {
        insta::assert_snapshot!(check("$.status", "0"), @r#"a JSON assertion is `PATH OPERATOR VALUE`, such as `$.status == "ok"` or `$.queue < 10`, not `$.status`"#);
        insta::assert_snapshot!(check("status == 1", "0"), @"a JSON path is written `$.name.other[0].*`, not `status`");
        insta::assert_snapshot!(check("$.a < x", "0"), @r#"`<` compares sizes, the value must be a number, not `"x"`"#);
        insta::assert_snapshot!(check("$.a = 1", "0"), @r#"a JSON assertion is `PATH OPERATOR VALUE`, such as `$.status == "ok"` or `$.queue < 10`, not `$.a = 1`"#);
        insta::assert_snapshot!(check("$..a == 1", "0"), @"a JSON path is written `$.name.other[0].*`, not `$..a`");
        insta::assert_snapshot!(check("$.a == [1]", "0"), @r#"a JSON assertion is `PATH OPERATOR VALUE`, such as `$.status == "ok"` or `$.queue < 10`, not `$.a == [1]`"#);
    }

    proptest! {
        #[test]
        fn any_text_is_taken_calmly(text in ".{0,60}") {
            if let Ok(assertion) = Assertion::parse(&text) {
                let _ = assertion.broken_by(&Value::Null);
            }
        }
    }
}
