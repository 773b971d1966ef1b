//! Another set of checks and sources takes the place of the one before. What must stay true: whatever keeps its number keeps all that
//! is known of it, and what is gone leaves nothing behind.

use super::{State, unmeasured, unread};
use crate::snapshot::{CheckFacts, CheckView, SourceView};
use std::sync::Arc;

impl State {
    pub(super) fn take_over(&mut self, checks: Vec<(usize, Arc<CheckFacts>)>, sources: Vec<(usize, &'static str)>) {
        let (known, known_sources) = &self.numbers;
        let place = |number: &usize, known: &[usize]| known.iter().position(|one| one == number);
        let before: Vec<Option<usize>> = checks.iter().map(|(number, _)| place(number, known)).collect();
        let kept = |place: Option<usize>| place.and_then(|place| self.checks.get(place)).cloned();
        let views = before.iter().zip(&checks);
        let views: Vec<CheckView> =
            views.map(|(place, (_, facts))| kept(*place).unwrap_or_else(|| unmeasured(Arc::clone(facts)))).collect();
        let source = |(number, name): &(usize, &'static str)| {
            let kept = place(number, known_sources).and_then(|place| self.sources.get(place)).cloned();
            kept.unwrap_or_else(|| unread(name))
        };
        let source_views: Vec<SourceView> = sources.iter().map(source).collect();
        self.checks = views;
        self.sources = source_views;
        self.numbers = (numbers(&checks), numbers(&sources));
        self.causes.reordered(&before);
    }
}

fn numbers<T>(numbered: &[(usize, T)]) -> Vec<usize> {
    numbered.iter().map(|(number, _)| *number).collect()
}
