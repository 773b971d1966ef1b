//! The one place that asks what time it is. Pure logic takes `now` as an argument (invariant 4).

use std::time::SystemTime;
use tokio::time::Instant;

/// Monotonic time, for latencies and deadlines. Follows tokio's paused clock in tests.
#[must_use]
pub fn now() -> Instant {
    Instant::now()
}

/// Wall time, for the time stamps of a report.
#[must_use]
pub fn wall() -> SystemTime {
    SystemTime::now()
}
