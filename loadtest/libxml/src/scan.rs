//! A push scanner of XML, one byte at a time: checks well-formedness as far as libxml2's errors make hurl_core refuse a
//! body, and says when elements open and close. Safe code only; knows nothing of C.

use std::collections::BTreeSet;

/// What the last byte completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Nothing of interest.
    Nothing,
    /// A start tag.
    Opened,
    /// An end tag.
    Closed,
    /// An empty element.
    OpenedAndClosed,
}

/// The text is not the beginning of any well-formed document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IllFormed;

#[derive(Debug, Clone, Default)]
enum State {
    /// Between tags.
    #[default]
    Text,
    /// In `&…;`, within text or (with the quote) within an attribute's value.
    Reference { name: String, quote: Option<u8> },
    /// After `<`.
    Open,
    /// In `<!…` before it is clear what it is.
    Bang { seen: String },
    /// In `<!-- … -->`; how many hyphens were just seen.
    Comment { hyphens: u8 },
    /// In `<![CDATA[ … ]]>`; how many brackets were just seen.
    CData { brackets: u8 },
    /// In `<!DOCTYPE …>`: what precedes its brackets, open brackets and the quote that is open.
    Doctype { head: String, depth: u32, quote: Option<u8> },
    /// In `<? … ?>`.
    Instruction { text: String, question: bool },
    /// In `</name`.
    EndTag { name: String, name_done: bool },
    /// In `<name`.
    StartName { name: String },
    /// Between attributes; whether white space was seen since the last one.
    Between { spaced: bool },
    /// In an attribute's name.
    AttributeName { name: String, name_done: bool },
    /// After `=`.
    BeforeValue,
    /// In a value.
    Value { quote: u8 },
    /// After `/` in a start tag.
    Empty,
    /// After the root element.
    Done,
}

/// How deep elements may nest: libxml2's own limit, by which one file cannot eat the memory.
const DEPTH_MAX: usize = 256;

/// A scan under way.
#[derive(Debug, Clone, Default)]
pub struct Scanner {
    state: State,
    /// Names of the open elements.
    open: Vec<String>,
    /// The start tag being read.
    tag: String,
    /// Attributes of the start tag being read.
    attributes: BTreeSet<String>,
    /// Bytes read so far.
    read: usize,
    /// Whether there was a document type.
    has_doctype: bool,
    /// Whether it names another file, which may declare entities.
    is_external: bool,
    /// The last two bytes.
    recent: [u8; 2],

    /// How many `]` the text ends with.
    brackets: u8,
}

type Step = Result<(State, Event), IllFormed>;

const fn go(state: State) -> Step {
    Ok((state, Event::Nothing))
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

const fn starts_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, b'_' | b':') || byte >= 0x80
}

const fn in_name(byte: u8) -> bool {
    starts_name(byte) || byte.is_ascii_digit() || matches!(byte, b'-' | b'.')
}

fn with(mut text: String, byte: u8) -> String {
    // Bytes of a longer character are kept apart as Latin-1: names are only compared with each other.
    text.push(char::from(byte));
    text
}

impl Scanner {
    /// Takes one byte.
    ///
    /// # Errors
    /// When no well-formed document begins so.
    pub fn push(&mut self, byte: u8) -> Result<Event, IllFormed> {
        if byte < 0x20 && !is_space(byte) {
            return Err(IllFormed);
        }
        let is_noncharacter = self.recent == [0xEF, 0xBF] && matches!(byte, 0xBE | 0xBF);
        if is_noncharacter {
            return Err(IllFormed);
        }
        self.recent = [self.recent[1], byte];
        let state = std::mem::take(&mut self.state);
        let (state, event) = self.step(state, byte)?;
        self.state = state;
        self.read += 1;
        Ok(event)
    }

