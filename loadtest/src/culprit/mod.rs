//! Who is to blame for a missed target: a pure function from when it was missed and what the sidecars told to a ranking and a
//! sentence. Only what moved against the calm time is blamed, and only for being at a limit or for having become slow: a
//! service that merely works more under more load is no culprit, and one that waits points to what it waits for. Where nothing
//! is convincing, that is said. Knows nothing of how figures were measured.

mod limit;
mod misses;
mod rank;
mod say;
mod signs;
#[cfg(test)]
mod tests;

pub use limit::{Limit, limit};
pub use misses::miss;
pub use rank::{Finding, Suspect, find};
pub use say::sentence;
pub use signs::{Against, Sign};

use std::ops::Range;

/// A target that was missed, and when. Times are in seconds since the load began.
#[derive(Clone, Debug, PartialEq)]
pub struct Miss {
    /// What was missed, for people: `p95 of POST /risks`.
    pub what: String,
    /// The target as written.
    pub target: String,
    /// The time in which it was missed.
    pub when: Range<f64>,
    /// Times under load in which it was met: what was the same then is no reason.
    pub met: Vec<Range<f64>>,
    /// How many of the failed requests were turned away by a rate limit, where that is why it was missed.
    pub turned_away: Option<TurnedAway>,
}

/// Failed requests that were answered 429 (Too Many Requests, RFC 6585): no service was too slow or too full for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TurnedAway {
    /// Answered 429.
    pub limited: u64,
    /// All that failed.
    pub failed: u64,
}
