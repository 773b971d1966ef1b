//! sqlx dials by itself and reads whatever length a server announces. So it gets a socket of ours instead: the agent dials through
//! `net` (exact reasons, one connection, TLS verified for the host of the URL), and a relay carries the bytes between that
//! connection and an abstract unix socket that only this process may use. On the way it remembers the first bytes, caps what one
//! run may read, and cuts off before a message that is announced too large: sqlx would reserve up to 4 GiB for it. Only PostgreSQL's
//! bytes go this way; MySQL's protocol is our own.
//! What must stay true: the relay ends with its owner, and nothing passes beyond its allowance.

use crate::limits;
use crate::probes::database::Stream;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy, split};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;

/// Carries bytes between a database and the driver until it is dropped.
pub(in crate::probes) struct Relay {
    /// The driver's socket, with the NUL in front that makes it abstract.
    pub(in crate::probes) socket: String,
    watch: Arc<Watch>,
    task: JoinHandle<()>,
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What is known of the bytes that came from the database.
#[derive(Default)]
struct Watch {
    left: AtomicUsize,
    cut: AtomicBool,
    first: Mutex<Vec<u8>>,
}

/// How the bytes of a database are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::probes) enum Framing {
    /// PostgreSQL's messages in the clear: a kind and a length.
    Postgres,
    /// Not looked at.
    #[cfg(test)]
    Opaque,
}

impl Relay {
    /// Starts one. `first` has been read from the stream already and goes to the driver before anything else; `suffix` ends the
    /// name of the socket, for the driver may insist on one.
    pub(in crate::probes) fn start(
        stream: Box<dyn Stream>,
        first: Vec<u8>,
        framing: Framing,
        suffix: &str,
    ) -> io::Result<Self> {
        let base = format!("\0{}-{:032x}", limits::CLIENT_NAME, fastrand::u128(..));
        let listener = UnixListener::bind(format!("{base}{suffix}"))?;
        let watch = Arc::new(Watch::default());
        watch.left.store(limits::SQL_ANSWER_BYTES, Ordering::Relaxed);
        let frames = (framing == Framing::Postgres).then(Frames::default);
        let line = Line { stream, first, frames, watch: Arc::clone(&watch) };
        let task = tokio::spawn(async move {
            // Whatever ends it ends the driver's connection too, and the driver tells.
            let _ = line.carry(listener).await;
        });
        Ok(Self { socket: base, watch, task })
    }

    /// Gives a new run its allowance.
    pub(in crate::probes) fn allow(&self) {
        self.watch.left.store(limits::SQL_ANSWER_BYTES, Ordering::Relaxed);
    }

    /// Whether it was cut off because the database sent too much, or something that is no message.
    pub(in crate::probes) fn was_cut(&self) -> bool {
        self.watch.cut.load(Ordering::Relaxed)
    }

