//! `websocket`: opens a WebSocket (RFC 6455), holds a dialogue, and asks for a sign of life. The handshake is a request of the HTTP check's
//! own client; the frames are ours. Names and values are blackbox's. What must stay true: a server that agrees and falls silent is late.

mod frame;
mod talk;
#[cfg(test)]
pub(super) mod tests;

use super::dialogue::{EXPECT, Step, StepParams};
use super::http::page::{Access, Agreed, Authorization, BasicAuth, Got, Page, Upgrade, begin};
use super::net::{Addresses, IpProtocol, TlsConfig, facts as net, keys};
use super::{
    Context, Detail, Fault, Key, Kind, Probe, Reason, Run, Target, fields_of, key, outcome, parameters, place_of,
};
use crate::limits;
use crate::node::{Node, Problems};
use crate::parser::Parser;
use crate::probes::facts::CERTIFICATE_EXPIRES_IN_SECONDS;
use crate::reading::Metric;
use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    CONNECTION, HeaderMap, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY as SHA1, digest};
use std::collections::BTreeMap;
use std::time::Duration;
use talk::Talk;
use tokio::time::timeout_at;

/// The row of the table.
pub(super) static KIND: Kind = Kind {
    name: "websocket",
    schemes: &["ws", "wss"],
    summary: "Opens a WebSocket, holds a dialogue of messages where one is given, and asks for a pong, so that a server which agrees and \
              then falls silent is seen",
    example: "- name: live\n  url: ws://backend:8000/ws\n  headers: {Origin: 'https://app.example.com'}\n  query_response:\n    - \
              send: '{\"type\":\"ping\"}'\n    - expect: '\"type\" *: *\"pong\"'\n",
    keys: KEYS,
    fields: fields_of::<Params>,
    facts: FACTS,
    parsers: &[Parser { name: "websocket_frames", read: frame::read }],
    slow: false,
    build,
};

static STATUS: Metric = Metric::gauge(
    "probe_websocket_status_code",
    "Status code of the answer to the handshake, 101 when the server agreed, 0 when there was none",
);
static UPGRADED: Metric =
    Metric::gauge("probe_websocket_connection_upgraded", "1 when the connection became a WebSocket, else 0");
static FAILED_REGEX: Metric = Metric::gauge(
    "probe_websocket_failed_due_to_regex",
    "1 when the check failed because an expected message did not come, else 0",
);
static DURATION: Metric = Metric::gauge(
    "probe_websocket_duration_seconds",
    "Seconds that each phase took: resolve, connect, processing (TLS and handshake), transfer (dialogue and ping)",
)
.labelled(&["phase"]);

static FACTS: &[&Metric] = &[
    &net::LOOKUP_TIME,
    &net::IP_PROTOCOL,
    &net::IP_HASH,
    &STATUS,
    &UPGRADED,
    &FAILED_REGEX,
    &DURATION,
    &EXPECT,
    &net::EARLIEST_EXPIRY,
    &net::LAST_CHAIN_EXPIRY,
    &net::LAST_CHAIN,
    &net::VERSION,
    &net::CIPHER,
    &CERTIFICATE_EXPIRES_IN_SECONDS,
];

static KEYS: &[Key] = &[
    key(
        "headers",
        "mapping of text",
        "",
        "Headers of the handshake. Many servers want the `Origin` of their web page.",
    ),
    key("basic_auth", "mapping: username, password", "user and password of the URL", "Logs in with user and password."),
    key(
        "authorization",
        "mapping: type, credentials",
        "",
        "Sends `Authorization: TYPE CREDENTIALS`; the type is `Bearer` unless said.",
    ),
    key(
        "subprotocols",
        "list of text",
        "",
        "Subprotocols offered, best first; fails when the server chooses none of them.",
    ),
    key(
        "query_response",
        "list of mappings: expect, labels, send",
        "",
        "A dialogue once the connection is a WebSocket. Each step takes the next message, which must match `expect`, then sends the \
         text `send` (`${1}` stands for what the pattern's first group found). `labels` (name, value) become \
         `sidecar_expect_info`.",
    ),
    key(
        "ping",
        "true or false",
        "true",
        "Sends a ping at the end and waits for its pong. `false` for a server that does not answer pings.",
    ),
    keys::TLS_CONFIG,
    keys::PREFERRED_IP_PROTOCOL,
    keys::IP_PROTOCOL_FALLBACK,
];

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Params {
    headers: BTreeMap<String, Secret>,
    basic_auth: Option<BasicAuth>,
    authorization: Option<Authorization>,
    subprotocols: Vec<String>,
    query_response: Vec<StepParams>,
    ping: bool,
    tls_config: TlsConfig,
    preferred_ip_protocol: IpProtocol,
    ip_protocol_fallback: bool,
}

