//! Owns the connections: lent one at a time, counted while somebody has them.
//!
//! The count is our own. sqlx takes a connection back in a task of its own, some time after it was dropped, so its figures show
//! one in use when nobody uses any: right after a request was answered, `/health` would tell of work that is over.

use std::{
    ops::{Deref, DerefMut},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use sqlx::{Any, AnyConnection, AnyPool, Connection, Transaction, pool::PoolConnection};

use super::{DbError, engine::Engine};

/// Connections to one database, alike.
#[derive(Clone, Debug)]
pub(super) struct Pool {
    pub(super) engine: Engine,
    connections: AnyPool,
    lent: Arc<AtomicU32>,
}

/// A connection for as long as it is held.
#[derive(Debug)]
pub struct Lease {
    engine: Engine,
    connection: PoolConnection<Any>,
    lent: Arc<AtomicU32>,
}

/// A transaction that writes: rolled back unless it is committed.
pub(super) struct Work<'c> {
    pub(super) engine: Engine,
    pub(super) connection: Transaction<'c, Any>,
}

impl Pool {
    pub(super) fn new(engine: Engine, connections: AnyPool) -> Self {
        Self { engine, connections, lent: Arc::default() }
    }

    /// The next free connection.
    pub(super) async fn lease(&self) -> Result<Lease, DbError> {
        let connection = self.connections.acquire().await?;
        self.lent.fetch_add(1, Ordering::Relaxed);
        Ok(Lease { engine: self.engine, connection, lent: self.lent.clone() })
    }

    /// Connections there may be.
    pub(super) fn size(&self) -> u32 {
        self.connections.options().get_max_connections()
    }

    /// Connections that somebody has.
    pub(super) fn lent(&self) -> u32 {
        self.lent.load(Ordering::Relaxed)
    }

    pub(super) async fn close(&self) {
        self.connections.close().await;
    }
}

impl Lease {
    pub(super) async fn begin(&mut self) -> Result<Work<'_>, DbError> {
        let engine = self.engine;
        Ok(Work { engine, connection: self.connection.begin_with(engine.begin()).await? })
    }
}

impl Work<'_> {
    pub(super) async fn commit(self) -> Result<(), DbError> {
        Ok(self.connection.commit().await?)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.lent.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Deref for Lease {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        &self.connection
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.connection
    }
}
