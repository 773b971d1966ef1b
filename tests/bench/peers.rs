//! Scripted peers of the kinds that have no real server here, each a small thread on loopback that says what a good one says. They know
//! nothing of what is measured, cost as little as they can, and serve until the process ends.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};
use std::io::{BufRead as _, BufReader, Read, Result, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::thread::spawn;

/// Connections that may wait for one thread each: their stacks count on a small machine.
const STACK_BYTES: usize = 64 << 10;

/// Takes connections on a free port, one small thread each; its port.
fn listen(serve: fn(TcpStream) -> Result<()>) -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.local_addr()?.port();
    spawn(move || {
        for stream in listener.incoming().flatten() {
            let _nodelay = stream.set_nodelay(true);
            let _thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(move || serve(stream).is_ok());
        }
    });
    Ok(port)
}

/// A server's health service: HTTP/2 with the few frames that one call needs.
pub(super) fn grpc() -> Result<u16> {
    listen(|mut stream| {
        const SETTINGS: &[u8] = b"\0\0\0\x04\0\0\0\0\0";
        const AGREED: &[u8] = b"\0\0\0\x04\x01\0\0\0\0";
        let mut preface = [0; 24];
        stream.read_exact(&mut preface)?;
        stream.write_all(SETTINGS)?;
        loop {
            let mut head = [0; 9];
            stream.read_exact(&mut head)?;
            let [a, b, c, kind, flags, id @ ..] = head;
            let length = u64::from(u32::from_be_bytes([0, a, b, c]));
            std::io::copy(&mut Read::by_ref(&mut stream).take(length), &mut std::io::sink())?;
            match (kind, flags & 1) {
                (4, 0) => stream.write_all(AGREED)?,
                // The end of the request, in its head or its body.
                (0 | 1, 1) => stream.write_all(&serving(id))?,
                _ => {}
            }
        }
    })
}

/// Head, body and trailers of an answer that says SERVING.
fn serving(id: [u8; 4]) -> Vec<u8> {
    const HEAD: &[u8] = b"\x88\0\x0ccontent-type\x10application/grpc";
    const BODY: &[u8] = b"\0\0\0\0\x02\x08\x01";
    const TRAILERS: &[u8] = b"\0\x0bgrpc-status\x010";
    let mut answer = Vec::new();
    for (kind, flags, payload) in [(1, 4, HEAD), (0, 0, BODY), (1, 5, TRAILERS)] {
        let length = u8::try_from(payload.len()).unwrap_or_default();
        answer.extend_from_slice(&[0, 0, length, kind, flags]);
        answer.extend_from_slice(&id);
        answer.extend_from_slice(payload);
    }
    answer
}

/// Agrees to a WebSocket, and answers pings and goodbyes.
pub(super) fn websocket() -> Result<u16> {
    listen(|mut stream| {
        let mut reader = BufReader::new(stream.try_clone()?);
        let (mut line, mut key) = (String::new(), String::new());
        while line != "\r\n" {
            line.clear();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            if let Some((_, value)) =
                line.split_once(": ").filter(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-key"))
            {
                value.trim().clone_into(&mut key);
            }
        }
        let proof = STANDARD.encode(Sha1::digest(format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
        stream.write_all(format!("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {proof}\r\n\r\n").as_bytes())?;
        loop {
            let mut head = [0; 6];
            reader.read_exact(&mut head)?;
            let [first, length, mask @ ..] = head;
            let mut payload = vec![0; usize::from(length & 0x7f)];
            reader.read_exact(&mut payload)?;
            payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
            let first = if first & 0x0f == 9 { 0x8a } else { first };
            stream.write_all(&[&[first, length & 0x7f], payload.as_slice()].concat())?;
        }
    })
}

/// Answers every question with one address.
pub(super) fn dns() -> Result<u16> {
    const ADDRESS: &[u8] = b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x01";
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = socket.local_addr()?.port();
    spawn(move || {
        let mut query = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut query) {
            let (Some([a, b, ..]), Some(question)) = (query.get(..2), query.get(12..length)) else { continue };
            let head: &[u8] = &[*a, *b, 0x85, 0x80, 0, 1, 0, 1, 0, 0, 0, 0];
            let _sent = socket.send_to(&[head, question, ADDRESS].concat(), from);
        }
    });
    Ok(port)
}

/// Says PONG, whatever it is told, one connection after the other.
pub(super) fn unix(path: &Path) -> Result<()> {
    let listener = UnixListener::bind(path)?;
    let answer = |mut stream: UnixStream| {
        let mut asked = [0; 64];
        let _read = stream.read(&mut asked)?;
        stream.write_all(b"PONG\n")
    };
    spawn(move || listener.incoming().flatten().filter_map(|stream| answer(stream).ok()).count());
    Ok(())
}

/// What an nginx serves in the place of services that are looked at through their pages, each below its name; MCP's answers come in one.
pub(super) const SERVICES: &str = r#"
location ~ "/-/ready$" { return 200 OK; }
location = /prometheus/metrics { return 200 "prometheus_build_info{version=\"2.42.0\"} 1\nprometheus_tsdb_head_series 1234\nprometheus_config_last_reload_successful 1\n"; }
location = /alertmanager/metrics { return 200 "alertmanager_config_last_reload_successful 1\n"; }
location = /alertmanager/api/v2/status { return 200 '{"cluster": {"status": "ready", "peers": [{}]}, "versionInfo": {"version": "0.25.0"}}'; }
location = /grafana/api/health { return 200 '{"database": "ok", "version": "11.2.0"}'; }
location = /logstash/_health_report { return 200 '{"status": "green", "version": "8.16.0", "indicators": {"pipelines": {"indicators": {"main": {"status": "green"}}}}}'; }
location = /chroma/api/v2/heartbeat { return 200 '{"nanosecond heartbeat": 1}'; }
location = /chroma/api/v2/version { return 200 '"1.0.0"'; }
location = /openai/models { return 200 '{"object": "list", "data": [{"id": "one"}, {"id": "two"}]}'; }
location = /mcp { default_type application/json; return 200 '[{"jsonrpc": "2.0", "id": 1, "result": {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": {"name": "demo", "version": "1"}}}, {"jsonrpc": "2.0", "id": 2, "result": {"tools": [{"name": "search"}]}}]'; }
"#;
