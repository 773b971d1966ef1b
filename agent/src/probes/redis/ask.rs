//! Asks a server for the figures of its family: all of the table in one round trip, and a Sentinel for its primaries in two.
//! What a server refuses costs only its own figures; rights that are missing are told in a note.

use super::facts::Facts;
use super::family::{self, ASKS, Ask, sentinel};
use super::resp::Reply;
use super::session::Session;
use crate::clock;
use crate::probes::{Context, Fault};

/// Measures the family.
pub(super) async fn all(cx: &mut Context<'_>, session: &mut Session, facts: &Facts<'_>) -> Result<(), Fault> {
    let mut out = Vec::new();
    let left_out = family::of_info(facts, &mut out);
    if left_out > 0 {
        cx.note("commands", &format!("{left_out} more have no figures of their own"));
    }
    cx.measure_all(out);
    table(cx, session, facts).await?;
    if facts.is_sentinel() { primaries(cx, session).await } else { Ok(()) }
}

async fn table(cx: &mut Context<'_>, session: &mut Session, facts: &Facts<'_>) -> Result<(), Fault> {
    session.refused.age(clock::now());
    let rows: Vec<(usize, &Ask)> = ASKS.iter().enumerate().filter(|(_, ask)| ask.wanted(facts)).collect();
    let asked: Vec<_> = rows.iter().copied().filter(|(row, _)| !session.refused.holds(*row)).collect();
    let requests: Vec<Vec<&str>> = asked.iter().map(|(_, ask)| ask.words.to_vec()).collect();
    let replies = session.ask_all(cx, &requests).await?;
    let mut out = Vec::new();
    for ((row, ask), reply) in asked.into_iter().zip(&replies) {
        match reply {
            Reply::Error(error) => session.refused.add(row, error.starts_with("NOPERM"), clock::now()),
            reply => ask.read(facts, reply, &mut out),
        }
    }
    cx.measure_all(out);
    rights(cx, rows.into_iter().filter(|(row, _)| session.refused.for_want_of_a_right(*row)).map(|(_, ask)| ask.right));
    Ok(())
}

/// Tells which rights are missing.
fn rights(cx: &mut Context<'_>, missing: impl Iterator<Item = &'static str>) {
    let mut missing: Vec<&str> = missing.collect();
    missing.dedup();
    if !missing.is_empty() {
        cx.note("rights", &format!("some figures are missing, let its ACL allow {}", missing.join(" ")));
    }
}

async fn primaries(cx: &mut Context<'_>, session: &mut Session) -> Result<(), Fault> {
    let masters = match session.ask(cx, &["SENTINEL", "MASTERS"]).await? {
        Reply::Error(error) => {
            cx.note("rights", &format!("no figures of its primaries: {error}"));
            return Ok(());
        }
        reply => reply,
    };
    let primaries = sentinel::primaries(&masters);
    let of = |name| sentinel::PER_PRIMARY.map(|word| vec!["SENTINEL", word, name]);
    let requests: Vec<Vec<&str>> = primaries.iter().flat_map(|primary| of(primary.name)).collect();
    let replies = session.ask_all(cx, &requests).await?;
    let mut out = Vec::new();
    for (primary, replies) in primaries.iter().zip(replies.chunks(sentinel::PER_PRIMARY.len())) {
        sentinel::primary(primary, replies, &mut out);
    }
    cx.measure_all(out);
    Ok(())
}
