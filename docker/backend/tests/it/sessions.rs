//! Logging in and out, tokens, cookies, CSRF, roles.

use backend::config::DEMO_USER_PASSWORD;
use serde_json::json;

use crate::support::{Client, Server};

const ME: &str = "/api/v1/auth/me";

/// Logs in as a browser would: the cookie is kept, the token is not used.
async fn browser(server: &Server) -> (Client, String) {
    let login = json!({ "email": "user1@example.org", "password": DEMO_USER_PASSWORD });
    let reply = server.client().post("/api/v1/auth/login", &login).await;
    let cookie = reply.header("set-cookie").split(';').next().expect("a cookie").to_owned();
    let csrf = reply.json()["csrf_token"].as_str().expect("a token").to_owned();
    (server.client().with("cookie", &cookie), csrf)
}

#[tokio::test]
async fn login_gives_a_token_a_csrf_token_and_a_guarded_cookie() {
    let server = Server::start(&[]).await;
    let login = json!({ "email": "user1@example.org", "password": DEMO_USER_PASSWORD });
    let reply = server.client().post("/api/v1/auth/login", &login).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json()["expires_in"], 900);
    assert!(reply.json()["csrf_token"].as_str().is_some_and(|token| token.len() >= 32));
    let cookie = reply.header("set-cookie");
    assert!(
        cookie.starts_with("session=") && cookie.ends_with("; Path=/; Max-Age=900; HttpOnly; SameSite=Lax"),
        "{cookie}"
    );
    assert_eq!(reply.header("cache-control"), "no-store");
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_are_answered_alike() {
    let server = Server::start(&[]).await;
    let mut answers = Vec::new();
    for email in ["user1@example.org", "nobody@example.org"] {
        let reply = server.client().post("/api/v1/auth/login", &json!({ "email": email, "password": "wrong" })).await;
        answers.push((reply.status, reply.text()));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0].0, 401);
}

