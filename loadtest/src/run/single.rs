//! A journey once, with one user and outside the books: what the preflight, the setup and the teardown have in common. Knows not
//! why it is walked.

use super::{sockets, walk};
use crate::http::{Client, Network, Request, Response, Transport, TransportError};
use crate::journey::{Act, Exchange, Journey, Observer, Session, Who, run_entry};
use crate::limits::HANG_AFTER;
use crate::plan::Plan;
use futures_util::future::BoxFuture;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What failed: which request, how, and where.
pub(super) struct Failing {
    pub(super) name: String,
    pub(super) what: String,
    pub(super) place: String,
}

/// A new user of that number, from 0 on, with its first row of each data file.
pub(super) fn session(plan: &Plan, number: usize) -> Session {
    let rows = walk::row(&plan.feeds, number, 0);
    let base: HashMap<_, _> = walk::variables(plan).into_iter().chain(rows).collect();
    let mut session = Session::new(Arc::new(base), Arc::new(Who::new(number + 1)));
    session.headers = plan.headers.common();
    session
}

/// Runs the entries and WebSockets in order and counts those that passed, until one fails.
pub(super) async fn walk(
    journey: &Journey,
    (plan, network): (&Plan, &Arc<Network>),
    session: &mut Session,
    passed: &AtomicUsize,
) -> Result<(), Failing> {
    let mut transport = Impatient(Client::new(Arc::clone(network)));
    for act in journey.acts() {
        let failed = match act {
            Act::Entry(entry) => {
                let outcome = run_entry(entry, session, &mut transport, &mut Deaf).await;
                let fault = outcome.faults.into_iter().next();
                fault.map(|fault| (format!("{}:{}", entry.source.name, fault.span.line), entry.name.as_str(), fault))
            }
            Act::WebSocket(step) => {
                let failed = sockets::once(step, session, network).await;
                failed.map(|(name, fault)| (step.place.clone(), name, fault))
            }
        };
        if let Some((place, name, fault)) = failed {
            let what = plan.redactor.clean(&session.redact(&fault.summary()));
            return Err(Failing { name: name.to_owned(), what, place });
        }
        passed.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

/// The first one that has not passed, and where it stands; none where all have.
pub(super) fn reached(journey: &Journey, passed: &AtomicUsize) -> Option<(String, String)> {
    let act = journey.acts().nth(passed.load(Ordering::Relaxed))?;
    Some((act.name().to_owned(), act.place().to_string()))
}

/// The books are kept for the load.
struct Deaf;

impl Observer for Deaf {
    fn exchange(&mut self, _: &Exchange<'_>) {}
}

/// Waits for an answer no longer than the load itself would, unless the journey says how long.
struct Impatient(Client);

impl Transport for Impatient {
    fn send(&mut self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        if request.options.max_time.is_some() {
            return self.0.send(request);
        }
        let answer = tokio::time::timeout(HANG_AFTER, self.0.send(request));
        Box::pin(async { answer.await.unwrap_or(Err(TransportError::Timeout(HANG_AFTER))) })
    }
}
