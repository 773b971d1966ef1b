//! The HTTP check against polite and rude servers.

use super::*;
use crate::probes::net::test_peers::{self, Pair, Peer};
use crate::probes::tests::{Cases, TIMEOUT, look, problems};
use crate::probes::{Detail, Outcome, Reason};
use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// The six cases that every kind has.
pub(in crate::probes) static CASES: Cases = Cases {
    ok: Some(|| Box::pin(async { at(&page("200 OK", "", "hello").await, "{}").await })),
    refused: || Box::pin(async { look(&format!("http://127.0.0.1:{}/", test_peers::closed_port().await), "{}").await }),
    timeout: || Box::pin(async { at(&test_peers::silent().await, "{}").await }),
    wrong_answer: || Box::pin(async { at(&page("500 Internal Server Error", "", "").await, "{}").await }),
    oversize: || {
        Box::pin(async { at(&test_peers::floods(b"HTTP/1.1 200 OK\r\n\r\n", &[b'x'; 8192]).await, "{}").await })
    },
    slow_drip: || {
        let tick = Duration::from_millis(50);
        Box::pin(async move {
            at(&test_peers::drips(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", tick).await, "{}").await
        })
    },
};

async fn at(peer: &Peer, keys: &str) -> Outcome {
    look(&format!("http://localhost:{}/health", peer.port()), keys).await
}

async fn secure(peer: &Peer, keys: &str) -> Outcome {
    look(&format!("https://localhost:{}/health", peer.port()), keys).await
}

/// Reads a request up to its empty line.
async fn request(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut text = Vec::new();
    while !text.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => text.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}

async fn answer(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), head: &str, body: &[u8]) -> String {
    let asked = request(stream).await;
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.write_all(body).await;
    let _ = stream.shutdown().await;
    asked
}

fn head(status: &str, headers: &str, length: usize) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n")
}

/// A server with one page. `headers` end in `\r\n` each.
async fn page(status: &str, headers: &str, body: &str) -> Peer {
    raw(head(status, headers, body.len()), body.as_bytes().to_vec()).await
}

async fn raw(head: String, body: Vec<u8>) -> Peer {
    let page = Arc::new((head, body));
    test_peers::serve(move |mut stream| {
        let page = Arc::clone(&page);
        async move {
            answer(&mut stream, &page.0, &page.1).await;
        }
    })
    .await
}

