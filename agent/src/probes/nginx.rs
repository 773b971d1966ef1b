//! `nginx`: reads nginx's own figures from its page `stub_status`, over HTTP. Names and types are those of
//! nginx-prometheus-exporter. What must stay true: `nginx_up` is 0 only when nothing that speaks HTTP answers; a page that is forbidden or
//! not configured fails the check and leaves it absent, for nginx itself is up.

use super::http::page::{Access, Got, Page, begin};
use super::net::facts as net;
use super::outcome::late;
use super::{Context, Detail, Fault, Key, Kind, Probe, Reason, Run, Target, fields_of, parameters};
use crate::node::{Node, Problems};
use crate::parser::Parser;
use crate::reading::{Metric, Type};
use crate::secret::Secret;
use http::header::{LOCATION, SERVER};
use tokio::time::timeout_at;

/// The row of the table.
pub(super) static KIND: Kind = Kind {
    name: "nginx",
    schemes: &["nginx"],
    summary: "Reads nginx's connections and requests from its page `stub_status` (the URL's path, `/stub_status` unless written), and \
              tells a page that is forbidden or not configured from an nginx that is down",
    example: "- name: proxy\n  url: nginx://nginx:8081/stub_status\n  peer: true\n",
    keys: &[Key {
        name: "host",
        form: "text",
        default: "host and port of the URL",
        doc: "The request's `Host`, when the page stands in a `server` that is chosen by name.",
    }],
    fields: fields_of::<Params>,
    facts: &[
        &net::LOOKUP_TIME,
        &net::IP_PROTOCOL,
        &net::IP_HASH,
        &UP,
        &ACTIVE,
        &ACCEPTED,
        &HANDLED,
        &REQUESTS,
        &READING,
        &WRITING,
        &WAITING,
        &SCRAPE_SUCCESS,
        &SCRAPE_ERROR,
    ],
    parsers: &[Parser { name: "nginx_status", read }],
    slow: false,
    build,
};

static UP: Metric = Metric::gauge(
    "nginx_up",
    "1 when the last look at stub_status succeeded, 0 when nothing answered; absent when something else was answered",
);
static ACTIVE: Metric = Metric::gauge("nginx_connections_active", "Client connections open now, idle ones among them");
static ACCEPTED: Metric =
    Metric::gauge("nginx_connections_accepted", "Client connections accepted since nginx started")
        .of(Type::BareCounter);
static HANDLED: Metric = Metric::gauge(
    "nginx_connections_handled",
    "Client connections taken up since nginx started; fewer than accepted when a limit was hit",
)
.of(Type::BareCounter);
static REQUESTS: Metric = Metric::counter("nginx_http_requests_total", "Requests of clients since nginx started");
static READING: Metric =
    Metric::gauge("nginx_connections_reading", "Connections on which the head of a request is being read");
static WRITING: Metric = Metric::gauge("nginx_connections_writing", "Connections on which an answer is being sent");
static WAITING: Metric = Metric::gauge("nginx_connections_waiting", "Connections kept open that wait for a request");
static SCRAPE_SUCCESS: Metric =
    Metric::gauge("sidecar_nginx_scrape_success", "1 when the last look at stub_status gave nginx's figures, else 0");
static SCRAPE_ERROR: Metric = Metric::gauge(
    "sidecar_nginx_scrape_error",
    "1 for what kept the last look at stub_status from its figures: no answer (network), another status (http), another page (content)",
)
.labelled(&["kind"]);

/// What can come between: nothing answered, nginx answered with another status, or with another page.
const ERRORS: [&str; 3] = ["network", "http", "content"];

const LINES: &str =
    "`location = /stub_status { stub_status; allow 10.0.0.0/8; deny all; }`, with the network of this sidecar";

#[derive(Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Params {
    host: Option<String>,
}

struct Nginx {
    page: Page,
}

fn build(target: &Target, own: &Node, problems: &mut Problems) -> Option<Box<dyn Probe>> {
    let params: Params = parameters(own, problems)?;
    let path = if target.path.is_empty() { "/stub_status".to_owned() } else { target.path.clone() };
    let target = Target { scheme: "http".to_owned(), path, query: None, ..target.clone() };
    let headers = params.host.map(|host| ("Host".to_owned(), Secret::new(host))).into_iter().collect();
    let page = Page::new(&target, Access { scheme: "nginx".to_owned(), headers, ..Access::default() }, own, problems)?;
    Some(Box::new(Nginx { page }))
}

