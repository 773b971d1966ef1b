//! Polite and rude mail servers.

use crate::probes::net::test_peers::{self, Pair, Peer};
use crate::probes::tests::{Cases, look, problems};
use crate::probes::{Outcome, Reason};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio_rustls::TlsAcceptor;

/// The six cases that every kind has.
pub(in crate::probes) static CASES: Cases = Cases {
    ok: Some(|| Box::pin(async { at(&mail(PLAIN, None).await, "{}").await })),
    refused: || Box::pin(async { look(&format!("smtp://127.0.0.1:{}", test_peers::closed_port().await), "{}").await }),
    timeout: || Box::pin(async { at(&test_peers::silent().await, "{}").await }),
    wrong_answer: || Box::pin(async { at(&test_peers::says(b"SSH-2.0-OpenSSH_9.2\r\n").await, "{}").await }),
    oversize: || Box::pin(async { at(&test_peers::floods(b"220-hello\r\n", b"220-x\r\n").await, "{}").await }),
    slow_drip: || Box::pin(async { at(&test_peers::drips(b"220 ", Duration::from_millis(50)).await, "{}").await }),
};

const PLAIN: &str = "250-mail.example\r\n250-SIZE 1000\r\n250 8BITMIME\r\n";
const WITH_TLS: &str = "250-mail.example\r\n250-starttls\r\n250 SIZE 1000\r\n";
const SKIP: &str = r#"{"tls_config": {"insecure_skip_verify": true}}"#;

async fn at(peer: &Peer, keys: &str) -> Outcome {
    look(&format!("smtp://localhost:{}", peer.port()), keys).await
}

/// Answers EHLO and QUIT until TLS is asked for; then gives back the stream.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, hello: &str) -> Option<S> {
    let mut line = String::new();
    loop {
        line.clear();
        let mut reader = BufReader::with_capacity(1, &mut stream);
        if reader.read_line(&mut line).await.unwrap_or(0) == 0 {
            return None;
        }
        let (answer, last) = match line.trim_end() {
            "EHLO localhost" => (hello, false),
            "STARTTLS" => ("220 go ahead\r\n", true),
            "QUIT" => ("221 bye\r\n", false),
            _ => ("500 what?\r\n", false),
        };
        stream.write_all(answer.as_bytes()).await.ok()?;
        if last {
            return Some(stream);
        }
    }
}

async fn mail(hello: &'static str, pair: Option<Pair>) -> Peer {
    let acceptor = pair.map(|pair| TlsAcceptor::from(Arc::new(test_peers::server_config(&pair))));
    test_peers::serve(move |mut stream| {
        let acceptor = acceptor.clone();
        async move {
            stream.write_all(b"220-mail.example ESMTP\r\n220 ready\r\n").await.unwrap();
            let Some(stream) = talk(stream, hello).await else { return };
            let Some(acceptor) = acceptor else { return };
            if let Ok(session) = acceptor.accept(stream).await {
                talk(session, PLAIN).await;
            }
        }
    })
    .await
}

fn told(outcome: &Outcome) -> String {
    outcome.fault.as_ref().map_or("ok".to_owned(), |fault| format!("{}: {}", fault.reason, fault.message))
}

#[tokio::test]
async fn changes_to_tls_where_it_is_offered_and_describes_the_certificate() {
    let outcome = at(&mail(WITH_TLS, Some(test_peers::certificate(|_| ()))).await, SKIP).await;
    assert_eq!(told(&outcome), "ok");
    assert_eq!((outcome.value(&super::OFFERED), outcome.value(&super::SIZE)), (Some(1.0), Some(1000.0)));
    assert!(outcome.value(&super::net::EARLIEST_EXPIRY).is_some());
    assert_eq!(outcome.note("capabilities"), Some("SIZE 1000, 8BITMIME"));
    let phases: Vec<_> = outcome.phases.iter().map(|phase| phase.name).collect();
    assert_eq!(phases, ["resolve", "connect", "greeting", "hello", "tls", "farewell"]);
    // A certificate that nobody vouches for is a fault, though mail would be sent all the same.
    let outcome = at(&mail(WITH_TLS, Some(test_peers::certificate(|_| ()))).await, "{}").await;
    assert_eq!(outcome.fault.unwrap().reason, Reason::Certificate);
}

#[tokio::test]
async fn a_server_without_starttls_fails_only_when_it_is_required() {
    let outcome = at(&mail(PLAIN, None).await, r#"{"starttls": "required"}"#).await;
    assert_eq!(told(&outcome), "tls: the server does not offer STARTTLS, which is required");
    assert_eq!(outcome.value(&super::OFFERED), Some(0.0));
    assert_eq!(told(&at(&mail(WITH_TLS, None).await, r#"{"starttls": "never"}"#).await), "ok");
}

#[tokio::test]
async fn a_server_that_is_full_or_unwilling_is_told_apart() {
    let full = at(&test_peers::says(b"421 too many connections\r\n").await, "{}").await;
    assert_eq!(told(&full), "saturated: the server answered `421 too many connections`, not `220`");
    let unwilling = at(&test_peers::says(b"554 no mail here\r\n").await, "{}").await;
    assert_eq!(told(&unwilling), "status: the server answered `554 no mail here`, not `220`");
}

#[tokio::test]
async fn words_sent_ahead_of_the_handshake_are_not_taken_for_words_inside() {
    let peer = test_peers::serve(|mut stream| async move {
        stream.write_all(b"220 mail\r\n").await.unwrap();
        stream.write_all(WITH_TLS.as_bytes()).await.unwrap();
        stream.write_all(b"220 go\r\n250 injected\r\n").await.unwrap();
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    })
    .await;
    assert_eq!(told(&at(&peer, SKIP).await), "body: the peer went on talking in plain text after `starttls`");
}

#[tokio::test]
async fn text_that_is_not_utf_8_is_shown_cleaned() {
    let outcome = at(&test_peers::says(b"220 \xff\x1b[31m mail\r\n").await, "{}").await;
    assert_eq!(outcome.note("server"), Some("\u{fffd} [31m mail"));
}

#[test]
fn each_mistake_has_its_message() {
    insta::assert_snapshot!(problems("smtp://mail:465", r#"{"starttls": "required"}"#), @"starttls: `tls` and `starttls: required` exclude each other");
    insta::assert_snapshot!(problems("smtp://mail", r#"{"ehlo": "a b"}"#), @"ehlo: this is no host name: letters, digits, `.` and `-`");
}
