//! The values that queries find, filters change, predicates judge and variables hold: Hurl's types.

use super::limits::SHOWN_CHARACTERS_MAX;
use super::number::Number;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

/// A value.
#[derive(Clone, Debug)]
pub enum Value {
    /// JSON's `null`.
    Null,
    /// A truth value.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    String(String),
    /// A list.
    List(Vec<Value>),
    /// An object, its members sorted by name.
    Object(Vec<(String, Value)>),
    /// Bytes.
    Bytes(Bytes),
    /// A moment.
    Date(DateTime<Utc>),
    /// A regular expression, on the right side of a predicate.
    Regex(Arc<regex::Regex>),
    /// One redirect that was followed.
    Redirect {
        /// Its status.
        status: u16,
        /// The absolute URL it led to.
        location: String,
    },
    /// Something that is there and has no value, such as a cookie's `Secure`.
    Unit,
}

/// An operation does not fit the types.
#[derive(Debug, PartialEq, Eq)]
pub struct WrongType;

impl Value {
    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::String(text.into())
    }

    /// An integer; a length, count or status.
    #[must_use]
    pub fn count(count: usize) -> Self {
        Self::Number(Number::Integer(i64::try_from(count).unwrap_or(i64::MAX)))
    }

    /// The type's name in messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number(number) if number.is_float() => "float",
            Self::Number(_) => "integer",
            Self::String(_) => "string",
            Self::List(_) => "list",
            Self::Object(_) => "object",
            Self::Bytes(_) => "bytes",
            Self::Date(_) => "date",
            Self::Regex(_) => "regex",
            Self::Redirect { .. } => "http response",
            Self::Unit => "unit",
        }
    }

    /// The text that a template writes for it; lists, objects and bytes have none.
    #[must_use]
    pub fn render(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Null => Some("null".into()),
            Self::Bool(flag) => Some(if *flag { "true" } else { "false" }.into()),
            Self::Number(number) => Some(number.to_string().into()),
            Self::String(text) => Some(text.into()),
            Self::Date(date) => Some(date.format("%Y-%m-%dT%H:%M:%S.%6fZ").to_string().into()),
            Self::List(_) | Self::Object(_) | Self::Bytes(_) | Self::Regex(_) | Self::Redirect { .. } | Self::Unit => {
                None
            }
        }
    }

    /// Kind and value for messages, long ones cut.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut shown = String::new();
        self.show(&mut shown);
        match self {
            Self::Null | Self::Unit => self.kind().to_owned(),
            _ => format!("{} `{}`", self.kind(), cut(&shown)),
        }
    }

    fn show(&self, out: &mut String) {
        if out.len() > SHOWN_CHARACTERS_MAX * 4 {
            return;
        }
        match self {
            Self::List(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { ", " });
                    item.show(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (index, (name, member)) in members.iter().enumerate() {
                    let _ = write!(out, "{}{name}: ", if index == 0 { "" } else { ", " });
                    member.show(out);
                }
                out.push('}');
            }
            Self::Bytes(bytes) => out.push_str(&hex(bytes.get(..SHOWN_CHARACTERS_MAX).unwrap_or(bytes))),
            Self::Regex(regex) => out.push_str(regex.as_str()),
            Self::Redirect { status, location } => {
                let _ = write!(out, "{status} to {location}");
            }
            other => out.push_str(&other.render().unwrap_or_default()),
        }
    }

    /// The member of that name.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        let index = members.binary_search_by(|(key, _)| key.as_str().cmp(name)).ok()?;
        members.get(index).map(|(_, value)| value)
    }

    /// Orders two strings, two numbers or two dates.
    ///
    /// # Errors
    /// Any other pair has no order.
    pub fn compare(&self, other: &Self) -> Result<std::cmp::Ordering, WrongType> {
        match (self, other) {
            (Self::String(one), Self::String(two)) => Ok(one.cmp(two)),
            (Self::Number(one), Self::Number(two)) => Ok(one.compare(two)),
            (Self::Date(one), Self::Date(two)) => Ok(one.cmp(two)),
            _ => Err(WrongType),
        }
    }
}

/// Equality across types is false, never an error; numbers are equal by value.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) | (Self::Unit, Self::Unit) => true,
            (Self::Bool(one), Self::Bool(two)) => one == two,
            (Self::Number(one), Self::Number(two)) => one == two,
            (Self::String(one), Self::String(two)) => one == two,
            (Self::List(one), Self::List(two)) => one == two,
            (Self::Object(one), Self::Object(two)) => one == two,
            (Self::Bytes(one), Self::Bytes(two)) => one == two,
            (Self::Date(one), Self::Date(two)) => one == two,
            _ => false,
        }
    }
}

/// Lower-case hexadecimal digits.
#[must_use]
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// The text, cut where it is too long for a message.
#[must_use]
pub(super) fn cut(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(SHOWN_CHARACTERS_MAX) {
        None => text.into(),
        Some((end, _)) => format!("{}… ({} bytes)", text.get(..end).unwrap_or_default(), text.len()).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equality_is_by_value_and_never_across_kinds() {
        let one = |text: &str| Value::Number(Number::parse(text));
        assert_eq!(one("1"), one("1.0"));
        assert_ne!(one("1"), Value::text("1"));
        assert_ne!(Value::Null, Value::Bool(false));
        assert_eq!(Value::List(vec![one("1")]), Value::List(vec![one("1.0")]));
    }

    #[test]
    fn templates_write_scalars_and_nothing_else() {
        assert_eq!(Value::Null.render().as_deref(), Some("null"));
        assert_eq!(Value::Number(Number::Float(2.0)).render().as_deref(), Some("2.0"));
        assert_eq!(Value::List(vec![]).render(), None);
        assert_eq!(Value::Bytes(Bytes::new()).render(), None);
    }

    #[test]
    fn messages_are_cut() {
        let long = Value::text("é".repeat(SHOWN_CHARACTERS_MAX + 1)).describe();
        assert!(long.ends_with("… (802 bytes)`"), "{long}");
        assert_eq!(Value::List(vec![Value::Null, Value::text("a")]).describe(), "list `[null, a]`");
    }
}
