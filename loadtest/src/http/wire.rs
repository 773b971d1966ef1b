//! One HTTP/1 connection. hyper splits it into a sender and a connection future that wants a task of its own; here the
//! user's own task drives both, so that a request costs no hop between tasks.

use super::TransportError;
use super::dial::{Line, Stream};
use crate::{clock, limits};
use bytes::{Bytes, BytesMut};
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::{self, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker, ready};
use tokio::time::Instant;

/// A connection and its two halves.
pub(super) struct Wire {
    sender: SendRequest<Full<Bytes>>,
    connection: Driven,
    /// The connection has ended.
    over: bool,
    /// Whether a byte has come since the last request.
    heard: Arc<AtomicBool>,
    pub(super) address: IpAddr,
    pub(super) certificate: Option<Bytes>,
}

/// A response with its body.
pub(super) struct Answer {
    pub(super) head: http::response::Parts,
    pub(super) body: Bytes,
    pub(super) first_byte: Instant,
}

/// Why an exchange failed, and whether the peer may not even have seen the request: nothing of an answer had come.
pub(super) struct Broken {
    pub(super) error: TransportError,
    pub(super) unanswered: bool,
}

impl Wire {
    /// Makes a wire of an open connection.
    pub(super) async fn new(line: Line) -> Result<Self, TransportError> {
        let heard = Arc::clone(&line.stream.heard);
        let mut builder = http1::Builder::new();
        builder.max_header_size(limits::HEAD_BYTES);
        let (sender, connection) =
            builder.handshake(TokioIo::new(line.stream)).await.map_err(|error| classify(&error))?;
        let connection = Box::pin(connection);
        Ok(Self { sender, connection, over: false, heard, address: line.address, certificate: line.certificate })
    }

    /// Whether another request may be sent.
    pub(super) fn is_ready(&self) -> bool {
        !self.over && self.sender.is_ready()
    }

    /// Sends a request and reads the whole answer. The request goes at once, so that the future need not hold it.
    pub(super) fn exchange(
        &mut self,
        request: http::Request<Full<Bytes>>,
    ) -> impl Future<Output = Result<Answer, Broken>> + Send + '_ {
        self.heard.store(false, Ordering::Relaxed);
        let response = self.sender.try_send_request(request);
        self.answer(response)
    }

    async fn answer(&mut self, response: impl Future<Output = Sent>) -> Result<Answer, Broken> {
        let response = self.head(response).await.map_err(|error| {
            let heard = self.heard.load(Ordering::Relaxed);
            Broken { error, unanswered: !heard }
        })?;
        let first_byte = clock::now();
        let (head, body) = response.into_parts();
        let body = self.body(body).await.map_err(|error| Broken { error, unanswered: false })?;
        Ok(Answer { head, body, first_byte })
    }

    async fn head(&mut self, response: impl Future<Output = Sent>) -> Result<http::Response<Incoming>, TransportError> {
        let mut response = pin!(response);
        let (connection, over) = (&mut self.connection, &mut self.over);
        poll_fn(|cx| {
            let ended = drive(connection, over, cx);
            // Only the connection, driven above in this very task, makes the response ready: no waker is needed.
            match response.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Pending if ended => Poll::Ready(Err(TransportError::Reset)),
                Poll::Pending => Poll::Pending,
                Poll::Ready(response) => Poll::Ready(response.map_err(|failed| classify(&failed.into_error()))),
            }
        })
        .await
    }

    async fn body(&mut self, body: Incoming) -> Result<Bytes, TransportError> {
        let mut body = pin!(body);
        let mut whole = Whole::default();
        let (connection, over) = (&mut self.connection, &mut self.over);
        poll_fn(|cx| {
            // What has arrived with the head needs no drive.
            if let Poll::Ready(end) = whole.take(body.as_mut()) {
                return Poll::Ready(end);
            }
            let ended = drive(connection, over, cx);
            match whole.take(body.as_mut()) {
                Poll::Pending if ended => Poll::Ready(Err(TransportError::Reset)),
                other => other,
            }
        })
        .await?;
        // The connection may still have to notice that the answer is over before it takes another request.
        if !self.sender.is_ready() {
            let _ = drive(&mut self.connection, &mut self.over, &mut Context::from_waker(Waker::noop()));
        }
        Ok(whole.into_bytes())
    }
}

/// What hyper makes of a request that was sent.
type Sent = Result<http::Response<Incoming>, hyper::client::conn::TrySendError<http::Request<Full<Bytes>>>>;

type Driven = Pin<Box<Connection<TokioIo<Stream>, Full<Bytes>>>>;

/// Moves the connection on; whether it has ended. An ended future must not be polled again.
fn drive(connection: &mut Driven, over: &mut bool, cx: &mut Context<'_>) -> bool {
    *over = *over || connection.as_mut().poll(cx).is_ready();
    *over
}

/// A body as it grows: one frame is kept as it is, which is all there is to a small page.
#[derive(Default)]
struct Whole {
    first: Bytes,
    rest: BytesMut,
}

impl Whole {
    /// Takes the frames that have arrived; ready at the end of the body.
    fn take(&mut self, mut body: Pin<&mut Incoming>) -> Poll<Result<(), TransportError>> {
        loop {
            match ready!(body.as_mut().poll_frame(&mut Context::from_waker(Waker::noop()))) {
                None => return Poll::Ready(Ok(())),
                Some(Err(error)) => return Poll::Ready(Err(classify(&error))),
                Some(Ok(frame)) => {
                    let Ok(bytes) = frame.into_data() else { continue };
                    if self.len() + bytes.len() > limits::BODY_BYTES {
                        return Poll::Ready(Err(TransportError::BodyTooLarge(limits::BODY_BYTES)));
                    }
                    if self.len() == 0 {
                        self.first = bytes;
                    } else {
                        self.rest.extend_from_slice(&std::mem::take(&mut self.first));
                        self.rest.extend_from_slice(&bytes);
                    }
                }
            }
        }
    }

    fn len(&self) -> usize {
        self.first.len() + self.rest.len()
    }

    fn into_bytes(self) -> Bytes {
        if self.rest.is_empty() { self.first } else { self.rest.freeze() }
    }
}

/// hyper's error as one of ours.
fn classify(error: &hyper::Error) -> TransportError {
    // hyper has a method for the first only with its server compiled in; a test holds it to these words.
    if error.is_parse() && error.to_string().contains("too large") {
        TransportError::HeadTooLarge(limits::HEAD_BYTES)
    } else if error.is_parse() || error.is_user() {
        TransportError::Protocol(error.to_string())
    } else {
        TransportError::Reset
    }
}
