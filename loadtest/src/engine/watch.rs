//! Notices a target that hangs or is dead, within seconds. goose needs its 60 s timeout for the first and never says the
//! second. A pure rule over what the engine sees a few times a second.

use crate::limits;
use std::time::Duration;

/// What is seen of the target at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    /// Time since the start.
    pub(super) now: Duration,
    /// When an answer, of whatever status, came last; absent before the first.
    pub(super) answered: Option<Duration>,
    /// Requests that failed without an answer since then.
    pub(super) silent: u64,
    /// Age of the oldest request in flight; zero when there is none.
    pub(super) oldest: Duration,
}

/// When to give up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Nothing answers while a request has been in flight for this long: hung.
    pub hang: Duration,
    /// Requests fail without any answer for this long: dead.
    pub dead: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { hang: limits::HANG_AFTER, dead: limits::DEAD_AFTER }
    }
}

/// What is wrong with the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    Hung,
    Dead,
}

/// Judges one look at the target.
pub(super) fn judge(seen: &Seen, patience: Patience) -> Option<Trouble> {
    let silence = seen.now.saturating_sub(seen.answered.unwrap_or_default());
    if silence >= patience.hang && seen.oldest >= patience.hang {
        return Some(Trouble::Hung);
    }
    (silence >= patience.dead && seen.silent >= limits::DEAD_FAILURES).then_some(Trouble::Dead)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hung_and_dead_need_both_time_and_evidence() {
        let second = Duration::from_secs;
        let check = |now, answered: Option<u64>, silent, oldest, expected| {
            let seen = Seen { now: second(now), answered: answered.map(second), silent, oldest: second(oldest) };
            assert_eq!(judge(&seen, Patience::default()), expected, "{seen:?}");
        };
        check(0, None, 0, 0, None);
        check(30, Some(29), 0, 0, None);
        check(30, Some(29), 0, 25, None); // one slow request among answers
        check(30, Some(5), 0, 2, None); // users think; nothing is old
        check(30, Some(15), 0, 12, Some(Trouble::Hung));
        check(10, None, 0, 10, Some(Trouble::Hung));
        check(6, None, 100, 0, Some(Trouble::Dead));
        check(4, None, 100, 0, None); // a restart may be this short
        check(30, Some(24), 4, 0, None); // too few to tell
        check(30, Some(24), 5, 1, Some(Trouble::Dead));
    }
}
