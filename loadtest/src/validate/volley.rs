//! Many requests to one path, all at once or at a pace, and how many of them a rate limit let through. Connections are few and kept, so
//! that handshakes do not decide; redirects are not followed.

use super::Site;
use crate::clock;
use crate::http::Transport as _;
use crate::limits::VALIDATE_CONNECTIONS;
use crate::plan::Url;
use futures_util::future::join_all;
use http::Method;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// What became of the requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Answered by the service, whatever it said.
    pub(super) passed: u64,
    /// Refused by a limit: 429, or nginx's 503.
    pub(super) refused: u64,
    /// Of these, with 503.
    pub(super) unavailable: u64,
    /// No answer, or a failure behind the limit.
    pub(super) broken: u64,
    /// From the first request to the last answer.
    pub(super) elapsed: Duration,
    /// From the first request to the last one.
    pub(super) sending: Duration,
}

impl Tally {
    /// All requests.
    pub(super) const fn sent(&self) -> u64 {
        self.passed + self.refused + self.broken
    }

    fn add(&mut self, other: &Self) {
        self.passed += other.passed;
        self.refused += other.refused;
        self.unavailable += other.unavailable;
        self.broken += other.broken;
        self.sending = self.sending.max(other.sending);
    }
}

/// Sends them. `pace` is in requests per second; none sends them as fast as the connections take them.
pub(super) async fn volley(site: &Site<'_>, url: &Arc<Url>, count: u64, pace: Option<f64>) -> Tally {
    let (start, next) = (clock::now(), AtomicU64::new(0));
    let workers = usize::try_from(count).unwrap_or(usize::MAX).min(VALIDATE_CONNECTIONS);
    let all = join_all((0..workers).map(|_| work(site, url, &next, (start, count, pace)))).await;
    let mut tally = Tally { elapsed: clock::now().saturating_duration_since(start), ..Tally::default() };
    all.iter().for_each(|one| tally.add(one));
    tally
}

async fn work(
    site: &Site<'_>,
    url: &Arc<Url>,
    next: &AtomicU64,
    (start, count, pace): (Instant, u64, Option<f64>),
) -> Tally {
    let (mut client, mut tally) = (site.client(), Tally::default());
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= count {
            return tally;
        }
        if let Some(pace) = pace {
            #[expect(clippy::cast_precision_loss, reason = "thousands at most")]
            let due = Duration::from_secs_f64(number as f64 / pace);
            sleep_until(start + due).await;
        }
        tally.sending = clock::now().saturating_duration_since(start);
        match client.send(site.request(&Method::GET, url, &[])).await {
            Ok(response) => match response.status {
                429 => tally.refused += 1,
                503 => {
                    tally.refused += 1;
                    tally.unavailable += 1;
                }
                500.. => tally.broken += 1,
                _ => tally.passed += 1,
            },
            Err(_) => tally.broken += 1,
        }
    }
}
