//! Questions to polite and rude name servers, in this process and over loopback.

use super::message::{name_at, query};
use super::*;
use crate::probes::net::test_peers::{self, Peer};
use crate::probes::tests::{Cases, look, problems};
use crate::probes::{Outcome, Reason};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, UdpSocket};

/// The six cases that every kind has; the rude ones over TCP, those over UDP are below.
pub(in crate::probes) static CASES: Cases = Cases {
    ok: Some(|| Box::pin(async { at(serve(|query, _| vec![address(query)]).await.port, "{}").await })),
    refused: || Box::pin(async { at(free_port().await, "{}").await }),
    timeout: || Box::pin(async { over_tcp(test_peers::silent().await).await }),
    wrong_answer: || Box::pin(async { over_tcp(test_peers::says(b"SSH-2.0-OpenSSH_9.2\r\n").await).await }),
    oversize: || Box::pin(async { over_tcp(test_peers::floods(b"", &[b'x'; 8192]).await).await }),
    slow_drip: || Box::pin(async { over_tcp(test_peers::drips(b"\x10\0", Duration::from_millis(100)).await).await }),
};

async fn over_tcp(peer: Peer) -> Outcome {
    at(peer.port(), r#"{"transport_protocol": "tcp"}"#).await
}

async fn at(port: u16, keys: &str) -> Outcome {
    look(&format!("dns://127.0.0.1:{port}/shop.example?type=A"), keys).await
}

async fn free_port() -> u16 {
    UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap().port()
}

struct Served {
    port: u16,
    tasks: [tokio::task::JoinHandle<()>; 2],
}

impl Drop for Served {
    fn drop(&mut self) {
        self.tasks.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

/// A server that sends these datagrams for each question, and over TCP the first of them in its frame; told how many came before.
async fn serve(answers: impl Fn(&[u8], usize) -> Vec<Vec<u8>> + Send + Sync + 'static) -> Served {
    let (socket, listener) = loop {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        if let Ok(listener) = TcpListener::bind(socket.local_addr().unwrap()).await {
            break (socket, listener);
        }
    };
    let port = socket.local_addr().unwrap().port();
    let answers = Arc::new(answers);
    let framed = Arc::clone(&answers);
    let udp = tokio::spawn(async move {
        let mut buffer = [0; 4096];
        for before in 0.. {
            let Ok((length, from)) = socket.recv_from(&mut buffer).await else { return };
            for answer in answers(&buffer[..length], before) {
                let _ = socket.send_to(&answer, from).await;
            }
        }
    });
    let tcp = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let length = stream.read_u16().await.unwrap();
            let mut query = vec![0; length.into()];
            stream.read_exact(&mut query).await.unwrap();
            // A datagram is told apart from a stream by the number of questions before it.
            let answer = framed(&query, usize::MAX).remove(0);
            stream
                .write_all(&[&u16::try_from(answer.len()).unwrap().to_be_bytes(), answer.as_slice()].concat())
                .await
                .unwrap();
        }
    });
    Served { port, tasks: [udp, tcp] }
}

/// An answer with these flags, counts and records.
fn answer(query: &[u8], flags: u16, counts: [u16; 3], records: &[u8]) -> Vec<u8> {
    let mut message = query.to_vec();
    message[2..4].copy_from_slice(&(0x8000 | flags).to_be_bytes());
    for (at, count) in [6, 8, 10].into_iter().zip(counts) {
        message[at..at + 2].copy_from_slice(&count.to_be_bytes());
    }
    message.extend_from_slice(records);
    message
}

const ADDRESS: &[u8] = b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x01";

fn address(query: &[u8]) -> Vec<u8> {
    answer(query, 0, [1, 0, 0], ADDRESS)
}

fn value(outcome: &Outcome, metric: &Metric) -> Option<f64> {
    outcome.value(metric)
}

fn fault(outcome: &Outcome) -> String {
    outcome.fault.as_ref().map_or_else(|| "none".to_owned(), |fault| format!("{}: {}", fault.reason, fault.message))
}

