//! The login against a scripted MySQL 8, for MariaDB has none of its ways to log in: the fixture checks passwords as the real server does, and
//! decrypts with a real key (`openssl`). And servers that mean harm.

use super::*;
use crate::limits;
use crate::node::{Node, Problems};
use crate::probes::net::Net;
use crate::probes::net::test_peers::{self, Peer};
use crate::probes::{Depth, Outcome, Reason, Target, run};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY as SHA1, SHA256, digest};
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;

const PASSWORD: &str = "canary-8";
const GREETED: &[u8] = b"abcdefghijklmnopqrst";
const SWITCHED: &[u8] = b"ABCDEFGHIJKLMNOPQRST";
const OK: &[u8] = &[0, 0, 0, 2, 0, 0, 0];
const DENIED: &[u8] = b"\xff\x15\x04#28000Access denied";
/// Statements that make a session read-only and impatient.
const GUARDS: usize = 3;
const SHA2: &str = "caching_sha2_password";

trait Line: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Line for S {}

/// What the server does at a login.
#[derive(Clone)]
struct Script {
    /// The plugin of the greeting, and the one of the account when that is another.
    plugin: &'static str,
    switch: Option<&'static str>,
    /// Whether its memory knows the password, so that a mix of it is enough.
    knows: bool,
    tls: Option<Arc<rustls::ServerConfig>>,
    key: Option<Arc<Key>>,
}

impl Default for Script {
    fn default() -> Self {
        Self { plugin: SHA2, switch: None, knows: true, tls: None, key: None }
    }
}

/// A key pair made by `openssl`.
struct Key {
    private: tempfile::NamedTempFile,
    public: Vec<u8>,
}

impl Key {
    fn make() -> Option<Arc<Self>> {
        let private = tempfile::NamedTempFile::new().unwrap();
        let path = private.path().to_str().unwrap();
        let make = ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", path];
        let Ok(made) = Command::new("openssl").args(make).output() else {
            eprintln!("SKIPPED: openssl is not installed");
            return None;
        };
        assert!(made.status.success());
        let public = Command::new("openssl").args(["pkey", "-pubout", "-in", path]).output().unwrap().stdout;
        Some(Arc::new(Self { private, public }))
    }

    fn decrypt(&self, sealed: &[u8]) -> Vec<u8> {
        let mut command = Command::new("openssl");
        command.args(["pkeyutl", "-decrypt", "-pkeyopt", "rsa_padding_mode:oaep", "-inkey"]).arg(self.private.path());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(sealed).unwrap();
        child.wait_with_output().unwrap().stdout
    }
}

async fn send(line: &mut impl Line, sequence: u8, payload: &[u8]) {
    let [a, b, c, _] = u32::try_from(payload.len()).unwrap().to_le_bytes();
    let _ = line.write_all(&[&[a, b, c, sequence], payload].concat()).await;
}

/// The next packet and its number; nothing when the client went away.
async fn next(line: &mut impl Line) -> Option<(u8, Vec<u8>)> {
    let mut head = [0; 4];
    line.read_exact(&mut head).await.ok()?;
    let mut payload = vec![0; u32::from_le_bytes([head[0], head[1], head[2], 0]) as usize];
    line.read_exact(&mut payload).await.ok()?;
    Some((head[3], payload))
}

fn greeting(plugin: &str, tls: bool) -> Vec<u8> {
    let low: u16 = if tls { 0xffff } else { !(1 << 11) };
    let [low, high] = [low.to_le_bytes(), [0xff, 0xdf]];
    let parts = [b"\n8.4.2\0\x08\0\0\0", &GREETED[..8], b"\0", &low, b"\xff\x02\0", &high, b"\x15", &[0; 10]];
    [&parts.concat(), &GREETED[8..], b"\0", plugin.as_bytes(), b"\0"].concat()
}

/// The login's answer and the plugin it is for, behind 32 fixed bytes, the user, and what else there is.
fn response(packet: &[u8]) -> (Vec<u8>, String) {
    let rest = packet[32..].splitn(2, |byte| *byte == 0).nth(1).unwrap();
    let (answer, rest) = rest[1..].split_at(usize::from(rest[0]));
    let texts: Vec<&[u8]> = rest.split(|byte| *byte == 0).collect();
    assert_eq!(texts[0], b"shop");
    (answer.to_vec(), String::from_utf8(texts[1].to_vec()).unwrap())
}

