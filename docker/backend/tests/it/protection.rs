//! Caps, deadlines and clients that behave badly. Where a deadline is due, the test pauses tokio's clock, which then jumps to
//! the next timer as soon as nothing else can happen.

use std::time::Duration;

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{PATIENCE, Reply, Server, exchange};

#[tokio::test]
async fn refusals_are_json_with_a_stable_code() {
    let server = Server::start(&[]).await;
    let (client, member) = (server.client(), server.member().await);
    assert_eq!(client.get("/nowhere").await.refusal(), (404, "not_found".to_owned()));
    let wrong_method = member.send("PATCH", "/api/v1/assets", b"").await;
    assert_eq!(wrong_method.refusal(), (405, "method_not_allowed".to_owned()));
    let allowed = wrong_method.header("allow");
    assert!(allowed.contains("GET") && allowed.contains("POST"), "{allowed}");
    let json = member.with("content-type", "application/json");
    assert_eq!(json.send("POST", "/api/v1/assets", b"{").await.refusal(), (400, "malformed_body".to_owned()));
    assert_eq!(
        member.send("POST", "/api/v1/assets", b"{}").await.refusal(),
        (415, "unsupported_media_type".to_owned())
    );
    assert_eq!(
        member.with("if-match", "3").delete("/api/v1/assets/x").await.refusal(),
        (400, "bad_request".to_owned())
    );
}

#[tokio::test]
async fn a_body_over_the_cap_is_refused() {
    let server = Server::start(&[]).await;
    let member = server.member().await;
    let body = json!({ "name": "x".repeat(backend::limits::MAX_BODY_BYTES) });
    assert_eq!(member.post("/api/v1/assets", &body).await.refusal(), (413, "too_large".to_owned()));
}

#[tokio::test]
async fn a_head_that_is_too_large_or_has_too_many_lines_is_refused() {
    let server = Server::start(&[]).await;
    let large = server.client().with("x-large", &"x".repeat(backend::limits::MAX_HEAD_BYTES)).get("/").await;
    assert_eq!(large.status, 431);
    let many = (0..100).fold(server.client(), |client, index| client.with(&format!("x-{index}"), "1"));
    assert_eq!(many.get("/").await.status, 431);
}

#[tokio::test]
async fn a_client_that_never_ends_its_head_is_dropped() {
    let server = Server::start(&[]).await;
    let mut stream = TcpStream::connect(server.service.address()).await.expect("connects");
    stream.write_all(b"GET / HTTP/1.1\r\nhost: slow\r\n").await.expect("sends");
    tokio::time::pause();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("the server closes");
    assert!(!answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
}

#[tokio::test]
async fn a_client_that_never_ends_its_body_gets_a_timeout() {
    let server = Server::start(&[]).await;
    let mut stream = TcpStream::connect(server.service.address()).await.expect("connects");
    let head = "POST /api/v1/auth/login HTTP/1.1\r\nhost: slow\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{";
    stream.write_all(head.as_bytes()).await.expect("sends");
    tokio::time::pause();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("the server closes");
    assert_eq!(Reply::parse(&answer).refusal(), (504, "timeout".to_owned()));
}

#[tokio::test]
async fn a_client_that_vanishes_mid_body_harms_nobody() {
    let server = Server::start(&[]).await;
    for _ in 0..20 {
        let mut stream = TcpStream::connect(server.service.address()).await.expect("connects");
        let head = "POST /api/v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{";
        stream.write_all(head.as_bytes()).await.expect("sends");
        stream.set_zero_linger().expect("a reset instead of a close");
    }
    assert_eq!(server.client().get("/health").await.status, 200);
}

#[tokio::test]
async fn noise_instead_of_http_is_answered_400() {
    let server = Server::start(&[]).await;
    assert_eq!(exchange(server.service.address(), b"\x16\x03\x01\x02\x00\x01\r\n\r\n").await.status, 400);
}

#[tokio::test]
async fn a_connection_serves_many_requests() {
    let server = Server::start(&[]).await;
    let one = b"GET /static/style.css HTTP/1.1\r\nhost: x\r\n\r\n";
    let last = b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let mut stream = TcpStream::connect(server.service.address()).await.expect("connects");
    stream.write_all(&[&one[..], &one[..], &last[..]].concat()).await.expect("sends");
    let mut answers = Vec::new();
    stream.read_to_end(&mut answers).await.expect("reads");
    assert_eq!(String::from_utf8_lossy(&answers).matches("HTTP/1.1 200 OK").count(), 3);
}

#[tokio::test]
async fn stopping_does_not_wait_for_clients_that_ask_nothing() {
    let server = Server::start(&[]).await;
    let address = server.service.address();
    let silent = TcpStream::connect(address).await.expect("connects");
    let mut idle = TcpStream::connect(address).await.expect("connects");
    idle.write_all(b"GET /static/style.css HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sends");
    idle.read_u8().await.expect("an answer begins");
    let drained = tokio::time::timeout(PATIENCE, server.service.stop(Duration::from_secs(30))).await;
    assert_eq!(drained, Ok(true));
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
    drop((silent, idle));
}