/// A server that answers by what is asked, and keeps what was asked.
async fn site(answers: impl Fn(&str) -> String + Send + Sync + 'static) -> (Peer, Arc<Mutex<Vec<String>>>) {
    let (answers, asked) = (Arc::new(answers), Arc::new(Mutex::new(Vec::new())));
    let kept = Arc::clone(&asked);
    let peer = test_peers::serve(move |mut stream| {
        let (answers, kept) = (Arc::clone(&answers), Arc::clone(&kept));
        async move {
            let text = request(&mut stream).await;
            let path = text.split(' ').nth(1).unwrap_or_default().to_owned();
            kept.lock().unwrap().push(text);
            let _ = stream.write_all(answers(&path).as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    })
    .await;
    (peer, asked)
}

async fn secure_page(pair: &Pair, body: &'static str) -> Peer {
    test_peers::serve_tls(test_peers::server_config(pair), move |mut session| async move {
        answer(&mut session, &head("200 OK", "", body.len()), body.as_bytes()).await;
    })
    .await
}

/// The samples of an outcome without values that change: `name{labels}`, in order of name.
fn names(outcome: &Outcome) -> Vec<String> {
    let mut all: Vec<_> = outcome
        .readings
        .iter()
        .filter(|reading| reading.metric.name.starts_with("probe_"))
        .map(|reading| match reading.metric.name {
            "probe_http_duration_seconds" => format!("{}{{phase={}}}", reading.metric.name, reading.labels[0]),
            name => name.to_owned(),
        })
        .collect();
    all.sort();
    all
}

fn value(outcome: &Outcome, name: &str) -> Option<f64> {
    outcome.readings.iter().find(|reading| reading.metric.name == name).map(|reading| reading.value)
}

fn said(outcome: &Outcome) -> String {
    outcome.fault.as_ref().map_or("ok".to_owned(), |fault| format!("{}: {}", fault.reason, fault.message))
}

/// What blackbox_exporter 0.28 exports for a plain answer, without the three that every probe has.
const BLACKBOX_PLAIN: [&str; 15] = [
    "probe_dns_lookup_time_seconds",
    "probe_failed_due_to_regex",
    "probe_http_content_length",
    "probe_http_duration_seconds{phase=connect}",
    "probe_http_duration_seconds{phase=processing}",
    "probe_http_duration_seconds{phase=resolve}",
    "probe_http_duration_seconds{phase=tls}",
    "probe_http_duration_seconds{phase=transfer}",
    "probe_http_redirects",
    "probe_http_ssl",
    "probe_http_status_code",
    "probe_http_uncompressed_body_length",
    "probe_http_version",
    "probe_ip_addr_hash",
    "probe_ip_protocol",
];

#[tokio::test]
async fn gives_the_same_set_as_blackbox_for_a_plain_answer() {
    let outcome = at(&page("200 OK", "", "hello").await, "{}").await;
    assert_eq!(names(&outcome), BLACKBOX_PLAIN);
    let expected = [
        ("probe_http_status_code", 200.0),
        ("probe_http_content_length", 5.0),
        ("probe_http_uncompressed_body_length", 5.0),
        ("probe_http_version", 1.1),
        ("probe_http_redirects", 0.0),
        ("probe_http_ssl", 0.0),
        ("probe_ip_protocol", 4.0),
    ];
    for (name, figure) in expected {
        assert_eq!(value(&outcome, name), Some(figure), "{name}");
    }
    let phases: Vec<_> = outcome.phases.iter().map(|phase| phase.name).collect();
    assert_eq!(phases, ["resolve", "connect", "processing", "transfer"]);
}

#[tokio::test]
async fn gives_the_same_set_as_blackbox_for_a_secure_answer() {
    let (pair, authority) = test_peers::signed(|_| ());
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(authority.as_bytes()).unwrap();
    let keys = format!(r#"{{"fail_if_not_ssl": true, "tls_config": {{"ca_file": "{}"}}}}"#, file.path().display());
    let outcome = secure(&secure_page(&pair, "hello").await, &keys).await;
    assert_eq!(said(&outcome), "ok");
    let secure_only = [
        "probe_ssl_earliest_cert_expiry",
        "probe_ssl_last_chain_expiry_timestamp_seconds",
        "probe_ssl_last_chain_info",
        "probe_tls_cipher_info",
        "probe_tls_version_info",
    ];
    let mut all: Vec<&str> = BLACKBOX_PLAIN.iter().chain(&secure_only).copied().collect();
    all.sort_unstable();
    assert_eq!(names(&outcome), all);
    assert_eq!(value(&outcome, "probe_http_ssl"), Some(1.0));
}

#[tokio::test]
async fn figures_of_an_answer_that_did_not_come_are_zero_and_phases_stay() {
    let outcome = at(&test_peers::silent().await, "{}").await;
    assert_eq!(names(&outcome), BLACKBOX_PLAIN);
    assert_eq!(value(&outcome, "probe_http_status_code"), Some(0.0));
    insta::with_settings!({filters => vec![(r"within .* in", "within TIME in")]}, {
        insta::assert_snapshot!(said(&outcome), @"timeout: no answer within TIME in phase `processing`");
    });
    let processing = outcome.readings.iter().find(|reading| reading.labels == ["processing"]).unwrap().value;
    assert!(processing > TIMEOUT.as_secs_f64() / 2.0, "the phase that hung has the time: {processing}");
}

#[tokio::test]
async fn a_certificate_that_fails_is_named_and_described() {
    let pair = test_peers::certificate(|params| params.not_after = rcgen::date_time_ymd(2020, 2, 3));
    let outcome = secure(&secure_page(&pair, "hello").await, "{}").await;
    assert_eq!(outcome.fault.as_ref().map(|fault| fault.reason), Some(Reason::Certificate), "{outcome:?}");
    assert_eq!(value(&outcome, "probe_ssl_earliest_cert_expiry"), Some(1_580_688_000.0));
    assert!(value(&outcome, "sidecar_certificate_expires_in_seconds").is_some_and(|left| left < 0.0));
}

#[tokio::test]
async fn rules_are_applied_in_the_order_of_the_wire() {
    let peer = page("200 OK", "X-Mode: green\r\nContent-Type: text/plain\r\n", "all is well").await;
    for keys in [
        r#"{"fail_if_body_not_matches_regexp": ["all .* well"], "fail_if_body_matches_regexp": ["error"]}"#,
        r#"{"fail_if_header_matches": [{"header": "x-mode", "regexp": "red"}, {"header": "absent", "regexp": ".", "allow_missing": true}]}"#,
        r#"{"fail_if_header_not_matches": [{"header": "X-Mode", "regexp": "^green$"}], "valid_http_versions": ["HTTP/1.1"]}"#,
        r#"{"valid_status_codes": ["200-204", 301], "fail_if_ssl": true}"#,
    ] {
        assert_eq!(said(&at(&peer, keys).await), "ok", "{keys}");
    }
    let broken = async |keys: &str| {
        let outcome = at(&peer, keys).await;
        format!("{}; regex {}", said(&outcome), value(&outcome, "probe_failed_due_to_regex").unwrap())
    };
    insta::assert_snapshot!(broken(r#"{"valid_status_codes": [204, "3xx"]}"#).await, @"status: answered status 200, expected 204, 300-399; regex 0");
    insta::assert_snapshot!(broken(r#"{"valid_http_versions": ["HTTP/1.0"]}"#).await, @"header: answered in HTTP/1.1, expected HTTP/1.0; regex 0");
    insta::assert_snapshot!(broken(r#"{"fail_if_not_ssl": true}"#).await, @"tls: the answer came without TLS, and `fail_if_not_ssl` is set; regex 0");
    insta::assert_snapshot!(broken(r#"{"fail_if_body_matches_regexp": ["w[aeiou]ll"]}"#).await, @"body: the body matches `w[aeiou]ll`, which it must not; regex 1");
    insta::assert_snapshot!(broken(r#"{"fail_if_body_not_matches_regexp": ["^ok$"]}"#).await, @"body: the body does not match `^ok$`, it begins with `all is well`; regex 1");
    insta::assert_snapshot!(broken(r#"{"fail_if_header_matches": [{"header": "X-Mode", "regexp": "gr"}]}"#).await, @"header: header `x-mode` matches `gr`, it is `green`; regex 1");
    insta::assert_snapshot!(broken(r#"{"fail_if_header_not_matches": [{"header": "X-Mode", "regexp": "red"}]}"#).await, @"header: header `x-mode` does not match `red`, it is `green`; regex 1");
    insta::assert_snapshot!(broken(r#"{"fail_if_header_not_matches": [{"header": "HSTS", "regexp": "."}]}"#).await, @"header: the answer has no header `hsts`; regex 1");
    insta::assert_snapshot!(broken(r#"{"json": ["$.a == 1"]}"#).await, @"body: the answer is no JSON, it begins with `all is well`; regex 0");
}

const C1: &str = r#"{"status": "unhealthy", "overall_healthy": false, "services": {
    "database": {"healthy": true, "pool": {"size": 20, "checked_in": 5, "checked_out": 15}},
    "redis": {"healthy": false}}}"#;

#[tokio::test]
async fn a_proxy_that_makes_503_of_a_dead_upstream_is_told_from_a_service_that_says_503_itself() {
    for (body, detail) in [
        ("<h1>Error 503 Backend fetch failed</h1>", Detail::UpstreamDown),
        ("no available server", Detail::UpstreamDown),
        (r#"{"error":{"message":"the service behind does not answer"}}"#, Detail::UpstreamDown),
        ("down for maintenance", Detail::Status(503)),
    ] {
        let outcome = at(&page("503 Service Unavailable", "", body).await, "{}").await;
        assert_eq!(outcome.fault.and_then(|fault| fault.detail), Some(detail), "{body}");
    }
}

#[tokio::test]
async fn names_the_failed_dependency_and_reads_the_pool_of_a_health_page() {
    let peer = page("503 Service Unavailable", "Content-Type: application/json\r\n", C1).await;
    let outcome = at(&peer, "{}").await;
    insta::assert_snapshot!(said(&outcome), @"status: answered status 503, expected 200-299; it names as failed: redis");
    assert_eq!(outcome.note("failing"), Some("redis"));
    let pool: Vec<_> = outcome
        .readings
        .iter()
        .filter(|reading| reading.metric.name.starts_with("sidecar_pool"))
        .map(|reading| format!("{}{{{}}} {}", reading.metric.name, reading.labels[0], reading.value))
        .collect();
    insta::assert_snapshot!(pool.join("\n"), @r"
    sidecar_pool_size{database} 20
    sidecar_pool_checked_in{database} 5
    sidecar_pool_checked_out{database} 15
    sidecar_pool_used_ratio{database} 0.75
    ");
}

#[tokio::test]
async fn judges_json_by_assertions() {
    let peer = page("200 OK", "Content-Type: application/json\r\n", C1).await;
    assert_eq!(said(&at(&peer, r#"{"json": ["$.services.database.healthy == true"]}"#).await), "ok");
    insta::assert_snapshot!(said(&at(&peer, r#"{"json": ["$.services.*.healthy == true"]}"#).await), @"body: `$.services.*.healthy` is false, expected == true");
}

#[tokio::test]
async fn reads_the_pool_from_another_page_of_the_same_server() {
    let text = "# TYPE db_pool gauge\ndb_pool_size{name=\"a\"} 10\ndb_pool_size{name=\"b\"} 10\ndb_pool_busy 5\n";
    let (peer, asked) = site(move |path| match path {
        "/metrics" => head("200 OK", "", text.len()) + text,
        _ => head("200 OK", "", 2) + "ok",
    })
    .await;
    let keys = r#"{"pool": {"from": "/metrics", "size": "db_pool_size", "checked_out": "db_pool_busy", "service": "database"}}"#;
    let outcome = at(&peer, keys).await;
    assert_eq!(said(&outcome), "ok");
    assert_eq!(value(&outcome, "sidecar_pool_size"), Some(20.0));
    assert_eq!(value(&outcome, "sidecar_pool_used_ratio"), Some(0.25));
    assert_eq!(asked.lock().unwrap().len(), 2);
    let absent = keys.replace("db_pool_", "other_");
    let outcome = at(&peer, &absent).await;
    assert_eq!((said(&outcome).as_str(), value(&outcome, "sidecar_pool_size")), ("ok", None));
    insta::assert_snapshot!(outcome.note("pool").unwrap(), @"none of the figures named under `pool` is in the answer");
}

#[tokio::test]
async fn follows_redirects_and_counts_them() {
    let (peer, _) = site(|path| match path {
        "/health" => head("302 Found", "Location: /a?x=1\r\n", 0),
        "/a?x=1" => head("308 Permanent Redirect", "Location: b\r\n", 0),
        "/b" => head("200 OK", "", 2) + "ok",
        _ => head("404 Not Found", "", 0),
    })
    .await;
    let outcome = at(&peer, "{}").await;
    assert_eq!((said(&outcome).as_str(), value(&outcome, "probe_http_redirects")), ("ok", Some(2.0)));
    let outcome = at(&peer, r#"{"follow_redirects": false, "valid_status_codes": [302]}"#).await;
    assert_eq!((said(&outcome).as_str(), value(&outcome, "probe_http_status_code")), ("ok", Some(302.0)));
    let outcome = at(&peer, r#"{"follow_redirects": false}"#).await;
    insta::assert_snapshot!(format!("{}; {}", said(&outcome), outcome.fault.unwrap().hint.unwrap()), @"status: answered status 302, expected 200-299; it redirects to `/a`");
}

#[tokio::test]
async fn a_redirect_loop_ends_after_ten() {
    let (peer, asked) = site(|_| head("302 Found", "Location: /health\r\n", 0)).await;
    let outcome = at(&peer, "{}").await;
    insta::with_settings!({filters => vec![(r":\d+/", ":PORT/")]}, {
        insta::assert_snapshot!(said(&outcome), @"status: redirected more than 10 times, the last time to `http://localhost:PORT/health`");
    });
    assert_eq!(asked.lock().unwrap().len(), 11);
    assert_eq!(value(&outcome, "probe_http_redirects"), Some(10.0));
}

#[tokio::test]
async fn a_post_that_is_redirected_becomes_a_get_without_its_body() {
    let (peer, asked) = site(|path| match path {
        "/health" => head("303 See Other", "Location: /done\r\n", 0),
        _ => head("200 OK", "", 0),
    })
    .await;
    assert_eq!(said(&at(&peer, r#"{"method": "POST", "body": "a=1"}"#).await), "ok");
    let asked = asked.lock().unwrap();
    assert!(
        asked[0].starts_with("POST /health HTTP/1.1\r\n") && asked[0].contains("content-length: 3"),
        "{}",
        asked[0]
    );
    assert!(asked[1].starts_with("GET /done HTTP/1.1\r\n") && !asked[1].contains("content-length"), "{}", asked[1]);
}

#[tokio::test]
async fn credentials_go_to_the_host_of_the_url_and_to_no_other() {
    let (other, asked_other) = site(|_| head("200 OK", "", 0)).await;
    let to = format!("http://127.0.0.1:{}/", other.port());
    let (peer, asked) = site(move |path| match path {
        "/health" => head("302 Found", "Location: /again\r\n", 0),
        _ => head("302 Found", &format!("Location: {to}\r\n"), 0),
    })
    .await;
    let url = format!("http://me:canary%40x@localhost:{}/health", peer.port());
    let keys = r#"{"headers": {"X-Api-Key": "canary", "Accept": "text/html", "Cookie": "a=canary"}}"#;
    assert_eq!(said(&look(&url, keys).await), "ok");
    for asked in asked.lock().unwrap().iter() {
        assert!(
            asked.contains("authorization: Basic bWU6Y2FuYXJ5QHg=\r\n") && asked.contains("x-api-key: canary\r\n"),
            "{asked}"
        );
    }
    let asked_other = asked_other.lock().unwrap();
    assert_eq!(asked_other.len(), 1);
    assert!(!asked_other[0].contains("authorization") && !asked_other[0].contains("canary"), "{}", asked_other[0]);
    assert!(asked_other[0].contains("accept: text/html\r\n") && asked_other[0].contains("user-agent: sidecar-agent/"));
}

#[test]
fn credentials_stay_with_the_server() {
    let same = |first: &str, other: &str| same_server(&Url::parse(first).unwrap(), &Url::parse(other).unwrap());
    assert!(same("http://a/x", "http://a/y") && same("http://a/", "https://a/") && same("http://a:1/", "http://a:1/"));
    assert!(!same("https://a/", "http://a/") && !same("http://a/", "http://b/"));
    assert!(!same("http://a:1/", "http://a:2/") && !same("http://a/", "http://a:8000/"));
}

#[tokio::test]
async fn sends_what_the_check_says() {
    let (peer, asked) = site(|_| head("200 OK", "", 0)).await;
    let keys = r#"{"method": "HEAD", "headers": {"Host": "shop.example"}, "authorization": {"credentials": "t0ken"}, "compression": "gzip"}"#;
    let outcome = look(&format!("http://localhost:{}?a=b", peer.port()), keys).await;
    assert_eq!(said(&outcome), "ok");
    insta::assert_snapshot!(asked.lock().unwrap()[0].replace('\r', "").trim_end(), @r"
    HEAD /?a=b HTTP/1.1
    accept: */*
    user-agent: sidecar-agent/0.1.0
    accept-encoding: gzip
    authorization: Bearer t0ken
    host: shop.example
    connection: close
    ");
}

#[tokio::test]
async fn a_gzip_bomb_is_cut_off() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&vec![0; 8 << 20]).unwrap();
    let packed = encoder.finish().unwrap();
    let peer = raw(head("200 OK", "Content-Encoding: gzip\r\n", packed.len()), packed).await;
    insta::assert_snapshot!(said(&at(&peer, r#"{"compression": "gzip"}"#).await), @"body: the body, unpacked, is larger than 1.0 MiB");
}

#[tokio::test]
async fn a_packed_body_is_judged_unpacked() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(b"all is well").unwrap();
    let packed = encoder.finish().unwrap();
    let peer = raw(head("200 OK", "Content-Encoding: gzip\r\n", packed.len()), packed.clone()).await;
    let outcome = at(&peer, r#"{"compression": "gzip", "fail_if_body_not_matches_regexp": ["^all is well$"]}"#).await;
    assert_eq!(said(&outcome), "ok");
    assert_eq!(value(&outcome, "probe_http_uncompressed_body_length"), Some(11.0));
    assert_eq!(value(&outcome, "probe_http_content_length"), Some(packed.len() as f64));
}

#[tokio::test]
async fn an_endless_header_is_cut_off() {
    let peer = test_peers::floods(b"HTTP/1.1 200 OK\r\nX-Endless: ", &[b'x'; 4096]).await;
    insta::assert_snapshot!(said(&at(&peer, "{}").await), @"header: the answer's headers are longer than 64.0 KiB or more than a hundred");
    let peer = test_peers::floods(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n").await;
    assert_eq!(at(&peer, "{}").await.fault.unwrap().reason, Reason::Header);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_a_body_fault() {
    let peer = raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n".to_owned(), b"half".to_vec()).await;
    insta::assert_snapshot!(said(&at(&peer, "{}").await), @"body: the connection broke off after 4 of 100 bytes of the body");
    let reset = test_peers::serve(|mut stream| async move {
        let _ = request(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n").await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        let _ = stream.set_zero_linger();
    })
    .await;
    let fault = at(&reset, "{}").await.fault.unwrap();
    assert_eq!(fault.reason, Reason::Body, "{fault:?}");
}

#[tokio::test]
async fn says_what_speaks_on_a_port_that_is_not_http() {
    let says = async |peer: Peer| said(&at(&peer, "{}").await).replace(&peer.port().to_string(), "PORT");
    insta::assert_snapshot!(says(test_peers::says(b"\x4a\0\0\0\x0a8.0.36\0\x08\0\0\0").await).await, @"protocol_mismatch: 127.0.0.1:PORT speaks mysql 8.0.36, the URL says http");
    insta::assert_snapshot!(says(test_peers::answers(|_| Some(b"-ERR unknown command\r\n")).await).await, @"protocol_mismatch: 127.0.0.1:PORT speaks redis, the URL says http");
    insta::assert_snapshot!(says(test_peers::tls(test_peers::certificate(|_| ())).await).await, @"protocol_mismatch: 127.0.0.1:PORT speaks tls, the URL says http");
    insta::assert_snapshot!(says(test_peers::says(b"moo\r\n").await).await, @"protocol_mismatch: 127.0.0.1:PORT speaks no HTTP, it begins with `moo`");
    // PostgreSQL closes at once on what is no startup message, and answers a request for TLS.
    let postgresql = test_peers::answers(|asked| asked.starts_with(&[0, 0, 0, 8]).then_some(b"N"));
    insta::assert_snapshot!(says(postgresql.await).await, @"protocol_mismatch: 127.0.0.1:PORT speaks postgresql, the URL says http");
    let crashes =
        test_peers::answers(|asked| asked.starts_with(b"PING").then_some(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
    insta::assert_snapshot!(says(crashes.await).await, @"body: the service closed the connection without an answer");
    let nginx = page("400 Bad Request", "", "<center>The plain HTTP request was sent to HTTPS port</center>");
    insta::assert_snapshot!(says(nginx.await).await, @"protocol_mismatch: the port speaks tls, the URL says http");
}

#[tokio::test]
async fn says_that_an_https_url_leads_to_a_plain_port() {
    let plain = test_peers::answers(|_| Some(b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n"));
    let outcome = secure(&plain.await, "{}").await;
    assert_eq!(outcome.fault.as_ref().unwrap().reason, Reason::ProtocolMismatch);
    assert!(said(&outcome).contains("speaks http nginx, the URL says https"), "{}", said(&outcome));
}

#[tokio::test]
async fn refused_credentials_are_auth_and_missing_ones_are_a_status() {
    let peer = page("401 Unauthorized", "", "").await;
    assert_eq!(at(&peer, "{}").await.fault.unwrap().reason, Reason::Status);
    let keys = r#"{"basic_auth": {"username": "me", "password": "canary"}}"#;
    let outcome = at(&peer, keys).await;
    assert_eq!(outcome.fault.as_ref().unwrap().reason, Reason::Auth);
    assert!(!format!("{outcome:?}").contains("canary"));
}

#[test]
fn reads_http_dates() {
    let cases = [
        ("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777.0)),
        ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0.0)),
        ("Thu, 29 Feb 2024 12:00:00 GMT", Some(1_709_208_000.0)),
        ("yesterday", None),
        ("Sun, 06 Nov 1994", None),
    ];
    for (text, expected) in cases {
        assert_eq!(http_date(text), expected, "{text}");
    }
}

#[test]
fn a_clock_is_told_by_the_date_of_an_answer_that_is_from_no_cache() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_millis(784_111_700_900);
    let mut headers = HeaderMap::new();
    assert_eq!(clock_offset(&headers, now), None);
    headers.insert(DATE, "Sun, 06 Nov 1994 08:49:37 GMT".parse().unwrap());
    assert_eq!(clock_offset(&headers, now), Some(77.0));
    headers.insert(AGE, "0".parse().unwrap());
    assert_eq!(clock_offset(&headers, now), None, "whose clock that was nobody knows");
}

#[test]
fn each_mistake_has_its_message() {
    let says = |keys: &str| problems("http://me:pw@backend/", keys);
    insta::assert_snapshot!(says(r#"{"method": "GE T"}"#), @"method: not an HTTP method: `GE T`");
    insta::assert_snapshot!(says(r#"{"headers": {"a b": "c", "d": "e\nf"}}"#), @r"
    headers: not the name of a header: `a b`
    headers: the value of header `d` has a character that no header may have
    ");
    insta::assert_snapshot!(says(r#"{"authorization": {"credentials": "x"}}"#), @"authorization: credentials are given twice; keep one of the URL's user, `basic_auth` and `authorization`");
    insta::assert_snapshot!(says(r#"{"valid_status_codes": ["9xx"]}"#), @"valid_status_codes[0]: status codes are written `200`, `200-299`, `2xx` or a list of these, not `9xx`");
    insta::assert_snapshot!(says(r#"{"valid_http_versions": ["HTTP/2.0"]}"#), @"valid_http_versions: the agent speaks `HTTP/1.1` and hears `HTTP/1.0`, it cannot ask for `HTTP/2.0`");
    insta::assert_snapshot!(says(r#"{"fail_if_body_matches_regexp": ["("], "json": ["$.a"], "pool": {"size": "a b"}}"#), @r#"
    fail_if_body_matches_regexp: not a regular expression (found open group without closing ')'): `(`
    json: a JSON assertion is `PATH OPERATOR VALUE`, such as `$.status == "ok"` or `$.queue < 10`, not `$.a`
    pool: expected a JSON path (`$.pool.size`) or the name of a metric, not `a b`
    "#);
    insta::assert_snapshot!(says(r#"{"body_size_limit": "1GiB"}"#), @"body_size_limit: at most 16 MiB, a longer answer is no health page: `1GiB`");
    insta::assert_snapshot!(says(r#"{"compression": "br"}"#), @"compression: unknown value `br`");
    insta::assert_snapshot!(says(r#"{"pool": {"size": "a", "from": "metrics"}}"#), @"pool: `from` is a page of the same server and begins with `/`");
    insta::assert_snapshot!(says(r#"{"tls_config": {"min_version": "TLS10"}}"#), @"tls_config: TLS 1.0 and 1.1 are not in the agent's TLS library; `min_version` and `max_version` are `TLS12` or `TLS13`");
}
