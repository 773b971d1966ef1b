//! The WebSocket check against polite and rude servers.

use super::proof;
use crate::probes::net::test_peers::{self, Peer};
use crate::probes::tests::{Cases, TIMEOUT, look, problems};
use crate::probes::{Outcome, Reason};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The six cases that every kind has.
pub(in crate::probes) static CASES: Cases = Cases {
    ok: Some(|| Box::pin(async { at(&echo("").await, "{}").await })),
    refused: || Box::pin(async { look(&format!("ws://127.0.0.1:{}/", test_peers::closed_port().await), "{}").await }),
    timeout: || Box::pin(async { at(&falls_silent().await, "{}").await }),
    wrong_answer: || Box::pin(async { at(&says(b"\xc1\x00").await, "{}").await }),
    oversize: || Box::pin(async { at(&floods(b"\x82\x7f\0\0\0\0\0\x0f\xff\xff").await, "{}").await }),
    slow_drip: || Box::pin(async { at(&drips().await, "{}").await }),
};

async fn at(peer: &Peer, keys: &str) -> Outcome {
    look(&format!("ws://localhost:{}/live?room=1", peer.port()), keys).await
}

/// Reads a handshake and agrees to it; what was asked.
pub(in crate::probes) async fn agree(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), headers: &str) -> String {
    let mut asked = Vec::new();
    while !asked.ends_with(b"\r\n\r\n") {
        asked.push(stream.read_u8().await.unwrap_or(b'\n'));
    }
    let asked = String::from_utf8(asked).unwrap();
    let key = asked.lines().find_map(|line| line.strip_prefix("sec-websocket-key: ")).unwrap_or_default();
    let agreed = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n{headers}\r\n",
        proof(key)
    );
    stream.write_all(agreed.as_bytes()).await.unwrap();
    asked
}

/// Reads one frame of a client: opcode and payload, unmasked.
async fn heard(stream: &mut (impl AsyncRead + Unpin)) -> Option<(u8, Vec<u8>)> {
    let mut head = [0; 6];
    stream.read_exact(&mut head).await.ok()?;
    let mut payload = vec![0; usize::from(head[1] & 0x7f)];
    stream.read_exact(&mut payload).await.ok()?;
    let clear = payload.iter().zip(head[2..].iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
    Some((head[0] & 0x0f, clear))
}

async fn answer(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    while let Some((opcode, payload)) = heard(stream).await {
        if opcode == 10 {
            assert_eq!(payload, b"hi", "the pong to our own ping");
            continue;
        }
        let opcode = if opcode == 9 { 10 } else { opcode };
        let frame = [&[0x80 | opcode, u8::try_from(payload.len()).unwrap()], payload.as_slice()].concat();
        if stream.write_all(&frame).await.is_err() {
            break;
        }
    }
}

/// Greets, then repeats every message and answers pings and goodbyes.
async fn echo(headers: &'static str) -> Peer {
    test_peers::serve(move |mut stream| async move {
        agree(&mut stream, headers).await;
        let _ = stream.write_all(b"\x89\x02hi\x81\x07welcome").await;
        answer(&mut stream).await;
    })
    .await
}

async fn falls_silent() -> Peer {
    test_peers::serve(|mut stream| async move {
        agree(&mut stream, "").await;
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    })
    .await
}

/// Agrees, says something and listens.
async fn says(words: &'static [u8]) -> Peer {
    test_peers::serve(move |mut stream| async move {
        agree(&mut stream, "").await;
        let _ = stream.write_all(words).await;
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    })
    .await
}

async fn floods(words: &'static [u8]) -> Peer {
    test_peers::serve(move |mut stream| async move {
        agree(&mut stream, "").await;
        let mut sent = Ok(());
        while sent.is_ok() {
            sent = stream.write_all(&[words, &[0; 0x000f_ffff]].concat()).await;
        }
    })
    .await
}

async fn drips() -> Peer {
    test_peers::serve(|mut stream| async move {
        agree(&mut stream, "").await;
        let mut sent = stream.write_all(b"\x82\x7e\x10\x00").await;
        while sent.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
            sent = stream.write_all(b"x").await;
        }
    })
    .await
}

