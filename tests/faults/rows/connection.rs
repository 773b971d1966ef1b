//! Ports, addresses, names, silence.

use crate::faults::room::{OWN, Room, SILENT, UNREACHABLE};
use crate::faults::scene::check;
use crate::faults::web::{Manner, Web, fine};
use crate::faults::{Row, Scene};
use crate::servers::free_port;
use crate::servers::postgres::{self, Postgres};
use crate::servers::redis::{PASSWORD, Redis};
use rustix::process::Signal;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

const DB: &str = "db";

pub(super) static ROWS: &[Row] = &[
    Row::new("service listens on 3000, the check asks 8000", &[("wrong_port", "backend")], wrong_port),
    Row::new("service listens on 127.0.0.1 only", &[("loopback_only", "backend")], loopback_only),
    Row::new("service is stopped", &[("not_listening", "backend")], stopped).always(),
    Row::new("redis is killed", &[("not_listening", "cache")], redis_killed).always(),
    Row::new("no route to the address", &[("host_unreachable", "db")], unreachable),
    Row::new("address drops every packet", &[("connect_timeout", "db")], dropped),
    Row::new("backlog full, connections hang", &[("connect_timeout", "backend")], backlog_full).within(15),
    Row::new("port open, nothing answers", &[("no_answer", "backend")], falls_silent).always(),
    Row::new("redis hangs (SIGSTOP)", &[("no_answer", "cache")], redis_hangs),
    Row::new("postgres hangs (SIGSTOP)", &[("no_answer", DB)], postgres_hangs),
    Row::new("http answers later than its deadline", &[("no_answer", "backend")], too_slow),
    Row::new("name is unknown", &[("dns_unknown", DB)], name_unknown),
    Row::new("name vanishes", &[("dns_unknown", DB)], name_vanishes),
    Row::new("name points to a dead address", &[("dns_dead_address", DB)], dead_address),
    Row::new("name moves to a dead address", &[("dns_dead_address", DB)], moves_to_dead_address),
    Row::new("dependency is not there yet, then comes", &[("dependency_not_ready", DB)], comes_late).always(),
];

fn room() -> Result<Arc<Room>, String> {
    Room::new().map(Arc::new)
}

fn wrong_port() -> Result<Scene, String> {
    let room = room()?;
    let webs =
        room.inside(|| Ok([Web::start_at(&format!("{OWN}:3000"), fine())?, Web::start_at("127.0.0.1:9000", fine())?]))?;
    let backend = check("backend", &format!("http://{OWN}:8000/health"), ", peer: true");
    Ok(Scene::of(&[backend, check("twin", "http://127.0.0.1:9000/", "")]).inside(&room).keeping(webs))
}

fn loopback_only() -> Result<Scene, String> {
    let room = room()?;
    let webs =
        room.inside(|| Ok([Web::start_at("127.0.0.1:8000", fine())?, Web::start_at(&format!("{OWN}:9000"), fine())?]))?;
    let backend = check("backend", &format!("http://{OWN}:8000/health"), ", peer: true");
    Ok(Scene::of(&[backend, check("twin", &format!("http://{OWN}:9000/"), "")]).inside(&room).keeping(webs))
}

fn stopped() -> Result<Scene, String> {
    let web = Web::start(fine())?;
    let scene = Scene::of(&[check("backend", &web.url("http"), "")]);
    Ok(scene.then(move || {
        drop(web);
        Ok(Box::new(()))
    }))
}

fn redis_url(redis: &Redis) -> String {
    format!("redis://:{PASSWORD}@127.0.0.1:{}/0", redis.port)
}

fn redis_killed() -> Result<Scene, String> {
    let mut redis = Redis::start(&[])?;
    Ok(Scene::of(&[check("cache", &redis_url(&redis), "")]).then(move || {
        redis.server.stop();
        Ok(Box::new(redis))
    }))
}

/// A sound check in the room's own network.
fn twin(room: &Room) -> Result<(Web, String), String> {
    let web = room.inside(|| Web::start_at("127.0.0.1:9000", fine()))?;
    Ok((web, check("twin", "http://127.0.0.1:9000/", "")))
}

