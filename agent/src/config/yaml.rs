//! YAML text into nodes with places. The only file that names the YAML crate.
//! What must stay true: whatever the text, reading ends, with memory in proportion to [`limits::CONFIG_EXPANDED_BYTES`]; a key
//! written twice, a second document or a tag is refused, for each hides what the operator meant. Files of others
//! ([`documents`]) may have them: they are noted, with their places.

use super::shifted::Shifted;
use crate::limits;
use crate::node::{Key, Node, Place, Value};
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, StrInput, Tag};
use std::collections::BTreeMap;

/// Why a text is no configuration, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct YamlError {
    pub(super) message: String,
    pub(super) at: Place,
    pub(super) hint: Option<&'static str>,
}

impl YamlError {
    fn new(at: Place, message: impl Into<String>) -> Self {
        Self { message: message.into(), at, hint: None }
    }

    fn hint(self, hint: &'static str) -> Self {
        Self { hint: Some(hint), ..self }
    }
}

/// What somebody else's file holds: its documents, and what would be refused in one of ours.
#[derive(Debug, Default)]
pub struct Documents {
    /// In the order written.
    pub documents: Vec<Node>,
    /// Keys that stand in a mapping a second time, with the place of the first; the first one counts.
    pub repeated: Vec<(Key, Place)>,
    /// Tags that are not YAML's own, with the place of the value that bears them.
    pub tags: Vec<(Place, String)>,
}

/// Reads all documents of a file whose rules are not ours.
pub(super) fn documents(text: &str) -> Result<Documents, YamlError> {
    let mut shifted = Shifted::new(text);
    loop {
        match documents_of(&shifted) {
            Err(error) if shifted.moves_for(&error) => {}
            Err(error) => return Err(shifted.meant(error)),
            Ok(documents) => return Ok(documents),
        }
    }
}

fn documents_of(shifted: &Shifted<'_>) -> Result<Documents, YamlError> {
    let mut reader = Reader::new(&shifted.text);
    reader.shifted = Some(shifted);
    reader.noted = Some(Documents::default());
    let mut documents = Vec::new();
    loop {
        match reader.next()? {
            (Event::DocumentStart(_), _) => documents.push(reader.node(0)?),
            (Event::StreamEnd, _) => return Ok(Documents { documents, ..reader.noted.unwrap_or_default() }),
            _ => {}
        }
    }
}

/// Reads the one document of a text; a text without one is an empty node.
pub(super) fn read(text: &str) -> Result<Node, YamlError> {
    let mut reader = Reader::new(text);
    let mut document = None;
    loop {
        match reader.next()? {
            (Event::DocumentStart(_), at) if document.is_some() => {
                return Err(YamlError::new(at, "a second document begins here")
                    .hint("a configuration is one document, remove the line `---`"));
            }
            (Event::DocumentStart(_), _) => document = Some(reader.node(0)?),
            (Event::StreamEnd, _) => return Ok(document.unwrap_or_default()),
            _ => {}
        }
    }
}

