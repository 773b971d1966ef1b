//! The shipped nginx configuration at work, in front of the real page and the real demo API: TLS, headers, limits, CORS, caching,
//! stapling, and what only the sidecar may see.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;
use tests::program::finish_command;
use tests::repo::root;
use tests::servers::edge::{Certificate, Edge};
use tests::servers::start::output;
use tests::skipped;

fn self_signed(folder: &Path) -> Result<Certificate, String> {
    let certificate = Certificate { certificate: folder.join("tls.crt"), key: folder.join("tls.key") };
    output(
        Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
                "-days",
                "30",
            ])
            .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout"])
            .arg(&certificate.key)
            .arg("-out")
            .arg(&certificate.certificate),
    )?;
    Ok(certificate)
}

/// An edge with a certificate of its own, or a word about why there is none.
fn edge(test: &str) -> Option<(Edge, tempfile::TempDir)> {
    edge_with(test, "")
}

fn edge_with(test: &str, generated: &str) -> Option<(Edge, tempfile::TempDir)> {
    let folder = tempfile::tempdir().expect("a folder");
    let started = self_signed(folder.path()).and_then(|own| Edge::start_with(&own, None, generated));
    match started {
        Ok(edge) => Some((edge, folder)),
        Err(why) if why.contains("is not installed") || why.contains("No such file") => {
            skipped(test, &why);
            None
        }
        Err(why) => panic!("{why}"),
    }
}

/// Status and headers, names in lower case; a header that came twice has both values.
fn head(edge: &Edge, arguments: &[&str]) -> (u16, BTreeMap<String, String>) {
    let text = edge.curl(&[&["-D", "-", "-o", "/dev/null"], arguments].concat()).expect("an answer");
    let mut lines = text.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).expect("a status");
    let mut headers = BTreeMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        headers
            .entry(name.to_lowercase())
            .and_modify(|known: &mut String| *known = format!("{known} AND {}", value.trim()))
            .or_insert_with(|| value.trim().to_owned());
    }
    (status, headers)
}

/// Whether a handshake with this version succeeds. Debian's openssl would not offer the old ones by itself.
fn shakes_hands(edge: &Edge, version: &str) -> bool {
    let address = format!("127.0.0.1:{}", edge.https);
    let arguments = ["s_client", "-connect", &address, version, "-cipher", "DEFAULT:@SECLEVEL=0"];
    Command::new("openssl").args(arguments).stdin(Stdio::null()).output().expect("openssl").status.success()
}

#[test]
fn tls_1_2_and_1_3_are_spoken_and_nothing_older() {
    let Some((edge, _folder)) = edge("tls_1_2_and_1_3_are_spoken_and_nothing_older") else { return };
    assert!(shakes_hands(&edge, "-tls1_3"));
    assert!(shakes_hands(&edge, "-tls1_2"));
    assert!(!shakes_hands(&edge, "-tls1_1"));
    assert!(!shakes_hands(&edge, "-tls1"));
    let spoken = edge.curl(&["-o", "/dev/null", "-w", "%{http_version}", &edge.url("/")]).expect("an answer");
    assert_eq!(spoken, "2");
}

#[test]
fn every_answer_carries_the_security_headers_once() {
    let Some((edge, _folder)) = edge("every_answer_carries_the_security_headers_once") else { return };
    let cases = [
        ("/", 200),
        ("/style.css", 200),
        ("/nothing", 404),
        ("/health", 200),
        ("/api/v1/assets", 401),
        ("/metrics", 404),
    ];
    for (path, expected) in cases {
        let (status, headers) = head(&edge, &[&edge.url(path)]);
        assert_eq!(status, expected, "{path}");
        let of = |name: &str| headers.get(name).map(String::as_str).unwrap_or_default();
        let age = of("strict-transport-security").strip_prefix("max-age=").and_then(|rest| rest.split(';').next());
        assert!(age.is_some_and(|age| age.parse::<u32>().is_ok_and(|age| age >= 31_536_000)), "{path}: {headers:?}");
        assert_eq!(of("x-frame-options"), "DENY", "{path}");
        assert_eq!(of("x-content-type-options"), "nosniff", "{path}");
        let policy = of("content-security-policy");
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe-"), "{path}: {policy}");
        assert!(!of("server").contains('/'), "{path} tells the version");
    }
}

#[test]
fn the_page_satisfies_its_own_content_security_policy() {
    for file in tests::repo::files("docker/frontend/site", ".html") {
        let page = tests::repo::read(&file);
        let shown = tests::repo::shown(&file);
        for inline in
            ["<style", "style=", " onclick=", " onload=", "javascript:", "http://", "https://", "data:", "<base"]
        {
            assert!(!page.contains(inline), "{shown} has `{inline}`, which the policy refuses");
        }
        for script in page.split("<script").skip(1) {
            let tag = script.split('>').next().unwrap_or_default();
            assert!(tag.contains("src=\"/") && script.contains("></script>"), "{shown}: <script{tag}>");
        }
        for linked in page.split("src=\"/").chain(page.split("href=\"/")).filter_map(|part| part.split('"').next()) {
            let file = root().join("docker/frontend/site").join(linked);
            assert!(
                !linked.contains('.') || linked.contains('<') || file.is_file(),
                "{shown} links /{linked}, which is not there"
            );
        }
    }
}

