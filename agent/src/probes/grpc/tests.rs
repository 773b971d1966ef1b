//! The gRPC check against polite and rude servers.

use crate::probes::net::test_peers::{self, Peer};
use crate::probes::tests::{Cases, TIMEOUT, look, problems};
use crate::probes::{Outcome, Reason};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::convert::Infallible;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// The six cases that every kind has.
pub(in crate::probes) static CASES: Cases = Cases {
    ok: Some(|| Box::pin(async { at(&health(SAYS_SERVING, "0", "").await, "{}").await })),
    refused: || Box::pin(async { look(&format!("grpc://127.0.0.1:{}", test_peers::closed_port().await), "{}").await }),
    timeout: || Box::pin(async { at(&test_peers::silent().await, "{}").await }),
    wrong_answer: || Box::pin(async { at(&test_peers::says(b"SSH-2.0-OpenSSH_9.2\r\n").await, "{}").await }),
    oversize: || Box::pin(async { at(&health(&[0; 8192], "0", "").await, "{}").await }),
    slow_drip: || {
        let tick = Duration::from_millis(50);
        Box::pin(async move { at(&test_peers::drips(b"\0\0\x12\x04\0\0\0\0\0", tick).await, "{}").await })
    },
};

const SAYS_SERVING: &[u8] = b"\0\0\0\0\x02\x08\x01";

async fn at(peer: &Peer, keys: &str) -> Outcome {
    look(&format!("grpc://localhost:{}", peer.port()), keys).await
}

async fn serve_http2<S>(stream: S, body: &'static [u8], code: &'static str, asked: &'static str)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| async move {
        assert_eq!(request.uri().path(), "/grpc.health.v1.Health/Check");
        assert!(request.headers().contains_key("grpc-timeout") && request.headers()["te"] == "trailers");
        let metadata = request.headers().get("x-token").cloned();
        let named = request.into_body().collect().await.unwrap().to_bytes();
        let right = named.ends_with(asked.as_bytes()) && (asked.is_empty() || metadata.is_some());
        let code = if right { code } else { "3" };
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static(code));
        trailers.insert("grpc-message", HeaderValue::from_static("no%20such%0Athing"));
        let body = Full::new(Bytes::from_static(body)).with_trailers(async { Some(Ok(trailers)) });
        Ok::<_, Infallible>(Response::builder().header("content-type", "application/grpc").body(body).unwrap())
    });
    let serving = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    let _ = serving.serve_connection(TokioIo::new(stream), service).await;
}

/// A server whose health service answers so; `asked` must be the end of what it is asked.
async fn health(body: &'static [u8], code: &'static str, asked: &'static str) -> Peer {
    test_peers::serve(move |stream| serve_http2(stream, body, code, asked)).await
}

