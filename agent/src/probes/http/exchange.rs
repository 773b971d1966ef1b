//! One request and its answer over one connection, each step a phase, each buffer capped. HTTP/1.1 by a raw hyper connection: a
//! pooling client would hide the phases.

use super::plan::Plan;
use super::rules::Answer;
use super::unpack::{Coding, unpack};
use crate::limits;
use crate::probes::net::{Stream, Tap, Tls, classify, connect, explained, fault_of, session, sniff};
use crate::probes::{Context, Fault, Reason};
use crate::units::human_bytes;
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use std::error::Error as _;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::task::Poll;
use url::Url;

type Io = TokioIo<Tap<Box<dyn Stream>>>;

/// What to ask, and whom.
pub(super) struct Ask<'a> {
    pub(super) plan: &'a Plan,
    pub(super) url: &'a Url,
    pub(super) method: Method,
    /// Headers for this server; those of the plan only when it is the first server.
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// The TLS settings for this server.
    pub(super) tls: &'a Tls,
}

/// Shown each piece of a stream of events (`text/event-stream`); true when what was asked for has come, and reading ends.
pub(in crate::probes) type Until<'a> = &'a mut (dyn FnMut(&[u8]) -> bool + Send + Sync);

/// An answer with what is measured of it.
pub(in crate::probes) struct Got {
    pub(super) answer: Answer,
    /// `Content-Length`, when announced.
    pub(super) announced: Option<u64>,
    /// Why the body could not be read whole, or unpacked.
    pub(super) body_fault: Option<Fault>,
}

/// What came of a request to change protocols.
pub(in crate::probes) enum Changed {
    /// The server agreed; from here on the connection speaks something else.
    Agreed(Box<Agreed>),
    /// It answered in HTTP.
    Answered(Box<Got>),
}

/// A connection that speaks something else now.
pub(in crate::probes) struct Agreed {
    pub(in crate::probes) headers: HeaderMap,
    pub(in crate::probes) stream: Box<dyn Stream>,
    /// What the peer sent along with its agreement.
    pub(in crate::probes) came: Bytes,
}

/// Asks once; `until` reads along in a stream of events, which may have no end.
pub(super) async fn exchange(cx: &mut Context<'_>, ask: Ask<'_>, until: Option<Until<'_>>) -> Result<Got, Fault> {
    let mut open = open(cx, &ask).await?;
    match speak(cx, &mut open, &ask).await {
        Ok(response) => Ok(read(cx, &mut open, response, (&ask, until)).await),
        Err(error) => Err(open.unanswered(cx, &error).await),
    }
}

/// Asks once to change protocols, as the headers `Connection` and `Upgrade` of the request say.
pub(super) async fn change(cx: &mut Context<'_>, ask: Ask<'_>) -> Result<Changed, Fault> {
    let mut open = open(cx, &ask).await?;
    match speak(cx, &mut open, &ask).await {
        Ok(response) if response.status() == StatusCode::SWITCHING_PROTOCOLS => {
            // The connection's own end is the handing over.
            open.driven.ended().await;
            let parts = open.driven.connection.into_parts();
            let stream = Box::new(parts.io.into_inner());
            let headers = response.into_parts().0.headers;
            Ok(Changed::Agreed(Box::new(Agreed { headers, stream, came: parts.read_buf })))
        }
        Ok(response) => Ok(Changed::Answered(Box::new(read(cx, &mut open, response, (&ask, None)).await))),
        Err(error) => Err(open.unanswered(cx, &error).await),
    }
}

/// A connection on which HTTP can be spoken.
struct Open {
    sender: SendRequest<Full<Bytes>>,
    driven: Driven,
    address: SocketAddr,
    secure: bool,
}

async fn open(cx: &mut Context<'_>, ask: &Ask<'_>) -> Result<Open, Fault> {
    let secure = ask.url.scheme() == "https";
    let host = ask.url.host_str().unwrap_or_default();
    let port = ask.url.port_or_known_default().unwrap_or(80);
    let connected = connect(cx, host, port, ask.plan.addresses).await?;
    let address = connected.address;
    let stream: Box<dyn Stream> = if secure {
        Box::new(session(cx, connected, host, ask.tls, "https").await?)
    } else {
        Box::new(connected.stream)
    };
    cx.phase("processing");
    let (sender, connection) = Builder::new()
        .max_buf_size(limits::PROBE_HEAD_BYTES)
        .handshake::<Io, Full<Bytes>>(TokioIo::new(Tap::new(stream)))
        .await
        .map_err(|error| Fault::new(Reason::Internal, format!("no HTTP connection: {error}")))?;
    Ok(Open { sender, driven: Driven { connection, over: false }, address, secure })
}

impl Open {
    async fn unanswered(self, cx: &mut Context<'_>, error: &hyper::Error) -> Fault {
        let first = self.driven.connection.into_parts().io.into_inner().first().to_vec();
        let scheme = if self.secure { "https" } else { "http" };
        silent_or_strange(cx, error, &first, self.address, scheme).await
    }
}

/// A connection that is moved on while something is awaited.
struct Driven {
    connection: Connection<Io, Full<Bytes>>,
    over: bool,
}

