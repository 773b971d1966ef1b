//! The steps of a journey as a plan writes them: `files`, or `steps` of files and WebSockets.

use super::headers::{hidden, is_secret};
use super::journeys::several;
use super::origin::Origin;
use super::raw::{Key, RawJourney, Several};
use super::reader::{Reader, Text, count};
use super::yaml::At;
use crate::journey::{
    Address, CommonHeader, CommonHeaders, Comparison, Expectation, Kept, Named, Template, Wanted, WebSocketStep,
    message,
};
use crate::limits::{LATENCY_US, WEBSOCKET_ANSWER, WEBSOCKET_TRIPS};
use crate::problem::Problem;
use crate::units;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The keys of a WebSocket step, in the order of the reference.
pub const STEP_KEYS: &[Key] = &[
    (
        "websocket",
        "its URL, `ws://`, `wss://`, `http://` or `https://`, with Hurl's templates. Cookies and the plan's headers go along; \
         those that say who somebody is go to the target's own scheme, host and port only. A redirect is not followed",
        "\"{{target}}/ws\"",
    ),
    ("name", "name of its round trips; its opening is called `NAME (open)`; `WS /path` unless it is set", "echo"),
    ("headers", "headers of the opening, with Hurl's templates", "{Authorization: \"Bearer {{token}}\"}"),
    (
        "send",
        "a text, or a list of texts of which each round trip sends the next, over and over; without it the step only listens",
        "'{\"type\": \"ping\", \"id\": \"{{newUuid}}\"}'",
    ),
    (
        "expect",
        "what the answer is: a text, or one of `equals`, `contains` and `matches` (a regular expression), of the whole or of what \
         lies at `jsonpath`; `jsonpath` alone asks for something there. Values are compared as texts. Messages that do not fit are \
         skipped until one does. Without it, the next message is the answer",
        "{jsonpath: \"$.type\", equals: pong}",
    ),
    ("capture", "variables, and where in the answer their values lie, as JSONPaths", "{id: \"$.id\"}"),
    ("messages", "round trips on the connection; as many as `send` has texts unless it is set", "10"),
    ("timeout", "time for the opening, and for each round trip; 10s unless it is set", "5s"),
];

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
    websocket: At<String>,
    name: Option<At<String>>,
    headers: Option<BTreeMap<String, At<String>>>,
    send: Option<At<Several>>,
    expect: Option<At<RawExpect>>,
    capture: Option<BTreeMap<String, At<String>>>,
    messages: Option<At<String>>,
    timeout: Option<At<String>>,
}

/// `expect`.
#[derive(Debug)]
enum RawExpect {
    Text(String),
    Of(Box<RawComparison>),
}

/// `expect` as a map.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawComparison {
    jsonpath: Option<At<String>>,
    equals: Option<At<String>>,
    contains: Option<At<String>>,
    matches: Option<At<String>>,
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

/// A step that is checked, but for its file.
pub(super) enum WrittenStep {
    File(PathBuf, Text),
    WebSocket(Box<WebSocketStep>, Origin),
}

const SOUGHT: &str = "name an existing `.hurl` file; paths are relative to the plan's folder";

impl WrittenStep {
    /// What its journey is called when it has no name.
    pub(super) fn stem(&self) -> Option<String> {
        match self {
            Self::File(path, _) => Some(path.file_stem()?.to_string_lossy().into_owned()),
            Self::WebSocket(step, _) => Some(step.name.clone()),
        }
    }

    /// Where it was asked for.
    pub(super) const fn from(&self) -> &Origin {
        match self {
            Self::File(_, text) => &text.from,
            Self::WebSocket(_, from) => from,
        }
    }

    /// To be loaded, relative to the plan's folder.
    pub(super) fn wanted(self, folder: &Path) -> Wanted {
        match self {
            Self::File(file, text) => Wanted::File(Named { path: folder.join(file), place: text.place, hint: SOUGHT }),
            Self::WebSocket(step, _) => Wanted::WebSocket(step),
        }
    }
}

