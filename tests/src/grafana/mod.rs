//! The Grafana dashboards of the checkout: their panels and queries, and a checker that asks a Prometheus for each of them. Knows
//! Grafana's JSON model and nothing of any stack: who runs one tells the address, what to choose for the variables, and what cannot
//! be there.

pub mod ask;
pub mod promql;

use crate::repo::{files, read, shown};
use serde_json::Value;

/// One dashboard as it is on disk.
pub struct Dashboard {
    /// Its file, as written in messages.
    pub file: String,
    /// Its whole JSON.
    pub json: Value,
}

/// One query of a panel.
#[derive(Clone, Debug)]
pub struct Query {
    /// `uid` of the dashboard.
    pub dashboard: String,
    /// The panel's id and title; id 0 is the dashboard itself (its variables).
    pub panel: (u64, String),
    /// `A`, `B`, …; of a variable its name.
    pub name: String,
    /// The expression, with its variables.
    pub expr: String,
    /// The legend's template.
    pub legend: String,
}

impl Query {
    /// How messages name it.
    #[must_use]
    pub fn shown(&self) -> String {
        format!("{} panel {} `{}`, query {}", self.dashboard, self.panel.0, self.panel.1, self.name)
    }
}

/// All of them.
///
/// # Panics
/// When one is no JSON.
#[must_use]
#[expect(clippy::panic, reason = "a test fails by panicking")]
pub fn dashboards() -> Vec<Dashboard> {
    let load = |path: &std::path::PathBuf| {
        let json = serde_json::from_str(&read(path)).unwrap_or_else(|error| panic!("{}: {error}", shown(path)));
        Dashboard { file: shown(path), json }
    };
    files("dashboards/grafana", ".json").iter().map(load).collect()
}

/// A text of an object, empty when there is none.
#[must_use]
pub fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// A list of an object, empty when there is none.
#[must_use]
pub fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

impl Dashboard {
    /// Its uid.
    #[must_use]
    pub fn uid(&self) -> &str {
        text(&self.json, "/uid")
    }

    /// Its panels, those folded into rows included, the rows themselves left out.
    #[must_use]
    pub fn panels(&self) -> Vec<&Value> {
        self.everything().into_iter().filter(|panel| text(panel, "/type") != "row").collect()
    }

    /// Panels and rows.
    #[must_use]
    pub fn everything(&self) -> Vec<&Value> {
        list(&self.json, "/panels")
            .iter()
            .flat_map(|panel| std::iter::once(panel).chain(list(panel, "/panels")))
            .collect()
    }

    /// The queries of all panels.
    #[must_use]
    pub fn queries(&self) -> Vec<Query> {
        let of_panel = |panel: &Value| {
            let of_target = |target: &Value| self.query(panel, target);
            list(panel, "/targets").iter().map(of_target).collect::<Vec<_>>()
        };
        self.panels().into_iter().flat_map(of_panel).collect()
    }

    fn query(&self, panel: &Value, target: &Value) -> Query {
        Query {
            dashboard: self.uid().to_owned(),
            panel: (panel["id"].as_u64().unwrap_or_default(), text(panel, "/title").to_owned()),
            name: text(target, "/refId").to_owned(),
            expr: text(target, "/expr").to_owned(),
            legend: text(target, "/legendFormat").to_owned(),
        }
    }

    /// What the variables that are lists ask for: `label_values(SELECTOR, LABEL)` as a query that has series when the list has values.
    #[must_use]
    pub fn variables(&self) -> Vec<Query> {
        let asked = |variable: &Value| {
            let inner = text(variable, "/query/query").strip_prefix("label_values(")?.strip_suffix(')')?;
            let (selector, label) = inner.rsplit_once(", ")?;
            Some(Query {
                dashboard: self.uid().to_owned(),
                panel: (0, "variables".to_owned()),
                name: text(variable, "/name").to_owned(),
                expr: format!("count by ({label}) ({selector})"),
                legend: format!("{{{{{label}}}}}"),
            })
        };
        list(&self.json, "/templating/list").iter().filter_map(asked).collect()
    }

    /// The expressions of its annotations.
    #[must_use]
    pub fn annotations(&self) -> Vec<Query> {
        let asked = |annotation: &Value| {
            annotation.get("expr").and_then(Value::as_str).map(|expr| Query {
                dashboard: self.uid().to_owned(),
                panel: (0, "annotations".to_owned()),
                name: text(annotation, "/name").to_owned(),
                expr: expr.to_owned(),
                legend: String::new(),
            })
        };
        list(&self.json, "/annotations/list").iter().filter_map(asked).collect()
    }
}
