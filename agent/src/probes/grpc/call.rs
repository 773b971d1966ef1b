//! One unary call over HTTP/2: request, head, body, trailers, each capped. What must stay true: hyper's helpers for the connection run
//! inside the call and end with it, so a peer that floods frames is rid of when the run is over.

use crate::limits;
use crate::probes::net::Stream;
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2::Builder;
use hyper::rt::Executor;
use hyper_util::rt::TokioIo;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

/// An answer to a call.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    pub(super) trailers: HeaderMap,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// Before its head came.
    Before(hyper::Error),
    /// In its middle.
    Within(hyper::Error),
    /// It goes on for longer than a health answer can.
    TooLong,
}

/// Calls.
pub(super) async fn call(stream: Box<dyn Stream>, request: Request<Full<Bytes>>) -> Result<Answer, Unanswered> {
    let tasks = Tasks::default();
    tasks.clone().along(ask(stream, request, tasks)).await
}

async fn ask(stream: Box<dyn Stream>, request: Request<Full<Bytes>>, tasks: Tasks) -> Result<Answer, Unanswered> {
    let mut builder = Builder::new(tasks.clone());
    builder
        .max_header_list_size(limits::GRPC_HEAD_BYTES)
        .initial_stream_window_size(limits::GRPC_WINDOW_BYTES)
        .initial_connection_window_size(limits::GRPC_WINDOW_BYTES)
        .max_send_buf_size(limits::GRPC_ANSWER_BYTES);
    let made = builder.handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = made.map_err(Unanswered::Before)?;
    tasks.execute(async {
        // Its error reaches the call as well.
        drop(connection.await);
    });
    let response = sender.send_request(request).await.map_err(Unanswered::Before)?;
    let (head, mut incoming) = response.into_parts();
    let (mut body, mut trailers) = (Vec::new(), HeaderMap::new());
    while let Some(frame) = incoming.frame().await {
        match frame.map_err(Unanswered::Within)?.into_data() {
            Ok(piece) if body.len() + piece.len() > limits::GRPC_ANSWER_BYTES => return Err(Unanswered::TooLong),
            Ok(piece) => body.extend_from_slice(&piece),
            Err(frame) => trailers.extend(frame.into_trailers().unwrap_or_default()),
        }
    }
    Ok(Answer { status: head.status.as_u16(), headers: head.headers, body, trailers })
}

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What hyper wants to run beside a call; nothing of it outlives the call.
#[derive(Clone, Default)]
struct Tasks(Arc<Mutex<Vec<Task>>>);

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Tasks {
    fn execute(&self, task: F) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Box::pin(task));
    }
}

impl Tasks {
    /// Moves the tasks on while something is awaited that gives more of them.
    async fn along<T>(self, work: impl Future<Output = T>) -> T {
        let (mut work, mut running) = (pin!(work), FuturesUnordered::<Task>::new());
        poll_fn(|cx| {
            loop {
                if let Poll::Ready(done) = work.as_mut().poll(cx) {
                    return Poll::Ready(done);
                }
                let more = self.poll_new(&mut running, cx);
                if !more {
                    return Poll::Pending;
                }
            }
        })
        .await
    }

    /// Moves on all tasks; whether there are new ones, so that the work is to be asked again.
    fn poll_new(&self, running: &mut FuturesUnordered<Task>, cx: &mut Context<'_>) -> bool {
        let new = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let more = !new.is_empty();
        running.extend(new);
        while let Poll::Ready(Some(())) = running.poll_next_unpin(cx) {}
        more
    }
}