async fn serve(script: Script) -> Peer {
    test_peers::serve(move |mut stream| {
        let script = script.clone();
        async move {
            send(&mut stream, 0, &greeting(script.plugin, script.tls.is_some())).await;
            let Some(config) = script.tls.clone() else {
                let _ended = Talk { line: stream, script, hidden: false, sequence: 0 }.session().await;
                return;
            };
            // Only the head of a login may come in the clear.
            if next(&mut stream).await.is_none_or(|(_, asked)| asked.len() > 32) {
                return;
            }
            if let Ok(line) = TlsAcceptor::from(config).accept(stream).await {
                let _ended = Talk { line, script, hidden: true, sequence: 0 }.session().await;
            }
        }
    })
    .await
}

/// A conversation; what is awaited in vain ends it.
struct Talk<L> {
    line: L,
    script: Script,
    hidden: bool,
    sequence: u8,
}

impl<L: Line> Talk<L> {
    async fn say(&mut self, payload: &[u8]) {
        self.sequence += 1;
        send(&mut self.line, self.sequence, payload).await;
    }

    async fn hear(&mut self) -> Option<Vec<u8>> {
        let (sequence, payload) = next(&mut self.line).await?;
        self.sequence = sequence;
        Some(payload)
    }

    async fn session(mut self) -> Option<()> {
        let (mut answer, named) = response(&self.hear().await?);
        let (mut plugin, mut nonce) = (self.script.plugin, GREETED);
        if let Some(switch) = self.script.switch {
            (plugin, nonce) = (switch, SWITCHED);
            self.say(&[b"\xfe", switch.as_bytes(), b"\0", nonce, b"\0"].concat()).await;
            answer = self.hear().await?;
        } else {
            assert_eq!(named, plugin);
        }
        let well = match plugin {
            SHA2 if self.script.knows => {
                self.say(&[1, 3]).await;
                fits_sha2(&answer, nonce)
            }
            SHA2 => {
                self.say(&[1, 4]).await;
                let answer = self.hear().await?;
                self.whole(&answer, &[2], nonce).await?
            }
            "sha256_password" => self.whole(&answer, &[1], nonce).await?,
            _ => fits_native(&answer, nonce),
        };
        self.say(if well { OK } else { DENIED }).await;
        if !well {
            return None;
        }
        loop {
            assert_eq!(self.hear().await?[0], 3);
            self.say(OK).await;
        }
    }

    /// The whole password: in the clear inside TLS, else encrypted once the key was asked for.
    async fn whole(&mut self, answer: &[u8], asks: &[u8], nonce: &[u8]) -> Option<bool> {
        let whole = [PASSWORD.as_bytes(), &[0]].concat();
        if self.hidden {
            return Some(answer == whole);
        }
        assert_eq!(answer, asks, "in the clear, nothing but the question for the key");
        let key = self.script.key.clone().unwrap();
        self.say(&[&[1], &key.public[..]].concat()).await;
        let sealed = self.hear().await?;
        let opened = key.decrypt(&sealed).into_iter().zip(nonce.iter().cycle()).map(|(byte, with)| byte ^ with);
        Some(opened.collect::<Vec<_>>() == whole)
    }
}

fn fits_sha2(answer: &[u8], nonce: &[u8]) -> bool {
    let known = digest(&SHA256, digest(&SHA256, PASSWORD.as_bytes()).as_ref());
    let mask = digest(&SHA256, &[known.as_ref(), nonce].concat());
    let stage: Vec<u8> = answer.iter().zip(mask.as_ref()).map(|(byte, with)| byte ^ with).collect();
    digest(&SHA256, &stage).as_ref() == known.as_ref()
}

fn fits_native(answer: &[u8], nonce: &[u8]) -> bool {
    let known = digest(&SHA1, digest(&SHA1, PASSWORD.as_bytes()).as_ref());
    let mask = digest(&SHA1, &[nonce, known.as_ref()].concat());
    let stage: Vec<u8> = answer.iter().zip(mask.as_ref()).map(|(byte, with)| byte ^ with).collect();
    digest(&SHA1, &stage).as_ref() == known.as_ref()
}

async fn look_as(password: &str, peer: &Peer, query: &str, timeout: Duration) -> Outcome {
    let url = format!("mysql://app:{password}@localhost:{}/shop{query}", peer.port());
    let mut probe = (KIND.build)(&Target::parse(&url).unwrap(), &Node::default(), &mut Problems::default()).unwrap();
    let outcome = run(&mut *probe, &Net::default(), timeout, Depth::Peer).await;
    assert!(!format!("{outcome:?}").contains("canary"), "{outcome:?}");
    outcome
}

async fn look(peer: &Peer, query: &str) -> Outcome {
    look_as(PASSWORD, peer, query, Duration::from_secs(5)).await
}

