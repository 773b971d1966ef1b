//! The judge: one target against what was measured, with three outcomes. Pure.
//! What must stay true: no data is never met, and a generator that was the bottleneck proves nothing but errors.

use super::tally::to_f64;
use super::{Expression, Indicator, Names, Op, RECOVERY, Subject, Tally};
use crate::limits;
use crate::measure::{Generator, Row};
use crate::problem::Problem;
use crate::sidecars::Figure;
use crate::units::{Readable, short};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A checked target.
#[derive(Clone, Debug)]
pub struct Target {
    /// As written.
    pub text: String,
    /// The requests that it is about.
    pub subject: Subject,
    /// What is measured; [`super::OF_SIDECAR`] for a figure.
    pub indicator: &'static Indicator,
    /// The comparison.
    pub op: Op,
    /// The limit in its unit.
    pub limit: f64,
    /// The stage that it is about, or after which a recovery is timed; none for all judged stages.
    pub stage: Option<String>,
    /// The sidecars' figure that it is about, if it is.
    pub figure: Option<Watched>,
    /// For how long it must have been missed to end the run; none where a miss does not.
    pub abort_after: Option<Duration>,
    /// The length of the windows of which the worst counts; none for the whole judged time.
    pub over: Option<Duration>,
}

/// A figure of one service, or of all.
#[derive(Clone, Debug, PartialEq)]
pub struct Watched {
    /// Which figure.
    pub figure: &'static Figure,
    /// Services that have a sidecar and are meant.
    pub services: Vec<String>,
    /// Each of them must tell it; otherwise it counts for those that do.
    pub each: bool,
}

impl Target {
    /// A target as read, with whom it means.
    ///
    /// # Errors
    /// When nothing, or no sidecar, has its name.
    pub fn new(text: &str, read: Expression, names: &Names, sidecars: &[&str]) -> Result<Self, Problem> {
        let Expression { name, indicator, op, limit, over, stage, .. } = read;
        let figure =
            read.figure.map(|figure| super::sidecar::watched(figure, name.as_deref(), sidecars)).transpose()?;
        let subject = match figure {
            Some(_) => Subject { name, members: Vec::new() },
            None => names.subject(name.as_deref())?,
        };
        Ok(Self { text: text.trim().to_owned(), subject, indicator, op, limit, stage, figure, abort_after: None, over })
    }

    /// What its figure and its limit are measured in.
    #[must_use]
    pub fn unit(&self) -> super::Unit {
        self.figure.as_ref().map_or(self.indicator.unit, |watched| watched.figure.unit)
    }

    /// Whether it is about the time after a stage.
    #[must_use]
    pub fn is_recovery(&self) -> bool {
        self.indicator.name == RECOVERY.name
    }
}

/// How a target came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The figure is as asked, and there was enough of it.
    Met,
    /// Nobody can say.
    Inconclusive,
    /// The figure is not as asked.
    Missed,
}

/// A target with its outcome.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The target.
    pub target: Target,
    /// How it came out.
    pub outcome: Outcome,
    /// The figure, when there is one.
    pub got: Option<f64>,
    /// Requests behind the figure.
    pub count: u64,
    /// Why, where the outcome does not speak for itself.
    pub why: Option<String>,
    /// On a miss: the request with the largest part in it, and its share of it (0 to 1).
    pub blame: Option<(String, f64)>,
}

impl Outcome {
    /// The word for reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Inconclusive => "inconclusive",
            Self::Missed => "missed",
        }
    }
}

impl Judged {
    /// The figure for people.
    #[must_use]
    pub fn said(&self) -> Option<String> {
        self.got.map(|figure| self.target.unit().say(figure))
    }
}

/// Judges a target over the rows of the judged stage.
#[must_use]
pub fn judge(target: &Target, rows: &[&Row], generator: Generator) -> Judged {
    let own: Vec<&Row> = rows.iter().copied().filter(|row| target.subject.members.contains(&row.name)).collect();
    let Some(tally) = Tally::of(own.iter().copied()) else {
        let why = Some("no request was finished".to_owned());
        return Judged {
            target: target.clone(),
            outcome: Outcome::Inconclusive,
            got: None,
            count: 0,
            why,
            blame: None,
        };
    };
    let got = (target.indicator.read)(&tally);
    let (outcome, why) = decide(target, &tally, got, generator);
    let blame = (outcome == Outcome::Missed).then(|| blame(target, &own)).flatten();
    Judged { target: target.clone(), outcome, got: Some(got), count: tally.count, why, blame }
}

fn decide(target: &Target, tally: &Tally, got: f64, generator: Generator) -> (Outcome, Option<String>) {
    let (indicator, holds) = (target.indicator, target.op.holds(got, target.limit));
    if !holds && indicator.miss_is_fact {
        return (Outcome::Missed, None);
    }
    if generator.saturated {
        let why = "the load generator was the bottleneck, so the figure says more of it than of the target";
        return (Outcome::Inconclusive, Some(why.to_owned()));
    }
    let needs = (indicator.needs)(target.limit, target.op);
    if tally.count < needs {
        let why = format!("{} cannot carry it, it takes {needs}", requests(tally.count));
        return (Outcome::Inconclusive, Some(why));
    }
    if !holds {
        return within_lateness(target, got, generator)
            .map_or((Outcome::Missed, None), |why| (Outcome::Inconclusive, Some(why)));
    }
    // A fast refusal is no fast answer.
    if tally.errors() == tally.count && indicator.name != "errors" {
        return (Outcome::Inconclusive, Some("no request succeeded".to_owned()));
    }
    (Outcome::Met, None)
}

/// A generator that is late makes a latency look longer than it is, never shorter: what is met stays met, and a miss by less than
/// the lateness at the same percentile may be the generator's own. (The lateness of few timers excuses few requests: taking the
/// 99th percentile for a median would excuse too much.)
fn within_lateness(target: &Target, got: f64, generator: Generator) -> Option<String> {
    let late = Duration::from_micros((target.indicator.late)(&generator.late));
    let bar = late * limits::LATE_TIMES;
    let excused = !late.is_zero() && target.op.holds(got - bar.as_secs_f64() * 1e6, target.limit);
    excused.then(|| {
        format!(
            "the load generator's own timers fired {} late at the same percentile; twice that is more than the figure is over the limit",
            Readable(late)
        )
    })
}

fn requests(count: u64) -> String {
    if count == 1 { "1 request".to_owned() } else { format!("{count} requests") }
}

/// The request that contributes most to a miss: most errors, most requests beyond the limit, or, where something is too
/// rare, most of the time waited.
fn blame(target: &Target, rows: &[&Row]) -> Option<(String, f64)> {
    let part = |tally: &Tally| match target.unit() {
        super::Unit::Share | super::Unit::Count => to_f64(tally.errors()),
        super::Unit::Time => to_f64(tally.slower_than(target.limit)),
        super::Unit::Rate => tally.waited().as_secs_f64(),
    };
    let parts: Vec<(&str, f64)> = target
        .subject
        .members
        .iter()
        .filter_map(|name| {
            let tally = Tally::of(rows.iter().copied().filter(|row| row.name == *name))?;
            Some((name.as_str(), part(&tally)))
        })
        .collect();
    let whole: f64 = parts.iter().map(|(_, part)| part).sum();
    let (name, most) = parts.into_iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
    (whole > 0.0 && most > 0.0).then(|| (name.to_owned(), most / whole))
}

/// Says a share in whole percent.
pub(super) fn percent(share: f64) -> String {
    format!("{} %", short((share * 100.0).round()))
}

#[cfg(test)]
#[path = "judge_tests.rs"]
pub(crate) mod tests;
