//! Every cap of the agent, in one place: what it bounds and why that figure.
//! It knows nothing else of the agent. Nothing is read, kept or awaited beyond what stands here (invariant 2).

use std::time::Duration;

/// Longest answer body a probe reads; the rest is not read and the check fails with `body`.
pub const PROBE_BODY_BYTES: usize = 1 << 20;
/// Longest text of a peer that is kept for people (a banner, a version, a status line).
pub const PEER_TEXT_CHARS: usize = 200;
/// Largest configuration file.
pub const CONFIG_BYTES: usize = 4 << 20;
/// Most checks in one agent.
pub const CHECKS: usize = 500;
/// Probes that run at the same time; the others wait for a permit.
pub const PROBES_AT_ONCE: usize = 32;
/// Name look-ups at the same time: a dead resolver holds its threads for seconds and must not hold them all.
pub const LOOKUPS_AT_ONCE: usize = 8;
/// Failures kept of each check.
pub const FAILURES_KEPT: usize = 10;
/// Interval of checks of services on the same network.
pub const INTERVAL: Duration = Duration::from_secs(10);
/// Deadline of one probe unless the check says otherwise.
pub const TIMEOUT: Duration = Duration::from_secs(5);
/// Interval of the collectors.
pub const COLLECT_INTERVAL: Duration = Duration::from_secs(5);
/// A collector that has not answered by then is marked failed; its thread may hang in the kernel, nobody waits for it.
pub const COLLECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Largest file read from `/proc` or `/sys`.
pub const PROC_FILE_BYTES: usize = 1 << 20;
/// Outcomes waiting for the one writer of the state; a full channel makes probes wait, it loses nothing.
pub const OUTCOMES_QUEUED: usize = 64;
/// First runs are spread over this time, so that an agent with many checks does not open them all at one instant.
pub const START_SPREAD: Duration = Duration::from_millis(100);
/// Shortest pause between two runs of a check whose result is not settled.
pub const QUICKEST_RETRY: Duration = Duration::from_secs(1);
/// Time for requests in flight once the agent is asked to stop; Docker kills after 10 s.
pub const DRAIN_BUDGET: Duration = Duration::from_secs(5);
/// Processes looked at to find the peer by name.
pub const PROCESSES_LOOKED_AT: usize = 10_000;
/// Directories visited to find the peer's cgroup by name.
pub const CGROUPS_LOOKED_AT: usize = 20_000;
/// How deep below the mount a cgroup is looked for: `kubepods.slice/…-pod….slice/cri-….scope` is three.
pub const CGROUP_DEPTH: usize = 5;
/// How long `/ready` keeps answering 503 before the port closes, so that whoever asks it sees the answer.
pub const DRAIN_NOTICE: Duration = Duration::from_millis(500);
