//! What the check says of the table that the backend's own migrations keep (`_sqlx_migrations`), in a real PostgreSQL and MariaDB.

use tests::program::finish;
use tests::servers::mariadb::{self, MariaDb};
use tests::servers::postgres::{self, Postgres};
use tests::skipped;

/// The table as sqlx 0.9 makes it, in both dialects.
const POSTGRES: &str = "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, \
    installed_on TIMESTAMPTZ NOT NULL DEFAULT now(), success BOOLEAN NOT NULL, checksum BYTEA NOT NULL, execution_time BIGINT NOT NULL)";
const MYSQL: &str = "CREATE TABLE shop._sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, \
    installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, checksum BLOB NOT NULL, execution_time BIGINT NOT NULL)";

/// What the check says: exit code and text.
fn look(url: &str, needed: &str) -> (i32, String) {
    let finished = finish("agent", &["probe", url, "--set", &format!("migration_version={needed}")]);
    assert!(!finished.stdout.contains("canary"), "{}", finished.stdout);
    (finished.code, finished.stdout)
}

fn tell_apart(url: &str, sql: &dyn Fn(&str) -> Result<String, String>, table: &str) {
    let says = |needed: &str, code: i32, words: &str| {
        let (ended, said) = look(url, needed);
        assert!(ended == code && said.contains(words), "needed {needed}: {said}");
        assert!(code == 0 || said.contains(": schema\n"), "{said}");
    };
    says("1", 1, "no migration is recorded, expected `1`");
    sql(&format!("INSERT INTO {table} (version, description, success, checksum, execution_time) VALUES (1, 'initial', TRUE, '', 9), (9, 'more', TRUE, '', 9)"))
        .expect("two migrations");
    says("9", 0, "9 (_sqlx_migrations)");
    says("10", 1, "stands at migration `9` of `_sqlx_migrations`, expected `10`");
    says("1", 0, "9 (_sqlx_migrations)");
    sql(&format!("INSERT INTO {table} (version, description, success, checksum, execution_time) VALUES (10, 'add orders', FALSE, '', -1)"))
        .expect("a migration that failed");
    says("9", 1, "migration `10 add orders` of `_sqlx_migrations` was begun and has not ended");
    let plain = finish("agent", &["probe", url]);
    assert!(
        plain.code == 1 && plain.stdout.contains("was begun and has not ended"),
        "also when no version is asked for: {}",
        plain.stdout
    );
    let off = finish("agent", &["probe", url, "--set", "migrations=false"]);
    assert_eq!(off.code, 0, "{}", off.stdout);
    sql(&format!("UPDATE {table} SET success = TRUE WHERE version = 10")).expect("mended");
    says("10", 0, "10 (_sqlx_migrations)");
}

#[test]
fn behind_ahead_and_failed_migrations_of_sqlx_are_told_apart() {
    let name = "behind_ahead_and_failed_migrations_of_sqlx_are_told_apart";
    match Postgres::start(&[]) {
        Ok(server) => {
            let url = format!("postgres://postgres:{}@127.0.0.1:{}/postgres", postgres::PASSWORD, server.port);
            server.psql(POSTGRES).expect("a table");
            tell_apart(&url, &|sql| server.psql(sql), "_sqlx_migrations");
        }
        Err(why) => skipped(name, &why),
    }
    match MariaDb::start(&[]) {
        Ok(server) => {
            let url = format!("mysql://app:{}@127.0.0.1:{}/shop", mariadb::PASSWORD, server.port);
            server.sql(MYSQL).expect("a table");
            tell_apart(&url, &|sql| server.sql(sql), "shop._sqlx_migrations");
        }
        Err(why) => skipped(name, &why),
    }
}
