//! The setup before a run and the teardown after it: each once, with user 1, and never in the books. What must stay true: a setup
//! that fails leaves no load, and a teardown runs for every setup that passed, unless a second signal forbids it.

use super::single::{self, Failing, Heard};
use super::{network, tell};
use crate::engine::Signals;
use crate::journey::{Journey, Session};
use crate::limits::{SETUP, TEARDOWN};
use crate::plan::{Captured, Plan};
use crate::units::Readable;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

/// Runs the plan's setup; what it captured, or why there is no run.
pub(super) async fn setup(plan: &Plan, quiet: bool) -> Result<Captured, String> {
    let Some(setup) = &plan.setup else { return Ok(Captured::default()) };
    let session = once(plan, &setup.value, SETUP, &AtomicUsize::new(0)).await?;
    let (variables, secrets) = (session.variables.own(), session.variables.secrets().to_vec());
    if !quiet {
        let names = variables.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let names = if names.is_empty() { names } else { format!("; it captured {names}") };
        tell(&format!("setup: passed{names}"));
    }
    Ok(Captured { variables, secrets })
}

/// Runs the plan's teardown; why it failed, if it did.
pub(super) async fn teardown(plan: &Plan, quiet: bool, signals: &mut Signals) -> Option<String> {
    let teardown = &plan.teardown.as_ref()?.value;
    let passed = AtomicUsize::new(0);
    let ended = tokio::select! {
        // In this order, so that nothing is begun after a second signal.
        biased;
        () = signals.insist() => Err(place("the teardown was ended by a second signal", teardown, &passed)),
        ended = once(plan, teardown, TEARDOWN, &passed) => ended,
    };
    if ended.is_ok() && !quiet {
        tell(&"teardown: passed");
    }
    ended.err()
}

async fn once(plan: &Plan, journey: &Journey, most: Duration, passed: &AtomicUsize) -> Result<Session, String> {
    let (key, heard) = (&journey.name, Heard::default());
    let (network, mut session) = (network(plan), single::session(plan, 0));
    let walked = single::walk(journey, (plan, &network), &mut session, (passed, &heard));
    match tokio::time::timeout(most, walked).await {
        Ok(Ok(_)) => Ok(session),
        Ok(Err(Failing { name, what, place })) => Err(format!("`{name}` of the {key} fails: {what} ({place})")),
        Err(_) => Err(place(&format!("the {key} took longer than {}", Readable(most)), journey, passed)),
    }
}

/// What happened, and how far it was then.
fn place(what: &str, journey: &Journey, passed: &AtomicUsize) -> String {
    let at = single::reached(journey, passed);
    at.map_or_else(|| what.to_owned(), |(name, place)| format!("{what}, at `{name}` ({place})"))
}
