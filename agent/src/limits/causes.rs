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
/// Restarts, kills and looks at throttling that are remembered: more than a loop makes in [`CAUSE_MEMORY`] at a second each minute.
pub const EVENTS_REMEMBERED: usize = 128;
/// What happened once (a kill, a restart) is a cause for so long: whoever is called looks within minutes.
pub const CAUSE_MEMORY: Duration = Duration::from_mins(10);
/// Restarts within [`CAUSE_MEMORY`] that are a loop: a deployment makes one, a correction of it a second.
pub const CRASH_LOOP_RESTARTS: usize = 3;
/// A start that seems this much later is no new one: times of boot and uptimes are whole seconds that follow the clock.
pub const START_TIME_SLACK: Duration = Duration::from_secs(3);
/// Looks in a row at which the peer's container or process was missing before it is gone: between two lives of a restart lies less.
pub const GONE_LOOKS: u32 = 2;
/// Throttling is judged over so long: a start, a collection of garbage or a nightly job is a burst, and what a quota is for.
pub const THROTTLED_OVER: Duration = Duration::from_secs(60);
/// Share of its scheduling periods in which a throttled container is held back, as in the rule CPUThrottled.
pub const THROTTLED_FROM: f64 = 0.25;
/// Periods in which it ran meanwhile: ten seconds' worth, or a share means little.
pub const THROTTLED_PERIODS_LEAST: f64 = 100.0;
/// Share of memory, file descriptors or processes from which a limit is near: above it, one burst ends in a kill or an error.
pub const LIMIT_NEAR_FROM: f64 = 0.9;
/// What a cause of that kind falls below before it ends, as a share of where it begins: a value at the edge does not flap.
pub const CAUSE_KEPT: f64 = 0.9;
/// A file system is full below this free share: the last twentieth is what root keeps for itself on many, and databases stop there.
pub const DISK_FULL_BELOW: f64 = 0.05;
/// With more than this free no file system is full, whatever the share: a twentieth of ten terabytes is room enough.
pub const DISK_ROOM_BYTES: f64 = 20.0 * 1024.0 * 1024.0 * 1024.0;
/// The share above which it is no longer full.
pub const DISK_FULL_UNTIL: f64 = 0.06;
/// A clock that is further away than this breaks tokens, certificates and caches; `Date` itself is told to the second.
pub const CLOCK_OFF: Duration = Duration::from_secs(60);
/// Connections in use that are near a server's limit, as in the rule TooManyDatabaseConnections: the next deployment doubles them.
pub const CONNECTIONS_NEAR_FROM: f64 = 0.8;
/// Runs in a row in which a pool was fully checked out before it is starved; one look may meet a burst.
pub const POOL_FULL_RUNS: u32 = 3;
/// A starved pool is so until less than this share of it is checked out.
pub const POOL_FULL_UNTIL: f64 = 0.8;
/// A database below this share of its connections has room that the pool does not use.
pub const DATABASE_IDLE_BELOW: f64 = 0.5;
/// A replica so far behind shows people their own changes late; Redis' primaries speak every ten seconds.
pub const REPLICA_BEHIND_FROM: Duration = Duration::from_secs(30);
/// WAL that a replica of PostgreSQL has not replayed, in bytes: 16 segments.
pub const REPLICA_BEHIND_BYTES: f64 = 256.0 * 1024.0 * 1024.0;
/// Runs in a row in which a replica's link was down: the first copy of the data takes a moment.
pub const LINK_DOWN_RUNS: u32 = 2;
/// Connections dropped at a server's limit are a cause for so long.
pub const DROPPED_MEMORY: Duration = Duration::from_secs(60);

/// Processes among the peer's children whose sockets are looked at.
pub const PEER_CHILDREN: usize = 64;
/// Open files of one process that are looked at.
pub const PEER_FILES: usize = 4096;
/// Rows about the whole picture are looked at again after this, also when nothing that matters to them has come: what is news for a while
/// ends.
pub const CAUSES_AGAIN: Duration = Duration::from_secs(1);
