//! serde over nodes: lenient where an operator's intent is plain, and every mistake in one pass instead of the first only.
//!
//! serde stops at the first error. So [`all`] reads again with the failed value left out, until nothing new fails.

mod access;
mod error;
mod path;

use super::{Key, Node, Problem, Problems, Value, did_you_mean};
use crate::secret::{self, Secret};
use crate::small;
use access::{Elements, Entries, Variant};
use error::ReadError;
use path::Path;
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, Deserializer, IntoDeserializer as _, Visitor};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// More mistakes than anyone mends in one go; the rest shows at the next reading.
const MISTAKES: usize = 50;

/// What is found on the way.
#[derive(Default)]
struct Session {
    /// Paths whose values failed and are left out.
    failed: RefCell<BTreeSet<String>>,
    /// Unknown keys and failed values, each once.
    found: RefCell<Vec<Problem>>,
    /// The paths of values that were read as a [`Secret`], with the values.
    secrets: RefCell<Vec<(String, Secret)>>,
}

impl Session {
    fn note(&self, problem: Problem) {
        let mut found = self.found.borrow_mut();
        if !found.contains(&problem) {
            found.push(problem);
        }
    }

    fn left_out(&self, path: Path<'_>) -> bool {
        let failed = self.failed.borrow();
        !failed.is_empty() && failed.contains(&path.text())
    }
}

/// Reads `T`; every mistake goes to `problems` in the order written. What could be read is given out also after mistakes, with
/// the values that failed left out; the second answer says whether there were none.
pub(super) fn all<T: DeserializeOwned>(node: &Node, path: &str, problems: &mut Problems) -> (Option<T>, bool) {
    let mut value = None;
    let sound = again_and_again(node, path, problems, &mut |reader| {
        value = Some(T::deserialize(reader)?);
        Ok(())
    });
    (value, sound)
}

/// Reads until nothing new fails; whether nothing failed at all. The same code for all types.
fn again_and_again(
    node: &Node,
    path: &str,
    problems: &mut Problems,
    read: &mut dyn FnMut(Reader<'_>) -> Result<(), ReadError>,
) -> bool {
    let session = Session::default();
    let mut mistakes = 0;
    while let Err(error) = read(Reader { node, path: Path::Root(path), session: &session }) {
        let problem = error.into_problem(path, node.at);
        // A key is "missing" after its value was left out: that is our doing and not the operator's.
        let new = problem.path != path && session.failed.borrow_mut().insert(problem.path.clone());
        if new || mistakes == 0 {
            session.note(problem);
        }
        mistakes += 1;
        if !new || mistakes >= MISTAKES {
            break;
        }
    }
    let mut found = session.found.into_inner();
    small::sort_by_key(&mut found, |problem| problem.at);
    problems.0.append(&mut found);
    session.secrets.into_inner().into_iter().for_each(|(path, value)| problems.confide(&path, value));
    mistakes == 0
}

/// One node on its way into a type.
#[derive(Clone, Copy)]
struct Reader<'a> {
    node: &'a Node,
    path: Path<'a>,
    session: &'a Session,
}

impl<'a> Reader<'a> {
    fn expected(&self, what: &dyn std::fmt::Display) -> ReadError {
        self.here(ReadError::plain(format!("expected {what}, found {}", self.node.shape())))
    }

    fn here(&self, error: ReadError) -> ReadError {
        error.at(self.path, self.node.at)
    }

    /// Whole numbers, also written as text (`"8080"`, `${PORT}`), within the range of the type asked for.
    fn whole(&self, least: i64, most: i64) -> Result<i64, ReadError> {
        let number = match &self.node.value {
            Value::Integer(number) => Some(*number),
            Value::Text(text) => text.trim().parse().ok(),
            _ => None,
        };
        let wanted = || match (least, most) {
            (0, most) if most >= i64::from(u32::MAX) => "a whole number, 0 or more".to_owned(),
            (i64::MIN, i64::MAX) => "a whole number".to_owned(),
            _ => format!("a whole number from {least} to {most}"),
        };
        number.filter(|number| (least..=most).contains(number)).ok_or_else(|| self.expected(&wanted()))
    }

    fn float(&self) -> Result<f64, ReadError> {
        let number = match &self.node.value {
            #[expect(clippy::cast_precision_loss, reason = "a setting this large has no meaning anyway")]
            Value::Integer(number) => Some(*number as f64),
            Value::Float(number) => Some(*number),
            Value::Text(text) => text.trim().parse().ok(),
            _ => None,
        };
        number.filter(|number| number.is_finite()).ok_or_else(|| self.expected(&"a number"))
    }

    fn truth(&self) -> Result<bool, ReadError> {
        let written = match &self.node.value {
            Value::Bool(value) => return Ok(*value),
            Value::Text(text) => text.trim().to_ascii_lowercase(),
            _ => String::new(),
        };
        match written.as_str() {
            "true" | "yes" | "on" => Ok(true),
            "false" | "no" | "off" => Ok(false),
            _ => Err(self.expected(&"`true` or `false`")),
        }
    }

