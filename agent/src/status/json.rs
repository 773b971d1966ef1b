//! A round as JSON: what the table says, and the whole page of each agent. Pure.

use super::{Answer, Round, Row, state, works};
use crate::clock::Utc;
use serde_json::{Value, json};

/// One object on one line.
pub(super) fn render(round: &Round) -> String {
    let rows: Vec<Value> = round.rows.iter().map(row).collect();
    let all = round.rows.iter().all(|row| works(&row.answer));
    format!("{}\n", json!({"at": Utc::of(round.at).seconds(), "good": all, "sidecars": rows}))
}

fn row(row: &Row) -> Value {
    let milliseconds = (row.took.as_secs_f64() * 1e6).round() / 1e3;
    let mut object = json!({
        "service": row.address.name,
        "url": row.address.url,
        "state": state(&row.answer),
        "good": works(&row.answer),
        "response_time_ms": milliseconds,
    });
    let more = match &row.answer {
        Answer::Page { status, page, body } => {
            let (up, all) = page.checks();
            json!({"http_status": status, "checks": {"up": up, "all": all}, "health": body})
        }
        Answer::None(fault) => {
            json!({"error": {"reason": fault.reason.as_str(), "message": fault.message, "hint": fault.hint}})
        }
    };
    if let (Some(object), Value::Object(more)) = (object.as_object_mut(), more) {
        object.extend(more);
    }
    object
}
