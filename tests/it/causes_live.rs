//! Causes of resources and datastores on real components: each is named within seconds, with value and limit, and is gone when the fault is.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};
use tests::agent::Agent;
use tests::servers::postgres::{self, Postgres};
use tests::servers::redis::{self, Redis};
use tests::{skipped, wait_for};

/// An agent with these checks and further keys of its configuration.
fn agent(folder: &Path, checks: &str, more: &str) -> Agent {
    Agent::with_config(folder, &format!("listen: 127.0.0.1:0\n{more}checks:\n{checks}"))
}

fn check(name: &str, url: &str) -> String {
    format!("  - {{name: {name}, url: \"{url}\", interval: 1s, timeout: 1s}}\n")
}

fn named(agent: &Agent, cause: &str, subject: &str) {
    agent.wait_sample(&format!("sidecar_cause_active{{cause=\"{cause}\",subject=\"{subject}\"}}"), 1.0);
}

/// Polls until no cause is there.
fn none_left(agent: &Agent) {
    let gone = || (!agent.page("/metrics").body.contains("\nsidecar_cause_active{")).then_some(());
    wait_for("no cause", Duration::from_secs(30), gone);
}

#[test]
fn redis_out_of_memory_and_redis_that_became_a_replica() {
    let settings = ["--maxmemory", "3mb", "--maxmemory-policy", "noeviction"];
    let redis = match Redis::start(&settings) {
        Ok(redis) => redis,
        Err(why) => return skipped("redis_out_of_memory_and_redis_that_became_a_replica", &why),
    };
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("redis://:{}@127.0.0.1:{}/0", redis::PASSWORD, redis.port);
    let agent = agent(folder.path(), &check("cache", &url), "");
    agent.wait_sample("sidecar_check_up{check=\"cache\"}", 1.0);
    none_left(&agent);
    let fill = "for i = 1, 100000 do redis.call('SET', 'k' .. i, string.rep('x', 1000)) end";
    drop(redis.cli(&["EVAL", fill, "0"]));
    named(&agent, "redis_out_of_memory", "cache");
    redis.cli(&["FLUSHALL"]).expect("flushed");
    none_left(&agent);
    redis.cli(&["REPLICAOF", "127.0.0.1", "1"]).expect("it follows nobody");
    named(&agent, "redis_read_only", "cache");
    named(&agent, "replication_broken", "cache");
    redis.cli(&["REPLICAOF", "NO", "ONE"]).expect("it is a primary again");
    none_left(&agent);
}

#[test]
fn connections_of_postgres_near_the_limit_and_beyond() {
    let server = match Postgres::start(&["max_connections=10", "superuser_reserved_connections=0"]) {
        Ok(server) => server,
        Err(why) => return skipped("connections_of_postgres_near_the_limit_and_beyond", &why),
    };
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("postgres://postgres:{}@127.0.0.1:{}/postgres", postgres::PASSWORD, server.port);
    let agent = agent(folder.path(), &check("db", &url), "");
    agent.wait_sample("sidecar_check_up{check=\"db\"}", 1.0);
    none_left(&agent);
    let held: Vec<_> = std::thread::scope(|scope| {
        let hold = |count: usize| {
            let server = &server;
            (0..count).map(|_| scope.spawn(move || server.psql("SELECT pg_sleep(12)"))).collect::<Vec<_>>()
        };
        let near = hold(8);
        named(&agent, "connections_near_limit", "db");
        near.into_iter().map(|holding| holding.join().is_ok()).collect()
    });
    assert_eq!(held, [true; 8]);
    none_left(&agent);
}

#[test]
fn a_full_volume_and_one_that_is_read_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let volume = folder.path().join("data");
    fs::create_dir(&volume).expect("a folder");
    let mount = |options: &str| {
        let mut command = std::process::Command::new("mount");
        command.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&volume);
        command.status().is_ok_and(|status| status.success())
    };
    if !mount("size=1m") {
        return skipped("a_full_volume_and_one_that_is_read_only", "no file system may be mounted here");
    }
    let _mounted = Mounted(&volume);
    let shown = volume.display().to_string();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("tcp://{}", listener.local_addr().expect("an address"));
    let agent = agent(folder.path(), &check("any", &url), &format!("peer: {{volumes: [\"{shown}\"]}}\n"));
    agent.wait_sample(&format!("sidecar_disk_free_ratio{{mountpoint=\"{shown}\"}}"), 1.0);
    fs::write(volume.join("fill"), vec![0; 1_000_000]).expect("room");
    named(&agent, "disk_full", &shown);
    fs::remove_file(volume.join("fill")).expect("removed");
    assert!(mount("remount,ro"), "remounted");
    named(&agent, "read_only_file_system", &shown);
}

struct Mounted<'a>(&'a Path);

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        drop(std::process::Command::new("umount").arg(self.0).status());
    }
}

#[test]
fn backups_that_are_missing_stale_shrunken_or_corrupt() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("backups");
    fs::create_dir(&place).expect("a folder");
    let url = format!("file://{}/*.sql?max_age=1h&settle=1s", place.display());
    let agent = agent(folder.path(), &check("backup", &url), "");
    named(&agent, "backup_missing", "backup");
    let dump = |name: &str, rows: usize, end: &str, hours: u64| {
        let path = place.join(name);
        fs::write(&path, format!("--\n-- PostgreSQL database dump\n--\n{}{end}", "-- row\n".repeat(rows)))
            .expect("written");
        let at = SystemTime::now() - Duration::from_secs(hours * 3600 + 60);
        File::options().write(true).open(&path).and_then(|file| file.set_modified(at)).expect("dated");
    };
    let whole = "--\n-- PostgreSQL database dump complete\n--\n";
    dump("1.sql", 1000, whole, 30);
    named(&agent, "backup_stale", "backup");
    dump("2.sql", 1000, whole, 0);
    none_left(&agent);
    dump("2.sql", 900, "", 0);
    named(&agent, "backup_corrupt", "backup");
    dump("2.sql", 10, whole, 0);
    named(&agent, "backup_shrunken", "backup");
}
