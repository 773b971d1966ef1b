//! The way in: the greeting, TLS in the middle of it, and the ways to log in of MySQL 5.7 to 9 and MariaDB. The login is ours, as that of
//! Redis is: TLS is that of all probes, the certificate is described, and what a server may send has caps.
//! What must stay true: the password leaves in the clear only inside TLS or a unix socket.

use super::packets::{Greeting, Step};
use super::password;
use super::session::Session;
use super::wire::{Trouble, Wire};
use crate::limits;
use crate::probes::database::{Dialed, Stream, dial, other, stranger};
use crate::probes::sql::connection::{Connection, Inner, too_much};
use crate::probes::sql::{Plan, Security};
use crate::probes::{Context, Depth, Detail, Fault, Reason, clean, net};
use crate::units::Span;
use ring::rand::{SecureRandom as _, SystemRandom};
use std::net::SocketAddr;
use std::pin::pin;
use tokio::io::AsyncReadExt as _;
use tokio::time::timeout;

/// Who logs in.
pub(super) struct Account<'a> {
    pub(super) user: &'a str,
    pub(super) password: &'a str,
    pub(super) database: &'a str,
    /// Whether nobody can listen: TLS, or a unix socket.
    pub(super) hidden: bool,
    /// Whether it is also known who is at the other end.
    pub(super) verified: bool,
}

/// Features of the protocol, as bits.
mod features {
    pub(super) const CONNECT_WITH_DB: u32 = 1 << 3;
    pub(super) const SSL: u32 = 1 << 11;
    /// Long passwords and flags, protocol 4.1, transactions, 4.1's logins, several statements and results, named logins, and
    /// answers of any length in them.
    pub(super) const OURS: u32 =
        1 | 1 << 2 | 1 << 9 | 1 << 13 | 1 << 15 | 1 << 16 | 1 << 17 | 1 << 19 | 1 << 21 | CONNECT_WITH_DB | SSL;
    /// What is not asked for, for without it there is no conversation.
    pub(super) const NEEDED: u32 = 1 << 9 | 1 << 15;
}

/// UTF-8 of four bytes, under a number that every version knows.
const CHARSET: u8 = 45;
/// Steps of a login; the longest that there is has six.
const STEPS: usize = 10;
/// The way to log in that every server understands, if only to name another.
const NATIVE: &str = "mysql_native_password";
const SHA2: &str = "caching_sha2_password";
const SHA256: &str = "sha256_password";

/// Connects and logs in, in phases `resolve`, `connect`, `login` and `tls`.
pub(in crate::probes) async fn open(cx: &mut Context<'_>, plan: &Plan) -> Result<Connection, Fault> {
    let Dialed { mut stream, address } = dial(cx, &plan.target, 3306).await?;
    cx.phase("login");
    let first = greeting(cx, &mut stream, address, plan).await?;
    let failed = |trouble: Trouble| fault_of(&trouble, "the login");
    let mut wire = Wire::new(stream, first);
    let greeting = Greeting::read(wire.read().await.map_err(failed)?).map_err(failed)?;
    let secured = secures(plan.security, &greeting)?;
    let database = plan.target.database();
    let account = Account {
        user: if plan.target.user.is_empty() { "root" } else { &plan.target.user },
        password: plan.target.password.as_ref().map_or("", |password| password.expose()),
        database: &database,
        hidden: secured || address.is_none(),
        verified: plan.security == Security::Verified || address.is_none(),
    };
    let mut flags = features::OURS & greeting.capabilities | features::NEEDED;
    if database.is_empty() {
        flags &= !features::CONNECT_WITH_DB;
    }
    if secured {
        wire.write(&head(flags)).await.map_err(failed)?;
        let sequence = wire.sequence();
        let stream = wire.into_stream().map_err(failed)?;
        let stream = net::handshake(cx, stream, &plan.target.host, &plan.tls).await?;
        cx.phase("login");
        wire = Wire::new(Box::new(stream), Vec::new()).counting(sequence);
    } else {
        flags &= !features::SSL;
    }
    log_in(&mut wire, &greeting, &account, flags).await.map_err(failed)?;
    let limit = if cx.depth == Depth::Peer { cx.left() / limits::MYSQL_STATEMENT_SHARE } else { cx.left() };
    let mut session = Session::new(wire, limit);
    guard(&mut session, greeting.mariadb).await?;
    Ok(Connection::new(Inner::MySql(session), None))
}

fn secures(security: Security, greeting: &Greeting) -> Result<bool, Fault> {
    match (security, greeting.capabilities & features::SSL != 0) {
        (Security::Off, _) | (Security::Preferred, false) => Ok(false),
        (_, true) => Ok(true),
        (_, false) => Err(Fault::new(Reason::Tls, "the server has no TLS, and the URL or `tls_config` wants it")
            .exactly(Detail::TlsMissing)
            .hint("give it a certificate (`ssl_cert`, `ssl_key`), or write `?ssl-mode=DISABLED`")),
    }
}

