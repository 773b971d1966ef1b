//! The plots over time and the curve of percentiles. Each says in its description what can be seen in it, and its figures stand in
//! the tables too. Pure.

use super::plot::{Axis, Plot, clock, time_axis};
use crate::limits::{CURVES, HINTS};
use crate::measure;
use crate::report::escape::xml;
use crate::report::{Line, Report, SlotLine};
use crate::targets::{percent, short, to_f64};
use crate::units::Readable;
use std::time::Duration;

/// A figure of the page; empty where there is nothing to draw.
struct Figure<'a> {
    class: &'a str,
    title: &'a str,
    about: &'a str,
    svg: String,
    /// Class and name of each line.
    legend: Vec<(&'a str, String)>,
}

/// All plots.
pub(super) fn render(report: &Report) -> String {
    let slots = &report.timeline.slots;
    let curve = curve(report);
    if slots.is_empty() {
        return curve;
    }
    [latency(report), rate(report), users(report), curve, super::heat::render(report)].concat()
}

pub(super) fn figure(class: &str, title: &str, about: &str, svg: &str, legend: &[(&str, String)]) -> String {
    let line = |(class, name): &(&str, String)| {
        format!(
            "<li><svg viewBox=\"0 0 26 10\" aria-hidden=\"true\"><path class=\"line {class}\" d=\"M1 5H25\"/></svg>{}</li>",
            xml(name)
        )
    };
    let items: String = legend.iter().map(line).collect();
    let legend = if items.is_empty() { items } else { format!("<ul class=\"legend\">{items}</ul>") };
    format!(
        "<figure class=\"{class}\"><figcaption>{}<small>{}</small></figcaption>{svg}{legend}</figure>\n",
        xml(title),
        xml(about)
    )
}

impl Figure<'_> {
    fn render(&self) -> String {
        figure(self.class, self.title, self.about, &self.svg, &self.legend)
    }
}

/// How long the run lasted, in seconds.
pub(super) fn lasted(report: &Report) -> f64 {
    let slots = report.timeline.slots.last().map_or(0.0, |slot| to_f64(slot.from) + slot.seconds);
    report.stages.iter().map(|stage| stage.seconds).sum::<f64>().max(slots)
}

/// Marks the stages, the judged one most.
pub(super) fn mark_stages(plot: &mut Plot, report: &Report) {
    let mut from = 0.0;
    for stage in &report.stages {
        let class = if report.is_judged(&stage.name) { "stage judged" } else { "stage" };
        plot.stretch(class, from, from + stage.seconds, &stage.name);
        from += stage.seconds;
    }
}

/// Marks where stages begin, where a shade would be taken for a figure.
pub(super) fn edge_stages(plot: &mut Plot, report: &Report) {
    let mut from = 0.0;
    for stage in &report.stages {
        plot.stretch("edge", from, from + stage.seconds, &stage.name);
        from += stage.seconds;
    }
}

/// What a slot was like, for whoever points at it.
fn hints(plot: &mut Plot, slots: &[SlotLine]) {
    let every = slots.len().div_ceil(HINTS).max(1);
    for group in slots.chunks(every) {
        // The worst of them is worth pointing at.
        let Some(slot) = group.iter().max_by_key(|slot| (slot.p95_us, slot.errors)) else { continue };
        let Some((first, last)) = group.first().zip(group.last()) else { continue };
        let mut said = format!("{}: {} requests", clock(to_f64(slot.from)), slot.count);
        for (name, us) in [("p50", slot.p50_us), ("p95", slot.p95_us), ("p99", slot.p99_us)] {
            if let Some(us) = us {
                said += &format!(", {name} {}", time(to_f64(us)));
            }
        }
        if slot.errors > 0 {
            said += &format!(", {} errors ({})", slot.errors, percent(slot.errors, slot.count));
        }
        plot.hint(to_f64(first.from), to_f64(last.from) + last.seconds, &said);
    }
}

/// A latency of so many microseconds.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a latency is positive and far below 2^53 µs"
)]
pub(super) fn time(us: f64) -> String {
    Readable(Duration::from_micros(us.max(0.0).round() as u64)).to_string()
}

