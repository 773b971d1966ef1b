//! A planted secret is searched in everything that comes out: pages, logs, probe output, errors.

use std::io::{Read as _, Write as _};
use std::time::Duration;
use tests::agent::Agent;
use tests::program::finish;
use tests::wait_for;

const CANARY: &str = "c4nary-Pa55word";
/// `app` with it, as basic authentication sends both.
const BASIC: &str = "YXBwOmM0bmFyeS1QYTU1d29yZA";

fn nobody() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").to_string()
}

#[test]
fn no_page_or_log_shows_a_password() {
    let folder = tempfile::tempdir().expect("a folder");
    let dead = nobody();
    let text = format!(
        "checks:\n\
         \x20 - {{name: pg, url: \"postgres://app:{CANARY}@{dead}/shop\", interval: 1s, timeout: 1s}}\n\
         \x20 - {{name: my, url: \"mysql://app:{CANARY}@{dead}/shop\", interval: 1s, timeout: 1s}}\n\
         \x20 - {{name: cache, url: \"redis://:{CANARY}@{dead}/0\", interval: 1s, timeout: 1s}}\n\
         \x20 - {{name: web, url: \"http://app:{CANARY}@{dead}/\", interval: 1s, timeout: 1s, headers: {{X-Api-Key: {CANARY}}}}}\n\
         \x20 - {{name: live, url: \"ws://app:{CANARY}@{dead}/\", interval: 1s, timeout: 1s}}\n\
         \x20 - {{name: calls, url: \"grpc://{dead}\", interval: 1s, timeout: 1s, metadata: {{authorization: {CANARY}}}}}\n\
         \x20 - {{name: llm, url: \"openai+http://{dead}\", interval: 1s, timeout: 1s, key: {CANARY}}}\n\
         \x20 - {{name: tools, url: \"mcp://{dead}\", interval: 1s, timeout: 1s, token: {CANARY}}}\n\
         \x20 - {{name: graphs, url: \"grafana://app:{CANARY}@{dead}\", interval: 1s, timeout: 1s}}\n\
         \x20 - {{name: vectors, url: \"chroma://{dead}\", interval: 1s, timeout: 1s, headers: {{X-Chroma-Token: {CANARY}}}}}\n\
         \x20 - {{name: own, url: \"metrics://{dead}\", interval: 1s, timeout: 1s, authorization: {{credentials: {CANARY}}}}}\n\
         \x20 - {{name: scrapes, url: \"prometheus+https://app:{CANARY}@{dead}\", interval: 1s, timeout: 1s}}\n\
         \x20 - {{name: proxy, url: \"nginx://app:{CANARY}@{dead}\", interval: 1s, timeout: 1s}}\n\
         \x20 - {{name: mail, url: \"smtp://app:{CANARY}@{dead}\", interval: 1s, timeout: 1s}}\n\
         \x20 - {{name: zone, url: \"dns://app:{CANARY}@{dead}/example.org\", interval: 1s, timeout: 1s}}\n\
         \x20 - {{name: dialogue, url: \"tcp://{dead}\", interval: 1s, timeout: 1s, query_response: [{{send: {CANARY}}}]}}\n"
    );
    let path = folder.path().join("agent.yml");
    std::fs::write(&path, text).expect("written");
    let agent = Agent::start(&["--config", &path.to_string_lossy(), "--log.level", "debug"]);
    let new =
        ["live", "calls", "llm", "tools", "graphs", "vectors", "own", "scrapes", "proxy", "mail", "zone", "dialogue"];
    for check in ["pg", "my", "cache", "web"].into_iter().chain(new) {
        agent.wait_sample(&format!("sidecar_check_up{{check=\"{check}\"}}"), 0.0);
    }
    for page in ["/metrics", "/health", "/ready", "/live", "/diagnostics", "/config", "/sd", "/"] {
        assert!(!agent.page(page).body.contains(CANARY), "{page}");
    }
    assert!(!agent.running.said().contains(CANARY), "the log");
}

/// A server that repeats whatever it is told, as an error of RESP or as a status, headers and page of HTTP.
fn repeating() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut told = [0; 4096];
            let Ok(count) = stream.read(&mut told) else { continue };
            let told = String::from_utf8_lossy(told.get(..count).unwrap_or_default()).into_owned();
            let line = told.replace(|c: char| c.is_control(), " ");
            let answer = if told.starts_with('*') {
                format!("-WRONGPASS {line}\r\n")
            } else {
                format!("HTTP/1.1 500 {line}\r\nserver: {line}\r\ncontent-length: {}\r\n\r\n{told}", told.len())
            };
            let _gone = stream.write_all(answer.as_bytes());
        }
    });
    address
}

/// Every text in a value, whatever it is called.
fn texts(value: &serde_json::Value, found: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) => found.push(text.clone()),
        serde_json::Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        serde_json::Value::Object(entries) => entries.values().for_each(|item| texts(item, found)),
        _ => {}
    }
}

