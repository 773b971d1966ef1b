//! HTML's character references. The names are those of the HTML standard (html.spec.whatwg.org, named character
//! references), one a line in `entities.txt`, sorted: the name without `&`, a space, what it stands for.

use std::collections::HashMap;
use std::sync::LazyLock;

static NAMES: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| {
    let lines = include_str!("entities.txt").split('\n').filter_map(|line| line.split_once(' '));
    lines.map(|(name, text)| (name, if text == "\\n" { "\n" } else { text })).collect()
});

/// What browsers make of the numbers 0x80 to 0x9f: windows-1252.
const WINDOWS: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";
/// The longest name looked for.
const NAME_CHARACTERS_MAX: usize = 32;

/// Replaces `& < > " '` by references.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#x27;"),
            _ => out.push(c),
        }
    }
    out
}

/// Replaces references by what they stand for, with a browser's forgiveness.
pub(super) fn unescape(text: &str) -> String {
    let mut pieces = text.split('&');
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let rest = match piece.strip_prefix('#') {
            Some(number) => numeric(number, &mut out),
            None => named(piece, &mut out),
        };
        match rest {
            Some(rest) => out.push_str(rest),
            None => {
                out.push('&');
                out.push_str(piece);
            }
        }
    }
    out
}

/// Writes the character of a number and returns what follows.
fn numeric<'t>(text: &'t str, out: &mut String) -> Option<&'t str> {
    let hexadecimal = text.strip_prefix(['x', 'X']);
    let (digits, radix) = hexadecimal.map_or((text, 10), |digits| (digits, 16));
    let end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
    let (digits, rest) = digits.split_at_checked(end).filter(|(digits, _)| !digits.is_empty())?;
    out.extend(character(u32::from_str_radix(digits, radix).unwrap_or(u32::MAX)));
    Some(rest.strip_prefix(';').unwrap_or(rest))
}

fn character(number: u32) -> Option<char> {
    match number {
        0x80..=0x9f => WINDOWS.chars().nth(number as usize - 0x80),
        0x0d => Some('\r'),
        // Controls and non-characters vanish.
        1..=8 | 0x0b | 0x0e..=0x1f | 0x7f | 0xfdd0..=0xfdef => None,
        _ if number <= 0x0010_ffff && number & 0xfffe == 0xfffe => None,
        0 => Some('\u{fffd}'),
        _ => Some(char::from_u32(number).unwrap_or('\u{fffd}')),
    }
}

/// Writes what the longest known name at the beginning stands for and returns what follows.
fn named<'t>(text: &'t str, out: &mut String) -> Option<&'t str> {
    let ends = text.char_indices().take(NAME_CHARACTERS_MAX + 1).map(|(at, c)| at + c.len_utf8());
    let ends: Vec<usize> = ends.collect();
    let found = ends.into_iter().rev().find_map(|end| {
        let (name, rest) = text.split_at_checked(end)?;
        NAMES.get(name).map(|text| (text, rest))
    });
    let (text, rest) = found?;
    out.push_str(text);
    Some(rest)
}
