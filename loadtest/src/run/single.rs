//! A journey once, with one user and outside the books: what the preflight, the setup and the teardown have in common. Knows not
//! why it is walked.

use super::walk;
use crate::http::{Client, Fetched, Network, Request, Response, Transport, TransportError};
use crate::journey::{Entry, Exchange, Journey, Observer, Session, Who, run_entry};
use crate::limits::HANG_AFTER;
use crate::plan::Plan;
use futures_util::future::BoxFuture;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// An entry that failed: which, how, and where.
pub(super) struct Failing {
    pub(super) name: String,
    pub(super) what: String,
    pub(super) file: String,
    pub(super) line: u32,
}

/// A new user of that number, from 0 on, with its first row of each data file.
pub(super) fn session(plan: &Plan, number: usize) -> Session {
    let rows = walk::row(&plan.feeds, number, 0);
    let base: HashMap<_, _> = walk::variables(plan).into_iter().chain(rows).collect();
    let mut session = Session::new(Arc::new(base), Arc::new(Who::new(number + 1)));
    session.headers = plan.headers.common();
    session
}

/// Runs the entries in order and counts those that passed, until one fails; what the pages among them brought, for people.
pub(super) async fn walk(
    journey: &Journey,
    (plan, network): (&Plan, &Arc<Network>),
    session: &mut Session,
    passed: &AtomicUsize,
) -> Result<Vec<String>, Failing> {
    let mut pages = Pages::default();
    let mut transport = Impatient(Client::new(Arc::clone(network)));
    for entry in entries(journey) {
        let outcome = run_entry(entry, session, &mut transport, &mut pages).await;
        if let Some(fault) = outcome.faults.first() {
            let what = plan.redactor.clean(&session.redact(&fault.summary()));
            let (name, file, line) = (entry.name.clone(), entry.source.name.clone(), fault.span.line);
            return Err(Failing { name, what, file, line });
        }
        passed.fetch_add(1, Ordering::Relaxed);
    }
    Ok(pages.0)
}

/// Where the first entry that has not passed stands; none where all have.
pub(super) fn reached(journey: &Journey, passed: &AtomicUsize) -> Option<(String, String)> {
    let entry = entries(journey).nth(passed.load(Ordering::Relaxed))?;
    Some((entry.name.clone(), format!("{}:{}", entry.source.name, entry.span.line)))
}

fn entries(journey: &Journey) -> impl Iterator<Item = &Entry> {
    journey.files.iter().flat_map(|file| &file.entries)
}

/// The books are kept for the load; only pages are told of.
#[derive(Default)]
struct Pages(Vec<String>);

impl Observer for Pages {
    fn exchange(&mut self, exchange: &Exchange<'_>) {
        if let Some(page) = exchange.page.filter(|_| exchange.fault.is_none()) {
            self.0.push(format!("`{}` is a page with {page}", exchange.entry.name));
        }
    }
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

    fn send_all(&mut self, requests: Vec<Request>) -> BoxFuture<'_, Vec<Result<Fetched, TransportError>>> {
        self.0.send_all(requests)
    }
}
