//! A ledger that lets a step send each of its texts once: the preflight, setup and teardown, and smoke tests.

use super::{Done, Ledger, Part, WebSocketStep};
use crate::journey::session::Session;
use std::time::Duration;

/// What the requests of a step came to that sends each text once.
#[derive(Debug)]
pub struct Once {
    /// The last request that was made.
    pub part: Part,
    /// The opening.
    pub opening: Sum,
    /// The round trips.
    pub trips: Sum,
    /// Round trips that may still be made.
    left: usize,
}

/// What one kind of request came to.
#[derive(Debug, Default)]
pub struct Sum {
    /// How many came back, or failed.
    pub requests: usize,
    /// The status of an opening that was answered.
    pub status: Option<u16>,
    /// How long they took together.
    pub time: Duration,
}

impl Once {
    /// For that step.
    #[must_use]
    pub fn of(step: &WebSocketStep) -> Self {
        let left = step.send.len().max(1);
        Self { part: Part::Opening, opening: Sum::default(), trips: Sum::default(), left }
    }
}

impl Ledger for Once {
    fn departs(&mut self, part: Part) -> bool {
        if part == Part::RoundTrip {
            let Some(left) = self.left.checked_sub(1) else { return false };
            self.left = left;
        }
        self.part = part;
        true
    }

    fn lands(&mut self, done: &Done, _: &Session) {
        let sum = match self.part {
            Part::Opening => &mut self.opening,
            Part::RoundTrip => &mut self.trips,
        };
        sum.requests += 1;
        sum.status = done.status.or(sum.status);
        sum.time += done.latency;
    }
}
