//! The peers of the comparison, in this process: a mail server whose TLS is that of another server, and a name server for one zone.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::thread;

/// Their ports. They serve until the process ends.
pub(super) struct Peers {
    pub(super) smtp: u16,
    pub(super) dns: u16,
}

impl Peers {
    /// Starts both; after STARTTLS the mail server passes everything on to `tls`.
    pub(super) fn start(tls: SocketAddr) -> Self {
        let mail = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let smtp = mail.local_addr().expect("an address").port();
        thread::spawn(move || {
            for stream in mail.incoming().flatten() {
                thread::spawn(move || talk(stream, tls));
            }
        });
        let (socket, listener) = loop {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
            if let Ok(listener) = TcpListener::bind(socket.local_addr().expect("an address")) {
                break (socket, listener);
            }
        };
        let dns = listener.local_addr().expect("an address").port();
        thread::spawn(move || {
            let mut query = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut query) {
                drop(socket.send_to(&answer(&query[..length]), from));
            }
        });
        thread::spawn(move || {
            listener.incoming().flatten().for_each(|stream| answer_framed(stream).unwrap_or_default())
        });
        Self { smtp, dns }
    }
}

fn talk(mut stream: TcpStream, tls: SocketAddr) -> Option<()> {
    stream.write_all(b"220 mail.example ESMTP tests\r\n").ok()?;
    let mut lines = BufReader::new(stream.try_clone().ok()?);
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let word = line.split_whitespace().next().unwrap_or_default();
        match word {
            "EHLO" => stream.write_all(b"250-mail.example\r\n250-STARTTLS\r\n250 SIZE 1000\r\n").ok()?,
            "QUIT" => return stream.write_all(b"221 bye\r\n").ok(),
            "STARTTLS" => {
                stream.write_all(b"220 go ahead\r\n").ok()?;
                break;
            }
            _ => stream.write_all(b"500 what?\r\n").ok()?,
        }
    }
    let mut inside = TcpStream::connect(tls).ok()?;
    let (mut from, mut to) = (stream.try_clone().ok()?, inside.try_clone().ok()?);
    thread::spawn(move || std::io::copy(&mut from, &mut to));
    std::io::copy(&mut inside, &mut stream).ok().map(drop)
}

fn answer_framed(mut stream: TcpStream) -> Option<()> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).ok()?;
    let mut query = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut query).ok()?;
    let answer = answer(&query);
    stream.write_all(&u16::try_from(answer.len()).ok()?.to_be_bytes()).ok()?;
    stream.write_all(&answer).ok()
}

/// The zone: `shop.example` has two addresses, a text and an SOA record; nobody else is there.
fn answer(query: &[u8]) -> Vec<u8> {
    const SOA: &[u8] =
        b"\xc0\x0c\0\x06\0\x01\0\0\0\x3c\0\x18\xc0\x0c\xc0\x0c\x78\xa4\x5e\x61\0\0\0\x02\0\0\0\x03\0\0\0\x04\0\0\0\x05";
    const ADDRESSES: &[u8] =
        b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x01\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x02";
    const TEXT: &[u8] = b"\xc0\x0c\0\x10\0\x01\0\0\0\x3c\0\x07\x04a \"b\x01\xff";
    let kind = query.get(query.len().wrapping_sub(4)..query.len().wrapping_sub(2));
    let known = query.get(12..).is_some_and(|rest| rest.starts_with(b"\x04shop"));
    let (code, answers, authority, records) = match kind {
        _ if !known => (3, 0, 1, SOA.to_vec()),
        Some([0, 6]) => (0, 1, 0, SOA.to_vec()),
        Some([0, 16]) => (0, 1, 0, TEXT.to_vec()),
        Some([0, 255]) => (0, 3, 0, [ADDRESSES, TEXT].concat()),
        _ => (0, 2, 1, [ADDRESSES, SOA].concat()),
    };
    let mut message = query.to_vec();
    message[2..12].copy_from_slice(&[0x85, 0x80 | code, 0, 1, 0, answers, 0, authority, 0, 0]);
    message.extend_from_slice(&records);
    message
}