#[test]
fn plain_http_redirects_but_for_the_acme_challenge() {
    let Some((edge, _folder)) = edge("plain_http_redirects_but_for_the_acme_challenge") else { return };
    let plain = |path: &str| format!("http://127.0.0.1:{}{path}", edge.http);
    let (status, headers) = head(&edge, &[&plain("/a/b?c=d")]);
    assert_eq!(status, 301);
    assert_eq!(headers["location"], format!("https://127.0.0.1:{}/a/b?c=d", edge.https));
    let challenge = plain("/.well-known/acme-challenge/token");
    assert_eq!(edge.curl(&[&challenge]).as_deref(), Ok("a challenge"));
    assert_eq!(head(&edge, &[&plain("/.well-known/acme-challenge/other")]).0, 404);
}

const LISTED: &str = "Origin: https://app.example.org";
const STRANGE: &str = "Origin: https://evil.example.net";

#[test]
fn cors_answers_the_origins_of_the_list_and_no_other() {
    let Some((edge, _folder)) = edge("cors_answers_the_origins_of_the_list_and_no_other") else { return };
    let url = edge.url("/api/v1/assets");
    let preflight =
        |origin: &str| head(&edge, &["-X", "OPTIONS", "-H", origin, "-H", "Access-Control-Request-Method: PUT", &url]);
    let (status, headers) = preflight(LISTED);
    assert_eq!(status, 204);
    assert_eq!(headers["access-control-allow-origin"], "https://app.example.org");
    assert_eq!(headers["access-control-allow-credentials"], "true");
    assert!(headers["access-control-allow-methods"].contains("PUT"));
    assert!(headers["access-control-allow-headers"].contains("X-CSRF-Token"));
    let (status, headers) = preflight(STRANGE);
    assert_eq!(status, 403);
    assert!(!headers.keys().any(|name| name.starts_with("access-control")), "{headers:?}");
    for (origin, allowed) in
        [(LISTED, true), (STRANGE, false), ("Origin: https://app.example.org.evil.net", false), ("Origin: null", false)]
    {
        let (status, headers) = head(&edge, &["-H", origin, &url]);
        assert_eq!(status, 401, "the API itself answers");
        assert_eq!(headers.contains_key("access-control-allow-origin"), allowed, "{origin}");
        assert_eq!(headers["vary"], "Origin", "{origin}");
    }
}

/// The status codes of many requests over one connection, and the seconds that they took.
fn many(edge: &Edge, count: u32, arguments: &[&str], path: &str) -> (Vec<u16>, f64) {
    let url = format!("{}?[1-{count}]", edge.url(path));
    let began = Instant::now();
    let text = edge
        .curl(&[&["-o", "/dev/null", "-w", "%{http_code}\\n"], arguments, &[url.as_str()]].concat())
        .expect("answers");
    (text.lines().map(|line| line.parse().expect("a status")).collect(), began.elapsed().as_secs_f64())
}

fn passed(codes: &[u16]) -> f64 {
    let count = codes.iter().filter(|code| **code != 429).count();
    f64::from(u32::try_from(count).expect("few"))
}

#[test]
fn the_api_takes_ten_a_second_and_ten_at_once_from_one_address() {
    let Some((edge, _folder)) = edge("the_api_takes_ten_a_second_and_ten_at_once_from_one_address") else { return };
    let (codes, seconds) = many(&edge, 60, &[], "/api/v1/assets");
    let allowed = 11.0 + 10.0 * seconds;
    assert!(passed(&codes) <= allowed + 1.0, "{} of 60 passed in {seconds} s", passed(&codes));
    // Not over-enforced: the burst passes whole.
    assert!(codes.iter().take(11).all(|code| *code == 401), "{codes:?}");
    assert!(seconds > 4.0 || codes.contains(&429), "{codes:?}");
    // Another address has its own account.
    let (codes, _) = many(&edge, 11, &["--interface", "127.0.0.2"], "/api/v1/assets");
    assert!(codes.iter().all(|code| *code == 401), "{codes:?}");
}

#[test]
fn pages_take_fifty_a_second_from_one_address() {
    let Some((edge, _folder)) = edge("pages_take_fifty_a_second_from_one_address") else { return };
    let (codes, seconds) = many(&edge, 300, &[], "/");
    assert!(passed(&codes) <= 51.0 + 50.0 * seconds + 1.0, "{} of 300 passed in {seconds} s", passed(&codes));
    assert!(codes.iter().take(51).all(|code| *code == 200), "{codes:?}");
    assert!(seconds > 4.9 || codes.contains(&429), "{codes:?}");
}

