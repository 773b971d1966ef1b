//! The value of a key: a scalar as what it is, a nested value as its JSON. What must stay true: numbers go out as they are written, and of a
//! nested value all that may be secret is known.

use crate::journey::{JsonReader, NotJson, Number, Value};
use crate::redact::looks_secret;

/// Reads the value of a key; adds what must not be shown of a nested one.
pub(super) fn cell(
    reader: &mut JsonReader<'_>,
    depth: usize,
    key: &str,
    hidden: &mut Vec<String>,
) -> Result<Value, NotJson> {
    if matches!(reader.next_byte(), Some(b'{' | b'[')) {
        let mut nested = Nested { text: String::new(), hidden };
        nested.copy(reader, depth, looks_secret(key))?;
        return Ok(Value::String(nested.text));
    }
    let start = reader.at();
    Ok(match reader.value(depth)? {
        Value::Number(_) => Value::Number(Number::as_written(reader.since(start))),
        other => other,
    })
}

/// A nested value, written anew without white space; all else stays: order, numbers, keys that occur twice.
struct Nested<'a> {
    text: String,
    hidden: &'a mut Vec<String>,
}

impl Nested<'_> {
    fn copy(&mut self, reader: &mut JsonReader<'_>, depth: usize, secret: bool) -> Result<(), NotJson> {
        match reader.next_byte() {
            Some(b'{') => {
                self.text.push('{');
                reader.members(depth, |reader, key, depth| {
                    self.comma();
                    self.text += &quoted(&key);
                    self.text.push(':');
                    self.copy(reader, depth, secret || looks_secret(&key))
                })?;
                self.text.push('}');
            }
            Some(b'[') => {
                self.text.push('[');
                reader.items(depth, |reader, depth| {
                    self.comma();
                    self.copy(reader, depth, secret)
                })?;
                self.text.push(']');
            }
            _ => self.scalar(reader, depth, secret)?,
        }
        Ok(())
    }

    /// Before an item, unless it is the first.
    fn comma(&mut self) {
        if !self.text.ends_with(['{', '[']) {
            self.text.push(',');
        }
    }

    fn scalar(&mut self, reader: &mut JsonReader<'_>, depth: usize, secret: bool) -> Result<(), NotJson> {
        let start = reader.at();
        let value = reader.value(depth)?;
        let text = match &value {
            Value::String(text) => quoted(text),
            _ => reader.since(start).to_owned(),
        };
        self.text += &text;
        match value {
            // As it stands in the JSON, and as it is.
            Value::String(value) if secret => {
                let within = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
                self.hidden.extend([within.unwrap_or(&text).to_owned(), value]);
            }
            Value::Number(_) if secret => self.hidden.push(text),
            _ => {}
        }
        Ok(())
    }
}

/// A JSON string.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
