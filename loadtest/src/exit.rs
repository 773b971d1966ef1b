//! Exit codes: an interface (DESIGN section 4). Precedence where several fit: signal, rollback, no-go,
//! inconclusive.

use crate::targets::{Decision, Ending, Verdict};
use std::process::ExitCode;

/// What the process ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit(pub u8);

/// A row of the reference.
pub type Row = (Exit, &'static str);

impl Exit {
    /// GO; also a dry run and a smoke test without a failure.
    pub const GO: Self = Self(0);
    /// NO-GO: a target is missed, or the target is dead or hung; a smoke test with a failed assert.
    pub const NO_GO: Self = Self(1);
    /// Something is wrong with the input: flags, plan, journeys, data, a report file that cannot be written.
    pub const INPUT: Self = Self(2);
    /// The run proves nothing: too few requests, or the generator was the bottleneck.
    pub const INCONCLUSIVE: Self = Self(3);
    /// The load tester itself could not start.
    pub const NOT_STARTED: Self = Self(4);
    /// Something speaks for taking the release back.
    pub const ROLLBACK: Self = Self(5);

    /// Of a run with this verdict and ending, and whether something speaks for taking the release back.
    #[must_use]
    pub fn of(verdict: &Verdict, ending: &Ending, rollback: bool) -> Self {
        match ending {
            Ending::Signal(_, number) => Self(128_u8.saturating_add(*number)),
            _ => Self::judged(verdict.decision, rollback),
        }
    }

    /// Of a judgement without a run of its own.
    #[must_use]
    pub const fn judged(decision: Decision, rollback: bool) -> Self {
        match decision {
            _ if rollback => Self::ROLLBACK,
            Decision::NoGo => Self::NO_GO,
            Decision::Inconclusive => Self::INCONCLUSIVE,
            Decision::Go => Self::GO,
        }
    }
}

/// All of them, for the reference.
pub const CODES: &[Row] = &[
    (Exit::GO, "GO: every target is met; also a dry run, and a smoke test or a validation without a failure"),
    (
        Exit::NO_GO,
        "NO-GO: a target is missed, or the stack is dead or hung; a smoke test with a failed assert; a validator that failed",
    ),
    (
        Exit::INPUT,
        "something is wrong with the input: flags, plan, journeys, data, a report file that cannot be written",
    ),
    (
        Exit::INCONCLUSIVE,
        "inconclusive: too few requests, or the load generator itself was the bottleneck; a validator that could not tell, or none that passed",
    ),
    (Exit::NOT_STARTED, "the load tester itself could not start"),
    (
        Exit::ROLLBACK,
        "roll back: more than 25 % errors, authentication failing, data read back wrong, or more than 50 % slower than the baseline; \
         when a release is watched or compared, also a target that died",
    ),
    (Exit(130), "stopped by SIGINT (Ctrl-C); the report is written all the same"),
    (Exit(143), "stopped by SIGTERM; the report is written all the same"),
];

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exit(decision: Decision, ending: &Ending, rollback: bool) -> u8 {
        Exit::of(&Verdict { decision, reason: String::new(), culprits: Vec::new() }, ending, rollback).0
    }

    #[test]
    fn a_signal_goes_before_bad_news_and_bad_news_before_doubt() {
        let given_up = Ending::GivenUp("dead".to_owned());
        for (decision, ending, code) in [
            (Decision::Go, &Ending::Complete, 0),
            (Decision::NoGo, &Ending::Complete, 1),
            (Decision::NoGo, &given_up, 1),
            (Decision::Inconclusive, &Ending::Complete, 3),
            (Decision::Go, &Ending::Signal("SIGINT", 2), 130),
            (Decision::NoGo, &Ending::Signal("SIGTERM", 15), 143),
        ] {
            assert_eq!(exit(decision, ending, false), code, "{decision:?} {ending:?}");
            assert!(CODES.iter().any(|(exit, _)| exit.0 == code));
        }
        assert_eq!(exit(Decision::NoGo, &Ending::Complete, true), 5);
        assert_eq!(exit(Decision::NoGo, &Ending::Signal("SIGINT", 2), true), 130);
    }
}
