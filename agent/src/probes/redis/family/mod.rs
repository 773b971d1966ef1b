//! The family `redis_*` of the public exporter, with its names, labels and types: from `INFO`, and from what the table in `asked` asks for
//! beside it. Pure readers of text and replies. What must stay true: every list that the server can make long has its cap, every
//! label is a clean word, and no two readings have one name and the same labels.

mod asked;
mod commands;
mod fields;
mod fields_state;
mod fields_work;
mod list;
mod scrape;
pub(super) mod sentinel;
#[cfg(test)]
mod tests;
mod topology;

pub(super) use asked::{ASKS, Ask};
pub(super) use list::FACTS;
pub(super) use scrape::Scrapes;

use super::facts::Facts;
use super::resp;
use crate::clock;
use crate::reading::{Metric, Reading};

static STARTED: Metric =
    Metric::gauge("redis_start_time_seconds", "Time at which the server started in seconds since the epoch");

/// What `INFO` says; the count of commands that are left out for being too many.
pub(super) fn of_info(facts: &Facts<'_>, out: &mut Vec<Reading>) -> usize {
    for field in fields_state::FIELDS.iter().chain(&fields_work::FIELDS) {
        let figure = facts.text(field.name).and_then(fields::figure);
        out.extend(figure.map(|figure| field.metric.is(figure / field.divisor)));
    }
    out.extend(started(facts).map(|at| STARTED.is(at)));
    topology::of_info(facts, out);
    sentinel::of_info(facts, out);
    commands::of_info(facts, out)
}

/// By the server's own clock where it tells it, so that the figure does not waver.
fn started(facts: &Facts<'_>) -> Option<f64> {
    let uptime = facts.text("uptime_in_seconds").and_then(fields::figure)?;
    let now = facts.text("server_time_usec").and_then(fields::figure).map(|now| now / 1e6);
    Some(now.unwrap_or_else(|| clock::unix(clock::wall())).floor() - uptime)
}

/// Keeps a reading unless there is one with its name and labels; for short lists whose labels the server chooses.
fn push(out: &mut Vec<Reading>, reading: Reading) {
    if !out.iter().any(|kept| kept.metric == reading.metric && kept.labels == reading.labels) {
        out.push(reading);
    }
}

/// Reads whatever a server sent in place of `INFO`, for fuzzing.
pub(super) fn read_info(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    of_info(&Facts::read(&text), &mut Vec::new());
}

/// Reads whatever a server sent in place of the other replies, for fuzzing.
pub(super) fn read_replies(bytes: &[u8]) {
    let (facts, mut rest) = (Facts::default(), bytes);
    while let Ok(Some((reply, used))) = resp::decode(rest) {
        rest = rest.get(used..).unwrap_or_default();
        let mut out = Vec::new();
        ASKS.iter().for_each(|ask| ask.read(&facts, &reply, &mut out));
        for primary in sentinel::primaries(&reply) {
            sentinel::primary(&primary, &[reply.clone(), reply.clone(), reply.clone()], &mut out);
        }
    }
}
