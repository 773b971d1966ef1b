//! `loadtest smoke`: every journey once, in order, with Hurl's own outcome, shown as a test runner would. A WebSocket's opening and its round
//! trips are entries of their own.
//!
//! Owns the text and the JSON of it. Knows neither load nor the command line. What must stay true: both say the same,
//! for both render one [`Report`]; and no text leaves it that has not been cleaned of secrets.

mod socket;

use crate::http::{Network, Transport};
use crate::journey::{Act, Entry, Exchange, Fault, Journey, Observer, Outcome, PageLoad, Session, run_entry};
use serde::Serialize;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Duration;

/// What a smoke test needs besides the journeys.
pub struct Setting<'a> {
    /// Makes the user of one journey.
    pub session: &'a mut (dyn FnMut() -> Session + Send),
    /// Makes the connections of one journey.
    pub connect: &'a mut (dyn FnMut() -> Box<dyn Transport> + Send),
    /// Where WebSockets are opened.
    pub network: &'a Network,
    /// Cleans a text of secrets.
    pub clean: &'a (dyn Fn(&str) -> String + Sync),
}

/// What came out; the JSON of `--json`.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Version of this form.
    pub version: u32,
    /// Whether all passed.
    pub passed: bool,
    /// The journeys, in order.
    pub journeys: Vec<JourneyReport>,
    /// Why the plan's setup failed; then no journey was run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub setup: Option<String>,
    /// Why the plan's teardown failed; the journeys count all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub teardown: Option<String>,
}

/// One journey.
#[derive(Debug, Serialize)]
pub struct JourneyReport {
    /// Its name.
    pub name: String,
    /// Whether it passed.
    pub passed: bool,
    /// Its entries as far as they were run.
    pub entries: Vec<EntryReport>,
}

/// One entry.
#[derive(Debug, Default, Serialize)]
pub struct EntryReport {
    /// The request's name.
    pub name: String,
    /// The file.
    pub file: String,
    /// The line of the request.
    pub line: u32,
    /// Whether it passed; a skipped one did.
    pub passed: bool,
    /// Whether it was left out.
    pub skipped: bool,
    /// Attempts, with repetitions and retries.
    pub attempts: usize,
    /// The last status.
    pub status: Option<u16>,
    /// All exchanges of the entry, in microseconds.
    pub duration_us: u64,
    /// What came with a page; absent for other entries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<PageLoad>,
    /// What was wrong.
    pub failures: Vec<Failure>,
}

/// One thing that was wrong.
#[derive(Debug, Serialize)]
pub struct Failure {
    /// `assert` where an assert failed (Hurl's exit 4), `error` where the entry could not be carried out (exit 3).
    pub kind: &'static str,
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
    /// In one line.
    pub message: String,
    /// With the place and its text.
    #[serde(skip)]
    pub text: String,
}

impl Report {
    /// Nothing was run, for the setup failed.
    #[must_use]
    pub const fn without_setup(why: String) -> Self {
        Self { version: 1, passed: false, journeys: Vec::new(), setup: Some(why), teardown: None }
    }

    /// The exit code: 0 when all passed, else 1.
    #[must_use]
    pub const fn exit(&self) -> u8 {
        if self.passed { 0 } else { 1 }
    }
}

/// Adds up what an entry's exchanges took.
#[derive(Default)]
struct Watch {
    status: Option<u16>,
    time: Duration,
    page: Option<PageLoad>,
}

impl Observer for Watch {
    fn exchange(&mut self, exchange: &Exchange<'_>) {
        self.status = exchange.status;
        self.page = exchange.page;
        self.time += exchange.timings.unwrap_or_default().total;
    }
}

/// Runs the journeys, telling of each entry as it ends.
///
/// # Errors
/// When `out` cannot be written to.
pub async fn smoke(
    journeys: impl IntoIterator<Item = &Journey>,
    mut setting: Setting<'_>,
    out: &mut (dyn Write + Send),
) -> io::Result<Report> {
    let mut reports = vec![];
    for journey in journeys {
        writeln!(out, "{}", journey.name)?;
        reports.push(run(journey, &mut setting, out).await?);
    }
    let passed = reports.iter().all(|journey| journey.passed);
    let report = Report { version: 1, passed, journeys: reports, setup: None, teardown: None };
    writeln!(out, "{}", total(&report))?;
    Ok(report)
}

