//! Where notifications end in a test: an HTTP server and a mail server that take everything and remember it. Free ports, on
//! loopback or, for senders in containers, on an address that they reach.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

/// What has arrived, oldest first.
type Arrived = Arc<Mutex<Vec<String>>>;

/// A sink.
pub struct Sink {
    /// Where it listens.
    pub address: SocketAddr,
    arrived: Arrived,
}

impl Sink {
    /// Takes HTTP requests: each is remembered as its first line, a line break and its body.
    ///
    /// # Errors
    /// When there is no free port.
    pub fn http() -> std::io::Result<Self> {
        Self::http_on(Ipv4Addr::LOCALHOST.into())
    }

    /// As [`Self::http`], on an address of this machine.
    ///
    /// # Errors
    /// When the address is not this machine's, or has no free port.
    pub fn http_on(address: IpAddr) -> std::io::Result<Self> {
        Self::start(address, http)
    }

    /// Takes mails: each is remembered as its envelope (`to:` lines) and its text.
    ///
    /// # Errors
    /// When there is no free port.
    pub fn smtp() -> std::io::Result<Self> {
        Self::smtp_on(Ipv4Addr::LOCALHOST.into())
    }

    /// As [`Self::smtp`], on an address of this machine.
    ///
    /// # Errors
    /// When the address is not this machine's, or has no free port.
    pub fn smtp_on(address: IpAddr) -> std::io::Result<Self> {
        Self::start(address, smtp)
    }

    fn start(address: IpAddr, serve: fn(TcpStream, &Arrived) -> std::io::Result<()>) -> std::io::Result<Self> {
        let listener = TcpListener::bind((address, 0))?;
        let address = listener.local_addr()?;
        let arrived = Arrived::default();
        let shared = Arc::clone(&arrived);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, &shared));
            }
        });
        Ok(Self { address, arrived })
    }

    /// Everything that has arrived.
    #[must_use]
    pub fn arrived(&self) -> Vec<String> {
        self.arrived.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The first thing that contains all of these words.
    #[must_use]
    pub fn with(&self, words: &[&str]) -> Option<String> {
        self.arrived().into_iter().find(|thing| words.iter().all(|word| thing.contains(word)))
    }
}

fn remember(arrived: &Arrived, thing: String) {
    arrived.lock().unwrap_or_else(PoisonError::into_inner).push(thing);
}

fn http(mut stream: TcpStream, arrived: &Arrived) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut length = 0;
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header)? == 0 || header.trim().is_empty() {
            break;
        }
        if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = Vec::new();
    reader.take(length).read_to_end(&mut body)?;
    remember(arrived, format!("{}\n{}", first.trim(), String::from_utf8_lossy(&body)));
    // PagerDuty's answer; any other receiver of a webhook is content with it too.
    stream.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
}

fn smtp(mut stream: TcpStream, arrived: &Arrived) -> std::io::Result<()> {
    let reader = BufReader::new(stream.try_clone()?);
    stream.write_all(b"220 sink\r\n")?;
    let (mut mail, mut in_text) = (String::new(), false);
    for line in reader.lines() {
        let line = line?;
        if in_text && line != "." {
            mail.push_str(&line);
            mail.push('\n');
            continue;
        }
        let command = line.get(..4).unwrap_or(&line).to_ascii_uppercase();
        let answer: &[u8] = match command.as_str() {
            "." => {
                in_text = false;
                remember(arrived, std::mem::take(&mut mail));
                b"250 taken\r\n"
            }
            "DATA" => {
                in_text = true;
                b"354 go on\r\n"
            }
            "QUIT" => b"221 bye\r\n",
            _ => b"250 ok\r\n",
        };
        if command == "RCPT" {
            mail.push_str(&format!("to: {line}\n"));
        }
        stream.write_all(answer)?;
    }
    Ok(())
}
