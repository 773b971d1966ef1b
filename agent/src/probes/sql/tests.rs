//! Both probes against scripted peers: nobody there, nobody who speaks, somebody else, and servers that mean harm. What a healthy
//! server gives is shown against real ones in `agent/tests/datastores`.

use super::*;
use crate::probes::net::Net;
use crate::probes::net::test_peers::{self, Peer};
use crate::probes::{KINDS, Outcome, run};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

async fn look(url: &str, timeout: Duration) -> Outcome {
    let target = Target::parse(url).unwrap();
    let kind = KINDS.iter().find(|kind| kind.schemes.contains(&target.scheme.as_str())).unwrap();
    let mut probe = (kind.build)(&target, &Node::default(), &mut Problems::default()).unwrap();
    let outcome = run(&mut *probe, &Net::default(), timeout, Depth::Peer).await;
    assert!(!format!("{outcome:?}").contains("canary"), "{outcome:?}");
    outcome
}

async fn said(scheme: &str, peer: &Peer, query: &str) -> String {
    let outcome =
        look(&format!("{scheme}://app:canary@{}/shop{query}", peer.address), Duration::from_millis(1500)).await;
    let fault = outcome.fault.unwrap();
    let hint = fault.hint.map_or(String::new(), |hint| format!("\nhint: {hint}"));
    format!("{}: {}{hint}", fault.reason, fault.message).replace(&peer.address.to_string(), "ADDR")
}

const MYSQL: &[u8] = b"\x4a\0\0\0\x0a8.0.36\0\x08\0\0\0abcdefgh\0\xff\xf7\xff\x02\0\xff\xdf\x15\0\0\0\0\0\0\0\0\0\0abcdefghijkl\0mysql_native_password\0";

#[tokio::test]
async fn a_closed_port_is_refused() {
    let port = test_peers::closed_port().await;
    for scheme in ["postgres", "mysql"] {
        let outcome = look(&format!("{scheme}://app:canary@127.0.0.1:{port}/shop"), Duration::from_secs(1)).await;
        assert_eq!(outcome.fault.unwrap().reason, Reason::Refused);
    }
}

