//! Services that are looked at through a few of their own pages, each a kind of its own over the HTTP check's client: where they are, with
//! what they are asked, and what is said of an answer that is none. What must stay true: a page that only adds facts never fails a check.

pub(super) mod alertmanager;
pub(super) mod chroma;
pub(super) mod grafana;
pub(super) mod logstash;
pub(super) mod mcp;
pub(super) mod openai;
pub(super) mod prometheus;
mod reload;
#[cfg(test)]
pub(super) mod tests;

use super::http::page::{Access, Got, Page, begin};
use super::net::{TlsConfig, facts as net, keys};
use super::{Context, Detail, Fault, Key, Probe, Reason, Run, Target, clean, parameters, place_of};
use crate::clock;
use crate::node::{Node, Problems};
use crate::probes::facts::{CERTIFICATE_EXPIRES_IN_SECONDS, PART_HEALTHY};
use crate::reading::Metric;
use crate::secret::Secret;
use http::header::{HeaderMap, LOCATION, RETRY_AFTER};
use serde_json::Value;
use std::collections::BTreeMap;
use tokio::time::timeout_at;

/// What every service can measure.
static FACTS: &[&Metric] = &[
    &net::LOOKUP_TIME,
    &net::IP_PROTOCOL,
    &net::IP_HASH,
    &PART_HEALTHY,
    &net::EARLIEST_EXPIRY,
    &net::LAST_CHAIN_EXPIRY,
    &net::LAST_CHAIN,
    &net::VERSION,
    &net::CIPHER,
    &CERTIFICATE_EXPIRES_IN_SECONDS,
];

const HEADERS: Key = Key {
    name: "headers",
    form: "mapping of text",
    default: "",
    doc: "Headers of every request, such as `Authorization: Bearer …`. User and password may stand in the URL.",
};
const TLS: Key = Key {
    name: "tls",
    form: "true or false",
    default: "as the URL says",
    doc: "Whether to speak HTTPS. A scheme that ends in `+https` or `+http` says it too, and port 443 means HTTPS.",
};

/// The keys of a service without keys of its own.
static KEYS: &[Key] = &[HEADERS, TLS, keys::TLS_CONFIG];

/// The parameters of a service without keys of its own.
#[derive(Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Params {
    headers: BTreeMap<String, Secret>,
    tls: Option<bool>,
    tls_config: TlsConfig,
}

/// How a service is looked at once.
type Look = for<'a> fn(&'a Page, &'a mut Context<'_>) -> Run<'a>;

/// A service without keys of its own.
struct Service {
    page: Page,
    look: Look,
}

impl Probe for Service {
    fn run<'a>(&'a mut self, cx: &'a mut Context<'_>) -> Run<'a> {
        (self.look)(&self.page, cx)
    }
}

/// Makes such a service of a check; `port` is the one that it listens on unless its owner says another.
fn build(target: &Target, (own, problems): (&Node, &mut Problems), port: u16, look: Look) -> Option<Box<dyn Probe>> {
    let Params { headers, tls, tls_config } = parameters(own, problems)?;
    ending(target, tls, own, problems)?;
    let place = place(target, said(target, tls), port);
    let page = Page::new(
        &place,
        Access { scheme: target.scheme.clone(), headers, tls_config, ..Access::default() },
        own,
        problems,
    )?;
    Some(Box::new(Service { page, look }))
}

/// Refuses a scheme's ending that says nothing, or something else than the key `tls`.
fn ending(target: &Target, tls: Option<bool>, own: &Node, problems: &mut Problems) -> Option<()> {
    let says = match target.driver.as_str() {
        "" => return Some(()),
        "https" | "tls" => true,
        "http" => false,
        other => {
            let message = format!("the ending `+{}` of the scheme says nothing here", clean(other));
            problems.add_with_hint("url", place_of(own, "url"), message, "write `+https`, `+http`, or no ending");
            return None;
        }
    };
    if tls.is_some_and(|tls| tls != says) {
        problems.add("tls", place_of(own, "tls"), "the ending of the URL's scheme says the contrary");
        return None;
    }
    Some(())
}

/// Whether HTTPS is spoken: as a key says, as the scheme's ending says, or by the port.
fn said(target: &Target, tls: Option<bool>) -> bool {
    tls.unwrap_or_else(|| match target.driver.as_str() {
        "https" | "tls" => true,
        "http" => false,
        _ => target.port == Some(443),
    })
}

