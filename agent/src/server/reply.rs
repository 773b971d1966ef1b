//! The forms of an answer.

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::Full;
use serde::Serialize;
use std::pin::Pin;

/// Where nobody carries orders out.
pub(super) const NO_ORDERS: &str = "this agent takes no orders: it is stopping, or it is an `agent start`\n";

/// An answer; every page is rendered whole before it is sent.
pub(super) type Reply = Response<Full<Bytes>>;

/// An answer that takes its time, for something is done first.
pub(super) type Doing<'a> = Pin<Box<dyn Future<Output = Reply> + Send + 'a>>;

/// Text for people and scripts.
pub(super) fn text(status: StatusCode, body: impl Into<Bytes>) -> Reply {
    typed(status, "text/plain; charset=utf-8", body)
}

/// JSON, with a final line break for those who look at it in a terminal.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Reply {
    match serde_json::to_string_pretty(value) {
        Ok(body) => typed(status, "application/json", body + "\n"),
        Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "this page cannot be written as JSON\n"),
    }
}

/// Any type. Nothing here is worth keeping: the next second it is another page.
pub(super) fn typed(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Reply {
    let reply = Response::new(Full::new(body.into()));
    let reply = with(reply, header::CONTENT_TYPE, kind);
    let mut reply = with(with(reply, header::CACHE_CONTROL, "no-store"), header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    *reply.status_mut() = status;
    reply
}

/// The same answer with a header.
pub(super) fn with(mut reply: Reply, name: HeaderName, value: &'static str) -> Reply {
    reply.headers_mut().insert(name, HeaderValue::from_static(value));
    reply
}

/// Entries of a JSON object in the order given.
pub(super) struct Ordered<K, V>(pub(super) Vec<(K, V)>);

impl<K, V> Ordered<K, V> {
    /// Whether there is nothing in it.
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<K: Serialize, V: Serialize> Serialize for Ordered<K, V> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}
