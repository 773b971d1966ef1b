//! Before the load, each journey once with one user: a journey that does not work for one says nothing about two hundred,
//! and a dead target is noticed at once instead of by two hundred users. The journeys are tried side by side and within a
//! time of their own; what there was no time for is named, and the load goes on without.

use super::{sockets, walk};
use crate::http::{Client, Network, Request, Response, Transport, TransportError};
use crate::journey::{Act, Exchange, Observer, Session, Who, run_entry};
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
    // How many acts of each journey have passed.
    let passed: Vec<AtomicUsize> = plan.journeys.iter().map(|_| AtomicUsize::new(0)).collect();
    let walks = plan.journeys.iter().zip(&passed).enumerate();
    let walks = walks.map(|(number, (journey, passed))| one(plan, journey, network, (number, passed)));
    // Never more at once than the plan has users: it may be small on purpose.
    let walks = stream::iter(walks).buffer_unordered(plan.load.seats()).try_collect::<()>();
    match tokio::time::timeout(PREFLIGHT, walks).await {
        Ok(Ok(())) => Ok("preflight: each journey passed once with one user; now the load".to_owned()),
        Ok(Err(ending)) => Err(ending),
        Err(_) => Ok(untried(plan, &passed)),
    }
}

async fn one(
    plan: &Plan,
    journey: &PlannedJourney,
    network: &Arc<Network>,
    (number, passed): (usize, &AtomicUsize),
) -> Result<(), Ending> {
    let mut session = Session::new(Arc::new(walk::variables(plan)), Arc::new(Who::new(number + 1)));
    session.headers = plan.headers.common();
    for (name, value) in walk::row(&plan.feeds, number, 0) {
        session.variables.set(name, value);
    }
    let mut transport = Impatient(Client::new(Arc::clone(network)));
    for act in journey.compiled.acts() {
        let failed = match act {
            Act::Entry(entry) => {
                let outcome = run_entry(entry, &mut session, &mut transport, &mut Deaf).await;
                outcome.faults.into_iter().next().map(|fault| {
                    let (file, line) = (&entry.source.name, fault.span.line);
                    (format!("{file}:{line}"), entry.name.as_str(), fault)
                })
            }
            Act::WebSocket(step) => {
                let failed = sockets::once(step, &mut session, network).await;
                failed.map(|(name, fault)| (step.place.clone(), name, fault))
            }
        };
        if let Some((place, name, fault)) = failed {
            let (what, journey) = (plan.redactor.clean(&session.redact(&fault.summary())), &journey.name);
            return Err(Ending::GivenUp(format!(
                "before the load, with one user, `{name}` of the journey `{journey}` fails: {what} ({place})"
            )));
        }
        passed.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

/// What the time was too short for.
fn untried(plan: &Plan, passed: &[AtomicUsize]) -> String {
    let rest = plan.journeys.iter().zip(passed).filter_map(|(journey, passed)| {
        let act = journey.compiled.acts().nth(passed.load(Ordering::Relaxed))?;
        Some(format!("\n  `{}` from `{}` on ({})", journey.name, act.name(), act.place()))
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
