//! A WebSocket step of a smoke test: its opening, and each of its texts once.

use super::{EntryReport, failure};
use crate::http::Network;
use crate::journey::{Ended, Fault, Once, Part, Session, Sum, WebSocketStep, run_websocket};
use crate::problem::Problem;

/// The opening and, where it came so far, the round trips.
pub(super) async fn once(
    step: &WebSocketStep,
    session: &mut Session,
    network: &Network,
    clean: &(dyn Fn(&str) -> String + Sync),
) -> Vec<EntryReport> {
    let mut once = Once::of(step);
    let ended = run_websocket(step, session, network, &mut once).await;
    let fault = match ended {
        Ended::Failed(fault) => Some(fault),
        Ended::Passed | Ended::Early => None,
    };
    let clean = |text: &str| clean(&session.redact(text));
    let of = |part: Part| fault.as_deref().filter(|_| once.part == part);
    let mut entries = vec![told(&once.opening, step, &step.opening, of(Part::Opening), &clean)];
    if once.part == Part::RoundTrip {
        entries.push(told(&once.trips, step, &step.name, of(Part::RoundTrip), &clean));
    }
    entries
}

/// What one of the two came to.
fn told(
    sum: &Sum,
    step: &WebSocketStep,
    name: &str,
    fault: Option<&Fault>,
    clean: &dyn Fn(&str) -> String,
) -> EntryReport {
    let (file, line) = step.place.rsplit_once(':').unwrap_or((&step.place, ""));
    let line = line.parse().unwrap_or_default();
    let described = |fault: &Fault| {
        let text = Problem::new(fault.sentence()).at(step.place.clone());
        super::Failure { line, ..failure(fault, &text.to_string(), clean) }
    };
    EntryReport {
        name: name.to_owned(),
        file: file.to_owned(),
        line,
        passed: fault.is_none(),
        attempts: sum.requests,
        status: sum.status,
        duration_us: crate::units::micros(sum.time),
        failures: fault.map(described).into_iter().collect(),
        ..EntryReport::default()
    }
}
