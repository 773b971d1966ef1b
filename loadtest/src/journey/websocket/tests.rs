//! The step against servers of every kind, in this process, on loopback; frames are written by hand.

use super::*;
use crate::http::Network;
use crate::journey::{CommonHeader, Session, Value};
use crate::limits;
use std::io::{Read, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Instant;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// A server that gives each connection to a thread, with the head of its request.
fn serve(answer: impl Fn(TcpStream, &str) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            std::thread::spawn(move || {
                let head = head(&mut stream);
                answer(stream, &head);
            });
        }
    });
    address
}

fn head(stream: &mut impl Read) -> String {
    let (mut text, mut byte) = (Vec::new(), [0]);
    while !text.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read > 0) {
        text.push(byte[0]);
    }
    String::from_utf8(text).unwrap()
}

fn field(head: &str, name: &str) -> Option<String> {
    let found = head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
    found.map(|value| value.trim().to_owned())
}

/// The head that agrees.
fn agreement(head: &str) -> String {
    let accept = derive_accept_key(field(head, "sec-websocket-key").unwrap_or_default().as_bytes());
    let upgrade = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n";
    format!("{upgrade}Sec-WebSocket-Accept: {accept}\r\nSet-Cookie: seen=1\r\n\r\n")
}

/// A server of frames, behind the upgrade.
fn speak(talk: impl Fn(&mut TcpStream) + Send + Sync + 'static) -> SocketAddr {
    serve(move |mut stream, head| {
        stream.write_all(agreement(head).as_bytes()).unwrap();
        talk(&mut stream);
    })
}

/// A frame of a server; the first byte is flags and kind.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    match payload.len() {
        short @ 0..=125 => out.push(u8::try_from(short).unwrap()),
        long => {
            out.push(127);
            out.extend((long as u64).to_be_bytes());
        }
    }
    out.extend(payload);
    out
}

fn text(text: &str) -> Vec<u8> {
    frame(0x81, text.as_bytes())
}

/// The next frame of the client: its first byte and what it says.
fn hear(stream: &mut impl Read) -> Option<(u8, String)> {
    let mut start = [0; 2];
    stream.read_exact(&mut start).ok()?;
    let length = match start[1] & 127 {
        126 => {
            let mut length = [0; 2];
            stream.read_exact(&mut length).ok()?;
            u16::from_be_bytes(length).into()
        }
        short => usize::from(short),
    };
    assert!(start[1] & 128 != 0, "a client masks its frames");
    let (mut mask, mut payload) = ([0; 4], vec![0; length]);
    stream.read_exact(&mut mask).ok()?;
    stream.read_exact(&mut payload).ok()?;
    let plain: Vec<u8> = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
    Some((start[0], String::from_utf8_lossy(&plain).into_owned()))
}

/// Answers each text with `{"id": n, "text": …}`, as the demo's backend does.
fn echo(stream: &mut TcpStream) {
    for number in 1.. {
        let Some((0x81, said)) = hear(stream) else { return };
        let answer = serde_json::json!({ "id": number, "text": said }).to_string();
        stream.write_all(&text(&answer)).unwrap();
    }
}

fn step(address: SocketAddr) -> WebSocketStep {
    WebSocketStep {
        name: "echo".to_owned(),
        opening: "echo (open)".to_owned(),
        route: "WS /ws".to_owned(),
        place: "loadtest.yml:1".to_owned(),
        address: Address::parse(&format!("ws://{address}/ws?q=1")).unwrap(),
        headers: CommonHeaders::default(),
        send: vec![message("ping").unwrap()],
        expect: None,
        keeps: vec![],
        messages: 1,
        timeout: Duration::from_secs(20),
        options: Arc::default(),
        written: String::new(),
    }
}

/// One line a request, and how many may still be sent.
struct Books {
    lines: Vec<String>,
    left: usize,
    bytes: u64,
}

impl Ledger for Books {
    fn departs(&mut self, part: Part) -> bool {
        let left = self.left;
        self.left = left.saturating_sub(1);
        if left > 0 {
            self.lines.push(if part == Part::Opening { "open" } else { "trip" }.to_owned());
        }
        left > 0
    }

