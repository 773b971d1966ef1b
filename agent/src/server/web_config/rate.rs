//! A token bucket over all requests but health checks. Pure but for the bucket: the time is passed in.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// So many requests at once, and one more each interval.
pub(in crate::server) struct Rate {
    interval: Duration,
    burst: f64,
    bucket: Mutex<Option<Bucket>>,
}

#[derive(Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Rate {
    /// No limit when the interval is zero, as in exporter-toolkit.
    pub(super) fn new(interval: Duration, burst: u32) -> Option<Self> {
        (!interval.is_zero()).then(|| Self { interval, burst: f64::from(burst), bucket: Mutex::new(None) })
    }

    /// Takes a token, when there is one.
    pub(in crate::server) fn allow(&self, now: Instant) -> bool {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let Bucket { tokens, at } = bucket.unwrap_or(Bucket { tokens: self.burst, at: now });
        let gained = now.saturating_duration_since(at).as_secs_f64() / self.interval.as_secs_f64();
        let tokens = (tokens + gained).min(self.burst);
        let allowed = tokens >= 1.0;
        *bucket = Some(Bucket { tokens: if allowed { tokens - 1.0 } else { tokens }, at: now });
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_the_burst_at_once_and_one_an_interval_after() {
        let rate = Rate::new(Duration::from_secs(2), 3).unwrap();
        let start = crate::clock::now();
        let allowed = |seconds: u64| rate.allow(start + Duration::from_secs(seconds));
        assert_eq!([allowed(0), allowed(0), allowed(0), allowed(0)], [true, true, true, false]);
        assert_eq!([allowed(1), allowed(2), allowed(2)], [false, true, false]);
        assert_eq!([allowed(60), allowed(60), allowed(60), allowed(60)], [true, true, true, false]);
    }

    #[test]
    fn no_interval_is_no_limit() {
        assert!(Rate::new(Duration::ZERO, 1).is_none());
    }
}
