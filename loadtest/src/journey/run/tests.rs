//! Running entries over a scripted transport: redirects, retries, captures, asserts.

use super::*;
use crate::http::{HttpVersion, Protocol, Response};
use crate::journey::{self, Value, Variables};
use crate::limits::PAGE_FILES;
use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use std::collections::VecDeque;
use std::path::Path;

/// Answers from a script, and remembers what it was asked.
#[derive(Default)]
struct Script {
    answers: VecDeque<Result<Response, TransportError>>,
    asked: Vec<Request>,
}

impl Transport for Script {
    fn send(&mut self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        self.asked.push(request);
        let answer = self.answers.pop_front().unwrap_or(Err(TransportError::Reset));
        async move { answer }.boxed()
    }
}

fn answer(status: u16, headers: &[(&str, &str)], body: &'static str) -> Result<Response, TransportError> {
    let headers = headers.iter().copied().collect();
    let timings = Timings { total: Duration::from_millis(7), ..Timings::default() };
    let (version, body) = (HttpVersion::Http11, Bytes::from_static(body.as_bytes()));
    Ok(Response { version, status, headers, body, address: None, certificate: None, timings })
}

/// One line per exchange.
#[derive(Default)]
struct Log {
    lines: Vec<String>,
    /// Files, files elsewhere and bytes of each page.
    pages: Vec<(usize, usize, u64)>,
}

impl Observer for Log {
    fn exchange(&mut self, exchange: &Exchange<'_>) {
        let failure = exchange.failure().map_or("ok", Failure::as_str);
        let retried = if exchange.retried { " again" } else { "" };
        let status = exchange.status.map_or("-".to_owned(), |status| status.to_string());
        self.pages.extend(exchange.page.map(|page| (page.files, page.elsewhere, exchange.bytes)));
        self.lines.push(format!("{} #{} {status} {failure}{retried}", exchange.entry.name, exchange.hop));
    }
}

struct Ran {
    outcome: Outcome,
    log: Vec<String>,
    pages: Vec<(usize, usize, u64)>,
    asked: Vec<Request>,
    session: Session,
}

/// Runs the first entry of a file against a script, on tokio's own clock.
fn run(text: &str, answers: Vec<Result<Response, TransportError>>) -> Ran {
    run_in(Session::default(), text, answers)
}

/// The same in a run that speaks this; nothing answers.
fn speaking(protocol: Protocol, text: &str) -> Ran {
    run_in(Session { defaults: journey::Defaults::speaking(protocol), ..Session::default() }, text, vec![])
}

fn run_in(mut session: Session, text: &str, answers: Vec<Result<Response, TransportError>>) -> Ran {
    let file = journey::parse("a.hurl", text, Path::new("")).unwrap();
    let mut script = Script { answers: answers.into(), ..Script::default() };
    let mut log = Log::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let outcome = runtime.block_on(run_entry(&file.entries[0], &mut session, &mut script, &mut log));
    Ran { outcome, log: log.lines, pages: log.pages, asked: script.asked, session }
}

fn faults(ran: &Ran) -> Vec<String> {
    ran.outcome.faults.iter().map(Fault::summary).collect()
}

#[test]
fn a_plain_get_asks_what_is_written_and_nothing_more() {
    let ran = run("GET http://h/a?b=c\nX-A: 1\nHTTP 200\n", vec![answer(200, &[], "")]);
    assert!(ran.outcome.passed());
    assert_eq!(ran.log, ["GET /a #0 200 ok"]);
    let request = &ran.asked[0];
    assert_eq!((request.method.as_str(), request.url.as_str()), ("GET", "http://h/a?b=c"));
    let mut names: Vec<&str> = request.headers.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "user-agent", "x-a"]);
    assert!(request.body.is_empty());
}

#[test]
fn the_constant_url_of_an_entry_is_parsed_once() {
    let file = journey::parse("a.hurl", "GET http://h/a\n[Query]\nb: c d\n", Path::new("")).unwrap();
    assert_eq!(file.entries[0].request.constant_url.as_ref().unwrap().as_str(), "http://h/a?b=c%20d");
    assert!(file.entries[0].request.constant_headers.is_some());
}

