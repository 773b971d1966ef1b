//! blackbox_exporter's modules held against our checks of the same peers: same verdict, names, labels, types and values.

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tests::agent::Agent;
use tests::compare::{Gaps, Page, What, compare};
use tests::http::get;
use tests::servers::exporter::Exporter;
use tests::servers::nginx::Nginx;
use tests::servers::{free_port, installed};
use tests::skipped;

#[path = "compare_blackbox/peers.rs"]
mod peers;

/// A module of theirs and a check of ours of one peer: name, theirs after `prober:`, their target, our URL, our keys.
#[derive(Clone)]
struct Case {
    name: &'static str,
    module: String,
    target: String,
    check: String,
}

fn case(name: &'static str, module: impl Into<String>, target: impl Into<String>, check: impl Into<String>) -> Case {
    Case { name, module: module.into(), target: target.into(), check: check.into() }
}

/// A self-signed certificate for `localhost`, and its key.
fn certificate(folder: &Path) -> Result<(String, String), String> {
    let openssl = installed("openssl")?;
    let [crt, key] = ["tls.crt", "tls.key"].map(|name| folder.join(name).display().to_string());
    let mut command = Command::new(openssl);
    command.args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "30",
    ]);
    command.args(["-subj", "/O=tests/CN=localhost", "-addext", "subjectAltName=DNS:localhost,DNS:other.example"]);
    let output = command.args(["-keyout", &key, "-out", &crt]).output().map_err(|error| error.to_string())?;
    if output.status.success() { Ok((crt, key)) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

const LOCATIONS: &str = "location = / { default_type text/plain; return 200 'all is well'; } \
    location = /moved { return 301 /; } location = /missing { return 404; }";

fn http_cases(http: &str, https: u16, ca: &str) -> Vec<Case> {
    let ip4 = "preferred_ip_protocol: ip4";
    let tls = format!("tls_config: {{ca_file: {ca}}}");
    let secure = format!("https://localhost:{https}/");
    let http = http.replace("127.0.0.1", "localhost");
    let plain = |name, keys: &str, path: &str| {
        let separator = if keys.is_empty() { "" } else { ", " };
        let module = format!("http\n    http: {{{ip4}{separator}{keys}}}");
        case(name, module, format!("{http}{path}"), format!("url: \"{http}{path}\", {ip4}{separator}{keys}"))
    };
    let mut all = vec![
        plain("http-ok", "", "/"),
        plain("http-status", "", "/missing"),
        plain("http-status-wanted", "valid_status_codes: [404]", "/missing"),
        plain("http-redirect", "", "/moved"),
        plain("http-redirect-not-followed", "follow_redirects: false, valid_status_codes: [301]", "/moved"),
        plain("http-body", "fail_if_body_not_matches_regexp: [\"is ill\"]", "/"),
        plain("http-body-wanted", "fail_if_body_matches_regexp: [\"is ill\"]", "/"),
        plain("http-not-tls", "fail_if_not_ssl: true", "/"),
        plain("http-version", "valid_http_versions: [\"HTTP/1.0\"]", "/"),
        plain("http-method", "method: POST, body: hello", "/"),
    ];
    let closed = format!("http://127.0.0.1:{}/", free_port());
    all.push(case("http-refused", "http", closed.clone(), format!("url: \"{closed}\"")));
    let module = format!("http\n    http: {{{ip4}, enable_http2: false, {tls}}}");
    all.push(case("https-ok", module, secure.clone(), format!("url: \"{secure}\", {ip4}, {tls}")));
    let module = format!("http\n    http: {{{ip4}}}");
    all.push(case("https-unknown-issuer", module, secure.clone(), format!("url: \"{secure}\", {ip4}")));
    all
}

fn tcp_cases(https: u16, ca: &str, peers: &peers::Peers) -> Vec<Case> {
    let tls = format!("tls_config: {{ca_file: {ca}}}");
    let at = |port: u16| {
        (format!("localhost:{port}"), format!("url: \"tcp://localhost:{port}\", preferred_ip_protocol: ip4"))
    };
    let both = |name, port: u16, keys: &str| {
        let (target, check) = at(port);
        let separator = if keys.is_empty() { "" } else { ", " };
        let module = format!("tcp\n    tcp: {{preferred_ip_protocol: ip4{separator}{keys}}}");
        case(name, module, target, format!("{check}{separator}{keys}"))
    };
    let smtp = "query_response: [{expect: \"^220 ([^ ]+) ESMTP\", send: \"EHLO tests\\r\"}, {expect: \"^250[ -]STARTTLS\", send: \"STARTTLS\\r\"}, \
                {expect: \"^220\"}, {starttls: true}, {send: \"GET / HTTP/1.0\\r\\n\\r\"}, {expect: \"^HTTP/1.1 200\"}]";
    vec![
        both("tcp-ok", peers.smtp, ""),
        both("tcp-refused", free_port(), ""),
        both("tcp-tls", https, &format!("tls: true, {tls}")),
        both("tcp-tls-unknown-issuer", https, "tls: true"),
        both("tcp-dialogue", peers.smtp, "query_response: [{expect: \"^220 \", send: QUIT}]"),
        both("tcp-dialogue-missed", peers.smtp, "query_response: [{send: QUIT}, {expect: \"^SSH-2.0-\"}]"),
        both("smtp-starttls", peers.smtp, &format!("{smtp}, {tls}")),
    ]
}

fn dns_cases(peers: &peers::Peers) -> Vec<Case> {
    let both = |name, keys: &str| {
        let keys = format!("preferred_ip_protocol: ip4, {keys}");
        let module = format!("dns\n    dns: {{{keys}}}");
        case(
            name,
            module,
            format!("127.0.0.1:{}", peers.dns),
            format!("url: \"dns://127.0.0.1:{}\", {keys}", peers.dns),
        )
    };
    let text = |pattern: &str| format!("query_name: shop.example, query_type: A, validate_answer_rrs: {{{pattern}}}");
    vec![
        both("dns-udp", "query_name: shop.example, query_type: A"),
        both("dns-tcp", "query_name: shop.example, query_type: A, transport_protocol: tcp"),
        both("dns-any", "query_name: shop.example, query_type: ANY"),
        both("dns-soa", "query_name: shop.example, query_type: SOA"),
        both("dns-no-name", "query_name: nobody.example, query_type: A"),
        both("dns-no-name-wanted", "query_name: nobody.example, query_type: A, valid_rcodes: [NXDOMAIN]"),
        both("dns-matches", &text("fail_if_matches_regexp: [\"192.0.2.2\"]")),
        both("dns-not-matches", &text("fail_if_not_matches_regexp: [\"^shop.example.\\t60\\tIN\\tA\\t192\"]")),
        both("dns-none-matches", &text("fail_if_none_matches_regexp: [\"192.0.2.9\"]")),
        both(
            "dns-txt",
            "query_name: shop.example, query_type: TXT, validate_answer_rrs: {fail_if_none_matches_regexp: [\"^shop.example.\\t60\\tIN\\tTXT\\t\\\"a \\\\\\\\\\\"b\\\" \\\"\\\\\\\\255\\\"$\"]}",
        ),
        both(
            "dns-empty-section",
            "query_name: shop.example, query_type: A, validate_additional_rrs: {fail_if_not_matches_regexp: [\"x\"]}",
        ),
    ]
}

/// All of theirs and all of ours, each series with the name of its case.
fn pages(cases: &[Case], folder: &Path) -> Result<(Page, Page), String> {
    let modules: String =
        cases.iter().map(|case| format!("  {}:\n    timeout: 2s\n    prober: {}\n", case.name, case.module)).collect();
    let file = folder.join("blackbox.yml");
    std::fs::write(&file, format!("modules:\n{modules}")).map_err(|error| error.to_string())?;
    let port = free_port();
    let listen = format!("--web.listen-address=127.0.0.1:{port}");
    let config = format!("--config.file={}", file.display());
    let exporter = Exporter::start("prometheus-blackbox-exporter", port, &[&listen, &config], &[])?;
    let checks: String = cases
        .iter()
        .map(|case| format!("  - {{name: {}, interval: 30s, timeout: 2s, {}}}\n", case.name, case.check))
        .collect();
    let agent = Agent::with_config(folder, &format!("checks:\n{checks}"));
    let (mut theirs, mut ours) = (Page::default(), Page::default());
    for case in cases {
        let ran = || agent.sample(&format!("probe_success{{check=\"{}\"}}", case.name));
        tests::wait_for(case.name, Duration::from_secs(20), ran);
    }
    let mine = Page::read(&agent.page("/metrics").body);
    for case in cases {
        let url = exporter.url.replace("/metrics", &format!("/probe?module={}&target={}", case.name, case.target));
        let page = Page::read(&get(&url)?.body);
        theirs.take(page.with("case", case.name));
        ours.take(mine.of("check", case.name).with("case", case.name));
    }
    Ok((theirs, ours))
}

/// Figures that two looks cannot have in common.
fn moves(name: &str) -> bool {
    name.ends_with("_duration_seconds") || name.ends_with("_lookup_time_seconds") || name == "probe_timeout_seconds"
}

/// The comparison allows moving figures; of those that stand still, each must be the same.
fn differing(theirs: &Page, ours: &Page, gaps: &Gaps) -> Vec<String> {
    let mut found = Vec::new();
    for name in theirs.names().into_iter().filter(|name| !moves(name)) {
        for series in theirs.series_of(name) {
            let same = |other: &&tests::compare::Series| {
                series.labels.iter().all(|(label, value)| other.labels.get(label) == Some(value))
            };
            let Some(mine) = ours.series_of(name).find(same) else { continue };
            if (mine.value - series.value).abs() > 1e-9 && !gaps.excuses(name, What::Value) {
                found.push(format!("{name}{:?}: theirs {}, ours {}", series.labels, series.value, mine.value));
            }
        }
    }
    found
}

#[test]
fn every_figure_of_blackbox_exporter_stands_on_our_page() {
    let name = "every_figure_of_blackbox_exporter_stands_on_our_page";
    let folder = tempfile::tempdir().expect("a folder");
    let started = (|| {
        installed("prometheus-blackbox-exporter")?;
        let (crt, key) = certificate(folder.path())?;
        let https = free_port();
        let tls = format!("listen 127.0.0.1:{https} ssl; ssl_certificate {crt}; ssl_certificate_key {key};");
        Ok::<_, String>((Nginx::start(&format!("{tls} {LOCATIONS}"))?, https, crt))
    })();
    let (nginx, https, ca) = match started {
        Ok(started) => started,
        Err(why) => return skipped(name, &why),
    };
    let peers = peers::Peers::start((Ipv4Addr::LOCALHOST, https).into());
    // The exporter runs as another user and must read the certificate.
    drop(std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)));
    let cases = [http_cases(&nginx.url, https, &ca), tcp_cases(https, &ca, &peers), dns_cases(&peers)].concat();
    let (theirs, ours) = pages(&cases, folder.path()).expect("both pages");
    let gaps = Gaps::of("blackbox").expect("the gaps");
    let differing = differing(&theirs, &ours, &gaps);
    let comparison = compare("blackbox", &theirs, &ours, &gaps);
    tests::tell(&format!("{comparison}, in {} modules", cases.len()));
    assert!(comparison.unexplained.is_empty() && differing.is_empty(), "{:#?}\n{differing:#?}", comparison.unexplained);
}