    /// The first bytes that came.
    pub(in crate::probes) fn first(&self) -> Vec<u8> {
        self.watch.first.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

struct Line {
    stream: Box<dyn Stream>,
    first: Vec<u8>,
    frames: Option<Frames>,
    watch: Arc<Watch>,
}

impl Line {
    async fn carry(self, listener: UnixListener) -> io::Result<()> {
        let driver = ours(&listener).await?;
        drop(listener);
        let (mut from_driver, mut to_driver) = driver.into_split();
        let (mut from_peer, mut to_peer) = split(self.stream);
        let (mut frames, watch) = (self.frames, self.watch);
        let down = async {
            let mut part = [0; 8192];
            watch.pass(&self.first, &mut frames)?;
            to_driver.write_all(&self.first).await?;
            loop {
                let length = from_peer.read(&mut part).await?;
                let came = part.get(..length).filter(|came| !came.is_empty()).ok_or(io::ErrorKind::UnexpectedEof)?;
                watch.pass(came, &mut frames)?;
                to_driver.write_all(came).await?;
            }
        };
        tokio::select! {
            ended = down => ended,
            ended = copy(&mut from_driver, &mut to_peer) => ended.map(drop),
        }
    }
}

/// The driver's connection. The name is in `/proc/net/unix` for all to see, so whoever is not this process is turned away.
async fn ours(listener: &UnixListener) -> io::Result<UnixStream> {
    let this = i32::try_from(std::process::id()).ok();
    loop {
        let (stream, _) = listener.accept().await?;
        if stream.peer_cred()?.pid() == this {
            return Ok(stream);
        }
    }
}

impl Watch {
    fn pass(&self, came: &[u8], frames: &mut Option<Frames>) -> io::Result<()> {
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        let room = limits::FIRST_BYTES.saturating_sub(first.len());
        first.extend(came.iter().take(room));
        let left = self.left.load(Ordering::Relaxed).checked_sub(came.len());
        let fits = frames.as_mut().is_none_or(|frames| frames.accept(came));
        match left.filter(|_| fits) {
            Some(left) => self.left.store(left, Ordering::Relaxed),
            None => {
                self.cut.store(true, Ordering::Relaxed);
                return Err(io::ErrorKind::InvalidData.into());
            }
        }
        Ok(())
    }
}

/// Walks along PostgreSQL's messages without keeping them: a letter, a length that counts itself, the rest.
#[derive(Default)]
struct Frames {
    header: Vec<u8>,
    left: usize,
}

impl Frames {
    /// Whether these bytes go on as messages of a bearable size.
    fn accept(&mut self, bytes: &[u8]) -> bool {
        let mut rest = bytes;
        while !rest.is_empty() {
            let wanted = if self.left > 0 { self.left } else { 5 - self.header.len() };
            let (now, later) = rest.split_at(wanted.min(rest.len()));
            rest = later;
            if self.left > 0 {
                self.left -= now.len();
                continue;
            }
            self.header.extend_from_slice(now);
            if !self.header.first().is_some_and(u8::is_ascii_alphanumeric) {
                return false;
            }
            if let [_, a, b, c, d] = *self.header.as_slice() {
                let length = u32::from_be_bytes([a, b, c, d]) as usize;
                self.header.clear();
                match length.checked_sub(4).filter(|left| *left <= limits::SQL_ANSWER_BYTES) {
                    Some(left) => self.left = left,
                    None => return false,
                }
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tokio::io::duplex;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
        [&[kind], &length[..], body].concat()
    }

    #[test]
    fn a_message_announced_too_large_is_not_passed_on() {
        let mut frames = Frames::default();
        assert!(frames.accept(&message(b'R', &[0; 8])));
        assert!(!frames.accept(&[b'D', 0xff, 0xff, 0xff, 0xff]));
        assert!(!Frames::default().accept(&[b'D', 0, 0, 0, 3]), "shorter than itself");
        assert!(!Frames::default().accept(b"\x16\x03\x01"), "no letter");
    }

    proptest! {
        #[test]
        fn messages_are_walked_however_they_are_cut(bodies in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 1..8),
                                                    step in 1_usize..17) {
            let stream: Vec<u8> = bodies.iter().flat_map(|body| message(b'D', body)).collect();
            let mut frames = Frames::default();
            for part in stream.chunks(step) {
                prop_assert!(frames.accept(part));
            }
            prop_assert_eq!((frames.left, frames.header.len()), (0, 0));
        }

        #[test]
        fn any_bytes_are_taken_calmly(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            Frames::default().accept(&bytes);
        }
    }

    #[tokio::test]
    async fn carries_both_ways_and_ends_with_its_owner() {
        let (mut peer, stream) = duplex(64);
        let relay = Relay::start(Box::new(stream), b"greeting".to_vec(), Framing::Opaque, "/x").unwrap();
        let mut driver = UnixStream::connect(format!("{}/x", relay.socket)).await.unwrap();
        let mut heard = [0; 8];
        driver.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"greeting");
        driver.write_all(b"hello").await.unwrap();
        let mut asked = [0; 5];
        peer.read_exact(&mut asked).await.unwrap();
        assert_eq!((&asked, relay.first().as_slice()), (b"hello", &b"greeting"[..]));
        drop(relay);
        assert_eq!(peer.read(&mut asked).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn no_more_than_the_allowance_of_a_run_passes() {
        let (mut peer, stream) = duplex(1 << 16);
        let relay = Relay::start(Box::new(stream), Vec::new(), Framing::Opaque, "").unwrap();
        let mut driver = UnixStream::connect(&relay.socket).await.unwrap();
        let flood = tokio::spawn(async move { while peer.write_all(&[7; 4096]).await.is_ok() {} });
        let mut heard = Vec::new();
        let _ = driver.read_to_end(&mut heard).await;
        assert!(relay.was_cut() && heard.len() <= limits::SQL_ANSWER_BYTES);
        flood.await.unwrap();
    }

    #[tokio::test]
    async fn each_run_has_the_allowance_anew_and_no_more() {
        let (mut peer, stream) = duplex(1 << 16);
        let relay = Relay::start(Box::new(stream), Vec::new(), Framing::Opaque, "").unwrap();
        let mut driver = UnixStream::connect(&relay.socket).await.unwrap();
        let most = limits::SQL_ANSWER_BYTES;
        let (answer, mut heard) = (vec![7; most / 4 * 3], vec![0; most / 4 * 3]);
        for _ in 0..2 {
            relay.allow();
            let (sent, read) = tokio::join!(peer.write_all(&answer), driver.read_exact(&mut heard));
            assert!(sent.is_ok() && read.is_ok() && !relay.was_cut());
        }
        relay.allow();
        let flood = tokio::spawn(async move { while peer.write_all(&answer).await.is_ok() {} });
        let mut rest = vec![0; 2 * most];
        assert!(driver.read_exact(&mut rest).await.is_err(), "more than a run may read came through");
        assert!(relay.was_cut());
        drop(relay);
        flood.await.unwrap();
    }
}
