//! The service on real databases: the same behaviour on each, migrations once however many start, what is said when one is not
//! there. A server that is not installed is SKIPPED, by name.

use std::{sync::Arc, time::Duration};

use backend::{
    config::Config,
    db::DbError,
    run::{Service, StartError},
};
use serde_json::{Value, json};

use crate::{
    servers::{
        mariadb::{self, MariaDb},
        postgres::{self, Postgres},
        start::free_port,
    },
    support::{Client, Server, eventually},
};

/// A real database server with an empty database.
pub enum RealDatabase {
    Postgres(Postgres),
    MariaDb(MariaDb),
}

impl RealDatabase {
    /// All that are installed here.
    pub fn all() -> Vec<Self> {
        let started = |name: &str, server: Result<Self, String>| match server {
            Ok(server) => Some(server),
            Err(why) if why.ends_with("is not installed") => {
                eprintln!("SKIPPED {} on {name}: {why}", std::thread::current().name().unwrap_or("test"));
                None
            }
            Err(why) => panic!("{why}"),
        };
        let postgres = started("PostgreSQL", Postgres::start(&[]).map(Self::Postgres));
        let mariadb = started("MariaDB", MariaDb::start(&[]).map(Self::MariaDb));
        postgres.into_iter().chain(mariadb).collect()
    }

    /// The URL as a Python program would have it.
    pub fn url(&self) -> String {
        match self {
            Self::Postgres(server) => {
                format!("postgresql+asyncpg://postgres:{}@127.0.0.1:{}/postgres", postgres::PASSWORD, server.port)
            }
            Self::MariaDb(server) => {
                format!("mysql+pymysql://app:{}@127.0.0.1:{}/shop", mariadb::PASSWORD, server.port)
            }
        }
    }

    fn sql(&self, sql: &str) -> String {
        match self {
            Self::Postgres(server) => server.psql(sql),
            Self::MariaDb(server) => server.sql(&format!("USE shop; {sql}")),
        }
        .expect("the statement runs")
    }

    fn port(&self) -> u16 {
        match self {
            Self::Postgres(server) => server.port,
            Self::MariaDb(server) => server.port,
        }
    }

    fn stop(&mut self) {
        match self {
            Self::Postgres(server) => server.server.stop(),
            Self::MariaDb(server) => server.server.stop(),
        }
    }

    fn restart(&mut self) {
        match self {
            Self::Postgres(server) => server.restart(),
            Self::MariaDb(server) => server.restart(),
        }
        .expect("starts again");
    }
}

async fn refused(variables: &[(&str, &str)]) -> String {
    let find = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    let defaults = |name: &str| (name == "LISTEN").then(|| "127.0.0.1:0".to_owned());
    let config = Config::from_lookup(|name| find(name).or_else(|| defaults(name))).expect("a good configuration");
    match Service::start(config).await {
        Err(StartError::Database(error @ (DbError::Unusable { .. } | DbError::Migrate(_)))) => {
            let text = error.to_string();
            assert!(!text.contains("canary"), "{text}");
            text
        }
        Err(error) => panic!("another refusal: {error}"),
        Ok(_) => panic!("it started"),
    }
}

/// A body for each entity with every field in it, and one with the required ones only.
fn bodies(entity: &str, parent: &str) -> (Value, Value) {
    match entity {
        "assets" => (
            json!({"name": "Ünïcode 🦀", "category": "server", "criticality": 5, "owner": "o", "description": "d"}),
            json!({"name": "A", "category": "people", "criticality": 1}),
        ),
        "risks" => (
            json!({"title": "t", "asset_id": parent, "likelihood": 5, "impact": 5, "status": "open", "description": "d"}),
            json!({"title": "t", "likelihood": 1, "impact": 1, "status": "closed"}),
        ),
        "assessments" => (
            json!({"title": "t", "risk_id": parent, "assessor": "a", "outcome": "passed", "score": 99, "assessed_on": "2026-01-02"}),
            json!({"title": "t", "assessor": "a", "outcome": "pending"}),
        ),
        "tasks" => (
            json!({"title": "t", "risk_id": parent, "status": "todo", "priority": "high", "assignee": "a", "due_on": "2026-01-02"}),
            json!({"title": "t", "status": "done", "priority": "low"}),
        ),
        "evidence" => (
            json!({"title": "t", "assessment_id": parent, "form": "log", "notes": "n"}),
            json!({"title": "t", "form": "link"}),
        ),
        "reports" => (
            json!({"title": "t", "period_start": "2026-01-01", "period_end": "2026-01-31", "status": "draft", "summary": "s"}),
            json!({"title": "t", "period_start": "2026-01-01", "period_end": "2026-01-31", "status": "final"}),
        ),
        other => panic!("no body for {other}"),
    }
}

