//! Caps of what sidecars tell, and from when on they are believed and blamed.

use std::time::Duration;

/// How often a sidecar is asked: the finest grain in which windows are judged.
pub const SIDECAR_EVERY: Duration = Duration::from_secs(1);

/// Time for a sidecar's answer: its page is made from memory, so that one that takes longer is as good as silent.
pub const SIDECAR_TIMEOUT: Duration = Duration::from_secs(2);

/// Largest page of a sidecar; one with the families of a database has some 500 KiB.
pub const SIDECAR_BYTES: usize = 4 << 20;

/// Samples kept of one page; a hundred statements of a database are two hundred.
pub const SIDECAR_SAMPLES: usize = 4096;

/// Names kept of one sidecar (causes, dependencies).
pub const SIDECAR_NAMES: usize = 32;

/// Longest name taken from a sidecar, in characters.
pub const SIDECAR_NAME_CHARS: usize = 64;

/// Most sidecars of a plan: one for each service of a large stack.
pub const SIDECARS: usize = 64;

/// Looks kept of one figure: more than an hour at one a second; then two become one, again and again.
pub const SIDECAR_POINTS: usize = 4096;

/// Gaps kept of one sidecar; beyond that the last one grows.
pub const SIDECAR_GAPS: usize = 64;

/// Two questions without an answer this near to each other, in seconds, belong to one gap.
pub const SIDECAR_GAP_JOINS: f64 = 3.5;

/// Share of the judged time for which a sidecar may be silent without spoiling what it says of it.
pub const SIDECAR_SILENT_RATIO: f64 = 0.2;

/// An agent looks at its service every 5 to 10 s; one whose page has stood still for this long does not look any more.
pub const SIDECAR_FROZEN: Duration = Duration::from_secs(30);

/// Agents look every 5 s and are asked every second: two moments of different sidecars that are nearer than this, in seconds,
/// are the same moment.
pub const BLAME_LAG: f64 = 6.0;

/// A figure that leaves its limit for no longer than this, in seconds, or for one look of its agent, has not left it.
pub const BLAME_DIP: f64 = 6.0;

/// A figure without a limit of its own became slow when it is so many times what it was in the calm time.
pub const BLAME_TIMES: f64 = 3.0;

/// Share of a limit from which on a figure counts as having stood at it in the calm time: a mean over a few looks hides a little.
pub const BLAME_NEARLY: f64 = 0.9;

/// A window in which a figure was so many times within its limit held the target well: what was the same then is no reason.
pub const BLAME_MARGIN: f64 = 1.6;

/// Conviction below which nobody is named; a service that only waits, and for nobody known, reaches 0.5 at most, one that moved
/// after others or was so all the time a good deal less.
pub const BLAME_CONVINCING: f64 = 0.25;

/// The first suspect must be so many times as convincing as the second, or both are named.
pub const BLAME_CLEARLY: f64 = 1.2;

/// Points of a figure's course in the report.
pub const SIDECAR_POINTS_SHOWN: usize = 240;

/// After the load the sidecars are heard on until each has looked once more, or for this long: an agent looks every five seconds.
pub const SIDECAR_LINGER: Duration = Duration::from_secs(6);
