//! `/health`, its alias, `/metrics`.

use crate::support::Server;

#[tokio::test]
async fn health_tells_the_database_and_its_pool() {
    let server = Server::start(&[("POOL_SIZE", "5")]).await;
    for path in ["/health", "/api/v1/health/readiness"] {
        let reply = server.client().get(path).await;
        assert_eq!(reply.status, 200);
        let health = reply.json();
        assert_eq!((&health["status"], &health["overall_healthy"]), (&"healthy".into(), &true.into()));
        let database = &health["services"]["database"];
        assert_eq!(database["healthy"], true);
        assert!(database["response_time_ms"].as_f64().is_some_and(|time| time > 0.0), "{database}");
        let pool = |name: &str| database["pool"][name].as_u64().unwrap_or(99);
        assert_eq!((pool("size"), pool("checked_in"), pool("checked_out")), (5, 5, 0), "{database}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_was_answered_has_given_its_connection_back() {
    let server = Server::start(&[("POOL_SIZE", "5")]).await;
    let member = server.member().await;
    for round in 0..300 {
        member.get("/api/v1/assets").await;
        let pool = server.client().get("/health").await.json()["services"]["database"]["pool"].clone();
        assert_eq!(pool, serde_json::json!({ "size": 5, "checked_in": 5, "checked_out": 0 }), "in round {round}");
    }
}

#[tokio::test]
async fn the_in_memory_database_works_with_its_one_connection() {
    let server = Server::start(&[("DATABASE_URL", "sqlite::memory:")]).await;
    let pool = server.client().get("/health").await.json()["services"]["database"]["pool"].clone();
    assert_eq!(pool["size"], 1);
    assert_eq!(server.member().await.get("/api/v1/users").await.json()["total"], 4);
}

#[tokio::test]
async fn metrics_count_by_route_template_and_never_by_path() {
    let server = Server::start(&[]).await;
    let member = server.member().await;
    for path in ["/api/v1/assets/one", "/api/v1/assets/two", "/canary-1", "/canary-2"] {
        assert_eq!(member.get(path).await.status, 404);
    }
    let page = server.client().get("/metrics").await;
    assert_eq!(page.header("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    let text = page.text();
    let lines = [
        "http_requests_total{method=\"GET\",route=\"/api/v1/assets/{id}\",status=\"404\"} 2",
        "http_requests_total{method=\"GET\",route=\"unmatched\",status=\"404\"} 2",
        "http_requests_total{method=\"POST\",route=\"/api/v1/auth/login\",status=\"200\"} 1",
        "http_request_duration_seconds_count{method=\"GET\",route=\"/api/v1/assets/{id}\"} 2",
        "http_requests_in_flight 1",
        "db_pool_size 8",
        "recommendation_failures_total 0",
    ];
    for line in lines {
        assert!(text.lines().any(|one| one == line), "missing: {line}\n{text}");
    }
    assert!(!text.contains("canary") && !text.contains("/one"), "{text}");
    assert!(text.ends_with("# EOF\n"));
    let start = text
        .lines()
        .find_map(|line| line.strip_prefix("process_start_time_seconds "))
        .and_then(|v| v.parse::<f64>().ok());
    assert!(start.is_some_and(|seconds| seconds > 1.7e9), "{start:?}");
}
