//! One connection to Redis: dialled, secured, logged in; a request and its reply at a time. Every fault has its reason, and a peer
//! that is no Redis is named.

use super::facts::fault_of;
use super::resp::{self, Broken, Reply};
use crate::limits;
use crate::probes::database::{Dialed, Stream, dial, other, stranger};
use crate::probes::net::{self, Tls};
use crate::probes::{Context, Detail, Fault, Reason, Target};
use crate::units::Span;
use std::io;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, timeout};

/// A connection that is logged in.
pub(super) struct Session {
    stream: Box<dyn Stream>,
    address: Option<SocketAddr>,
    buffer: Vec<u8>,
    scheme: String,
    /// Whether the peer has ever answered in RESP; before that, a broken connection makes us look at what it is.
    known: bool,
    /// Whether every request has had its reply: such a connection can be kept.
    pub(super) sound: bool,
    /// Which rows of a table of requests this server refused.
    pub(super) refused: Refused,
}

/// Requests that were refused: asked again now and then only, for each refusal stands in the server's own counters and ACL log.
#[derive(Default)]
pub(super) struct Refused {
    rows: u32,
    /// Those of them for which the user has no right.
    rights: u32,
    since: Option<Instant>,
}

impl Refused {
    /// Whether a row is to be left out.
    pub(super) fn holds(&self, row: usize) -> bool {
        self.since.is_some() && self.rows & bit(row) != 0
    }

    /// Whether it is left out because the user has no right to it.
    pub(super) fn for_want_of_a_right(&self, row: usize) -> bool {
        self.rights & bit(row) != 0
    }

    /// Notes a row.
    pub(super) fn add(&mut self, row: usize, for_want_of_a_right: bool, now: Instant) {
        self.rows |= bit(row);
        self.rights |= if for_want_of_a_right { bit(row) } else { 0 };
        self.since.get_or_insert(now);
    }

    /// Forgets all after a while, for rights may have been given.
    pub(super) fn age(&mut self, now: Instant) {
        if self.since.is_some_and(|since| now.duration_since(since) > limits::REDIS_ASK_AGAIN) {
            *self = Self::default();
        }
    }
}

fn bit(row: usize) -> u32 {
    u32::try_from(row).ok().and_then(|row| 1_u32.checked_shl(row)).unwrap_or(0)
}

/// Why there is no reply.
pub(super) enum Lost {
    /// The connection is gone; a kept one may just have been idle for too long.
    Gone(io::Error),
    /// The peer answered, and wrongly.
    Wrong(Fault),
}

impl Session {
    /// Connects and logs in, in phases `resolve`, `connect`, `tls` and `login`.
    pub(super) async fn open(cx: &mut Context<'_>, target: &Target, tls: &Tls) -> Result<Self, Fault> {
        let Dialed { stream, address } = dial(cx, target, 6379).await?;
        let stream = match target.scheme.as_str() {
            "rediss" | "valkeys" => secure(cx, stream, address, target, tls).await?,
            _ => stream,
        };
        let mut session = Self {
            stream,
            address,
            buffer: Vec::new(),
            scheme: target.scheme.clone(),
            known: false,
            sound: true,
            refused: Refused::default(),
        };
        cx.phase("login");
        session.log_in(cx, target).await?;
        Ok(session)
    }