impl Probe for Nginx {
    /// Runs under the deadline itself, so that `nginx_up` is 0 when it passes.
    fn run<'a>(&'a mut self, cx: &'a mut Context<'_>) -> Run<'a> {
        Box::pin(async move {
            let whole = cx.left();
            let ended = timeout_at(cx.deadline, self.page.get(cx)).await;
            let ended = ended.unwrap_or_else(|_elapsed| Err(late(cx.current_phase(), whole)));
            let (judged, error) = match ended {
                Ok(got) => {
                    let error = if got.status == 200 { "content" } else { "http" };
                    (judge(cx, &got), error)
                }
                Err(fault) => {
                    cx.measure(UP.is(0.0));
                    let plain = "stub_status is read without TLS: give it a `server` of its own on a plain port";
                    let secure = fault.message.contains(" speaks tls");
                    (Err(if secure { fault.hint(plain) } else { fault }), "network")
                }
            };
            cx.measure(SCRAPE_SUCCESS.is(if judged.is_ok() { 1.0 } else { 0.0 }));
            for kind in ERRORS {
                cx.measure(SCRAPE_ERROR.with([kind], if judged.is_err() && kind == error { 1.0 } else { 0.0 }));
            }
            judged
        })
    }
}

fn judge(cx: &mut Context<'_>, got: &Got) -> Result<(), Fault> {
    if let Some(server) = got.headers.get(SERVER) {
        cx.note("version", &String::from_utf8_lossy(server.as_bytes()));
    }
    if got.status != 200 {
        return Err(refused(got));
    }
    if let Some(fault) = &got.body_fault {
        return Err(fault.clone());
    }
    let text = String::from_utf8_lossy(&got.body);
    let Some(status) = Status::parse(&text) else { return Err(strange(&text)) };
    let figures = [
        (&UP, 1.0),
        (&ACTIVE, status.active),
        (&ACCEPTED, status.accepted),
        (&HANDLED, status.handled),
        (&REQUESTS, status.requests),
        (&READING, status.reading),
        (&WRITING, status.writing),
        (&WAITING, status.waiting),
    ];
    figures.into_iter().for_each(|(metric, value)| cx.measure(metric.is(value)));
    if status.handled < status.accepted {
        let dropped = status.accepted - status.handled;
        cx.note("dropped", &format!("{dropped} connections since it started: raise `worker_connections`"));
    }
    Ok(())
}

/// The fault of an answer that is not the page, by its status.
fn refused(got: &Got) -> Fault {
    let exactly = Detail::of_status(got.status);
    let fault = |message: &str| {
        Fault::new(Reason::Status, format!("answered status {}: {message}", got.status)).exactly(exactly.clone())
    };
    match got.status {
        401 => Fault::new(Reason::Auth, "answered status 401: stub_status wants other credentials")
            .exactly(Detail::LoginRefused)
            .hint("write user and password into the URL, or allow the network of this sidecar instead"),
        _ if let Some(other) = other(got) => fault(&format!("`{other}` answers there, and no nginx"))
            .hint("is the port right? when it stands before nginx, ask nginx itself"),
        403 => fault("nginx is up, and does not let this address see stub_status")
            .hint("add `allow <network of this sidecar>;` above `deny all;` in the location of stub_status"),
        404 => fault("nginx is up, and stub_status is not configured at this path").hint(format!("add {LINES}")),
        301 | 302 | 303 | 307 | 308 => {
            let to = got.headers.get(LOCATION).map(|to| String::from_utf8_lossy(to.as_bytes())).unwrap_or_default();
            let to: String = super::clean(&to).chars().take_while(|c| *c != '?').collect();
            fault(&format!("it redirects to `{to}`"))
                .hint("give stub_status a `server` of its own, on a port that redirects nothing, or name it by `host`")
        }
        _ => fault("stub_status answers 200").hint("is another server or location in front of it?"),
    }
}

/// What says of itself that it is another server; nginx and what is built on it can be told to say nothing.
fn other(got: &Got) -> Option<String> {
    let server = super::clean(&String::from_utf8_lossy(got.headers.get(SERVER)?.as_bytes()));
    let known = ["nginx", "openresty", "tengine", "angie", "freenginx"];
    let is_nginx = known.iter().any(|name| server.to_ascii_lowercase().contains(name));
    (!is_nginx && !server.is_empty()).then_some(server)
}

