//! What keeps a check's secrets out of all that its runs give out: a peer may repeat what it was told, in an error, a greeting, a label.
//! It knows no kind: whatever a kind reads as a `Secret` comes here by itself. What must stay true: this is done once, where a run's
//! outcome is taken ([`super::outcome`]), so that no probe has to think of it; and a check without secrets pays nothing.

use super::metrics::Exposition;
use super::net::Spoken;
use super::{Detail, Kind, Outcome, Probe, Run, Target};
use crate::limits::{TELLING_SECRET_CHARS, TELLING_WORD_CHARS};
use crate::node::{Confided, Node, Problems};
use crate::probes::Context;
use crate::secret::{Secret, is_telling};
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

/// Makes a probe of a kind from its target and own keys, and veils in what it gives out what they hold of secrets.
pub fn build(kind: &Kind, target: &Target, own: &Node, problems: &mut Problems) -> Option<Box<dyn Probe>> {
    let probe = (kind.build)(target, own, problems);
    let veil = Veil::of(target, problems.confided());
    let probe = probe?;
    Some(if veil.words.is_empty() { probe } else { Box::new(Veiled { probe, veil }) })
}

struct Veiled {
    probe: Box<dyn Probe>,
    veil: Veil,
}

impl Probe for Veiled {
    fn run<'a>(&'a mut self, cx: &'a mut Context<'_>) -> Run<'a> {
        self.probe.run(cx)
    }

    fn veil(&self) -> &Veil {
        &self.veil
    }
}

/// The secrets of a check: each as a whole, and the longer words of those that are texts with a secret in them (a header, a body, what a
/// dialogue sends).
#[derive(Default)]
pub struct Veil {
    words: Vec<Word>,
}

/// A piece of a secret, and how much of it tells that it is one: an answer that is quoted may end within it.
#[derive(PartialEq, Eq)]
struct Word {
    text: String,
    telling: usize,
}

impl Veil {
    /// That of a check without secrets.
    #[must_use]
    pub fn none() -> &'static Self {
        static NONE: Veil = Veil { words: Vec::new() };
        &NONE
    }

    fn of(target: &Target, confided: Vec<Confided>) -> Self {
        let query = target.query.as_deref().unwrap_or_default();
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        let of_query = pairs.filter(|(name, _)| is_telling(name)).map(|(_, value)| Secret::new(value));
        let of_keys = confided.into_iter().filter(|one| !is_harmless(&one.path)).map(|one| one.value);
        let open = Open::of(target);
        let mut words = Vec::new();
        let mut keep = |text: &str, least: usize, word: Word| {
            if text.chars().count() >= least && !open.shows(text) && !words.contains(&word) {
                words.push(word);
            }
        };
        if let Some(password) = &target.password {
            keep(password.expose(), TELLING_SECRET_CHARS, Word::new(password.expose()));
        }
        for secret in of_query.chain(of_keys) {
            let text = secret.expose().trim();
            // How a text of several words begins is often the protocol's own: `AUTH `, `{"type":`.
            let whole = if text.contains(is_between) { Word::whole(text) } else { Word::new(text) };
            keep(text, TELLING_SECRET_CHARS, whole);
            values(text).for_each(|word| keep(word, TELLING_WORD_CHARS, Word::new(word)));
        }
        Self { words }
    }

    /// The outcome without them.
    pub(super) fn over(&self, mut outcome: Outcome) -> Outcome {
        if self.words.is_empty() {
            return outcome;
        }
        if let Some(fault) = &mut outcome.fault {
            self.hide(&mut fault.message);
            if let Some(hint) = &mut fault.hint {
                self.hide(hint);
            }
            if let Some(Detail::Speaks(Spoken { version: Some(version), .. })) = &mut fault.detail {
                self.hide(version);
            }
        }
        outcome.notes.iter_mut().for_each(|note| self.hide(&mut note.text));
        outcome.readings.iter_mut().flat_map(|reading| &mut reading.labels).for_each(|label| self.hide(label));
        outcome.exposition = outcome.exposition.map(|page| self.without(page));
        outcome
    }

    /// The page without the samples that tell one in their labels, and without such help.
    fn without(&self, page: Arc<Exposition>) -> Arc<Exposition> {
        let tells = |text: &str| !self.found(text).is_empty();
        if !page.families.iter().any(|family| tells(family.texts()) || tells(&family.help)) {
            return page;
        }
        let labels = |sample: &str| sample.rsplit_once('}').is_some_and(|(labels, _value)| tells(labels));
        let mut page = page.retaining(|sample| !labels(sample));
        for family in page.families.iter_mut().filter(|family| tells(&family.help)) {
            family.help = "".into();
        }
        Arc::new(page)
    }

    /// Puts stars in their place.
    fn hide(&self, text: &mut String) {
        // From the end, so that the places before it stay true.
        for range in self.found(text).into_iter().rev() {
            text.replace_range(range, "***");
        }
    }

    /// Where they stand in a text, in order and apart.
    fn found(&self, text: &str) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        for word in &self.words {
            found.extend(word.places(text));
        }
        crate::small::sort_by_key(&mut found, |range| range.start);
        found.dedup_by(|later, earlier| {
            let one = later.start <= earlier.end;
            earlier.end = if one { earlier.end.max(later.end) } else { earlier.end };
            one
        });
        found
    }
}

