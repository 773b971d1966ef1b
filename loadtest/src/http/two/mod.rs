//! One HTTP/2 connection, driven by the user's own task like the HTTP/1.1 one: frames are read and written while a request
//! is under way and at no other time, so an idle connection costs nothing and nobody can flood it. One request at a time, but for
//! the files of a page (`many`): what goes over a connection at once is decided by the users of the load and not by the wire.

mod broken;
mod collect;
mod head;
#[cfg(test)]
mod hostile_tests;
mod many;
#[cfg(test)]
mod many_tests;
#[cfg(test)]
mod tests;

pub(super) use self::many::Flight;

use self::broken::broken;
use self::collect::Collected;
use super::dial::{Line, Stream};
use super::prepared::Prepared;
use super::wire::{Answer, Broken};
use super::{Request, TransportError};
use crate::{clock, limits};
use bytes::Bytes;
use h2::RecvStream;
use h2::client::{Builder, Connection, ResponseFuture, SendRequest};
use std::future::{Future, poll_fn};
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::time::Instant;

/// A connection.
pub(super) struct Wire {
    connection: Connection<Stream, Bytes>,
    requests: SendRequest<Bytes>,
    /// Whether another request may be sent.
    fit: bool,
    pub(super) address: IpAddr,
    pub(super) certificate: Option<Bytes>,
}

/// How far an exchange is.
enum Stage {
    /// Not sent yet.
    Asking(http::Request<()>),
    /// Sent; of the answer nothing has come but interim ones, which are passed over.
    Waiting(ResponseFuture),
    /// The head has come, at that moment.
    Reading(Collected, RecvStream, Instant),
}

/// What a look at a request under way showed.
enum Step {
    /// It has come further.
    On,
    /// Its answer is whole.
    Whole,
}

/// What is under way.
struct Progress {
    stage: Stage,
    body: Bytes,
    method: http::Method,
    most_body: usize,
}

impl Wire {
    /// Begins to speak HTTP/2 on an open connection. It does not wait for the peer: its settings come with its answer.
    pub(super) async fn new(line: Line) -> Result<Self, TransportError> {
        let Line { stream, address, certificate, .. } = line;
        let begun = Builder::new()
            .enable_push(false)
            .initial_window_size(limits::HTTP2_WINDOW)
            .initial_connection_window_size(limits::HTTP2_WINDOW)
            .max_header_list_size(u32::try_from(limits::HEAD_BYTES).unwrap_or(u32::MAX))
            .handshake(stream)
            .await;
        let (requests, connection) = begun.map_err(|error| broken(&error, false).error)?;
        Ok(Self { connection, requests, fit: true, address, certificate })
    }

    /// Whether another request may be sent.
    pub(super) const fn is_ready(&self) -> bool {
        self.fit
    }

    /// Sends a request and reads the whole answer.
    pub(super) async fn exchange(&mut self, request: &Request, to: &Prepared) -> Result<Answer, Broken> {
        self.fit = false;
        let mut progress = Progress::new(request, to).map_err(|error| Broken { error, unanswered: false })?;
        poll_fn(|cx| self.poll(&mut progress, cx)).await?;
        let end = clock::now();
        let Stage::Reading(collected, stream, first_byte) = progress.stage else { return Err(reset(false)) };
        drop(stream);
        // An upload may be answered before it is whole: the rest is taken back, and the peer hears of it now.
        if !request.body.is_empty() || request.method == http::Method::CONNECT {
            poll_fn(|cx| Poll::Ready(self.poll_connection(cx))).await;
        }
        self.fit = true;
        Ok(collected.into_answer(first_byte, end))
    }

    /// Reads, writes and takes as much as can be; ready at the end of the answer.
    fn poll(&mut self, progress: &mut Progress, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        loop {
            let ended = self.poll_connection(cx);
            if let Step::Whole = ready!(self.step(progress, ended, cx))? {
                return Poll::Ready(Ok(()));
            }
        }
    }

    /// Reads and writes; whether that is the end. It speaks of the whole connection; what became of a request, the request knows better.
    fn poll_connection(&mut self, cx: &mut Context<'_>) -> bool {
        Pin::new(&mut self.connection).poll(cx).is_ready()
    }

    /// Takes what there is for a request.
    fn step(&mut self, progress: &mut Progress, ended: bool, cx: &mut Context<'_>) -> Poll<Result<Step, Broken>> {
        let stage = match &mut progress.stage {
            // A peer that has closed, or said goodbye, before the request was sent has not seen it.
            Stage::Asking(_) if ended => return Poll::Ready(Err(reset(true))),
            Stage::Asking(_) => ready!(self.ask(progress, cx))?,
            Stage::Waiting(answer) => match Pin::new(answer).poll(cx) {
                Poll::Ready(Ok(answer)) => progress.head(answer)?,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(broken(&error, false))),
                Poll::Pending if ended => return Poll::Ready(Err(reset(true))),
                Poll::Pending => return Poll::Pending,
            },
            Stage::Reading(collected, stream, _) => {
                let bodiless = progress.method == http::Method::CONNECT && (200..300).contains(&collected.status);
                return match collected.poll(stream, progress.most_body, cx) {
                    Poll::Pending if bodiless => Poll::Ready(Ok(Step::Whole)),
                    Poll::Pending if ended => Poll::Ready(Err(reset(false))),
                    done => done.map_ok(|()| Step::Whole),
                };
            }
        };
        progress.stage = stage;
        Poll::Ready(Ok(Step::On))
    }

    /// Sends the request. Its body is queued whole: it is in memory already, and the peer's windows let it go piece by piece.
    fn ask(&mut self, progress: &mut Progress, cx: &mut Context<'_>) -> Poll<Result<Stage, Broken>> {
        ready!(self.requests.poll_ready(cx)).map_err(|error| broken(&error, true))?;
        let Stage::Asking(head) = &mut progress.stage else { return Poll::Ready(Err(reset(false))) };
        let (head, body) = (std::mem::take(head), std::mem::take(&mut progress.body));
        let sent = self.requests.send_request(head, body.is_empty());
        let (answer, mut stream) = sent.map_err(|error| broken(&error, true))?;
        if !body.is_empty() {
            stream.send_data(body, true).map_err(|error| broken(&error, false))?;
        }
        Poll::Ready(Ok(Stage::Waiting(answer)))
    }
}

impl Progress {
    fn new(request: &Request, to: &Prepared) -> Result<Self, TransportError> {
        Ok(Self {
            stage: Stage::Asking(head::head(request, to)?),
            body: request.body.clone(),
            method: request.method.clone(),
            most_body: request.options.most_body.unwrap_or(limits::BODY_BYTES),
        })
    }

    fn head(&self, answer: http::Response<RecvStream>) -> Result<Stage, Broken> {
        let first_byte = clock::now();
        let (head, stream) = answer.into_parts();
        let collected = Collected::new(&head).map_err(|error| Broken { error, unanswered: false })?;
        Ok(Stage::Reading(collected, stream, first_byte))
    }
}

/// The connection broke; whether the peer cannot have answered.
const fn reset(unanswered: bool) -> Broken {
    Broken { error: TransportError::Reset, unanswered }
}
