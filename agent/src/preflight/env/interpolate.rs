//! `$NAME` and `${NAME…}` in a value, as the Compose specification has them. Pure.
//! What must stay true: no message repeats what stands behind a `$`, for it may be a piece of a password.

use crate::limits;

/// A value with its references filled in.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Filled {
    pub(super) text: String,
    /// Whether something is referred to that is not set, and for which there is no default.
    pub(super) unset: bool,
    /// Whether a `${` has no end, or stands before what is no name.
    pub(super) broken: bool,
}

/// Fills in what `look` knows.
pub(super) fn fill(text: &str, look: &dyn Fn(&str) -> Option<String>) -> Filled {
    let mut filled = Filled::default();
    fill_into(text, look, &mut filled, 0);
    filled
}

fn fill_into(text: &str, look: &dyn Fn(&str) -> Option<String>, out: &mut Filled, depth: usize) {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.text.push_str(before);
        if depth > limits::ENV_REFERENCE_DEPTH || out.text.len() > limits::ENV_VALUE_BYTES {
            out.broken = true;
            return;
        }
        rest = if let Some(after) = after.strip_prefix('$') {
            out.text.push('$');
            after
        } else if let Some(inside) = after.strip_prefix('{') {
            let Some(end) = closing(inside) else {
                out.broken = true;
                return;
            };
            braced(inside.get(..end).unwrap_or_default(), look, out, depth);
            inside.get(end + 1..).unwrap_or_default()
        } else {
            let (name, after) = split_name(after);
            match name {
                "" => out.text.push('$'),
                name => substitute(look(name), out),
            }
            after
        };
    }
    out.text.push_str(rest);
}

/// What stands between the braces.
fn braced(inside: &str, look: &dyn Fn(&str) -> Option<String>, out: &mut Filled, depth: usize) {
    let (name, rest) = split_name(inside);
    if name.is_empty() {
        out.broken = true;
        return;
    }
    let value = look(name);
    let filled = value.clone().filter(|value| !value.is_empty());
    let mut instead = |present: Option<String>, other: &str| match present {
        Some(value) => out.text.push_str(&value),
        None => fill_into(other, look, out, depth + 1),
    };
    if let Some(default) = rest.strip_prefix(":-") {
        instead(filled, default);
    } else if let Some(default) = rest.strip_prefix('-') {
        instead(value, default);
    } else if let Some(other) = rest.strip_prefix(":+") {
        instead(filled.map_or(Some(String::new()), |_| None), other);
    } else if let Some(other) = rest.strip_prefix('+') {
        instead(value.map_or(Some(String::new()), |_| None), other);
    } else if rest.starts_with(":?") {
        substitute(filled, out);
    } else if rest.is_empty() || rest.starts_with('?') {
        substitute(value, out);
    } else {
        out.broken = true;
    }
}

fn substitute(value: Option<String>, out: &mut Filled) {
    match value {
        Some(value) => out.text.push_str(&value),
        None => out.unset = true,
    }
}

/// Where the brace that is already open closes.
pub(in crate::preflight) fn closing(text: &str) -> Option<usize> {
    let mut depth = 1_usize;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        match c {
            '{' if before == '$' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
        before = c;
    }
    None
}

/// The name of a variable that a text begins with, and the rest; the name is empty when there is none.
pub(in crate::preflight) fn split_name(text: &str) -> (&str, &str) {
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
    text.split_at(if begins { end } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(name: &str) -> Option<String> {
        match name {
            "A" => Some("1".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        }
    }

    #[test]
    fn every_form_of_the_compose_specification() {
        for (text, filled) in [
            ("plain", "plain"),
            ("x$A-${A}", "x1-1"),
            ("a$$b", "a$b"),
            ("100$", "100$"),
            ("$1 $-", "$1 $-"),
            ("${B:-d}${B-d}", "dd"),
            ("${EMPTY:-d}|${EMPTY-d}", "d|"),
            ("${A:+x}${EMPTY:+x}${EMPTY+x}${B+x}", "xx"),
            ("${B:-${A}${C:-}}", "1"),
            ("${A:?must}${A?must}", "11"),
        ] {
            let expected = Filled { text: filled.to_owned(), ..Filled::default() };
            assert_eq!(fill(text, &look), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_set_and_what_has_no_end_is_noticed() {
        for text in ["$B", "${B}", "a${B:?must}", "${EMPTY:?}", "${A:+${B}}"] {
            let filled = fill(text, &look);
            assert!(filled.unset && !filled.broken, "{text}");
        }
        for text in ["${A", "${}", "${A!}", "${-x}", &"${A:+".repeat(99)] {
            assert!(fill(text, &look).broken, "{text}");
        }
    }

    #[test]
    fn no_value_grows_without_end() {
        let long = |_: &str| Some("x".repeat(limits::ENV_VALUE_BYTES));
        let filled = fill(&"$A".repeat(1000), &long);
        assert!(filled.broken && filled.text.len() <= 3 * limits::ENV_VALUE_BYTES);
        let deep = format!("{}{}", "${A:+".repeat(40), "}".repeat(40));
        assert!(fill(&deep, &look).broken);
    }
}
