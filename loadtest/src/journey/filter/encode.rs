//! Filters between bytes and text, and of URLs.

use super::{Answer, Call};
use crate::journey::template::Template;
use crate::journey::value::Value;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};

/// All but RFC 3986's unreserved characters and `/`.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

pub(super) fn base64_decode(call: &Call<'_>) -> Answer {
    let decoded = STANDARD.decode(call.text("base64 string")?);
    decoded.map(|bytes| Some(Value::Bytes(bytes.into()))).map_err(|_| call.bad("the string is not base64"))
}

pub(super) fn base64_encode(call: &Call<'_>) -> Answer {
    call.bytes().map(|bytes| Some(Value::String(STANDARD.encode(bytes))))
}

pub(super) fn base64_url_decode(call: &Call<'_>) -> Answer {
    let decoded = URL_SAFE_NO_PAD.decode(call.text("string")?);
    let bad = |_| call.bad("the string is not base64 in its URL-safe form, without padding");
    decoded.map(|bytes| Some(Value::Bytes(bytes.into()))).map_err(bad)
}

pub(super) fn base64_url_encode(call: &Call<'_>) -> Answer {
    call.bytes().map(|bytes| Some(Value::String(URL_SAFE_NO_PAD.encode(bytes))))
}

pub(super) fn charset_decode(call: &Call<'_>, charset: &Template) -> Answer {
    let charset = charset.render(call.scope)?;
    let bytes = call.bytes()?;
    let encoding = encoding_rs::Encoding::for_label(charset.as_bytes());
    let encoding = encoding.ok_or_else(|| call.bad(format!("the charset `{charset}` is unknown")))?;
    let text = encoding.decode_without_bom_handling_and_without_replacement(bytes);
    text.map(|text| Some(Value::text(text))).ok_or_else(|| call.bad(format!("the bytes are not {charset} text")))
}

pub(super) fn url_decode(text: &str) -> Value {
    Value::text(percent_encoding::percent_decode_str(text).decode_utf8_lossy())
}

pub(super) fn url_encode(text: &str) -> Value {
    Value::text(percent_encoding::utf8_percent_encode(text, RESERVED).to_string())
}

pub(super) fn url_query_param(call: &Call<'_>, name: &Template) -> Answer {
    let name = name.render(call.scope)?;
    let text = call.text("string")?;
    let url = crate::journey::request::parse_url(text).map_err(|reason| call.bad(format!("`{text}` {reason}")))?;
    let value = url.query_pairs().find(|(key, _)| *key == name).map(|(_, value)| Value::text(value.into_owned()));
    Ok(value)
}
