//! Pages that change something: whom they obey, and what they answer. Here the test carries out the orders.

use super::*;
use crate::metrics::sample;
use crate::reload::{Applied, Attempt, By, Refusal, Trouble};
use serde_json::json;

const POST: &str = "POST /-/reload HTTP/1.1\r\nconnection: close\r\ncontent-length: 0\r\n";

/// A server whose every reload ends like this.
async fn obeying(outcome: Result<Applied, Refusal>) -> (Running, JoinHandle<u32>) {
    let mut server = start(sample::healthy()).await;
    let (_none, nobody) = mpsc::channel(1);
    let mut orders = std::mem::replace(&mut server.orders, nobody);
    let carrying_out = async move {
        let mut count = 0;
        while let Some(Order { by, answer }) = orders.recv().await {
            count += 1;
            let attempt = Attempt { at: sample::time(600), by, outcome: outcome.clone() };
            let _heard = answer.map(|answer| answer.send(Arc::new(attempt)));
        }
        count
    };
    (server, tokio::spawn(carrying_out))
}

#[tokio::test]
async fn a_reload_answers_with_what_changed() {
    let changes = Applied { added: vec!["new".to_owned()], kept: 2, ..Applied::default() };
    let (server, _obeying) = obeying(Ok(changes)).await;
    let answer = server.send(&format!("{POST}host: localhost\r\n\r\n")).await;
    assert_eq!(answer.status, 200);
    let body = answer.json();
    assert_eq!((&body["reloaded"], &body["added"], &body["kept"]), (&json!(true), &json!(["new"]), &json!(2)));
    assert_eq!(body["by"], By::Page.as_str());
}

#[tokio::test]
async fn a_refused_one_answers_with_every_problem() {
    for (was_read, status) in [(true, 400), (false, 500)] {
        let trouble =
            Trouble { message: "unknown key".to_owned(), at: "checks[0].x (agent.yml:3:5)".to_owned(), hint: None };
        let (server, _obeying) = obeying(Err(Refusal { was_read, troubles: vec![trouble] })).await;
        let answer = server.send(&format!("{POST}host: localhost\r\n\r\n")).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.json()["problems"][0]["at"], "checks[0].x (agent.yml:3:5)");
    }
}

#[tokio::test]
async fn nobody_but_a_trusted_tool_may_order_one() {
    let (server, obeying) = obeying(Ok(Applied::default())).await;
    let refused = [
        "host: rebound.example\r\n",
        "host: localhost\r\nx-forwarded-for: 127.0.0.1\r\n",
        "host: localhost\r\norigin: http://evil.example\r\n",
        "host: localhost\r\norigin: null\r\n",
        "host: localhost\r\nsec-fetch-site: cross-site\r\n",
        "host: rebound.example\r\norigin: http://rebound.example\r\n",
    ];
    for headers in refused {
        assert_eq!(server.send(&format!("{POST}{headers}\r\n")).await.status, 403, "{headers}");
    }
    let got = server.get("/-/reload").await;
    assert_eq!((got.status, got.header("allow")), (405, Some("POST")));
    for headers in ["host: 127.0.0.1\r\n", "host: localhost\r\norigin: http://localhost\r\n"] {
        assert_eq!(server.send(&format!("{POST}{headers}\r\n")).await.status, 200, "{headers}");
    }
    drop(server);
    // The connections hold the server's end of the channel until they are closed.
    let count = timeout(Duration::from_secs(10), obeying).await;
    assert_eq!(count.map(Result::unwrap).unwrap_or(99), 2, "what is refused is not carried out");
}

#[tokio::test]
async fn a_password_in_a_browser_is_no_reason_to_obey_another_site() {
    use base64::Engine as _;
    let hash = bcrypt::hash(CANARY, 4).unwrap();
    let on_disk = OnDisk::new(&json!({"basic_auth_users": {"ann": hash}}));
    let server = start_with(sample::healthy(), on_disk.plan()).await;
    let user = base64::engine::general_purpose::STANDARD.encode(format!("ann:{CANARY}"));
    let request =
        format!("{POST}host: agent.internal\r\nauthorization: Basic {user}\r\norigin: http://evil.example\r\n\r\n");
    assert_eq!(server.send(&request).await.status, 403);
}

#[tokio::test]
async fn more_than_can_wait_are_told_to_come_back() {
    let server = start(sample::healthy()).await;
    let request = format!("{POST}host: localhost\r\n\r\n");
    let mut waiting = TcpStream::connect(server.at).await.unwrap();
    waiting.write_all(request.as_bytes()).await.unwrap();
    eventually("the one before waits", async || server.orders.len() == 1).await;
    let answer = server.send(&request).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("10")));
}

#[tokio::test]
async fn pages_follow_the_configuration_in_force() {
    let server = start(sample::healthy()).await;
    assert_eq!(server.get("/up/readiness").await.status, 404);
    let plan = ServerPlan { aliases: vec!["/up".to_owned()], diagnostics_from: Vec::new(), ..plan() };
    server.in_force.send_replace(Arc::new(InForce { server: plan, effective: json!({"checks": []}) }));
    assert_eq!(server.get("/up/readiness").await.status, 200);
    assert_eq!(server.get("/api/v1/health/readiness").await.status, 404);
    assert_eq!(server.get("/config").await.json(), json!({"checks": []}));
}

#[tokio::test]
async fn a_silence_is_ordered_with_time_and_reason_and_ended() {
    let mut server = start(sample::silenced()).await;
    let (_none, nobody) = mpsc::channel(1);
    let mut orders = std::mem::replace(&mut server.silences, nobody);
    let obeying = tokio::spawn(async move {
        let mut wishes = Vec::new();
        while let Some(silence::Order { wish, answer }) = orders.recv().await {
            let _heard = answer.send(sample::silenced().silence.filter(|_| wish.is_some()));
            wishes.push(wish);
            if wishes.len() == 3 {
                break;
            }
        }
        wishes
    });
    let ask = |method: &str, query: &str, header: &str| {
        format!(
            "{method} /-/silence{query} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\nconnection: close\r\n{header}\r\n"
        )
    };
    let begun = server.send(&ask("POST", "?for=30m&reason=new%20database", "")).await;
    assert_eq!((begun.status, &begun.json()["silenced"]["until"]), (200, &json!("2023-11-14T22:53:10Z")));
    assert_eq!(server.send(&ask("POST", "?for=0", "")).await.json()["silenced"], json!(null));
    assert_eq!(server.send(&ask("POST", "", "")).await.status, 400);
    assert_eq!(server.send(&ask("POST", "?for=1m", "origin: http://evil.example\r\n")).await.status, 403);
    assert_eq!(server.send(&ask("DELETE", "", "x-forwarded-for: 1.2.3.4\r\n")).await.status, 403);
    assert_eq!(server.send(&ask("DELETE", "", "")).await.status, 200);
    let wanted = Some((Duration::from_mins(30), Some("new database".to_owned())));
    assert_eq!(obeying.await.unwrap(), [wanted, None, None]);
    assert_eq!(server.get("/health").await.json()["silenced"]["reason"], "deployment <1.2>");
    assert_eq!(server.get("/diagnostics").await.json()["silenced"]["by"], "request");
    assert_eq!(server.get("/ready").await.status, 200);
}
