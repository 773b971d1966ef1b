//! Logs to stderr: one line an event, as text for people or JSON for collectors of logs, in UTC.
//! Other crates are heard from warnings on only: what they say at `info` is about themselves.

use crate::clock::{self, Utc};
use crate::node::did_you_mean;
use std::fmt;
use std::str::FromStr;
use tracing::level_filters::LevelFilter;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

/// The least urgent events that are logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Level(LevelFilter);

impl Default for Level {
    fn default() -> Self {
        Self(LevelFilter::INFO)
    }
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let levels = ["error", "warn", "info", "debug", "trace"];
        match text.to_ascii_lowercase().as_str() {
            "error" => Ok(Self(LevelFilter::ERROR)),
            "warn" | "warning" => Ok(Self(LevelFilter::WARN)),
            "info" => Ok(Self(LevelFilter::INFO)),
            "debug" => Ok(Self(LevelFilter::DEBUG)),
            "trace" => Ok(Self(LevelFilter::TRACE)),
            _ => Err(format!("unknown level `{text}`, {}", did_you_mean(text, "levels", &levels))),
        }
    }
}

/// The form of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Format {
    /// `2026-11-21T06:17:09.123Z INFO  check is down check=db reason=refused`.
    #[default]
    Text,
    /// The same as one JSON object.
    Json,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(format!("unknown log format `{text}`, {}", did_you_mean(text, "formats", &["text", "json"]))),
        }
    }
}

/// Starts logging for the whole process. A second call changes nothing.
pub(super) fn start(Level(level): Level, format: Format) {
    let ours = filter_fn(move |event: &Metadata<'_>| {
        let own = event.target() == "agent" || event.target().starts_with("agent::");
        if own { *event.level() <= level } else { *event.level() <= tracing::Level::WARN && level >= LevelFilter::WARN }
    });
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    let registry = tracing_subscriber::registry();
    let _ = match format {
        Format::Text => registry.with(lines.event_format(Line).with_filter(ours)).try_init(),
        Format::Json => {
            let json = lines.json().flatten_event(true).with_current_span(false).with_span_list(false);
            registry.with(json.with_target(false).with_timer(Time).with_filter(ours)).try_init()
        }
    };
}

/// The text form: time, level, sentence, fields.
struct Line;

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        Time.format_time(&mut writer)?;
        write!(writer, " {:<5} ", event.metadata().level().as_str())?;
        context.field_format().format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}

/// The time in UTC, to the millisecond.
struct Time;

impl FormatTime for Time {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        writer.write_str(&Utc::of(clock::wall()).milliseconds())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_level_or_format_names_the_known_ones() {
        assert_eq!("WARN".parse::<Level>(), Ok(Level(LevelFilter::WARN)));
        insta::assert_snapshot!("inof".parse::<Level>().unwrap_err(), @"unknown level `inof`, did you mean `info`? known levels: error, warn, info, debug, trace");
        insta::assert_snapshot!("yaml".parse::<Format>().unwrap_err(), @"unknown log format `yaml`, known formats: text, json");
    }
}
