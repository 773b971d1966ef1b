//! Owns what differs between the three databases in a statement. Everything else is one SQL, written with `?` for every value.

use sqlx::{AnyConnection, AssertSqlSafe, migrate::Migrator};

use super::DbError;

/// The statements of each database that bring it up to date.
static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");
static MYSQL: Migrator = sqlx::migrate!("migrations/mysql");

/// Which database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Engine {
    Sqlite,
    Postgres,
    /// MySQL and MariaDB.
    MySql,
}

impl Engine {
    /// The statement as this database reads it: PostgreSQL numbers the values. No text of ours has a `?` that is not a value.
    pub(super) fn sql(self, text: &str) -> AssertSqlSafe<String> {
        if self != Self::Postgres {
            return AssertSqlSafe(text.to_owned());
        }
        let mut parts = text.split('?');
        let first = parts.next().unwrap_or_default().to_owned();
        AssertSqlSafe((1..).zip(parts).fold(first, |sql, (number, part)| format!("{sql}${number}{part}")))
    }

    /// The end of an `INSERT` that takes these columns over when the unique one has that value already. MySQL 8 would have us
    /// name the new row, MariaDB does not know how; both take `VALUES`.
    pub(super) fn upsert(self, unique: &str, columns: &[&str]) -> String {
        let taken = |column: &&str| match self {
            Self::MySql => format!("{column} = VALUES({column})"),
            Self::Sqlite | Self::Postgres => format!("{column} = excluded.{column}"),
        };
        let columns = columns.iter().map(taken).collect::<Vec<_>>().join(", ");
        match self {
            Self::MySql => format!("ON DUPLICATE KEY UPDATE {columns}"),
            Self::Sqlite | Self::Postgres => format!("ON CONFLICT ({unique}) DO UPDATE SET {columns}"),
        }
    }

    /// The end of a `SELECT` whose rows are about to be changed.
    pub(super) fn for_update(self) -> &'static str {
        match self {
            // Its one writer has the whole file already.
            Self::Sqlite => "",
            Self::Postgres | Self::MySql => " FOR UPDATE",
        }
    }

    /// How a transaction that writes begins.
    pub(super) fn begin(self) -> &'static str {
        match self {
            // Takes the file's lock now, so that it cannot fail half-way because another process wrote in between.
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres | Self::MySql => "BEGIN",
        }
    }

    /// What every connection of a pool is told once.
    pub(super) fn greeting(self) -> &'static [&'static str] {
        match self {
            // In WAL mode `NORMAL` syncs at checkpoints instead of at every commit: a power cut may lose the last commits, it
            // cannot corrupt the file. The busy timeout is for other processes: a backup, a shell.
            Self::Sqlite => &["PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL", "PRAGMA busy_timeout = 2000"],
            // A request is given up after 15 s; its statement must not go on for minutes.
            Self::Postgres => &["SET statement_timeout = '10s'", "SET lock_timeout = '5s'"],
            // As PostgreSQL reads by default. With MySQL's own default a transaction does not see what another one committed
            // while it waited for that one's lock.
            Self::MySql => {
                &["SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", "SET SESSION innodb_lock_wait_timeout = 5"]
            }
        }
    }

    /// Runs the migrations that the database lacks. Of several instances that start at once one does the work, the rest wait.
    pub(super) async fn migrate(self, connection: &mut AnyConnection) -> Result<(), DbError> {
        match self {
            Self::Sqlite => Ok(SQLITE.run(connection).await?),
            // sqlx takes an advisory lock of PostgreSQL around the run.
            Self::Postgres => Ok(POSTGRES.run(connection).await?),
            Self::MySql => {
                // So it does on MySQL, but without a deadline, which MariaDB refuses: no lock at all. Hence ours.
                let lock = "SELECT GET_LOCK(left(concat('backend.', database()), 64), 120)";
                let taken: Option<i64> = sqlx::query_scalar(lock).fetch_one(&mut *connection).await?;
                if taken != Some(1) {
                    return Err(DbError::MigrationsLocked);
                }
                MYSQL.run(&mut *connection).await?;
                let unlock = "SELECT RELEASE_LOCK(left(concat('backend.', database()), 64))";
                sqlx::query(unlock).execute(connection).await?;
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_numbered_for_postgresql_only() {
        let sql = |engine: Engine| engine.sql("UPDATE t SET a = ?, b = ? WHERE id = ?").0;
        assert_eq!(sql(Engine::Postgres), "UPDATE t SET a = $1, b = $2 WHERE id = $3");
        assert_eq!(sql(Engine::MySql), "UPDATE t SET a = ?, b = ? WHERE id = ?");
    }

    #[test]
    fn an_upsert_is_spelt_as_the_database_knows_it() {
        assert_eq!(Engine::MySql.upsert("id", &["a", "b"]), "ON DUPLICATE KEY UPDATE a = VALUES(a), b = VALUES(b)");
        assert_eq!(Engine::Postgres.upsert("id", &["a"]), "ON CONFLICT (id) DO UPDATE SET a = excluded.a");
    }
}
