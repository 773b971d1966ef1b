//! `--profile capacity`: the highest rate at which the targets hold, and what breaks first beyond it. Each step is a run of its
//! own, preflight included, long enough for every target to be judged; the report is that of the highest step that held.

use super::knee::Knee;
use super::life::Shown;
use super::{Failed, life, tell};
use crate::engine::Signals;
use crate::exit::Exit;
use crate::limits::{CAPACITY_GROWTH, CAPACITY_GROWTH_FLOOR, CAPACITY_LONGEST, CAPACITY_REST};
use crate::plan::Plan;
use crate::report::{Broken, Capacity, EndingKind, Report, Step, TimelineLines};
use crate::targets::{Decision, Outcome, short};
use crate::units::Readable;
use std::time::Duration;

/// Searches; the report of the highest step that held, with what the search found.
pub(super) async fn search(plan: &Plan, quiet: bool, signals: &mut Signals) -> Result<Report, Failed> {
    let mut found = Found { knee: Knee::new(start(plan)), steps: Vec::new(), best: None, worst: None, stopped: None };
    while let Some(rate) = found.knee.next() {
        if !found.steps.is_empty() {
            tokio::time::sleep(CAPACITY_REST).await;
        }
        let length = length(plan, rate);
        if !quiet {
            tell(&format!("capacity: {}/s for {}", short(rate), Readable(length)));
        }
        let step = Plan { load: plan.load.at(rate, length), ..plan.clone() };
        let report = life::once(&step, None, None, Shown { quiet: true, guard: None }, signals).await?;
        if !found.take(rate, report, quiet) {
            break;
        }
    }
    found.report()
}

fn start(plan: &Plan) -> f64 {
    plan.load.stages.iter().filter_map(|stage| stage.level.rate()).fold(1.0, f64::max)
}

/// Twice as long as it takes until every target has the requests that it needs, and at least what the plan says.
fn length(plan: &Plan, rate: f64) -> Duration {
    let needs = |target: &crate::targets::Target| (target.indicator.needs)(target.limit, target.op);
    let most = plan.targets.iter().map(|target| needs(&target.value)).filter(|needs| *needs < u64::MAX).max();
    let enough = Duration::try_from_secs_f64(2.0 * crate::targets::to_f64(most.unwrap_or(1)) / rate);
    let wanted = plan.load.run_time.as_ref().map_or(Duration::ZERO, |time| time.value);
    let seconds = enough.unwrap_or(CAPACITY_LONGEST).max(wanted).min(CAPACITY_LONGEST.max(wanted)).as_secs_f64();
    Duration::from_secs_f64(seconds.ceil())
}

/// What a search has found so far.
struct Found {
    knee: Knee,
    steps: Vec<Step>,
    /// The report of the highest step that held.
    best: Option<Report>,
    /// The lowest step that broke: why, and its report.
    worst: Option<(Broken, Report)>,
    /// Why it ended before the knee was known, and the step in which it did.
    stopped: Option<(String, Report)>,
}

impl Found {
    /// Takes a step; whether the search goes on.
    fn take(&mut self, rate: f64, report: Report, quiet: bool) -> bool {
        let broken = broken(rate, &report);
        let stopped = report.ending.kind == EndingKind::Signal;
        let outcome = match (&broken, report.verdict) {
            _ if stopped => Outcome::Inconclusive,
            (Some(_), _) => Outcome::Missed,
            (None, Decision::Inconclusive) => Outcome::Inconclusive,
            (None, _) => Outcome::Met,
        };
        let why = broken.as_ref().map_or_else(|| report.reason.clone(), |broken| broken.why.clone());
        self.steps.push(Step::of(rate, outcome, &why, &report.total));
        if !quiet {
            tell(&format!("  {}: {why}", said(outcome)));
        }
        match (outcome, broken) {
            (Outcome::Inconclusive, _) => {
                self.stopped = Some((why, report));
                return false;
            }
            (_, Some(broken)) => {
                self.knee.tell(rate, false);
                let dead = report.ending.kind == EndingKind::GivenUp;
                if self.worst.as_ref().is_none_or(|(worst, _)| rate < worst.rate) {
                    self.worst = Some((broken, report));
                }
                // Nothing is learnt from a target that is gone.
                return !dead;
            }
            (_, None) => {
                self.knee.tell(rate, true);
                if self.knee.held == Some(rate) {
                    self.best = Some(report);
                }
            }
        }
        true
    }

