//! The report as Markdown for a comment on a pull request: verdict, targets, slowest requests, errors, and what they are blamed on.
//! Short, for people scroll past what is long. The first line is a mark by which a bot finds its comment again.

use super::escape::{block, code, prose};
use super::said::latency;
use super::{Line, Report, TargetLine};
use crate::baseline::{Change, Direction};
use crate::limits::{MARKDOWN_CHANGES, MARKDOWN_REQUESTS};
use crate::targets::{Decision, Outcome, percent, short};

/// The report as Markdown.
#[must_use]
pub fn render(report: &Report) -> String {
    let parts = [verdict(report), targets(report), slowest(report), changes(report), errors(report), about(report)];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

fn verdict(report: &Report) -> String {
    let sign = match report.verdict {
        Decision::Go => "✅ GO",
        Decision::NoGo => "❌ NO-GO",
        Decision::Inconclusive => "⚠️ INCONCLUSIVE",
    };
    let culprits = report.culprits.iter().map(|culprit| {
        let share = (culprit.share * 100.0).round();
        format!("- {}: {} has {share} % of it\n", code(&culprit.target), code(&culprit.request))
    });
    let why: String = report.findings.iter().map(|finding| format!("- {}\n", prose(&finding.sentence))).collect();
    let why = if why.is_empty() { why } else { format!("\n**Why**\n\n{why}") };
    let culprits: String = culprits.collect();
    let culprits = if culprits.is_empty() { culprits } else { format!("\n**Requests to blame**\n\n{culprits}") };
    let triggers = report.rollback.iter().map(|one| format!("- **{}**: {}\n", one.trigger.as_str(), prose(&one.said)));
    let triggers: String = triggers.collect();
    let triggers = if triggers.is_empty() { triggers } else { format!("\n**Roll back**\n\n{triggers}") };
    let teardown = report.teardown.as_ref();
    let teardown = teardown.map_or(String::new(), |why| format!("\n**Teardown failed**\n\n- {}\n", prose(why)));
    format!("<!-- loadtest -->\n## Load test: {sign}\n\n{}\n{triggers}{why}{culprits}{teardown}", prose(&report.reason))
}

fn targets(report: &Report) -> String {
    let rows: String = report.targets.iter().map(target).collect();
    format!("| target | outcome | got | n |\n|---|---|--:|--:|\n{rows}")
}

fn target(target: &TargetLine) -> String {
    let outcome = match target.outcome {
        Outcome::Met => "✅ met",
        Outcome::Missed => "❌ **missed**",
        Outcome::Inconclusive => "⚠️ inconclusive",
    };
    let why = target.why.as_deref().map_or(String::new(), |why| format!(": {}", prose(why)));
    let got = target.said.as_deref().unwrap_or("–");
    format!("| {} | {outcome}{why} | {got} | {} |\n", code(&target.text), target.count)
}

/// The requests with the highest p95 that the samples carry, and all together.
fn slowest(report: &Report) -> String {
    let mut lines: Vec<&Line> = report.requests.iter().filter(|line| report.is_judged(&line.stage)).collect();
    if lines.is_empty() {
        return String::new();
    }
    lines.sort_by_key(|line| std::cmp::Reverse((line.p95_us.or(line.p50_us), line.max_us)));
    let whole = lines.len();
    let name = |line: &Line| match report.judges_several() {
        true => format!("{} ({})", code(&line.name), prose(&line.stage)),
        false => code(&line.name),
    };
    let rows: String = lines.iter().take(MARKDOWN_REQUESTS).map(|line| request(line, &name(line))).collect();
    let rest = whole.saturating_sub(MARKDOWN_REQUESTS);
    let rest = if rest == 0 { String::new() } else { format!("\n{rest} faster ones are not shown.\n") };
    let head = "| slowest requests | n | errors | p50 | p95 | p99 | max |\n|---|--:|--:|--:|--:|--:|--:|\n";
    format!("{head}{rows}{}{rest}", request(&report.total, "**all**"))
}

fn request(line: &Line, name: &str) -> String {
    let [p50, p95, p99, max] = [line.p50_us, line.p95_us, line.p99_us, line.max_us].map(latency);
    let errors = if line.errors == 0 { "0".to_owned() } else { percent(line.errors, line.count) };
    format!("| {name} | {} | {errors} | {p50} | {p95} | {p99} | {max} |\n", line.count)
}

/// What surely changed against the baseline.
fn changes(report: &Report) -> String {
    let Some(comparison) = &report.baseline else { return String::new() };
    let sure = |change: &&Change| !matches!(change.outcome, Direction::Same | Direction::Unclear);
    let rows: String = comparison.changes.iter().filter(sure).take(MARKDOWN_CHANGES).map(change).collect();
    let about = comparison.inconclusive.as_deref().map_or_else(
        || if rows.is_empty() { "nothing that is sure".to_owned() } else { "what is sure of it".to_owned() },
        |why| format!("inconclusive: {}", prose(why)),
    );
    let head = "| request | | then | now | change | |\n|---|---|--:|--:|--:|---|\n";
    let table = if rows.is_empty() { rows } else { format!("\n{head}{rows}") };
    format!("**Against the baseline of {}**: {about}\n{table}", prose(&comparison.started))
}

fn change(change: &Change) -> String {
    let [was, now] = [change.was_us, change.now_us].map(|us| latency(Some(us)));
    let (name, outcome) = (code(&change.request), change.outcome.as_str());
    format!("| {name} | {} | {was} | {now} | {} | {outcome} |\n", change.indicator, change.said())
}

fn errors(report: &Report) -> String {
    let mut failing: Vec<&Line> = report.requests.iter().filter(|line| line.errors > 0).collect();
    if failing.is_empty() {
        return String::new();
    }
    failing.sort_by_key(|line| std::cmp::Reverse(line.errors));
    let one = |line: &&Line| {
        let causes: Vec<String> =
            line.errors_by.iter().map(|(cause, count)| format!("{count} {}", cause.as_str())).collect();
        let example = line.example.as_deref().map_or(String::new(), |example| format!("\n{}", block(example)));
        format!("{} ({}): {}\n{example}", code(&line.name), prose(&line.stage), causes.join(", "))
    };
    let shown: Vec<String> = failing.iter().take(MARKDOWN_REQUESTS).map(one).collect();
    let count = failing.iter().map(|line| line.errors).sum::<u64>();
    let rest = failing.len().saturating_sub(MARKDOWN_REQUESTS);
    let rest = if rest == 0 { String::new() } else { format!("\nand {rest} more requests\n") };
    format!("<details><summary>{count} errors</summary>\n\n{}{rest}\n</details>\n", shown.join("\n"))
}

fn about(report: &Report) -> String {
    let stages =
        report.stages.iter().map(|stage| format!("{} {} with {}", prose(&stage.name), stage.lasted(), stage.load()));
    let stages: Vec<String> = stages.collect();
    let of = &report.generator;
    let bottleneck = if of.saturated { "**it was the bottleneck**" } else { "not the bottleneck" };
    format!(
        "<sub>{} · {} · {} · {} successes/s · load generator: {} % of its CPU, {bottleneck} · plan {}</sub>\n",
        code(&report.target),
        prose(&report.started),
        stages.join(", "),
        short(report.total.throughput),
        short((of.cpu_used_ratio * 100.0).round()),
        code(report.plan_hash.get(..12).unwrap_or(&report.plan_hash)),
    )
}
