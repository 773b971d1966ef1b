//! WebSocket steps of journeys, from outside: figures of their own, what is said when they fail, what goes along.

use super::{loadtest, stderr, stdout};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Output;
use std::sync::{Arc, Mutex};
use std::thread;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// Answers `/login` with a token and a cookie; on `/ws` tells of the time, and then sends back each text as `{"text": …}`.
struct Host {
    port: u16,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    heads: Vec<String>,
    texts: Vec<String>,
    /// Close codes received.
    goodbyes: Vec<u16>,
}

impl Host {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let seen: Arc<Mutex<Seen>> = Arc::default();
        let kept = Arc::clone(&seen);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let kept = Arc::clone(&kept);
                thread::spawn(move || serve(connection, &kept));
            }
        });
        Self { port, seen }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().expect("a lock")
    }
}

fn serve(mut connection: TcpStream, seen: &Mutex<Seen>) {
    let _ = connection.set_nodelay(true);
    let mut reader = BufReader::new(connection.try_clone().expect("a copy"));
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if !reader.read_line(&mut head).is_ok_and(|read| read > 0) {
                return;
            }
        }
        seen.lock().expect("a lock").heads.push(head.clone());
        let key = head.lines().find_map(|line| line.strip_prefix("sec-websocket-key: "));
        match key.filter(|_| head.starts_with("GET /ws")) {
            None => {
                let answer = "HTTP/1.1 200 OK\r\nSet-Cookie: session=canary-cookie\r\nContent-Length: 25\r\n\r\n{\"token\": \"canary-token\"}";
                connection.write_all(answer.as_bytes()).expect("written");
            }
            Some(key) => {
                let accept = derive_accept_key(key.trim().as_bytes());
                let answer = format!(
                    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
                );
                connection.write_all(answer.as_bytes()).expect("written");
                return talk(&mut reader, &mut connection, seen);
            }
        }
    }
}

