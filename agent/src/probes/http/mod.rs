//! The HTTP check: one request, its redirects, and a judgement of the last answer.
//! It knows neither how answers are exported nor what role the check has. What must stay true: credentials go to the host of the
//! URL and to no other, nothing is read beyond its cap, and a deadline loses no phase that has begun.

mod exchange;
mod fetch;
mod json;
mod metrics;
pub(super) mod page;
mod params;
mod parts;
mod plan;
mod pool;
mod rules;
mod status;
#[cfg(test)]
mod tests;
mod unpack;

#[cfg(test)]
pub(super) use tests::CASES;

pub use fetch::{Fetched, fetch};

use crate::node::{Node, Problems};
use crate::probes::outcome::late;
use crate::probes::{Context, Fault, Kind, Probe, Reason, Run, Target, fields_of, parameters};
use crate::{clock, limits};
use bytes::Bytes;
use exchange::{Ask, Got, authority, exchange};
use http::header::{
    AGE, CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderMap, LAST_MODIFIED as LAST_MODIFIED_HEADER, LOCATION,
    TRANSFER_ENCODING,
};
use http::{Method, StatusCode, Version};
use metrics::{
    BODY_LENGTH, CLOCK_OFFSET, CONTENT_LENGTH as ANNOUNCED_LENGTH, DURATION, FAILED_REGEX, LAST_MODIFIED, PHASES,
    REDIRECTS, SSL, STATUS, VERSION,
};
use params::Params;
use plan::Plan;
use pool::Page;
use rules::Answer;
use std::time::SystemTime;
use tokio::time::timeout_at;
use url::Url;

/// The row of the table.
pub static KIND: Kind = Kind {
    name: "http",
    schemes: &["http", "https"],
    summary: "Requests a page and judges status, headers, body and JSON; times every phase and describes the certificate",
    example: "- name: backend\n  url: http://backend:8000/health\n  valid_status_codes: [200]\n  json: ['$.status == \"ok\"']\n",
    keys: params::KEYS,
    fields: fields_of::<Params>,
    facts: metrics::FACTS,
    parsers: &[],
    slow: false,
    build,
};

fn build(target: &Target, own: &Node, problems: &mut Problems) -> Option<Box<dyn Probe>> {
    let params: Params = parameters(own, problems)?;
    let plan = plan::plan(target, &params, own, problems)?;
    Some(Box::new(Http { plan }))
}

struct Http {
    plan: Plan,
}

impl Probe for Http {
    fn run<'a>(&'a mut self, cx: &'a mut Context<'_>) -> Run<'a> {
        Box::pin(self.probe(cx))
    }
}

impl Http {
    /// Runs under the deadline itself, so that the phases are exported when it passes.
    async fn probe(&self, cx: &mut Context<'_>) -> Result<(), Fault> {
        let whole = cx.left();
        // As in blackbox: figures of an answer that did not come are 0, for people alert on `probe_http_status_code == 0`.
        for metric in [&STATUS, &ANNOUNCED_LENGTH, &BODY_LENGTH, &REDIRECTS, &SSL, &VERSION, &FAILED_REGEX] {
            cx.measure(metric.is(0.0));
        }
        let ended = timeout_at(cx.deadline, self.ask_and_judge(cx)).await;
        let phase = cx.current_phase();
        cx.end_phase();
        for phase in PHASES {
            cx.measure(DURATION.with([phase], cx.took(phase).unwrap_or_default().as_secs_f64()));
        }
        ended.unwrap_or_else(|_elapsed| Err(late(phase, whole)))
    }

    async fn ask_and_judge(&self, cx: &mut Context<'_>) -> Result<(), Fault> {
        let got = self.follow(cx).await?;
        measure(cx, &got);
        if let Some(fault) = got.body_fault {
            return Err(fault);
        }
        let page = Page::new(&got.answer.body);
        let judged = self.plan.rules.judge(&got.answer, &page);
        if let Some(json) = page.json.as_ref().filter(|_| is_json(&got.answer.headers)) {
            parts::measure(cx, json, self.plan.pool.is_none());
        }
        self.look_for_pool(cx, &page).await;
        judged.map_err(|verdict| {
            cx.measure(FAILED_REGEX.is(if verdict.regex { 1.0 } else { 0.0 }));
            cx.note("answer", &rules::begin(&got.answer.body));
            verdict.fault
        })
    }

