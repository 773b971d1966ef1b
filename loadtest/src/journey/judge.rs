//! What an entry makes of the responses: implicit asserts on version and status, then captures, then all other asserts.
//! A failed status ends the entry, a failed capture too; the other asserts are all judged.

use super::bodies::{self, Body};
use super::entry::{Assert, Capture, Entry, Pair, ResponseSpec};
use super::fault::{Cause, Fault};
use super::query::{Query, View};
use super::received::Received;
use super::session::Session;
use super::value::{Value, cut};

/// Judges the last response; empty when all is well.
#[must_use]
pub(super) fn judge(entry: &Entry, session: &mut Session, hops: &[Received], coerce: bool) -> Vec<Fault> {
    let (Some(spec), Some(last)) = (&entry.response, hops.last()) else { return vec![] };
    let faults = status(spec, last);
    if !faults.is_empty() {
        return faults;
    }
    for wanted in &spec.captures {
        let view = View { scope: session.scope(&entry.source.root), hops, coerce };
        match capture(wanted, view) {
            Ok((name, Value::String(secret))) if wanted.redact => session.variables.set_secret(name, secret),
            Ok((_, value)) if wanted.redact => {
                return vec![Fault::error(wanted.name.span, Cause::Redact(value.kind()))];
            }
            Ok((name, value)) => session.variables.set(name, value),
            Err(fault) => return vec![fault],
        }
    }
    let view = View { scope: session.scope(&entry.source.root), hops, coerce };
    let headers = spec.headers.iter().map(|pair| header(pair, last, view));
    let body = spec.body.iter().map(|expected| {
        let judged = body(expected, last, view);
        if expected.kind.reads_back() { judged.map_err(Fault::in_data) } else { judged }
    });
    let asserts = spec.asserts.iter().map(|wanted| {
        let judged = assert(wanted, view);
        judged.map_err(|fault| match wanted.probe.query {
            Query::Status => fault.in_status(last.response.status),
            _ if wanted.reads_back() => fault.in_data(),
            _ => fault,
        })
    });
    headers.chain(body).chain(asserts).filter_map(Result::err).map(Fault::in_assert).collect()
}

fn status(spec: &ResponseSpec, last: &Received) -> Vec<Fault> {
    let mut faults = vec![];
    if let Some((span, version)) = spec.version.filter(|(_, version)| *version != last.response.version) {
        let (actual, expected) = (last.response.version.number().to_owned(), version.number().to_owned());
        faults.push(Fault::error(span, Cause::Mismatch { what: "HTTP version ", actual, expected }));
    }
    let actual = last.response.status;
    if let Some((span, expected)) = spec.status.filter(|(_, expected)| *expected != u64::from(actual)) {
        faults.push(Fault::error(span, Cause::Status { expected, actual }));
    }
    faults.into_iter().map(Fault::in_assert).collect()
}

fn capture(wanted: &Capture, view: View<'_>) -> Result<(String, Value), Fault> {
    let name = wanted.name.render(view.scope)?.into_owned();
    let found = wanted.probe.look(view)?;
    let value = found.ok_or_else(|| Fault::error(wanted.probe.span, Cause::NothingToCapture))?;
    Ok((name, value.into_owned()))
}

fn assert(wanted: &Assert, view: View<'_>) -> Result<(), Fault> {
    let found = wanted.probe.look(view)?;
    wanted.predicate.judge(found.as_deref(), view.scope)
}

/// One of the headers of that name must have that value.
fn header(pair: &Pair, last: &Received, view: View<'_>) -> Result<(), Fault> {
    let expected = pair.value.render(view.scope)?;
    let name = pair.name.render(view.scope)?;
    let actual: Vec<_> = last.headers(&name).collect();
    if actual.contains(&expected) {
        return Ok(());
    }
    let shown =
        if actual.is_empty() { "no such header".to_owned() } else { format!("`{}`", cut(&actual.join("`, `"))) };
    let span = if actual.is_empty() { pair.name.span } else { pair.value.span };
    let expected = format!("`{}`", cut(&expected));
    Err(Fault::error(span, Cause::Mismatch { what: "header ", actual: shown, expected }))
}

/// The body must be the same to the letter, JSON too.
fn body(expected: &Body, last: &Received, view: View<'_>) -> Result<(), Fault> {
    let at = |cause| Fault::error(expected.span, cause);
    let (expected, actual) = match &expected.kind {
        bodies::Kind::Text(text) => (Value::text(text.render(view.scope)?), last.text().map_err(at)?.clone()),
        bodies::Kind::Bytes(_) | bodies::Kind::File(_) => {
            (Value::Bytes(expected.bytes(view.scope)?), Value::Bytes(last.bytes().map_err(at)?.clone()))
        }
    };
    if actual == expected {
        return Ok(());
    }
    let (actual, expected) = (actual.describe(), expected.describe());
    Err(at(Cause::Mismatch { what: "the body ", actual, expected }))
}
