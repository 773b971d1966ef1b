//! The echo, spoken by hand: RFC 6455 frames as they are on the wire.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::Server;

const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;

struct Socket(TcpStream);

impl Socket {
    async fn open(server: &Server) -> Self {
        let mut stream = TcpStream::connect(server.service.address()).await.expect("connects");
        let request = "GET /ws HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                       sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        stream.write_all(request.as_bytes()).await.expect("sends");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.expect("a head"));
        }
        let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
        assert!(head.starts_with("http/1.1 101") && head.contains("s3pplmbitxaq9kygzzhzrbk+xoo="), "{head}");
        Self(stream)
    }

    /// A final frame, masked with zeroes, which is allowed.
    async fn send(&mut self, opcode: u8, payload: &[u8]) {
        let length = u64::try_from(payload.len()).expect("fits");
        let mut frame = vec![0x80 | opcode, 0x80 | 127];
        frame.extend(length.to_be_bytes());
        frame.extend([0; 4]);
        frame.extend(payload);
        // A server that has seen enough may close before it has read it all.
        _ = self.0.write_all(&frame).await;
    }

    async fn receive(&mut self) -> (u8, Vec<u8>) {
        let opcode = self.0.read_u8().await.expect("a frame") & 0x0f;
        let length = match self.0.read_u8().await.expect("a length") {
            126 => usize::from(self.0.read_u16().await.expect("a length")),
            127 => usize::try_from(self.0.read_u64().await.expect("a length")).expect("fits"),
            short => usize::from(short),
        };
        let mut payload = vec![0; length];
        self.0.read_exact(&mut payload).await.expect("a payload");
        (opcode, payload)
    }

    async fn close_code(&mut self) -> u16 {
        let (opcode, payload) = self.receive().await;
        assert_eq!(opcode, CLOSE);
        u16::from_be_bytes([payload[0], payload[1]])
    }
}

#[tokio::test]
async fn each_text_comes_back_with_its_number() {
    let server = Server::start(&[]).await;
    let mut socket = Socket::open(&server).await;
    for (id, text) in [(1, "hello"), (2, "grüße \"quoted\"")] {
        socket.send(TEXT, text.as_bytes()).await;
        let (opcode, payload) = socket.receive().await;
        let echo: Value = serde_json::from_slice(&payload).expect("JSON");
        assert_eq!((opcode, echo), (TEXT, json!({ "id": id, "text": text })));
    }
}

#[tokio::test]
async fn binary_is_refused_with_its_code() {
    let server = Server::start(&[]).await;
    let mut socket = Socket::open(&server).await;
    socket.send(BINARY, b"\0").await;
    assert_eq!(socket.close_code().await, 1003);
}

#[tokio::test]
async fn a_message_over_the_cap_ends_the_socket_and_not_the_service() {
    let server = Server::start(&[]).await;
    let mut socket = Socket::open(&server).await;
    socket.send(TEXT, &vec![b'x'; backend::limits::MAX_MESSAGE_BYTES + 1]).await;
    let mut rest = Vec::new();
    // Closed or reset: either way there is no echo.
    _ = socket.0.read_to_end(&mut rest).await;
    assert!(rest.len() < 1000, "{} bytes came back", rest.len());
    assert_eq!(server.client().get("/health").await.status, 200);
}

#[tokio::test]
async fn a_silent_socket_is_closed() {
    let server = Server::start(&[]).await;
    let mut socket = Socket::open(&server).await;
    socket.send(TEXT, b"awake").await;
    socket.receive().await;
    tokio::time::pause();
    assert_eq!(socket.close_code().await, 1008);
}

#[tokio::test]
async fn a_stop_says_goodbye_to_open_sockets() {
    let server = Server::start(&[]).await;
    let mut socket = Socket::open(&server).await;
    socket.send(TEXT, b"here").await;
    socket.receive().await;
    let (drained, code) = tokio::join!(server.service.stop(Duration::from_secs(30)), socket.close_code());
    assert_eq!((drained, code), (true, 1001));
}

#[tokio::test]
async fn a_plain_get_is_told_to_upgrade() {
    let server = Server::start(&[]).await;
    let reply = server.client().get("/ws").await;
    assert!((400..500).contains(&reply.status), "{}", reply.status);
}
