//! Guards a release: looks at the last minute of a gentle load every few seconds, tells each change of state, and ends the run as
//! soon as something speaks for taking the release back. What it sees of a minute is pure.

use super::tell;
use crate::baseline::Baseline;
use crate::engine::{Control, Reason};
use crate::limits::{WATCH_LOOK, WATCH_WINDOW};
use crate::measure::{Generator, Row};
use crate::plan::Plan;
use crate::targets::{self, Outcome, Target, Trigger};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What a run is guarded by.
pub(super) struct Guard<'a> {
    targets: Vec<&'a Target>,
    baseline: Option<&'a Baseline>,
    found: Mutex<Vec<Trigger>>,
}

/// How a release does.
#[derive(Clone, Debug, PartialEq)]
enum State {
    /// Nothing was measured yet.
    Unknown,
    /// Nothing speaks against it.
    Good,
    /// Targets are missed in the last minute; their texts.
    Worse(Vec<String>),
    /// Something speaks for taking it back.
    RollBack(Vec<Trigger>),
}

impl<'a> Guard<'a> {
    /// By the plan's targets, the triggers, and a baseline where there is one.
    pub(super) fn new(plan: &'a Plan, baseline: Option<&'a Baseline>) -> Self {
        Self { targets: plan.targets.iter().map(|target| &target.value).collect(), baseline, found: Mutex::default() }
    }

    /// What it ended the run for.
    pub(super) fn found(&self) -> Vec<Trigger> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Watches until it is dropped with the run, which it ends early if it must.
    pub(super) async fn watch<T>(&self, control: &Control) -> T {
        let mut state = State::Unknown;
        loop {
            tokio::time::sleep(WATCH_LOOK).await;
            let (now, ..) = control.now();
            let summary = control.summary();
            let rows = summary.timeline.rows(now.saturating_sub(WATCH_WINDOW), now);
            let rows: Vec<&Row> = rows.iter().collect();
            let next = self.look(&rows, summary.generator);
            if next != state && next != State::Unknown {
                tell(&said(&next, now, &rows));
            }
            state = next;
            if let State::RollBack(triggers) = &state {
                self.found.lock().unwrap_or_else(PoisonError::into_inner).clone_from(triggers);
                control.stop(Reason::RollBack);
                return std::future::pending().await;
            }
        }
    }

    /// The state in which these measurements show the release.
    fn look(&self, rows: &[&Row], generator: Generator) -> State {
        let mut triggers = targets::triggers(rows);
        if let Some(baseline) = self.baseline {
            triggers.extend(baseline.against(&baseline.stage, rows, generator).triggers());
        }
        if !triggers.is_empty() {
            return State::RollBack(triggers);
        }
        if rows.iter().all(|row| row.count == 0) {
            return State::Unknown;
        }
        let judged = self.targets.iter().map(|target| targets::judge(target, rows, generator));
        let missed: Vec<String> =
            judged.filter(|judged| judged.outcome == Outcome::Missed).map(|judged| judged.target.text).collect();
        if missed.is_empty() { State::Good } else { State::Worse(missed) }
    }
}

fn said(state: &State, now: Duration, rows: &[&Row]) -> String {
    let (seconds, count) = (now.as_secs(), rows.iter().map(|row| row.count).sum::<u64>());
    let at = format!("{:02}:{:02}", seconds / 60, seconds % 60);
    let n = format!("(n = {count} in the last minute)");
    match state {
        State::Unknown => format!("{at} nothing is measured"),
        State::Good => format!("{at} good: nothing speaks for a rollback {n}"),
        State::Worse(targets) => format!("{at} worse: `{}` is missed {n}", targets.join("`, `")),
        State::RollBack(triggers) => {
            let said: Vec<&str> = triggers.iter().map(|trigger| trigger.said.as_str()).collect();
            format!("{at} roll back: {}", said.join("; "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Failure;
    use crate::plan::{Flags, build};
    use crate::targets::test_row;

    fn seen(rows: &[Row]) -> String {
        let flags =
            Flags { target: Some("http://127.0.0.1".into()), require: vec!["p50 < 1s".into()], ..Flags::default() };
        let plan = build(&flags, &|_| None).expect("a plan");
        let rows: Vec<&Row> = rows.iter().collect();
        let state = Guard::new(&plan, None).look(&rows, Generator::default());
        said(&state, Duration::from_secs(65), &rows)
    }

    #[test]
    fn a_minute_is_good_worse_or_enough() {
        assert_eq!(seen(&[]), "01:05 nothing is measured");
        assert_eq!(
            seen(&[test_row("GET /", &[(3, 40)], 0)]),
            "01:05 good: nothing speaks for a rollback (n = 40 in the last minute)"
        );
        assert_eq!(
            seen(&[test_row("GET /", &[(3000, 40)], 0)]),
            "01:05 worse: `p50 < 1s` is missed (n = 40 in the last minute)"
        );
        let mut broken = test_row("GET /", &[(3, 40)], 0);
        broken.errors_by = [(Failure::Data, 1), (Failure::Status, 30)].into();
        assert_eq!(
            seen(&[broken]),
            "01:05 roll back: data read back is wrong: `GET /` 1 of 40 times; 77.5 % of the requests failed (n = 40); the limit is 25 %"
        );
    }
}
