//! The variables of one virtual user: those of the plan, shared by all, below those that this user has captured.

use super::number::Number;
use super::value::Value;
use super::who::Who;
use std::collections::HashMap;
use std::sync::Arc;

/// A set of variables; cheap to make from a shared base.
#[derive(Clone, Debug, Default)]
pub struct Variables {
    base: Arc<HashMap<String, Value>>,
    own: HashMap<String, Value>,
    who: Arc<Who>,
    secrets: Vec<String>,
}

/// Why `NAME=VALUE` is no variable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadVariable {
    /// No `=`.
    #[error("`{0}` is not of the form `NAME=VALUE`")]
    NoValue(String),
    /// The name of a function.
    #[error("`{0}` is the name of a function")]
    Reserved(String),
    /// An opening quote only.
    #[error("the value of `{0}` begins with a quote and does not end with one")]
    Quote(String),
}

impl Variables {
    /// On top of a shared base, for that user.
    #[must_use]
    pub fn over(base: Arc<HashMap<String, Value>>, who: Arc<Who>) -> Self {
        Self { base, own: HashMap::new(), who, secrets: vec![] }
    }

    /// The value of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.own.get(name).or_else(|| self.base.get(name)).or_else(|| self.who.get(name))
    }

    /// Sets a value, for this user only.
    pub fn set(&mut self, name: impl Into<String>, value: Value) {
        self.own.insert(name.into(), value);
    }

    /// What was set on top of the base, sorted by name.
    #[must_use]
    pub fn own(&self) -> Vec<(String, Value)> {
        let mut own: Vec<_> = self.own.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        own.sort_by(|a, b| a.0.cmp(&b.0));
        own
    }

    /// Sets a value that must never be shown; what was once secret stays so.
    pub fn set_secret(&mut self, name: impl Into<String>, value: String) {
        self.secrets.push(value.clone());
        self.set(name, Value::String(value));
    }

    /// Values that must not be shown, captured by `redact`.
    #[must_use]
    pub fn secrets(&self) -> &[String] {
        &self.secrets
    }
}

/// Reads `NAME=VALUE` with Hurl's types: `true`, `false`, `null`, integers, floats, else a string; quotes force a string.
///
/// # Errors
/// When it has no `=`, or the name belongs to a function.
pub fn parse(text: &str) -> Result<(String, Value), BadVariable> {
    let (name, value) = text.split_once('=').ok_or_else(|| BadVariable::NoValue(text.to_owned()))?;
    if is_reserved(name) {
        return Err(BadVariable::Reserved(name.to_owned()));
    }
    typed(value).map(|value| (name.to_owned(), value)).ok_or_else(|| BadVariable::Quote(name.to_owned()))
}

/// Whether a variable cannot have this name.
#[must_use]
pub(super) fn is_reserved(name: &str) -> bool {
    matches!(name, "getEnv" | "newDate" | "newUuid")
}

/// The value of a text given on a command line. Hurl reads an empty one as an integer without digits; here it is the
/// empty string.
fn typed(text: &str) -> Option<Value> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    Some(match text {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        "null" => Value::Null,
        _ => match (text.parse::<i64>(), text.parse::<f64>(), text.strip_prefix('"')) {
            (Ok(integer), _, _) => Value::Number(Number::Integer(integer)),
            (_, Ok(_), _) if digits => Value::Number(Number::Big(text.to_owned())),
            (_, Ok(float), _) if float.is_finite() => Value::Number(Number::Float(float)),
            (_, _, Some(quoted)) => Value::text(quoted.strip_suffix('"')?),
            _ => Value::text(text),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(parse(text).unwrap().1.describe(), expected, "{text}");
    }

    #[test]
    fn values_have_the_types_that_hurl_gives_them() {
        check("a=1", "integer `1`");
        check("a=-1", "integer `-1`");
        check("a=1.5", "float `1.5`");
        check("a=1e3", "float `1000.0`");
        check("a=true", "boolean `true`");
        check("a=null", "null");
        check("a=\"1\"", "string `1`");
        check("a=x=y", "string `x=y`");
        check("a=", "string ``");
        check("a=123456789012345678901", "integer `123456789012345678901`");
        check("a=inf", "string `inf`");
    }

    #[test]
    fn bad_variables_are_named() {
        insta::assert_snapshot!(parse("a").unwrap_err(), @"`a` is not of the form `NAME=VALUE`");
        insta::assert_snapshot!(parse("newUuid=1").unwrap_err(), @"`newUuid` is the name of a function");
        insta::assert_snapshot!(parse("a=\"x").unwrap_err(), @"the value of `a` begins with a quote and does not end with one");
    }

    #[test]
    fn own_variables_hide_the_shared_ones() {
        let base = Arc::new(HashMap::from([("a".to_owned(), Value::Null)]));
        let mut variables = Variables::over(Arc::clone(&base), Arc::default());
        variables.set("a", Value::Bool(true));
        assert_eq!(variables.get("a"), Some(&Value::Bool(true)));
        assert_eq!(Variables::over(base, Arc::default()).get("a"), Some(&Value::Null));
    }

    #[test]
    fn any_variable_hides_the_built_in_one_of_its_name() {
        let base = Arc::new(HashMap::from([("user".to_owned(), Value::text("bob"))]));
        let mut variables = Variables::over(base, Arc::new(Who::new(7)));
        assert_eq!(variables.get("user"), Some(&Value::text("bob")));
        assert_eq!(variables.get("user_address"), Some(&Value::text("198.18.0.7")));
        variables.set("user_address", Value::text("10.0.0.1"));
        assert_eq!(variables.get("user_address"), Some(&Value::text("10.0.0.1")));
    }
}
