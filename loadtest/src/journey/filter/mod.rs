//! Filters: what is made of a value before it is captured or judged. Each takes a value, and gives one, none or an error.

mod encode;
mod entities;
#[cfg(test)]
mod tests;
mod time;

use super::fault::{Cause, Fault};
use super::json;
use super::number::Number;
use super::pattern::{PathSource, Pattern};
use super::source::Span;
use super::template::{Expression, Scope, Template};
use super::value::Value;
use std::borrow::Cow;

/// A filter and where it stands.
#[derive(Clone, Debug)]
pub struct Filter {
    /// Where.
    pub span: Span,
    /// What it does.
    pub kind: Kind,
}

/// What filters do; the names are Hurl's.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "Hurl's names, described in its manual")]
pub enum Kind {
    Base64Decode,
    Base64Encode,
    Base64UrlSafeDecode,
    Base64UrlSafeEncode,
    CharsetDecode(&'static str, Template),
    Count,
    DateFormat(&'static str, Template),
    DaysAfterNow,
    DaysBeforeNow,
    First,
    HtmlEscape,
    HtmlUnescape,
    JsonPath(PathSource),
    Last,
    Location,
    Nth(Index),
    Regex(Pattern),
    Replace(Template, Template),
    ReplaceRegex(Pattern, Template),
    Split(Template),
    ToDate(Template),
    ToFloat,
    ToHex,
    ToInt,
    ToString,
    UrlDecode,
    UrlEncode,
    UrlQueryParam(Template),
    Utf8Decode,
    Utf8Encode,
}

/// Which item of a list; negative ones count from the end.
#[derive(Clone, Debug)]
pub enum Index {
    /// Written.
    Constant(i64),
    /// To be worked out.
    Expression(Expression),
}

impl Kind {
    /// The filter's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Base64Decode => "base64Decode",
            Self::Base64Encode => "base64Encode",
            Self::Base64UrlSafeDecode => "base64UrlSafeDecode",
            Self::Base64UrlSafeEncode => "base64UrlSafeEncode",
            Self::CharsetDecode(name, _) | Self::DateFormat(name, _) => name,
            Self::Count => "count",
            Self::DaysAfterNow => "daysAfterNow",
            Self::DaysBeforeNow => "daysBeforeNow",
            Self::First => "first",
            Self::HtmlEscape => "htmlEscape",
            Self::HtmlUnescape => "htmlUnescape",
            Self::JsonPath(_) => "jsonpath",
            Self::Last => "last",
            Self::Location => "location",
            Self::Nth(_) => "nth",
            Self::Regex(_) => "regex",
            Self::Replace(..) => "replace",
            Self::ReplaceRegex(..) => "replaceRegex",
            Self::Split(_) => "split",
            Self::ToDate(_) => "toDate",
            Self::ToFloat => "toFloat",
            Self::ToHex => "toHex",
            Self::ToInt => "toInt",
            Self::ToString => "toString",
            Self::UrlDecode => "urlDecode",
            Self::UrlEncode => "urlEncode",
            Self::UrlQueryParam(_) => "urlQueryParam",
            Self::Utf8Decode => "utf8Decode",
            Self::Utf8Encode => "utf8Encode",
        }
    }
}

/// One application of a filter: it knows how to complain.
struct Call<'f> {
    filter: &'f Filter,
    value: &'f Value,
    scope: Scope<'f>,
}

type Answer = Result<Option<Value>, Fault>;

impl Filter {
    /// What becomes of the value.
    ///
    /// # Errors
    /// When the filter does not take such a value, or its own texts cannot be rendered.
    pub fn apply(&self, value: &Value, scope: Scope<'_>, coerce: bool) -> Answer {
        let call = Call { filter: self, value, scope };
        match &self.kind {
            Kind::Base64Decode => encode::base64_decode(&call),
            Kind::Base64Encode => encode::base64_encode(&call),
            Kind::Base64UrlSafeDecode => encode::base64_url_decode(&call),
            Kind::Base64UrlSafeEncode => encode::base64_url_encode(&call),
            Kind::CharsetDecode(_, charset) => encode::charset_decode(&call, charset),
            Kind::HtmlEscape => call.text("string").map(|text| Some(Value::String(entities::escape(text)))),
            Kind::HtmlUnescape => call.text("string").map(|text| Some(Value::String(entities::unescape(text)))),
            Kind::ToHex => call.bytes().map(|bytes| Some(Value::String(super::value::hex(bytes)))),
            Kind::UrlDecode => call.text("string").map(|text| Some(encode::url_decode(text))),
            Kind::UrlEncode => call.text("string").map(|text| Some(encode::url_encode(text))),
            Kind::UrlQueryParam(name) => encode::url_query_param(&call, name),
            Kind::Utf8Decode => call.bytes().map(|bytes| Some(Value::text(String::from_utf8_lossy(bytes)))),
            Kind::Utf8Encode => call.text("string").map(|text| Some(Value::Bytes(text.to_owned().into()))),
            Kind::DateFormat(_, format) => time::format(&call, format),
            Kind::ToDate(format) => time::parse(&call, format),
            Kind::DaysAfterNow => call.date().map(|date| Some(time::days(date - scope.now))),
            Kind::DaysBeforeNow => call.date().map(|date| Some(time::days(scope.now - date))),
            Kind::Count => call.count(),
            Kind::First => call.item(0, true),
            Kind::Last => call.item(-1, true),
            Kind::Nth(index) => call.item(index.get(scope)?, false),
            Kind::JsonPath(path) => call.json_path(path, coerce),
            Kind::Location => match value {
                Value::Redirect { location, .. } => Ok(Some(Value::text(location))),
                _ => Err(call.wrong_type("http response")),
            },
            Kind::Regex(pattern) => pattern.capture(scope, call.text("string")?),
            Kind::Replace(old, new) => {
                let text = call.text("string")?;
                Ok(Some(Value::String(text.replace(&*old.render(scope)?, &new.render(scope)?))))
            }
            Kind::ReplaceRegex(pattern, new) => {
                let text = call.text("string")?;
                let replaced = pattern.get(scope)?.replace_all(text, &*new.render(scope)?).into_owned();
                Ok(Some(Value::String(replaced)))
            }
            Kind::Split(separator) => {
                let text = call.text("string")?;
                Ok(Some(Value::List(text.split(&*separator.render(scope)?).map(Value::text).collect())))
            }
            Kind::ToFloat => call.to_float(),
            Kind::ToInt => call.to_int(),
            Kind::ToString => {
                let text = value.render().ok_or_else(|| call.bad(format!("{} has no text", value.describe())))?;
                Ok(Some(Value::String(text.into_owned())))
            }
        }
    }
}

