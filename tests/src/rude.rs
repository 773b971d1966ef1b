//! Peers that lie: one listener a rudeness, on a free loopback port, each ended with the test. A connection is bounded in bytes and time.

use std::io::{ErrorKind, Read as _, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

/// A connection is given up after so long; checks have shorter deadlines.
const PATIENCE: Duration = Duration::from_secs(8);
/// What one connection sends at the most.
const MOST_BYTES: usize = 64 << 20;

/// A way to be rude.
pub struct Rudeness {
    /// Its name.
    pub name: &'static str,
    /// What it does once it has been spoken to, or has waited a moment for that.
    act: fn(&mut TcpStream, &AtomicBool) -> std::io::Result<()>,
}

/// All of them.
pub static ALL: &[Rudeness] = &[
    Rudeness { name: "silent", act: |stream, _| wait_for_the_end(stream) },
    Rudeness { name: "drips", act: drips },
    Rudeness { name: "resets", act: resets },
    Rudeness {
        name: "garbage",
        act: |stream, ended| flood(stream, ended, b"", &[0xff, 0xfe, b'\n', 0xc0, 0x80, b' ']),
    },
    Rudeness {
        name: "endless_header",
        act: |stream, ended| flood(stream, ended, b"HTTP/1.1 200 OK\r\nX: ", b"xxxxxxxx"),
    },
    Rudeness {
        name: "endless_headers",
        act: |stream, ended| flood(stream, ended, b"HTTP/1.1 200 OK\r\n", b"X-Y: z\r\n"),
    },
    Rudeness {
        name: "endless_body",
        act: |stream, ended| flood(stream, ended, b"HTTP/1.1 200 OK\r\n\r\n", b"a_metric{x=\"y\"} 1\n"),
    },
    Rudeness { name: "gzip_bomb", act: gzip_bomb },
    Rudeness { name: "reset_in_mid_body", act: reset_in_mid_body },
    Rudeness {
        name: "deep_json",
        act: |stream, ended| flood(stream, ended, b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n", b"["),
    },
    Rudeness {
        name: "sse_without_end",
        act: |stream, ended| {
            flood(stream, ended, b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n", b": x\n\n")
        },
    },
    Rudeness { name: "bulk_of_2_gb", act: |stream, ended| flood(stream, ended, b"$2147483648\r\n", b"xxxxxxxx") },
    Rudeness {
        name: "packet_of_16_mb",
        act: |stream, ended| flood(stream, ended, b"\xff\xff\xff\x00\x0a", b"8.0.36\0\0"),
    },
    Rudeness { name: "row_of_2_gb", act: |stream, ended| flood(stream, ended, b"D\x7f\xff\xff\xff", b"xxxxxxxx") },
    Rudeness {
        name: "frames_without_end",
        act: |stream, ended| {
            flood(
                stream,
                ended,
                b"\x00\x00\x00\x04\x00\x00\x00\x00\x00",
                b"\x00\x00\x08\x06\x00\x00\x00\x00\x00abcdefgh",
            )
        },
    },
    Rudeness { name: "greets_without_end", act: |stream, ended| flood(stream, ended, b"", b"220-mail\r\n") },
];

/// A peer of one rudeness; stops when dropped.
pub struct RudePeer {
    /// Where it listens.
    pub address: SocketAddr,
    ended: Arc<AtomicBool>,
}

impl RudePeer {
    /// Starts one.
    ///
    /// # Errors
    /// When there is no free port.
    pub fn start(rudeness: &'static Rudeness) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let ended = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&ended);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let stop = Arc::clone(&stop);
                // A client that goes away in the middle is what is wanted.
                std::thread::spawn(move || meet(stream, rudeness, &stop).is_ok());
            }
        });
        Ok(Self { address, ended })
    }
}

impl Drop for RudePeer {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // Wakes the listener.
        let _woken = TcpStream::connect(self.address);
    }
}

fn meet(mut stream: TcpStream, rudeness: &Rudeness, ended: &AtomicBool) -> std::io::Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_read_timeout(Some(Duration::from_millis(50)))?;
    let mut first = [0; 4096];
    match stream.read(&mut first) {
        Ok(0) => return Ok(()),
        Ok(_) => {}
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
        Err(error) => return Err(error),
    }
    (rudeness.act)(&mut stream, ended)
}

fn wait_for_the_end(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    std::io::copy(stream, &mut std::io::sink()).map(|_| ())
}

/// A byte now and then, of something that could become an answer in any text protocol.
fn drips(stream: &mut TcpStream, ended: &AtomicBool) -> std::io::Result<()> {
    let began = Instant::now();
    for byte in b"HTTP/1.1 200 OK\r\nX: ".iter().chain(std::iter::repeat(&b'x')) {
        if ended.load(Ordering::Relaxed) || began.elapsed() > PATIENCE {
            break;
        }
        stream.write_all(&[*byte])?;
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

/// Sends `begin`, and then `more` until nobody listens.
fn flood(stream: &mut TcpStream, ended: &AtomicBool, begin: &[u8], more: &[u8]) -> std::io::Result<()> {
    stream.write_all(begin)?;
    let piece = more.repeat((16 << 10) / more.len() + 1);
    let (began, mut sent) = (Instant::now(), 0);
    while !ended.load(Ordering::Relaxed) && began.elapsed() < PATIENCE && sent < MOST_BYTES {
        stream.write_all(&piece)?;
        sent += piece.len();
    }
    Ok(())
}

/// Closes with a reset: unread bytes are left in the socket's buffer.
fn resets(stream: &mut TcpStream, _ended: &AtomicBool) -> std::io::Result<()> {
    rustix::net::sockopt::set_socket_linger(&*stream, Some(Duration::ZERO))?;
    Ok(())
}

fn reset_in_mid_body(stream: &mut TcpStream, ended: &AtomicBool) -> std::io::Result<()> {
    stream.write_all(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{\"status\": \"",
    )?;
    std::thread::sleep(Duration::from_millis(50));
    resets(stream, ended)
}

/// A few kilobytes that unpack to 64 MB.
fn bomb() -> std::io::Result<Vec<u8>> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let zeros = vec![b'0'; 1 << 20];
    for _ in 0..64 {
        packer.write_all(&zeros)?;
    }
    packer.finish()
}

fn gzip_bomb(stream: &mut TcpStream, _ended: &AtomicBool) -> std::io::Result<()> {
    static BOMB: LazyLock<Vec<u8>> = LazyLock::new(|| bomb().unwrap_or_default());
    let body = &*BOMB;
    let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    wait_for_the_end(stream)
}
