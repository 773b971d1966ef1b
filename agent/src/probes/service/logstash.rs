//! `logstash`: its own health report (8.16 and later), or the status on its first page (before): green, yellow or red.

use super::{FACTS, KEYS, Params, build as service, json, judge, note, part};
use crate::limits;
use crate::node::{Node, Problems};
use crate::parser::Parser;
use crate::probes::http::page::{Page, plain};
use crate::probes::{Context, Detail, Fault, Kind, Probe, Reason, Target, clean, fields_of};
use serde_json::Value;

/// The row of the table.
pub(in crate::probes) static KIND: Kind = Kind {
    name: "logstash",
    schemes: &["logstash"],
    summary: "Reads Logstash's health report, or the status on its first page where there is none: red fails the check and names the \
              pipelines, yellow is noted. Port 9600 unless written",
    example: "- name: logs\n  url: logstash://logstash:9600\n",
    keys: KEYS,
    fields: fields_of::<Params>,
    facts: FACTS,
    parsers: &[Parser { name: "logstash_health", read }],
    slow: false,
    build,
};

fn build(target: &Target, own: &Node, problems: &mut Problems) -> Option<Box<dyn Probe>> {
    service(target, (own, problems), 9600, |page, cx| Box::pin(look(page, cx)))
}

async fn look(page: &Page, cx: &mut Context<'_>) -> Result<(), Fault> {
    let mut got = page.get_below(cx, "/_health_report").await?;
    if got.status == 404 {
        got = page.get_below(cx, "/").await?;
    }
    // A report may come with a status of its own.
    if !matches!(got.status, 500 | 503) {
        judge(&got, "Logstash")?;
    }
    let answer = json(&got, "Logstash")?;
    note(cx, "version", &answer, "/version");
    note(cx, "symptom", &answer, "/symptom");
    let Some(status) = Colour::of(&answer) else {
        return Err(Fault::new(Reason::Body, "answered JSON without a status that is `green`, `yellow` or `red`")
            .hint("is it Logstash's API that answers there?"));
    };
    for (name, colour) in pipelines(&answer) {
        if let Some((name, healthy)) = plain(name).zip(colour.healthy()) {
            part(cx, name, healthy);
        }
    }
    cx.note("status", status.word());
    if status != Colour::Red {
        return Ok(());
    }
    let red: Vec<String> =
        pipelines(&answer).filter(|(_, colour)| *colour == Colour::Red).map(|(name, _)| clean(name)).collect();
    let which = if red.is_empty() { String::new() } else { format!(", by its pipelines {}", red.join(", ")) };
    Err(Fault::new(Reason::Status, format!("it calls itself red{which}"))
        .exactly(Detail::PartsUnhealthy)
        .hint("`/_health_report` names the cause and what to do; or see its log"))
}

/// What Logstash calls itself or a pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Colour {
    Green,
    Yellow,
    Red,
    Unknown,
}

impl Colour {
    fn of(answer: &Value) -> Option<Self> {
        match answer.get("status")?.as_str()? {
            "green" => Some(Self::Green),
            "yellow" => Some(Self::Yellow),
            "red" => Some(Self::Red),
            "unknown" => Some(Self::Unknown),
            _ => None,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Yellow => "yellow",
            Self::Red => "red",
            Self::Unknown => "unknown",
        }
    }

    /// Yellow is degraded and works.
    const fn healthy(self) -> Option<bool> {
        match self {
            Self::Green | Self::Yellow => Some(true),
            Self::Red => Some(false),
            Self::Unknown => None,
        }
    }
}

/// The pipelines of a health report, capped.
fn pipelines(answer: &Value) -> impl Iterator<Item = (&str, Colour)> {
    let all = answer.pointer("/indicators/pipelines/indicators").and_then(Value::as_object);
    let each = all.into_iter().flatten().filter_map(|(name, pipeline)| Some((name.as_str(), Colour::of(pipeline)?)));
    each.filter(|(name, _)| name.len() <= limits::NAME_CHARS).take(limits::PEER_SERVICES)
}

fn read(bytes: &[u8]) {
    let answer: Option<Value> = serde_json::from_slice(bytes).ok();
    let _colour = answer.as_ref().and_then(Colour::of);
    let _count = answer.as_ref().map(|answer| pipelines(answer).count());
}