/// Speaks HTTP/2 up to its settings, then does as it is told.
async fn http2(then: &'static [u8], again: bool) -> Peer {
    test_peers::serve(move |mut stream| async move {
        let mut preface = [0; 24];
        let _ = stream.read_exact(&mut preface).await;
        let mut sent = stream.write_all(SETTINGS).await;
        let (mut from, mut to) = stream.split();
        let mut nowhere = tokio::io::sink();
        let reading = tokio::io::copy(&mut from, &mut nowhere);
        let writing = async {
            sent = to.write_all(then).await;
            while again && sent.is_ok() {
                sent = to.write_all(then).await;
            }
            if !again {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! { _ = reading => {}, () = writing => {} }
    })
    .await
}

const SETTINGS: &[u8] = b"\0\0\0\x04\0\0\0\0\0";

/// Reason, message and hint.
fn said(outcome: &Outcome) -> String {
    let Some(fault) = &outcome.fault else { return "ok".to_owned() };
    let hint = fault.hint.as_ref().map_or(String::new(), |hint| format!("\nhint: {hint}"));
    format!("{}: {}{hint}", fault.reason, fault.message)
}

/// The statuses told, and the code.
fn told(outcome: &Outcome) -> (Vec<String>, f64) {
    let of = |name: &'static str| outcome.readings.iter().filter(move |reading| reading.metric.name == name);
    let statuses = of("probe_grpc_healthcheck_response").filter(|reading| reading.value > 0.0);
    let code = of("probe_grpc_status_code").next().unwrap().value;
    (statuses.map(|reading| reading.labels[0].clone()).collect(), code)
}

#[tokio::test]
async fn a_service_that_serves_is_asked_by_name_and_with_metadata() {
    let peer = health(SAYS_SERVING, "0", "shop.Cart").await;
    let keys = r#"{"service": "shop.Cart", "metadata": {"x-token": "t"}}"#;
    let outcome = at(&peer, keys).await;
    assert_eq!((said(&outcome).as_str(), told(&outcome)), ("ok", (vec!["SERVING".to_owned()], 0.0)));
    let by_path =
        look(&format!("grpc://localhost:{}/shop.Cart", peer.port()), r#"{"metadata": {"x-token": "t"}}"#).await;
    assert_eq!(said(&by_path), "ok");
    let phases = outcome.readings.iter().filter(|reading| reading.metric.name == "probe_grpc_duration_seconds");
    assert_eq!(phases.map(|reading| reading.labels[0].as_str()).collect::<Vec<_>>(), ["resolve", "check"]);
}

#[tokio::test]
async fn what_a_health_service_says_is_told_apart() {
    let cases: [(&'static [u8], &'static str, &str); 8] = [
        (
            b"\0\0\0\0\x02\x08\x02",
            "0",
            "status: the server says NOT_SERVING\nhint: it is up and calls itself not ready; its own log says why",
        ),
        (
            b"\0\0\0\0\0",
            "0",
            "status: the server says UNKNOWN\nhint: it is up and calls itself not ready; its own log says why",
        ),
        (b"\0\0\0\0\x02\x08\x63", "0", "body: the server says the unknown status 99"),
        (b"\0\0\0\0\x02\x08", "0", "body: the answer's length is not the one that it says"),
        (
            b"",
            "12",
            "status: answered gRPC status UNIMPLEMENTED (12): `no such thing`\nhint: the server speaks gRPC and has no health service; register `grpc.health.v1.Health` in it",
        ),
        (
            b"",
            "5",
            "config: the server tells no health of itself as a whole: it says NOT_FOUND\nhint: name one of its services by `service`",
        ),
        (
            b"",
            "16",
            "auth: answered gRPC status UNAUTHENTICATED (16): `no such thing`\nhint: it wants credentials: put them into `metadata`",
        ),
        (
            b"",
            "8",
            "saturated: answered gRPC status RESOURCE_EXHAUSTED (8): `no such thing`\nhint: it is out of quota, memory or connections",
        ),
    ];
    for (body, code, expected) in cases {
        let outcome = at(&health(body, code, "").await, "{}").await;
        assert_eq!(said(&outcome), expected);
        assert_eq!(told(&outcome).1, code.parse::<f64>().unwrap());
    }
}

#[tokio::test]
async fn over_tls_http2_is_agreed_on_and_a_server_without_it_is_named() {
    let pair = test_peers::certificate(|_| ());
    let ca = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(ca.path(), &pair.pem).unwrap();
    let keys = format!(r#"{{"tls_config": {{"ca_file": "{}"}}}}"#, ca.path().display());
    let mut config = test_peers::server_config(&pair);
    config.alpn_protocols = vec![b"h2".to_vec()];
    let peer = test_peers::serve_tls(config, |session| serve_http2(session, SAYS_SERVING, "0", "")).await;
    let outcome = look(&format!("grpcs://localhost:{}", peer.port()), &keys).await;
    assert_eq!(said(&outcome), "ok");
    assert!(outcome.readings.iter().any(|reading| reading.metric.name == "probe_grpc_ssl" && reading.value > 0.0));

    let mut old = test_peers::server_config(&pair);
    old.alpn_protocols = vec![b"http/1.1".to_vec()];
    let old = test_peers::serve_tls(old, |_| async {}).await;
    insta::assert_snapshot!(said(&look(&format!("grpcs://localhost:{}", old.port()), &keys).await), @r"
    protocol_mismatch: it speaks TLS and offers no HTTP/2 in it, which gRPC needs
    hint: is the port right? does the proxy before it speak HTTP/1.1 only?
    ");
}

#[tokio::test]
async fn what_else_answers_is_named() {
    let http = test_peers::answers(|_| Some(b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n")).await;
    let told = said(&at(&http, "{}").await).replace(&http.address.to_string(), "ADDRESS");
    insta::assert_snapshot!(told, @r"
    protocol_mismatch: ADDRESS speaks http nginx, the URL says grpc
    hint: is the port right? if it is, write the URL as `http://…`
    ");
    let tls = test_peers::tls(test_peers::certificate(|_| ())).await;
    let told = said(&at(&tls, "{}").await).replace(&tls.address.to_string(), "ADDRESS");
    insta::assert_snapshot!(told, @r"
    protocol_mismatch: ADDRESS speaks tls, the URL says grpc
    hint: write the URL as `grpcs://…`
    ");
}

#[tokio::test]
async fn frames_without_end_are_cut_off_before_the_deadline() {
    let floods: [(&str, &'static [u8]); 4] = [
        ("settings", SETTINGS),
        ("pings", b"\0\0\x08\x06\0\0\0\0\0abcdefgh"),
        ("window updates", b"\0\0\x04\x08\0\0\0\0\0\0\0\0\x01"),
        ("unknown frames", b"\0\0\x04\x7f\0\0\0\0\0abcd"),
    ];
    for (name, frames) in floods {
        let outcome = at(&http2(frames, true).await, "{}").await;
        let fault = outcome.fault.as_ref().unwrap_or_else(|| panic!("{name}"));
        assert_eq!(fault.reason, Reason::Body, "{name}: {fault:?}");
        assert!(outcome.took < TIMEOUT, "{name}: {:?}", outcome.took);
    }
}

#[tokio::test]
async fn a_connection_that_is_given_up_says_so_at_once() {
    let cases: [(&str, &'static [u8]); 4] = [
        ("goaway", b"\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\x0b"),
        ("reset", b"\0\0\x04\x03\0\0\0\0\x01\0\0\0\x07"),
        ("headers that cannot be unpacked", b"\0\0\x04\x01\x04\0\0\0\x01\xff\xff\xff\xff"),
        ("data before headers", b"\0\0\x04\0\0\0\0\0\x01abcd"),
    ];
    for (name, frames) in cases {
        let outcome = at(&http2(frames, false).await, "{}").await;
        let fault = outcome.fault.as_ref().unwrap_or_else(|| panic!("{name}"));
        println!("{name}: {}", said(&outcome));
        assert!(matches!(fault.reason, Reason::ProtocolMismatch | Reason::Saturated), "{name}: {fault:?}");
        assert!(fault.message.starts_with("the HTTP/2 connection broke off"), "{name}: {fault:?}");
    }
}

#[test]
fn what_makes_no_sense_is_said_when_the_configuration_is_loaded() {
    assert_eq!(
        problems("grpc://h:1/shop.Cart", r#"{"service": "shop.Till"}"#),
        "service: the path of the URL names another service"
    );
    assert_eq!(problems("grpc://h:1/shop.Cart", r#"{"service": "shop.Cart"}"#), "");
    insta::assert_snapshot!(problems("grpc://h", r#"{"metadata": {"grpc-x": "a"}}"#), @r"
    metadata: `grpc-x` cannot be sent as metadata: its name is reserved, or it has a character that none may have
    url: a `grpc` URL needs a port
    ");
}
