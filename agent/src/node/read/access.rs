//! The elements of lists, the entries of mappings and the payload of enums, one reader each.

use super::path::Path;
use super::{ReadError, Reader, Session};
use crate::node::{Key, Node, Value};
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, EnumAccess, IntoDeserializer as _, MapAccess, SeqAccess, VariantAccess, Visitor};

/// The elements of a list, without those that failed before.
pub(super) struct Elements<'a> {
    pub(super) items: std::iter::Enumerate<std::slice::Iter<'a, Node>>,
    pub(super) path: &'a Path<'a>,
    pub(super) session: &'a Session,
}

impl<'a> Elements<'a> {
    fn next_reader(&mut self) -> Option<Reader<'a>> {
        let (path, session) = (self.path, self.session);
        let reader = |(index, node)| Reader { node, path: Path::Element(path, index), session };
        self.items.by_ref().map(reader).find(|reader| !session.left_out(reader.path))
    }
}

impl<'de> SeqAccess<'de> for Elements<'_> {
    type Error = ReadError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, ReadError> {
        self.next_reader().map(|reader| seed.deserialize(reader)).transpose()
    }
}

/// The entries of a mapping, without those that failed before; for a struct also without unknown keys, which were noted,
/// and without empty values: `checks:` with nothing behind it is as if it were not written.
pub(super) struct Entries<'a> {
    pub(super) entries: std::slice::Iter<'a, (Key, Node)>,
    pub(super) fields: Option<&'static [&'static str]>,
    pub(super) path: &'a Path<'a>,
    pub(super) session: &'a Session,
    pub(super) next: Option<Reader<'a>>,
}

impl<'a> Entries<'a> {
    fn next_entry(&mut self) -> Option<&'a Key> {
        for (key, node) in self.entries.by_ref() {
            let reader = Reader { node, path: Path::Key(self.path, &key.name), session: self.session };
            let empty = || node.value == Value::Null;
            let known = self.fields.is_none_or(|fields| fields.contains(&key.name.as_str()) && !empty());
            if known && !self.session.left_out(reader.path) {
                self.next = Some(reader);
                return Some(key);
            }
        }
        None
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = ReadError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ReadError> {
        let Some(key) = self.next_entry() else { return Ok(None) };
        let name: StrDeserializer<'_, ReadError> = key.name.as_str().into_deserializer();
        seed.deserialize(name).map(Some).map_err(|error| error.at(Path::Key(self.path, &key.name), key.at))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, ReadError> {
        let next = self.next.take().ok_or_else(|| ReadError::plain("a value was asked for before its key"))?;
        seed.deserialize(next)
    }
}

/// An enum written as a mapping of one key: the variant and what belongs to it.
pub(super) struct Variant<'a> {
    pub(super) entry: Option<&'a (Key, Node)>,
    pub(super) path: &'a Path<'a>,
    pub(super) session: &'a Session,
}

impl<'de, 'a> EnumAccess<'de> for Variant<'a> {
    type Error = ReadError;
    type Variant = Reader<'a>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Reader<'a>), ReadError> {
        let (key, node) = self.entry.ok_or_else(|| ReadError::plain("expected one word, found nothing"))?;
        let name: StrDeserializer<'_, ReadError> = key.name.as_str().into_deserializer();
        let value = seed.deserialize(name).map_err(|error| error.at(*self.path, key.at))?;
        Ok((value, Reader { node, path: Path::Key(self.path, &key.name), session: self.session }))
    }
}

impl<'de> VariantAccess<'de> for Reader<'_> {
    type Error = ReadError;

    fn unit_variant(self) -> Result<(), ReadError> {
        match self.node.value {
            Value::Null => Ok(()),
            _ => Err(self.expected(&"nothing")),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, ReadError> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, ReadError> {
        serde::Deserializer::deserialize_seq(self, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        serde::Deserializer::deserialize_struct(self, "", fields, visitor)
    }
}
