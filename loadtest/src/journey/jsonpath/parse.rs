//! Text to [`Path`]. Recursion is capped; every error says where.

use super::reader::{Parsed, Reader};
use super::{Comparable, Logical, Operator, Path, Pattern, Segment, Selector, SubQuery};
use crate::journey::limits::JSONPATH_DEPTH_MAX;
use crate::journey::value::Value;
use std::sync::Arc;

pub(super) fn path(text: &str) -> Parsed<Path> {
    let mut reader = Reader { text, at: 0 };
    reader.expect("$", "`$`")?;
    let segments = reader.segments(0)?;
    if reader.at == text.len() { Ok(Path { segments }) } else { Err(reader.bad("`.`, `[` or the end")) }
}

impl Reader<'_> {
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
