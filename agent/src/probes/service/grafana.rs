//! `grafana`: does it answer, and does it reach its database?

use super::{FACTS, KEYS, Params, build as service, json, judge, note, part};
use crate::node::{Node, Problems};
use crate::parser::Parser;
use crate::probes::http::page::Page;
use crate::probes::{Context, Detail, Fault, Kind, Probe, Reason, Target, clean, fields_of};
use serde_json::Value;

/// The row of the table.
pub(in crate::probes) static KIND: Kind = Kind {
    name: "grafana",
    schemes: &["grafana"],
    summary: "Reads Grafana's `/api/health`: whether it reaches its database, and its version. The URL's path is the one that it stands \
              under; port 3000 unless written",
    example: "- name: dashboards\n  url: grafana://grafana:3000\n",
    keys: KEYS,
    fields: fields_of::<Params>,
    facts: FACTS,
    parsers: &[Parser { name: "grafana_health", read }],
    slow: false,
    build,
};

fn build(target: &Target, own: &Node, problems: &mut Problems) -> Option<Box<dyn Probe>> {
    service(target, (own, problems), 3000, |page, cx| Box::pin(look(page, cx)))
}

async fn look(page: &Page, cx: &mut Context<'_>) -> Result<(), Fault> {
    let got = page.get_below(cx, "/api/health").await?;
    // A Grafana without its database answers 503 with the same page.
    let ill = if got.status == 503 { serde_json::from_slice(&got.body).ok() } else { None };
    let health = match ill {
        Some(health) => health,
        None => {
            judge(&got, "Grafana")?;
            json(&got, "Grafana")?
        }
    };
    note(cx, "version", &health, "/version");
    let Some(database) = database(&health) else {
        return Err(Fault::new(Reason::Body, "answered JSON that does not tell of a database")
            .hint("is it Grafana that answers there?"));
    };
    part(cx, "database", database == "ok");
    if database == "ok" {
        return Ok(());
    }
    Err(Fault::new(Reason::Status, format!("it is up and calls its database `{}`", clean(database)))
        .exactly(Detail::PartsUnhealthy)
        .hint("its log says why; is the database of `GF_DATABASE_URL` up, or the disk of its SQLite file full?"))
}

fn database(health: &Value) -> Option<&str> {
    health.get("database")?.as_str()
}

fn read(bytes: &[u8]) {
    let health: Option<Value> = serde_json::from_slice(bytes).ok();
    let _database = health.as_ref().and_then(database);
}
