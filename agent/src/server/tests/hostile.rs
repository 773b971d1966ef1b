//! Rude clients: each costs a bounded share and is cut off, and others are served meanwhile.

use super::*;
use crate::limits;
use crate::metrics::sample;

async fn connect(server: &Running) -> TcpStream {
    TcpStream::connect(server.at).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn who_says_nothing_is_cut_off() {
    let server = start(sample::healthy()).await;
    let began = crate::clock::now();
    assert_eq!(read_all(&mut connect(&server).await).await, b"");
    let took = crate::clock::now().duration_since(began);
    assert!(took >= limits::FIRST_REQUEST_TIMEOUT && took < limits::FIRST_REQUEST_TIMEOUT * 2, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_header_byte_a_second_is_cut_off() {
    let server = start(sample::healthy()).await;
    let began = crate::clock::now();
    let (mut read, mut write) = connect(&server).await.into_split();
    let drip = async {
        write.write_all(b"GET /live HTTP/1.1\r\n").await.unwrap();
        while write.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    tokio::select! {
        () = drip => {}
        answer = read_all(&mut read) => assert_eq!(answer, b""),
    }
    assert!(crate::clock::now().duration_since(began) < limits::FIRST_REQUEST_TIMEOUT * 2);
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_kept_for_a_while_and_then_closed() {
    let server = start(sample::healthy()).await;
    let mut stream = connect(&server).await;
    let began = crate::clock::now();
    stream.write_all(b"GET /live HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let answer = Answer::parse(&read_all(&mut stream).await);
    assert_eq!(answer.status, 200);
    let took = crate::clock::now().duration_since(began);
    assert!(took >= limits::NEXT_REQUEST_TIMEOUT && took < limits::NEXT_REQUEST_TIMEOUT * 2, "{took:?}");
}

#[tokio::test]
async fn an_endless_header_is_refused() {
    let server = start(sample::healthy()).await;
    let long = format!("GET /live HTTP/1.1\r\nx: {}\r\n\r\n", "a".repeat(limits::REQUEST_HEADER_BYTES));
    assert_eq!(server.send(&long).await.status, 431);
    let many = format!("GET /live HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(limits::REQUEST_HEADERS + 1));
    assert_eq!(server.send(&many).await.status, 431);
    let uri = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(limits::REQUEST_HEADER_BYTES));
    let status = server.send(&uri).await.status;
    assert!(status == 414 || status == 431, "{status}");
}

#[tokio::test]
async fn a_body_is_not_read() {
    let server = start(sample::healthy()).await;
    let mut stream = connect(&server).await;
    stream.write_all(b"POST /metrics HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000000\r\n\r\n").await.unwrap();
    let mut first = [0; 12];
    stream.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 405");
    let mut sent: usize = 0;
    while timeout(Duration::from_secs(5), stream.write_all(&[b'x'; 4096])).await.is_ok_and(|written| written.is_ok()) {
        sent += 4096;
        assert!(sent < 64 << 20, "the server swallows the body");
    }
}

#[tokio::test]
async fn what_is_no_http_is_refused_and_the_server_lives() {
    let server = start(sample::healthy()).await;
    let rubbish: [&[u8]; 7] = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\0\0\0\0\0\0\0\0\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/1.1\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\nzz",
        b"*1\r\n$4\r\nPING\r\n",
    ];
    for bytes in rubbish {
        let mut stream = connect(&server).await;
        stream.write_all(bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        let raw = read_all(&mut stream).await;
        assert!(raw.is_empty() || raw.starts_with(b"HTTP/1.1 4") || raw.starts_with(b"HTTP/1.1 200"), "{raw:?}");
    }
    assert_eq!(server.get("/live").await.status, 200);
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let server = start(sample::healthy()).await;
    let request = |path: &str, more: &str| format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{more}\r\n");
    let all = request("/live", "") + &request("/nowhere", "") + &request("/-/ready", "connection: close\r\n");
    let mut stream = connect(&server).await;
    stream.write_all(all.as_bytes()).await.unwrap();
    let text = String::from_utf8(read_all(&mut stream).await).unwrap();
    let statuses: Vec<&str> = text.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect();
    assert_eq!(statuses, ["200", "404", "200"]);
    assert!(text.ends_with("ready\n"));
}

#[tokio::test]
async fn beyond_the_cap_a_connection_is_told_so_and_counted_and_room_comes_back() {
    let server = start(sample::healthy()).await;
    let mut held = Vec::new();
    for _ in 0..limits::CONNECTIONS {
        held.push(connect(&server).await);
    }
    let mut one_more = connect(&server).await;
    let answer = Answer::parse(&read_all(&mut one_more).await);
    assert_eq!((answer.status, answer.text()), (503, "too many open connections\n"));
    assert_eq!(answer.header("content-length"), Some(answer.body.len().to_string().as_str()));
    drop(held);
    let counted = async || {
        let mut stream = connect(&server).await;
        let asked = stream.write_all(b"GET /metrics HTTP/1.1\r\nconnection: close\r\n\r\n").await;
        let raw = read_all(&mut stream).await;
        asked.is_ok()
            && String::from_utf8_lossy(&raw).contains("\nsidecar_http_connections_refused_total ")
            && !String::from_utf8_lossy(&raw).contains("\nsidecar_http_connections_refused_total 0\n")
    };
    eventually("room comes back", counted).await;
}

#[tokio::test(start_paused = true)]
async fn who_takes_nothing_of_the_answer_is_cut_off() {
    let server = start(sample::many_checks(limits::CHECKS)).await;
    let idle = Arc::strong_count(&server.app);
    let mut stream = connect(&server).await;
    let many = "GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(200);
    stream.write_all(many.as_bytes()).await.unwrap();
    let shared = || Arc::strong_count(&server.app);
    eventually("the connection is served", async || shared() > idle).await;
    let began = crate::clock::now();
    while shared() > idle {
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(crate::clock::now().duration_since(began) < limits::SEND_TIMEOUT * 3, "it is still there");
    }
}

#[tokio::test]
async fn a_stopping_server_finishes_what_is_in_flight_and_takes_nothing_new() {
    let server = start(sample::healthy()).await;
    let mut idle = connect(&server).await;
    idle.write_all(b"GET /live HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut first = [0; 12];
    idle.read_exact(&mut first).await.unwrap();
    server.stop.send(()).unwrap();
    timeout(limits::DRAIN_TIMEOUT, server.ended).await.expect("an idle connection holds nothing up").unwrap();
    assert!(read_all(&mut idle).await.ends_with(b"{\"live\":true}\n"));
    assert!(TcpStream::connect(server.at).await.is_err());
}

#[tokio::test]
async fn the_first_answer_comes_at_once() {
    let began = crate::clock::now();
    let server = start(sample::full()).await;
    assert_eq!(server.get("/metrics").await.status, 200);
    let took = crate::clock::now().duration_since(began);
    assert!(took < Duration::from_secs(1), "nothing heavy at start: {took:?} in a debug build on a busy machine");
}
