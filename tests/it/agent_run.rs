//! `agent run` from outside: the three ways to start it, what it refuses, how it ends.

use rustix::process::Signal;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;
use tests::agent::Agent;
use tests::program::{Running, clean, finish};

/// A web server of one page: answers every request with this status and body.
fn page(status: &'static str, body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 4096];
            let _read = stream.read(&mut request);
            let answer =
                format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
            let _sent = stream.write_all(answer.as_bytes());
        }
    });
    format!("http://{address}")
}

/// An address on which nothing listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").to_string()
}

#[test]
fn starts_from_flags_alone() {
    let (api, dead) = (page("200 OK", "fine"), nobody());
    let agent = Agent::start(&["--peer", &format!("{api}/health"), "--check", &format!("db=tcp://{dead}")]);
    agent.wait_sample("sidecar_check_up{check=\"peer\"}", 1.0);
    agent.wait_sample("sidecar_check_up{check=\"db\"}", 0.0);
    assert_eq!(agent.page("/ready").status, 200, "a dependency is only observed");
    assert!(
        agent.sample("sidecar_check_failures_total{check=\"db\",reason=\"refused\"}").is_some_and(|count| count >= 3.0)
    );
}

#[test]
fn starts_from_the_environment_alone() {
    let api = page("200 OK", "fine");
    let mut command = clean("agent");
    command
        .env("AGENT_LISTEN", "127.0.0.1:0")
        .env("AGENT_PEER", format!("{api}/health"))
        .env("AGENT_CHECK_DB", format!("tcp://{}", nobody()));
    let agent = Agent::start_command(&mut command);
    agent.wait_sample("sidecar_check_up{check=\"peer\"}", 1.0);
    agent.wait_sample("sidecar_check_up{check=\"db\"}", 0.0);
}

#[test]
fn a_readiness_check_that_is_down_closes_ready_and_not_live() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = format!(
        "checks:\n  - {{name: api, url: \"http://{}/\", role: readiness, interval: 1s, timeout: 1s}}\n",
        nobody()
    );
    let agent = Agent::with_config(folder.path(), &text);
    agent.wait_sample("sidecar_check_up{check=\"api\"}", 0.0);
    let ready = agent.page("/ready");
    assert_eq!(ready.status, 503);
    assert!(ready.body.contains("api") && ready.body.contains("refused"), "{}", ready.body);
    assert_eq!(agent.page("/live").status, 200);
    assert_eq!(agent.page("/health").status, 503);
    assert_eq!(agent.page("/health").json()["services"]["api"]["healthy"], false);
}

#[test]
fn the_first_signal_ends_it_in_logged_steps_with_exit_code_0() {
    let mut agent = Agent::start(&["--peer", &page("200 OK", "fine")]);
    agent.running.signal(Signal::TERM);
    assert_eq!(agent.running.end(), 0);
    let said = agent.running.said();
    for step in ["stopping", "/ready", "finished"] {
        assert!(said.contains(step), "no `{step}` in\n{said}");
    }
}

#[test]
fn ready_answers_503_while_it_drains() {
    let agent = Agent::start(&["--peer", &page("200 OK", "fine")]);
    agent.wait_sample("sidecar_check_up{check=\"peer\"}", 1.0);
    assert_eq!(agent.page("/ready").status, 200);
    agent.running.signal(Signal::TERM);
    let draining = || (agent.page("/ready").status == 503).then_some(());
    tests::wait_for("a 503 while draining", Duration::from_secs(5), draining);
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let mut agent = Agent::start(&["--peer", &page("200 OK", "fine")]);
    agent.running.signal(Signal::INT);
    let _first = agent.running.line("stopping");
    agent.running.signal(Signal::INT);
    assert_eq!(agent.running.end(), 130);
}

#[test]
fn a_port_in_use_is_said_with_the_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let ended = finish("agent", &["--listen", &address, "--peer", "http://127.0.0.1:1/"]);
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    let said = ended.stderr.replace(&address, "ADDRESS");
    assert!(said.contains("cannot listen on `ADDRESS`") && said.contains("--listen"), "{said}");
}

#[test]
fn a_bad_config_never_half_starts() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("agent.yml");
    std::fs::write(
        &path,
        "checks:\n  - {name: a, url: \"htpp://x/\"}\n  - {name: a, url: \"tcp://x:1\", intervall: 5s}\n",
    )
    .expect("written");
    let ended = finish("agent", &["--config", &path.to_string_lossy(), "--listen", "127.0.0.1:0"]);
    assert_eq!(ended.code, 2);
    for words in ["unknown", "did you mean `http`", "did you mean `interval`", "agent.yml:2", "agent.yml:3"] {
        assert!(ended.stderr.contains(words), "no `{words}` in\n{}", ended.stderr);
    }
    assert!(!ended.stderr.contains("agent is up"));
}

