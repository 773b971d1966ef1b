//! The real binary: its environment, its output, its exit codes, its signals.

use std::{
    io::{BufRead, BufReader, Read},
    net::{SocketAddr, TcpListener},
    process::{Child, ChildStderr, ChildStdout, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::{Duration, Instant},
};

use backend::config::DEMO_USER_PASSWORD;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    cache::{started, url},
    databases::RealDatabase,
    servers::start::free_port,
    support::{Client, PATIENCE, Reply, eventually},
};

const SECRET: &str = "canary-secret-canary-secret-canary-secret";
const PASSWORD: &str = "canary-password";

struct Process {
    child: Child,
    address: SocketAddr,
    stdout: BufReader<ChildStdout>,
    log: Receiver<String>,
}

fn command(variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_backend"));
    command.env_clear().env("LISTEN", "127.0.0.1:0").envs(variables.iter().copied());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

impl Process {
    fn start(variables: &[(&str, &str)]) -> Self {
        let mut child = command(variables).spawn().expect("starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let log = lines_of(child.stderr.take().expect("piped"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("a line");
        let address = line.trim().strip_prefix("listening on http://").expect("the address").parse().expect("parses");
        Self { child, address, stdout, log }
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("sh").args(["-c", &format!("kill -{name} {}", self.child.id())]).status();
        assert!(sent.expect("sh runs").success());
    }

    /// Reads the log up to a line with this text.
    fn log_until(&self, text: &str) -> String {
        let mut log = String::new();
        while !log.contains(text) {
            let line = self.log.recv_timeout(PATIENCE);
            log.push_str(&line.unwrap_or_else(|_| panic!("the log ended without {text:?}:\n{log}")));
        }
        log
    }

    /// Waits for the end; gives the exit code and everything that was written and not read yet.
    fn end(mut self) -> (Option<i32>, String) {
        let mut output: String = self.log.iter().collect();
        self.stdout.read_to_string(&mut output).expect("text");
        (self.child.wait().expect("ends").code(), output)
    }
}

/// Reads on a thread of its own: a log that nobody reads fills its pipe and stops the process.
fn lines_of(stderr: ChildStderr) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            _ = sender.send(line + "\n");
        }
    });
    receiver
}

