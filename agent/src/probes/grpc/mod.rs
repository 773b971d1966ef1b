//! `grpc`: asks a server's own health service (`grpc.health.v1.Health/Check`) whether it serves. Names and values are blackbox's. It knows
//! two messages of protobuf and no other service. What must stay true: who answers at all and who says that he serves are told apart.

mod call;
mod message;
#[cfg(test)]
pub(super) mod tests;

use super::net::{Addresses, IpProtocol, Stream, Tls, TlsConfig, connect, facts as net, keys, session, sniff};
use super::outcome::late;
use super::{
    Context, Detail, Fault, Key, Kind, Probe, Reason, Run, Target, clean, fields_of, key, parameters, place_of,
};
use crate::node::{Node, Problems};
use crate::parser::Parser;
use crate::probes::facts::CERTIFICATE_EXPIRES_IN_SECONDS;
use crate::reading::Metric;
use crate::secret::Secret;
use bytes::Bytes;
use call::{Answer, Unanswered, call};
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, TE, USER_AGENT};
use http::{Method, Request, Uri};
use http_body_util::Full;
use message::{SERVING, code_name, request, status};
use percent_encoding::percent_decode;
use std::collections::BTreeMap;
use std::error::Error as _;
use std::net::SocketAddr;
use tokio::time::timeout_at;

/// The row of the table.
pub(super) static KIND: Kind = Kind {
    name: "grpc",
    schemes: &["grpc", "grpcs"],
    summary: "Asks a gRPC server's health service whether it serves, over HTTP/2, with TLS for `grpcs`; tells a server that does not \
              serve from one that has no health service and from one that does not know the service asked for",
    example: "- name: cart\n  url: grpc://cart:50051\n  service: shop.Cart\n",
    keys: KEYS,
    fields: fields_of::<Params>,
    facts: FACTS,
    parsers: &[Parser { name: "grpc_health", read: message::read }],
    slow: false,
    build,
};

static DURATION: Metric = Metric::gauge(
    "probe_grpc_duration_seconds",
    "Seconds that each phase took: resolve, check (connecting and TLS included)",
)
.labelled(&["phase"]);
static SSL: Metric = Metric::gauge("probe_grpc_ssl", "1 when the answer came over TLS, else 0");
static STATUS: Metric = Metric::gauge(
    "probe_grpc_status_code",
    "gRPC status code of the answer; 14 (unavailable) when there was none, 4 when the deadline passed",
);
static SERVING_STATUS: Metric = Metric::gauge(
    "probe_grpc_healthcheck_response",
    "1 for the status that the health service told, 0 for the others, all 0 when it told none",
)
.labelled(&["serving_status"]);

static FACTS: &[&Metric] = &[
    &net::LOOKUP_TIME,
    &net::IP_PROTOCOL,
    &net::IP_HASH,
    &DURATION,
    &SSL,
    &STATUS,
    &SERVING_STATUS,
    &net::EARLIEST_EXPIRY,
    &net::LAST_CHAIN_EXPIRY,
    &net::LAST_CHAIN,
    &net::VERSION,
    &net::CIPHER,
    &CERTIFICATE_EXPIRES_IN_SECONDS,
];

static KEYS: &[Key] = &[
    key(
        "service",
        "text",
        "the server as a whole",
        "The service asked about, as the server registered it; the URL's path says it too.",
    ),
    key("metadata", "mapping of text", "", "Metadata sent along, such as `authorization: Bearer …`."),
    key("tls", "true or false", "false, true for `grpcs`", "Shakes hands over TLS, and asks for HTTP/2 in it."),
    keys::TLS_CONFIG,
    keys::PREFERRED_IP_PROTOCOL,
    keys::IP_PROTOCOL_FALLBACK,
];

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Params {
    service: Option<String>,
    metadata: BTreeMap<String, Secret>,
    tls: bool,
    tls_config: TlsConfig,
    preferred_ip_protocol: IpProtocol,
    ip_protocol_fallback: bool,
}

impl Default for Params {
    fn default() -> Self {
        let Addresses { prefer, fallback } = Addresses::default();
        Self {
            service: None,
            metadata: BTreeMap::new(),
            tls: false,
            tls_config: TlsConfig::default(),
            preferred_ip_protocol: prefer,
            ip_protocol_fallback: fallback,
        }
    }
}

struct Grpc {
    host: String,
    port: u16,
    service: String,
    metadata: HeaderMap,
    addresses: Addresses,
    tls: Option<Tls>,
    uri: Uri,
}

