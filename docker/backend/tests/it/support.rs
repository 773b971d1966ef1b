//! Starts the service on a free port and speaks HTTP/1.1 to it by hand, so that a test sees exactly what was sent.

use std::{net::SocketAddr, time::Duration};

use backend::{config::Config, run::Service};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// No test waits longer than this for anything. Generous: the machine may be busy with other builds.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A running service.
pub struct Server {
    pub service: Service,
}

impl Server {
    /// Starts with three demo users and these variables.
    pub async fn start(variables: &[(&str, &str)]) -> Self {
        let defaults = [("LISTEN", "127.0.0.1:0"), ("SEED_USERS", "3")];
        let find = |name: &str, list: &[(&str, &str)]| {
            list.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        };
        let config = Config::from_lookup(|name| find(name, variables).or_else(|| find(name, &defaults)));
        let service = Service::start(config.expect("a good configuration")).await.expect("starts");
        Self { service }
    }

    pub fn client(&self) -> Client {
        Client { address: self.service.address(), headers: Vec::new() }
    }

    pub async fn member(&self) -> Client {
        self.client().log_in("user1@example.org", backend::config::DEMO_USER_PASSWORD).await
    }

    pub async fn admin(&self) -> Client {
        self.client().log_in(backend::config::ADMIN_EMAIL, backend::config::DEMO_ADMIN_PASSWORD).await
    }
}

/// Someone who sends requests, each on a connection of its own, always with the same headers.
#[derive(Clone)]
pub struct Client {
    pub address: SocketAddr,
    pub headers: Vec<(String, String)>,
}

impl Client {
    pub fn at(address: SocketAddr) -> Self {
        Self { address, headers: Vec::new() }
    }

    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.push((name.to_owned(), value.to_owned()));
        client
    }

    pub async fn log_in(&self, email: &str, password: &str) -> Self {
        let reply = self.post("/api/v1/auth/login", &json!({ "email": email, "password": password })).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let token = reply.json()["token"].as_str().expect("a token").to_owned();
        self.with("authorization", &format!("Bearer {token}"))
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, b"").await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        self.send("DELETE", path, b"").await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.with("content-type", "application/json").send("POST", path, body.to_string().as_bytes()).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Reply {
        self.with("content-type", "application/json").send("PUT", path, body.to_string().as_bytes()).await
    }

    pub async fn send(&self, method: &str, path: &str, body: &[u8]) -> Reply {
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n");
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
        exchange(self.address, &[head.as_bytes(), body].concat()).await
    }
}

/// Sends these bytes and reads the answer to its end. The server may answer and close before it has read everything.
pub async fn exchange(address: SocketAddr, request: &[u8]) -> Reply {
    let talk = async {
        let (mut read, mut write) = TcpStream::connect(address).await.expect("connects").into_split();
        let mut answer = Vec::new();
        let (_, _) = tokio::join!(write.write_all(request), read.read_to_end(&mut answer));
        answer
    };
    Reply::parse(&tokio::time::timeout(PATIENCE, talk).await.expect("an answer in time"))
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn parse(answer: &[u8]) -> Self {
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no head in {:?}", String::from_utf8_lossy(answer)));
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        Self { status: status.expect("a status"), headers, body: answer[end + 4..].to_vec() }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    /// The stable name of a refusal, with its status.
    pub fn refusal(&self) -> (u16, String) {
        (self.status, self.json()["error"]["code"].as_str().unwrap_or("none").to_owned())
    }
}

/// Asks again until the claim holds.
pub async fn eventually<F: Future<Output = bool>>(claim: &str, mut holds: impl FnMut() -> F) {
    let poll = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, poll).await.is_ok(), "never: {claim}");
}
