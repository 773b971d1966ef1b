//! WebSocket steps of virtual users: the bridge between the step, which tells of its requests, and the user's seat, which books them.

use crate::engine::{Outcome, Seat};
use crate::http::Network;
use crate::journey::{Done, Ended, Fault, Ledger, Once, Part, Session, WebSocketStep, run_websocket};
use crate::redact::Redactor;

/// Where a step's requests are booked.
pub(super) struct Booth<'a> {
    pub(super) seat: &'a mut Seat,
    /// The index of the opening's name.
    pub(super) opening: usize,
    /// The index of the round trips' name.
    pub(super) trip: usize,
    pub(super) redactor: &'a Redactor,
}

impl Ledger for Booth<'_> {
    fn departs(&mut self, part: Part) -> bool {
        self.seat.depart(match part {
            Part::Opening => self.opening,
            Part::RoundTrip => self.trip,
        })
    }

    fn lands(&mut self, done: &Done, session: &Session) {
        let Some(flight) = self.seat.land() else { return };
        let example = done.fault.as_ref().map(|fault| self.redactor.clean(&session.redact(&fault.summary())));
        let outcome = Outcome {
            latency: done.latency,
            status: done.status.unwrap_or(0),
            bytes: done.bytes,
            // A WebSocket is opened over HTTP/1.1.
            http2: false,
            failure: done.fault.as_ref().map(Fault::class),
            example: example.as_deref(),
        };
        self.seat.record(flight, outcome);
    }
}

/// One step of a user's journey; whether it goes on.
pub(super) async fn walk(step: &WebSocketStep, session: &mut Session, network: &Network, mut booth: Booth<'_>) -> bool {
    matches!(run_websocket(step, session, network, &mut booth).await, Ended::Passed)
}

/// One step before the load, which keeps no books, and sends each of its texts once: which of its requests failed, and why.
pub(super) async fn once<'a>(
    step: &'a WebSocketStep,
    session: &mut Session,
    network: &Network,
) -> Option<(&'a str, Fault)> {
    let mut once = Once::of(step);
    match run_websocket(step, session, network, &mut once).await {
        Ended::Passed | Ended::Early => None,
        Ended::Failed(fault) => {
            let name = match once.part {
                Part::Opening => &step.opening,
                Part::RoundTrip => &step.name,
            };
            Some((name, *fault))
        }
    }
}