#[test]
fn a_url_that_renders_the_same_is_parsed_once_for_all_users() {
    let file = journey::parse("a.hurl", "GET {{host}}/a\n", Path::new("")).unwrap();
    let mut script = Script::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    for host in ["http://h", "http://h", "http://i"] {
        let mut session = Session::default();
        session.variables.set("host", Value::text(host));
        runtime.block_on(run_entry(&file.entries[0], &mut session, &mut script, &mut Log::default()));
    }
    let urls: Vec<&Arc<Url>> = script.asked.iter().map(|request| &request.url).collect();
    assert!(Arc::ptr_eq(urls[0], urls[1]));
    assert_eq!(urls[2].as_str(), "http://i/a");
}

#[test]
fn retries_are_told_from_failures() {
    let text = "GET http://h/\n[Options]\nretry: 2\nHTTP 200\n";
    let ran = run(text, vec![answer(503, &[], ""), Err(TransportError::Reset), answer(200, &[], "")]);
    assert_eq!(ran.log, ["GET / #0 503 status again", "GET / #0 - broken again", "GET / #0 200 ok"]);
    assert_eq!((ran.outcome.passed(), ran.outcome.attempts), (true, 3));
    let ran = run(text, vec![answer(503, &[], ""), answer(503, &[], ""), answer(503, &[], "")]);
    assert_eq!(ran.log.last().unwrap(), "GET / #0 503 status");
    assert_eq!(faults(&ran), ["expected status 200, got 503"]);
}

