//! What is written of a run, and what is done with it later: judging again, comparing, a baseline.

use super::server::Server;
use super::{loadtest, stderr, stdout};
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A machine that is too busy for a few users makes the load tester say so instead of judging: then it is tried again.
const TRIES: usize = 8;

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&read(path)).expect("JSON")
}

/// Runs a few users for a second and a half, with `run.json` in the folder as the report.
fn run(server: &Server, folder: &Path, flags: &[&str]) -> Output {
    let report = folder.join("run.json");
    let mut tries = 0..TRIES;
    loop {
        let fixed = ["--users", "5", "--ramp", "0s", "--run-time", "1500ms", "--think", "5ms", "--json"];
        let mut command = loadtest(&["--target", &server.url()]);
        let output = command.args(fixed).arg(&report).args(flags).output().expect("a run");
        let saturated = json(&report)["generator"]["saturated"] == true;
        if !saturated || tries.next().is_none() {
            return output;
        }
    }
}

fn done(command: &mut Command) -> (Option<i32>, String) {
    let output = command.output().expect("it runs");
    (output.status.code(), stdout(&output) + &stderr(&output))
}

#[test]
fn one_run_is_told_in_all_formats_and_judged_again_by_other_targets() {
    let (server, folder) = (Server::start(), tempfile::tempdir().expect("a folder"));
    let [report, junit, markdown, again] =
        ["run.json", "run.xml", "run.md", "again.json"].map(|name| folder.path().join(name));
    let [junit_flag, markdown_flag] = [&junit, &markdown].map(|path| path.to_string_lossy().into_owned());
    let output = run(&server, folder.path(), &["--junit", &junit_flag, "--markdown", &markdown_flag]);
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    assert!(read(&junit).contains("<testcase classname=\"loadtest.load\" name=\"p95 &lt; 2s\"/>"), "{}", read(&junit));
    assert!(read(&markdown).starts_with("<!-- loadtest -->\n## Load test: ✅ GO"), "{}", read(&markdown));

    let judge = |more: &[&str]| done(loadtest(&["judge"]).arg(&report).args(more));
    let (code, said) = judge(&["--quiet"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(said, stdout(&output).split_off(stdout(&output).find("targets\n").expect("targets")));
    let (code, said) = judge(&["--require", "'GET /' p50 < 1us", "--json", &again.to_string_lossy()]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("NO-GO: `'GET /' p50 < 1us` is missed"), "{said}");
    let (first, second) = (json(&report), json(&again));
    assert_eq!(second["exit"], 1);
    for same in ["requests", "stages", "started", "plan_hash", "timeline", "names", "generator", "total"] {
        assert_eq!(first[same], second[same], "{same}");
    }
    let (code, said) = judge(&["--require", "'GET /nowhere' p50 < 1us"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("nothing is called `GET /nowhere`"), "{said}");
}

#[test]
fn a_release_that_is_slower_than_the_baseline_ends_with_5() {
    let (server, folder) = (Server::start(), tempfile::tempdir().expect("a folder"));
    let [base, report] = ["base.json", "run.json"].map(|name| folder.path().join(name));
    let baseline = base.to_string_lossy().into_owned();
    let output = run(&server, folder.path(), &["--save-baseline", &baseline]);
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    assert_eq!(json(&base)["plan_hash"], json(&report)["plan_hash"]);
    let compare = |one: &Path, two: &Path| done(loadtest(&["compare"]).arg(one).arg(two));
    let (code, said) = compare(&base, &report);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.ends_with("FINE: nothing speaks for a rollback\n"), "{said}");

    server.slow_down();
    let output = run(&server, folder.path(), &["--baseline", &baseline, "--save-baseline", &baseline]);
    assert_eq!(output.status.code(), Some(5), "{}{}", stdout(&output), stderr(&output));
    assert!(stdout(&output).contains("\nNO-GO: roll back: "), "{}", stdout(&output));
    assert!(stderr(&output).contains("no baseline is saved"), "{}", stderr(&output));
    let slower = json(&report);
    assert_eq!(slower["rollback"][0]["trigger"], "slower");
    let (code, said) = compare(&base, &report);
    assert_eq!(code, Some(5), "the older baseline stayed: {said}");
    let (code, said) = compare(&report, &base);
    assert_eq!(code, Some(0), "faster is no reason: {said}");
    let (code, said) = done(loadtest(&["judge"]).arg(&report).args(["--baseline", &baseline]));
    assert_eq!(code, Some(5), "{said}");
}

#[test]
fn a_baseline_of_another_plan_is_refused_before_the_first_request() {
    let (server, folder) = (Server::start(), tempfile::tempdir().expect("a folder"));
    let base = folder.path().join("base.json");
    let output = run(&server, folder.path(), &["--save-baseline", &base.to_string_lossy()]);
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    let sent = server.heads().len();
    let mut more = loadtest(&["--target", &server.url(), "--users", "6", "--baseline"]);
    let (code, said) = done(more.arg(&base));
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("is of another plan") && said.contains("(5 users for 1.5s)"), "{said}");
    assert_eq!(server.heads().len(), sent);
    let (code, said) = done(&mut loadtest(&["--target", &server.url(), "--baseline", "/nowhere/base.json"]));
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("there is no such file") && said.contains("at --baseline"), "{said}");
}

