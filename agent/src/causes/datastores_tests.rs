//! Each cause of a datastore's state and of backups: named at its threshold, not just below it, kept in between, gone after.

use super::tests::scene::{Figure, Scene};
use crate::limits;
use crate::probes::Detail;

const NONE: [&str; 0] = [];
const MIB: f64 = 1024.0 * 1024.0;

fn connections(open: f64) -> [Figure<'static>; 3] {
    [
        ("sidecar_database_connections", &[], open),
        ("sidecar_database_connections_max", &[], 100.0),
        ("sidecar_connections_used_ratio", &[], open / 100.0),
    ]
}

#[test]
fn connections_near_the_limit_do_not_flap() {
    let mut scene = Scene::new(&[("db", "postgres", false)]);
    for (open, named) in [(79.0, false), (80.0, true), (73.0, true), (71.0, false), (75.0, false)] {
        scene.ran(0, "db", &connections(open));
        assert_eq!(scene.names() == ["connections_near_limit(db)"], named, "{open}");
    }
    scene.ran(0, "db", &connections(95.0));
    insta::assert_snapshot!(scene.words(), @"connections_near_limit(db): 95 of 100, 95 % of the connections that it allows are in use");
}

#[test]
fn a_server_that_refuses_connections_is_named_in_its_own_words() {
    let mut scene = Scene::new(&[("db", "mysql", false)]);
    scene.failed(0, "db", Detail::TooManyConnections);
    let cause = &scene.causes()[0];
    assert_eq!(
        (cause.kind.name, cause.evidence.as_str(), cause.fix.as_str()),
        ("connections_exhausted", "it said so", "do this")
    );
    scene.ran(1, "db", &connections(5.0));
    assert_eq!(scene.names(), NONE);
}

