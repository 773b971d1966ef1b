//! What bounds orders to a running agent: another configuration, a maintenance window.

use std::time::Duration;

/// How often the files of the configuration are looked at: soon enough for whoever edits one, and one look costs some 50 µs.
pub const CONFIG_LOOK: Duration = Duration::from_secs(5);
/// A changed file is read when it has stayed the same for so long: editors and `kubectl cp` write in pieces.
pub const CONFIG_SETTLES: Duration = Duration::from_secs(1);
/// Time to read the configuration again with all files that it names.
pub const RELOAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Orders to read it again that wait while one is carried out; more are told to come back.
pub const RELOADS_QUEUED: usize = 4;

/// Longest maintenance window: one that is forgotten hides a broken service for no longer.
pub const SILENCE_MOST: Duration = Duration::from_hours(24);
/// How often the mark file of `silence_file` is looked at.
pub const SILENCE_LOOK: Duration = Duration::from_secs(5);
/// Time for such a look; a local file answers within a millisecond.
pub const SILENCE_LOOK_TIMEOUT: Duration = Duration::from_millis(200);
/// What is read of that file; its first line counts.
pub const SILENCE_MARK_BYTES: u64 = 1 << 10;
/// Longest reason of a maintenance window that is shown.
pub const SILENCE_REASON_CHARS: usize = 200;
/// Orders for a silence that wait; they are carried out at once.
pub const SILENCES_QUEUED: usize = 4;
