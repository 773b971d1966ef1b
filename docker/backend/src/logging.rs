//! Owns how the log looks. Lines go to stderr; stdout carries only the address that the service listens on.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt;

/// The two shapes of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a line, for collectors.
    Json,
}

/// What the environment says about the log.
#[derive(Clone, Copy, Debug)]
pub struct LogSettings {
    /// `LOG_FORMAT`.
    pub format: Format,
    /// `LOG_LEVEL`.
    pub level: LevelFilter,
}

/// Installs the subscriber. A second call (tests in one process) changes nothing.
pub fn start(settings: &LogSettings) {
    let builder = fmt().with_max_level(settings.level).with_writer(std::io::stderr).with_target(false);
    let installed = match settings.format {
        Format::Text => tracing::subscriber::set_global_default(builder.with_ansi(false).finish()),
        Format::Json => tracing::subscriber::set_global_default(builder.json().flatten_event(true).finish()),
    };
    if installed.is_err() {
        tracing::debug!("a log subscriber is already installed");
    }
}