fn talk(reader: &mut impl Read, writer: &mut impl Write, seen: &Mutex<Seen>) {
    let say = |writer: &mut dyn Write, text: &str| {
        let length = u8::try_from(text.len()).expect("short");
        writer.write_all(&[&[0x81, length], text.as_bytes()].concat()).is_ok()
    };
    if !say(writer, "tick") {
        return;
    }
    let mut start = [0; 6];
    while reader.read_exact(&mut start).is_ok() {
        let mut payload = vec![0; usize::from(start[1] & 127)];
        reader.read_exact(&mut payload).expect("a payload");
        payload.iter_mut().zip(start[2..].iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
        if start[0] == 0x88 {
            seen.lock().expect("a lock").goodbyes.push(u16::from_be_bytes([payload[0], payload[1]]));
            let _ = writer.write_all(&[0x88, 2, 3, 232]);
            return;
        }
        let text = String::from_utf8(payload).expect("a text");
        seen.lock().expect("a lock").texts.push(text.clone());
        if !say(writer, &format!("{{\"text\": \"{text}\"}}")) {
            return;
        }
    }
}

const LOGIN: &str = "POST {{target}}/login\nHTTP 200\n[Captures]\ntoken: jsonpath \"$.token\" redact\n";
const AFTER: &str = "GET {{target}}/after/{{echoed}}\nHTTP 200\n";

/// A journey of three steps, the middle one a WebSocket with these keys besides.
fn run(host: &Host, keys: &str, targets: &str, flags: &[&str]) -> (Output, serde_json::Value) {
    let always = ["--users", "4", "--ramp", "0s", "--run-time", "2s", "--think", "20ms"];
    ask(host, keys, targets, &[&always, flags].concat())
}

/// The same journey, with these arguments only.
fn ask(host: &Host, keys: &str, targets: &str, arguments: &[&str]) -> (Output, serde_json::Value) {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
    write("login.hurl", LOGIN);
    write("after.hurl", AFTER);
    let socket = format!("websocket: \"{{{{target}}}}/ws?x=1\"\n        name: echo\n{keys}");
    let plan = format!(
        "headers: {{X-Tenant: acme}}\njourneys:\n  - name: live\n    steps:\n      - login.hurl\n      - {socket}\n      - after.hurl\n{targets}"
    );
    write("loadtest.yml", &plan);
    let mut command = loadtest(arguments);
    command.args(["--target", &host.url(), "--json", "out.json"]).current_dir(folder.path());
    let output = command.output().expect("a run");
    let report = std::fs::read_to_string(folder.path().join("out.json")).unwrap_or_default();
    (output, serde_json::from_str(&report).unwrap_or_default())
}

const ECHO: &str = "        headers: {Authorization: \"Bearer {{token}}\"}
        send: [one, \"two {{user}}\"]
        expect: {jsonpath: $.text, matches: \"^(one|two)\"}
        capture: {echoed: $.text}
        messages: 5
        timeout: 20s
";

#[test]
fn opening_and_round_trips_have_figures_and_targets_of_their_own() {
    let host = Host::start();
    let targets = "targets: [echo p50 < 10s, echo (open) errors < 50%, live errors < 50%]\n";
    let (output, report) = run(&host, ECHO, targets, &[]);
    let said = format!("{}{}", stdout(&output), stderr(&output));
    assert!([Some(0), Some(3)].contains(&output.status.code()), "{said}");
    let count = |name: &str| {
        let rows = report["requests"].as_array().expect("requests");
        let row = rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("{name}: {report}"));
        assert_eq!(row["errors"], 0, "{row}");
        (row["count"].as_u64().expect("a count"), row["bytes"].as_u64().expect("bytes"))
    };
    let ((opened, _), (trips, bytes)) = (count("echo (open)"), count("echo"));
    assert!(opened > 4 && trips > 4 * opened && trips <= 5 * opened, "{opened} openings, {trips} round trips");
    assert!(bytes > trips * 10, "{bytes} bytes");
    assert!(count("GET /after/{{echoed}}").0 > 4);
    assert_eq!(report["targets"].as_array().map(Vec::len), Some(3));
    for secret in ["canary-token", "canary-cookie"] {
        assert!(!said.contains(secret) && !report.to_string().contains(secret), "{said}");
    }
    let seen = host.seen();
    let upgrades: Vec<&String> = seen.heads.iter().filter(|head| head.starts_with("GET /ws?x=1 ")).collect();
    // One more for the preflight.
    assert_eq!(upgrades.len() as u64, opened + 1);
    for head in upgrades {
        for sent in
            ["authorization: Bearer canary-token\r\n", "cookie: session=canary-cookie\r\n", "x-tenant: acme\r\n"]
        {
            assert!(head.contains(sent), "{sent}: {head}");
        }
    }
    assert!(seen.heads.iter().any(|head| head.starts_with("GET /after/one ")), "the variable goes on");
    assert!(seen.texts.iter().any(|text| text == "two 4"), "{:?}", seen.texts);
    assert!(
        seen.goodbyes.len() as u64 >= opened && seen.goodbyes.iter().all(|code| *code == 1000),
        "{:?}",
        seen.goodbyes
    );
}

#[test]
fn an_answer_that_never_comes_is_told_before_the_load() {
    let host = Host::start();
    let keys = "        send: \"{{token}}\"\n        expect: {contains: pong}\n        timeout: 1s\n";
    let (output, report) = run(&host, keys, "", &[]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let said = stdout(&output);
    let wanted = "before the load, with one user, `echo` of the journey `live` fails: none of 2 answers within 1s is the expected one; \
                  the last: expected contains string `pong`, got string `{\"text\": \"***\"}` (loadtest.yml:";
    assert!(said.contains(wanted), "{said}");
    assert!(!format!("{said}{report}{}", stderr(&output)).contains("canary-token"), "{said}");
}

#[test]
fn a_smoke_test_opens_the_sockets_of_the_plan_and_sends_each_text_once() {
    let host = Host::start();
    let (output, report) = ask(&host, ECHO, "", &["smoke"]);
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    assert_eq!(host.seen().texts, ["one", "two 1"]);
    let entries = report["journeys"][0]["entries"].as_array().expect("entries").clone();
    let told: Vec<_> =
        entries.iter().map(|it| (it["name"].clone(), it["status"].clone(), it["attempts"].clone())).collect();
    let [opened, trips] = [("echo (open)", 101.into(), 1), ("echo", serde_json::Value::Null, 2)];
    assert_eq!(told[1..3], [opened, trips].map(|(name, status, times)| (name.into(), status, times.into())));
    let said = stdout(&output);
    assert!(
        said.contains("  passed   echo (open)  (101, ") && said.contains("  passed   echo  (2 round trips, "),
        "{said}"
    );

    let (output, report) = ask(&host, &ECHO.replace("(one|two)", "one"), "", &["smoke"]);
    assert_eq!(output.status.code(), Some(1), "{}{}", stdout(&output), stderr(&output));
    let failed = &report["journeys"][0]["entries"][2];
    assert_eq!((&failed["name"], &failed["passed"], &failed["line"]), (&"echo".into(), &false.into(), &6.into()));
    assert_eq!(failed["failures"][0]["line"], failed["line"], "{failed}");
    let said = stdout(&output);
    assert!(said.contains("  FAILED   echo") && said.contains("\n  at loadtest.yml:6\n"), "{said}");
    assert!(!said.contains("after"), "the rest is left out: {said}");
    assert!(!format!("{said}{report}{}", stderr(&output)).contains("canary-"), "{said}");
}

#[test]
fn a_socket_that_gives_up_under_load_is_an_error_with_an_example() {
    let host = Host::start();
    // The preflight sends each text once; user 3 of the load says something else.
    let keys = "        send: \"{{user}}\"\n        expect: {jsonpath: $.text, matches: \"[124]\"}\n        capture: {echoed: $.text}\n        timeout: 500ms\n";
    let (output, report) = run(&host, keys, "targets: [echo errors < 1%]\n", &[]);
    assert!([Some(1), Some(3)].contains(&output.status.code()), "{}{}", stdout(&output), stderr(&output));
    let rows = report["requests"].as_array().expect("requests").iter();
    let echo: Vec<_> = rows.filter(|row| row["name"] == "echo").collect();
    assert!(echo.iter().any(|row| row["errors_by"]["assert"].as_u64() > Some(0)), "{echo:?}");
    let example = echo.iter().find_map(|row| row["example"].as_str()).expect("an example");
    assert!(example.starts_with("none of 2 answers within 500ms is the expected one"), "{example}");
}

#[test]
fn a_run_that_ends_in_the_middle_says_goodbye() {
    let host = Host::start();
    let keys = "        send: [one]\n        expect: {jsonpath: $.text}\n        capture: {echoed: $.text}\n        messages: 1000000\n        timeout: 20s\n";
    let (output, report) = run(&host, keys, "targets: [echo errors < 50%]\n", &[]);
    assert!([Some(0), Some(3)].contains(&output.status.code()), "{}{}", stdout(&output), stderr(&output));
    assert_eq!(report["total"]["errors"], 0, "{report}");
    // Four users and the preflight.
    assert_eq!(host.seen().goodbyes, [1000; 5]);
}

#[test]
fn a_public_address_of_a_step_takes_consent_and_a_dry_run_sends_nothing() {
    let host = Host::start();
    let (output, _) = run(&host, "        send: one\n", "", &["--dry-run"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("echo  1 round trip on a WebSocket, at most 10s"), "{}", stdout(&output));
    assert!(host.seen().heads.is_empty());
    let elsewhere = "        send: one\n      - websocket: wss://203.0.113.9/ws\n";
    let (output, _) = run(&host, elsewhere, "", &[]);
    assert_eq!(output.status.code(), Some(2), "{}", stdout(&output));
    let said = stderr(&output);
    assert!(said.contains("`203.0.113.9` is a public address\n  at loadtest.yml:9"), "{said}");
    assert!(host.seen().heads.is_empty());
}
