//! PostgreSQL: who may come in, what must be there, how full it is, how far its replica is.

use crate::faults::scene::check;
use crate::faults::{Row, Scene};
use crate::program::Running;
use crate::servers::postgres::{PASSWORD, Postgres};
use std::process::Command;

pub(super) static ROWS: &[Row] = &[
    Row::new("postgres: wrong password", &[("authentication_refused", "db")], wrong_password),
    Row::new("postgres: unknown database", &[("database_missing", "db")], unknown_database),
    Row::new("postgres: table missing", &[("schema_missing", "db")], table_missing),
    Row::new("postgres: migration behind", &[("migration_behind", "db")], migration_behind),
    Row::new("postgres: connections near their limit", &[("connections_near_limit", "db")], near_limit),
    Row::new("postgres: no more connections", &[("connections_exhausted", "db")], exhausted),
    Row::new("postgres: a lock is held on what the check reads", &[("slow_answer", "db")], locked),
    Row::new("postgres: replica's replay is paused", &[("replication_behind", "db")], replica_paused).within(60),
    Row::new("postgres: replica loses its primary", &[("replication_broken", "db")], primary_lost)
        .also(&["replication_behind"])
        .within(40),
];

fn url(port: u16, password: &str, database: &str) -> String {
    format!("postgres://postgres:{password}@127.0.0.1:{port}/{database}")
}

fn own(postgres: &Postgres) -> String {
    url(postgres.port, PASSWORD, "postgres")
}

/// A check with another password, database or further keys, beside a sound one.
fn such(password: &str, database: &str, more: &str) -> Result<Scene, String> {
    let postgres = Postgres::start(&[])?;
    postgres.psql("CREATE TABLE users (id int); CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES ('0007')")?;
    let checks = [
        check("db", &url(postgres.port, password, database), more),
        check("twin", &own(&postgres), ", tables: [users], migration_version: \"0007\""),
    ];
    Ok(Scene::of(&checks).keeping(postgres))
}

fn wrong_password() -> Result<Scene, String> {
    such("not-this-one", "postgres", "")
}

fn unknown_database() -> Result<Scene, String> {
    such(PASSWORD, "nowhere", "")
}

fn table_missing() -> Result<Scene, String> {
    such(PASSWORD, "postgres", ", tables: [users, orders]")
}

fn migration_behind() -> Result<Scene, String> {
    such(PASSWORD, "postgres", ", migration_version: \"0009\"")
}

/// Sessions that sleep, each in a `psql` of its own.
fn crowd(postgres: &Postgres, size: usize) -> Vec<Running> {
    (0..size).map(|_| session(postgres, "SELECT pg_sleep(60)")).collect()
}

fn session(postgres: &Postgres, sql: &str) -> Running {
    Running::start(Command::new("psql").args(["-X", "-c", sql, &url(postgres.port, PASSWORD, "postgres")]))
}

fn near_limit() -> Result<Scene, String> {
    let postgres = Postgres::start(&["max_connections=20"])?;
    Ok(Scene::of(&[check("db", &own(&postgres), "")]).then(move || Ok(Box::new((crowd(&postgres, 16), postgres)))))
}

/// The check's own connection is lost with all others, and the crowd takes every place.
fn exhausted() -> Result<Scene, String> {
    let (postgres, other) = (Postgres::start(&["max_connections=8"])?, Postgres::start(&[])?);
    let crowd = crowd(&postgres, 12);
    let taken = || postgres.psql("SELECT 1").err();
    crate::wait_for("no more connections", std::time::Duration::from_secs(20), taken);
    let checks = [check("db", &own(&postgres), ""), check("twin", &own(&other), "")];
    Ok(Scene::of(&checks).keeping((crowd, postgres, other)))
}

fn locked() -> Result<Scene, String> {
    let postgres = Postgres::start(&[])?;
    postgres.psql("CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES ('0007')")?;
    let scene = Scene::of(&[check("db", &own(&postgres), ", migration_version: \"0007\"")]);
    Ok(scene.then(move || {
        let holder = session(&postgres, "BEGIN; LOCK TABLE alembic_version; SELECT pg_sleep(60)");
        Ok(Box::new((holder, postgres)))
    }))
}

fn replica() -> Result<(Postgres, Postgres), String> {
    let primary = Postgres::start(&["wal_level=replica"])?;
    primary.psql("CREATE TABLE filler (text text)")?;
    let replica = primary.replica("copy")?;
    Ok((primary, replica))
}

fn replica_paused() -> Result<Scene, String> {
    let (primary, replica) = replica()?;
    // A replica that has replayed nothing yet cannot tell how old its last transaction is.
    primary.psql("INSERT INTO filler VALUES ('first')")?;
    let replayed = || replica.psql("SELECT text FROM filler LIMIT 1").ok().filter(|text| text.contains("first"));
    crate::wait_for("the first transaction", std::time::Duration::from_secs(20), replayed);
    Ok(Scene::of(&[check("db", &own(&replica), "")]).then(move || {
        replica.psql("SELECT pg_wal_replay_pause()")?;
        // Something is written all the time, so that there is something to lag behind.
        let writes = Command::new("sh")
            .env("URL", own(&primary))
            .args([
                "-c",
                "while psql -q -X \"$URL\" -c \"INSERT INTO filler SELECT repeat('x', 1000)\"; do sleep 0.5; done",
            ])
            .spawn()
            .map_err(|error| error.to_string())?;
        Ok(Box::new((Writer(writes), replica, primary)))
    }))
}

/// A shell that writes until it is dropped.
struct Writer(std::process::Child);

impl Drop for Writer {
    fn drop(&mut self) {
        let _killed = self.0.kill();
        let _gone = self.0.wait();
    }
}

fn primary_lost() -> Result<Scene, String> {
    let (mut primary, replica) = replica()?;
    Ok(Scene::of(&[check("db", &own(&replica), "")]).then(move || {
        primary.server.end(rustix::process::Signal::QUIT);
        Ok(Box::new((replica, primary)))
    }))
}
