//! Reads JSON into [`Value`], or bit by bit for whoever wants each part as it is written: strict, capped in depth, numbers kept exact.
//! serde_json would read integers beyond 64 bits as floats, and its switch against that changes every other user of serde_json in
//! the build.

use super::limits::JSON_DEPTH_MAX;
use super::number::Number;
use super::value::Value;

/// The text is not JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotJson {
    /// At which byte.
    pub at: usize,
    /// Whether it only nests too deep.
    pub too_deep: bool,
}

type Parsed<T> = Result<T, NotJson>;

/// Reads a whole document.
///
/// # Errors
/// When it is not JSON, nests too deep, or something follows it.
pub(super) fn parse(text: &str) -> Parsed<Value> {
    let mut reader = Reader::new(text);
    let value = reader.value(0)?;
    reader.end()?;
    Ok(value)
}

/// A place in a text, at which JSON is read.
#[derive(Debug)]
pub struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    /// At the beginning of a text.
    #[must_use]
    pub const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The byte at which it is.
    #[must_use]
    pub const fn at(&self) -> usize {
        self.at
    }

    /// What was read since that byte.
    #[must_use]
    pub fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// The next byte, behind any white space.
    pub fn next_byte(&mut self) -> Option<u8> {
        self.space();
        self.peek()
    }

    /// Goes past the end of the text.
    ///
    /// # Errors
    /// When something is left.
    pub fn end(&mut self) -> Parsed<()> {
        match self.next_byte() {
            None => Ok(()),
            Some(_) => Err(self.wrong()),
        }
    }

    const fn wrong(&self) -> NotJson {
        NotJson { at: self.at, too_deep: false }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8) -> Parsed<()> {
        if self.take(byte) { Ok(()) } else { Err(self.wrong()) }
    }

    fn word(&mut self, word: &str, value: Value) -> Parsed<Value> {
        let found = self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word));
        if !found {
            return Err(self.wrong());
        }
        self.at += word.len();
        Ok(value)
    }

    /// Reads a value that lies within so many lists and objects.
    ///
    /// # Errors
    /// When it is not JSON, or nests too deep.
    pub fn value(&mut self, depth: usize) -> Parsed<Value> {
        match self.next_byte() {
            Some(b'"') => self.string().map(Value::String),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.list(depth),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.wrong()),
        }
    }

    fn descend(&mut self, bracket: u8, depth: usize) -> Parsed<usize> {
        self.space();
        self.expect(bracket)?;
        self.space();
        if depth < JSON_DEPTH_MAX { Ok(depth + 1) } else { Err(NotJson { too_deep: true, ..self.wrong() }) }
    }

    /// Reads a list; each item is for the caller to read, with the depth at which it lies.
    ///
    /// # Errors
    /// When it is not JSON, nests too deep, or the caller says so.
    pub fn items<E: From<NotJson>>(
        &mut self,
        depth: usize,
        mut item: impl FnMut(&mut Self, usize) -> Result<(), E>,
    ) -> Result<(), E> {
        let depth = self.descend(b'[', depth)?;
        if self.take(b']') {
            return Ok(());
        }
        loop {
            item(self, depth)?;
            self.space();
            if !self.take(b',') {
                return Ok(self.expect(b']')?);
            }
        }
    }

    /// Reads an object; each member's value is for the caller to read, with the depth at which it lies.
    ///
    /// # Errors
    /// When it is not JSON, nests too deep, or the caller says so.
    pub fn members<E: From<NotJson>>(
        &mut self,
        depth: usize,
        mut member: impl FnMut(&mut Self, String, usize) -> Result<(), E>,
    ) -> Result<(), E> {
        let depth = self.descend(b'{', depth)?;
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            if self.next_byte() != Some(b'"') {
                return Err(self.wrong().into());
            }
            let name = self.string()?;
            self.space();
            self.expect(b':')?;
            member(self, name, depth)?;
            self.space();
            if !self.take(b',') {
                return Ok(self.expect(b'}')?);
            }
        }
    }

    fn list(&mut self, depth: usize) -> Parsed<Value> {
        let mut items = vec![];
        self.items(depth, |reader, depth| {
            items.push(reader.value(depth)?);
            Parsed::Ok(())
        })?;
        Ok(Value::List(items))
    }

    fn object(&mut self, depth: usize) -> Parsed<Value> {
        let mut members = vec![];
        self.members(depth, |reader, name, depth| {
            members.push((name, reader.value(depth)?));
            Parsed::Ok(())
        })?;
        Ok(Value::Object(sorted(members)))
    }

    fn digits(&mut self) -> Parsed<()> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(self.wrong()) }
    }

    fn number(&mut self) -> Parsed<Value> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(Value::Number(Number::parse(self.since(start))))
    }

    fn string(&mut self) -> Parsed<String> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let start = self.at;
            while self.peek().is_some_and(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
                self.at += 1;
            }
            out.push_str(self.since(start));
            if self.take(b'"') {
                return Ok(out);
            }
            self.expect(b'\\')?;
            out.push(self.escape()?);
        }
    }

    fn escape(&mut self) -> Parsed<char> {
        let byte = self.peek().ok_or(self.wrong())?;
        self.at += 1;
        match byte {
            b'"' | b'\\' | b'/' => Ok(char::from(byte)),
            b'b' => Ok('\u{8}'),
            b'f' => Ok('\u{c}'),
            b'n' => Ok('\n'),
            b'r' => Ok('\r'),
            b't' => Ok('\t'),
            b'u' => self.unicode(),
            _ => Err(NotJson { at: self.at - 1, ..self.wrong() }),
        }
    }

    fn unit(&mut self) -> Parsed<u32> {
        let digits = self.text.get(self.at..self.at + 4).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let unit = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).ok_or(self.wrong())?;
        self.at += 4;
        Ok(unit)
    }

    fn unicode(&mut self) -> Parsed<char> {
        let start = self.wrong();
        let high = self.unit()?;
        let code = if (0xD800..0xDC00).contains(&high) {
            self.expect(b'\\')?;
            self.expect(b'u')?;
            let low = self.unit()?;
            let low = low.checked_sub(0xDC00).filter(|low| *low < 0x400).ok_or(start)?;
            0x10000 + ((high - 0xD800) << 10) + low
        } else {
            high
        };
        char::from_u32(code).ok_or(start)
    }
}

