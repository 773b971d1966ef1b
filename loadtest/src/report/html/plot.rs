//! The frame of a plot: axes that a person can read, a scale, and the SVG around what is drawn in it. Coordinates are those of a
//! drawing 640 wide; the style sheet scales its text to the screen. Pure.

use crate::report::escape::xml;
use std::fmt::Write;

/// Width and height of a drawing.
pub(super) const SIZE: (f64, f64) = (640.0, 260.0);
/// Room for the labels of the axes, left and below, and for the names of stages above.
const LEFT: f64 = 74.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 30.0;

/// An axis: how its values lie on it, and the values that are written at it.
pub(super) struct Axis {
    least: f64,
    most: f64,
    logarithmic: bool,
    /// Value and label.
    pub(super) ticks: Vec<(f64, String)>,
}

impl Axis {
    /// A linear axis from 0 to a round number at or above `most`.
    pub(super) fn linear(most: f64, say: impl Fn(f64) -> String) -> Self {
        let step = round_up(most.max(1e-9) / 4.0);
        let steps = (most / step).ceil().max(1.0);
        let ticks = (0..=4_u8).map(f64::from).filter(|tick| *tick <= steps).map(|tick| (tick * step, say(tick * step)));
        Self { least: 0.0, most: step * steps, logarithmic: false, ticks: ticks.collect() }
    }

    /// A linear axis over exactly this range, with the given ticks.
    pub(super) const fn exact(least: f64, most: f64, ticks: Vec<(f64, String)>) -> Self {
        Self { least, most, logarithmic: false, ticks }
    }

    /// A logarithmic axis around these positive values.
    pub(super) fn logarithmic(least: f64, most: f64, say: impl Fn(f64) -> String) -> Self {
        let (least, most) = (least.max(1.0), most.max(least).max(1.0) * 1.05);
        let decades = (most / least).log10();
        let steps: &[f64] = if decades > 3.0 {
            &[1.0]
        } else if decades > 1.2 {
            &[1.0, 3.0]
        } else {
            &[1.0, 1.5, 2.0, 3.0, 5.0, 7.0]
        };
        let mut bounds: Vec<f64> = Vec::new();
        let mut decade = 10_f64.powf(least.log10().floor());
        while decade <= most * 10.0 {
            bounds.extend(steps.iter().map(|step| step * decade));
            decade *= 10.0;
        }
        // The axis begins and ends at the ticks around the values.
        let low = bounds.iter().copied().rfind(|bound| *bound <= least).unwrap_or(least);
        let high = bounds.iter().copied().find(|bound| *bound >= most).unwrap_or(most);
        let ticks = bounds.into_iter().filter(|bound| (low..=high).contains(bound)).map(|bound| (bound, say(bound)));
        Self { least: low, most: high, logarithmic: true, ticks: ticks.collect() }
    }

    /// Where a value lies, 0 to 1.
    pub(super) fn share(&self, value: f64) -> f64 {
        let (least, most, value) = if self.logarithmic {
            (self.least.ln(), self.most.ln(), value.max(self.least).ln())
        } else {
            (self.least, self.most, value)
        };
        if most > least { ((value - least) / (most - least)).clamp(0.0, 1.0) } else { 0.0 }
    }
}

/// The next of 1, 2, 2.5, 5, 10 … at or above a number.
fn round_up(value: f64) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().find(|step| step * power >= value * 0.999_999);
    step.unwrap_or(10.0) * power
}

/// A plot under construction.
pub(super) struct Plot {
    x: Axis,
    y: Axis,
    body: String,
}

impl Plot {
    /// An empty one.
    pub(super) const fn new(x: Axis, y: Axis) -> Self {
        Self { x, y, body: String::new() }
    }

    /// Where a value of the horizontal axis is drawn.
    pub(super) fn at_x(&self, value: f64) -> f64 {
        LEFT + self.x.share(value) * (SIZE.0 - LEFT - RIGHT)
    }

    /// Where a value of the vertical axis is drawn.
    pub(super) fn at_y(&self, value: f64) -> f64 {
        SIZE.1 - BOTTOM - self.y.share(value) * (SIZE.1 - TOP - BOTTOM)
    }

    /// Draws something as it stands.
    pub(super) fn draw(&mut self, svg: &str) {
        self.body += svg;
    }

    /// A line through points; where there is none it has a gap, and a point alone becomes a dot.
    pub(super) fn line(&mut self, class: &str, points: impl IntoIterator<Item = (f64, Option<f64>)>) {
        let (mut path, mut pen_down) = (String::new(), false);
        for (x, y) in points {
            let Some(y) = y else {
                pen_down = false;
                continue;
            };
            let (x, y) = (self.at_x(x), self.at_y(y));
            // A line to where it is: the round cap makes a point alone visible.
            let _ = if pen_down { write!(path, "L{x:.1} {y:.1}") } else { write!(path, "M{x:.1} {y:.1}h.1") };
            pen_down = true;
        }
        if !path.is_empty() {
            let _ = write!(self.body, "<path class=\"line {class}\" d=\"{path}\"/>");
        }
    }

    /// A stretch of the horizontal axis from top to bottom, with its name above where there is room.
    pub(super) fn stretch(&mut self, class: &str, from: f64, until: f64, name: &str) {
        let (left, right) = (self.at_x(from), self.at_x(until));
        let (width, height) = ((right - left).max(0.5), SIZE.1 - TOP - BOTTOM);
        let name_fits = width > 40.0;
        let _ = write!(
            self.body,
            "<rect class=\"{class}\" x=\"{left:.1}\" y=\"{TOP}\" width=\"{width:.1}\" height=\"{height}\"/>"
        );
        if name_fits && !name.is_empty() {
            let _ = write!(
                self.body,
                "<text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                left + 3.0,
                TOP - 6.0,
                xml(&cut(name, width))
            );
        }
    }

