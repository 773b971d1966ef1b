//! Owns what an instance believes of its Redis: whether it is there, and from when on its copies may be believed. Pure: the time is
//! passed in.

use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};

use crate::limits;

/// Redis as it was last seen.
#[derive(Default)]
pub(super) struct State(Mutex<Seen>);

#[derive(Default)]
struct Seen {
    is_up: Option<bool>,
    /// Before this nobody asks: one slow Redis must not make every request slow.
    rests_until: Option<Instant>,
    /// Before this a copy may be older than a change that Redis was not told of.
    doubtful_until: Option<Instant>,
}

impl State {
    /// Whether it is worth asking, and the answer worth believing.
    pub(super) fn is_trusted(&self, now: Instant) -> bool {
        self.with(|seen| {
            [seen.rests_until, seen.doubtful_until].iter().all(|until| until.is_none_or(|until| until <= now))
        })
    }

    /// Copies are not believed until then.
    pub(super) fn distrust(&self, until: Instant) {
        self.with(|seen| seen.doubtful_until = Some(until));
    }

    /// Notes how a command went. `true` when that is news.
    pub(super) fn turned(&self, is_up: bool, now: Instant) -> bool {
        self.with(|seen| {
            seen.rests_until = (!is_up).then(|| now + limits::REDIS_REST);
            seen.is_up.replace(is_up) != Some(is_up)
        })
    }

    fn with<T>(&self, look: impl FnOnce(&mut Seen) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_failure_gives_redis_a_rest_and_is_news_once() {
        let (state, now) = (State::default(), Instant::now());
        assert!(state.is_trusted(now));
        assert!(state.turned(false, now) && !state.turned(false, now));
        assert!(!state.is_trusted(now) && state.is_trusted(now + limits::REDIS_REST));
        assert!(state.turned(true, now) && state.is_trusted(now));
    }

    #[test]
    fn after_a_change_that_redis_was_not_told_of_copies_are_doubted_even_when_it_is_back() {
        let (state, now) = (State::default(), Instant::now());
        state.turned(false, now);
        state.distrust(now + limits::CACHE_LIFE);
        state.turned(true, now);
        assert!(!state.is_trusted(now + limits::CACHE_LIFE - Duration::from_millis(1)));
        assert!(state.is_trusted(now + limits::CACHE_LIFE));
    }
}