    /// Whether the root element is closed.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        matches!(self.state, State::Done)
    }

    fn step(&mut self, state: State, byte: u8) -> Step {
        match state {
            State::Text => self.text(byte),
            State::Reference { name, quote } => self.reference(name, quote, byte),
            State::Open => open(byte),
            State::Bang { seen } => self.bang(with(seen, byte)),
            State::Comment { hyphens } => comment(hyphens, byte),
            State::CData { brackets } => go(cdata(brackets, byte)),
            State::Doctype { head, depth, quote } => self.doctype(head, depth, quote, byte),
            State::Instruction { text, question } => self.instruction(text, question, byte),
            State::EndTag { name, name_done } => self.end_tag(name, name_done, byte),
            State::StartName { name } => self.start_name(name, byte),
            State::Between { spaced } => self.between(spaced, byte),
            State::AttributeName { name, name_done } => self.attribute_name(name, name_done, byte),
            State::BeforeValue => match byte {
                b'"' | b'\'' => go(State::Value { quote: byte }),
                _ if is_space(byte) => go(State::BeforeValue),
                _ => Err(IllFormed),
            },
            State::Value { quote } => value(quote, byte),
            State::Empty => self.empty(byte),
            State::Done => go(State::Done),
        }
    }

    fn text(&mut self, byte: u8) -> Step {
        let brackets = std::mem::take(&mut self.brackets);
        match byte {
            b'<' => go(State::Open),
            _ if self.open.is_empty() => {
                if is_space(byte) {
                    go(State::Text)
                } else {
                    Err(IllFormed)
                }
            }
            b'&' => go(State::Reference { name: String::new(), quote: None }),
            b'>' if brackets >= 2 => Err(IllFormed),
            b']' => {
                self.brackets = (brackets + 1).min(2);
                go(State::Text)
            }
            _ => go(State::Text),
        }
    }

    fn reference(&self, name: String, quote: Option<u8>, byte: u8) -> Step {
        if byte != b';' {
            let allowed = if name.is_empty() { starts_name(byte) || byte == b'#' } else { in_name(byte) };
            return if allowed { go(State::Reference { name: with(name, byte), quote }) } else { Err(IllFormed) };
        }
        let known = match name.strip_prefix('#') {
            Some(number) => is_character(number),
            None => matches!(name.as_str(), "amp" | "lt" | "gt" | "quot" | "apos") || self.is_external,
        };
        let back = quote.map_or(State::Text, |quote| State::Value { quote });
        if known { go(back) } else { Err(IllFormed) }
    }

    fn bang(&mut self, seen: String) -> Step {
        const CDATA: &str = "[CDATA[";
        const DOCTYPE: &str = "DOCTYPE";
        match seen.as_str() {
            "--" => go(State::Comment { hyphens: 0 }),
            CDATA if !self.open.is_empty() => go(State::CData { brackets: 0 }),
            DOCTYPE if self.open.is_empty() && !self.has_doctype => {
                self.has_doctype = true;
                go(State::Doctype { head: String::new(), depth: 0, quote: None })
            }
            _ if ["--", CDATA, DOCTYPE].iter().any(|word| word.len() > seen.len() && word.starts_with(&seen)) => {
                go(State::Bang { seen })
            }
            _ => Err(IllFormed),
        }
    }

    fn doctype(&mut self, head: String, depth: u32, quote: Option<u8>, byte: u8) -> Step {
        let head = if depth == 0 && quote.is_none() { with(head, byte) } else { head };
        let (depth, quote) = match (quote, byte) {
            (Some(open), _) => (depth, Some(open).filter(|open| *open != byte)),
            (None, b'"' | b'\'') => (depth, Some(byte)),
            (None, b'[' | b'<') => (depth.saturating_add(1), None),
            (None, b'>') if depth == 0 => {
                let mut words = head.split(|c: char| c.is_ascii_whitespace() || "['\">".contains(c));
                let named = words.next() == Some("") && words.next().is_some_and(|name| !name.is_empty());
                self.is_external = words.any(|word| matches!(word, "SYSTEM" | "PUBLIC"));
                return if named { go(State::Text) } else { Err(IllFormed) };
            }
            (None, b']' | b'>') => (depth.saturating_sub(1), None),
            _ => (depth, None),
        };
        go(State::Doctype { head, depth, quote })
    }

    fn instruction(&self, text: String, question: bool, byte: u8) -> Step {
        if question && byte == b'>' {
            let target = text.split(|c: char| c.is_ascii_whitespace()).next().unwrap_or_default();
            let is_declaration = target.eq_ignore_ascii_case("xml");
            let declares = self.read == text.len() + 3 && is_declaration_ok(&text);
            return if is_declaration && !declares { Err(IllFormed) } else { go(State::Text) };
        }
        if text.is_empty() && !question && !starts_name(byte) {
            return Err(IllFormed);
        }
        let text = if question { with(text, b'?') } else { text };
        match byte {
            b'?' => go(State::Instruction { text, question: true }),
            _ => go(State::Instruction { text: with(text, byte), question: false }),
        }
    }

    fn start_name(&mut self, name: String, byte: u8) -> Step {
        if in_name(byte) {
            return go(State::StartName { name: with(name, byte) });
        }
        if self.open.len() >= DEPTH_MAX {
            return Err(IllFormed);
        }
        self.tag = name;
        self.attributes.clear();
        self.between(false, byte)
    }

    fn between(&mut self, spaced: bool, byte: u8) -> Step {
        match byte {
            b'>' => {
                self.open.push(std::mem::take(&mut self.tag));
                Ok((State::Text, Event::Opened))
            }
            b'/' => go(State::Empty),
            _ if is_space(byte) => go(State::Between { spaced: true }),
            _ if spaced && starts_name(byte) => {
                go(State::AttributeName { name: with(String::new(), byte), name_done: false })
            }
            _ => Err(IllFormed),
        }
    }

    fn attribute_name(&mut self, name: String, name_done: bool, byte: u8) -> Step {
        match byte {
            b'=' if self.attributes.insert(name.clone()) => go(State::BeforeValue),
            b'=' => Err(IllFormed),
            _ if is_space(byte) => go(State::AttributeName { name, name_done: true }),
            _ if !name_done && in_name(byte) => go(State::AttributeName { name: with(name, byte), name_done }),
            _ => Err(IllFormed),
        }
    }

    fn empty(&mut self, byte: u8) -> Step {
        if byte != b'>' {
            return Err(IllFormed);
        }
        self.open.push(std::mem::take(&mut self.tag));
        Ok((self.close_tag(), Event::OpenedAndClosed))
    }

    fn close_tag(&mut self) -> State {
        self.open.pop();
        if self.open.is_empty() { State::Done } else { State::Text }
    }

    fn end_tag(&mut self, name: String, name_done: bool, byte: u8) -> Step {
        match byte {
            b'>' if self.open.last() == Some(&name) => Ok((self.close_tag(), Event::Closed)),
            _ if is_space(byte) && !name.is_empty() => go(State::EndTag { name, name_done: true }),
            _ if !name_done && in_name(byte) && self.can_close(&name, byte) => {
                go(State::EndTag { name: with(name, byte), name_done })
            }
            _ => Err(IllFormed),
        }
    }

    fn can_close(&self, name: &str, byte: u8) -> bool {
        self.open
            .last()
            .is_some_and(|open| open.strip_prefix(name).is_some_and(|rest| rest.starts_with(char::from(byte))))
    }
}

