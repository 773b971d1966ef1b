//! A logged-in connection to either database. Queries go out in the simple protocol and every value comes back as text, so that
//! poolers like PgBouncer in transaction mode, which know no prepared statements, can be checked as well.

use super::relay::Relay;
use crate::probes::mysql::Trouble;
use crate::probes::net;
use crate::probes::{Fault, Reason, clean, mysql, postgres};
use crate::{limits, panics};
use sqlx::{AssertSqlSafe, Decode, Executor as _, Type};
use std::time::Duration;

/// A row of a result; NULL is `None`.
pub(in crate::probes) type Row = Vec<Option<String>>;

/// A connection that is logged in.
pub(in crate::probes) struct Connection {
    inner: Inner,
    relay: Option<Relay>,
}

/// The driver's part.
pub(in crate::probes) enum Inner {
    /// PostgreSQL.
    Postgres(sqlx::PgConnection),
    /// MySQL or MariaDB.
    MySql(mysql::Session),
}

/// Why a query gave no rows.
#[derive(Debug)]
pub(in crate::probes) struct Failure {
    /// The fault that it comes to.
    pub(in crate::probes) fault: Fault,
    /// Whether the connection can be used on.
    pub(in crate::probes) gone: bool,
}

impl Connection {
    /// A connection, whose bytes go through `relay` when a driver reads them.
    pub(in crate::probes) fn new(inner: Inner, relay: impl Into<Option<Relay>>) -> Self {
        Self { inner, relay: relay.into() }
    }

    /// Gives a new run its allowance of bytes.
    pub(in crate::probes) fn begin_run(&mut self) {
        self.relay.iter().for_each(Relay::allow);
        if let Inner::MySql(session) = &mut self.inner {
            session.begin_run();
        }
    }

    /// The session with MySQL, for answers whose columns go by name.
    pub(in crate::probes) const fn mysql(&mut self) -> Option<&mut mysql::Session> {
        match &mut self.inner {
            Inner::MySql(session) => Some(session),
            Inner::Postgres(_) => None,
        }
    }

    /// Runs a fixed query that writes nothing; `timeout` is also told to the server, should we go away meanwhile.
    pub(in crate::probes) async fn rows(&mut self, sql: &str, timeout: Duration) -> Result<Vec<Row>, Failure> {
        // All SQL is fixed text; what comes from the configuration are table names, checked by `super::tables`.
        match &mut self.inner {
            Inner::MySql(session) => session.query(sql).await.map(|found| found.rows).map_err(Failure::from),
            Inner::Postgres(connection) => {
                let guarded = postgres::guarded(sql, timeout);
                let rows = async {
                    let rows = connection.fetch_all(sqlx::raw_sql(AssertSqlSafe(guarded))).await?;
                    Ok(rows.iter().map(texts).collect())
                };
                let ended: Result<Vec<Row>, sqlx::Error> = unwound(rows).await;
                ended.map_err(|error| self.failure(&error))
            }
        }
    }

    fn failure(&self, error: &sqlx::Error) -> Failure {
        let cut = self.relay.as_ref().is_some_and(Relay::was_cut);
        let fault = match error {
            _ if cut => too_much(),
            // It has let us in, so it speaks the right language; nobody there any more is found out by the next login.
            error if ended(error) => {
                Fault::new(Reason::Body, "the server closed the connection in the middle of its answer")
                    .hint("its log says why: it was stopped, or a process of it died")
            }
            error => postgres::fault_of(error, "the query"),
        };
        Failure { gone: !matches!(error, sqlx::Error::Database(_)), fault }
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        let fault = match &trouble {
            Trouble::Io(error) if !matches!(error.kind(), std::io::ErrorKind::TimedOut) => {
                Fault::new(Reason::Body, "the connection broke off in the answer to the query")
            }
            _ => mysql::fault_of(&trouble, "the query"),
        };
        Self { gone: !matches!(trouble, Trouble::Refused { .. }), fault }
    }
}

fn ended(error: &sqlx::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    matches!(error, sqlx::Error::Io(error) if matches!(error.kind(), UnexpectedEof | ConnectionReset | BrokenPipe))
}

/// The fault of a server that sends more than is read.
pub(in crate::probes) fn too_much() -> Fault {
    let most = crate::units::human_bytes(limits::SQL_ANSWER_BYTES as u64);
    Fault::new(Reason::Body, format!("the server announced or sent more than {most}, or what it sent is no message"))
}

/// The driver indexes into what a server sent without looking at its length; a panic of it is the server's doing, not a bug of ours.
pub(in crate::probes) async fn unwound<T>(
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let ended = panics::caught(work).await;
    ended.unwrap_or_else(|_| Err(sqlx::Error::Protocol("the driver gave up on it".to_owned())))
}

/// The fault of an error that is not the database's own answer.
pub(in crate::probes) fn driver_fault(error: &sqlx::Error, doing: &str) -> Fault {
    match error {
        sqlx::Error::Io(error) => match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(rustls::Error::InvalidCertificate(why)) => {
                let fault = Fault::new(Reason::Certificate, format!("the certificate was not accepted: {why:?}"));
                Fault { detail: net::exactly(why, false), ..fault }
                    .hint("put its authority into `ca_file` of `tls_config`, and use a host name that it has")
            }
            Some(other) => Fault::new(Reason::Tls, format!("the TLS handshake failed: {}", clean(&other.to_string()))),
            None => net::fault_of(error, &format!("read the answer to {doing}")),
        },
        sqlx::Error::Tls(why) => Fault::new(Reason::Tls, format!("TLS failed: {}", clean(&why.to_string())))
            .hint("does the server offer TLS? `sslmode` (`ssl-mode`) of the URL says what is wanted"),
        sqlx::Error::Protocol(why) => {
            // The driver adds where in its source it noticed.
            let why = why.split(" (sqlx").next().unwrap_or_default();
            Fault::new(Reason::Body, format!("what answered to {doing} makes no sense: {}", clean(why)))
        }
        sqlx::Error::Configuration(why) => Fault::new(Reason::Config, clean(&why.to_string())),
        other => Fault::new(Reason::Body, format!("{doing} failed: {}", clean(&other.to_string()))),
    }
}

fn texts<R: sqlx::Row>(row: &R) -> Row
where
    usize: sqlx::ColumnIndex<R>,
    for<'r> String: Decode<'r, R::Database> + Type<R::Database>,
{
    (0..row.len()).map(|at| row.try_get_unchecked::<Option<String>, _>(at).ok().flatten()).collect()
}

/// A column of the first row.
pub(in crate::probes) fn first(rows: &[Row], column: usize) -> Option<&str> {
    rows.first()?.get(column)?.as_deref()
}

/// A column of the first row as a number.
pub(in crate::probes) fn number(rows: &[Row], column: usize) -> Option<f64> {
    first(rows, column)?.parse().ok().filter(|number: &f64| number.is_finite())
}