impl<'f> Call<'f> {
    fn wrong_type(&self, expected: &'static str) -> Fault {
        let (filter, actual) = (self.filter.kind.name(), self.value.describe());
        Fault::error(self.filter.span, Cause::FilterType { filter, expected, actual })
    }

    fn bad(&self, reason: impl Into<String>) -> Fault {
        Fault::error(self.filter.span, Cause::Filter { filter: self.filter.kind.name(), reason: reason.into() })
    }

    fn text(&self, expected: &'static str) -> Result<&'f str, Fault> {
        match self.value {
            Value::String(text) => Ok(text),
            _ => Err(self.wrong_type(expected)),
        }
    }

    fn bytes(&self) -> Result<&'f [u8], Fault> {
        match self.value {
            Value::Bytes(bytes) => Ok(bytes),
            _ => Err(self.wrong_type("bytes")),
        }
    }

    fn date(&self) -> Result<chrono::DateTime<chrono::Utc>, Fault> {
        match self.value {
            Value::Date(date) => Ok(*date),
            _ => Err(self.wrong_type("date")),
        }
    }

    fn count(&self) -> Answer {
        match self.value {
            Value::List(items) => Ok(Some(Value::count(items.len()))),
            Value::Bytes(bytes) => Ok(Some(Value::count(bytes.len()))),
            _ => Err(self.wrong_type("list or bytes")),
        }
    }

    fn item(&self, index: i64, end: bool) -> Answer {
        let Value::List(items) = self.value else { return Err(self.wrong_type("list")) };
        let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
        let position = if index < 0 { length.checked_add(index) } else { Some(index) };
        let item = position.and_then(|position| usize::try_from(position).ok()).and_then(|at| items.get(at));
        match item {
            Some(item) => Ok(Some(item.clone())),
            None if end => Err(self.bad("the list is empty")),
            None => Err(self.bad(format!("there is no item {index}, the list has {length}"))),
        }
    }

    fn json_path(&self, path: &PathSource, coerce: bool) -> Answer {
        let text = self.text("string")?;
        let json = json::parse(text).map_err(|_| self.bad("the string is not JSON"))?;
        Ok(path.find(self.scope, &json, coerce)?.map(Cow::into_owned))
    }

    fn to_float(&self) -> Answer {
        let float = match self.value {
            Value::Number(number @ Number::Integer(_)) => Ok(number.as_f64()),
            Value::Number(number) if number.is_float() && number.as_f64().is_finite() => Ok(number.as_f64()),
            Value::Number(_) => Err(self.bad(format!("{} is too large", self.value.describe()))),
            Value::String(text) => text.parse().map_err(|_| self.bad(format!("`{text}` is not a number"))),
            _ => Err(self.wrong_type("float, integer or string")),
        };
        float.map(|float| Some(Value::Number(Number::Float(float))))
    }

    fn to_int(&self) -> Answer {
        let integer = match self.value {
            Value::Number(Number::Integer(integer)) => Ok(*integer),
            #[expect(clippy::cast_possible_truncation, reason = "towards zero, and to the nearest bound, as in Hurl")]
            Value::Number(number) if number.is_float() => Ok(number.as_f64() as i64),
            Value::String(text) => text.parse().map_err(|_| self.bad(format!("`{text}` is not an integer"))),
            _ => Err(self.wrong_type("float, integer or string")),
        };
        integer.map(|integer| Some(Value::Number(Number::Integer(integer))))
    }
}

impl Index {
    fn get(&self, scope: Scope<'_>) -> Result<i64, Fault> {
        match self {
            Self::Constant(index) => Ok(*index),
            Self::Expression(expression) => match expression.value(scope)?.as_ref() {
                Value::Number(Number::Integer(index)) => Ok(*index),
                other => {
                    let cause = Cause::WrongType { expected: "integer", actual: other.describe() };
                    Err(Fault::error(expression.span, cause))
                }
            },
        }
    }
}