    /// A line at one value, from side to side.
    pub(super) fn level(&mut self, class: &str, value: f64) {
        let y = self.at_y(value);
        let _ = write!(self.body, "<path class=\"line {class}\" d=\"M{LEFT} {y:.1}H{}\"/>", SIZE.0 - RIGHT);
    }

    /// A line at one moment, from top to bottom.
    pub(super) fn moment(&mut self, class: &str, at: f64) {
        let x = self.at_x(at);
        let _ = write!(self.body, "<path class=\"line {class}\" d=\"M{x:.1} {TOP}V{}\"/>", SIZE.1 - BOTTOM);
    }

    /// What a pointer that rests on a stretch is told.
    pub(super) fn hint(&mut self, from: f64, until: f64, text: &str) {
        let (left, right) = (self.at_x(from), self.at_x(until));
        let (width, height) = ((right - left).max(0.5), SIZE.1 - TOP - BOTTOM);
        let _ = write!(
            self.body,
            "<rect class=\"hit\" x=\"{left:.1}\" y=\"{TOP}\" width=\"{width:.1}\" height=\"{height}\"><title>{}</title></rect>",
            xml(text)
        );
    }

    /// The whole drawing: grid and labels, what was drawn, and for those who cannot see it a title and a description.
    pub(super) fn finish(self, id: &str, title: &str, description: &str) -> String {
        let (width, height) = SIZE;
        let (right, bottom) = (width - RIGHT, height - BOTTOM);
        let mut svg = format!(
            "<svg class=\"plot\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\">\
             <title id=\"{id}-t\">{}</title><desc id=\"{id}-d\">{}</desc>",
            xml(title),
            xml(description)
        );
        for (value, label) in &self.y.ticks {
            let y = self.at_y(*value);
            let _ = write!(
                svg,
                "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{right}\"/><text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                LEFT - 6.0,
                y + 4.0,
                xml(label)
            );
        }
        for (value, label) in &self.x.ticks {
            let x = self.at_x(*value);
            // The first and the last label stay within the drawing.
            let anchor = if x < LEFT + 20.0 {
                "start"
            } else if x > right - 20.0 {
                "end"
            } else {
                "middle"
            };
            let _ = write!(
                svg,
                "<path class=\"axis\" d=\"M{x:.1} {bottom}v5\"/><text x=\"{x:.1}\" y=\"{}\" text-anchor=\"{anchor}\">{}</text>",
                height - 8.0,
                xml(label)
            );
        }
        let _ = write!(svg, "<path class=\"axis\" d=\"M{LEFT} {TOP}V{bottom}H{right}\"/>{}</svg>", self.body);
        svg
    }
}

/// A name cut to a width: a character is about 9 wide at the size of a small screen.
fn cut(name: &str, width: f64) -> String {
    let room = ((width - 6.0) / 9.0).max(1.0);
    let fits = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX)) <= room;
    let count = name.chars().count();
    if fits(count) {
        return name.to_owned();
    }
    let most = (0..count).rev().find(|count| fits(count + 1)).unwrap_or(0);
    name.chars().take(most).chain(['…']).collect()
}

/// A time since the start of the run: `0:05`, `12:30`, `1:05:00`.
pub(super) fn clock(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a run lasts at most weeks")]
    let whole = seconds.max(0.0).round() as u64;
    let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// An axis of time, from 0 to the end of the run.
pub(super) fn time_axis(seconds: f64) -> Axis {
    const STEPS: [f64; 18] = [
        1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 14_400.0, 28_800.0,
        86_400.0, 172_800.0,
    ];
    let seconds = seconds.max(1.0);
    let step = STEPS.into_iter().find(|step| seconds / step <= 6.0).unwrap_or(172_800.0);
    let ticks =
        (0..8_u8).map(|tick| f64::from(tick) * step).filter(|tick| *tick <= seconds).map(|tick| (tick, clock(tick)));
    Axis::exact(0.0, seconds, ticks.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> String {
        axis.ticks.iter().map(|(_, label)| label.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn an_axis_has_few_round_ticks_around_its_values() {
        let say = |value: f64| format!("{value}");
        assert_eq!(labels(&Axis::linear(0.0, say)), "0 0.00000000025");
        assert_eq!(labels(&Axis::linear(97.0, say)), "0 25 50 75 100");
        assert_eq!(labels(&Axis::linear(101.0, say)), "0 50 100 150");
        assert_eq!(labels(&Axis::logarithmic(900.0, 90_000.0, say)), "300 1000 3000 10000 30000 100000");
        assert_eq!(labels(&Axis::logarithmic(2000.0, 2000.0, say)), "2000 3000");
        assert_eq!(labels(&Axis::logarithmic(100.0, 9_000_000.0, say)), "100 1000 10000 100000 1000000 10000000");
        assert_eq!(labels(&time_axis(75.0)), "0:00 0:15 0:30 0:45 1:00 1:15");
        assert_eq!(labels(&time_axis(0.2)), "0:00 0:01");
    }

    #[test]
    fn every_value_lies_within_the_frame() {
        let plot = Plot::new(time_axis(60.0), Axis::logarithmic(1000.0, 50_000.0, |value| value.to_string()));
        for value in [-5.0, 0.0, 30.0, 60.0, 1e9, f64::NAN] {
            let (x, y) = (plot.at_x(value), plot.at_y(value));
            assert!(!(x < LEFT || x > SIZE.0 - RIGHT || y < TOP || y > SIZE.1 - BOTTOM), "{value}: {x} {y}");
        }
    }
}
