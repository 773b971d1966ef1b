//! How latencies are spread over time: a column a stretch of time, a row a band of latency, darker where more requests lie. It shows
//! what percentiles hide: two crowds, a few very slow ones, a pause. Pure.

use super::charts::{edge_stages, figure, lasted, time};
use super::plot::{Axis, Plot, time_axis};
use crate::limits::HEAT_COLUMNS;
use crate::report::Report;
use crate::targets::to_f64;
use std::fmt::Write;

/// Shades of a cell; the eye tells no more apart.
const SHADES: usize = 8;

/// The map; empty without the figures for it.
pub(super) fn render(report: &Report) -> String {
    let (slots, bands) = (&report.timeline.slots, &report.timeline.bands_us);
    let (Some(lowest), Some(highest)) = (bands.first(), bands.last()) else { return String::new() };
    // The last band is open: it is drawn as high as the others.
    let end = to_f64(*highest) * 1.6;
    let mut plot = Plot::new(time_axis(lasted(report)), Axis::logarithmic(to_f64((*lowest).max(1)), end / 1.05, time));
    let every = slots.len().div_ceil(HEAT_COLUMNS).max(1);
    let columns: Vec<(f64, f64, Vec<u64>)> = slots
        .chunks(every)
        .filter_map(|group| {
            let (first, last) = group.first().zip(group.last())?;
            let sum = |band: usize| group.iter().filter_map(|slot| slot.heat.get(band)).sum();
            Some((to_f64(first.from), to_f64(last.from) + last.seconds, (0..bands.len()).map(sum).collect()))
        })
        .collect();
    let most = columns.iter().flat_map(|(.., counts)| counts).copied().max().unwrap_or(0);
    if most == 0 {
        return String::new();
    }
    let mut shades = vec![String::new(); SHADES];
    for (from, until, counts) in &columns {
        for (index, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let low = bands.get(index).copied().map_or(1.0, to_f64);
            let high = bands.get(index + 1).copied().map_or(end, to_f64);
            let (left, right) = (plot.at_x(*from), plot.at_x(*until));
            let (top, bottom) = (plot.at_y(high), plot.at_y(low));
            if let Some(path) = shades.get_mut(shade(*count, most)) {
                let _ = write!(path, "M{left:.1} {top:.1}H{right:.1}V{bottom:.1}H{left:.1}z");
            }
        }
    }
    for (level, path) in shades.iter().enumerate().filter(|(_, path)| !path.is_empty()) {
        let opacity = to_f64(level as u64 + 1) / to_f64(SHADES as u64);
        plot.draw(&format!("<path class=\"cell\" fill-opacity=\"{opacity:.2}\" d=\"{path}\"/>"));
    }
    edge_stages(&mut plot, report);
    let description = format!(
        "Requests by time and latency, from {} to {}; at most {most} in one cell.",
        time(to_f64(*lowest)),
        time(to_f64(*highest))
    );
    let svg = plot.finish("heat", "Heat map of latency", &description);
    figure("", "Heat map of latency", "Darker: more requests of that latency at that time.", &svg, &[])
}

/// The shade of a cell: by the root, or a few slow requests would be invisible beside the many.
fn shade(count: u64, most: u64) -> usize {
    let share = (to_f64(count) / to_f64(most.max(1))).sqrt();
    (1..SHADES).rev().find(|level| share * to_f64(SHADES as u64) > to_f64(*level as u64)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_request_is_visible_and_the_most_are_darkest() {
        assert_eq!([0, 1, 16, 100, 900, 1000].map(|count| shade(count, 1000)), [0, 0, 1, 2, 7, 7]);
        assert_eq!(shade(1, 1), 7);
    }
}
