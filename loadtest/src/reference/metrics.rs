//! What the reference says of the metrics of a run that goes on, from their table.

use super::table;
use crate::report::METRICS;

/// The section of the metrics.
pub(super) fn section() -> String {
    let rows = METRICS.iter().map(|(name, kind, help)| [format!("`{name}`"), (*kind).to_owned(), (*help).to_owned()]);
    ABOUT.to_owned() + &table(["metric", "type", "meaning"], rows)
}

const ABOUT: &str = "## Metrics of a run (`--metrics-listen`)

While the run goes on, `http://ADDRESS/metrics` has it in Prometheus' text format, made anew at most once a second. Labels: `request` and
`stage` name what is counted, `cause` why it failed. The page ends with the run; its figures are in the report. Scrape it every
few seconds: `{job_name: loadtest, scrape_interval: 5s, static_configs: [{targets: [\"127.0.0.1:9646\"]}]}`. The dashboard `loadtest` shows it.

";
