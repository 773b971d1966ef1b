//! `# @page`: a page with its files is one request, from outside. The server here keeps count of how many it serves at once.

use super::{loadtest, stderr, stdout};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Output;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What a file takes.
const SLOW: Duration = Duration::from_millis(100);
const FILES: usize = 12;

#[derive(Default)]
struct Site {
    port: u16,
    heads: Mutex<Vec<String>>,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
}

impl Site {
    /// `/` is a page of twelve images and a stylesheet, with a file of another origin; `/torn` links one that is not there, `/late`
    /// one that comes once and then hangs. Every file takes 100 ms and has 1000 bytes.
    fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let site = Arc::new(Self { port, ..Self::default() });
        let mine = Arc::clone(&site);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let site = Arc::clone(&mine);
                thread::spawn(move || site.serve(connection));
            }
        });
        site
    }

    fn serve(&self, mut connection: TcpStream) {
        let mut reader = BufReader::new(connection.try_clone().expect("a copy"));
        let mut head = String::new();
        while reader.read_line(&mut head).is_ok_and(|read| read > 0) {
            if !head.ends_with("\r\n\r\n") {
                continue;
            }
            let head = std::mem::take(&mut head);
            let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
            self.heads.lock().expect("a lock").push(head.to_lowercase());
            let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
            self.most_at_once.fetch_max(now, Ordering::SeqCst);
            if path == "/late.png" && self.times(&path) > 1 {
                thread::sleep(Duration::from_secs(60));
            }
            let answer = answer(&path);
            self.at_once.fetch_sub(1, Ordering::SeqCst);
            if connection.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    }

    fn times(&self, path: &str) -> usize {
        let asked = format!("get {path} ");
        self.heads.lock().expect("a lock").iter().filter(|head| head.starts_with(&asked)).count()
    }
}

fn answer(path: &str) -> String {
    let images: String = (1..FILES).map(|number| format!("<img src='/{number}.png'>")).collect();
    let html =
        format!("<link rel=stylesheet href=a.css><script src=http://192.0.2.1/x.js></script>{images}<img src=1.png>");
    let (status, kind, body) = match path {
        "/" => ("200 OK", "text/html; charset=utf-8", html),
        "/torn" => ("200 OK", "text/html", "<img src=gone.png>".to_owned()),
        "/late" => ("200 OK", "text/html", "<img src=late.png>".to_owned()),
        "/gone.png" => ("404 Not Found", "text/plain", String::new()),
        _ => {
            thread::sleep(SLOW);
            ("200 OK", "image/png", "x".repeat(1000))
        }
    };
    let length = body.len();
    let cookie = if kind.starts_with("text/html") { "Set-Cookie: visit=7; Path=/\r\n" } else { "" };
    format!("HTTP/1.1 {status}\r\n{cookie}Content-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}")
}

/// Runs `loadtest` with a journey of that one entry; the report.
fn run(site: &Site, path: &str, arguments: &[&str]) -> (Output, serde_json::Value) {
    let folder = tempfile::tempdir().expect("a folder");
    let journey = format!(
        "# @name site\n# @page\nGET {{{{target}}}}{path}\nAccept: text/html\nHTTP 200\n[Asserts]\nduration < 90\n"
    );
    let file = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(file("go.hurl"), journey).expect("written");
    std::fs::write(file("plan.yml"), "headers: {X-Plan: here}\njourneys: [{files: go.hurl}]\n").expect("written");
    let target = format!("http://127.0.0.1:{}", site.port);
    let always = ["--plan", &file("plan.yml"), "--target", &target, "--json", &file("report.json")];
    let output = loadtest(&[arguments, &always].concat()).output().expect("a run");
    let report = std::fs::read_to_string(file("report.json")).expect("a report");
    (output, serde_json::from_str(&report).expect("JSON"))
}

const ONE: [&str; 8] = ["--users", "1", "--ramp", "0s", "--requests", "4", "--require", "errors < 1%"];

#[test]
fn a_page_is_one_request_from_its_document_to_its_last_file() {
    let site = Site::start();
    let (output, report) = run(&site, "/", &ONE);
    let said = format!("{}{}", stdout(&output), stderr(&output));
    let total = &report["total"];
    assert_eq!((&total["count"], &total["errors"]), (&4.into(), &0.into()), "{said}");
    // Twelve files of 100 ms on six connections take two rounds; one after the other they would take 1.2 s.
    let fastest = total["p50_us"].as_u64().expect("a median");
    assert!((200_000..1_100_000).contains(&fastest), "{total}");
    assert_eq!(total["bytes"], 4 * (FILES * 1000 + answer("/").split("\r\n\r\n").nth(1).expect("a body").len()));
    // Once more by the preflight.
    assert_eq!((site.times("/"), site.times("/1.png"), site.times("/a.css")), (5, 5, 5));
    assert_eq!(site.most_at_once.load(Ordering::SeqCst), 6);
    let heads = site.heads.lock().expect("a lock");
    let files = heads.iter().filter(|head| !head.starts_with("get / "));
    for head in files {
        assert!(head.contains("cookie: visit=7") && head.contains("x-plan: here"), "{head}");
        assert!(!head.contains("accept: text/html"), "{head}");
    }
    assert!(said.contains("`site` is a page with 12 files (1 of other origins left out)"), "{said}");
}

#[test]
fn a_page_whose_file_is_missing_is_an_error_that_names_the_file() {
    let (output, report) = run(&Site::start(), "/torn", &ONE);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let why = report["reason"].as_str().expect("a reason");
    assert!(why.contains("`/gone.png` of the page: status 404"), "{why}");
}

#[test]
fn a_page_whose_file_hangs_at_the_end_of_the_run_is_counted() {
    let flags = ["--users", "1", "--ramp", "0s", "--run-time", "2s", "--require", "errors < 1%"];
    let (output, report) = run(&Site::start(), "/late", &flags);
    let total = &report["total"];
    assert_eq!((&total["count"], &total["errors_by"]["timeout"]), (&1.into(), &1.into()), "{}", stdout(&output));
    assert!(total["max_us"].as_u64() > Some(1_500_000), "{total}");
}

#[test]
fn a_smoke_test_checks_the_files_of_a_page() {
    let site = Site::start();
    let file = tempfile::Builder::new().suffix(".hurl").tempfile().expect("a file");
    let text = "# @page\nGET {{target}}/\nHTTP 200\n\n# @page\nGET {{target}}/torn\nHTTP 200\n";
    std::fs::write(file.path(), text).expect("written");
    let target = format!("target=http://127.0.0.1:{}", site.port);
    let path = file.path().display().to_string();
    let output = loadtest(&["smoke", &path, "--variable", &target]).output().expect("it runs");
    let said = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("12 files (1 of other origins left out)"), "{said}");
    assert!(said.contains("`/gone.png` of the page: status 404"), "{said}");
}
