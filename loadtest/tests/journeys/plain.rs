//! The simplest transport: one connection per request, read to its end.

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use loadtest::http::{HttpVersion, Request, Response, Timings, Transport, TransportError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

/// Opens a connection per request.
pub struct Plain;

impl Transport for Plain {
    fn send(&mut self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        async move {
            let limit = request.options.max_time.unwrap_or(Duration::from_secs(10));
            timeout(limit, exchange(request)).await.unwrap_or(Err(TransportError::Timeout(limit)))
        }
        .boxed()
    }
}

async fn exchange(request: Request) -> Result<Response, TransportError> {
    let start = Instant::now();
    let (host, port) = (request.url.host_str().unwrap(), request.url.port_or_known_default().unwrap());
    let refused = |_| TransportError::Refused(format!("{host}:{port}"));
    let mut stream = TcpStream::connect((host, port)).await.map_err(refused)?;
    let address = stream.peer_addr().ok().map(|address| address.ip());
    stream.write_all(&head(&request)).await.map_err(|_| TransportError::Reset)?;
    stream.write_all(&request.body).await.map_err(|_| TransportError::Reset)?;
    let mut data = vec![];
    stream.read_to_end(&mut data).await.map_err(|_| TransportError::Reset)?;
    let end = data.windows(4).position(|window| window == b"\r\n\r\n").ok_or(TransportError::Reset)?;
    let lines = String::from_utf8_lossy(&data[..end]).into_owned();
    let mut lines = lines.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
    let headers = lines.filter_map(|line| line.split_once(':'));
    Ok(Response {
        version: HttpVersion::Http11,
        status: status.ok_or_else(|| TransportError::Protocol("no status".to_owned()))?,
        headers: headers
            .map(|(name, value)| (name.parse::<http::HeaderName>().unwrap(), value.trim().parse().unwrap()))
            .collect(),
        body: Bytes::copy_from_slice(&data[end + 4..]),
        address,
        certificate: None,
        timings: Timings { total: start.elapsed(), ..Timings::default() },
    })
}

fn head(request: &Request) -> Vec<u8> {
    let url = &request.url;
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let authority = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let mut out = format!("{} {target} HTTP/1.1\r\n", request.method).into_bytes();
    if !request.headers.contains_key("host") {
        out.extend(format!("Host: {authority}\r\n").bytes());
    }
    for (name, value) in &request.headers {
        out.extend(format!("{name}: ").bytes());
        out.extend(value.as_bytes());
        out.extend(b"\r\n");
    }
    if !request.body.is_empty() {
        out.extend(format!("Content-Length: {}\r\n", request.body.len()).bytes());
    }
    out.extend(b"Connection: close\r\n\r\n");
    out
}