    fn lands(&mut self, done: &Done, session: &Session) {
        let status = done.status.map_or(String::new(), |status| format!(" {status}"));
        let fault = done.fault.as_ref();
        let fault = fault.map_or(" ok".to_owned(), |fault| format!(" {}: {}", fault.class().as_str(), fault.summary()));
        *self.lines.last_mut().unwrap() += &session.redact(&format!("{status}{fault}"));
        self.bytes = done.bytes;
    }
}

struct Ran {
    lines: Vec<String>,
    bytes: u64,
    took: Duration,
    session: Session,
}

fn run_in(mut session: Session, step: &WebSocketStep, left: usize) -> Ran {
    let mut books = Books { lines: vec![], left, bytes: 0 };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let begun = Instant::now();
    runtime.block_on(run_websocket(step, &mut session, &Network::default(), &mut books));
    Ran { lines: books.lines, bytes: books.bytes, took: begun.elapsed(), session }
}

fn run(step: &WebSocketStep) -> Ran {
    run_in(Session::default(), step, usize::MAX)
}

/// The last request of a step against a server that misbehaves; whatever it does, it is over in time.
fn last(step: &WebSocketStep) -> String {
    let ran = run(step);
    assert!(ran.took < Duration::from_secs(30), "{:?}", ran.took);
    ran.lines.last().unwrap().clone()
}

const SHORT: Duration = Duration::from_secs(1);

fn short(address: SocketAddr) -> WebSocketStep {
    WebSocketStep { timeout: SHORT, ..step(address) }
}

fn equals(text: &str) -> Option<Expectation> {
    Some(Expectation::new(Comparison::Equals, text).unwrap())
}

