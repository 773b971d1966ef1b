//! Every cap of the agent, in one place: what it bounds and why that figure.
//! It knows nothing else of the agent. Nothing is read, kept or awaited beyond what stands here (invariant 2).

use std::time::Duration;

/// Longest answer body a probe reads; the rest is not read and the check fails with `body`.
pub const PROBE_BODY_BYTES: usize = 1 << 20;
/// Most that `body_size_limit` may allow: beyond it nobody reads a health page, and 32 probes at once must fit into memory.
pub const PROBE_BODY_BYTES_MOST: usize = 16 << 20;
/// Longest head (status line and headers) of an HTTP answer; servers themselves take 8 to 64 KiB.
pub const PROBE_HEAD_BYTES: usize = 64 << 10;
/// Redirects followed, as browsers and blackbox do.
pub const REDIRECTS: u32 = 10;
/// Parts of a health page that are looked at, and so the most label values that a page can give.
pub const PEER_SERVICES: usize = 32;
/// Longest dialogue of a TCP check that is kept while a pattern is looked for.
pub const DIALOGUE_BYTES: usize = 64 << 10;
/// Longest text of a peer that is kept for people (a banner, a version, a status line).
pub const PEER_TEXT_CHARS: usize = 200;
/// Largest configuration file.
pub const CONFIG_BYTES: usize = 4 << 20;
/// Most checks in one agent.
pub const CHECKS: usize = 500;
/// Probes that run at the same time; the others wait for a permit and are marked late.
pub const PROBES_AT_ONCE: usize = 32;
/// Name look-ups at the same time: a dead resolver holds its threads for seconds and must not hold them all.
pub const LOOKUPS_AT_ONCE: usize = 8;
/// Addresses of one name that are tried in turn; more would only eat the deadline of the first ones.
pub const ADDRESSES_TRIED: usize = 8;
/// First bytes of a peer that are kept until it is known what it speaks; every greeting that is told apart fits in them.
pub const FIRST_BYTES: usize = 512;
/// Time to look at what answers when something else answers than the URL says; a local service greets within milliseconds.
pub const SNIFF_TIMEOUT: Duration = Duration::from_millis(500);
/// A silent service is given this long to greet before it is spoken to.
pub const SNIFF_GREETING: Duration = Duration::from_millis(150);
/// What answered at an address is believed for this long: some servers count every broken connection against us.
pub const SNIFF_AGAIN: Duration = Duration::from_secs(60);
/// Addresses whose answer is remembered.
pub const SNIFFED_KEPT: usize = 64;
/// Certificates of a chain that are read; the longest chains in use have five.
pub const CHAIN_CERTIFICATES: usize = 16;
/// Largest CA, certificate or key file; the whole Mozilla list has 220 kB.
pub const PEM_BYTES: u64 = 1 << 20;
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
/// Largest configuration once its aliases are written out: a few lines of nested aliases would otherwise fill any memory.
pub const CONFIG_EXPANDED_BYTES: usize = 16 << 20;
/// Deepest nesting of a configuration; ours needs six levels.
pub const CONFIG_DEPTH: usize = 32;
/// Largest file that `${file:…}` reads: a certificate chain fits, a log given by mistake does not.
pub const SECRET_FILE_BYTES: usize = 64 << 10;
/// Most problems of a configuration that are printed; who has more has another problem.
pub const PROBLEMS_SHOWN: usize = 100;
/// Longest name of a check: as long as a DNS label, short enough for a label value.
pub const NAME_CHARS: usize = 63;
/// Deadline of `agent health` from start to end: Docker's own default is 30 s, an agent that needs 2 s is not well.
pub const HEALTH_DEADLINE: Duration = Duration::from_secs(2);
/// What `agent health` reads of an answer: the status line and what comes with it.
pub const HEALTH_ANSWER_BYTES: usize = 4 << 10;
/// Interval of checks of what is slow to change or not ours: certificates, backups, external APIs.
pub const SLOW_INTERVAL: Duration = Duration::from_mins(5);
/// Shortest interval of a check: a probe more often than this is load and no watch.
pub const INTERVAL_LEAST: Duration = Duration::from_millis(100);
/// Longest interval of a check: beyond a week nobody expects it to run at all.
pub const INTERVAL_MOST: Duration = Duration::from_hours(168);
/// Failures in a row that turn a check down, unless the check says otherwise.
pub const FAIL_AFTER: u32 = 3;
/// Successes in a row that turn it up again, unless the check says otherwise.
pub const OK_AFTER: u32 = 2;
/// Most of either.
pub const STREAK: u32 = 1000;