fn latency(report: &Report) -> String {
    let slots = &report.timeline.slots;
    let middle = |slot: &SlotLine| to_f64(slot.from) + slot.seconds / 2.0;
    let all = slots.iter().flat_map(|slot| [slot.p50_us, slot.p95_us, slot.p99_us]).flatten().map(to_f64);
    let Some((least, most)) = ends(all) else { return String::new() };
    let mut plot = Plot::new(time_axis(lasted(report)), Axis::logarithmic(least, most, time));
    mark_stages(&mut plot, report);
    for finding in &report.findings {
        plot.stretch("missed", finding.from_s, finding.until_s, "");
    }
    for (class, read) in [
        ("c1", (|slot| slot.p50_us) as fn(&SlotLine) -> Option<u64>),
        ("c2", |slot| slot.p95_us),
        ("c3", |slot| slot.p99_us),
    ] {
        plot.line(class, slots.iter().map(|slot| (middle(slot), read(slot).map(to_f64))));
    }
    hints(&mut plot, slots);
    let worst = slots.iter().filter_map(|slot| Some((slot.p95_us.or(slot.p50_us)?, slot.from))).max();
    let worst = worst.map_or(String::new(), |(us, from)| {
        format!(" The slowest moment is at {}, with {}.", clock(to_f64(from)), time(to_f64(us)))
    });
    let width = report.timeline.slot_seconds;
    let description =
        format!("Percentiles of each {width} s from {} to {}, on a logarithmic scale.{worst}", time(least), time(most));
    Figure {
        class: "wide",
        title: "Latency over time",
        about: if report.findings.is_empty() {
            "A gap is a stretch with too few answers. The stage that is judged is darkest."
        } else {
            "Red: where a target was missed most clearly; the reason stands above. What is judged is darkest."
        },
        svg: plot.finish("latency", "Latency over time", &description),
        legend: [("c1", "p50"), ("c2", "p95"), ("c3", "p99")].map(|(class, name)| (class, name.to_owned())).to_vec(),
    }
    .render()
}

fn rate(report: &Report) -> String {
    let slots = &report.timeline.slots;
    let per_second = |count: u64, slot: &SlotLine| to_f64(count) / slot.seconds.max(1e-3);
    // A last slot of a few milliseconds says nothing of a second.
    let whole: Vec<&SlotLine> = slots.iter().filter(|slot| slot.seconds >= 0.5).collect();
    let most =
        whole.iter().map(|slot| per_second(slot.count, slot)).chain(whole.iter().filter_map(|slot| slot.offered));
    let most = most.fold(0.0, f64::max);
    let mut plot = Plot::new(time_axis(lasted(report)), Axis::linear(most, short));
    mark_stages(&mut plot, report);
    let middle = |slot: &SlotLine| to_f64(slot.from) + slot.seconds / 2.0;
    let mut legend = vec![("c1", "finished requests".to_owned()), ("err", "errors".to_owned())];
    if whole.iter().any(|slot| slot.offered.is_some()) {
        plot.line("c6", whole.iter().map(|slot| (middle(slot), slot.offered)));
        legend.push(("c6", "offered".to_owned()));
    }
    plot.line("c1", whole.iter().map(|slot| (middle(slot), Some(per_second(slot.count, slot)))));
    plot.line("err", whole.iter().map(|slot| (middle(slot), Some(per_second(slot.errors, slot)))));
    hints(&mut plot, slots);
    let errors: u64 = slots.iter().map(|slot| slot.errors).sum();
    let description = format!("At most {} requests a second; {errors} errors in all.", short(most));
    Figure {
        class: "",
        title: "Requests and errors per second",
        about: "What came back, failed or not.",
        svg: plot.finish("rate", "Requests and errors per second", &description),
        legend,
    }
    .render()
}

