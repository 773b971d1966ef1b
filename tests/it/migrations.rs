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

/// A tool: its tables, a migration that was applied and how it is shown, one that broke off and what is said of it.
struct Case {
    tables: &'static str,
    applied: &'static str,
    shown: &'static str,
    broken: Option<(&'static str, &'static str)>,
}

const CASES: &[Case] = &[
    Case {
        tables: "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)",
        applied: "INSERT INTO alembic_version VALUES ('ae1027a6acf')",
        shown: "ae1027a6acf (alembic_version)",
        broken: None,
    },
    Case {
        tables: "CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) NOT NULL PRIMARY KEY, \
                 run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)",
        applied: "INSERT INTO __diesel_schema_migrations (version) VALUES ('00000000000000'), ('20240102030405')",
        shown: "20240102030405 (__diesel_schema_migrations)",
        broken: None,
    },
    Case {
        tables: "CREATE TABLE seaql_migrations (version VARCHAR(255) NOT NULL PRIMARY KEY, applied_at BIGINT NOT NULL)",
        applied: "INSERT INTO seaql_migrations VALUES ('m20220101_000001_create_table', 1)",
        shown: "m20220101_000001_create_table (seaql_migrations)",
        broken: None,
    },
    Case {
        tables: "CREATE TABLE flyway_schema_history (installed_rank INT NOT NULL PRIMARY KEY, version VARCHAR(50), \
                 description VARCHAR(200) NOT NULL, success BOOLEAN NOT NULL)",
        applied: "INSERT INTO flyway_schema_history VALUES (1, '1.9', 'a', TRUE), (2, '1.10', 'b', TRUE), (3, NULL, 'repeatable', TRUE)",
        shown: "1.10 (flyway_schema_history)",
        broken: Some((
            "INSERT INTO flyway_schema_history VALUES (4, '2', 'add orders', FALSE)",
            "`2 add orders` of `flyway_schema_history`",
        )),
    },
    Case {
        tables: "CREATE TABLE django_migrations (id BIGINT NOT NULL PRIMARY KEY, app VARCHAR(255) NOT NULL, name VARCHAR(255) NOT NULL)",
        applied: "INSERT INTO django_migrations VALUES (1, 'auth', '0001_initial'), (2, 'shop', '0001_initial')",
        shown: "shop.0001_initial (django_migrations)",
        broken: None,
    },
    Case {
        tables: "CREATE TABLE _prisma_migrations (id VARCHAR(36) PRIMARY KEY, migration_name VARCHAR(255) NOT NULL, \
                 finished_at TIMESTAMP NULL, rolled_back_at TIMESTAMP NULL)",
        applied: "INSERT INTO _prisma_migrations VALUES ('a', '20240101_init', now(), NULL), ('b', '20240102_gone', NULL, now())",
        shown: "20240101_init (_prisma_migrations)",
        broken: Some((
            "INSERT INTO _prisma_migrations VALUES ('c', '20240103_half', NULL, NULL)",
            "`20240103_half` of `_prisma_migrations`",
        )),
    },
    Case {
        tables: "CREATE TABLE knex_migrations (id INT PRIMARY KEY, name VARCHAR(255), batch INT); \
                 CREATE TABLE knex_migrations_lock (idx INT PRIMARY KEY, is_locked INT); INSERT INTO knex_migrations_lock VALUES (1, 0)",
        applied: "INSERT INTO knex_migrations VALUES (1, '2023_users.js', 1), (2, '2022_late.js', 2)",
        shown: "2022_late.js (knex_migrations)",
        broken: Some(("UPDATE knex_migrations_lock SET is_locked = 1", "of `knex_migrations` was begun")),
    },
    Case {
        tables: "CREATE TABLE goose_db_version (id INT PRIMARY KEY, version_id BIGINT NOT NULL, is_applied BOOLEAN NOT NULL)",
        applied: "INSERT INTO goose_db_version VALUES (1, 0, TRUE), (2, 20240102030405, TRUE)",
        shown: "20240102030405 (goose_db_version)",
        broken: None,
    },
    // Rails, whose table has no column that tells.
    Case {
        tables: "CREATE TABLE schema_migrations (version VARCHAR(255) NOT NULL PRIMARY KEY)",
        applied: "INSERT INTO schema_migrations VALUES ('20240101000000'), ('20240102000000')",
        shown: "20240102000000 (schema_migrations)",
        broken: None,
    },
    // golang-migrate, which has one.
    Case {
        tables: "CREATE TABLE schema_migrations (version BIGINT NOT NULL PRIMARY KEY, dirty BOOLEAN NOT NULL)",
        applied: "INSERT INTO schema_migrations VALUES (7, FALSE)",
        shown: "7 (schema_migrations)",
        broken: Some((
            "UPDATE schema_migrations SET version = 8, dirty = TRUE",
            "migration `8` of `schema_migrations`",
        )),
    },
];

/// Goes through the cases with a database at `url`; `sql` runs a statement in a database, `anew` empties it.
fn each_tool(url: &str, sql: &dyn Fn(&str) -> Result<String, String>, anew: &str) {
    for case in CASES {
        sql(anew).expect("an empty schema");
        sql(case.tables).expect("its tables");
        sql(case.applied).expect("its rows");
        let sound = finish("agent", &["probe", url]);
        assert!(sound.code == 0 && sound.stdout.contains(case.shown), "{}: {}", case.shown, sound.stdout);
        let unread = |line: &str| line.contains("migration ") && line.contains("not read");
        assert!(!sound.stdout.lines().any(unread), "{}", sound.stdout);
        let Some((breaks, words)) = case.broken else { continue };
        sql(breaks).expect("a broken one");
        let broken = finish("agent", &["probe", url]);
        assert!(broken.code == 1 && broken.stdout.contains(words), "{words}: {}", broken.stdout);
        assert!(
            broken.stdout.contains(": schema\n") && broken.stdout.contains("was begun and has not ended"),
            "{}",
            broken.stdout
        );
    }
}

#[test]
fn the_place_of_every_known_tool_is_shown_and_a_migration_that_broke_off_is_found() {
    let name = "the_place_of_every_known_tool_is_shown_and_a_migration_that_broke_off_is_found";
    match Postgres::start(&[]) {
        Ok(server) => {
            let url = format!("postgres://postgres:{}@127.0.0.1:{}/postgres", postgres::PASSWORD, server.port);
            each_tool(&url, &|sql| server.psql(sql), "DROP SCHEMA public CASCADE; CREATE SCHEMA public");
        }
        Err(why) => skipped(name, &why),
    }
    match MariaDb::start(&[]) {
        Ok(server) => {
            let url = format!("mysql://app:{}@127.0.0.1:{}/shop", mariadb::PASSWORD, server.port);
            each_tool(&url, &|sql| server.sql(&format!("USE shop; {sql}")), "DROP DATABASE shop; CREATE DATABASE shop");
        }
        Err(why) => skipped(name, &why),
    }
}