#[test]
fn no_field_of_a_cause_shows_a_password_that_a_server_repeats() {
    let folder = tempfile::tempdir().expect("a folder");
    let there = repeating();
    let words = "interval: 1s, timeout: 900ms, fail_after: 1";
    let text = format!(
        "checks:\n\
         \x20 - {{name: cache, url: \"redis://:{CANARY}@{there}/0\", {words}}}\n\
         \x20 - {{name: web, url: \"http://app:{CANARY}@{there}/\", {words}, headers: {{X-Api-Key: {CANARY}}}}}\n\
         \x20 - {{name: live, url: \"ws://app:{CANARY}@{there}/\", {words}}}\n\
         \x20 - {{name: llm, url: \"openai+http://{there}\", {words}, key: {CANARY}}}\n\
         \x20 - {{name: tools, url: \"mcp://{there}\", {words}, token: {CANARY}}}\n\
         \x20 - {{name: vectors, url: \"chroma://{there}\", {words}, headers: {{X-Chroma-Token: {CANARY}}}}}\n\
         \x20 - {{name: dialogue, url: \"tcp://{there}\", {words}, query_response: [{{send: {CANARY}}}, {{expect: never}}]}}\n"
    );
    let path = folder.path().join("agent.yml");
    std::fs::write(&path, text).expect("written");
    let agent = Agent::start(&["--config", &path.to_string_lossy()]);
    for check in ["cache", "web", "live", "llm", "tools", "vectors", "dialogue"] {
        let named = || agent.page("/metrics").body.contains(&format!("subject=\"{check}\"")).then_some(());
        wait_for(&format!("a cause of `{check}`"), Duration::from_secs(20), named);
    }
    let page = agent.page("/diagnostics").json();
    let mut said = Vec::new();
    texts(&page["causes"], &mut said);
    assert!(page["causes"].as_array().is_some_and(|causes| causes.len() >= 7), "{page:#}");
    let bad = said.iter().filter(|text| text.contains(CANARY) || text.contains(BASIC));
    let bad: Vec<&str> = bad.map(String::as_str).collect();
    assert_eq!(bad, [""; 0]);
}

#[test]
fn the_open_pages_name_no_host_or_address() {
    let dead = nobody();
    let agent = Agent::start(&["--peer", &format!("http://{dead}/health"), "--check", &format!("db=tcp://{dead}")]);
    agent.wait_sample("sidecar_check_up{check=\"db\"}", 0.0);
    for page in ["/metrics", "/health", "/ready", "/live", "/"] {
        assert!(!agent.page(page).body.contains(&dead), "{page}");
    }
    assert!(agent.page("/diagnostics").body.contains(&dead), "the restricted page tells loopback");
}

#[test]
fn no_error_shows_a_password() {
    let dead = nobody();
    for url in [
        format!("postgres://app:{CANARY}@{dead}/shop"),
        format!("mysql://app:{CANARY}@{dead}/shop"),
        format!("redis://:{CANARY}@{dead}/0"),
        format!("https://app:{CANARY}@{dead}/"),
        format!("wss://app:{CANARY}@{dead}/"),
        format!("openai://:{CANARY}@{dead}/"),
        format!("openai://{CANARY}@{dead}/"),
        format!("openai://:Bearer-{CANARY}@{dead}/"),
        format!("mcp://app:{CANARY}@{dead}/?token={CANARY}"),
        format!("postgres://app:{CANARY}@h:port/shop"),
        format!("gopher://app:{CANARY}@h/"),
    ] {
        let ended = finish("agent", &["probe", "--debug", &url]);
        assert_ne!(ended.code, 0, "{url}");
        assert!(!ended.stdout.contains(CANARY) && !ended.stderr.contains(CANARY), "{}{}", ended.stdout, ended.stderr);
    }
}

/// User, password and query of a URL of every kind, also where a kind has no use for them.
#[test]
fn no_kind_shows_what_its_url_holds() {
    let dead = nobody();
    let reference = finish("agent", &["reference"]).stdout;
    let lines = reference.lines().filter_map(|line| line.strip_prefix("Schemes: "));
    let schemes: Vec<&str> = lines.flat_map(|line| line.split(' ')).map(|word| word.trim_matches(['`', ':'])).collect();
    assert!(schemes.len() > 25, "{schemes:?}");
    for scheme in schemes {
        let url = format!("{scheme}://app:{CANARY}@{dead}/x?token={CANARY}&password={CANARY}&key={CANARY}");
        for words in [&["probe", "--debug", &url][..], &["check", "--check", &format!("x={url}")]] {
            let ended = finish("agent", words);
            assert!(
                !ended.stdout.contains(CANARY) && !ended.stderr.contains(CANARY),
                "{}{}",
                ended.stdout,
                ended.stderr
            );
        }
    }
}
