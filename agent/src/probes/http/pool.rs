//! The service's own view of its connection pool, from its health page (found by its shape, or by JSON paths) or from its
//! Prometheus metrics. It is the only place that knows how many connections are checked out: the database cannot tell.

use super::json::JsonPath;
use crate::probes::Context;
use crate::probes::facts::{POOL_IN, POOL_OUT, POOL_RATIO, POOL_SIZE};
use serde_json::Value;

/// The key `pool` as written.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PoolParams {
    #[serde(default)]
    pub(super) from: Option<String>,
    pub(super) size: String,
    #[serde(default)]
    pub(super) checked_in: Option<String>,
    #[serde(default)]
    pub(super) checked_out: Option<String>,
    #[serde(default)]
    pub(super) service: Option<String>,
}

/// Where a figure stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Source {
    Json(JsonPath),
    Metric(String),
}

impl Source {
    /// `$.a.b` is a JSON path, anything else a metric's name.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with('$') {
            return JsonPath::parse(text).map(Self::Json).map_err(|error| error.to_string());
        }
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':');
        let name = !text.is_empty() && text.chars().all(good);
        let wrong = || format!("expected a JSON path (`$.pool.size`) or the name of a metric, not `{text}`");
        name.then(|| Self::Metric(text.to_owned())).ok_or_else(wrong)
    }

    fn find(&self, page: &Page<'_>) -> Option<f64> {
        match self {
            Self::Json(path) => path.find(page.json.as_ref()?).first()?.as_f64(),
            Self::Metric(name) => sum(page.text, name),
        }
    }
}

/// A page that may tell of a pool.
pub(super) struct Page<'a> {
    pub(super) text: &'a str,
    pub(super) json: Option<Value>,
}

impl<'a> Page<'a> {
    pub(super) fn new(body: &'a [u8]) -> Self {
        let text = str::from_utf8(body).unwrap_or_default();
        let json = text.trim_start().starts_with(['{', '[']).then(|| serde_json::from_str(text).ok()).flatten();
        Self { text, json }
    }
}

/// Where to look, checked.
#[derive(Clone, Debug)]
pub(super) struct PoolPlan {
    pub(super) from: Option<String>,
    pub(super) service: String,
    pub(super) size: Source,
    pub(super) checked_in: Option<Source>,
    pub(super) checked_out: Option<Source>,
}

/// A pool as its owner sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Pool {
    size: Option<f64>,
    checked_in: Option<f64>,
    checked_out: Option<f64>,
}

impl Pool {
    fn measure(self, cx: &mut Context<'_>, service: &str) {
        let figures = [(&POOL_SIZE, self.size), (&POOL_IN, self.checked_in), (&POOL_OUT, self.checked_out)];
        for (metric, value) in figures {
            if let Some(value) = value.filter(|value| value.is_finite()) {
                cx.measure(metric.with([service], value));
            }
        }
        if let (Some(size), Some(out)) = (self.size.filter(|size| *size > 0.0), self.checked_out) {
            cx.measure(POOL_RATIO.with([service], out / size));
        }
    }
}

/// Measures the pool that the configuration says where to find. A figure that is not there is noted, and no failure of the check.
pub(super) fn measure_configured(cx: &mut Context<'_>, plan: &PoolPlan, page: &Page<'_>) {
    let find = |source: &Option<Source>| source.as_ref().and_then(|source| source.find(page));
    let pool =
        Pool { size: plan.size.find(page), checked_in: find(&plan.checked_in), checked_out: find(&plan.checked_out) };
    if pool == Pool::default() {
        cx.note("pool", "none of the figures named under `pool` is in the answer");
    }
    pool.measure(cx, &plan.service);
}

/// Measures a pool that a JSON answer shows by itself: `pool.{size,checked_in,checked_out}` below `value`.
pub(super) fn measure_found(cx: &mut Context<'_>, service: &str, value: &Value) {
    let Some(pool) = value.get("pool") else { return };
    let figure = |name: &str| pool.get(name).and_then(Value::as_f64);
    let (size, checked_in, checked_out) = (figure("size"), figure("checked_in"), figure("checked_out"));
    Pool { size, checked_in, checked_out }.measure(cx, service);
}

/// The sum of all samples of a metric in Prometheus' text format, or `None` without one.
pub(in crate::probes) fn sum(text: &str, name: &str) -> Option<f64> {
    let values = text.lines().filter_map(|line| {
        let rest = line.strip_prefix(name)?;
        let rest = match rest.strip_prefix('{') {
            Some(labels) => after_labels(labels)?,
            None => rest.strip_prefix([' ', '\t'])?,
        };
        rest.split_whitespace().next()?.parse::<f64>().ok()
    });
    values.fold(None, |sum, value| Some(sum.unwrap_or(0.0) + value))
}

/// What follows the closing brace; a brace inside a quoted value does not close.
fn after_labels(labels: &str) -> Option<&str> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in labels.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '}' if !quoted => return labels.get(at + 1..),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn adds_up_the_samples_of_a_metric() {
        let text = "# HELP pool x\npool{db=\"a } b\\\"\"} 3\npool{db=\"c\"} 4 1700000000\npool_size 9\npool 1\nbroken{";
        assert_eq!(sum(text, "pool"), Some(8.0));
        assert_eq!(sum(text, "pool_size"), Some(9.0));
        assert_eq!((sum(text, "poo"), sum(text, "broken")), (None, None));
    }

    proptest! {
        #[test]
        fn any_page_is_taken_calmly(text in ".{0,200}") {
            let page = Page::new(text.as_bytes());
            let _ = Source::Metric("a".to_owned()).find(&page);
        }
    }
}
