//! What the sidecars told, on the time axis of the plots of latency: under each service a small plot for every figure that says
//! something, and a table of all of them. Pure.

use super::charts::{figure, lasted};
use super::plot::{Axis, Plot, clock, time_axis};
use super::tables;
use crate::limits::SMALL_HINTS;
use crate::report::escape::{html_prose, xml};
use crate::report::{FigureLine, GapLine, Report, SidecarLine};
use crate::sidecars::find;
use crate::targets::Unit;

/// Figures that are drawn wherever they are told; others only when they are blamed or at their limit.
const DRAWN: [&str; 6] = ["cpu", "cpu_throttled", "memory", "connections_used", "pool", "query"];

/// A look at a figure under load: when, its mean and its highest value.
pub(super) type Look = (f64, f64, f64);

/// The part of the page about the sidecars; empty without any.
pub(super) fn render(report: &Report) -> String {
    if report.sidecars.is_empty() {
        return String::new();
    }
    let each: String =
        report.sidecars.iter().zip(0..).map(|(sidecar, number)| service(report, sidecar, number)).collect();
    let about =
        "On the time axis of the plots above. Red: where a target was missed; grey: where the sidecar was not heard.";
    format!("<h2>Services, as their sidecars saw them</h2>\n<p>{about}</p>\n{each}")
}

fn service(report: &Report, sidecar: &SidecarLine, number: usize) -> String {
    let name = xml(&sidecar.service);
    let plots = sidecar.figures.iter().zip(0..).filter(|(line, _)| is_drawn(report, sidecar, line));
    let plots: String = plots.map(|(line, index)| one(report, sidecar, line, &format!("s{number}f{index}"))).collect();
    let plots = if plots.is_empty() { plots } else { format!("<div class=\"plots small\">\n{plots}</div>\n") };
    let gaps = sidecar.gaps.iter().map(|gap| {
        let (from, until) = (clock(gap.from_s), clock(gap.until_s));
        let (from, until) = if gap.from_s < 0.0 { ("before the load".to_owned(), until) } else { (from, until) };
        format!("<p class=\"open\">Not heard from {from} to {until}: {}</p>\n", html_prose(&gap.why))
    });
    let lie =
        sidecar.unbelievable.iter().map(|lie| format!("<p class=\"open\">Not believed: {}</p>\n", html_prose(lie)));
    let said: String = gaps.chain(lie).collect();
    format!(
        "<section>\n<h3><code>{name}</code></h3>\n{said}{plots}{}</section>\n",
        tables::figures_of(sidecar, lasted(report))
    )
}

fn is_drawn(report: &Report, sidecar: &SidecarLine, line: &FigureLine) -> bool {
    let looks = || looks(line, lasted(report));
    let most = looks().map(|(.., most)| most).fold(f64::MIN, f64::max);
    let at_limit = line.saturated.is_some_and(|limit| most >= limit);
    let told = looks().next().is_some();
    told && (DRAWN.contains(&line.name.as_str()) || at_limit || blamed(report, sidecar, line).is_some())
}

/// The looks under load, which ended then; the sidecars are heard a little longer.
pub(super) fn looks(line: &FigureLine, end: f64) -> impl Iterator<Item = Look> {
    line.points.iter().copied().filter(move |(at, ..)| (0.0..=end).contains(at))
}

/// The first of the highest looks.
pub(super) fn highest(line: &FigureLine, end: f64) -> Option<Look> {
    looks(line, end).reduce(|most, look| if look.2 > most.2 { look } else { most })
}

/// Since when a finding blames this figure.
fn blamed(report: &Report, sidecar: &SidecarLine, line: &FigureLine) -> Option<f64> {
    let suspects = report.findings.iter().flat_map(|finding| &finding.suspects).filter(|suspect| suspect.named);
    let own = suspects.filter(|one| one.service == sidecar.service && one.figure.as_ref() == Some(&line.name));
    own.map(|suspect| suspect.since_s).reduce(f64::min)
}

