//! The real binary: its environment, its output, its exit codes, its signals.

use std::{
    io::{BufRead, BufReader, Read},
    net::{SocketAddr, TcpListener},
    process::{Child, ChildStderr, ChildStdout, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::{Duration, Instant},
};

use crate::support::{Client, PATIENCE, eventually};

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
