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
