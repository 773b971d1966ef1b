//! A `Set-Cookie` header as the `cookie` query sees it: as written, without a browser's rules. [`super::cookies`] has those.

use super::number::Number;
use super::value::Value;
use chrono::{DateTime, NaiveDateTime, Utc};

/// What of a cookie is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// Its value.
    Value,
    /// When it expires, as a date.
    Expires,
    /// How many seconds it lives.
    MaxAge,
    /// Its domain.
    Domain,
    /// Its path.
    Path,
    /// Whether it is for HTTPS only.
    Secure,
    /// Whether scripts may not read it.
    HttpOnly,
    /// Its policy across sites.
    SameSite,
}

/// A cookie as a response sets it.
#[derive(Debug)]
pub(super) struct SetCookie<'a> {
    /// Its name.
    pub name: &'a str,
    value: &'a str,
    attributes: &'a str,
}

impl<'a> SetCookie<'a> {
    /// Splits a header's value; without `=` it is no cookie.
    #[must_use]
    pub(super) fn parse(header: &'a str) -> Option<Self> {
        let (name, rest) = header.split_once('=')?;
        let (value, attributes) = rest.split_once(';').unwrap_or((rest, ""));
        Some(Self { name, value, attributes })
    }

    fn attributes(&self) -> impl Iterator<Item = (&'a str, Option<&'a str>)> {
        self.attributes.split(';').filter(|part| !part.is_empty()).map(|part| {
            let mut pieces = part.split('=');
            (pieces.next().unwrap_or_default().trim(), pieces.next())
        })
    }

    fn attribute(&self, name: &str) -> Option<&'a str> {
        self.attributes().find(|(key, _)| key.eq_ignore_ascii_case(name)).and_then(|(_, value)| value)
    }

    fn flag(&self, name: &str) -> Option<Value> {
        let set = self.attributes().any(|(key, value)| key.eq_ignore_ascii_case(name) && value.is_none());
        set.then_some(Value::Unit)
    }

    /// What is asked for, if it is there.
    ///
    /// # Errors
    /// When the date cannot be read: the date.
    pub(super) fn look(&self, attribute: Attribute) -> Result<Option<Value>, String> {
        let text = |name| self.attribute(name).map(Value::text);
        Ok(match attribute {
            Attribute::Value => Some(Value::text(self.value)),
            Attribute::Expires => match self.attribute("expires") {
                Some(text) => Some(Value::Date(date(text).ok_or_else(|| text.to_owned())?)),
                None => None,
            },
            Attribute::MaxAge => {
                let mut ages = self.attributes().filter(|(key, _)| key.eq_ignore_ascii_case("max-age"));
                ages.find_map(|(_, value)| value?.parse().ok()).map(|age| Value::Number(Number::Integer(age)))
            }
            Attribute::Domain => text("domain"),
            Attribute::Path => text("path"),
            Attribute::Secure => self.flag("secure"),
            Attribute::HttpOnly => self.flag("httponly"),
            Attribute::SameSite => text("samesite"),
        })
    }
}

fn date(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(date) = DateTime::parse_from_rfc2822(text) {
        return Some(date.with_timezone(&Utc));
    }
    let dashed = NaiveDateTime::parse_from_str(text, "%a, %d-%b-%Y %H:%M:%S%.3f GMT");
    dashed.ok().map(|date| date.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(attribute: Attribute, expected: &str) {
        let header =
            "a=b=c; Expires=Wed, 13-Jan-2021 22:23:01 GMT; max-age=60; Path=/x; SECURE; HttpOnly=; SameSite=Lax";
        let value = SetCookie::parse(header).unwrap().look(attribute).unwrap();
        assert_eq!(value.map_or_else(|| "none".to_owned(), |value| value.describe()), expected, "{attribute:?}");
    }

    #[test]
    fn attributes_are_found_by_name_whatever_their_case() {
        check(Attribute::Value, "string `b=c`");
        check(Attribute::Expires, "date `2021-01-13T22:23:01.000000Z`");
        check(Attribute::MaxAge, "integer `60`");
        check(Attribute::Path, "string `/x`");
        check(Attribute::Domain, "none");
        check(Attribute::Secure, "unit");
        check(Attribute::HttpOnly, "none");
        check(Attribute::SameSite, "string `Lax`");
    }

    #[test]
    fn a_header_without_equals_is_no_cookie_and_a_bad_date_is_named() {
        assert!(SetCookie::parse("a").is_none());
        let bad = SetCookie::parse("a=b;Expires=soon").unwrap().look(Attribute::Expires);
        assert_eq!(bad, Err("soon".to_owned()));
    }
}
