//! The steps of a dialogue, as written and as checked.

use crate::limits;
use crate::node::{Place, Problems};
use crate::secret::Secret;
use regex_lite::Regex;

/// A step as written.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
pub(in crate::probes) struct StepParams {
    expect: Option<String>,
    expect_bytes: Option<String>,
    labels: Vec<Label>,
    send: Option<Secret>,
    starttls: bool,
}

/// A label taken from what the peer said.
#[derive(Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::probes) struct Label {
    pub(in crate::probes) name: String,
    pub(in crate::probes) value: String,
}

/// A step, checked.
pub(in crate::probes) struct Step {
    pub(in crate::probes) expect: Option<Regex>,
    pub(in crate::probes) expect_bytes: Option<Vec<u8>>,
    pub(in crate::probes) labels: Vec<Label>,
    /// May hold a password, so it is never shown.
    pub(in crate::probes) send: Option<Secret>,
    pub(in crate::probes) starttls: bool,
}

impl Step {
    /// Checks all steps; `None` when one of them makes no sense.
    pub(in crate::probes) fn all(params: &[StepParams], at: Place, problems: &mut Problems) -> Option<Vec<Self>> {
        let steps: Vec<Self> = params.iter().filter_map(|step| Self::new(step, at, problems)).collect();
        (steps.len() == params.len()).then_some(steps)
    }

    /// Checks a step.
    pub(in crate::probes) fn new(params: &StepParams, at: Place, problems: &mut Problems) -> Option<Self> {
        let expect = params.expect.as_ref().map(|text| Regex::new(text).map_err(|error| (text, error))).transpose();
        let expect = expect.map_err(|(text, error)| {
            problems.add("query_response", at, format!("not a regular expression ({error}): `{text}`"));
        });
        if !params.labels.is_empty() && params.expect.is_none() {
            problems.add(
                "query_response",
                at,
                "`labels` are taken from what `expect` matches, and there is no `expect`",
            );
            return None;
        }
        Some(Self {
            expect: expect.ok()?,
            expect_bytes: params.expect_bytes.as_ref().map(|text| text.as_bytes().to_vec()),
            labels: params.labels.clone(),
            send: params.send.clone(),
            starttls: params.starttls,
        })
    }
}

/// Words that a peer was told. They may be secrets, and a peer may repeat them: what holds the beginning of one is not quoted.
#[derive(Default)]
pub(in crate::probes) struct Told(Vec<String>);

impl Told {
    /// Notes what was sent; words too short for a secret (`PING`, `"type"`) may be repeated.
    pub(in crate::probes) fn note(&mut self, sent: &str) {
        let words = sent.split(|c: char| c.is_whitespace() || "\"'`:,;{}[]()&=<>".contains(c));
        let begins = words.map(|word| word.chars().take(limits::TELLING_WORD_CHARS).collect::<String>());
        self.0.extend(begins.filter(|word| word.chars().count() == limits::TELLING_WORD_CHARS));
    }

    /// Whether it can be quoted.
    pub(in crate::probes) fn allows(&self, text: &str) -> bool {
        !self.0.iter().any(|begin| text.contains(begin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_repeats_a_secret_is_not_quoted_and_a_protocols_own_words_are() {
        let mut told = Told::default();
        told.note("AUTH app:c4nary-Pa55word");
        told.note("{\"type\":\"ping\",\"token\":\"t0ken+of=ours\"}");
        for text in ["-ERR AUTH wrong", "{\"type\":\"pong\"}", "", "c4nary"] {
            assert!(told.allows(text), "{text}");
        }
        for text in ["no c4nary-Pa55word here", "c4nary-Pa", "bad `t0ken+of`"] {
            assert!(!told.allows(text), "{text}");
        }
    }
}
