//! The report's tables as HTML: all that the plots show stands in them too. Wide ones scroll by themselves, so that the page never
//! does; the keyboard reaches them.

use super::plot::clock;
use super::sidecars::{highest, looks};
use crate::baseline::Comparison;
use crate::report::escape::{html_prose, xml};
use crate::report::said::latency;
use crate::report::{Line, Report, SidecarLine, SlotLine, TargetLine};
use crate::sidecars::find;
use crate::targets::{Outcome, percent, short, to_f64, whole_percent};

/// Columns of text, which begin at the left; figures end at the right.
const TEXTS: [&str; 15] = [
    "target",
    "outcome",
    "why",
    "request",
    "stage",
    "load",
    "cause",
    "percentile",
    "judged",
    "question",
    "answer",
    "from",
    "set by",
    "figure",
    "",
];

/// A table in a frame that scrolls.
fn table(caption: &str, head: &[&str], rows: &[String]) -> String {
    let column = |name: &&str| {
        let class = if TEXTS.contains(name) { " class=\"t\"" } else { "" };
        format!("<th scope=\"col\"{class}>{}</th>", xml(name))
    };
    let head: String = head.iter().map(column).collect();
    format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{0}\"><table><caption>{0}</caption>\
         <thead><tr>{head}</tr></thead><tbody>\n{1}</tbody></table></div>\n",
        xml(caption),
        rows.concat()
    )
}

/// A row: the name of what it is about, then its cells, ready for the page.
fn row(class: &str, name: &str, cells: &[String]) -> String {
    let cells: String = cells
        .iter()
        .map(|cell| if cell.starts_with("<td") { cell.clone() } else { format!("<td>{cell}</td>") })
        .collect();
    format!("<tr{class}><th scope=\"row\" class=\"name\">{}</th>{cells}</tr>\n", xml(name))
}

pub(super) fn targets(report: &Report) -> String {
    let rows: Vec<String> = report.targets.iter().map(target).collect();
    table("Targets", &["target", "outcome", "got", "n", "set by", "why"], &rows)
}

fn target(target: &TargetLine) -> String {
    let (class, word) = match target.outcome {
        Outcome::Met => ("good", "✓ met"),
        Outcome::Missed => ("bad", "✗ missed"),
        Outcome::Inconclusive => ("open", "? inconclusive"),
    };
    let why = target.why.as_deref().map_or(String::new(), html_prose);
    row(
        "",
        &target.text,
        &[
            format!("<td class=\"t\"><strong class=\"{class}\">{word}</strong></td>"),
            xml(target.said.as_deref().unwrap_or("–")),
            target.count.to_string(),
            text(&target.from),
            format!("<td class=\"t why\">{why}</td>"),
        ],
    )
}

const FIGURES: [&str; 12] =
    ["request", "stage", "n", "errors", "p50", "p90", "p95", "p99", "max", "n/s", "waited", "received"];

pub(super) fn requests(report: &Report) -> String {
    let own = report.requests.iter().filter(|line| report.is_judged(&line.stage)).map(|line| request("", line));
    let rows: Vec<String> = own.chain([request(" class=\"sum\"", &report.total)]).collect();
    let judged = if report.judges_several() { "stages" } else { "stage" };
    let judged = table(&format!("Requests of the judged {judged} {}", report.judged), &FIGURES, &rows);
    let others = report.requests.iter().filter(|line| !report.is_judged(&line.stage));
    let rows: Vec<String> = others.map(|line| request("", line)).collect();
    if rows.is_empty() {
        return judged;
    }
    let others = table("Requests of stages that are not judged", &FIGURES, &rows);
    format!("{judged}<details><summary>Requests of stages that are not judged</summary>\n{others}</details>\n")
}

/// A line for each stage, where there are several to tell apart.
pub(super) fn stages(report: &Report) -> String {
    if !report.judges_several() {
        return String::new();
    }
    let rows = report.stage_totals.iter().filter_map(|total| {
        let stage = report.stages.iter().find(|stage| stage.name == total.stage)?;
        let judged = if stage.judged { "judged" } else { "not judged" };
        let told = [text(&stage.load()), text(judged)];
        Some(row("", &stage.name, &[told.as_slice(), &figures(total)].concat()))
    });
    let rows: Vec<String> = rows.collect();
    let head = ["stage", "load", "judged"].iter().chain(FIGURES.iter().skip(2)).copied().collect::<Vec<_>>();
    format!("<h2>Stages</h2>\n{}", table("Stages", &head, &rows))
}

fn text(said: &str) -> String {
    format!("<td class=\"t\">{}</td>", xml(said))
}

fn request(class: &str, line: &Line) -> String {
    let name = if line.name == "total" { "all" } else { &line.name };
    row(class, name, &[[text(&line.stage)].as_slice(), &figures(line)].concat())
}

fn figures(line: &Line) -> [String; 10] {
    let errors = match line.errors {
        0 => "0".to_owned(),
        errors => {
            format!("<strong class=\"bad\">{errors} ({})</strong>", percent(errors, line.count).replace(' ', "\u{a0}"))
        }
    };
    [
        line.count.to_string(),
        errors,
        latency(line.p50_us),
        latency(line.p90_us),
        latency(line.p95_us),
        latency(line.p99_us),
        latency(line.max_us),
        short(line.throughput),
        latency(Some(line.waited_us)),
        bytes(line.bytes),
    ]
}

fn bytes(count: u64) -> String {
    let units = [("GiB", 30_u32), ("MiB", 20), ("KiB", 10)];
    match units.into_iter().find(|(_, power)| count >> power > 0) {
        Some((unit, power)) => format!("{} {unit}", short(to_f64(count) / to_f64(1 << power))),
        None => format!("{count} B"),
    }
}

