//! The report for people: a table, the errors with an example of each cause, where the time went, the targets, the verdict.
//! Pure text of a given width; no colour.

use super::changes::{changes, triggers};
use super::{Line, Report, TargetLine};
use crate::limits::CAUSES_SHOWN;
use crate::targets::{percent, short};
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
        ramp(report),
        errors(report),
        time(report),
        generator(report),
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
    let triggers = triggers(report);
    let gap = if triggers.is_empty() { "" } else { "\n" };
    format!("targets\n{targets}{gap}{triggers}\n{verdict}: {}\n", report.reason)
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
    let own = report.requests.iter().filter(|line| line.stage == report.judged);
    let lines: Vec<&Line> = own.chain([&report.total]).collect();
    let longest = lines.iter().map(|line| line.name.chars().count()).max().unwrap_or(0);
    let name_width = longest.min(width.saturating_sub(FIGURES)).max(NARROWEST);
    let stage = report.stages.iter().find(|stage| stage.name == report.judged);
    let about = stage.map_or(String::new(), |stage| {
        format!(", {} users for {}", stage.users, Readable(Duration::from_secs_f64(stage.seconds.max(0.0))))
    });
    let body = lines.iter().map(|line| row(&line.name, &figures_of(line), name_width));
    let head = row("", &HEAD.map(str::to_owned), name_width);
    format!("requests of the stage `{}`{about}\n{head}{}", report.judged, body.collect::<String>())
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

fn latency(us: Option<u64>) -> String {
    us.map_or("–".to_owned(), |us| Readable(Duration::from_micros(us)).to_string())
}

pub(super) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

/// What was measured outside the judged stage, in one line, so that nothing is hidden.
fn ramp(report: &Report) -> String {
    let others: Vec<&Line> = report.requests.iter().filter(|line| line.stage != report.judged).collect();
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
    let mut lines: Vec<&Line> =
        report.requests.iter().filter(|line| line.stage == report.judged && line.waited_us > 0).collect();
    if lines.len() < 2 {
        return String::new();
    }
    lines.sort_by_key(|line| std::cmp::Reverse(line.waited_us));
    let share = |us: u64| format!("{} %", crate::targets::whole_percent(us, whole));
    let (first, rest) = lines.split_at(lines.len().min(3));
    let mut said: Vec<String> = first.iter().map(|line| format!("`{}` {}", line.name, share(line.waited_us))).collect();
    if !rest.is_empty() {
        let others = if rest.len() == 1 { "other" } else { "others" };
        said.push(format!("{} {others} {}", rest.len(), share(rest.iter().map(|line| line.waited_us).sum())));
    }
    format!("where the time went: {}\n", said.join(", "))
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
