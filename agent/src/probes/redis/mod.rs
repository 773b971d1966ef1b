//! `redis` and `rediss`: log in, PING, read `INFO`, and set, get and delete one key of our own. One connection, kept.
//! What must stay true: the only key touched is `sidecar:probe:<random>`, and it expires by itself.

mod facts;
mod resp;
mod session;
#[cfg(test)]
mod tests;

use super::net::{Tls, TlsConfig};
use super::{Context, Fault, Key, Kind, Probe, Reason, Run, Target, fields_of, parameters};
use crate::limits;
use crate::node::{Node, Problems};
use crate::parser::Parser;
use facts::{Facts, fault_of};
use resp::Reply;
use session::{Lost, Session};

/// The row of the table.
pub(super) static KIND: Kind = Kind {
    name: "redis",
    schemes: &["redis", "rediss"],
    summary: "Logs in to Redis, pings it, sets, gets and deletes a key of its own, and reads memory, clients, hit rate and persistence.",
    example: "- name: cache\n  url: redis://:secret@cache:6379/0\n  round_trip: true\n",
    keys: &[
        Key {
            name: "round_trip",
            form: "true or false",
            default: "true",
            doc: "Set, get and delete the key `sidecar:probe:<random>`, which expires after 30 s. Left out on a replica by itself.",
        },
        Key { name: "tls_config", form: "mapping", default: "verify", doc: "TLS settings of `rediss`, as for `http`." },
    ],
    fields: fields_of::<Params>,
    facts: facts::FACTS,
    parsers: &[Parser { name: "redis_reply", read: resp::read }],
    slow: false,
    build,
};

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Params {
    round_trip: bool,
    tls_config: TlsConfig,
}

impl Default for Params {
    fn default() -> Self {
        Self { round_trip: true, tls_config: TlsConfig::default() }
    }
}

struct Redis {
    target: Target,
    round_trip: bool,
    tls: Tls,
    kept: Option<Session>,
}

fn build(target: &Target, own: &Node, problems: &mut Problems) -> Option<Box<dyn Probe>> {
    let params: Params = parameters(own, problems)?;
    let tls = Tls::new(&params.tls_config, own.at, problems)?;
    Some(Box::new(Redis { target: target.clone(), round_trip: params.round_trip, tls, kept: None }))
}

impl Probe for Redis {
    fn run<'a>(&'a mut self, cx: &'a mut Context<'_>) -> Run<'a> {
        Box::pin(async move {
            let mut session = self.session(cx).await?;
            let ended = self.look(cx, &mut session).await;
            self.kept = Some(session).filter(|session| session.sound);
            ended
        })
    }
}

impl Redis {
    /// A connection that has just answered PING: the kept one, or a new one when that is gone.
    async fn session(&mut self, cx: &mut Context<'_>) -> Result<Session, Fault> {
        if let Some(mut session) = self.kept.take() {
            cx.phase("query");
            match session.try_ask(cx, &["PING"]).await {
                Ok(reply) => return pong(reply).map(|()| session),
                Err(Lost::Wrong(fault)) => return Err(fault),
                // Servers close idle connections and restart; that is no failure while a new one can be made.
                Err(Lost::Gone(_)) => {}
            }
        }
        let mut session = Session::open(cx, &self.target, &self.tls).await?;
        cx.phase("query");
        pong(session.ask(cx, &["PING"]).await?).map(|()| session)
    }

    async fn look(&self, cx: &mut Context<'_>, session: &mut Session) -> Result<(), Fault> {
        let writable = match session.ask(cx, &["INFO"]).await? {
            Reply::Bulk(Some(bytes)) => self.record(cx, session, &String::from_utf8_lossy(&bytes)).await?,
            Reply::Error(error) => {
                cx.note("info", &format!("no figures: {error}"));
                true
            }
            _ => return Err(Fault::new(Reason::Body, "`INFO` was not answered with text")),
        };
        match (self.round_trip, writable) {
            (true, true) => round_trip(cx, session).await,
            (true, false) => {
                cx.note("round_trip", "left out: a replica takes no writes");
                Ok(())
            }
            (false, _) => {
                cx.note("round_trip", "left out: switched off");
                Ok(())
            }
        }
    }

    /// Writes down the figures; says whether the server takes writes.
    async fn record(&self, cx: &mut Context<'_>, session: &mut Session, text: &str) -> Result<bool, Fault> {
        let facts = Facts::read(text);
        let clients_max = match facts.clients_max() {
            Some(most) => Some(most),
            None => asked_clients_max(session.ask(cx, &["CONFIG", "GET", "maxclients"]).await?),
        };
        facts.record(cx, clients_max);
        if facts.is_loading() {
            return Err(fault_of("LOADING Redis is loading the dataset in memory", "to serve"));
        }
        Ok(!facts.is_replica())
    }
}

fn asked_clients_max(reply: Reply) -> Option<f64> {
    let Reply::List(items) = reply else { return None };
    let Some(Reply::Bulk(Some(value))) = items.into_iter().nth(1) else { return None };
    String::from_utf8_lossy(&value).parse().ok()
}

fn pong(reply: Reply) -> Result<(), Fault> {
    match reply {
        Reply::Simple(word) if word == "PONG" => Ok(()),
        Reply::Error(error) => Err(fault_of(&error, "PING")),
        _ => Err(Fault::new(Reason::Body, "PING was not answered with PONG")),
    }
}

/// Sets, gets and deletes a key of our own, in phase `round_trip`.
async fn round_trip(cx: &mut Context<'_>, session: &mut Session) -> Result<(), Fault> {
    cx.phase("round_trip");
    let random = format!("{:016x}", fastrand::u64(..));
    let key = format!("sidecar:probe:{random}");
    match session.ask(cx, &["SET", &key, &random, "EX", limits::ROUND_TRIP_EXPIRY]).await? {
        Reply::Error(error) if error.starts_with("MOVED") => {
            cx.note("round_trip", "left out: this cluster keeps the key on another node");
            return Ok(());
        }
        Reply::Error(error) => return Err(fault_of(&error, "to set a key")),
        _ => {}
    }
    let got = session.demand(cx, &["GET", &key], "to get a key").await?;
    session.demand(cx, &["DEL", &key], "to delete a key").await?;
    cx.end_phase();
    if got != Reply::Bulk(Some(random.into_bytes())) {
        return Err(Fault::new(Reason::Body, "a key that was just set came back with another value or not at all")
            .hint("is there a proxy that sends reads to a replica that lags?"));
    }
    Ok(())
}
