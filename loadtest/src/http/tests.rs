//! The client against servers of every kind, in this process, on loopback.

use super::*;
use crate::clock;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// A server that hands each connection, with its number, to a thread of its own.
struct Server {
    address: std::net::SocketAddr,
    connections: Arc<AtomicUsize>,
}

fn serve(answer: impl Fn(usize, TcpStream) + Send + Sync + 'static) -> Server {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let (counter, answer) = (Arc::clone(&connections), Arc::new(answer));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (number, answer) = (counter.fetch_add(1, Ordering::SeqCst), Arc::clone(&answer));
            std::thread::spawn(move || answer(number, stream));
        }
    });
    Server { address, connections }
}

/// Reads one request's head; false when the client has gone.
fn head(stream: &mut TcpStream) -> Option<String> {
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        text.push(byte[0]);
    }
    String::from_utf8(text).ok()
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-One: 1\r\n\r\nhello";

impl Server {
    fn request(&self) -> Request {
        Request {
            method: http::Method::GET,
            url: Arc::new(format!("http://{}/path?q=1", self.address).parse().unwrap()),
            headers: http::HeaderMap::new(),
            body: Bytes::new(),
            options: Arc::default(),
        }
    }

    fn within(&self, limit: Duration) -> Request {
        let options = RequestOptions { max_time: Some(limit), ..RequestOptions::default() };
        Request { options: Arc::new(options), ..self.request() }
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn client() -> Client {
    Client::new(Arc::default())
}

const SHORT: Duration = Duration::from_millis(300);

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let server = serve(|_, mut stream| {
        while let Some(head) = head(&mut stream) {
            assert!(head.starts_with("GET /path?q=1 HTTP/1.1\r\n"), "{head}");
            assert!(head.contains(&format!("host: {}\r\n", stream.local_addr().unwrap())), "{head}");
            stream.write_all(OK).unwrap();
        }
    });
    let mut client = client();
    for round in 0..20 {
        let response = client.send(server.request()).await.unwrap();
        assert_eq!((response.status, &response.body[..]), (200, &b"hello"[..]));
        assert_eq!(
            (response.headers.get("content-length"), response.headers.get("X-One")),
            (Some(&b"5"[..]), Some(&b"1"[..]))
        );
        assert_eq!(response.timings.connect.is_zero(), round > 0);
        assert_eq!(response.address, Some(server.address.ip()));
    }
    assert_eq!(server.connections(), 1);
    let fresh = RequestOptions { fresh_connection: true, ..RequestOptions::default() };
    client.send(Request { options: Arc::new(fresh), ..server.request() }).await.unwrap();
    assert_eq!(server.connections(), 2);
    let other = RequestOptions { insecure: true, ..RequestOptions::default() };
    client.send(Request { options: Arc::new(other), ..server.request() }).await.unwrap();
    assert_eq!(server.connections(), 3, "a connection made with other options may have another trust");
}

#[tokio::test]
async fn the_time_of_a_slow_body_counts() {
    let server = serve(|_, mut stream| {
        head(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
        for _ in 0..3 {
            std::thread::sleep(Duration::from_millis(50));
            stream.write_all(b"3\r\nabc\r\n").unwrap();
        }
        stream.write_all(b"0\r\n\r\n").unwrap();
    });
    let response = client().send(server.request()).await.unwrap();
    assert_eq!(&response.body[..], b"abcabcabc");
    assert!(response.timings.total >= Duration::from_millis(150), "{:?}", response.timings);
    assert!(response.timings.first_byte <= response.timings.total - Duration::from_millis(100));
}

#[tokio::test]
async fn a_large_body_is_read_whole_and_the_connection_kept() {
    let server = serve(|_, mut stream| {
        while head(&mut stream).is_some() {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n").unwrap();
            (0..3000).for_each(|_| stream.write_all(&[b'x'; 1000]).unwrap());
        }
    });
    let mut client = client();
    for _ in 0..3 {
        assert_eq!(client.send(server.request()).await.unwrap().body.len(), 3_000_000);
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_compressed_body_is_left_as_it_came() {
    let server = serve(|_, mut stream| {
        let head = head(&mut stream).unwrap();
        assert!(!head.contains("accept-encoding"), "the journey asks for encodings, not the transport: {head}");
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00")
            .unwrap();
    });
    assert_eq!(&client().send(server.request()).await.unwrap().body[..], b"\x1f\x8b\x08\x00");
}

#[tokio::test]
async fn a_connection_closed_between_requests_is_replaced_without_an_error() {
    let server = serve(|_, mut stream| {
        head(&mut stream);
        stream.write_all(OK).unwrap();
    });
    let mut client = client();
    for round in 1..=5 {
        let request = Request { method: http::Method::POST, body: "data".into(), ..server.request() };
        assert_eq!(client.send(request).await.unwrap().status, 200);
        assert_eq!(server.connections(), round);
        // Half the rounds find the connection closed, half close it under the request's feet.
        tokio::time::sleep(Duration::from_millis(10 * (round as u64 % 2))).await;
    }
}

#[tokio::test]
async fn a_word_out_of_turn_on_a_kept_connection_answers_no_request() {
    let server = serve(|_, mut stream| {
        head(&mut stream);
        stream.write_all(OK).unwrap();
        std::thread::sleep(Duration::from_millis(20));
        let _ = stream.write_all(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
    });
    let mut client = client();
    for round in 1..=3 {
        assert_eq!(client.send(server.request()).await.unwrap().status, 200);
        assert_eq!(server.connections(), round);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn an_upload_that_is_refused_early_has_its_answer_and_no_second_request() {
    let server = serve(|_, mut stream| {
        head(&mut stream);
        stream.write_all(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno").unwrap();
        std::thread::sleep(SHORT * 2);
    });
    let mut client = client();
    for round in 1..=2 {
        let body = vec![b'x'; 20_000_000].into();
        let request = Request { method: http::Method::POST, body, ..server.request() };
        assert_eq!(client.send(request).await.unwrap().status, 413);
        assert_eq!(server.connections(), round);
    }
}

#[tokio::test]
async fn a_large_upload_arrives_whole() {
    let server = serve(|_, mut stream| {
        while let Some(head) = head(&mut stream) {
            assert!(head.contains("content-length: 5000000\r\n"), "{head}");
            let mut body = vec![0; 5_000_000];
            stream.read_exact(&mut body).unwrap();
            assert!(body.iter().zip(0_usize..).all(|(byte, index)| usize::from(*byte) == index % 251));
            stream.write_all(OK).unwrap();
        }
    });
    let mut client = client();
    for _ in 0..2 {
        let body: Vec<u8> = (0..5_000_000_usize).map(|index| u8::try_from(index % 251).unwrap()).collect();
        let request = Request { method: http::Method::PUT, body: body.into(), ..server.request() };
        assert_eq!(client.send(request).await.unwrap().status, 200);
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_fresh_connection_closed_without_an_answer_is_an_error() {
    let server = serve(|_, mut stream| {
        head(&mut stream);
    });
    assert_eq!(client().send(server.request()).await.unwrap_err(), TransportError::Reset);
    assert_eq!(server.connections(), 1, "not tried again");
}

#[tokio::test]
async fn a_kept_connection_that_breaks_within_the_answer_is_an_error() {
    let server = serve(|_, mut stream| {
        head(&mut stream);
        stream.write_all(OK).unwrap();
        head(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\nConte").unwrap();
    });
    let mut client = client();
    client.send(server.request()).await.unwrap();
    assert_eq!(client.send(server.request()).await.unwrap_err(), TransportError::Reset);
    assert_eq!(server.connections(), 1, "not tried again");
}

#[tokio::test]
async fn a_reset_within_the_body_is_an_error() {
    for chunked in [false, true] {
        let server = serve(move |_, mut stream| {
            head(&mut stream);
            let framing =
                if chunked { "Transfer-Encoding: chunked\r\n\r\nff\r\n" } else { "Content-Length: 100\r\n\r\n" };
            stream.write_all(format!("HTTP/1.1 200 OK\r\n{framing}half").as_bytes()).unwrap();
        });
        assert_eq!(client().send(server.request()).await.unwrap_err(), TransportError::Reset, "chunked: {chunked}");
    }
}

#[tokio::test]
async fn a_silent_server_and_a_slow_drip_end_at_the_deadline() {
    let silent = serve(|_, mut stream| while head(&mut stream).is_some() {});
    let drip = serve(|_, mut stream| {
        head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
        while stream.write_all(b"x").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    for server in [silent, drip] {
        let start = clock::now();
        let mut client = client();
        assert_eq!(client.send(server.within(SHORT)).await.unwrap_err(), TransportError::Timeout(SHORT));
        assert!(clock::now() - start < SHORT * 10);
        let _ = client.send(server.within(SHORT)).await;
        assert_eq!(server.connections(), 2, "a connection with an answer owed is not used again");
    }
}

#[tokio::test]
async fn an_endless_head_and_nonsense_have_their_own_errors() {
    let endless = serve(|_, mut stream| {
        head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream.write_all(b"X-Filler: 0123456789012345678901234567890123456789\r\n").is_ok() {}
    });
    let error = client().send(endless.within(SHORT * 20)).await.unwrap_err();
    assert_eq!(error, TransportError::HeadTooLarge(crate::limits::HEAD_BYTES));
    let nonsense = serve(|_, mut stream| {
        head(&mut stream);
        let _ = stream.write_all(b"220 mail.example ESMTP\r\n\r\n");
    });
    let error = client().send(nonsense.request()).await.unwrap_err();
    assert!(matches!(error, TransportError::Protocol(_)), "{error:?}");
}

#[tokio::test]
async fn a_body_without_end_stops_at_the_cap() {
    let server = serve(|_, mut stream| {
        head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.0 200 OK\r\n\r\n");
        while stream.write_all(&[0; 65_536]).is_ok() {}
    });
    let error = client().send(server.request()).await.unwrap_err();
    assert_eq!(error, TransportError::BodyTooLarge(crate::limits::BODY_BYTES));
}

#[tokio::test]
async fn a_closed_port_is_refused_and_a_wrong_name_unknown() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = Server { address: listener.local_addr().unwrap(), connections: Arc::default() };
    drop(listener);
    let error = client().send(closed.request()).await.unwrap_err();
    assert_eq!(error, TransportError::Refused(closed.address.to_string()));
    let url = Arc::new("http://name.invalid/".parse().unwrap());
    let error = client().send(Request { url, ..closed.request() }).await.unwrap_err();
    assert_eq!(error, TransportError::Dns("name.invalid".to_owned()));
}

#[tokio::test]
async fn at_most_six_connections_are_kept() {
    let servers: Vec<_> = (0..8)
        .map(|_| {
            serve(|_, mut stream| {
                while head(&mut stream).is_some() {
                    stream.write_all(OK).unwrap();
                }
            })
        })
        .collect();
    let mut client = client();
    for server in servers.iter().chain(&servers) {
        client.send(server.request()).await.unwrap();
    }
    assert_eq!(format!("{client:?}"), "Client { kept: 6, .. }");
}

fn pem(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, text).unwrap();
    file
}

/// A TLS server of our own making, which may want a certificate of its clients; its own as PEM, and the address.
async fn tls_server(
    client: Option<&rustls_pki_types::CertificateDer<'static>>,
) -> (tempfile::NamedTempFile, std::net::SocketAddr) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let file = pem(&made.cert.pem());
    let key = rustls_pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let builder = match client {
        None => builder.with_no_client_auth(),
        Some(known) => {
            let mut roots = rustls::RootCertStore::empty();
            roots.add(known.clone()).unwrap();
            let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let config = builder.with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut buffer = [0; 4096];
                while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {
                    stream.write_all(OK).await.unwrap();
                }
            });
        }
    });
    (file, address)
}

#[tokio::test]
async fn tls_trusts_what_it_is_told_to_trust() {
    let (file, address) = tls_server(None).await;
    let base =
        RequestOptions { resolve: vec![format!("localhost:{}:127.0.0.1", address.port())], ..Default::default() };
    let trusting = RequestOptions { cacert: Some(file.path().to_owned()), ..base.clone() };
    let insecure = RequestOptions { insecure: true, ..base.clone() };
    let send = async |host: &str, options: &RequestOptions| {
        let url = Arc::new(format!("https://{host}:{}/", address.port()).parse().unwrap());
        let (method, headers, body) = (http::Method::GET, http::HeaderMap::new(), Bytes::new());
        client().send(Request { method, url, headers, body, options: Arc::new(options.clone()) }).await
    };
    let response = send("localhost", &trusting).await.unwrap();
    assert!(response.certificate.is_some());
    assert!(response.timings.connect <= response.timings.first_byte && !response.timings.connect.is_zero());
    assert_eq!(send("localhost", &insecure).await.unwrap().status, 200);
    assert!(matches!(send("localhost", &base).await, Err(TransportError::Certificate(_))));
    assert!(matches!(send("127.0.0.1", &trusting).await, Err(TransportError::Certificate(_))), "another name");
    let missing = RequestOptions { cacert: Some("/no/such.pem".into()), ..base.clone() };
    insta::assert_snapshot!(send("localhost", &missing).await.unwrap_err(),
        @"cannot use `/no/such.pem`: there is no such file or folder");
    let plain = serve(|_, mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    let url = Arc::new(format!("https://{}/", plain.address).parse().unwrap());
    assert!(matches!(client().send(Request { url, ..plain.request() }).await, Err(TransportError::Tls(_))));
}

#[tokio::test]
async fn a_server_that_wants_a_certificate_gets_the_one_of_the_options() {
    let (known, stranger) = (self_signed(), self_signed());
    let (roots, address) = tls_server(Some(known.cert.der())).await;
    let base = RequestOptions {
        resolve: vec![format!("localhost:{}:127.0.0.1", address.port())],
        cacert: Some(roots.path().to_owned()),
        ..Default::default()
    };
    let send = async |options: RequestOptions| {
        let url = Arc::new(format!("https://localhost:{}/", address.port()).parse().unwrap());
        let (method, headers, body) = (http::Method::GET, http::HeaderMap::new(), Bytes::new());
        client().send(Request { method, url, headers, body, options: Arc::new(options) }).await
    };
    let (cert, key) = (pem(&known.cert.pem()), pem(&known.signing_key.serialize_pem()));
    let both = pem(&format!("{}{}", known.cert.pem(), known.signing_key.serialize_pem()));
    let path = |file: &tempfile::NamedTempFile| Some(file.path().to_owned());
    let two_files = RequestOptions { cert: path(&cert), key: path(&key), ..base.clone() };
    assert_eq!(send(two_files.clone()).await.unwrap().status, 200);
    assert_eq!(send(RequestOptions { cert: path(&both), ..base.clone() }).await.unwrap().status, 200);
    assert_eq!(send(RequestOptions { insecure: true, cacert: None, ..two_files.clone() }).await.unwrap().status, 200);
    let unknown = pem(&format!("{}{}", stranger.cert.pem(), stranger.signing_key.serialize_pem()));
    for refused in [base.clone(), RequestOptions { cert: path(&unknown), ..base.clone() }] {
        let error = send(refused).await.unwrap_err();
        assert!(matches!(error, TransportError::Tls(_) | TransportError::Reset), "{error:?}");
    }
    let said = async |options| match send(options).await.unwrap_err() {
        TransportError::Option(said) => said.split("`: ").nth(1).unwrap().to_owned(),
        other => panic!("{other:?}"),
    };
    assert_eq!(said(RequestOptions { cert: path(&cert), ..base.clone() }).await, "no private key in it");
    assert_eq!(
        said(RequestOptions { cert: path(&key), key: path(&key), ..base.clone() }).await,
        "no certificate in it"
    );
    let other_key = pem(&stranger.signing_key.serialize_pem());
    let mismatch = said(RequestOptions { key: path(&other_key), ..two_files }).await;
    assert!(mismatch.starts_with("the key in it does not belong to the certificate in"), "{mismatch}");
    let locked = pem("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n");
    let options = RequestOptions { cert: path(&cert), key: path(&locked), ..base };
    assert_eq!(said(options).await, "its key is encrypted; `openssl pkey` writes it plain");
}

fn self_signed() -> rcgen::CertifiedKey<rcgen::KeyPair> {
    rcgen::generate_simple_self_signed(["client".to_owned()]).unwrap()
}
