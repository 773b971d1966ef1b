//! HTTP/2 against servers that keep to it, in this process, on loopback.

use super::super::{Client, HttpVersion, Protocol, RequestOptions, Response, Transport as _};
use super::*;
use crate::clock;
use bytes::BytesMut;
use h2::server::{Builder, SendResponse};
use http::HeaderMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;

pub(super) const SHORT: Duration = Duration::from_millis(300);

type Asked = http::Request<RecvStream>;

/// A server; what it does with a request is told the request's number, counted over all connections.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) connections: Arc<AtomicUsize>,
}

pub(super) async fn serve<F>(
    build: Builder,
    answer: impl Fn(usize, Asked, SendResponse<Bytes>) -> F + Clone + Send + Sync + 'static,
) -> Server
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (connections, number) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counter = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::SeqCst);
            stream.set_nodelay(true).unwrap();
            tokio::spawn(speak(stream, build.clone(), answer.clone(), Arc::clone(&number)));
        }
    });
    Server { address, connections }
}

async fn speak<F, S>(
    stream: S,
    build: Builder,
    answer: impl Fn(usize, Asked, SendResponse<Bytes>) -> F,
    number: Arc<AtomicUsize>,
) where
    F: Future<Output = ()> + Send + 'static,
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Ok(mut connection) = build.handshake(stream).await else { return };
    while let Some(Ok((request, respond))) = connection.accept().await {
        let number = number.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(answer(number, request, respond));
        if number == GOES {
            connection.graceful_shutdown();
        }
    }
}

/// The request after which a server says goodbye.
const GOES: usize = 3;

pub(super) fn status(status: u16) -> http::Response<()> {
    http::Response::builder().status(status).header("X-One", "1").body(()).unwrap()
}

pub(super) async fn hello(_: usize, _: Asked, mut respond: SendResponse<Bytes>) {
    let mut stream = respond.send_response(status(200), false).unwrap();
    stream.send_data(Bytes::from_static(b"hello"), true).unwrap();
}

/// The whole body of a request.
pub(super) async fn body_of(request: Asked) -> Vec<u8> {
    let mut body = request.into_body();
    let mut all = Vec::new();
    while let Some(Ok(part)) = body.data().await {
        body.flow_control().release_capacity(part.len()).unwrap();
        all.extend_from_slice(&part);
    }
    all
}

impl Server {
    pub(super) fn request(&self) -> Request {
        self.speaking(RequestOptions { protocol: Protocol::Http2Known, ..RequestOptions::default() })
    }

    pub(super) fn within(&self, limit: Duration) -> Request {
        let protocol = Protocol::Http2Known;
        self.speaking(RequestOptions { protocol, max_time: Some(limit), ..RequestOptions::default() })
    }

    fn speaking(&self, options: RequestOptions) -> Request {
        Request {
            method: http::Method::GET,
            url: Arc::new(format!("http://{}/path?q=1", self.address).parse().unwrap()),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            options: Arc::new(options),
        }
    }

