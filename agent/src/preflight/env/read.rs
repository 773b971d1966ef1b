//! An environment file, as docker compose reads it: `export`, quotes, several lines, comments, references. Text in, variables out.
//! What must stay true: reading never stops at the first mistake, and no message repeats a value or what may be a piece of one.

use super::interpolate;
use super::variables::{Variable, Variables};
use crate::preflight::{Findings, Place, Rule, Severity};

/// The rules of this file.
pub(super) static RULES: &[&Rule] =
    &[&MALFORMED, &UNCLOSED, &DUPLICATE, &NO_VALUE, &UNSET_REFERENCE, &SPACES, &CARRIAGE_RETURN, &BYTE_ORDER_MARK];

static MALFORMED: Rule = Rule {
    name: "env-malformed-line",
    severity: Severity::Error,
    summary: "a line of an environment file that is no `NAME=value`, or has something behind its closing quote",
    why: "programs skip such a line or refuse the whole file, each in its own way",
    fix: "write `NAME=value`, begin a comment with `#`, put a value with blanks or quotes in it in quotes",
};

static UNCLOSED: Rule = Rule {
    name: "env-unclosed-quote",
    severity: Severity::Error,
    summary: "a quote that is never closed",
    why: "everything below it becomes part of this value, or the file is refused",
    fix: "close the quote, or escape one that belongs to the value",
};

static DUPLICATE: Rule = Rule {
    name: "env-duplicate",
    severity: Severity::Error,
    summary: "a variable is set twice in one file",
    why: "the last one wins without a word, and people edit the first one",
    fix: "keep one of the two lines",
};

static NO_VALUE: Rule = Rule {
    name: "env-no-value",
    severity: Severity::Warning,
    summary: "a name without `=`",
    why: "its value comes from the shell that happens to start the stack, or it is not set at all",
    fix: "write `NAME=value`, or `NAME=` for an empty one",
};

static UNSET_REFERENCE: Rule = Rule {
    name: "env-unset-reference",
    severity: Severity::Warning,
    summary: "a value refers by `$NAME` or `${NAME}` to a variable that is set neither above it nor in the environment",
    why: "compose puts nothing in its place: a password with a `$` in it loses its end",
    fix: "for a plain `$` write `$$` or use single quotes; else set the variable above this line or give a default, `${NAME:-default}`",
};

static SPACES: Rule = Rule {
    name: "env-spaces",
    severity: Severity::Warning,
    summary: "blanks around `=`",
    why: "a shell and `docker run --env-file` read such a line in another way than compose",
    fix: "write `NAME=value` without blanks",
};

static CARRIAGE_RETURN: Rule = Rule {
    name: "env-carriage-return",
    severity: Severity::Warning,
    summary: "lines that end in CR LF, as Windows writes them",
    why: "where the file is read by a shell, every value ends in an invisible character: passwords and ports are then wrong",
    fix: "save it with LF line ends: `sed -i 's/\\r$//' FILE`",
};

static BYTE_ORDER_MARK: Rule = Rule {
    name: "env-byte-order-mark",
    severity: Severity::Warning,
    summary: "a byte order mark at the beginning of the file",
    why: "some programs take the invisible mark for a part of the first name, which is then not set",
    fix: "save it as UTF-8 without a byte order mark",
};

/// Reads the text of a file. `outer` knows the variables of the environment that is not in the file.
pub(super) fn read(
    file: &str,
    text: &str,
    outer: &dyn Fn(&str) -> Option<String>,
    findings: &mut Findings,
) -> Variables {
    let plain = text.strip_prefix('\u{feff}');
    if plain.is_some() {
        findings.add(&BYTE_ORDER_MARK, Place::line(file, 1, ""), "the file begins with a byte order mark");
    }
    let text = plain.unwrap_or(text);
    if let Some(at) = text.find("\r\n") {
        let line = lines_in(text.get(..at).unwrap_or_default()) + 1;
        findings.add(&CARRIAGE_RETURN, Place::line(file, line, ""), "lines end in CR LF");
    }
    let text = text.replace("\r\n", "\n");
    let mut reader = Reader { rest: &text, line: 1, variables: Variables::new(file), outer, findings };
    while !reader.rest.is_empty() {
        reader.statement();
    }
    reader.variables
}

struct Reader<'a> {
    rest: &'a str,
    /// The line at which `rest` begins, from 1.
    line: usize,
    variables: Variables,
    outer: &'a dyn Fn(&str) -> Option<String>,
    findings: &'a mut Findings,
}

/// A value as written.
struct Written<'a> {
    text: &'a str,
    quote: Option<char>,
}

