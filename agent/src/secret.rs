//! A value that no log, page, report or error may show (invariant 8): its `Debug` and `Display` print stars.

use std::borrow::Cow;
use std::fmt;

/// A password, token or key. Only [`Secret::expose`] gives it out, so every use can be searched for. As a newtype it tells whoever
/// reads one by which name ([`TYPE`]) that it is a secret.
#[derive(Clone, Default, PartialEq, Eq, serde::Deserialize)]
pub struct Secret(String);

/// What serde calls a [`Secret`].
pub const TYPE: &str = "Secret";

/// Words in a key that say that its value is nobody's business.
const TELLING_KEYS: &[&str] = &["pass", "secret", "token", "key", "auth", "cookie", "credential"];

/// Whether a key's name says that its value is nobody's business.
#[must_use]
pub fn is_telling(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    TELLING_KEYS.iter().any(|word| key.contains(word))
}

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself, for the peer that must see it and nobody else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// A text with stars between a `//` and the last `@` behind it: for messages that repeat what was written, for a URL may stand in the
/// wrong place.
#[must_use]
pub fn veiled(text: &str) -> Cow<'_, str> {
    let parts = text.split_once("//").and_then(|(before, rest)| Some((before, rest.rsplit_once('@')?.1)));
    parts.map_or(Cow::Borrowed(text), |(before, after)| Cow::Owned(format!("{before}//***@{after}")))
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_in_the_wrong_place_loses_its_credentials() {
        for (text, shown) in [
            ("not a port: `http://app:p/a?ss@db:1/x`", "not a port: `http://***@db:1/x`"),
            ("//a@b@c", "//***@c"),
            ("a@b // c", "a@b // c"),
            ("0.0.0.0:x", "0.0.0.0:x"),
        ] {
            assert_eq!(veiled(text), shown);
        }
    }

    #[test]
    fn a_secret_prints_stars() {
        let secret = Secret::new("hunter2");
        assert_eq!((format!("{secret} {secret:?}"), secret.expose()), ("*** ***".to_owned(), "hunter2"));
    }
}
