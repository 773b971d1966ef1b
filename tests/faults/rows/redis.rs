//! Redis: who may come in, and the states in which it does not work.

use crate::faults::scene::check;
use crate::faults::{Row, Scene};
use crate::program::Running;
use crate::servers::redis::{PASSWORD, Redis};
use std::net::TcpStream;
use std::process::Command;

pub(super) static ROWS: &[Row] = &[
    Row::new("redis: wrong password", &[("authentication_refused", "cache")], wrong_password).always(),
    Row::new("redis: no password given", &[("authentication_refused", "cache")], no_password),
    Row::new("redis: user without rights", &[("permission_missing", "cache")], no_rights),
    // Until the first copy is whole its link is down, which is true.
    Row::new("redis: becomes a read-only replica", &[("redis_read_only", "cache")], read_only)
        .also(&["replication_broken"]),
    Row::new("redis: loads its data", &[("redis_loading", "cache")], loading),
    Row::new("redis: out of memory", &[("redis_out_of_memory", "cache")], out_of_memory).always(),
    Row::new("redis: clients near their limit", &[("connections_near_limit", "cache")], near_limit),
    Row::new("redis: no more clients", &[("connections_exhausted", "cache")], exhausted),
    Row::new("redis: replica loses its primary", &[("replication_broken", "cache")], primary_lost)
        .also(&["replication_behind"]),
];

fn url(port: u16, who: &str) -> String {
    format!("redis://{who}127.0.0.1:{port}/0")
}

fn own(redis: &Redis) -> String {
    url(redis.port, &format!(":{PASSWORD}@"))
}

/// A check that comes as somebody, beside a sound one.
fn comes_as(who: &str, before: &[&[&str]]) -> Result<Scene, String> {
    let redis = Redis::start(&[])?;
    for words in before {
        redis.cli(words)?;
    }
    let checks = [check("cache", &url(redis.port, who), ""), check("twin", &own(&redis), "")];
    Ok(Scene::of(&checks).keeping(redis))
}

fn wrong_password() -> Result<Scene, String> {
    comes_as(":not-this-one@", &[])
}

fn no_password() -> Result<Scene, String> {
    comes_as("", &[])
}

fn no_rights() -> Result<Scene, String> {
    comes_as("app:canary-app@", &[&["ACL", "SETUSER", "app", "on", ">canary-app", "+ping", "+hello", "+client"]])
}

/// A check that was sound until these words.
fn until(settings: &[&str], words: &'static [&'static str]) -> Result<Scene, String> {
    let redis = Redis::start(settings)?;
    Ok(Scene::of(&[check("cache", &own(&redis), "")]).then(move || {
        redis.cli(words)?;
        Ok(Box::new(redis))
    }))
}

fn out_of_memory() -> Result<Scene, String> {
    until(&["--maxmemory-policy", "noeviction"], &["CONFIG", "SET", "maxmemory", "1"])
}

fn read_only() -> Result<Scene, String> {
    let (redis, primary) = (Redis::start(&["--masterauth", PASSWORD])?, Redis::start(&[])?);
    Ok(Scene::of(&[check("cache", &own(&redis), "")]).then(move || {
        redis.cli(&["REPLICAOF", "127.0.0.1", &primary.port.to_string()])?;
        Ok(Box::new((redis, primary)))
    }))
}

fn primary_lost() -> Result<Scene, String> {
    let mut primary = Redis::start(&[])?;
    let redis = Redis::start(&["--masterauth", PASSWORD, "--replicaof", &format!("127.0.0.1 {}", primary.port)])?;
    let linked = || redis.cli(&["INFO", "replication"]).ok().filter(|told| told.contains("master_link_status:up"));
    crate::wait_for("a replica with its primary", std::time::Duration::from_secs(20), linked);
    Ok(Scene::of(&[check("cache", &own(&redis), "")]).then(move || {
        primary.server.stop();
        Ok(Box::new((redis, primary)))
    }))
}

/// Some ten seconds of loading, during which it answers that it loads.
fn loading() -> Result<Scene, String> {
    let slow =
        ["--enable-debug-command", "yes", "--key-load-delay", "300", "--loading-process-events-interval-bytes", "1024"];
    let redis = Redis::start(&slow)?;
    redis.cli(&["DEBUG", "POPULATE", "40000"])?;
    Ok(Scene::of(&[check("cache", &own(&redis), "")]).then(move || {
        let mut command = Command::new("redis-cli");
        command.args(["-p", &redis.port.to_string(), "--no-auth-warning", "-a", PASSWORD, "DEBUG", "RELOAD"]);
        Ok(Box::new((Running::start(&mut command), redis)))
    }))
}

fn crowd(port: u16, size: usize) -> Vec<TcpStream> {
    (0..size).filter_map(|_| TcpStream::connect(("127.0.0.1", port)).ok()).collect()
}

fn near_limit() -> Result<Scene, String> {
    let redis = Redis::start(&["--maxclients", "20"])?;
    Ok(Scene::of(&[check("cache", &own(&redis), "")]).then(move || Ok(Box::new((crowd(redis.port, 17), redis)))))
}

fn exhausted() -> Result<Scene, String> {
    let (redis, other) = (Redis::start(&["--maxclients", "20"])?, Redis::start(&[])?);
    let crowd = crowd(redis.port, 25);
    let checks = [check("cache", &own(&redis), ""), check("twin", &own(&other), "")];
    Ok(Scene::of(&checks).keeping((crowd, redis, other)))
}
