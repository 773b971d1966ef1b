//! Dialogues with polite and rude peers.

use crate::probes::net::test_peers::{self, Peer};
use crate::probes::tests::{Cases, look, problems};
use crate::probes::{Outcome, Reason};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio_rustls::TlsAcceptor;

/// The six cases that every kind has.
pub(in crate::probes) static CASES: Cases = Cases {
    ok: Some(|| Box::pin(async { at(&test_peers::silent().await, "{}").await })),
    refused: || Box::pin(async { look(&format!("tcp://127.0.0.1:{}", test_peers::closed_port().await), "{}").await }),
    timeout: || Box::pin(async { at(&test_peers::silent().await, SSH).await }),
    wrong_answer: || Box::pin(async { at(&test_peers::answers(|_| None).await, SSH).await }),
    oversize: || Box::pin(async { at(&test_peers::floods(b"SSH", b"xxxxxxxx").await, SSH).await }),
    slow_drip: || Box::pin(async { at(&test_peers::drips(b"", Duration::from_millis(50)).await, SSH).await }),
};

const SSH: &str = r#"{"query_response": [{"send": "hello"}, {"expect": "^SSH-2.0-([^ ]+)"}]}"#;

async fn at(peer: &Peer, keys: &str) -> Outcome {
    look(&format!("tcp://localhost:{}", peer.port()), keys).await
}

fn value(outcome: &Outcome, name: &str) -> Option<f64> {
    outcome.readings.iter().find(|reading| reading.metric.name == name).map(|reading| reading.value)
}

#[tokio::test]
async fn takes_labels_from_the_line_that_matches() {
    let keys = r#"{"query_response": [
        {"expect": "^SSH-2.0-([^_ ]+)_?([^ ]*)", "labels": [{"name": "software", "value": "${1}"}, {"name": "version", "value": "${2}"}]}
    ]}"#;
    let outcome = at(&test_peers::says(b"welcome\r\nSSH-2.0-OpenSSH_9.2p1 Debian\r\n").await, keys).await;
    assert_eq!(outcome.fault, None);
    let labels: Vec<_> =
        outcome.readings.iter().filter(|reading| reading.metric.name == "sidecar_expect_info").collect();
    assert_eq!(
        labels.iter().map(|reading| reading.labels.join("=")).collect::<Vec<_>>(),
        ["software=OpenSSH", "version=9.2p1"]
    );
}

#[tokio::test]
async fn says_which_pattern_was_missed_and_what_came() {
    let outcome = at(&test_peers::answers(|_| Some(b"HTTP/1.1 400 Bad Request\r\n\r\n")).await, SSH).await;
    let fault = outcome.fault.clone().unwrap();
    assert_eq!((fault.reason, value(&outcome, "probe_failed_due_to_regex")), (Reason::Body, Some(1.0)));
    insta::assert_snapshot!(fault.message, @"no line matches `^SSH-2.0-([^ ]+)` before the peer closed the connection; it speaks http: `HTTP/1.1 400 Bad Request`");
    let keys = r#"{"query_response": [{"expect_bytes": "PONG"}]}"#;
    let outcome = at(&test_peers::says(b"PIN").await, keys).await;
    assert_eq!(value(&outcome, "probe_failed_due_to_bytes"), Some(1.0));
    assert_eq!(outcome.fault.unwrap().reason, Reason::Timeout);
}

#[tokio::test]
async fn finds_bytes_that_come_in_pieces_and_echoes_what_a_group_found() {
    let peer = test_peers::serve(|stream| async move {
        let mut stream = BufReader::new(stream);
        for piece in ["+PO", "NG\r\ntoken 1", "23\r\n"] {
            stream.write_all(piece.as_bytes()).await.unwrap();
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        let answer = if line == "give 123\n" { "ok\n" } else { "no\n" };
        stream.write_all(answer.as_bytes()).await.unwrap();
    })
    .await;
    let keys = r#"{"query_response": [{"expect_bytes": "PONG\r\n"}, {"expect": "^token (\\d+)$", "send": "give ${1}"}, {"expect": "^ok$"}]}"#;
    assert_eq!(at(&peer, keys).await.fault, None);
}

#[tokio::test]
async fn changes_to_tls_in_the_middle() {
    let acceptor = TlsAcceptor::from(std::sync::Arc::new(test_peers::server_config(&test_peers::certificate(|_| ()))));
    let peer = test_peers::serve(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let mut stream = BufReader::new(stream);
            stream.write_all(b"220 mail ESMTP\r\n").await.unwrap();
            let mut line = String::new();
            stream.read_line(&mut line).await.unwrap();
            stream.write_all(b"220 go ahead\r\n").await.unwrap();
            let mut session = acceptor.accept(stream.into_inner()).await.unwrap();
            session.write_all(b"250 inside\r\n").await.unwrap();
            let _ = session.shutdown().await;
        }
    })
    .await;
    let keys = r#"{"tls_config": {"insecure_skip_verify": true}, "query_response": [
        {"expect": "^220 ", "send": "STARTTLS"}, {"expect": "^220 ", "starttls": true}, {"expect": "^250 inside$"}]}"#;
    let outcome = at(&peer, keys).await;
    assert_eq!(outcome.fault, None);
    assert!(value(&outcome, "probe_ssl_earliest_cert_expiry").is_some());
    let phases: Vec<_> = outcome.phases.iter().map(|phase| phase.name).collect();
    assert_eq!(phases, ["resolve", "connect", "dialogue", "tls"]);
}

#[tokio::test]
async fn tls_from_the_start_and_a_plain_port_told_apart() {
    let keys = r#"{"tls": true, "tls_config": {"insecure_skip_verify": true}}"#;
    assert_eq!(at(&test_peers::tls(test_peers::certificate(|_| ())).await, keys).await.fault, None);
    let fault = at(&test_peers::says(b"220 mail ESMTP\r\n").await, keys).await.fault.unwrap();
    assert_eq!(fault.reason, Reason::ProtocolMismatch);
    assert!(fault.message.contains("speaks smtp mail ESMTP, the URL says tls"), "{}", fault.message);
}

#[test]
fn each_mistake_has_its_message() {
    insta::assert_snapshot!(problems("tcp://mail", "{}"), @"url: a `tcp` URL needs a port");
    insta::assert_snapshot!(problems("tcp://mail:25", r#"{"query_response": [{"expect": "("}]}"#), @"query_response: not a regular expression (found open group without closing ')'): `(`");
    insta::assert_snapshot!(problems("tcp://mail:25", r#"{"query_response": [{"labels": [{"name": "a", "value": "b"}]}]}"#), @"query_response: `labels` are taken from what `expect` matches, and there is no `expect`");
}
