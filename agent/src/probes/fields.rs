//! From a check's own keys to a probe's parameters, and the names of those keys as serde knows them, so that the table of a kind
//! can be held against the type that is really read.

use crate::node::{Node, Problems, Value};
use serde::de::value::Error;
use serde::de::{DeserializeOwned, Deserializer, Error as _, Visitor};
use serde::forward_to_deserialize_any;

/// Reads a probe's parameters; a check without keys of its own has the defaults.
pub fn parameters<T: DeserializeOwned>(own: &Node, problems: &mut Problems) -> Option<T> {
    match own.value {
        Value::Null => Node { value: Value::Map(Vec::new()), at: own.at }.read("", problems),
        _ => own.read("", problems),
    }
}

/// The field names of a struct that derives `Deserialize` (without `flatten`, which hides them).
#[must_use]
pub fn fields_of<T: DeserializeOwned>() -> &'static [&'static str] {
    let mut names: &'static [&'static str] = &[];
    // The answer is in what is asked for; there is nothing to give.
    let _ = T::deserialize(Asked(&mut names));
    names
}

/// A deserializer that notes which fields are asked for.
struct Asked<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Asked<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("no struct"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        *self.0 = fields;
        Err(Error::custom("only the names were wanted"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_fields_of_a_struct() {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "kebab-case")]
        #[expect(dead_code, reason = "only its names are read")]
        struct Two {
            one_thing: u8,
            other: String,
        }
        assert_eq!(fields_of::<Two>(), ["one-thing", "other"]);
        assert!(fields_of::<String>().is_empty());
    }
}