/// The right password gets in, another one does not.
async fn only_with_the_password(script: Script, name: &str) {
    let peer = serve(script).await;
    let outcome = look(&peer, "").await;
    assert!(outcome.ok(), "{name}: {outcome:?}");
    assert_eq!(outcome.value(&UP), Some(1.0), "{name}");
    let wrong = look_as("canary-9", &peer, "", Duration::from_secs(5)).await;
    assert_eq!(wrong.fault.as_ref().map(|fault| fault.reason), Some(Reason::Auth), "{name}: {wrong:?}");
    assert_eq!(wrong.value(&UP), Some(0.0), "{name}");
}

#[tokio::test]
async fn every_way_to_log_in_works_in_plain_text() {
    let Some(key) = Key::make() else { return };
    let key = Some(key);
    let native = "mysql_native_password";
    let cases = [
        ("known", Script::default()),
        ("by RSA", Script { knows: false, key: key.clone(), ..Script::default() }),
        ("known, after a switch", Script { plugin: native, switch: Some(SHA2), ..Script::default() }),
        // Here sqlx mixes the greeting's bytes into the password, and MySQL refuses it.
        (
            "by RSA, after a switch",
            Script { plugin: native, switch: Some(SHA2), knows: false, key: key.clone(), tls: None },
        ),
        ("native", Script { plugin: native, ..Script::default() }),
        ("native, after a switch", Script { switch: Some(native), ..Script::default() }),
        (
            "native, after what nobody knows",
            Script { plugin: "client_ed25519", switch: Some(native), ..Script::default() },
        ),
        ("sha256 by RSA", Script { plugin: "sha256_password", key: key.clone(), ..Script::default() }),
        ("sha256 by RSA, after a switch", Script { switch: Some("sha256_password"), key, ..Script::default() }),
    ];
    for (name, script) in cases {
        only_with_the_password(script, name).await;
    }
}

#[tokio::test]
async fn every_way_to_log_in_works_inside_tls() {
    let (pair, _authority) = test_peers::signed(|_| ());
    let tls = Some(Arc::new(test_peers::server_config(&pair)));
    let cases = [
        ("known", Script { tls: tls.clone(), ..Script::default() }),
        ("whole", Script { knows: false, tls: tls.clone(), ..Script::default() }),
        ("whole, after a switch", Script { switch: Some("sha256_password"), tls: tls.clone(), ..Script::default() }),
        ("sha256", Script { plugin: "sha256_password", tls, ..Script::default() }),
    ];
    for (name, script) in cases {
        only_with_the_password(script, name).await;
    }
}

#[tokio::test]
async fn a_certificate_nobody_vouches_for_never_sees_the_password() {
    let tls = Some(Arc::new(test_peers::server_config(&test_peers::certificate(|_| ()))));
    let peer = serve(Script { knows: false, tls, ..Script::default() }).await;
    let outcome = look(&peer, "?ssl-mode=VERIFY_IDENTITY").await;
    assert_eq!(outcome.fault.as_ref().unwrap().reason, Reason::Certificate, "{outcome:?}");
    let plain = serve(Script::default()).await;
    assert_eq!(look(&plain, "?ssl-mode=REQUIRED").await.fault.unwrap().reason, Reason::Tls);
}

#[tokio::test]
async fn a_login_that_is_not_known_is_named_with_advice() {
    for wanted in ["client_ed25519", "mysql_clear_password", "dialog"] {
        let peer = serve(Script { switch: Some(wanted), ..Script::default() }).await;
        let fault = look(&peer, "").await.fault.unwrap();
        assert_eq!(fault.reason, Reason::Auth);
        assert!(fault.message.contains(&format!("log in by `{wanted}`")), "{}", fault.message);
        assert!(fault.hint.unwrap().contains("an account of its own"));
    }
}

/// Lets everybody in, then answers each query with these bytes for as long as anybody reads.
async fn answers_with(answer: &'static [u8], again: bool) -> Peer {
    test_peers::serve(move |mut stream| async move {
        send(&mut stream, 0, &greeting("mysql_native_password", false)).await;
        let Some((sequence, _)) = next(&mut stream).await else { return };
        send(&mut stream, sequence + 1, OK).await;
        // What makes the session read-only and impatient is said yes to.
        for _ in 0..GUARDS {
            let Some(_) = next(&mut stream).await else { return };
            send(&mut stream, 1, OK).await;
        }
        let Some(_) = next(&mut stream).await else { return };
        while stream.write_all(answer).await.is_ok() && again {}
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    })
    .await
}