/// Members by name; of two with one name the last stays.
fn sorted(mut members: Vec<(String, Value)>) -> Vec<(String, Value)> {
    members.reverse();
    members.sort_by(|(one, _), (two, _)| one.cmp(two));
    members.dedup_by(|(one, _), (two, _)| one == two);
    members
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keeps_numbers_exact_and_members_sorted() {
        let value = parse(r#" {"b": [1, -2.5, 123456789012345678901, 1e2], "a": "\u00e9\ud83d\ude00\n", "b2": {}} "#);
        assert_eq!(
            value.unwrap().describe(),
            "object `{a: é😀\n, b: [1, -2.5, 123456789012345678901, 100.0], b2: {}}`"
        );
        assert_eq!(parse(r#"{"a":1,"a":2}"#).unwrap().describe(), "object `{a: 2}`");
    }

    #[test]
    fn refuses_what_is_not_json() {
        for text in [
            "",
            "01",
            "1.",
            "-",
            "[1,]",
            "{\"a\"}",
            "\"\u{1}\"",
            "\"\\ud800\"",
            "tru",
            "1 2",
            "\u{feff}1",
            "'a'",
            "nan",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn depth_is_capped_as_in_serde_json() {
        for depth in [JSON_DEPTH_MAX, JSON_DEPTH_MAX + 1] {
            let text = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
            assert_eq!(parse(&text).is_ok(), serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{depth}");
        }
    }

    proptest! {
        #[test]
        fn accepts_what_serde_json_accepts(text in r#"[\[\]{}",:0-9a-fnrtule.\\+ -]{0,24}"#) {
            let theirs = serde_json::from_str::<serde_json::Value>(&text);
            let out_of_range = theirs.as_ref().is_err_and(|error| error.to_string().contains("out of range"));
            prop_assert!(out_of_range || parse(&text).is_ok() == theirs.is_ok(), "{text}");
        }
    }
}
