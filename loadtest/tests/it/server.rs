//! A small HTTP server: a thread a connection, answers after the time its path asks for.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A server that can be killed like a process: its port closes and its connections break.
pub(super) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    dead: AtomicBool,
    slow: AtomicBool,
    status: AtomicU16,
    connections: Mutex<Vec<TcpStream>>,
    heads: Mutex<Vec<String>>,
    turn: Mutex<()>,
}

impl Server {
    /// `/queue` serves a hundred a second, `/slow` takes 300 ms, `/broken` answers 500, `/hang` never answers, `/tardy…` takes 1.5 s, `/token` answers
    /// `canary-5e7a`, `/metrics` is a sidecar's page, everything else 200 at once.
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared::default());
        let mine = Arc::clone(&shared);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                if mine.dead.load(Ordering::SeqCst) {
                    return;
                }
                mine.connections.lock().expect("a lock").extend(connection.try_clone());
                let shared = Arc::clone(&mine);
                thread::spawn(move || serve(connection, &shared));
            }
        });
        Self { address, shared }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on every answer takes 80 ms longer.
    pub(super) fn slow_down(&self) {
        self.shared.slow.store(true, Ordering::SeqCst);
    }

    /// From now on every answer has this status.
    pub(super) fn fail_with(&self, status: u16) {
        self.shared.status.store(status, Ordering::SeqCst);
    }

    /// The heads of all requests so far, names of headers in lower case; a body stands behind its head.
    pub(super) fn heads(&self) -> Vec<String> {
        self.shared.heads.lock().expect("a lock").clone()
    }

    /// A switch that kills the server from another thread.
    pub(super) fn killer(&self) -> impl FnOnce() + Send + 'static {
        let (shared, address) = (Arc::clone(&self.shared), self.address);
        move || {
            shared.dead.store(true, Ordering::SeqCst);
            // Wakes the listener, which then closes.
            let _ = TcpStream::connect(address);
            for connection in shared.connections.lock().expect("a lock").drain(..) {
                let _ = connection.shutdown(Shutdown::Both);
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.killer()();
    }
}

fn serve(connection: TcpStream, shared: &Shared) {
    let Ok(mut writer) = connection.try_clone() else { return };
    let _ = connection.set_nodelay(true);
    let mut reader = BufReader::new(connection);
    while let Some(head) = request(&mut reader) {
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        shared.heads.lock().expect("a lock").push(head);
        if path == "/queue" {
            // One at a time: a hundred a second.
            let _turn = shared.turn.lock().expect("a lock");
            thread::sleep(Duration::from_millis(10));
        }
        let (status, delay) = match path.as_str() {
            "/slow" => ("200 OK", 300),
            "/broken" => ("500 Internal Server Error", 0),
            "/hang" => ("200 OK", 60_000),
            path if path.starts_with("/tardy") => ("200 OK", 1500),
            _ => ("200 OK", 0),
        };
        let more = if shared.slow.load(Ordering::SeqCst) { 80 } else { 0 };
        thread::sleep(Duration::from_millis(delay + more));
        let status = match shared.status.load(Ordering::SeqCst) {
            0 => status.to_owned(),
            other => format!("{other} Failing"),
        };
        let body = match path.as_str() {
            "/metrics" => sidecar(),
            "/token" => "canary-5e7a".to_owned(),
            _ => "ok".to_owned(),
        };
        let length = body.len();
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nContent-Type: text/plain\r\n\r\n{body}");
        if writer.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// What a sidecar says of a service that uses 60 % of its CPU and a tenth of its memory.
fn sidecar() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis();
    format!(
        "container_last_seen {now}\nsidecar_cpu_used_ratio{{scope=\"peer\"}} 0.6\nsidecar_memory_used_ratio{{scope=\"peer\"}} 0.1\n"
    )
}

/// Reads one request: its head, and behind it its body.
fn request(reader: &mut impl BufRead) -> Option<String> {
    let mut head = String::new();
    reader.read_line(&mut head).ok().filter(|read| *read > 0)?;
    while reader.read_line(&mut head).ok()? > 2 {}
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap_or(0))];
    reader.read_exact(&mut body).ok()?;
    Some(head + &String::from_utf8_lossy(&body))
}
