//! Looking at what answers at an address where something else answered than the URL says: wait for a greeting, then say a few
//! harmless words. Done after a handshake failed only, and once a minute an address at most.

use super::{Connected, Net, Spoken, Tls, TlsStream, classify, handshake};
use crate::probes::{Context, Fault, Reason};
use crate::{clock, limits};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use rustls::ClientConnection;
use rustls_pki_types::ServerName;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

/// What answered, by address, and when we looked.
#[derive(Debug, Default)]
pub struct Sniffed(Mutex<HashMap<SocketAddr, (Instant, Option<Spoken>)>>);

impl Sniffed {
    fn known(&self, address: SocketAddr, now: Instant) -> Option<Option<Spoken>> {
        let kept = self.0.lock().ok()?;
        let (at, spoken) = kept.get(&address)?;
        (now.duration_since(*at) < limits::SNIFF_AGAIN).then(|| spoken.clone())
    }

    fn keep(&self, address: SocketAddr, now: Instant, spoken: Option<&Spoken>) {
        let Ok(mut kept) = self.0.lock() else { return };
        kept.retain(|_, (at, _)| now.duration_since(*at) < limits::SNIFF_AGAIN);
        if kept.len() < limits::SNIFFED_KEPT {
            kept.insert(address, (now, spoken.cloned()));
        }
    }
}

/// What answers at an address, or `None` when it does not tell. Takes at most [`limits::SNIFF_TIMEOUT`], and ends before `deadline`.
pub async fn sniff(sniffed: &Sniffed, address: SocketAddr, deadline: Instant) -> Option<Spoken> {
    let now = clock::now();
    if let Some(known) = sniffed.known(address, now) {
        return known;
    }
    // Leave a little of the deadline for saying what was found.
    let left = deadline.saturating_duration_since(now).mul_f64(0.9);
    let until = now + left.min(limits::SNIFF_TIMEOUT);
    let spoken = look(address, until).await;
    sniffed.keep(address, now, spoken.as_ref());
    spoken
}

/// The same fault, unless it is a mismatch and a look at the address shows what else answers there than `scheme`.
pub async fn explained(cx: &Context<'_>, fault: Fault, address: SocketAddr, scheme: &str) -> Fault {
    if fault.reason != Reason::ProtocolMismatch {
        return fault;
    }
    match sniff(&cx.net.sniffed, address, cx.deadline).await {
        Some(spoken) if !spoken.is_of(scheme) => spoken.instead_of(scheme, address),
        _ => fault,
    }
}

/// Awaits what a peer should say. One that is silent for most of the time is looked at meanwhile, for it may be waiting itself, in
/// another protocol than `scheme`; then that is the fault.
pub async fn watched<T>(
    (net, deadline): (&Net, Instant),
    address: SocketAddr,
    scheme: &str,
    said: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    let patience = deadline.saturating_duration_since(clock::now()).mul_f64(limits::SNIFF_AFTER);
    let at = clock::now() + patience;
    let look = async {
        sleep_until(at).await;
        match sniff(&net.sniffed, address, deadline).await {
            Some(spoken) if !spoken.is_of(scheme) => spoken.instead_of(scheme, address),
            _ => std::future::pending().await,
        }
    };
    tokio::select! { biased; ended = said => ended, fault = look => Err(fault) }
}

/// Shakes hands over a fresh connection; what has no TLS there is named, also when it swallows the greeting in silence.
///
/// # Errors
/// As [`handshake`].
pub async fn session(
    cx: &mut Context<'_>,
    connected: Connected,
    host: &str,
    tls: &Tls,
    scheme: &str,
) -> Result<TlsStream<TcpStream>, Fault> {
    let Connected { stream, address } = connected;
    let whose = (cx.net, cx.deadline);
    match watched(whose, address, scheme, handshake(cx, stream, host, tls)).await {
        Err(fault) => Err(explained(cx, fault, address, scheme).await),
        session => session,
    }
}

async fn look(address: SocketAddr, until: Instant) -> Option<Spoken> {
    let greeting = limits::SNIFF_GREETING.min(until.saturating_duration_since(clock::now()) / 2);
    if let Some(first) = ask(address, &[], clock::now() + greeting).await {
        return classify(&first);
    }
    // Silent services are spoken to, each word on a connection of its own, all at once.
    let hello = client_hello();
    let mut answers = FuturesUnordered::new();
    for (word, bytes) in [(Word::Postgresql, SSL_REQUEST), (Word::Line, b"PING\r\n\r\n"), (Word::Tls, &hello)] {
        answers.push(async move { (word, ask(address, bytes, until).await) });
    }
    let (mut until, mut spoken) = (until, None);
    while let Ok(Some((word, first))) = timeout_at(until, answers.next()).await {
        let Some(first) = first else { continue };
        match word {
            Word::Postgresql if matches!(first.as_slice(), b"S" | b"N") => {
                return Some(Spoken { protocol: "postgresql", version: None });
            }
            Word::Tls if first.first() == Some(&0x16) => return classify(&first),
            Word::Line => {
                // A TLS server answers a plain line too, with an alert or in plain HTTP: its own word is waited for a little.
                spoken = classify(&first);
                until = until.min(clock::now() + limits::SNIFF_OTHERS);
            }
            Word::Postgresql | Word::Tls => {}
        }
    }
    spoken
}

