//! `agent health`: one HTTP GET without a runtime, for a container's HEALTHCHECK every few seconds; over TLS where the agent has it.
//! `agent/early.ld` keeps its code together in the shipped program: a page of code that is touched costs memory and time.
//! What must stay true: it ends within [`limits::HEALTH_DEADLINE`] with 0 or 1 (Docker reserves 2), says nothing when all is
//! well, and reads no configuration.

mod tls;

use crate::exit::Exit;
use crate::{clock, limits};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::sync::mpsc;
use std::time::Duration;
use tokio::time::Instant;

/// The variable that says where the agent in this container listens.
pub const LISTEN: &str = "AGENT_LISTEN";

/// Asks a URL, else the agent that listens there ([`LISTEN`]), and says on stderr why the answer is no.
#[must_use]
pub fn ask(url: Option<&str>, listen: Option<&str>) -> Exit {
    let url = url.map_or_else(|| own(listen), str::to_owned);
    match get(&url, clock::now() + limits::HEALTH_DEADLINE) {
        Ok(200..=299) => Exit::Good,
        Ok(status) => no(&format!("answered {status}")),
        Err(why) => no(&why),
    }
}

fn no(why: &str) -> Exit {
    let _ = writeln!(io::stderr(), "unhealthy: {why}");
    Exit::BadNews
}

/// `/live` of the agent in this container.
fn own(listen: Option<&str>) -> String {
    let listen = listen.and_then(crate::config::parse_listen).unwrap_or(crate::config::LISTEN);
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    format!("http://{}/live", SocketAddr::new(ip, listen.port()))
}

/// The status that the URL answers with. A plain question that TLS answers is asked again over TLS: with no configuration read,
/// nobody has told us that the agent's web configuration has it.
fn get(url: &str, deadline: Instant) -> Result<u16, String> {
    let asked = Asked::parse(url)?;
    let mut stream = asked.connect(deadline)?;
    if asked.secure {
        return asked.over_tls(stream);
    }
    let answer = asked.exchange(&mut stream)?;
    if tls::speaks(&answer) && stream.is_loopback() {
        drop(stream);
        return asked.over_tls(asked.connect(deadline)?);
    }
    parse_status(&answer).ok_or_else(no_http)
}

/// A URL in its parts.
struct Asked<'a> {
    secure: bool,
    authority: &'a str,
    path: String,
}

impl<'a> Asked<'a> {
    fn parse(url: &'a str) -> Result<Self, String> {
        let (secure, rest) = match (url.strip_prefix("http://"), url.strip_prefix("https://")) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            _ => return Err("not a URL, write it like `http://127.0.0.1:9797/live`".to_owned()),
        };
        let (authority, path) = rest.find(['/', '?']).map_or((rest, ""), |at| rest.split_at(at));
        if authority.contains('@') || !path.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("credentials and spaces have no place in this URL".to_owned());
        }
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Self { secure, authority, path })
    }

    fn connect(&self, deadline: Instant) -> Result<Timed, String> {
        connect(self.authority, if self.secure { 443 } else { 80 }, deadline)
    }

    fn over_tls(&self, stream: Timed) -> Result<u16, String> {
        if !stream.is_loopback() {
            return Err(
                "over TLS only this machine is asked, for no certificate is verified; `agent probe` asks others"
                    .to_owned(),
            );
        }
        let mut session = tls::over(stream)?;
        let answer = self.exchange(&mut session).map_err(|why| tls::last_words(&mut session).unwrap_or(why))?;
        parse_status(&answer).ok_or_else(no_http)
    }

    /// Asks, and reads until the status line is whole, no further.
    fn exchange(&self, stream: &mut (impl Read + Write)) -> Result<Vec<u8>, String> {
        let Self { authority, path, .. } = self;
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: agent-health\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).map_err(|error| broken(&error))?;
        let mut answer = Vec::new();
        let mut chunk = [0; 512];
        while !answer.contains(&b'\n') && !tls::speaks(&answer) {
            if answer.len() > limits::HEALTH_ANSWER_BYTES {
                return Err(no_http());
            }
            let read = stream.read(&mut chunk).map_err(|error| broken(&error))?;
            answer.extend_from_slice(chunk.get(..read).unwrap_or_default());
            if read == 0 {
                break;
            }
        }
        Ok(answer)
    }
}

fn no_http() -> String {
    "the answer is no HTTP".to_owned()
}

fn broken(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => late(),
        _ => tls::said(error).unwrap_or_else(|| format!("the connection broke: {error}")),
    }
}

/// A connection whose every step ends by the deadline.
struct Timed {
    stream: TcpStream,
    deadline: Instant,
}

impl Timed {
    fn is_loopback(&self) -> bool {
        self.stream.peer_addr().is_ok_and(|peer| peer.ip().to_canonical().is_loopback())
    }

    fn left(&self) -> io::Result<Option<Duration>> {
        left(self.deadline).map(Some).map_err(|_late| ErrorKind::TimedOut.into())
    }
}

impl Read for Timed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(self.left()?)?;
        self.stream.read(into)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(self.left()?)?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

fn parse_status(answer: &[u8]) -> Option<u16> {
    let line = answer.split(|byte| *byte == b'\n').next()?;
    let line = std::str::from_utf8(line).ok()?.strip_prefix("HTTP/1.")?;
    let status = line.split_ascii_whitespace().nth(1)?;
    status.parse().ok().filter(|status| (100..=599).contains(status) && line.len() > 4)
}

fn connect(authority: &str, port: u16, deadline: Instant) -> Result<Timed, String> {
    let mut why = format!("`{authority}` has no address");
    for address in addresses(authority, port, deadline)? {
        match TcpStream::connect_timeout(&address, left(deadline)?) {
            Ok(stream) => {
                // The question follows the end of the handshake, and must not wait 40 ms for its acknowledgement.
                let _ = stream.set_nodelay(true);
                return Ok(Timed { stream, deadline });
            }
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => why = format!("nothing listens on {address}"),
            Err(error) if error.kind() == ErrorKind::TimedOut => why = late(),
            Err(error) => why = format!("cannot connect to {address}: {error}"),
        }
    }
    Err(why)
}

/// The addresses of `host[:port]`, with the scheme's port when it names none. A look-up has no deadline of its own, so it runs on a thread that is left behind.
fn addresses(authority: &str, port: u16, deadline: Instant) -> Result<Vec<SocketAddr>, String> {
    let has_port = authority.rsplit(':').next().is_some_and(|port| port.parse::<u16>().is_ok());
    let with_port =
        if has_port && !authority.ends_with(']') { authority.to_owned() } else { format!("{authority}:{port}") };
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
mod tests;
