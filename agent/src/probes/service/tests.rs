//! Services against scripted peers: the answers are those of the real ones, shortened. Prometheus and Alertmanager themselves are in
//! `tests/it`.

use crate::probes::net::test_peers::{self, Peer};
use crate::probes::tests::{Cases, TIMEOUT, look, problems};
use crate::probes::{Outcome, Reason};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// The six cases of a service; `polite` is a peer that is well.
macro_rules! cases {
    ($name:ident, $scheme:literal, $polite:expr) => {
        pub(in crate::probes) static $name: Cases = Cases {
            ok: Some(|| Box::pin(async { at($scheme, &$polite.await, "{}").await })),
            refused: || {
                Box::pin(async {
                    look(&format!("{}://127.0.0.1:{}", $scheme, test_peers::closed_port().await), "{}").await
                })
            },
            timeout: || Box::pin(async { at($scheme, &test_peers::silent().await, "{}").await }),
            wrong_answer: || Box::pin(async { at($scheme, &html().await, "{}").await }),
            oversize: || {
                let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
                Box::pin(async { at($scheme, &test_peers::floods(head, &[b'x'; 8192]).await, "{}").await })
            },
            slow_drip: || {
                let (tick, head) = (Duration::from_millis(50), b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n");
                Box::pin(async move { at($scheme, &test_peers::drips(head, tick).await, "{}").await })
            },
        };
    };
}

cases!(PROMETHEUS, "prometheus", prometheus(1));
cases!(ALERTMANAGER, "alertmanager", alertmanager("settling"));
cases!(GRAFANA, "grafana", grafana("200 OK", "ok"));
cases!(LOGSTASH, "logstash", logstash("green"));
cases!(CHROMA, "chroma", chroma("v2"));
cases!(OPENAI, "openai", models("200 OK", "", MODELS));
cases!(MCP, "mcp", mcp(false));

const MODELS: &str = r#"{"object": "list", "data": [{"id": "gpt-4o", "object": "model"}, {"id": "o3"}]}"#;

async fn at(scheme: &str, peer: &Peer, keys: &str) -> Outcome {
    look(&format!("{scheme}://localhost:{}", peer.port()), keys).await
}

/// A request: its first line, its head, its body.
#[derive(Clone, Debug)]
struct Asked {
    line: String,
    head: String,
    body: String,
}

/// A server that answers by what is asked, and keeps what was asked. `None` closes the connection.
async fn site(answer: impl Fn(&Asked) -> Option<String> + Send + Sync + 'static) -> (Peer, Arc<Mutex<Vec<Asked>>>) {
    let (answer, asked) = (Arc::new(answer), Arc::new(Mutex::new(Vec::new())));
    let kept = Arc::clone(&asked);
    let peer = test_peers::serve(move |mut stream| {
        let (answer, kept) = (Arc::clone(&answer), Arc::clone(&kept));
        async move {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap_or(b'\n'));
            }
            let head = String::from_utf8(head).unwrap();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            let mut body = vec![0; length.unwrap_or(0)];
            let _ = stream.read_exact(&mut body).await;
            let line = head.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1").to_owned();
            let asked = Asked { line, head, body: String::from_utf8(body).unwrap() };
            kept.lock().unwrap().push(asked.clone());
            if let Some(words) = answer(&asked) {
                let _ = stream.write_all(words.as_bytes()).await;
                if words.contains("event-stream") {
                    let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
                }
            }
        }
    })
    .await;
    (peer, asked)
}

fn page(status: &str, headers: &str, body: &str) -> Option<String> {
    Some(format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len()))
}

fn not_found() -> Option<String> {
    page("404 Not Found", "", "404 page not found")
}

async fn html() -> Peer {
    site(|_| page("200 OK", "Content-Type: text/html\r\n", "<!doctype html><title>hello</title>")).await.0
}