/// What is said to a silent service.
#[derive(Clone, Copy)]
enum Word {
    /// PostgreSQL's request for TLS.
    Postgresql,
    /// A line that Redis, HTTP, SMTP and others answer.
    Line,
    /// A client's TLS greeting.
    Tls,
}

/// PostgreSQL's request for TLS, length first: the server answers `S` or `N` and waits.
const SSL_REQUEST: &[u8] = &[0, 0, 0, 8, 4, 210, 22, 47];

/// Connects, says something, and returns what comes first; `None` when nothing comes in time.
async fn ask(address: SocketAddr, words: &[u8], until: Instant) -> Option<Vec<u8>> {
    let asking = async {
        let mut stream = TcpStream::connect(address).await.ok()?;
        stream.write_all(words).await.ok()?;
        let mut first = vec![0; limits::FIRST_BYTES];
        let length = stream.read(&mut first).await.ok().filter(|length| *length > 0)?;
        // A greeting may come in pieces; a short pause is enough for the rest of it.
        let more = timeout(Duration::from_millis(5), stream.read(first.get_mut(length..)?)).await;
        first.truncate(length + more.map_or(0, |read| read.unwrap_or(0)));
        Some(first)
    };
    timeout_at(until, asking).await.ok().flatten()
}

/// The first message of a TLS client.
fn client_hello() -> Vec<u8> {
    let mut hello = Vec::new();
    if let Ok(name) = ServerName::try_from("localhost")
        && let Ok(mut client) = ClientConnection::new(Arc::clone(&Tls::default().client), name)
    {
        let _ = client.write_tls(&mut hello);
    }
    hello
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probes::net::test_peers;

    async fn says(peer: test_peers::Peer) -> String {
        let deadline = clock::now() + Duration::from_secs(5);
        sniff(&Sniffed::default(), peer.address, deadline).await.map_or("?".to_owned(), |spoken| spoken.to_string())
    }

    #[tokio::test]
    async fn looks_by_greeting_and_by_harmless_words() {
        assert_eq!(says(test_peers::says(b"\x4a\0\0\0\x0a8.0.36\0\x08\0\0\0").await).await, "mysql 8.0.36");
        let redis: &[u8] = b"+PONG\r\n";
        let http: &[u8] = b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n";
        for (answer, expected) in [(redis, "redis"), (http, "http nginx")] {
            let peer = test_peers::answers(move |asked| asked.starts_with(b"PING").then_some(answer));
            assert_eq!(says(peer.await).await, expected);
        }
        let postgresql = test_peers::answers(|asked| (asked == SSL_REQUEST).then_some(b"N"));
        assert_eq!(says(postgresql.await).await, "postgresql");
        assert_eq!(says(test_peers::tls(test_peers::certificate(|_| ())).await).await, "tls");
    }

    #[tokio::test]
    async fn http_is_named_without_waiting_for_words_that_it_does_not_answer() {
        let peer = test_peers::serve(|mut stream| async move {
            let mut asked = [0; 1024];
            let length = stream.read(&mut asked).await.unwrap_or(0);
            if asked[..length].ends_with(b"\r\n\r\n") {
                let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n").await;
            }
            let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
        })
        .await;
        let began = clock::now();
        assert_eq!(says(peer).await, "http nginx");
        let most = limits::SNIFF_GREETING + limits::SNIFF_OTHERS + Duration::from_millis(100);
        assert!(clock::now() - began < most, "{:?}", clock::now() - began);
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_peer_costs_a_bounded_time() {
        let peer = test_peers::silent().await;
        let began = clock::now();
        assert_eq!(says(peer).await, "?");
        assert!(clock::now() - began <= limits::SNIFF_TIMEOUT + Duration::from_millis(20));
    }

    #[tokio::test(start_paused = true)]
    async fn who_swallows_what_was_said_is_named_before_the_deadline() {
        let peer = test_peers::answers(|asked| asked.starts_with(b"PING").then_some(b"+PONG\r\n".as_slice())).await;
        let (net, deadline) = (Net::default(), clock::now() + Duration::from_secs(5));
        let silent = || std::future::pending::<Result<(), Fault>>();
        let fault = watched((&net, deadline), peer.address, "https", silent()).await.unwrap_err();
        assert_eq!(fault.reason, Reason::ProtocolMismatch);
        assert!(fault.message.ends_with("speaks redis, the URL says https"), "{}", fault.message);
        assert!(clock::now() < deadline);
        // The right one is only slow, and has the whole time.
        let ended = timeout_at(deadline, watched((&net, deadline), peer.address, "redis", silent())).await;
        assert!(ended.is_err());
    }

    #[tokio::test]
    async fn an_address_is_looked_at_once_a_minute() {
        let peer = test_peers::says(b"SSH-2.0-OpenSSH_9.2p1\r\n").await;
        let (sniffed, deadline) = (Sniffed::default(), clock::now() + Duration::from_secs(5));
        for _ in 0..3 {
            assert_eq!(sniff(&sniffed, peer.address, deadline).await.unwrap().protocol, "ssh");
        }
        assert_eq!(peer.accepted(), 1);
    }
}