impl Drop for Process {
    fn drop(&mut self) {
        // Already gone, mostly.
        _ = self.child.kill();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_drains_a_slow_request_and_exits_0() {
    for signal in ["TERM", "INT"] {
        let process = Process::start(&[("FAULTS", "1"), ("FAULT_LATENCY_MS", "1500"), ("DRAIN_SECONDS", "60")]);
        let client = Client::at(process.address);
        let slow = tokio::spawn(async move { client.get("/health").await.status });
        wait_for_request_in_flight(process.address).await;
        process.signal(signal);
        assert_eq!(slow.await.expect("an answer"), 200);
        let (code, log) = process.end();
        assert_eq!(code, Some(0), "{log}");
        let steps = ["stopping", "no longer accepting", "drained", "database closed"];
        let found: Vec<_> = steps.iter().filter_map(|step| log.find(step)).collect();
        assert!(found.len() == steps.len() && found.is_sorted(), "{log}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_over_its_budget_cuts_off_and_exits_1() {
    let process = Process::start(&[("FAULTS", "1"), ("FAULT_LATENCY_MS", "60000"), ("DRAIN_SECONDS", "1")]);
    let client = Client::at(process.address);
    let slow = tokio::spawn(async move { client.get("/health").await.status });
    wait_for_request_in_flight(process.address).await;
    process.signal("TERM");
    let (code, log) = process.end();
    assert_eq!(code, Some(1), "{log}");
    slow.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_ends_the_process_at_once() {
    let process = Process::start(&[("FAULTS", "1"), ("FAULT_LATENCY_MS", "60000"), ("DRAIN_SECONDS", "300")]);
    let client = Client::at(process.address);
    let slow = tokio::spawn(async move { client.get("/health").await.status });
    wait_for_request_in_flight(process.address).await;
    process.signal("TERM");
    process.log_until("no longer accepting");
    let start = Instant::now();
    process.signal("TERM");
    assert_eq!(process.end().0, Some(128 + 15));
    assert!(start.elapsed() < Duration::from_secs(10), "long before the request or the budget ends");
    slow.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_under_load_answers_every_request_that_was_taken() {
    let redis = started();
    for database in RealDatabase::all() {
        let (url, redis) = (database.url(), redis.as_ref().map(url));
        let mut variables = vec![("DATABASE_URL", url.as_str()), ("SEED_USERS", "3"), ("DRAIN_SECONDS", "60")];
        variables.extend(redis.as_deref().map(|redis| ("REDIS_URL", redis)));
        let process = Process::start(&variables);
        let member = Client::at(process.address).log_in("user1@example.org", DEMO_USER_PASSWORD).await;
        let clients: Vec<_> = (0..8).map(|_| tokio::spawn(work_until_refused(member.clone()))).collect();
        tokio::time::sleep(Duration::from_millis(500)).await;
        process.signal("TERM");
        let mut answers = 0;
        for client in clients {
            answers += client.await.expect("no request was cut off");
        }
        let (code, log) = process.end();
        assert_eq!(code, Some(0), "{log}");
        assert!(log.contains("drained"), "{log}");
        assert!(answers > 8, "there was load: {answers} answers");
    }
}

/// Reads and writes until the service takes no more connections; panics when a request that it took is not answered well.
async fn work_until_refused(client: Client) -> usize {
    let asset = json!({ "name": "load", "category": "server", "criticality": 1 });
    let body = asset.to_string();
    let token = client.headers[0].1.clone();
    let create = format!(
        "POST /api/v1/assets HTTP/1.1\r\nhost: test\r\nconnection: close\r\nauthorization: {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let list = format!(
        "GET /api/v1/assets?limit=5 HTTP/1.1\r\nhost: test\r\nconnection: close\r\nauthorization: {token}\r\n\r\n"
    );
    for answers in 0.. {
        let Ok(mut stream) = TcpStream::connect(client.address).await else { return answers };
        let (request, expected) = if answers % 2 == 0 { (&create, 201) } else { (&list, 200) };
        let mut answer = Vec::new();
        let sent = stream.write_all(request.as_bytes()).await;
        let read = stream.read_to_end(&mut answer).await;
        if answer.is_empty() {
            // Accepted by the kernel only: the listener closed before the service took the connection.
            assert!(sent.is_err() || read.is_err() || read.is_ok_and(|bytes| bytes == 0));
            return answers;
        }
        assert_eq!(Reply::parse(&answer).status, expected);
    }
    0
}

#[test]
fn a_database_that_is_not_there_is_waited_for_with_progress_and_then_exits_4() {
    let port = free_port().to_string();
    let url = format!("postgres://app:{PASSWORD}@127.0.0.1:{port}/shop");
    let output = command(&[("DATABASE_URL", &url), ("DATABASE_WAIT_SECONDS", "2")]).output().expect("runs");
    assert_eq!(output.status.code(), Some(4));
    assert!(output.stdout.is_empty());
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.matches("the database is not there yet; trying again").count() >= 2, "{text}");
    let last = format!("error: cannot use the database at `127.0.0.1:{port}/shop` after ");
    assert!(text.contains(&last) && text.contains("Connection refused") && !text.contains(PASSWORD), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_health_command_is_0_or_1_and_nothing_else() {
    let process = Process::start(&[("FAULTS", "1")]);
    let ask = |url: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_backend")).args(["health", url]).output().expect("runs");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let url = format!("http://{}/health", process.address);
    assert_eq!(ask(&url), (Some(0), String::new()));
    Client::at(process.address).put("/faults", &json!({ "error_rate": 1.0 })).await;
    assert_eq!(ask(&url), (Some(1), "unhealthy: it answers 500\n".to_owned()));
    drop(process);
    // The kernel may reset a connection that it took for the dying process.
    let mut refused = ask(&url);
    for _ in 0..20 {
        if !refused.1.contains("reset") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        refused = ask(&url);
    }
    assert!(refused.0 == Some(1) && refused.1.contains("refused"), "{refused:?}");
    assert_eq!(ask("nonsense").0, Some(1));
}

#[test]
fn an_unusable_environment_exits_2_with_every_problem_and_no_output() {
    let output = command(&[("LISTEN", "nowhere"), ("JWT_SECRET", "short")]).output().expect("runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!((text.matches("error: ").count(), text.matches("hint: ").count()), (2, 2), "{text}");
}

#[test]
fn a_busy_port_exits_4_and_says_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("binds");
    let address = taken.local_addr().expect("an address").to_string();
    let output = command(&[("LISTEN", &address)]).output().expect("runs");
    assert_eq!(output.status.code(), Some(4));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains(&format!("error: cannot listen on `{address}`: ")) && text.contains("\nhint: "), "{text}");
}

#[tokio::test]
async fn no_secret_reaches_the_log_in_either_format() {
    for format in ["text", "json"] {
        let variables = [
            ("JWT_SECRET", SECRET),
            ("ADMIN_PASSWORD", PASSWORD),
            ("SEED_PASSWORD", PASSWORD),
            ("LOG_FORMAT", format),
            ("LOG_LEVEL", "trace"),
        ];
        let process = Process::start(&variables);
        let admin = Client::at(process.address).log_in("admin@example.org", PASSWORD).await;
        assert_eq!(admin.get("/api/v1/admin/stats").await.status, 200);
        let token = admin.headers[0].1.trim_start_matches("Bearer ").to_owned();
        process.signal("TERM");
        let (code, output) = process.end();
        assert_eq!(code, Some(0));
        assert!(!output.contains("canary") && !output.contains(&token), "{output}");
        let is_json = output.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok());
        assert_eq!(is_json, format == "json", "{output}");
    }
}

/// `/metrics` is spared by the faults and counts itself, so two are in flight when the slow one is.
async fn wait_for_request_in_flight(address: SocketAddr) {
    let client = Client::at(address);
    let two = || async { client.get("/metrics").await.text().contains("\nhttp_requests_in_flight 2\n") };
    tokio::time::timeout(PATIENCE, eventually("a request in flight", two)).await.expect("in time");
}
