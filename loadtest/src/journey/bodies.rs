//! Bodies as a file writes them: for sending and for comparing with what came.

use super::fault::{Cause, Fault};
use super::limits::BODY_FILE_BYTES_MAX;
use super::source::Span;
use super::template::{Expression, Scope, Template};
use super::value::Value;
use bytes::Bytes;
use std::borrow::Cow;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

/// A body.
#[derive(Clone, Debug)]
pub struct Body {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub kind: Kind,
}

/// What a body can be.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Text.
    Text(Text),
    /// Bytes, from hexadecimal or base64 or a file read when the journey was loaded.
    Bytes(Bytes),
    /// A file whose name is to be rendered.
    File(Template),
}

/// A text of one or several lines.
#[derive(Clone, Debug)]
pub enum Text {
    /// As it stands.
    Constant(Bytes),
    /// With placeholders.
    Template(Template),
    /// JSON with placeholders.
    Json(Json),
    /// A GraphQL query and its variables, sent as JSON.
    GraphQl(Template, Option<Json>),
}

/// JSON with placeholders, flattened.
#[derive(Clone, Debug, Default)]
pub struct Json(pub Vec<JsonPart>);

/// A piece of JSON.
#[derive(Clone, Debug)]
pub enum JsonPart {
    /// As written.
    Text(String),
    /// A placeholder within quotes: its text is escaped. Hurl does not escape it in a member's name.
    Quoted(Expression),
    /// A placeholder outside quotes: it must be a number, a boolean or null.
    Bare(Expression),
}

impl Kind {
    /// Whether a response's body that must equal it is read back: it holds a variable, or is given to the byte.
    #[must_use]
    pub fn reads_back(&self) -> bool {
        match self {
            Self::Text(text) => text.has_variable(),
            Self::Bytes(_) | Self::File(_) => true,
        }
    }
}

impl Body {
    /// The bytes.
    ///
    /// # Errors
    /// When it cannot be rendered or read.
    pub fn bytes(&self, scope: Scope<'_>) -> Result<Bytes, Fault> {
        match &self.kind {
            Kind::Text(text) => text.bytes(scope),
            Kind::Bytes(bytes) => Ok(bytes.clone()),
            Kind::File(name) => read_file(name, scope),
        }
    }
}

impl Text {
    /// Whether a variable stands in it.
    #[must_use]
    pub fn has_variable(&self) -> bool {
        let in_json = |json: &Json| {
            json.0.iter().any(|part| match part {
                JsonPart::Text(_) => false,
                JsonPart::Quoted(expression) | JsonPart::Bare(expression) => expression.is_variable(),
            })
        };
        match self {
            Self::Constant(_) => false,
            Self::Template(template) => template.has_variable(),
            Self::Json(json) => in_json(json),
            Self::GraphQl(query, variables) => query.has_variable() || variables.as_ref().is_some_and(in_json),
        }
    }

    /// The text.
    ///
    /// # Errors
    /// When it cannot be rendered.
    pub fn render<'t>(&'t self, scope: Scope<'t>) -> Result<Cow<'t, str>, Fault> {
        match self {
            Self::Constant(text) => Ok(String::from_utf8_lossy(text)),
            Self::Template(template) => template.render(scope),
            Self::Json(json) => json.render(scope).map(Cow::Owned),
            Self::GraphQl(query, variables) => {
                let query = quoted(query.render(scope)?.trim());
                let body = match variables {
                    None => format!("{{\"query\":{query}}}"),
                    Some(json) => format!("{{\"query\":{query},\"variables\":{}}}", json.render(scope)?),
                };
                Ok(Cow::Owned(body))
            }
        }
    }

    fn bytes(&self, scope: Scope<'_>) -> Result<Bytes, Fault> {
        match self {
            Self::Constant(text) => Ok(text.clone()),
            other => Ok(other.render(scope)?.into_owned().into()),
        }
    }
}

