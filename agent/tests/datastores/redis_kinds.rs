//! The probe `redis` as the peer's: each kind of server, and each way in, gives the family of the public exporter, as far as it may.

use super::servers::redis::{PASSWORD, Redis, Sentinel};
use super::{again, look, probe, series, started, value};
use agent::probes::net::Net;
use agent::probes::{Depth, run};
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

/// Waits until a command of `redis-cli` prints something with this in it.
async fn until(redis: impl Fn() -> Result<String, String>, awaited: &str) {
    let began = Instant::now();
    while !redis().is_ok_and(|said| said.contains(awaited)) {
        assert!(began.elapsed() < Duration::from_secs(60), "waited in vain for {awaited}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_server_and_its_replica_tell_of_each_other() {
    let Some(primary) = started(Redis::start(&[])) else { return };
    let follow = format!("127.0.0.1 {}", primary.port);
    let replica = Redis::start(&["--replicaof", &follow, "--masterauth", PASSWORD]).unwrap();
    until(|| replica.cli(&["INFO", "replication"]), "master_link_status:up").await;
    until(|| primary.cli(&["INFO", "replication"]), "state=online").await;
    primary.cli(&["-n", "3", "SET", "k", "v", "EX", "100"]).unwrap();
    let (first, second) = (primary.port.to_string(), replica.port.to_string());
    let outcome = look(&format!("redis://:{PASSWORD}@127.0.0.1:{first}/5"), "{}").await;
    assert_eq!(outcome.fault, None);
    assert_eq!(value(&outcome, "redis_up"), Some(1.0));
    assert_eq!(value(&outcome, "redis_connected_slaves"), Some(1.0));
    assert!(series(&outcome, "redis_connected_slave_lag_seconds", &["127.0.0.1", &second, "online"]).is_some());
    assert_eq!(series(&outcome, "redis_db_keys", &["db3"]), Some(1.0));
    assert_eq!(series(&outcome, "redis_db_keys_expiring", &["db3"]), Some(1.0));
    assert_eq!(series(&outcome, "redis_db_keys", &["db15"]), Some(0.0));
    assert_eq!(series(&outcome, "redis_db_keys", &["db16"]), None);
    assert_eq!(series(&outcome, "redis_commands_total", &["set"]), Some(1.0));
    assert_eq!(value(&outcome, "redis_config_maxclients"), value(&outcome, "redis_max_clients"));
    assert!(value(&outcome, "redis_commands_latencies_usec_count").is_some());
    let outcome = look(&format!("redis://:{PASSWORD}@127.0.0.1:{second}"), "{}").await;
    assert_eq!(outcome.fault, None);
    assert_eq!(series(&outcome, "redis_master_link_up", &["127.0.0.1", &first]), Some(1.0));
    assert_eq!(series(&outcome, "redis_slave_info", &["127.0.0.1", &first, "1"]), Some(1.0));
}

#[tokio::test]
async fn a_sentinel_is_asked_for_its_primaries_and_nothing_else() {
    let Some(primary) = started(Redis::start(&[])) else { return };
    let Some(sentinel) = started(Sentinel::start(primary.port)) else { return };
    until(|| sentinel.cli(&["INFO", "sentinel"]), "status=ok").await;
    // The number of a database is what an application's URL may well have.
    let mut probe = probe(&format!("redis://127.0.0.1:{}/2", sentinel.port), "{}");
    let outcome = again(&mut *probe).await;
    assert_eq!(outcome.fault, None);
    assert_eq!(outcome.note("round_trip"), Some("left out: a Sentinel keeps no keys"));
    assert_eq!(value(&outcome, "redis_sentinel_masters"), Some(1.0));
    let address = format!("127.0.0.1:{}", primary.port);
    assert_eq!(series(&outcome, "redis_sentinel_master_status", &["cache", &address, "ok"]), Some(1.0));
    assert_eq!(series(&outcome, "redis_sentinel_master_ckquorum_status", &["cache", "OK"]), Some(1.0));
    assert_eq!(series(&outcome, "redis_sentinel_master_ok_sentinels", &["cache", &address]), Some(1.0));
    assert_eq!(series(&outcome, "redis_sentinel_master_setting_ckquorum", &["cache", &address]), Some(1.0));
    assert_eq!(value(&outcome, "sidecar_database_is_replica"), None);
    let errors = || {
        sentinel
            .cli(&["INFO", "stats"])
            .unwrap()
            .lines()
            .find(|line| line.starts_with("total_error"))
            .map(str::to_owned)
    };
    let before = errors();
    assert_eq!(again(&mut *probe).await.fault, None);
    assert_eq!(errors(), before, "no further run asks what a Sentinel does not know");
}

#[tokio::test]
async fn a_node_of_a_cluster_tells_of_it() {
    let Some(node) = started(Redis::start(&["--cluster-enabled", "yes"])) else { return };
    let url = format!("redis://:{PASSWORD}@127.0.0.1:{}", node.port);
    let broken = look(&url, r#"{"round_trip": false}"#).await;
    assert_eq!(value(&broken, "redis_cluster_state"), Some(0.0), "no slot is served");
    node.cli(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]).unwrap();
    until(|| node.cli(&["CLUSTER", "INFO"]), "cluster_state:ok").await;
    let outcome = look(&url, "{}").await;
    assert_eq!(outcome.fault, None);
    for (name, expected) in [
        ("redis_cluster_enabled", 1.0),
        ("redis_cluster_state", 1.0),
        ("redis_cluster_slots_ok", 16384.0),
        ("redis_cluster_slots_fail", 0.0),
        ("redis_cluster_known_nodes", 1.0),
        ("redis_cluster_messages_sent_total", 0.0),
    ] {
        assert_eq!(value(&outcome, name), Some(expected), "{name}");
    }
    assert_eq!(outcome.readings.iter().filter(|reading| reading.metric.name == "redis_db_keys").count(), 1);
}

#[tokio::test]
async fn rights_that_are_missing_cost_their_own_figures_and_are_told() {
    let Some(redis) = started(Redis::start(&[])) else { return };
    let rights = ["+ping", "+info", "+slowlog|len", "+client|setname"];
    redis.cli(&[&["ACL", "SETUSER", "watch", "on", ">canary-few"][..], &rights].concat()).unwrap();
    let mut few = probe(&format!("redis://watch:canary-few@127.0.0.1:{}", redis.port), r#"{"round_trip": false}"#);
    let outcome = again(&mut *few).await;
    assert_eq!(outcome.fault, None);
    assert_eq!(value(&outcome, "redis_up"), Some(1.0));
    assert!(value(&outcome, "redis_memory_used_bytes").is_some());
    assert_eq!(value(&outcome, "redis_slowlog_length"), Some(0.0));
    assert_eq!(value(&outcome, "redis_config_maxclients"), None);
    assert_eq!(value(&outcome, "redis_slowlog_last_id"), None);
    let told =
        "some figures are missing, let its ACL allow +config|get +slowlog|get +latency|latest +latency|histogram";
    assert_eq!(outcome.note("rights"), Some(told));
    let refusals = || redis.cli(&["INFO", "errorstats"]).unwrap();
    let before = refusals();
    assert!(before.contains("errorstat_NOPERM:count="), "{before}");
    let outcome = again(&mut *few).await;
    assert_eq!(outcome.note("rights"), Some(told), "also when they are not asked for again");
    assert_eq!(
        refusals(),
        before,
        "a refusal stands in the server's counters and ACL log, and is not added to run by run"
    );
    // Without INFO there is still what the others say.
    redis.cli(&["ACL", "SETUSER", "blind", "on", ">canary-few", "+ping", "+slowlog|len"]).unwrap();
    let outcome = look(&format!("redis://blind:canary-few@127.0.0.1:{}", redis.port), r#"{"round_trip": false}"#).await;
    assert_eq!(outcome.fault, None);
    assert_eq!(value(&outcome, "redis_slowlog_length"), Some(0.0));
    assert!(outcome.note("info").unwrap().contains("no permissions"), "{:?}", outcome.notes);
}

#[tokio::test]
async fn a_unix_socket_gives_the_same() {
    let folder = super::servers::start::folder().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let socket = folder.path().join("redis.sock").display().to_string();
    let Some(_redis) = started(Redis::start(&["--unixsocket", &socket, "--unixsocketperm", "777"])) else { return };
    let outcome = look(&format!("redis+socket://:{PASSWORD}@{socket}?db=2"), "{}").await;
    assert_eq!(outcome.fault, None);
    assert_eq!(value(&outcome, "redis_up"), Some(1.0));
    assert_eq!(value(&outcome, "redis_connected_clients"), Some(1.0));
}

#[tokio::test]
async fn up_follows_every_check_and_a_dependency_is_asked_for_nothing_more() {
    let Some(mut redis) = started(Redis::start(&[])) else { return };
    let url = format!("redis://:{PASSWORD}@127.0.0.1:{}", redis.port);
    let mut peer = probe(&url, "{}");
    let outcome = again(&mut *peer).await;
    assert_eq!(value(&outcome, "redis_up"), Some(1.0));
    assert_eq!(series(&outcome, "redis_exporter_last_scrape_error", &[""]), Some(0.0));
    assert_eq!(value(&look(&url.replace("canary-redis", "canary-wrong"), "{}").await, "redis_up"), Some(0.0));
    redis.cli(&["CONFIG", "RESETSTAT"]).unwrap();
    let mut dependency = probe(&url, "{}");
    for _ in 0..2 {
        let outcome = run(&mut *dependency, &Net::default(), Duration::from_secs(10), Depth::Dependency).await;
        assert_eq!(outcome.fault, None);
        assert!(outcome.readings.iter().all(|reading| !reading.metric.is_of_the_peer_alone()), "{outcome:?}");
    }
    let stats = redis.cli(&["INFO", "commandstats"]).unwrap();
    let asked: Vec<&str> = stats.lines().filter_map(|line| line.strip_prefix("cmdstat_")?.split(':').next()).collect();
    let mut asked: Vec<&str> = asked.into_iter().filter(|name| !name.starts_with("config")).collect();
    asked.sort_unstable();
    assert_eq!(asked, ["auth", "client|setname", "del", "get", "info", "ping", "set"]);
    redis.server.stop();
    let outcome = again(&mut *peer).await;
    assert!(!outcome.ok());
    assert_eq!(value(&outcome, "redis_up"), Some(0.0));
    assert_eq!(series(&outcome, "redis_exporter_last_scrape_error", &[""]), Some(1.0));
}
