//! Owns the database: connections, migrations, every line of SQL (here and in the files below). Knows no HTTP. Must stay true:
//! all writes go through the one writer connection.
//!
//! SQLite lets many read at once and one write. So there is one pool of readers and one writer: writes queue in our process,
//! in order, instead of racing for the file's lock and failing with "database is locked". In WAL mode readers never wait for
//! the writer, and `synchronous = NORMAL` syncs at checkpoints instead of at every commit: a power cut may lose the last
//! commits, it cannot corrupt the file.

pub mod accounts;
pub mod files;
mod open;
pub mod recommendations;
pub mod records;
pub mod seed;

use std::{collections::HashMap, sync::Arc};

use serde::Serialize;
use sqlx::{Sqlite, SqlitePool, Transaction, pool::PoolConnection};
use thiserror::Error;

use crate::limits;
use open::TemporaryDirectory;

/// Why a statement did not do its work.
#[derive(Debug, Error)]
pub enum DbError {
    /// No connection, or no lock, in time.
    #[error("the database is busy")]
    Busy,
    /// A unique value exists already.
    #[error("a unique value exists already")]
    Duplicate,
    /// A reference points nowhere.
    #[error("a reference points to no row")]
    BrokenReference,
    /// Anything else: our mistake, or the disk's.
    #[error("{0}")]
    Sql(sqlx::Error),
    /// The place for the temporary database cannot be made.
    #[error("no temporary directory for the database: {0}\nhint: make `TMPDIR` writable, or set `DATABASE_URL`")]
    NoDirectory(std::io::Error),
    /// The database file cannot be opened.
    #[error("cannot open the database `{path}`: {cause}\nhint: the directory must exist and be writable")]
    Open {
        /// The file.
        path: String,
        /// What SQLite says.
        cause: sqlx::Error,
    },
    /// A migration failed, or the file was written by a newer version.
    #[error("cannot migrate the database: {0}\nhint: was this file written by a newer version?")]
    Migrate(#[from] sqlx::migrate::MigrateError),
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        const SQLITE_BUSY: &str = "5";
        match &error {
            sqlx::Error::PoolTimedOut => Self::Busy,
            sqlx::Error::Database(cause) if cause.is_unique_violation() => Self::Duplicate,
            sqlx::Error::Database(cause) if cause.is_foreign_key_violation() => Self::BrokenReference,
            sqlx::Error::Database(cause) if cause.code().as_deref() == Some(SQLITE_BUSY) => Self::Busy,
            _ => Self::Sql(error),
        }
    }
}

/// The pool as seen from outside; the shape of `/health`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PoolView {
    /// Connections there may be.
    pub size: u32,
    /// Connections that are free.
    pub checked_in: u32,
    /// Connections that someone is using.
    pub checked_out: u32,
}

/// The open database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Database {
    readers: SqlitePool,
    /// The same pool as `readers` for an in-memory database, which has but one connection.
    writer: SqlitePool,
    is_shared: bool,
    /// Removes the temporary file with the last clone.
    _directory: Option<Arc<TemporaryDirectory>>,
}

impl Database {
    /// One trivial query, to know that the database answers.
    pub async fn ping(&self) -> Result<(), DbError> {
        sqlx::query("SELECT 1").execute(&self.readers).await?;
        Ok(())
    }

    /// How the connections are used right now.
    pub fn pool_view(&self) -> PoolView {
        let mut view = PoolView::default();
        for pool in self.pools() {
            let checked_out = pool.size().saturating_sub(u32::try_from(pool.num_idle()).unwrap_or(u32::MAX));
            let size = pool.options().get_max_connections();
            view.size += size;
            view.checked_out += checked_out;
            view.checked_in += size.saturating_sub(checked_out);
        }
        view
    }

    /// Takes up to `count` connections out of the pools, readers first, for the fault that starves everybody else.
    pub async fn hold(&self, count: usize) -> Vec<PoolConnection<Sqlite>> {
        let mut held = Vec::new();
        for pool in self.pools() {
            for _ in 0..pool.options().get_max_connections() {
                if held.len() == count {
                    return held;
                }
                // The fault wants what ordinary work leaves it; a busy pool is starved already.
                if let Ok(connection) = pool.acquire().await {
                    held.push(connection);
                }
            }
        }
        held
    }

    /// Closes all connections, waiting a little for those in use.
    pub async fn close(&self) {
        for pool in self.pools() {
            if tokio::time::timeout(limits::CLOSE_DEADLINE, pool.close()).await.is_err() {
                tracing::warn!("database connections were still in use when the time to close them was over");
            }
        }
    }

    /// Deletes what has expired by `now` (Unix seconds).
    pub async fn sweep(&self, now: i64) -> Result<u64, DbError> {
        let tokens = sqlx::query("DELETE FROM revoked_tokens WHERE expires_at <= ?");
        let keys = sqlx::query("DELETE FROM idempotency_keys WHERE expires_at <= ?");
        let tokens = tokens.bind(now).execute(&self.writer).await?.rows_affected();
        let keys = keys.bind(now).execute(&self.writer).await?.rows_affected();
        Ok(tokens + keys)
    }

    /// Rows of every entity, for the administrator.
    pub async fn row_counts(&self) -> Result<HashMap<&'static str, i64>, DbError> {
        let mut counts = HashMap::new();
        for entity in &crate::entities::ENTITIES {
            let sql = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {}", entity.name));
            counts.insert(entity.name, sqlx::query_scalar(sql).fetch_one(&self.readers).await?);
        }
        Ok(counts)
    }

    fn pools(&self) -> impl Iterator<Item = &SqlitePool> {
        std::iter::once(&self.readers).chain((!self.is_shared).then_some(&self.writer))
    }

    /// A transaction on the writer that holds the file's write lock from its beginning, so that it cannot fail half-way
    /// because another process wrote in between.
    async fn write(&self) -> Result<Transaction<'static, Sqlite>, DbError> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }
}
