//! One HTTP exchange: what a journey asks for, and what came back.
//!
//! Owns the types on both sides of the wire and the [`Transport`] that carries them. Knows neither journeys nor load.
//! Redirects, cookies and content encodings are the journey's affair: a transport sends one request as it stands and
//! returns one response as it came, the body raw and whole. A transport adds only what the wire needs (`Host`,
//! `Content-Length` of a body that is not empty, framing).

mod address;
mod alarm;
mod basic;
mod chunks;
mod client;
mod dial;
mod fields;
mod lanes;
mod own;
mod prepared;
mod reply;
mod sent;
#[cfg(test)]
mod tests;
mod tls;
mod two;
mod websocket;
mod wire;

pub use basic::{basic, user_of};
pub use client::Client;
pub use dial::Network;
pub use fields::Fields;
pub use own::{is_own_name, is_private};
pub use tls::{Anyone, roots};
pub use websocket::WebSocket;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// One request, complete: nothing in it needs rendering any more.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method; custom ones are allowed.
    pub method: http::Method,
    /// An absolute `http` or `https` URL; shared, for a constant one is parsed only once.
    pub url: Arc<Url>,
    /// Headers in the order in which they are sent; names may repeat.
    pub headers: http::HeaderMap,
    /// The body; empty means none.
    pub body: Bytes,
    /// How to send it; shared by all requests of an entry with constant options.
    pub options: Arc<RequestOptions>,
}

/// How a request is sent; the `[Options]` of a Hurl entry that concern the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct RequestOptions {
    /// Longest time for name, connection and TLS together; the transport's own default when absent.
    pub connect_timeout: Option<Duration>,
    /// Longest time from the start to the last byte; the transport's own default when absent.
    pub max_time: Option<Duration>,
    /// Accept any certificate.
    pub insecure: bool,
    /// Trust these roots (PEM) instead of the built-in ones.
    pub cacert: Option<PathBuf>,
    /// Client certificate (PEM).
    pub cert: Option<PathBuf>,
    /// Key of the client certificate (PEM); when absent it is sought in the file of `cert`.
    pub key: Option<PathBuf>,
    /// `HOST:PORT:ADDRESS`, as given: that host and port resolve to that address.
    pub resolve: Vec<String>,
    /// `HOST1:PORT1:HOST2:PORT2`, as given: connect to the second instead of the first; empty parts match anything.
    pub connect_to: Vec<String>,
    /// Which address family to use.
    pub family: Option<Family>,
    /// What to speak.
    pub protocol: Protocol,
    /// Send no `Host` header, to see what a server makes of that.
    pub no_host: bool,
    /// Whether an idle connection may be used and kept; Hurl takes a fresh one where a version is asked for.
    pub fresh_connection: bool,
    /// Largest body; the transport's own cap when absent.
    pub most_body: Option<usize>,
}

/// An address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
}

/// What a request asks to be spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// HTTP/1.0.
    Http10,
    /// HTTP/1.1.
    #[default]
    Http11,
    /// HTTP/2 where the server chooses it in the TLS handshake (ALPN), else HTTP/1.1; without TLS HTTP/1.1.
    Http2,
    /// HTTP/2 at once, with TLS and without, for the server is known to speak it.
    Http2Known,
}

/// The version of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpVersion {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    Http11,
    /// HTTP/2
    Http2,
}

impl HttpVersion {
    /// The number alone, as in Hurl's `version` query: `1.0`, `1.1` or `2`.
    #[must_use]
    pub const fn number(self) -> &'static str {
        match self {
            Self::Http10 => "1.0",
            Self::Http11 => "1.1",
            Self::Http2 => "2",
        }
    }
}

/// One response, as it came.
#[derive(Clone, Debug)]
pub struct Response {
    /// The version that was spoken.
    pub version: HttpVersion,
    /// The status code.
    pub status: u16,
    /// The header fields.
    pub headers: Fields,
    /// The whole body, still encoded, at most the transport's cap.
    pub body: Bytes,
    /// The address that answered.
    pub address: Option<IpAddr>,
    /// The peer's certificate, DER, where TLS was spoken.
    pub certificate: Option<Bytes>,
    /// How long it took.
    pub timings: Timings,
}

/// Where the time of an exchange went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// Name, connection and TLS; zero on a kept connection.
    pub connect: Duration,
    /// From the start to the last byte of the response's head.
    pub first_byte: Duration,
    /// From the start to the last byte of the body.
    pub total: Duration,
}

/// Why there is no response: a closed set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The name has no address.
    #[error("cannot resolve `{0}`")]
    Dns(String),
    /// Nothing listens there.
    #[error("connection refused by {0}")]
    Refused(String),
    /// No route, or the network is down.
    #[error("cannot reach {0}")]
    Unreachable(String),
    /// No connection in time.
    #[error("no connection within {0:?}")]
    ConnectTimeout(Duration),
    /// No whole answer in time.
    #[error("no whole answer within {0:?}")]
    Timeout(Duration),
    /// The TLS handshake failed.
    #[error("the TLS handshake failed: {0}")]
    Tls(String),
    /// The peer's certificate is not acceptable.
    #[error("the certificate is not acceptable: {0}")]
    Certificate(String),
    /// The connection broke before the answer was whole.
    #[error("the connection broke before the answer was whole")]
    Reset,
    /// The peer does not speak HTTP as we know it.
    #[error("the answer is not HTTP: {0}")]
    Protocol(String),
    /// The peer does not speak WebSocket as we know it.
    #[error("this is no WebSocket: {0}")]
    WebSocket(String),
    /// The peer closed a WebSocket.
    #[error("the server closed the WebSocket {0}")]
    Closed(String),
    /// The body is larger than the cap.
    #[error("the body is larger than {0} bytes")]
    BodyTooLarge(usize),
    /// The head is larger than the cap.
    #[error("the response's head is larger than {0} bytes, or has more than {fields} fields", fields = crate::limits::HEAD_FIELDS)]
    HeadTooLarge(usize),
    /// A redirect, a captured URL or a changed name leads to somebody else's host; the word of consent was not given.
    #[error("{0} is a public address; say `--i-own-this-target` if it is yours and they know")]
    Public(String),
    /// An option of the request makes no sense here (a file that cannot be read, a malformed `resolve`).
    #[error("{0}")]
    Option(String),
    /// The run is ending.
    #[error("cancelled")]
    Cancelled,
}

/// A file of a page as it came: its body is counted and let go.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The response, without its body.
    pub response: Response,
    /// Bytes of body received.
    pub bytes: u64,
}

/// Carries one request to a server. One per virtual user: it keeps that user's connections.
pub trait Transport: Send {
    /// Sends the request and reads the whole response.
    fn send(&mut self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>>;

    /// Sends the requests for the files of a page; what came of them, in their order. One after the other, unless the transport
    /// knows better. More than [`crate::limits::PAGE_BYTES`] together is an error.
    fn send_all(&mut self, requests: Vec<Request>) -> BoxFuture<'_, Vec<Result<Fetched, TransportError>>> {
        Box::pin(async move {
            let (budget, mut came) = (lanes::Budget::default(), Vec::with_capacity(requests.len()));
            for request in requests {
                came.push(self.send(request).await.and_then(|response| budget.take(response)));
            }
            came
        })
    }
}