#[test]
fn opening_and_round_trips_are_requests_and_the_end_is_polite() {
    let (told, heard) = mpsc::channel();
    let told = Mutex::new(told);
    let address = serve(move |mut stream, head| {
        stream.write_all(agreement(head).as_bytes()).unwrap();
        let told = told.lock().unwrap_or_else(PoisonError::into_inner);
        told.send((0, head.to_owned())).unwrap();
        while let Some((first, said)) = hear(&mut stream) {
            told.send((first, said.clone())).unwrap();
            let answer =
                if first == 0x81 { text(&format!(r#"{{"id": 7, "text": "{said}"}}"#)) } else { frame(0x88, &[3, 232]) };
            stream.write_all(&answer).unwrap();
        }
    });
    let step = WebSocketStep {
        send: vec![message("a").unwrap(), message("{{id}} {{user_name}}").unwrap()],
        expect: Some(
            Expectation::new(Comparison::Matches, "a|7").unwrap().there(Expectation::exists("$.text").unwrap()),
        ),
        keeps: vec![Kept::parse("id", "$.id").unwrap(), Kept::parse("token", "$.text").unwrap()],
        messages: 3,
        headers: CommonHeaders::new([CommonHeader::parse("Authorization", "Bearer {{user_name}}").unwrap()]),
        ..step(address)
    };
    let mut session = Session::default();
    session.variables.set("user_name", Value::text("bob"));
    let ran = run_in(session, &step, usize::MAX);
    assert_eq!(ran.lines, ["open 101 ok", "trip ok", "trip ok", "trip ok"]);
    assert!(
        ran.took < Duration::from_secs(5),
        "a server that answers to the goodbye is not waited for: {:?}",
        ran.took
    );
    assert_eq!((ran.bytes, ran.session.variables.get("id").map(Value::describe).as_deref()), (22, Some("integer `7`")));
    assert_eq!(ran.session.redact("a"), "***", "what looks secret by its name is one");
    let url = url(&format!("ws://{address}/")).unwrap();
    assert_eq!(ran.session.cookies.header(&url, Session::now()).as_deref(), Some("seen=1"));
    let said: Vec<(u8, String)> = heard.try_iter().collect();
    let head = &said[0].1;
    assert!(head.starts_with("GET /ws?q=1 HTTP/1.1\r\n"), "{head}");
    for (name, value) in [
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("authorization", "Bearer bob"),
    ] {
        assert_eq!(field(head, name).as_deref(), Some(value), "{head}");
    }
    let frames: Vec<(u8, &str)> = said[1..4].iter().map(|(first, said)| (*first, said.as_str())).collect();
    assert_eq!(frames, [(0x81, "a"), (0x81, "7 bob"), (0x81, "a")]);
    assert_eq!(said[4].0, 0x88, "a close frame");
}

#[test]
fn a_refused_upgrade_is_a_status_and_no_redirect_is_followed() {
    let answers =
        |head: &'static str| last(&step(serve(move |mut stream, _| stream.write_all(head.as_bytes()).unwrap())));
    insta::assert_snapshot!(answers("HTTP/1.1 503 Unavailable\r\nContent-Length: 0\r\n\r\n"), @"open 503 status: expected status 101, got 503");
    insta::assert_snapshot!(answers("HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno"), @"open 401 auth: expected status 101, got 401");
    insta::assert_snapshot!(answers("HTTP/1.1 302 There\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n"), @"open 302 status: expected status 101, got 302");
    insta::assert_snapshot!(answers("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), @"open 200 status: expected status 101, got 200");
    insta::assert_snapshot!(answers("SSH-2.0-OpenSSH\r\n"), @"open protocol: the answer is not HTTP: invalid HTTP version");
    insta::assert_snapshot!(answers("HTTP/1.1 101"), @"open broken: the connection broke before the answer was whole");
}

#[test]
fn a_101_about_something_else_is_no_websocket() {
    let answers = |from: &'static str, to: &'static str| {
        last(&step(serve(move |mut stream, head| {
            stream.write_all(agreement(head).replace(from, to).as_bytes()).unwrap();
            hear(&mut stream);
        })))
    };
    insta::assert_snapshot!(answers("Accept: ", "Accept: x"), @"open protocol: this is no WebSocket: the server's `Sec-WebSocket-Accept` does not fit our key");
    insta::assert_snapshot!(answers("Sec-WebSocket-Accept", "X"), @"open protocol: this is no WebSocket: the server's `Sec-WebSocket-Accept` does not fit our key");
    insta::assert_snapshot!(answers("Upgrade: WebSocket", "Upgrade: h2c"), @"open protocol: this is no WebSocket: the server switched to another protocol");
    insta::assert_snapshot!(answers("keep-alive, Upgrade", "keep-alive"), @"open protocol: this is no WebSocket: the server's `Connection` does not say `Upgrade`");
    insta::assert_snapshot!(answers("Set-Cookie: seen=1", "Sec-WebSocket-Extensions: permessage-deflate"), @"open protocol: this is no WebSocket: the server uses an extension that nobody offered");
    insta::assert_snapshot!(answers("Set-Cookie: seen=1", "Sec-WebSocket-Protocol: mqtt"), @"open protocol: this is no WebSocket: the server chose a subprotocol that nobody offered");
}

#[test]
fn a_silent_server_is_a_timeout() {
    let wait = |_: &mut TcpStream| std::thread::sleep(Duration::from_secs(60));
    let (before, after) = (serve(|_, _| std::thread::sleep(Duration::from_secs(60))), speak(wait));
    insta::assert_snapshot!(last(&short(before)), @"open timeout: no whole answer within 1s");
    insta::assert_snapshot!(last(&short(after)), @"trip timeout: no whole answer within 1s");
    // One that takes nothing either: more is sent than the buffers of both sides hold.
    let large =
        Template { parts: vec![super::super::template::Part::Text("x".repeat(32 << 20))], ..Template::default() };
    let deaf = WebSocketStep { send: vec![large], ..short(after) };
    insta::assert_snapshot!(last(&deaf), @"trip timeout: no whole answer within 1s");
    let drip = serve(|mut stream, head| {
        for byte in agreement(head).bytes() {
            let _ = stream.write_all(&[byte]);
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    insta::assert_snapshot!(last(&short(drip)), @"open timeout: no whole answer within 1s");
}

#[test]
fn a_server_that_goes_away_is_a_broken_connection() {
    let closing = |payload: &'static [u8]| {
        last(&step(speak(move |stream| {
            hear(stream);
            stream.write_all(&frame(0x88, payload)).unwrap();
            hear(stream);
        })))
    };
    insta::assert_snapshot!(closing(b"\x03\xe9stopping\x1b[31m"), @"trip broken: the server closed the WebSocket (code 1001, `stopping[31m`)");
    insta::assert_snapshot!(closing(b"\x03\xf5"), @"trip broken: the server closed the WebSocket (code 1013)");
    insta::assert_snapshot!(closing(b""), @"trip broken: the server closed the WebSocket without a reason");
    insta::assert_snapshot!(last(&step(speak(|stream| drop(hear(stream))))), @"trip broken: the connection broke before the answer was whole");
    let half = speak(|stream| {
        hear(stream);
        stream.write_all(&frame(0x81, &[b'x'; 100])[..50]).unwrap();
    });
    insta::assert_snapshot!(last(&step(half)), @"trip broken: the connection broke before the answer was whole");
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert!(last(&step(address)).starts_with("open connect: connection refused by 127.0.0.1:"));
}

#[test]
fn frames_that_are_none_end_the_step() {
    let sends = |bytes: Vec<u8>| {
        last(&step(speak(move |stream| {
            hear(stream);
            let _ = stream.write_all(&bytes);
            std::thread::sleep(Duration::from_secs(60));
        })))
    };
    let giant = [&[0x81, 127][..], &(1_u64 << 30).to_be_bytes()].concat();
    insta::assert_snapshot!(sends(giant), @"trip protocol: this is no WebSocket: a message of 1073741824 bytes or more, and at most 4194304 are read");
    let absurd = [&[0x82, 127][..], &u64::MAX.to_be_bytes()].concat();
    insta::assert_snapshot!(sends(absurd), @"trip protocol: this is no WebSocket: a message of 18446744073709551615 bytes or more, and at most 4194304 are read");
    insta::assert_snapshot!(sends(frame(0x81, b"\xff\xfe")), @"trip protocol: this is no WebSocket: a text message is not UTF-8");
    insta::assert_snapshot!(sends(vec![0x81, 0x81, 0, 0, 0, 0, b'x']), @"trip protocol: this is no WebSocket: received a masked frame from server");
    insta::assert_snapshot!(sends(frame(0xc1, b"x")), @"trip protocol: this is no WebSocket: reserved bits are non-zero");
    insta::assert_snapshot!(sends(frame(0x80, b"x")), @"trip protocol: this is no WebSocket: continue frame but nothing to continue");
    insta::assert_snapshot!(sends(frame(0x83, b"x")), @"trip protocol: this is no WebSocket: encountered invalid opcode: 3");
    insta::assert_snapshot!(sends(frame(0x09, b"x")), @"trip protocol: this is no WebSocket: fragmented control frame");
}

#[test]
fn endless_messages_pings_and_fragments_have_an_end() {
    let (long, pong) = (Duration::from_secs(20), || equals("pong"));
    let floods = |first: Vec<u8>, next: Vec<u8>, (expect, limit): (Option<Expectation>, Duration)| {
        let address = speak(move |stream| {
            hear(stream);
            let (mut all, many) = (first.clone(), next.repeat(1000));
            all.extend(&many);
            while stream.write_all(&all).is_ok() {
                all.clone_from(&many);
            }
        });
        last(&WebSocketStep { expect, timeout: limit, ..step(address) })
    };
    insta::assert_snapshot!(floods(vec![], text("tick"), (pong(), long)), @"trip assert: none of 10000 answers (no more are read) is the expected one; the last: expected string `pong`, got string `tick`");
    let bytes = floods(vec![], frame(0x82, &[255; 100_000]), (pong(), long));
    assert!(bytes.starts_with("trip assert: none of 672 answers"), "{bytes}");
    insta::assert_snapshot!(floods(vec![], frame(0x89, b"?"), (None, long)), @"trip protocol: this is no WebSocket: 10000 pings and no answer");
    insta::assert_snapshot!(floods(frame(0x01, b"a"), frame(0x00, &[b'x'; 5000]), (None, long)), @"trip protocol: this is no WebSocket: a message of 4195001 bytes or more, and at most 4194304 are read");
    // Fragments of nothing never grow: only the time ends them.
    insta::assert_snapshot!(floods(frame(0x01, b"a"), frame(0x00, b""), (None, SHORT)), @"trip timeout: no whole answer within 1s");
}

#[test]
fn fragments_become_a_message_and_a_ping_between_is_answered() {
    let (told, heard) = mpsc::channel();
    let told = Mutex::new(told);
    let address = speak(move |stream| {
        let told = told.lock().unwrap_or_else(PoisonError::into_inner);
        told.send(hear(stream)).unwrap();
        let parts =
            [frame(0x01, b"po"), frame(0x89, b"there?"), frame(0x00, b""), frame(0x8a, b""), frame(0x80, b"ng")];
        stream.write_all(&parts.concat()).unwrap();
        told.send(hear(stream)).unwrap();
    });
    let step = WebSocketStep { expect: equals("pong"), ..step(address) };
    assert_eq!(run(&step).lines, ["open 101 ok", "trip ok"]);
    let pong = heard.iter().nth(1).flatten();
    assert_eq!(pong, Some((0x8a, "there?".to_owned())));
}

#[test]
fn what_is_not_the_answer_is_skipped_and_told_when_none_comes() {
    let address = || {
        speak(|stream| {
            hear(stream);
            let pushed = [text("tick"), frame(0x82, b"\xff"), text(r#"{"type": "pong", "n": 5}"#)];
            stream.write_all(&pushed.concat()).unwrap();
            std::thread::sleep(Duration::from_secs(60));
        })
    };
    let expecting = |expect: Expectation| last(&WebSocketStep { expect: Some(expect), ..short(address()) });
    let at = |path: &str, comparison, text: &str| {
        Expectation::new(comparison, text).unwrap().there(Expectation::exists(path).unwrap())
    };
    for fits in [
        Expectation::exists("$.type").unwrap(),
        Expectation::new(Comparison::Contains, "pong").unwrap(),
        Expectation::new(Comparison::Matches, "^tick$").unwrap(),
        at("$.type", Comparison::Equals, "pong"),
        at("$.n", Comparison::Equals, "5"),
        at("$['n']", Comparison::Matches, "^[0-9]$"),
    ] {
        assert_eq!(expecting(fits.clone()), "trip ok", "{fits:?}");
    }
    insta::assert_snapshot!(expecting(at("$.type", Comparison::Equals, "pang")), @"trip assert: none of 3 answers within 1s is the expected one; the last: expected string `pang`, got string `pong`");
    insta::assert_snapshot!(expecting(Expectation::exists("$.nothing").unwrap()), @"trip assert: none of 3 answers within 1s is the expected one; the last: expected something, got nothing");
    insta::assert_snapshot!(expecting(Expectation::new(Comparison::Equals, "{{nobody}}").unwrap()), @"trip journey: no variable `nobody`");
    let one = speak(|stream| {
        hear(stream);
        stream.write_all(&text("wrong")).unwrap();
        std::thread::sleep(Duration::from_secs(60));
    });
    insta::assert_snapshot!(last(&WebSocketStep { expect: equals("right"), ..short(one) }), @"trip assert: the only answer within 1s is another one: expected string `right`, got string `wrong`");
    let step = WebSocketStep { keeps: vec![Kept::parse("id", "$.id").unwrap()], ..step(speak(echo_of_nothing)) };
    insta::assert_snapshot!(last(&step), @"trip journey: there is no value to capture");
}

fn echo_of_nothing(stream: &mut TcpStream) {
    hear(stream);
    let _ = stream.write_all(&text("{}"));
    hear(stream);
}

#[test]
fn what_is_pushed_right_behind_the_upgrade_is_heard() {
    let address = serve(|mut stream, head| {
        let mut all = agreement(head).into_bytes();
        all.extend(text("hello"));
        stream.write_all(&all).unwrap();
        hear(&mut stream);
    });
    let step = WebSocketStep { send: vec![], expect: equals("hello"), ..step(address) };
    assert_eq!(run(&step).lines, ["open 101 ok", "trip ok"]);
}

#[test]
fn nothing_new_is_sent_when_the_run_is_ending() {
    let address = speak(echo);
    let many = WebSocketStep { messages: 1000, ..step(address) };
    assert_eq!(run_in(Session::default(), &many, 3).lines, ["open 101 ok", "trip ok", "trip ok"]);
    assert_eq!(run_in(Session::default(), &many, 0).lines, [""; 0]);
}

#[test]
fn a_goodbye_without_an_answer_is_not_waited_for_long() {
    let address = speak(|stream| {
        hear(stream);
        stream.write_all(&text("pong")).unwrap();
        std::thread::sleep(Duration::from_secs(60));
    });
    let ran = run(&step(address));
    assert_eq!(ran.lines, ["open 101 ok", "trip ok"]);
    assert!(ran.took < limits::WEBSOCKET_CLOSE + Duration::from_secs(4), "{:?}", ran.took);
}

#[test]
fn what_cannot_be_worked_out_is_not_sent() {
    let address = speak(echo);
    let step = |send: &str, url: &str| WebSocketStep {
        send: vec![message(send).unwrap()],
        address: Address::parse(url).unwrap(),
        ..step(address)
    };
    insta::assert_snapshot!(last(&step("{{nobody}}", &format!("http://{address}/"))), @"trip journey: no variable `nobody`");
    insta::assert_snapshot!(last(&step("a", "{{nobody}}/ws")), @"open journey: no variable `nobody`");
    insta::assert_snapshot!(last(&step("a", "{{user}}/ws")), @"open journey: `1/ws` is not a URL to send to: it does not begin with `ws://`, `wss://`, `http://` or `https://`");
}

#[test]
fn credentials_of_the_plan_go_to_the_target_only() {
    let (told, heard) = mpsc::channel();
    let told = Mutex::new(told);
    let address = serve(move |mut stream, head| {
        told.lock().unwrap_or_else(PoisonError::into_inner).send(head.to_owned()).unwrap();
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    let sent = |target: &str, set_by: &str| {
        let mut session = Session::default();
        session.variables.set("target", Value::text(target));
        session.cookies.take("session=canary", &set_by.parse().unwrap(), Session::now());
        session.headers = CommonHeaders::new(
            [("Authorization", "canary"), ("X-Tenant", "acme")]
                .map(|(name, value)| CommonHeader::parse(name, value).unwrap()),
        );
        run_in(session, &step(address), usize::MAX);
        let head = heard.recv().unwrap();
        ["authorization", "cookie", "x-tenant"].map(|name| field(&head, name).is_some())
    };
    let own = format!("http://{address}");
    assert_eq!(sent(&own, &own), [true, true, true]);
    assert_eq!(sent("http://127.0.0.1:1", "http://127.0.0.1:1"), [false, false, true]);
}

/// A server behind TLS with a certificate of its own for `localhost`; its port, and the certificate in a file.
fn secure() -> (u16, tempfile::NamedTempFile) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), made.cert.pem()).unwrap();
    let key = rustls_pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let builder = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let config = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let config = Arc::new(config.with_single_cert(vec![made.cert.der().clone()], key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream =
                rustls::StreamOwned::new(rustls::ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
            let head = head(&mut stream);
            let _ = stream.write_all(agreement(&head).as_bytes());
            while hear(&mut stream).is_some_and(|(first, _)| first == 0x81) {
                let _ = stream.write_all(&text("pong"));
            }
        }
    });
    (port, file)
}

#[test]
fn tls_is_that_of_every_request() {
    let (port, file) = secure();
    let ran = |options: RequestOptions| {
        let address = Address::parse(&format!("wss://localhost:{port}/ws")).unwrap();
        let at = SocketAddr::from(([127, 0, 0, 1], port));
        let ran = run(&WebSocketStep { address, options: Arc::new(options), expect: equals("pong"), ..step(at) });
        ran.lines.join(", ")
    };
    let known = RequestOptions { cacert: Some(file.path().to_owned()), ..RequestOptions::default() };
    assert_eq!(ran(known), "open 101 ok, trip ok");
    assert_eq!(ran(RequestOptions { insecure: true, ..RequestOptions::default() }), "open 101 ok, trip ok");
    let stranger = ran(RequestOptions::default());
    assert!(stranger.starts_with("open tls: the certificate is not acceptable"), "{stranger}");
}
