//! `$X` and `${X…}` in the values of a compose file, by the Compose specification: defaults, required variables, alternatives, nested.
//! Knows no file. What must stay true: reading ends, and a `$` that begins no variable stays as it is.

use super::item::Origin;
use crate::limits;
use crate::preflight::env::interpolate::{closing, split_name};

/// A filled text, and what was missing for it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Filled {
    pub(super) text: String,
    pub(super) origin: Origin,
    pub(super) lacks: Vec<Lack>,
}

/// What a text lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lack {
    /// The variable is not set and has no default.
    Unset(String),
    /// The variable is required (`${X:?message}`), and is not set or empty: its name, and the author's message.
    Required(String, String),
    /// The text is no reference that compose reads: what is wrong with it.
    Malformed(String),
}

/// Fills in a text; `look` gives the value of a variable.
pub(super) fn fill(text: &str, look: &dyn Fn(&str) -> Option<String>) -> Filled {
    let mut filled = Filled::default();
    filled.take(text, look, 0);
    filled
}

impl Filled {
    fn take(&mut self, text: &str, look: &dyn Fn(&str) -> Option<String>, depth: usize) {
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            self.text.push_str(before);
            if self.text.len() > limits::ENV_VALUE_BYTES {
                self.lacks.push(Lack::Malformed("the value is too long once its variables are filled in".to_owned()));
                return;
            }
            rest = self.one(after, look, depth);
        }
        self.text.push_str(rest);
    }

    /// Reads what follows a `$`; gives what is left behind it.
    fn one<'t>(&mut self, after: &'t str, look: &dyn Fn(&str) -> Option<String>, depth: usize) -> &'t str {
        if let Some(rest) = after.strip_prefix('$') {
            self.text.push('$');
            return rest;
        }
        if let Some(braced) = after.strip_prefix('{') {
            let Some(end) = closing(braced) else {
                self.lacks.push(Lack::Malformed("`${` without its `}`".to_owned()));
                return "";
            };
            let (inside, rest) = braced.split_at(end);
            self.braced(inside, look, depth);
            return rest.strip_prefix('}').unwrap_or(rest);
        }
        let (name, rest) = split_name(after);
        if name.is_empty() {
            self.text.push('$');
            return after;
        }
        self.value_of(name, look(name));
        rest
    }

    fn braced(&mut self, inside: &str, look: &dyn Fn(&str) -> Option<String>, depth: usize) {
        let (name, rest) = split_name(inside);
        if name.is_empty() || depth >= limits::ENV_REFERENCE_DEPTH {
            self.lacks.push(Lack::Malformed("`${…}` does not begin with a variable's name".to_owned()));
            return;
        }
        let (also_empty, operation) = rest.strip_prefix(':').map_or((false, rest), |operation| (true, operation));
        let value = look(name).filter(|value| !(also_empty && value.is_empty()));
        let mut signs = operation.chars();
        let sign = signs.next();
        let word = signs.as_str();
        match (sign, value) {
            (None, value) if !also_empty => self.value_of(name, value),
            (Some('-' | '?'), Some(value)) => self.value_of(name, Some(value)),
            (Some('-'), None) => {
                self.origin.default = true;
                self.take(word, look, depth + 1);
            }
            (Some('?'), None) => {
                self.origin.unset = true;
                self.lacks.push(Lack::Required(name.to_owned(), word.to_owned()));
            }
            (Some('+'), Some(_)) => self.take(word, look, depth + 1),
            (Some('+'), None) => {}
            _ => self
                .lacks
                .push(Lack::Malformed(format!("compose does not know what follows the name in `${{{name}…}}`"))),
        }
    }

    fn value_of(&mut self, name: &str, value: Option<String>) {
        match value {
            Some(value) => {
                self.origin.variable = true;
                self.text.push_str(&value);
            }
            None => {
                self.origin.unset = true;
                self.lacks.push(Lack::Unset(name.to_owned()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn look(name: &str) -> Option<String> {
        match name {
            "SET" => Some("value".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        }
    }

    fn shown(text: &str) -> String {
        let filled = fill(text, &look);
        filled.lacks.iter().fold(filled.text, |shown, lack| format!("{shown} | {lack:?}"))
    }

    #[test]
    fn every_form_of_the_specification_is_filled_in() {
        for (text, wanted) in [
            ("a $SET-b ${SET}c", "a value-b valuec"),
            ("${EMPTY:-d} ${EMPTY-d} ${NONE:-d} ${NONE-d}", "d  d d"),
            ("${SET:+alt} ${EMPTY:+alt}${EMPTY+alt} ${NONE:+alt}.", "alt alt ."),
            ("${NONE:-${EMPTY:-${SET}}}/x", "value/x"),
            ("${NONE:-a:b?c}", "a:b?c"),
            ("$$SET $${SET} cost: 5$ $1", "$SET ${SET} cost: 5$ $1"),
            ("${SET:?no}${EMPTY?no}", "value"),
        ] {
            assert_eq!(shown(text), wanted, "{text}");
        }
    }

    #[test]
    fn what_is_missing_is_told() {
        for (text, wanted) in [
            ("$NONE", r#" | Unset("NONE")"#),
            ("x${NONE}y", r#"xy | Unset("NONE")"#),
            ("${EMPTY:?give it}", r#" | Required("EMPTY", "give it")"#),
            ("${NONE:-$ALSO}", r#" | Unset("ALSO")"#),
            ("${SET/a/b}", r#" | Malformed("compose does not know what follows the name in `${SET…}`")"#),
            ("${SET", r#" | Malformed("`${` without its `}`")"#),
            ("${}", r#" | Malformed("`${…}` does not begin with a variable's name")"#),
        ] {
            assert_eq!(shown(text), wanted, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in r"[${}:?+A-C_0 ö-]{0,60}") {
            let _ = fill(&text, &look);
        }
    }
}