#[tokio::test]
async fn counts_records_and_holds_them_against_patterns() {
    let served = serve(|query, _| vec![answer(query, 0, [2, 0, 0], &[ADDRESS, ADDRESS].concat())]).await;
    let each = |field: &str, pattern: &str| format!(r#"{{"validate_answer_rrs": {{"{field}": ["{pattern}"]}}}}"#);
    let outcome = at(served.port, "{}").await;
    assert_eq!(
        (value(&outcome, &ANSWER), value(&outcome, &SUCCEEDED), value(&outcome, &SERIAL)),
        (Some(2.0), Some(1.0), None)
    );
    assert_eq!(outcome.note("answer"), Some("shop.example. 60 IN A 192.0.2.1"));
    for (field, pattern, ok) in [
        ("fail_if_matches_regexp", "192.0.2.2", true),
        ("fail_if_matches_regexp", "192.0.2.1", false),
        ("fail_if_not_matches_regexp", r"^shop.example.\\t60\\tIN\\tA\\t192", true),
        ("fail_if_not_matches_regexp", "192.0.2.2", false),
        ("fail_if_none_matches_regexp", "192.0.2.1", true),
        ("fail_if_none_matches_regexp", "192.0.2.2", false),
        ("fail_if_all_match_regexp", "192.0.2.1", false),
        ("fail_if_all_match_regexp", "192.0.2.2", true),
    ] {
        let outcome = at(served.port, &each(field, pattern)).await;
        assert_eq!(outcome.ok(), ok, "{field} {pattern}: {outcome:?}");
        assert!(ok || outcome.fault.unwrap().reason == Reason::Body);
    }
    let empty = at(served.port, r#"{"validate_authority_rrs": {"fail_if_not_matches_regexp": ["x"]}}"#).await;
    assert_eq!(fault(&empty), "body: the authority section is empty, and a record should match `x`");
}

#[tokio::test]
async fn a_response_code_that_is_not_wanted_is_a_fault_and_an_answer() {
    let served = serve(|query, _| vec![answer(query, 3, [0; 3], b"")]).await;
    let outcome = at(served.port, "{}").await;
    assert_eq!(
        (fault(&outcome).as_str(), value(&outcome, &SUCCEEDED)),
        ("status: the server answered NXDOMAIN, not NOERROR", Some(1.0))
    );
    assert_eq!(fault(&at(served.port, r#"{"valid_rcodes": ["NOERROR", "NXDOMAIN"]}"#).await), "none");
}

#[tokio::test]
async fn tells_the_serial_number_of_a_zone() {
    let soa =
        b"\xc0\x0c\0\x06\0\x01\0\0\0\x3c\0\x18\xc0\x0c\xc0\x0c\x78\xa4\x5e\x61\0\0\0\x02\0\0\0\x03\0\0\0\x04\0\0\0\x05";
    let served = serve(|query, _| vec![answer(query, 0, [1, 0, 0], soa)]).await;
    let outcome =
        look(&format!("dns://localhost:{}/shop.example?type=SOA", served.port), r#"{"preferred_ip_protocol": "ip4"}"#)
            .await;
    assert_eq!((fault(&outcome).as_str(), value(&outcome, &SERIAL)), ("none", Some(f64::from(0x78a4_5e61_u32))));
}

#[tokio::test]
async fn a_lost_datagram_is_sent_again() {
    let served = serve(|query, before| if before == 0 { Vec::new() } else { vec![address(query)] }).await;
    let outcome = at(served.port, "{}").await;
    assert_eq!((fault(&outcome).as_str(), outcome.note("sent")), ("none", Some("2 times, until an answer came")));
}

#[tokio::test]
async fn an_answer_that_is_cut_off_is_fetched_over_tcp() {
    let served = serve(|query, before| {
        let whole = before == usize::MAX;
        vec![if whole {
            answer(query, 0, [2, 0, 0], &[ADDRESS, ADDRESS].concat())
        } else {
            answer(query, 0x0200, [0; 3], b"")
        }]
    })
    .await;
    let outcome = at(served.port, "{}").await;
    assert_eq!((fault(&outcome).as_str(), value(&outcome, &ANSWER)), ("none", Some(2.0)));
}

#[tokio::test]
async fn answers_with_another_id_or_name_are_passed_over() {
    let forged = |query: &[u8]| {
        let mut wrong_id = address(query);
        wrong_id[0] ^= 1;
        let mut wrong_name = address(query);
        wrong_name[13] = b'x';
        vec![wrong_id, wrong_name, query.to_vec(), vec![0; 3]]
    };
    let served = serve(move |query, _| [forged(query), vec![address(query)]].concat()).await;
    assert_eq!(fault(&at(served.port, "{}").await), "none");
    let served = serve(move |query, _| forged(query)).await;
    let outcome = at(served.port, "{}").await;
    assert_eq!(outcome.fault.as_ref().unwrap().reason, Reason::ProtocolMismatch, "{outcome:?}");
    let served = serve(move |query, _| (0..200).flat_map(|_| forged(query)).collect()).await;
    let outcome = at(served.port, "{}").await;
    assert!(fault(&outcome).starts_with("protocol_mismatch: 100 datagrams from 127.0.0.1:"), "{outcome:?}");
}

#[tokio::test]
async fn an_answer_from_another_address_does_not_count() {
    let served = serve(|_, _| Vec::new()).await;
    // The kernel keeps it from a connected socket: this one never hears the stranger.
    let stranger = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    socket.connect((Ipv4Addr::LOCALHOST, served.port)).await.unwrap();
    let to: SocketAddr = socket.local_addr().unwrap();
    let _ = stranger.send_to(b"guess", to).await;
    let heard = tokio::time::timeout(Duration::from_millis(50), socket.recv(&mut [0; 16])).await;
    assert!(heard.is_err());
    assert_eq!(at(served.port, "{}").await.fault.unwrap().reason, Reason::Timeout);
}

#[tokio::test]
async fn lies_and_loops_are_no_dns_message() {
    let loops = b"\xc0\x1e\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x01";
    for (counts, records) in [([9, 0, 0], ADDRESS), ([0, 0xffff, 0xffff], b"".as_slice()), ([1, 0, 0], b"\xc0")] {
        let served = serve(move |query, _| vec![answer(query, 0, counts, records)]).await;
        let outcome = at(served.port, "{}").await;
        assert_eq!(
            fault(&outcome),
            "protocol_mismatch: the answer is no DNS message: it ends before what it announces"
        );
        assert_eq!(value(&outcome, &SUCCEEDED), Some(0.0));
    }
    let served = serve(move |query, _| vec![answer(query, 0, [1, 0, 0], loops)]).await;
    let outcome = at(served.port, r#"{"validate_answer_rrs": {"fail_if_matches_regexp": ["x"]}}"#).await;
    assert_eq!(
        fault(&outcome),
        "protocol_mismatch: the answer is no DNS message: a compressed name does not point backwards"
    );
}

#[tokio::test]
async fn sixty_four_kilobytes_of_records_are_counted_and_not_judged() {
    let served = serve(|query, before| {
        let whole = before == usize::MAX;
        let many = 4000;
        vec![if whole {
            answer(query, 0, [many, 0, 0], &ADDRESS.repeat(many.into()))
        } else {
            answer(query, 0x0200, [0; 3], b"")
        }]
    })
    .await;
    assert_eq!(value(&at(served.port, "{}").await, &ANSWER), Some(4000.0));
    let outcome = at(served.port, r#"{"validate_answer_rrs": {"fail_if_matches_regexp": ["x"]}}"#).await;
    assert_eq!(fault(&outcome), "body: 4000 records in the answer section, at most 1000 are looked at");
}

#[tokio::test]
async fn asks_over_tls() {
    let config = test_peers::server_config(&test_peers::certificate(|_| ()));
    let peer = test_peers::serve_tls(config, |mut session| async move {
        let mut query = vec![0; session.read_u16().await.unwrap().into()];
        session.read_exact(&mut query).await.unwrap();
        let answer = address(&query);
        session.write_u16(u16::try_from(answer.len()).unwrap()).await.unwrap();
        session.write_all(&answer).await.unwrap();
        let _ = session.shutdown().await;
    })
    .await;
    let outcome = at(peer.port(), r#"{"dns_over_tls": true, "tls_config": {"insecure_skip_verify": true}}"#).await;
    assert_eq!(fault(&outcome), "none");
    assert!(outcome.readings.iter().any(|reading| reading.metric == &net::EARLIEST_EXPIRY));
    let phases =
        outcome.readings.iter().filter(|reading| reading.metric == &DURATION).map(|reading| reading.labels[0].clone());
    assert_eq!(phases.collect::<Vec<_>>(), PHASES);
}

#[tokio::test]
async fn a_connection_that_ends_in_mid_answer_is_told() {
    let peer = test_peers::serve(|mut stream| async move {
        let mut query = vec![0; stream.read_u16().await.unwrap().into()];
        stream.read_exact(&mut query).await.unwrap();
        stream.write_all(&[b"\x01\0", address(&query).as_slice()].concat()).await.unwrap();
    })
    .await;
    let outcome = over_tcp(peer).await;
    assert!(fault(&outcome).starts_with("protocol_mismatch: "), "{outcome:?}");
    assert!(fault(&outcome).contains("closed the connection after 46 of 256 bytes"), "{outcome:?}");
    let outcome = over_tcp(test_peers::answers(|_| Some(b"\0\x20abc")).await).await;
    assert!(fault(&outcome).contains(": the peer "), "{outcome:?}");
}

#[test]
fn each_mistake_has_its_message() {
    insta::assert_snapshot!(problems("dns://ns", "{}"), @"url: no name to ask about");
    insta::assert_snapshot!(problems("dns://ns/a..b", "{}"), @"url: no domain name: `a..b`");
    insta::assert_snapshot!(problems("dns://ns/a?type=AXFR", "{}"), @"url: no DNS type to ask for: `AXFR`");
    insta::assert_snapshot!(problems("dns://ns/a", r#"{"query_type": "TYPE252"}"#), @"query_type: no DNS type to ask for: `TYPE252`");
    insta::assert_snapshot!(problems("dns://ns/a", r#"{"query_class": "XX", "valid_rcodes": ["OK"]}"#), @r"
    query_class: no DNS class: `XX`
    valid_rcodes: no response code of DNS: `OK`
    ");
    insta::assert_snapshot!(problems("dns://ns/a", r#"{"dns_over_tls": true, "transport_protocol": "udp"}"#), @"transport_protocol: `dns_over_tls` works over `tcp` only");
    insta::assert_snapshot!(problems("dns://ns/a", r#"{"validate_answer_rrs": {"fail_if_matches_regexp": ["("]}}"#), @"validate_answer_rrs: not a regular expression (found open group without closing ')'): `(`");
    assert_eq!(problems("dns:///a?type=mx", r#"{"query_name": "b.example."}"#), "");
}

#[test]
fn a_question_has_one_form() {
    let question = Question { name: wire_name("a.b").unwrap(), kind: 28, class: 1 };
    let message = query(0x0102, true, &question);
    assert_eq!(message, b"\x01\x02\x01\0\0\x01\0\0\0\0\0\0\x01a\x01b\0\0\x1c\0\x01");
    assert_eq!(name_at(&message, 12).unwrap(), (question.name, 17));
}

#[test]
fn pointers_that_lead_to_pointers_have_an_end() {
    // The root's name, and behind it pointers that each lead to the one before.
    let mut message = vec![0; 13];
    let mut to = 12_u16;
    for _ in 0..128 {
        let here = u16::try_from(message.len()).unwrap();
        message.extend_from_slice(&(0xc000 | to).to_be_bytes());
        to = here;
    }
    let of = |pointers: usize| name_at(&message, 13 + 2 * (pointers - 1)).map(|(name, _)| name);
    assert_eq!(of(127), Ok(vec![0]));
    assert_eq!(of(128), Err(message::Malformed::Loop));
}
