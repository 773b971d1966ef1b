//! Everything that one call of `agent check` found, of all its inputs: what the renderers render and the exit code is read from.

use super::accepted::Waived;
use super::finding::{Checked, Finding, Findings, count};
use super::rule::Severity;
use crate::exit::Exit;
use crate::small;

/// The outcome of a check.
#[derive(Debug, Default)]
pub struct Report {
    /// What must be mended or looked at, by input and place.
    pub findings: Vec<Finding>,
    /// How many more there were than are kept.
    pub beyond: usize,
    /// What was found and is accepted.
    pub accepted: Vec<Waived>,
    /// The inputs that were looked at.
    pub checked: Vec<Checked>,
    /// The message for each input that could not be read.
    pub unreadable: Vec<String>,
}

impl Report {
    /// Sorts what was found: inputs in the order given, in each from top to bottom, what is missing first.
    pub(super) fn new(findings: Findings, accepted: Vec<Waived>) -> Self {
        let Findings { mut all, beyond, checked, unreadable } = findings;
        let mut files: Vec<String> = Vec::new();
        for finding in &all {
            if !files.contains(&finding.place.file) {
                files.push(finding.place.file.clone());
            }
        }
        small::sort_by_key(&mut all, |finding| {
            (files.iter().position(|file| *file == finding.place.file), finding.place.at)
        });
        Self { findings: all, beyond, accepted, checked, unreadable }
    }

    /// Findings that forbid a deployment.
    #[must_use]
    pub fn errors(&self) -> usize {
        count(&self.findings, Severity::Error)
    }

    /// Findings that are worth a look.
    #[must_use]
    pub fn warnings(&self) -> usize {
        count(&self.findings, Severity::Warning)
    }

    /// 2 when an input could not be read, 1 when there are errors, else 0.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match (self.unreadable.is_empty(), self.errors() + self.beyond) {
            (false, _) => Exit::Input,
            (true, 0) => Exit::Good,
            (true, _) => Exit::BadNews,
        }
    }
}
