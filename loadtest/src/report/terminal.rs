//! The report for people: a table, the errors with an example of each cause, where the time went, the targets, the verdict.
//! Pure text of a given width; no colour.

use super::changes::{changes, triggers};
use super::said::{latency, waited};
use super::why::{told, why};
use super::{Line, Report, Stage, TargetLine};
use crate::limits::CAUSES_SHOWN;
use crate::targets::{Outcome, percent, short};
use crate::units::Readable;
use std::time::Duration;

const HEAD: [&str; 8] = ["n", "errors", "p50", "p90", "p95", "p99", "max", "n/s"];
/// A name is cut to the room there is, but not below this: then the line is wider than the screen.
const NARROWEST: usize = 16;
/// Columns other than the name, and the gaps between them.
const FIGURES: usize = 70;

/// The whole report.
#[must_use]
pub fn render(report: &Report, width: usize) -> String {
    let parts = [
        table(report, width),
        stages(report),
        ramp(report),
        errors(report),
        time(report),
        generator(report),
        arrivals(report),
        capacity(report),
        told(report),
        changes(report, width),
        final_lines(report),
    ];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

/// Targets and verdict alone: what `--quiet` leaves.
#[must_use]
pub fn final_lines(report: &Report) -> String {
    let text = |target: &TargetLine| target.text.chars().count();
    let widest = report.targets.iter().map(text).max().unwrap_or(0);
    let targets = report.targets.iter().map(|one| target(one, widest)).collect::<String>();
    let verdict = report.verdict.as_str().to_uppercase();
    let (why, triggers) = (why(report), triggers(report));
    let teardown = report.teardown.as_ref().map_or(String::new(), |why| format!("teardown failed\n  {why}\n"));
    let parts: Vec<String> = [why, triggers, teardown].into_iter().filter(|part| !part.is_empty()).collect();
    let parts = parts.iter().map(|part| format!("\n{part}")).collect::<String>();
    format!("targets\n{targets}{parts}\n{verdict}: {}\n", report.reason)
}

fn target(target: &TargetLine, widest: usize) -> String {
    let got = target.said.as_deref().unwrap_or("–");
    let why = target.why.as_ref().map_or(String::new(), |why| format!(": {why}"));
    let TargetLine { text, outcome, count, .. } = target;
    let default = if target.from == "default" { ", default" } else { "" };
    let outcome = outcome.as_str();
    format!("  {outcome:12}  {text:widest$}  {got} (n = {count}{default}){why}\n")
}

fn table(report: &Report, width: usize) -> String {
    let own = report.requests.iter().filter(|line| report.is_judged(&line.stage));
    let several = report.judges_several();
    let name = |line: &Line| if several { format!("{} ({})", line.name, line.stage) } else { line.name.clone() };
    let mut lines: Vec<(String, &Line)> = own.map(|line| (name(line), line)).collect();
    lines.push((report.total.name.clone(), &report.total));
    let longest = lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let name_width = longest.min(width.saturating_sub(FIGURES)).max(NARROWEST);
    let stage = report.stages.iter().find(|stage| stage.name == report.judged);
    let about = stage.map_or(String::new(), |stage| format!(", {}", stage.said()));
    let body = lines.iter().map(|(name, line)| row(name, &figures_of(line), name_width));
    let head = row("", &HEAD.map(str::to_owned), name_width);
    let what = if several { "requests of the stages" } else { "requests of the stage" };
    format!("{what} `{}`{about}\n{head}{}", report.judged.replace(", ", "`, `"), body.collect::<String>())
}

/// Each stage in a line, where there are more than a ramp and what follows it.
fn stages(report: &Report) -> String {
    if report.stage_totals.len() < 2 || report.stages.len() < 3 {
        return String::new();
    }
    let line_of = |stage: &Stage| report.stage_totals.iter().find(|line| line.stage == stage.name);
    let told = |stage: &Stage| {
        let judged = if stage.judged { "" } else { ", not judged" };
        format!("{}: {}{judged}", stage.name, stage.said())
    };
    let rows: Vec<(String, &Line)> =
        report.stages.iter().filter_map(|stage| Some((told(stage), line_of(stage)?))).collect();
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0).max(NARROWEST);
    let body = rows.iter().map(|(name, line)| row(name, &figures_of(line), width));
    format!("stages\n{}{}", row("", &HEAD.map(str::to_owned), width), body.collect::<String>())
}

fn row(name: &str, cells: &[String; 8], width: usize) -> String {
    let [n, errors, p50, p90, p95, p99, max, rate] = cells;
    let figures = format!("{n:>7} {errors:>11} {p50:>7} {p90:>7} {p95:>7} {p99:>7} {max:>7} {rate:>6}");
    format!("  {:width$} {figures}\n", cut(name, width))
}

fn figures_of(line: &Line) -> [String; 8] {
    let errors = match line.errors {
        0 => "0".to_owned(),
        errors => format!("{errors} ({})", percent(errors, line.count).replace(' ', "")),
    };
    let [p50, p90, p95, p99, max] = [line.p50_us, line.p90_us, line.p95_us, line.p99_us, line.max_us].map(latency);
    [line.count.to_string(), errors, p50, p90, p95, p99, max, short(line.throughput)]
}

