//! Texts with `{{placeholders}}`, split once; a constant one costs nothing to render.

use super::fault::{Cause, Fault};
use super::source::Span;
use super::value::Value;
use super::variables::Variables;
use chrono::{DateTime, Utc};
use std::borrow::Cow;
use std::path::Path;

/// What expressions are worked out against.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// The user's variables.
    pub variables: &'a Variables,
    /// The time of day at the start of the attempt.
    pub now: DateTime<Utc>,
    /// Where `file,…;` reads from.
    pub root: &'a Path,
}

/// A text with placeholders.
#[derive(Clone, Debug, Default)]
pub struct Template {
    /// Where it stands.
    pub span: Span,
    /// Its pieces; neighbouring texts are joined.
    pub parts: Vec<Part>,
}

/// A piece of a template.
#[derive(Clone, Debug)]
pub enum Part {
    /// As it stands.
    Text(String),
    /// To be worked out.
    Expression(Expression),
}

/// What stands between the braces.
#[derive(Clone, Debug)]
pub struct Expression {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub kind: ExpressionKind,
}

/// What an expression can be.
#[derive(Clone, Debug)]
pub enum ExpressionKind {
    /// A variable's value.
    Variable(String),
    /// The time of day.
    NewDate,
    /// A random UUID.
    NewUuid,
}

impl Template {
    /// A text without placeholders.
    #[must_use]
    pub fn constant(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Whether a variable stands in it, other than the target's URL.
    #[must_use]
    pub fn has_variable(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Expression(expression) if expression.is_variable()))
    }

    /// Its text.
    ///
    /// # Errors
    /// When a placeholder names nothing, or a value without a text.
    pub fn render<'t>(&'t self, scope: Scope<'t>) -> Result<Cow<'t, str>, Fault> {
        if let Some(text) = self.constant() {
            return Ok(Cow::Borrowed(text));
        }
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Expression(expression) => out.push_str(&expression.render(scope)?),
            }
        }
        Ok(Cow::Owned(out))
    }
}

impl Expression {
    /// Whether it is a variable, other than the target's URL.
    #[must_use]
    pub fn is_variable(&self) -> bool {
        matches!(&self.kind, ExpressionKind::Variable(name) if name != "target")
    }

    /// Its value.
    ///
    /// # Errors
    /// When it names nothing.
    pub fn value<'t>(&'t self, scope: Scope<'t>) -> Result<Cow<'t, Value>, Fault> {
        match &self.kind {
            ExpressionKind::Variable(name) => scope
                .variables
                .get(name)
                .map(Cow::Borrowed)
                .ok_or_else(|| Fault::error(self.span, Cause::UnknownVariable(name.clone()))),
            ExpressionKind::NewDate => Ok(Cow::Owned(Value::Date(scope.now))),
            ExpressionKind::NewUuid => Ok(Cow::Owned(Value::text(uuid::Uuid::new_v4().to_string()))),
        }
    }

    /// Its value as text.
    ///
    /// # Errors
    /// When it names nothing, or a value without a text.
    pub fn render<'t>(&'t self, scope: Scope<'t>) -> Result<Cow<'t, str>, Fault> {
        let unrenderable = |value: &Value| Fault::error(self.span, Cause::Unrenderable(value.describe()));
        match self.value(scope)? {
            Cow::Borrowed(value) => value.render().ok_or_else(|| unrenderable(value)),
            Cow::Owned(value) => {
                let text = value.render().ok_or_else(|| unrenderable(&value))?;
                Ok(Cow::Owned(text.into_owned()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn expression(kind: ExpressionKind) -> Part {
        Part::Expression(Expression { span: Span::default(), kind })
    }

    fn variable(name: &str) -> Part {
        expression(ExpressionKind::Variable(name.to_owned()))
    }

    fn render(parts: Vec<Part>) -> Result<String, String> {
        let mut variables = Variables::default();
        variables.set("a", Value::text("{{b}}"));
        variables.set("list", Value::List(vec![]));
        let scope = Scope { variables: &variables, now: DateTime::UNIX_EPOCH, root: Path::new("") };
        let template = Template { parts, ..Template::default() };
        template.render(scope).map(Cow::into_owned).map_err(|fault| fault.summary())
    }

    #[test]
    fn a_constant_text_is_lent_not_copied() {
        let template = Template { parts: vec![Part::Text("x".to_owned())], ..Template::default() };
        let variables = Variables::default();
        let scope = Scope { variables: &variables, now: DateTime::UNIX_EPOCH, root: Path::new("") };
        assert!(matches!(template.render(scope), Ok(Cow::Borrowed("x"))));
        assert_eq!(Template::default().constant(), Some(""));
    }

    #[test]
    fn placeholders_are_filled_once_and_not_again() {
        assert_eq!(render(vec![Part::Text("x".to_owned()), variable("a")]).unwrap(), "x{{b}}");
        assert_eq!(render(vec![expression(ExpressionKind::NewDate)]).unwrap(), "1970-01-01T00:00:00.000000Z");
        let ids: Vec<String> = (0..2).map(|_| render(vec![expression(ExpressionKind::NewUuid)]).unwrap()).collect();
        assert_ne!(ids[0], ids[1]);
    }

    #[test]
    fn what_has_no_text_is_said() {
        insta::assert_snapshot!(render(vec![variable("nope")]).unwrap_err(), @"no variable `nope`");
        insta::assert_snapshot!(render(vec![variable("list")]).unwrap_err(), @"list `[]` cannot be written as text");
    }

    proptest! {
        #[test]
        fn any_texts_and_values_come_out_as_they_went_in(texts in proptest::collection::vec(".{0,8}", 0..6)) {
            let mut variables = Variables::default();
            let mut parts = vec![];
            for (index, text) in texts.iter().enumerate() {
                variables.set(format!("v{index}"), Value::text(text));
                parts.push(if index % 2 == 0 { Part::Text(text.clone()) } else { variable(&format!("v{index}")) });
            }
            let scope = Scope { variables: &variables, now: DateTime::UNIX_EPOCH, root: Path::new("") };
            let template = Template { parts, ..Template::default() };
            prop_assert_eq!(template.render(scope).unwrap().into_owned(), texts.concat());
        }
    }
}
