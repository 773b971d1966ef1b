//! Asks a Prometheus for every query of the dashboards: which give no data, and which exceptions are none any more.

use super::{Dashboard, Query, dashboards, promql, text};
use crate::http::get;
use std::time::{Duration, Instant};

/// A query that has no data in some stack, and why.
#[derive(Clone, Debug)]
pub struct Exception {
    /// `uid` of the dashboard.
    pub dashboard: String,
    /// Id of the panel.
    pub panel: u64,
    /// The query's letter; empty for all queries of the panel.
    pub query: String,
    /// Why there is none.
    pub reason: String,
}

impl Exception {
    /// An exception of all queries of a panel.
    #[must_use]
    pub fn panel(dashboard: &str, panel: u64, reason: &str) -> Self {
        Self { dashboard: dashboard.to_owned(), panel, query: String::new(), reason: reason.to_owned() }
    }

    /// An exception of one query.
    #[must_use]
    pub fn query(query: &Query, reason: &str) -> Self {
        Self { query: query.name.clone(), ..Self::panel(&query.dashboard, query.panel.0, reason) }
    }

    fn is_of(&self, query: &Query) -> bool {
        let named = self.query.is_empty() || self.query == query.name;
        self.dashboard == query.dashboard && self.panel == query.panel.0 && named
    }
}

/// Asks the Prometheus at `address` (`http://host:port`) until every query of every dashboard has data, at most for `patience`, and
/// returns one complaint for each that has none, and for each exception that is not needed. `chosen` are values of variables that
/// take one; those that take several stand for `All`.
#[must_use]
pub fn complaints(address: &str, chosen: &[(&str, &str)], exceptions: &[Exception], patience: Duration) -> Vec<String> {
    let began = Instant::now();
    let dashboards = dashboards();
    let mut waiting: Vec<(&Dashboard, Query)> = Vec::new();
    for dashboard in &dashboards {
        waiting.extend(dashboard.variables().into_iter().chain(dashboard.queries()).map(|query| (dashboard, query)));
    }
    let expected = |query: &Query| exceptions.iter().any(|exception| exception.is_of(query));
    let (excused, mut waiting): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|(_, query)| expected(query));
    let mut last;
    loop {
        last = Vec::new();
        waiting.retain(|(dashboard, query)| match ask(address, dashboard, query, chosen) {
            Ok(()) => false,
            Err(why) => {
                last.push(format!("{}: {why}\n    {}", query.shown(), query.expr));
                true
            }
        });
        if waiting.is_empty() || began.elapsed() > patience {
            break;
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    last.extend(needless(address, &excused, chosen, exceptions));
    last
}

/// Exceptions whose query has data, and those that are of no query at all.
fn needless(address: &str, excused: &[(&Dashboard, Query)], chosen: &[(&str, &str)], all: &[Exception]) -> Vec<String> {
    let answered = |(dashboard, query): &&(&Dashboard, Query)| ask(address, dashboard, query, chosen).is_ok();
    let mut found: Vec<String> = excused
        .iter()
        .filter(answered)
        .map(|(_, query)| format!("{}: has data, so it is no exception", query.shown()))
        .collect();
    let of_none = |exception: &&Exception| !excused.iter().any(|(_, query)| exception.is_of(query));
    found.extend(all.iter().filter(of_none).map(|exception| format!("an exception of no query: {exception:?}")));
    found
}

/// Asks once: there must be a number, and every label of the legend.
fn ask(address: &str, dashboard: &Dashboard, query: &Query, chosen: &[(&str, &str)]) -> Result<(), String> {
    let expr = chosen_in(dashboard, query, chosen)?;
    let encoded: String = expr.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let answer = get(&format!("{address}/api/v1/query?query={encoded}"))?.json();
    if text(&answer, "/status") != "success" {
        return Err(format!("Prometheus says: {}", text(&answer, "/error")));
    }
    let series = super::list(&answer, "/data/result");
    let is_number =
        |series: &&serde_json::Value| text(series, "/value/1").parse().is_ok_and(|value: f64| !value.is_nan());
    let numbers: Vec<_> = series.iter().filter(is_number).collect();
    if numbers.is_empty() {
        return Err(if series.is_empty() { "no data".to_owned() } else { "nothing but NaN".to_owned() });
    }
    let lacks = |label: &&&str| !numbers.iter().any(|series| series.pointer(&format!("/metric/{label}")).is_some());
    match legend_labels(&query.legend).iter().find(lacks) {
        Some(label) => Err(format!("no series has the label `{label}` of the legend")),
        None => Ok(()),
    }
}

/// The query's expression with the variables of its dashboard.
///
/// # Errors
/// When it names one that there is not.
pub fn chosen_in(dashboard: &Dashboard, query: &Query, chosen: &[(&str, &str)]) -> Result<String, String> {
    let variables = super::list(&dashboard.json, "/templating/list");
    let names =
        |many: bool| variables.iter().filter(move |one| (one["multi"] == true) == many).map(|one| text(one, "/name"));
    let (single, lists): (Vec<&str>, Vec<&str>) = (names(false).collect(), names(true).collect());
    let chosen: Vec<(&str, &str)> = chosen.iter().copied().filter(|(name, _)| single.contains(name)).collect();
    promql::substituted(&query.expr, &chosen, &lists)
}

/// The labels that a legend shows: `{{label}}`.
#[must_use]
pub fn legend_labels(legend: &str) -> Vec<&str> {
    legend.split("{{").skip(1).filter_map(|rest| rest.split_once("}}")).map(|(label, _)| label.trim()).collect()
}
