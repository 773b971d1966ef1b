//! What the stack's Prometheus and Alertmanager say.

use super::Stack;
use crate::http::get;
use serde_json::Value;

impl Stack {
    /// Prometheus' base URL on this host.
    #[must_use]
    pub fn prometheus(&self) -> String {
        format!("http://127.0.0.1:{}", self.prometheus)
    }

    /// The result of an instant query.
    ///
    /// # Errors
    /// When Prometheus does not answer.
    pub fn query(&self, expression: &str) -> Result<Vec<Value>, String> {
        let encoded: String = expression.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let answer = get(&format!("{}/api/v1/query?query={encoded}", self.prometheus()))?.json();
        let found = answer.pointer("/data/result").and_then(Value::as_array).cloned();
        found.ok_or_else(|| format!("{expression}: {answer}"))
    }

    /// The labels `alertname`, `service` and `team` of every alert that fires.
    ///
    /// # Errors
    /// When Prometheus does not answer.
    pub fn firing(&self) -> Result<Vec<[String; 3]>, String> {
        let series = self.query("ALERTS{alertstate=\"firing\"}")?;
        let labels = ["alertname", "service", "team"].map(|name| format!("/metric/{name}"));
        Ok(series.iter().map(|one| labels.each_ref().map(|label| text(one, label).to_owned())).collect())
    }

    /// Whether an alert about a service fires.
    #[must_use]
    pub fn fires(&self, alert: &str, service: &str) -> bool {
        self.firing().is_ok_and(|all| all.iter().any(|[name, about, _]| name == alert && about == service))
    }

    /// How Alertmanager takes an alert about a service: `active`, or `suppressed` when another one keeps it quiet; `None` when it does
    /// not know it.
    #[must_use]
    pub fn alert_state(&self, alert: &str, service: &str) -> Option<String> {
        let answer = get(&format!("http://127.0.0.1:{}/api/v2/alerts", self.alertmanager)).ok()?.json();
        let about = |one: &&Value| text(one, "/labels/alertname") == alert && text(one, "/labels/service") == service;
        answer.as_array()?.iter().find(about).map(|one| text(one, "/status/state").to_owned())
    }
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
