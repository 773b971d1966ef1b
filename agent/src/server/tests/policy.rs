//! Who may see what. All clients here are on loopback, as most attackers of a sidecar are; other addresses are cases of `access`.

use super::*;
use crate::metrics::sample;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

const OPEN: [&str; 3] = ["/", "/metrics", "/health"];
const HEALTH: [&str; 5] = ["/live", "/ready", "/-/healthy", "/-/ready", "/api/v1/health/readiness"];
const RESTRICTED: [&str; 3] = ["/diagnostics", "/config", "/api/v1/health/diagnostics"];

fn basic(user: &str, password: &str) -> String {
    format!("authorization: Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

fn with_users() -> OnDisk {
    let hash = bcrypt::hash(CANARY, 4).unwrap();
    OnDisk::new(&json!({"basic_auth_users": {"ann": hash}}))
}

#[tokio::test]
async fn restricted_pages_are_closed_to_what_was_forwarded() {
    let server = start(sample::healthy()).await;
    for path in RESTRICTED {
        assert_eq!(server.get(path).await.status, 200, "{path}");
        for header in ["x-forwarded-for: 127.0.0.1", "Forwarded: for=127.0.0.1", "X-Real-IP: 127.0.0.1"] {
            assert_eq!(server.get_with(path, header).await.status, 403, "{path} {header}");
        }
        let renamed = format!("GET {path} HTTP/1.1\r\nhost: rebound.example\r\nconnection: close\r\n\r\n");
        assert_eq!(server.send(&renamed).await.status, 403, "{path}");
    }
    for path in OPEN.iter().chain(&HEALTH) {
        assert_eq!(server.get_with(path, "x-forwarded-for: 203.0.113.9").await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_configured_network_may_see_restricted_pages_under_any_host_name() {
    let network = ServerPlan { diagnostics_from: vec!["127.0.0.0/8".parse().unwrap()], ..plan() };
    let server = start_with(sample::healthy(), network).await;
    let named = "GET /diagnostics HTTP/1.1\r\nhost: agent.internal\r\nconnection: close\r\n\r\n";
    assert_eq!(server.send(named).await.status, 200);
}

#[tokio::test]
async fn with_users_every_page_but_health_wants_a_password() {
    let on_disk = with_users();
    let server = start_with(sample::healthy(), on_disk.plan()).await;
    for path in HEALTH {
        assert_eq!(server.get(path).await.status, 200, "{path}");
    }
    for path in OPEN.iter().chain(&RESTRICTED).chain(&["/nowhere"]) {
        let expected = if *path == "/nowhere" { 404 } else { 200 };
        let refused = server.get(path).await;
        assert_eq!(refused.status, 401, "{path}");
        assert!(refused.header("www-authenticate").unwrap().starts_with("Basic realm="));
        assert_eq!(server.get_with(path, &basic("ann", "wrong")).await.status, 401, "{path}");
        assert_eq!(server.get_with(path, &basic("bob", CANARY)).await.status, 401, "{path}");
        assert_eq!(server.get_with(path, &basic("ann", CANARY)).await.status, expected, "{path}");
    }
    let forwarded = format!("{}\r\nx-forwarded-for: 203.0.113.9", basic("ann", CANARY));
    assert_eq!(server.get_with("/diagnostics", &forwarded).await.status, 200, "a user is a user wherever he is");
}

#[tokio::test]
async fn passwords_and_hashes_are_on_no_page() {
    let on_disk = with_users();
    let server = start_with(sample::healthy(), on_disk.plan()).await;
    for path in OPEN.iter().chain(&HEALTH).chain(&RESTRICTED).chain(&["/nowhere"]) {
        for password in [CANARY, "wrong"] {
            let answer = server.get_with(path, &basic("ann", password)).await;
            let whole = format!("{}{}", answer.head, answer.text());
            assert!(
                !whole.contains(CANARY) && !whole.contains("$2b$") && !whole.contains(&STANDARD.encode(CANARY)),
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn the_rate_limit_spares_health_pages() {
    let on_disk = OnDisk::new(&json!({"rate_limit": {"interval": "1h", "burst": 2}}));
    let server = start_with(sample::healthy(), on_disk.plan()).await;
    let statuses =
        [server.get("/metrics").await.status, server.get("/").await.status, server.get("/metrics").await.status];
    assert_eq!(statuses, [200, 200, 429]);
    for path in HEALTH {
        assert_eq!(server.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn configured_headers_are_on_every_answer() {
    let headers = json!({"Strict-Transport-Security": "max-age=31536000", "X-Frame-Options": "SAMEORIGIN"});
    let on_disk = OnDisk::new(&json!({"http_server_config": {"http2": true, "headers": headers}}));
    let server = start_with(sample::healthy(), on_disk.plan()).await;
    for path in ["/", "/live", "/metrics", "/nowhere"] {
        let answer = server.get(path).await;
        assert_eq!(answer.header("strict-transport-security"), Some("max-age=31536000"), "{path}");
        assert_eq!(answer.header("x-frame-options"), Some("SAMEORIGIN"), "the configured value wins on {path}");
    }
}

#[tokio::test]
async fn a_changed_file_is_read_again_and_a_bad_one_changes_nothing() {
    let on_disk = OnDisk::new(&json!({}));
    let server = start_with(sample::healthy(), on_disk.plan()).await;
    assert_eq!(server.get("/metrics").await.status, 200);
    on_disk.write("web.yml", &json!({"basic_auth_users": {"ann": bcrypt::hash(CANARY, 4).unwrap()}}).to_string());
    eventually("users are in force", async || server.get("/metrics").await.status == 401).await;
    on_disk.write("web.yml", "{\"basic_auth_users\": 7}");
    let gauge = async |value: &str| {
        let page = server.get_with("/metrics", &basic("ann", CANARY)).await;
        page.text().contains(&format!("\nsidecar_web_config_last_reload_successful {value}\n"))
    };
    eventually("the bad file is noticed", async || gauge("0").await).await;
    assert_eq!(server.get("/metrics").await.status, 401, "the users before stay");
    on_disk.write("web.yml", &json!({"basic_auth_users": {"ann": bcrypt::hash(CANARY, 4).unwrap()}}).to_string());
    eventually("the good file is noticed", async || gauge("1").await).await;
}