    fn upload(&self, size: usize) -> Request {
        let body: Vec<u8> = (0..size).map(|index| u8::try_from(index % 251).unwrap()).collect();
        Request { method: http::Method::POST, body: body.into(), ..self.request() }
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

pub(super) fn client() -> Client {
    Client::new(Arc::default())
}

fn shown(response: &Response) -> (HttpVersion, u16, &[u8]) {
    (response.version, response.status, &response.body)
}

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let server = serve(Builder::new(), |number, request: Asked, respond| {
        assert_eq!((request.uri().path(), request.uri().query()), ("/path", Some("q=1")));
        assert_eq!(request.uri().scheme_str(), Some("http"));
        let names: Vec<_> = request.headers().keys().map(|name| name.as_str()).collect();
        assert_eq!(names.len(), 2, "{names:?}");
        assert!(names.contains(&"cookie") && names.contains(&"x-two"), "{names:?}");
        hello(number + 10, request, respond)
    })
    .await;
    let mut client = client();
    for round in 0..20 {
        let mut request = server.request();
        for (name, value) in [("connection", "close"), ("cookie", "a=1; b=2"), ("x-two", "2"), ("te", "gzip")] {
            request.headers.insert(name, value.parse().unwrap());
        }
        let response = client.send(request).await.unwrap();
        assert_eq!(shown(&response), (HttpVersion::Http2, 200, &b"hello"[..]));
        assert_eq!((response.version.number(), response.headers.get("X-One")), ("2", Some(&b"1"[..])));
        assert_eq!(response.timings.connect.is_zero(), round != 0 && round != GOES + 1);
        assert!(response.timings.first_byte <= response.timings.total);
        assert_eq!(response.address, Some(server.address.ip()));
    }
    assert_eq!(server.connections(), 2, "one goodbye, one more connection");
}

#[tokio::test]
async fn a_goodbye_between_requests_is_no_error() {
    let server = serve(Builder::new(), hello).await;
    let mut client = client();
    for round in 0..=GOES {
        assert_eq!(client.send(server.upload(10)).await.unwrap().status, 200);
        assert_eq!((round, server.connections()), (round, 1));
    }
    for _ in 0..5 {
        assert_eq!(client.send(server.upload(10)).await.unwrap().status, 200);
        assert_eq!(server.connections(), 2);
    }
}

#[tokio::test]
async fn a_request_that_is_refused_unseen_goes_over_a_new_connection_once() {
    let refuse = |from: usize| {
        move |number, request, mut respond: SendResponse<Bytes>| async move {
            match number {
                number if number >= from => respond.send_reset(h2::Reason::REFUSED_STREAM),
                _ => hello(number, request, respond).await,
            }
        }
    };
    let server = serve(Builder::new(), refuse(1)).await;
    let mut client = client();
    client.send(server.request()).await.unwrap();
    assert_eq!(client.send(server.request()).await.unwrap_err(), TransportError::Reset);
    assert_eq!(server.connections(), 2, "the second connection refuses too, and there is no third");
    let server = serve(Builder::new(), |number, request, mut respond: SendResponse<Bytes>| async move {
        match number {
            1 => respond.send_reset(h2::Reason::REFUSED_STREAM),
            _ => hello(number, request, respond).await,
        }
    })
    .await;
    client.send(server.request()).await.unwrap();
    assert_eq!(client.send(server.upload(100)).await.unwrap().status, 200);
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn large_bodies_go_both_ways_whole_whatever_the_windows() {
    let mut narrow = Builder::new();
    narrow.initial_window_size(10_000).initial_connection_window_size(70_000).max_concurrent_streams(1);
    let server = serve(narrow, |_, request: Asked, mut respond: SendResponse<Bytes>| async move {
        assert_eq!(request.headers()["content-length"], "3000000");
        let body = body_of(request).await;
        respond.send_response(status(200), false).unwrap().send_data(body.into(), true).unwrap();
    })
    .await;
    let mut client = client();
    for _ in 0..3 {
        let request = server.upload(3_000_000);
        let sent = request.body.clone();
        assert!(client.send(request).await.unwrap().body == sent);
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn an_upload_that_is_refused_early_has_its_answer_and_the_connection_goes_on() {
    let server = serve(Builder::new(), |number, request: Asked, mut respond: SendResponse<Bytes>| async move {
        if number == 0 {
            let mut stream = respond.send_response(status(413), false).unwrap();
            stream.send_data(Bytes::from_static(b"no"), true).unwrap();
        } else {
            assert_eq!(body_of(request).await.len(), 10);
            respond.send_response(status(204), true).unwrap();
        }
    })
    .await;
    let mut client = client();
    assert_eq!(shown(&client.send(server.upload(20_000_000)).await.unwrap()), (HttpVersion::Http2, 413, &b"no"[..]));
    assert_eq!(client.send(server.upload(10)).await.unwrap().status, 204);
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn the_time_counts_to_the_end_of_the_trailers() {
    let server = serve(Builder::new(), |_, _, mut respond: SendResponse<Bytes>| async move {
        respond.send_informational(http::Response::builder().status(103).body(()).unwrap()).unwrap();
        let mut stream = respond.send_response(status(200), false).unwrap();
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            stream.send_data(Bytes::from_static(b"abc"), false).unwrap();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        stream.send_trailers(HeaderMap::from_iter([(http::header::ETAG, "x".parse().unwrap())])).unwrap();
    })
    .await;
    let response = client().send(server.request()).await.unwrap();
    assert_eq!(shown(&response), (HttpVersion::Http2, 200, &b"abcabcabc"[..]));
    assert!(response.timings.total >= Duration::from_millis(200), "{:?}", response.timings);
    assert!(response.timings.first_byte <= response.timings.total - Duration::from_millis(150));
    assert_eq!(response.headers.get("etag"), None, "trailers are no fields of the head");
}

#[tokio::test]
async fn some_answers_have_no_body() {
    let server = serve(Builder::new(), |_, request: Asked, mut respond: SendResponse<Bytes>| async move {
        let length = http::Response::builder().status(200).header("content-length", "500").body(()).unwrap();
        match request.method().as_str() {
            "HEAD" => drop(respond.send_response(length, true)),
            "CONNECT" => {
                let _open = respond.send_response(status(200), false).unwrap();
                tokio::time::sleep(SHORT * 20).await;
            }
            _ => drop(respond.send_response(status(304), true)),
        }
    })
    .await;
    let mut client = client();
    for (method, status) in [("HEAD", 200), ("CONNECT", 200), ("GET", 304)] {
        let request = Request { method: method.parse().unwrap(), ..server.within(SHORT * 10) };
        assert_eq!(shown(&client.send(request).await.unwrap()), (HttpVersion::Http2, status, &b""[..]), "{method}");
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_host_written_by_hand_is_the_authority_and_none_cannot_be_sent() {
    let server = serve(Builder::new(), |number, request: Asked, respond| {
        assert_eq!(request.uri().authority().unwrap(), "other.example:81");
        assert!(request.headers().is_empty());
        hello(number, request, respond)
    })
    .await;
    let mut request = server.request();
    request.headers.insert("host", "other.example:81".parse().unwrap());
    assert_eq!(client().send(request.clone()).await.unwrap().status, 200);
    request.headers.insert("host", "a b".parse().unwrap());
    let error = client().send(request).await.unwrap_err();
    insta::assert_snapshot!(error, @"the URL, or the `Host` header, cannot be written in HTTP/2");
    let options = RequestOptions { no_host: true, protocol: Protocol::Http2Known, ..RequestOptions::default() };
    let error = client().send(server.speaking(options)).await.unwrap_err();
    insta::assert_snapshot!(error, @"`no-header: Host` cannot go over HTTP/2: its requests name their host in any case");
}

#[tokio::test]
async fn a_body_in_chunks_has_no_length() {
    let server = serve(Builder::new(), |_, request: Asked, mut respond: SendResponse<Bytes>| async move {
        assert!(request.headers().is_empty(), "{:?}", request.headers());
        respond.send_response(status(200), false).unwrap().send_data(body_of(request).await.into(), true).unwrap();
    })
    .await;
    let mut request = server.upload(1000);
    request.headers.insert("transfer-encoding", "chunked".parse().unwrap());
    assert_eq!(client().send(request).await.unwrap().body.len(), 1000);
}

#[tokio::test]
async fn a_reset_within_the_body_and_a_slow_drip_are_errors() {
    let server = serve(Builder::new(), |number, _, mut respond: SendResponse<Bytes>| async move {
        let mut stream = respond.send_response(status(200), false).unwrap();
        stream.send_data(Bytes::from_static(b"half"), false).unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
        if number == 0 {
            return stream.send_reset(h2::Reason::INTERNAL_ERROR);
        }
        let mut drip = BytesMut::zeroed(100_000);
        while !drip.is_empty() && stream.send_data(drip.split_to(1).freeze(), false).is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let mut client = client();
    assert_eq!(client.send(server.request()).await.unwrap_err(), TransportError::Reset);
    assert_eq!(server.connections(), 1, "not tried again");
    let start = clock::now();
    assert_eq!(client.send(server.within(SHORT)).await.unwrap_err(), TransportError::Timeout(SHORT));
    assert!(clock::now() - start < SHORT * 10);
}

#[tokio::test]
async fn a_body_is_cut_at_the_cap_of_the_request() {
    let server = serve(Builder::new(), |_, _, mut respond: SendResponse<Bytes>| async move {
        let mut stream = respond.send_response(status(200), false).unwrap();
        stream.send_data(vec![b'x'; 100_000].into(), true).unwrap();
    })
    .await;
    let capped = |most| {
        let (protocol, most_body) = (Protocol::Http2Known, Some(most));
        server.speaking(RequestOptions { protocol, most_body, ..RequestOptions::default() })
    };
    assert_eq!(client().send(capped(99_999)).await.unwrap_err(), TransportError::BodyTooLarge(99_999));
    assert_eq!(client().send(capped(100_000)).await.unwrap().body.len(), 100_000);
}

#[tokio::test]
async fn a_server_that_allows_no_request_is_waited_for_until_the_deadline() {
    let mut none = Builder::new();
    none.max_concurrent_streams(0);
    let server = serve(none, hello).await;
    let mut client = client();
    let first = client.send(server.within(SHORT)).await;
    assert!(matches!(first, Err(TransportError::Timeout(_) | TransportError::Reset)), "{first:?}");
}

/// A TLS server that offers these protocols and speaks HTTP/2 where that is chosen, or HTTP/1.1.
async fn tls(offers: &'static [&'static [u8]]) -> (tempfile::NamedTempFile, SocketAddr) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, made.cert.pem().as_bytes()).unwrap();
    let key = rustls_pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.unwrap().with_no_client_auth();
    let mut config = builder.with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    config.alpn_protocols = offers.iter().map(|offer| offer.to_vec()).collect();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                tokio::spawn(speak(stream, Builder::new(), hello, Arc::default()));
            } else {
                tokio::io::AsyncReadExt::read(&mut stream, &mut [0; 4096]).await.unwrap();
                let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nold";
                tokio::io::AsyncWriteExt::write_all(&mut stream, answer).await.unwrap();
            }
        }
    });
    (file, address)
}

#[tokio::test]
async fn over_tls_the_server_chooses_and_is_not_asked_unless_the_request_says_so() {
    let both: &'static [&'static [u8]] = &[b"h2", b"http/1.1"];
    for (offers, protocol, spoken) in [
        (both, Protocol::Http2, Ok(HttpVersion::Http2)),
        (both, Protocol::Http2Known, Ok(HttpVersion::Http2)),
        (both, Protocol::Http11, Ok(HttpVersion::Http11)),
        (&[b"http/1.1"], Protocol::Http2, Ok(HttpVersion::Http11)),
        (&[], Protocol::Http2, Ok(HttpVersion::Http11)),
        (&[b"http/1.1"], Protocol::Http2Known, Err("tls")),
        (&[], Protocol::Http2Known, Err("protocol")),
    ] {
        let (file, address) = tls(offers).await;
        let resolve = vec![format!("localhost:{}:127.0.0.1", address.port())];
        let options =
            RequestOptions { protocol, resolve, cacert: Some(file.path().to_owned()), ..RequestOptions::default() };
        let server = Server { address, connections: Arc::default() };
        let url = Arc::new(format!("https://localhost:{}/", address.port()).parse().unwrap());
        let got = client().send(Request { url, ..server.speaking(options) }).await;
        let got = got.map(|response| (response.version, response.certificate.is_some())).map_err(|error| match error {
            TransportError::Tls(_) => "tls",
            TransportError::Protocol(_) => "protocol",
            other => panic!("{other:?}"),
        });
        assert_eq!(got, spoken.map(|version| (version, true)), "{protocol:?} of {}", offers.len());
    }
}
