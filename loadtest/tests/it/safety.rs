//! What a load test must not do: hand credentials to another host, or reach a host that nobody called their own.

use super::{loadtest, stderr, stdout};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// Answers every request in the same way and keeps the heads, in lower case.
struct Host {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Host {
    fn start(answer: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let (kept, answer) = (Arc::clone(&heads), answer.to_owned());
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (kept, answer) = (Arc::clone(&kept), answer.clone());
                thread::spawn(move || serve(connection, &kept, &answer));
            }
        });
        Self { port, heads }
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("a lock").clone()
    }
}

fn serve(mut connection: TcpStream, heads: &Mutex<Vec<String>>, answer: &str) {
    let mut reader = BufReader::new(connection.try_clone().expect("a copy"));
    let mut head = String::new();
    while reader.read_line(&mut head).is_ok_and(|read| read > 0) {
        if head.ends_with("\r\n\r\n") {
            heads.lock().expect("a lock").push(std::mem::take(&mut head).to_lowercase());
            if connection.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    }
}

const DONE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn moved(to: &str) -> String {
    format!(
        "HTTP/1.1 302 Found\r\nLocation: {to}\r\nSet-Cookie: session=canary-cookie; Path=/\r\nContent-Length: 0\r\n\r\n"
    )
}

/// A run of one user for one request, with credentials of every kind: of the entry, of the plan, of `user`, a cookie that was set and one
/// that is sent by hand.
fn run(target: &str, flags: &[&str]) -> std::process::Output {
    let folder = tempfile::tempdir().expect("a folder");
    let journey = "GET {{target}}/\nAuthorization: Bearer canary-token\nX-API-Key: canary-key\n[Options]\nlocation: true\n[Cookies]\nby_hand: canary-cookie\nHTTP 200\n\n\
                   GET {{target}}/\n[Options]\nlocation: true\nuser: bob:canary-password\nHTTP 200\n";
    std::fs::write(folder.path().join("go.hurl"), journey).expect("written");
    let plan = "headers: {Proxy-Authorization: canary-proxy}\njourneys: [{files: go.hurl}]\n";
    let file = folder.path().join("plan.yml");
    std::fs::write(&file, plan).expect("written");
    let file = file.display().to_string();
    let always =
        ["--plan", &file, "--target", target, "--users", "1", "--ramp", "0s", "--think", "0s", "--requests", "4"];
    loadtest(&[&always, flags].concat()).output().expect("a run")
}

/// Another port of the same host is another service, of other people perhaps.
#[test]
fn credentials_stay_at_home_when_a_redirect_leads_elsewhere() {
    let other = Host::start(DONE);
    for host in ["127.0.0.1", "localhost"] {
        let own = Host::start(&moved(&format!("http://{host}:{}/", other.port)));
        let before = other.heads().len();
        let output = run(&format!("http://127.0.0.1:{}", own.port), &[]);
        let heads = other.heads();
        let heads = &heads[before..];
        assert!(!heads.is_empty(), "{}", stderr(&output));
        for head in heads {
            for secret in ["canary", "authorization", "cookie:"] {
                assert!(!head.contains(secret), "{secret}: {head}");
            }
        }
        let at_home = own.heads().concat();
        for sent in [
            "bearer canary-token",
            "by_hand=canary-cookie",
            "x-api-key: canary-key",
            "proxy-authorization: canary-proxy",
            "authorization: basic ",
        ] {
            assert!(at_home.contains(sent), "{sent}: {at_home}");
        }
    }
}

#[test]
fn a_redirect_to_a_public_address_is_refused_without_consent() {
    let own = Host::start(&moved("http://203.0.113.7/"));
    let output = run(&format!("http://127.0.0.1:{}", own.port), &[]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let said = format!("{}{}", stdout(&output), stderr(&output));
    assert!(said.contains("`203.0.113.7:80` (203.0.113.7) is a public address"), "{said}");
    assert!(said.contains("--i-own-this-target"), "{said}");
}
