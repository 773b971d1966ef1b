//! One connection to Redis: dialled, secured, logged in; a request and its reply at a time. Every fault has its reason, and a peer
//! that is no Redis is named.

use super::facts::fault_of;
use super::resp::{self, Broken, Reply};
use crate::limits;
use crate::probes::database::{Dialed, Stream, dial, other, stranger};
use crate::probes::net::{self, Tls};
use crate::probes::{Context, Fault, Reason, Target};
use crate::units::Span;
use std::io;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

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
            "rediss" => secure(cx, stream, address, target, tls).await?,
            _ => stream,
        };
        let mut session =
            Self { stream, address, buffer: Vec::new(), scheme: target.scheme.clone(), known: false, sound: true };
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
            self.demand(cx, &["SELECT", &database], "the database").await?;
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
                let silent = Fault::new(Reason::Timeout, format!("connected, and no answer within {}", Span(share)));
                Err(Lost::Wrong(stranger(cx, self.address, &self.scheme).await.unwrap_or(silent)))
            }
        }
    }

    async fn exchange(&mut self, words: &[&str]) -> Result<Reply, Lost> {
        self.sound = false;
        self.stream.write_all(&resp::encode(words)).await.map_err(Lost::Gone)?;
        self.stream.flush().await.map_err(Lost::Gone)?;
        loop {
            match resp::decode(&self.buffer) {
                Ok(Some((reply, used))) => {
                    self.buffer.drain(..used);
                    (self.known, self.sound) = (true, true);
                    return Ok(reply);
                }
                Ok(None) => self.more().await.map_err(Lost::Gone)?,
                Err(broken) => return Err(Lost::Wrong(self.not_a_reply(broken))),
            }
        }
    }

    async fn more(&mut self) -> io::Result<()> {
        let mut part = [0; 4096];
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
                let named = if self.known { None } else { stranger(cx, self.address, &self.scheme).await };
                named.unwrap_or(fault)
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
            let fault = Fault::new(Reason::Timeout, format!("no TLS answer within {}", Span(share)));
            Err(stranger(cx, address, &target.scheme).await.unwrap_or(fault))
        }
    }
}
