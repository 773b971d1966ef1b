//! Owns the start with a database server: waiting until it lets us in, then bringing it up to date. Must stay true: the wait has an
//! end, and no message holds the password.

use std::time::Duration;

use sqlx::{AnyConnection, ConnectOptions, Connection, any::AnyConnectOptions};

use super::{DbError, engine::Engine};
use crate::{clock, config::ServerUrl, limits};

/// A server, and how long it may let us wait.
pub(super) struct Server<'a> {
    pub(super) url: &'a ServerUrl,
    pub(super) wait: Duration,
}

/// Why one attempt failed.
struct Refusal {
    cause: String,
    hint: &'static str,
    /// Whether waiting cannot help.
    is_final: bool,
}

impl Server<'_> {
    /// Waits for the server, migrates, and gives the way to connect to it.
    pub(super) async fn prepared(&self, engine: Engine) -> Result<AnyConnectOptions, DbError> {
        let options = AnyConnectOptions::from_url(self.url.reveal())?;
        let mut connection = self.reached(&options).await?;
        let migrated = tokio::time::timeout(limits::MIGRATION_DEADLINE, engine.migrate(&mut connection)).await;
        migrated.map_err(|_| DbError::MigrationsLocked)??;
        connection.close().await?;
        Ok(options)
    }

    async fn reached(&self, options: &AnyConnectOptions) -> Result<AnyConnection, DbError> {
        let began = clock::steady();
        let mut pause = limits::FIRST_START_PAUSE;
        loop {
            let refusal = match tokio::time::timeout(limits::CONNECT_DEADLINE, options.connect()).await {
                Ok(Ok(connection)) => return Ok(connection),
                Ok(Err(error)) => Refusal::from(error),
                Err(_) => Refusal::silence(),
            };
            let (place, elapsed) = (self.url.place(), began.elapsed());
            if refusal.is_final || elapsed + pause > self.wait {
                let Refusal { cause, hint, .. } = refusal;
                return Err(DbError::Unusable { place: place.to_owned(), seconds: elapsed.as_secs(), cause, hint });
            }
            let (waited, most) = (elapsed.as_secs(), self.wait.as_secs());
            tracing::warn!(place, cause = refusal.cause, waited, most, "the database is not there yet; trying again");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(limits::LONGEST_START_PAUSE);
        }
    }
}

impl Refusal {
    fn silence() -> Self {
        Self {
            cause: format!("no answer within {} s", limits::CONNECT_DEADLINE.as_secs()),
            hint: "is it a database of this kind, and does a firewall lie in between?",
            is_final: false,
        }
    }
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|error| error.code());
        let (is_final, hint) = match code.as_deref() {
            // PostgreSQL's two, and MySQL's one for a wrong name or password.
            Some("28P01" | "28000") => (true, "do user and password in `DATABASE_URL` belong to this server?"),
            // PostgreSQL: no such database, no right to it. MySQL's for both is the last one.
            Some("3D000" | "42501" | "42000") => (true, "does the database exist, and may this user use it?"),
            _ => (false, "is it running, and is it a database of this kind at that host and port?"),
        };
        Self { cause: error.to_string(), hint, is_final }
    }
}
