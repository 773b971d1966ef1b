//! `metrics`: reads the page of metrics that a service shows itself, and keeps the families that are to be exported again, so that one
//! scrape of the sidecar serves the whole service. What must stay true: whatever the page holds, a run reads and keeps no more than its
//! caps, gives way to other checks while it reads, and a page that could not be read whole leaves nothing behind.

mod exposition;
mod globs;
mod line;
mod page;
#[cfg(test)]
pub(crate) mod tests;

pub use exposition::{Exposition, Family, FamilyType, Suffix};

use super::http::page::{Access, Authorization, BodyLimit, Got, Page, begin};
use super::net::TlsConfig;
use super::{Context, Detail, Fault, Key, Kind, Probe, Reason, Run, Target, fields_of, key, parameters};
use crate::limits;
use crate::node::{Node, Problems};
use crate::parser::Parser;
use crate::reading::Metric;
use crate::secret::Secret;
use globs::Globs;
use http::header::{CONTENT_TYPE, LOCATION};
use page::Reader;
use std::collections::BTreeMap;

/// The row of the table.
pub(super) static KIND: Kind = Kind {
    name: "metrics",
    schemes: &["metrics", "metricss"],
    summary: "Reads the service's own page of metrics (text 0.0.4 or OpenMetrics, over HTTP; `metricss` over HTTPS; the URL's path, \
              `/metrics` unless written), and exports again what `reexport` names, with the label `check` in front",
    example: "- name: backend-metrics\n  url: metrics://backend:8000/metrics\n  reexport: ['http_*', '!http_debug_*']\n",
    keys: KEYS,
    fields: fields_of::<Params>,
    facts: FACTS,
    parsers: &[Parser { name: "exposition", read }],
    slow: false,
    build,
};

static KEYS: &[Key] = &[
    key(
        "reexport",
        "list of names",
        "nothing",
        "Families that are exported again on the sidecar's own `/metrics`, by name; `*` stands for any letters, `!` in front takes away. \
         At most 5000 series. Histograms and summaries come whole; times and exemplars do not. A name that the agent itself can export \
         is left out and counted, but for `process_*` of the same type and without labels: the agent's own have no label `check`.",
    ),
    key("headers", "mapping of text", "", "Headers of the request."),
    key(
        "authorization",
        "mapping: type, credentials",
        "user and password of the URL",
        "Sends `Authorization: TYPE CREDENTIALS`; the type is `Bearer` unless said.",
    ),
    key(
        "body_size_limit",
        "size",
        "4MiB",
        "A longer page fails the check, also when it is only long once unpacked; at most 16 MiB.",
    ),
    key(
        "tls_config",
        "mapping: insecure_skip_verify, ca_file, cert_file, key_file, server_name, min_version, max_version",
        "",
        "TLS settings, as of an `https` check.",
    ),
];

static SERIES: Metric =
    Metric::gauge("sidecar_exposition_series", "Samples on the service's own page of metrics when it was last read");
static BYTES: Metric =
    Metric::gauge("sidecar_exposition_bytes", "Length in bytes of the service's own page of metrics, unpacked");
/// Samples exported again; counted where the page is made, for it depends on what else stands there.
pub static REEXPORTED: Metric = Metric::gauge(
    "sidecar_exposition_reexported_series",
    "Samples of the service's own page of metrics that stand on this page",
);
/// Samples left out, by one of [`LEFT_OUT_WHY`].
pub static LEFT_OUT: Metric = Metric::gauge(
    "sidecar_exposition_left_out_series",
    "Samples that were to be exported again and were not, by reason",
)
.labelled(&["reason"]);
/// The agent itself can export the name; another check has the name with another type; the page has the series twice; the name or the
/// labels are too long.
pub static LEFT_OUT_WHY: [&str; 4] = ["own_name", "other_type", "duplicate", "too_long"];

static FACTS: &[&Metric] = &[
    &super::net::facts::LOOKUP_TIME,
    &super::net::facts::IP_PROTOCOL,
    &super::net::facts::IP_HASH,
    &super::net::facts::EARLIEST_EXPIRY,
    &super::net::facts::LAST_CHAIN_EXPIRY,
    &super::net::facts::LAST_CHAIN,
    &super::net::facts::VERSION,
    &super::net::facts::CIPHER,
    &super::facts::CERTIFICATE_EXPIRES_IN_SECONDS,
    &SERIES,
    &BYTES,
    &REEXPORTED,
    &LEFT_OUT,
];

#[derive(Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Params {
    reexport: Option<Globs>,
    headers: BTreeMap<String, Secret>,
    authorization: Option<Authorization>,
    body_size_limit: Option<BodyLimit>,
    tls_config: TlsConfig,
}

struct Metrics {
    page: Page,
    reexport: Option<Globs>,
}

/// What a Prometheus of version 2 asks for, the plain format first: it has no names that 0.0.4 cannot say.
const ACCEPT: &str = "text/plain;version=0.0.4,application/openmetrics-text;version=1.0.0;q=0.8,*/*;q=0.1";