fn holds(record: &Value, body: &Value) {
    for (field, value) in body.as_object().expect("an object") {
        assert_eq!(&record[field], value, "{field} of {record}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_entity_keeps_what_was_written_on_every_database() {
    for database in RealDatabase::all() {
        let server = Server::start(&[("DATABASE_URL", &database.url())]).await;
        let member = server.member().await;
        let mut parents: Vec<(&str, String)> = Vec::new();
        for entity in ["assets", "risks", "assessments", "tasks", "evidence", "reports"] {
            let parent = match entity {
                "risks" => "assets",
                "assessments" | "tasks" => "risks",
                "evidence" => "assessments",
                _ => "",
            };
            let parent = parents.iter().find(|(name, _)| *name == parent).map_or("", |(_, id)| id.as_str());
            let (full, bare) = bodies(entity, parent);
            let created = member.post(&format!("/api/v1/{entity}"), &full).await;
            assert_eq!(created.status, 201, "{entity}: {}", created.text());
            let path = created.header("location").to_owned();
            holds(&member.get(&path).await.json(), &full);
            let changed = member.with("if-match", "\"1\"").put(&path, &bare).await;
            assert_eq!(changed.status, 200, "{entity}: {}", changed.text());
            let now = member.get(&path).await.json();
            holds(&now, &bare);
            assert_eq!(now["version"], 2);
            for (field, _) in full.as_object().expect("an object").iter().filter(|(field, _)| bare.get(field).is_none())
            {
                assert_eq!(now[field], Value::Null, "{entity}.{field} was given before and is not any more");
            }
            assert_eq!(member.with("if-match", "\"1\"").delete(&path).await.refusal().0, 412);
            assert_eq!(member.put(&path, &full).await.status, 200);
            let list = member.get(&format!("/api/v1/{entity}?limit=1")).await.json();
            holds(&list["items"][0], &full);
            parents.push((entity, now["id"].as_str().expect("an id").to_owned()));
        }
        let path = |entity: &str| {
            let id = parents.iter().find(|(name, _)| *name == entity).map(|(_, id)| id.clone()).expect("made above");
            format!("/api/v1/{entity}/{id}")
        };
        let stranger = json!({"title": "t", "asset_id": "67e55044-10b1-426f-9247-bb680e5fe0c8", "likelihood": 1, "impact": 1, "status": "open"});
        assert_eq!(member.post("/api/v1/risks", &stranger).await.refusal(), (422, "invalid_fields".to_owned()));
        assert_eq!(member.delete(&path("assets")).await.status, 204);
        assert_eq!(member.get(&path("risks")).await.json()["asset_id"], Value::Null, "deleting a parent lets go");
        assert_eq!(member.post("/api/v1/recommendations", &json!({"limit": 5})).await.status, 200);
        let nul = member.get("/api/v1/assets/%00").await;
        assert!([400, 404].contains(&nul.status), "{}", nul.text());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_files_and_retries_work_on_every_database() {
    for database in RealDatabase::all() {
        let server = Server::start(&[("DATABASE_URL", &database.url())]).await;
        let (admin, member) = (server.admin().await, server.member().await);
        let user = json!({"email": "Case@example.org", "name": "New", "role": "member", "password": "canary-canary-1"});
        assert_eq!(admin.post("/api/v1/users", &user).await.status, 201);
        assert_eq!(admin.post("/api/v1/users", &user).await.refusal(), (409, "duplicate".to_owned()));
        let login = json!({"email": "case@example.org", "password": "canary-canary-1"});
        assert_eq!(server.client().post("/api/v1/auth/login", &login).await.status, 401, "another address");

        let body = json!({"title": "t", "form": "log"});
        let path = member.post("/api/v1/evidence", &body).await.header("location").to_owned() + "/file";
        let content: Vec<u8> = (0..=255).cycle().take(300_000).collect();
        for content in [&content[..10], &content] {
            let head = b"--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.bin\"\r\n\r\n".as_slice();
            let form = [head, content, b"\r\n--b--\r\n".as_slice()].concat();
            let upload = member.with("content-type", "multipart/form-data; boundary=b");
            let reply = upload.send("POST", &path, &form).await;
            assert_eq!(reply.status, 201, "{}", reply.text());
            assert_eq!(member.get(&path).await.body, content);
        }

        let keyed = member.with("idempotency-key", "once");
        let asset = json!({"name": "once", "category": "server", "criticality": 1});
        let tries: Vec<_> = (0..8)
            .map(|_| (keyed.clone(), asset.clone()))
            .map(|(client, asset)| tokio::spawn(async move { client.post("/api/v1/assets", &asset).await }))
            .collect();
        let mut ids = Vec::new();
        for reply in tries {
            let reply = reply.await.expect("an answer");
            assert_eq!(reply.status, 201, "{}", reply.text());
            ids.push(reply.json()["id"].clone());
        }
        assert!(ids.windows(2).all(|pair| pair[0] == pair[1]), "one asset, however often it was asked for: {ids:?}");

        assert_eq!(member.send("POST", "/api/v1/auth/logout", b"").await.status, 204);
        assert_eq!(member.get("/api/v1/auth/me").await.status, 401);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn updates_at_the_same_version_succeed_once() {
    for database in RealDatabase::all() {
        let server = Server::start(&[("DATABASE_URL", &database.url())]).await;
        let member = server.member().await;
        let asset = json!({"name": "a", "category": "server", "criticality": 1});
        let path = Arc::new(member.post("/api/v1/assets", &asset).await.header("location").to_owned());
        let tries: Vec<_> = (0..8)
            .map(|number| {
                let (client, path) = (member.with("if-match", "\"1\""), path.clone());
                let asset = json!({"name": format!("by {number}"), "category": "server", "criticality": 1});
                tokio::spawn(async move { client.put(&path, &asset).await.status })
            })
            .collect();
        let mut statuses = Vec::new();
        for status in tries {
            statuses.push(status.await.expect("an answer"));
        }
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412, 412, 412, 412, 412, 412, 412]);
        assert_eq!(member.get(&path).await.json()["version"], 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrations_run_once_whoever_starts_and_however_often() {
    for database in RealDatabase::all() {
        let url = database.url();
        let variables = [("DATABASE_URL", url.as_str()), ("SEED_USERS", "20")];
        let (one, two, three) =
            tokio::join!(Server::start(&variables), Server::start(&variables), Server::start(&variables));
        for server in [&one, &two, &three] {
            assert_eq!(server.client().get("/health").await.status, 200);
        }
        let applied = "SELECT count(*), min(version), max(version) FROM _sqlx_migrations WHERE success";
        let words = |text: String| text.replace(['|', '\t'], " ");
        assert_eq!(words(database.sql(applied)), "1 1 1");
        let rows = "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM assets), (SELECT count(*) FROM risks)";
        assert_eq!(words(database.sql(rows)), "21 12 12", "seeded once, too");
        one.service.stop(Duration::from_secs(5)).await;
        let again = Server::start(&variables).await;
        assert_eq!(again.client().get("/health").await.status, 200);
        assert_eq!(words(database.sql(applied)), "1 1 1");
        assert_eq!(words(database.sql(rows)), "21 12 12");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_restarts_is_told_and_found_again() {
    for mut database in RealDatabase::all() {
        let server = Server::start(&[("DATABASE_URL", &database.url())]).await;
        let member = server.member().await;
        database.stop();
        let health = server.client().get("/health").await;
        assert_eq!((health.status, &health.json()["status"]), (503, &json!("unhealthy")));
        assert_eq!(member.get("/api/v1/assets").await.status, 503, "an outage is no error of ours");
        database.restart();
        let client: &Client = &member;
        let back = || async { client.get("/api/v1/assets").await.status == 200 };
        eventually("the rows are there again", back).await;
        assert_eq!(server.client().get("/health").await.status, 200);
    }
}

#[tokio::test]
async fn a_server_that_never_comes_is_named_with_its_reason_and_without_its_password() {
    let port = free_port();
    for (scheme, password) in [("postgres", "canary"), ("mysql", "canary")] {
        let url = format!("{scheme}://app:{password}@127.0.0.1:{port}/shop");
        let text = refused(&[("DATABASE_URL", &url), ("DATABASE_WAIT_SECONDS", "1")]).await;
        let expected = format!("cannot use the database at `127.0.0.1:{port}/shop` after ");
        assert!(
            text.starts_with(&expected) && text.contains("Connection refused") && text.contains("\nhint: "),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_wrong_password_or_database_is_told_at_once() {
    for database in RealDatabase::all() {
        let wait = ("DATABASE_WAIT_SECONDS", "600");
        let (scheme, user, password, name) = match &database {
            RealDatabase::Postgres(_) => ("postgres", "postgres", postgres::PASSWORD, "postgres"),
            RealDatabase::MariaDb(_) => ("mysql", "app", mariadb::PASSWORD, "shop"),
        };
        let port = database.port();
        let url = format!("{scheme}://{user}:canary-wrong@127.0.0.1:{port}/{name}");
        let text = refused(&[("DATABASE_URL", &url), wait]).await;
        assert!(text.ends_with("\nhint: do user and password in `DATABASE_URL` belong to this server?"), "{text}");
        let url = format!("{scheme}://{user}:{password}@127.0.0.1:{port}/nowhere");
        let text = refused(&[("DATABASE_URL", &url), wait]).await;
        assert!(text.ends_with("\nhint: does the database exist, and may this user use it?"), "{text}");
    }
}

#[tokio::test]
async fn another_kind_of_server_or_application_behind_the_url_is_refused() {
    for database in RealDatabase::all() {
        let other = match &database {
            RealDatabase::Postgres(_) => "mysql",
            RealDatabase::MariaDb(_) => "postgres",
        };
        let url = format!("{other}://app:canary@127.0.0.1:{}/shop", database.port());
        let text = refused(&[("DATABASE_URL", &url), ("DATABASE_WAIT_SECONDS", "0")]).await;
        assert!(text.contains("is it a database of this kind"), "{text}");
        database.sql("CREATE TABLE users (somebody_elses INTEGER)");
        let text = refused(&[("DATABASE_URL", &database.url())]).await;
        assert!(text.starts_with("cannot migrate the database") && text.contains("another application"), "{text}");
    }
}
