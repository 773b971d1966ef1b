//! `agent health`: one HTTP GET with nothing but the standard library, for a container's HEALTHCHECK every few seconds.
//! What must stay true: it ends within [`limits::HEALTH_DEADLINE`] with 0 or 1 (Docker reserves 2), says nothing when all is
//! well, and reads no configuration.

use crate::config::Environment;
use crate::exit::Exit;
use crate::{clock, limits};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::sync::mpsc;
use std::time::Duration;
use tokio::time::Instant;

/// Asks, and says on stderr why the answer is no.
#[must_use]
pub fn ask(url: Option<&str>, env: &Environment) -> Exit {
    let url = url.map_or_else(|| own(env), str::to_owned);
    match get(&url, clock::now() + limits::HEALTH_DEADLINE) {
        Ok(200..=299) => Exit::Good,
        Ok(status) => no(&format!("answered {status}")),
        Err(why) => no(&why),
    }
}

fn no(why: &str) -> Exit {
    let _ = writeln!(std::io::stderr(), "unhealthy: {why}");
    Exit::BadNews
}

/// `/live` of the agent in this container.
fn own(env: &Environment) -> String {
    let listen = env.get("AGENT_LISTEN").and_then(crate::config::parse_listen).unwrap_or(crate::config::LISTEN);
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    format!("http://{}/live", SocketAddr::new(ip, listen.port()))
}

/// The status that the URL answers with.
fn get(url: &str, deadline: Instant) -> Result<u16, String> {
    let rest = url.strip_prefix("http://").ok_or_else(|| match url.starts_with("https://") {
        true => "`https:` is not spoken here, name an `http:` URL; with TLS, `agent probe` asks".to_owned(),
        false => "not a URL, write it like `http://127.0.0.1:9797/live`".to_owned(),
    })?;
    let (authority, path) = rest.find(['/', '?']).map_or((rest, ""), |at| rest.split_at(at));
    if authority.contains('@') || !path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("credentials and spaces have no place in this URL".to_owned());
    }
    let mut stream = connect(authority, deadline)?;
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: agent-health\r\nConnection: close\r\n\r\n");
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => late(),
        _ => format!("the connection broke: {error}"),
    };
    stream.set_write_timeout(Some(left(deadline)?)).map_err(failed)?;
    stream.write_all(request.as_bytes()).map_err(failed)?;
    status(&mut stream, deadline, failed)
}

/// Reads until the status line is whole, no further.
fn status(stream: &mut TcpStream, deadline: Instant, failed: impl Fn(std::io::Error) -> String) -> Result<u16, String> {
    let mut answer = Vec::new();
    let mut chunk = [0; 512];
    while !answer.contains(&b'\n') {
        if answer.len() > limits::HEALTH_ANSWER_BYTES {
            return Err("the answer is no HTTP".to_owned());
        }
        stream.set_read_timeout(Some(left(deadline)?)).map_err(&failed)?;
        let read = stream.read(&mut chunk).map_err(&failed)?;
        answer.extend_from_slice(chunk.get(..read).unwrap_or_default());
        if read == 0 {
            break;
        }
    }
    parse_status(&answer).ok_or_else(|| "the answer is no HTTP".to_owned())
}

fn parse_status(answer: &[u8]) -> Option<u16> {
    let line = answer.split(|byte| *byte == b'\n').next()?;
    let line = std::str::from_utf8(line).ok()?.strip_prefix("HTTP/1.")?;
    let status = line.split_ascii_whitespace().nth(1)?;
    status.parse().ok().filter(|status| (100..=599).contains(status) && line.len() > 4)
}

fn connect(authority: &str, deadline: Instant) -> Result<TcpStream, String> {
    let mut why = format!("`{authority}` has no address");
    for address in addresses(authority, deadline)? {
        match TcpStream::connect_timeout(&address, left(deadline)?) {
            Ok(stream) => return Ok(stream),
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => why = format!("nothing listens on {address}"),
            Err(error) if error.kind() == ErrorKind::TimedOut => why = late(),
            Err(error) => why = format!("cannot connect to {address}: {error}"),
        }
    }
    Err(why)
}