    /// Asks, and asks again where it is sent, up to [`limits::REDIRECTS`] times.
    async fn follow(&self, cx: &mut Context<'_>) -> Result<Got, Fault> {
        let mut url = self.plan.url.clone();
        let (mut method, mut body) = (self.plan.method.clone(), self.plan.body.clone());
        for followed in 0..=limits::REDIRECTS {
            cx.measure(REDIRECTS.is(f64::from(followed)));
            let got = exchange(cx, self.ask(&url, method.clone(), body.clone()), None).await?;
            let Some(next) = self.next(&url, &got.answer)? else { return Ok(got) };
            // As browsers do: 303 always becomes GET, 301 and 302 when they answer a POST; 307 and 308 keep what was asked.
            let status = got.answer.status;
            let changes = status == StatusCode::SEE_OTHER && method != Method::HEAD;
            if changes || (method == Method::POST && matches!(status.as_u16(), 301 | 302)) {
                (method, body) = (Method::GET, Bytes::new());
            }
            url = next;
        }
        cx.measure(REDIRECTS.is(f64::from(limits::REDIRECTS)));
        let message = format!("redirected more than {} times, the last time to `{}`", limits::REDIRECTS, shown(&url));
        Err(Fault::new(Reason::Status, message).hint("do two rules of the proxy send to each other?"))
    }

    /// Where an answer sends, when redirects are followed and it does.
    fn next(&self, url: &Url, answer: &Answer) -> Result<Option<Url>, Fault> {
        let redirects = self.plan.follow_redirects && matches!(answer.status.as_u16(), 301 | 302 | 303 | 307 | 308);
        let Some(location) = answer.headers.get(LOCATION).filter(|_| redirects) else { return Ok(None) };
        let next = location.to_str().ok().and_then(|location| url.join(location).ok());
        match next.filter(|next| matches!(next.scheme(), "http" | "https") && next.has_host()) {
            Some(next) => Ok(Some(next)),
            None => Err(Fault::new(Reason::Header, "redirected to something that is no HTTP URL")),
        }
    }

    fn ask<'a>(&'a self, url: &'a Url, method: Method, body: Bytes) -> Ask<'a> {
        let same = same_server(&self.plan.url, url);
        let mut headers = if same { self.plan.headers.clone() } else { harmless(&self.plan.headers) };
        if body.is_empty() {
            // Headers that spoke of a body must not stay when a redirect has dropped it.
            headers.remove(CONTENT_LENGTH);
            headers.remove(TRANSFER_ENCODING);
        }
        let tls = if same { &self.plan.tls } else { &self.plan.tls_elsewhere };
        Ask { plan: &self.plan, url, method, headers, body, tls }
    }

    /// Measures the pool where the configuration says it stands: in the answer, or on another page of the same server.
    async fn look_for_pool(&self, cx: &mut Context<'_>, page: &Page<'_>) {
        let Some(plan) = &self.plan.pool else { return };
        let Some(from) = &plan.from else { return pool::measure_configured(cx, plan, page) };
        let Ok(url) = self.plan.url.join(from) else { return };
        // Of its own context, or the second page's time would count as the first one's; half the time left, or it could turn a
        // good check into a late one.
        let deadline = clock::now() + cx.left() / 2;
        let mut aside = Context::new(cx.net, deadline, cx.depth);
        let asking = exchange(&mut aside, self.ask(&url, Method::GET, Bytes::new()), None);
        match timeout_at(deadline, asking).await {
            Ok(Ok(got)) if got.answer.status.is_success() && got.body_fault.is_none() => {
                pool::measure_configured(cx, plan, &Page::new(&got.answer.body));
            }
            Ok(Ok(got)) => cx.note("pool", &format!("`{from}` answered status {}", got.answer.status.as_u16())),
            Ok(Err(fault)) => cx.note("pool", &format!("`{from}`: {}", fault.message)),
            Err(_elapsed) => cx.note("pool", &format!("`{from}` did not answer in time")),
        }
    }
}

