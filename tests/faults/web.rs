//! A small server whose manners can be changed while it runs: HTTP with any status, body and slowness, a greeting of another protocol,
//! or silence. A connection is bounded in bytes and time.

use std::io::{Read as _, Result, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A client that does not speak is left after so long.
const PATIENCE: Duration = Duration::from_secs(3);

/// How it answers.
#[derive(Clone)]
pub enum Manner {
    /// An HTTP answer with this status and body, JSON when the body begins like it.
    Http(u16, String),
    /// The same, so much later.
    Slow(Duration, u16, String),
    /// Says this at once, as servers do that greet.
    Greets(&'static [u8]),
    /// Says this to whatever it is told.
    Answers(&'static [u8]),
    /// Takes the connection and says nothing.
    Silent,
}

/// The server; it stops listening when dropped.
pub struct Web {
    /// Where it listens.
    pub address: SocketAddr,
    manner: Arc<Mutex<Manner>>,
    ended: Arc<AtomicBool>,
}

/// A page that is fine.
#[must_use]
pub fn fine() -> Manner {
    Manner::Http(200, "{\"status\":\"ok\"}".to_owned())
}

impl Web {
    /// Listens on a free port of loopback.
    ///
    /// # Errors
    /// When there is none.
    pub fn start(manner: Manner) -> std::result::Result<Self, String> {
        Self::start_at("127.0.0.1:0", manner)
    }

    /// Listens at an address.
    ///
    /// # Errors
    /// When it is taken.
    pub fn start_at(address: &str, manner: Manner) -> std::result::Result<Self, String> {
        let listener = TcpListener::bind(address).map_err(|error| format!("{address}: {error}"))?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let (manner, ended) = (Arc::new(Mutex::new(manner)), Arc::new(AtomicBool::new(false)));
        let web = Self { address, manner: Arc::clone(&manner), ended: Arc::clone(&ended) };
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                let manner = manner.lock().unwrap_or_else(PoisonError::into_inner).clone();
                // A client that goes away is its own affair.
                std::thread::spawn(move || serve(stream, &manner).is_ok());
            }
        });
        Ok(web)
    }

    /// From now on it answers so.
    pub fn becomes(&self, manner: Manner) {
        *self.manner.lock().unwrap_or_else(PoisonError::into_inner) = manner;
    }

    /// Its address as a URL of this scheme.
    #[must_use]
    pub fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}", self.address)
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // Wakes the listener; from another network namespace it cannot be reached, and ends with the process.
        let _woken = TcpStream::connect_timeout(&self.address, Duration::from_millis(200));
    }
}

fn serve(mut stream: TcpStream, manner: &Manner) -> Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    match manner {
        Manner::Http(status, body) => page(&mut stream, Duration::ZERO, *status, body),
        Manner::Slow(by, status, body) => page(&mut stream, *by, *status, body),
        Manner::Greets(words) => {
            stream.write_all(words)?;
            drained(&mut stream)
        }
        Manner::Answers(words) => {
            if stream.read(&mut [0; 1024])? > 0 {
                stream.write_all(words)?;
            }
            drained(&mut stream)
        }
        Manner::Silent => drained(&mut stream),
    }
}

fn page(stream: &mut TcpStream, slow: Duration, status: u16, body: &str) -> Result<()> {
    let (mut said, mut piece) = (Vec::<u8>::new(), [0; 1024]);
    while !said.windows(4).any(|end| end == b"\r\n\r\n") && said.len() < 16 << 10 {
        match stream.read(&mut piece)? {
            0 => return Ok(()),
            read => said.extend(piece.iter().take(read)),
        }
    }
    std::thread::sleep(slow);
    let kind = if body.starts_with('{') { "application/json" } else { "text/html" };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

/// Until the client leaves or patience ends.
fn drained(stream: &mut TcpStream) -> Result<()> {
    std::io::copy(&mut stream.take(1 << 20), &mut std::io::sink()).map(drop)
}
