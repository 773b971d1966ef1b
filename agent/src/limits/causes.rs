//! The caps of what names causes and of what the status page shows of them.

use std::time::Duration;

/// A certificate that ends sooner than this is named: renewals are usually due 30 days before the end.
pub const CERTIFICATE_NEAR: Duration = Duration::from_hours(14 * 24);
/// What changed last is kept so far back: enough for a deployment of a whole stack.
pub const CHANGES_KEPT: usize = 20;
/// A failure may be noticed this much before the one that it follows from, beside the intervals of both checks.
pub const ATTRIBUTION_SLACK: Duration = Duration::from_secs(5);
/// Root causes that the status page shows in full.
pub const STATUS_CAUSES: usize = 8;
/// Changes that the status page shows.
pub const STATUS_CHANGES: usize = 8;
/// Open ports of a host that are looked at when the check's own port refuses.
pub const PORTS_LOOKED_AT: usize = 16;
/// Ports that may be the service's and are named; more are no answer.
pub const PORTS_NAMED: usize = 3;
/// Ports that a sweep tries at once, in a [`SWEEP_PAUSE`]: 2 000 a second.
pub const SWEEP_AT_ONCE: usize = 200;
/// The pace of a sweep, and how long a port is waited for; on one network it answers within a millisecond.
pub const SWEEP_PAUSE: Duration = Duration::from_millis(100);
/// From here on the kernel hands ports out to whoever asks for any: what listens there is nobody's service, unless the check's port is there.
pub const EPHEMERAL_PORTS: u16 = 32_768;
/// Seconds after which the status page loads itself anew.
pub const STATUS_REFRESH_SECONDS: u32 = 10;
/// Failures shown on the status page, over all checks.
pub const STATUS_FAILURES: usize = 20;
/// Checks that the status page's verdict names one by one; with more, the table below it would be off the screen.
pub const VERDICT_LINES: usize = 5;
/// Failures kept of each check.
pub const FAILURES_KEPT: usize = 10;