async fn run(journey: &Journey, setting: &mut Setting<'_>, out: &mut (dyn Write + Send)) -> io::Result<JourneyReport> {
    let mut session = (setting.session)();
    let mut transport = (setting.connect)();
    let mut report = JourneyReport { name: journey.name.clone(), passed: true, entries: vec![] };
    for act in journey.acts() {
        let entries = match act {
            Act::Entry(entry) => vec![entry_once(entry, &mut session, &mut *transport, setting.clean).await],
            Act::WebSocket(step) => socket::once(step, &mut session, setting.network, setting.clean).await,
        };
        for one in entries {
            write!(out, "{}", line(&one))?;
            report.passed &= one.passed;
            report.entries.push(one);
        }
        if !report.passed {
            break;
        }
    }
    Ok(report)
}

async fn entry_once(
    entry: &Entry,
    session: &mut Session,
    transport: &mut dyn Transport,
    clean: &(dyn Fn(&str) -> String + Sync),
) -> EntryReport {
    let mut watch = Watch::default();
    let outcome = run_entry(entry, session, transport, &mut watch).await;
    describe(entry, &outcome, &watch, &|text: &str| clean(&session.redact(text)))
}

fn describe(entry: &Entry, outcome: &Outcome, watch: &Watch, clean: &dyn Fn(&str) -> String) -> EntryReport {
    EntryReport {
        name: entry.name.clone(),
        file: entry.source.name.clone(),
        line: entry.span.line,
        passed: outcome.passed(),
        skipped: outcome.skipped,
        attempts: outcome.attempts,
        status: watch.status,
        duration_us: crate::units::micros(watch.time),
        page: watch.page,
        failures: outcome
            .faults
            .iter()
            .map(|fault| failure(fault, &fault.problem(&entry.source).to_string(), clean))
            .collect(),
    }
}

fn failure(fault: &Fault, text: &str, clean: &dyn Fn(&str) -> String) -> Failure {
    Failure {
        kind: if fault.is_assert { "assert" } else { "error" },
        line: fault.span.line,
        column: fault.span.column,
        message: clean(&fault.summary()),
        text: clean(text),
    }
}

fn line(entry: &EntryReport) -> String {
    let outcome = match (entry.skipped, entry.passed) {
        (true, _) => "skipped",
        (false, true) => "passed ",
        (false, false) => "FAILED ",
    };
    let mut line = format!("  {outcome}  {}", entry.name);
    if let Some(status) = entry.status {
        let _ = write!(line, "  ({status}, {} ms", entry.duration_us.div_ceil(1000));
        line.extend(entry.page.map(|page| format!(", {page}")));
        line.push_str(&if entry.attempts > 1 { format!(", {} attempts)", entry.attempts) } else { ")".to_owned() });
    } else if entry.passed && !entry.skipped {
        // Only what is said on a WebSocket that is open has no status.
        let trips = if entry.attempts == 1 { "round trip" } else { "round trips" };
        let _ = write!(line, "  ({} {trips}, {} ms)", entry.attempts, entry.duration_us.div_ceil(1000));
    }
    line.push('\n');
    for failure in &entry.failures {
        let _ = writeln!(line, "{}", failure.text);
    }
    line
}

