//! The units of figures in targets and reports: how a limit in one is written, and how a figure is said.

use super::Readable;

/// What a figure is measured in, and so how a limit is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Microseconds; written `300ms` or `2s`.
    Time,
    /// A share from 0 to 1; written `1%`.
    Share,
    /// A rate per second; written `150/s`.
    Rate,
    /// A plain number; written `3`.
    Count,
}

impl Unit {
    /// How a limit in this unit is written.
    #[must_use]
    pub const fn example(self) -> &'static str {
        match self {
            Self::Time => "`300ms` or `2s`",
            Self::Share => "`1%`",
            Self::Rate => "`150/s`",
            Self::Count => "`3`",
        }
    }

    /// A figure in this unit, for people.
    #[must_use]
    pub fn say(self, figure: f64) -> String {
        match self {
            Self::Time => Readable(micros(figure)).to_string(),
            Self::Share => format!("{} %", short(figure * 100.0)),
            Self::Rate => format!("{}/s", short(figure)),
            Self::Count => short(figure),
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a latency is positive and far below 2^53 µs"
)]
fn micros(figure: f64) -> std::time::Duration {
    std::time::Duration::from_micros(figure.max(0.0).round() as u64)
}

/// Enough digits to tell neighbours apart: `0.03`, `4.2`, `173`.
pub(crate) fn short(value: f64) -> String {
    let digits = match value.abs() {
        v if v >= 100.0 => 0,
        v if v >= 1.0 => 1,
        _ => 2,
    };
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}
