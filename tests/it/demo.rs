//! The main job as a user sees it: demo API, agent beside it, 200 users; GO, NO-GO, and a target that dies under load.

use rustix::process::Signal;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tests::agent::Agent;
use tests::program::{Finished, Running, clean, finish_command};
use tests::repo::root;

struct Demo {
    api: Running,
    url: String,
    _folder: tempfile::TempDir,
}

impl Demo {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let database = format!("sqlite://{}", folder.path().join("demo.db").display());
        let mut command = clean("backend");
        command.env("LISTEN", "127.0.0.1:0").env("DATABASE_URL", database).env("FAULTS", "1");
        command.env("JWT_SECRET", "a secret of the tests, long enough for the rule");
        let api = Running::start(&mut command);
        let line = api.line("listening");
        let from = line.find("127.0.0.1:").expect("an address");
        let address: String =
            line.chars().skip(from).take_while(|c| c.is_ascii_digit() || *c == '.' || *c == ':').collect();
        Self { api, url: format!("http://{address}"), _folder: folder }
    }

    fn fault(&self, json: &str) {
        let agent = ureq::Agent::new_with_defaults();
        let sent = agent.put(format!("{}/faults", self.url)).header("content-type", "application/json").send(json);
        assert!(sent.is_ok(), "{sent:?}");
    }

    fn loadtest(&self, arguments: &[&str]) -> Finished {
        let plan = plan();
        let fixed = ["--plan", &plan, "--target", &self.url, "--users", "200"];
        finish_command(clean("loadtest").current_dir(root()).args(fixed).args(arguments))
    }
}

fn plan() -> String {
    root().join("docker/backend/loadtest.yml").to_string_lossy().into_owned()
}

fn report(path: &PathBuf) -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(path).expect("a report")).expect("JSON")
}

#[test]
fn two_hundred_users_get_a_go_and_the_agent_stays_ready() {
    let demo = Demo::start();
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = clean("agent");
    command.current_dir(root()).env("DEMO_API", &demo.url).args([
        "--config",
        "docker/backend/agent.yml",
        "--listen",
        "127.0.0.1:0",
    ]);
    let agent = Agent::start_command(&mut command);
    let json = folder.path().join("run.json");
    let ended = demo.loadtest(&["--run-time", "15s", "--ramp", "3s", "--json", &json.to_string_lossy()]);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("GO"), "{}", ended.stdout);
    let report = report(&json);
    assert_eq!(report["verdict"], "go", "{report}");
    assert!(report["total"]["count"].as_u64().is_some_and(|count| count > 500), "{report}");
    assert_eq!(agent.page("/ready").status, 200);
    assert_eq!(agent.sample("sidecar_check_up{check=\"backend\"}"), Some(1.0));
    assert!(agent.sample("sidecar_pool_size{check=\"backend\",service=\"database\"}").is_some_and(|size| size >= 1.0));
    let health = agent.page("/health").json();
    let database = &health["services"]["database"];
    assert_eq!((&database["healthy"], &database["reported_by"]), (&true.into(), &"backend".into()), "{health}");
    let pool = |figure: &str| database["pool"][figure].as_u64().unwrap_or_else(|| panic!("{figure}: {health}"));
    assert_eq!(pool("checked_in") + pool("checked_out"), pool("size"), "{health}");
    assert!(database["response_time_ms"].as_f64().is_some_and(|took| took > 0.0), "{health}");
    assert!(health["services"]["backend"]["pool"].is_null() && health["overall_healthy"] == true, "{health}");
    assert_eq!(agent.page("/diagnostics").json()["services"]["database"]["reported_by"], "backend");
}

#[test]
fn latency_is_a_no_go_that_names_the_request() {
    let demo = Demo::start();
    demo.fault(r#"{"latency_ms": 3000, "latency_route": "/api/v1/assets"}"#);
    let ended = demo.loadtest(&["--run-time", "20s", "--ramp", "2s", "--quiet"]);
    assert_eq!(ended.code, 1, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("NO-GO") && ended.stdout.contains("asset"), "{}", ended.stdout);
}

#[test]
fn a_target_killed_under_load_ends_the_run_within_seconds_with_a_report() {
    let mut demo = Demo::start();
    let folder = tempfile::tempdir().expect("a folder");
    let json = folder.path().join("run.json");
    let mut command = clean("loadtest");
    let (plan, path) = (plan(), json.to_string_lossy().into_owned());
    command.current_dir(root()).args(["--plan", &plan, "--target", &demo.url, "--users", "200", "--run-time", "120s"]);
    command.args(["--ramp", "1s", "--json", &path]);
    let mut loadtest = Running::start(&mut command);
    std::thread::sleep(Duration::from_secs(5));
    demo.api.signal(Signal::KILL);
    assert_eq!(demo.api.end(), 137);
    let killed = Instant::now();
    let code = loadtest.end();
    assert!(killed.elapsed() < Duration::from_secs(30), "{:?}\n{}", killed.elapsed(), loadtest.said());
    assert_eq!(code, 1, "{}", loadtest.said());
    let report = report(&json);
    assert_eq!(report["verdict"], "no-go", "{report}");
}

#[test]
fn a_signal_leaves_a_full_report() {
    for (signal, expected) in [(Signal::TERM, 143), (Signal::INT, 130)] {
        let demo = Demo::start();
        let folder = tempfile::tempdir().expect("a folder");
        let json = folder.path().join("run.json");
        let mut command = clean("loadtest");
        let (plan, path) = (plan(), json.to_string_lossy().into_owned());
        command.current_dir(root()).args([
            "--plan",
            &plan,
            "--target",
            &demo.url,
            "--users",
            "50",
            "--run-time",
            "60s",
        ]);
        command.args(["--ramp", "1s", "--json", &path]);
        let mut loadtest = Running::start(&mut command);
        std::thread::sleep(Duration::from_secs(4));
        loadtest.signal(signal);
        assert_eq!(loadtest.end(), expected, "{}", loadtest.said());
        assert!(report(&json)["total"]["count"].as_u64().is_some_and(|count| count > 0), "{}", loadtest.said());
    }
}

#[test]
fn the_journeys_pass_as_smoke_tests() {
    let demo = Demo::start();
    let files: Vec<String> = tests::repo::files("docker/backend/journeys", ".hurl")
        .iter()
        .map(|path| path.to_string_lossy().into_owned())
        .collect();
    assert!(files.len() >= 4, "{files:?}");
    let variables = [
        "email=user1@example.org",
        "password=demo-user-password",
        "admin_email=admin@example.org",
        "admin_password=demo-admin-password",
    ];
    let mut command = clean("loadtest");
    command.arg("smoke").args(&files).args(["--variable", &format!("target={}", demo.url)]);
    variables.iter().for_each(|variable| {
        command.args(["--variable", variable]);
    });
    let ended = finish_command(&mut command);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
}
