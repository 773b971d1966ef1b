//! The state over a reload, event by event.

use super::super::*;
use crate::metrics::sample::{facts_of, time};
use crate::probes::Fault;
use crate::reload::{Applied, By, Refusal};
use crate::snapshot::Role;

fn facts(name: &str) -> Arc<CheckFacts> {
    Arc::new(facts_of(name, "tcp", "tcp://db:5432", Role::Observe))
}

fn fail(state: &mut State, check: usize, at: u64) -> Option<Transition> {
    let fault = Some(Fault::new(Reason::Refused, "nothing listens"));
    state.apply(Event::Ran { check, at: time(at), outcome: Outcome { fault, ..Outcome::default() } })
}

fn attempt(at: u64, outcome: Result<Applied, Refusal>) -> Arc<Attempt> {
    Arc::new(Attempt { at: time(at), by: By::Signal, outcome })
}

fn reload(state: &mut State, at: u64, checks: &[(usize, &str)]) {
    let checks = checks.iter().map(|(number, name)| (*number, facts(name))).collect();
    let attempt = attempt(at, Ok(Applied::default()));
    state.apply(Event::Reloaded { attempt, checks, sources: vec![(0, "host")] });
}

/// Two checks: `a` has failed twice, `b` three times.
fn two() -> State {
    let mut state = State::new(time(0), vec![facts("a"), facts("b")], &["host"]);
    for at in 1..=3 {
        fail(&mut state, 1, at);
    }
    fail(&mut state, 0, 1);
    fail(&mut state, 0, 2);
    state.apply(Event::Collected { source: 0, at: time(2), collected: Collected::Absent("nothing".to_owned()) });
    state
}

#[test]
fn what_keeps_its_number_keeps_state_streak_and_counters_in_whatever_order() {
    let mut state = two();
    reload(&mut state, 5, &[(1, "b"), (2, "new"), (0, "a")]);
    let snapshot = state.snapshot(time(6));
    let of = |name| snapshot.check(name).expect("it is there");
    let brief = |view: &CheckView| (view.state, view.streak, view.runs, view.failures.get(&Reason::Refused).copied());
    assert_eq!(brief(of("b")), (CheckState::Down, 3, 3, Some(3)));
    assert_eq!(of("b").since, Some(time(3)));
    assert_eq!(brief(of("a")), (CheckState::Unknown, 2, 2, Some(2)));
    assert_eq!(brief(of("new")), (CheckState::Unknown, 0, 0, None));
    assert!(snapshot.sources[0].collected.is_some());
    let names: Vec<&str> = snapshot.checks.iter().map(|check| check.facts.name.as_str()).collect();
    assert_eq!(names, ["b", "new", "a"]);
    let transition = fail(&mut state, 0, 7).expect("the third failure in a row, over the reload");
    assert_eq!((transition.check, transition.to), (2, CheckState::Down));
}

#[test]
fn what_is_gone_leaves_nothing_behind_and_its_late_results_are_nobodys() {
    let mut state = two();
    reload(&mut state, 5, &[(0, "a"), (2, "b")]);
    assert_eq!(fail(&mut state, 1, 6), None, "the old `b` was still on its way");
    let view = state.snapshot(time(6)).checks.remove(1);
    assert_eq!((view.facts.name.as_str(), view.runs, view.state), ("b", 0, CheckState::Unknown));
    fail(&mut state, 2, 7);
    assert_eq!(state.snapshot(time(7)).checks[1].runs, 1);
}

#[test]
fn causes_follow_their_checks_into_the_new_order_and_go_with_them() {
    let mut state = two();
    let causes = |state: &mut State| -> Vec<(String, SystemTime)> {
        let mut all: Vec<_> = state.snapshot(time(9)).causes.iter().map(|c| (c.subject.clone(), c.since)).collect();
        all.sort();
        all
    };
    let before = causes(&mut state);
    let of = |name: &str| before.iter().filter(|(subject, _)| subject == name).cloned().collect::<Vec<_>>();
    assert!(!of("b").is_empty(), "a check that is down has a cause");
    reload(&mut state, 5, &[(2, "new"), (1, "b")]);
    assert_eq!(causes(&mut state), of("b"));
    reload(&mut state, 6, &[(2, "new")]);
    assert_eq!(causes(&mut state), []);
}

#[test]
fn a_configuration_that_changes_something_is_among_the_changes_and_the_same_one_again_is_not() {
    let mut state = two();
    reload(&mut state, 5, &[(0, "a"), (1, "b")]);
    let told = |state: &mut State| -> Vec<(What, String)> {
        let changes = state.snapshot(time(9)).changes;
        changes
            .iter()
            .filter(|change| change.subject == "agent")
            .map(|change| (change.what, change.to.clone()))
            .collect()
    };
    assert_eq!(told(&mut state), []);
    let added = Applied { added: vec!["c".to_owned()], settings: vec!["peer"], ..Applied::default() };
    let checks = vec![(0, facts("a")), (1, facts("b")), (2, facts("c"))];
    state.apply(Event::Reloaded { attempt: attempt(6, Ok(added)), checks, sources: vec![(0, "host")] });
    assert_eq!(told(&mut state), [(What::Configuration, "1 check added, settings peer".to_owned())]);
}

#[test]
fn what_was_heard_of_a_check_after_its_removal_changes_none() {
    let mut state = two();
    reload(&mut state, 5, &[(1, "b")]);
    let expected = std::net::SocketAddr::from(([127, 0, 0, 1], 5432));
    let elsewhere = Elsewhere { expected, loopback_only: true, open: Vec::new() };
    state.apply(Event::Looked { check: 0, at: time(6), elsewhere: elsewhere.clone() });
    assert!(state.snapshot(time(6)).checks[0].elsewhere.is_none());
    state.apply(Event::Looked { check: 1, at: time(6), elsewhere });
    assert!(state.snapshot(time(6)).checks[0].elsewhere.is_some());
}

#[test]
fn a_refused_configuration_changes_no_check_and_is_told() {
    let mut state = two();
    reload(&mut state, 5, &[(0, "a"), (1, "b")]);
    let refusal = Refusal { was_read: true, troubles: Vec::new() };
    state.apply(Event::Refused(attempt(8, Err(refusal))));
    let snapshot = state.snapshot(time(9));
    assert_eq!(snapshot.checks.len(), 2);
    let reloads = &snapshot.reloads;
    assert_eq!((reloads.taken, reloads.refused, reloads.in_force_since), (1, 1, time(5)));
    assert!(!reloads.last_was_taken());
    reload(&mut state, 10, &[(0, "a"), (1, "b")]);
    assert!(state.snapshot(time(10)).reloads.last_was_taken());
}
