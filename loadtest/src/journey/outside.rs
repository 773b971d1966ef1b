//! Hurl's templates, patterns and paths where they stand outside a `.hurl` file: in the plan. They are read by the same parser, in
//! the place of a header's value.

use super::compile;
use super::jsonpath::Path;
use super::pattern::{PathSource, Pattern};
use super::template::Template;
use crate::problem::Problem;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

const PLACEHOLDER: &str = "placeholders are written like `{{user_address}}`";

/// Reads a text with placeholders; none where one is malformed.
pub(super) fn template(text: &str) -> Option<Template> {
    if text.is_empty() {
        return Some(Template::default());
    }
    let file = compile::file("plan", &format!("GET http://h/\nx: {}\n", escaped(text)), PathBuf::new()).ok()?;
    file.entries.into_iter().next()?.request.headers.into_iter().next().map(|pair| pair.value)
}

/// The same; the text is not repeated in the problem, for it may hold a secret.
///
/// # Errors
/// When a placeholder is malformed.
pub(super) fn said_template(text: &str) -> Result<Template, Problem> {
    template(text).ok_or_else(|| Problem::new("a placeholder in this text cannot be read").hint(PLACEHOLDER))
}

/// A regular expression.
///
/// # Errors
/// When a constant one is none.
pub(super) fn pattern(text: &str) -> Result<Pattern, Problem> {
    let template = said_template(text)?;
    let Some(constant) = template.constant() else { return Ok(Pattern::Template(template)) };
    match regex::Regex::new(constant) {
        Ok(regex) => Ok(Pattern::Constant(Arc::new(regex))),
        Err(error) => {
            let reason = error.to_string().lines().last().unwrap_or_default().replace("error: ", "");
            Err(Problem::new(format!("`{constant}` is not a valid regular expression")).hint(reason))
        }
    }
}

/// A JSONPath.
///
/// # Errors
/// When a constant one is none.
pub(super) fn json_path(text: &str) -> Result<PathSource, Problem> {
    let template = said_template(text)?;
    let Some(constant) = template.constant() else { return Ok(PathSource::Template(template)) };
    Path::parse(constant).map(PathSource::Constant).map_err(|bad| {
        let hint = format!("expected {} at its character {}", bad.expected, bad.column);
        Problem::new(format!("`{constant}` is not a valid JSONPath")).hint(hint)
    })
}

/// As the value of a header: `\` and `#` mean something there, a line ends it, and blanks around it are dropped.
fn escaped(text: &str) -> String {
    let inner = text.trim();
    let start = text.len() - text.trim_start().len();
    let within = start..start + inner.len();
    text.char_indices().fold(String::new(), |mut out, (at, letter)| {
        match letter {
            '\\' | '#' => out.extend(['\\', letter]),
            _ if letter.is_control() || (letter.is_whitespace() && !within.contains(&at)) => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(letter));
            }
            _ => out.push(letter),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journey::{Session, Value};
    use proptest::prelude::*;

    fn rendered(text: &str) -> String {
        let mut session = Session::default();
        session.variables.set("a", Value::text("1\n"));
        let template = template(text).expect("a template");
        template.render(session.scope(std::path::Path::new(""))).expect("a text").into_owned()
    }

    #[test]
    fn any_text_of_a_plan_is_a_template() {
        assert_eq!(rendered(r#"{"a": "{{a}}", "b": {"c": {}}}"#), "{\"a\": \"1\n\", \"b\": {\"c\": {}}}");
        assert_eq!(rendered(" two\nlines # \\ \t "), " two\nlines # \\ \t ");
        assert_eq!(rendered(""), "");
        let bad = ["{{", "{{a", "{{#}}", "{{}}"].map(|text| template(text).is_none());
        assert_eq!(bad, [true; 4]);
    }

    proptest! {
        #[test]
        fn a_text_without_placeholders_stays_as_it_is(text in any::<String>()) {
            prop_assume!(!text.contains("{{"));
            prop_assert_eq!(rendered(&text), text);
        }
    }

    #[test]
    fn what_is_no_pattern_or_path_is_said() {
        insta::assert_snapshot!(pattern("(").unwrap_err(), @r"
        error: `(` is not a valid regular expression
        hint: unclosed group
        ");
        insta::assert_snapshot!(json_path("$.").unwrap_err(), @r"
        error: `$.` is not a valid JSONPath
        hint: expected a name, `*` or `[` at its character 3
        ");
        insta::assert_snapshot!(said_template("hunter2 {{").unwrap_err(), @r"
        error: a placeholder in this text cannot be read
        hint: placeholders are written like `{{user_address}}`
        ");
    }
}
