//! Before the load, each journey once with one user: a journey that does not work for one says nothing about two hundred,
//! and a dead target is noticed at once instead of by two hundred users. The journeys are tried side by side and within a
//! time of their own; what there was no time for is named, and the load goes on without.

use super::walk;
use crate::http::{Client, HttpVersion, Network, Protocol, Request, Response, Transport, TransportError};
use crate::journey::{Defaults, Entry, Exchange, Fault, Observer, Session, Who, run_entry};
use crate::limits::{HANG_AFTER, PREFLIGHT};
use crate::plan::{Plan, PlannedJourney};
use crate::targets::Ending;
use crate::units::Readable;
use futures_util::future::BoxFuture;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Runs it and says how it went; the ending of the run when a journey fails.
pub(super) async fn run(plan: &Plan, network: &Arc<Network>) -> Result<String, Ending> {
    // How many entries of each journey have passed.
    let passed: Vec<AtomicUsize> = plan.journeys.iter().map(|_| AtomicUsize::new(0)).collect();
    let heard = Heard::default();
    let walks = plan.journeys.iter().zip(&passed).enumerate();
    let walks = walks.map(|(number, (journey, passed))| {
        let transport = Impatient { client: Client::new(Arc::clone(network)), heard: &heard };
        one(plan, journey, transport, (number, passed))
    });
    // Never more at once than the plan has users: it may be small on purpose.
    let walks = stream::iter(walks).buffer_unordered(plan.load.seats()).try_collect::<()>();
    match tokio::time::timeout(PREFLIGHT, walks).await {
        Ok(Ok(())) => {
            Ok(format!("preflight: each journey passed once with one user; now the load{}", heard.less_than_asked()))
        }
        Ok(Err(ending)) => Err(ending),
        Err(_) => Ok(untried(plan, &passed) + &heard.less_than_asked()),
    }
}

async fn one(
    plan: &Plan,
    journey: &PlannedJourney,
    mut transport: Impatient<'_>,
    (number, passed): (usize, &AtomicUsize),
) -> Result<(), Ending> {
    let mut session = Session::new(Arc::new(walk::variables(plan)), Arc::new(Who::new(number + 1)));
    session.headers = plan.headers.common();
    session.defaults = Defaults::speaking(plan.http2.value);
    for (name, value) in walk::row(&plan.feeds, number, 0) {
        session.variables.set(name, value);
    }
    for entry in entries(journey) {
        let outcome = run_entry(entry, &mut session, &mut transport, &mut Deaf).await;
        if let Some(fault) = outcome.faults.first() {
            let what = plan.redactor.clean(&session.redact(&fault.summary()));
            return Err(failed(journey, entry, fault, &what));
        }
        passed.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

fn entries(journey: &PlannedJourney) -> impl Iterator<Item = &Entry> {
    journey.compiled.files.iter().flat_map(|file| &file.entries)
}

fn failed(journey: &PlannedJourney, entry: &Entry, fault: &Fault, what: &str) -> Ending {
    let (name, file, line) = (&entry.name, &entry.source.name, fault.span.line);
    let journey = &journey.name;
    Ending::GivenUp(format!(
        "before the load, with one user, `{name}` of the journey `{journey}` fails: {what} ({file}:{line})"
    ))
}

/// What the time was too short for.
fn untried(plan: &Plan, passed: &[AtomicUsize]) -> String {
    let rest = plan.journeys.iter().zip(passed).filter_map(|(journey, passed)| {
        let entry = entries(journey).nth(passed.load(Ordering::Relaxed))?;
        Some(format!("\n  `{}` from `{}` on ({}:{})", journey.name, entry.name, entry.source.name, entry.span.line))
    });
    format!(
        "preflight: nothing failed with one user in {}, but the time was too short for all; now the load. Not tried:{}",
        Readable(PREFLIGHT),
        rest.collect::<String>()
    )
}

/// The books are kept for the load, not for its preparation.
struct Deaf;

impl Observer for Deaf {
    fn exchange(&mut self, _: &Exchange<'_>) {}
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
}

/// In which version those answered that were asked for HTTP/2.
#[derive(Default)]
struct Heard {
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
    fn less_than_asked(&self) -> String {
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
