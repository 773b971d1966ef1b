//! Another set of checks and sources takes the place of the one before. What must stay true: whatever keeps its number keeps all that
//! is known of it, and what is gone leaves nothing behind.

use super::{State, unread};
use crate::causes::{Change, What};
use crate::reload::Attempt;
use crate::snapshot::{CheckFacts, CheckView, Checks, SourceView};
use std::sync::Arc;

impl State {
    pub(super) fn take_over(&mut self, checks: Vec<(usize, Arc<CheckFacts>)>, sources: Vec<(usize, &'static str)>) {
        let (known, known_sources) = &self.numbers;
        let place = |number: &usize, known: &[usize]| known.iter().position(|one| one == number);
        let before: Vec<Option<usize>> = checks.iter().map(|(number, _)| place(number, known)).collect();
        let kept = |place: Option<usize>| place.and_then(|place| self.checks.get(place)).cloned();
        let views = before.iter().zip(&checks);
        let views: Checks = views
            .map(|(place, (_, facts))| kept(*place).unwrap_or_else(|| CheckView::unmeasured(Arc::clone(facts))))
            .collect();
        let source = |(number, name): &(usize, &'static str)| {
            let kept = place(number, known_sources).and_then(|place| self.sources.get(place)).cloned();
            kept.unwrap_or_else(|| unread(name))
        };
        let source_views: Vec<SourceView> = sources.iter().map(source).collect();
        if self.numbers.1 != numbers(&sources) {
            // They may be about another peer.
            self.causes.forget_sources();
            self.changes.forget_peer();
        }
        self.checks = views;
        self.sources = source_views;
        self.numbers = (numbers(&checks), numbers(&sources));
        self.causes.reordered(&before);
        let goes_on: Vec<&str> =
            before.iter().zip(&checks).filter_map(|(place, (_, facts))| place.map(|_| facts.name.as_str())).collect();
        self.changes.retain(|check| goes_on.contains(&check));
    }

    /// Counts the attempt, and keeps what it changed among the changes.
    pub(super) fn note(&mut self, attempt: Arc<Attempt>) {
        let told = attempt.outcome.as_ref().ok().and_then(|changes| changes.in_short());
        if let Some(to) = told {
            let (subject, from) = ("agent".to_owned(), String::new());
            self.changes.keep(Change { at: attempt.at, what: What::Configuration, subject, from, to });
        }
        self.reloads.note(attempt);
    }
}

fn numbers<T>(numbered: &[(usize, T)]) -> Vec<usize> {
    numbered.iter().map(|(number, _)| *number).collect()
}

#[cfg(test)]
mod tests;
