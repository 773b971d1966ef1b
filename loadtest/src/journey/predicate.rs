//! Predicates: whether a value is as it should be. A value of a type that a predicate does not take fails it, and fails
//! its negation too; a missing value fails everything but the negations.

use super::bodies::{self, Text};
use super::fault::{Cause, Fault};
use super::pattern::Pattern;
use super::source::Span;
use super::template::{Expression, Scope, Template};
use super::value::{Value, WrongType};
use std::borrow::Cow;
use std::cmp::Ordering;

/// A predicate and where it stands.
#[derive(Clone, Debug)]
pub struct Predicate {
    /// Where.
    pub span: Span,
    /// Whether `not` stands before it.
    pub negated: bool,
    /// What is asked.
    pub test: Test,
}

/// What is asked of a value.
#[derive(Clone, Debug)]
pub enum Test {
    /// It equals another, by value.
    Equal(Expected),
    /// It does not.
    NotEqual(Expected),
    /// It stands in this order to another; the text is for messages.
    Order(&'static str, fn(Ordering) -> bool, Expected),
    /// It begins with a text or bytes.
    StartsWith(Expected),
    /// It ends with them.
    EndsWith(Expected),
    /// A text or bytes has a part, a list an item.
    Contains(Expected),
    /// A list has an item.
    Includes(Expected),
    /// A text has a match.
    Matches(Pattern),
    /// There is a value.
    Exists,
    /// It has no items, members, characters or bytes.
    IsEmpty,
    /// It is of a type; the text is for messages.
    IsKind(&'static str, fn(&Value) -> bool),
    /// It is a text of a form; the text is for messages.
    HasForm(&'static str, fn(&str) -> bool),
}

/// What a value is compared with.
#[derive(Clone, Debug)]
pub enum Expected {
    /// As it stands.
    Constant(Value),
    /// A text to be rendered.
    Template(Template),
    /// A text of several lines.
    Text(Text),
    /// Any value.
    Expression(Expression),
    /// The bytes of a file.
    File(Template),
}

impl Expected {
    /// The value itself.
    ///
    /// # Errors
    /// When it cannot be rendered or read.
    pub fn get<'e>(&'e self, scope: Scope<'e>) -> Result<Cow<'e, Value>, Fault> {
        match self {
            Self::Constant(value) => Ok(Cow::Borrowed(value)),
            Self::Template(template) => Ok(Cow::Owned(Value::text(template.render(scope)?))),
            Self::Text(text) => Ok(Cow::Owned(Value::text(text.render(scope)?))),
            Self::Expression(expression) => expression.value(scope),
            Self::File(name) => Ok(Cow::Owned(Value::Bytes(bodies::read_file(name, scope)?))),
        }
    }
}

/// What was found out: met, or of a type that the test does not take.
type Verdict = Result<bool, WrongType>;

impl Predicate {
    /// Judges a value.
    ///
    /// # Errors
    /// When it is not as it should be, or the predicate itself cannot be worked out.
    pub fn judge(&self, value: Option<&Value>, scope: Scope<'_>) -> Result<(), Fault> {
        let verdict = match value {
            Some(value) => self.test.verdict(value, scope)?,
            None => Ok(self.test.unmet(scope)?),
        };
        if verdict.as_ref().is_ok_and(|met| *met != self.negated) {
            return Ok(());
        }
        let not = if self.negated { "not " } else { "" };
        let mismatch = if verdict.is_err() { " (a value of another type)" } else { "" };
        let cause = Cause::Mismatch {
            what: "",
            actual: value.map_or_else(|| "nothing".to_owned(), Value::describe),
            expected: format!("{not}{}{mismatch}", self.test.describe(scope)),
        };
        Err(Fault::error(self.span, cause))
    }
}

impl Test {
    /// Without a value nothing is met; but a predicate that cannot be rendered is an error all the same.
    fn unmet(&self, scope: Scope<'_>) -> Result<bool, Fault> {
        self.expected().map_or(Ok(()), |expected| expected.get(scope).map(drop))?;
        Ok(false)
    }

    const fn expected(&self) -> Option<&Expected> {
        match self {
            Self::Equal(expected)
            | Self::NotEqual(expected)
            | Self::Order(_, _, expected)
            | Self::StartsWith(expected)
            | Self::EndsWith(expected)
            | Self::Contains(expected)
            | Self::Includes(expected) => Some(expected),
            Self::Matches(_) | Self::Exists | Self::IsEmpty | Self::IsKind(..) | Self::HasForm(..) => None,
        }
    }

    /// Whether it is equality with something that is not written in the journey: a variable or a file.
    #[must_use]
    pub fn equals_a_variable(&self) -> bool {
        match self {
            Self::Equal(Expected::Template(template)) => template.has_variable(),
            Self::Equal(Expected::Text(text)) => text.has_variable(),
            Self::Equal(Expected::Expression(expression)) => expression.is_variable(),
            Self::Equal(Expected::File(_)) => true,
            _ => false,
        }
    }

    fn verdict(&self, value: &Value, scope: Scope<'_>) -> Result<Verdict, Fault> {
        Ok(match self {
            Self::Equal(expected) => Ok(*value == *expected.get(scope)?),
            Self::NotEqual(expected) => Ok(*value != *expected.get(scope)?),
            Self::Order(_, holds, expected) => value.compare(&*expected.get(scope)?).map(holds),
            Self::StartsWith(expected) => starts(value, &*expected.get(scope)?),
            Self::EndsWith(expected) => ends(value, &*expected.get(scope)?),
            Self::Contains(expected) => contains(value, &*expected.get(scope)?),
            Self::Includes(expected) => includes(value, &*expected.get(scope)?),
            Self::Matches(pattern) => {
                let regex = pattern.get(scope)?;
                with_text(value, |text| regex.is_match(text))
            }
            Self::Exists => Ok(true),
            Self::IsEmpty => length(value).map(|length| length == 0),
            Self::IsKind(_, is) => Ok(is(value)),
            Self::HasForm(_, has) => with_text(value, has),
        })
    }

    fn describe(&self, scope: Scope<'_>) -> String {
        let shown = |expected: &Expected| match expected.get(scope) {
            Ok(value) => value.describe(),
            Err(fault) => fault.summary(),
        };
        match self {
            Self::Equal(expected) => shown(expected),
            Self::NotEqual(expected) => format!("anything but {}", shown(expected)),
            Self::Order(words, _, expected) => format!("{words} {}", shown(expected)),
            Self::StartsWith(expected) => format!("starts with {}", shown(expected)),
            Self::EndsWith(expected) => format!("ends with {}", shown(expected)),
            Self::Contains(expected) => format!("contains {}", shown(expected)),
            Self::Includes(expected) => format!("includes {}", shown(expected)),
            Self::Matches(pattern) => match pattern.get(scope) {
                Ok(regex) => format!("matches `{}`", regex.as_str()),
                Err(fault) => fault.summary(),
            },
            Self::Exists => "something".to_owned(),
            Self::IsEmpty => "empty".to_owned(),
            Self::IsKind(words, _) | Self::HasForm(words, _) => (*words).to_owned(),
        }
    }
}

fn with_text(value: &Value, has: impl Fn(&str) -> bool) -> Verdict {
    match value {
        Value::String(text) => Ok(has(text)),
        _ => Err(WrongType),
    }
}

fn starts(value: &Value, start: &Value) -> Verdict {
    match (value, start) {
        (Value::String(text), Value::String(start)) => Ok(text.starts_with(start)),
        (Value::Bytes(bytes), Value::Bytes(start)) => Ok(bytes.starts_with(start)),
        _ => Err(WrongType),
    }
}

fn ends(value: &Value, end: &Value) -> Verdict {
    match (value, end) {
        (Value::String(text), Value::String(end)) => Ok(text.ends_with(end)),
        (Value::Bytes(bytes), Value::Bytes(end)) => Ok(bytes.ends_with(end)),
        _ => Err(WrongType),
    }
}

fn contains(value: &Value, part: &Value) -> Verdict {
    match (value, part) {
        (Value::String(text), Value::String(part)) => Ok(text.contains(part.as_str())),
        (Value::Bytes(bytes), Value::Bytes(part)) => {
            Ok(part.is_empty() || bytes.windows(part.len()).any(|window| window == part))
        }
        _ => includes(value, part),
    }
}

fn includes(value: &Value, item: &Value) -> Verdict {
    match value {
        Value::List(items) => Ok(items.contains(item)),
        _ => Err(WrongType),
    }
}

fn length(value: &Value) -> Result<usize, WrongType> {
    match value {
        Value::List(items) => Ok(items.len()),
        Value::Object(members) => Ok(members.len()),
        Value::String(text) => Ok(text.len()),
        Value::Bytes(bytes) => Ok(bytes.len()),
        _ => Err(WrongType),
    }
}

/// The tests of types, by name.
pub(super) mod kinds {
    use super::Value;

    /// `isBoolean`
    #[must_use]
    pub(crate) const fn boolean(value: &Value) -> bool {
        matches!(value, Value::Bool(_))
    }
    /// `isCollection`
    #[must_use]
    pub(crate) const fn collection(value: &Value) -> bool {
        matches!(value, Value::Bytes(_) | Value::List(_) | Value::Object(_))
    }
    /// `isDate`
    #[must_use]
    pub(crate) const fn date(value: &Value) -> bool {
        matches!(value, Value::Date(_))
    }
    /// `isFloat`
    #[must_use]
    pub(crate) fn float(value: &Value) -> bool {
        matches!(value, Value::Number(number) if number.is_float())
    }
    /// `isInteger`
    #[must_use]
    pub(crate) fn integer(value: &Value) -> bool {
        matches!(value, Value::Number(number) if !number.is_float())
    }
    /// `isList`
    #[must_use]
    pub(crate) const fn list(value: &Value) -> bool {
        matches!(value, Value::Bytes(_) | Value::List(_))
    }
    /// `isNumber`
    #[must_use]
    pub(crate) const fn number(value: &Value) -> bool {
        matches!(value, Value::Number(_))
    }
    /// `isObject`
    #[must_use]
    pub(crate) const fn object(value: &Value) -> bool {
        matches!(value, Value::Object(_))
    }
    /// `isString`
    #[must_use]
    pub(crate) const fn string(value: &Value) -> bool {
        matches!(value, Value::String(_))
    }
}

/// The tests of a text's form, by name.
pub(super) mod forms {
    /// `isIpv4`
    #[must_use]
    pub(crate) fn ipv4(text: &str) -> bool {
        text.parse::<std::net::Ipv4Addr>().is_ok()
    }
    /// `isIpv6`
    #[must_use]
    pub(crate) fn ipv6(text: &str) -> bool {
        text.parse::<std::net::Ipv6Addr>().is_ok()
    }
    /// `isIsoDate`
    #[must_use]
    pub(crate) fn iso_date(text: &str) -> bool {
        chrono::DateTime::parse_from_rfc3339(text).is_ok()
    }
    /// `isUuid`
    #[must_use]
    pub(crate) fn uuid(text: &str) -> bool {
        uuid::Uuid::try_parse(text).is_ok()
    }
}

#[cfg(test)]
mod tests;
