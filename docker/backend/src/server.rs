//! Owns the sockets: accepting, the caps on heads and connections, and draining. Knows no route. `axum::serve` would be shorter,
//! but it bounds neither the time nor the size of a request's head, so a slow client could hold a connection forever.

use std::{
    io,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::Router;
use hyper::{
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};

use crate::{limits, stopping::Stopping};

/// One permit a connection: the cap on them, and all back when the last is gone.
pub struct Connections(Arc<Semaphore>);

impl Connections {
    /// Waits until every request in flight is answered. `false` when the budget ends first.
    pub async fn drained(&self, budget: Duration) -> bool {
        let all = u32::try_from(limits::MAX_CONNECTIONS).unwrap_or(u32::MAX);
        tokio::time::timeout(budget, self.0.acquire_many(all)).await.is_ok()
    }
}

/// Accepts until the service is stopping, then gives the connections still open. The listener is closed by then: new clients are
/// refused and can go elsewhere.
pub async fn accept_until_stopping(listener: TcpListener, router: Router, mut stopping: Stopping) -> Connections {
    let slots = Arc::new(Semaphore::new(limits::MAX_CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &slots) => accepted,
            () = stopping.begun() => return Connections(slots),
        };
        match accepted {
            Ok((stream, slot)) => _ = tokio::spawn(serve(stream, slot, router.clone(), stopping.clone())),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(limits::ACCEPT_BACKOFF).await;
            }
        }
    }
}

async fn accept(listener: &TcpListener, slots: &Arc<Semaphore>) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let slot = slots.clone().acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _peer) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream, slot))
}

async fn serve(stream: TcpStream, _slot: OwnedSemaphorePermit, router: Router, mut stopping: Stopping) {
    let has_begun = AtomicBool::new(false);
    let router = TowerToHyperService::new(router);
    let service = service_fn(|request| {
        has_begun.store(true, Ordering::Relaxed);
        router.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits::HEAD_DEADLINE)
        .max_buf_size(limits::MAX_HEAD_BYTES)
        .max_headers(limits::MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopping.begun() => {
            // hyper would wait for a first request that may never come; a client that has asked nothing loses nothing.
            if !has_begun.load(Ordering::Relaxed) {
                return;
            }
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // Clients that vanish or talk nonsense are their own business.
        tracing::debug!(%error, "a connection ended early");
    }
}
