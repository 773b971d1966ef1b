//! Two backends on one real database and one real Redis: nobody reads what is no longer so, sessions end everywhere at once, and a
//! Redis that goes away costs time and no answer.

use std::time::Duration;

use backend::{
    cache::{Cache, Purpose},
    config::Config,
};
use serde_json::{Value, json};

use crate::{
    databases::RealDatabase,
    servers::redis::{PASSWORD, Redis},
    support::{Client, Server, eventually},
};

const SECRET: &str = "one-secret-for-all-backends-of-a-service";

pub fn started() -> Option<Redis> {
    match Redis::start(&[]) {
        Ok(redis) => Some(redis),
        Err(why) if why.ends_with("is not installed") => {
            eprintln!("SKIPPED {}: {why}", std::thread::current().name().unwrap_or("test"));
            None
        }
        Err(why) => panic!("{why}"),
    }
}

pub fn url(redis: &Redis) -> String {
    format!("redis://:{PASSWORD}@127.0.0.1:{}/0", redis.port)
}

async fn backend(database: &str, redis: &str) -> Server {
    Server::start(&[("DATABASE_URL", database), ("REDIS_URL", redis), ("JWT_SECRET", SECRET)]).await
}

/// The same session at another backend.
fn at(server: &Server, client: &Client) -> Client {
    Client { address: server.service.address(), ..client.clone() }
}

async fn counted(server: &Server, series: &str) -> u64 {
    let page = server.client().get("/metrics").await.text();
    let value = page.lines().find_map(|line| line.strip_prefix(series)?.trim().parse().ok());
    value.unwrap_or_else(|| panic!("no {series} in {page}"))
}

