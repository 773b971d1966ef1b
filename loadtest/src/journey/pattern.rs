//! Regular expressions and JSONPaths of queries and filters: compiled once where they are constant.

use super::fault::{Cause, Fault};
use super::jsonpath::Path;
use super::template::{Scope, Template};
use super::value::Value;
use std::borrow::Cow;
use std::sync::Arc;

/// A regular expression.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// Compiled.
    Constant(Arc<regex::Regex>),
    /// To be rendered first.
    Template(Template),
}

/// A JSONPath.
#[derive(Clone, Debug)]
pub enum PathSource {
    /// Parsed.
    Constant(Path),
    /// To be rendered first.
    Template(Template),
}

impl Pattern {
    /// The expression itself.
    ///
    /// # Errors
    /// When it cannot be rendered or compiled.
    pub fn get<'p>(&'p self, scope: Scope<'p>) -> Result<Cow<'p, regex::Regex>, Fault> {
        match self {
            Self::Constant(regex) => Ok(Cow::Borrowed(regex)),
            Self::Template(template) => {
                let text = template.render(scope)?;
                let bad = |_| Fault::error(template.span, Cause::Regex(text.to_string()));
                regex::Regex::new(&text).map(Cow::Owned).map_err(bad)
            }
        }
    }

    /// The first group of the first match.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn capture(&self, scope: Scope<'_>, text: &str) -> Result<Option<Value>, Fault> {
        let regex = self.get(scope)?;
        Ok(regex.captures(text).and_then(|groups| groups.get(1)).map(|group| Value::text(group.as_str())))
    }
}

impl PathSource {
    /// What the path finds: nothing, the one node, or a list of several; with `coerce` off always a list.
    ///
    /// # Errors
    /// When the path cannot be rendered or parsed.
    pub fn find<'v>(&self, scope: Scope<'_>, root: &'v Value, coerce: bool) -> Result<Option<Cow<'v, Value>>, Fault> {
        let nodes = match self {
            Self::Constant(path) => path.find(root),
            Self::Template(template) => {
                let text = template.render(scope)?;
                let path = Path::parse(&text).map_err(|bad| {
                    let cause = Cause::JsonPath { path: text.to_string(), expected: bad.expected, column: bad.column };
                    Fault::error(template.span, cause)
                })?;
                path.find(root)
            }
        };
        Ok(match nodes.as_slice() {
            [] if coerce => None,
            [one] if coerce => Some(Cow::Borrowed(*one)),
            many => Some(Cow::Owned(Value::List(many.iter().map(|node| (*node).clone()).collect()))),
        })
    }
}