/// Reason, message and hint.
fn said(outcome: &Outcome) -> String {
    let Some(fault) = &outcome.fault else { return "ok".to_owned() };
    let hint = fault.hint.as_ref().map_or(String::new(), |hint| format!("\nhint: {hint}"));
    format!("{}: {}{hint}", fault.reason, fault.message)
}

fn value(outcome: &Outcome, name: &str) -> Option<f64> {
    outcome.readings.iter().find(|reading| reading.metric.name == name).map(|reading| reading.value)
}

#[test]
fn the_proof_is_that_of_the_rfc() {
    assert_eq!(proof("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

#[tokio::test]
async fn a_dialogue_takes_messages_and_sends_what_it_found() {
    let keys = r#"{"query_response": [
        {"expect": "^(wel)come$", "labels": [{"name": "greeting", "value": "${1}"}], "send": "hello ${1}"},
        {"expect": "^hello wel$"}]}"#;
    let outcome = at(&echo("").await, keys).await;
    assert_eq!(said(&outcome), "ok");
    assert_eq!(value(&outcome, "probe_websocket_status_code"), Some(101.0));
    assert_eq!(value(&outcome, "probe_websocket_connection_upgraded"), Some(1.0));
    assert_eq!(value(&outcome, "probe_websocket_failed_due_to_regex"), Some(0.0));
    let label = outcome.readings.iter().find(|reading| reading.metric.name == "sidecar_expect_info").unwrap();
    assert_eq!(label.labels, ["greeting", "wel"]);
    let phases = outcome.readings.iter().filter(|reading| reading.metric.name == "probe_websocket_duration_seconds");
    assert_eq!(
        phases.map(|reading| reading.labels[0].as_str()).collect::<Vec<_>>(),
        ["resolve", "connect", "processing", "transfer"]
    );
}

#[tokio::test]
async fn another_message_than_expected_fails_at_once() {
    let outcome = at(&echo("").await, r#"{"query_response": [{"expect": "^ready"}]}"#).await;
    insta::assert_snapshot!(said(&outcome), @"body: the message does not match `^ready`, it is `welcome`");
    assert_eq!(value(&outcome, "probe_websocket_failed_due_to_regex"), Some(1.0));
}

#[tokio::test]
async fn one_that_agrees_and_falls_silent_is_late() {
    let peer = falls_silent().await;
    let silent = at(&peer, "{}").await;
    insta::assert_snapshot!(said(&silent), @r"
    timeout: no answer within 700 ms in phase `ping`
    hint: it became a WebSocket and answers no ping; is what stands behind the proxy alive?
    ");
    assert_eq!(value(&silent, "probe_websocket_connection_upgraded"), Some(1.0));
    let other = at(&says(b"\x8a\x08notours!").await, "{}").await;
    assert_eq!(other.fault.as_ref().unwrap().reason, Reason::Timeout, "a pong to another ping");
    let waiting = at(&peer, r#"{"query_response": [{"expect": "x"}]}"#).await;
    assert_eq!(waiting.fault.as_ref().unwrap().reason, Reason::Timeout);
    assert_eq!(value(&waiting, "probe_websocket_failed_due_to_regex"), Some(1.0));
    assert_eq!(said(&at(&peer, r#"{"ping": false}"#).await), "ok");
}

#[tokio::test]
async fn what_breaks_the_rules_of_frames_is_refused_at_once() {
    let cases: [(&'static [u8], &str); 5] = [
        (b"\x82\x7f\x80\0\0\0\0\0\0\0", "body: a frame's length has its highest bit set"),
        (
            b"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff",
            "body: a frame claims 9223372036854775807 bytes, more than a check reads",
        ),
        (b"\x81\x02\xff\xfe", "body: a text is not valid UTF-8"),
        (
            b"\x88\x07\x03\xf0leave",
            "auth: the server said goodbye with code 1008: `leave`\nhint: it refuses this client; does it want a token, or another `Origin`?",
        ),
        (b"\x88\x02\x03\xf5", "saturated: the server said goodbye with code 1013\nhint: it asks to try again later"),
    ];
    for (words, expected) in cases {
        let outcome = at(&says(words).await, "{}").await;
        assert_eq!(said(&outcome), expected);
        assert!(outcome.took < TIMEOUT / 2, "{outcome:?}");
    }
}

#[tokio::test]
async fn a_reset_after_the_upgrade_is_no_mismatch_of_protocols() {
    let peer = test_peers::serve(|mut stream: TcpStream| async move {
        agree(&mut stream, "").await;
        let _ = stream.read_u8().await;
        // Unread bytes make the kernel reset the connection.
    })
    .await;
    assert_eq!(at(&peer, "{}").await.fault.unwrap().reason, Reason::Body);
}

#[tokio::test]
async fn an_answer_that_is_no_agreement_says_why() {
    let refuse =
        |head: &'static [u8]| async move { said(&at(&test_peers::answers(move |_| Some(head)).await, "{}").await) };
    insta::assert_snapshot!(refuse(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\norigin").await, @r"
    auth: answered status 403 and not 101: `origin`
    hint: does it check `Origin`? set that of its web page under `headers`
    ");
    insta::assert_snapshot!(refuse(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await, @r"
    status: answered status 200 and not 101
    hint: it answers with a page; is it the path of the WebSocket?
    ");
    insta::assert_snapshot!(refuse(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n").await, @r"
    header: `Sec-WebSocket-Accept` is missing or proves another handshake
    hint: does a cache or a proxy answer in the server's stead?
    ");
    insta::assert_snapshot!(refuse(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n").await, @"header: the server changes to another protocol than WebSocket");
}

#[tokio::test]
async fn a_subprotocol_is_agreed_on() {
    let keys = r#"{"subprotocols": ["graphql-transport-ws", "graphql-ws"]}"#;
    let outcome = at(&echo("Sec-WebSocket-Protocol: graphql-ws\r\n").await, keys).await;
    assert_eq!((said(&outcome).as_str(), outcome.note("subprotocol")), ("ok", Some("graphql-ws")));
    insta::assert_snapshot!(said(&at(&echo("").await, keys).await), @"header: the server chose none of the subprotocols offered: `graphql-transport-ws, graphql-ws`");
    insta::assert_snapshot!(said(&at(&echo("Sec-WebSocket-Protocol: x\r\n").await, keys).await), @"header: the server chose the subprotocol `x`, offered were `graphql-transport-ws, graphql-ws`");
}

#[tokio::test]
async fn over_tls_with_credentials_and_headers() {
    let pair = test_peers::certificate(|_| ());
    let ca = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(ca.path(), &pair.pem).unwrap();
    let (sender, mut asked) = tokio::sync::mpsc::channel(1);
    let peer = test_peers::serve_tls(test_peers::server_config(&pair), move |mut session| {
        let sender = sender.clone();
        async move {
            let _ = sender.send(agree(&mut session, "").await).await;
            answer(&mut session).await;
        }
    })
    .await;
    let keys = format!(
        r#"{{"headers": {{"Origin": "https://app"}}, "tls_config": {{"ca_file": "{}"}}}}"#,
        ca.path().display()
    );
    let outcome = look(&format!("wss://me:pass@localhost:{}/live?x=1", peer.port()), &keys).await;
    assert_eq!(said(&outcome), "ok");
    let asked = asked.recv().await.unwrap();
    for part in [
        "GET /live?x=1 HTTP/1.1\r\n",
        "origin: https://app\r\n",
        "authorization: Basic bWU6cGFzcw==\r\n",
        "connection: Upgrade\r\n",
    ] {
        assert!(asked.contains(part), "{part} in {asked}");
    }
    assert!(value(&outcome, "sidecar_certificate_expires_in_seconds").is_some());
}

#[test]
fn what_makes_no_sense_is_said_when_the_configuration_is_loaded() {
    insta::assert_snapshot!(problems("ws://h/", r#"{"query_response": [{"starttls": true}], "subprotocols": ["a b"]}"#), @r"
    query_response: a WebSocket has neither `starttls` nor `expect_bytes`; write `expect`, and `wss://` for TLS
    subprotocols: not the name of a subprotocol: `a b`
    ");
}
