//! The checks of services on real ones: gRPC, WebSocket and MCP servers from PyPI, Prometheus and Alertmanager from Debian.

use std::process::Command;
use tests::program::finish;
use tests::servers::alertmanager::{Alertmanager, Start};
use tests::servers::prometheus::Prometheus;
use tests::{python, skipped};

/// What `agent probe` prints, and how it ended.
fn probe(url: &str) -> (String, i32) {
    let finished = finish("agent", &["probe", url]);
    (format!("{}{}", finished.stdout, finished.stderr), finished.code)
}

fn says(url: &str, code: i32, parts: &[&str]) {
    let (said, ended) = probe(url);
    assert_eq!(ended, code, "{url}\n{said}");
    // How columns are padded is nobody's promise.
    let packed = packed(&said);
    for part in parts {
        assert!(packed.contains(part), "{part} of {url}\n{said}");
    }
}

/// Runs of spaces as one, and none at the beginning of a line.
fn packed(text: &str) -> String {
    text.lines()
        .map(|line| line.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ") + "\n")
        .collect()
}

/// A key and a certificate for localhost, made by openssl.
fn pair(folder: &std::path::Path) -> Result<(String, String), String> {
    let (key, certificate) = (folder.join("key.pem"), folder.join("certificate.pem"));
    let mut command = Command::new("openssl");
    command.args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "90",
    ]);
    command.args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]);
    command.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
    command.arg("-keyout").arg(&key).arg("-out").arg(&certificate);
    let made = command.output().map_err(|error| format!("openssl: {error}"))?;
    let shown = |path: &std::path::Path| path.display().to_string();
    made.status.success().then(|| (shown(&key), shown(&certificate))).ok_or_else(|| format!("openssl: {made:?}"))
}

#[test]
fn a_real_grpc_server_is_asked_in_plain_and_over_tls() {
    let name = "a_real_grpc_server_is_asked_in_plain_and_over_tls";
    let folder = tempfile::tempdir().expect("a folder");
    let (key, certificate) = match pair(folder.path()) {
        Ok(pair) => pair,
        Err(why) => return skipped(name, &why),
    };
    let (_server, ports) = match python::start("grpc_server.py", "grpc_health", &[&key, &certificate]) {
        Ok(started) => started,
        Err(why) => return skipped(name, &why),
    };
    let [plain, secure, bare] = ports.as_slice() else { panic!("{ports:?}") };
    let serving = "probe_grpc_healthcheck_response{serving_status=\"SERVING\"} 1";
    says(&format!("grpc://127.0.0.1:{plain}"), 0, &[serving, "probe_grpc_status_code 0"]);
    says(&format!("grpc://127.0.0.1:{plain}/shop.Cart"), 0, &[serving]);
    says(&format!("grpc://127.0.0.1:{plain}/shop.Pay"), 1, &["status\nthe service `shop.Pay` says NOT_SERVING"]);
    says(&format!("grpc://127.0.0.1:{plain}?service=no.Such"), 1, &["config\n", "knows no `no.Such`"]);
    says(&format!("grpc://127.0.0.1:{bare}"), 1, &["UNIMPLEMENTED (12)", "register `grpc.health.v1.Health`"]);
    says(&format!("grpc://127.0.0.1:{secure}"), 1, &["speaks tls, the URL says grpc", "`grpcs://…`"]);
    let config = folder.path().join("agent.yml");
    let check = format!(
        "checks:\n  - {{name: cart, url: 'grpcs://localhost:{secure}', interval: 1s, tls_config: {{ca_file: {certificate}}}}}\n"
    );
    std::fs::write(&config, &check).expect("a file");
    let agent = tests::agent::Agent::with_config(folder.path(), &check);
    agent.wait_sample("probe_grpc_ssl{check=\"cart\"}", 1.0);
    agent.wait_sample("probe_success{check=\"cart\"}", 1.0);
    // The same pair on disk.
    says(&format!("cert://{certificate}?key_file={key}"), 0, &["key belongs to it"]);
    says(&format!("cert://{certificate}?expires_after=100d"), 1, &["stale\n", "less than 100d are left"]);
}

#[test]
fn a_real_websocket_server_holds_a_dialogue() {
    let (_server, ports) = match python::start("websocket_server.py", "websockets", &[]) {
        Ok(started) => started,
        Err(why) => return skipped("a_real_websocket_server_holds_a_dialogue", &why),
    };
    let port = ports.first().expect("a port");
    says(&format!("ws://127.0.0.1:{port}/"), 0, &["probe_websocket_status_code 101"]);
    let folder = tempfile::tempdir().expect("a folder");
    let agent = tests::agent::Agent::with_config(
        folder.path(),
        &format!(
            "checks:\n  - name: echo\n    url: ws://127.0.0.1:{port}/\n    interval: 1s\n    query_response:\n      \
             - {{expect: 'to the (\\w+)', send: 'hello ${{1}}'}}\n      - {{expect: '^hello echo$'}}\n"
        ),
    );
    agent.wait_sample("probe_success{check=\"echo\"}", 1.0);
    agent.wait_sample("probe_websocket_connection_upgraded{check=\"echo\"}", 1.0);
}

#[test]
fn a_real_mcp_server_lists_its_tools_in_json_and_in_events() {
    for form in ["json", "events"] {
        let (_server, ports) = match python::start("mcp_server.py", "mcp.server.mcpserver", &[form]) {
            Ok(started) => started,
            Err(why) => return skipped("a_real_mcp_server_lists_its_tools_in_json_and_in_events", &why),
        };
        let port = ports.first().expect("a port");
        let listening = || std::net::TcpStream::connect(("127.0.0.1", *port)).ok();
        drop(tests::wait_for("the MCP server", std::time::Duration::from_secs(20), listening));
        says(&format!("mcp://127.0.0.1:{port}"), 0, &["server demo 1.2", "tools 2: search, fetch"]);
        says(&format!("mcp://127.0.0.1:{port}/mcp?tools=pay"), 1, &["body\n", "none is `pay`"]);
    }
}

#[test]
fn real_prometheus_and_alertmanager_are_told_apart() {
    let name = "real_prometheus_and_alertmanager_are_told_apart";
    let started = Start::new(&[], &[]).map_err(|error| error.to_string());
    let (prometheus, alertmanager) = match (Prometheus::start("127.0.0.1:1"), started.and_then(Alertmanager::start)) {
        (Ok(prometheus), Ok(alertmanager)) => (prometheus, alertmanager),
        (Err(why), _) | (_, Err(why)) => return skipped(name, &why),
    };
    let at = |scheme: &str, url: &str| url.replacen("http", scheme, 1);
    let taken = "sidecar_part_healthy{service=\"configuration\"} 1";
    says(&at("prometheus", &prometheus.url), 0, &["head_series ", taken]);
    says(&at("alertmanager", &alertmanager.url), 0, &["cluster disabled", taken]);
    says(&at("prometheus", &alertmanager.url), 1, &["alertmanager answers there, the URL says prometheus"]);
    says(&at("grafana", &prometheus.url), 1, &["is it Grafana that answers there?"]);
}