/// Reads the steps of a journey.
pub(super) fn read(reader: &mut Reader<'_>, raw: &RawJourney, path: &str) -> Vec<WrittenStep> {
    let before = reader.problems.0.len();
    let (what, place, steps): (_, _, Vec<WrittenStep>) = match (&raw.files, &raw.steps) {
        (Some(files), Some(_)) => {
            let problem = Problem::new("`files` beside `steps`").at(reader.place(&format!("{path}.files"), files));
            reader.problems.0.push(problem.hint("name the files among the `steps`, each in its place"));
            return Vec::new();
        }
        (Some(files), None) => {
            let path = format!("{path}.files");
            let texts = several(reader, files, &path).into_iter();
            ("files", path, texts.map(|text| WrittenStep::File(PathBuf::from(&text.text), text)).collect())
        }
        (None, Some(steps)) => {
            let path = format!("{path}.steps");
            let all = (0..).zip(steps).filter_map(|(index, at)| one(reader, at, &format!("{path}[{index}]"))).collect();
            ("steps", path, all)
        }
        (None, None) => {
            let place = raw.name.as_ref().map_or_else(|| path.to_owned(), |name| reader.place(path, name));
            ("files or steps", place, Vec::new())
        }
    };
    if reader.problems.0.len() > before {
        return Vec::new();
    }
    if steps.is_empty() {
        let problem = Problem::new(format!("a journey without {what}")).at(place);
        reader.problems.0.push(problem.hint("name at least one `.hurl` file"));
    }
    steps
}

fn one(reader: &mut Reader<'_>, at: &At<RawStep>, path: &str) -> Option<WrittenStep> {
    match &at.value {
        RawStep::File(text) => {
            let at = At { value: text.clone(), referenced: at.referenced, defined: at.defined };
            let text = reader.text(path, &at)?;
            Some(WrittenStep::File(PathBuf::from(&text.text), text))
        }
        RawStep::WebSocket(raw) => web_socket(reader, raw, path),
    }
}

fn web_socket(reader: &mut Reader<'_>, raw: &RawWebSocket, path: &str) -> Option<WrittenStep> {
    let mut part = Keys { reader, path };
    let address = part.understood("websocket", &raw.websocket, Address::parse);
    let name = raw.name.as_ref().map(|at| part.text("name", at));
    let headers = headers(&mut part, raw.headers.as_ref());
    let send = match &raw.send {
        Some(send) => send_texts(&mut part, send),
        None => Some(Vec::new()),
    };
    let expect = raw.expect.as_ref().map(|at| expectation(&mut part, at));
    let keeps: Vec<Option<Kept>> = raw
        .capture
        .iter()
        .flatten()
        .map(|(name, at)| part.understood(&format!("capture.{name}"), at, |text| Kept::parse(name, text)))
        .collect();
    let messages = raw.messages.as_ref().map(|at| part.understood("messages", at, |text| count(text, WEBSOCKET_TRIPS)));
    let timeout = raw.timeout.as_ref().map(|at| part.understood("timeout", at, time));
    let first = part.text("websocket", &raw.websocket)?;
    let (address, send) = (address?, send?);
    let route = address.route.clone();
    let name = settled(name)?.map_or_else(|| route.clone(), |text| text.text);
    let messages = settled(messages)?.unwrap_or(send.len().max(1) as u64);
    let step = WebSocketStep {
        opening: format!("{name} (open)"),
        name,
        route,
        place: first.from.to_string(),
        address,
        headers: CommonHeaders::new(headers?),
        send,
        expect: settled(expect)?,
        keeps: keeps.into_iter().collect::<Option<_>>()?,
        messages,
        timeout: settled(timeout)?.unwrap_or(WEBSOCKET_ANSWER),
        written: written(raw),
    };
    Some(WrittenStep::WebSocket(Box::new(step), first.from))
}

/// The keys of one step, each with its path.
struct Keys<'a, 'b> {
    reader: &'a mut Reader<'b>,
    path: &'a str,
}

impl Keys<'_, '_> {
    fn text(&mut self, key: &str, at: &At<String>) -> Option<Text> {
        self.reader.text(&format!("{}.{key}", self.path), at)
    }

    fn understood<T>(&mut self, key: &str, at: &At<String>, read: impl Fn(&str) -> Result<T, Problem>) -> Option<T> {
        let text = self.text(key, at)?;
        self.reader.understand(&text, read).map(|setting| setting.value)
    }
}

/// A key that may be absent, and may be wrong: nothing where it is wrong.
fn settled<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    read.map_or(Some(None), |read| read.map(Some))
}

fn time(text: &str) -> Result<Duration, Problem> {
    let time = units::duration(text).map_err(|error| Problem::said(&error))?;
    let longest = Duration::from_micros(LATENCY_US);
    if time.is_zero() || time > longest {
        let most = units::Readable(longest);
        return Err(
            Problem::new(format!("`{text}` is no time for an answer")).hint(format!("more than 0s, at most {most}"))
        );
    }
    Ok(time)
}

/// Headers that belong to the upgrade itself. An extension would change the frames.
const OURS: [&str; 9] = [
    "connection",
    "content-length",
    "host",
    "sec-websocket-accept",
    "sec-websocket-extensions",
    "sec-websocket-key",
    "sec-websocket-version",
    "transfer-encoding",
    "upgrade",
];