fn strange(text: &str) -> Fault {
    let start = text.trim_start().get(..14).unwrap_or_default().to_ascii_lowercase();
    let what = match start.as_str() {
        html if html.starts_with("<!doctype html") || html.starts_with("<html") => "a page of HTML".to_owned(),
        json if json.starts_with('{') || json.starts_with('[') => "JSON (the API of NGINX Plus?)".to_owned(),
        _ => format!("something that begins with {}", begin(text.as_bytes())),
    };
    Fault::new(Reason::Body, format!("answered with {what}, which is not stub_status"))
        .hint(format!("is another location in front of it? it is written {LINES}"))
}

/// What stub_status tells. Source: nginx's documentation, ngx_http_stub_status_module.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Status {
    active: f64,
    accepted: f64,
    handled: f64,
    requests: f64,
    reading: f64,
    writing: f64,
    waiting: f64,
}

impl Status {
    /// Reads the page; the third line of some relatives of nginx has more numbers, which are left out.
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let active = number(lines.next()?.strip_prefix("Active connections:")?)?;
        lines.next()?.strip_prefix("server accepts handled requests")?;
        let mut totals = lines.next()?.split_whitespace().map(number);
        let (accepted, handled, requests) = (totals.next()??, totals.next()??, totals.next()??);
        let words: Vec<&str> = lines.next()?.split_whitespace().collect();
        let ["Reading:", reading, "Writing:", writing, "Waiting:", waiting] = words.as_slice() else { return None };
        let (reading, writing, waiting) = (number(reading)?, number(writing)?, number(waiting)?);
        Some(Self { active, accepted, handled, requests, reading, writing, waiting })
    }
}

/// Reads whatever a page holds, for fuzzing.
fn read(bytes: &[u8]) {
    let _status = Status::parse(&String::from_utf8_lossy(bytes));
}

