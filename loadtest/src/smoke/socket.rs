//! A WebSocket step of a smoke test: its opening, and each of its texts once.

use super::{EntryReport, failure};
use crate::http::Network;
use crate::journey::{Done, Ended, Fault, Ledger, Part, Session, WebSocketStep, run_websocket};
use crate::problem::Problem;
use std::time::Duration;

/// The opening and, where it came so far, the round trips.
pub(super) async fn once(
    step: &WebSocketStep,
    session: &mut Session,
    network: &Network,
    clean: &(dyn Fn(&str) -> String + Sync),
) -> Vec<EntryReport> {
    let mut books = Books { now: Part::Opening, left: step.send.len().max(1), ..Books::default() };
    let ended = run_websocket(step, session, network, &mut books).await;
    let fault = match ended {
        Ended::Failed(fault) => Some(fault),
        Ended::Passed | Ended::Early => None,
    };
    let clean = |text: &str| clean(&session.redact(text));
    let of = |part: Part| fault.as_deref().filter(|_| books.now == part);
    let mut entries = vec![books.opening.told(step, &step.opening, of(Part::Opening), &clean)];
    if books.now == Part::RoundTrip {
        entries.push(books.trips.told(step, &step.name, of(Part::RoundTrip), &clean));
    }
    entries
}

/// What one kind of request came to.
#[derive(Default)]
struct Sum {
    requests: usize,
    status: Option<u16>,
    time: Duration,
}

impl Sum {
    fn told(
        &self,
        step: &WebSocketStep,
        name: &str,
        fault: Option<&Fault>,
        clean: &dyn Fn(&str) -> String,
    ) -> EntryReport {
        let (file, line) = step.place.rsplit_once(':').unwrap_or((&step.place, ""));
        let line = line.parse().unwrap_or_default();
        let described = |fault: &Fault| {
            let kind = if fault.is_assert { "assert failed" } else { "cannot go on" };
            let text = Problem::new(format!("{kind}: {}", fault.summary())).at(step.place.clone());
            super::Failure { line, ..failure(fault, &text.to_string(), clean) }
        };
        EntryReport {
            name: name.to_owned(),
            file: file.to_owned(),
            line,
            passed: fault.is_none(),
            attempts: self.requests,
            status: self.status,
            duration_us: crate::units::micros(self.time),
            failures: fault.map(described).into_iter().collect(),
            ..EntryReport::default()
        }
    }
}

/// Each text once, then no more.
struct Books {
    now: Part,
    /// Round trips that may still be made.
    left: usize,
    opening: Sum,
    trips: Sum,
}

impl Default for Books {
    fn default() -> Self {
        Self { now: Part::Opening, left: 1, opening: Sum::default(), trips: Sum::default() }
    }
}

impl Ledger for Books {
    fn departs(&mut self, part: Part) -> bool {
        if part == Part::RoundTrip {
            if self.left == 0 {
                return false;
            }
            self.left -= 1;
        }
        self.now = part;
        true
    }

    fn lands(&mut self, done: &Done, _: &Session) {
        let sum = match self.now {
            Part::Opening => &mut self.opening,
            Part::RoundTrip => &mut self.trips,
        };
        sum.requests += 1;
        sum.status = done.status.or(sum.status);
        sum.time += done.latency;
    }
}