#[test]
fn waits_follow_the_options_and_tokio_s_clock() {
    let text = "GET http://h/\n[Options]\nretry: 3\nretry-interval: 2m\ndelay: 1h\nHTTP 200\n";
    let file = journey::parse("a.hurl", text, Path::new("")).unwrap();
    let mut script = Script { answers: vec![answer(500, &[], ""), answer(200, &[], "")].into(), ..Script::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let waited = runtime.block_on(async {
        let start = Instant::now();
        run_entry(&file.entries[0], &mut Session::default(), &mut script, &mut Log::default()).await;
        start.elapsed()
    });
    assert_eq!(waited, Duration::from_secs(3600 + 120));
}

#[test]
fn every_hop_is_an_exchange_and_the_last_one_bears_the_asserts() {
    let text = "POST http://h/a\n[Options]\nlocation: true\n`x`\nHTTP 200\n[Asserts]\nbody == \"y\"\n";
    let ran = run(text, vec![answer(302, &[("Location", "/b")], ""), answer(200, &[], "z")]);
    assert_eq!(ran.log, ["POST /a #0 302 ok", "POST /a #1 200 assert"]);
    assert_eq!((ran.asked[1].method.as_str(), ran.asked[1].body.len()), ("GET", 0));
}

#[test]
fn credentials_return_when_the_chain_comes_home() {
    let text = "GET http://h/a\nAuthorization: x\n[Options]\nlocation: true\nHTTP 200\n";
    let away = answer(302, &[("Location", "http://other/")], "");
    let home = answer(302, &[("Location", "http://h:80/b")], "");
    let ran = run(text, vec![away, home, answer(200, &[], "")]);
    let sent: Vec<bool> = ran.asked.iter().map(|request| request.headers.contains_key("authorization")).collect();
    assert_eq!(sent, [true, false, true]);
}

#[test]
fn too_many_redirects_end_the_entry() {
    let text = "GET http://h/a\n[Options]\nlocation: true\nmax-redirs: 2\n";
    let ran = run(text, (0..9).map(|_| answer(302, &[("Location", "/a")], "")).collect());
    assert_eq!((ran.asked.len(), faults(&ran)), (3, vec!["more than 2 redirects".to_owned()]));
    assert_eq!(ran.log.last().unwrap(), "GET /a #2 302 protocol");
}

#[test]
fn what_cannot_be_rendered_is_an_exchange_that_was_not_sent() {
    let ran = run("GET http://h/{{nope}}\n", vec![]);
    assert_eq!(ran.log, ["GET /{{nope}} #0 - journey"]);
    assert_eq!((ran.asked.len(), faults(&ran)), (0, vec!["no variable `nope`".to_owned()]));
}

#[test]
fn cookies_and_captures_stay_in_the_session() {
    let text = "GET http://h/\nHTTP 200\n[Captures]\nid: jsonpath \"$.id\"\ntoken: jsonpath \"$.t\" redact\n";
    let ran = run(text, vec![answer(200, &[("Set-Cookie", "a=b")], "{\"id\":1,\"t\":\"s3cret\"}")]);
    assert_eq!(ran.session.variables.get("id").unwrap().describe(), "integer `1`");
    assert_eq!(ran.session.redact("it is s3cret"), "it is ***");
    let url = Url::parse("http://h/").unwrap();
    assert_eq!(ran.session.cookies.header(&url, Session::now()).as_deref(), Some("a=b"));
}

#[test]
fn skipped_and_repeated_entries() {
    let ran = run("GET http://h/\n[Options]\nskip: true\n", vec![]);
    assert_eq!((ran.outcome.skipped, ran.outcome.passed(), ran.log.len()), (true, true, 0));
    let ran = run("GET http://h/\n[Options]\nrepeat: 3\n", (0..9).map(|_| answer(200, &[], "")).collect());
    assert_eq!((ran.outcome.attempts, ran.log.len()), (3, 3));
    let ran = run("GET http://h/\n[Options]\nrepeat: 3\nHTTP 200\n", vec![answer(200, &[], ""), answer(500, &[], "")]);
    assert_eq!((ran.outcome.attempts, ran.outcome.passed()), (2, false));
}

#[test]
fn options_reach_the_wire() {
    let text = "GET http://h/\n[Options]\ninsecure: true\nmax-time: 3s\nresolve: h:80:127.0.0.1\nconnect-to: a:1:b:2\ncacert: ca.pem\nipv4: true\nhttp1.0: true\n";
    let options = &run(text, vec![]).asked[0].options;
    assert!(options.insecure && options.fresh_connection);
    assert_eq!(options.max_time, Some(Duration::from_secs(3)));
    assert_eq!(options.resolve, ["h:80:127.0.0.1"]);
    assert_eq!(options.connect_to, ["a:1:b:2"]);
    assert_eq!(options.protocol, Protocol::Http10);
    assert_eq!(options.family, Some(crate::http::Family::V4));
}

#[test]
fn the_version_of_an_entry_wins_over_that_of_the_run() {
    let spoken = |option: &str, run: Protocol| {
        let text = format!("GET http://h/\n[Options]\n{option}\n");
        let options = Arc::clone(&speaking(run, &text).asked[0].options);
        (options.protocol, options.fresh_connection)
    };
    let (old, new, known) = (Protocol::Http11, Protocol::Http2, Protocol::Http2Known);
    assert_eq!(spoken("http2: true", old), (new, false));
    assert_eq!(spoken("http2-prior-knowledge: true", old), (known, false));
    assert_eq!(spoken("http3: false", old), (new, false));
    assert_eq!(spoken("http2: false", new), (old, true));
    assert_eq!(spoken("http1.1: true", new), (old, true));
    assert_eq!(spoken("http1.0: false", new), (new, false));
    assert_eq!(spoken("insecure: true", new), (new, false));
    assert_eq!(speaking(known, "GET http://h/\n").asked[0].options.protocol, known);
    assert_eq!(speaking(old, "GET http://h/\n").asked[0].options.protocol, old);
}

#[test]
fn the_version_of_an_answer_is_held_against_the_one_expected() {
    let version = |spoken, expected: &str| {
        let answer = answer(200, &[], "").map(|answer| Response { version: spoken, ..answer });
        let text = format!("GET http://h/\n{expected} 200\n[Asserts]\nversion == \"2\"\n");
        faults(&run(&text, vec![answer]))
    };
    assert_eq!(version(HttpVersion::Http2, "HTTP/2"), [""; 0]);
    assert_eq!(version(HttpVersion::Http2, "HTTP"), [""; 0]);
    assert_eq!(version(HttpVersion::Http11, "HTTP/2"), ["expected HTTP version 2, got 1.1"]);
    assert_eq!(version(HttpVersion::Http2, "HTTP/1.1"), ["expected HTTP version 1.1, got 2"]);
    assert_eq!(version(HttpVersion::Http11, "HTTP"), ["expected string `2`, got string `1.1`"]);
}

#[test]
fn classes_of_failures() {
    let class = |error| run("GET http://h/\n", vec![Err(error)]).log.remove(0);
    assert_eq!(class(TransportError::Dns("h".into())), "GET / #0 - dns");
    assert_eq!(class(TransportError::Refused("h".into())), "GET / #0 - connect");
    assert_eq!(class(TransportError::Timeout(Duration::ZERO)), "GET / #0 - timeout");
    assert_eq!(class(TransportError::BodyTooLarge(1)), "GET / #0 - protocol");
    assert_eq!(class(TransportError::Certificate("x".into())), "GET / #0 - tls");
}

#[test]
fn variables_of_options_are_set_even_when_the_entry_is_skipped() {
    let ran = run("GET http://h/\n[Options]\nvariable: a=1\nskip: true\n", vec![]);
    assert_eq!(ran.session.variables.get("a").unwrap().describe(), "integer `1`");
    assert!(Variables::default().get("a").is_none());
}

/// How a failed answer to `GET http://h/` is booked, under these expectations.
fn booked(expected: &str, status: u16, body: &'static str) -> String {
    let text = format!("GET http://h/\n[Options]\nvariable: name=anna\n{expected}\n");
    let ran = run(&text, vec![answer(status, &[], body)]);
    ran.log.last().and_then(|line| line.split(' ').next_back()).unwrap_or_default().to_owned()
}

#[test]
fn a_refusal_is_auth_unless_the_journey_expects_it() {
    assert_eq!(booked("HTTP 200", 401, ""), "auth");
    assert_eq!(booked("HTTP 200", 403, ""), "auth");
    assert_eq!(booked("HTTP 200", 404, ""), "status");
    assert_eq!(booked("HTTP *\n[Asserts]\nstatus < 400", 401, ""), "auth");
    assert_eq!(booked("HTTP *\n[Asserts]\nstatus < 400", 500, ""), "assert");
    assert_eq!(booked("HTTP 401", 401, ""), "ok");
    assert_eq!(booked("HTTP 200", 429, ""), "limited");
    assert_eq!(booked("HTTP *\n[Asserts]\nstatus < 400", 429, ""), "limited");
    assert_eq!(booked("HTTP 429", 429, ""), "ok");
    assert_eq!(booked("HTTP 401", 200, ""), "status");
}

#[test]
fn an_assert_that_reads_something_back_is_data() {
    let body = r#"{"name": "bert", "state": "open"}"#;
    let data = |asserts: &str| booked(&format!("HTTP 200\n[Asserts]\n{asserts}"), 200, body);
    assert_eq!(data("jsonpath \"$.name\" == \"{{name}}\""), "data");
    assert_eq!(data("jsonpath \"$.name\" == {{name}}"), "data");
    assert_eq!(data("jsonpath \"$.gone\" == \"{{name}}\""), "data", "what is lost is wrong too");
    assert_eq!(data("sha256 == hex,00;"), "data");
    assert_eq!(data("md5 == hex,00;"), "data");
    assert_eq!(
        data("jsonpath \"$.state\" == \"done\"\njsonpath \"$.name\" == \"{{name}}\""),
        "data",
        "the gravest counts"
    );
    assert_eq!(booked("HTTP 200\n```\n{{name}}\n```", 200, body), "data");
    assert_eq!(data("jsonpath \"$.state\" == \"done\""), "assert");
    assert_eq!(data("jsonpath \"$.name\" != \"bert\""), "assert");
    assert_eq!(data("jsonpath \"$.name\" contains \"{{name}}\""), "assert");
    assert_eq!(data("status == {{name}}"), "assert");
    assert_eq!(
        booked("HTTP 200\n[Asserts]\njsonpath \"$.name\" == \"{{name}}\"", 200, "<html>"),
        "assert",
        "no JSON, no data"
    );
    assert_eq!(booked("HTTP 200\n[Asserts]\njsonpath \"$.name\" == \"{{name}}\"", 500, ""), "status");
}

const PAGE: &str = "# @page\nGET http://h/dir/\nX-Own: 1\nCookie: own=1\n[Options]\nlocation: true\nHTTP 200\n[Asserts]\nbytes count == 55\nduration < 8\n";
const HTML: &str = "<img src=a.png><img src=/b.png><img src=http://x/c.png>";
const IS_HTML: (&str, &str) = ("Content-Type", "text/html");

#[test]
fn the_files_of_a_page_are_fetched_with_its_cookies_and_without_its_headers() {
    let html = answer(200, &[IS_HTML, ("Set-Cookie", "a=1; Path=/")], HTML);
    let ran = run(PAGE, vec![html, answer(200, &[("Set-Cookie", "b=2; Path=/")], "12345"), answer(204, &[], "")]);
    assert_eq!(faults(&ran), Vec::<String>::new());
    let urls: Vec<&str> = ran.asked.iter().map(|request| request.url.as_str()).collect();
    assert_eq!(urls, ["http://h/dir/", "http://h/dir/a.png", "http://h/b.png"]);
    let sent = |name: &str| ran.asked.iter().map(|one| one.headers.contains_key(name)).collect::<Vec<_>>();
    assert_eq!((sent("x-own"), sent("user-agent")), (vec![true, false, false], vec![true, true, true]));
    assert_eq!(ran.asked[1].headers["cookie"], "a=1");
    let kept = ran.session.cookies.header(&"http://h/".parse().unwrap(), Session::now());
    assert_eq!(kept.as_deref(), Some("b=2; a=1"));
    assert_eq!(
        (ran.log.as_slice(), ran.pages.as_slice()),
        (["GET /dir/ #0 200 ok".to_owned()].as_slice(), [(2, 1, 60)].as_slice())
    );
}

#[test]
fn a_file_that_does_not_come_is_named_and_what_the_document_lacks_goes_first() {
    let ran = run(PAGE, vec![answer(200, &[IS_HTML], HTML), answer(403, &[], ""), Err(TransportError::Reset)]);
    assert_eq!(faults(&ran), ["`/dir/a.png` of the page: status 403"]);
    assert_eq!(ran.log, ["GET /dir/ #0 200 status"]);
    let ran = run(PAGE, vec![answer(200, &[IS_HTML], HTML), answer(200, &[], ""), Err(TransportError::Reset)]);
    assert_eq!(ran.log, ["GET /dir/ #0 200 broken"]);
    let ran = run(PAGE, vec![answer(200, &[IS_HTML], "<img src=a.png>"), answer(404, &[], "")]);
    assert_eq!(faults(&ran), ["expected integer `55`, got integer `15`", "`/dir/a.png` of the page: status 404"]);
}

#[test]
fn a_file_is_followed_where_a_redirect_leads_at_home_and_not_for_ever() {
    let moved = |to: &str| answer(301, &[("Location", to)], "");
    let ran = run(PAGE, vec![answer(200, &[IS_HTML], HTML), moved("/c.png"), moved("http://x/"), answer(200, &[], "")]);
    assert_eq!(ran.asked.last().unwrap().url.as_str(), "http://h/c.png");
    assert_eq!((faults(&ran).len(), ran.pages.as_slice()), (0, [(3, 2, 55)].as_slice()));
    let mut circle = vec![answer(200, &[IS_HTML], HTML), answer(200, &[], ""), moved("/1")];
    circle.extend(["/2", "/3", "/4", "/5", "/6", "/7"].map(moved));
    assert_eq!(faults(&run(PAGE, circle)), ["`/6` of the page: more than 5 redirects"]);
}

#[test]
fn only_a_page_that_is_html_and_came_has_files() {
    let plain = PAGE.replace("# @page\n", "");
    for (text, status, kind) in
        [(plain.as_str(), 200, "text/html"), (PAGE, 200, "text/plain"), (PAGE, 500, "text/html")]
    {
        let ran = run(text, vec![answer(status, &[("Content-Type", kind)], HTML)]);
        assert_eq!((ran.asked.len(), ran.pages.len()), (1, 0), "{status} {kind}");
    }
    // After a redirect the page's own origin is where it came from.
    let ran = run(
        PAGE,
        vec![answer(302, &[("Location", "http://x/")], ""), answer(200, &[IS_HTML], HTML), answer(200, &[], "")],
    );
    let urls: Vec<&str> = ran.asked.iter().map(|request| request.url.as_str()).collect();
    assert_eq!(urls[..2], ["http://h/dir/", "http://x/"]);
    assert!(urls[2..].iter().all(|url| url.starts_with("http://x/")), "{urls:?}");
}

#[test]
fn a_page_of_too_many_files_is_refused() {
    let html: String = (0..=PAGE_FILES).map(|number| format!("<img src={number}>")).collect();
    let ran = run("# @page\nGET http://h/\nHTTP 200\n", vec![answer(200, &[IS_HTML], html.leak())]);
    assert_eq!(
        (faults(&ran), ran.asked.len()),
        (vec!["`/0` of the page: the page links more than 256 files".to_owned()], 1)
    );
}