#[test]
fn a_full_disk_and_a_file_for_two_reports_are_found_before_the_first_request() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.json").display().to_string();
    let program = env!("CARGO_BIN_EXE_loadtest");
    let line = format!("trap '' XFSZ; ulimit -f 0; exec {program} --target http://127.0.0.1:1 --json {path}");
    let (code, said) = done(Command::new("sh").args(["-c", &line]));
    assert_eq!(code, Some(2));
    insta::assert_snapshot!(said.replace(&path, "run.json"), @r"
    error: cannot write the report `run.json`: file too large
      at --json
    hint: make room there, or name a file on another disk
    ");
    let (code, said) = done(&mut loadtest(&["--target", "http://127.0.0.1:1", "--junit", &path, "--markdown", &path]));
    assert_eq!(code, Some(2));
    insta::assert_snapshot!(said.replace(&path, "run.json"), @r"
    error: two reports would go to `run.json`
      at --markdown
    hint: give each its own file
    ");
}

/// A watch of a release that goes bad after three seconds: exit code, what it said, how long it took.
fn watched(time: &str, go_bad: impl FnOnce(&Server)) -> (Option<i32>, String, Duration) {
    let server = Server::start();
    let mut command = loadtest(&["watch", "--target", &server.url(), "--for", time, "--think", "20ms", "--quiet"]);
    let begun = Instant::now();
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    std::thread::sleep(Duration::from_secs(3));
    go_bad(&server);
    let output = child.wait_with_output().expect("it ends");
    (output.status.code(), stderr(&output) + &stdout(&output), begun.elapsed())
}

#[test]
fn a_watch_of_a_good_release_says_so_and_ends_with_0() {
    let (code, said, _) = watched("5s", |_| {});
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains(" good: nothing speaks for a rollback") && said.contains("\nGO: "), "{said}");
}

#[test]
fn a_watch_ends_early_with_5_when_authentication_fails() {
    let (code, said, took) = watched("10m", |server| server.fail_with(401));
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains(" roll back: authentication fails: `GET /"), "{said}");
    assert!(took < Duration::from_secs(60), "{took:?}");
}

#[test]
fn a_watch_ends_early_with_5_when_the_release_dies() {
    let (code, said, took) = watched("10m", |server| server.killer()());
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains("NO-GO: roll back: "), "{said}");
    assert!(took < Duration::from_secs(60), "{took:?}");
}

