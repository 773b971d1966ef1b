//! The verdict in words: what a person reads first. Pure.

use super::super::{health, times};
use super::reasons::words;
use crate::limits;
use crate::snapshot::{CheckState, CheckView, Health, Role, Snapshot, Stage};
use std::time::SystemTime;

/// How the page looks at it. The sign says the same as the colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Warn,
    Bad,
    Wait,
}

/// The verdict.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) tone: Tone,
    pub(super) title: String,
    pub(super) lines: Vec<String>,
}

impl Tone {
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Wait => "wait",
        }
    }

    pub(super) const fn sign(self) -> &'static str {
        match self {
            Self::Good => "✓",
            Self::Warn => "!",
            Self::Bad => "✕",
            Self::Wait => "…",
        }
    }

    pub(super) const fn of(state: CheckState) -> Self {
        match state {
            CheckState::Up => Self::Good,
            CheckState::Down => Self::Bad,
            CheckState::Unknown => Self::Wait,
        }
    }
}

/// What is to be said of a snapshot.
pub(super) fn of(snapshot: &Snapshot, now: SystemTime) -> Verdict {
    let peer = snapshot.checks.iter().find(|check| check.facts.peer).map(|check| check.facts.name.as_str());
    let service = peer.unwrap_or("the service");
    let gate = |check: &&CheckView| check.facts.role != Role::Observe;
    let down = |check: &&CheckView| check.state == CheckState::Down;
    let say = |check: &CheckView| is_down(check, now);
    let gates_down: Vec<String> = snapshot.checks.iter().filter(gate).filter(down).map(say).collect();
    let others_down: Vec<String> = snapshot.checks.iter().filter(|check| !gate(check)).filter(down).map(say).collect();
    let counted = vec![count(snapshot)];
    if snapshot.stage == Stage::Draining {
        return Verdict { tone: Tone::Wait, title: "not ready: the agent is stopping".to_owned(), lines: counted };
    }
    if snapshot.checks.is_empty() {
        let line = "nothing asks the service whether it is well, so /ready always says yes; only resources are shown"
            .to_owned();
        return Verdict { tone: Tone::Wait, title: "no checks are configured".to_owned(), lines: vec![line] };
    }
    let (tone, title, lines) = match snapshot.health() {
        Health::Unhealthy => {
            let mut all = gates_down.into_iter().chain(others_down);
            let first = all.next().unwrap_or_default();
            (Tone::Bad, format!("not ready: {first}"), all.collect())
        }
        Health::Starting => {
            (Tone::Wait, format!("not ready yet: waiting for {}", snapshot.held_back_by().join(", ")), others_down)
        }
        Health::Degraded => {
            let lines = others_down.into_iter().chain(snapshot.checks.iter().filter_map(calls_unhealthy)).collect();
            (Tone::Warn, format!("{service} is ready, but not all is well"), lines)
        }
        Health::Healthy => (Tone::Good, format!("{service} is ready"), Vec::new()),
    };
    Verdict { tone, title, lines: shortened(lines).into_iter().chain(counted).collect() }
}

/// The first of many, so that they do not take the page over: the table below has each of them.
fn shortened(mut lines: Vec<String>) -> Vec<String> {
    if lines.len() > limits::VERDICT_LINES + 1 {
        let more = lines.split_off(limits::VERDICT_LINES).len();
        lines.push(format!("and {more} more, see below"));
    }
    lines
}

fn is_down(check: &CheckView, now: SystemTime) -> String {
    let since = check.since.map_or(String::new(), |since| format!(" since {}", times::short(since, now)));
    let reason = health::reason(check).map_or(String::new(), |reason| format!(" — {}", words(reason)));
    format!("{} is down{since}{reason}", check.facts.name)
}

/// What the service behind a check says against parts of itself.
fn calls_unhealthy(check: &CheckView) -> Option<String> {
    let parts: Vec<&str> = check.calls_unhealthy().collect();
    (!parts.is_empty()).then(|| format!("{} says that its {} is unhealthy", check.facts.name, parts.join(", its ")))
}

fn count(snapshot: &Snapshot) -> String {
    let of = |state| snapshot.checks.iter().filter(|check| check.state == state).count();
    let (all, up) = (snapshot.checks.len(), of(CheckState::Up));
    match (all, of(CheckState::Unknown)) {
        (0, _) => "no checks are configured".to_owned(),
        (1, 0) if up == 1 => "its one check is up".to_owned(),
        (2, 0) if up == 2 => "both checks are up".to_owned(),
        (_, 0) if up == all => format!("all {all} checks are up"),
        (_, 0) => format!("{up} of {all} checks are up"),
        (_, unknown) => format!("{up} of {all} checks are up, {unknown} not decided yet"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::sample;

    fn said(snapshot: &Snapshot) -> String {
        let verdict = of(snapshot, sample::time(603));
        format!("{} {}: {}", verdict.tone.sign(), verdict.title, verdict.lines.join("; "))
    }

    #[test]
    fn many_failures_do_not_take_the_page_over() {
        let lines = |count: usize| shortened((0..count).map(|at| at.to_string()).collect());
        assert_eq!(lines(6), ["0", "1", "2", "3", "4", "5"]);
        assert_eq!(lines(27), ["0", "1", "2", "3", "4", "and 22 more, see below"]);
    }

    #[test]
    fn says_first_what_matters_most() {
        insta::assert_snapshot!(said(&sample::full()), @"✕ not ready: database is down since 22:23:15 — connection refused: 2 of 4 checks are up, 1 not decided yet");
        insta::assert_snapshot!(said(&sample::healthy()), @"✓ backend is ready: both checks are up");
        insta::assert_snapshot!(said(&sample::degraded()), @"! backend is ready, but not all is well: database is down since 22:23:15 — connection refused; 1 of 2 checks are up");
        insta::assert_snapshot!(said(&sample::before_the_first_run()), @"… not ready yet: waiting for backend: 0 of 1 checks are up, 1 not decided yet");
        insta::assert_snapshot!(said(&sample::part_unhealthy()), @"! backend is ready, but not all is well: backend says that its search is unhealthy; both checks are up");
        let nothing = Snapshot { checks: Vec::new().into(), ..sample::healthy() };
        insta::assert_snapshot!(said(&nothing), @"… no checks are configured: nothing asks the service whether it is well, so /ready always says yes; only resources are shown");
        let draining = Snapshot { stage: Stage::Draining, ..sample::healthy() };
        insta::assert_snapshot!(said(&draining), @"… not ready: the agent is stopping: both checks are up");
    }
}
