//! Where the checks of a compose file lay down what they find, before places become files and lines.
//! A leaf of this folder. What must stay true: one mistake is told once, also when an anchor repeats it in ten services.

use super::item::Spot;
use crate::preflight::{Findings, Place, Rule};

/// What was found.
#[derive(Debug)]
struct Note {
    rule: &'static Rule,
    at: Spot,
    key: String,
    message: String,
    fix: Option<String>,
}

/// All that was found, in the order found.
#[derive(Debug, Default)]
pub(super) struct Notes(Vec<Note>);

impl Notes {
    pub(super) fn add(&mut self, rule: &'static Rule, at: Spot, key: impl Into<String>, message: impl Into<String>) {
        self.push(Note { rule, at, key: key.into(), message: message.into(), fix: None });
    }

    /// With the way out of this very case: the message and the fix.
    pub(super) fn advise(
        &mut self,
        rule: &'static Rule,
        at: Spot,
        key: impl Into<String>,
        (message, fix): (impl Into<String>, impl Into<String>),
    ) {
        self.push(Note { rule, at, key: key.into(), message: message.into(), fix: Some(fix.into()) });
    }

    fn push(&mut self, note: Note) {
        // What stands in an anchor is met once in every service that takes it over; what is missing in two services is two things.
        let written_once = |other: &Note| {
            other.rule == note.rule && other.at == note.at && (other.message == note.message || other.key == note.key)
        };
        if !self.0.iter().any(written_once) {
            self.0.push(note);
        }
    }

    /// Turns places into files and lines; `files` are the names of the sources.
    pub(super) fn tell(self, files: &[&str], findings: &mut Findings) {
        for note in self.0 {
            let file = files.get(note.at.file).copied().unwrap_or_default();
            let place = Place::new(file, note.at.at, &note.key);
            match note.fix {
                Some(fix) => findings.add_with_fix(note.rule, place, note.message, fix),
                None => findings.add(note.rule, place, note.message),
            }
        }
    }
}