impl Word {
    fn new(text: &str) -> Self {
        let whole = Self::whole(text);
        let telling = whole.text.char_indices().nth(TELLING_WORD_CHARS).map_or(whole.text.len(), |(at, _)| at);
        Self { telling, ..whole }
    }

    fn whole(text: &str) -> Self {
        // As a peer's text is cleaned before it is shown.
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        Self { telling: text.len(), text }
    }

    /// Wherever it begins, as far as it goes there.
    fn places<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
        let begin = self.text.get(..self.telling).unwrap_or_default();
        text.match_indices(begin).map(|(at, _)| {
            let there = text.get(at..).unwrap_or_default().chars();
            let same = there.zip(self.text.chars()).take_while(|(one, other)| one == other);
            at..at + same.map(|(one, _)| one.len_utf8()).sum::<usize>()
        })
    }
}

/// The words of a text that may be secrets. The name before a value (`"password": "…"`, `token=…`) is none.
fn values(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            rest = rest.trim_start_matches(is_between);
            let (word, behind) = rest.split_at(rest.find(is_between).unwrap_or(rest.len()));
            if word.is_empty() {
                return None;
            }
            rest = behind;
            let plain = word.chars().all(|c| c.is_ascii_alphabetic() || c == '_');
            if !(plain && behind.trim_start_matches(['"', '\'', ' ']).starts_with([':', '='])) {
                return Some(word);
            }
        }
    })
}

/// What stands between the words of a text.
fn is_between(c: char) -> bool {
    c.is_whitespace() || "\"'`:,;{}[]()&=<>".contains(c)
}

/// What a check's URL shows to everybody. A password that is one of these is not veiled: the stars would tell it.
struct Open<'a>([Cow<'a, str>; 4]);

impl<'a> Open<'a> {
    fn of(target: &'a Target) -> Self {
        // Without a password, the user may be the key.
        let user = if target.password.is_some() { target.user.as_str() } else { "" };
        Self([(&*target.scheme).into(), (&*target.host).into(), user.into(), target.database().into()])
    }

    fn shows(&self, word: &str) -> bool {
        self.0.iter().any(|open| open == word)
    }
}

/// Headers that are read as secrets with all others, and hold none.
fn is_harmless(path: &str) -> bool {
    let Some((_, name)) = path.split_once("headers.") else { return false };
    let name = name.to_ascii_lowercase();
    let begins = ["accept", "content-", "x-forwarded-", "sec-websocket-"];
    matches!(&*name, "host" | "origin" | "referer" | "user-agent" | "connection" | "upgrade" | "cache-control")
        || begins.iter().any(|begin| name.starts_with(begin))
}

#[cfg(test)]
#[path = "veil_tests.rs"]
mod tests;
