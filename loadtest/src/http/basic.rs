//! Basic authentication (RFC 7617), and the user and password that a URL may hold.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::Url;

/// The field's value for `user:password`.
#[must_use]
pub fn basic(user: &str) -> String {
    format!("Basic {}", STANDARD.encode(user))
}

/// `user:password` of a URL, when it names either.
#[must_use]
pub fn user_of(url: &Url) -> Option<String> {
    let decode = |text| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let named = !url.username().is_empty() || url.password().is_some();
    named.then(|| format!("{}:{}", decode(url.username()), decode(url.password().unwrap_or_default())))
}
