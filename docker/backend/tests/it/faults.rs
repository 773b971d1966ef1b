//! The switches: absent unless allowed, and each does what it says.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::Server;

const ALLOWED: (&str, &str) = ("FAULTS", "1");

#[tokio::test]
async fn without_permission_there_are_no_switches() {
    let server = Server::start(&[]).await;
    for method in ["GET", "PUT", "DELETE"] {
        assert_eq!(server.client().send(method, "/faults", b"").await.refusal(), (404, "not_found".to_owned()));
    }
}

#[tokio::test]
async fn a_wrong_switch_or_value_is_refused_by_name() {
    let server = Server::start(&[ALLOWED]).await;
    let reply = server.client().put("/faults", &json!({ "latencyms": 5 })).await;
    assert_eq!(reply.status, 422);
    assert!(reply.text().contains("unknown field `latencyms`"), "{}", reply.text());
    let reply = server.client().put("/faults", &json!({ "error_rate": 2, "cpu_burn_ms": 60_001 })).await;
    assert_eq!(reply.json()["error"]["fields"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn latency_strikes_its_route_only_and_ends_with_a_reset() {
    let server = Server::start(&[ALLOWED]).await;
    let client = server.client();
    let timed = async |path: &str| {
        let start = Instant::now();
        client.get(path).await;
        start.elapsed()
    };
    let slow = json!({ "latency_ms": 1500, "latency_route": "/health" });
    assert_eq!(client.put("/faults", &slow).await.json()["settings"]["latency_ms"], 1500);
    let (struck, spared) = tokio::join!(timed("/health"), timed("/"));
    assert!(struck >= Duration::from_millis(1500), "{struck:?}");
    assert!(spared < struck, "{spared:?}");
    assert_eq!(client.delete("/faults").await.json()["settings"]["latency_ms"], 0);
    assert!(timed("/health").await < Duration::from_millis(1500));
}

#[tokio::test]
async fn faults_from_the_environment_are_on_from_the_start() {
    let server = Server::start(&[ALLOWED, ("FAULT_ERROR_RATE", "1")]).await;
    assert_eq!(server.client().get("/").await.refusal(), (500, "injected_fault".to_owned()));
    assert_eq!(server.client().get("/metrics").await.status, 200, "the way to see the fault is spared");
    server.client().delete("/faults").await;
    assert_eq!(server.client().get("/").await.status, 200);
}

#[tokio::test]
async fn burning_takes_cpu_time() {
    let server = Server::start(&[ALLOWED]).await;
    server.client().put("/faults", &json!({ "cpu_burn_ms": 200 })).await;
    let start = Instant::now();
    server.client().get("/").await;
    assert!(start.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn a_leak_grows_with_every_request_and_is_given_back() {
    let server = Server::start(&[ALLOWED]).await;
    let client = server.client();
    client.put("/faults", &json!({ "leak_bytes_per_request": 1_000_000 })).await;
    for _ in 0..3 {
        client.get("/").await;
    }
    assert_eq!(client.get("/faults").await.json()["taken"]["leaked_bytes"], 3_000_000);
    assert_eq!(client.delete("/faults").await.json()["taken"]["leaked_bytes"], 0);
}

#[tokio::test]
async fn held_connections_starve_the_service_until_they_are_released() {
    let server = Server::start(&[ALLOWED, ("POOL_SIZE", "3")]).await;
    let (client, member) = (server.client(), server.member().await);
    let state = client.put("/faults", &json!({ "hold_connections": 3 })).await.json();
    assert_eq!(state["taken"]["held_connections"], 3);
    let health = client.get("/health").await;
    assert_eq!((health.status, &health.json()["overall_healthy"]), (503, &json!(false)));
    let pool = &health.json()["services"]["database"]["pool"];
    assert_eq!((&pool["checked_in"], &pool["checked_out"]), (&json!(0), &json!(3)));
    let starved = member.get("/api/v1/assets").await;
    assert_eq!(starved.refusal(), (503, "database_busy".to_owned()));
    assert_eq!(starved.header("retry-after"), "1");
    client.delete("/faults").await;
    assert_eq!(client.get("/health").await.status, 200);
    assert_eq!(member.get("/api/v1/assets").await.status, 200);
}

#[tokio::test]
async fn a_stuck_worker_fails_its_jobs_after_a_deadline_and_nothing_else() {
    let server = Server::start(&[ALLOWED, ("FAULT_STUCK_WORKER", "1")]).await;
    let (client, member) = (server.client(), server.member().await);
    let job = json!({ "limit": 1 });
    let (stuck, health) = tokio::join!(member.post("/api/v1/recommendations", &job), client.get("/health"));
    assert_eq!(stuck.refusal(), (504, "timeout".to_owned()));
    assert_eq!(health.status, 200);
    assert!(client.get("/metrics").await.text().contains("\nrecommendation_failures_total 1\n"));
    client.delete("/faults").await;
    assert_eq!(member.post("/api/v1/recommendations", &job).await.status, 200);
}