fn users(report: &Report) -> String {
    let slots = &report.timeline.slots;
    let count = |number: usize| to_f64(number as u64);
    let most = slots.iter().flat_map(|slot| [slot.users, slot.in_flight, slot.waiting]).max().unwrap_or(0);
    let mut plot = Plot::new(time_axis(lasted(report)), Axis::linear(count(most), short));
    mark_stages(&mut plot, report);
    let middle = |slot: &SlotLine| to_f64(slot.from) + slot.seconds / 2.0;
    plot.line("c6", slots.iter().map(|slot| (middle(slot), Some(count(slot.users)))));
    plot.line("c5", slots.iter().map(|slot| (middle(slot), Some(count(slot.in_flight)))));
    let mut legend = vec![("c6", "users".to_owned()), ("c5", "requests in flight".to_owned())];
    if slots.iter().any(|slot| slot.waiting > 0) {
        plot.line("err", slots.iter().map(|slot| (middle(slot), Some(count(slot.waiting)))));
        legend.push(("err", "arrivals that wait".to_owned()));
    }
    let in_flight = slots.iter().map(|slot| slot.in_flight).max().unwrap_or(0);
    let users = slots.iter().map(|slot| slot.users).max().unwrap_or(0);
    let description = format!("At most {users} users and {in_flight} requests in flight.");
    Figure {
        class: "",
        title: "Users and requests in flight",
        about: "Requests in flight that grow while the rate stays flat: the target has reached its limit.",
        svg: plot.finish("users", "Users and requests in flight", &description),
        legend,
    }
    .render()
}

/// The class of a line, the name of its request, and its points.
type Curve<'a> = (&'a str, &'a str, Vec<(f64, f64)>);

/// Latency by percentile: each nine takes as much room as the one before, for the tail is where users suffer.
fn curve(report: &Report) -> String {
    const CLASSES: [&str; 6] = ["c1", "c2", "c3", "c4", "c5", "c6"];
    let names = report.by_waiting();
    // With one request, it is all of them.
    let shown = if names.len() > 1 { CURVES } else { 0 };
    let names = std::iter::once(("all requests", vec![&report.total])).chain(names.into_iter().take(shown));
    let curves: Vec<Curve<'_>> = CLASSES
        .into_iter()
        .zip(names)
        .map(|(class, (name, lines))| (class, name, points(&lines)))
        .filter(|(.., points)| !points.is_empty())
        .collect();
    let Some((least, most)) = ends(curves.iter().flat_map(|(.., points)| points).map(|(_, us)| *us)) else {
        return String::new();
    };
    let far = curves.iter().flat_map(|(.., points)| points).map(|(nines, _)| *nines).fold(1.0, f64::max);
    let named = [
        (std::f64::consts::LOG10_2, "50"),
        (1.0, "90"),
        (2.0, "99"),
        (3.0, "99.9"),
        (4.0, "99.99"),
        (5.0, "99.999"),
        (6.0, "99.9999"),
    ];
    let ticks =
        named.into_iter().filter(|(nines, _)| *nines <= far).map(|(nines, label)| (nines, format!("{label} %")));
    let mut plot = Plot::new(Axis::exact(0.0, far, ticks.collect()), Axis::logarithmic(least, most, time));
    for (class, _, points) in &curves {
        plot.line(class, points.iter().map(|(nines, us)| (*nines, Some(*us))));
    }
    let description = format!(
        "From {} for the fastest request to {} for the slowest that the samples carry; each nine has the same room.",
        time(least),
        time(most)
    );
    Figure {
        class: "",
        title: "Latency by percentile",
        about: "Of what is judged: all requests, and those that users waited for most.",
        svg: plot.finish("curve", "Latency by percentile", &description),
        legend: curves.iter().map(|(class, name, _)| (*class, (*name).to_owned())).collect(),
    }
    .render()
}

/// How many nines a percentile has, and the latency there, as far as at least one request lies beyond.
fn points(lines: &[&Line]) -> Vec<(f64, f64)> {
    const A_NINE: u32 = 16;
    let histograms = lines.iter().filter_map(|line| measure::decode(&line.hdr_v2).ok());
    let sum = histograms.reduce(|mut sum, next| {
        // The histograms resize themselves, so that the addition cannot fail.
        let _ = sum.add(next);
        sum
    });
    let Some(histogram) = sum else { return Vec::new() };
    let far = to_f64(histogram.len()).log10();
    let steps = (0..).map(|step| f64::from(step) / f64::from(A_NINE)).take_while(|nines| *nines <= far + 1e-9);
    steps.map(|nines| (nines, to_f64(histogram.value_at_quantile(1.0 - 10_f64.powf(-nines))))).collect()
}

/// The least and the most of some values.
fn ends(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |ends, value| {
        Some(ends.map_or((value, value), |(least, most): (f64, f64)| (least.min(value), most.max(value))))
    })
}