impl Default for Params {
    fn default() -> Self {
        let Addresses { prefer, fallback } = Addresses::default();
        Self {
            headers: BTreeMap::new(),
            basic_auth: None,
            authorization: None,
            subprotocols: Vec::new(),
            query_response: Vec::new(),
            ping: true,
            tls_config: TlsConfig::default(),
            preferred_ip_protocol: prefer,
            ip_protocol_fallback: fallback,
        }
    }
}

struct WebSocket {
    page: Page,
    subprotocols: Vec<String>,
    steps: Vec<Step>,
    ping: bool,
}

fn build(target: &Target, own: &Node, problems: &mut Problems) -> Option<Box<dyn Probe>> {
    let params: Params = parameters(own, problems)?;
    let at = place_of(own, "query_response");
    let steps: Vec<_> = params.query_response.iter().filter_map(|step| Step::new(step, at, problems)).collect();
    let before = problems.0.len();
    if steps.iter().any(|step| step.starttls || step.expect_bytes.is_some()) {
        let message = "a WebSocket has neither `starttls` nor `expect_bytes`; write `expect`, and `wss://` for TLS";
        problems.add("query_response", at, message);
    }
    let token = |text: &String| text.bytes().all(|b| b.is_ascii_graphic() && !b",;=\"()<>@:\\/[]?{}".contains(&b));
    if let Some(wrong) = params.subprotocols.iter().find(|text| text.is_empty() || !token(text)) {
        let message = format!("not the name of a subprotocol: `{wrong}`");
        problems.add("subprotocols", place_of(own, "subprotocols"), message);
    }
    let scheme = if target.scheme == "wss" { "https" } else { "http" };
    let access = Access {
        scheme: target.scheme.clone(),
        headers: params.headers,
        basic_auth: params.basic_auth,
        authorization: params.authorization,
        tls_config: params.tls_config,
        addresses: Addresses { prefer: params.preferred_ip_protocol, fallback: params.ip_protocol_fallback },
        ..Access::default()
    };
    let page = Page::new(&Target { scheme: scheme.to_owned(), ..target.clone() }, access, own, problems)?;
    if problems.0.len() > before || steps.len() < params.query_response.len() {
        return None;
    }
    Some(Box::new(WebSocket { page, subprotocols: params.subprotocols, steps, ping: params.ping }))
}

impl Probe for WebSocket {
    /// Runs under the deadline itself, so that the phases are exported when it passes.
    fn run<'a>(&'a mut self, cx: &'a mut Context<'_>) -> Run<'a> {
        Box::pin(async move {
            let whole = cx.left();
            for metric in [&STATUS, &UPGRADED, &FAILED_REGEX] {
                cx.measure(metric.is(0.0));
            }
            let ended = timeout_at(cx.deadline, self.look(cx)).await;
            let phase = cx.current_phase();
            cx.end_phase();
            let took = |name: &str| cx.took(name).unwrap_or_default();
            let phases = [
                ("resolve", took("resolve")),
                ("connect", took("connect")),
                ("processing", took("tls") + took("processing")),
                ("transfer", took("dialogue") + took("ping")),
            ];
            for (phase, took) in phases {
                cx.measure(DURATION.with([phase], took.as_secs_f64()));
            }
            ended.unwrap_or_else(|_elapsed| Err(late(cx, whole, phase)))
        })
    }
}

/// The fault of a run whose deadline passed; what was waited for tells who is silent.
fn late(cx: &mut Context<'_>, whole: Duration, phase: Option<&'static str>) -> Fault {
    if phase == Some("dialogue") {
        cx.measure(FAILED_REGEX.is(1.0));
    }
    let fault = outcome::late(phase, whole);
    match phase {
        Some("ping") => fault.hint("it became a WebSocket and answers no ping; is what stands behind the proxy alive?"),
        Some("dialogue") => fault.hint("it became a WebSocket, and the message waited for did not come"),
        _ => fault,
    }
}

