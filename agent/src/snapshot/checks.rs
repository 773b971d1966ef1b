//! The list of checks in a snapshot.

use super::CheckView;
use std::sync::Arc;

/// The checks as they stand, shared with the snapshots before: a run makes one of them anew and leaves the others as they are.
#[derive(Clone, Debug, Default)]
pub struct Checks(Vec<Arc<CheckView>>);

/// Goes through the checks.
pub type Iter<'a> = std::iter::Map<std::slice::Iter<'a, Arc<CheckView>>, fn(&Arc<CheckView>) -> &CheckView>;

impl Checks {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All, in their order.
    pub fn iter(&self) -> Iter<'_> {
        self.0.iter().map(Arc::as_ref)
    }

    /// The check at that place.
    #[must_use]
    pub fn get(&self, place: usize) -> Option<&CheckView> {
        self.0.get(place).map(Arc::as_ref)
    }

    /// The check at that place, its own copy from now on where a snapshot shares it.
    pub fn get_mut(&mut self, place: usize) -> Option<&mut CheckView> {
        self.0.get_mut(place).map(Arc::make_mut)
    }
}

impl FromIterator<CheckView> for Checks {
    fn from_iter<I: IntoIterator<Item = CheckView>>(views: I) -> Self {
        Self(views.into_iter().map(Arc::new).collect())
    }
}

impl<'a> IntoIterator for &'a Checks {
    type Item = &'a CheckView;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// Tests write pictures by hand.
#[cfg(test)]
mod by_hand {
    use super::{Arc, CheckView, Checks};
    use crate::snapshot::Role;
    use std::ops::{Index, IndexMut};

    impl From<Vec<CheckView>> for Checks {
        fn from(views: Vec<CheckView>) -> Self {
            views.into_iter().collect()
        }
    }

    impl Index<usize> for Checks {
        type Output = CheckView;

        fn index(&self, place: usize) -> &CheckView {
            &self.0[place]
        }
    }

    impl IndexMut<usize> for Checks {
        fn index_mut(&mut self, place: usize) -> &mut CheckView {
            Arc::make_mut(&mut self.0[place])
        }
    }

    impl Checks {
        pub(crate) fn push(&mut self, view: CheckView) {
            self.0.push(Arc::new(view));
        }

        pub(crate) fn insert(&mut self, place: usize, view: CheckView) {
            self.0.insert(place, Arc::new(view));
        }

        pub(crate) fn remove(&mut self, place: usize) -> CheckView {
            Arc::unwrap_or_clone(self.0.remove(place))
        }

        pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut CheckView> {
            self.0.iter_mut().map(Arc::make_mut)
        }
    }

    #[test]
    fn a_run_leaves_the_snapshot_before_as_it_was() {
        let facts = crate::metrics::sample::facts_of("db", "tcp", "tcp://db:1", Role::Observe);
        let mut now = Checks::from(vec![CheckView::unmeasured(Arc::new(facts))]);
        let before = now.clone();
        now.get_mut(0).expect("one check").runs = 7;
        assert_eq!((before[0].runs, now[0].runs), (0, 7));
    }
}
