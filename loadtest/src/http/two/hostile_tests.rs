//! HTTP/2 against servers that break its rules: each ends by its deadline, with its own error, and fills no memory.

use super::super::Transport as _;
use super::tests::{SHORT, Server, client};
use super::*;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// `:status: 200`
const OK: &[u8] = &[0x88];

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A field that is not in HPACK's table.
fn field(name: &str, value: &str) -> Vec<u8> {
    let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    [vec![0], text(name), text(value)].concat()
}

/// A server that has read the start of a connection, request included, and sent its settings; what it does then is up to
/// `act`, which is told the connection's number.
fn rude(act: impl Fn(usize, &mut TcpStream) -> std::io::Result<()> + Send + Sync + 'static) -> Server {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let (counter, act) = (Arc::clone(&connections), Arc::new(act));
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let (number, act) = (counter.fetch_add(1, Ordering::SeqCst), Arc::clone(&act));
            std::thread::spawn(move || {
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(&frame(SETTINGS, 0, 0, &[])).and_then(|()| act(number, &mut stream));
                // Whoever hangs up while bytes are unread resets the connection, and what it said may be lost.
                let _ = stream.set_read_timeout(Some(SHORT));
                while stream.read(&mut [0; 4096]).is_ok_and(|read| read > 0) {}
            });
        }
    });
    Server { address, connections }
}

/// What a request comes to, and that it comes to it in time.
async fn outcome(server: &Server, limit: Duration) -> TransportError {
    let start = clock::now();
    let error = client().send(server.within(limit)).await.unwrap_err();
    let took = clock::now() - start;
    assert!(took < limit + SHORT * 10, "{took:?}");
    error
}

