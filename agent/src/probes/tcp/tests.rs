//! Dialogues with polite and rude peers.

use crate::probes::net::test_peers::{self, Peer};
use crate::probes::tests::{Cases, look, problems};
use crate::probes::{Outcome, Reason};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
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
    assert!(fault.message.contains("speaks smtp mail ESMTP, the URL says tcp with tls"), "{}", fault.message);
}

#[test]
fn each_mistake_has_its_message() {
    insta::assert_snapshot!(problems("tcp://mail", "{}"), @"url: a `tcp` URL needs a port");
    insta::assert_snapshot!(problems("tcp://mail:25", r#"{"query_response": [{"expect": "("}]}"#), @"query_response: not a regular expression (found open group without closing ')'): `(`");
    insta::assert_snapshot!(problems("tcp://mail:25", r#"{"query_response": [{"labels": [{"name": "a", "value": "b"}]}]}"#), @"query_response: `labels` are taken from what `expect` matches, and there is no `expect`");
}

/// A server that says each word when it has read so many bytes that end like this, then changes to TLS.
async fn talks(words: &'static [(&'static [u8], &'static [u8])]) -> Peer {
    let acceptor = TlsAcceptor::from(std::sync::Arc::new(test_peers::server_config(&test_peers::certificate(|_| ()))));
    test_peers::serve(move |mut stream| {
        let acceptor = acceptor.clone();
        async move {
            for (heard, says) in words {
                let mut came = vec![0; heard.len()];
                if stream.read_exact(&mut came).await.is_err() || came != *heard {
                    return;
                }
                stream.write_all(says).await.unwrap();
            }
            let Ok(mut session) = acceptor.accept(stream).await else { return };
            let _ = session.write_all(b"inside\r\n").await;
            let _ = session.shutdown().await;
        }
    })
    .await
}

#[tokio::test]
async fn changes_to_tls_by_the_words_of_each_protocol() {
    const LDAP: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";
    type Words = &'static [(&'static [u8], &'static [u8])];
    let protocols: [(&str, Words); 6] = [
        (
            "smtp",
            &[
                (b"", b"220-mail\r\n220 ESMTP\r\n"),
                (b"EHLO localhost\r\n", b"250-mail\r\n250 STARTTLS\r\n"),
                (b"STARTTLS\r\n", b"220 go\r\n"),
            ],
        ),
        ("imap", &[(b"", b"* OK ready\r\n"), (b"a STARTTLS\r\n", b"* CAPABILITY IMAP4rev1\r\na OK begin\r\n")]),
        ("pop3", &[(b"", b"+OK ready\r\n"), (b"STLS\r\n", b"+OK begin\r\n")]),
        ("ftp", &[(b"", b"220 ready\r\n"), (b"AUTH TLS\r\n", b"234 begin\r\n")]),
        ("ldap", &[(LDAP, b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00")]),
        ("postgres", &[(b"\0\0\0\x08\x04\xd2\x16\x2f", b"S")]),
    ];
    for (protocol, words) in protocols {
        let peer = talks(words).await;
        let keys = format!(
            r#"{{"starttls": "{protocol}", "tls_config": {{"insecure_skip_verify": true}}, "query_response": [{{"expect": "^inside$"}}]}}"#
        );
        let outcome = at(&peer, &keys).await;
        assert_eq!(outcome.fault, None, "{protocol}");
        assert!(value(&outcome, "probe_ssl_earliest_cert_expiry").is_some(), "{protocol}");
        // A server of another protocol, and one that says nothing.
        let other = at(&test_peers::says(b"SSH-2.0-OpenSSH_9.2\r\n").await, &keys).await;
        assert_eq!(other.fault.unwrap().reason, Reason::ProtocolMismatch, "{protocol}");
        assert_eq!(at(&test_peers::silent().await, &keys).await.fault.unwrap().reason, Reason::Timeout, "{protocol}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_change_to_tls_is_told() {
    for (protocol, words, message) in [
        ("postgres", b"N".as_slice(), "the server does not offer TLS"),
        (
            "ldap",
            b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x34\x04\x00\x04\x00",
            "the server does not change to TLS: result code 52",
        ),
        ("pop3", b"+OK ready\r\n-ERR no\r\n", "the server answered `-ERR no`, not `+OK`"),
        ("smtp", b"220 mail\r\n250 mail\r\n", "the server does not offer STARTTLS"),
        ("ftp", b"220 ready\r\n502 no\r\n", "the server answered `502 no`, not `234`"),
    ] {
        let fault =
            at(&test_peers::says(words).await, &format!(r#"{{"starttls": "{protocol}"}}"#)).await.fault.unwrap();
        assert_eq!(fault.message, message, "{protocol}");
    }
}

#[tokio::test]
async fn comes_from_the_address_that_is_written() {
    let peer = test_peers::serve(|mut stream| async move {
        let from = stream.peer_addr().unwrap().ip().to_string();
        let _ = stream.write_all(format!("{from}\n").as_bytes()).await;
    })
    .await;
    let keys = r#"{"source_ip_address": "127.0.0.7", "query_response": [{"expect": "^127.0.0.7$"}]}"#;
    assert_eq!(at(&peer, keys).await.fault, None);
    let fault =
        look(&format!("tcp://127.0.0.1:{}", peer.port()), r#"{"source_ip_address": "::1"}"#).await.fault.unwrap();
    insta::assert_snapshot!(fault.message, @"`127.0.0.1` has no IPv6 address, as `source_ip_address` needs");
    assert_eq!(
        problems("tcp://a:1", r#"{"tls": true, "starttls": "smtp"}"#),
        "starttls: `tls` and `starttls` exclude each other"
    );
}

#[tokio::test]
async fn lines_without_end_that_are_passed_over_are_no_dialogue() {
    let line = format!("220-{}\r\n", "mail ".repeat(40));
    let outcome = at(&test_peers::floods(b"", line.leak().as_bytes()).await, SSH).await;
    let fault = outcome.fault.unwrap();
    assert_eq!(fault.reason, Reason::Body);
    assert!(fault.message.contains(" in the first 1.0 MiB; it "), "{}", fault.message);
}
