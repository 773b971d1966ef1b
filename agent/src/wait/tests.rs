//! The wait as a whole, on a paused clock and with probes that answer by script.

use super::*;
use crate::metrics::sample::facts_of;
use crate::probes::{Context, Fault, Probe, Reason, Run};
use crate::snapshot::Role;

/// Fails with these reasons, one a run, and then works; the last reason stands for ever when `never`.
struct Scripted {
    reasons: Vec<Reason>,
    never: bool,
}

impl Probe for Scripted {
    fn run<'a>(&'a mut self, _cx: &'a mut Context<'_>) -> Run<'a> {
        let reason = if self.never { self.reasons.first().copied() } else { self.reasons.pop() };
        Box::pin(async move { reason.map_or(Ok(()), |reason| Err(Fault::new(reason, "as scripted").hint("wait"))) })
    }
}

/// Never answers.
struct Hung;

impl Probe for Hung {
    fn run<'a>(&'a mut self, _cx: &'a mut Context<'_>) -> Run<'a> {
        Box::pin(std::future::pending())
    }
}

fn check(name: &str, probe: impl Probe + 'static) -> Check {
    let facts = facts_of(name, "tcp", &format!("tcp://{name}:1"), Role::Observe);
    Check { facts: Arc::new(facts), probe: Box::new(probe), origin: crate::config::Origin::default() }
}

fn after(name: &str, reasons: &[Reason]) -> Check {
    check(name, Scripted { reasons: reasons.to_vec(), never: false })
}

fn never(name: &str, reason: Reason) -> Check {
    check(name, Scripted { reasons: vec![reason], never: true })
}

async fn wait_for(checks: Vec<Check>, fail_fast: bool) -> Report {
    let timeout = Duration::from_secs(30);
    let wanted = Wanted { checks, timeout, longest_pause: limits::WAIT_LONGEST_PAUSE, fail_fast };
    wait(wanted, &mut Show::new(Form::Json), std::future::pending()).await
}

#[tokio::test(start_paused = true)]
async fn asks_at_once_and_all_together() {
    let report = wait_for(vec![after("a", &[]), after("b", &[])], false).await;
    assert_eq!((report.ended, report.took), (Ended::Ready, Duration::ZERO));
    assert!(report.dependencies.iter().all(|one| one.tries == 1));
}

#[tokio::test(start_paused = true)]
async fn a_late_one_is_asked_at_growing_pauses_and_the_others_once() {
    let report = wait_for(vec![after("a", &[]), after("late", &[Reason::Refused; 4])], false).await;
    assert_eq!(report.ended, Ended::Ready);
    let tries: Vec<u32> = report.dependencies.iter().map(|one| one.tries).collect();
    assert_eq!(tries, [1, 5]);
    let took = report.took.as_millis();
    assert!((1350..=1650).contains(&took), "100 + 200 + 400 + 800 ms, each by a tenth: {took}");
}

#[tokio::test(start_paused = true)]
async fn what_was_ready_long_ago_is_asked_again_at_the_end() {
    let report = wait_for(vec![after("early", &[]), after("late", &[Reason::Refused; 8])], false).await;
    assert_eq!(report.ended, Ended::Ready);
    assert_eq!(report.dependencies[0].tries, 2, "took {:?}", report.took);
}

#[tokio::test(start_paused = true)]
async fn one_that_never_comes_ends_it_at_the_deadline_with_its_reason() {
    let report = wait_for(vec![after("a", &[]), never("gone", Reason::Dns), check("hung", Hung)], false).await;
    assert_eq!(report.ended, Ended::TimedOut);
    assert!(report.took < Duration::from_millis(30_100), "{:?}", report.took);
    let reasons: Vec<_> = report.dependencies.iter().map(|one| one.fault.as_ref().map(|fault| fault.reason)).collect();
    assert_eq!(reasons, [None, Some(Reason::Dns), Some(Reason::Timeout)]);
    let text = report.text(crate::paint::Paint::OFF);
    assert!(
        text.starts_with("error: timed out after 30 s: 2 of 3 are not ready\n  gone  tcp://gone:1  dns for 30 s"),
        "{text}"
    );
    let json = report.json();
    assert_eq!((&json["ready"], &json["ended"]), (&false.into(), &"timeout".into()));
    assert_eq!(json["dependencies"][0]["state"], "ready");
    assert_eq!(json["dependencies"][1]["reason"], "dns");
    assert_eq!(json["dependencies"][1]["hint"], "wait");
}

#[tokio::test(start_paused = true)]
async fn what_needs_a_person_ends_it_early_only_when_asked_to() {
    let report = wait_for(vec![never("db", Reason::Auth), never("gone", Reason::Refused)], true).await;
    assert_eq!(report.ended, Ended::Hopeless);
    assert!(report.took < Duration::from_secs(1), "{:?}", report.took);
    let report = wait_for(vec![never("db", Reason::Auth)], false).await;
    assert_eq!(report.ended, Ended::TimedOut);
    let report = wait_for(vec![after("db", &[Reason::Auth]), after("late", &[Reason::Refused; 3])], true).await;
    assert_eq!(report.ended, Ended::Ready, "once is no verdict");
}

#[tokio::test(start_paused = true)]
async fn a_signal_ends_it_at_once() {
    let wanted = Wanted {
        checks: vec![check("hung", Hung)],
        timeout: Duration::from_secs(30),
        longest_pause: limits::WAIT_LONGEST_PAUSE,
        fail_fast: false,
    };
    let stop = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        Signal::TERM
    };
    let report = wait(wanted, &mut Show::new(Form::Json), stop).await;
    assert_eq!((report.ended, report.took.as_secs()), (Ended::Stopped(Signal::TERM), 3));
    assert!(report.text(crate::paint::Paint::OFF).contains("stopped by SIGTERM after 3 s"));
}

#[tokio::test(start_paused = true)]
async fn nothing_to_wait_for_is_ready() {
    assert_eq!(wait_for(Vec::new(), false).await.ended, Ended::Ready);
}