async fn asset(client: &Client) -> String {
    let asset = json!({ "name": "first", "category": "server", "criticality": 1 });
    client.post("/api/v1/assets", &asset).await.header("location").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_at_one_backend_is_read_at_the_other_at_once() {
    let Some(redis) = started() else { return };
    for database in RealDatabase::all() {
        let (one, two) = (backend(&database.url(), &url(&redis)).await, backend(&database.url(), &url(&redis)).await);
        let here = one.member().await;
        let there = at(&two, &here);
        let path = asset(&here).await;
        for _ in 0..2 {
            assert_eq!(there.get(&path).await.json()["name"], "first");
            assert_eq!(here.get(&path).await.json()["name"], "first");
        }
        assert_eq!(
            counted(&two, "cache_misses_total{cache=\"records\"}").await,
            1,
            "only the first read asked the database"
        );
        assert_eq!(counted(&two, "cache_hits_total{cache=\"records\"}").await, 1);
        assert_eq!(counted(&one, "cache_hits_total{cache=\"records\"}").await, 2, "the copy is shared");
        for name in ["second", "third"] {
            let body = json!({ "name": name, "category": "server", "criticality": 2 });
            assert_eq!(here.put(&path, &body).await.status, 200);
            assert_eq!(there.get(&path).await.json()["name"], name);
            assert_eq!(here.get(&path).await.json()["name"], name);
        }
        assert_eq!(here.delete(&path).await.status, 204);
        assert_eq!(there.get(&path).await.status, 404);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleting_a_parent_makes_the_copies_of_its_children_outdated() {
    let Some(redis) = started() else { return };
    for database in RealDatabase::all() {
        let server = backend(&database.url(), &url(&redis)).await;
        let member = server.member().await;
        let parent = asset(&member).await;
        let id = parent.rsplit('/').next().expect("an id");
        let risk = json!({ "title": "t", "asset_id": id, "likelihood": 1, "impact": 1, "status": "open" });
        let child = member.post("/api/v1/risks", &risk).await.header("location").to_owned();
        for _ in 0..2 {
            assert_eq!(member.get(&child).await.json()["asset_id"], id);
        }
        assert_eq!(member.delete(&parent).await.status, 204);
        assert_eq!(member.get(&child).await.json()["asset_id"], Value::Null);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_ends_or_loses_its_role_does_so_at_every_backend() {
    let Some(redis) = started() else { return };
    for database in RealDatabase::all() {
        let (one, two) = (backend(&database.url(), &url(&redis)).await, backend(&database.url(), &url(&redis)).await);
        let (here, admin) = (one.member().await, one.admin().await);
        let there = at(&two, &here);
        let me = "/api/v1/auth/me";
        for _ in 0..2 {
            assert_eq!(there.get(me).await.json()["role"], "member");
        }
        assert_eq!(
            counted(&two, "cache_hits_total{cache=\"sessions\"}").await,
            1,
            "the second request asked Redis alone"
        );
        let id = here.get(me).await.json()["user_id"].as_str().expect("an id").to_owned();
        let role = format!("/api/v1/admin/users/{id}/role");
        assert_eq!(admin.put(&role, &json!({ "role": "admin" })).await.status, 204);
        assert_eq!(there.get(me).await.json()["role"], "admin");
        let other = at(&two, &one.member().await);
        assert_eq!((there.get(me).await.status, other.get(me).await.status), (200, 200));
        assert_eq!(here.send("POST", "/api/v1/auth/logout", b"").await.status, 204);
        assert_eq!(there.get(me).await.status, 401, "the end of the session is known here as well");
        assert_eq!(redis.cli(&["FLUSHALL"]).expect("flushes"), "OK");
        assert_eq!(there.get(me).await.status, 401, "and it does not hang on what Redis remembers");
        assert_eq!(other.get(me).await.status, 200, "another session of the same user goes on");
        assert_eq!(admin.delete(&format!("/api/v1/users/{id}")).await.status, 204);
        assert_eq!(other.get(me).await.status, 401);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_goes_away_degrades_and_comes_back() {
    let Some(mut redis) = started() else { return };
    for database in RealDatabase::all() {
        let server = backend(&database.url(), &url(&redis)).await;
        let (member, leaver) = (server.member().await, server.member().await);
        let (path, unchanged) = (asset(&member).await, asset(&member).await);
        for path in [&path, &path, &unchanged, &unchanged] {
            assert_eq!(member.get(path).await.json()["name"], "first");
        }
        let health = server.client().get("/health").await.json();
        assert_eq!((&health["status"], &health["overall_healthy"]), (&json!("healthy"), &json!(true)));
        assert!(health["services"]["redis"]["response_time_ms"].as_f64().is_some_and(|time| time > 0.0), "{health}");

        redis.server.stop();
        let reply = server.client().get("/health").await;
        let health = reply.json();
        assert_eq!(
            (reply.status, &health["status"], &health["overall_healthy"]),
            (200, &json!("degraded"), &json!(false))
        );
        assert_eq!(health["services"]["redis"]["healthy"], false);
        assert_eq!(health["services"]["database"]["healthy"], true);
        assert_eq!(counted(&server, "cache_up").await, 0);
        assert_eq!(member.get(&path).await.json()["name"], "first", "from the database");
        let body = json!({ "name": "changed meanwhile", "category": "server", "criticality": 2 });
        assert_eq!(member.put(&path, &body).await.status, 200);
        assert_eq!(leaver.send("POST", "/api/v1/auth/logout", b"").await.status, 204);
        assert_eq!(leaver.get("/api/v1/auth/me").await.status, 401);

        redis.restart().expect("starts again");
        let client = server.client();
        let healthy = || async { client.get("/health").await.json()["status"] == "healthy" };
        eventually("redis is used again", healthy).await;
        assert_eq!(counted(&server, "cache_up").await, 1);
        assert_eq!(member.get(&path).await.json()["name"], "changed meanwhile", "the old copy is not believed");
        assert_eq!(leaver.get("/api/v1/auth/me").await.status, 401);
        assert_eq!(member.get(&unchanged).await.json()["name"], "first");
    }
}

#[tokio::test]
async fn without_its_redis_the_service_starts_degraded_and_shows_no_password() {
    let Some(redis) = started() else { return };
    let wrong = format!("redis://:canary-wrong@127.0.0.1:{}/0", redis.port);
    for redis in [wrong.as_str(), "redis://:canary@127.0.0.1:1"] {
        let server = backend("sqlite::memory:", redis).await;
        let health = server.client().get("/health").await;
        assert_eq!((health.status, &health.json()["status"]), (200, &json!("degraded")));
        assert_eq!(server.member().await.get("/api/v1/assets").await.status, 200);
        assert!(!health.text().contains("canary"));
    }
}

#[tokio::test]
async fn a_copy_that_comes_late_does_not_cover_a_change() {
    let Some(redis) = started() else { return };
    let text = url(&redis);
    let config = Config::from_lookup(|name| (name == "REDIS_URL").then(|| text.clone())).expect("good");
    let cache = Cache::new(config.redis.as_ref()).expect("a client");
    let key = ["key".to_owned()];
    let copies = [("key".to_owned(), "old".to_owned())];
    cache.fill(Purpose::Records, &copies).await;
    assert_eq!(cache.get(Purpose::Records, &key).await, Some(vec!["old".to_owned()]));
    let life: u64 = redis.cli(&["TTL", "key"]).expect("a life").parse().expect("a number");
    assert!((1..=30).contains(&life), "{life} s");
    cache.outdate(Purpose::Records, &key).await;
    assert_eq!(cache.get(Purpose::Records, &key).await, None);
    cache.fill(Purpose::Records, &copies).await;
    assert_eq!(cache.get(Purpose::Records, &key).await, None, "a slow reader stores what was so before the change");
    let life: u64 = redis.cli(&["TTL", "key"]).expect("a life").parse().expect("a number");
    assert!((31..=35).contains(&life), "the mark stands longer than two requests take: {life} s");
}

#[tokio::test]
async fn after_a_change_that_redis_did_not_hear_of_no_copy_is_believed() {
    let Some(mut redis) = started() else { return };
    let text = url(&redis);
    let config = Config::from_lookup(|name| (name == "REDIS_URL").then(|| text.clone())).expect("good");
    let cache = Cache::new(config.redis.as_ref()).expect("a client");
    let key = ["key".to_owned()];
    redis.server.stop();
    cache.outdate(Purpose::Records, &key).await;
    redis.restart().expect("starts again");
    redis.cli(&["SET", "key", "what another backend stored before the change"]).expect("sets");
    eventually("redis answers", || async { cache.health().await.is_some_and(|health| health.healthy) }).await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(cache.get(Purpose::Records, &key).await, None);
}
