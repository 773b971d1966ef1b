//! What is veiled and what is not, and every kind that has a secret before peers that repeat it.

use super::*;
use crate::probes::KINDS;
use crate::probes::net::test_peers::{self, Peer};
use crate::probes::tests::look;
use crate::probes::websocket::tests::agree;
use futures_util::future::join_all;
use std::collections::BTreeSet;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

fn veil(url: &str, keys: &[(&str, &str)]) -> Veil {
    let confided = |(path, value): &(&str, &str)| Confided { path: (*path).to_owned(), value: Secret::new(*value) };
    Veil::of(&Target::parse(url).unwrap(), keys.iter().map(confided).collect())
}

fn shown(veil: &Veil, text: &str) -> String {
    let mut text = text.to_owned();
    veil.hide(&mut text);
    text
}

#[test]
fn what_repeats_a_secret_is_starred_and_a_protocols_own_words_are_not() {
    let dialogue = veil(
        "tcp://localhost:1",
        &[("query_response[0].send", "AUTH app:c4nary-Pa55word"), ("a", r#"{"type":"ping","token":"t0ken+of=ours"}"#)],
    );
    for (text, expected) in [
        ("-ERR AUTH wrong", "-ERR AUTH wrong"),
        (r#"{"type":"pong"}"#, r#"{"type":"pong"}"#),
        ("c4nary", "c4nary"),
        ("no c4nary-Pa55word here, c4nary-Pa55word", "no *** here, ***"),
        ("it ends in c4nary-Pa5", "it ends in ***"),
        ("bad `t0ken+of`, AUTH app:c4nary-Pa55word!", "bad `***`, ***!"),
    ] {
        assert_eq!(shown(&dialogue, text), expected);
    }
}

#[test]
fn a_short_password_is_starred_as_a_whole_and_names_of_values_are_not() {
    let one = veil(
        "redis://:päss@h:1/0?api_key=abcd&mode=ab-cdefgh",
        &[("body", r#"{"username": "u", "password": "hunter2-hunter2"}"#)],
    );
    assert_eq!(shown(&one, "päss pass abcd ab-cdefgh"), "*** pass *** ab-cdefgh");
    assert_eq!(shown(&one, "wrong username or password `hunter2-hunter2`"), "wrong username or password `***`");
}

#[test]
fn what_the_url_shows_openly_is_not_starred_and_neither_are_harmless_headers() {
    let one = veil(
        "postgres://shop:shop@postgres/orders",
        &[("headers.Host", "shop.example"), ("headers.X-Key", "k-123456789")],
    );
    assert_eq!(shown(&one, "shop at shop.example: k-123456789"), "shop at shop.example: ***");
    assert!(veil("postgres://postgres:postgres@db/x", &[]).words.is_empty());
    assert!(!veil("openai://sk-12345678@h/", &[("url", "sk-12345678")]).words.is_empty(), "a user may be a key");
}

#[test]
fn places_that_meet_are_one() {
    let one =
        veil("redis://:abcdefgh-ijklmnop@h:1", &[("key", "ijklmnop-qrst"), ("send", "line one\nline two is long")]);
    assert_eq!(shown(&one, "x abcdefgh-ijklmnop-qrst y"), "x *** y");
    assert_eq!(shown(&one, "said line one line two is long"), "said ***");
}

const CANARY: &str = "c4nary-Pa55word";
/// `app` with it, as basic authentication sends both.
const BASIC: &str = "YXBwOmM0bmFyeS1QYTU1d29yZA";

/// A text as this protocol would say it.
type Framed = fn(&str) -> Vec<u8>;

fn page(status: &str, text: &str) -> Vec<u8> {
    let length = text.len();
    format!("HTTP/1.1 {status} {text}\r\nserver: {text}\r\nlocation: gopher:{text}\r\ncontent-length: {length}\r\n\r\n{text}").into()
}

fn packet(head: &[u8], text: &str, end: &[u8]) -> Vec<u8> {
    [head, text.as_bytes(), end].concat()
}

static PAGES: [Framed; 4] =
    [|text| page("200", text), |text| page("401", text), |text| page("500", text), |text| packet(b"", text, b"\r\n")];
static LINES: [Framed; 5] = [
    |text| packet(b"220 ", text, b"\r\n"),
    |text| packet(b"500 ", text, b"\r\n"),
    |text| packet(b"* OK ", text, b"\r\n"),
    |text| packet(b"+OK ", text, b"\r\n"),
    |text| packet(b"SSH-2.0-", text, b"\r\n"),
];
static RESP: [Framed; 3] = [
    |text| packet(b"-WRONGPASS ", text, b"\r\n"),
    |text| packet(b"-ERR ", text, b"\r\n"),
    |text| packet(b"+OK\r\n-LOADING ", text, b"\r\n"),
];
static POSTGRES: [Framed; 1] = [|text| {
    let fields = packet(b"SFATAL\0C28P01\0M", text, b"\0\0");
    [b"E", &u32::try_from(fields.len() + 4).unwrap().to_be_bytes()[..], &fields].concat()
}];
static MYSQL: [Framed; 1] = [|text| {
    let error = packet(b"\xff\x15\x04#28000", text, b"");
    [&u32::try_from(error.len()).unwrap().to_le_bytes()[..3], &[0], &error].concat()
}];
/// A goodbye, and a message; 100 bytes at most, for longer ones have another head.
static FRAMES: [Framed; 2] = [
    |text| [&[0x88, short(text) + 2, 3, 0xf0], &text.as_bytes()[..short(text).into()]].concat(),
    |text| [&[0x81, short(text)], &text.as_bytes()[..short(text).into()]].concat(),
];

fn short(text: &str) -> u8 {
    u8::try_from(text.len()).unwrap_or(100).min(100)
}

/// Says the secret at once, and with all that it was told after everything that it hears.
async fn repeats(framed: Framed) -> Peer {
    test_peers::serve(move |mut stream| async move {
        let (mut told, mut piece) = (format!("{CANARY} "), [0; 4096]);
        let mut sent = stream.write_all(&framed(&told)).await;
        while let (Ok(()), Ok(length @ 1..)) = (&sent, stream.read(&mut piece).await) {
            told.push_str(&String::from_utf8_lossy(&piece[..length]).replace(char::is_control, " "));
            sent = stream.write_all(&framed(&told)).await;
        }
    })
    .await
}

/// The same, but hears first: who speaks before it is asked is no server of HTTP.
async fn repeats_when_asked(framed: Framed) -> Peer {
    test_peers::serve(move |mut stream| async move {
        let mut piece = [0; 4096];
        while let Ok(length @ 1..) = stream.read(&mut piece).await {
            let told = String::from_utf8_lossy(&piece[..length]).replace(char::is_control, " ");
            if stream.write_all(&framed(&format!("{CANARY} {told}"))).await.is_err() {
                break;
            }
        }
    })
    .await
}

/// Agrees to be a WebSocket, and then says the secret.
async fn agrees_and_repeats(framed: Framed) -> Peer {
    test_peers::serve(move |mut stream| async move {
        agree(&mut stream, "").await;
        let _ = stream.write_all(&framed(&format!("no {CANARY}"))).await;
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    })
    .await
}

const DIALOGUE: &str = r#""query_response": [{"send": "AUTH app:c4nary-Pa55word"}, {"expect": "never"}]"#;
const LABELS: &str = r#""query_response": [{"send": "AUTH app:c4nary-Pa55word", "expect": "^(.*)$", "labels": [{"name": "said", "value": "${1}"}]}]"#;

/// Every kind with a secret: URLs (`HERE` is host and port) with keys, and how its peers speak.
fn cases() -> Vec<(&'static str, Vec<String>, Vec<Framed>)> {
    let starttls = ["smtp", "imap", "pop3", "ftp", "ldap", "postgres"]
        .map(|protocol| format!(r#"{{"starttls": "{protocol}", {DIALOGUE}}}"#));
    let plain = [format!("{{{DIALOGUE}}}"), format!("{{{LABELS}}}")];
    let keys = |text: &str| vec![text.replace("SECRET", CANARY)];
    let url = vec!["{}".to_owned()];
    let headers = || keys(r#"{"headers": {"X-Key": "SECRET", "Cookie": "theme=dark; session=SECRET"}}"#);
    let both = |more: Vec<String>| [vec!["{}".to_owned()], more].concat();
    vec![
        (
            "http://app:SECRET@HERE/",
            both(keys(r#"{"headers": {"X-Key": "SECRET"}, "body": "{\"password\": \"SECRET\"}"}"#)),
            PAGES.into(),
        ),
        ("tcp://HERE", [&starttls[..], &plain].concat(), [&LINES[..], &PAGES].concat()),
        ("redis://:SECRET@HERE/0", url.clone(), RESP.into()),
        ("postgres://app:SECRET@HERE/app?sslmode=disable", url.clone(), POSTGRES.into()),
        ("mysql://app:SECRET@HERE/app", url.clone(), MYSQL.into()),
        ("nginx://app:SECRET@HERE/", url.clone(), PAGES.into()),
        (
            "metrics://HERE/",
            keys(r#"{"authorization": {"credentials": "SECRET"}, "headers": {"X-Key": "SECRET"}}"#),
            PAGES.into(),
        ),
        (
            "ws://app:SECRET@HERE/?token=SECRET",
            [url.clone(), headers(), plain.into()].concat(),
            [&PAGES[..], &FRAMES].concat(),
        ),
        ("grpc://HERE", keys(r#"{"metadata": {"authorization": "Bearer SECRET"}}"#), PAGES.into()),
        ("prometheus://app:SECRET@HERE", both(headers()), PAGES.into()),
        ("alertmanager://app:SECRET@HERE", both(headers()), PAGES.into()),
        ("grafana://app:SECRET@HERE", both(headers()), PAGES.into()),
        ("logstash://app:SECRET@HERE", both(headers()), PAGES.into()),
        ("chroma://HERE", headers(), PAGES.into()),
        ("openai+http://SECRET@HERE", both(headers()), PAGES.into()),
        ("mcp://HERE", keys(r#"{"token": "SECRET"}"#), PAGES.into()),
        ("smtp://app:SECRET@HERE", url.clone(), LINES.into()),
        ("dns://app:SECRET@HERE/example.org", vec![r#"{"transport_protocol": "tcp"}"#.to_owned()], LINES.into()),
    ]
}

/// No kind has a secret without a case: `unix` holds the dialogue of `tcp`, the others read no secret.
const WITHOUT: [&str; 5] = ["tls", "unix", "icmp", "file", "cert"];

/// All that a look at each of the rude peers gives.
async fn meet(url: &str, keys: &str, framed: Framed) -> Vec<(String, String)> {
    let mut peers = vec![repeats(framed).await, repeats_when_asked(framed).await];
    if url.starts_with("ws") {
        peers.push(agrees_and_repeats(framed).await);
    }
    let look = |peer: Peer| async move {
        let url = url.replace("HERE", &format!("localhost:{}", peer.port())).replace("SECRET", CANARY);
        (keys.to_owned(), format!("{:?}", look(&url, keys).await))
    };
    join_all(peers.into_iter().map(look)).await
}

#[tokio::test]
async fn no_kind_gives_out_a_secret_that_its_peer_repeats() {
    let (mut seen, mut shown, mut leaks) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (url, all_keys, frames) in cases() {
        let kind = crate::probes::kind_of(url.split(['+', ':']).next().unwrap()).unwrap().name;
        seen.insert(kind);
        let each = all_keys.iter().flat_map(|keys| frames.iter().map(move |framed| (keys, *framed)));
        // At once, for many of them say nothing that is waited for.
        for (keys, said) in join_all(each.map(|(keys, framed)| meet(url, keys, framed))).await.into_iter().flatten() {
            if said.contains(CANARY) || said.contains(BASIC) {
                leaks.insert(format!("{kind} with {keys}: {said:.300}"));
            }
            if said.contains("***") {
                shown.insert(kind);
            }
        }
    }
    assert!(leaks.is_empty(), "{}", leaks.into_iter().collect::<Vec<_>>().join("\n"));
    let all: BTreeSet<_> = KINDS.iter().map(|kind| kind.name).filter(|name| !WITHOUT.contains(name)).collect();
    assert_eq!(seen, all, "a kind needs its row in `cases`, or in `WITHOUT`");
    // Whoever quotes nothing cannot be seen to veil; these do quote.
    for kind in ["http", "tcp", "redis", "postgres", "mysql", "websocket", "smtp", "grafana", "openai", "mcp"] {
        assert!(shown.contains(kind), "{kind} quoted nothing: {shown:?}");
    }
}

#[tokio::test]
async fn a_page_exported_again_goes_without_the_samples_that_tell_a_secret() {
    let peer = test_peers::answers(|_| {
        Some(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain; version=0.0.4\r\n\r\n# HELP a Of c4nary-Pa55word\n\
               # TYPE a gauge\na{by=\"c4nary-Pa55word\"} 1\na{by=\"x\"} 123456789\n# HELP b Fine\n# TYPE b gauge\nb 2\n")
    })
    .await;
    let keys = r#"{"reexport": ["*"], "headers": {"X-Key": "c4nary-Pa55word", "X-Number": "123456789"}}"#;
    let outcome = look(&format!("metrics://localhost:{}/", peer.port()), keys).await;
    assert_eq!(outcome.fault, None);
    let page = outcome.exposition.unwrap();
    let families: Vec<_> = page.families.iter().map(|one| (&*one.name, &*one.help, one.samples().count())).collect();
    assert_eq!(families, [("a", "", 1), ("b", "Fine", 1)], "a value is no secret");
}
