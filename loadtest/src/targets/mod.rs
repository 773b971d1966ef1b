//! What the stack must achieve: targets in words (`api p95 < 2s`), and the three-valued judge over what was measured.
//! Knows the measurements, not where they come from nor how they are printed. What must stay true: no data is never met
//! (invariant 6), and there is one judge only.

mod grammar;
mod indicators;
mod judge;
mod names;
mod tally;
mod verdict;

pub use grammar::{Expression, GrammarError, Op, parse};
pub use indicators::{INDICATORS, Indicator, Unit};
pub use judge::{Judged, Outcome, Target, judge};
pub use names::{Group, Named, Names, Subject, api_group};
pub use tally::Tally;
pub use verdict::{Culprit, Decision, Ending, Verdict, verdict};

/// The targets of a run that names none (REQUIREMENTS E2).
pub const DEFAULTS: &[&str] = &["p95 < 2s", "errors < 5%"];