fn build(target: &Target, own: &Node, problems: &mut Problems) -> Option<Box<dyn Probe>> {
    let params: Params = parameters(own, problems)?;
    let secure = params.tls || target.scheme == "grpcs";
    let of_url = target.database();
    if params.service.as_ref().is_some_and(|service| !of_url.is_empty() && *service != of_url) {
        problems.add("service", place_of(own, "service"), "the path of the URL names another service");
        return None;
    }
    let metadata = metadata(&params, own, problems);
    let tls = Tls::new(&params.tls_config, place_of(own, "tls_config"), problems)?.offering(b"h2");
    if target.port.is_none() && !secure {
        let hint = "write it as `grpc://host:port`; many servers listen on 50051";
        problems.add_with_hint("url", place_of(own, "url"), "a `grpc` URL needs a port", hint);
    }
    let port = target.port.or(secure.then_some(443))?;
    let host = if target.host.contains(':') { format!("[{}]", target.host) } else { target.host.clone() };
    let uri = Uri::builder()
        .scheme(if secure { "https" } else { "http" })
        .authority(format!("{host}:{port}"))
        .path_and_query("/grpc.health.v1.Health/Check")
        .build()
        .map_err(|_| problems.add("url", place_of(own, "url"), "the host of the URL is no host name"));
    Some(Box::new(Grpc {
        host: target.host.clone(),
        port,
        service: params.service.unwrap_or(of_url),
        metadata: metadata?,
        addresses: Addresses { prefer: params.preferred_ip_protocol, fallback: params.ip_protocol_fallback },
        tls: secure.then_some(tls),
        uri: uri.ok()?,
    }))
}

fn metadata(params: &Params, own: &Node, problems: &mut Problems) -> Option<HeaderMap> {
    let (mut all, before) = (HeaderMap::new(), problems.0.len());
    for (name, value) in &params.metadata {
        let lower = name.to_ascii_lowercase();
        let reserved = lower.starts_with("grpc-") || matches!(lower.as_str(), "content-type" | "te");
        let read = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value.expose()));
        match read {
            (Ok(name), Ok(mut value)) if !reserved => {
                value.set_sensitive(true);
                all.insert(name, value);
            }
            _ => {
                let message = format!(
                    "`{name}` cannot be sent as metadata: its name is reserved, or it has a character that none may have"
                );
                problems.add("metadata", place_of(own, "metadata"), message);
            }
        }
    }
    (problems.0.len() == before).then_some(all)
}

impl Probe for Grpc {
    /// Runs under the deadline itself, so that the phases are exported when it passes.
    fn run<'a>(&'a mut self, cx: &'a mut Context<'_>) -> Run<'a> {
        Box::pin(async move {
            let whole = cx.left();
            cx.measure(SSL.is(0.0));
            cx.measure(STATUS.is(14.0));
            SERVING.iter().for_each(|name| cx.measure(SERVING_STATUS.with([name], 0.0)));
            let ended = timeout_at(cx.deadline, self.look(cx)).await;
            let phase = cx.current_phase();
            cx.end_phase();
            let took = |name: &str| cx.took(name).unwrap_or_default();
            let check = took("connect") + took("tls") + took("check");
            let resolve = took("resolve");
            cx.measure(DURATION.with(["resolve"], resolve.as_secs_f64()));
            cx.measure(DURATION.with(["check"], check.as_secs_f64()));
            ended.unwrap_or_else(|_elapsed| {
                cx.measure(STATUS.is(4.0));
                Err(late(phase, whole))
            })
        })
    }
}

impl Grpc {
    async fn look(&self, cx: &mut Context<'_>) -> Result<(), Fault> {
        let connected = connect(cx, &self.host, self.port, self.addresses).await?;
        let address = connected.address;
        let stream: Box<dyn Stream> = match &self.tls {
            None => Box::new(connected.stream),
            Some(tls) => Box::new(session(cx, connected, &self.host, tls, "grpcs").await.map_err(without_http2)?),
        };
        cx.phase("check");
        let called = call(stream, self.request(cx)).await;
        cx.end_phase();
        match called {
            Ok(answer) => {
                cx.measure(SSL.is(f64::from(u8::from(self.tls.is_some()))));
                self.judge(cx, &answer)
            }
            Err(Unanswered::Before(error)) => Err(self.unanswered(cx, &error, address).await),
            Err(Unanswered::Within(error)) => Err(broken(&error)),
            Err(Unanswered::TooLong) => {
                Err(Fault::new(Reason::Body, "the server sends more than a health service has to say")
                    .hint("is it a gRPC server that answers here?"))
            }
        }
    }

