//! What is known of one dependency while it is waited for. Pure: all times are told, counted from the start.

use crate::limits;
use crate::probes::{Fault, Outcome, Reason};
use crate::snapshot::CheckFacts;
use std::sync::Arc;
use std::time::Duration;

/// A dependency, as far as the answers tell.
#[derive(Clone, Debug)]
pub struct Dependency {
    /// Its name, kind and redacted target.
    pub facts: Arc<CheckFacts>,
    /// How often it was asked and the answer is known.
    pub tries: u32,
    /// When it became ready; `None` while it is not.
    pub ready_after: Option<Duration>,
    /// What the last answer lacked; `None` before the first, and when it is ready.
    pub fault: Option<Fault>,
    /// Since when the reason is this one.
    pub fault_since: Duration,
    /// Answers in a row with this reason.
    same: u32,
    /// Failed answers since it was last ready, which the pause grows with.
    failures: u32,
    /// Whether it was ready and is being asked again.
    doubted: bool,
}

/// What an answer changed, and of which dependency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its index.
    pub index: usize,
    /// What changed.
    pub kind: Kind,
}

/// What an answer changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It is ready.
    Ready,
    /// It is not ready, for another reason than before.
    Reason,
    /// Nothing new.
    Same,
}

impl Dependency {
    /// One that has not been asked.
    #[must_use]
    pub fn new(facts: Arc<CheckFacts>) -> Self {
        Self {
            facts,
            tries: 0,
            ready_after: None,
            fault: None,
            fault_since: Duration::ZERO,
            same: 0,
            failures: 0,
            doubted: false,
        }
    }

    /// Takes in an answer that came `at` this time.
    pub fn learn(&mut self, outcome: Outcome, at: Duration) -> Kind {
        self.tries = self.tries.saturating_add(1);
        let Some(fault) = outcome.fault else {
            let news = !self.doubted;
            (self.fault, self.same, self.failures, self.doubted) = (None, 0, 0, false);
            self.ready_after = Some(at);
            return if news { Kind::Ready } else { Kind::Same };
        };
        let same = self.fault.as_ref().is_some_and(|before| before.reason == fault.reason);
        self.same = if same { self.same.saturating_add(1) } else { 1 };
        self.failures = self.failures.saturating_add(1);
        self.doubted = false;
        if !same {
            self.fault_since = at;
        }
        self.fault = Some(fault);
        if same { Kind::Same } else { Kind::Reason }
    }

    /// Whether it is ready.
    #[must_use]
    pub fn ready(&self) -> bool {
        self.ready_after.is_some()
    }

    /// Whether it became ready so long ago that it is worth a second look.
    #[must_use]
    pub fn stale(&self, now: Duration) -> bool {
        self.ready_after.is_some_and(|at| now.saturating_sub(at) > limits::WAIT_READY_FOR)
    }

    /// Asks whether it is still ready: until the answer it is not.
    pub fn doubt(&mut self) {
        (self.ready_after, self.doubted) = (None, true);
    }

    /// Whether it was ready and is being asked again.
    #[must_use]
    pub fn doubted(&self) -> bool {
        self.doubted
    }

    /// Whether longer waiting will hardly help: it answers, and what it says is about our side.
    #[must_use]
    pub fn looks_hopeless(&self) -> bool {
        self.fault.as_ref().is_some_and(|fault| needs_a_person(fault.reason))
    }

    /// Whether that was so twice in a row: a server that is half way through its own start may refuse a log-in once.
    #[must_use]
    pub fn hopeless(&self) -> bool {
        self.looks_hopeless() && self.same >= limits::WAIT_HOPELESS_AFTER
    }

