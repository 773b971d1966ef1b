//! A report as text for people, JSON for programs, JUnit for CI. Pure: nothing is decided here.

mod json;
mod junit;
#[cfg(test)]
mod tests;
mod text;

use super::report::Report;
use crate::node::did_you_mean;
use crate::paint::Paint;
use std::str::FromStr;

/// The form of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
    /// For CI.
    Junit,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            "junit" => Ok(Self::Junit),
            _ => Err(format!("unknown format `{text}`, {}", did_you_mean(text, "formats", &["text", "json", "junit"]))),
        }
    }
}

/// The report in that form, ending in a line break; `paint` colours the text form only.
#[must_use]
pub fn render(report: &Report, format: Format, paint: Paint) -> String {
    match format {
        Format::Text => text::render(report, paint),
        Format::Json => json::render(report),
        Format::Junit => junit::render(report),
    }
}

/// `1 error`, `2 errors`.
#[must_use]
pub fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