fn said(error: TransportError) -> String {
    match error {
        TransportError::Protocol(what) => what,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_head_without_end_is_cut() {
    let fields = rude(|_, stream| {
        stream.write_all(&frame(HEADERS, 0, 1, OK))?;
        let filler = field("x-filler", &"x".repeat(100)).repeat(100);
        loop {
            stream.write_all(&frame(CONTINUATION, 0, 1, &filler))?;
        }
    });
    insta::assert_snapshot!(said(outcome(&fields, SHORT * 20).await),
@"it breaks a rule or a cap of HTTP/2 (ENHANCE_YOUR_CALM, too many continuations)");
    let empty = rude(|_, stream| {
        stream.write_all(&frame(HEADERS, 0, 1, OK))?;
        loop {
            stream.write_all(&frame(CONTINUATION, 0, 1, &[]))?;
        }
    });
    insta::assert_snapshot!(said(outcome(&empty, SHORT * 20).await),
@"it breaks a rule or a cap of HTTP/2 (ENHANCE_YOUR_CALM, too many continuations)");
    let large = rude(|_, stream| {
        stream.write_all(&frame(HEADERS, 0, 1, OK))?;
        let part = field("x-filler", &"x".repeat(100)).repeat(140);
        (0..4).try_for_each(|_| stream.write_all(&frame(CONTINUATION, 0, 1, &part)))?;
        stream.write_all(&frame(CONTINUATION, END_HEADERS, 1, &[]))
    });
    insta::assert_snapshot!(said(outcome(&large, SHORT * 20).await), @"it breaks a rule or a cap of HTTP/2 (PROTOCOL_ERROR)");
    let many = rude(|_, stream| {
        let fields: Vec<u8> = (0..limits::HEAD_FIELDS + 1).flat_map(|_| field("x", "")).collect();
        stream.write_all(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &[OK, &fields].concat()))
    });
    assert_eq!(outcome(&many, SHORT * 20).await, TransportError::HeadTooLarge(limits::HEAD_BYTES));
}

#[tokio::test]
async fn floods_end_at_the_deadline() {
    let floods: [fn() -> Vec<u8>; 4] = [
        || frame(SETTINGS, 0, 0, &[]),
        || frame(PING, 0, 0, &[0; 8]),
        // 103, again and again.
        || frame(HEADERS, END_HEADERS, 1, &[vec![0x08, 3], b"103".to_vec()].concat()),
        // A frame of a kind that nobody knows.
        || frame(0xee, 0, 0, &[0; 100]),
    ];
    for flood in floods {
        let server = rude(move |_, stream| {
            let many = flood().repeat(100);
            // It takes what it is told, lest it stands still.
            let mut other = stream.try_clone()?;
            std::thread::spawn(move || while other.read(&mut [0; 65_536]).is_ok_and(|read| read > 0) {});
            loop {
                stream.write_all(&many)?;
            }
        });
        assert_eq!(outcome(&server, SHORT).await, TransportError::Timeout(SHORT));
    }
}

#[tokio::test]
async fn a_body_without_end_stops_at_the_cap_and_one_beyond_the_window_is_against_the_rules() {
    let without_end = rude(|_, stream| {
        stream.write_all(&frame(HEADERS, END_HEADERS, 1, OK))?;
        let mut other = stream.try_clone()?;
        std::thread::spawn(move || while other.read(&mut [0; 65_536]).is_ok_and(|read| read > 0) {});
        loop {
            stream.write_all(&frame(DATA, 0, 1, &[0; 16_384]))?;
        }
    });
    // It pays no heed to the window; whoever reads fast enough never notices.
    let error = outcome(&without_end, SHORT * 40).await;
    assert!(
        matches!(error, TransportError::BodyTooLarge(limits::BODY_BYTES) | TransportError::Protocol(_)),
        "{error:?}"
    );
    let small = rude(|_, stream| {
        stream.write_all(&frame(HEADERS, END_HEADERS, 1, OK))?;
        loop {
            stream.write_all(&frame(DATA, 0, 1, &[]))?;
        }
    });
    insta::assert_snapshot!(said(outcome(&small, SHORT * 20).await), @"it breaks a rule or a cap of HTTP/2 (ENHANCE_YOUR_CALM, too many data frames)");
}

#[tokio::test]
async fn a_silent_server_ends_at_the_deadline_and_so_does_one_that_opens_no_window() {
    let silent = rude(|_, stream| {
        let _ = stream.set_read_timeout(None);
        while stream.read(&mut [0; 4096])? > 0 {}
        Ok(())
    });
    assert_eq!(outcome(&silent, SHORT).await, TransportError::Timeout(SHORT));
    let mut client = client();
    for round in 2..=3 {
        let request = Request { body: vec![0; 5_000_000].into(), method: http::Method::POST, ..silent.within(SHORT) };
        assert_eq!(client.send(request).await.unwrap_err(), TransportError::Timeout(SHORT));
        assert_eq!(silent.connections(), round, "a connection with an answer owed is not used again");
    }
}

#[tokio::test]
async fn what_ends_a_request_has_its_own_error() {
    let reset = rude(|_, stream| {
        stream.write_all(&frame(HEADERS, END_HEADERS, 1, OK))?;
        stream.write_all(&frame(DATA, 0, 1, b"half"))?;
        stream.write_all(&frame(RESET, 0, 1, &2_u32.to_be_bytes()))
    });
    assert_eq!(outcome(&reset, SHORT * 10).await, TransportError::Reset);
    let gone = rude(|_, stream| {
        stream.write_all(&frame(HEADERS, END_HEADERS, 1, OK))?;
        stream.write_all(&frame(DATA, 0, 1, b"half"))?;
        stream.shutdown(std::net::Shutdown::Write)
    });
    assert_eq!(outcome(&gone, SHORT * 10).await, TransportError::Reset);
    let goodbye = rude(|_, stream| stream.write_all(&frame(GOAWAY, 0, 0, &[0; 8])));
    assert_eq!(outcome(&goodbye, SHORT * 10).await, TransportError::Reset);
    assert_eq!(goodbye.connections(), 1, "a fresh connection is not tried again");
    let older = rude(|_, stream| stream.write_all(&frame(RESET, 0, 1, &13_u32.to_be_bytes())));
    insta::assert_snapshot!(said(outcome(&older, SHORT * 10).await), @"the server wants HTTP/1.1 for this request (HTTP_1_1_REQUIRED)");
    let short = rude(|_, stream| {
        let length = [OK, &field("content-length", "100")].concat();
        stream.write_all(&frame(HEADERS, END_HEADERS, 1, &length))?;
        stream.write_all(&frame(DATA, END_STREAM, 1, b"half"))
    });
    insta::assert_snapshot!(said(outcome(&short, SHORT * 10).await), @"it breaks a rule or a cap of HTTP/2 (PROTOCOL_ERROR)");
    let said_enough = rude(|_, stream| {
        let length = [OK, &field("content-length", "100")].concat();
        stream.write_all(&frame(HEADERS, END_HEADERS, 1, &length))?;
        stream.write_all(&frame(DATA, 0, 1, b"half"))?;
        stream.write_all(&frame(RESET, 0, 1, &0_u32.to_be_bytes()))
    });
    assert_eq!(outcome(&said_enough, SHORT * 10).await, TransportError::Reset, "half an answer is none");
    let words = "x\r\n\u{1b}[31m".repeat(3);
    let mad = rude(move |_, stream| {
        stream.write_all(&frame(GOAWAY, 0, 0, &[&[0, 0, 0, 1, 0, 0, 0, 2], words.as_bytes()].concat()))
    });
    assert_eq!(outcome(&mad, SHORT * 10).await, TransportError::Reset);
}

#[tokio::test]
async fn a_server_of_http_1_is_told_from_one_of_http_2() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = Server { address: listener.local_addr().unwrap(), connections: Arc::default() };
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
            while stream.read(&mut [0; 4096]).is_ok_and(|read| read > 0) {}
        }
    });
    insta::assert_snapshot!(said(outcome(&server, SHORT * 10).await), @"it breaks a rule or a cap of HTTP/2 (FRAME_SIZE_ERROR)");
}

#[tokio::test]
async fn a_goodbye_that_names_the_request_as_unseen_is_no_error_on_a_kept_connection() {
    let server = rude(|number, stream| {
        stream.write_all(&frame(HEADERS, END_HEADERS | END_STREAM, 1, OK))?;
        let _ = stream.read(&mut [0; 4096]);
        match number {
            0 => stream.write_all(&frame(GOAWAY, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 0])),
            _ => stream.write_all(&frame(HEADERS, END_HEADERS | END_STREAM, 3, OK)),
        }
    });
    let mut client = client();
    for connections in [1, 2] {
        assert_eq!(client.send(server.within(SHORT * 10)).await.unwrap().status, 200);
        assert_eq!(server.connections(), connections);
    }
}

#[tokio::test]
async fn an_answer_to_half_an_upload_is_whole_when_the_rest_is_declined() {
    let server = rude(|_, stream| {
        let head = frame(HEADERS, END_HEADERS, 1, OK);
        let (body, enough) = (frame(DATA, END_STREAM, 1, b"no"), frame(RESET, 0, 1, &0_u32.to_be_bytes()));
        stream.write_all(&[head, body, enough].concat())
    });
    let request = Request { body: vec![0; 5_000_000].into(), method: http::Method::POST, ..server.within(SHORT * 10) };
    let response = client().send(request).await.unwrap();
    assert_eq!((response.status, &response.body[..]), (200, &b"no"[..]));
}