fn at(address: &str) -> Result<Scene, String> {
    let room = room()?;
    let (web, twin) = twin(&room)?;
    Ok(Scene::of(&[check(DB, &format!("postgres://app:x@{address}:5432/shop"), ""), twin]).inside(&room).keeping(web))
}

fn unreachable() -> Result<Scene, String> {
    at(UNREACHABLE)
}

fn dropped() -> Result<Scene, String> {
    at(SILENT)
}

fn backlog_full() -> Result<Scene, String> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    rustix::net::listen(&listener, 0).map_err(|error| error.to_string())?;
    let waiting: Vec<_> = (0..4).map(|_| TcpStream::connect_timeout(&address, Duration::from_millis(200))).collect();
    let web = Web::start(fine())?;
    let checks = [check("backend", &format!("http://{address}/"), ""), check("twin", &web.url("http"), "")];
    Ok(Scene::of(&checks).keeping((listener, waiting, web)))
}

fn becoming(manner: Manner) -> Result<Scene, String> {
    let web = Web::start(fine())?;
    Ok(Scene::of(&[check("backend", &web.url("http"), "")]).then(move || {
        web.becomes(manner);
        Ok(Box::new(web))
    }))
}

fn falls_silent() -> Result<Scene, String> {
    becoming(Manner::Silent)
}

fn too_slow() -> Result<Scene, String> {
    becoming(Manner::Slow(Duration::from_secs(2), 200, "{}".to_owned()))
}

fn redis_hangs() -> Result<Scene, String> {
    let redis = Redis::start(&[])?;
    Ok(Scene::of(&[check("cache", &redis_url(&redis), "")]).then(move || {
        redis.server.signal(Signal::STOP)?;
        Ok(Box::new(redis))
    }))
}

fn postgres_hangs() -> Result<Scene, String> {
    let postgres = Postgres::start(&[])?;
    let url = format!("postgres://postgres:{}@127.0.0.1:{}/postgres", postgres::PASSWORD, postgres.port);
    Ok(Scene::of(&[check(DB, &url, "")]).then(move || {
        // Each connection has a process of its own; all of them stand still.
        postgres.server.signal_all(Signal::STOP)?;
        Ok(Box::new(Frozen(postgres)))
    }))
}

/// A server whose processes stand still, and would not end so.
struct Frozen(Postgres);

impl Drop for Frozen {
    fn drop(&mut self) {
        let _gone = self.0.server.signal_all(Signal::CONT);
    }
}

fn name_unknown() -> Result<Scene, String> {
    let room = room()?;
    room.knows_no_name()?;
    let (web, twin) = twin(&room)?;
    Ok(Scene::of(&[check(DB, "redis://db.test:6379/0", ""), twin]).inside(&room).keeping(web))
}

fn named(lines: &'static str) -> Result<Scene, String> {
    let room = room()?;
    room.knows_no_name()?;
    room.hosts("127.0.0.1 db.test")?;
    let web = room.inside(|| Web::start_at("127.0.0.1:9000", fine()))?;
    let scene = Scene::of(&[check(DB, "http://db.test:9000/", "")]).inside(&room);
    Ok(scene.then(move || {
        room.hosts(lines)?;
        Ok(Box::new((web, room)))
    }))
}

fn name_vanishes() -> Result<Scene, String> {
    named("")
}

fn moves_to_dead_address() -> Result<Scene, String> {
    named("192.0.2.9 db.test")
}

fn dead_address() -> Result<Scene, String> {
    let room = room()?;
    room.hosts(&format!("{UNREACHABLE} db.test"))?;
    let (web, twin) = twin(&room)?;
    Ok(Scene::of(&[check(DB, "http://db.test:9000/", ""), twin]).inside(&room).keeping(web))
}

fn comes_late() -> Result<Scene, String> {
    let port = free_port();
    let web = Web::start(fine())?;
    let checks = [check(DB, &format!("http://127.0.0.1:{port}/"), ""), check("twin", &web.url("http"), "")];
    let comes = move || Web::start_at(&format!("127.0.0.1:{port}"), fine()).map(|web| Box::new(web) as _);
    Ok(Scene::of(&checks).keeping(web).mended(comes))
}
