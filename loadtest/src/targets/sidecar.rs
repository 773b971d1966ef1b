//! The judge of what the sidecars tell: a figure of one service, or of each, over the judged time. Pure.
//! What must stay true: a miss that was seen is a miss however little was heard; a sidecar that was silent, or that does not tell
//! the figure, never lets a target be met.

use super::{Judged, Outcome, Target, Watched};
use crate::problem::Problem;
use crate::sidecars::{Evidence, Figure, Service, Take, Track};
use crate::suggest;
use std::ops::Range;
use std::time::Duration;

/// Judges a target about a figure over the judged time, in seconds since the load began; none when it is about requests.
#[must_use]
pub fn judge_sidecars(target: &Target, evidence: &Evidence, judged: &[Range<f64>]) -> Option<Judged> {
    let watched = target.figure.as_ref()?;
    let mut worst: Option<(f64, &str, u64)> = None;
    let mut lacks = Vec::new();
    for name in &watched.services {
        let Some(service) = evidence.service(name) else {
            lacks.push(format!("`{name}` was not asked"));
            continue;
        };
        lacks.extend(judged.iter().find_map(|over| service.lack(over)));
        let Some(track) = service.track(watched.figure.name) else {
            if watched.each || service.tracks.is_empty() {
                lacks.push(untold(service, watched));
            }
            continue;
        };
        let figures = judged.iter().filter_map(|over| worst_of(track, target, over));
        let Some(figure) = figures.reduce(|a, b| worse(target, a, b)) else {
            lacks.push(untold(service, watched));
            continue;
        };
        let looks = judged.iter().map(|over| track.within(over).count() as u64).sum();
        if worst.is_none_or(|(known, ..)| worse(target, known, figure) != known) {
            worst = Some((figure, name, looks));
        }
    }
    Some(decide(target, worst, &lacks))
}

/// The services that a target about a figure means.
pub(super) fn watched(figure: &'static Figure, name: Option<&str>, sidecars: &[&str]) -> Result<Watched, Problem> {
    if sidecars.is_empty() {
        let problem = Problem::new(format!("`{}` is what a sidecar tells, and no sidecar is named", figure.name));
        return Err(problem.hint("name it with `agents:` in the plan or with `--agents backend=http://127.0.0.1:9797`"));
    }
    match name {
        None => {
            let services = sidecars.iter().map(|&name| name.to_owned()).collect();
            Ok(Watched { figure, services, each: figure.everywhere })
        }
        Some(name) if sidecars.contains(&name) => Ok(Watched { figure, services: vec![name.to_owned()], each: true }),
        Some(name) => {
            let hint = suggest::hint(name, "sidecars", sidecars.iter().copied());
            Err(Problem::new(format!("no sidecar is called `{name}`")).hint(hint))
        }
    }
}

fn decide(target: &Target, worst: Option<(f64, &str, u64)>, lacks: &[String]) -> Judged {
    let judged = |outcome, why| Judged {
        target: target.clone(),
        outcome,
        got: worst.map(|(figure, ..)| figure),
        count: worst.map_or(0, |(.., looks)| looks),
        why,
        blame: None,
    };
    let several = target.figure.as_ref().is_some_and(|watched| watched.services.len() > 1);
    match worst {
        Some((figure, name, _)) if !target.op.holds(figure, target.limit) => {
            judged(Outcome::Missed, several.then(|| format!("`{name}`")))
        }
        Some((_, name, _)) if lacks.is_empty() => judged(Outcome::Met, several.then(|| format!("at worst `{name}`"))),
        _ => {
            let why = lacks.first().cloned().unwrap_or_else(|| "no sidecar tells it".to_owned());
            judged(Outcome::Inconclusive, Some(why))
        }
    }
}

fn untold(service: &Service, watched: &Watched) -> String {
    let nothing = || format!("the sidecar `{}` does not tell `{}`", service.name, watched.figure.name);
    service.lie().unwrap_or_else(nothing)
}

/// The figure of a time: that of its worst window, or of all of it.
fn worst_of(track: &Track, target: &Target, judged: &Range<f64>) -> Option<f64> {
    let take = |over: &Range<f64>| match track.figure.take {
        Take::Mean => track.mean(over),
        Take::Highest => track.most(over),
    };
    let Some(length) =
        target.over.as_ref().map(Duration::as_secs_f64).filter(|length| *length < judged.end - judged.start)
    else {
        return take(judged);
    };
    let mut from = judged.start;
    let mut worst: Option<f64> = None;
    while from + length <= judged.end {
        if let Some(figure) = take(&(from..from + length)) {
            worst = Some(worst.map_or(figure, |worst| worse(target, worst, figure)));
        }
        from += 1.0;
    }
    worst
}