/// The plot of a figure.
fn one(report: &Report, sidecar: &SidecarLine, line: &FigureLine, id: &str) -> String {
    let Some(known) = find(&line.name) else { return String::new() };
    let looks: Vec<Look> = looks(line, lasted(report)).collect();
    let most = looks.iter().map(|(.., most)| *most).chain(line.saturated).fold(0.0, f64::max);
    let mut plot = Plot::new(time_axis(lasted(report)), Axis::linear(most, |value| known.unit.say(value)));
    marks(&mut plot, report, &sidecar.gaps);
    let mut legend = vec![("c1", "under load".to_owned())];
    // A long run has looks put together: their mean may hide a peak.
    if looks.iter().any(|(_, mean, most)| *most > mean * 1.001) {
        plot.line("c2", with_gaps(&looks, &sidecar.gaps, |(.., most)| most));
        legend = vec![("c1", "mean".to_owned()), ("c2", "highest".to_owned())];
    }
    plot.line("c1", with_gaps(&looks, &sidecar.gaps, |(_, mean, _)| mean));
    if let Some(limit) = line.saturated {
        plot.level("limit", limit);
        legend.push(("limit", format!("bottleneck from {}", known.unit.say(limit))));
    }
    let since = blamed(report, sidecar, line);
    if let Some(since) = since {
        plot.moment("onset", since);
        legend.push(("onset", format!("blamed since {}", clock(since))));
    }
    hints(&mut plot, &looks, known.unit);
    let title = format!("{} {}", sidecar.service, line.name);
    let svg = plot.finish(id, &title, &description((line, lasted(report)), known.unit, since));
    figure(if since.is_some() { "blamed" } else { "" }, &line.name, &capital(known.summary), &svg, &legend)
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

fn marks(plot: &mut Plot, report: &Report, gaps: &[GapLine]) {
    let mut from = 0.0;
    for stage in &report.stages {
        let class = if report.is_judged(&stage.name) { "stage judged" } else { "stage" };
        plot.stretch(class, from, from + stage.seconds, "");
        from += stage.seconds;
    }
    for gap in gaps.iter().filter(|gap| gap.until_s >= 0.0) {
        plot.stretch("silent", gap.from_s, gap.until_s, "");
    }
    for finding in &report.findings {
        plot.stretch("missed", finding.from_s, finding.until_s, "");
    }
}

/// The points of a line, which ends where the sidecar was not heard.
fn with_gaps(looks: &[Look], gaps: &[GapLine], read: impl Fn(Look) -> f64) -> Vec<(f64, Option<f64>)> {
    let mut points: Vec<(f64, Option<f64>)> = Vec::new();
    for look in looks.iter().copied() {
        let before = points.last().map_or(0.0, |(at, _)| *at);
        if let Some(gap) = gaps.iter().find(|gap| gap.from_s > before && gap.from_s <= look.0) {
            points.push((gap.from_s, None));
        }
        points.push((look.0, Some(read(look))));
    }
    points
}

fn hints(plot: &mut Plot, looks: &[Look], unit: Unit) {
    let every = looks.len().div_ceil(SMALL_HINTS).max(1);
    let mut groups = looks.chunks(every).peekable();
    while let Some(group) = groups.next() {
        let Some((first, last)) = group.first().zip(group.last()) else { continue };
        let until = groups.peek().and_then(|next| next.first()).map_or(last.0 + 1.0, |next| next.0);
        let most = group.iter().map(|(.., most)| *most).fold(f64::MIN, f64::max);
        plot.hint(first.0, until, &format!("{}: {}", clock(first.0), unit.say(most)));
    }
}

fn description((line, end): (&FigureLine, f64), unit: Unit, since: Option<f64>) -> String {
    let most = highest(line, end)
        .map_or(String::new(), |(at, _, most)| format!("At most {}, at {}.", unit.say(most), clock(at)));
    let calm = line.calm.map_or(String::new(), |calm| format!(" {} in the calm time.", unit.say(calm)));
    let since = since.map_or(String::new(), |since| format!(" Blamed since {}.", clock(since)));
    format!("{most}{calm}{since}")
}
