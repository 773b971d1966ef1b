//! The committed list of what public mixins ask for, and the one of what may find nothing.

use crate::repo::{read, root};
use std::collections::BTreeMap;

/// A line of `tests/compare/selectors.txt`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    /// Whose figures it asks for.
    pub family: String,
    /// Where it is asked.
    pub origin: String,
    /// The selector itself.
    pub text: String,
}

/// The list.
///
/// # Errors
/// When a line is none.
pub fn selectors() -> Result<Vec<Selector>, String> {
    lines("selectors.txt")
        .into_iter()
        .map(|line| {
            let mut words = line.splitn(3, ' ').map(str::to_owned);
            match (words.next(), words.next(), words.next()) {
                (Some(family), Some(origin), Some(text)) => Ok(Selector { family, origin, text }),
                _ => Err(format!("selectors.txt: no family, origin and selector: {line}")),
            }
        })
        .collect()
}

/// The metrics that may find nothing, with the reason: `tests/compare/selectors.gaps`, `<name> <reason>`; the name is followed by the
/// whole label part where only that selector is meant.
///
/// # Errors
/// When a line has no reason.
pub fn gaps() -> Result<BTreeMap<String, String>, String> {
    let pair = |line: &String| {
        let (selector, reason) = line.split_once("  ")?;
        Some((selector.to_owned(), reason.trim().to_owned()))
    };
    let all = lines("selectors.gaps");
    all.iter().map(|line| pair(line).ok_or_else(|| format!("selectors.gaps: no selector and reason: {line}"))).collect()
}

/// The reason that a selector may find nothing.
#[must_use]
pub fn excuse<'a>(gaps: &'a BTreeMap<String, String>, selector: &str) -> Option<&'a str> {
    let name = selector.split('{').next().unwrap_or_default();
    gaps.get(selector).or_else(|| gaps.get(name)).map(String::as_str)
}

fn lines(file: &str) -> Vec<String> {
    let text = read(&root().join("tests/compare").join(file));
    text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}