#[test]
fn connections_that_nginx_took_and_dropped_are_a_cause_for_a_minute() {
    let mut scene = Scene::new(&[("edge", "nginx", true)]);
    let counts = |scene: &mut Scene, seconds: u64, accepted: f64, handled: f64| {
        let figures: [Figure<'_>; 2] =
            [("nginx_connections_accepted", &[], accepted), ("nginx_connections_handled", &[], handled)];
        scene.ran(seconds, "edge", &figures);
    };
    counts(&mut scene, 0, 1000.0, 900.0);
    counts(&mut scene, 10, 1100.0, 1000.0);
    assert_eq!(scene.names(), NONE, "those were dropped before");
    counts(&mut scene, 20, 1200.0, 1099.0);
    insta::assert_snapshot!(scene.words(), @"connections_exhausted(edge): it took connections and dropped them at its limit, the last time seen at 22:13:40 UTC");
    counts(&mut scene, 80, 1300.0, 1199.0);
    assert_eq!(scene.names(), ["connections_exhausted(edge)"]);
    counts(&mut scene, 90, 1400.0, 1299.0);
    assert_eq!(scene.names(), NONE);
}

fn pool(scene: &mut Scene, seconds: u64, out: f64) {
    let figures: [Figure<'_>; 2] =
        [("sidecar_pool_size", &["database"], 10.0), ("sidecar_pool_checked_out", &["database"], out)];
    scene.ran(seconds, "backend", &figures);
}

#[test]
fn a_pool_is_starved_when_it_is_all_out_for_several_runs_while_the_database_has_room() {
    let mut scene = Scene::new(&[("backend", "http", true), ("db", "postgres", false)]);
    scene.ran(0, "db", &connections(12.0));
    for (seconds, out) in [(10, 10.0), (20, 10.0), (30, 9.0), (40, 10.0), (50, 10.0)] {
        pool(&mut scene, seconds, out);
        assert_eq!(scene.names(), NONE, "at {seconds}");
    }
    pool(&mut scene, 60, 11.0);
    insta::assert_snapshot!(scene.words(), @"pool_starved(backend): its pool `database` has 11 of 10 connections checked out since 22:14:00 UTC, while db has 12 of 100 in use");
    pool(&mut scene, 70, 8.0);
    assert_eq!(scene.names(), ["pool_starved(backend)"], "it is kept");
    pool(&mut scene, 80, 7.0);
    assert_eq!(scene.names(), NONE);
}

#[test]
fn a_full_pool_of_a_busy_database_or_of_one_that_nobody_watches_is_not_called_starved() {
    let mut scene = Scene::new(&[("backend", "http", true), ("db", "postgres", false), ("cache", "redis", false)]);
    scene.ran(0, "cache", &connections(1.0));
    for seconds in 0..5 {
        pool(&mut scene, seconds, 10.0);
    }
    assert_eq!(scene.names(), NONE, "nothing is known of the database, and Redis is another one");
    scene.ran(6, "db", &connections(50.0));
    assert_eq!(scene.names(), NONE);
    scene.ran(7, "db", &connections(49.0));
    assert_eq!(scene.names(), ["pool_starved(backend)"]);
}

fn replica(replica: f64) -> [Figure<'static>; 1] {
    [("sidecar_database_is_replica", &[], replica)]
}

#[test]
fn redis_that_became_a_replica_takes_no_writes() {
    let mut scene = Scene::new(&[("cache", "redis", false), ("own", "redis", true), ("db", "postgres", false)]);
    for name in ["cache", "own", "db"] {
        scene.ran(0, name, &replica(1.0));
    }
    assert_eq!(scene.names(), NONE, "a replica that was one from the first is meant to be one");
    for name in ["cache", "own", "db"] {
        scene.ran(1, name, &replica(0.0));
        scene.ran(2, name, &replica(1.0));
    }
    insta::assert_snapshot!(scene.words(), @r"
    redis_read_only(cache): it became a replica at 22:13:22 UTC and takes no writes
    redis_read_only(own): it became a replica at 22:13:22 UTC and takes no writes
    ");
    scene.wait(603);
    assert_eq!(scene.names(), ["redis_read_only(cache)"], "after a failover the peer is a replica for good");
    scene.ran(604, "cache", &replica(0.0));
    assert_eq!(scene.names(), NONE);
}

#[test]
fn what_redis_refuses_has_its_name() {
    let mut scene = Scene::new(&[("cache", "redis", false)]);
    let cases = [
        (Detail::ReadOnly, "redis_read_only(cache)"),
        (Detail::Loading, "redis_loading(cache)"),
        (Detail::OutOfMemory, "redis_out_of_memory(cache)"),
        (Detail::ReplicationBroken, "replication_broken(cache)"),
        (Detail::TooManyConnections, "connections_exhausted(cache)"),
    ];
    for (detail, name) in cases {
        scene.failed(0, "cache", detail);
        assert_eq!(scene.names(), [name]);
    }
}

#[test]
fn redis_that_is_full_is_named_before_a_write_fails_when_it_evicts_nothing() {
    let mut scene = Scene::new(&[("cache", "redis", false)]);
    let figures = |used: f64| -> [Figure<'static>; 2] {
        [
            ("sidecar_database_memory_used_bytes", &[], used * MIB),
            ("sidecar_database_memory_max_bytes", &[], 100.0 * MIB),
        ]
    };
    scene.noted(0, "cache", &figures(101.0), ("maxmemory_policy", "allkeys-lru"));
    assert_eq!(scene.names(), NONE);
    for (used, named) in [(99.0, false), (100.0, true), (91.0, true), (89.0, false)] {
        scene.noted(0, "cache", &figures(used), ("maxmemory_policy", "noeviction"));
        assert_eq!(!scene.names().is_empty(), named, "{used}");
    }
    scene.noted(0, "cache", &figures(100.0), ("maxmemory_policy", "noeviction"));
    insta::assert_snapshot!(scene.words(), @"redis_out_of_memory(cache): memory 100.0 MiB of 100.0 MiB (`maxmemory`), and its policy `noeviction` makes no room");
}

#[test]
fn a_replica_behind_its_primary() {
    let mut scene = Scene::new(&[("db", "mysql", false)]);
    for (lag, named) in [(29.9, false), (30.0, true), (27.5, true), (26.0, false)] {
        scene.ran(0, "db", &[("sidecar_database_replication_lag_seconds", &[], lag)]);
        assert_eq!(!scene.names().is_empty(), named, "{lag}");
    }
    scene.ran(0, "db", &[("sidecar_database_replication_lag_seconds", &[], 95.0)]);
    insta::assert_snapshot!(scene.words(), @"replication_behind(db): it is 1m 35s behind its primary, at most 30 s expected");
    let labels: &[&str] = &["standby", "10.0.0.9", "streaming", "slot"];
    scene.ran(0, "db", &[("pg_stat_replication_pg_wal_lsn_diff", labels, 255.0 * MIB)]);
    assert_eq!(scene.names(), ["replication_behind(db)"], "it is kept");
    scene.ran(0, "db", &[("pg_stat_replication_pg_wal_lsn_diff", labels, 512.0 * MIB)]);
    insta::assert_snapshot!(scene.words(), @"replication_behind(db): its replica `standby` has 512.0 MiB of WAL still to replay");
    scene.ran(0, "db", &[("pg_stat_replication_pg_wal_lsn_diff", labels, 8.0 * MIB)]);
    assert_eq!(scene.names(), NONE);
}

#[test]
fn a_replica_whose_link_is_down_twice_in_a_row() {
    let mut scene = Scene::new(&[("db", "postgres", true)]);
    for (up, named) in [(0.0, false), (1.0, false), (0.0, false), (0.0, true), (0.0, true), (1.0, false)] {
        scene.ran(0, "db", &[("sidecar_database_replication_up", &[], up)]);
        assert_eq!(scene.names() == ["replication_broken(db)"], named, "{up}");
    }
}

#[test]
fn backups_are_named_after_one_run() {
    let mut scene = Scene::new(&[("backup", "file", false)]);
    let cases = [
        (Detail::BackupMissing, "backup_missing(backup)"),
        (Detail::BackupStale, "backup_stale(backup)"),
        (Detail::BackupShrunken, "backup_shrunken(backup)"),
        (Detail::BackupCorrupt, "backup_corrupt(backup)"),
    ];
    for (detail, name) in cases {
        scene.failed(0, "backup", detail);
        assert_eq!(scene.names(), [name]);
    }
    scene.ran(1, "backup", &[("sidecar_backup_age_seconds", &[], 3600.0)]);
    assert_eq!(scene.names(), NONE);
}

#[test]
fn a_busy_stack_that_is_well_has_no_cause() {
    let mut scene = Scene::new(&[("backend", "http", true), ("db", "postgres", false), ("cache", "redis", false)]);
    for seconds in (0..1200).step_by(5) {
        let wave = if seconds % 60 < 30 { 1.0 } else { 0.0 };
        scene.ran(seconds, "db", &connections(70.0 * wave));
        scene.ran(seconds, "cache", &[("sidecar_database_replication_lag_seconds", &[], 10.0)]);
        pool(&mut scene, seconds, if seconds % 15 == 0 { 9.0 } else { 10.0 });
        let figures: [Figure<'_>; 3] = [
            ("sidecar_memory_used_ratio", &["peer"], 0.85),
            ("sidecar_peer_memory_unreclaimable_bytes", &[], 850.0 * MIB),
            ("sidecar_peer_memory_limit_bytes", &[], 1000.0 * MIB),
        ];
        scene.read(seconds, "cgroup", &figures);
        assert_eq!(scene.names(), NONE, "at {seconds}");
    }
    assert_eq!(limits::POOL_FULL_RUNS, 3, "the pool above is full for two runs at a time");
}