#[tokio::test]
async fn a_login_without_its_fields_lists_both() {
    let server = Server::start(&[]).await;
    let reply = server.client().post("/api/v1/auth/login", &json!({ "email": 1 })).await;
    assert_eq!(reply.status, 422);
    assert_eq!(reply.json()["error"]["fields"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn a_token_is_worth_nothing_after_its_logout() {
    let server = Server::start(&[]).await;
    let (one, other) = (server.member().await, server.member().await);
    assert_eq!(one.get(ME).await.status, 200);
    assert_eq!(one.send("POST", "/api/v1/auth/logout", b"").await.status, 204);
    assert_eq!(one.get(ME).await.refusal(), (401, "unauthenticated".to_owned()));
    assert_eq!(other.get(ME).await.status, 200, "another session of the same user goes on");
}

#[tokio::test]
async fn a_cookie_may_read_but_needs_the_csrf_token_to_change() {
    let server = Server::start(&[]).await;
    let (browser, csrf) = browser(&server).await;
    let asset = json!({ "name": "a", "category": "server", "criticality": 1 });
    assert_eq!(browser.get("/api/v1/assets").await.status, 200);
    assert_eq!(browser.post("/api/v1/assets", &asset).await.refusal(), (403, "forbidden".to_owned()));
    let wrong = browser.with("x-csrf-token", &csrf.replace(|_| true, "0"));
    assert_eq!(wrong.post("/api/v1/assets", &asset).await.status, 403);
    assert_eq!(browser.with("x-csrf-token", &csrf).post("/api/v1/assets", &asset).await.status, 201);
}

#[tokio::test]
async fn a_bearer_token_needs_no_csrf_token_even_beside_a_cookie() {
    let server = Server::start(&[]).await;
    let (browser, _) = browser(&server).await;
    let token = server.member().await.headers[0].1.clone();
    let asset = json!({ "name": "a", "category": "server", "criticality": 1 });
    assert_eq!(browser.with("authorization", &token).post("/api/v1/assets", &asset).await.status, 201);
}

#[tokio::test]
async fn nothing_under_api_is_open_without_a_session() {
    let server = Server::start(&[]).await;
    for path in
        ["users", "assets", "risks", "assessments", "tasks", "evidence", "reports", "evidence/x/file", "admin/stats"]
    {
        let reply = server.client().get(&format!("/api/v1/{path}")).await;
        assert_eq!(reply.refusal(), (401, "unauthenticated".to_owned()), "{path}");
        assert_eq!(reply.header("www-authenticate"), "Bearer");
    }
    let forged = server.client().with("authorization", "Bearer e30.e30.e30");
    assert_eq!(forged.get("/api/v1/assets").await.status, 401);
}

#[tokio::test]
async fn a_token_of_another_secret_is_refused() {
    let (one, other) = (Server::start(&[]).await, Server::start(&[]).await);
    let stranger = Client { address: other.service.address(), ..one.member().await };
    assert_eq!(stranger.get(ME).await.status, 401);
}

#[tokio::test]
async fn admin_pages_are_for_administrators() {
    let server = Server::start(&[]).await;
    assert_eq!(server.member().await.get("/api/v1/admin/stats").await.refusal(), (403, "forbidden".to_owned()));
    let stats = server.admin().await.get("/api/v1/admin/stats").await.json();
    assert_eq!((&stats["rows"]["users"], &stats["rows"]["risks"]), (&json!(4), &json!(12)));
}

#[tokio::test]
async fn a_role_and_a_deletion_take_effect_with_the_next_request() {
    let server = Server::start(&[]).await;
    let (admin, member) = (server.admin().await, server.member().await);
    let id = member.get(ME).await.json()["user_id"].as_str().expect("an id").to_owned();
    let role = format!("/api/v1/admin/users/{id}/role");
    assert_eq!(admin.put(&role, &json!({ "role": "emperor" })).await.status, 422);
    assert_eq!(admin.put(&role, &json!({ "role": "admin" })).await.status, 204);
    assert_eq!(member.get("/api/v1/admin/stats").await.status, 200);
    assert_eq!(admin.delete(&format!("/api/v1/users/{id}")).await.status, 204);
    assert_eq!(member.get(ME).await.status, 401);
}

#[tokio::test]
async fn an_administrator_cannot_remove_the_own_account_or_role() {
    let server = Server::start(&[]).await;
    let admin = server.admin().await;
    let id = admin.get(ME).await.json()["user_id"].as_str().expect("an id").to_owned();
    let refused = (409, "own_account".to_owned());
    assert_eq!(admin.delete(&format!("/api/v1/users/{id}")).await.refusal(), refused);
    assert_eq!(
        admin.put(&format!("/api/v1/admin/users/{id}/role"), &json!({ "role": "member" })).await.refusal(),
        refused
    );
    let body = json!({ "email": "admin@example.org", "name": "a", "role": "member" });
    assert_eq!(admin.put(&format!("/api/v1/users/{id}"), &body).await.refusal(), refused);
}

#[tokio::test]
async fn a_user_made_by_an_administrator_can_log_in_and_nobody_reads_the_password() {
    let server = Server::start(&[]).await;
    let admin = server.admin().await;
    let user = json!({ "email": "new@example.org", "name": "New", "role": "member", "password": "canary-canary-1" });
    assert_eq!(server.member().await.post("/api/v1/users", &user).await.status, 403);
    let reply = admin.post("/api/v1/users", &user).await;
    assert_eq!(reply.status, 201);
    assert!(!reply.text().contains("canary") && !reply.text().contains("argon2"), "{}", reply.text());
    assert!(!admin.get("/api/v1/users").await.text().contains("argon2"));
    assert_eq!(admin.post("/api/v1/users", &user).await.refusal(), (409, "duplicate".to_owned()));
    server.client().log_in("new@example.org", "canary-canary-1").await;
    let path = reply.header("location").to_owned();
    let renamed = json!({ "email": "new@example.org", "name": "Renamed", "role": "member" });
    assert_eq!(admin.put(&path, &renamed).await.json()["name"], "Renamed");
    server.client().log_in("new@example.org", "canary-canary-1").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_users_log_in_work_and_log_out_at_once() {
    let server = Server::start(&[("SEED_USERS", "200")]).await;
    let users = (1..=200).map(|number| {
        let client = server.client();
        tokio::spawn(async move {
            let client = client.log_in(&format!("user{number}@example.org"), DEMO_USER_PASSWORD).await;
            let asset = json!({ "name": format!("of {number}"), "category": "server", "criticality": 1 });
            let created = client.post("/api/v1/assets", &asset).await;
            assert_eq!(created.status, 201, "{}", created.text());
            let path = created.header("location").to_owned();
            assert_eq!(client.get(&path).await.json()["name"], asset["name"]);
            assert_eq!(client.delete(&path).await.status, 204);
            assert_eq!(client.send("POST", "/api/v1/auth/logout", b"").await.status, 204);
        })
    });
    for user in users.collect::<Vec<_>>() {
        user.await.expect("every step of every user succeeds");
    }
}
