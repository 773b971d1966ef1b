//! Owns the database: connections, migrations, every line of SQL (here and in the files below). Knows no HTTP. The SQL is written
//! once; what SQLite, PostgreSQL and MySQL say differently stands in `engine`.
//!
//! SQLite lets many read at once and one write. So there it is one pool of readers and one writer: writes queue in our process,
//! in order, instead of racing for the file's lock and failing with "database is locked"; in WAL mode readers never wait for the
//! writer. PostgreSQL and MySQL need no such care: readers and writer are one pool.

pub mod accounts;
mod engine;
mod error;
pub mod files;
mod open;
mod pool;
pub mod recommendations;
pub mod records;
pub mod seed;
mod server;

use std::{collections::HashMap, sync::Arc};

use serde::Serialize;

pub use error::DbError;
pub use pool::Lease;

use crate::limits;
use engine::Engine;
use open::TemporaryDirectory;
use pool::Pool;

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
    engine: Engine,
    readers: Pool,
    /// The same pool as `readers`, except for a file of SQLite.
    writer: Pool,
    is_shared: bool,
    /// Removes the temporary file with the last clone.
    _directory: Option<Arc<TemporaryDirectory>>,
}

impl Database {
    /// One trivial query, to know that the database answers.
    pub async fn ping(&self) -> Result<(), DbError> {
        sqlx::query("SELECT 1").execute(&mut *self.readers.lease().await?).await?;
        Ok(())
    }

    /// How the connections are used right now.
    pub fn pool_view(&self) -> PoolView {
        let mut view = PoolView::default();
        for pool in self.pools() {
            let (size, lent) = (pool.size(), pool.lent());
            view.size += size;
            view.checked_out += lent;
            view.checked_in += size.saturating_sub(lent);
        }
        view
    }

    /// Takes up to `count` connections out of the pools, readers first, for the fault that starves everybody else.
    pub async fn hold(&self, count: usize) -> Vec<Lease> {
        let mut held = Vec::new();
        for pool in self.pools() {
            for _ in 0..pool.size() {
                if held.len() == count {
                    return held;
                }
                // The fault wants what ordinary work leaves it; a busy pool is starved already.
                if let Ok(lease) = pool.lease().await {
                    held.push(lease);
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
        let mut lease = self.writer.lease().await?;
        let mut rows = 0;
        for table in ["revoked_tokens", "idempotency_keys"] {
            let sql = self.engine.sql(&format!("DELETE FROM {table} WHERE expires_at <= ?"));
            rows += sqlx::query(sql).bind(now).execute(&mut *lease).await?.rows_affected();
        }
        Ok(rows)
    }

    /// Rows of every entity, for the administrator.
    pub async fn row_counts(&self) -> Result<HashMap<&'static str, i64>, DbError> {
        let mut lease = self.readers.lease().await?;
        let mut counts = HashMap::new();
        for entity in &crate::entities::ENTITIES {
            let sql = self.engine.sql(&format!("SELECT count(*) FROM {}", entity.name));
            counts.insert(entity.name, sqlx::query_scalar(sql).fetch_one(&mut *lease).await?);
        }
        Ok(counts)
    }

    fn pools(&self) -> impl Iterator<Item = &Pool> {
        std::iter::once(&self.readers).chain((!self.is_shared).then_some(&self.writer))
    }
}