impl<'a> Reader<'a> {
    fn statement(&mut self) {
        let (line, number) = (self.first_line(), self.line);
        let content = line.trim();
        if content.is_empty() || content.starts_with('#') {
            return self.skip(line.len());
        }
        let assignment = content.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t'])).unwrap_or(content);
        let assignment = assignment.trim_start();
        let end = assignment.find(|c: char| !is_name(c)).unwrap_or(assignment.len());
        let (name, after) = assignment.split_at(end);
        let value = after.trim_start().strip_prefix('=');
        match value {
            _ if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '.') => {
                self.malformed(line, number, "the line does not begin with the name of a variable");
            }
            Some(value) => self.assignment(name, after, line.len() - trailing(line, value)),
            None if after.trim().is_empty() || after.trim_start().starts_with('#') => self.no_value(name, line, number),
            None => self.malformed(line, number, "no `=` behind the name of the variable"),
        }
    }

    /// `before` is how much of the line stands before the value.
    fn assignment(&mut self, name: &str, after: &str, before: usize) {
        let number = self.line;
        let value_at = self.rest.get(before..).unwrap_or_default();
        let blank = value_at.len() - value_at.trim_start_matches([' ', '\t']).len();
        let begins_blank =
            blank > 0 && !matches!(value_at.trim_start_matches([' ', '\t']).chars().next(), None | Some('\n' | '#'));
        if after.starts_with([' ', '\t']) || begins_blank {
            self.findings.add(&SPACES, Place::line(&self.variables.input, number, name), "blanks around the `=`");
        }
        self.skip_part(before + blank);
        let written = self.value(name, number);
        self.set(name, number, &written);
    }

    fn value(&mut self, name: &str, number: usize) -> Written<'a> {
        let quote = self.rest.chars().next().filter(|c| matches!(c, '"' | '\''));
        let Some(quote) = quote else { return self.unquoted() };
        let inside = self.rest.get(1..).unwrap_or_default();
        let Some(end) = closing(inside, quote) else {
            let message = format!("the quote that begins the value of `{name}` is never closed");
            self.findings.add(&UNCLOSED, Place::line(&self.variables.input, number, name), message);
            return self.unquoted();
        };
        let text = inside.get(..end).unwrap_or_default();
        self.skip_part(end + 2);
        let behind = self.first_line();
        let nothing = behind.trim().is_empty() || behind.trim_start().starts_with('#');
        if !nothing {
            let message = format!("something stands behind the closing quote of `{name}`");
            let at = Place::line(&self.variables.input, self.line, name);
            self.findings.add(&MALFORMED, at, message);
        }
        self.skip(behind.len());
        Written { text, quote: Some(quote) }
    }

    fn unquoted(&mut self) -> Written<'a> {
        let line = self.first_line();
        let comment = line
            .char_indices()
            .zip(std::iter::once(' ').chain(line.chars()))
            .find(|((_, c), before)| *c == '#' && before.is_whitespace());
        let end = comment.map_or(line.len(), |((at, _), _)| at);
        self.skip(line.len());
        Written { text: line.get(..end).unwrap_or_default().trim(), quote: None }
    }

    fn set(&mut self, name: &str, number: usize, written: &Written<'_>) {
        if let Some(first) = self.variables.get(name) {
            let message = format!("`{name}` is set a second time, first in line {}", first.line);
            self.findings.add(&DUPLICATE, Place::line(&self.variables.input, number, name), message);
        }
        let look = |name: &str| {
            let above = self.variables.get(name).map(|variable| variable.value().to_owned());
            above.or_else(|| (self.outer)(name))
        };
        let filled = match written.quote {
            Some('\'') => interpolate::Filled { text: written.text.replace("\\'", "'"), unset: false, broken: false },
            Some(_) => {
                // An escaped `$` must not be read as a reference afterwards.
                interpolate::fill(&unescaped(written.text), &look)
            }
            None => interpolate::fill(written.text, &look),
        };
        let place = Place::line(&self.variables.input, number, name);
        if filled.unset {
            let message = format!("the value of `{name}` refers to a variable that is not set");
            self.findings.add(&UNSET_REFERENCE, place, message);
        } else if filled.broken {
            let message = format!("a `${{` in the value of `{name}` has no end, or no name behind it");
            self.findings.add_with_fix(&MALFORMED, place, message, UNSET_REFERENCE.fix);
        }
        let known = !filled.unset && !filled.broken;
        self.variables.set(Variable::new(name, filled.text, number, known));
    }

    fn no_value(&mut self, name: &str, line: &str, number: usize) {
        self.findings.add(&NO_VALUE, Place::line(&self.variables.input, number, name), format!("`{name}` has no `=`"));
        if let Some(value) = (self.outer)(name) {
            self.variables.set(Variable::new(name, value, number, true));
        }
        self.skip(line.len());
    }

    /// The line is not repeated: it may be the second one of a key or a password.
    fn malformed(&mut self, line: &str, number: usize, message: &str) {
        self.findings.add(&MALFORMED, Place::line(&self.variables.input, number, ""), message);
        self.skip(line.len());
    }

    fn first_line(&self) -> &'a str {
        self.rest.split('\n').next().unwrap_or_default()
    }

    /// Skips so many bytes and the line break behind them.
    fn skip(&mut self, bytes: usize) {
        self.skip_part(bytes);
        if let Some(rest) = self.rest.strip_prefix('\n') {
            self.rest = rest;
            self.line += 1;
        }
    }

    fn skip_part(&mut self, bytes: usize) {
        let (skipped, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.line += lines_in(skipped);
        self.rest = rest;
    }
}

fn lines_in(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

/// How many bytes of the line lie behind the point where `part`, a piece of the line up to its trimmed end, begins.
fn trailing(line: &str, part: &str) -> usize {
    part.len() + (line.len() - line.trim_end().len())
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')
}

/// Where the quote closes that was opened before `text`; a backslash keeps the next sign from closing it.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if c == quote && !escaped {
            return Some(at);
        }
        escaped = c == '\\' && !escaped;
    }
    None
}

/// The escapes of a double-quoted value; `\$` becomes `$$`, which stays a plain `$` when references are filled in.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut signs = text.chars();
    while let Some(c) = signs.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match signs.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('$') => out.push_str("$$"),
            Some(c @ ('"' | '\\' | '\'')) => out.push(c),
            Some(c) => out.extend(['\\', c]),
            None => out.push('\\'),
        }
    }
    out
}
