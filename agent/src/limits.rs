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
/// Probes that run at the same time; the others wait for a permit and are marked late.
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
/// Up to so many checks, each exports all of its failure reasons from its first run on (16 series a check); beyond, a reason
/// appears when it first comes, and `sidecar_check_runs_total{result="failed"}` is the counter to build rules on.
pub const CHECKS_WITH_ALL_REASONS: usize = 50;
/// Connections to the agent open at the same time: a handful of scrapers, kubelets and people; the next one is told 503.
pub const CONNECTIONS: usize = 64;
/// Headers of one request, request line included: a scraper sends 300 bytes, a browser 2 KiB.
pub const REQUEST_HEADER_BYTES: usize = 8 << 10;
/// Buffer of one connection; hyper's least, and room for [`REQUEST_HEADER_BYTES`].
pub const CONNECTION_BUFFER_BYTES: usize = 16 << 10;
/// Header lines of one request.
pub const REQUEST_HEADERS: usize = 64;
/// From accept to the end of the first request's headers, TLS handshake not counted. Short, for a slow one holds a connection.
pub const FIRST_REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// From one answer to the end of the next request's headers; above Prometheus' usual 15 s, so that its connection is kept.
pub const NEXT_REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
/// A client that takes no byte of an answer for so long is gone.
pub const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// A TLS handshake with a client.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// Requests in flight may finish for so long when the agent stops.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);
/// First pause after `accept` failed (no file descriptors left, mostly); doubles up to [`ACCEPT_PAUSE_MAX`].
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(10);
/// Longest pause after `accept` failed.
pub const ACCEPT_PAUSE_MAX: Duration = Duration::from_secs(1);
/// How often the web configuration and its certificates are looked at, at most.
pub const WEB_CONFIG_LOOK: Duration = Duration::from_secs(1);
/// Largest certificate, key or CA file.
pub const PEM_BYTES: u64 = 1 << 20;
/// Dearest bcrypt cost that is accepted: 2^14 rounds take about a second, and every wrong password is paid for.
pub const BCRYPT_COST: u32 = 14;
/// Passwords that were found right and are remembered, so that a scrape does not pay for bcrypt each time.
pub const PASSWORDS_REMEMBERED: usize = 64;
/// How long a request waits for its turn at bcrypt, which checks one password at a time.
pub const PASSWORD_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest `Authorization` header that is looked at.
pub const AUTHORIZATION_BYTES: usize = 1 << 10;
/// Seconds after which the status page loads itself anew.
pub const STATUS_REFRESH_SECONDS: u32 = 10;
/// Failures shown on the status page, over all checks.
pub const STATUS_FAILURES: usize = 20;
