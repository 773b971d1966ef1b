//! Before the load, each journey once with one user: a journey that does not work for one says nothing about two hundred,
//! and a dead target is noticed at once instead of by two hundred users.

use super::walk;
use crate::http::{Client, Network, Request, Response, Transport, TransportError};
use crate::limits::HANG_AFTER;
use crate::plan::{Plan, PlannedJourney};
use crate::smoke::{self, Setting};
use crate::targets::Ending;
use futures_util::future::BoxFuture;
use std::sync::Arc;

/// Runs it; the ending of the run when a journey fails.
pub(super) async fn run(plan: &Plan, network: &Arc<Network>) -> Result<(), Ending> {
    for (number, journey) in plan.journeys.iter().enumerate() {
        one(plan, journey, network, number).await?;
    }
    Ok(())
}

async fn one(plan: &Plan, journey: &PlannedJourney, network: &Arc<Network>, number: usize) -> Result<(), Ending> {
    let mut variables = walk::variables(plan);
    variables.extend(walk::row(&plan.feeds, number, 0));
    let setting = Setting {
        variables: Arc::new(variables),
        connect: &mut || Box::new(Impatient(Client::new(Arc::clone(network)))) as Box<dyn Transport>,
        clean: &|text| plan.redactor.clean(text),
    };
    let journeys = std::slice::from_ref(journey.compiled.as_ref());
    let report = smoke::smoke(journeys, setting, &mut std::io::sink()).await;
    let failed =
        report.iter().flat_map(|report| &report.journeys).flat_map(|journey| &journey.entries).find(|one| !one.passed);
    let Some(failed) = failed else { return Ok(()) };
    let what = failed.failures.first().map_or("it failed", |failure| failure.message.as_str());
    let (name, file, line) = (&failed.name, &failed.file, failed.line);
    Err(Ending::GivenUp(format!(
        "before the load, with one user, `{name}` of the journey `{}` fails: {what} ({file}:{line})",
        journey.name
    )))
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