fn open(byte: u8) -> Step {
    match byte {
        b'!' => go(State::Bang { seen: String::new() }),
        b'?' => go(State::Instruction { text: String::new(), question: false }),
        b'/' => go(State::EndTag { name: String::new(), name_done: false }),
        _ if starts_name(byte) => go(State::StartName { name: with(String::new(), byte) }),
        _ => Err(IllFormed),
    }
}

fn value(quote: u8, byte: u8) -> Step {
    match byte {
        _ if byte == quote => go(State::Between { spaced: false }),
        b'<' => Err(IllFormed),
        b'&' => go(State::Reference { name: String::new(), quote: Some(quote) }),
        _ => go(State::Value { quote }),
    }
}

fn comment(hyphens: u8, byte: u8) -> Step {
    match (hyphens, byte) {
        (2, b'>') => go(State::Text),
        (2, _) => Err(IllFormed),
        (_, b'-') => go(State::Comment { hyphens: hyphens + 1 }),
        _ => go(State::Comment { hyphens: 0 }),
    }
}

const fn cdata(brackets: u8, byte: u8) -> State {
    match byte {
        b'>' if brackets >= 2 => State::Text,
        b']' => State::CData { brackets: if brackets >= 2 { 2 } else { brackets + 1 } },
        _ => State::CData { brackets: 0 },
    }
}

/// `xml version="1.x"`, then perhaps `encoding` and `standalone`, in that order.
fn is_declaration_ok(text: &str) -> bool {
    let Some(mut rest) = text.strip_prefix("xml") else { return false };
    let mut next = |name: &str| {
        let spaced = rest.trim_start_matches(|c: char| c.is_ascii_whitespace());
        let value = spaced.strip_prefix(name)?.trim_start().strip_prefix('=')?.trim_start();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, after) = value.get(1..)?.split_once(quote).filter(|_| spaced.len() < rest.len())?;
        rest = after;
        Some(value)
    };
    let version = next("version").is_some_and(|version| version.starts_with("1."));
    let encoding = next("encoding").is_none_or(is_encoding);
    let standalone = next("standalone").is_none_or(|value| matches!(value, "yes" | "no"));
    version && encoding && standalone && rest.trim().is_empty()
}

/// Encodings that a file which is UTF-8 may claim without libxml2 complaining.
fn is_encoding(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    matches!(name.as_str(), "utf-8" | "utf8" | "ascii" | "us-ascii" | "latin1")
        || ["iso-8859-", "windows-12"].iter().any(|family| name.starts_with(family))
}

fn is_character(number: &str) -> bool {
    let code = match number.strip_prefix('x') {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => number.parse(),
    };
    code.ok().and_then(char::from_u32).is_some_and(|c| c >= ' ' || matches!(c, '\t' | '\n' | '\r'))
}

#[cfg(test)]
mod tests;