#[test]
fn a_watch_is_gentle() {
    let (code, said) =
        done(&mut loadtest(&["watch", "--target", "http://127.0.0.1:1", "--users", "200", "--for", "0s"]));
    assert_eq!(code, Some(2));
    insta::assert_snapshot!(said, @r"
    error: `200` is not a whole number from 1 to 20
      at --users
    hint: a watch is gentle; for more, run a load test

    error: `0s` is no time to watch
      at --for
    hint: from a second to a week
    ");
}

/// What a page answers, or nothing while nobody listens.
fn page(address: &str, path: &str) -> Option<String> {
    let mut connection = TcpStream::connect(address).ok()?;
    write!(connection, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").ok()?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).ok()?;
    Some(answer)
}

#[test]
fn prometheus_reads_the_run_while_it_goes_on() {
    let server = Server::start();
    let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    let address = format!("127.0.0.1:{port}");
    let mut command = loadtest(&["--target", &server.url(), "--users", "5", "--ramp", "0s", "--run-time", "30s"]);
    let mut child =
        command.args(["--think", "5ms", "--quiet", "--metrics-listen", &address]).spawn().expect("it starts");
    let deadline = Instant::now() + Duration::from_secs(25);
    let counted = |page: &String| {
        let line = page.lines().find(|line| line.starts_with("loadtest_requests_total{"))?;
        line.rsplit(' ').next()?.parse::<u64>().ok().filter(|count| *count > 20)
    };
    let found = std::iter::repeat_with(|| {
        std::thread::sleep(Duration::from_millis(200));
        page(&address, "/metrics").filter(|page| counted(page).is_some())
    });
    let found = found.take_while(|_| Instant::now() < deadline).flatten().next().expect("a page that counts");
    assert!(found.starts_with("HTTP/1.1 200 OK\r\n"), "{found}");
    for line in ["loadtest_users 5", "loadtest_stage_info{stage=\"load\"} 1", "loadtest_run_planned_seconds 30"] {
        assert!(found.lines().any(|one| one == line), "{line}:\n{found}");
    }
    assert!(page(&address, "/").is_some_and(|page| page.starts_with("HTTP/1.1 404 ")));
    let taken = loadtest(&["--target", &server.url(), "--metrics-listen", &address]).output().expect("a run");
    assert_eq!(taken.status.code(), Some(2));
    assert!(
        stderr(&taken).contains("cannot listen at") && stderr(&taken).contains("at --metrics-listen"),
        "{}",
        stderr(&taken)
    );
    child.kill().expect("killed");
    child.wait().expect("ended");
}

#[test]
fn what_the_sidecars_told_is_drawn_and_judged_again_from_the_report() {
    let (server, folder) = (Server::start(), tempfile::tempdir().expect("a folder"));
    let [report, html, again] = ["run.json", "run.html", "again.html"].map(|name| folder.path().join(name));
    let (agents, page) = (format!("backend={}", server.url()), html.to_string_lossy().into_owned());
    let told = ["--agents", &agents, "--calm", "2s", "--html", &page, "--require", "backend.cpu < 70%"];
    let output = run(&server, folder.path(), &told);
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    let services = |path: &Path| {
        let page = read(path);
        let from = page.find("<h2>Services").expect("a part about the services");
        page[from..page.find("<h2>Requests").expect("what follows")].to_owned()
    };
    let drawn = services(&html);
    for said in ["backend cpu</title>", "backend memory</title>", "bottleneck from 90 %", "Figures of backend"] {
        assert!(drawn.contains(said), "{said}: {drawn}");
    }
    assert_eq!(drawn.matches("role=\"img\"").count(), 2);
    let judge = |more: &[&str]| done(loadtest(&["judge"]).arg(&report).args(more));
    let (code, said) = judge(&["--html", &again.to_string_lossy(), "--quiet"]);
    assert_eq!((code, services(&again)), (Some(0), drawn), "{said}");
    let (code, said) = judge(&["--require", "backend.cpu < 50%", "--quiet"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("missed        backend.cpu < 50%  60 %"), "{said}");
}
