//! `redis` and `rediss`: log in, PING, read `INFO`, and set, get and delete one key of our own. One connection, kept.
//! What must stay true: the only key touched is `sidecar:probe:<random>`, and it expires by itself.

mod ask;
mod facts;
mod family;
#[cfg(test)]
mod hostile;
mod resp;
mod session;
#[cfg(test)]
mod tests;

use super::net::{Tls, TlsConfig};
use super::{Context, Depth, Fault, Key, Kind, Probe, Reason, Run, Target, fields_of, parameters};
use crate::clock;
use crate::limits;
use crate::node::{Node, Problems};
use crate::parser::Parser;
use facts::{Facts, fault_of};
use family::Scrapes;
use resp::Reply;
use session::{Lost, Session};

/// The row of the table.
pub(super) static KIND: Kind = Kind {
    name: "redis",
    schemes: &["redis", "rediss", "valkey", "valkeys"],
    summary: "Logs in to Redis, pings it, sets, gets and deletes a key of its own, and reads memory, clients, hit rate and persistence; of the peer itself all that redis_exporter exports.",
    example: "- name: cache\n  url: redis://:secret@cache:6379/0\n  round_trip: true\n",
    keys: &[
        Key {
            name: "round_trip",
            form: "true or false",
            default: "true",
            doc: "Set, get and delete the key `sidecar:probe:<random>`, which expires after 30 s. Left out on a replica by itself.",
        },
        Key {
            name: "tls_config",
            form: "mapping",
            default: "verify",
            doc: "TLS settings of `rediss` and `valkeys`, as for `http`.",
        },
    ],
    fields: fields_of::<Params>,
    facts: &family::FACTS,
    parsers: &[
        Parser { name: "redis_reply", read: resp::read },
        Parser { name: "redis_info", read: family::read_info },
        Parser { name: "redis_figures", read: family::read_replies },
    ],
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
    scrapes: Scrapes,
}

fn build(target: &Target, own: &Node, problems: &mut Problems) -> Option<Box<dyn Probe>> {
    let params: Params = parameters(own, problems)?;
    let tls = Tls::new(&params.tls_config, own.at, problems)?;
    Some(Box::new(Redis {
        target: target.clone(),
        round_trip: params.round_trip,
        tls,
        kept: None,
        scrapes: Scrapes::default(),
    }))
}

impl Probe for Redis {
    fn run<'a>(&'a mut self, cx: &'a mut Context<'_>) -> Run<'a> {
        Box::pin(async move {
            if cx.depth == Depth::Dependency {
                return self.visit(cx).await;
            }
            let began = clock::now();
            self.scrapes.begin(cx);
            let ended = self.visit(cx).await;
            self.scrapes.end(cx, clock::now().duration_since(began), ended.is_ok());
            ended
        })
    }
}

/// What a server is, as far as it matters for what comes next.
#[derive(Clone, Copy)]
enum Role {
    Writable,
    Replica,
    Sentinel,
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

    async fn visit(&mut self, cx: &mut Context<'_>) -> Result<(), Fault> {
        let mut session = self.session(cx).await?;
        let ended = self.look(cx, &mut session).await;
        self.kept = session.rest();
        ended
    }

    async fn look(&self, cx: &mut Context<'_>, session: &mut Session) -> Result<(), Fault> {
        let words: &[&str] = if cx.depth == Depth::Peer { &["INFO", "all"] } else { &["INFO"] };
        let role = match session.ask(cx, words).await? {
            Reply::Bulk(Some(bytes)) => self.record(cx, session, &String::from_utf8_lossy(&bytes)).await?,
            Reply::Error(error) => {
                cx.note("info", &format!("no figures: {error}"));
                figures(cx, session, &Facts::default()).await?;
                Role::Writable
            }
            _ => return Err(Fault::new(Reason::Body, "`INFO` was not answered with text")),
        };
        let left_out = match (self.round_trip, role) {
            (true, Role::Writable) => return round_trip(cx, session).await,
            (true, Role::Replica) => "left out: a replica takes no writes",
            (true, Role::Sentinel) => "left out: a Sentinel keeps no keys",
            (false, _) => "left out: switched off",
        };
        cx.note("round_trip", left_out);
        Ok(())
    }

    /// Writes down the figures; says what the server is.
    async fn record(&self, cx: &mut Context<'_>, session: &mut Session, text: &str) -> Result<Role, Fault> {
        let facts = Facts::read(text);
        facts.record(cx);
        figures(cx, session, &facts).await?;
        let clients_max = match facts.clients_max() {
            Some(most) => Some(most),
            None if facts.is_sentinel() => None,
            None => asked_clients_max(session.ask(cx, &["CONFIG", "GET", "maxclients"]).await?),
        };
        facts.record_limit(cx, clients_max);
        if facts.is_loading() {
            return Err(fault_of("LOADING Redis is loading the dataset in memory", "to serve"));
        }
        Ok(match (facts.is_sentinel(), facts.is_replica()) {
            (true, _) => Role::Sentinel,
            (_, true) => Role::Replica,
            _ => Role::Writable,
        })
    }
}

/// The family of the public exporter, for the server that this agent stands beside.
async fn figures(cx: &mut Context<'_>, session: &mut Session, facts: &Facts<'_>) -> Result<(), Fault> {
    if cx.depth == Depth::Peer { ask::all(cx, session, facts).await } else { Ok(()) }
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
