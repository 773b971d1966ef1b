//! The state, event by event.

use super::*;
use crate::metrics::sample::facts_of;
use crate::probes::Fault;
use crate::snapshot::{Health, Role};
use std::time::Duration;

fn facts(name: &str, role: Role) -> Arc<CheckFacts> {
    Arc::new(facts_of(name, "tcp", "tcp://db:5432", role))
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + seconds)
}

fn run(state: &mut State, check: usize, seconds: u64, reason: Option<Reason>) -> Option<Transition> {
    let fault = reason.map(|reason| Fault::new(reason, format!("at {seconds}")));
    state.apply(Event::Ran { check, at: at(seconds), outcome: Outcome { fault, ..Outcome::default() } })
}

fn one_check(role: Role) -> State {
    State::new(at(0), vec![facts("db", role)], &["host"])
}

#[test]
fn a_check_is_unknown_until_it_is_decided() {
    let mut state = one_check(Role::Readiness);
    assert_eq!(state.snapshot(at(1)).health(), Health::Starting);
    run(&mut state, 0, 1, Some(Reason::Refused));
    let view = &state.snapshot(at(1)).checks[0];
    assert_eq!((view.state, view.since, view.runs), (CheckState::Unknown, None, 1));
}

#[test]
fn the_first_success_decides_at_once() {
    let mut state = one_check(Role::Readiness);
    let transition = run(&mut state, 0, 1, None).expect("a transition");
    assert_eq!((transition.from, transition.to), (CheckState::Unknown, CheckState::Up));
    assert!(state.snapshot(at(1)).ready());
}

#[test]
fn goes_down_after_fail_after_failures_in_a_row_and_not_before() {
    let mut state = one_check(Role::Readiness);
    run(&mut state, 0, 0, None);
    assert_eq!(run(&mut state, 0, 10, Some(Reason::Refused)), None);
    assert_eq!(run(&mut state, 0, 20, Some(Reason::Refused)), None);
    run(&mut state, 0, 25, None);
    for seconds in [30, 40] {
        assert_eq!(run(&mut state, 0, seconds, Some(Reason::Timeout)), None, "the success began the count anew");
    }
    let transition = run(&mut state, 0, 50, Some(Reason::Timeout)).expect("a transition");
    assert_eq!((transition.to, transition.after.map(|s| s.0.as_secs())), (CheckState::Down, Some(50)));
    let snapshot = state.snapshot(at(50));
    assert_eq!(snapshot.held_back_by(), ["db"]);
    assert_eq!(snapshot.checks[0].since, Some(at(50)));
}

#[test]
fn comes_back_after_ok_after_successes_in_a_row() {
    let mut state = one_check(Role::Readiness);
    for seconds in 0..3 {
        run(&mut state, 0, seconds, Some(Reason::Refused));
    }
    assert_eq!(run(&mut state, 0, 4, None), None);
    run(&mut state, 0, 5, Some(Reason::Refused));
    assert_eq!(run(&mut state, 0, 6, None), None);
    assert_eq!(run(&mut state, 0, 7, None).map(|t| t.to), Some(CheckState::Up));
}

#[test]
fn counts_every_failure_by_reason_and_keeps_the_last_ones() {
    let mut state = one_check(Role::Observe);
    for seconds in 0..15 {
        run(&mut state, 0, seconds, Some(if seconds < 5 { Reason::Dns } else { Reason::Auth }));
    }
    let view = &state.snapshot(at(20)).checks[0];
    assert_eq!(view.failures.get(&Reason::Dns), Some(&5));
    assert_eq!(view.failures.get(&Reason::Auth), Some(&10));
    assert_eq!(view.recent_failures.len(), limits::FAILURES_KEPT);
    assert_eq!(view.recent_failures[0].fault.message, "at 5");
    assert_eq!(view.recent_failures.last().map(|f| f.fault.message.as_str()), Some("at 14"));
}

#[test]
fn an_observed_check_that_is_down_degrades_and_does_not_gate() {
    let mut state = State::new(at(0), vec![facts("api", Role::Readiness), facts("db", Role::Observe)], &[]);
    run(&mut state, 0, 1, None);
    for seconds in 1..4 {
        run(&mut state, 1, seconds, Some(Reason::Refused));
    }
    let snapshot = state.snapshot(at(5));
    assert_eq!((snapshot.health(), snapshot.ready()), (Health::Degraded, true));
}

#[test]
fn draining_is_not_ready_whatever_the_checks_say() {
    let mut state = one_check(Role::Readiness);
    run(&mut state, 0, 1, None);
    state.apply(Event::Draining);
    let snapshot = state.snapshot(at(2));
    assert!(!snapshot.ready() && snapshot.held_back_by().is_empty());
}

#[test]
fn a_snapshot_once_taken_does_not_change() {
    let mut state = one_check(Role::Readiness);
    run(&mut state, 0, 1, Some(Reason::Refused));
    let earlier = state.snapshot(at(1));
    run(&mut state, 0, 2, Some(Reason::Refused));
    let (then, now) = (&earlier.checks[0], &state.snapshot(at(2)).checks[0]);
    assert_eq!((then.failures.get(&Reason::Refused), then.recent_failures.len()), (Some(&1), 1));
    assert_eq!((now.failures.get(&Reason::Refused), now.recent_failures.len()), (Some(&2), 2));
}

#[tokio::test]
async fn what_came_together_is_published_together() {
    let (events, from) = mpsc::channel(limits::OUTCOMES_QUEUED);
    let mut state = one_check(Role::Readiness);
    let publish = watch::Sender::new(Arc::new(state.snapshot(at(0))));
    let mut published = publish.subscribe();
    for seconds in 1..=3 {
        let event = Event::Ran { check: 0, at: at(seconds), outcome: Outcome::default() };
        events.send(event).await.expect("room");
    }
    let writing = tokio::spawn(write(state, from, publish));
    published.changed().await.expect("a snapshot");
    assert_eq!(published.borrow_and_update().checks[0].runs, 3, "the first snapshot has all three");
    drop(events);
    writing.await.expect("it ends when nobody can send any more");
}

#[test]
fn an_event_of_an_unknown_check_changes_nothing() {
    let mut state = one_check(Role::Readiness);
    assert_eq!(run(&mut state, 7, 1, None), None);
    assert_eq!(state.snapshot(at(1)).checks[0].runs, 0);
}
