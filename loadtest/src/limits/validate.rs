//! Caps of `loadtest validate`.

use std::time::Duration;

/// Highest rate limit that `loadtest validate` measures, per second: three halves of it are sent from one address, a moment of a small
/// load test that no service in working order notices.
pub const LIMIT_RATE: f64 = 500.0;

/// Largest burst of a rate limit that `loadtest validate` measures: twice as many requests are sent at once.
pub const LIMIT_BURST: u64 = 500;

/// Longest time at one pace when a rate limit is measured; a limit that lets fewer than [`LIMIT_PASSES`] through in it is measured by its
/// burst alone.
pub const LIMIT_PACE: Duration = Duration::from_secs(10);

/// Requests that a rate limit must let through while a pace is kept, so that one more or less does not decide.
pub const LIMIT_PASSES: f64 = 20.0;

/// Longest wait for a rate limit to forget what was sent to it.
pub const LIMIT_REST: Duration = Duration::from_secs(30);

/// What a measured rate may differ from the limit: clocks of both sides and the edges of the time measured.
pub const LIMIT_TOLERANCE: f64 = 0.2;

/// Requests of `loadtest validate` in flight at once: each has a connection of its own.
pub const VALIDATE_CONNECTIONS: usize = 32;

/// Time for one request or handshake of `loadtest validate`; a page that takes longer is no subject for headers.
pub const VALIDATE_ANSWER: Duration = Duration::from_secs(10);

/// How often a validator asks again when it is told to come later (429): its own questions may have used up a limit.
pub const VALIDATE_TRIES: u32 = 4;

/// Longest wait before asking again.
pub const VALIDATE_PAUSE: Duration = Duration::from_secs(5);

/// Redirects that a validator follows to see where they end; browsers follow 20.
pub const VALIDATE_REDIRECTS: usize = 5;

/// Largest record that answers a hand-built TLS hello: 2^14 bytes and the five of its head (RFC 8446, 5.1).
pub const TLS_RECORD_BYTES: usize = 16_384 + 5;

/// How often a handshake is made for the sake of a stapled answer: nginx fetches it after the first one and staples it from then on.
pub const STAPLE_TRIES: u32 = 4;

/// Longest text of a finding of `loadtest validate`, in characters; a Content-Security-Policy has some 400.
pub const FOUND_CHARS: usize = 600;

/// How often a rate limit is measured when answers or our own timers were too late to tell.
pub const LIMIT_TRIES: u32 = 3;
