//! From what was measured and judged to the report: adds up, judges, decides. Pure.

use super::{EndingLine, GeneratorLine, Line, Report, Stage, TargetLine};
use super::{judging, timeline, why};
use crate::baseline::{Baseline, Comparison};
use crate::exit::Exit;
use crate::limits::{LATE_US, LOST_RATIO};
use crate::measure::{self, Generator, Row, Summary};
use crate::plan::Plan;
use crate::redact::Redactor;
use crate::sidecars::Evidence;
use crate::targets::{self, Decision, Ending, Judged, Kind, Names, Span, Tally, Target, Trigger, Verdict};
use crate::units::{Readable, micros};
use std::collections::BTreeMap;
use std::time::Duration;

/// What a report says beside the measurements.
#[derive(Clone, Debug)]
pub struct Facts {
    /// When the first request was sent, RFC 3339.
    pub started: String,
    /// How the run ended.
    pub ending: Ending,
    /// The stages.
    pub stages: Vec<Stage>,
    /// What the sidecars told.
    pub evidence: Evidence,
}

/// What a run was about: all that a report needs of a plan.
#[derive(Clone, Debug)]
pub struct About<'a> {
    /// The target's URL; it may hold secrets.
    pub target: &'a str,
    /// The plan's fingerprint.
    pub plan_hash: &'a str,
    /// The targets, each with where it was set.
    pub targets: Vec<(&'a Target, String)>,
    /// Everything that targets may name.
    pub names: &'a Names,
    /// Hides secrets.
    pub clean: &'a Redactor,
    /// An earlier run to compare with.
    pub baseline: Option<&'a Baseline>,
    /// Whether the run guards a release: then a target that dies speaks for taking it back.
    pub guards: bool,
    /// What the run was ended for, if it guards a release.
    pub found: &'a [Trigger],
}

impl<'a> From<&'a Plan> for About<'a> {
    fn from(plan: &'a Plan) -> Self {
        Self {
            target: plan.target.value.as_str(),
            plan_hash: &plan.hash,
            targets: plan.targets.iter().map(|target| (&target.value, target.from.to_string())).collect(),
            names: &plan.names,
            clean: &plan.redactor,
            baseline: None,
            guards: false,
            found: &[],
        }
    }
}

/// Builds the report of a run: judges, decides, adds up.
#[must_use]
pub fn build(about: &About<'_>, summary: &Summary, facts: &Facts) -> Report {
    let spans = spans(&facts.stages);
    let judged_stages = targets::judged_stages(summary, &spans);
    let judged_stage = judged_stages.join(", ");
    let rows: Vec<&Row> = summary.rows.iter().filter(|row| judged_stages.contains(&row.stage.as_str())).collect();
    let judged: Vec<Judged> =
        about.targets.iter().map(|(target, _)| judging::judge(target, (summary, &facts.evidence), &spans)).collect();
    let misses = judging::misses(&judged, summary, &spans);
    let sign = sign_of_saturation(summary.generator);
    let verdict = targets::verdict(&judged, &facts.ending, sign.as_deref());
    let verdict = judging::heard(verdict, &facts.evidence, &judging::times(None, summary, &spans));
    let baseline = about.baseline.map(|base| base.against(&judged_stage, &rows, summary.generator));
    let rollback = rollback(&rows, &facts.ending, about, baseline.as_ref());
    let verdict = with_rollback(verdict, &facts.ending, &rollback, baseline.as_ref());
    let exit = Exit::of(&verdict, &facts.ending, !rollback.is_empty());
    let line = EndingLine::from(&facts.ending);
    let from = about.targets.iter().map(|(_, from)| from.clone());
    let clean = about.clean;
    Report {
        version: 1,
        verdict: verdict.decision,
        reason: clean.clean(&verdict.reason),
        exit: exit.0,
        ending: EndingLine { why: line.why.as_deref().map(|why| clean.clean(why)), ..line },
        target: clean.clean(about.target),
        plan_hash: about.plan_hash.to_owned(),
        started: facts.started.clone(),
        stages: stages(&facts.stages, &judged_stages),
        judged: judged_stage.clone(),
        requests: summary
            .rows
            .iter()
            .filter(|row| row.count > 0)
            .map(|row| one_line(&row.name, &row.stage, &[row], clean))
            .collect(),
        total: one_line("total", &judged_stage, &rows, clean),
        stage_totals: stage_totals(summary, &spans, clean),
        targets: judged.iter().zip(from).map(|(judged, from)| target_line(judged, from)).collect(),
        generator: generator(summary),
        arrivals: summary.arrivals,
        capacity: None,
        culprits: verdict.culprits,
        findings: why::findings(&misses, &summary.timeline, facts, (sign.as_deref(), clean)),
        sidecars: why::sidecars(&facts.evidence, clean),
        timeline: timeline::lines(&summary.timeline),
        rollback,
        teardown: None,
        baseline,
        names: about.names.clone(),
    }
}

