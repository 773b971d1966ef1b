//! Owns every cap and deadline of the service. Knows nothing else. No wait, read or buffer elsewhere goes without one of these.

use std::time::Duration;

/// Connections served at once; more wait in the kernel's queue. Well above 200 users with a few connections each.
pub const MAX_CONNECTIONS: usize = 4_096;
/// The whole request head must arrive within this; an idle kept-alive connection is closed after it too. Longer than any
/// think time or scrape interval that we expect, so that a well-behaved client keeps its connection.
pub const HEAD_DEADLINE: Duration = Duration::from_secs(30);
/// Bytes of a request head; a larger one is answered 431.
pub const MAX_HEAD_BYTES: usize = 16 * 1024;
/// Header lines of a request; more are answered 431.
pub const MAX_HEADERS: usize = 64;
/// Bytes of a JSON body.
pub const MAX_BODY_BYTES: usize = 64 * 1024;
/// Bytes of an uploaded file: it is held in memory once on its way to the database.
pub const MAX_UPLOAD_BYTES: usize = 2 * 1024 * 1024;
/// What multipart framing may add around the uploaded file.
pub const MAX_MULTIPART_OVERHEAD_BYTES: usize = 16 * 1024;
/// From the end of the head to the beginning of the answer, the body's arrival included.
pub const REQUEST_DEADLINE: Duration = Duration::from_secs(15);
/// How long a request waits for a database connection before it answers 503.
pub const ACQUIRE_DEADLINE: Duration = Duration::from_secs(3);
/// One attempt to connect to a database server at the start, its TLS handshake and login included.
pub const CONNECT_DEADLINE: Duration = Duration::from_secs(5);
/// How long a database server may let the start wait when not configured: MySQL takes half a minute to make its first files.
pub const DEFAULT_DATABASE_WAIT: Duration = Duration::from_secs(60);
/// Pause after the first failed attempt to connect at the start; it doubles…
pub const FIRST_START_PAUSE: Duration = Duration::from_millis(250);
/// … up to this.
pub const LONGEST_START_PAUSE: Duration = Duration::from_secs(5);
/// All migrations together, the wait for another instance that runs them included.
pub const MIGRATION_DEADLINE: Duration = Duration::from_secs(300);
/// How long a copy in Redis lives, and so how old an answer may be in the worst case: when a change could not be told to Redis.
pub const CACHE_LIFE: Duration = Duration::from_secs(30);
/// How long the mark stands that a change leaves in place of a copy. The change takes at most `REQUEST_DEADLINE` from then on, and
/// whoever read just before it at most as long again to store what it read.
pub const CACHE_MARK_LIFE: Duration = Duration::from_secs(2 * REQUEST_DEADLINE.as_secs() + 5);
/// Rows that refer to a deleted one and whose copies are marked; copies of more live until they expire.
pub const MAX_REFERRING: i64 = 1_000;
/// How long Redis may take to answer: longer, and the database would have been faster.
pub const REDIS_DEADLINE: Duration = Duration::from_millis(250);
/// How long a connection to Redis may take, the first command on it included.
pub const REDIS_CONNECT_DEADLINE: Duration = Duration::from_millis(500);
/// After a failure Redis is not asked for copies for this long.
pub const REDIS_REST: Duration = Duration::from_secs(1);
/// How long `backend health` waits for each step.
pub const HEALTH_COMMAND_DEADLINE: Duration = Duration::from_secs(2);
/// Bytes of a file that holds a secret.
pub const MAX_SECRET_FILE_BYTES: u64 = 64 * 1024;
/// A database that does not answer the health check within this is unhealthy. Below the agent's usual 2 s timeout.
pub const HEALTH_DEADLINE: Duration = Duration::from_secs(1);
/// Rows a list may ask for.
pub const MAX_PAGE_ROWS: u32 = 200;
/// Rows a list gives when not asked.
pub const DEFAULT_PAGE_ROWS: u32 = 50;
/// Rows that a list may skip: a deep offset costs the database as much as reading all of them.
pub const MAX_PAGE_OFFSET: u32 = 100_000;
/// Life of a session. Short, so that the list of revoked tokens stays short.
pub const SESSION_LIFE: Duration = Duration::from_secs(15 * 60);
/// Tokens revoked and not yet expired; beyond it a logout is answered 503. Holds 111 logouts a second for a session's life.
pub const MAX_REVOKED_TOKENS: i64 = 100_000;
/// How long a retry with the same `Idempotency-Key` gets the first answer.
pub const IDEMPOTENCY_LIFE: Duration = Duration::from_secs(60 * 60);
/// Bytes of an `Idempotency-Key`.
pub const MAX_IDEMPOTENCY_KEY_BYTES: usize = 128;
/// How often expired tokens and keys are swept.
pub const SWEEP_INTERVAL: Duration = Duration::from_secs(60);
/// Password hashes computed at once; the rest queue. More than the cores would only make each of them slower.
pub const MAX_CONCURRENT_HASHES: usize = 4;
/// Characters of a password: a longer one is only work for the hash.
pub const MAX_PASSWORD_CHARS: usize = 128;
/// Characters of a password chosen by a user, at least.
pub const MIN_PASSWORD_CHARS: usize = 12;
/// Characters of `JWT_SECRET`, at least.
pub const MIN_SECRET_CHARS: usize = 32;
/// Bytes of one WebSocket message.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024;
/// WebSocket connections at once.
pub const MAX_WEBSOCKETS: usize = 1_000;
/// A WebSocket that says nothing for this long is closed, and a message not taken by the client for this long too.
pub const WEBSOCKET_IDLE: Duration = Duration::from_secs(60);
/// Recommendation jobs waiting for the worker; more are answered 503.
pub const MAX_QUEUED_JOBS: usize = 256;
/// How long a request waits for its recommendation job.
pub const JOB_DEADLINE: Duration = Duration::from_secs(10);
/// Recommendations a job may be asked for.
pub const MAX_RECOMMENDATIONS: i64 = 20;
/// What the leak fault may hold at most, so that the switch demonstrates a leak and does not take the machine along.
pub const MAX_LEAKED_BYTES: usize = 512 * 1024 * 1024;
/// Longest latency or CPU burn that a fault may add to one request.
pub const MAX_FAULT_MS: u64 = 60_000;
/// Bytes that the leak fault may take in one request.
pub const MAX_LEAK_PER_REQUEST: u64 = 16 * 1024 * 1024;
/// Demo users seeded at most.
pub const MAX_SEED_USERS: u64 = 10_000;
/// Database connections configured at most.
pub const MAX_POOL_SIZE: u64 = 64;
/// Drain budget when not configured: below the 10 s that `docker stop` grants.
pub const DEFAULT_DRAIN: Duration = Duration::from_secs(8);
/// Pause after `accept` failed (out of file descriptors, say), so that the loop does not spin.
pub const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);
/// Closing the pools may take this long at the end.
pub const CLOSE_DEADLINE: Duration = Duration::from_secs(2);
