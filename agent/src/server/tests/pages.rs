//! What each page says.

use super::*;
use crate::metrics::sample;
use crate::snapshot::Stage;
use serde_json::json;

#[tokio::test]
async fn live_says_yes_whatever_the_checks_say() {
    for snapshot in [sample::full(), sample::dead(), sample::before_the_first_run()] {
        let server = start(snapshot).await;
        assert_eq!(server.get("/live").await.status, 200);
        assert_eq!(server.get("/-/healthy").await.text(), "healthy\n");
        assert_eq!(server.get("/api/v1/health/liveness").await.status, 200);
    }
}

#[tokio::test]
async fn discovery_lists_every_check_by_name_and_no_address() {
    let server = start(sample::full()).await;
    let answer = server.get("/sd").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    let names = ["backend", "database", "public-site", "cache"];
    let all = answer.json();
    for (group, name) in all.as_array().unwrap().iter().zip(names) {
        assert_eq!((&group["targets"], &group["labels"]["check"]), (&json!([name]), &json!(name)));
    }
    let first = json!({"check": "backend", "kind": "http", "role": "readiness", "peer": "true"});
    assert_eq!((all.as_array().unwrap().len(), &all[0]["labels"]), (4, &first));
    assert!(!answer.text().contains(".internal") && !answer.text().contains("://"), "{}", answer.text());
}

#[tokio::test]
async fn ready_names_what_holds_the_service_back_and_why() {
    let server = start(sample::full()).await;
    for path in ["/ready", "/api/v1/health/readiness"] {
        let answer = server.get(path).await;
        let held = json!([{"check": "database", "state": "down", "reason": "refused", "cause": null, "since": "2023-11-14T22:23:15Z"}]);
        let expected = json!({"ready": false, "stage": "running", "held_back_by": held});
        assert_eq!((answer.status, answer.json()), (503, expected));
    }
    assert_eq!(server.get("/-/ready").await.status, 503);

    server.snapshots.send_replace(Arc::new(sample::healthy()));
    let answer = server.get("/ready").await;
    assert_eq!((answer.status, answer.json()["ready"].as_bool()), (200, Some(true)));
    assert_eq!(server.get("/-/ready").await.text(), "ready\n");

    server.snapshots.send_replace(Arc::new(Snapshot { stage: Stage::Draining, ..sample::healthy() }));
    let answer = server.get("/ready").await;
    assert_eq!((answer.status, &answer.json()["stage"]), (503, &json!("draining")));
}

