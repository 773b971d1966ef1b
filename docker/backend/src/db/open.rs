//! Owns how the database is opened and brought up to date.

use std::{
    fs, io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sqlx::{
    Executor,
    any::{AnyConnectOptions, AnyPoolOptions},
};
use uuid::Uuid;

use super::{Database, DbError, engine::Engine, pool::Pool, server};
use crate::{config::Storage, limits};

/// What of a path may stand in a URL as it is.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_');

/// A directory for our eyes only, gone when dropped.
#[derive(Debug)]
pub(super) struct TemporaryDirectory(PathBuf);

impl TemporaryDirectory {
    fn create() -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("backend-{}", Uuid::new_v4()));
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for TemporaryDirectory {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, "the temporary database could not be removed");
        }
    }
}

impl Database {
    /// Opens the database and runs the migrations that it lacks. A server is waited for, as long as `wait`.
    pub async fn open(storage: &Storage, pool_size: u32, wait: Duration) -> Result<Self, DbError> {
        sqlx::any::install_default_drivers();
        match storage {
            Storage::Memory => Self::in_memory().await,
            Storage::File(path) => Self::in_file(path, pool_size).await,
            Storage::Temporary => {
                let directory = TemporaryDirectory::create().map_err(DbError::NoDirectory)?;
                let database = Self::in_file(&directory.0.join("demo.db"), pool_size).await?;
                Ok(Self { _directory: Some(Arc::new(directory)), ..database })
            }
            Storage::Postgres(url) => Self::on_server(Engine::Postgres, server::Server { url, wait }, pool_size).await,
            Storage::MySql(url) => Self::on_server(Engine::MySql, server::Server { url, wait }, pool_size).await,
        }
    }

    async fn in_memory() -> Result<Self, DbError> {
        let pool = Pool::new(Engine::Sqlite, lasting(1).connect_with("sqlite::memory:".parse()?).await?);
        let database = Self::of(Engine::Sqlite, pool.clone(), pool);
        Engine::Sqlite.migrate(&mut *database.writer.lease().await?).await?;
        Ok(database)
    }

    async fn in_file(path: &Path, pool_size: u32) -> Result<Self, DbError> {
        let failed = |cause| DbError::Open { path: path.display().to_string(), cause };
        let options = file(path).map_err(failed)?;
        // The writer goes first: it creates the file and switches it to WAL before any reader looks.
        let writer =
            greeted(lasting(1), Engine::Sqlite.greeting()).connect_with(options.clone()).await.map_err(failed)?;
        let writer = Pool::new(Engine::Sqlite, writer);
        Engine::Sqlite.migrate(&mut *writer.lease().await?).await?;
        let readers = greeted(lasting(pool_size.saturating_sub(1).max(1)), READER_GREETING).connect_lazy_with(options);
        Ok(Self { is_shared: false, ..Self::of(Engine::Sqlite, Pool::new(Engine::Sqlite, readers), writer) })
    }

    async fn on_server(engine: Engine, server: server::Server<'_>, pool_size: u32) -> Result<Self, DbError> {
        let options = server.prepared(engine).await?;
        // Connections are tested before they are lent and replaced after a while: a server restarts, a firewall forgets.
        // All are opened ahead: a login costs many times a query, and a burst of requests would have to wait for it.
        let pool = AnyPoolOptions::new().max_connections(pool_size).min_connections(pool_size);
        let pool = pool.acquire_timeout(limits::ACQUIRE_DEADLINE);
        let pool = Pool::new(engine, greeted(pool, engine.greeting()).connect_lazy_with(options));
        Ok(Self::of(engine, pool.clone(), pool))
    }

    fn of(engine: Engine, readers: Pool, writer: Pool) -> Self {
        Self { engine, readers, writer, is_shared: true, _directory: None }
    }
}

/// A reader waits for locks as the writer does, and cannot write by mistake.
const READER_GREETING: &[&str] = &["PRAGMA busy_timeout = 2000", "PRAGMA query_only = ON"];

/// The file as sqlx wants it: a URL, made when missing.
fn file(path: &Path) -> Result<AnyConnectOptions, sqlx::Error> {
    let path = std::path::absolute(path)?;
    let path = path.to_str().ok_or_else(|| sqlx::Error::Configuration("the path is not UTF-8".into()))?;
    format!("sqlite://{}?mode=rwc", utf8_percent_encode(path, PATH)).parse()
}

/// Connections that live as long as the process: reopening a file buys nothing, and an in-memory database would be lost.
fn lasting(size: u32) -> AnyPoolOptions {
    AnyPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(limits::ACQUIRE_DEADLINE)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}

fn greeted(pool: AnyPoolOptions, greeting: &'static [&'static str]) -> AnyPoolOptions {
    pool.after_connect(move |connection, _| {
        Box::pin(async move {
            for statement in greeting {
                connection.execute(*statement).await?;
            }
            Ok(())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_temporary_database_leaves_nothing_behind() {
        let database = Database::open(&Storage::Temporary, 4, Duration::ZERO).await.expect("opens");
        let path = database._directory.as_ref().expect("a directory").0.clone();
        assert!(path.join("demo.db").exists());
        database.close().await;
        drop(database);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_file_opens_a_second_time_with_what_it_held() {
        let directory = tempfile::tempdir().expect("a directory");
        let storage = Storage::File(directory.path().join("kept.db"));
        let first = Database::open(&storage, 2, Duration::ZERO).await.expect("opens");
        first.revoke("kept", i64::MAX).await.expect("revokes");
        first.close().await;
        let second = Database::open(&storage, 2, Duration::ZERO).await.expect("opens again");
        assert_eq!(second.revoked_tokens().await.expect("counts"), 1);
    }

    #[tokio::test]
    async fn readers_cannot_write() {
        let database = Database::open(&Storage::Temporary, 2, Duration::ZERO).await.expect("opens");
        let result =
            sqlx::query("DELETE FROM users").execute(&mut *database.readers.lease().await.expect("a connection")).await;
        assert!(result.expect_err("refused").to_string().contains("readonly"));
    }

    #[tokio::test]
    async fn a_missing_directory_is_named_with_a_hint() {
        let error =
            Database::open(&Storage::File("/nowhere/demo.db".into()), 2, Duration::ZERO).await.expect_err("refused");
        let text = error.to_string();
        assert!(
            text.starts_with("cannot open the database `/nowhere/demo.db`: ") && text.contains("\nhint: "),
            "{text}"
        );
    }
}