/// The one of two figures that is farther from what is asked.
fn worse(target: &Target, a: f64, b: f64) -> f64 {
    // A target that asks for less is missed by more.
    if target.op.holds(0.0, 1.0) { a.max(b) } else { a.min(b) }
}

#[cfg(test)]
mod tests {
    use super::super::judge::tests::target;
    use super::*;
    use crate::sidecars::{Gap, find};

    fn service(name: &str, figure: &str, course: impl Fn(f64) -> f64) -> Service {
        let mut service = Service::new(name);
        let looks = (-10..60).map(|at| (f64::from(at), course(f64::from(at))));
        service.tracks.push(Track::of(find(figure).expect("a row"), looks));
        service
    }

    fn judged(text: &str, services: &[Service]) -> String {
        let mut target = target(text, &[]);
        let figure = super::super::parse(text).expect("a target").figure.expect("a figure");
        let named = target.subject.name.take();
        let all = services.iter().map(|service| service.name.clone()).collect();
        let names = named.map_or(all, |name| vec![name]);
        target.figure = Some(Watched { figure, services: names, each: figure.everywhere });
        let evidence = Evidence { services: services.to_vec() };
        let judged = judge_sidecars(&target, &evidence, std::slice::from_ref(&(0.0..50.0))).expect("a figure");
        let why = judged.why.clone().map_or(String::new(), |why| format!(": {why}"));
        format!("{} {}{why}", judged.outcome.as_str(), judged.said().unwrap_or_default())
    }

    #[test]
    fn a_figure_is_met_missed_or_inconclusive() {
        let backend = || service("backend", "cpu", |at| if (20.0..40.0).contains(&at) { 0.95 } else { 0.2 });
        insta::assert_snapshot!(judged("backend.cpu < 70%", &[backend()]), @"met 50 %");
        insta::assert_snapshot!(judged("backend.cpu < 70% over 10s", &[backend()]), @"missed 95 %");
        insta::assert_snapshot!(judged("backend.memory < 70%", &[backend()]), @"inconclusive : the sidecar `backend` does not tell `memory`");
        insta::assert_snapshot!(judged("db.cpu < 70%", &[backend()]), @"inconclusive : `db` was not asked");
        let db = service("db", "connections_used", |at| if at as i32 == 30 { 0.9 } else { 0.1 });
        insta::assert_snapshot!(judged("db.connections_used < 80%", &[db]), @"missed 90 %");
    }

    #[test]
    fn without_a_service_the_worst_of_all_counts() {
        let (one, two) = (service("one", "memory", |_| 0.3), service("two", "memory", |_| 0.6));
        insta::assert_snapshot!(judged("memory < 80%", &[one.clone(), two.clone()]), @"met 60 %: at worst `two`");
        insta::assert_snapshot!(judged("memory < 50%", &[one.clone(), two]), @"missed 60 %: `two`");
        let blind = service("blind", "cpu", |_| 0.1);
        insta::assert_snapshot!(judged("memory < 80%", &[one.clone(), blind.clone()]), @"inconclusive 30 %: the sidecar `blind` does not tell `memory`");
        let db = service("db", "query", |_| 5e5);
        insta::assert_snapshot!(judged("query < 1s", &[db, blind]), @"met 500ms: at worst `db`");
    }

    #[test]
    fn silence_is_never_met_and_never_hides_a_miss() {
        let mut silent = service("backend", "cpu", |_| 0.2);
        silent.gaps.push(Gap { from: 10.0, until: 45.0, why: "connection refused".to_owned() });
        insta::assert_snapshot!(judged("backend.cpu < 70%", &[silent.clone()]), @"inconclusive 20 %: the sidecar `backend` was silent for 36 s of 50 s: connection refused");
        insta::assert_snapshot!(judged("backend.cpu < 10%", &[silent]), @"missed 20 %");
        let mut never = Service::new("backend");
        never.gaps.push(Gap { from: -10.0, until: 60.0, why: "connection refused".to_owned() });
        insta::assert_snapshot!(judged("memory < 80%", &[never]), @"inconclusive : the sidecar `backend` was silent for 50 s of 50 s: connection refused");
        let mut liar = Service::new("backend");
        liar.nonsense = Some("`cpu` is -3, which cannot be".to_owned());
        insta::assert_snapshot!(judged("backend.cpu < 70%", &[liar]), @"inconclusive : the sidecar `backend` cannot be believed: `cpu` is -3, which cannot be");
    }
}