impl Driven {
    async fn with<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(|cx| {
            // An error of the connection reaches `work` as well; its result is the one that counts.
            self.over = self.over || self.connection.poll_without_shutdown(cx).is_ready();
            work.as_mut().poll(cx)
        })
        .await
    }

    async fn ended(&mut self) {
        poll_fn(|cx| {
            self.over = self.over || self.connection.poll_without_shutdown(cx).is_ready();
            if self.over { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

async fn speak(
    cx: &mut Context<'_>,
    Open { sender, driven, .. }: &mut Open,
    ask: &Ask<'_>,
) -> Result<Response<Incoming>, hyper::Error> {
    let path = ask.url.query().map_or_else(|| ask.url.path().to_owned(), |query| format!("{}?{query}", ask.url.path()));
    let mut request = Request::new(Full::new(ask.body.clone()));
    *request.method_mut() = ask.method.clone();
    *request.uri_mut() = path.parse().unwrap_or_default();
    *request.headers_mut() = ask.headers.clone();
    let headers = request.headers_mut();
    if !headers.contains_key(HOST)
        && let Ok(host) = HeaderValue::from_str(&authority(ask.url))
    {
        headers.insert(HOST, host);
    }
    headers.entry(CONNECTION).or_insert(HeaderValue::from_static("close"));
    let response = driven.with(sender.send_request(request)).await;
    cx.end_phase();
    response
}

/// Host and port as `Host` has them: the port only when it is not the scheme's own.
pub(super) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

async fn read(
    cx: &mut Context<'_>,
    Open { driven, secure, .. }: &mut Open,
    response: Response<Incoming>,
    (ask, until): (&Ask<'_>, Option<Until<'_>>),
) -> Got {
    cx.phase("transfer");
    let (head, mut incoming) = response.into_parts();
    let announced = head.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let (limit, mut body, mut body_fault) = (ask.plan.body_limit, Vec::new(), None);
    let mut until = until.filter(|_| is_events(&head.headers));
    while let Some(frame) = driven.with(incoming.frame()).await {
        match frame.map(hyper::body::Frame::into_data) {
            Ok(Ok(piece)) if body.len() + piece.len() > limit => {
                body_fault = Some(too_large(limit, "the body is"));
                break;
            }
            Ok(Ok(piece)) => {
                body.extend_from_slice(&piece);
                if until.as_mut().is_some_and(|until| until(&piece)) {
                    break;
                }
            }
            Ok(Err(_trailers)) => {}
            Err(_) => {
                let of = announced.map_or(String::new(), |whole| format!(" of {whole}"));
                let message = format!("the connection broke off after {}{of} bytes of the body", body.len());
                body_fault =
                    Some(Fault::new(Reason::Body, message).hint("did the service crash or restart while it answered?"));
                break;
            }
        }
    }
    cx.end_phase();
    if body_fault.is_none()
        && let Some(coding) = Coding::of(&head.headers)
    {
        match unpack(coding, &body, limit) {
            Ok(unpacked) => body = unpacked,
            Err(fault) => body_fault = Some(fault),
        }
    }
    let answer = Answer { status: head.status, version: head.version, headers: head.headers, secure: *secure, body };
    Got { answer, announced, body_fault }
}

/// Whether a body is a stream of events.
fn is_events(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}

/// The fault of a body beyond the limit.
pub(super) fn too_large(limit: usize, what: &str) -> Fault {
    let limit = u64::try_from(limit).unwrap_or(u64::MAX);
    Fault::new(Reason::Body, format!("{what} larger than {}", human_bytes(limit)))
        .hint("a health page is small; is the path right? if it is, raise `body_size_limit`")
}

/// The fault of an exchange without an answer: too long a head, something that is no HTTP, or nothing at all.
async fn silent_or_strange(
    cx: &mut Context<'_>,
    error: &hyper::Error,
    first: &[u8],
    address: SocketAddr,
    scheme: &str,
) -> Fault {
    let io = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    let spoken = classify(first);
    if error.is_parse_too_large() {
        let limit = human_bytes(u64::try_from(limits::PROBE_HEAD_BYTES).unwrap_or(u64::MAX));
        return Fault::new(
            Reason::Header,
            format!("the answer's headers are longer than {limit} or more than a hundred"),
        );
    }
    match spoken {
        Some(spoken) if spoken.protocol == "http" => broken(error, "the answer is not valid HTTP", Reason::Header),
        Some(spoken) => spoken.instead_of(scheme, address),
        None if first.is_empty() => {
            let fault = match io {
                Some(io) => fault_of(io, "read an answer"),
                None => Fault::new(Reason::ProtocolMismatch, "the connection was closed without an answer"),
            };
            closed(cx, fault, address, scheme).await
        }
        None => {
            let begins = super::rules::begin(first);
            Fault::new(Reason::ProtocolMismatch, format!("{address} speaks no HTTP, it begins with {begins}"))
        }
    }
}

/// The fault of a connection that was closed without a byte: HTTP may live there all the same, and have crashed.
async fn closed(cx: &Context<'_>, fault: Fault, address: SocketAddr, scheme: &str) -> Fault {
    let lives =
        scheme == "https" || sniff(&cx.net.sniffed, address, cx.deadline).await.is_some_and(|it| it.protocol == "http");
    if fault.reason == Reason::ProtocolMismatch && lives {
        return Fault::new(Reason::Body, "the service closed the connection without an answer")
            .hint("did it crash on this request?");
    }
    explained(cx, fault, address, scheme).await
}

fn broken(error: &hyper::Error, what: &str, reason: Reason) -> Fault {
    if error.is_incomplete_message() {
        return Fault::new(reason, "the connection broke off in the middle of the answer's headers");
    }
    Fault::new(reason, format!("{what}: {error}"))
}
