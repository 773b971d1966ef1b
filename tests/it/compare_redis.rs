//! The page of the sidecar beside a Redis against that of the public exporter beside the same one: primary, replica, Sentinel and
//! node of a cluster. `tests/compare/redis*.gaps` has what may differ, with its reason.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use tests::agent::Agent;
use tests::compare::{Gaps, Page, compare};
use tests::servers::exporter::Exporter;
use tests::servers::free_port;
use tests::servers::redis::{PASSWORD, Redis};
use tests::servers::start::{Server, folder, installed, unprivileged};
use tests::{skipped, tell, wait_for};

/// How long their figures may take to meet.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts the exporter and an agent beside a server and compares their pages, with what stands in `<name>.gaps`.
fn compared(name: &str, port: u16, password: &str) {
    let address = format!("redis://127.0.0.1:{port}");
    let own = free_port();
    let listen = format!("127.0.0.1:{own}");
    let environment: &[(&str, &str)] = if password.is_empty() { &[] } else { &[("REDIS_PASSWORD", password)] };
    let arguments = ["-redis.addr", &address, "-web.listen-address", &listen];
    let exporter = match Exporter::start("prometheus-redis-exporter", own, &arguments, environment) {
        Ok(exporter) => exporter,
        Err(why) => return skipped(name, &why),
    };
    let folder = tempfile::tempdir().expect("a folder");
    let url = address.replace("//", &format!("//:{password}@"));
    let agent = Agent::with_config(
        folder.path(),
        &format!("checks:\n  - {{name: cache, url: \"{url}\", peer: true, interval: 200ms}}\n"),
    );
    agent.wait_sample("redis_up{check=\"cache\"}", 1.0);
    let runs = "redis_exporter_scrapes_total{check=\"cache\"}";
    let began = Instant::now();
    let comparison = loop {
        let theirs = exporter.page().expect("a page").only(|name| name.starts_with("redis_"));
        let before = agent.sample(runs).expect("runs");
        wait_for("a run after theirs", PATIENCE, || agent.sample(runs).filter(|runs| *runs > before));
        let ours = Page::read(&agent.page("/metrics").body);
        let comparison = compare(name, &theirs, &ours, &Gaps::of(name).expect("gaps"));
        // Both look at what the other asks for: the counters of these few commands differ less and less.
        let only_values = comparison.unexplained.iter().all(|difference| difference.contains(": value: "));
        if comparison.unexplained.is_empty() || !only_values || began.elapsed() > PATIENCE {
            break comparison;
        }
    };
    tell(&format!("{comparison}"));
    assert_eq!(comparison.unexplained, Vec::<String>::new());
}

/// Some of everything: keys with and without an end, hits and misses, a slow command, errors of two kinds.
fn used(redis: &Redis) {
    let said = |words: &[&str]| drop(redis.cli(words));
    said(&["CONFIG", "SET", "slowlog-log-slower-than", "0"]);
    said(&["CONFIG", "SET", "latency-monitor-threshold", "1"]);
    said(&["DEBUG", "SLEEP", "0.01"]);
    said(&["SET", "kept", "v"]);
    // Beside it, the buffers of whoever asks weigh little.
    said(&["SETRANGE", "large", "2000000", "v"]);
    said(&["-n", "3", "SET", "passing", "v", "EX", "3600"]);
    said(&["GET", "kept"]);
    said(&["GET", "absent"]);
    said(&["LPUSH", "kept", "x"]);
    said(&["NO-SUCH-COMMAND"]);
    said(&["CONFIG", "SET", "slowlog-log-slower-than", "1000000"]);
}

fn started(name: &str, settings: &[&str]) -> Option<Redis> {
    match Redis::start(settings) {
        Ok(redis) => Some(redis),
        Err(why) => {
            skipped(name, &why);
            None
        }
    }
}

#[test]
fn the_page_of_a_redis_replaces_its_exporters() {
    let debug = ["--enable-debug-command", "yes", "--maxmemory", "64mb", "--io-threads", "1"];
    let Some(primary) = started("redis", &debug) else { return };
    let replica = follower(&primary);
    used(&primary);
    compared("redis", primary.port, PASSWORD);
    compared("redis_replica", replica.port, PASSWORD);
}

/// A replica whose link is up.
fn follower(primary: &Redis) -> Redis {
    let follow = format!("127.0.0.1 {}", primary.port);
    let replica = Redis::start(&["--replicaof", &follow, "--masterauth", PASSWORD]).expect("a replica");
    let up = || replica.cli(&["INFO", "replication"]).ok().filter(|info| info.contains("master_link_status:up"));
    wait_for("the link of the replica", PATIENCE, up);
    replica
}

#[test]
fn the_page_of_a_node_of_a_cluster_replaces_its_exporters() {
    let Some(node) = started("redis_cluster", &["--cluster-enabled", "yes"]) else { return };
    node.cli(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]).expect("slots");
    let well = || node.cli(&["CLUSTER", "INFO"]).ok().filter(|info| info.contains("cluster_state:ok"));
    wait_for("the cluster", PATIENCE, well);
    used(&node);
    compared("redis_cluster", node.port, PASSWORD);
}

#[test]
fn the_page_of_a_sentinel_replaces_its_exporters() {
    let Some(primary) = started("redis_sentinel", &[]) else { return };
    let replica = follower(&primary);
    let port = free_port();
    let _sentinel = match sentinel(port, primary.port) {
        Ok(server) => server,
        Err(why) => return skipped("redis_sentinel", &why),
    };
    let seen =
        || asked(port, &["INFO", "sentinel"]).filter(|info| info.contains("status=ok") && info.contains("slaves=1"));
    wait_for("the Sentinel to see both", PATIENCE, seen);
    compared("redis_sentinel", port, "");
    drop(replica);
}

/// A Sentinel without a password, which watches this primary.
fn sentinel(port: u16, primary: u16) -> Result<Server, String> {
    let program = installed("redis-sentinel")?;
    let folder = folder()?;
    let path = folder.path().join("sentinel.conf");
    let text = format!(
        "port {port}\nbind 127.0.0.1\ndir {}\nsentinel monitor cache 127.0.0.1 {primary} 1\nsentinel auth-pass cache {PASSWORD}\n",
        folder.path().display()
    );
    std::fs::write(&path, text).map_err(|error| error.to_string())?;
    given(&path, folder.path())?;
    let mut command = unprivileged(&program, folder.path());
    command.arg(&path);
    Server::start(command, folder)?.until(|| asked(port, &["PING"]).is_some_and(|answer| answer.trim() == "PONG"))
}

/// Gives a file to the owner of its folder; a Sentinel writes into its own configuration.
fn given(path: &Path, folder: &Path) -> Result<(), String> {
    use std::os::unix::fs::{MetadataExt as _, chown};
    let owner = std::fs::metadata(folder).map_err(|error| error.to_string())?;
    chown(path, Some(owner.uid()), Some(owner.gid())).map_err(|error| error.to_string())
}

fn asked(port: u16, words: &[&str]) -> Option<String> {
    let output = Command::new("redis-cli").args(["-p", &port.to_string()]).args(words).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