/// Every cause of every failing request, with an example.
pub(super) fn errors(report: &Report) -> String {
    let mut failing: Vec<&Line> = report.requests.iter().filter(|line| line.errors > 0).collect();
    if failing.is_empty() {
        return "<p>None.</p>\n".to_owned();
    }
    failing.sort_by_key(|line| std::cmp::Reverse(line.errors));
    let rows = failing.iter().flat_map(|line| {
        line.errors_by.iter().map(|(cause, count)| {
            let cause = format!("<td class=\"t\">{}</td>", cause.as_str());
            let stage = format!("<td class=\"t\">{}</td>", xml(&line.stage));
            row("", &line.name, &[stage, cause, count.to_string(), percent(*count, line.count)])
        })
    });
    let rows: Vec<String> = rows.collect();
    let examples = failing.iter().filter_map(|line| {
        let example = line.example.as_deref()?;
        Some(format!("<p><code>{}</code>, for example:</p><pre>{}</pre>\n", xml(&line.name), xml(example)))
    });
    table("Errors by cause", &["request", "stage", "cause", "n", "of its requests"], &rows)
        + &examples.collect::<String>()
}

pub(super) fn changes(comparison: &Comparison) -> String {
    let rows: Vec<String> = comparison
        .changes
        .iter()
        .map(|change| {
            let class = match change.outcome.as_str() {
                "degraded" | "slower" => "bad",
                "faster" => "good",
                _ => "",
            };
            let [base, now] = change.counts;
            row(
                "",
                &change.request,
                &[
                    format!("<td class=\"t\">{}</td>", change.indicator),
                    format!("{base} → {now}"),
                    latency(Some(change.was_us)),
                    latency(Some(change.now_us)),
                    change.said(),
                    format!("<td class=\"t\"><strong class=\"{class}\">{}</strong></td>", change.outcome.as_str()),
                ],
            )
        })
        .collect();
    let why = comparison
        .inconclusive
        .as_deref()
        .map_or(String::new(), |why| format!("<p class=\"open\">Inconclusive: {}</p>\n", xml(why)));
    let caption = format!("Against the baseline of {}", comparison.started);
    why + &table(&caption, &["request", "percentile", "n", "then", "now", "change, for sure", "outcome"], &rows)
}

pub(super) fn generator(report: &Report) -> String {
    let of = &report.generator;
    let verdict = if of.saturated {
        "<strong class=\"bad\">yes: the figures say more of it than of the target</strong>"
    } else {
        "no"
    };
    let late = of.late.map_or_else(
        || latency(Some(of.late_p99_us)),
        |late| {
            let [p50, p95, p99] = [late.p50_us, late.p95_us, late.p99_us].map(|us| latency(Some(us)));
            format!("p50 {p50}, p95 {p95}, p99 {p99}")
        },
    );
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "shares of a thousand")]
    let parts = |share: f64| (share.clamp(0.0, 1.0) * 1000.0) as u64;
    let rows = [
        ("Was it the bottleneck?", verdict.to_owned()),
        ("CPU per request", format!("{} µs", short(of.cpu_us_per_request))),
        ("CPU used of what it may use", format!("{} %", whole_percent(parts(of.cpu_used_ratio), 1000))),
        ("Its own timers were late by", late),
        ("Load that was not offered", percent(parts(of.lost_ratio), 1000)),
    ];
    let rows: Vec<String> =
        rows.iter().map(|(name, value)| row("", name, &[format!("<td class=\"t why\">{value}</td>")])).collect();
    table("The load generator itself", &["question", "answer"], &rows)
}

/// The figures that a sidecar told.
pub(super) fn figures_of(sidecar: &SidecarLine, end: f64) -> String {
    let rows = sidecar.figures.iter().filter_map(|line| {
        let unit = find(&line.name)?.unit;
        let say = |value: Option<f64>| value.map_or("–".to_owned(), |value| unit.say(value));
        let count = to_f64(looks(line, end).count() as u64);
        let mean = (count > 0.0).then(|| looks(line, end).map(|(_, mean, _)| mean).sum::<f64>() / count);
        let most = highest(line, end);
        let at = most.map_or("–".to_owned(), |(at, ..)| clock(at));
        let cells = [say(line.calm), say(mean), say(most.map(|(.., most)| most)), at, say(line.saturated)];
        Some(row("", &line.name, &cells))
    });
    let rows: Vec<String> = rows.collect();
    if rows.is_empty() {
        return "<p>It told no figures.</p>\n".to_owned();
    }
    let caption = format!("Figures of {}", sidecar.service);
    table(&caption, &["figure", "calm", "mean", "highest", "at", "bottleneck from"], &rows)
}

/// The figures of the plots over time.
pub(super) fn timeline(report: &Report) -> String {
    if report.timeline.slots.is_empty() {
        return String::new();
    }
    let rows: Vec<String> = report.timeline.slots.iter().map(slot).collect();
    let table = table("The run over time", &["from", "n", "errors", "p50", "p95", "p99", "users", "in flight"], &rows);
    format!("<details><summary>The figures of the plots over time</summary>\n{table}</details>\n")
}

fn slot(slot: &SlotLine) -> String {
    let [p50, p95, p99] = [slot.p50_us, slot.p95_us, slot.p99_us].map(latency);
    let counts = [slot.count.to_string(), slot.errors.to_string()];
    let gauges = [slot.users.to_string(), slot.in_flight.to_string()];
    row("", &clock(to_f64(slot.from)), &[counts.as_slice(), &[p50, p95, p99], &gauges].concat())
}
