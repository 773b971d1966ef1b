//! One HTTP/1.1 connection, read and written by the user's own task: a request costs one write, one read, and no hop
//! between tasks. The bytes of an answer pass through a buffer that all connections of a thread share, so that a thousand
//! idle connections hold none, and what a request touches stays in the processor's cache.

use super::dial::{Line, Stream};
use super::fields::Fields;
use super::prepared::Prepared;
use super::reply::{Head, Reply};
use super::sent::{self, Asked};
use super::{HttpVersion, Request, TransportError};
use crate::{clock, limits};
use bytes::Bytes;
use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

thread_local! {
    /// Where the bytes of an answer arrive, from one call of the system to their being taken.
    static ARRIVAL: RefCell<Box<[u8]>> = RefCell::new(vec![0; limits::READ_BYTES].into());
}

/// A connection.
pub(super) struct Wire {
    stream: Stream,
    /// The request's bytes; empty between requests, its space kept.
    out: Vec<u8>,
    /// Whether the last answer left the connection fit for another request.
    fit: bool,
    pub(super) address: IpAddr,
    pub(super) certificate: Option<Bytes>,
}

/// A response with its body.
pub(super) struct Answer {
    pub(super) version: HttpVersion,
    pub(super) status: u16,
    pub(super) fields: Fields,
    pub(super) body: Bytes,
    /// When the head was whole.
    pub(super) first_byte: Instant,
    /// When all of it was.
    pub(super) end: Instant,
    /// What came behind a 101: the first bytes of the other protocol.
    pub(super) switched: Vec<u8>,
}

/// Why an exchange failed, and whether the peer may not even have seen the request: nothing of an answer had come.
pub(super) struct Broken {
    pub(super) error: TransportError,
    pub(super) unanswered: bool,
}

/// How far an exchange is.
struct Progress {
    /// It was looked whether the peer had closed, or spoken out of turn, before the request.
    looked: bool,
    sent: usize,
    /// The peer takes no more bytes; it may still answer.
    deaf: bool,
    heard: bool,
    reply: Reply,
    first_byte: Option<Instant>,
}

impl Wire {
    /// Makes a wire of an open connection.
    pub(super) fn new(line: Line) -> Self {
        let Line { stream, address, certificate, .. } = line;
        Self { stream, out: Vec::new(), fit: true, address, certificate }
    }

    /// The connection itself, for another protocol.
    pub(super) fn into_stream(self) -> Stream {
        self.stream
    }

    /// Whether another request may be sent.
    pub(super) const fn is_ready(&self) -> bool {
        self.fit
    }

    /// Sends a request and reads the whole answer. The request becomes bytes at once, so that the future need not hold it.
    pub(super) fn exchange(
        &mut self,
        request: &Request,
        to: &Prepared,
    ) -> impl Future<Output = Result<Answer, Broken>> + Send + use<'_> {
        self.fit = false;
        self.out.clear();
        self.out.shrink_to(limits::REQUEST_SPACE);
        sent::write(&mut self.out, request, to);
        let reply = Reply::new(Asked::of(request));
        let progress = Progress { looked: false, sent: 0, deaf: false, heard: false, reply, first_byte: None };
        self.answer(progress)
    }

    async fn answer(&mut self, mut progress: Progress) -> Result<Answer, Broken> {
        let done = poll_fn(|cx| self.poll(&mut progress, cx)).await;
        let Progress { sent, deaf, heard, reply, first_byte, .. } = progress;
        done.map_err(|error| Broken { error, unanswered: !heard })?;
        let end = clock::now();
        let whole = reply.into_whole().ok_or(Broken { error: TransportError::Reset, unanswered: false })?;
        self.fit = whole.keeps && !deaf && sent == self.out.len();
        let Head { version, status, fields, .. } = whole.head;
        let (body, switched) = (whole.body, whole.switched);
        Ok(Answer { version, status, fields, body, first_byte: first_byte.unwrap_or(end), end, switched })
    }

    /// Writes and reads as much as can be; ready at the end of the answer.
    fn poll(&mut self, progress: &mut Progress, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        ARRIVAL.with_borrow_mut(|arrival| {
            if !progress.looked {
                progress.looked = true;
                if Pin::new(&mut self.stream).poll_read(cx, &mut ReadBuf::new(arrival)).is_ready() {
                    return Poll::Ready(Err(TransportError::Reset));
                }
            }
            // A peer that has heard enough closes its side; its answer may be on the way.
            progress.deaf = progress.deaf || matches!(self.write(progress, cx), Poll::Ready(Err(_)));
            loop {
                let mut buffer = ReadBuf::new(arrival);
                let read = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer));
                let bytes = buffer.filled();
                if read.is_err() || bytes.is_empty() {
                    let clean = read.is_ok();
                    return Poll::Ready(if clean { progress.reply.end() } else { Err(TransportError::Reset) });
                }
                progress.heard = true;
                let whole = progress.reply.take(bytes)?;
                if whole {
                    return Poll::Ready(Ok(()));
                }
                if progress.first_byte.is_none() && progress.reply.has_head() {
                    progress.first_byte = Some(clock::now());
                }
            }
        })
    }

    fn write(&mut self, progress: &mut Progress, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.out.get(progress.sent..).filter(|rest| !rest.is_empty()) {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, rest))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            progress.sent += written;
        }
        Pin::new(&mut self.stream).poll_flush(cx)
    }
}
