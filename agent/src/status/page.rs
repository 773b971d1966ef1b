//! `/health` as another agent wrote it, read leniently: an agent of another version may say more, or less. Pure.
//! What must stay true: no text of it reaches a terminal with control characters in it.

use crate::probes::clean;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;

/// What is read of the page. Without `status` and `services` it is some other service's page.
#[derive(Debug, Deserialize)]
pub(super) struct Page {
    #[serde(deserialize_with = "text")]
    pub(super) status: String,
    services: BTreeMap<String, Entry>,
    #[serde(default)]
    system: System,
    #[serde(default)]
    process: Process,
    #[serde(default)]
    causes: Vec<Cause>,
    silenced: Option<Silenced>,
}

/// A maintenance window.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Silenced {
    until: String,
    reason: Option<String>,
}

/// An entry of `services`: a check, or a part that a service reports and no check watches.
#[derive(Debug, Deserialize)]
struct Entry {
    healthy: Option<bool>,
    state: Option<String>,
    reason: Option<String>,
    since: Option<String>,
    reported_by: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct System {
    cpu: BTreeMap<String, Used>,
    memory: BTreeMap<String, Used>,
}

#[derive(Debug, Deserialize)]
struct Used {
    used_ratio: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Process {
    memory_bytes: Option<u64>,
}

/// A named cause, as the page has it.
#[derive(Debug, Deserialize)]
struct Cause {
    #[serde(deserialize_with = "text")]
    cause: String,
    #[serde(default, deserialize_with = "text")]
    subject: String,
    since: Option<String>,
    /// The subject of its root, or a list of subjects.
    caused_by: Option<serde_json::Value>,
}

fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    String::deserialize(deserializer).map(|text| clean(&text))
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// What: `wrong_port at db`, `db is down (refused)`.
    pub(super) what: String,
    /// Since when, as the page has it (RFC 3339).
    pub(super) since: Option<String>,
    /// What it follows from, if anything.
    pub(super) caused_by: Option<String>,
}

impl Page {
    /// Reads a body.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }

    /// Checks that are up, and all.
    pub(super) fn checks(&self) -> (usize, usize) {
        let of_checks = || self.services.values().filter(|entry| entry.reported_by.is_none());
        (of_checks().filter(|entry| entry.healthy == Some(true)).count(), of_checks().count())
    }

    /// Use of the processor by the peer's container, 0 to 1.
    pub(super) fn cpu(&self) -> Option<f64> {
        ratio(&self.system.cpu)
    }

    /// Use of its memory by the peer's container, 0 to 1.
    pub(super) fn memory_ratio(&self) -> Option<f64> {
        ratio(&self.system.memory)
    }

    /// Resident bytes of the peer's process.
    pub(super) fn memory_bytes(&self) -> Option<u64> {
        self.process.memory_bytes
    }

    /// The maintenance window, while there is one.
    pub(super) fn silenced(&self) -> Option<String> {
        let Silenced { until, reason } = self.silenced.as_ref()?;
        let why = reason.as_deref().map_or(String::new(), |reason| format!(": {}", clean(reason)));
        Some(format!("silenced until {}{why}", clean(until)))
    }

    /// What is wrong, roots before what follows from them, then the checks that are not up and that no cause explains.
    pub(super) fn wrong(&self) -> Vec<Wrong> {
        let (roots, leaves): (Vec<Wrong>, Vec<Wrong>) =
            self.causes.iter().map(Cause::told).partition(|wrong| wrong.caused_by.is_none());
        let unexplained =
            self.services.iter().filter(|(name, entry)| entry.healthy != Some(true) && !self.explains(name));
        let checks = unexplained.map(|(name, entry)| entry.told(name));
        roots.into_iter().chain(leaves).chain(checks).collect()
    }