impl WebSocket {
    async fn look(&self, cx: &mut Context<'_>) -> Result<(), Fault> {
        let key = STANDARD.encode(fastrand::u128(..).to_be_bytes());
        let agreed = match self.page.upgrade(cx, self.asked(&key)).await? {
            Upgrade::Agreed(agreed) => *agreed,
            Upgrade::Answered(got) => {
                cx.measure(STATUS.is(f64::from(got.status)));
                return Err(refused(&got));
            }
        };
        cx.measure(STATUS.is(101.0));
        self.verify(cx, &agreed, &key)?;
        cx.measure(UPGRADED.is(1.0));
        let mut talk = Talk::new(agreed);
        if !self.steps.is_empty() {
            cx.phase("dialogue");
        }
        for step in &self.steps {
            talk.hold(cx, step).await?;
        }
        if self.ping {
            cx.phase("ping");
            talk.ping().await?;
        }
        cx.end_phase();
        if cx.left() > 2 * limits::WEBSOCKET_GOODBYE {
            talk.close().await;
        }
        Ok(())
    }

    fn asked(&self, key: &str) -> HeaderMap {
        let mut asked = HeaderMap::new();
        asked.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        asked.insert(UPGRADE, HeaderValue::from_static("websocket"));
        asked.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        let mut add = |name: HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                asked.insert(name, value);
            }
        };
        add(SEC_WEBSOCKET_KEY, key);
        if !self.subprotocols.is_empty() {
            add(SEC_WEBSOCKET_PROTOCOL, &self.subprotocols.join(", "));
        }
        asked
    }

    /// Whether the agreement is one to this very handshake (RFC 6455, section 4.1).
    fn verify(&self, cx: &mut Context<'_>, agreed: &Agreed, key: &str) -> Result<(), Fault> {
        let said = |name| agreed.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let fault = |message: String| Err(Fault::new(Reason::Header, message));
        if !said(UPGRADE).is_some_and(|upgrade| upgrade.eq_ignore_ascii_case("websocket")) {
            return fault("the server changes to another protocol than WebSocket".to_owned());
        }
        if said(SEC_WEBSOCKET_ACCEPT).is_none_or(|accept| accept.trim() != proof(key)) {
            let message = "`Sec-WebSocket-Accept` is missing or proves another handshake";
            return Err(
                Fault::new(Reason::Header, message).hint("does a cache or a proxy answer in the server's stead?")
            );
        }
        if said(SEC_WEBSOCKET_EXTENSIONS).is_some_and(|extensions| !extensions.trim().is_empty()) {
            return fault("the server uses an extension that was not asked for".to_owned());
        }
        let chosen = said(SEC_WEBSOCKET_PROTOCOL);
        let offered = self.subprotocols.join(", ");
        match chosen {
            Some(chosen) if self.subprotocols.contains(&chosen) => cx.note("subprotocol", &chosen),
            Some(chosen) => {
                return fault(format!(
                    "the server chose the subprotocol `{}`, offered were `{offered}`",
                    super::clean(&chosen)
                ));
            }
            None if !self.subprotocols.is_empty() => {
                return fault(format!("the server chose none of the subprotocols offered: `{offered}`"));
            }
            None => {}
        }
        Ok(())
    }
}

/// What the server must answer to a key: RFC 6455, section 1.3.
fn proof(key: &str) -> String {
    STANDARD.encode(digest(&SHA1, format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11").as_bytes()))
}

/// The fault of an answer that is no agreement.
fn refused(got: &Got) -> Fault {
    let begins = begin(&got.body);
    let fault = |reason| {
        let said = if got.body.is_empty() { String::new() } else { format!(": {begins}") };
        Fault::new(reason, format!("answered status {} and not 101{said}", got.status))
            .exactly(Detail::of_status(got.status))
    };
    match got.status {
        401 | 407 => fault(Reason::Auth).hint("it wants credentials: `authorization`, `basic_auth` or a header"),
        403 => fault(Reason::Auth).hint("does it check `Origin`? set that of its web page under `headers`"),
        404 => fault(Reason::Status).hint("the server is up; is the path right?"),
        400 | 426 => fault(Reason::Status).hint("does a proxy before it leave out `Upgrade` and `Connection`?"),
        429 | 503 => fault(Reason::Saturated).hint("it takes no more connections now"),
        301 | 302 | 303 | 307 | 308 => {
            fault(Reason::Status).hint("it redirects; write the final URL, redirects are not followed")
        }
        200..=299 => fault(Reason::Status).hint("it answers with a page; is it the path of the WebSocket?"),
        _ => fault(Reason::Status),
    }
}