/// What a request for TLS and a login begin with.
fn head(flags: u32) -> Vec<u8> {
    const LARGEST_PACKET: u32 = 1 << 24;
    [&flags.to_le_bytes()[..], &LARGEST_PACKET.to_le_bytes(), &[CHARSET], &[0; 23]].concat()
}

/// Logs in, whatever way the server wants it that we know.
pub(super) async fn log_in(
    wire: &mut Wire,
    greeting: &Greeting,
    account: &Account<'_>,
    flags: u32,
) -> Result<(), Trouble> {
    let (mut plugin, mut nonce) = (greeting.plugin.clone(), greeting.nonce.clone());
    let first = match answer(&plugin, account, &nonce) {
        Ok(first) => first,
        // What the server likes best need not be what this user has.
        Err(_unknown) => {
            NATIVE.clone_into(&mut plugin);
            answer(&plugin, account, &nonce)?
        }
    };
    let length = u8::try_from(first.len()).ok().filter(|length| *length < 251).ok_or(Trouble::TooMuch)?;
    let database = if flags & features::CONNECT_WITH_DB == 0 { Vec::new() } else { zero_ended(account.database) };
    let parts = [head(flags), zero_ended(account.user), vec![length], first, database, zero_ended(&plugin)];
    wire.write(&parts.concat()).await?;
    let mut sealed = false;
    for _ in 0..STEPS {
        let reply = match Step::read(wire.read().await?)? {
            Step::Done => return Ok(()),
            Step::Switch { plugin: wanted, nonce: fresh } => {
                (plugin, nonce) = (wanted, fresh);
                Some(answer(&plugin, account, &nonce)?)
            }
            // A public key comes once: computing with it costs milliseconds, which no server may make us spend again and again.
            Step::More(said) if said.len() > 1 && std::mem::replace(&mut sealed, true) => {
                return Err(Trouble::Nonsense("a second public key"));
            }
            Step::More(said) => more(&plugin, &said, account, &nonce)?,
        };
        if let Some(reply) = reply {
            wire.write(&reply).await?;
        }
    }
    Err(Trouble::Nonsense("a login without end"))
}

/// Reads these bytes as a server's side of a login in plain text: for fuzz targets.
pub(super) async fn replay(bytes: &[u8]) {
    let greeting =
        Greeting { capabilities: features::OURS, nonce: vec![b'x'; 20], plugin: SHA2.to_owned(), mariadb: false };
    let account = Account { user: "app", password: "password", database: "", hidden: false, verified: false };
    let _ = log_in(&mut Wire::over(bytes), &greeting, &account, features::NEEDED).await;
}

fn zero_ended(text: &str) -> Vec<u8> {
    [text.as_bytes(), &[0]].concat()
}

/// The first answer to a way to log in.
fn answer(plugin: &str, account: &Account<'_>, nonce: &[u8]) -> Result<Vec<u8>, Trouble> {
    const KEY_PLEASE: u8 = 1;
    let password = account.password;
    match plugin {
        NATIVE | "" | SHA2 if password.is_empty() => Ok(Vec::new()),
        NATIVE | "" => Ok(password::native(password, nonce)),
        SHA2 => Ok(password::sha2(password, nonce)),
        SHA256 if account.hidden || password.is_empty() => Ok(zero_ended(password)),
        SHA256 => Ok(vec![KEY_PLEASE]),
        "mysql_clear_password" if account.verified => Ok(zero_ended(password)),
        other => Err(Trouble::Plugin(clean(other))),
    }
}

/// The answer to what a way to log in says further: the server's memory knows the user, or does not, or here is its public key.
fn more(plugin: &str, said: &[u8], account: &Account<'_>, nonce: &[u8]) -> Result<Option<Vec<u8>>, Trouble> {
    const KEY_PLEASE: u8 = 2;
    match (plugin, said) {
        (SHA2, [3]) => Ok(None),
        (SHA2, [4]) if account.hidden => Ok(Some(zero_ended(account.password))),
        (SHA2, [4]) => Ok(Some(vec![KEY_PLEASE])),
        (SHA2 | SHA256, pem) => {
            let mut seed = [0; 20];
            SystemRandom::new().fill(&mut seed).map_err(|_| Trouble::Nonsense("no random bytes"))?;
            let sealed = password::encrypted(account.password, nonce, pem, seed);
            Ok(Some(sealed.ok_or(Trouble::Nonsense("a public key that is none, or that is too short"))?))
        }
        _ => Err(Trouble::Nonsense("what came is no step of this login")),
    }
}

/// Makes the session read-only and impatient. Each of the two servers has its own word for the limit of a statement's time.
async fn guard(session: &mut Session, mariadb: bool) -> Result<(), Fault> {
    let milliseconds = session.statement_limit.as_millis().max(1);
    let guards = [
        "SET SESSION TRANSACTION READ ONLY".to_owned(),
        "SET SESSION lock_wait_timeout = 1, innodb_lock_wait_timeout = 1".to_owned(),
        if mariadb {
            format!("SET SESSION max_statement_time = {}.{:03}", milliseconds / 1000, milliseconds % 1000)
        } else {
            format!("SET SESSION max_execution_time = {milliseconds}")
        },
    ];
    for guard in guards {
        match session.query(&guard).await {
            Ok(_) | Err(Trouble::Refused { .. }) => {}
            Err(trouble) => return Err(fault_of(&trouble, "the login")),
        }
    }
    Ok(())
}