    /// Text; a number or truth value stands for the characters that were written.
    fn written(&self) -> Result<String, ReadError> {
        match &self.node.value {
            Value::Text(text) => Ok(text.clone()),
            Value::Integer(number) => Ok(number.to_string()),
            Value::Float(number) => Ok(number.to_string()),
            Value::Bool(value) => Ok(value.to_string()),
            Value::Null | Value::List(_) | Value::Map(_) => Err(self.expected(&"text")),
        }
    }

    /// A list; a single value stands for a list of one.
    fn elements(&self) -> Result<&'a [Node], ReadError> {
        match &self.node.value {
            Value::List(items) => Ok(items),
            Value::Null | Value::Map(_) => Err(self.expected(&"a list")),
            _ => Ok(std::slice::from_ref(self.node)),
        }
    }

    fn list(&'a self, items: &'a [Node]) -> Elements<'a> {
        Elements { items: items.iter().enumerate(), path: &self.path, session: self.session }
    }

    fn mapping(&'a self, entries: &'a [(Key, Node)]) -> Entries<'a> {
        Entries { entries: entries.iter(), fields: None, path: &self.path, session: self.session, next: None }
    }

    /// The entries of a struct with these fields; nothing written is a struct of defaults.
    fn fields(&'a self, fields: &'static [&'static str]) -> Result<Entries<'a>, ReadError> {
        let entries: &[_] = match &self.node.value {
            Value::Map(entries) => entries,
            Value::Null => &[],
            _ => return Err(self.expected(&format_args!("a mapping with the keys {}", fields.join(", ")))),
        };
        self.note_unknown_keys(fields);
        Ok(Entries { fields: Some(fields), ..self.mapping(entries) })
    }

    fn note_unknown_keys(&self, known: &[&str]) {
        for (key, _) in self.node.entries().iter().filter(|(key, _)| !known.contains(&key.name.as_str())) {
            self.session.note(Problem {
                message: format!("unknown key `{}`", key.name),
                path: Path::Key(&self.path, &key.name).text(),
                at: key.at,
                hint: Some(did_you_mean(&key.name, "keys", known)),
            });
        }
    }
}

macro_rules! whole_numbers {
    ($($method:ident: $least:expr, $most:expr;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
            let number = self.whole($least, $most)?;
            visitor.visit_i64(number).map_err(|error| self.here(error))
        }
    )*};
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = ReadError;

    whole_numbers! {
        deserialize_i8: i64::from(i8::MIN), i64::from(i8::MAX);
        deserialize_i16: i64::from(i16::MIN), i64::from(i16::MAX);
        deserialize_i32: i64::from(i32::MIN), i64::from(i32::MAX);
        deserialize_i64: i64::MIN, i64::MAX;
        deserialize_u8: 0, i64::from(u8::MAX);
        deserialize_u16: 0, i64::from(u16::MAX);
        deserialize_u32: 0, i64::from(u32::MAX);
        deserialize_u64: 0, i64::MAX;
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let result = match &self.node.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Integer(number) => visitor.visit_i64(*number),
            Value::Float(number) => visitor.visit_f64(*number),
            Value::Text(text) => visitor.visit_str(text),
            Value::List(items) => visitor.visit_seq(self.list(items)),
            Value::Map(entries) => visitor.visit_map(self.mapping(entries)),
        };
        result.map_err(|error| self.here(error))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let value = self.truth()?;
        visitor.visit_bool(value).map_err(|error| self.here(error))
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let number = self.float()?;
        visitor.visit_f64(number).map_err(|error| self.here(error))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let text = self.written()?;
        visitor.visit_string(text).map_err(|error| self.here(error))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.node.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        if name == secret::TYPE
            && let Ok(value) = self.written()
        {
            self.session.secrets.borrow_mut().push((self.path.text(), Secret::new(value)));
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let items = self.elements()?;
        visitor.visit_seq(self.list(items)).map_err(|error| self.here(error))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let Value::Map(entries) = &self.node.value else { return Err(self.expected(&"a mapping")) };
        visitor.visit_map(self.mapping(entries)).map_err(|error| self.here(error))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        let entries = self.fields(fields)?;
        visitor.visit_map(entries).map_err(|error| self.here(error))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        let result = match &self.node.value {
            Value::Text(text) => {
                let variant: StrDeserializer<'_, ReadError> = text.as_str().into_deserializer();
                visitor.visit_enum(variant)
            }
            Value::Map(entries) if entries.len() == 1 => {
                visitor.visit_enum(Variant { entry: entries.first(), path: &self.path, session: self.session })
            }
            _ => return Err(self.expected(&"one word")),
        };
        result.map_err(|error| self.here(error))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_unit()
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_seq(visitor)
    }

    serde::forward_to_deserialize_any! { i128 u128 bytes byte_buf unit unit_struct tuple_struct identifier }
}
