//! When a cause begins, changes and ends; at explicit times, through the state.

use super::*;
use crate::snapshot::LastRun;
use crate::state::{Event, State};
use std::time::{Duration, SystemTime};

struct Life(State);

impl Life {
    fn new(facts: CheckFacts) -> Self {
        Self(State::new(time(0), vec![Arc::new(facts)], &[]))
    }

    /// One run at this second; what is named afterwards: name and second of its beginning, `~` while recovering.
    fn run(&mut self, second: u64, fault: Option<Fault>) -> String {
        self.outcome(second, Outcome { fault, ..Outcome::default() })
    }

    fn outcome(&mut self, second: u64, outcome: Outcome) -> String {
        self.0.apply(Event::Ran { check: 0, at: time(second), outcome });
        let since = |at: SystemTime| at.duration_since(time(0)).unwrap_or_default().as_secs();
        let told = |cause: &Cause| {
            format!("{}{}@{}", if cause.recovering { "~" } else { "" }, cause.kind.name, since(cause.since))
        };
        self.0.snapshot(time(second)).causes.iter().map(told).collect::<Vec<_>>().join(" ")
    }
}

fn db() -> CheckFacts {
    CheckFacts {
        interval: Duration::from_secs(1),
        ..facts_of("db", "postgres", "postgres://db:5432/app", Role::Observe)
    }
}

fn is(reason: Reason, detail: Detail) -> Option<Fault> {
    Some(Fault::new(reason, "seen").exactly(detail))
}

fn gone() -> Option<Fault> {
    is(Reason::Refused, Detail::NothingListens(address()))
}

#[test]
fn one_lost_answer_names_nothing_and_the_second_names_it_since_the_first() {
    let mut life = Life::new(db());
    assert_eq!(life.run(1, None), "");
    assert_eq!(life.run(2, gone()), "");
    assert_eq!(life.run(3, None), "");
    assert_eq!(life.run(4, gone()), "");
    assert_eq!(life.run(5, gone()), "not_listening@4");
    assert_eq!(life.run(6, gone()), "not_listening@4");
}

#[test]
fn what_no_accident_makes_is_named_at_once() {
    let mut life = Life::new(db());
    assert_eq!(life.run(1, None), "");
    assert_eq!(life.run(2, is(Reason::Auth, Detail::LoginRefused)), "authentication_refused@2");
    assert_eq!(life.run(3, None), "", "the check was never down");
}

#[test]
fn a_first_success_is_no_recovery_yet() {
    let mut life = Life::new(db());
    life.run(1, None);
    for second in 2..6 {
        life.run(second, gone());
    }
    assert_eq!(life.run(6, None), "~not_listening@2");
    assert_eq!(life.run(7, gone()), "not_listening@2", "and it keeps its beginning");
    assert_eq!(life.run(8, None), "~not_listening@2");
    assert_eq!(life.run(9, None), "");
}

#[test]
fn another_fault_is_another_cause_and_a_dependency_that_never_came_is_awaited() {
    let mut life = Life::new(db());
    assert_eq!(life.run(1, gone()), "");
    assert_eq!(life.run(2, gone()), "dependency_not_ready@1");
    assert_eq!(life.run(3, is(Reason::Schema, Detail::DatabaseMissing)), "database_missing@1");
    assert_eq!(life.run(4, None), "~database_missing@1");
    assert_eq!(life.run(5, None), "");
}

#[test]
fn the_peer_itself_is_not_awaited_and_a_part_has_to_be_called_unhealthy_twice() {
    let mut life = Life::new(CheckFacts { peer: true, ..db() });
    life.run(1, gone());
    assert_eq!(life.run(2, gone()), "not_listening@1");
    let ill = |value| Outcome { readings: vec![facts::PART_HEALTHY.with(["search"], value)], ..Outcome::default() };
    assert_eq!(life.outcome(3, ill(0.0)), "");
    assert_eq!(life.outcome(4, ill(1.0)), "");
    assert_eq!(life.outcome(5, ill(0.0)), "");
    assert_eq!(life.outcome(6, ill(0.0)), "half_started@6");
    assert_eq!(life.outcome(7, ill(1.0)), "");
}

#[test]
fn what_a_single_run_says_of_500_checks_is_looked_at_alone() {
    let views: Vec<CheckView> = (0..500).map(|_| refused()).collect();
    let snapshot = picture(views);
    let mut watch = Watch::default();
    for (index, check) in snapshot.checks.iter().enumerate() {
        watch.ran(index, check, time(600));
    }
    assert_eq!(watch.all(&snapshot).len(), 500);
    // One check recovers: the others keep what they had without being told anew.
    let last = Some(Arc::new(LastRun { at: time(601), outcome: Outcome::default() }));
    watch.ran(7, &CheckView { last, state: CheckState::Up, ..refused() }, time(601));
    assert_eq!(watch.all(&snapshot).len(), 499);
}
