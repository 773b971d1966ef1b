//! The probe `redis` against a real Redis.

use super::servers::redis::{PASSWORD, Redis};
use super::{again, fault, look, probe, started, value};
use agent::probes::Reason;

#[tokio::test]
async fn figures_are_those_of_redis_cli() {
    let Some(redis) = started(Redis::start(&["--maxclients", "50", "--maxmemory", "64mb"])) else { return };
    redis.cli(&["SET", "k", "v"]).unwrap();
    redis.cli(&["GET", "k"]).unwrap();
    redis.cli(&["GET", "absent"]).unwrap();
    // Asked before, for a server keeps some 15 kB of latencies for each command that it has met.
    let used: f64 = said(&redis, "used_memory").parse().unwrap();
    let outcome = look(&format!("redis://:{PASSWORD}@127.0.0.1:{}/3", redis.port), "{}").await;
    assert_eq!(outcome.fault, None);
    let says = |name: &str| said(&redis, name);
    assert_eq!(value(&outcome, "sidecar_database_connections_max"), Some(50.0));
    assert_eq!(value(&outcome, "sidecar_database_memory_max_bytes"), says("maxmemory").parse().ok());
    assert_eq!(outcome.note("version").unwrap(), format!("redis {}", says("redis_version")));
    // The figures were read before the round trip, which hits once more.
    assert_eq!(value(&outcome, "sidecar_cache_hit_ratio"), Some(0.5));
    assert_eq!(says("keyspace_hits"), "2", "the round trip of the probe read its key");
    let seen = value(&outcome, "sidecar_database_memory_used_bytes").unwrap();
    assert!((seen - used).abs() < used * 0.2, "{seen} {used}");
    assert_eq!(redis.cli(&["-n", "3", "DBSIZE"]).unwrap(), "0", "the key of the round trip is gone");
}

/// A field of `INFO`.
fn said(redis: &Redis, name: &str) -> String {
    let info = redis.cli(&["INFO"]).unwrap();
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap().to_owned()
}

#[tokio::test]
async fn each_trouble_has_its_reason() {
    let Some(redis) = started(Redis::start(&["--maxclients", "10"])) else { return };
    let at = format!("127.0.0.1:{}", redis.port);
    assert_eq!(fault(look(&format!("redis://{at}"), "{}").await).0, Reason::Auth);
    assert_eq!(fault(look(&format!("redis://:canary-wrong@{at}"), "{}").await).0, Reason::Auth);
    assert_eq!(fault(look(&format!("redis://app:canary-wrong@{at}"), "{}").await).0, Reason::Auth);
    assert_eq!(fault(look(&format!("redis://:{PASSWORD}@{at}/99"), "{}").await).0, Reason::Schema);
    let url = format!("redis://:{PASSWORD}@{at}");
    redis.cli(&["CONFIG", "SET", "maxmemory", "1"]).unwrap();
    let full = fault(look(&url, "{}").await);
    assert_eq!(full.0, Reason::Saturated, "{}", full.1);
    assert!(look(&url, r#"{"round_trip": false}"#).await.ok(), "reading works while memory is full");
    redis.cli(&["CONFIG", "SET", "maxmemory", "0"]).unwrap();
    let crowd: Vec<_> = (0..12).map(|_| std::net::TcpStream::connect(&at).unwrap()).collect();
    let crowded = fault(look(&url, "{}").await);
    assert_eq!(crowded.0, Reason::Saturated, "{}", crowded.1);
    drop(crowd);
    let said = fault(look(&format!("postgres://a:b@{at}/x"), "{}").await);
    assert_eq!(said.0, Reason::ProtocolMismatch);
    assert!(said.1.contains("speaks redis, the URL says postgres"), "{}", said.1);
    let said = fault(look(&format!("mysql://a:b@{at}/x"), "{}").await);
    assert!(said.1.contains("speaks redis, the URL says mysql"), "{}", said.1);
}

#[tokio::test]
async fn it_goes_down_with_the_server_and_recovers_with_it() {
    let Some(mut redis) = started(Redis::start(&[])) else { return };
    let mut probe = probe(&format!("redis://:{PASSWORD}@127.0.0.1:{}", redis.port), "{}");
    assert!(again(&mut *probe).await.ok());
    redis.server.stop();
    assert_eq!(fault(again(&mut *probe).await).0, Reason::Refused);
    let revived = Redis::start_at(redis.port, &[]).unwrap();
    assert_eq!(again(&mut *probe).await.fault, None);
    drop(revived);
}

#[tokio::test]
async fn a_replica_is_seen_as_one() {
    let Some(primary) = started(Redis::start(&[])) else { return };
    let follow = format!("127.0.0.1 {}", primary.port);
    let replica = Redis::start(&["--replicaof", &follow, "--masterauth", PASSWORD]).unwrap();
    let outcome = look(&format!("redis://:{PASSWORD}@127.0.0.1:{}", replica.port), "{}").await;
    assert_eq!(outcome.fault, None);
    assert_eq!(value(&outcome, "sidecar_database_is_replica"), Some(1.0));
    assert!(outcome.note("round_trip").unwrap().starts_with("left out"));
}
