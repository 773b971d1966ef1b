//! The time around the load in which the sidecars are asked: before it, to know what was so anyway, and a little after it, for agents
//! look every few seconds.

use super::tell;
use crate::limits::{SIDECAR_LINGER, WATCH_EVERY};
use crate::plan::Plan;
use crate::sidecars::{Service, Watch};
use crate::units::Readable;

/// Waits for the calm time and says which sidecars are silent: early, and not after an hour.
pub(super) async fn before(plan: &Plan, watch: &Watch) {
    if plan.agents.is_empty() {
        return;
    }
    tokio::time::sleep(plan.calm.value).await;
    let evidence = watch.evidence(None);
    for service in &evidence.services {
        if let Some(problem) = silence(service) {
            tell(&plan.redactor.clean(&problem));
        }
    }
    let (calm, heard) =
        (Readable(plan.calm.value), evidence.services.iter().filter(|one| silence(one).is_none()).count());
    tell(&format!("sidecars: {heard} of {} heard in the calm time ({calm}); now the load", evidence.services.len()));
}

/// Waits until each sidecar that is heard has looked at the end of the load.
pub(super) async fn after(watch: &Watch) {
    let end = watch.age();
    let late = |service: &Service| {
        let looked = service.tracks.iter().filter_map(|track| track.points.last());
        let silent = service.gaps.last().is_some_and(|gap| gap.until >= end);
        !silent && !looked.map(|point| point.at).any(|at| at > end)
    };
    while watch.age() < end + SIDECAR_LINGER.as_secs_f64() && watch.evidence(None).services.iter().any(late) {
        tokio::time::sleep(WATCH_EVERY).await;
    }
}

fn silence(service: &Service) -> Option<String> {
    let name = &service.name;
    if !service.tracks.is_empty() {
        return service.lie().map(|lie| format!("warning: {lie}"));
    }
    let why = service.gaps.last().map_or("it tells none of the figures", |gap| gap.why.as_str());
    Some(format!("warning: the sidecar `{name}` is silent: {why}\nhint: what targets ask of it will be inconclusive"))
}