/// Whether credentials for the first URL may go to another: the same host, not from TLS to plain, and the same port unless both
/// are the scheme's own (80 to 443 is how a site is moved to TLS).
fn same_server(first: &Url, other: &Url) -> bool {
    let downgrade = first.scheme() == "https" && other.scheme() == "http";
    let ports = first.port_or_known_default() == other.port_or_known_default()
        || (first.port().is_none() && other.port().is_none());
    first.host() == other.host() && ports && !downgrade
}

/// The headers that say nothing of us.
fn harmless(headers: &HeaderMap) -> HeaderMap {
    let known = |name: &&http::HeaderName| {
        matches!(name.as_str(), "accept" | "accept-encoding" | "accept-language" | "user-agent")
    };
    headers.iter().filter(|(name, _)| known(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// A URL without its query, which may hold a token, and without a path that could be the rest of a password.
fn shown(url: &Url) -> String {
    let unclear = url.path().contains('@') || url.query().is_some_and(|query| query.contains('@'));
    format!("{}://{}{}", url.scheme(), authority(url), if unclear { "/***" } else { url.path() })
}

fn is_json(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| String::from_utf8_lossy(kind.as_bytes()).contains("json"))
}

fn measure(cx: &mut Context<'_>, got: &Got) {
    let answer = &got.answer;
    #[expect(clippy::cast_precision_loss, reason = "lengths are below 2^53")]
    let length = got.announced.map_or(-1.0, |length| length as f64);
    #[expect(clippy::cast_precision_loss, reason = "lengths are below 2^53")]
    let body = answer.body.len() as f64;
    cx.measure(STATUS.is(f64::from(answer.status.as_u16())));
    cx.measure(ANNOUNCED_LENGTH.is(length));
    cx.measure(BODY_LENGTH.is(body));
    cx.measure(SSL.is(if answer.secure { 1.0 } else { 0.0 }));
    cx.measure(VERSION.is(if answer.version == Version::HTTP_10 { 1.0 } else { 1.1 }));
    if let Some(at) = answer.headers.get(LAST_MODIFIED_HEADER).and_then(|value| http_date(value.to_str().ok()?)) {
        cx.measure(LAST_MODIFIED.is(at));
    }
    if let Some(offset) = clock_offset(&answer.headers, clock::wall()) {
        cx.measure(CLOCK_OFFSET.is(offset));
    }
}

/// By how many seconds the clock behind an answer is ahead of ours. The `Date` of an answer from a cache is older than the answer.
fn clock_offset(headers: &HeaderMap, now: SystemTime) -> Option<f64> {
    let date = headers.get(DATE).filter(|_| !headers.contains_key(AGE))?;
    Some(http_date(date.to_str().ok()?)? - clock::unix(now).floor())
}

/// Seconds since the epoch of a date such as `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7; the form all must send).
fn http_date(text: &str) -> Option<f64> {
    let mut parts = text.split_once(", ")?.1.split(' ');
    let day: i64 = parts.next()?.parse().ok()?;
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let name = parts.next()?;
    let month = i64::try_from(months.iter().position(|month| *month == name)?).ok()?;
    let year: i64 = parts.next()?.parse().ok().filter(|year| (1970..10_000).contains(year))?;
    let clock: Vec<i64> = parts.next()?.split(':').map_while(|part| part.parse().ok()).collect();
    let [hours, minutes, seconds] = clock.as_slice() else { return None };
    let days = clock::days(year, month + 1, day)?;
    let seconds = i32::try_from(hours * 3600 + minutes * 60 + seconds).ok()?;
    Some(f64::from(i32::try_from(days).ok()?) * 86_400.0 + f64::from(seconds))
}
