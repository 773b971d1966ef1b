//! The words of a path: names, strings, numbers, white space. Knows where it is, for errors.

use super::BadPath;
use crate::journey::json;
use crate::journey::number::Number;
use crate::journey::value::Value;

pub(super) type Parsed<T> = Result<T, BadPath>;

/// Integers in paths: what JSON exchanges exactly (I-JSON).
const INTEGER_MAX: i64 = (1 << 53) - 1;

pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn bad(&self, expected: &'static str) -> BadPath {
        let column = self.text.get(..self.at).map_or(0, |before| before.chars().count()) + 1;
        BadPath { column, expected }
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    pub(super) fn space(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            self.at += 1;
        }
    }

    pub(super) fn take(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        self.at += if found { token.len() } else { 0 };
        found
    }

    pub(super) fn expect(&mut self, token: &str, expected: &'static str) -> Parsed<()> {
        if self.take(token) { Ok(()) } else { Err(self.bad(expected)) }
    }

    /// White space, unless nothing was read before it.
    pub(super) fn space_after(&mut self, read: bool) {
        if read {
            self.space();
        }
    }

    pub(super) fn integer(&mut self) -> Parsed<Option<i64>> {
        let start = self.at;
        let negative = self.take("-");
        let first = self.at;
        while self.peek().is_some_and(|c| c.is_ascii_digit()) {
            self.at += 1;
        }
        let digits = self.text.get(first..self.at).unwrap_or_default();
        if digits.is_empty() && !negative {
            return Ok(None);
        }
        let leading_zero = digits.starts_with('0') && (digits.len() > 1 || negative);
        let value = self.text.get(start..self.at).and_then(|text| text.parse::<i64>().ok());
        match value.filter(|value| value.abs() <= INTEGER_MAX && !leading_zero) {
            Some(value) => Ok(Some(value)),
            None => {
                self.at = start;
                Err(self.bad("an integer of at most 53 bits without leading zeros"))
            }
        }
    }

    pub(super) fn literal(&mut self) -> Parsed<Option<Value>> {
        for (word, value) in [("null", Value::Null), ("true", Value::Bool(true)), ("false", Value::Bool(false))] {
            if self.take(word) {
                return Ok(Some(value));
            }
        }
        if let Some(text) = self.string()? {
            return Ok(Some(Value::String(text)));
        }
        let is_number = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
        if !self.peek().is_some_and(|c| c.is_ascii_digit() || c == '-') {
            return Ok(None);
        }
        let text = self.rest();
        let text = text.get(..text.find(|c| !is_number(c)).unwrap_or(text.len())).unwrap_or_default();
        let number = json::parse(text).map_err(|_| self.bad("a number"))?;
        self.at += text.len();
        match number {
            Value::Number(Number::Big(big)) if big.contains(['.', 'e', 'E']) => Err(self.bad("a smaller number")),
            number => Ok(Some(number)),
        }
    }

    pub(super) fn string(&mut self) -> Parsed<Option<String>> {
        let Some(quote) = self.peek().filter(|c| matches!(c, '\'' | '"')) else { return Ok(None) };
        self.next();
        let mut out = String::new();
        loop {
            match self.next() {
                Some(c) if c == quote => return Ok(Some(out)),
                Some('\\') => out.push(self.escape(quote)?),
                Some(c) if c >= ' ' => out.push(c),
                _ => return Err(self.bad("the closing quote")),
            }
        }
    }

    pub(super) fn escape(&mut self, quote: char) -> Parsed<char> {
        match self.next() {
            Some('b') => Ok('\u{8}'),
            Some('f') => Ok('\u{c}'),
            Some('n') => Ok('\n'),
            Some('r') => Ok('\r'),
            Some('t') => Ok('\t'),
            Some('u') => self.unicode(),
            Some(c) if c == quote || matches!(c, '/' | '\\') => Ok(c),
            _ => Err(self.bad("an escape sequence")),
        }
    }

    pub(super) fn unicode(&mut self) -> Parsed<char> {
        let high = self.unit()?;
        if !(0xD800..0xDC00).contains(&high) {
            return char::from_u32(high).ok_or_else(|| self.bad("a character"));
        }
        self.expect("\\u", "a low surrogate")?;
        let low = self.unit()?.checked_sub(0xDC00).filter(|low| *low < 0x400);
        low.and_then(|low| char::from_u32(0x10000 + ((high - 0xD800) << 10) + low))
            .ok_or_else(|| self.bad("a low surrogate"))
    }

    pub(super) fn unit(&mut self) -> Parsed<u32> {
        let digits = self.rest().get(..4).filter(|digits| digits.chars().all(|c| c.is_ascii_hexdigit()));
        let unit = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let unit = unit.ok_or_else(|| self.bad("four hexadecimal digits"))?;
        self.at += 4;
        Ok(unit)
    }
}