impl Json {
    fn render(&self, scope: Scope<'_>) -> Result<String, Fault> {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                JsonPart::Text(text) => out.push_str(text),
                JsonPart::Quoted(expression) => escape(&expression.render(scope)?, &mut out),
                JsonPart::Bare(expression) => {
                    let text = expression.render(scope)?;
                    let scalar =
                        matches!(super::json::parse(&text), Ok(Value::Number(_) | Value::Bool(_) | Value::Null));
                    if !scalar {
                        return Err(Fault::error(expression.span, Cause::JsonPlaceholder(text.into_owned())));
                    }
                    out.push_str(&text);
                }
            }
        }
        Ok(out)
    }
}

/// Hurl leaves other control characters as they are, which makes the body invalid JSON; here they are escaped too.
fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
}

/// A JSON string.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    escape(text, &mut out);
    out.push('"');
    out
}

/// Reads a file below the journey's directory.
///
/// # Errors
/// When its name cannot be rendered, it lies elsewhere, cannot be read, or is too large.
pub(super) fn read_file(name: &Template, scope: Scope<'_>) -> Result<Bytes, Fault> {
    let path = PathBuf::from(name.render(scope)?.as_ref());
    read(scope.root, &path).map_err(|reason| Fault::error(name.span, Cause::File { path, reason }))
}

/// Reads a file below `root`, links followed.
///
/// # Errors
/// In words: it lies elsewhere, cannot be read, or is too large.
pub(super) fn read(root: &Path, path: &Path) -> Result<Bytes, String> {
    let plain = |error: std::io::Error| crate::problem::why(&error);
    let root = if root.as_os_str().is_empty() { Path::new(".") } else { root };
    let whole = root.join(path);
    let outside = || "it lies outside the directory of the journey".to_owned();
    if escapes(path) {
        return Err(outside());
    }
    let (resolved, root) = (whole.canonicalize().map_err(plain)?, root.canonicalize().map_err(plain)?);
    if !resolved.starts_with(root) {
        return Err(outside());
    }
    let mut bytes = vec![];
    let file = std::fs::File::open(resolved).map_err(plain)?;
    file.take(BODY_FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(plain)?;
    if bytes.len() as u64 > BODY_FILE_BYTES_MAX {
        return Err(format!("it is larger than {BODY_FILE_BYTES_MAX} bytes"));
    }
    Ok(bytes.into())
}

/// Whether the path climbs above its start; then whether it exists is nobody's business.
fn escapes(path: &Path) -> bool {
    let mut depth = 0_i32;
    path.components().any(|component| {
        depth += match component {
            Component::ParentDir => -1,
            Component::Normal(_) => 1,
            Component::CurDir | Component::RootDir | Component::Prefix(_) => 0,
        };
        depth < 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_below_the_root_only() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("sub")).unwrap();
        std::fs::write(root.path().join("sub/a"), "hi").unwrap();
        std::fs::write(root.path().join("secret"), "no").unwrap();
        let sub = root.path().join("sub");
        assert_eq!(read(&sub, Path::new("a")).unwrap(), "hi");
        assert_eq!(read(root.path(), Path::new("sub/../sub/a")).unwrap(), "hi");
        let outside = "it lies outside the directory of the journey";
        assert_eq!(read(&sub, Path::new("../secret")).unwrap_err(), outside);
        assert_eq!(read(&sub, Path::new("../nothing")).unwrap_err(), outside);
        assert_eq!(read(&sub, &root.path().join("secret")).unwrap_err(), outside);
        std::os::unix::fs::symlink(root.path().join("secret"), sub.join("link")).unwrap();
        assert_eq!(read(&sub, Path::new("link")).unwrap_err(), outside);
        assert!(read(&sub, Path::new("b")).unwrap_err().starts_with("there is no such file"));
    }

    #[test]
    fn json_strings_are_escaped() {
        assert_eq!(quoted("a\"b\\\n\u{1}é"), "\"a\\\"b\\\\\\n\\u0001é\"");
    }
}