fn total(report: &Report) -> String {
    let entries = || report.journeys.iter().flat_map(|journey| &journey.entries);
    let failed = entries().filter(|entry| !entry.passed).count();
    let skipped = entries().filter(|entry| entry.skipped).count();
    let passed = entries().count() - failed - skipped;
    let mut total = format!("{passed} passed, {failed} failed");
    if skipped > 0 {
        let _ = write!(total, ", {skipped} skipped");
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{HttpVersion, Request, Response, Timings, TransportError};
    use crate::journey::{self, Step, Value};
    use futures_util::FutureExt as _;
    use futures_util::future::BoxFuture;
    use std::collections::HashMap;
    use std::path::Path;
    use std::sync::Arc;

    /// Answers every request with its path as the status, 10 ms later.
    struct Mirror;

    impl Transport for Mirror {
        fn send(&mut self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
            let status = request.url.path().trim_start_matches('/').parse().unwrap_or(0);
            let timings = Timings { total: Duration::from_millis(10), ..Timings::default() };
            let (version, body) = (HttpVersion::Http11, request.body);
            let response = Response {
                version,
                status,
                headers: crate::http::Fields::default(),
                body,
                address: None,
                certificate: None,
                timings,
            };
            async move { if status == 0 { Err(TransportError::Refused("h:80".to_owned())) } else { Ok(response) } }
                .boxed()
        }
    }

    fn run(texts: &[&str]) -> (Report, String) {
        let journey = |(index, text): (usize, &&str)| Journey {
            name: format!("j{index}"),
            steps: vec![Step::File(journey::parse("j.hurl", text, Path::new("")).unwrap())],
        };
        let journeys: Vec<Journey> = texts.iter().enumerate().map(journey).collect();
        let mut out = vec![];
        let variables = Arc::new(HashMap::from([("pw".to_owned(), Value::String("hunter2".to_owned()))]));
        let setting = Setting {
            session: &mut || Session::new(Arc::clone(&variables), Arc::default()),
            connect: &mut || Box::new(Mirror),
            network: &Network::default(),
            clean: &|text: &str| text.replace("hunter2", "***"),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let report = runtime.block_on(smoke(&journeys, setting, &mut out)).unwrap();
        (report, String::from_utf8(out).unwrap())
    }

    #[test]
    fn failures_show_the_place_and_the_rest_of_the_journey_is_left_out() {
        let first = "# @name log in\nPOST http://h/500\n`{{pw}}`\nHTTP *\n[Asserts]\nstatus == 200\nbody == \"x\"\n\nGET http://h/200\n";
        let second = "GET http://h/200\nHTTP 200\n\nGET http://h/201\n[Options]\nskip: true\n\nGET http://h/dead\n";
        let (report, text) = run(&[first, second]);
        assert_eq!(report.exit(), 1);
        insta::assert_snapshot!(text, @r#"
        j0
          FAILED   log in  (500, 10 ms)
        error: assert failed: expected integer `200`, got integer `500`
          at j.hurl:6:8
          6 | status == 200
            |        ^^^^^^
        error: assert failed: expected string `x`, got string `***`
          at j.hurl:7:6
          7 | body == "x"
            |      ^^^^^^
        j1
          passed   GET /200  (200, 10 ms)
          skipped  GET /201
          FAILED   GET /dead
        error: cannot go on: connection refused by h:80
          at j.hurl:8:5
          8 | GET http://h/dead
            |     ^^^^^^^^^^^^^
        1 passed, 2 failed, 1 skipped
        "#);
        assert!(!serde_json::to_string(&report).unwrap().contains("hunter2"));
    }

    #[test]
    fn the_report_is_a_documented_json() {
        let (report, _) = run(&["GET http://h/200\nHTTP 201\n"]);
        insta::assert_snapshot!(serde_json::to_string(&report).unwrap(), @r#"{"version":1,"passed":false,"journeys":[{"name":"j0","passed":false,"entries":[{"name":"GET /200","file":"j.hurl","line":1,"passed":false,"skipped":false,"attempts":1,"status":200,"duration_us":10000,"failures":[{"kind":"assert","line":2,"column":6,"message":"expected status 201, got 200"}]}]}]}"#);
    }

    #[test]
    fn all_passed_is_zero() {
        let (report, text) = run(&["GET http://h/200\n[Options]\nrepeat: 2\nHTTP 200\n"]);
        assert_eq!(report.exit(), 0);
        insta::assert_snapshot!(text, @r"
        j0
          passed   GET /200  (200, 20 ms, 2 attempts)
        1 passed, 0 failed
        ");
    }
}
