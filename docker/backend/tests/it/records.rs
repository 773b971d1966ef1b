//! Create, read, list, update and delete of the seven entities; idempotency; versions.

use serde_json::{Value, json};

use crate::support::{Client, Server};

fn bodies() -> [(&'static str, Value, &'static str); 6] {
    [
        ("assets", json!({ "name": "a", "category": "server", "criticality": 3, "owner": "me" }), "owner"),
        (
            "risks",
            json!({ "title": "r", "likelihood": 2, "impact": 5, "status": "open", "description": "d" }),
            "description",
        ),
        (
            "assessments",
            json!({ "title": "s", "assessor": "me", "outcome": "passed", "assessed_on": "2026-01-31" }),
            "assessor",
        ),
        ("tasks", json!({ "title": "t", "status": "todo", "priority": "low", "assignee": "me" }), "assignee"),
        ("evidence", json!({ "title": "e", "form": "log", "notes": "n" }), "notes"),
        (
            "reports",
            json!({ "title": "p", "period_start": "2026-01-01", "period_end": "2026-01-31", "status": "draft", "summary": "s" }),
            "summary",
        ),
    ]
}

fn asset(name: &str) -> Value {
    json!({ "name": name, "category": "server", "criticality": 3 })
}

async fn total(client: &Client, entity: &str) -> Value {
    client.get(&format!("/api/v1/{entity}?limit=1")).await.json()["total"].clone()
}

#[tokio::test]
async fn every_entity_can_be_created_read_changed_and_deleted() {
    let server = Server::start(&[]).await;
    let member = server.member().await;
    for (entity, mut body, changed) in bodies() {
        let created = member.post(&format!("/api/v1/{entity}"), &body).await;
        assert_eq!(created.status, 201, "{entity}: {}", created.text());
        let path = created.header("location").to_owned();
        let record = member.get(&path).await.json();
        assert_eq!(record, created.json(), "{entity}");
        for (key, value) in body.as_object().expect("an object") {
            assert_eq!(&record[key], value, "{entity}.{key}");
        }
        body[changed] = json!("changed");
        assert_eq!(member.put(&path, &body).await.status, 200, "{entity}");
        let record = member.get(&path).await.json();
        assert_eq!((&record[changed], &record["version"]), (&json!("changed"), &json!(2)), "{entity}");
        assert_eq!(member.delete(&path).await.status, 204, "{entity}");
        assert_eq!(member.get(&path).await.refusal(), (404, "not_found".to_owned()), "{entity}");
        assert_eq!(member.put(&path, &body).await.status, 404, "{entity}");
        assert_eq!(member.delete(&path).await.status, 404, "{entity}");
    }
}

#[tokio::test]
async fn a_list_is_paged_capped_and_tells_its_total() {
    let server = Server::start(&[]).await;
    let member = server.member().await;
    let page = member.get("/api/v1/assets?limit=5&offset=10").await.json();
    assert_eq!(page["items"].as_array().map(Vec::len), Some(2));
    assert_eq!((&page["total"], &page["limit"], &page["offset"]), (&json!(12), &json!(5), &json!(10)));
    assert_eq!(member.get("/api/v1/assets?limit=100000").await.json()["limit"], 200);
    for query in ["limit=-1", "limit=x", "offset=1.5", "limit=99999999999"] {
        assert_eq!(
            member.get(&format!("/api/v1/assets?{query}")).await.refusal(),
            (400, "bad_request".to_owned()),
            "{query}"
        );
    }
}

#[tokio::test]
async fn all_problems_of_a_body_come_in_one_answer() {
    let server = Server::start(&[]).await;
    let body = json!({ "name": " ", "criticality": 6, "colour": "red" });
    let reply = server.member().await.post("/api/v1/assets", &body).await;
    assert_eq!(reply.status, 422);
    let expected = json!({ "error": {
        "code": "invalid_fields", "message": "4 fields cannot be accepted",
        "fields": [
            { "field": "name", "message": "must not be empty" },
            { "field": "category", "message": "is required" },
            { "field": "criticality", "message": "must be a whole number from 1 to 5" },
            { "field": "colour", "message": "is not a field of assets" },
        ],
    } });
    assert_eq!(reply.json(), expected);
}