    fn report(self) -> Result<Report, Failed> {
        let (held, signal) =
            (self.knee.held, self.stopped.as_ref().map(|(_, report)| report.exit).filter(|exit| *exit > 128));
        let broken = self.worst.as_ref().map(|(broken, _)| broken.clone());
        let (decision, reason) = match (held, &broken, &self.stopped) {
            (_, _, Some((why, _))) => (Decision::Inconclusive, format!("{}: {why}", so_far(held))),
            (Some(held), Some(broken), None) => {
                (Decision::Go, format!("the capacity is {}/s: at {}/s {}", short(held), short(broken.rate), broken.why))
            }
            (Some(held), None, None) => {
                (Decision::Inconclusive, format!("the capacity is above {}/s: nothing broke", short(held)))
            }
            (None, Some(broken), None) => {
                (Decision::NoGo, format!("there is no capacity: even at {}/s {}", short(broken.rate), broken.why))
            }
            (None, None, None) => (Decision::Inconclusive, "no step was run".to_owned()),
        };
        let beyond = self.worst.as_ref().map(|(_, report)| report.findings.clone());
        let shown = self.best.or(self.worst.map(|(_, report)| report)).or(self.stopped.map(|(_, report)| report));
        let mut report = shown.ok_or_else(|| Failed::Start("no step was run".to_owned()))?;
        // What broke is told of the step that broke.
        report.findings = beyond.unwrap_or_default();
        report.capacity = Some(Capacity { rate: held, broken, steps: self.steps });
        report.verdict = decision;
        report.reason = reason;
        report.exit = signal.unwrap_or(Exit::judged(decision, false).0);
        report.rollback.clear();
        Ok(report)
    }
}

fn said(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Met => "holds",
        Outcome::Missed => "breaks",
        Outcome::Inconclusive => "inconclusive",
    }
}

fn so_far(held: Option<f64>) -> String {
    held.map_or("no rate held".to_owned(), |held| format!("{}/s held, and the search ended beyond it", short(held)))
}

/// Why a step does not hold: a target, a target system that died, or more and more requests in flight, which would break the
/// latencies if only it went on.
fn broken(rate: f64, report: &Report) -> Option<Broken> {
    let bottleneck = report.findings.first().map(|finding| finding.sentence.clone());
    if report.verdict == Decision::NoGo {
        let missed = report.targets.iter().find(|target| target.outcome == Outcome::Missed);
        let target = missed.map(|target| target.text.clone());
        return Some(Broken { rate, target, why: report.reason.clone(), bottleneck });
    }
    let grew = growth(&report.timeline, report.stages.iter().find(|stage| stage.judged)?.seconds)?;
    (report.verdict == Decision::Go).then_some(Broken { rate, target: None, why: grew, bottleneck })
}

/// Whether what is in flight or waits grew through the second half of the step, which lasted so long: then less was served than
/// came.
fn growth(timeline: &TimelineLines, seconds: f64) -> Option<String> {
    let slots = &timeline.slots;
    let end = slots.last().map(|slot| crate::targets::to_f64(slot.from) + slot.seconds)?;
    // The last slot is cut short, and the last requests have ended in it.
    let at = |moment: f64| slots.iter().rev().find(|slot| crate::targets::to_f64(slot.from) + slot.seconds <= moment);
    let (middle, last) = (at(end - seconds / 2.0)?, at(end - 1.0)?);
    let open = |slot: &crate::report::SlotLine| {
        crate::targets::to_f64(u64::try_from(slot.in_flight + slot.waiting).unwrap_or(0))
    };
    let grown = open(last) - open(middle);
    let came: f64 = slots
        .iter()
        .filter(|slot| slot.from > middle.from && slot.from <= last.from)
        .filter_map(|slot| Some(slot.offered? * slot.seconds))
        .sum();
    (grown > (came * CAPACITY_GROWTH).max(CAPACITY_GROWTH_FLOOR)).then(|| {
        let time = Readable(Duration::from_secs(last.from - middle.from));
        format!(
            "what is in flight or waits grew from {} to {} in {time}: it serves less than comes",
            open(middle),
            open(last)
        )
    })
}

#[cfg(test)]
#[path = "capacity_tests.rs"]
mod tests;