    async fn log_in(&mut self, cx: &mut Context<'_>, target: &Target) -> Result<(), Fault> {
        if let Some(password) = target.password.as_ref().filter(|password| !password.expose().is_empty()) {
            // `default` is the user of a server that knows only a password, and older ones know no user at all.
            let words = match target.user.as_str() {
                "" | "default" => vec!["AUTH", password.expose()],
                user => vec!["AUTH", user, password.expose()],
            };
            self.demand(cx, &words, "the login").await?;
        }
        let database = target
            .param(&["db"])
            .unwrap_or_else(|| if target.socket().is_some() { String::new() } else { target.database() });
        if !matches!(database.as_str(), "" | "0") {
            if database.parse::<u32>().is_err() {
                return Err(Fault::new(Reason::Config, "the path of the URL is not the number of a database")
                    .hint("write `redis://host:6379/0`"));
            }
            match self.ask(cx, &["SELECT", &database]).await? {
                // A Sentinel has no databases and does not know the command.
                Reply::Error(error) if error.contains("unknown command") => {}
                Reply::Error(error) => return Err(fault_of(&error, "the database")),
                _ => {}
            }
        }
        // Only so that `CLIENT LIST` tells whose connection this is; a server or ACL that refuses it loses nothing.
        self.ask(cx, &["CLIENT", "SETNAME", limits::CLIENT_NAME]).await.map(drop)
    }

    /// A request whose reply must not be an error.
    pub(super) async fn demand(&mut self, cx: &mut Context<'_>, words: &[&str], what: &str) -> Result<Reply, Fault> {
        match self.ask(cx, words).await? {
            Reply::Error(error) => Err(fault_of(&error, what)),
            reply => Ok(reply),
        }
    }

    /// A request and its reply, an error reply included.
    pub(super) async fn ask(&mut self, cx: &mut Context<'_>, words: &[&str]) -> Result<Reply, Fault> {
        match self.try_ask(cx, words).await {
            Ok(reply) => Ok(reply),
            Err(lost) => Err(self.fault(cx, lost).await),
        }
    }

    /// The same, and a connection that is gone is told apart.
    pub(super) async fn try_ask(&mut self, cx: &mut Context<'_>, words: &[&str]) -> Result<Reply, Lost> {
        if self.known || self.address.is_none() {
            return self.exchange(words).await;
        }
        // A stranger may stay silent: leave time to look at what it is.
        let share = cx.left().mul_f64(0.7);
        match timeout(share, self.exchange(words)).await {
            Ok(ended) => ended,
            Err(_elapsed) => {
                let silent = Fault::new(Reason::Timeout, format!("connected, and no answer within {}", Span(share)))
                    .exactly(Detail::NoAnswer);
                Err(Lost::Wrong(stranger(cx, self.address, &self.scheme).await.unwrap_or(silent)))
            }
        }
    }

    /// Several requests in one round trip, and the reply to each; one that is too large to be read is an error reply.
    pub(super) async fn ask_all(&mut self, cx: &Context<'_>, requests: &[Vec<&str>]) -> Result<Vec<Reply>, Fault> {
        match self.exchange_all(requests).await {
            Ok(replies) => Ok(replies),
            Err(lost) => Err(self.fault(cx, lost).await),
        }
    }

    async fn exchange_all(&mut self, requests: &[Vec<&str>]) -> Result<Vec<Reply>, Lost> {
        self.send(&requests.iter().flat_map(|words| resp::encode(words)).collect::<Vec<u8>>()).await?;
        let (mut replies, mut spent) = (Vec::with_capacity(requests.len()), 0);
        for _ in requests {
            let length = self.whole().await?;
            spent += length;
            let reply = match resp::decode(self.buffer.get(..length).unwrap_or_default()) {
                Ok(Some((reply, _))) if spent <= limits::REDIS_BATCH_BYTES => reply,
                Err(Broken::Foreign) => return Err(Lost::Wrong(self.not_a_reply(Broken::Foreign))),
                _ => Reply::Error("ERR the reply is larger than is read".to_owned()),
            };
            self.buffer.drain(..length);
            replies.push(reply);
        }
        self.sound = true;
        Ok(replies)
    }

    async fn exchange(&mut self, words: &[&str]) -> Result<Reply, Lost> {
        self.send(&resp::encode(words)).await?;
        let length = self.whole().await?;
        let reply = match resp::decode(self.buffer.get(..length).unwrap_or_default()) {
            Ok(Some((reply, _))) => reply,
            Ok(None) => return Err(Lost::Wrong(self.not_a_reply(Broken::Foreign))),
            Err(broken) => return Err(Lost::Wrong(self.not_a_reply(broken))),
        };
        self.buffer.drain(..length);
        (self.known, self.sound) = (true, true);
        Ok(reply)
    }

