//! Redis servers that lie once they are believed: each case greets as Redis does and then answers one request in its own way. Whatever
//! they say, the run ends by its deadline with the right reason, and costs no more memory than its caps.

use super::tests::{INFO, look_for, probe};
use crate::probes::net::Net;
use crate::probes::net::test_peers::{self, Peer};
use crate::probes::{Depth, Outcome, Reason, run};
use crate::reading::Reading;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const DEADLINE: Duration = Duration::from_millis(900);

/// What a server does when it is asked for this.
#[derive(Clone, Copy)]
enum Lie {
    /// Says this and waits.
    Says(&'static [u8]),
    /// Says this, then this for ever.
    Floods(&'static [u8], &'static [u8]),
    /// Says this a byte at a time, with such a pause.
    Drips(&'static [u8], Duration),
    /// Says this and breaks the connection off.
    Resets(&'static [u8]),
}

/// A server that is polite until it is asked for what begins so; and the bytes that it could send.
async fn liar(asked: &'static str, lie: Lie) -> (Peer, Arc<AtomicUsize>) {
    let sent = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&sent);
    let peer = test_peers::serve(move |stream| lies(stream, asked, lie, Arc::clone(&count))).await;
    (peer, sent)
}

async fn lies(mut stream: TcpStream, asked: &'static str, lie: Lie, sent: Arc<AtomicUsize>) {
    let mut buffer = Vec::new();
    loop {
        while let Ok(Some((request, used))) = super::resp::decode(&buffer) {
            buffer.drain(..used);
            let words: Vec<&str> = request.items().iter().filter_map(super::Reply::text).collect();
            let words = words.join(" ");
            if words.starts_with(asked) {
                return tell(stream, lie, &sent).await;
            }
            let answer = match words.split(' ').next() {
                Some("PING") => "+PONG\r\n".to_owned(),
                Some("INFO") => format!("${}\r\n{INFO}\r\n", INFO.len()),
                _ => "-ERR unknown command\r\n".to_owned(),
            };
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
        if !matches!(stream.read_buf(&mut buffer).await, Ok(1..)) {
            return;
        }
    }
}

async fn tell(mut stream: TcpStream, lie: Lie, sent: &AtomicUsize) {
    match lie {
        Lie::Says(words) => {
            let _ = stream.write_all(words).await;
            let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
        }
        Lie::Floods(words, filler) => {
            let mut ended = stream.write_all(words).await;
            while ended.is_ok() {
                ended = stream.write_all(filler).await;
                sent.fetch_add(filler.len(), Ordering::SeqCst);
            }
        }
        Lie::Drips(words, pause) => {
            for byte in words {
                let _ = stream.write_all(&[*byte]).await;
                tokio::time::sleep(pause).await;
            }
        }
        Lie::Resets(words) => {
            let _ = stream.write_all(words).await;
            // With a reset, and not with an end.
            let _ = stream.set_zero_linger();
        }
    }
}

async fn meet(address: SocketAddr) -> Outcome {
    run(&mut *probe(&format!("redis://{address}")), &Net::default(), DEADLINE, Depth::Peer).await
}

fn up(outcome: &Outcome) -> Option<f64> {
    let is = |reading: &&Reading| reading.metric.name == "redis_up";
    outcome.readings.iter().find(is).map(|reading| reading.value)
}

#[tokio::test]
async fn each_lie_ends_by_the_deadline_with_its_reason() {
    const TWO_GB: &[u8] = b"$2147483647\r\n";
    let second = Duration::from_secs(1);
    let cases: [(&str, Lie, Reason); 12] = [
        ("INFO", Lie::Says(TWO_GB), Reason::Body),
        ("INFO", Lie::Floods(b"$262144\r\n", &[b'x'; 8192]), Reason::ProtocolMismatch),
        ("INFO", Lie::Floods(b"+", &[b'x'; 8192]), Reason::Body),
        ("INFO", Lie::Floods(b"*2147483647\r\n", b":1\r\n"), Reason::Body),
        ("INFO", Lie::Floods(b"*200000\r\n", b"*200000\r\n"), Reason::Body),
        ("INFO", Lie::Drips(b"$6000\r\nredis_version:7\r\n", second), Reason::Timeout),
        ("INFO", Lie::Says(b""), Reason::Timeout),
        ("INFO", Lie::Resets(b"$6000\r\nredis_version:7\r\n"), Reason::Body),
        ("CONFIG GET io", Lie::Says(TWO_GB), Reason::Body),
        ("LATENCY HIST", Lie::Floods(b"*200000\r\n", b"$-1\r\n"), Reason::Body),
        ("SLOWLOG LEN", Lie::Drips(b":77777\r\n", second), Reason::Timeout),
        ("SET", Lie::Resets(b"+O"), Reason::Body),
    ];
    for (asked, lie, reason) in cases {
        let (peer, sent) = liar(asked, lie).await;
        let outcome = meet(peer.address).await;
        let fault = outcome.fault.clone().unwrap_or_else(|| panic!("{asked} did not fail"));
        assert_eq!(fault.reason, reason, "{asked}: {fault:?}");
        assert!(outcome.took < DEADLINE * 2, "{asked}: {:?}", outcome.took);
        assert_eq!(up(&outcome), Some(0.0), "{asked}");
        // What is on its way lies in the kernel's buffers, not in ours.
        assert!(sent.load(Ordering::SeqCst) < 8 << 20, "{asked}: took {} bytes", sent.load(Ordering::SeqCst));
    }
}

#[tokio::test]
async fn what_was_told_before_the_lie_is_kept() {
    let (peer, _) = liar("CONFIG", Lie::Says(b"")).await;
    let outcome = meet(peer.address).await;
    assert_eq!(outcome.fault.as_ref().map(|fault| fault.reason), Some(Reason::Timeout));
    assert_eq!(look_for(&outcome, "redis_memory_used_bytes"), Some(1000.0));
    assert_eq!(outcome.note("version"), Some("redis 7.0.15"));
}

#[tokio::test]
async fn a_reply_that_is_too_long_costs_its_own_figures() {
    // Ten thousand settings in answer to one; whatever comes after it is read as usual.
    static WIDE: std::sync::LazyLock<String> =
        std::sync::LazyLock::new(|| format!("*10000\r\n{}", "$1\r\na\r\n".repeat(10_000)));
    let deep = "*1\r\n".repeat(50) + ":1\r\n";
    static DEEP: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    let deep: &'static str = DEEP.get_or_init(|| deep);
    for long in [WIDE.as_str(), deep] {
        let peer = super::tests::scripted_with(move |asked| match asked {
            "CONFIG GET maxclients" => Some(long.to_owned()),
            "SLOWLOG LEN" => Some(":7\r\n".to_owned()),
            _ => None,
        })
        .await;
        let outcome = meet(peer.address).await;
        assert_eq!(outcome.fault, None);
        assert_eq!(look_for(&outcome, "redis_config_maxclients"), None);
        assert_eq!(look_for(&outcome, "redis_slowlog_length"), Some(7.0));
        assert_eq!(up(&outcome), Some(1.0));
    }
}

#[tokio::test]
async fn crafted_info_and_bytes_that_are_no_text_cost_their_own_figures() {
    let info: &[u8] = b"redis_version:7.0.\xff15\r\nlatency_percentiles_usec_get:=1.0\r\nused_memory:1000\r\n\
        cmdstat_:calls=1\r\ncmdstat_\xfe:calls=1,usec=1\r\nmaxmemory:NaN\r\nconnected_clients:1e999\r\n";
    let answer = [format!("${}\r\n", info.len()).as_bytes(), info, b"\r\n"].concat();
    let answer: &'static [u8] = Box::leak(answer.into_boxed_slice());
    let (peer, _) = liar("INFO", Lie::Says(answer)).await;
    let outcome = meet(peer.address).await;
    assert_eq!(outcome.note("version"), Some("redis 7.0.\u{fffd}15"), "{outcome:?}");
    assert_eq!(look_for(&outcome, "redis_memory_used_bytes"), Some(1000.0));
    for absent in
        ["redis_memory_max_bytes", "redis_connected_clients", "redis_commands_total", "redis_latency_percentiles_usec"]
    {
        assert_eq!(look_for(&outcome, absent), None, "{absent}");
    }
}