/// The first bytes of the server: MySQL speaks first, and whoever says something else, or nothing, is named.
async fn greeting(
    cx: &Context<'_>,
    stream: &mut Box<dyn Stream>,
    address: Option<SocketAddr>,
    plan: &Plan,
) -> Result<Vec<u8>, Fault> {
    let mut first = vec![0; limits::FIRST_BYTES];
    let share = cx.left().mul_f64(0.7);
    let scheme = &plan.target.scheme;
    let said = {
        let mut said = pin!(timeout(share, stream.read(&mut first)));
        match timeout(limits::GREETING_PATIENCE, &mut said).await {
            Ok(said) => said,
            // A server of HTTP waits for us as we do for it. A sound one that is slow to greet goes on being waited for: each
            // look at it costs it a handshake that is broken off, so it gets one look a minute.
            Err(_silent) => tokio::select! {
                biased;
                said = &mut said => said,
                Some(fault) = stranger(cx, address, scheme) => return Err(fault),
            },
        }
    };
    let fault = match said {
        Ok(Ok(length)) if length > 0 => {
            first.truncate(length);
            let named = net::classify(&first).zip(address).and_then(|(spoken, at)| other(&spoken, scheme, at));
            return named.map_or(Ok(first), Err);
        }
        Ok(Ok(_)) => net::fault_of(&std::io::ErrorKind::UnexpectedEof.into(), "read the server's greeting"),
        Ok(Err(error)) => net::fault_of(&error, "read the server's greeting"),
        Err(_elapsed) => Fault::new(Reason::Timeout, format!("connected, and no greeting within {}", Span(share)))
            .exactly(Detail::NoAnswer),
    };
    Err(stranger(cx, address, scheme).await.unwrap_or(fault))
}

/// The fault of an error, by the server's own number (MySQL's and MariaDB's error reference).
pub(in crate::probes) fn fault_of(trouble: &Trouble, doing: &str) -> Fault {
    let (number, message) = match trouble {
        Trouble::Refused { number, message } => (*number, message),
        Trouble::Io(error) => return net::fault_of(error, &format!("read the answer to {doing}")),
        Trouble::TooMuch => return too_much(),
        Trouble::Nonsense(what) => {
            return Fault::new(Reason::Body, format!("what answered to {doing} makes no sense: {what}"));
        }
        Trouble::Plugin(name) => {
            let message = format!("the server wants this user to log in by `{name}`, which the agent does not know");
            let hint = "give the agent an account of its own with `caching_sha2_password` (MySQL) or `mysql_native_password` \
                        (MariaDB); `mysql_clear_password` also wants `?ssl-mode=VERIFY_IDENTITY`";
            return Fault::new(Reason::Auth, message).exactly(Detail::LoginRefused).hint(hint);
        }
    };
    let (reason, hint) = match number {
        1045 | 1251 | 1275 | 1524 | 1698 | 1862 | 2059 => {
            (Reason::Auth, "compare user, password and host of the account with the URL")
        }
        1044 | 1130 | 1142 | 1143 | 1227 => (Reason::Auth, "grant this user, from this host, what the message names"),
        1049 => (Reason::Schema, "create the database, or correct the path of the URL"),
        1046 => (Reason::Schema, "name the database in the URL's path"),
        1054 | 1146 => (Reason::Schema, "run the migrations"),
        1040 | 1203 | 1226 => {
            (Reason::Saturated, "raise `max_connections`, or find who does not give connections back")
        }
        1129 => {
            (Reason::Saturated, "the server counted too many broken connections: `FLUSH HOSTS` lets this host in again")
        }
        1021 | 1037 | 1038 | 1041 => (Reason::Saturated, "look at the server's memory and disk"),
        1053 | 1927 => (Reason::Status, "it is stopping: look at its log"),
        1205 | 1969 | 3024 => (Reason::Timeout, "the server is too busy, or a lock is held: see SHOW PROCESSLIST"),
        _ => (Reason::Body, "the server's log may say more"),
    };
    let fault = Fault::new(reason, format!("the server refused {doing}: {}", clean(message))).hint(hint);
    Fault { detail: exactly(number), ..fault }
}

/// What a number says exactly.
fn exactly(number: u16) -> Option<Detail> {
    Some(match number {
        1045 | 1251 | 1275 | 1524 | 1698 | 1862 | 2059 => Detail::LoginRefused,
        1044 | 1130 | 1142 | 1143 | 1227 => Detail::PermissionMissing,
        1046 | 1049 => Detail::DatabaseMissing,
        1054 | 1146 => Detail::TableMissing,
        1040 | 1203 | 1226 => Detail::TooManyConnections,
        1290 | 1792 | 1836 => Detail::ReadOnly,
        1037 | 1038 | 1041 => Detail::OutOfMemory,
        1053 | 1927 => Detail::NotReady,
        1205 | 1969 | 3024 => Detail::TooSlow,
        _ => return None,
    })
}
