//! What an answer must be like: its response code, and patterns that its records are held against.

use super::message::{Answer, Malformed};
use super::words::{rcode_name, rcode_number};
use crate::limits;
use crate::node::{Node, Problems};
use crate::probes::{Fault, Reason, clean, place_of};
use regex_lite::Regex;

/// Patterns for the records of a section, as written and as in blackbox_exporter.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RecordsParams {
    fail_if_matches_regexp: Vec<String>,
    fail_if_all_match_regexp: Vec<String>,
    fail_if_not_matches_regexp: Vec<String>,
    fail_if_none_matches_regexp: Vec<String>,
}

impl RecordsParams {
    fn lists(&self) -> [&[String]; 4] {
        [
            &self.fail_if_matches_regexp,
            &self.fail_if_all_match_regexp,
            &self.fail_if_not_matches_regexp,
            &self.fail_if_none_matches_regexp,
        ]
    }
}

fn patterns(texts: &[String], key: &str, own: &Node, problems: &mut Problems) -> Vec<Regex> {
    let one = |text: &String| match Regex::new(text) {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            problems.add(key, place_of(own, key), format!("not a regular expression ({error}): `{text}`"));
            None
        }
    };
    texts.iter().filter_map(one).collect()
}

/// The same, checked, in the order of the fields.
#[derive(Debug, Default)]
struct Records([Vec<Regex>; 4]);

/// All that is wanted of an answer.
#[derive(Debug)]
pub(super) struct Rules {
    rcodes: Vec<u16>,
    /// For answer, authority and additional.
    sections: [Records; 3],
}

/// The sections, in the order of a message, and the keys about them.
pub(super) const SECTIONS: [(&str, &str); 3] = [
    ("answer", "validate_answer_rrs"),
    ("authority", "validate_authority_rrs"),
    ("additional", "validate_additional_rrs"),
];

impl Rules {
    /// Checks what was written.
    pub(super) fn new(
        rcodes: &[String],
        sections: [&RecordsParams; 3],
        own: &Node,
        problems: &mut Problems,
    ) -> Option<Self> {
        let mut known = Vec::new();
        for written in rcodes {
            match rcode_number(written) {
                Some(number) => known.push(number),
                None => problems.add(
                    "valid_rcodes",
                    place_of(own, "valid_rcodes"),
                    format!("no response code of DNS: `{written}`"),
                ),
            }
        }
        if rcodes.is_empty() {
            known.push(0);
        }
        let before = problems.0.len();
        let mut at = SECTIONS.iter();
        let sections = sections.map(|params| {
            let key = at.next().map_or("", |(_, key)| key);
            Records(params.lists().map(|texts| patterns(texts, key, own, problems)))
        });
        (known.len() == rcodes.len().max(1) && problems.0.len() == before).then_some(Self { rcodes: known, sections })
    }

    /// Holds an answer against them.
    pub(super) fn judge(&self, answer: &Answer<'_>) -> Result<(), Fault> {
        if !self.rcodes.contains(&answer.rcode) {
            let wanted = self.rcodes.iter().map(|code| rcode_name(*code)).collect::<Vec<_>>().join(", ");
            let message = format!("the server answered {}, not {wanted}", rcode_name(answer.rcode));
            let fault = Fault::new(Reason::Status, message);
            return Err(match answer.rcode {
                3 => fault.hint("the name does not exist there; is it complete?"),
                5 => fault.hint("the server does not serve this name, or not to this host"),
                _ => fault,
            });
        }
        self.sections.iter().enumerate().try_for_each(|(at, records)| records.judge(answer, at))
    }
}

impl Records {
    fn judge(&self, answer: &Answer<'_>, section: usize) -> Result<(), Fault> {
        let Self([any, all, each, none]) = self;
        let count = answer.counts().get(section).copied().map_or(0, usize::from);
        let name = SECTIONS.get(section).map_or("", |(name, _)| name);
        let fault = |what: String| Err(Fault::new(Reason::Body, what));
        if self.0.iter().all(Vec::is_empty) {
            return Ok(());
        }
        if let Some(pattern) = each.first().or(none.first()).filter(|_| count == 0) {
            return fault(format!("the {name} section is empty, and a record should match `{pattern}`"));
        }
        if count > limits::DNS_RECORDS_JUDGED {
            return fault(format!(
                "{count} records in the {name} section, at most {} are looked at",
                limits::DNS_RECORDS_JUDGED
            ));
        }
        let (mut all_match, mut one_matches) = (true, false);
        for record in answer.records(section) {
            let text = record.text().map_err(malformed)?;
            let shown = || clean(&text);
            if let Some(pattern) = any.iter().find(|pattern| pattern.is_match(&text)) {
                return fault(format!("a record of the {name} section matches `{pattern}`: `{}`", shown()));
            }
            if let Some(pattern) = each.iter().find(|pattern| !pattern.is_match(&text)) {
                return fault(format!("a record of the {name} section does not match `{pattern}`: `{}`", shown()));
            }
            all_match &= all.iter().all(|pattern| pattern.is_match(&text));
            one_matches |= none.iter().any(|pattern| pattern.is_match(&text));
        }
        // blackbox_exporter fails here when there are records and *not* all match: its condition is turned round.
        if let Some(pattern) = all.first().filter(|_| all_match && count > 0) {
            return fault(format!("all records of the {name} section match `{pattern}`"));
        }
        if let Some(pattern) = none.first().filter(|_| !one_matches) {
            return fault(format!("no record of the {name} section matches `{pattern}`"));
        }
        Ok(())
    }
}

/// The fault of a message that cannot be read.
pub(super) fn malformed(error: Malformed) -> Fault {
    Fault::new(Reason::ProtocolMismatch, format!("the answer is no DNS message: {error}"))
}