/// What speaks for taking the release back, the gravest first. Where nothing was to be guarded, the errors of a target that died are
/// its death, which the verdict tells.
fn rollback(rows: &[&Row], ending: &Ending, about: &About<'_>, baseline: Option<&Comparison>) -> Vec<Trigger> {
    let guards = about.guards || baseline.is_some();
    let mut found = targets::triggers(rows);
    if let Ending::GivenUp(why) = ending {
        // What ended a watch says more than that it was ended.
        if guards && about.found.is_empty() {
            let said = about.clean.clean(why);
            found.push(Trigger { trigger: Kind::Dead, request: "total".to_owned(), said });
        } else if !guards {
            found.retain(|trigger| trigger.trigger != Kind::Errors);
        }
    }
    found.extend(baseline.iter().flat_map(|baseline| baseline.triggers()));
    for trigger in about.found {
        if !found.iter().any(|one| (one.trigger, &one.request) == (trigger.trigger, &trigger.request)) {
            found.push(Trigger { said: about.clean.clean(&trigger.said), ..trigger.clone() });
        }
    }
    found.sort_by_key(|trigger| trigger.trigger);
    found
}

/// A trigger is NO-GO, and a baseline that nothing can be compared with is no GO.
fn with_rollback(verdict: Verdict, ending: &Ending, triggers: &[Trigger], baseline: Option<&Comparison>) -> Verdict {
    if let [first, rest @ ..] = triggers {
        let rest = match rest.len() {
            0 => String::new(),
            1 => "; 1 other finding says so too".to_owned(),
            more => format!("; {more} other findings say so too"),
        };
        let reason = format!("roll back: {}{rest}", first.said);
        return Verdict { decision: Decision::NoGo, reason, culprits: verdict.culprits };
    }
    match baseline.and_then(|baseline| baseline.inconclusive.as_deref()) {
        Some(why) if verdict.decision == Decision::Go && *ending == Ending::Complete => Verdict {
            decision: Decision::Inconclusive,
            reason: format!("the comparison with the baseline is inconclusive: {why}"),
            ..verdict
        },
        _ => verdict,
    }
}

/// The stages with what was really judged.
fn stages(stages: &[Stage], judged: &[&str]) -> Vec<Stage> {
    let told = |stage: &Stage| Stage { judged: judged.contains(&stage.name.as_str()), ..stage.clone() };
    stages.iter().map(told).collect()
}

/// The stages as the judge takes them.
#[must_use]
pub fn spans(stages: &[Stage]) -> Vec<Span> {
    let mut from = Duration::ZERO;
    let span = |stage: &Stage| {
        let until = from + Duration::try_from_secs_f64(stage.seconds).unwrap_or_default();
        let (name, judged) = (stage.name.clone(), stage.judged);
        Span { name, from: std::mem::replace(&mut from, until), until, judged }
    };
    stages.iter().map(span).collect()
}

fn stage_totals(summary: &Summary, spans: &[Span], clean: &Redactor) -> Vec<Line> {
    let of = |span: &Span| {
        let rows: Vec<&Row> = summary.rows.iter().filter(|row| row.stage == span.name).collect();
        one_line("total", &span.name, &rows, clean)
    };
    spans.iter().map(of).filter(|total| total.count > 0).collect()
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
        late: Some(of.late),
        lost_ratio: of.lost_ratio,
        saturated: of.saturated,
    }
}

fn target_line(judged: &Judged, from: String) -> TargetLine {
    TargetLine {
        text: judged.target.text.clone(),
        outcome: judged.outcome,
        got: judged.got,
        said: judged.said(),
        count: judged.count,
        why: judged.why.clone(),
        from,
    }
}

fn one_line(name: &str, stage: &str, rows: &[&Row], clean: &Redactor) -> Line {
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
        errors_by: tally.errors_by.clone(),
        example,
        p50_us: carried(tally, "p50"),
        p90_us: carried(tally, "p90"),
        p95_us: carried(tally, "p95"),
        p99_us: carried(tally, "p99"),
        max_us: carried(tally, "max"),
        throughput: tally.throughput(),
        waited_us: micros(tally.waited()),
        seconds: tally.over.as_secs_f64(),
        bytes: tally.bytes,
        http2: (tally.http2 > 0).then_some(tally.http2),
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
        seconds: 0.0,
        bytes: 0,
        http2: None,
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
