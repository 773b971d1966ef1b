//! Accepts connections, at most so many at once, and lets those in flight finish when the agent stops.

use super::{App, connection};
use crate::limits;
use std::io::Write as _;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain; charset=utf-8\r\n\
    content-length: 26\r\nretry-after: 1\r\nconnection: close\r\n\r\ntoo many open connections\n";

/// Answers until `shutdown`, then finishes what is in flight within [`limits::DRAIN_TIMEOUT`].
pub async fn serve(listener: TcpListener, app: Arc<App>, shutdown: impl Future<Output = ()>) {
    let (stop, stopping) = watch::channel(false);
    let mut open = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    let mut pause = limits::ACCEPT_PAUSE;
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut shutdown => break,
            Some(_ended) = open.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, from)) => {
                pause = limits::ACCEPT_PAUSE;
                admit(&app, &mut open, (stream, from), &stopping);
            }
            Err(error) => {
                tracing::warn!(%error, pause_ms = pause.as_millis(), "cannot accept a connection");
                let stopped = timeout(pause, &mut shutdown).await.is_ok();
                pause = (pause * 2).min(limits::ACCEPT_PAUSE_MAX);
                if stopped {
                    break;
                }
            }
        }
    }
    drop(listener);
    let _ = stop.send(true);
    drain(open).await;
}

fn admit(
    app: &Arc<App>,
    open: &mut JoinSet<()>,
    (stream, from): (TcpStream, SocketAddr),
    stopping: &watch::Receiver<bool>,
) {
    if open.len() < limits::CONNECTIONS {
        open.spawn(connection::serve(stream, from, Arc::clone(app), stopping.clone()));
        return;
    }
    let refused = app.refused.fetch_add(1, Ordering::Relaxed) + 1;
    tracing::debug!(%from, refused, "too many open connections");
    // The socket does not block and its buffer is empty: this is one system call, and a client that is gone is no loss.
    if app.web.is_none() {
        let _ = stream.into_std().and_then(|mut stream| stream.write_all(FULL));
    }
}

async fn drain(mut open: JoinSet<()>) {
    let in_flight = open.len();
    let all = async { while open.join_next().await.is_some() {} };
    let finished = timeout(limits::DRAIN_TIMEOUT, all).await.is_ok();
    let cut_off = open.len();
    open.shutdown().await;
    if finished {
        tracing::info!(connections = in_flight, "server stopped");
    } else {
        tracing::warn!(connections = in_flight, cut_off, "server stopped before all requests were finished");
    }
}
