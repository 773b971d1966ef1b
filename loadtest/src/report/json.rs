//! The report as JSON, and a report read back from it. What must stay true: what is written reads back as the same report, and a
//! file that is none is refused with what it is instead.

use super::{EndingKind, EndingLine, Report};
use crate::baseline::Baseline;
use crate::limits::REPORT_BYTES;
use crate::measure::{self, Generator, Row, Summary};
use crate::problem::{Problem, why};
use crate::targets::Ending;
use serde_json::Value;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

/// The version of the schema that this program writes and reads.
pub const VERSION: u32 = 1;

/// The published schema of the report.
pub const SCHEMA: &str = include_str!("../../report.schema.json");

/// The report as JSON, with a newline at the end.
#[must_use]
pub fn render(report: &Report) -> String {
    // Nothing in a report can fail to be written: its keys are texts and its figures finite.
    serde_json::to_string_pretty(report).map(|json| json + "\n").unwrap_or_default()
}

/// Reads the report of an earlier run.
///
/// # Errors
/// When the file cannot be read or is no report that this program knows; `place` says who named it.
pub fn read(path: &Path, place: &str) -> Result<Report, Problem> {
    let shown = path.display();
    let refuse = |what: String, hint: &str| Problem::new(what).at(place).hint(hint);
    let mut text = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(REPORT_BYTES + 1).read_to_end(&mut text))
        .map_err(|error| refuse(format!("cannot read the report `{shown}`: {}", why(&error)), NAME))?;
    if text.len() as u64 > REPORT_BYTES {
        return Err(refuse(format!("`{shown}` is larger than {} MiB: no report is", REPORT_BYTES >> 20), NAME));
    }
    if text.iter().all(u8::is_ascii_whitespace) {
        let hint = "the run that should have written it was killed, or is still going on";
        return Err(refuse(format!("the report `{shown}` is empty"), hint));
    }
    let json: Value =
        serde_json::from_slice(&text).map_err(|error| refuse(format!("`{shown}` is not JSON: {error}"), NAME))?;
    parse(json).map_err(|Foreign { what, hint }| refuse(format!("`{shown}` {what}"), hint))
}

const NAME: &str = "name a file that `loadtest … --json FILE` or `--save-baseline FILE` wrote";

const WHOLE: &str = "only a whole report can be judged again or compared; run again with `--json`";

/// Why a JSON text is no report.
struct Foreign {
    what: String,
    hint: &'static str,
}

fn parse(json: Value) -> Result<Report, Foreign> {
    let foreign = |what: &str| Foreign { what: what.to_owned(), hint: NAME };
    if json.get("plan_hash").is_none() || json.get("verdict").is_none() {
        return Err(foreign("is JSON, but no report of a load test: it has no `verdict` and `plan_hash`"));
    }
    match json.get("version").and_then(Value::as_u64) {
        Some(version) if version == u64::from(VERSION) => {}
        Some(version) => {
            let what = format!("is a report of version {version}; this loadtest reads version {VERSION}");
            return Err(Foreign { what, hint: "use the loadtest that wrote it, or run again" });
        }
        None => return Err(foreign("has no `version`: it is no report of a load test")),
    }
    serde_json::from_value(json).map_err(|error| foreign(&format!("is no whole report: {error}")))
}

impl Report {
    /// The measurements behind the report, as exact as they were.
    ///
    /// # Errors
    /// When a histogram is missing or damaged; says which. `shown` names the file.
    pub fn summary(&self, shown: &str) -> Result<Summary, Problem> {
        let rows = self
            .requests
            .iter()
            .map(|line| line.row(shown, self.lasted(line)))
            .collect::<Result<Vec<Row>, Problem>>()?;
        let damaged =
            |error| Problem::new(format!("the `timeline.requests` of the report `{shown}` {error}")).hint(WHOLE);
        let timeline = self.timeline.restored().map_err(damaged)?;
        let of = &self.generator;
        Ok(Summary {
            rows,
            elapsed: Duration::from_secs_f64(self.stages.iter().map(|stage| stage.seconds.max(0.0)).sum()),
            users: 0,
            in_flight: 0,
            oldest_in_flight: Duration::ZERO,
            generator: Generator {
                cpu_us_per_request: of.cpu_us_per_request,
                cpu_used_ratio: of.cpu_used_ratio,
                late: of.late.unwrap_or_default(),
                lost_ratio: of.lost_ratio,
                saturated: of.saturated,
            },
            arrivals: self.arrivals,
            timeline,
        })
    }
}

impl Report {
    /// The time over which a line's requests were counted; reports written before the line said so have their stage's.
    fn lasted(&self, line: &super::Line) -> Duration {
        let stage = self.stages.iter().find(|stage| stage.name == line.stage).map_or(0.0, |stage| stage.seconds);
        let seconds = if line.seconds > 0.0 { line.seconds } else { stage };
        Duration::from_secs_f64(seconds.clamp(0.0, 1e9))
    }
}

impl super::Line {
    fn row(&self, shown: &str, over: Duration) -> Result<Row, Problem> {
        let refuse = |what: &str| {
            let which = format!("`{}` of the stage `{}`", self.name, self.stage);
            Problem::new(format!("{what} of {which} in the report `{shown}`")).hint(WHOLE)
        };
        if self.hdr_v2.is_empty() {
            return Err(refuse("there is no histogram `hdr_v2`"));
        }
        let latencies =
            measure::decode(&self.hdr_v2).map_err(|error| refuse(&format!("{error}; it is the `hdr_v2`")))?;
        if latencies.len() < self.count {
            return Err(refuse("the histogram holds fewer requests than the `count`"));
        }
        Ok(Row {
            name: self.name.clone(),
            stage: self.stage.clone(),
            count: self.count,
            unanswered: 0,
            errors_by: self.errors_by.clone(),
            example: self.example.clone(),
            latencies,
            bytes: self.bytes,
            http2: self.http2.unwrap_or(0),
            over,
        })
    }
}

impl Report {
    /// The report as a baseline. `shown` names its file.
    ///
    /// # Errors
    /// When nothing can be compared with it, and why.
    pub fn as_baseline(&self, shown: &str) -> Result<Baseline, Problem> {
        let why = match self.ending.kind {
            EndingKind::Complete if self.total.count == 0 => Some("it has no requests".to_owned()),
            EndingKind::Complete if self.generator.saturated => {
                Some("its load generator was the bottleneck".to_owned())
            }
            EndingKind::Complete => None,
            _ => Some(format!("the run did not reach its end: {}", self.ending.why.as_deref().unwrap_or("stopped"))),
        };
        if let Some(why) = why {
            let hint = "take a run that reached its end; `--save-baseline FILE` saves no other";
            return Err(Problem::new(format!("`{shown}` is no baseline: {why}")).hint(hint));
        }
        let rows = self.summary(shown)?.rows.into_iter().filter(|row| self.is_judged(&row.stage)).collect();
        Ok(Baseline { started: self.started.clone(), stage: self.judged.clone(), rows })
    }
}

impl From<&EndingLine> for Ending {
    fn from(line: &EndingLine) -> Self {
        let why = line.why.clone().unwrap_or_default();
        match line.kind {
            EndingKind::Complete => Self::Complete,
            EndingKind::GivenUp => Self::GivenUp(why),
            EndingKind::Aborted => Self::Aborted(why),
            EndingKind::Signal => match why.as_str() {
                "SIGINT" => Self::Signal("SIGINT", 2),
                "SIGHUP" => Self::Signal("SIGHUP", 1),
                _ => Self::Signal("SIGTERM", 15),
            },
        }
    }
}
