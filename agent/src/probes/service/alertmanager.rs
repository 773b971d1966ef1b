//! `alertmanager`: is it ready, has its cluster settled, and does it run on the configuration that it was given last?

use super::{FACTS, KEYS, Params, build as service, json, judge, note, part, reload};
use crate::node::{Node, Problems};
use crate::parser::Parser;
use crate::probes::http::page::Page;
use crate::probes::{Context, Fault, Kind, Probe, Target, fields_of};
use serde_json::Value;

/// The row of the table.
pub(in crate::probes) static KIND: Kind = Kind {
    name: "alertmanager",
    schemes: &["alertmanager"],
    summary: "Asks Alertmanager whether it is ready, what its cluster does, and whether its last configuration was taken: a refused one \
              is `stale`. The URL's path is the one that it stands under; port 9093 unless written",
    example: "- name: alerts\n  url: alertmanager://alertmanager:9093\n",
    keys: KEYS,
    fields: fields_of::<Params>,
    facts: FACTS,
    parsers: &[Parser { name: "alertmanager_status", read }],
    slow: false,
    build,
};

fn build(target: &Target, own: &Node, problems: &mut Problems) -> Option<Box<dyn Probe>> {
    service(target, (own, problems), 9093, |page, cx| Box::pin(look(page, cx)))
}

async fn look(page: &Page, cx: &mut Context<'_>) -> Result<(), Fault> {
    reload::ready(page, cx, "Alertmanager").await?;
    let got = page.get_below(cx, "/api/v2/status").await?;
    judge(&got, "Alertmanager")?;
    let status = json(&got, "Alertmanager")?;
    if let Some(cluster) = Cluster::of(&status) {
        // A single one has no cluster; one that settles has just started.
        if let Some(ready) = cluster.ready {
            part(cx, "cluster", ready);
        }
        cx.note("cluster", &cluster.shown);
    }
    let ended = reload::own_metrics(page, cx, "alertmanager").await;
    note(cx, "version", &status, "/versionInfo/version");
    ended
}

#[derive(Debug, PartialEq)]
struct Cluster {
    ready: Option<bool>,
    shown: String,
}

impl Cluster {
    fn of(status: &Value) -> Option<Self> {
        let state = status.pointer("/cluster/status")?.as_str()?;
        let members = status.pointer("/cluster/peers").and_then(Value::as_array).map_or(0, Vec::len);
        let ready = match state {
            "ready" => Some(true),
            "settling" => Some(false),
            _ => None,
        };
        let members = if members > 0 { format!(", {members} members") } else { String::new() };
        Some(Self { ready, shown: format!("{state}{members}") })
    }
}

fn read(bytes: &[u8]) {
    let _cluster = serde_json::from_slice(bytes).ok().as_ref().and_then(Cluster::of);
}