/// The addresses of `host[:port]`. A look-up has no deadline of its own, so it runs on a thread that is left behind.
fn addresses(authority: &str, deadline: Instant) -> Result<Vec<SocketAddr>, String> {
    let has_port = authority.rsplit(':').next().is_some_and(|port| port.parse::<u16>().is_ok());
    let with_port =
        if has_port && !authority.ends_with(']') { authority.to_owned() } else { format!("{authority}:80") };
    if let Ok(address) = with_port.parse() {
        return Ok(vec![address]);
    }
    let (sender, answer) = mpsc::channel();
    let name = with_port.clone();
    std::thread::spawn(move || sender.send(name.to_socket_addrs().map(Iterator::collect::<Vec<_>>)));
    match answer.recv_timeout(left(deadline)?) {
        Ok(Ok(addresses)) => Ok(addresses),
        Ok(Err(error)) => Err(format!("cannot look up `{authority}`: {error}")),
        Err(_) => Err(late()),
    }
}

fn left(deadline: Instant) -> Result<Duration, String> {
    let left = deadline.saturating_duration_since(clock::now());
    if left.is_zero() { Err(late()) } else { Ok(left) }
}

fn late() -> String {
    format!("no answer within {}", crate::units::Span(limits::HEALTH_DEADLINE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    /// A server for one connection that sends these pieces, and what `get` makes of it.
    fn asked(pieces: &'static [&'static [u8]], pause: Duration) -> Result<u16, String> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 1024]);
            for piece in pieces {
                if stream.write_all(piece).is_err() {
                    break;
                }
                std::thread::sleep(pause);
            }
        });
        let answer = get(&format!("http://{address}/live"), clock::now() + Duration::from_millis(300));
        server.join().unwrap();
        answer.map_err(|why| why.replace(&address.to_string(), "ADDRESS"))
    }

    #[test]
    fn the_status_decides() {
        assert_eq!(asked(&[b"HTTP/1.1 200 OK\r\n\r\n"], Duration::ZERO), Ok(200));
        assert_eq!(asked(&[b"HTTP/1.0 503 No\r\n"], Duration::ZERO), Ok(503));
        assert_eq!(asked(&[b"HTT", b"P/1.1 20", b"4\r\n"], Duration::from_millis(5)), Ok(204));
    }

    #[test]
    fn rude_servers_are_unhealthy_in_time() {
        let no_http = Err("the answer is no HTTP".to_owned());
        assert_eq!(asked(&[], Duration::ZERO), no_http);
        assert_eq!(asked(&[b"SSH-2.0-x\r\n"], Duration::ZERO), no_http);
        assert_eq!(asked(&[b"HTTP/1.1 9999 x\r\n"], Duration::ZERO), no_http);
        assert_eq!(asked(&[&[b'x'; 4096], &[b'x'; 4096], &[b'x'; 4096]], Duration::ZERO), no_http);
        let drip: &[&[u8]] = &[b"H", b"T", b"T", b"P", b"/", b"1", b".", b"1", b" ", b"2"];
        let late = Err("no answer within 2 s".to_owned());
        assert_eq!(asked(drip, Duration::from_millis(50)), late);
    }

    #[test]
    fn what_cannot_be_asked_is_said() {
        let refused = |url: &str| get(url, clock::now() + Duration::from_millis(300)).unwrap_err();
        insta::assert_snapshot!(refused("https://h/"), @"`https:` is not spoken here, name an `http:` URL; with TLS, `agent probe` asks");
        insta::assert_snapshot!(refused("h:1"), @"not a URL, write it like `http://127.0.0.1:9797/live`");
        insta::assert_snapshot!(refused("http://u:hunter2@h/"), @"credentials and spaces have no place in this URL");
        insta::assert_snapshot!(refused("http://127.0.0.1:1/\r\nX: y"), @"credentials and spaces have no place in this URL");
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        assert_eq!(refused(&format!("http://127.0.0.1:{port}")), format!("nothing listens on 127.0.0.1:{port}"));
    }

    #[test]
    fn asks_the_port_that_the_agent_listens_on() {
        let cases = [
            (None, "http://127.0.0.1:9797/live"),
            (Some("0.0.0.0:80"), "http://127.0.0.1:80/live"),
            (Some(":81"), "http://127.0.0.1:81/live"),
            (Some("[::]:82"), "http://[::1]:82/live"),
            (Some("10.0.0.1:83"), "http://10.0.0.1:83/live"),
            (Some("nonsense"), "http://127.0.0.1:9797/live"),
        ];
        for (listen, expected) in cases {
            let env = listen.map_or_else(Environment::default, |listen| Environment::from([("AGENT_LISTEN", listen)]));
            assert_eq!(own(&env), expected);
        }
    }
}
