//! The elements of lists, the entries of mappings and the payload of enums, one reader each.

use super::{ReadError, Reader, Session};
use crate::node::{Key, Node, Value, child};
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, EnumAccess, IntoDeserializer as _, MapAccess, SeqAccess, VariantAccess, Visitor};

/// The elements of a list, without those that failed before.
pub(super) struct Elements<'a> {
    items: std::iter::Enumerate<std::slice::Iter<'a, Node>>,
    path: String,
    session: &'a Session,
}

impl<'a> Elements<'a> {
    pub(super) fn new(items: &'a [Node], path: &str, session: &'a Session) -> Self {
        Self { items: items.iter().enumerate(), path: path.to_owned(), session }
    }
}

impl<'de, 'a: 'de> SeqAccess<'de> for Elements<'a> {
    type Error = ReadError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, ReadError> {
        for (index, node) in self.items.by_ref() {
            let path = format!("{}[{index}]", self.path);
            if !self.session.left_out(&path) {
                return seed.deserialize(Reader { node, path, session: self.session }).map(Some);
            }
        }
        Ok(None)
    }
}

/// The entries of a mapping, without those that failed before; for a struct also without unknown keys, which were noted,
/// and without empty values: `checks:` with nothing behind it is as if it were not written.
pub(super) struct Entries<'a> {
    entries: std::slice::Iter<'a, (Key, Node)>,
    fields: Option<&'static [&'static str]>,
    path: String,
    session: &'a Session,
    next: Option<(&'a Node, String)>,
}

impl<'a> Entries<'a> {
    pub(super) fn new(entries: &'a [(Key, Node)], path: &str, session: &'a Session) -> Self {
        Self { entries: entries.iter(), fields: None, path: path.to_owned(), session, next: None }
    }

    pub(super) fn of_struct(
        entries: &'a [(Key, Node)],
        fields: &'static [&'static str],
        path: &str,
        session: &'a Session,
    ) -> Self {
        Self { fields: Some(fields), ..Self::new(entries, path, session) }
    }

    fn wanted(&self, key: &Key, node: &Node, path: &str) -> bool {
        let known = self.fields.is_none_or(|fields| fields.contains(&key.name.as_str()) && node.value != Value::Null);
        known && !self.session.left_out(path)
    }
}

impl<'de, 'a: 'de> MapAccess<'de> for Entries<'a> {
    type Error = ReadError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ReadError> {
        while let Some((key, node)) = self.entries.next() {
            let path = child(&self.path, &key.name);
            if self.wanted(key, node, &path) {
                let name: StrDeserializer<'_, ReadError> = key.name.as_str().into_deserializer();
                let read = seed.deserialize(name).map_err(|error| error.at(&path, key.at));
                self.next = Some((node, path));
                return read.map(Some);
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, ReadError> {
        let (node, path) = self.next.take().ok_or_else(|| ReadError::plain("a value was asked for before its key"))?;
        seed.deserialize(Reader { node, path, session: self.session })
    }
}

/// An enum written as a mapping of one key: the variant and what belongs to it.
pub(super) struct Variant<'a> {
    entry: Option<&'a (Key, Node)>,
    path: String,
    session: &'a Session,
}

impl<'a> Variant<'a> {
    pub(super) fn new(entries: &'a [(Key, Node)], path: &str, session: &'a Session) -> Self {
        Self { entry: entries.first(), path: path.to_owned(), session }
    }
}

impl<'de, 'a: 'de> EnumAccess<'de> for Variant<'a> {
    type Error = ReadError;
    type Variant = Reader<'a>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Reader<'a>), ReadError> {
        let (key, node) = self.entry.ok_or_else(|| ReadError::plain("expected one word, found nothing"))?;
        let name: StrDeserializer<'_, ReadError> = key.name.as_str().into_deserializer();
        let value = seed.deserialize(name).map_err(|error| error.at(&self.path, key.at))?;
        Ok((value, Reader { node, path: child(&self.path, &key.name), session: self.session }))
    }
}

impl<'de, 'a: 'de> VariantAccess<'de> for Reader<'a> {
    type Error = ReadError;

    fn unit_variant(self) -> Result<(), ReadError> {
        match self.node.value {
            Value::Null => Ok(()),
            _ => Err(self.expected("nothing")),
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
