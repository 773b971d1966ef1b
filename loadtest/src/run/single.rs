//! A journey once, with one user and outside the books: what the preflight, the setup and the teardown have in common. Knows not
//! why it is walked.

use super::{sockets, walk};
use crate::http::{Client, Fetched, HttpVersion, Network, Protocol, Request, Response, Transport, TransportError};
use crate::journey::{Act, Defaults, Exchange, Journey, Observer, Session, Who, run_entry};
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
    session.defaults = Defaults::speaking(plan.http2.value);
    session
}

/// Runs the entries and WebSockets in order and counts those that passed, until one fails; what the pages among them brought, for
/// people.
pub(super) async fn walk(
    journey: &Journey,
    (plan, network): (&Plan, &Arc<Network>),
    session: &mut Session,
    (passed, heard): (&AtomicUsize, &Heard),
) -> Result<Vec<String>, Failing> {
    let mut pages = Pages::default();
    let mut transport = Impatient { client: Client::new(Arc::clone(network)), heard };
    for act in journey.acts() {
        let failed = match act {
            Act::Entry(entry) => {
                let outcome = run_entry(entry, session, &mut transport, &mut pages).await;
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
    Ok(pages.0)
}

/// The first one that has not passed, and where it stands; none where all have.
pub(super) fn reached(journey: &Journey, passed: &AtomicUsize) -> Option<(String, String)> {
    let act = journey.acts().nth(passed.load(Ordering::Relaxed))?;
    Some((act.name().to_owned(), act.place().to_string()))
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
struct Impatient<'a> {
    client: Client,
    heard: &'a Heard,
}

impl Transport for Impatient<'_> {
    fn send(&mut self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        let (protocol, patient) = (request.options.protocol, request.options.max_time.is_some());
        let Self { client, heard } = self;
        Box::pin(async move {
            let answer = client.send(request);
            let answer = if patient {
                answer.await
            } else {
                tokio::time::timeout(HANG_AFTER, answer).await.unwrap_or(Err(TransportError::Timeout(HANG_AFTER)))
            };
            answer.inspect(|response| heard.answer(protocol, response.version))
        })
    }

    fn send_all(&mut self, requests: Vec<Request>) -> BoxFuture<'_, Vec<Result<Fetched, TransportError>>> {
        self.client.send_all(requests)
    }
}

/// In which version those answered that were asked for HTTP/2.
#[derive(Default)]
pub(super) struct Heard {
    asked: AtomicUsize,
    older: AtomicUsize,
}

impl Heard {
    fn answer(&self, asked: Protocol, spoken: HttpVersion) {
        if asked == Protocol::Http2 {
            self.asked.fetch_add(1, Ordering::Relaxed);
            self.older.fetch_add(usize::from(spoken != HttpVersion::Http2), Ordering::Relaxed);
        }
    }

    /// A word about a load that will not go over what was asked for; nothing when all is well.
    pub(super) fn less_than_asked(&self) -> String {
        let (asked, older) = (self.asked.load(Ordering::Relaxed), self.older.load(Ordering::Relaxed));
        match older {
            0 => String::new(),
            _ => format!(
                "\nwarning: of {asked} requests that asked for HTTP/2, {older} were answered in HTTP/1.1\n\
                 hint: a server takes HTTP/2 over TLS only; `HTTP/2 200` in a journey makes anything else an error"
            ),
        }
    }
}