    async fn send(&mut self, request: &[u8]) -> Result<(), Lost> {
        self.sound = false;
        self.stream.write_all(request).await.map_err(Lost::Gone)?;
        self.stream.flush().await.map_err(Lost::Gone)
    }

    /// Waits until the next reply is there as a whole; its length.
    async fn whole(&mut self) -> Result<usize, Lost> {
        let mut progress = resp::Progress::new();
        loop {
            match progress.look(&self.buffer) {
                Ok(Some(length)) => return Ok(length),
                Ok(None) => self.more().await.map_err(Lost::Gone)?,
                Err(broken) => return Err(Lost::Wrong(self.not_a_reply(broken))),
            }
        }
    }

    /// Gives back what a large reply needed, before the connection is kept until the next run. What was said without being asked for
    /// would be taken for the next answer.
    pub(super) fn rest(mut self) -> Option<Self> {
        self.buffer.shrink_to(limits::REDIS_BUFFER_KEPT);
        (self.sound && self.buffer.is_empty()).then_some(self)
    }

    async fn more(&mut self) -> io::Result<()> {
        let mut part = [0; 8192];
        let length = self.stream.read(&mut part).await?;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.buffer.extend_from_slice(part.get(..length).unwrap_or_default());
        Ok(())
    }

    fn not_a_reply(&self, broken: Broken) -> Fault {
        let spoken = net::classify(&self.buffer).filter(|_| broken == Broken::Foreign);
        let named = spoken.zip(self.address).and_then(|(spoken, address)| other(&spoken, &self.scheme, address));
        let reason = match broken {
            Broken::Foreign => Reason::ProtocolMismatch,
            Broken::TooLarge => Reason::Body,
        };
        named.unwrap_or_else(|| Fault::new(reason, broken.to_string()).hint("is this the port of a Redis server?"))
    }

    /// The fault of a lost reply. When nothing of Redis was ever heard, looks at what it is.
    pub(super) async fn fault(&self, cx: &Context<'_>, lost: Lost) -> Fault {
        match lost {
            Lost::Wrong(fault) => fault,
            Lost::Gone(error) => {
                let fault = net::fault_of(&error, "read the answer");
                match fault.reason {
                    // It has spoken Redis before, so this is no other protocol: the answer was cut off.
                    Reason::ProtocolMismatch if self.known => Fault { reason: Reason::Body, detail: None, ..fault },
                    _ if self.known => fault,
                    _ => stranger(cx, self.address, &self.scheme).await.unwrap_or(fault),
                }
            }
        }
    }
}

/// TLS over a fresh connection; a server without TLS may swallow our greeting in silence, so time is left to look at it.
async fn secure(
    cx: &mut Context<'_>,
    stream: Box<dyn Stream>,
    address: Option<SocketAddr>,
    target: &Target,
    tls: &Tls,
) -> Result<Box<dyn Stream>, Fault> {
    let share = cx.left().mul_f64(0.7);
    match timeout(share, net::handshake(cx, stream, &target.host, tls)).await {
        Ok(Ok(stream)) => Ok(Box::new(stream)),
        Ok(Err(fault)) if fault.reason == Reason::ProtocolMismatch => {
            Err(stranger(cx, address, &target.scheme).await.unwrap_or(fault))
        }
        Ok(Err(fault)) => Err(fault),
        Err(_elapsed) => {
            let fault =
                Fault::new(Reason::Timeout, format!("no TLS answer within {}", Span(share))).exactly(Detail::NoAnswer);
            Err(stranger(cx, address, &target.scheme).await.unwrap_or(fault))
        }
    }
}
