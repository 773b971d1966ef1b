//! Which families are re-exported: names with `*` for any letters, `!` in front of those that are not.

use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use std::fmt;

/// Patterns of names. A name is wanted when a pattern fits and no pattern with `!` does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Globs {
    wanted: Vec<String>,
    not: Vec<String>,
}

impl Globs {
    /// Every name.
    pub(super) fn all() -> Self {
        Self { wanted: vec!["*".to_owned()], not: Vec::new() }
    }

    fn add(&mut self, text: &str) -> Result<(), String> {
        let (not, pattern) = text.trim().strip_prefix('!').map_or((false, text.trim()), |pattern| (true, pattern));
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '*');
        if pattern.is_empty() || !pattern.chars().all(good) {
            return Err(format!("expected the name of a metric, with `*` for any letters, not `{text}`"));
        }
        if not { &mut self.not } else { &mut self.wanted }.push(pattern.to_owned());
        Ok(())
    }

    /// Whether a family of this name is wanted.
    pub(super) fn want(&self, name: &str) -> bool {
        self.wanted.iter().any(|pattern| fits(pattern, name)) && !self.not.iter().any(|pattern| fits(pattern, name))
    }

    /// The patterns that fit none of these names.
    pub(super) fn idle<'a>(&'a self, names: &[&str]) -> impl Iterator<Item = &'a str> {
        let idle = self.wanted.iter().filter(|pattern| !names.iter().any(|name| fits(pattern, name)));
        idle.map(String::as_str).collect::<Vec<_>>().into_iter()
    }
}

/// Whether a pattern fits a name, in linear time for one star and never worse than their product.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((begin, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut left) = name.strip_prefix(begin) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        let Some((_, behind)) = left.split_once(part) else { return false };
        left = behind;
    }
    left.ends_with(end)
}

impl<'de> Deserialize<'de> for Globs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;
        impl<'de> Visitor<'de> for Written {
            type Value = Globs;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("names such as `http_*`, in a list or with commas between")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Globs, E> {
                let mut globs = Globs::default();
                text.split(',').try_for_each(|text| globs.add(text)).map_err(E::custom)?;
                Ok(globs)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Globs, A::Error> {
                let mut globs = Globs::default();
                while let Some(text) = list.next_element::<String>()? {
                    globs.add(&text).map_err(de::Error::custom)?;
                }
                Ok(globs)
            }
        }
        deserializer.deserialize_any(Written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn globs(texts: &[&str]) -> Globs {
        let mut globs = Globs::default();
        texts.iter().for_each(|text| globs.add(text).unwrap());
        globs
    }

    #[test]
    fn stars_fit_any_letters_and_an_exclamation_mark_takes_away() {
        for (patterns, name, expected) in [
            (&["http_*"][..], "http_requests_total", true),
            (&["http_*"], "http_", true),
            (&["http_*"], "https_x", false),
            (&["up"], "up", true),
            (&["up"], "upper", false),
            (&["*"], "anything", true),
            (&["*_total"], "a_total", true),
            (&["*_total"], "a_total_x", false),
            (&["a*b*c"], "a_b_c", true),
            (&["a*b*c"], "acb", false),
            (&["aba*aba"], "aba", false),
            (&["http_*", "!http_debug_*"], "http_debug_x", false),
            (&["!http_debug_*", "http_*"], "http_x", true),
            (&["!x"], "y", false),
        ] {
            assert_eq!(globs(patterns).want(name), expected, "{patterns:?} {name}");
        }
    }

    #[test]
    fn a_pattern_that_fits_nothing_is_told() {
        assert_eq!(globs(&["a*", "b*"]).idle(&["ax"]).collect::<Vec<_>>(), ["b*"]);
    }
}
