//! The line of a malformed file, with a caret, fit to be shown: what looks like a secret in it is not.

use std::ops::Range;

/// Words in a key that say that its value is nobody's business.
const SECRET_KEYS: &[&str] = &["pass", "secret", "token", "key", "auth", "cookie", "credential"];
/// Longest piece of a line that is shown.
const SHOWN_CHARS: usize = 160;

/// The line and a caret below the column, both counted from 1; empty when there is no such line.
pub(super) fn excerpt(text: &str, line: usize, column: usize) -> String {
    let Some(written) = line.checked_sub(1).and_then(|index| text.lines().nth(index)) else { return String::new() };
    let (shown, caret) = veil(written, column.saturating_sub(1));
    if caret > SHOWN_CHARS {
        return String::new();
    }
    let shown: String = shown.chars().take(SHOWN_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let margin = " ".repeat(line.to_string().len());
    let shown = shown.trim_end();
    format!(" {margin} |\n {line} | {shown}\n {margin} | {}^\n", " ".repeat(caret))
}

/// The line with stars in place of what may be secret, and where the column went.
fn veil(line: &str, column: usize) -> (String, usize) {
    let (mut shown, mut caret, mut position) = (String::new(), 0, 0);
    let mut secrets = secrets(line).into_iter().peekable();
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
        SECRET_KEYS.iter().any(|word| key.contains(word))
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
}
