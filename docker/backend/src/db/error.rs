//! Owns why the database did not do what was asked, told apart as far as a caller can act upon it.

use sqlx::mysql::MySqlDatabaseError;
use thiserror::Error;

/// Why a statement did not do its work.
#[derive(Debug, Error)]
pub enum DbError {
    /// No connection, or no lock, in time.
    #[error("the database is busy")]
    Busy,
    /// The connection broke, or the server is going down.
    #[error("the database cannot be reached: {0}")]
    Gone(sqlx::Error),
    /// A unique value exists already.
    #[error("a unique value exists already")]
    Duplicate,
    /// A reference points nowhere.
    #[error("a reference points to no row")]
    BrokenReference,
    /// PostgreSQL keeps no NUL in a text.
    #[error("a text holds a NUL character")]
    Nul,
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
    /// The server did not let us in within the time that we wait for it at the start.
    #[error("cannot use the database at `{place}` after {seconds} s: {cause}\nhint: {hint}")]
    Unusable {
        /// Host, port and database.
        place: String,
        /// How long we tried.
        seconds: u64,
        /// What it says, or that it says nothing.
        cause: String,
        /// What to look at.
        hint: &'static str,
    },
    /// A migration failed, or the database was written by a newer version, or by somebody else.
    #[error(
        "cannot migrate the database: {0}\nhint: was it written by a newer version, or does it belong to another application?"
    )]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// Another instance holds the lock of the migrations.
    #[error(
        "cannot migrate the database: another instance has been at it for too long\nhint: see what that instance does"
    )]
    MigrationsLocked,
}

/// Answers that mean: come again. SQLite's lock; PostgreSQL's cancelled statement, lock not had in time, deadlock and conflict;
/// MySQL's deadlock shares the last one's code.
const BUSY: [&str; 5] = ["5", "57014", "55P03", "40P01", "40001"];
/// PostgreSQL is starting or going down.
const GONE: [&str; 3] = ["57P01", "57P02", "57P03"];
/// PostgreSQL: a byte sequence that the encoding does not have; from us that is NUL only.
const NOT_IN_ENCODING: &str = "22021";
/// MySQL: a lock not had in time, which has no code of its own.
const LOCK_WAIT_TIMEOUT: u16 = 1205;

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::PoolTimedOut => Self::Busy,
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolClosed => Self::Gone(error),
            sqlx::Error::Database(cause) if cause.is_unique_violation() => Self::Duplicate,
            sqlx::Error::Database(cause) if cause.is_foreign_key_violation() => Self::BrokenReference,
            sqlx::Error::Database(cause) => {
                let mysql = cause.try_downcast_ref::<MySqlDatabaseError>();
                let code = cause.code();
                match code.as_deref() {
                    _ if mysql.is_some_and(|cause| cause.number() == LOCK_WAIT_TIMEOUT) => Self::Busy,
                    Some(code) if BUSY.contains(&code) => Self::Busy,
                    Some(code) if GONE.contains(&code) => Self::Gone(error),
                    Some(NOT_IN_ENCODING) => Self::Nul,
                    _ => Self::Sql(error),
                }
            }
            _ => Self::Sql(error),
        }
    }
}
