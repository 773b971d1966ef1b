//! A server that answers as the request wishes. `/echo` gives the request back as JSON; `/reply` answers with the
//! status `s`, headers `h`, body `b` (or `hex`) and content encoding `enc` of its query; `/count/KEY/N` fails until it
//! has been asked N times; anything else is 404.

use std::collections::HashMap;
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

type Counters = Arc<Mutex<HashMap<String, u32>>>;

/// Starts a server on a free port of loopback; it ends with the runtime.
pub(crate) async fn start() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let counters = Counters::default();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, Arc::clone(&counters)));
        }
    });
    address
}

struct Request {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

struct Answer {
    status: u16,
    headers: Vec<String>,
    body: Vec<u8>,
}

async fn serve(mut stream: TcpStream, counters: Counters) {
    let Some(request) = read(&mut stream).await else { return };
    let answer = answer(&request, &counters);
    let mut out = format!("HTTP/1.1 {} X\r\n", answer.status).into_bytes();
    for header in &answer.headers {
        out.extend(format!("{header}\r\n").bytes());
    }
    let length = if request.method == "HEAD" { 0 } else { answer.body.len() };
    out.extend(format!("Content-Length: {length}\r\nConnection: close\r\n\r\n").bytes());
    out.extend(answer.body.get(..length).unwrap());
    let _ = stream.write_all(&out).await;
    let _ = stream.shutdown().await;
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut data = vec![];
    let end = loop {
        if let Some(end) = data.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut data).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&data[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ').map(str::to_owned);
    let (method, target) = (first.next()?, first.next()?);
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, n)| n.parse().unwrap());
    let mut body = data.split_off(end + 4);
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some(Request { method, target, headers, body })
}

fn answer(request: &Request, counters: &Counters) -> Answer {
    let path = request.target.split('?').next().unwrap();
    match path.split('/').collect::<Vec<_>>().as_slice() {
        ["", "echo", ..] => echo(request),
        ["", "reply", ..] => reply(request),
        ["", "count", key, wanted] => {
            let mut counters = counters.lock().unwrap();
            let seen = counters.entry((*key).to_owned()).or_insert(0);
            *seen += 1;
            let status = if *seen >= wanted.parse().unwrap() { 200 } else { 503 };
            Answer { status, headers: vec![], body: seen.to_string().into_bytes() }
        }
        _ => Answer { status: 404, headers: vec![], body: b"nothing here".to_vec() },
    }
}

fn echo(request: &Request) -> Answer {
    let mut headers = serde_json::Map::new();
    for (name, value) in &request.headers {
        let joined =
            headers.get(name).and_then(|old| old.as_str()).map_or(value.clone(), |old| format!("{old}|{value}"));
        headers.insert(name.clone(), joined.into());
    }
    let body = serde_json::json!({
        "method": request.method,
        "target": request.target,
        "headers": headers,
        "body": String::from_utf8_lossy(&request.body),
        "size": request.body.len(),
    });
    Answer {
        status: 200,
        headers: vec!["Content-Type: application/json".to_owned()],
        body: body.to_string().into_bytes(),
    }
}

fn reply(request: &Request) -> Answer {
    let url = url::Url::parse(&format!("http://h{}", request.target)).unwrap();
    let mut answer = Answer { status: 200, headers: vec![], body: vec![] };
    for (name, value) in url.query_pairs() {
        match &*name {
            "s" => answer.status = value.parse().unwrap(),
            "h" => answer.headers.push(value.into_owned()),
            "b" => answer.body = value.into_owned().into_bytes(),
            "hex" => answer.body = unhex(&value),
            "enc" => encode(&mut answer, &value),
            _ => {}
        }
    }
    answer
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).unwrap()).collect()
}

fn encode(answer: &mut Answer, encoding: &str) {
    use flate2::Compression;
    let body = std::mem::take(&mut answer.body);
    answer.body = match encoding {
        "gzip" => {
            let mut encoder = flate2::write::GzEncoder::new(vec![], Compression::fast());
            encoder.write_all(&body).unwrap();
            encoder.finish().unwrap()
        }
        "deflate" => {
            let mut encoder = flate2::write::ZlibEncoder::new(vec![], Compression::fast());
            encoder.write_all(&body).unwrap();
            encoder.finish().unwrap()
        }
        "br" => {
            let mut out = vec![];
            brotli::BrotliCompress(&mut &*body, &mut out, &brotli::enc::BrotliEncoderParams::default()).unwrap();
            out
        }
        _ => body,
    };
}
