//! The report itself; its fields are the JSON schema (REFERENCE.md has them).

use super::timeline::{self, TimelineLines};
use crate::exit::Exit;
use crate::limits::{LATE_US, LOST_RATIO};
use crate::measure::{self, Generator, Row, Summary};
use crate::plan::Plan;
use crate::redact::Redactor;
use crate::targets::{self, Culprit, Ending, Judged, Tally};
use crate::units::Readable;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// Everything said about a run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Version of this schema.
    pub version: u32,
    /// `go`, `no-go` or `inconclusive`.
    pub verdict: &'static str,
    /// Why, in one sentence.
    pub reason: String,
    /// The exit code.
    pub exit: u8,
    /// The target's URL, without a password.
    pub target: String,
    /// SHA-256 over everything that shapes the load.
    pub plan_hash: String,
    /// When the first request was sent, RFC 3339.
    pub started: String,
    /// The stages as they were planned and as long as they lasted.
    pub stages: Vec<Stage>,
    /// The stage that was judged.
    pub judged: String,
    /// One line per stage and request name.
    pub requests: Vec<Line>,
    /// All requests of the judged stage.
    pub total: Line,
    /// The targets.
    pub targets: Vec<TargetLine>,
    /// The load generator.
    pub generator: GeneratorLine,
    /// Requests that missed targets are blamed on.
    pub culprits: Vec<Culprit>,
    /// The run over time.
    pub timeline: TimelineLines,
}

/// A stage.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stage {
    /// Its name.
    pub name: String,
    /// Users at its end.
    pub users: usize,
    /// Planned arrivals per second; null where users set the pace.
    pub rate: Option<f64>,
    /// How long it lasted.
    pub seconds: f64,
}

/// Requests of one name in one stage, or all.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// The request's name; `total` for all.
    pub name: String,
    /// The stage.
    pub stage: String,
    /// Finished and given-up requests, errors included.
    pub count: u64,
    /// Errors.
    pub errors: u64,
    /// Errors by cause.
    pub errors_by: BTreeMap<&'static str, u64>,
    /// An example of what was wrong.
    pub example: Option<String>,
    /// Percentiles in microseconds, errors included; null where the requests are too few to carry it.
    pub p50_us: Option<u64>,
    /// See `p50_us`.
    pub p90_us: Option<u64>,
    /// See `p50_us`.
    pub p95_us: Option<u64>,
    /// See `p50_us`.
    pub p99_us: Option<u64>,
    /// The slowest request.
    pub max_us: Option<u64>,
    /// Requests that succeeded, per second.
    pub throughput: f64,
    /// Time that users spent waiting for these requests, all together.
    pub waited_us: u64,
    /// The histogram of latencies in microseconds: HdrHistogram V2, deflated, base64.
    pub hdr_v2: String,
}

/// A target with its outcome.
#[derive(Clone, Debug, Serialize)]
pub struct TargetLine {
    /// As written.
    pub text: String,
    /// `met`, `missed` or `inconclusive`.
    pub outcome: &'static str,
    /// The figure: microseconds, a share from 0 to 1, or per second; null without any request.
    pub got: Option<f64>,
    /// The figure for people.
    pub said: Option<String>,
    /// Requests behind it.
    pub count: u64,
    /// Why, where the outcome does not speak for itself.
    pub why: Option<String>,
    /// Where the target was set.
    pub from: String,
}

/// How the generator fared.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct GeneratorLine {
    /// Client CPU time per request.
    pub cpu_us_per_request: f64,
    /// Share of the CPU it may use that it did use.
    pub cpu_used_ratio: f64,
    /// How late its own timers fired, 99th percentile.
    pub late_p99_us: u64,
    /// Share of their time that users lost to it: by so much less than planned was offered.
    pub lost_ratio: f64,
    /// Whether it was the bottleneck.
    pub saturated: bool,
}

/// What a report says beside the measurements.
#[derive(Clone, Debug)]
pub struct Facts {
    /// When the first request was sent, RFC 3339.
    pub started: String,
    /// How the run ended.
    pub ending: Ending,
    /// The stages.
    pub stages: Vec<Stage>,
}

