//! Owns what a field may hold and how a JSON value becomes a stored one. Pure: no entity, no request, no database.

use chrono::NaiveDate;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::limits;

/// What may stand in a field.
#[derive(Debug)]
pub enum Kind {
    /// Text of at most so many characters; a required one is not empty.
    Text(usize),
    /// An e-mail address.
    Email,
    /// A password: written, never read back; an update without it keeps the old one.
    Password,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A whole number, both ends included.
    Integer(i64, i64),
    /// A day, `YYYY-MM-DD`.
    Date,
    /// The id of an entity of this singular name.
    Reference(&'static str),
}

/// One field of an entity; also the name of its column.
#[derive(Debug)]
pub struct Field {
    /// Name in JSON and in SQL.
    pub name: &'static str,
    /// What may stand in it.
    pub kind: Kind,
    /// Whether it must be there.
    pub required: bool,
}

/// What a body is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A new row.
    Create,
    /// All of an existing row.
    Update,
}

/// A value ready to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Nothing was given where a text may stand.
    NoText,
    /// Nothing was given where a number may stand: PostgreSQL wants the type of nothing, too.
    NoInteger,
    /// Text of any kind.
    Text(String),
    /// A whole number.
    Integer(i64),
}

/// A checked body: columns and their values.
#[derive(Debug, Default)]
pub struct Draft(Vec<(&'static str, Value)>);

impl Draft {
    pub(super) fn push(&mut self, column: &'static str, value: Value) {
        self.0.push((column, value));
    }

    /// The columns to write, with their values.
    pub fn columns(&self) -> &[(&'static str, Value)] {
        &self.0
    }

    /// The text in a column, if it has any.
    pub fn text(&self, column: &str) -> Option<&str> {
        self.0.iter().find_map(|(name, value)| match value {
            Value::Text(text) if *name == column => Some(text.as_str()),
            _ => None,
        })
    }

    /// Puts another text in place of the one in this column, as a hash in place of a password.
    pub fn replace_text(&mut self, column: &str, text: String) {
        if let Some((_, value)) = self.0.iter_mut().find(|(name, _)| *name == column) {
            *value = Value::Text(text);
        }
    }
}

impl Field {
    /// A field that must be there.
    pub const fn required(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, required: true }
    }

    /// A field that may be absent or null.
    pub const fn optional(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, required: false }
    }

    /// The value to store, `None` to leave the column as it is, or what is wrong.
    pub fn check(&self, given: Option<&Json>, purpose: Purpose) -> Result<Option<Value>, String> {
        match given {
            None | Some(Json::Null) if matches!(self.kind, Kind::Password) && purpose == Purpose::Update => Ok(None),
            None | Some(Json::Null) if self.required => Err("is required".to_owned()),
            None | Some(Json::Null) if matches!(self.kind, Kind::Integer(..)) => Ok(Some(Value::NoInteger)),
            None | Some(Json::Null) => Ok(Some(Value::NoText)),
            Some(value) => self.value(value).map(Some),
        }
    }

    fn value(&self, given: &Json) -> Result<Value, String> {
        if let Kind::Integer(least, most) = self.kind {
            let number = given.as_i64().filter(|number| (least..=most).contains(number));
            return number.map(Value::Integer).ok_or(format!("must be a whole number from {least} to {most}"));
        }
        let text = given.as_str().ok_or("must be a string")?;
        self.check_text(text)?;
        Ok(Value::Text(text.to_owned()))
    }

    fn check_text(&self, text: &str) -> Result<(), String> {
        let chars = text.chars().count();
        if text.contains('\0') {
            // PostgreSQL cannot keep it, and nobody types it.
            return Err("must not hold a NUL character".to_owned());
        }
        let is_good = match &self.kind {
            Kind::Text(_) if self.required && text.trim().is_empty() => return Err("must not be empty".to_owned()),
            Kind::Text(most) => chars <= *most,
            Kind::Email => is_email(text),
            Kind::Password => (limits::MIN_PASSWORD_CHARS..=limits::MAX_PASSWORD_CHARS).contains(&chars),
            Kind::Choice(words) => words.contains(&text),
            Kind::Date => chars == 10 && text.parse::<NaiveDate>().is_ok(),
            Kind::Reference(_) => is_id(text),
            Kind::Integer(..) => false,
        };
        if is_good { Ok(()) } else { Err(format!("must be {}", self.expected())) }
    }

    fn expected(&self) -> String {
        match &self.kind {
            Kind::Text(most) => format!("at most {most} characters"),
            Kind::Email => "an e-mail address".to_owned(),
            Kind::Password => {
                format!("{} to {} characters", limits::MIN_PASSWORD_CHARS, limits::MAX_PASSWORD_CHARS)
            }
            Kind::Choice(words) => format!("one of: {}", words.join(", ")),
            Kind::Date => "a day as YYYY-MM-DD".to_owned(),
            Kind::Reference(singular) => format!("the id of an existing {singular}"),
            Kind::Integer(least, most) => format!("a whole number from {least} to {most}"),
        }
    }
}

/// Whether it is an id: they are UUIDs in their one hyphenated lower-case form, so that equal ids are equal texts.
pub fn is_id(text: &str) -> bool {
    Uuid::try_parse(text).is_ok_and(|id| id.hyphenated().to_string() == text)
}

/// Catches the slip, not the impostor: one `@`, something before it, a dotted domain after it, nothing that needs quoting.
fn is_email(text: &str) -> bool {
    let is_plain = text.len() <= 254 && text.chars().all(|c| c.is_ascii_graphic() && !"<>()[]\\,;:\"".contains(c));
    let Some((local, domain)) = text.split_once('@') else { return false };
    let is_domain = domain.split('.').count() > 1 && domain.split('.').all(|label| !label.is_empty());
    is_plain && !local.is_empty() && is_domain && !domain.contains('@')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(kind: Kind, given: Json) -> bool {
        Field::required("f", kind).check(Some(&given), Purpose::Create).is_ok()
    }

    #[test]
    fn email_addresses_are_checked_for_slips() {
        let is_good = |text: &str| check(Kind::Email, json!(text));
        assert!(is_good("user1@example.org") && is_good("a.b+c@x-y.example"));
        for text in ["", "a", "@b.c", "a@b", "a@b@c.d", "a@b..c", "a b@c.d", "a@b.c\n", "<a@b.c>"] {
            assert!(!is_good(text), "{text:?}");
        }
    }

    #[test]
    fn dates_are_days_that_exist() {
        let is_good = |text: &str| check(Kind::Date, json!(text));
        assert!(is_good("2024-02-29"));
        for text in ["2023-02-29", "2024-2-9", "24-02-29", "2024-02-29T00:00:00Z", "tomorrow"] {
            assert!(!is_good(text), "{text:?}");
        }
    }

    #[test]
    fn numbers_are_whole_and_in_range() {
        let is_good = |value: Json| check(Kind::Integer(1, 5), value);
        assert!(is_good(json!(1)) && is_good(json!(5)));
        for value in [json!(0), json!(6), json!(1.5), json!("3"), json!(true), json!(1e30)] {
            assert!(!is_good(value.clone()), "{value}");
        }
    }

    #[test]
    fn an_update_without_a_password_keeps_it_and_a_create_needs_one() {
        let field = Field::required("password", Kind::Password);
        assert_eq!(field.check(None, Purpose::Update), Ok(None));
        assert_eq!(field.check(None, Purpose::Create), Err("is required".to_owned()));
    }

    #[test]
    fn an_absent_optional_field_is_stored_as_nothing() {
        let field = Field::optional("notes", Kind::Text(10));
        assert_eq!(field.check(None, Purpose::Update), Ok(Some(Value::NoText)));
        assert_eq!(field.check(Some(&json!(null)), Purpose::Create), Ok(Some(Value::NoText)));
    }

    #[test]
    fn a_text_with_a_nul_is_refused_before_a_database_does() {
        let field = Field::required("name", Kind::Text(10));
        assert_eq!(field.check(Some(&json!("a\0b")), Purpose::Create), Err("must not hold a NUL character".to_owned()));
    }

    #[test]
    fn ids_have_one_form_only() {
        assert!(is_id("67e55044-10b1-426f-9247-bb680e5fe0c8"));
        assert!(
            !is_id("67E55044-10B1-426F-9247-BB680E5FE0C8") && !is_id("67e5504410b1426f9247bb680e5fe0c8") && !is_id("1")
        );
    }
}
