//! A server of known latency for `tests/bench/lateness`: answers each request so many milliseconds after it came, one thread
//! a connection, standard library only. Run under a real-time policy it is late by microseconds whatever else runs, so that what
//! a client measures beyond that time is the client's own.
//!
//! `steady MILLISECONDS` prints its port.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn serve(mut stream: TcpStream, latency: Duration) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut request = [0; 4096];
    // A small request comes in one piece on loopback.
    while stream.read(&mut request)? > 0 {
        std::thread::sleep(latency);
        stream.write_all(ANSWER)?;
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let latency = Duration::from_millis(std::env::args().nth(1).ok_or("usage: steady MILLISECONDS")?.parse()?);
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?.port());
    for stream in listener.incoming().flatten() {
        std::thread::Builder::new().stack_size(64 * 1024).spawn(move || serve(stream, latency))?;
    }
    Ok(())
}