/// Builds the report of a run: judges, decides, adds up.
#[must_use]
pub fn build(plan: &Plan, summary: &Summary, facts: &Facts) -> Report {
    let judged_stage = judged_stage(summary, &facts.stages);
    let rows: Vec<&Row> = summary.rows.iter().filter(|row| row.stage == judged_stage).collect();
    let judged: Vec<Judged> =
        plan.targets.iter().map(|target| targets::judge(&target.value, &rows, summary.generator)).collect();
    let sign = sign_of_saturation(summary.generator);
    let verdict = targets::verdict(&judged, &facts.ending, sign.as_deref());
    let exit = Exit::of(&verdict, &facts.ending);
    let from = plan.targets.iter().map(|target| target.from.to_string());
    let clean = &plan.redactor;
    Report {
        version: 1,
        verdict: verdict.decision.as_str(),
        reason: clean.clean(&verdict.reason),
        exit: exit.0,
        target: clean.clean(plan.target.value.as_str()),
        plan_hash: plan.hash.clone(),
        started: facts.started.clone(),
        stages: facts.stages.clone(),
        judged: judged_stage.to_owned(),
        requests: summary
            .rows
            .iter()
            .filter(|row| row.count > 0)
            .map(|row| line(&row.name, &row.stage, &[row], clean))
            .collect(),
        total: line("total", judged_stage, &rows, clean),
        targets: judged.iter().zip(from).map(|(judged, from)| target_line(judged, from)).collect(),
        generator: generator(summary),
        culprits: verdict.culprits,
        timeline: timeline::lines(&summary.timeline),
    }
}

/// The last stage is judged: what comes before it is the ramp. A run that ended before has only the ramp to judge by.
fn judged_stage<'a>(summary: &'a Summary, stages: &'a [Stage]) -> &'a str {
    let has_requests = |stage: &&Stage| summary.rows.iter().any(|row| row.stage == stage.name && row.count > 0);
    let stage = stages.iter().rev().find(has_requests).or(stages.last());
    stage.map_or("load", |stage| stage.name.as_str())
}

/// What shows that the generator was the bottleneck: its CPU was used up, or its timers fired late.
fn sign_of_saturation(of: Generator) -> Option<String> {
    if !of.saturated {
        return None;
    }
    let late = Readable(Duration::from_micros(of.late.p99_us));
    Some(if of.late.p99_us > LATE_US {
        format!("its timers fired {late} late")
    } else if of.lost_ratio > LOST_RATIO {
        format!("its users came so late that {:.0} % of the load was not offered", of.lost_ratio * 100.0)
    } else {
        cpu_used(of)
    })
}

fn cpu_used(of: Generator) -> String {
    format!("it used {:.0} % of its CPU", of.cpu_used_ratio * 100.0)
}

fn generator(summary: &Summary) -> GeneratorLine {
    let of = summary.generator;
    GeneratorLine {
        cpu_us_per_request: of.cpu_us_per_request,
        cpu_used_ratio: of.cpu_used_ratio,
        late_p99_us: of.late.p99_us,
        lost_ratio: of.lost_ratio,
        saturated: of.saturated,
    }
}

fn target_line(judged: &Judged, from: String) -> TargetLine {
    TargetLine {
        text: judged.target.text.clone(),
        outcome: judged.outcome.as_str(),
        got: judged.got,
        said: judged.said(),
        count: judged.count,
        why: judged.why.clone(),
        from,
    }
}

fn line(name: &str, stage: &str, rows: &[&Row], clean: &Redactor) -> Line {
    let (name, stage) = (name.to_owned(), stage.to_owned());
    let example = rows.iter().find_map(|row| row.example.as_deref()).map(|example| clean.clean(example));
    match Tally::of(rows.iter().copied()) {
        Some(tally) => filled(name, stage, example, &tally),
        None => empty(name, stage),
    }
}

fn filled(name: String, stage: String, example: Option<String>, tally: &Tally) -> Line {
    Line {
        name,
        stage,
        count: tally.count,
        errors: tally.errors(),
        errors_by: tally.errors_by.iter().map(|(failure, count)| (failure.as_str(), *count)).collect(),
        example,
        p50_us: carried(tally, "p50"),
        p90_us: carried(tally, "p90"),
        p95_us: carried(tally, "p95"),
        p99_us: carried(tally, "p99"),
        max_us: carried(tally, "max"),
        throughput: tally.throughput(),
        waited_us: micros(tally.waited()),
        // Only counts beyond 2^63 do not fit the format.
        hdr_v2: measure::encode(&tally.latencies).unwrap_or_default(),
    }
}

fn empty(name: String, stage: String) -> Line {
    Line {
        name,
        stage,
        count: 0,
        errors: 0,
        errors_by: BTreeMap::new(),
        example: None,
        p50_us: None,
        p90_us: None,
        p95_us: None,
        p99_us: None,
        max_us: None,
        throughput: 0.0,
        waited_us: 0,
        hdr_v2: String::new(),
    }
}

/// A latency of the indicators' table, where there are enough requests: tables and targets follow the same rule.
fn carried(tally: &Tally, indicator: &str) -> Option<u64> {
    let indicator = targets::Indicator::find(indicator)?;
    let enough = tally.count >= (indicator.needs)(0.0, targets::Op::Below);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a latency is positive and far below 2^53 µs"
    )]
    enough.then(|| (indicator.read)(tally) as u64)
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
