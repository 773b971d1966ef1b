//! Text to [`Path`]. Recursion is capped; every error says where.

use super::{BadPath, Comparable, Logical, Operator, Path, Pattern, Segment, Selector, SubQuery};
use crate::journey::limits::JSONPATH_DEPTH_MAX;
use crate::journey::number::Number;
use crate::journey::value::Value;
use std::sync::Arc;

type Parsed<T> = Result<T, BadPath>;

/// Integers in paths: what JSON exchanges exactly (I-JSON).
const INTEGER_MAX: i64 = (1 << 53) - 1;

pub(super) fn path(text: &str) -> Parsed<Path> {
    let mut reader = Reader { text, at: 0 };
    reader.expect("$", "`$`")?;
    let segments = reader.segments(0)?;
    if reader.at == text.len() { Ok(Path { segments }) } else { Err(reader.bad("`.`, `[` or the end")) }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn bad(&self, expected: &'static str) -> BadPath {
        let column = self.text.get(..self.at).map_or(0, |before| before.chars().count()) + 1;
        BadPath { column, expected }
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        self.at += if found { token.len() } else { 0 };
        found
    }

    fn expect(&mut self, token: &str, expected: &'static str) -> Parsed<()> {
        if self.take(token) { Ok(()) } else { Err(self.bad(expected)) }
    }

    fn deeper(&self, depth: usize) -> Parsed<usize> {
        if depth < JSONPATH_DEPTH_MAX { Ok(depth + 1) } else { Err(self.bad("less nesting")) }
    }

    fn segments(&mut self, depth: usize) -> Parsed<Vec<Segment>> {
        let mut segments = vec![];
        loop {
            let before = self.at;
            self.space();
            let Some(segment) = self.segment(depth)? else {
                self.at = before;
                return Ok(segments);
            };
            segments.push(segment);
        }
    }

    fn segment(&mut self, depth: usize) -> Parsed<Option<Segment>> {
        let descendant = self.take("..");
        if self.take("[") {
            return Ok(Some(Segment { descendant, selectors: self.bracket(depth)? }));
        }
        if !descendant && !self.take(".") {
            return Ok(None);
        }
        let selector = if self.take("*") { Selector::Wildcard } else { Selector::Name(self.name()?) };
        Ok(Some(Segment { descendant, selectors: vec![selector] }))
    }

    fn name(&mut self) -> Parsed<String> {
        let start = self.at;
        while self
            .peek()
            .is_some_and(|c| c.is_alphabetic() || c == '_' || c >= '\u{80}' || (self.at > start && c.is_ascii_digit()))
        {
            self.next();
        }
        let name = self.text.get(start..self.at).unwrap_or_default();
        if name.is_empty() { Err(self.bad("a name, `*` or `[`")) } else { Ok(name.to_owned()) }
    }

    fn bracket(&mut self, depth: usize) -> Parsed<Vec<Selector>> {
        let mut selectors = vec![];
        loop {
            self.space();
            selectors.push(self.selector(depth)?);
            self.space();
            if !self.take(",") {
                self.expect("]", "`,` or `]`")?;
                return Ok(selectors);
            }
        }
    }

    fn selector(&mut self, depth: usize) -> Parsed<Selector> {
        if let Some(name) = self.string()? {
            return Ok(Selector::Name(name));
        }
        if self.take("*") {
            return Ok(Selector::Wildcard);
        }
        if self.take("?") {
            self.space();
            return Ok(Selector::Filter(self.or(depth)?));
        }
        let start = self.integer()?;
        self.space_after(start.is_some());
        if self.take(":") {
            return self.slice(start);
        }
        start.map(Selector::Index).ok_or_else(|| self.bad("a name in quotes, an index, a slice, `*` or `?`"))
    }

    /// White space, unless nothing was read before it.
    fn space_after(&mut self, read: bool) {
        if read {
            self.space();
        }
    }

    fn slice(&mut self, start: Option<i64>) -> Parsed<Selector> {
        self.space();
        let end = self.integer()?;
        self.space_after(end.is_some());
        let step = if self.take(":") {
            self.space();
            self.integer()?.unwrap_or(1)
        } else {
            1
        };
        Ok(Selector::Slice { start, end, step })
    }

    fn integer(&mut self) -> Parsed<Option<i64>> {
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

    fn or(&mut self, depth: usize) -> Parsed<Logical> {
        let depth = self.deeper(depth)?;
        let mut all = vec![self.and(depth)?];
        while self.take_spaced("||") {
            all.push(self.and(depth)?);
        }
        Ok(one_or(all, Logical::Or))
    }

    fn and(&mut self, depth: usize) -> Parsed<Logical> {
        let mut all = vec![self.basic(depth)?];
        while self.take_spaced("&&") {
            all.push(self.basic(depth)?);
        }
        Ok(one_or(all, Logical::And))
    }

    fn take_spaced(&mut self, token: &str) -> bool {
        self.space();
        let found = self.take(token);
        self.space_after(found);
        found
    }

    fn basic(&mut self, depth: usize) -> Parsed<Logical> {
        let negated = self.take("!");
        self.space_after(negated);
        let logical = if self.take("(") {
            self.space();
            let inner = self.or(depth)?;
            self.expect(")", "`)`")?;
            inner
        } else {
            self.test(negated, depth)?
        };
        Ok(if negated { Logical::Not(Box::new(logical)) } else { logical })
    }

    /// A comparison, the existence of a node, or a function that is true or false.
    fn test(&mut self, negated: bool, depth: usize) -> Parsed<Logical> {
        for (name, whole) in [("match", true), ("search", false)] {
            if self.take(name) {
                return self.matches(whole, depth);
            }
        }
        let start = self.at;
        let left = self.comparable(depth)?;
        self.space();
        match self.operator() {
            Some(operator) if !negated => {
                self.space();
                let singular = |side: &Comparable| !matches!(side, Comparable::Query(query) if !query.is_singular());
                let right = self.comparable(depth)?;
                if singular(&left) && singular(&right) {
                    Ok(Logical::Compare(left, operator, right))
                } else {
                    self.at = start;
                    Err(self.bad("a path to a single node on both sides of a comparison"))
                }
            }
            Some(_) => Err(self.bad("`)`: a negated comparison needs brackets")),
            None => match left {
                Comparable::Query(query) => Ok(Logical::Exists(query)),
                _ => Err(self.bad("a comparison")),
            },
        }
    }

    fn operator(&mut self) -> Option<Operator> {
        const ALL: [(&str, Operator); 6] = [
            ("==", Operator::Equal),
            ("!=", Operator::NotEqual),
            ("<=", Operator::LessOrEqual),
            ("<", Operator::Less),
            (">=", Operator::GreaterOrEqual),
            (">", Operator::Greater),
        ];
        ALL.into_iter().find(|(token, _)| self.take(token)).map(|(_, operator)| operator)
    }

    fn comparable(&mut self, depth: usize) -> Parsed<Comparable> {
        if let Some(literal) = self.literal()? {
            return Ok(Comparable::Literal(literal));
        }
        if let Some(query) = self.query(depth)? {
            return Ok(Comparable::Query(query));
        }
        let function = ["length", "count", "value"].into_iter().find(|name| self.take(name));
        let function =
            function.ok_or_else(|| self.bad("a literal, `@`, `$`, `length`, `count`, `value`, `match` or `search`"))?;
        let depth = self.deeper(depth)?;
        self.open()?;
        let call = if function == "length" {
            Comparable::Length(Box::new(self.comparable(depth)?))
        } else {
            let query = self.query(depth)?.ok_or_else(|| self.bad("`@` or `$`"))?;
            if function == "count" { Comparable::Count(query) } else { Comparable::ValueOf(query) }
        };
        self.close()?;
        Ok(call)
    }

    fn open(&mut self) -> Parsed<()> {
        self.expect("(", "`(`")?;
        self.space();
        Ok(())
    }

    fn close(&mut self) -> Parsed<()> {
        self.space();
        self.expect(")", "`)`")
    }

    fn matches(&mut self, whole: bool, depth: usize) -> Parsed<Logical> {
        let depth = self.deeper(depth)?;
        self.open()?;
        let text = self.comparable(depth)?;
        self.space();
        self.expect(",", "`,`")?;
        self.space();
        let pattern = match self.comparable(depth)? {
            Comparable::Literal(Value::String(pattern)) => {
                let regex = regex(&pattern, whole).ok_or_else(|| self.bad("a valid regular expression"))?;
                Pattern::Constant(Some(Arc::new(regex)))
            }
            Comparable::Literal(_) => Pattern::Constant(None),
            computed => Pattern::Computed(Box::new(computed)),
        };
        self.close()?;
        Ok(Logical::Matches { text, pattern, whole })
    }

    fn query(&mut self, depth: usize) -> Parsed<Option<SubQuery>> {
        let absolute = self.take("$");
        if !absolute && !self.take("@") {
            return Ok(None);
        }
        let depth = self.deeper(depth)?;
        Ok(Some(SubQuery { absolute, segments: self.segments(depth)? }))
    }

    fn literal(&mut self) -> Parsed<Option<Value>> {
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
        let number = crate::journey::json::parse(text).map_err(|_| self.bad("a number"))?;
        self.at += text.len();
        match number {
            Value::Number(Number::Big(big)) if big.contains(['.', 'e', 'E']) => Err(self.bad("a smaller number")),
            number => Ok(Some(number)),
        }
    }

    fn string(&mut self) -> Parsed<Option<String>> {
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

    fn escape(&mut self, quote: char) -> Parsed<char> {
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

    fn unicode(&mut self) -> Parsed<char> {
        let high = self.unit()?;
        if !(0xD800..0xDC00).contains(&high) {
            return char::from_u32(high).ok_or_else(|| self.bad("a character"));
        }
        self.expect("\\u", "a low surrogate")?;
        let low = self.unit()?.checked_sub(0xDC00).filter(|low| *low < 0x400);
        low.and_then(|low| char::from_u32(0x10000 + ((high - 0xD800) << 10) + low))
            .ok_or_else(|| self.bad("a low surrogate"))
    }

    fn unit(&mut self) -> Parsed<u32> {
        let digits = self.rest().get(..4).filter(|digits| digits.chars().all(|c| c.is_ascii_hexdigit()));
        let unit = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let unit = unit.ok_or_else(|| self.bad("four hexadecimal digits"))?;
        self.at += 4;
        Ok(unit)
    }
}

impl SubQuery {
    /// Whether it leads to one node at most, by its form.
    fn is_singular(&self) -> bool {
        self.segments.iter().all(|segment| {
            let single = matches!(segment.selectors.as_slice(), [Selector::Name(_) | Selector::Index(_)]);
            single && !segment.descendant
        })
    }
}

fn one_or(mut all: Vec<Logical>, many: fn(Vec<Logical>) -> Logical) -> Logical {
    match all.pop() {
        Some(only) if all.is_empty() => only,
        Some(last) => {
            all.push(last);
            many(all)
        }
        None => many(all),
    }
}

pub(super) fn regex(pattern: &str, whole: bool) -> Option<regex::Regex> {
    if whole { regex::Regex::new(&format!("^(?:{pattern})$")).ok() } else { regex::Regex::new(pattern).ok() }
}
