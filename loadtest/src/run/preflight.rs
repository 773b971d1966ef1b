//! Before the load, each journey once with one user: a journey that does not work for one says nothing about two hundred,
//! and a dead target is noticed at once instead of by two hundred users. The journeys are tried side by side and within a
//! time of their own; what there was no time for is named, and the load goes on without.

use super::single::{self, Failing, Heard};
use crate::http::Network;
use crate::limits::PREFLIGHT;
use crate::plan::{Plan, PlannedJourney};
use crate::targets::Ending;
use crate::units::Readable;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

/// Runs it and says how it went; the ending of the run when a journey fails.
pub(super) async fn run(plan: &Plan, network: &Arc<Network>) -> Result<String, Ending> {
    // How many acts of each journey have passed.
    let passed: Vec<AtomicUsize> = plan.journeys.iter().map(|_| AtomicUsize::new(0)).collect();
    let heard = Heard::default();
    let walks = plan.journeys.iter().zip(&passed).enumerate();
    let walks = walks.map(|(number, (journey, passed))| one((plan, network), journey, number, (passed, &heard)));
    // Never more at once than the plan has users: it may be small on purpose.
    let walks = stream::iter(walks).buffer_unordered(plan.load.seats()).try_collect::<Vec<Vec<String>>>();
    match tokio::time::timeout(PREFLIGHT, walks).await {
        Ok(Ok(pages)) => Ok(passed_all(&pages.concat()) + &heard.less_than_asked()),
        Ok(Err(ending)) => Err(ending),
        Err(_) => Ok(untried(plan, &passed) + &heard.less_than_asked()),
    }
}

/// With what each page brought, so that nobody takes a page without its images for a whole one.
fn passed_all(pages: &[String]) -> String {
    let pages: String = pages.iter().map(|page| format!("\n  {page}")).collect();
    format!("preflight: each journey passed once with one user; now the load{pages}")
}

async fn one(
    (plan, network): (&Plan, &Arc<Network>),
    journey: &PlannedJourney,
    number: usize,
    marks: (&AtomicUsize, &Heard),
) -> Result<Vec<String>, Ending> {
    let mut session = single::session(plan, number);
    single::walk(&journey.compiled, (plan, network), &mut session, marks).await.map_err(|failing| {
        let (Failing { name, what, place }, journey) = (failing, &journey.name);
        Ending::GivenUp(format!(
            "before the load, with one user, `{name}` of the journey `{journey}` fails: {what} ({place})"
        ))
    })
}

/// What the time was too short for.
fn untried(plan: &Plan, passed: &[AtomicUsize]) -> String {
    let rest = plan.journeys.iter().zip(passed).filter_map(|(journey, passed)| {
        let (entry, place) = single::reached(&journey.compiled, passed)?;
        Some(format!("\n  `{}` from `{entry}` on ({place})", journey.name))
    });
    format!(
        "preflight: nothing failed with one user in {}, but the time was too short for all; now the load. Not tried:{}",
        Readable(PREFLIGHT),
        rest.collect::<String>()
    )
}