#[test]
fn a_limited_request_is_told_so_and_when_to_come_back() {
    let Some((edge, _folder)) = edge("a_limited_request_is_told_so_and_when_to_come_back") else { return };
    let url = edge.url("/api/v1/assets");
    let limited =
        (0..400).map(|_| head(&edge, &["-H", LISTED, &url, &url, &url, &url])).find(|(status, _)| *status == 429);
    let (_, headers) = limited.expect("the limit is reached");
    assert_eq!(headers["retry-after"].split(' ').next(), Some("1"));
    assert!(headers["content-type"].starts_with("application/json"));
    assert!(headers.contains_key("strict-transport-security") && headers.contains_key("access-control-allow-origin"));
}

#[test]
fn a_forwarded_address_counts_only_from_the_load_testers_network() {
    let from = |edge: &Edge, address: &str| {
        let header = format!("X-Forwarded-For: {address}");
        many(edge, 11, &["-H", &header], "/api/v1/assets").0
    };
    let Some((plain, _folder)) = edge("a_forwarded_address_counts_only_from_the_load_testers_network") else { return };
    let codes: Vec<u16> =
        ["10.9.0.1", "10.9.0.2", "10.9.0.3"].iter().flat_map(|address| from(&plain, address)).collect();
    assert!(codes.contains(&429), "the header must count for nothing: {codes:?}");
    let template = tests::repo::read(&root().join("docker/nginx/loadtest/trusted.conf.template"));
    let trusted = template.replace("${LOADTEST_SUBNET}", "127.0.0.0/8");
    let Some((edge, _folder)) = edge_with("a_forwarded_address_counts_only_from_the_load_testers_network", &trusted)
    else {
        return;
    };
    let codes: Vec<u16> =
        ["10.9.0.1", "10.9.0.2", "10.9.0.3"].iter().flat_map(|address| from(&edge, address)).collect();
    assert!(!codes.contains(&429), "{codes:?}");
}

#[test]
fn what_a_page_links_is_cached_and_compressed_and_the_page_is_not_kept() {
    let Some((edge, _folder)) = edge("what_a_page_links_is_cached_and_compressed_and_the_page_is_not_kept") else {
        return;
    };
    for path in ["/style.css", "/page.js", "/logo.svg"] {
        let (status, headers) = head(&edge, &["-H", "Accept-Encoding: gzip", &edge.url(path)]);
        assert_eq!((status, headers["cache-control"].as_str()), (200, "public, max-age=86400"), "{path}");
        assert!(path == "/logo.svg" || headers["content-encoding"] == "gzip", "{path}: {headers:?}");
    }
    assert_eq!(head(&edge, &[&edge.url("/")]).1["cache-control"], "no-cache");
    let kept = |part: &str| edge.folder().join(part).read_dir().is_ok_and(|mut entries| entries.next().is_some());
    assert!(kept("edge/cache"), "the edge asks the frontend each time");
}

#[test]
fn stub_status_is_for_the_sidecars_network_alone() {
    let Some((edge, _folder)) = edge("stub_status_is_for_the_sidecars_network_alone") else { return };
    // Loopback is none of the networks that a sidecar has; the main ports do not know the path at all.
    let address = format!("http://127.0.0.1:{}/stub_status", edge.status);
    assert_eq!(head(&edge, &[&address]).0, 403);
    for path in ["/stub_status", "/nginx_status"] {
        assert_eq!(head(&edge, &[&edge.url(path)]).0, 404, "{path}");
    }
}

/// A WebSocket's handshake with these headers.
fn websocket(edge: &Edge, headers: &[&str]) -> u16 {
    let fixed = [
        "--http1.1",
        "-m",
        "3",
        "-o",
        "/dev/null",
        "-w",
        "%{http_code}",
        "-H",
        "Connection: Upgrade",
        "-H",
        "Upgrade: websocket",
    ];
    let key = ["-H", "Sec-WebSocket-Version: 13", "-H", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="];
    let more: Vec<&str> = headers.iter().flat_map(|header| ["-H", header]).collect();
    let url = edge.url("/ws");
    // curl waits for the end of the connection and is stopped by its own deadline, after the status.
    let ended = finish_command(Command::new("curl").arg("-sSk").args(fixed).args(key).args(more).arg(url));
    ended.stdout.trim().parse().unwrap_or_else(|_| panic!("{ended:?}"))
}

#[test]
fn a_websocket_is_upgraded_for_our_own_page_and_for_no_strange_one() {
    let Some((edge, _folder)) = edge("a_websocket_is_upgraded_for_our_own_page_and_for_no_strange_one") else { return };
    let own = format!("Origin: https://127.0.0.1:{}", edge.https);
    assert_eq!(websocket(&edge, &[]), 101);
    assert_eq!(websocket(&edge, &[&own]), 101);
    assert_eq!(websocket(&edge, &[LISTED]), 101);
    assert_eq!(websocket(&edge, &[STRANGE]), 403);
    let looks_alike = format!("Origin: https://127.0.0.1:{}.evil.net", edge.https);
    assert_eq!(websocket(&edge, &[&looks_alike]), 403);
}