#[tokio::test]
async fn servers_that_lie_cost_no_more_than_the_deadline() {
    const COLUMN: &[u8] = b"\x0c\0\0\x02\x03def\0\0\0\x01x\x01y\x0c";
    let silent_after_the_greeting = test_peers::serve(|mut stream| async move {
        send(&mut stream, 0, &greeting(SHA2, false)).await;
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    })
    .await;
    let reset_in_mid_answer = test_peers::serve(|mut stream| async move {
        send(&mut stream, 0, &greeting(SHA2, false)).await;
        let Some((sequence, _)) = next(&mut stream).await else { return };
        send(&mut stream, sequence + 1, OK).await;
        for _ in 0..GUARDS {
            let _ = next(&mut stream).await;
            send(&mut stream, 1, OK).await;
        }
        let _ = next(&mut stream).await;
        let _ = stream.write_all(b"\x01\0\0\x01\x02\x0c\0").await;
        stream.set_zero_linger().unwrap();
    })
    .await;
    let cases = [
        ("a packet of 16 MB", answers_with(b"\xff\xff\xff\x01", false).await, Reason::Body),
        (
            "columns without end",
            answers_with(&[b"\x01\0\0\x01\x01", COLUMN].concat().leak()[..], true).await,
            Reason::Body,
        ),
        ("a million columns", answers_with(b"\x04\0\0\x01\xfd\x40\x42\x0f", false).await, Reason::Body),
        ("empty packets", answers_with(b"\0\0\0\x01", true).await, Reason::Body),
        ("a file of ours", answers_with(b"\x0c\0\0\x01\xfb/etc/passwd", false).await, Reason::Body),
        ("another result without end", answers_with(b"\x07\0\0\x01\0\0\0\x0a\0\0\0", true).await, Reason::Body),
        ("silence after the greeting", silent_after_the_greeting, Reason::Timeout),
        ("silence after the login", answers_with(b"", false).await, Reason::Timeout),
        ("garbage for a greeting", test_peers::says(b"\x05\0\0\0\x0agarb").await, Reason::Body),
        ("a reset in mid-answer", reset_in_mid_answer, Reason::Body),
    ];
    for (name, peer, reason) in cases {
        let outcome = look_as("canary", &peer, "", Duration::from_millis(1500)).await;
        assert_eq!(outcome.fault.as_ref().map(|fault| fault.reason), Some(reason), "{name}: {outcome:?}");
        assert!(outcome.took < Duration::from_secs(3), "{name} took {:?}", outcome.took);
        assert_eq!(outcome.value(&UP), Some(0.0), "{name}");
    }
}

#[tokio::test]
async fn names_and_values_that_are_no_utf8_harm_nobody() {
    // Two columns, `x` and `y`; a row of broken bytes; the end.
    let answer: &[u8] =
        b"\x01\0\0\x01\x02\x0c\0\0\x02\x03def\0\0\0\x01\xff\x01y\x0c\x0c\0\0\x03\x03def\0\0\0\x01y\x01y\x0c\
        \x05\0\0\x04\xfe\0\0\x02\0\x06\0\0\x05\x02\xff\xfe\x02\xc3\x28\x05\0\0\x06\xfe\0\0\x02\0";
    let peer = test_peers::serve(move |mut stream| async move {
        send(&mut stream, 0, &greeting("mysql_native_password", false)).await;
        let Some((sequence, _)) = next(&mut stream).await else { return };
        send(&mut stream, sequence + 1, OK).await;
        while let Some((_, query)) = next(&mut stream).await {
            let set = query.get(1..).is_some_and(|text| text.starts_with(b"SET"));
            if set {
                send(&mut stream, 1, OK).await;
            } else if stream.write_all(answer).await.is_err() {
                return;
            }
        }
    })
    .await;
    let outcome = look_as("canary", &peer, "", Duration::from_secs(5)).await;
    assert!(outcome.ok(), "{outcome:?}");
    assert!(outcome.readings.iter().all(|reading| reading.metric.name.is_ascii()), "{outcome:?}");
    assert!(outcome.readings.len() < limits::MYSQL_LABELS);
}

#[tokio::test]
async fn what_comes_behind_the_greeting_before_tls_is_refused() {
    let mut wire = wire::Wire::over(b"\x01\0\0\0A\x01\0\0\x01B");
    assert_eq!(wire.read().await.unwrap(), b"A");
    assert!(wire.into_stream().is_err(), "B may be anybody's");
}

#[tokio::test]
async fn rows_of_nothing_have_an_end() {
    let head = b"\x01\0\0\x01\x01\x09\0\0\x02\x03def\0\0\0\x01x\x05\0\0\x03\xfe\0\0\0\0";
    let (enough, end) = (limits::MYSQL_CELLS, b"\x05\0\0\0\xfe\0\0\0\0");
    for (rows, fits) in [(enough, true), (enough + 1, false)] {
        let answer = [&head[..], &b"\x01\0\0\0\0".repeat(rows), end].concat();
        assert_eq!(session::replay(&answer).await.is_ok(), fits, "{rows}");
    }
}
