//! Setup and teardown: once each, in the right order, never in the books.

use super::server::Server;
use super::{loadtest, stderr, stdout};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const CANARY: &str = "canary-5e7a";
const SETUP: &str = "GET {{target}}/token\nHTTP 200\n[Captures]\nticket: body redact\nkind: header \"Content-Type\"\n";
const JOURNEY: &str = "# @name look\nGET {{target}}/look\nX-Ticket: {{ticket}}\nHTTP 200\n";
const TEARDOWN: &str = "GET {{target}}/away\nX-Ticket: {{ticket}}\nHTTP 200\n";

struct Around {
    output: Output,
    report: serde_json::Value,
    /// `GET /path`, in the order in which they came.
    paths: Vec<String>,
    heads: Vec<String>,
}

impl Around {
    fn said(&self) -> String {
        format!("{}{}", stdout(&self.output), stderr(&self.output))
    }

    fn times(&self, path: &str) -> usize {
        self.paths.iter().filter(|seen| *seen == path).count()
    }
}

/// Runs a plan of these files; `meanwhile` may disturb it.
fn run(files: [&str; 3], arguments: &[&str], meanwhile: impl Fn(&Server, &mut Child)) -> Around {
    let (server, folder) = (Server::start(), tempfile::tempdir().expect("a folder"));
    for (name, text) in ["setup", "go", "teardown"].iter().zip(files) {
        std::fs::write(folder.path().join(format!("{name}.hurl")), text).expect("written");
    }
    let file = |name: &str| folder.path().join(name).display().to_string();
    let plan = "setup: setup.hurl\nteardown: teardown.hurl\njourneys: [{name: go, files: go.hurl}]\n";
    std::fs::write(file("plan.yml"), plan).expect("written");
    let mut command = loadtest(arguments);
    command.args(["--plan", &file("plan.yml"), "--target", &server.url(), "--json", &file("report.json")]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    meanwhile(&server, &mut child);
    let output = child.wait_with_output().expect("it ends");
    let text = std::fs::read_to_string(file("report.json")).expect("a report");
    let report = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {}", stderr(&output)));
    let heads = server.heads();
    let paths = heads.iter().filter_map(|head| head.split(' ').nth(1).map(str::to_owned)).collect();
    Around { output, report, paths, heads }
}

const FEW: [&str; 8] = ["--users", "2", "--ramp", "0s", "--requests", "20", "--require", "errors < 1%"];

/// Waits until a path was asked for so many times.
fn await_path(server: &Server, path: &str, times: usize) {
    let (asked, deadline) = (format!("GET {path} "), Instant::now() + Duration::from_secs(30));
    while server.heads().iter().filter(|head| head.starts_with(&asked)).count() < times {
        assert!(Instant::now() < deadline, "{path} was not asked for {times} times");
        thread::sleep(Duration::from_millis(20));
    }
}

fn interrupt(child: &Child) {
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(sent.success());
}

#[test]
fn what_the_setup_captures_reaches_every_user_and_the_teardown_and_neither_is_measured() {
    let run = run([SETUP, JOURNEY, TEARDOWN], &FEW, |_, _| {});
    let said = run.said();
    assert_eq!(
        (run.paths.first(), run.paths.last()),
        (Some(&"/token".to_owned()), Some(&"/away".to_owned())),
        "{said}"
    );
    assert_eq!((run.times("/token"), run.times("/away")), (1, 1));
    let with_ticket = run.heads.iter().filter(|head| head.to_lowercase().contains(&format!("x-ticket: {CANARY}")));
    assert_eq!(with_ticket.count(), run.heads.len() - 1, "{:?}", run.heads);
    assert_eq!(run.report["total"]["count"], 20);
    assert_eq!(run.report["requests"].as_array().expect("requests").len(), 1);
    assert_eq!(run.report["teardown"], serde_json::Value::Null);
    assert!(
        said.contains("setup: passed; it captured `kind`, `ticket`") && said.contains("teardown: passed"),
        "{said}"
    );
}

#[test]
fn a_setup_that_fails_is_no_go_before_any_load_and_tells_its_line() {
    let run = run([&SETUP.replace("HTTP 200", "HTTP 201"), JOURNEY, TEARDOWN], &FEW, |_, _| {});
    assert_eq!(run.output.status.code(), Some(1), "{}", run.said());
    assert_eq!(run.paths, ["/token"]);
    assert_eq!(run.report["verdict"], "no-go");
    let why = run.report["reason"].as_str().expect("a reason").to_owned();
    assert!(
        why.contains("`GET /token` of the setup fails: expected status 201, got 200") && why.contains("setup.hurl:2"),
        "{why}"
    );
    assert!(stdout(&run.output).contains(&why), "{}", run.said());
}

#[test]
fn a_teardown_that_fails_is_told_and_changes_no_verdict() {
    let run = run([SETUP, JOURNEY, &TEARDOWN.replace("HTTP 200", "HTTP 204")], &FEW, |_, _| {});
    assert_ne!(run.report["verdict"], "no-go", "{}", run.said());
    assert_eq!((&run.report["total"]["count"], &run.report["total"]["errors"]), (&20.into(), &0.into()));
    let why = run.report["teardown"].as_str().expect("why").to_owned();
    assert!(why.contains("`GET /away` of the teardown fails: expected status 204, got 200"), "{why}");
    assert!(why.contains("teardown.hurl:3"), "{why}");
    assert!(stdout(&run.output).contains(&why), "{}", run.said());
}

#[test]
fn what_the_setup_captured_as_secret_is_hidden_everywhere_and_a_dead_load_is_torn_down() {
    let shows = "GET {{target}}/look\nHTTP 200\n[Asserts]\nbody == \"{{ticket}}\"\n";
    let run = run(
        [SETUP, shows, &TEARDOWN.replace("HTTP 200", "HTTP 200\n[Asserts]\nbody == \"{{ticket}}\"")],
        &FEW,
        |_, _| {},
    );
    assert_eq!(run.output.status.code(), Some(1), "{}", run.said());
    assert_eq!(run.paths, ["/token", "/look", "/away"]);
    let all = format!("{}{}", run.said(), run.report);
    assert!(all.contains("expected string `***`") && !all.contains(CANARY), "{all}");
}

#[test]
fn a_first_signal_leaves_time_for_the_teardown() {
    let run =
        run([SETUP, JOURNEY, TEARDOWN], &["--users", "2", "--ramp", "0s", "--run-time", "60s"], |server, child| {
            await_path(server, "/look", 3);
            interrupt(child);
        });
    assert_eq!(run.output.status.code(), Some(130), "{}", run.said());
    assert_eq!(run.paths.last().map(String::as_str), Some("/away"));
    assert_eq!(run.report["teardown"], serde_json::Value::Null);
}

#[test]
fn a_second_signal_ends_the_teardown_at_once() {
    let begun = Instant::now();
    let hangs = TEARDOWN.replace("/away", "/hang");
    let run = run([SETUP, JOURNEY, &hangs], &["--users", "2", "--ramp", "0s", "--run-time", "60s"], |server, child| {
        await_path(server, "/look", 3);
        interrupt(child);
        await_path(server, "/hang", 1);
        interrupt(child);
    });
    assert_eq!(run.output.status.code(), Some(130), "{}", run.said());
    let why = run.report["teardown"].as_str().expect("why");
    assert!(why.contains("ended by a second signal, at `GET /hang`"), "{why}");
    assert!(begun.elapsed() < Duration::from_secs(25), "{:?}", begun.elapsed());
}

#[test]
fn a_search_sets_up_once_and_tears_down_once() {
    let flags = ["--profile", "capacity", "--rate", "20/s", "--run-time", "1s", "--require", "p50 < 5s"];
    let run = run([SETUP, JOURNEY, "GET {{target}}/away\n"], &flags, |server, _| {
        // The first step has some twenty and its preflight; the answers of a later one fail, and the next preflight ends the search.
        await_path(server, "/look", 40);
        server.fail_with(500);
    });
    let steps = run.report["capacity"]["steps"].as_array().map_or(0, Vec::len);
    assert!(steps >= 2, "{}", run.said());
    assert_eq!((run.times("/token"), run.times("/away")), (1, 1), "{}", run.said());
}

#[test]
fn a_watch_sets_up_and_tears_down_too() {
    let run = run([SETUP, JOURNEY, TEARDOWN], &["watch", "--for", "3s", "--think", "100ms"], |_, _| {});
    assert!(run.times("/look") > 2, "{}", run.said());
    assert_eq!((run.paths.first(), run.paths.last()), (Some(&"/token".to_owned()), Some(&"/away".to_owned())));
}

#[test]
fn a_smoke_test_of_the_plan_stands_between_its_setup_and_its_teardown() {
    let run = run([SETUP, JOURNEY, TEARDOWN], &["smoke"], |_, _| {});
    assert_eq!(run.output.status.code(), Some(0), "{}", run.said());
    assert_eq!(run.paths, ["/token", "/look", "/away"]);
    assert_eq!((&run.report["passed"], &run.report["journeys"][0]["name"]), (&true.into(), &"go".into()));
    assert!(run.report.get("setup").is_none() && run.report.get("teardown").is_none(), "{}", run.report);
    assert!(stdout(&run.output).starts_with("go\n  passed   look  (200, "), "{}", run.said());
    assert!(stderr(&run.output).contains("setup: passed") && stderr(&run.output).contains("teardown: passed"));
}

#[test]
fn a_smoke_test_whose_setup_fails_runs_nothing_and_one_that_fails_is_torn_down() {
    let broken = SETUP.replace("HTTP 200", "HTTP 201");
    let unset = run([&broken, JOURNEY, TEARDOWN], &["smoke"], |_, _| {});
    assert_eq!((unset.output.status.code(), unset.paths.as_slice()), (Some(1), &["/token".to_owned()][..]));
    let why = "`GET /token` of the setup fails: expected status 201, got 200";
    assert!(stderr(&unset.output).contains(&format!("error: no journey was run: {why}")), "{}", unset.said());
    assert!(unset.report["setup"].as_str().is_some_and(|told| told.starts_with(why)), "{}", unset.report);
    assert_eq!((&unset.report["passed"], &unset.report["journeys"]), (&false.into(), &serde_json::json!([])));

    let shows = "GET {{target}}/look\nHTTP 200\n[Asserts]\nbody == \"{{ticket}}x\"\n";
    let failed = run([SETUP, shows, &TEARDOWN.replace("HTTP 200", "HTTP 204")], &["smoke"], |_, _| {});
    assert_eq!(failed.output.status.code(), Some(1), "{}", failed.said());
    assert_eq!(failed.paths, ["/token", "/look", "/away"]);
    assert!(stdout(&failed.output).contains("expected string `***x`"), "{}", failed.said());
    assert!(stderr(&failed.output).contains("warning: `GET /away` of the teardown fails"), "{}", failed.said());
    assert!(!format!("{}{}", failed.said(), failed.report).contains(CANARY));
}