    /// The pause before the next question, doubled with each failure up to the longest; `chance` between 0 and 1 spreads it by
    /// [`limits::JITTER`] either way, so that a hundred replicas do not ask in step.
    #[must_use]
    pub fn pause(&self, longest: Duration, chance: f64) -> Duration {
        let doublings = self.failures.saturating_sub(1).min(16);
        let pause = limits::WAIT_FIRST_PAUSE.saturating_mul(1 << doublings).min(longest);
        pause.mul_f64(1.0 + limits::JITTER * (2.0 * chance - 1.0))
    }
}

/// Faults that no waiting mends: credentials, another server than meant, a certificate, the check itself.
fn needs_a_person(reason: Reason) -> bool {
    matches!(reason, Reason::Auth | Reason::ProtocolMismatch | Reason::Certificate | Reason::Config)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::sample::facts_of;
    use crate::snapshot::Role;

    fn dependency() -> Dependency {
        Dependency::new(Arc::new(facts_of("db", "tcp", "tcp://db:5432", Role::Observe)))
    }

    fn failed(reason: Reason) -> Outcome {
        Outcome { fault: Some(Fault::new(reason, "no")), ..Outcome::default() }
    }

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn tells_each_new_reason_once_and_since_when() {
        let mut one = dependency();
        assert_eq!(one.learn(failed(Reason::Dns), seconds(0)), Kind::Reason);
        assert_eq!(one.learn(failed(Reason::Dns), seconds(1)), Kind::Same);
        assert_eq!(one.learn(failed(Reason::Refused), seconds(3)), Kind::Reason);
        assert_eq!(one.learn(failed(Reason::Refused), seconds(9)), Kind::Same);
        assert_eq!((one.fault_since, one.tries, one.ready()), (seconds(3), 4, false));
        assert_eq!(one.learn(Outcome::default(), seconds(10)), Kind::Ready);
        assert_eq!((one.ready_after, one.tries), (Some(seconds(10)), 5));
    }

    #[test]
    fn what_is_doubted_is_ready_again_without_news_or_waited_for_again() {
        let mut one = dependency();
        one.learn(Outcome::default(), seconds(0));
        assert!(!one.stale(limits::WAIT_READY_FOR) && one.stale(limits::WAIT_READY_FOR * 2));
        one.doubt();
        assert!(!one.ready());
        assert_eq!(one.learn(Outcome::default(), seconds(30)), Kind::Same);
        assert!(one.ready());
        one.doubt();
        assert_eq!(one.learn(failed(Reason::Refused), seconds(31)), Kind::Reason);
        assert!(!one.ready());
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_are_spread() {
        let mut one = dependency();
        let longest = seconds(2);
        let pauses: Vec<u128> = (0..7)
            .map(|at| {
                one.learn(failed(Reason::Refused), seconds(at));
                one.pause(longest, 0.5).as_millis()
            })
            .collect();
        assert_eq!(pauses, [100, 200, 400, 800, 1600, 2000, 2000]);
        assert_eq!((one.pause(longest, 0.0).as_millis(), one.pause(longest, 1.0).as_millis()), (1800, 2200));
        for at in 0..100 {
            one.learn(failed(Reason::Refused), seconds(at));
        }
        assert_eq!(one.pause(seconds(600), 0.5), seconds(600));
    }

    #[test]
    fn hopeless_is_what_says_so_twice_in_a_row_and_never_what_may_come_up() {
        let mut one = dependency();
        one.learn(failed(Reason::Auth), seconds(0));
        assert!(one.looks_hopeless() && !one.hopeless());
        one.learn(failed(Reason::Refused), seconds(1));
        one.learn(failed(Reason::Auth), seconds(2));
        assert!(!one.hopeless());
        one.learn(failed(Reason::Auth), seconds(3));
        assert!(one.hopeless());
        let hopeful =
            [Reason::Refused, Reason::Dns, Reason::Timeout, Reason::Unreachable, Reason::Status, Reason::Schema];
        for reason in hopeful {
            let mut one = dependency();
            for at in 0..9 {
                one.learn(failed(reason), seconds(at));
            }
            assert!(!one.hopeless(), "{reason}");
        }
    }
}
