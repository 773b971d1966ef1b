//! `chroma`: ChromaDB's heartbeat, by its second API or by its first.

use super::{FACTS, KEYS, Params, aside, build as service, json, judge};
use crate::node::{Node, Problems};
use crate::parser::Parser;
use crate::probes::http::page::Page;
use crate::probes::{Context, Fault, Kind, Probe, Reason, Target, fields_of};
use serde_json::Value;

/// The row of the table.
pub(in crate::probes) static KIND: Kind = Kind {
    name: "chroma",
    schemes: &["chroma"],
    summary: "Asks ChromaDB for its heartbeat, in version 2 of its API or in version 1 where there is no other. Port 8000 unless written",
    example: "- name: vectors\n  url: chroma://chroma:8000\n",
    keys: KEYS,
    fields: fields_of::<Params>,
    facts: FACTS,
    parsers: &[Parser { name: "chroma_heartbeat", read }],
    slow: false,
    build,
};

fn build(target: &Target, own: &Node, problems: &mut Problems) -> Option<Box<dyn Probe>> {
    service(target, (own, problems), 8000, |page, cx| Box::pin(look(page, cx)))
}

async fn look(page: &Page, cx: &mut Context<'_>) -> Result<(), Fault> {
    let (mut got, mut api) = (page.get_below(cx, "/api/v2/heartbeat").await?, "v2");
    if matches!(got.status, 404 | 405 | 410 | 501) {
        (got, api) = (page.get_below(cx, "/api/v1/heartbeat").await?, "v1");
    }
    judge(&got, "ChromaDB")?;
    if heartbeat(&json(&got, "ChromaDB")?).is_none() {
        return Err(
            Fault::new(Reason::Body, "answered JSON without a heartbeat").hint("is it ChromaDB that answers there?")
        );
    }
    cx.note("api", api);
    let version = aside(cx, page, &format!("/api/{api}/version")).await.ok();
    let version = version.and_then(|got| serde_json::from_slice::<Value>(&got.body).ok());
    if let Some(version) = version.as_ref().and_then(Value::as_str) {
        cx.note("version", version);
    }
    Ok(())
}

/// Nanoseconds since the epoch, by the server's clock.
fn heartbeat(answer: &Value) -> Option<u64> {
    answer.get("nanosecond heartbeat")?.as_u64()
}

fn read(bytes: &[u8]) {
    let answer: Option<Value> = serde_json::from_slice(bytes).ok();
    let _beat = answer.as_ref().and_then(heartbeat);
}