/// The HTTP target behind a service's URL. The query holds keys of ours, and nothing for the service.
fn place(target: &Target, secure: bool, port: u16) -> Target {
    let scheme = if secure { "https" } else { "http" };
    let port = target.port.unwrap_or(if secure { 443 } else { port });
    Target { scheme: scheme.to_owned(), port: Some(port), query: None, ..target.clone() }
}

/// Whether an answer is a good one; `what` names the service.
fn judge(got: &Got, what: &str) -> Result<(), Fault> {
    if (200..300).contains(&got.status) {
        return got.body_fault.clone().map_or(Ok(()), Err);
    }
    Err(refused(got, what))
}

fn refused(got: &Got, what: &str) -> Fault {
    let exactly = Detail::of_status(got.status);
    let fault = |reason| Fault::new(reason, format!("answered status {}", got.status)).exactly(exactly.clone());
    match got.status {
        401 | 403 => fault(Reason::Auth)
            .hint("it wants credentials, or others: user and password in the URL, or `Authorization` under `headers`"),
        404 | 405 | 501 => {
            fault(Reason::Status).hint(format!("is it {what} that answers there? what path does it stand under?"))
        }
        429 => saturated(&got.headers),
        301 | 302 | 303 | 307 | 308 => {
            let to = got.headers.get(LOCATION).map(|to| clean(&String::from_utf8_lossy(to.as_bytes())));
            let to: String = to.unwrap_or_default().chars().take_while(|c| *c != '?').collect();
            fault(Reason::Status)
                .hint(format!("it redirects to `{to}`, which is not followed; write where it really is"))
        }
        _ => {
            Fault { message: format!("answered status {}: {}", got.status, begin(&got.body)), ..fault(Reason::Status) }
        }
    }
}

/// The fault of one who was asked too often, with what he says of when to come again.
fn saturated(headers: &HeaderMap) -> Fault {
    let fault = Fault::new(Reason::Saturated, "answered status 429: too many requests").exactly(Detail::RateLimited);
    match headers.get(RETRY_AFTER).map(|after| clean(&String::from_utf8_lossy(after.as_bytes()))) {
        Some(seconds) if seconds.bytes().all(|b| b.is_ascii_digit()) => {
            fault.hint(format!("it asks to come again after {seconds} s"))
        }
        Some(when) => fault.hint(format!("it asks to come again after {when}")),
        None => fault.hint("others may use up what this address or key may ask for"),
    }
}

/// The JSON of a good answer.
fn json(got: &Got, what: &str) -> Result<Value, Fault> {
    serde_json::from_slice(&got.body).map_err(|_| {
        Fault::new(Reason::Body, format!("answered something that is no JSON, it begins with {}", begin(&got.body)))
            .hint(format!("is it {what} that answers there?"))
    })
}

/// A page that only adds facts: in a context of its own, for its time is not the check's, and in half the time left, or it could make a
/// good check late.
async fn aside(cx: &Context<'_>, page: &Page, below: &str) -> Result<Got, String> {
    let deadline = clock::now() + cx.left() / 2;
    let mut own = Context::new(cx.net, deadline, cx.depth);
    match timeout_at(deadline, page.get_below(&mut own, below)).await {
        Ok(Ok(got)) if got.status == 200 && got.body_fault.is_none() => Ok(got),
        Ok(Ok(got)) => Err(format!("`{below}` answered status {}", got.status)),
        Ok(Err(fault)) => Err(format!("`{below}`: {}", fault.message)),
        Err(_elapsed) => Err(format!("`{below}` did not answer in time")),
    }
}

/// Measures what a service says of a part of itself.
fn part(cx: &mut Context<'_>, name: &str, healthy: bool) {
    cx.measure(PART_HEALTHY.with([name], f64::from(u8::from(healthy))));
}

/// A text in a JSON answer, as a fact for people.
fn note(cx: &mut Context<'_>, name: &'static str, answer: &Value, pointer: &str) {
    if let Some(text) = answer.pointer(pointer).and_then(Value::as_str) {
        cx.note(name, text);
    }
}

/// How many there are, and the first names: `3: a, b, c`.
fn counted(names: &[&str]) -> String {
    let shown: Vec<_> = names.iter().take(8).map(|name| clean(name).chars().take(60).collect::<String>()).collect();
    let more = if names.len() > shown.len() { ", …" } else { "" };
    if names.is_empty() { "none".to_owned() } else { format!("{}: {}{more}", names.len(), shown.join(", ")) }
}
