//! Headers that may be added to every answer: those that exporter-toolkit allows, with the values that make sense.

use super::Found;
use http::header::{HeaderName, HeaderValue};
use std::collections::BTreeMap;

/// The name, and its values; an empty list takes any.
const ALLOWED: &[(&str, &[&str])] = &[
    ("content-security-policy", &[]),
    ("strict-transport-security", &[]),
    ("x-content-type-options", &["nosniff"]),
    ("x-frame-options", &["deny", "sameorigin"]),
    ("x-xss-protection", &[]),
];

/// Checks the names and values.
pub(super) fn check(raw: &BTreeMap<String, String>, found: &mut Found) -> Vec<(HeaderName, HeaderValue)> {
    raw.iter().filter_map(|(name, value)| one(name, value, found)).collect()
}

fn one(name: &str, value: &str, found: &mut Found) -> Option<(HeaderName, HeaderValue)> {
    let path = format!("http_server_config.headers.{name}");
    let lower = name.to_ascii_lowercase();
    let Some((known, values)) = ALLOWED.iter().find(|(known, _)| *known == lower) else {
        let names = ALLOWED.iter().map(|(known, _)| *known).collect::<Vec<_>>().join(", ");
        found.add(&path, format!("header `{name}` cannot be set"), &format!("these can: {names}"));
        return None;
    };
    if !values.is_empty() && !values.contains(&value.to_ascii_lowercase().as_str()) {
        found.add(&path, format!("`{value}` is no value of {name}"), &format!("one of: {}", values.join(", ")));
        return None;
    }
    let Ok(checked) = HeaderValue::from_str(value) else {
        found.add(&path, format!("the value of {name} holds a control character"), "write it on one line");
        return None;
    };
    Some((HeaderName::from_static(known), checked))
}
