//! Files of others whose lines within brackets or quotes stand no further right than the key they belong to: `]` below `command:`. What
//! others read YAML with, Compose and kubectl among them, takes no notice of blanks there; our scanner refuses them, by where the last item
//! had quotes or not. Such a line is moved to the right and the text is read again.
//! What must stay true: only lines within brackets or quotes are moved, where a blank at the beginning means nothing; every place that is
//! told is one of the text as it was written; and it ends.

use super::yaml::YamlError;
use crate::limits;
use std::borrow::Cow;

/// A text, with some of its lines moved to the right.
pub(super) struct Shifted<'t> {
    pub(super) text: Cow<'t, str>,
    /// How many blanks each line got, from line 1.
    blanks: Vec<usize>,
    /// How many bytes may still be read again.
    left: usize,
    /// Of the last quotes that were opened too far left: the refusal, and the line where they end.
    opened: Option<(YamlError, usize)>,
}

impl<'t> Shifted<'t> {
    pub(super) const fn new(text: &'t str) -> Self {
        Self { text: Cow::Borrowed(text), blanks: Vec::new(), left: limits::YAML_AGAIN_BYTES, opened: None }
    }

    /// A column of the text as it was written.
    pub(super) fn column(&self, line: usize, column: usize) -> usize {
        column.saturating_sub(self.moved(line)).max(1)
    }

    fn moved(&self, line: usize) -> usize {
        self.blanks.get(line).copied().unwrap_or_default()
    }

    /// Moves what the scanner refused; `false` when that is none of its own refusals, or enough was tried.
    pub(super) fn moves_for(&mut self, error: &YamlError) -> bool {
        // The scanner takes a lone carriage return for the end of a line; our lines would not be its lines.
        if self.blanks.is_empty() && self.text.replace("\r\n", "").contains('\r') {
            return false;
        }
        let line = error.at.line;
        let (first, last, by) = match error.message.strip_prefix("not valid YAML: invalid indentation") {
            Some("" | " in flow construct") => (line, line, 1),
            Some(" in quoted scalar") => {
                let Some(last) = self.end_of_quotes(line, error.at.column) else { return false };
                self.opened = Some((error.clone(), last));
                (line + 1, last, error.at.column)
            }
            _ => return false,
        };
        let Some(left) = self.left.checked_sub(self.text.len()).filter(|_| first <= last) else { return false };
        self.left = left;
        self.move_lines(first, last, by);
        true
    }

    fn move_lines(&mut self, first: usize, last: usize, by: usize) {
        let mut text = String::with_capacity(self.text.len() + by);
        for (index, line) in self.text.split_inclusive('\n').enumerate() {
            // These end a document, whatever is open.
            if (first..=last).contains(&(index + 1)) && !line.starts_with("---") && !line.starts_with("...") {
                text.extend(std::iter::repeat_n(' ', by));
            }
            text.push_str(line);
        }
        self.text = Cow::Owned(text);
        if self.blanks.len() <= last {
            self.blanks.resize(last + 1, 0);
        }
        self.blanks.iter_mut().skip(first).take(last + 1 - first).for_each(|blanks| *blanks += by);
    }

    /// The line where quotes end that are opened here.
    fn end_of_quotes(&self, line: usize, column: usize) -> Option<usize> {
        let start = (column + self.moved(line)).saturating_sub(1);
        let mut rest = self.text.split_inclusive('\n').skip(line.saturating_sub(1)).flat_map(str::chars).skip(start);
        let quote = rest.next().filter(|c| matches!(c, '"' | '\''))?;
        let mut line = line;
        while let Some(c) = rest.next() {
            // Two single quotes are the end and a beginning, which comes to the same.
            match c {
                '\\' if quote == '"' => line += usize::from(rest.next() == Some('\n')),
                '\n' => line += 1,
                _ if c == quote => return Some(line),
                _ => {}
            }
        }
        None
    }

    /// The error to be told: quotes that were never closed end at the next ones, and what is wrong there is not what is wrong.
    pub(super) fn meant(&mut self, error: YamlError) -> YamlError {
        match self.opened.take() {
            Some((refused, last)) if error.at.line == last => refused,
            _ => error,
        }
    }
}
