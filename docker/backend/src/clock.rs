//! Owns the clocks: the only file that asks what time it is. Everything else is told.

use std::time::Instant;

use chrono::{DateTime, SecondsFormat, Utc};

/// The wall clock, for times that leave the process.
pub fn now() -> DateTime<Utc> {
    Utc::now()
}

/// The steady clock, for durations.
pub fn steady() -> Instant {
    Instant::now()
}

/// The form in which times are stored and shown: RFC 3339, UTC, milliseconds. Sorts as text.
pub fn stamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}