fn build(target: &Target, own: &Node, problems: &mut Problems) -> Option<Box<dyn Probe>> {
    let Params { reexport, mut headers, authorization, body_size_limit, tls_config } = parameters(own, problems)?;
    for (name, value) in [("Accept", ACCEPT), ("Accept-Encoding", "gzip")] {
        if !headers.keys().any(|written| written.eq_ignore_ascii_case(name)) {
            headers.insert(name.to_owned(), Secret::new(value));
        }
    }
    let written = target.scheme.clone();
    let scheme = if written == "metricss" { "https" } else { "http" };
    let path = if target.path.is_empty() { "/metrics".to_owned() } else { target.path.clone() };
    let target = Target { scheme: scheme.to_owned(), path, query: None, ..target.clone() };
    let body_limit = body_size_limit.unwrap_or(BodyLimit(limits::EXPOSITION_BYTES));
    let access = Access { scheme: written, headers, authorization, tls_config, body_limit, ..Access::default() };
    let page = Page::new(&target, access, own, problems)?;
    Some(Box::new(Metrics { page, reexport }))
}

impl Probe for Metrics {
    fn run<'a>(&'a mut self, cx: &'a mut Context<'_>) -> Run<'a> {
        Box::pin(async move {
            let got = self.page.get(cx).await?;
            refused(&got)?;
            if let Some(fault) = got.body_fault {
                return Err(fault);
            }
            cx.phase("reading");
            #[expect(clippy::cast_precision_loss, reason = "lengths are below 2^53")]
            cx.measure(BYTES.is(got.body.len() as f64));
            let open_metrics = got
                .headers
                .get(CONTENT_TYPE)
                .is_some_and(|kind| String::from_utf8_lossy(kind.as_bytes()).contains("openmetrics"));
            let nothing = Globs::default();
            let reader = Reader::new(self.reexport.as_ref().unwrap_or(&nothing), open_metrics);
            let (series, exposition) =
                read_page(&got.body, reader).await.map_err(|message| strange(&message, &got.body))?;
            #[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
            cx.measure(SERIES.is(series as f64));
            if let Some(globs) = &self.reexport {
                tell(cx, globs, &exposition);
                cx.reexport(exposition);
            }
            Ok(())
        })
    }
}

/// Reads a page, giving way now and then: the number of its samples, and what is kept of them.
async fn read_page(body: &[u8], mut reader: Reader<'_>) -> Result<(usize, Exposition), String> {
    let text = str::from_utf8(body).map_err(|error| {
        let sound = body.get(..error.valid_up_to()).unwrap_or_default();
        format!("line {} is none of an exposition: it is no UTF-8", sound.split(|byte| *byte == b'\n').count())
    })?;
    for (at, line) in text.lines().enumerate() {
        reader.take(line)?;
        if at % limits::EXPOSITION_LINES_AT_ONCE == limits::EXPOSITION_LINES_AT_ONCE - 1 {
            tokio::task::yield_now().await;
        }
    }
    let series = reader.series();
    reader.end().map(|exposition| (series, exposition))
}

/// Says what `reexport` came to, for people.
fn tell(cx: &mut Context<'_>, globs: &Globs, exposition: &Exposition) {
    let names: Vec<&str> = exposition.families.iter().map(|family| &*family.name).collect();
    let series: usize = exposition.families.iter().map(Family::len).sum();
    cx.note("reexport", &format!("{series} series of {} families", names.len()));
    let idle: Vec<&str> = globs.idle(&names).collect();
    if !idle.is_empty() {
        cx.note("reexport without a match", &idle.join(", "));
    }
}

/// The fault of an answer that is not the page, by its status.
fn refused(got: &Got) -> Result<(), Fault> {
    let fault = |reason| {
        Fault::new(reason, format!("answered status {}, expected 200 and metrics", got.status))
            .exactly(Detail::of_status(got.status))
    };
    match got.status {
        200 => Ok(()),
        401 | 403 => {
            Err(fault(Reason::Auth).hint("write user and password into the URL, or a token under `authorization`"))
        }
        301 | 302 | 303 | 307 | 308 => {
            let to = got.headers.get(LOCATION).map(|to| String::from_utf8_lossy(to.as_bytes())).unwrap_or_default();
            let to: String = super::clean(&to).chars().take_while(|c| *c != '?').collect();
            Err(fault(Reason::Status).hint(format!("it redirects to `{to}`: write that into the URL")))
        }
        404 => Err(fault(Reason::Status).hint("which path are the service's metrics at?")),
        _ => Err(fault(Reason::Status)),
    }
}

fn strange(message: &str, body: &[u8]) -> Fault {
    let fault = Fault::new(Reason::Body, message);
    if message.contains("`reexport`") {
        return fault.hint("name fewer families, or take some away with `!name`");
    }
    fault.hint(format!("the page begins with {}", begin(body)))
}

/// Reads whatever a page holds, in both formats, for fuzzing.
fn read(bytes: &[u8]) {
    let all = Globs::all();
    for open_metrics in [false, true] {
        let mut reader = Reader::new(&all, open_metrics);
        let text = String::from_utf8_lossy(bytes);
        if text.lines().try_for_each(|line| reader.take(line)).is_ok() {
            let _exposition = reader.end();
        }
    }
}
