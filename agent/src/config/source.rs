//! The line of a malformed file, with a caret, fit to be shown: what looks like a secret in it is not.

use crate::node::Place;
use crate::secret::is_telling;
use std::ops::Range;

/// Longest piece of a line that is shown.
const SHOWN_CHARS: usize = 160;

/// A place behind the last line, where a parser ends that waited for more, is the end of the last line with something in it.
pub(super) fn inside(text: &str, at: Place) -> Place {
    let last = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).last();
    match last {
        Some((index, line)) if at.line > text.lines().count() => {
            Place { line: index + 1, column: line.trim_end().chars().count() + 1 }
        }
        _ => at,
    }
}

/// The line and a caret below the column, both counted from 1; empty when there is no such line.
pub(super) fn excerpt(text: &str, line: usize, column: usize) -> String {
    let Some(written) = line.checked_sub(1).and_then(|index| text.lines().nth(index)) else { return String::new() };
    let secret = if below_a_secret(text, line) { whole_value(written) } else { secrets(written) };
    let (shown, caret) = veil(written, column.saturating_sub(1), secret);
    if caret > SHOWN_CHARS {
        return String::new();
    }
    let shown: String = shown.chars().take(SHOWN_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let margin = " ".repeat(line.to_string().len());
    let shown = shown.trim_end();
    format!(" {margin} |\n {line} | {shown}\n {margin} | {}^\n", " ".repeat(caret))
}

/// The line with stars in place of what may be secret, and where the column went.
fn veil(line: &str, column: usize, secrets: Vec<Range<usize>>) -> (String, usize) {
    let (mut shown, mut caret, mut position) = (String::new(), 0, 0);
    let mut secrets = secrets.into_iter().peekable();
    for (index, c) in line.char_indices() {
        if position == column {
            caret = shown.chars().count();
        }
        position += 1;
        while secrets.next_if(|range| range.end <= index).is_some() {}
        match secrets.peek() {
            Some(range) if range.start == index => shown.push_str("***"),
            Some(range) if range.contains(&index) => {}
            _ => shown.push(c),
        }
    }
    if column >= position {
        caret = shown.chars().count() + (column - position).min(1);
    }
    (shown, caret)
}

/// Whether a line stands, by its indentation, below a key with a telling name: a user's hash below `basic_auth_users`.
fn below_a_secret(text: &str, line: usize) -> bool {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let above: Vec<&str> = text.lines().take(line).filter(|line| !line.trim().is_empty()).collect();
    let Some((written, above)) = above.split_last() else { return false };
    let mut level = indent(written) + usize::from(written.trim_start().starts_with('-'));
    above.iter().rev().any(|parent| {
        let is_parent = indent(parent) < level;
        level = level.min(indent(parent));
        is_parent && parent.split(':').next().is_some_and(is_telling)
    })
}

/// The value of a line, or all of it when it has no key.
fn whole_value(line: &str) -> Vec<Range<usize>> {
    let from = line.find(": ").map_or(0, |colon| colon + 1);
    let blank = line.get(from..).and_then(|rest| rest.find(|c: char| !c.is_whitespace()));
    blank.map(|blank| from + blank..line.trim_end().len()).into_iter().collect()
}

/// Byte ranges that may hold a secret, in order and apart: what stands before the `@` of a URL, and the value of a key with a
/// telling name, to the end of the line, for a secret may contain any sign.
fn secrets(line: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (begin, _) in line.match_indices("://") {
        let begin = begin + 3;
        let rest = line.get(begin..).unwrap_or_default();
        let word = rest.find(char::is_whitespace).unwrap_or(rest.len());
        if let Some(at) = rest.get(..word).and_then(|word| word.rfind('@')) {
            found.push(begin..begin + at);
        }
    }
    let lower = line.to_ascii_lowercase();
    let telling = lower.match_indices(':').find(|(colon, _)| {
        let key = lower.get(..*colon).unwrap_or_default().rsplit(['{', ',', ' ']).next().unwrap_or_default();
        is_telling(key)
    });
    if let Some((colon, _)) = telling {
        let begin = line.get(colon + 1..).and_then(|rest| rest.find(|c: char| !c.is_whitespace()));
        if let Some(begin) = begin.map(|spaces| colon + 1 + spaces) {
            found.retain(|range| range.end <= begin);
            found.push(begin..line.len());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_below_the_column() {
        insta::assert_snapshot!(excerpt("a: 1\nlisten: x: y\n", 2, 10), @r"
          |
        2 | listen: x: y
          |          ^
        ");
        insta::assert_snapshot!(excerpt("ö: [\n", 1, 99), @r"
          |
        1 | ö: [
          |      ^
        ");
        assert_eq!(excerpt("a: 1", 7, 1), "");
        assert_eq!(excerpt("a: 1", 0, 0), "");
    }

    #[test]
    fn a_secret_in_the_line_is_not_shown_and_the_caret_moves_along() {
        insta::assert_snapshot!(excerpt("  url: postgres://app:hunter2@db/x: y", 1, 34), @r"
          |
        1 |   url: postgres://***@db/x: y
          |                          ^
        ");
        insta::assert_snapshot!(excerpt("  login: {user: a, password: hunter2, x: [}", 1, 41), @r"
          |
        1 |   login: {user: a, password: ***
          |                                 ^
        ");
        for line in [
            "x-api-key: hunter2",
            "  PASSWORD:   hunter2",
            "- {token: hunter2}",
            "u: redis://:hunter2@h/1 'redis://:hunter2@i'",
        ] {
            assert!(!excerpt(line, 1, 3).contains("hunter2"), "{line}");
        }
    }
    #[test]
    fn what_stands_below_a_secret_key_is_not_shown() {
        let users = "basic_auth_users:\n\n  bob: 1\n  ann: \"hunter2\ntls: 1\n";
        insta::assert_snapshot!(excerpt(users, 4, 8), @r"
          |
        4 |   ann: ***
          |        ^
        ");
        for (text, line) in [
            ("password: |\n  hunter2", 2),
            ("tokens:\n- hunter2", 2),
            ("- authorization:\n    type: X\n    value:\n      hunter2\n", 4),
        ] {
            assert!(!excerpt(text, line, 3).contains("hunter2"), "{text}");
        }
        assert!(excerpt("auth:\n  a: 1\nlisten: shown", 3, 3).contains("shown"), "not below it any more");
    }

    #[test]
    fn a_place_behind_the_text_is_the_end_of_its_last_line() {
        let inside = |text: &str, line| inside(text, Place { line, column: 1 });
        assert_eq!(inside("a: {b\n", 2), Place { line: 1, column: 6 });
        assert_eq!(inside("a: [ö \n\n\n", 4), Place { line: 1, column: 6 });
        assert_eq!(inside("a: 1\nb: 2\n", 2), Place { line: 2, column: 1 });
        assert_eq!(inside("", 1), Place { line: 1, column: 1 });
    }
}