fn headers(keys: &mut Keys<'_, '_>, raw: Option<&BTreeMap<String, At<String>>>) -> Option<Vec<CommonHeader>> {
    let mut all = Vec::new();
    for (name, at) in raw.into_iter().flatten() {
        let Some(text) = keys.text(&format!("headers.{name}"), at) else {
            all.push(None);
            continue;
        };
        if is_secret(name) {
            keys.reader.secrets.extend(hidden(&text.text));
        }
        let read = keys.reader.understand(&text, |value| {
            if OURS.iter().any(|ours| ours.eq_ignore_ascii_case(name)) {
                return Err(Problem::new(format!("`{name}` belongs to the upgrade itself")).hint("remove it"));
            }
            CommonHeader::parse(name, value)
        });
        all.push(read.map(|setting| setting.value));
    }
    all.into_iter().collect()
}

fn send_texts(keys: &mut Keys<'_, '_>, send: &At<Several>) -> Option<Vec<Template>> {
    let path = format!("{}.send", keys.path);
    let before = keys.reader.problems.0.len();
    let texts = several(keys.reader, send, &path);
    if texts.is_empty() && keys.reader.problems.0.len() == before {
        let place = keys.reader.place(&path, send);
        let problem = Problem::new("nothing to send").at(place);
        keys.reader
            .problems
            .0
            .push(problem.hint("name at least one text, or leave `send` out: then the step only listens"));
    }
    let read: Vec<Template> =
        texts.iter().filter_map(|text| keys.reader.understand(text, message)).map(|read| read.value).collect();
    (keys.reader.problems.0.len() == before).then_some(read)
}

fn expectation(keys: &mut Keys<'_, '_>, at: &At<RawExpect>) -> Option<Expectation> {
    let raw = match &at.value {
        RawExpect::Text(text) => {
            let at = At { value: text.clone(), referenced: at.referenced, defined: at.defined };
            return keys.understood("expect", &at, |text| Expectation::new(Comparison::Equals, text));
        }
        RawExpect::Of(raw) => raw,
    };
    let comparisons =
        [(Comparison::Equals, &raw.equals), (Comparison::Contains, &raw.contains), (Comparison::Matches, &raw.matches)];
    let mut given = comparisons.into_iter().filter_map(|(comparison, at)| Some((comparison, at.as_ref()?)));
    let first = given.next();
    if let Some((second, at)) = given.next() {
        let (one, two) = (first.map_or("", |(first, _)| first.as_str()), second.as_str());
        let place = keys.reader.place(&format!("{}.expect.{two}", keys.path), at);
        let problem = Problem::new(format!("`{two}` beside `{one}`")).at(place).hint("keep one of them");
        keys.reader.problems.0.push(problem);
        return None;
    }
    let expected = first.map(|(comparison, at)| {
        let key = format!("expect.{}", comparison.as_str());
        keys.understood(&key, at, |text| Expectation::new(comparison, text))
    });
    let there = raw.jsonpath.as_ref().map(|at| keys.understood("expect.jsonpath", at, Expectation::exists));
    match (settled(expected)?, settled(there)?) {
        (Some(expected), Some(there)) => Some(expected.there(there)),
        (Some(one), None) | (None, Some(one)) => Some(one),
        (None, None) => {
            let place = keys.reader.place(&format!("{}.expect", keys.path), at);
            let problem = Problem::new("an `expect` that asks for nothing").at(place);
            let hint = "write the text itself, or `equals`, `contains`, `matches` or `jsonpath`";
            keys.reader.problems.0.push(problem.hint(hint));
            None
        }
    }
}

/// As it stands in the file, environment not filled in: what the fingerprint covers.
fn written(raw: &RawWebSocket) -> String {
    let mut lines = vec![format!("websocket {}", raw.websocket.value)];
    let mut add = |key: &str, at: Option<&At<String>>| lines.extend(at.map(|at| format!("{key} {}", at.value)));
    add("name", raw.name.as_ref());
    raw.headers.iter().flatten().for_each(|(name, at)| add(&format!("header {name}"), Some(at)));
    match raw.send.as_ref().map(|send| &send.value) {
        None => {}
        Some(Several::One(text)) => lines.push(format!("send {text}")),
        Some(Several::Many(texts)) => lines.extend(texts.iter().map(|at| format!("send {}", at.value))),
    }
    let mut add = |key: &str, at: Option<&At<String>>| lines.extend(at.map(|at| format!("{key} {}", at.value)));
    raw.capture.iter().flatten().for_each(|(name, at)| add(&format!("capture {name}"), Some(at)));
    add("messages", raw.messages.as_ref());
    add("timeout", raw.timeout.as_ref());
    match raw.expect.as_ref().map(|expect| &expect.value) {
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
