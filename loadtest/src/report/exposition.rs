//! A run while it goes on, in Prometheus' text format 0.0.4: the figures that load testers export, under Prometheus' rules for names
//! and units. Label values are names of the plan's requests and stages and the closed set of causes (invariant 9). Pure.

use crate::measure::{Row, Summary};
use crate::targets::to_f64;
use std::fmt::{Display, Write};
use std::time::Duration;

/// A metric: name, type, help.
type Metric = (&'static str, &'static str, &'static str);

/// All of them, in the order of the page.
pub const METRICS: &[(&str, &str, &str)] = &[
    BUILD,
    REQUESTS,
    ERRORS,
    DURATION,
    BYTES,
    USERS,
    IN_FLIGHT,
    OLDEST,
    STAGE,
    ELAPSED,
    PLANNED,
    CPU,
    CPU_PER_REQUEST,
    LATE,
    LOST,
    SATURATED,
];

const BUILD: Metric = ("loadtest_build_info", "gauge", "Version of the load tester; always 1.");
const REQUESTS: Metric =
    ("loadtest_requests_total", "counter", "Requests that finished or were given up, errors included.");
const ERRORS: Metric = ("loadtest_request_errors_total", "counter", "Requests that failed, by cause.");
const DURATION: Metric =
    ("loadtest_request_duration_seconds", "histogram", "Latency to the last byte, errors included.");
const BYTES: Metric = ("loadtest_response_bytes_total", "counter", "Bytes of body received.");
const USERS: Metric = ("loadtest_users", "gauge", "Virtual users at work.");
const IN_FLIGHT: Metric = ("loadtest_requests_in_flight", "gauge", "Requests that wait for their answer.");
const OLDEST: Metric =
    ("loadtest_oldest_request_age_seconds", "gauge", "Age of the oldest request in flight; 0 without one.");
const STAGE: Metric = ("loadtest_stage_info", "gauge", "The stage that the run is in; always 1.");
const ELAPSED: Metric = ("loadtest_run_elapsed_seconds", "gauge", "Time since the first request.");
const PLANNED: Metric = ("loadtest_run_planned_seconds", "gauge", "How long the run is meant to last.");
const CPU: Metric =
    ("loadtest_generator_cpu_used_ratio", "gauge", "Share of the CPU it may use that the load generator does use.");
const CPU_PER_REQUEST: Metric =
    ("loadtest_generator_cpu_per_request_seconds", "gauge", "CPU time of the load generator for each request.");
const LATE: Metric = (
    "loadtest_generator_late_seconds",
    "gauge",
    "How late the load generator's own timers fire, 99th percentile over the run.",
);
const LOST: Metric = (
    "loadtest_generator_lost_ratio",
    "gauge",
    "Share of the planned load that was not offered, because users came late.",
);
const SATURATED: Metric = (
    "loadtest_generator_saturated",
    "gauge",
    "1 while the load generator is the bottleneck: its figures say little of the target.",
);

/// Upper ends of the histogram's buckets, in microseconds and as labels: 1 ms to 30 s, where targets of requests lie.
const BUCKETS: [(u64, &str); 14] = [
    (1000, "0.001"),
    (2500, "0.0025"),
    (5000, "0.005"),
    (10_000, "0.01"),
    (25_000, "0.025"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (250_000, "0.25"),
    (500_000, "0.5"),
    (1_000_000, "1"),
    (2_500_000, "2.5"),
    (5_000_000, "5"),
    (10_000_000, "10"),
    (30_000_000, "30"),
];

/// What the page says beside the measurements.
#[derive(Clone, Debug)]
pub struct Moment {
    /// The current stage.
    pub stage: String,
    /// How long the run is meant to last.
    pub planned: Duration,
}

/// The page.
#[must_use]
pub fn render(summary: &Summary, moment: &Moment) -> String {
    let mut page = Page::default();
    page.one(BUILD, &[("version", env!("CARGO_PKG_VERSION"))], 1);
    page.rows(REQUESTS, &summary.rows, |page, name, row| page.sample(name, &labels(row), row.count));
    page.rows(ERRORS, &summary.rows, |page, name, row| {
        for (cause, count) in &row.errors_by {
            page.sample(name, &[labels(row).as_slice(), &[("cause", cause.as_str())]].concat(), count);
        }
    });
    page.rows(DURATION, &summary.rows, Page::histogram);
    page.rows(BYTES, &summary.rows, |page, name, row| page.sample(name, &labels(row), row.bytes));
    page.one(USERS, &[], summary.users);
    page.one(IN_FLIGHT, &[], summary.in_flight);
    page.one(OLDEST, &[], summary.oldest_in_flight.as_secs_f64());
    page.one(STAGE, &[("stage", &moment.stage)], 1);
    page.one(ELAPSED, &[], summary.elapsed.as_secs_f64());
    page.one(PLANNED, &[], moment.planned.as_secs_f64());
    let of = &summary.generator;
    page.one(CPU, &[], of.cpu_used_ratio);
    page.one(CPU_PER_REQUEST, &[], of.cpu_us_per_request / 1e6);
    page.one(LATE, &[], to_f64(of.late.p99_us) / 1e6);
    page.one(LOST, &[], of.lost_ratio);
    page.one(SATURATED, &[], u8::from(of.saturated));
    page.0
}

fn labels(row: &Row) -> [(&'static str, &str); 2] {
    [("request", &row.name), ("stage", &row.stage)]
}

/// The text under construction.
#[derive(Default)]
struct Page(String);

impl Page {
    fn head(&mut self, (name, kind, help): Metric) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn one(&mut self, metric: Metric, labels: &[(&str, &str)], value: impl Display) {
        self.head(metric);
        self.sample(metric.0, labels, value);
    }

    fn rows(&mut self, metric: Metric, rows: &[Row], each: impl Fn(&mut Self, &str, &Row)) {
        self.head(metric);
        rows.iter().for_each(|row| each(self, metric.0, row));
    }

    fn histogram(&mut self, name: &str, row: &Row) {
        let bucket = format!("{name}_bucket");
        // One way through the values: counting up to each end would be fourteen.
        let mut counts = BUCKETS.map(|_| 0);
        for value in row.latencies.iter_recorded() {
            let us = row.latencies.lowest_equivalent(value.value_iterated_to());
            let within = counts.iter_mut().zip(BUCKETS).filter(|(_, (end, _))| us <= *end);
            within.for_each(|(count, _)| *count += value.count_at_value());
        }
        for (count, (_, end)) in counts.into_iter().zip(BUCKETS) {
            self.sample(&bucket, &[labels(row).as_slice(), &[("le", end)]].concat(), count);
        }
        self.sample(&bucket, &[labels(row).as_slice(), &[("le", "+Inf")]].concat(), row.latencies.len());
        self.sample(&format!("{name}_sum"), &labels(row), row.waited().as_secs_f64());
        self.sample(&format!("{name}_count"), &labels(row), row.latencies.len());
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<String> =
            labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::summary;
    use crate::targets::test_row;

    #[test]
    fn the_page_is_what_prometheus_reads() {
        let mut odd = test_row("GET /a\"b\\c\nd", &[(2, 3), (40, 2), (60_000, 1)], 2);
        odd.bytes = 1234;
        let page = render(&summary(vec![odd]), &Moment { stage: "load".to_owned(), planned: Duration::from_secs(75) });
        insta::assert_snapshot!(page, @r#"
        # HELP loadtest_build_info Version of the load tester; always 1.
        # TYPE loadtest_build_info gauge
        loadtest_build_info{version="0.1.0"} 1
        # HELP loadtest_requests_total Requests that finished or were given up, errors included.
        # TYPE loadtest_requests_total counter
        loadtest_requests_total{request="GET /a\"b\\c\nd",stage="load"} 6
        # HELP loadtest_request_errors_total Requests that failed, by cause.
        # TYPE loadtest_request_errors_total counter
        loadtest_request_errors_total{request="GET /a\"b\\c\nd",stage="load",cause="status"} 2
        # HELP loadtest_request_duration_seconds Latency to the last byte, errors included.
        # TYPE loadtest_request_duration_seconds histogram
        loadtest_request_duration_seconds_bucket{request="GET /a\"b\\c\nd",stage="load",le="0.001"} 0
        loadtest_request_duration_seconds_bucket{request="GET /a\"b\\c\nd",stage="load",le="0.0025"} 3
        loadtest_request_duration_seconds_bucket{request="GET /a\"b\\c\nd",stage="load",le="0.005"} 3
        loadtest_request_duration_seconds_bucket{request="GET /a\"b\\c\nd",stage="load",le="0.01"} 3
        loadtest_request_duration_seconds_bucket{request="GET /a\"b\\c\nd",stage="load",le="0.025"} 3
        loadtest_request_duration_seconds_bucket{request="GET /a\"b\\c\nd",stage="load",le="0.05"} 5
        loadtest_request_duration_seconds_bucket{request="GET /a\"b\\c\nd",stage="load",le="0.1"} 5
        loadtest_request_duration_seconds_bucket{request="GET /a\"b\\c\nd",stage="load",le="0.25"} 5
        loadtest_request_duration_seconds_bucket{request="GET /a\"b\\c\nd",stage="load",le="0.5"} 5
        loadtest_request_duration_seconds_bucket{request="GET /a\"b\\c\nd",stage="load",le="1"} 5
        loadtest_request_duration_seconds_bucket{request="GET /a\"b\\c\nd",stage="load",le="2.5"} 5
        loadtest_request_duration_seconds_bucket{request="GET /a\"b\\c\nd",stage="load",le="5"} 5
        loadtest_request_duration_seconds_bucket{request="GET /a\"b\\c\nd",stage="load",le="10"} 5
        loadtest_request_duration_seconds_bucket{request="GET /a\"b\\c\nd",stage="load",le="30"} 5
        loadtest_request_duration_seconds_bucket{request="GET /a\"b\\c\nd",stage="load",le="+Inf"} 6
        loadtest_request_duration_seconds_sum{request="GET /a\"b\\c\nd",stage="load"} 60.100624
        loadtest_request_duration_seconds_count{request="GET /a\"b\\c\nd",stage="load"} 6
        # HELP loadtest_response_bytes_total Bytes of body received.
        # TYPE loadtest_response_bytes_total counter
        loadtest_response_bytes_total{request="GET /a\"b\\c\nd",stage="load"} 1234
        # HELP loadtest_users Virtual users at work.
        # TYPE loadtest_users gauge
        loadtest_users 0
        # HELP loadtest_requests_in_flight Requests that wait for their answer.
        # TYPE loadtest_requests_in_flight gauge
        loadtest_requests_in_flight 0
        # HELP loadtest_oldest_request_age_seconds Age of the oldest request in flight; 0 without one.
        # TYPE loadtest_oldest_request_age_seconds gauge
        loadtest_oldest_request_age_seconds 0
        # HELP loadtest_stage_info The stage that the run is in; always 1.
        # TYPE loadtest_stage_info gauge
        loadtest_stage_info{stage="load"} 1
        # HELP loadtest_run_elapsed_seconds Time since the first request.
        # TYPE loadtest_run_elapsed_seconds gauge
        loadtest_run_elapsed_seconds 75
        # HELP loadtest_run_planned_seconds How long the run is meant to last.
        # TYPE loadtest_run_planned_seconds gauge
        loadtest_run_planned_seconds 75
        # HELP loadtest_generator_cpu_used_ratio Share of the CPU it may use that the load generator does use.
        # TYPE loadtest_generator_cpu_used_ratio gauge
        loadtest_generator_cpu_used_ratio 0.042
        # HELP loadtest_generator_cpu_per_request_seconds CPU time of the load generator for each request.
        # TYPE loadtest_generator_cpu_per_request_seconds gauge
        loadtest_generator_cpu_per_request_seconds 0.00000931
        # HELP loadtest_generator_late_seconds How late the load generator's own timers fire, 99th percentile over the run.
        # TYPE loadtest_generator_late_seconds gauge
        loadtest_generator_late_seconds 0.00064
        # HELP loadtest_generator_lost_ratio Share of the planned load that was not offered, because users came late.
        # TYPE loadtest_generator_lost_ratio gauge
        loadtest_generator_lost_ratio 0.004
        # HELP loadtest_generator_saturated 1 while the load generator is the bottleneck: its figures say little of the target.
        # TYPE loadtest_generator_saturated gauge
        loadtest_generator_saturated 0
        "#);
    }

    #[test]
    fn every_metric_of_the_reference_is_on_the_page() {
        let page = render(&summary(vec![]), &Moment { stage: "load".to_owned(), planned: Duration::ZERO });
        for (name, kind, _) in METRICS {
            assert_eq!(page.matches(&format!("# TYPE {name} {kind}\n")).count(), 1, "{name}");
        }
    }

    #[test]
    fn promtool_has_nothing_against_the_page() {
        use std::io::Write as _;
        let page = render(
            &summary(vec![test_row("GET /", &[(2, 3)], 1)]),
            &Moment { stage: "load".to_owned(), planned: Duration::ZERO },
        );
        let mut command = std::process::Command::new("promtool");
        let command =
            command.args(["check", "metrics"]).stdin(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        let Ok(mut child) = command.stdout(std::process::Stdio::piped()).spawn() else {
            eprintln!("SKIPPED promtool_has_nothing_against_the_page: promtool is not installed");
            return;
        };
        child.stdin.take().expect("a pipe").write_all(page.as_bytes()).expect("written");
        let output = child.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.trim().is_empty(), "{said}");
    }
}
