//! The one place that asks what time it is. Pure logic takes `now` as an argument (invariant 4).

use std::time::{Duration, SystemTime};
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

/// A moment as reports have it, RFC 3339 in UTC.
#[must_use]
pub fn rfc3339(moment: SystemTime) -> String {
    chrono::DateTime::<chrono::Utc>::from(moment).to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// CPU time that this process has used so far, all threads, user and system.
#[must_use]
pub fn cpu() -> Duration {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(used.tv_sec).unwrap_or(0), u32::try_from(used.tv_nsec).unwrap_or(0))
}
