//! The steps of a journey as written: every scalar is still text with its place, nothing is checked but the keys.

use super::raw::Several;
use super::yaml::At;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;

/// An item of `steps`.
#[derive(Debug)]
pub(super) enum RawStep {
    File(String),
    WebSocket(Box<RawWebSocket>),
}

/// A WebSocket among the steps.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWebSocket {
    pub(super) websocket: At<String>,
    pub(super) name: Option<At<String>>,
    pub(super) headers: Option<BTreeMap<String, At<String>>>,
    pub(super) send: Option<At<Several>>,
    pub(super) expect: Option<At<RawExpect>>,
    pub(super) capture: Option<BTreeMap<String, At<String>>>,
    pub(super) messages: Option<At<String>>,
    pub(super) timeout: Option<At<String>>,
    pub(super) insecure: Option<At<String>>,
    pub(super) cacert: Option<At<String>>,
}

/// `expect`.
#[derive(Debug)]
pub(super) enum RawExpect {
    Text(String),
    Of(Box<RawComparison>),
}

/// `expect` as a map.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawComparison {
    pub(super) jsonpath: Option<At<String>>,
    pub(super) equals: Option<At<String>>,
    pub(super) contains: Option<At<String>>,
    pub(super) matches: Option<At<String>>,
}

/// Takes a text, or a map of keys.
struct TextOr<T, R>(&'static str, fn(String) -> R, fn(Box<T>) -> R);

impl<'de, T: Deserialize<'de>, R> Visitor<'de> for TextOr<T, R> {
    type Value = R;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<R, E> {
        Ok(self.1(text.to_owned()))
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<R, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Box::new).map(self.2)
    }
}

impl<'de> Deserialize<'de> for RawStep {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOr("a file's name or the keys of a WebSocket", Self::File, Self::WebSocket))
    }
}

impl<'de> Deserialize<'de> for RawExpect {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOr("a text or one of its comparisons", Self::Text, Self::Of))
    }
}

impl RawWebSocket {
    /// As it stands in the file, environment not filled in: what the fingerprint covers.
    pub(super) fn written(&self) -> String {
        let mut lines = vec![format!("websocket {}", self.websocket.value)];
        let mut add = |key: &str, at: Option<&At<String>>| lines.extend(at.map(|at| format!("{key} {}", at.value)));
        add("name", self.name.as_ref());
        self.headers.iter().flatten().for_each(|(name, at)| add(&format!("header {name}"), Some(at)));
        match self.send.as_ref().map(|send| &send.value) {
            None => {}
            Some(Several::One(text)) => lines.push(format!("send {text}")),
            Some(Several::Many(texts)) => lines.extend(texts.iter().map(|at| format!("send {}", at.value))),
        }
        let mut add = |key: &str, at: Option<&At<String>>| lines.extend(at.map(|at| format!("{key} {}", at.value)));
        self.capture.iter().flatten().for_each(|(name, at)| add(&format!("capture {name}"), Some(at)));
        add("messages", self.messages.as_ref());
        add("timeout", self.timeout.as_ref());
        add("insecure", self.insecure.as_ref());
        add("cacert", self.cacert.as_ref());
        match self.expect.as_ref().map(|expect| &expect.value) {
            None => {}
            Some(RawExpect::Text(text)) => lines.push(format!("expect {text}")),
            Some(RawExpect::Of(of)) => {
                add("jsonpath", of.jsonpath.as_ref());
                add("equals", of.equals.as_ref());
                add("contains", of.contains.as_ref());
                add("matches", of.matches.as_ref());
            }
        }
        lines.join("\n")
    }
}
