//! The probe against scripted servers: what each answer of a server, of a stranger and of a rude peer comes to.

use super::*;
use crate::probes::net::Net;
use crate::probes::net::test_peers::{self, Peer};
use crate::probes::{Outcome, run};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

const INFO: &str = "# Server\r\nredis_version:7.0.15\r\nuptime_in_seconds:60\r\nconnected_clients:3\r\nmaxclients:10\r\n\
    used_memory:1000\r\nmaxmemory:0\r\nloading:0\r\nrdb_last_bgsave_status:ok\r\naof_enabled:1\r\naof_last_write_status:ok\r\n\
    keyspace_hits:3\r\nkeyspace_misses:1\r\nevicted_keys:0\r\nrole:master\r\n";

/// An answer to a command that is not the usual one.
type Twist = fn(&str) -> Option<String>;

/// A small Redis: `twist` may answer a command in its own way first.
async fn converse(mut stream: impl AsyncRead + AsyncWrite + Unpin, twist: Twist) {
    let (mut buffer, mut value) = (Vec::new(), String::new());
    loop {
        while let Ok(Some((Reply::List(words), used))) = resp::decode(&buffer) {
            buffer.drain(..used);
            let text = |word: &Reply| match word {
                Reply::Bulk(Some(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
                _ => String::new(),
            };
            let words: Vec<String> = words.iter().map(text).collect();
            let answer = twist(&words.join(" ")).unwrap_or_else(|| match words[0].as_str() {
                "PING" => "+PONG\r\n".to_owned(),
                "INFO" => format!("${}\r\n{INFO}\r\n", INFO.len()),
                "SET" => {
                    assert!(words[1].starts_with("sidecar:probe:") && words[3..] == ["EX", "30"], "{words:?}");
                    value.clone_from(&words[2]);
                    "+OK\r\n".to_owned()
                }
                "GET" => format!("${}\r\n{value}\r\n", value.len()),
                "DEL" => ":1\r\n".to_owned(),
                _ => "+OK\r\n".to_owned(),
            });
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
        match stream.read_buf(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

async fn scripted(twist: Twist) -> Peer {
    test_peers::serve(move |stream| converse(stream, twist)).await
}

fn probe(url: &str) -> Box<dyn Probe> {
    let mut problems = Problems::default();
    let built = build(&Target::parse(url).unwrap(), &Node::default(), &mut problems);
    built.unwrap_or_else(|| panic!("{problems:?}"))
}

async fn look(url: &str) -> Outcome {
    run(&mut *probe(url), &Net::default(), Duration::from_secs(3), Depth::Peer).await
}

async fn said(peer: &Peer, path: &str) -> String {
    let outcome = look(&format!("redis://{}{path}", peer.address)).await;
    outcome.fault.map_or("ok".to_owned(), |fault| {
        format!("{}: {}\nhint: {}", fault.reason, fault.message, fault.hint.unwrap_or_default())
            .replace(&peer.address.to_string(), "ADDR")
    })
}

#[tokio::test]
async fn a_healthy_server_gives_figures_and_notes() {
    let peer = scripted(|_| None).await;
    let outcome = look(&format!("redis://user:pw@{}/2", peer.address)).await;
    assert_eq!(outcome.fault, None);
    let value = |metric| outcome.value(metric).unwrap();
    assert_eq!(value(&crate::probes::facts::CONNECTIONS_USED_RATIO), 0.3);
    assert_eq!(value(&crate::probes::facts::CACHE_HIT_RATIO), 0.75);
    assert_eq!(value(&crate::probes::database::MEMORY_USED), 1000.0);
    assert_eq!(outcome.value(&crate::probes::database::MEMORY_MAX), None, "there is no limit");
    assert_eq!(value(&crate::probes::database::PERSISTENCE_OK), 1.0);
    assert_eq!(outcome.note("version"), Some("redis 7.0.15"));
    let phases: Vec<_> = outcome.phases.iter().map(|phase| phase.name).collect();
    assert_eq!(phases, ["resolve", "connect", "login", "query", "round_trip"]);
}

#[tokio::test]
async fn the_connection_is_kept_and_made_anew_when_it_is_gone() {
    let peer = scripted(|_| None).await;
    let mut probe = probe(&format!("redis://{}", peer.address));
    let net = Net::default();
    for _ in 0..3 {
        assert!(run(&mut *probe, &net, Duration::from_secs(3), Depth::Peer).await.ok());
    }
    assert_eq!(peer.accepted(), 1);
    // A server that hangs up after each GET: the next run finds the connection gone and makes another.
    let rude = test_peers::serve(|stream| async move {
        let _ = tokio::time::timeout(Duration::from_millis(100), converse(stream, |_| None)).await;
    })
    .await;
    let mut probe = self::probe(&format!("redis://{}", rude.address));
    assert!(run(&mut *probe, &net, Duration::from_secs(3), Depth::Peer).await.ok());
    tokio::time::sleep(Duration::from_millis(150)).await;
    assert!(run(&mut *probe, &net, Duration::from_secs(3), Depth::Peer).await.ok());
    assert_eq!(rude.accepted(), 2);
}

#[tokio::test]
async fn each_refusal_has_its_reason() {
    let peer =
        scripted(|asked| asked.starts_with("AUTH").then(|| "-WRONGPASS invalid username-password pair\r\n".into()))
            .await;
    insta::assert_snapshot!(said(&peer, "").await, @"ok");
    let wrong =
        scripted(|asked| asked.starts_with("AUTH").then(|| "-WRONGPASS invalid username-password pair\r\n".into()))
            .await;
    let outcome = look(&format!("redis://u:canary@{}", wrong.address)).await;
    assert_eq!(outcome.fault.as_ref().unwrap().reason, Reason::Auth);
    assert!(!format!("{outcome:?}").contains("canary"));
    let cases: [(Twist, &str); 8] = [
        (|_| Some("-NOAUTH Authentication required.\r\n".into()), "auth"),
        (|_| Some("-ERR max number of clients reached\r\n".into()), "saturated"),
        (
            |asked| {
                asked.starts_with("SET").then(|| "-OOM command not allowed when used memory > 'maxmemory'.\r\n".into())
            },
            "saturated",
        ),
        (|asked| asked.starts_with("SET").then(|| "-NOPERM no permission\r\n".into()), "auth"),
        (
            |asked| asked.starts_with("SET").then(|| "-MISCONF Redis is configured to save RDB snapshots\r\n".into()),
            "status",
        ),
        (|_| Some("-LOADING Redis is loading the dataset in memory\r\n".into()), "status"),
        (|asked| asked.starts_with("SELECT").then(|| "-ERR DB index is out of range\r\n".into()), "schema"),
        (|asked| asked.starts_with("GET").then(|| "$5\r\nother\r\n".into()), "body"),
    ];
    for (twist, reason) in cases {
        let said = said(&scripted(twist).await, "/3").await;
        assert!(said.starts_with(&format!("{reason}: ")), "{said}");
        assert!(said.contains("hint: "), "{said}");
    }
}

#[tokio::test]
async fn a_replica_is_not_written_to() {
    let peer = scripted(|asked| match asked {
        "INFO all" => {
            Some("$68\r\nrole:slave\r\nmaster_link_status:down\r\nmaster_last_io_seconds_ago:-1\r\n\r\n".into())
        }
        _ => asked.starts_with("SET").then(|| "-READONLY\r\n".into()),
    })
    .await;
    let outcome = look(&format!("redis://{}", peer.address)).await;
    assert_eq!(outcome.fault, None);
    assert_eq!(outcome.value(&crate::probes::database::IS_REPLICA), Some(1.0));
    assert_eq!(outcome.value(&crate::probes::database::REPLICATION_UP), Some(0.0));
    assert_eq!(outcome.note("round_trip"), Some("left out: a replica takes no writes"));
}

#[tokio::test]
async fn strangers_are_named() {
    let http = test_peers::answers(|_| Some(b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n")).await;
    insta::assert_snapshot!(said(&http, "").await, @r"
    protocol_mismatch: ADDR speaks http nginx, the URL says redis
    hint: is the port right? if it is, write the URL as `http://…`
    ");
    let mysql = test_peers::says(b"\x4a\0\0\0\x0a8.0.36\0\x08\0\0\0").await;
    insta::assert_snapshot!(said(&mysql, "").await, @r"
    protocol_mismatch: ADDR speaks mysql 8.0.36, the URL says redis
    hint: is the port right? if it is, write the URL as `mysql://…`
    ");
    let postgresql = test_peers::answers(|asked| asked.starts_with(&[0, 0, 0, 8]).then_some(b"N")).await;
    insta::assert_snapshot!(said(&postgresql, "").await, @r"
    protocol_mismatch: ADDR speaks postgresql, the URL says redis
    hint: is the port right? if it is, write the URL as `postgresql://…`
    ");
    let tls = test_peers::tls(test_peers::certificate(|_| ())).await;
    insta::assert_snapshot!(said(&tls, "").await, @r"
    protocol_mismatch: ADDR speaks tls, the URL says redis
    hint: write the URL as `rediss://…`
    ");
}

#[tokio::test]
async fn tls_against_a_plain_server_is_named() {
    let peer = test_peers::serve(|mut stream| async move {
        // Redis takes a TLS greeting for the beginning of a line and waits for its end.
        let mut asked = [0; 1024];
        while let Ok(length @ 1..) = stream.read(&mut asked).await {
            if asked[..length].starts_with(b"PING") {
                let _ = stream.write_all(b"+PONG\r\n").await;
            }
        }
    })
    .await;
    let outcome = look(&format!("rediss://{}", peer.address)).await;
    let fault = outcome.fault.unwrap();
    assert_eq!(fault.reason, Reason::ProtocolMismatch, "{fault:?}");
    assert_eq!(fault.message, format!("{} speaks redis, the URL says rediss", peer.address));
}

#[tokio::test]
async fn tls_is_spoken_and_its_certificate_described() {
    let pair = test_peers::certificate(|_| ());
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &pair.pem).unwrap();
    let peer = test_peers::serve_tls(test_peers::server_config(&pair), |session| converse(session, |_| None)).await;
    let tls = Tls::build(&TlsConfig { ca_file: Some(file.path().to_owned()), ..TlsConfig::default() }).unwrap();
    let target = Target::parse(&format!("rediss://localhost:{}", peer.port())).unwrap();
    let mut good = Redis { target: target.clone(), round_trip: true, tls, kept: None, scrapes: Scrapes::default() };
    let outcome = run(&mut good, &Net::default(), Duration::from_secs(3), Depth::Peer).await;
    assert_eq!(outcome.fault, None);
    assert!(outcome.value(&crate::probes::facts::CERTIFICATE_EXPIRES_IN_SECONDS).is_some());
    let outcome = look(&format!("rediss://localhost:{}", peer.port())).await;
    assert_eq!(outcome.fault.unwrap().reason, Reason::Certificate);
}

#[tokio::test]
async fn rude_peers_cost_no_more_than_the_deadline() {
    let port = test_peers::closed_port().await;
    assert_eq!(look(&format!("redis://127.0.0.1:{port}")).await.fault.unwrap().reason, Reason::Refused);
    let cases = [
        (test_peers::silent().await, Reason::Timeout),
        (test_peers::floods(b"$200000\r\n", &[b'x'; 8192]).await, Reason::ProtocolMismatch),
        (test_peers::floods(b"+", &[b'x'; 8192]).await, Reason::Body),
        (test_peers::answers(|_| Some(b"$4294967295\r\n")).await, Reason::Body),
        (test_peers::drips(b"+PO", Duration::from_millis(20)).await, Reason::Timeout),
        (scripted(|asked| (asked == "PING").then(|| "+HELLO\r\n".into())).await, Reason::Body),
    ];
    for (peer, reason) in cases {
        let mut probe = probe(&format!("redis://{}", peer.address));
        let outcome = run(&mut *probe, &Net::default(), Duration::from_millis(900), Depth::Peer).await;
        let fault = outcome.fault.unwrap();
        assert_eq!(fault.reason, reason, "{fault:?}");
        assert!(outcome.took < Duration::from_secs(2));
    }
}
