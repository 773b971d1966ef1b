//! What the stack must achieve: targets in words (`api p95 < 2s`), and the three-valued judge over what was measured.
//! Knows the measurements, not where they come from nor how they are printed. What must stay true: no data is never met
//! (invariant 6), and there is one judge only.

mod grammar;
mod indicators;
mod judge;
mod names;
mod rollback;
mod sidecar;
mod stages;
#[cfg(test)]
mod stages_tests;
mod tally;
mod verdict;
mod window;

pub use crate::units::Unit;
pub(crate) use crate::units::short;
pub use grammar::{Expression, GrammarError, Op, parse};
pub use indicators::{INDICATORS, Indicator, OF_SIDECAR, RECOVERY};
#[cfg(test)]
pub(crate) use judge::tests::row as test_row;
pub use judge::{Judged, Outcome, Target, Watched, judge};
pub use names::{Group, Named, Names, Subject, api_group};
pub use rollback::{Kind, Trigger, triggers};
pub use sidecar::judge_sidecars;
pub use stages::{Span, judge_stages, judged_stages};
pub use tally::Tally;
pub(crate) use tally::to_f64;
pub use verdict::{Culprit, Decision, Ending, Verdict, verdict};
pub use window::{judge_windows, windows};

/// The targets of a run that names none (REQUIREMENTS E2).
pub const DEFAULTS: &[&str] = &["p95 < 2s", "errors < 5%"];

/// A part of a whole in percent, for people.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    format!("{} %", short(tally::ratio(part, whole) * 100.0))
}

/// A part of a whole in whole percent.
pub(crate) fn whole_percent(part: u64, whole: u64) -> String {
    short((tally::ratio(part, whole) * 100.0).round())
}
