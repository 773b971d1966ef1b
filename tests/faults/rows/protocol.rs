//! The URL says one thing and another answers.

use crate::faults::scene::check;
use crate::faults::web::{Manner, Web, fine};
use crate::faults::{Row, Scene};
use crate::servers::mariadb::{self, MariaDb};
use crate::servers::postgres::{self, Postgres};
use crate::servers::redis::{PASSWORD, Redis};

const WRONG: &[(&str, &str)] = &[("wrong_protocol", "db")];

pub(super) static ROWS: &[Row] = &[
    Row::new("postgres:// at MySQL", WRONG, postgres_at_mysql),
    Row::new("mysql:// at PostgreSQL", WRONG, mysql_at_postgres),
    Row::new("http:// at Redis", WRONG, http_at_redis).always(),
    Row::new("redis:// at HTTP", WRONG, redis_at_http).always(),
    Row::new("mysql:// at HTTP", WRONG, mysql_at_http),
    Row::new("redis:// at SSH", WRONG, redis_at_ssh).always(),
    Row::new("postgres:// at SMTP", WRONG, postgres_at_smtp).always(),
    Row::new("redis:// at memcached", WRONG, redis_at_memcached).always(),
];

fn mysql(port: u16) -> String {
    format!("mysql://app:{}@127.0.0.1:{port}/shop", mariadb::PASSWORD)
}

fn postgres(port: u16) -> String {
    format!("postgres://postgres:{}@127.0.0.1:{port}/postgres", postgres::PASSWORD)
}

fn postgres_at_mysql() -> Result<Scene, String> {
    let server = MariaDb::start(&[])?;
    let checks = [check("db", &postgres(server.port), ""), check("twin", &mysql(server.port), "")];
    Ok(Scene::of(&checks).keeping(server))
}

fn mysql_at_postgres() -> Result<Scene, String> {
    let server = Postgres::start(&[])?;
    let checks = [check("db", &mysql(server.port), ""), check("twin", &postgres(server.port), "")];
    Ok(Scene::of(&checks).keeping(server))
}

fn http_at_redis() -> Result<Scene, String> {
    let server = Redis::start(&[])?;
    let right = format!("redis://:{PASSWORD}@127.0.0.1:{}/0", server.port);
    let checks = [check("db", &format!("http://127.0.0.1:{}/health", server.port), ""), check("twin", &right, "")];
    Ok(Scene::of(&checks).keeping(server))
}

fn at(scheme: &str, manner: Manner, right: &str) -> Result<Scene, String> {
    let web = Web::start(manner)?;
    let checks = [check("db", &web.url(scheme), ""), check("twin", &web.url(right), "")];
    Ok(Scene::of(&checks).keeping(web))
}

fn redis_at_http() -> Result<Scene, String> {
    at("redis", fine(), "http")
}

fn mysql_at_http() -> Result<Scene, String> {
    at("mysql", fine(), "http")
}

fn redis_at_ssh() -> Result<Scene, String> {
    at("redis", Manner::Greets(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"), "tcp")
}

fn postgres_at_smtp() -> Result<Scene, String> {
    at("postgres", Manner::Greets(b"220 mail.example ESMTP Postfix\r\n"), "tcp")
}

fn redis_at_memcached() -> Result<Scene, String> {
    at("redis", Manner::Answers(b"ERROR\r\n"), "tcp")
}