async fn prometheus(taken: u8) -> Peer {
    let metrics = format!(
        "prometheus_build_info{{branch=\"HEAD\",version=\"2.42.0\"}} 1\nprometheus_tsdb_head_series 1234\n\
         prometheus_config_last_reload_successful {taken}\n"
    );
    site(move |asked| match asked.line.as_str() {
        "GET /-/ready" => page("200 OK", "", "Prometheus Server is Ready.\n"),
        "GET /metrics" => page("200 OK", "", &metrics),
        _ => not_found(),
    })
    .await
    .0
}

async fn alertmanager(cluster: &'static str) -> Peer {
    site(move |asked| match asked.line.as_str() {
        "GET /-/ready" => page("200 OK", "", "OK"),
        "GET /api/v2/status" => page(
            "200 OK",
            "",
            &format!(r#"{{"cluster": {{"status": "{cluster}", "peers": [{{}}, {{}}]}}, "versionInfo": {{"version": "0.25.0"}}}}"#),
        ),
        "GET /metrics" => page("200 OK", "", "alertmanager_config_last_reload_successful 1\n"),
        _ => not_found(),
    })
    .await
    .0
}

async fn grafana(status: &'static str, database: &'static str) -> Peer {
    let health = format!(r#"{{"commit": "abc", "database": "{database}", "version": "11.2.0"}}"#);
    site(move |asked| match asked.line.as_str() {
        "GET /api/health" => page(status, "", &health),
        _ => not_found(),
    })
    .await
    .0
}

async fn logstash(status: &'static str) -> Peer {
    let report = format!(
        r#"{{"status": "{status}", "version": "8.16.0", "symptom": "1 indicator is unhealthy", "indicators": {{"pipelines":
        {{"status": "{status}", "indicators": {{"main": {{"status": "green"}}, "orders": {{"status": "{status}"}}}}}}}}}}"#
    );
    site(move |asked| match asked.line.as_str() {
        "GET /_health_report" => page("200 OK", "", &report),
        _ => not_found(),
    })
    .await
    .0
}