#[tokio::test]
async fn health_has_the_shape_that_backends_have() {
    let server = start(sample::full()).await;
    let answer = server.get("/health").await;
    assert_eq!(answer.status, 503);
    let (services, _) = answer.text().split_once("  \"system\"").unwrap();
    insta::assert_snapshot!(services, @r#"
    {
      "status": "unhealthy",
      "overall_healthy": false,
      "services": {
        "backend": {
          "healthy": true,
          "state": "up",
          "since": "2023-11-14T22:15:00Z",
          "response_time_ms": 12.4
        },
        "database": {
          "healthy": false,
          "state": "down",
          "reason": "refused",
          "since": "2023-11-14T22:23:15Z",
          "response_time_ms": 0.85,
          "pool": {
            "size": 20,
            "checked_in": 17,
            "checked_out": 3
          },
          "reported": {
            "healthy": true,
            "response_time_ms": 1.3,
            "reported_by": "backend"
          }
        },
        "public-site": {
          "healthy": true,
          "state": "up",
          "since": "2023-11-14T22:15:00Z",
          "response_time_ms": 31.0
        },
        "cache": {
          "healthy": false,
          "state": "unknown",
          "response_time_ms": null
        },
        "search": {
          "healthy": true,
          "reported_by": "backend"
        }
      },
    "#);
}

#[tokio::test]
async fn a_part_that_only_the_service_reports_has_an_entry_that_says_so_on_both_pages() {
    let server = start(sample::healthy()).await;
    let expected = json!({
        "healthy": true,
        "response_time_ms": 1.3,
        "pool": {"size": 20, "checked_in": 17, "checked_out": 3},
        "reported_by": "backend",
    });
    for path in ["/health", "/diagnostics", "/health?role=readiness"] {
        let page = server.get(path).await.json();
        assert_eq!(page["services"]["database"], expected, "{path}");
        assert_eq!((&page["overall_healthy"], &page["status"]), (&json!(true), &json!("healthy")), "{path}");
    }
    let others = server.get("/health?role=observe").await.json();
    assert_eq!(others["services"].as_object().unwrap().keys().collect::<Vec<_>>(), ["public-site"]);
    let status = server.get("/").await;
    assert!(status.text().contains("<b>database</b> <small>as backend says</small>"));
    assert!(status.text().contains("<td data-label=\"answers in\">1.3 ms</td>"), "{}", status.text());
}

#[tokio::test]
async fn what_a_service_says_against_itself_is_on_every_page_and_no_reason_to_take_it_out() {
    let server = start(sample::part_unhealthy()).await;
    for (path, word, overall) in [
        ("/health", "degraded", false),
        ("/diagnostics", "degraded", false),
        ("/health?role=readiness", "degraded", false),
        ("/health?role=observe", "healthy", true),
    ] {
        let answer = server.get(path).await;
        let page = answer.json();
        assert_eq!((answer.status, &page["status"]), (200, &json!(word)), "{path}");
        assert_eq!(page["overall_healthy"], json!(overall), "{path}");
    }
    assert_eq!(server.get("/ready").await.status, 200);
    assert!(server.get("/").await.text().contains("backend says that its search is unhealthy"));
}

#[tokio::test]
async fn health_tells_the_use_of_what_is_limited() {
    let server = start(sample::full()).await;
    let answer = server.get("/health").await;
    let (_, figures) = answer.text().split_once("  \"system\"").unwrap();
    insta::assert_snapshot!(figures, @r#"
    : {
        "cpu": {
          "host": {
            "used_ratio": 0.18
          },
          "peer": {
            "used_ratio": 0.62
          }
        },
        "memory": {
          "host": {
            "used_ratio": 0.44
          },
          "peer": {
            "used_ratio": 0.91
          }
        },
        "disk": {
          "/": {
            "free_ratio": 0.61
          },
          "/var/lib/data": {
            "free_ratio": 0.08
          }
        }
      },
      "process": {
        "threads": 17,
        "connections": null,
        "memory_bytes": 188743680,
        "fds": 42
      },
      "agent": {
        "threads": null,
        "connections": null,
        "memory_bytes": 4345856,
        "fds": 19
      },
      "causes": []
    }
    "#);
}

#[tokio::test]
async fn health_is_503_only_when_the_service_does_not_work_or_nobody_knows() {
    let cases = [
        (sample::healthy(), "", 200, "healthy"),
        (sample::degraded(), "", 200, "degraded"),
        (sample::full(), "", 503, "unhealthy"),
        (sample::before_the_first_run(), "", 503, "starting"),
        (sample::full(), "?role=liveness", 200, "healthy"),
        (sample::dead(), "?role=liveness", 503, "unhealthy"),
        (sample::liveness_undecided(), "?role=liveness", 200, "starting"),
        (sample::liveness_undecided(), "", 503, "starting"),
        (sample::before_the_first_run(), "?role=readiness", 503, "starting"),
        (sample::degraded(), "?role=readiness", 200, "healthy"),
        (sample::degraded(), "?x=1&role=observe", 200, "degraded"),
    ];
    let server = start(sample::full()).await;
    for (snapshot, query, status, word) in cases {
        server.snapshots.send_replace(Arc::new(snapshot));
        let answer = server.get(&format!("/health{query}")).await;
        assert_eq!((answer.status, &answer.json()["status"]), (status, &json!(word)), "{query}");
    }
    assert_eq!(server.get("/health?role=everything").await.status, 400);
}

#[tokio::test]
async fn open_pages_name_no_host_and_diagnostics_does() {
    let server = start(sample::full()).await;
    for path in ["/", "/health", "/ready", "/metrics", "/live", "/nowhere"] {
        let answer = server.get(path).await;
        for secret in
            [".internal", "10.1.2.", "10.9.8", "listens on", "is `db` started", "uvicorn", "permission", "4242"]
        {
            assert!(!answer.text().contains(secret), "{secret} on {path}");
        }
    }
    for path in ["/diagnostics", "/api/v1/health/diagnostics"] {
        let page = server.get(path).await.json();
        let database = &page["services"]["database"];
        assert_eq!(database["target"], "postgres://app@db.internal:5432/app");
        assert_eq!(database["last"]["fault"]["hint"], "is `db` started, and does it listen on 5432?");
        assert_eq!(database["recent_failures"].as_array().unwrap().len(), 3);
        assert_eq!(database["failures"], json!({"refused": 7, "timeout": 1}));
        assert_eq!(page["services"]["backend"]["last"]["phases_ms"]["processing"], 10.6);
        assert!(!page.to_string().contains("pg_stat_database"), "hundreds of series, which `/metrics` has");
        assert_eq!(page["services"]["backend"]["last"]["server_series"], 5);
        assert_eq!(page["services"]["backend"]["last"]["notes"]["server"], "uvicorn on 10.1.2.3");
        assert_eq!(page["sources"]["volumes"]["why"], "cannot read `/data`: permission denied");
        assert_eq!(page["sources"]["cgroup"]["state"], "absent");
        assert_eq!(page["sources"]["process"]["from"], "pid 4242 (`/opt/api`, uid 1000), the oldest of 3 called `api`");
        assert_eq!(page["sources"]["process"]["state"], "read");
        assert_eq!(page["sources"]["late"]["state"], "pending");
        assert_eq!(page["held_back_by"], json!(["database"]));
    }
}

#[tokio::test]
async fn causes_are_words_on_open_pages_and_explained_on_restricted_ones() {
    let server = start(sample::explained()).await;
    let (since, later) = ("2023-11-14T22:22:55Z", "2023-11-14T22:23:00Z");
    let named = json!([
        {"cause": "not_listening", "subject": "database", "since": since, "caused_by": null},
        {"cause": "half_started", "subject": "backend", "since": later, "caused_by": "database"},
    ]);
    assert_eq!(server.get("/health").await.json()["causes"], named);
    assert_eq!(server.get("/health?role=observe").await.json()["causes"], json!([]));
    assert_eq!(server.get("/ready").await.json()["held_back_by"][0]["cause"], "not_listening");
    let metrics = server.get("/metrics").await;
    assert!(metrics.text().contains("sidecar_cause_active{cause=\"half_started\",subject=\"backend\"} 1\n"));
    let page = server.get("/diagnostics").await.json();
    let root = &page["causes"][0];
    assert_eq!(root["evidence"], "nothing listens on db.internal:5432 (10.1.2.4)");
    assert_eq!((&root["fix"], &root["cause"]), (&json!("start `db` on db.internal"), &json!("not_listening")));
    assert!(root["for_seconds"].is_u64() && root["meaning"].is_string());
    let address = json!({"at": later, "what": "address", "subject": "database", "from": "10.1.2.3", "to": "10.1.2.4"});
    assert_eq!(page["changed"][0], address);
}

#[tokio::test]
async fn the_status_page_shows_root_causes_first_and_no_evidence() {
    let server = start(sample::explained()).await;
    let page = server.get("/").await;
    let (_, why) = page.text().split_once("<h2>Why</h2>").unwrap();
    let (why, rest) = why.split_once("</section>").unwrap();
    assert!(why.contains("<h3><b>database</b> <code>not_listening</code></h3>"), "{why}");
    assert!(why.contains("<summary>1 other follows from it</summary>"), "{why}");
    assert!(why.contains("<li><b>backend</b> <code>half_started</code>"), "{why}");
    assert!(rest.contains("<b>database</b> has another address</li>"), "{rest}");
    assert!(rest.contains("<h2>Checks</h2>"), "the table comes behind");
    for hidden in [".internal", "10.1.2."] {
        assert!(!page.text().contains(hidden), "{hidden}");
    }
    server.snapshots.send_replace(Arc::new(sample::healthy()));
    assert!(!server.get("/").await.text().contains("<h2>Why</h2>"));
}

#[tokio::test]
async fn causes_say_that_they_are_silenced_on_every_page() {
    let explained = sample::explained();
    let silence = sample::silenced().silence;
    let server = start(Snapshot { silence, ..explained.clone() }).await;
    for path in ["/health", "/diagnostics"] {
        let page = server.get(path).await.json();
        assert_eq!([&page["causes"][0]["silenced"], &page["causes"][1]["silenced"]], [&json!(true); 2], "{path}");
    }
    assert!(server.get("/").await.text().contains(", silenced</p>"));
    server.snapshots.send_replace(Arc::new(explained));
    assert!(server.get("/health").await.json()["causes"][0].get("silenced").is_none());
    assert!(!server.get("/").await.text().contains("silenced"));
}

#[tokio::test]
async fn config_is_the_plan_in_force() {
    let server = start(sample::full()).await;
    assert_eq!(server.get("/config").await.json()["checks"][0]["name"], "backend");
}

#[tokio::test]
async fn metrics_come_in_the_format_and_compression_asked_for() {
    let server = start(sample::full()).await;
    let plain = server.get("/metrics").await;
    assert_eq!(plain.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    assert_eq!(plain.header("content-encoding"), None);
    assert_eq!(plain.header("vary"), Some("Accept, Accept-Encoding"));
    let open = server.get_with("/metrics", "accept: application/openmetrics-text;version=1.0.0,*/*;q=0.1").await;
    assert_eq!(open.header("content-type"), Some("application/openmetrics-text; version=1.0.0; charset=utf-8"));
    assert!(open.text().ends_with("# EOF\n"));
    let packed = server.get_with("/metrics", "accept-encoding: gzip").await;
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&packed.body[..]), &mut text).unwrap();
    assert_eq!(text, plain.text());
}

#[tokio::test]
async fn head_gives_the_head_of_get() {
    let server = start(sample::full()).await;
    for path in ["/", "/metrics", "/live", "/ready", "/health", "/diagnostics", "/nowhere"] {
        let got = server.get(path).await;
        let head = server.send(&format!("HEAD {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")).await;
        assert_eq!(head.body, b"", "{path}");
        assert_eq!((head.status, head.header("content-length")), (got.status, got.header("content-length")), "{path}");
        assert_eq!(head.header("content-type"), got.header("content-type"));
    }
}

#[tokio::test]
async fn other_methods_and_pages_are_refused_with_what_there_is() {
    let server = start(sample::full()).await;
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"] {
        let request =
            format!("{method} /metrics HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        let answer = server.send(&request).await;
        assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD")), "{method}");
    }
    insta::assert_snapshot!(server.get("/nowhere").await.text(), @"
    no such page; there are:
      /             status page for people
      /metrics      OpenMetrics or text 0.0.4
      /live         this agent runs
      /ready        the service may get traffic
      /health       all checks, without addresses
      /sd           the checks, as targets for Prometheus
      /-/healthy    as /live, in a word
      /-/ready      as /ready, in a word
      /diagnostics  all checks with targets, messages and advice
      /config       the plan in force
      /-/reload     reads the configuration again: 200 with what changed, 400 or 500 with what is wrong
      /-/silence    begins a maintenance window, `?for=10m&reason=deployment`; `for=0` or DELETE ends it
    ");
    for later in ["/alerts", "/probe?target=x", "/metrics/", "//metrics", "/metrics/../config"] {
        assert_eq!(server.get(later).await.status, 404, "{later}");
    }
}

#[tokio::test]
async fn the_status_page_is_html_under_a_strict_policy() {
    let server = start(sample::full()).await;
    let page = server.get("/").await;
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(page.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(page.header("x-frame-options"), Some("DENY"));
    assert!(
        page.text().contains("<h1>not ready: database is down since 22:23:15 — connection refused</h1>")
            || page.text().contains("<h1>not ready: database is down since 14 Nov 22:23 — connection refused</h1>")
    );
}

#[tokio::test]
async fn no_page_shows_what_the_client_sent() {
    let server = start(sample::full()).await;
    for path in ["/", "/metrics", "/health", "/sd", "/ready", "/diagnostics", "/config", "/nowhere"] {
        let path = format!("{path}?password={CANARY}");
        let answer = server.get_with(&path, &format!("authorization: Bearer {CANARY}\r\nx-secret: {CANARY}")).await;
        assert!(!answer.text().contains(CANARY) && !answer.head.contains(CANARY), "{path}");
    }
}
