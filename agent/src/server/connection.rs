//! One connection: TLS when configured, then HTTP/1.1 under caps and deadlines.

use super::sending::Sending;
use super::{App, routes};
use crate::limits;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

/// Serves it to its end. Nothing that goes wrong here is worth more than a debug line: clients come and go.
pub(super) async fn serve(stream: TcpStream, from: SocketAddr, app: Arc<App>, stopping: watch::Receiver<bool>) {
    let _ = stream.set_nodelay(true);
    let stream = Sending::new(stream);
    let tls = app.web().await.and_then(|web| web.tls.clone());
    let Some(tls) = tls else { return http(stream, from, app, stopping).await };
    match timeout(limits::HANDSHAKE_TIMEOUT, TlsAcceptor::from(tls).accept(stream)).await {
        Ok(Ok(stream)) => http(stream, from, app, stopping).await,
        Ok(Err(error)) => tracing::debug!(%from, %error, "tls handshake failed"),
        Err(_elapsed) => tracing::debug!(%from, "tls handshake took too long"),
    }
}

async fn http<S>(stream: S, from: SocketAddr, app: Arc<App>, mut stopping: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let asked = Arc::new(AtomicBool::new(false));
    let service = service_fn(|request| {
        asked.store(true, Ordering::Relaxed);
        let app = Arc::clone(&app);
        async move { Ok::<_, Infallible>(routes::answer(&app, &request.into_parts().0, from.ip()).await) }
    });
    let mut connection = pin!(builder().serve_connection(TokioIo::new(stream), service));
    let mut patience = pin!(sleep(limits::FIRST_REQUEST_TIMEOUT));
    let mut draining = false;
    loop {
        tokio::select! {
            ended = connection.as_mut() => return log(from, ended),
            () = &mut patience, if !asked.load(Ordering::Relaxed) && !patience.is_elapsed() => {
                if !asked.load(Ordering::Relaxed) {
                    return tracing::debug!(%from, "no request came");
                }
            }
            _ = stopping.changed(), if !draining => {
                if !asked.load(Ordering::Relaxed) {
                    return;
                }
                draining = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

fn log(from: SocketAddr, ended: hyper::Result<()>) {
    if let Err(error) = ended {
        tracing::debug!(%from, %error, "connection ended badly");
    }
}

fn builder() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits::NEXT_REQUEST_TIMEOUT)
        .max_header_size(limits::REQUEST_HEADER_BYTES)
        .max_headers(limits::REQUEST_HEADERS)
        .max_buf_size(limits::CONNECTION_BUFFER_BYTES)
        .half_close(false);
    builder
}