async fn chroma(api: &'static str) -> Peer {
    site(move |asked| match asked.line.strip_prefix(&format!("GET /api/{api}/")) {
        Some("heartbeat") => page("200 OK", "", r#"{"nanosecond heartbeat": 1764470000000000000}"#),
        Some("version") => page("200 OK", "", r#""1.3.5""#),
        _ => not_found(),
    })
    .await
    .0
}

async fn models(status: &'static str, headers: &'static str, body: &'static str) -> Peer {
    site(move |asked| if asked.line == "GET /v1/models" { page(status, headers, body) } else { not_found() }).await.0
}

/// An MCP server that answers in JSON, or in a stream of events that it leaves open.
async fn mcp(streams: bool) -> Peer {
    mcp_site(streams, "2025-06-18").await.0
}

async fn mcp_site(streams: bool, version: &'static str) -> (Peer, Arc<Mutex<Vec<Asked>>>) {
    site(move |asked| {
        if asked.line.starts_with("DELETE ") {
            return page("200 OK", "", "");
        }
        let message: serde_json::Value = serde_json::from_str(&asked.body).unwrap_or_default();
        let id = &message["id"];
        let result = match message["method"].as_str()? {
            "initialize" => format!(
                r#"{{"protocolVersion": "{version}", "capabilities": {{"tools": {{}}}}, "serverInfo": {{"name": "demo", "version": "1.2"}}}}"#
            ),
            "tools/list" if message["params"]["cursor"] == "two" => r#"{"tools": [{"name": "fetch"}]}"#.to_owned(),
            "tools/list" => r#"{"tools": [{"name": "search"}], "nextCursor": "two"}"#.to_owned(),
            _ => return page("202 Accepted", "", ""),
        };
        let answer = format!(r#"{{"jsonrpc": "2.0", "id": {id}, "result": {result}}}"#);
        let session = "Mcp-Session-Id: s-1\r\n";
        if streams {
            let event = format!(": hello\n\nevent: message\ndata: {{\"method\": \"notifications/message\"}}\n\ndata: {answer}\n\n");
            return Some(format!("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n{session}\r\n{event}"));
        }
        page("200 OK", &format!("Content-Type: application/json\r\n{session}"), &answer)
    })
    .await
}

/// Reason, message and hint.
fn said(outcome: &Outcome) -> String {
    let Some(fault) = &outcome.fault else { return "ok".to_owned() };
    let hint = fault.hint.as_ref().map_or(String::new(), |hint| format!("\nhint: {hint}"));
    format!("{}: {}{hint}", fault.reason, fault.message)
}

/// The parts and what they are called, then the notes.
fn found(outcome: &Outcome) -> String {
    let parts = outcome.readings.iter().filter(|reading| reading.metric.name == "sidecar_part_healthy");
    let parts = parts.map(|reading| format!("{} {}", reading.labels[0], reading.value));
    parts.chain(outcome.notes.iter().map(|note| format!("{}: {}", note.name, note.text))).collect::<Vec<_>>().join("; ")
}

#[tokio::test]
async fn prometheus_tells_version_series_and_configuration() {
    let good = at("prometheus", &prometheus(1).await, "{}").await;
    assert_eq!(said(&good), "ok");
    assert_eq!(found(&good), "ready 1; configuration 1; version: 2.42.0; head_series: 1234");
    insta::assert_snapshot!(said(&at("prometheus", &prometheus(0).await, "{}").await), @r"
    stale: it refused its last configuration and runs on the one before
    hint: its log names the line; mend the file and reload it
    ");
}

#[tokio::test]
async fn prometheus_under_a_path_and_not_ready_yet() {
    let (peer, _) = site(|asked| match asked.line.as_str() {
        "GET /prom/-/ready" => page("503 Service Unavailable", "", "Service Unavailable"),
        "GET /prom/-/healthy" => page("200 OK", "", "Prometheus Server is Healthy.\n"),
        _ => not_found(),
    })
    .await;
    let outcome = look(&format!("prometheus://localhost:{}/prom/", peer.port()), "{}").await;
    insta::assert_snapshot!(said(&outcome), @r"
    status: answered status 503: it lives, and is not ready: `Service Unavailable`
    hint: after a start it first reads what it wrote before; its log tells how far it is
    ");
    insta::assert_snapshot!(said(&at("prometheus", &peer, "{}").await), @r"
    status: answered status 404
    hint: is it Prometheus that answers there? what path does it stand under?
    ");
}

#[tokio::test]
async fn metrics_that_cannot_be_read_cost_no_more_than_themselves() {
    let (peer, _) = site(|asked| if asked.line == "GET /-/ready" { page("200 OK", "", "ok") } else { None }).await;
    let outcome = at("prometheus", &peer, "{}").await;
    assert_eq!(said(&outcome), "ok");
    assert!(outcome.note("own_metrics").is_some_and(|note| note.starts_with("`/metrics`: ")), "{outcome:?}");
}

#[tokio::test]
async fn alertmanager_tells_of_its_cluster() {
    let outcome = at("alertmanager", &alertmanager("settling").await, "{}").await;
    assert_eq!(found(&outcome), "ready 1; cluster 0; configuration 1; cluster: settling, 2 members; version: 0.25.0");
    let alone = at("alertmanager", &alertmanager("disabled").await, "{}").await;
    assert!(found(&alone).starts_with("ready 1; configuration 1;"), "{}", found(&alone));
}

#[tokio::test]
async fn another_service_of_the_same_family_is_named() {
    insta::assert_snapshot!(said(&at("alertmanager", &prometheus(1).await, "{}").await), @r"
    status: answered status 404
    hint: is it Alertmanager that answers there? what path does it stand under?
    ");
    let (mixed, _) = site(|asked| match asked.line.as_str() {
        "GET /-/ready" => page("200 OK", "", "OK"),
        "GET /metrics" => page("200 OK", "", "alertmanager_build_info{version=\"0.25.0\"} 1\n"),
        _ => not_found(),
    })
    .await;
    insta::assert_snapshot!(said(&at("prometheus", &mixed, "{}").await), @r"
    protocol_mismatch: alertmanager answers there, the URL says prometheus
    hint: is the port right? if it is, write the URL as `alertmanager://…`
    ");
    let tls = test_peers::tls(test_peers::certificate(|_| ())).await;
    insta::assert_snapshot!(said(&at("grafana", &tls, "{}").await).replace(&tls.address.to_string(), "ADDRESS"), @r"
    protocol_mismatch: ADDRESS speaks tls, the URL says grafana
    hint: write the URL as `grafana+https://…`
    ");
}

#[tokio::test]
async fn grafana_without_its_database_says_so() {
    let good = at("grafana", &grafana("200 OK", "ok").await, "{}").await;
    assert_eq!(found(&good), "database 1; version: 11.2.0");
    let ill = at("grafana", &grafana("503 Service Unavailable", "failing").await, "{}").await;
    assert_eq!(found(&ill), "database 0; version: 11.2.0");
    insta::assert_snapshot!(said(&ill), @r"
    status: it is up and calls its database `failing`
    hint: its log says why; is the database of `GF_DATABASE_URL` up, or the disk of its SQLite file full?
    ");
}

#[tokio::test]
async fn logstash_is_red_by_its_pipelines() {
    let green = at("logstash", &logstash("green").await, "{}").await;
    assert_eq!(found(&green), "main 1; orders 1; version: 8.16.0; symptom: 1 indicator is unhealthy; status: green");
    assert_eq!(said(&at("logstash", &logstash("yellow").await, "{}").await), "ok");
    insta::assert_snapshot!(said(&at("logstash", &logstash("red").await, "{}").await), @r"
    status: it calls itself red, by its pipelines orders
    hint: `/_health_report` names the cause and what to do; or see its log
    ");
    let (before, _) = site(|asked| match asked.line.as_str() {
        "GET /" => page("200 OK", "", r#"{"version": "8.10.0", "status": "green"}"#),
        _ => not_found(),
    })
    .await;
    assert_eq!(found(&at("logstash", &before, "{}").await), "version: 8.10.0; status: green");
}

#[tokio::test]
async fn chroma_answers_by_either_api() {
    for api in ["v2", "v1"] {
        let outcome = at("chroma", &chroma(api).await, "{}").await;
        assert_eq!((said(&outcome).as_str(), found(&outcome)), ("ok", format!("api: {api}; version: 1.3.5")));
    }
}

#[tokio::test]
async fn a_key_goes_along_and_models_are_counted() {
    let (peer, asked) = site(|_| page("200 OK", "", MODELS)).await;
    for url in [
        format!("openai://:sk-one@localhost:{}", peer.port()),
        format!("openai+http://sk-one@127.0.0.1:{}/v1/", peer.port()),
    ] {
        let outcome = look(&url, r#"{"models": ["o3"]}"#).await;
        assert_eq!((said(&outcome).as_str(), found(&outcome)), ("ok", "models: 2: gpt-4o, o3".to_owned()));
    }
    let outcome =
        look(&format!("openai://localhost:{}", peer.port()), r#"{"key": "sk-one", "models": ["o3", "o9"]}"#).await;
    insta::assert_snapshot!(said(&outcome), @r"
    body: of the 2 models listed none is `o9`
    hint: was it withdrawn, or may this key not use it?
    ");
    for asked in asked.lock().unwrap().iter() {
        assert_eq!(asked.line, "GET /v1/models");
        assert!(asked.head.contains("authorization: Bearer sk-one\r\n"), "{asked:?}");
    }
}

#[tokio::test]
async fn a_key_that_is_not_taken_is_not_repeated() {
    let wrong = r#"{"error": {"message": "Incorrect API key provided: sk-one", "code": "invalid_api_key"}}"#;
    let outcome = at("openai", &models("401 Unauthorized", "", wrong).await, r#"{"key": "sk-one"}"#).await;
    insta::assert_snapshot!(said(&outcome), @r"
    auth: answered status 401 (invalid_api_key): the key is not taken
    hint: was it revoked, and is it of this service and organisation?
    ");
    insta::assert_snapshot!(said(&at("openai", &models("401 Unauthorized", "", "{}").await, "{}").await), @r"
    auth: answered status 401: it wants a key
    hint: give it by `key: ${OPENAI_API_KEY}`, or as the URL's password
    ");
    let limited =
        models("429 Too Many Requests", "Retry-After: 20\r\n", r#"{"error": {"type": "insufficient_quota"}}"#).await;
    insta::assert_snapshot!(said(&at("openai", &limited, "{}").await), @r"
    saturated: answered status 429 (insufficient_quota): too many requests, or no money left
    hint: it asks to come again after 20 s
    ");
    let echo = models("200 OK", "", "sk-one is no JSON").await;
    assert!(!said(&at("openai", &echo, r#"{"key": "sk-one"}"#).await).contains("sk-one"));
}

#[test]
fn a_key_that_cannot_be_one_is_refused_before_it_is_sent() {
    for (url, key, expected) in [
        ("openai://", "sk-proj-abc", ""),
        ("openai://localhost:11434", "ollama", ""),
        ("openai://llm.corp.example/v1", "sk-ant-abc", ""),
        ("openai://api.deepseek.com/v1", "sk-abc", ""),
        ("openai://api.groq.com/openai/v1", "gsk_abc", ""),
        (
            "openai://",
            "sk-ant-abc",
            "key: the key has the form of one of Anthropic, the host is `api.openai.com`; it is not sent there",
        ),
        (
            "openai://api.groq.com/openai/v1",
            "sk-abc",
            "key: the key has the form of one of OpenAI, the host is `api.groq.com`; it is not sent there",
        ),
        ("openai://", "Bearer sk-abc", "key: the key has a space or line break in it, or begins with `Bearer`"),
        ("openai://", "sk-abc\\n", "key: the key has a space or line break in it, or begins with `Bearer`"),
        ("openai://", "your-api-key", "key: the key is a placeholder"),
        ("openai://", "<key>", "key: the key has quotes, brackets or a sign that no key has"),
        ("openai://:a@h", "b", "key: the key is given twice, in the URL and beside it"),
    ] {
        assert_eq!(problems(url, &format!(r#"{{"key": "{key}"}}"#)), expected, "{url} {key}");
    }
}

#[tokio::test]
async fn mcp_answers_in_json_or_in_a_stream_without_end() {
    for streams in [false, true] {
        let (peer, asked) = mcp_site(streams, "2025-03-26").await;
        let outcome = at("mcp", &peer, r#"{"tools": ["fetch"], "token": "t"}"#).await;
        assert_eq!(said(&outcome), "ok", "{streams}");
        assert_eq!(found(&outcome), "protocol: 2025-03-26; server: demo 1.2; tools: 2: search, fetch");
        let asked = asked.lock().unwrap();
        let lines: Vec<_> = asked.iter().map(|asked| asked.line.as_str()).collect();
        assert_eq!(lines, ["POST /mcp", "POST /mcp", "POST /mcp", "POST /mcp", "DELETE /mcp"]);
        assert!(asked.iter().all(|asked| asked.head.contains("authorization: Bearer t\r\n")));
        for asked in asked.iter().skip(1) {
            let head = &asked.head;
            assert!(
                head.contains("mcp-session-id: s-1\r\n") && head.contains("mcp-protocol-version: 2025-03-26\r\n"),
                "{head}"
            );
        }
    }
}

#[tokio::test]
async fn mcp_tells_what_is_missing_or_refused() {
    insta::assert_snapshot!(said(&at("mcp", &mcp(true).await, r#"{"tools": ["search", "pay"]}"#).await), @r"
    body: of the 2 tools offered none is `pay`
    hint: was it renamed, or is the server of another version?
    ");
    insta::assert_snapshot!(said(&at("mcp", &mcp_site(false, "1999-01-01").await.0, "{}").await), @r"
    protocol_mismatch: the server speaks version `1999-01-01` of the protocol
    hint: known here: 2025-11-25, 2025-06-18, 2025-03-26, 2024-11-05
    ");
    let (refuses, _) = site(|_| page("200 OK", "", r#"{"id": 1, "error": {"code": -32602, "message": "no"}}"#)).await;
    assert_eq!(said(&at("mcp", &refuses, "{}").await), "body: refused `initialize` with error -32602: `no`");
    let (shut, _) = site(|_| page("401 Unauthorized", "", "")).await;
    assert_eq!(at("mcp", &shut, "{}").await.fault.unwrap().reason, Reason::Auth);
}

#[tokio::test]
async fn rude_answers_end_before_the_deadline_with_a_reason() {
    let bomb = {
        use std::io::Write as _;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(&vec![b' '; 8 << 20]).unwrap();
        encoder.finish().unwrap()
    };
    let head = |headers: &str, length: usize| {
        format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: {length}\r\n\r\n").into_bytes()
    };
    let answers: [(&str, Vec<u8>); 5] = [
        ("a gzip bomb", [head("Content-Encoding: gzip\r\n", bomb.len()), bomb].concat()),
        ("deep nesting", [head("", 100_000), b"[".repeat(100_000)].concat()),
        ("no UTF-8", [head("", 4), b"\xff\xfe\"\xff".to_vec()].concat()),
        ("cut off", [head("", 4000), b"{\"status\":".to_vec()].concat()),
        ("an endless head", [b"HTTP/1.1 200 OK\r\n".to_vec(), b"X: y\r\n".repeat(20_000)].concat()),
    ];
    for (name, words) in answers {
        let words: &'static [u8] = words.leak();
        let peer = test_peers::answers(move |_| Some(words)).await;
        for scheme in ["grafana", "logstash", "chroma", "openai", "mcp"] {
            let outcome = at(scheme, &peer, "{}").await;
            let fault = outcome.fault.unwrap_or_else(|| panic!("{scheme}: {name}"));
            assert!(matches!(fault.reason, Reason::Body | Reason::Header), "{scheme}: {name}: {fault:?}");
            assert!(outcome.took < TIMEOUT, "{scheme}: {name}: {:?}", outcome.took);
        }
    }
}

#[tokio::test]
async fn a_stream_of_events_that_never_answers_is_late_or_too_long() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
    let pings = test_peers::drips(head, Duration::from_millis(20)).await;
    assert_eq!(at("mcp", &pings, "{}").await.fault.unwrap().reason, Reason::Timeout);
    let floods = test_peers::floods(head, b"data: {\"method\": \"x\"}\n\n").await;
    let fault = at("mcp", &floods, "{}").await.fault.unwrap();
    assert!(matches!(fault.reason, Reason::Body | Reason::Timeout), "{fault:?}");
}

#[test]
fn an_ending_of_the_scheme_that_says_nothing_or_the_contrary_is_refused() {
    for scheme in ["prometheus", "alertmanager", "grafana", "logstash", "chroma", "mcp", "openai"] {
        let said = problems(&format!("{scheme}+ftp://h:1"), "{}");
        assert!(said.starts_with("url: the ending `+ftp` of the scheme says nothing here"), "{said}");
        let said = problems(&format!("{scheme}+http://h:1"), r#"{"tls": true}"#);
        assert_eq!(said, "tls: the ending of the URL's scheme says the contrary");
        for good in ["+https", "+http", ""] {
            assert_eq!(problems(&format!("{scheme}{good}://h:1"), "{}"), "", "{scheme}{good}");
        }
        assert_eq!(problems(&format!("{scheme}+https://h:1"), r#"{"tls": true}"#), "");
    }
}