struct Reader<'t> {
    parser: Parser<'t, StrInput<'t>>,
    anchors: BTreeMap<usize, Node>,
    /// Bytes of all nodes so far, aliases written out.
    spent: usize,
    /// Where what is refused otherwise is noted; `None` refuses it.
    noted: Option<Documents>,
    /// What of the text was moved to the right.
    shifted: Option<&'t Shifted<'t>>,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Self {
        Self { parser: Parser::new_from_str(text), anchors: BTreeMap::new(), spent: 0, noted: None, shifted: None }
    }

    fn next(&mut self) -> Result<(Event<'t>, Place), YamlError> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, self.place(span.start))),
            Some(Err(error)) => Err(scan_error(self.place(*error.marker()), error.info())),
            None => Ok((Event::StreamEnd, Place::default())),
        }
    }

    fn place(&self, marker: Marker) -> Place {
        let (line, column) = (marker.line(), marker.col() + 1);
        Place { line, column: self.shifted.map_or(column, |shifted| shifted.column(line, column)) }
    }

    fn node(&mut self, depth: usize) -> Result<Node, YamlError> {
        let (event, at) = self.next()?;
        self.node_from(event, at, depth)
    }

    fn node_from(&mut self, event: Event<'t>, at: Place, depth: usize) -> Result<Node, YamlError> {
        if depth > limits::CONFIG_DEPTH {
            return Err(YamlError::new(at, format!("nested deeper than {} levels", limits::CONFIG_DEPTH)));
        }
        let (anchor, value) = match event {
            Event::Alias(id) => return self.alias(id, at),
            Event::Scalar(text, style, anchor, tag) => {
                let quoted = style != ScalarStyle::Plain || self.is_string(tag.as_deref(), at)?;
                (anchor, if quoted { Value::Text(text.into_owned()) } else { plain(&text) })
            }
            Event::SequenceStart(anchor, tag) => {
                self.is_string(tag.as_deref(), at)?;
                (anchor, self.list(depth)?)
            }
            Event::MappingStart(anchor, tag) => {
                self.is_string(tag.as_deref(), at)?;
                (anchor, self.map(depth)?)
            }
            _ => return Err(YamlError::new(at, "expected a value")),
        };
        let node = Node { value, at };
        self.spend(own_weight(&node), at)?;
        if anchor > 0 {
            self.spend(weight(&node), at)?;
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn alias(&mut self, id: usize, at: Place) -> Result<Node, YamlError> {
        let Some(node) = self.anchors.get(&id) else {
            return Err(YamlError::new(at, "this alias stands inside the value that it names"));
        };
        let weight = weight(node);
        let node = node.clone();
        self.spend(weight, at)?;
        Ok(node)
    }

    fn list(&mut self, depth: usize) -> Result<Value, YamlError> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Value::List(items)),
                (event, at) => items.push(self.node_from(event, at, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value, YamlError> {
        let mut entries = Entries::default();
        loop {
            match self.next()? {
                (Event::MappingEnd, _) => return Ok(Value::Map(entries.merged())),
                (Event::Scalar(name, style, _, _), at) => {
                    let node = self.node(depth + 1)?;
                    let key = Key { name: name.into_owned(), at };
                    if key.name == "<<" && style == ScalarStyle::Plain {
                        entries.merge(node, at)?;
                    } else {
                        entries.add(key, node, self.noted.as_mut())?;
                    }
                }
                (_, at) => return Err(YamlError::new(at, "a key must be plain text")),
            }
        }
    }

    /// Whether a tag asks for text. Tags of the core schema are accepted, all others refused or noted.
    fn is_string(&mut self, tag: Option<&Tag>, at: Place) -> Result<bool, YamlError> {
        match (tag, &mut self.noted) {
            (None, _) => Ok(false),
            (Some(tag), _) if tag.is_yaml_core_schema() => Ok(tag.suffix == "str"),
            (Some(tag), Some(noted)) => {
                noted.tags.push((at, tag.suffix.clone()));
                Ok(false)
            }
            (Some(tag), None) => Err(YamlError::new(at, format!("tags like `{tag}` are not supported"))),
        }
    }

    fn spend(&mut self, bytes: usize, at: Place) -> Result<(), YamlError> {
        self.spent = self.spent.saturating_add(bytes);
        if self.spent > limits::CONFIG_EXPANDED_BYTES {
            return Err(YamlError::new(at, "too large once its aliases are written out"));
        }
        Ok(())
    }
}

/// A mapping being read: its own entries, and those that `<<` brings.
#[derive(Default)]
struct Entries {
    own: Vec<(Key, Node)>,
    seen: BTreeMap<String, Place>,
    inherited: Vec<(Key, Node)>,
}

impl Entries {
    fn add(&mut self, key: Key, node: Node, noted: Option<&mut Documents>) -> Result<(), YamlError> {
        if let Some(first) = self.seen.insert(key.name.clone(), key.at) {
            if let Some(noted) = noted {
                noted.repeated.push((key, first));
                return Ok(());
            }
            let message = format!("the key `{}` stands here a second time, first in line {}", key.name, first.line);
            return Err(YamlError::new(key.at, message).hint("keep one of them"));
        }
        self.own.push((key, node));
        Ok(())
    }

    fn merge(&mut self, node: Node, at: Place) -> Result<(), YamlError> {
        match node.value {
            Value::Map(entries) => self.inherited.extend(entries),
            Value::List(items) => items.into_iter().try_for_each(|item| self.merge(item, at))?,
            _ => return Err(YamlError::new(at, "`<<` takes a mapping or a list of mappings")),
        }
        Ok(())
    }

    /// What is written here wins over what is inherited, and what was inherited first over what came later.
    fn merged(mut self) -> Vec<(Key, Node)> {
        for (key, node) in self.inherited {
            if !self.seen.contains_key(&key.name) {
                self.seen.insert(key.name.clone(), key.at);
                self.own.push((key, node));
            }
        }
        self.own
    }
}

/// A plain scalar. It is a number or a truth value only when written as that is printed, so that reading it as text loses
/// nothing: `password: 007` stays `007`.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" => return Value::Null,
        "true" => return Value::Bool(true),
        "false" => return Value::Bool(false),
        _ => {}
    }
    let integer = text.parse::<i64>().ok().filter(|number| number.to_string() == text);
    let float = text.parse::<f64>().ok().filter(|number| number.is_finite() && number.to_string() == text);
    match (integer, float) {
        (Some(number), _) => Value::Integer(number),
        (None, Some(number)) => Value::Float(number),
        (None, None) => Value::Text(text.to_owned()),
    }
}

/// What a node costs in memory, roughly, without what is in it.
fn own_weight(node: &Node) -> usize {
    let content = match &node.value {
        Value::Text(text) => text.len(),
        Value::Map(entries) => entries.iter().map(|(key, _)| key.name.len() + size_of::<Key>()).sum(),
        _ => 0,
    };
    size_of::<Node>() + content
}

fn weight(node: &Node) -> usize {
    let inner: usize = match &node.value {
        Value::List(items) => items.iter().map(weight).sum(),
        Value::Map(entries) => entries.iter().map(|(_, node)| weight(node)).sum(),
        _ => 0,
    };
    own_weight(node) + inner
}

fn scan_error(at: Place, info: &str) -> YamlError {
    let error = YamlError::new(at, format!("not valid YAML: {info}"));
    if info.contains("tab") {
        return error.hint("indent with spaces, YAML forbids tabs there");
    }
    if info.contains("mapping values are not allowed") {
        return error.hint("quote a value that contains `: `, and check the indentation above");
    }
    error
}

#[cfg(test)]
#[path = "yaml_tests.rs"]
mod tests;