    fn explains(&self, name: &str) -> bool {
        self.causes.iter().any(|cause| cause.subject == name)
    }
}

fn ratio(scopes: &BTreeMap<String, Used>) -> Option<f64> {
    scopes.get("peer").and_then(|used| used.used_ratio).filter(|used| used.is_finite())
}

impl Cause {
    fn told(&self) -> Wrong {
        let subject = if self.subject.is_empty() { String::new() } else { format!(" at {}", self.subject) };
        Wrong {
            what: format!("{}{subject}", self.cause),
            since: self.since.as_deref().map(clean),
            caused_by: self.caused_by.as_ref().and_then(named),
        }
    }
}

/// The name or the names that a cause gives for its root.
fn named(value: &serde_json::Value) -> Option<String> {
    let texts = match value {
        serde_json::Value::String(text) => vec![clean(text)],
        serde_json::Value::Array(all) => all.iter().filter_map(|one| one.as_str().map(clean)).collect(),
        serde_json::Value::Object(one) => one.get("subject").and_then(named).into_iter().collect(),
        _ => Vec::new(),
    };
    Some(texts.join(", ")).filter(|names| !names.is_empty())
}

impl Entry {
    fn told(&self, name: &str) -> Wrong {
        let reason = self.reason.as_deref().map_or(String::new(), |reason| format!(" ({})", clean(reason)));
        let what = match (&self.reported_by, self.state.as_deref()) {
            (Some(by), _) => format!("{} is unhealthy, says {}", clean(name), clean(by)),
            (None, Some("unknown")) => format!("{} is not decided yet{reason}", clean(name)),
            (None, _) => format!("{} is down{reason}", clean(name)),
        };
        Wrong { what, since: self.since.as_deref().map(clean), caused_by: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = r#"{"status":"unhealthy","overall_healthy":false,"services":{
        "db":{"healthy":false,"state":"down","reason":"refused","since":"2026-11-21T06:17:04Z","response_time_ms":1.2},
        "cache":{"healthy":true,"state":"up"},
        "mail":{"healthy":false,"state":"unknown"},
        "queue":{"healthy":false,"reported_by":"backend"}},
        "system":{"cpu":{"peer":{"used_ratio":0.5},"host":{"used_ratio":0.9}},"memory":{},"disk":{}},
        "process":{"memory_bytes":1048576},"agent":{}"#;

    fn whats(body: &str) -> Vec<String> {
        Page::read(body.as_bytes()).unwrap().wrong().into_iter().map(|wrong| wrong.what).collect()
    }

    #[test]
    fn checks_are_counted_without_the_parts_of_others() {
        let page = Page::read(format!("{BODY}}}").as_bytes()).unwrap();
        assert_eq!(page.checks(), (1, 3));
        assert_eq!((page.cpu(), page.memory_ratio(), page.memory_bytes()), (Some(0.5), None, Some(1 << 20)));
    }

    #[test]
    fn without_causes_every_check_that_is_not_up_is_told() {
        let told = ["db is down (refused)", "mail is not decided yet", "queue is unhealthy, says backend"];
        assert_eq!(whats(&format!("{BODY}}}")), told);
    }

    #[test]
    fn a_cause_stands_for_its_check_and_roots_come_first() {
        let causes = r#","causes":[{"cause":"dependency_not_ready","subject":"mail","since":null,"caused_by":"db"},
            {"cause":"wrong_port","subject":"db","since":"2026-11-21T06:17:04Z","caused_by":null}]}"#;
        let told = ["wrong_port at db", "dependency_not_ready at mail", "queue is unhealthy, says backend"];
        assert_eq!(whats(&format!("{BODY}{causes}")), told);
    }

    #[test]
    fn a_maintenance_window_is_told_with_its_end_and_reason() {
        let silenced = |more: &str| Page::read(format!("{BODY}{more}}}").as_bytes()).unwrap().silenced();
        assert_eq!(silenced(""), None);
        let window =
            r#","silenced":{"until":"2026-11-21T07:00:00Z","since":"","by":"request","reason":"new\u001bbase"}"#;
        assert_eq!(silenced(window).as_deref(), Some("silenced until 2026-11-21T07:00:00Z: new base"));
    }

    #[test]
    fn another_services_page_is_none_of_an_agent() {
        for body in ["", "ok", "[]", r#"{"status":"UP"}"#, r#"{"status":1,"services":{}}"#] {
            assert!(Page::read(body.as_bytes()).is_none(), "{body}");
        }
    }

    #[test]
    fn nothing_reaches_the_terminal_with_control_characters() {
        let body = "{\"status\":\"heal\\u001b[31mthy\",\"services\":{\"a\\u001b[2Jb\":{\"healthy\":false,\"reason\":\"\\u0007\"}}}";
        let page = Page::read(body.as_bytes()).unwrap();
        let all = format!("{}{}", page.status, whats(body).concat());
        assert!(!all.chars().any(char::is_control), "{all:?}");
    }
}
