//! The one place that asks what time it is. Pure logic takes `now` as an argument (invariant 4).

use std::time::SystemTime;
use tokio::time::Instant;

/// Monotonic time, for durations and deadlines. Follows tokio's paused clock in tests.
#[must_use]
pub fn now() -> Instant {
    Instant::now()
}

/// Wall time, for time stamps that people and Prometheus read.
#[must_use]
pub fn wall() -> SystemTime {
    SystemTime::now()
}

/// Seconds since the Unix epoch, with fractions; 0 before it.
#[must_use]
pub fn unix(at: SystemTime) -> f64 {
    at.duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}