#[test]
fn health_is_zero_or_one_and_says_nothing_when_all_is_well() {
    let agent = Agent::start(&["--peer", &page("200 OK", "fine")]);
    let live = finish("agent", &["health", &format!("{}/live", agent.url)]);
    assert_eq!((live.code, live.stdout.as_str(), live.stderr.as_str()), (0, "", ""));
    let dead = finish("agent", &["health", &format!("http://{}/live", nobody())]);
    assert_eq!(dead.code, 1);
    assert_eq!(dead.stderr.lines().count(), 1, "{}", dead.stderr);
}

#[test]
fn probe_tells_phases_and_verdict() {
    let api = page("200 OK", "fine");
    let good = finish("agent", &["probe", &api]);
    assert_eq!(good.code, 0, "{}{}", good.stdout, good.stderr);
    assert!(good.stdout.contains("connect") && good.stdout.contains("processing"), "{}", good.stdout);
    let bad = finish("agent", &["probe", &format!("tcp://{}", nobody())]);
    assert_eq!(bad.code, 1);
    assert!(bad.stdout.contains("refused"), "{}", bad.stdout);
}

#[test]
fn logs_are_json_lines_when_asked() {
    let mut command = clean("agent");
    let api = page("200 OK", "fine");
    command.args(["--listen", "127.0.0.1:0", "--log.format", "json", "--peer", &api]);
    let agent = Running::start(&mut command);
    let line = agent.line("agent is up");
    let json: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    assert!(json.to_string().contains("127.0.0.1:"), "{json}");
}

#[test]
fn a_line_of_the_log_has_each_field_once_and_none_that_is_empty() {
    let mut command = clean("agent");
    let dead = format!("db=tcp://{}", nobody());
    command.args(["--listen", "127.0.0.1:0", "--log.format", "json", "--check", &dead]);
    let agent = Running::start(&mut command);
    let line = agent.line("check is down");
    for field in ["message", "why", "reason", "was"] {
        assert_eq!(line.matches(&format!("\"{field}\":")).count(), 1, "{line}");
    }
    assert!(!line.contains("\"\"") && !line.contains("after"), "{line}");
}

/// A PostgreSQL server whose answer to the login is a message without a body, into which the driver reaches without looking.
fn senseless_database() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut asked = [0; 1024];
            for answer in [&b"N"[..], b"R\0\0\0\x04"] {
                let _read = stream.read(&mut asked);
                let _sent = stream.write_all(answer);
            }
            let _until_it_goes = stream.read(&mut asked);
        }
    });
    address
}

#[test]
fn a_panic_of_the_driver_is_a_line_of_the_log_and_no_backtrace() {
    let url = format!("postgres://app@{}/shop", senseless_database());
    let probed = finish("agent", &["probe", &url]);
    assert_eq!((probed.code, probed.stderr.as_str()), (1, ""));
    assert!(probed.stdout.contains("the driver gave up on it"), "{}", probed.stdout);

    let agent = Agent::start(&["--check", &format!("db={url}"), "--log.level", "debug"]);
    let line = agent.running.line("a library panicked");
    assert!(line.contains("DEBUG") && line.contains("at=") && line.contains("why="), "{line}");
    assert!(!agent.running.said().contains("thread '"), "{}", agent.running.said());
}

#[test]
fn check_reads_the_web_configuration_as_the_start_would() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("web.yml").to_string_lossy().into_owned();
    std::fs::write(&path, "tls_server_config: {cert_file: none.pem}\nbasic_auth_users: {joe: plain}\n")
        .expect("written");
    let checked = finish("agent", &["check", "--web.config.file", &path]);
    assert_eq!((checked.code, checked.stdout.as_str()), (2, ""));
    for words in ["none.pem", "this is no bcrypt hash", "web.yml:2"] {
        assert!(checked.stderr.contains(words), "no `{words}` in\n{}", checked.stderr);
    }
    let started =
        finish("agent", &["--web.config.file", &path, "--listen", "127.0.0.1:0", "--peer", "http://127.0.0.1:1/"]);
    assert_eq!(started.code, 2);
    assert!(started.stderr.ends_with(&checked.stderr), "{}", started.stderr);

    std::fs::write(&path, "http_server_config: {headers: {X-Frame-Options: deny}}\n").expect("written");
    let good = finish("agent", &["check", "--web.config.file", &path, "--peer", "http://127.0.0.1:1/"]);
    assert_eq!((good.code, good.stderr.as_str()), (0, ""), "{}", good.stdout);
    assert!(good.stdout.contains("web.yml: ok") && good.stdout.contains("1 check"), "{}", good.stdout);
}