#[tokio::test]
async fn a_reference_must_point_somewhere_and_is_cleared_when_that_goes() {
    let server = Server::start(&[]).await;
    let member = server.member().await;
    let mut risk = json!({ "title": "r", "likelihood": 1, "impact": 1, "status": "open" });
    risk["asset_id"] = json!("67e55044-10b1-426f-9247-bb680e5fe0c8");
    let refused = member.post("/api/v1/risks", &risk).await;
    assert_eq!(refused.refusal(), (422, "invalid_fields".to_owned()));
    assert_eq!(refused.json()["error"]["fields"][0]["field"], "asset_id");
    let parent = member.post("/api/v1/assets", &asset("parent")).await;
    risk["asset_id"] = parent.json()["id"].clone();
    let child = member.post("/api/v1/risks", &risk).await.header("location").to_owned();
    assert_eq!(member.delete(parent.header("location")).await.status, 204);
    assert_eq!(member.get(&child).await.json()["asset_id"], Value::Null);
}

#[tokio::test]
async fn a_retry_with_the_same_key_makes_no_second_row() {
    let server = Server::start(&[]).await;
    let member = server.member().await;
    let keyed = member.with("idempotency-key", "k-1");
    let first = keyed.post("/api/v1/assets", &asset("once")).await;
    let again = keyed.post("/api/v1/assets", &asset("once")).await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(first.header("idempotency-replayed"), "");
    assert_eq!(total(&member, "assets").await, 13);
    let other = keyed.post("/api/v1/assets", &asset("twice")).await;
    assert_eq!(other.refusal(), (409, "idempotency_key_reused".to_owned()));
    let someone_else = server.admin().await.with("idempotency-key", "k-1");
    assert_eq!(someone_else.post("/api/v1/assets", &asset("twice")).await.status, 201, "keys are each user's own");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_retries_at_once_make_one_row() {
    let server = Server::start(&[]).await;
    let keyed = server.member().await.with("idempotency-key", "race");
    let retries: Vec<_> = (0..20)
        .map(|_| {
            let keyed = keyed.clone();
            tokio::spawn(async move { keyed.post("/api/v1/assets", &asset("raced")).await.json()["id"].clone() })
        })
        .collect();
    let mut ids = Vec::new();
    for retry in retries {
        ids.push(retry.await.expect("an answer").to_string());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "{ids:?}");
    assert_eq!(total(&server.member().await, "assets").await, 13);
}

#[tokio::test]
async fn if_match_keeps_a_change_from_overwriting_another() {
    let server = Server::start(&[]).await;
    let member = server.member().await;
    let created = member.post("/api/v1/assets", &asset("v1")).await;
    let (path, tag) = (created.header("location"), created.header("etag"));
    assert_eq!(member.with("if-match", tag).put(path, &asset("v2")).await.header("etag"), "\"2\"");
    let stale = member.with("if-match", tag);
    assert_eq!(stale.put(path, &asset("v3")).await.refusal(), (412, "stale_version".to_owned()));
    assert_eq!(stale.delete(path).await.status, 412);
    assert_eq!(member.get(path).await.json()["name"], "v2");
    assert_eq!(member.with("if-none-match", "\"2\"").get(path).await.status, 304);
    assert_eq!(member.with("if-none-match", tag).get(path).await.status, 200);
}

#[tokio::test]
async fn sql_in_a_value_or_an_id_is_only_text() {
    let server = Server::start(&[]).await;
    let member = server.member().await;
    let name = "'); DROP TABLE assets; --";
    let created = member.post("/api/v1/assets", &asset(name)).await;
    assert_eq!(member.get(created.header("location")).await.json()["name"], name);
    assert_eq!(member.get("/api/v1/assets/'%20OR%20'1'='1").await.status, 404);
}

#[tokio::test]
async fn recommendations_name_the_worst_risk_first() {
    let server = Server::start(&[]).await;
    let reply = server.member().await.post("/api/v1/recommendations", &json!({ "limit": 3 })).await;
    let list = reply.json()["recommendations"].clone();
    let scores: Vec<_> = list.as_array().expect("a list").iter().filter_map(|one| one["score"].as_i64()).collect();
    assert_eq!(scores.len(), 3);
    assert!(scores.is_sorted_by(|one, next| one >= next), "{scores:?}");
    let metrics = server.client().get("/metrics").await.text();
    assert!(metrics.contains("\nrecommendations_generated_total 1\n"), "{metrics}");
    assert!(metrics.contains("\nrecommendation_generation_seconds_count 1\n"), "{metrics}");
    assert_eq!(server.member().await.post("/api/v1/recommendations", &json!({ "limit": 0 })).await.status, 422);
}
