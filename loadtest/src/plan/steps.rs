//! The steps of a journey as a plan writes them: `files`, or `steps` of files and WebSockets.

use super::headers::{hidden, is_secret};
use super::journeys::several;
use super::origin::Origin;
use super::raw::{Key, RawJourney, Several};
use super::raw_steps::{RawExpect, RawStep, RawWebSocket};
use super::reader::{Reader, Text, count};
use super::stages::yes_or_no;
use super::yaml::At;
use crate::http::RequestOptions;
use crate::journey::{
    Address, CommonHeader, CommonHeaders, Comparison, Expectation, Kept, Named, Template, Wanted, WebSocketStep,
    message,
};
use crate::limits::{LATENCY_US, WEBSOCKET_ANSWER, WEBSOCKET_TRIPS};
use crate::problem::Problem;
use crate::units;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
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
    ("insecure", "whether any certificate will do", "true"),
    ("cacert", "authority that the certificate must come from (PEM), instead of Mozilla's list", "ca.pem"),
];

/// A step that is checked, but for its file.
pub(super) enum WrittenStep {
    File(PathBuf, Text),
    WebSocket(Box<WebSocketStep>, Origin),
}

pub(super) const SOUGHT: &str = "name an existing `.hurl` file; paths are relative to the plan's folder";

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
            Self::WebSocket(mut step, _) => {
                if let Some(cacert) = &step.options.cacert {
                    let cacert = Some(folder.join(cacert));
                    step.options = Arc::new(RequestOptions { cacert, ..(*step.options).clone() });
                }
                Wanted::WebSocket(step)
            }
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
    let insecure = raw.insecure.as_ref().map(|at| part.understood("insecure", at, yes_or_no));
    let cacert = raw.cacert.as_ref().map(|at| part.text("cacert", at));
    let first = part.text("websocket", &raw.websocket)?;
    let (address, send) = (address?, send?);
    let route = address.route.clone();
    let name = settled(name)?.map_or_else(|| route.clone(), |text| text.text);
    let messages = settled(messages)?.unwrap_or(send.len().max(1) as u64);
    let options = RequestOptions {
        insecure: settled(insecure)?.unwrap_or(false),
        cacert: settled(cacert)?.map(|text| text.text.into()),
        ..RequestOptions::default()
    };
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
        options: Arc::new(options),
        written: raw.written(),
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
