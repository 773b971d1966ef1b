//! Caps of the commands that look once and end; `limits.rs` has all others, and names these as its own.

use std::time::Duration;

/// Sidecars that one `agent status` asks; beyond it a table is nobody's overview, and Prometheus has them all.
pub const STATUS_SIDECARS: usize = 1000;
/// Sidecars that are asked at the same time: each answer may be [`super::PROBE_BODY_BYTES`] long.
pub const STATUS_AT_ONCE: usize = 64;
/// How long one sidecar has for its answer, unless told otherwise; on one network it takes a millisecond.
pub const STATUS_TIMEOUT: Duration = Duration::from_secs(3);
/// Longest that one may be given.
pub const STATUS_TIMEOUT_MOST: Duration = Duration::from_secs(60);
/// How often `agent status --watch` asks, unless told otherwise.
pub const STATUS_INTERVAL: Duration = Duration::from_secs(2);
/// Shortest and longest pause that may be asked for.
pub const STATUS_INTERVALS: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(3600)];
/// Lines that say what is wrong with one sidecar.
pub const STATUS_LINES: usize = 5;
/// YAML files of one folder that `agent check --kubernetes` reads.
pub const MANIFESTS: usize = 2000;
/// How deep below a folder they are looked for.
pub const MANIFEST_DEPTH: usize = 8;
