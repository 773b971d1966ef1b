//! The server from outside: over real sockets, with a hand-made snapshot. `pages` is what is said, `policy` to whom,
//! `hostile` what rude clients get, `tls` the web configuration.

mod hostile;
mod orders;
mod pages;
mod policy;
mod tls;

use super::{App, Feed, serve};
use crate::config::{InForce, ServerPlan};
use crate::reload::Order;
use crate::silence;
use crate::snapshot::Snapshot;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// What no page may ever show.
const CANARY: &str = "canary-5ecret";

/// A server that runs until it is dropped or stopped.
struct Running {
    at: SocketAddr,
    app: Arc<App>,
    snapshots: watch::Sender<Arc<Snapshot>>,
    /// What takes the place of the configuration in force.
    in_force: watch::Sender<Arc<InForce>>,
    /// The orders that came, for whoever carries them out.
    orders: mpsc::Receiver<Order>,
    silences: mpsc::Receiver<silence::Order>,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

/// What came back.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    fn parse(raw: &[u8]) -> Self {
        let end = raw.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer has a head");
        let head = String::from_utf8(raw[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head, body: raw[end + 4..].to_vec() }
    }
}

fn plan() -> ServerPlan {
    ServerPlan {
        listen: ([127, 0, 0, 1], 0).into(),
        web_config: None,
        diagnostics_from: Vec::new(),
        aliases: vec!["/api/v1/health".to_owned()],
    }
}

async fn start(snapshot: Snapshot) -> Running {
    start_with(snapshot, plan()).await
}

async fn start_with(snapshot: Snapshot, plan: ServerPlan) -> Running {
    let listener = TcpListener::bind(plan.listen).await.unwrap();
    let at = listener.local_addr().unwrap();
    let (snapshots, receiver) = watch::channel(Arc::new(snapshot));
    let effective = serde_json::json!({"checks": [{"name": "backend", "url": "http://backend.internal:8000/health"}]});
    let in_force = watch::Sender::new(Arc::new(InForce { server: plan, effective }));
    let (reloads, orders) = mpsc::channel(1);
    let (silenced, silences) = mpsc::channel(1);
    let feed = Feed {
        silences: silenced,
        snapshots: receiver,
        in_force: in_force.subscribe(),
        reloads,
        read: crate::config::read_yaml,
    };
    let app = App::new(feed).unwrap();
    let (stop, stopped) = oneshot::channel();
    let serving = serve(listener, Arc::clone(&app), async { drop(stopped.await) });
    Running { at, app, snapshots, in_force, orders, silences, stop, ended: tokio::spawn(serving) }
}

impl Running {
    async fn get(&self, path: &str) -> Answer {
        self.send(&format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")).await
    }

    async fn get_with(&self, path: &str, header: &str) -> Answer {
        self.send(&format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{header}\r\n\r\n")).await
    }

    async fn send(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(self.at).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        Answer::parse(&read_all(&mut stream).await)
    }
}

/// Reads until the server closes; a reset after the answer counts as its end.
async fn read_all(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> Vec<u8> {
    let mut raw = Vec::new();
    let ended = timeout(Duration::from_secs(60), stream.read_to_end(&mut raw)).await;
    let _ = ended.expect("the server closes the connection");
    raw
}

/// Polls until it holds, for what happens soon and not at once.
async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..200 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("never: {what}");
}

/// A web configuration in a directory of its own, written as JSON, which is YAML too.
struct OnDisk {
    dir: tempfile::TempDir,
}

impl OnDisk {
    fn new(config: &serde_json::Value) -> Self {
        let on_disk = Self { dir: tempfile::tempdir().unwrap() };
        on_disk.write("web.yml", &config.to_string());
        on_disk
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("web.yml")
    }

    /// As a careful tool does: aside, then renamed over the old one.
    fn write(&self, name: &str, text: &str) {
        let aside = self.dir.path().join(format!("{name}.new"));
        std::fs::write(&aside, text).unwrap();
        std::fs::rename(&aside, self.dir.path().join(name)).unwrap();
    }

    fn plan(&self) -> ServerPlan {
        ServerPlan { web_config: Some(self.path()), ..plan() }
    }
}