    fn request(&self, cx: &Context<'_>) -> Request<Full<Bytes>> {
        let mut asked = Request::new(Full::new(Bytes::from(request(&self.service))));
        *asked.method_mut() = Method::POST;
        *asked.uri_mut() = self.uri.clone();
        let headers = asked.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        headers.insert(TE, HeaderValue::from_static("trailers"));
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("sidecar-agent/", env!("CARGO_PKG_VERSION"))));
        // So that the server gives up when we do; at most eight digits.
        let left = cx.left().as_millis().clamp(1, 99_999_999);
        if let Ok(left) = HeaderValue::from_str(&format!("{left}m")) {
            headers.insert("grpc-timeout", left);
        }
        headers.extend(self.metadata.clone());
        asked
    }

    fn judge(&self, cx: &mut Context<'_>, answer: &Answer) -> Result<(), Fault> {
        let kind =
            answer.headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"));
        // An answer without a body has its status in the head.
        let said = |name: &str| answer.trailers.get(name).or_else(|| answer.headers.get(name));
        let code: Option<u16> = said("grpc-status").and_then(|code| code.to_str().ok()?.trim().parse().ok());
        let Some(code) = code.filter(|_| kind || answer.status == 200) else { return Err(no_grpc(answer.status)) };
        cx.measure(STATUS.is(f64::from(code)));
        if code != 0 {
            let why = said("grpc-message").map(|why| percent_decode(why.as_bytes()).decode_utf8_lossy().into_owned());
            return Err(self.refused(code, &clean(&why.unwrap_or_default())));
        }
        let number = status(&answer.body).map_err(|strange| Fault::new(Reason::Body, strange.to_string()))?;
        let name = usize::try_from(number).ok().and_then(|number| SERVING.get(number).copied());
        if let Some(name) = name {
            cx.measure(SERVING_STATUS.with([name], 1.0));
        }
        let whose = self.whose();
        match name {
            Some("SERVING") => Ok(()),
            Some("SERVICE_UNKNOWN") => Err(self.unknown_service("SERVICE_UNKNOWN")),
            Some(name) => Err(Fault::new(Reason::Status, format!("{whose} says {name}"))
                .exactly(Detail::PartsUnhealthy)
                .hint("it is up and calls itself not ready; its own log says why")),
            None => Err(Fault::new(Reason::Body, format!("{whose} says the unknown status {number}"))),
        }
    }

    fn whose(&self) -> String {
        if self.service.is_empty() { "the server".to_owned() } else { format!("the service `{}`", self.service) }
    }

    fn unknown_service(&self, said: &str) -> Fault {
        if self.service.is_empty() {
            let message = format!("the server tells no health of itself as a whole: it says {said}");
            return Fault::new(Reason::Config, message).hint("name one of its services by `service`");
        }
        Fault::new(Reason::Config, format!("the server's health service knows no `{}`: it says {said}", self.service))
            .hint("is `service` written as the server registered it? without, the server as a whole is asked about")
    }

    /// The fault of an answer with another code than OK.
    fn refused(&self, code: u16, why: &str) -> Fault {
        let because = if why.is_empty() { String::new() } else { format!(": `{why}`") };
        let fault = |reason| Fault::new(reason, format!("answered gRPC status {} ({code}){because}", code_name(code)));
        match code {
            4 => fault(Reason::Timeout).exactly(Detail::TooSlow),
            5 => self.unknown_service("NOT_FOUND"),
            7 => fault(Reason::Auth).exactly(Detail::PermissionMissing).hint("this client may not ask that"),
            16 => {
                fault(Reason::Auth).exactly(Detail::LoginRefused).hint("it wants credentials: put them into `metadata`")
            }
            8 => {
                fault(Reason::Saturated).exactly(Detail::RateLimited).hint("it is out of quota, memory or connections")
            }
            12 => fault(Reason::Status)
                .hint("the server speaks gRPC and has no health service; register `grpc.health.v1.Health` in it"),
            14 => fault(Reason::Status).exactly(Detail::UpstreamDown).hint("the proxy before it reaches no server"),
            _ => fault(Reason::Status),
        }
    }

    /// The fault of a connection on which no answer came; what else answers there is looked at.
    async fn unanswered(&self, cx: &Context<'_>, error: &hyper::Error, address: SocketAddr) -> Fault {
        let scheme = if self.tls.is_some() { "grpcs" } else { "grpc" };
        if self.tls.is_none()
            && let Some(spoken) = sniff(&cx.net.sniffed, address, cx.deadline).await
            && spoken.protocol != "http2"
        {
            return spoken.instead_of(scheme, address);
        }
        broken(error)
    }
}

/// The fault of an HTTP/2 connection that broke.
fn broken(error: &hyper::Error) -> Fault {
    let mut said = error.to_string();
    if let Some(source) = error.source() {
        said = format!("{said}: {source}");
    }
    let message = format!("the HTTP/2 connection broke off: {}", clean(&said));
    if said.contains("excessive load") || said.contains("refused stream") {
        return Fault::new(Reason::Saturated, message)
            .hint("it turns calls away; is it being stopped, or called too often?");
    }
    Fault::new(Reason::ProtocolMismatch, message).hint("is it a gRPC server, and did it crash on this request?")
}

/// The fault of an HTTP answer that is none of gRPC.
fn no_grpc(status: u16) -> Fault {
    let exactly = Detail::of_status(status);
    let fault = |reason| {
        Fault::new(reason, format!("answered HTTP status {status} without a gRPC status")).exactly(exactly.clone())
    };
    match status {
        401 | 403 => fault(Reason::Auth).hint("it wants credentials: put them into `metadata`"),
        429 | 503 => fault(Reason::Saturated).hint("the proxy before it reaches no server, or is full"),
        _ => fault(Reason::ProtocolMismatch).hint("it speaks HTTP/2 and no gRPC; is the port right?"),
    }
}

/// A server that offers no HTTP/2 in its handshake is no gRPC server.
fn without_http2(fault: Fault) -> Fault {
    if fault.message.contains("NoApplicationProtocol") {
        return Fault::new(Reason::ProtocolMismatch, "it speaks TLS and offers no HTTP/2 in it, which gRPC needs")
            .hint("is the port right? does the proxy before it speak HTTP/1.1 only?");
    }
    fault
}
