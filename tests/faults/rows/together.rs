//! More than one thing at once: a dependent and its root, two faults, one that comes and goes.

use crate::faults::scene::{Kept, check};
use crate::faults::web::{Manner, Web, fine};
use crate::faults::{Row, Scene};
use crate::program::{Running, clean};
use crate::servers::postgres::{PASSWORD, Postgres};
use crate::servers::redis::{self, Redis};
use std::time::Duration;

pub(super) static ROWS: &[Row] = &[
    Row::new("the backend's database stops", &[("not_listening", "db")], database_stops)
        .follows(&[("backend", "db")])
        .within(15),
    Row::new("a dependency stops, the page says 500", &[("not_listening", "db")], page_says_500)
        .follows(&[("backend", "db")])
        .within(15)
        .always(),
    Row::new("a chain: edge, backend, database", &[("not_listening", "db")], chain)
        .follows(&[("backend", "db"), ("edge", "db")])
        .within(15),
    Row::new("two faults at once", &[("not_listening", "db"), ("redis_out_of_memory", "cache")], two_at_once)
        .within(15),
    Row::new(
        "a wrong password beside a stopped service",
        &[("authentication_refused", "cache"), ("not_listening", "db")],
        two_kinds,
    )
    .within(15),
    Row::new("a dependency flaps", &[("not_listening", "db")], flapping).within(30),
];

/// The demo backend over PostgreSQL.
fn database_stops() -> Result<Scene, String> {
    let mut postgres = Postgres::start(&[])?;
    let database = format!("postgres://postgres:{PASSWORD}@127.0.0.1:{}/postgres", postgres.port);
    let mut command = clean("backend");
    command.env("LISTEN", "127.0.0.1:0").env("DATABASE_URL", &database).env("SEED_USERS", "0");
    command.env("JWT_SECRET", "a secret of the tests, long enough for the rule");
    let backend = Running::start(&mut command);
    let line = backend.line("listening");
    let port: String =
        line.split("127.0.0.1:").nth(1).unwrap_or_default().chars().take_while(char::is_ascii_digit).collect();
    let checks =
        [check("backend", &format!("http://127.0.0.1:{port}/health"), ", peer: true"), check("db", &database, "")];
    Ok(Scene::of(&checks).keeping(backend).then(move || {
        postgres.server.end(rustix::process::Signal::QUIT);
        Ok(Box::new(postgres))
    }))
}

fn page_says_500() -> Result<Scene, String> {
    let (backend, db) = (Web::start(fine())?, Web::start(fine())?);
    let checks = [check("backend", &backend.url("http"), ", depends_on: [db]"), check("db", &db.url("http"), "")];
    Ok(Scene::of(&checks).then(move || {
        drop(db);
        backend.becomes(Manner::Http(500, "no database".to_owned()));
        Ok(Box::new(backend))
    }))
}

fn chain() -> Result<Scene, String> {
    let (edge, backend, db) = (Web::start(fine())?, Web::start(fine())?, Web::start(fine())?);
    let checks = [
        check("edge", &edge.url("http"), ", depends_on: [backend]"),
        check("backend", &backend.url("http"), ", depends_on: [db]"),
        check("db", &db.url("http"), ""),
    ];
    Ok(Scene::of(&checks).then(move || {
        drop(db);
        backend.becomes(Manner::Http(503, "no database".to_owned()));
        edge.becomes(Manner::Http(502, "bad gateway".to_owned()));
        Ok(Box::new((edge, backend)))
    }))
}

fn cache(redis: &Redis) -> String {
    format!("redis://:{}@127.0.0.1:{}/0", redis::PASSWORD, redis.port)
}

fn two_at_once() -> Result<Scene, String> {
    let (redis, db) = (Redis::start(&[])?, Web::start(fine())?);
    Ok(Scene::of(&[check("cache", &cache(&redis), ""), check("db", &db.url("http"), "")]).then(move || {
        drop(db);
        redis.cli(&["CONFIG", "SET", "maxmemory", "1"])?;
        Ok(Box::new(redis))
    }))
}

/// The password changes and the server drops whoever is there.
fn two_kinds() -> Result<Scene, String> {
    let (redis, db) = (Redis::start(&[])?, Web::start(fine())?);
    Ok(Scene::of(&[check("cache", &cache(&redis), ""), check("db", &db.url("http"), "")]).then(move || {
        drop(db);
        redis.cli(&["CONFIG", "SET", "requirepass", "another-password"])?;
        let mut kick = std::process::Command::new("redis-cli");
        kick.args([
            "-p",
            &redis.port.to_string(),
            "--no-auth-warning",
            "-a",
            "another-password",
            "CLIENT",
            "KILL",
            "TYPE",
            "normal",
        ]);
        drop(kick.output());
        Ok(Box::new(redis))
    }))
}

/// Away for four seconds, back for one, three times.
fn flapping() -> Result<Scene, String> {
    let db = Web::start(fine())?;
    let address = db.address.to_string();
    Ok(Scene::of(&[check("db", &db.url("http"), "")]).then(move || {
        drop(db);
        let flaps = std::thread::spawn(move || {
            for _flap in 0..3 {
                std::thread::sleep(Duration::from_secs(4));
                let back = Web::start_at(&address, fine());
                std::thread::sleep(Duration::from_secs(1));
                drop(back);
            }
        });
        Ok(Box::new(flaps) as Kept)
    }))
}