#[tokio::test]
async fn postgres_names_strangers() {
    let mysql = test_peers::says(MYSQL).await;
    insta::assert_snapshot!(said("postgresql", &mysql, "").await, @r"
    protocol_mismatch: ADDR speaks mysql 8.0.36, the URL says postgresql
    hint: is the port right? if it is, write the URL as `mysql://…`
    ");
    assert!(said("postgres", &mysql, "?sslmode=disable").await.contains("speaks mysql 8.0.36, the URL says postgres"));
    let http =
        test_peers::answers(|asked| asked.starts_with(b"PING").then_some(b"HTTP/1.1 400 Bad Request\r\n\r\n")).await;
    assert!(said("postgres", &http, "").await.contains("speaks http, the URL says postgres"));
    let redis =
        test_peers::answers(|asked| asked.starts_with(b"PING").then_some(b"-NOAUTH Authentication required.\r\n"))
            .await;
    assert!(said("postgres", &redis, "").await.contains("speaks redis, the URL says postgres"));
    let tls = test_peers::tls(test_peers::certificate(|_| ())).await;
    assert!(said("postgres", &tls, "").await.contains("speaks tls, the URL says postgres"));
}

#[tokio::test]
async fn mysql_names_strangers() {
    let postgresql = test_peers::answers(|asked| asked.starts_with(&[0, 0, 0, 8]).then_some(b"N")).await;
    insta::assert_snapshot!(said("mysql", &postgresql, "").await, @r"
    protocol_mismatch: ADDR speaks postgresql, the URL says mysql
    hint: is the port right? if it is, write the URL as `postgresql://…`
    ");
    let ssh = test_peers::says(b"SSH-2.0-OpenSSH_9.2p1\r\n").await;
    assert!(said("mysql", &ssh, "").await.contains("speaks ssh OpenSSH_9.2p1, the URL says mysql"));
    let tls = test_peers::tls(test_peers::certificate(|_| ())).await;
    assert!(said("mysql", &tls, "").await.contains("speaks tls, the URL says mysql"));
}

#[tokio::test]
async fn a_silent_http_server_behind_a_mysql_url_is_named_well_before_the_deadline() {
    let http = test_peers::serve(|mut stream| async move {
        let mut asked = [0; 1024];
        let length = stream.read(&mut asked).await.unwrap_or(0);
        if asked[..length].ends_with(b"\r\n\r\n") {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nserver: nginx\r\n\r\n").await;
        }
        // What is no whole request is waited for.
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    })
    .await;
    let outcome = look(&format!("mysql://app:canary@{}/shop", http.address), Duration::from_secs(5)).await;
    assert!(outcome.fault.unwrap().message.contains("speaks http nginx, the URL says mysql"));
    assert!(outcome.took < Duration::from_secs(1), "{:?}", outcome.took);
}

/// Greets after a while, then refuses the login.
async fn greets_after(pause: Duration) -> Peer {
    test_peers::serve(move |mut stream| async move {
        tokio::time::sleep(pause).await;
        let _ = stream.write_all(MYSQL).await;
        let _ = stream.read(&mut [0; 1024]).await;
        let _ = stream.write_all(b"\x17\0\0\x02\xff\x15\x04#28000Access denied 1").await;
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    })
    .await
}

#[tokio::test]
async fn a_mysql_that_greets_is_not_looked_at_and_one_that_is_slow_is_waited_for() {
    let soon = greets_after(Duration::from_millis(50)).await;
    let slow = greets_after(limits::GREETING_PATIENCE + Duration::from_millis(500)).await;
    for peer in [&soon, &slow] {
        let url = format!("mysql://app:canary@{}/shop?ssl-mode=disabled", peer.address);
        assert_eq!(look(&url, Duration::from_secs(5)).await.fault.unwrap().reason, Reason::Auth);
    }
    assert_eq!(soon.accepted(), 1);
    assert!(slow.accepted() > 1, "it was looked at, and its own greeting counted");
}

#[tokio::test]
async fn rude_servers_cost_no_more_than_the_deadline() {
    let login = |answer: &'static [u8]| {
        // Refuses TLS, then answers the login.
        test_peers::serve(move |mut stream| async move {
            let mut asked = [0; 1024];
            let _ = stream.read(&mut asked).await;
            let _ = stream.write_all(b"N").await;
            let _ = stream.read(&mut asked).await;
            let flood = answer.repeat(4096);
            while stream.write_all(&flood).await.is_ok() {}
        })
    };
    let cases = [
        ("postgres", test_peers::silent().await, "timeout: "),
        ("mysql", test_peers::silent().await, "timeout: "),
        ("postgres", login(b"R\xff\xff\xff\xff").await, "body: "),
        ("postgres", login(b"S\0\0\0\x0aabc\0d\0").await, "body: "),
        ("postgres", login(b"R\0\0\0\x04").await, "body: "),
        ("postgres", test_peers::drips(b"", Duration::from_millis(50)).await, "protocol_mismatch: "),
        ("mysql", test_peers::drips(b"\x4a\0\0\0\x0a8.0", Duration::from_millis(50)).await, "timeout: "),
        ("mysql", test_peers::floods(b"\x4a\0\0\0\x0a8.0.36\0", &[0; 8192]).await, "body: "),
        // An empty packet, into which the driver reaches without looking.
        ("mysql", test_peers::floods(MYSQL, b"\0\0\0\x02").await, "body: "),
        ("mysql", test_peers::says(b"\x17\0\0\0\xff\x10\x04Too many connections").await, "saturated: "),
    ];
    for (scheme, peer, reason) in cases {
        let said = said(scheme, &peer, "").await;
        assert!(said.starts_with(reason), "{scheme} should say {reason}{said}");
    }
}

const LET_IN: &[u8] = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";

/// A PostgreSQL that lets everybody in and answers the first query with these bytes, then the others with `again` until nobody listens.
async fn lets_in(answer: &'static [u8], again: &'static [u8]) -> Peer {
    test_peers::serve(move |mut stream| async move {
        let mut asked = [0; 4096];
        for said in [b"N", LET_IN, answer] {
            if stream.read(&mut asked).await.is_ok_and(|length| length == 0) || stream.write_all(said).await.is_err() {
                return;
            }
        }
        let flood = again.repeat(4096);
        while !again.is_empty() && stream.write_all(&flood).await.is_ok() {}
        // Whoever has nothing more to say goes away in the middle, or says nothing for ever when there was no answer at all.
        if answer.is_empty() {
            let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
        }
    })
    .await
}

/// The description of one column, `x`, of type text.
const COLUMN: &[u8] = b"T\0\0\0\x1a\0\x01x\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0";

#[tokio::test]
async fn a_postgres_that_lets_in_and_then_lies_is_ended_by_the_deadline_with_its_reason() {
    let column = |answer: &[u8]| -> &'static [u8] { Box::leak([COLUMN, answer].concat().into_boxed_slice()) };
    let cases: [(&str, Peer, &str); 7] = [
        ("a row that claims 1 GiB", lets_in(column(b"D\x40\0\0\0\0\x01"), b"").await, "body: "),
        ("a value that claims 1 GiB", lets_in(column(b"D\0\0\0\x0c\0\x01\x40\0\0\0xx"), b"x").await, "body: "),
        ("parameters for ever", lets_in(b"S\0\0\0\x0aabc\0d\0", b"S\0\0\0\x0aabc\0d\0").await, "body: "),
        ("rows for ever", lets_in(COLUMN, b"D\0\0\0\x0b\0\x01\0\0\0\x01x").await, "body: "),
        ("notices for ever", lets_in(b"N\0\0\0\x08SX\0\0", b"N\0\0\0\x08SX\0\0").await, "body: "),
        ("silence", lets_in(b"", b"").await, "timeout: "),
        ("an end in the middle of a row", lets_in(column(b"D\0\0\0\x20\0\x01"), b"").await, "body: "),
    ];
    for (what, peer, reason) in cases {
        let url = format!("postgres://app:canary@{}/shop", peer.address);
        let outcome = look(&url, Duration::from_millis(1500)).await;
        let fault =
            outcome.fault.as_ref().map(|fault| format!("{}: {}", fault.reason, fault.message)).unwrap_or_default();
        assert!(fault.starts_with(reason), "{what} should be {reason}{fault}");
        assert_eq!(outcome.value(&postgres::UP), Some(0.0), "{what}");
        assert!(outcome.took < Duration::from_secs(2), "{what}: {:?}", outcome.took);
    }
}

#[tokio::test]
async fn names_that_are_no_text_make_no_series() {
    let row = b"D\0\0\0\x0d\0\x01\0\0\0\x03\xff\xfe\xfd";
    let answer: &'static [u8] =
        Box::leak([COLUMN, row, b"C\0\0\0\x0bSELECT\0Z\0\0\0\x05I"].concat().into_boxed_slice());
    let peer = test_peers::serve(move |mut stream| async move {
        let mut asked = [0; 16 << 10];
        for said in [b"N", LET_IN].into_iter().chain(std::iter::repeat(answer)) {
            if stream.read(&mut asked).await.is_ok_and(|length| length == 0) || stream.write_all(said).await.is_err() {
                return;
            }
        }
    })
    .await;
    let outcome = look(&format!("postgres://app:canary@{}/shop", peer.address), Duration::from_secs(5)).await;
    assert_eq!(outcome.fault, None);
    assert_eq!(outcome.value(&postgres::UP), Some(1.0));
    let borrowed: Vec<_> =
        outcome.readings.iter().map(|reading| reading.metric.name).filter(|name| name.starts_with("pg_")).collect();
    assert_eq!(borrowed, ["pg_up", "pg_exporter_last_scrape_error"]);
}

#[tokio::test]
async fn a_server_that_refuses_is_quoted_with_advice() {
    let full = test_peers::serve(|mut stream| async move {
        let mut asked = [0; 1024];
        let _ = stream.read(&mut asked).await;
        let _ = stream.write_all(b"N").await;
        let _ = stream.read(&mut asked).await;
        let fields = b"SFATAL\0VFATAL\0C53300\0Msorry, too many clients already\0\0";
        let length = u32::try_from(fields.len() + 4).unwrap().to_be_bytes();
        let _ = stream.write_all(&[b"E", &length[..], fields].concat()).await;
        let _ = stream.read(&mut asked).await;
    })
    .await;
    insta::assert_snapshot!(said("postgres", &full, "").await, @r"
    saturated: the server refused the login: sorry, too many clients already
    hint: raise `max_connections`, or find who does not give connections back
    ");
}

fn mode(url: &str) -> Option<(Security, bool)> {
    let target = Target::parse(url).unwrap();
    security(&target, TlsConfig::default()).map(|(mode, tls)| (mode, tls.insecure_skip_verify))
}

#[test]
fn sslmode_of_the_url_is_honoured() {
    let cases = [
        ("postgres://db/x", Some((Security::Preferred, true))),
        ("postgres://db/x?sslmode=disable", Some((Security::Off, true))),
        ("postgres://db/x?sslmode=require", Some((Security::Required, true))),
        ("postgres://db/x?sslmode=verify-full", Some((Security::Verified, false))),
        ("postgres://db/x?sslmode=require&sslrootcert=/ca.pem", Some((Security::Verified, false))),
        ("mysql://db/x?ssl-mode=VERIFY_IDENTITY", Some((Security::Verified, false))),
        ("mysql://db/x?ssl_mode=REQUIRED", Some((Security::Required, true))),
        ("postgres:///x?host=/run/postgresql&sslmode=require", Some((Security::Off, true))),
        ("postgres://db/x?sslmode=sometimes", None),
    ];
    for (url, expected) in cases {
        assert_eq!(mode(url), expected, "{url}");
    }
}

#[test]
fn an_operator_who_names_an_authority_wants_it_verified() {
    let target = Target::parse("postgres://db/x").unwrap();
    let tls = TlsConfig { ca_file: Some("/ca.pem".into()), ..TlsConfig::default() };
    let (mode, tls) = security(&target, tls).unwrap();
    assert_eq!((mode, tls.insecure_skip_verify), (Security::Verified, false));
}

#[test]
fn keys_and_fields_are_the_same() {
    let keys: Vec<_> = KEYS.iter().map(|key| key.name).collect();
    assert_eq!(keys, super::super::fields_of::<Params>());
}
