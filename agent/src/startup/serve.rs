//! The pages of a start: the steps are the checks, and `/ready` is open once all have succeeded.

use super::phases::kind;
use super::{StartError, into_nothing};
use crate::config::{self, InForce, PhasePlan, ServerPlan, Step, Work};
use crate::small;
use crate::snapshot::{CheckFacts, Role};
use crate::state::{self, Event, State};
use crate::{clock, lifecycle, limits, server};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// Serves, when an address is given; where results go, and the index of each step there.
pub(super) async fn begin(
    phases: &[PhasePlan],
    listen: Option<SocketAddr>,
) -> Result<(mpsc::Sender<Event>, BTreeMap<String, usize>), StartError> {
    let Some(listen) = listen else { return Ok((into_nothing(), BTreeMap::new())) };
    let all: Vec<Arc<CheckFacts>> = phases.iter().flat_map(|phase| &phase.steps).map(facts).map(Arc::new).collect();
    let indices = small::map(all.iter().enumerate().map(|(index, facts)| (facts.name.clone(), index)));
    let now = clock::wall();
    let mut first = State::new(now, all, &[]);
    let publish = watch::Sender::new(Arc::new(first.snapshot(now)));
    let plan = ServerPlan { listen, web_config: None, diagnostics_from: Vec::new(), aliases: Vec::new() };
    // Nobody takes orders: a start is over before anybody would give one.
    let app = server::App::new(server::Feed {
        snapshots: publish.subscribe(),
        in_force: watch::Sender::new(Arc::new(InForce { server: plan, effective: serde_json::Value::Null }))
            .subscribe(),
        reloads: mpsc::channel(1).0,
        silences: mpsc::channel(1).0,
        read: config::read_yaml,
    })
    .map_err(lifecycle::StartError::from)?;
    let listener = lifecycle::listen(listen).await?;
    let (events, results) = mpsc::channel(limits::OUTCOMES_QUEUED);
    tokio::spawn(server::serve(listener, app, std::future::pending()));
    tokio::spawn(state::write(first, results, publish));
    Ok((events, indices))
}

/// A step as a check that holds `/ready` back until it has succeeded.
fn facts(step: &Step) -> CheckFacts {
    let target = match &step.work {
        Work::Check(check) => check.facts.target.clone(),
        Work::Run(hook) => hook.words.first().cloned().unwrap_or_default(),
        Work::Environment(variables) => variables.schema.clone(),
        Work::Nothing => String::new(),
    };
    CheckFacts {
        name: step.name.clone(),
        kind: kind(&step.work),
        target,
        role: Role::Readiness,
        peer: false,
        sweep: false,
        depends_on: step.depends_on.clone(),
        interval: limits::INTERVAL,
        timeout: step.timeout,
        fail_after: 1,
        ok_after: 1,
    }
}