pub(super) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

/// What was measured outside the judged stage, in one line, so that nothing is hidden.
fn ramp(report: &Report) -> String {
    if !stages(report).is_empty() {
        return String::new();
    }
    let others: Vec<&Line> = report.requests.iter().filter(|line| !report.is_judged(&line.stage)).collect();
    let (count, errors) = others.iter().fold((0, 0), |(n, e), line| (n + line.count, e + line.errors));
    let Some(first) = others.first().filter(|_| count > 0) else { return String::new() };
    format!("stage `{}`, not judged: {count} requests, {errors} errors\n", first.stage)
}

fn errors(report: &Report) -> String {
    let failing: Vec<&Line> = report.requests.iter().filter(|line| line.errors > 0).collect();
    if failing.is_empty() {
        return String::new();
    }
    let shown = failing.iter().take(CAUSES_SHOWN).map(|line| {
        let causes: Vec<String> =
            line.errors_by.iter().map(|(cause, count)| format!("{count} {}", cause.as_str())).collect();
        let example = line.example.as_ref().map_or(String::new(), |example| {
            format!("\n    for example: {}", example.lines().collect::<Vec<_>>().join("\n    "))
        });
        format!("  {} ({}): {}{example}\n", line.name, line.stage, causes.join(", "))
    });
    let rest = failing.len().saturating_sub(CAUSES_SHOWN);
    let more = if rest == 0 { String::new() } else { format!("  and {rest} more\n") };
    format!("errors\n{}{more}", shown.collect::<String>())
}

/// The requests that users waited for longest, all together: where making something faster pays.
fn time(report: &Report) -> String {
    let whole = report.total.waited_us;
    let waited = report.by_waiting().into_iter().map(|(name, lines)| (name, waited(&lines)));
    let waited: Vec<(&str, u64)> = waited.filter(|(_, us)| *us > 0).collect();
    if waited.len() < 2 {
        return String::new();
    }
    let share = |us: u64| format!("{} %", crate::targets::whole_percent(us, whole));
    let (first, rest) = waited.split_at(waited.len().min(3));
    let mut said: Vec<String> = first.iter().map(|(name, us)| format!("`{name}` {}", share(*us))).collect();
    if !rest.is_empty() {
        let others = if rest.len() == 1 { "other" } else { "others" };
        said.push(format!("{} {others} {}", rest.len(), share(rest.iter().map(|(_, us)| us).sum())));
    }
    format!("where the time went: {}\n", said.join(", "))
}

/// The steps of a search for the capacity.
fn capacity(report: &Report) -> String {
    let Some(of) = &report.capacity else { return String::new() };
    let rows = of.steps.iter().map(|step| {
        let [p50, p95, p99] = [step.p50_us, step.p95_us, step.p99_us].map(latency);
        let word = match step.outcome {
            Outcome::Met => "holds",
            Outcome::Missed => "breaks",
            Outcome::Inconclusive => "unclear",
        };
        let why = if step.outcome == Outcome::Met { "" } else { &step.why };
        let rate = format!("{}/s", short(step.rate));
        let (count, errors, served) = (step.count, step.errors, short(step.throughput));
        let row = format!("  {rate:>9}  {word:7} {count:>8} {errors:>7} {p50:>7} {p95:>7} {p99:>7} {served:>7}  {why}");
        row.trim_end().to_owned() + "\n"
    });
    let head = format!(
        "  {:>9}  {:7} {:>8} {:>7} {:>7} {:>7} {:>7} {:>7}\n",
        "rate", "", "n", "errors", "p50", "p95", "p99", "n/s"
    );
    let bottleneck = of.broken.as_ref().and_then(|broken| broken.bottleneck.as_ref());
    let bottleneck = bottleneck.map_or(String::new(), |who| format!("  bottleneck: {who}\n"));
    format!("capacity\n{head}{}{bottleneck}", rows.collect::<String>())
}

/// What of the arrivals did not go as planned; nothing where all went.
fn arrivals(report: &Report) -> String {
    let Some(of) = report.arrivals.filter(|of| of.held_back + of.waiting > 0) else { return String::new() };
    let late = Readable(Duration::from_micros(of.held_p99_us));
    let due = of.started + of.waiting;
    let held = format!(
        "{} ({}) found all workers busy and began up to {late} late (p99)",
        of.held_back,
        percent(of.held_back, due)
    );
    let waiting = match of.waiting {
        0 => String::new(),
        waiting => format!(", {waiting} were due and never begun"),
    };
    format!("arrivals: of {due}, {held}{waiting}; their latencies count from when they were due\n")
}

fn generator(report: &Report) -> String {
    let of = &report.generator;
    let late = Readable(Duration::from_micros(of.late_p99_us));
    let verdict = if of.saturated { "it was the bottleneck" } else { "it was not the bottleneck" };
    format!(
        "load generator: {} µs of CPU per request, {} % of its CPU, timers at most {late} late (p99), {} % of the load offered: \
         {verdict}\n",
        short(of.cpu_us_per_request),
        short((of.cpu_used_ratio * 100.0).round()),
        short(((1.0 - of.lost_ratio) * 1000.0).round() / 10.0),
    )
}
