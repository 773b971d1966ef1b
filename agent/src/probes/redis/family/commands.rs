//! What `INFO` and `LATENCY HISTOGRAM` say of each command: calls, time, refusals, percentiles, buckets; and errors by their code.

use super::super::facts::Facts;
use super::super::resp::Reply;
use super::fields::{number, word};
use crate::limits;
use crate::reading::{Metric, Reading, Type};

static CALLS: Metric = Metric::counter("redis_commands_total", "Calls of the command").labelled(&["cmd"]);
static DURATION: Metric =
    Metric::counter("redis_commands_duration_seconds_total", "Seconds spent on the command").labelled(&["cmd"]);
static REJECTED: Metric = Metric::counter(
    "redis_commands_rejected_calls_total",
    "Calls of the command that were refused before it ran: wrong arguments, missing rights",
)
.labelled(&["cmd"]);
static FAILED: Metric =
    Metric::counter("redis_commands_failed_calls_total", "Calls of the command that ended with an error")
        .labelled(&["cmd"]);
static ERRORS: Metric = Metric::counter("redis_errors_total", "Error replies by their code").labelled(&["err"]);
static PERCENTILE: Metric =
    Metric::gauge("redis_latency_percentiles_usec", PERCENTILES).labelled(&["cmd", "quantile"]).of(Type::Summary);
static PERCENTILE_SUM: Metric =
    Metric::gauge("redis_latency_percentiles_usec_sum", PERCENTILES).labelled(&["cmd"]).of(Type::Summary);
static PERCENTILE_COUNT: Metric =
    Metric::gauge("redis_latency_percentiles_usec_count", PERCENTILES).labelled(&["cmd"]).of(Type::Summary);
static BUCKET: Metric =
    Metric::gauge("redis_commands_latencies_usec_bucket", BUCKETS).labelled(&["cmd", "le"]).of(Type::Histogram);
static BUCKET_SUM: Metric =
    Metric::gauge("redis_commands_latencies_usec_sum", BUCKETS).labelled(&["cmd"]).of(Type::Histogram);
static BUCKET_COUNT: Metric =
    Metric::gauge("redis_commands_latencies_usec_count", BUCKETS).labelled(&["cmd"]).of(Type::Histogram);
const PERCENTILES: &str = "Microseconds that calls of the command took, by percentile since the server started";
const BUCKETS: &str = "Microseconds that calls of the command took, as counts up to each bound";

pub(super) static FACTS: &[&Metric] = &[
    &CALLS,
    &DURATION,
    &REJECTED,
    &FAILED,
    &ERRORS,
    &PERCENTILE,
    &PERCENTILE_SUM,
    &PERCENTILE_COUNT,
    &BUCKET,
    &BUCKET_SUM,
    &BUCKET_COUNT,
];

/// What `INFO` says; the count of commands beyond the cap.
pub(super) fn of_info(facts: &Facts<'_>, out: &mut Vec<Reading>) -> usize {
    let commands = || facts.starting("cmdstat_").filter_map(|(name, value)| Some((word(name)?, value)));
    for (name, value) in commands().take(limits::REDIS_COMMANDS) {
        command(name, value, out);
    }
    let percentiles = facts.starting("latency_percentiles_usec_").take(limits::REDIS_COMMANDS);
    for (name, value) in percentiles.filter_map(|(name, value)| Some((word(name)?, value))) {
        summary(facts, name, value, out);
    }
    let errors = facts.starting("errorstat_").filter_map(|(name, value)| Some((word(name)?, number(value, "count")?)));
    out.extend(errors.take(limits::REDIS_ERROR_CODES).map(|(code, count)| ERRORS.with([code], count)));
    commands().count().saturating_sub(limits::REDIS_COMMANDS)
}

fn command(name: &str, value: &str, out: &mut Vec<Reading>) {
    let (Some(calls), Some(spent)) = (number(value, "calls"), number(value, "usec")) else { return };
    out.push(CALLS.with([name], calls));
    out.push(DURATION.with([name], spent / 1e6));
    out.extend(number(value, "rejected_calls").map(|calls| REJECTED.with([name], calls)));
    out.extend(number(value, "failed_calls").map(|calls| FAILED.with([name], calls)));
}

fn summary(facts: &Facts<'_>, name: &str, value: &str, out: &mut Vec<Reading>) {
    let Some(stat) = facts.text(&format!("cmdstat_{name}")) else { return };
    let (Some(calls), Some(spent)) = (number(stat, "calls"), number(stat, "usec")) else { return };
    let mut seen: Vec<f64> = Vec::new();
    for (quantile, figure) in value.split(',').filter_map(percentile).take(limits::REDIS_PERCENTILES) {
        if !seen.contains(&quantile) {
            seen.push(quantile);
            out.push(PERCENTILE.with([name, &quantile.to_string()], figure));
        }
    }
    out.push(PERCENTILE_SUM.with([name], spent));
    out.push(PERCENTILE_COUNT.with([name], calls));
}

/// `p99.9=4.015`.
fn percentile(part: &str) -> Option<(f64, f64)> {
    let (quantile, figure) = part.strip_prefix('p')?.split_once('=')?;
    let quantile = quantile.parse().ok().filter(|quantile| (0.0..=100.0).contains(quantile))?;
    Some((quantile, figure.parse().ok().filter(|figure: &f64| figure.is_finite())?))
}

/// The reply of `LATENCY HISTOGRAM`: a command, then `calls`, their number, `histogram_usec` and pairs of bound and count.
pub(super) fn histograms(facts: &Facts<'_>, reply: &Reply, out: &mut Vec<Reading>) {
    let mut seen: Vec<&str> = Vec::new();
    for pair in reply.items().chunks_exact(2).take(limits::REDIS_COMMANDS) {
        let [name, details] = pair else { continue };
        let Some(name) = name.text().and_then(word).filter(|name| !seen.contains(name)) else { continue };
        if let [_, Reply::Integer(calls), _, buckets] = details.items() {
            seen.push(name);
            histogram(name, count(*calls), buckets.items(), out);
            out.push(BUCKET_SUM.with([name], spent(facts, name)));
        }
    }
}

fn histogram(name: &str, calls: f64, buckets: &[Reply], out: &mut Vec<Reading>) {
    let mut last = 0;
    for pair in buckets.chunks_exact(2).take(limits::REDIS_BUCKETS) {
        let [Reply::Integer(bound), Reply::Integer(calls)] = pair else { break };
        if *bound > last {
            last = *bound;
            out.push(BUCKET.with([name, &bound_text(*bound)], count(*calls)));
        }
    }
    out.push(BUCKET.with([name, "+Inf"], calls));
    out.push(BUCKET_COUNT.with([name], calls));
}

/// A bound as the public exporter writes it, so that series of both are one: `1048576` is `1.048576e+06` there.
fn bound_text(bound: i64) -> String {
    if bound < 1_000_000 {
        return bound.to_string();
    }
    let text = format!("{:e}", count(bound));
    text.split_once('e').map_or_else(|| text.clone(), |(digits, power)| format!("{digits}e+{power:0>2}"))
}

/// Microseconds of a command and its subcommands.
fn spent(facts: &Facts<'_>, name: &str) -> f64 {
    let stats = facts.starting("cmdstat_").filter(|(other, _)| {
        other.strip_prefix(name).is_some_and(|behind| behind.is_empty() || behind.starts_with('|'))
    });
    stats.filter_map(|(_, value)| number(value, "usec")).sum()
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53")]
pub(super) fn count(value: i64) -> f64 {
    value as f64
}
