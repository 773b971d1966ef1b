//! Owns how the database is opened and brought up to date.

use std::{
    fs, io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use uuid::Uuid;

use super::{Database, DbError};
use crate::{config::Storage, limits};

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
    /// Opens the database and runs the migrations that it lacks.
    pub async fn open(storage: &Storage, pool_size: u32) -> Result<Self, DbError> {
        let database = match storage {
            Storage::Memory => Self::in_memory().await?,
            Storage::File(path) => Self::in_file(path, pool_size).await?,
            Storage::Temporary => {
                let directory = TemporaryDirectory::create().map_err(DbError::NoDirectory)?;
                let database = Self::in_file(&directory.0.join("demo.db"), pool_size).await?;
                Self { _directory: Some(Arc::new(directory)), ..database }
            }
        };
        sqlx::migrate!().run(&database.writer).await?;
        Ok(database)
    }

    async fn in_memory() -> Result<Self, DbError> {
        let options = SqliteConnectOptions::new().in_memory(true).foreign_keys(true);
        let pool = pool(1).connect_with(options).await?;
        Ok(Self { readers: pool.clone(), writer: pool, is_shared: true, _directory: None })
    }

    async fn in_file(path: &Path, pool_size: u32) -> Result<Self, DbError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(limits::BUSY_DEADLINE)
            .foreign_keys(true);
        let failed = |cause| DbError::Open { path: path.display().to_string(), cause };
        // The writer goes first: it creates the file and switches it to WAL before any reader looks.
        let writer: SqlitePool = pool(1).connect_with(options.clone()).await.map_err(failed)?;
        let readers = pool(pool_size.saturating_sub(1).max(1)).connect_lazy_with(options.pragma("query_only", "ON"));
        Ok(Self { readers, writer, is_shared: false, _directory: None })
    }
}

/// Connections live as long as the process: reopening a file buys nothing, and an in-memory database would be lost.
fn pool(size: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(size)
        .acquire_timeout(limits::ACQUIRE_DEADLINE)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_temporary_database_leaves_nothing_behind() {
        let database = Database::open(&Storage::Temporary, 4).await.expect("opens");
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
        let first = Database::open(&storage, 2).await.expect("opens");
        first.revoke("kept", i64::MAX).await.expect("revokes");
        first.close().await;
        let second = Database::open(&storage, 2).await.expect("opens again");
        assert_eq!(second.revoked_tokens().await.expect("counts"), 1);
    }

    #[tokio::test]
    async fn readers_cannot_write() {
        let database = Database::open(&Storage::Temporary, 2).await.expect("opens");
        let result = sqlx::query("DELETE FROM users").execute(&database.readers).await;
        assert!(result.expect_err("refused").to_string().contains("readonly"));
    }

    #[tokio::test]
    async fn a_missing_directory_is_named_with_a_hint() {
        let error = Database::open(&Storage::File("/nowhere/demo.db".into()), 2).await.expect_err("refused");
        let text = error.to_string();
        assert!(
            text.starts_with("cannot open the database `/nowhere/demo.db`: ") && text.contains("\nhint: "),
            "{text}"
        );
    }
}