#[expect(clippy::cast_precision_loss, reason = "counters pass 2^53 after decades")]
fn number(text: &str) -> Option<f64> {
    text.trim().parse::<u64>().ok().map(|number| number as f64)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::probes::Outcome;
    use crate::probes::net::test_peers::{self, Peer};
    use crate::probes::tests::{Cases, look};
    use proptest::prelude::*;
    use std::time::Duration;

    /// The six cases that every kind has.
    pub(in crate::probes) static CASES: Cases = Cases {
        ok: Some(|| Box::pin(async { at(&test_peers::answers(|_| Some(PAGE)).await).await })),
        refused: || {
            Box::pin(async { look(&format!("nginx://127.0.0.1:{}", test_peers::closed_port().await), "{}").await })
        },
        timeout: || Box::pin(async { at(&test_peers::silent().await).await }),
        wrong_answer: || Box::pin(async { at(&test_peers::says(b"SSH-2.0-OpenSSH_9.2\r\n").await).await }),
        oversize: || Box::pin(async { at(&test_peers::floods(b"HTTP/1.1 200 OK\r\n\r\n", &[b'x'; 8192]).await).await }),
        slow_drip: || {
            let tick = Duration::from_millis(50);
            Box::pin(async move {
                at(&test_peers::drips(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", tick).await).await
            })
        },
    };

    const PAGE: &[u8] =
        b"HTTP/1.1 200 OK\r\nServer: nginx/1.26.2\r\nConnection: close\r\n\r\nActive connections: 291 \n\
        server accepts handled requests\n 16630948 16630940 31070465 \nReading: 6 Writing: 179 Waiting: 106 \n";

    async fn at(peer: &Peer) -> Outcome {
        look(&format!("nginx://localhost:{}/stub_status", peer.port()), "{}").await
    }

    fn said(outcome: &Outcome) -> String {
        let fault = outcome.fault.as_ref().unwrap();
        let hint = fault.hint.as_ref().map_or(String::new(), |hint| format!("\nhint: {hint}"));
        format!("{}: {}{hint}", fault.reason, fault.message)
    }

    /// Whether the figures were read, and what is said to have come between.
    fn errors(outcome: &Outcome) -> (Option<f64>, Vec<&str>) {
        let all = outcome.readings.iter().filter(|reading| reading.metric == &SCRAPE_ERROR && reading.value > 0.0);
        (outcome.value(&SCRAPE_SUCCESS), all.map(|reading| reading.labels[0].as_str()).collect())
    }

    #[tokio::test]
    async fn every_figure_of_the_page_has_its_name() {
        let outcome = at(&test_peers::answers(|_| Some(PAGE)).await).await;
        assert_eq!(outcome.fault, None);
        let of =
            |name: &str| outcome.readings.iter().find(|reading| reading.metric.name == name).map(|found| found.value);
        for (name, value) in [
            ("nginx_up", 1.0),
            ("nginx_connections_active", 291.0),
            ("nginx_connections_accepted", 16_630_948.0),
            ("nginx_connections_handled", 16_630_940.0),
            ("nginx_http_requests_total", 31_070_465.0),
            ("nginx_connections_reading", 6.0),
            ("nginx_connections_writing", 179.0),
            ("nginx_connections_waiting", 106.0),
        ] {
            assert_eq!(of(name), Some(value), "{name}");
        }
        assert_eq!(errors(&outcome), (Some(1.0), Vec::new()));
        assert_eq!(outcome.note("version"), Some("nginx/1.26.2"));
        assert!(outcome.note("dropped").is_some_and(|note| note.starts_with("8 connections")));
    }

    #[tokio::test]
    async fn an_nginx_that_answers_something_else_is_not_called_down() {
        let cases: [(&'static [u8], &str); 6] = [
            (
                b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
                "status: answered status 403: nginx is up, and does not let this address see stub_status",
            ),
            (
                b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
                "status: answered status 404: nginx is up, and stub_status is not configured at this path",
            ),
            (
                b"HTTP/1.1 404 No\r\nServer: SimpleHTTP/0.6 Python/3.11\r\nContent-Length: 0\r\n\r\n",
                "status: answered status 404: `SimpleHTTP/0.6 Python/3.11` answers there, and no nginx",
            ),
            (
                b"HTTP/1.1 301 Moved\r\nLocation: https://x/y?token=1\r\nContent-Length: 0\r\n\r\n",
                "status: answered status 301: it redirects to `https://x/y`",
            ),
            (
                b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n",
                "auth: answered status 401: stub_status wants other credentials",
            ),
            (
                b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<!DOCTYPE html><html>",
                "body: answered with a page of HTML, which is not stub_status",
            ),
        ];
        for (answer, expected) in cases {
            let outcome = at(&test_peers::answers(move |_| Some(answer)).await).await;
            assert!(said(&outcome).starts_with(expected), "{}", said(&outcome));
            assert_eq!(outcome.value(&UP), None, "{expected}");
            let kind = if expected.starts_with("body") { "content" } else { "http" };
            assert_eq!(errors(&outcome), (Some(0.0), vec![kind]), "{expected}");
        }
        let outcome =
            at(&test_peers::answers(|_| Some(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")).await).await;
        insta::assert_snapshot!(said(&outcome), @"
        status: answered status 404: nginx is up, and stub_status is not configured at this path
        hint: add `location = /stub_status { stub_status; allow 10.0.0.0/8; deny all; }`, with the network of this sidecar
        ");
    }

    #[tokio::test]
    async fn an_nginx_that_does_not_answer_is_down() {
        for case in [CASES.refused, CASES.timeout] {
            let outcome = case().await;
            assert_eq!(outcome.value(&UP), Some(0.0));
            assert_eq!(errors(&outcome), (Some(0.0), vec!["network"]));
        }
    }

    #[tokio::test]
    async fn asks_for_stub_status_by_the_name_it_is_given() {
        let asked = test_peers::answers(|asked| {
            let text = String::from_utf8_lossy(asked).to_ascii_lowercase();
            (text.starts_with("get /stub_status http") && text.contains("\r\nhost: status.local\r\n")).then_some(PAGE)
        });
        let peer = asked.await;
        let outcome = look(&format!("nginx://localhost:{}?x=1", peer.port()), r#"{"host": "status.local"}"#).await;
        assert_eq!(outcome.fault, None);
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_parser(text in ".{0,200}") {
            let _ = Status::parse(&text);
        }

        #[test]
        fn numbers_come_out_as_they_went_in(n in proptest::array::uniform7(0_u32..)) {
            let [active, accepted, handled, requests, reading, writing, waiting] = n;
            let page = format!(
                "Active connections: {active} \nserver accepts handled requests\n {accepted} {handled} {requests} \n\
                 Reading: {reading} Writing: {writing} Waiting: {waiting} \n"
            );
            let status = Status::parse(&page).unwrap();
            let read = [status.active, status.accepted, status.handled, status.requests, status.reading, status.writing, status.waiting];
            prop_assert_eq!(read, n.map(f64::from));
            let cut: String = page.chars().take(page.len() - 12).collect();
            prop_assert_eq!(Status::parse(&cut), None);
        }
    }
}
