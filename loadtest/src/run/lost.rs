//! Ends a run early that is a lost cause: a target with `abort_after` that is missed at every look for so long. Judges with the judge
//! of the report, off the users' threads. What must stay true: nothing ends a run during a stage that is not judged.

use super::shape;
use crate::engine::{Control, Reason};
use crate::limits::LOST_LOOK;
use crate::plan::{Load, Plan};
use crate::report;
use crate::sidecars::{Evidence, Watch};
use crate::targets::{Ending, Span, Target};
use crate::units::Readable;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// What may end a run early.
pub(super) struct Lost {
    wanted: Arc<Wanted>,
    ending: OnceLock<Ending>,
}

/// The targets that end the run, each after how long, and the stages that they are about.
struct Wanted {
    targets: Vec<(Target, Duration)>,
    load: Load,
}

impl Lost {
    /// Of a plan.
    pub(super) fn new(plan: &Plan) -> Self {
        let own = |target: &Target| Some((target.clone(), target.abort_after?));
        let targets = plan.targets.iter().filter_map(|target| own(&target.value)).collect();
        Self { wanted: Arc::new(Wanted { targets, load: plan.load.clone() }), ending: OnceLock::new() }
    }

    /// How it ended the run, if it did.
    pub(super) fn ending(&self) -> Option<Ending> {
        self.ending.get().cloned()
    }

    /// Looks until it is dropped with the run, which it ends early if it must.
    pub(super) async fn watch<T>(&self, control: &Control, sidecars: &Watch) -> T {
        let mut since = vec![None; self.wanted.targets.len()];
        while !self.wanted.targets.is_empty() {
            tokio::time::sleep(LOST_LOOK).await;
            let (wanted, control, evidence) =
                (Arc::clone(&self.wanted), control.clone(), sidecars.evidence(control.began()));
            let looked = {
                let control = control.clone();
                tokio::task::spawn_blocking(move || wanted.look(&control, &evidence)).await
            };
            // A look that panicked has seen nothing.
            let Ok(Some((now, missed))) = looked else { continue };
            if let Some(ending) = self.wanted.step(&mut since, &missed, now) {
                let _ = self.ending.set(ending);
                control.stop(Reason::Lost);
                break;
            }
        }
        std::future::pending().await
    }
}

impl Wanted {
    /// When it looked, and which targets are missed; none during a stage that is not judged.
    fn look(&self, control: &Control, evidence: &Evidence) -> Option<(Duration, Vec<bool>)> {
        let summary = control.summary();
        let spans = report::spans(&shape::stages(&self.load, summary.elapsed));
        if !in_judged_stage(&spans) {
            return None;
        }
        let missed = |(target, after): &(Target, Duration)| {
            report::missed_so_far(target, (&summary, evidence), &spans, *after + LOST_LOOK)
        };
        Some((summary.elapsed, self.targets.iter().map(missed).collect()))
    }

    /// Takes a look; how the run ends, when a target has now been missed for long enough.
    fn step(&self, since: &mut [Option<Duration>], missed: &[bool], now: Duration) -> Option<Ending> {
        let mut lost = None;
        for (((target, after), since), missed) in self.targets.iter().zip(since).zip(missed) {
            *since = missed.then(|| since.unwrap_or(now));
            let long = since.is_some_and(|since| now.saturating_sub(since) >= *after);
            lost = lost.or(long.then_some((target, after)));
        }
        lost.map(|(target, after)| {
            let (now, after) = (Readable(Duration::from_secs(now.as_secs())), Readable(*after));
            Ending::Aborted(format!(
                "the run was ended after {now}, when `{}` had been missed for {after}",
                target.text
            ))
        })
    }
}

/// Whether the stage that the run is in, the last one that has begun, is judged.
fn in_judged_stage(spans: &[Span]) -> bool {
    spans.iter().rfind(|span| span.until > span.from).is_some_and(|span| span.judged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Flags, build};

    fn wanted(after: &str) -> Wanted {
        let flags = Flags {
            target: Some("http://127.0.0.1".into()),
            require: vec!["p95 < 1s".into(), "errors < 5%".into()],
            abort_after: Some(after.into()),
            ..Flags::default()
        };
        let lost = Lost::new(&build(&flags, &|_| None).expect("a plan"));
        Arc::into_inner(lost.wanted).expect("the only one")
    }

    /// Looks, one a second, at which targets are missed; how it ended.
    fn looks(wanted: &Wanted, looks: &[[bool; 2]]) -> Option<String> {
        let mut since = vec![None; 2];
        let mut ended = (0..).zip(looks).filter_map(|(second, missed)| {
            match wanted.step(&mut since, missed, Duration::from_secs(20 + second))? {
                Ending::Aborted(why) => Some(why),
                other => panic!("{other:?}"),
            }
        });
        ended.next()
    }

    #[test]
    fn a_target_must_be_missed_at_every_look_for_so_long() {
        let (no, slow, broken) = ([false, false], [true, false], [false, true]);
        let three = wanted("3s");
        assert_eq!(looks(&three, &[slow, slow, slow, no, slow, slow, slow]), None);
        assert_eq!(looks(&three, &[slow, slow, broken, broken, slow, slow]), None, "two that take turns");
        insta::assert_snapshot!(looks(&three, &[no, broken, broken, broken, broken]).expect("it ends"), @"the run was ended after 24s, when `errors < 5%` had been missed for 3s");
        assert_eq!(wanted("never").targets.len(), 0);
    }

    #[test]
    fn a_stage_that_is_not_judged_ends_nothing() {
        let spans = |seconds: u64| {
            let stage = |name: &str, from: u64, until: u64, judged| Span {
                name: name.to_owned(),
                from: Duration::from_secs(from.min(seconds)),
                until: Duration::from_secs(until.min(seconds)),
                judged,
            };
            [stage("warm-up", 0, 10, false), stage("load", 10, 30, true), stage("cool-down", 30, 40, false)]
        };
        assert_eq!(
            [0, 9, 10, 11, 30, 31].map(|at| in_judged_stage(&spans(at))),
            [false, false, false, true, true, false]
        );
    }
}
