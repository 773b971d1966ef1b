//! The families of postgres_exporter beside a real PostgreSQL: what psql says too, on both sides of a replication, and what they cost when
//! something is in the way.

use super::servers::postgres::{PASSWORD, Postgres};
use super::{again, look, probe, started, value};
use agent::probes::net::Net;
use agent::probes::{Depth, Outcome, run};
use std::time::{Duration, Instant};

fn url(server: &Postgres) -> String {
    format!("postgres://postgres:{PASSWORD}@127.0.0.1:{}/postgres", server.port)
}

/// The value of a series; `labels` are values, in the metric's order.
fn series(outcome: &Outcome, name: &str, labels: &[&str]) -> Option<f64> {
    let is = |reading: &&agent::reading::Reading| reading.metric.name == name && reading.labels == labels;
    outcome.readings.iter().find(is).map(|reading| reading.value)
}

fn count(outcome: &Outcome, name: &str) -> usize {
    outcome.readings.iter().filter(|reading| reading.metric.name == name).count()
}

#[tokio::test]
async fn families_say_what_psql_says() {
    let settings = ["shared_preload_libraries=pg_stat_statements", "work_mem=3MB", "autovacuum=off"];
    let Some(server) = started(Postgres::start(&settings)) else { return };
    server
        .psql(
            "CREATE EXTENSION pg_stat_statements; CREATE SCHEMA app; CREATE TABLE app.users (id int PRIMARY KEY, name text); \
             INSERT INTO app.users SELECT n, repeat('x', 50) FROM generate_series(1, 2000) n; DELETE FROM app.users WHERE id > 1900; \
             CREATE ROLE seven LOGIN CONNECTION LIMIT 7",
        )
        .unwrap();
    server.psql("VACUUM ANALYZE app.users").unwrap();
    server.psql("SELECT count(*) FROM app.users").unwrap();
    let mut probe = probe(&url(&server), "{}");
    let outcome = again(&mut *probe).await;
    assert_eq!(outcome.fault, None);
    let unread: Vec<_> = outcome.notes.iter().filter(|note| note.text.contains("not read")).collect();
    assert!(unread.is_empty(), "{unread:?}");
    let says = |sql: &str| server.psql(sql).unwrap().parse::<f64>().unwrap();
    let table = ["postgres", "app", "users"];
    let datid = server.psql("SELECT oid FROM pg_database WHERE datname = 'postgres'").unwrap();
    let exact = [
        ("pg_up", &[][..], 1.0),
        ("pg_exporter_last_scrape_error", &[], 0.0),
        ("pg_settings_work_mem_bytes", &[], 3_145_728.0),
        ("pg_settings_autovacuum", &[], 0.0),
        ("pg_settings_deadlock_timeout_seconds", &[], 1.0),
        ("pg_settings_autovacuum_work_mem_bytes", &[], -1.0),
        ("pg_settings_pg_stat_statements_max", &[], 5000.0),
        ("pg_roles_connection_limit", &["seven"], 7.0),
        ("pg_stat_user_tables_n_tup_ins", &table, 2000.0),
        ("pg_stat_user_tables_n_tup_del", &table, 100.0),
        ("pg_stat_user_tables_vacuum_count", &table, 1.0),
        ("pg_stat_user_tables_last_autovacuum", &table, 0.0),
        ("pg_stat_user_tables_table_size_bytes", &table, says("SELECT pg_table_size('app.users')")),
        ("pg_stat_user_tables_index_size_bytes", &table, says("SELECT pg_indexes_size('app.users')")),
        (
            "pg_stat_user_tables_seq_scan",
            &table,
            says("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'users'"),
        ),
        (
            "pg_stat_user_tables_n_live_tup",
            &table,
            says("SELECT n_live_tup FROM pg_stat_user_tables WHERE relname = 'users'"),
        ),
        (
            "pg_statio_user_tables_heap_blocks_hit",
            &table,
            says("SELECT heap_blks_hit FROM pg_statio_user_tables WHERE relname = 'users'"),
        ),
        (
            "pg_statio_user_tables_idx_blocks_hit",
            &table,
            says("SELECT idx_blks_hit FROM pg_statio_user_tables WHERE relname = 'users'"),
        ),
        (
            "pg_stat_database_tup_inserted",
            &[&datid, "postgres"],
            says("SELECT tup_inserted FROM pg_stat_database WHERE datname = 'postgres'"),
        ),
        ("pg_wal_segments", &[], says("SELECT count(*) FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$'")),
        ("pg_locks_count", &["postgres", "accessexclusivelock"], 0.0),
    ];
    for (name, labels, expected) in exact {
        let found = series(&outcome, name, labels).unwrap_or_else(|| panic!("{name} is not there"));
        assert!((found - expected).abs() <= expected.abs() * 0.02 + 0.001, "{name}: {found}, psql says {expected}");
    }
    let began = says("SELECT extract(epoch FROM pg_postmaster_start_time())");
    assert!((value(&outcome, "pg_postmaster_start_time_seconds").unwrap() - began).abs() < 0.01);
    assert!(count(&outcome, "pg_stat_statements_calls_total") > 3);
    let second = again(&mut *probe).await;
    let repeated = series(&second, "pg_database_size_bytes", &["postgres"]);
    assert!(
        repeated.is_some() && repeated == series(&outcome, "pg_database_size_bytes", &["postgres"]),
        "kept between runs"
    );
}

#[tokio::test]
async fn a_dependency_pays_for_none_of_it() {
    let Some(server) =
        started(Postgres::start(&["log_statement=all", "log_destination=stderr", "logging_collector=on"]))
    else {
        return;
    };
    let mut asked = Vec::new();
    for depth in [Depth::Dependency, Depth::Peer] {
        let mut probe = probe(&url(&server), "{}");
        let outcome = run(&mut *probe, &Net::default(), Duration::from_secs(10), depth).await;
        assert_eq!(outcome.fault, None);
        let borrowed = outcome.readings.iter().filter(|reading| reading.metric.name.starts_with("pg_")).count();
        assert_eq!(borrowed > 0, depth == Depth::Peer, "{borrowed} at {depth:?}");
        drop(probe);
        let logs = std::fs::read_dir(server.server.folder().join("data/log")).unwrap();
        let text: String = logs.map(|log| std::fs::read_to_string(log.unwrap().path()).unwrap()).collect();
        asked.push(text.matches("SET TRANSACTION READ ONLY").count());
    }
    // State, size, and whether there is a table of migrations; the first of two runs is counted in the second as well.
    assert!(asked[0] <= 3 && asked[1] - asked[0] <= 3 + 17, "{asked:?}");
}

#[tokio::test]
async fn a_replica_and_its_primary_tell_of_each_other() {
    let Some(primary) = started(Postgres::start(&[])) else { return };
    let replica = primary.replica("standby_one").unwrap();
    primary.psql("CREATE TABLE t (id int); INSERT INTO t SELECT generate_series(1, 1000)").unwrap();
    let (mut above, mut below) = (probe(&url(&primary), "{}"), probe(&url(&replica), "{}"));
    let follower = ["standby_one", "127.0.0.1", "streaming", "standby_one"];
    let began = Instant::now();
    let (above, below) = loop {
        let (above, below) = (again(&mut *above).await, again(&mut *below).await);
        let caught_up = series(&above, "pg_stat_replication_pg_wal_lsn_diff", &follower) == Some(0.0);
        if caught_up && value(&below, "sidecar_database_replication_lag_seconds") == Some(0.0) {
            break (above, below);
        }
        assert!(began.elapsed().as_secs() < 30, "the replica never caught up: {:?}", above.notes);
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    for (outcome, is_replica) in [(&above, 0.0), (&below, 1.0)] {
        assert_eq!(value(outcome, "pg_replication_is_replica"), Some(is_replica));
        assert_eq!(value(outcome, "sidecar_database_is_replica"), Some(is_replica));
        assert_eq!(value(outcome, "pg_replication_lag_seconds"), Some(0.0));
        assert_eq!(value(outcome, "pg_exporter_last_scrape_error"), Some(0.0), "{:?}", outcome.notes);
        assert_eq!(
            value(outcome, "pg_settings_transaction_read_only"),
            Some(is_replica),
            "not as our own session has it"
        );
        assert_eq!(value(outcome, "pg_settings_statement_timeout_seconds"), Some(0.0), "our own guard");
    }
    assert_eq!(value(&below, "pg_settings_in_hot_standby"), Some(1.0));
    assert_eq!(series(&above, "pg_replication_slots_active", &["standby_one", ""]), Some(1.0));
    assert_eq!(series(&above, "pg_replication_slots_slot_is_active", &["standby_one", "physical"]), Some(1.0));
    assert_eq!(series(&above, "pg_replication_slots_wal_status", &["standby_one", "physical", "reserved"]), Some(1.0));
    assert_eq!(series(&above, "pg_replication_slot_slot_is_active", &["standby_one", "physical"]), Some(1.0));
    let position = series(&above, "pg_stat_replication_pg_current_wal_lsn_bytes", &follower).unwrap();
    let flushed =
        series(&below, "pg_stat_wal_receiver_flushed_lsn", &["127.0.0.1", "standby_one", "streaming"]).unwrap();
    assert!((position - flushed).abs() < 1_000_000.0 && flushed > 0.0, "{position} above, {flushed} below");
    assert_eq!(count(&above, "pg_stat_wal_receiver_flushed_lsn"), 0);
    assert_eq!(count(&below, "pg_stat_replication_pg_wal_lsn_diff"), 0);
    // The replica stops replaying, and both sides see it fall behind.
    replica.psql("SELECT pg_wal_replay_pause()").unwrap();
    primary.psql("INSERT INTO t SELECT generate_series(1, 50000)").unwrap();
    let (mut above, mut below) = (probe(&url(&primary), "{}"), probe(&url(&replica), "{}"));
    let began = Instant::now();
    loop {
        let (above, below) = (again(&mut *above).await, again(&mut *below).await);
        let behind =
            series(&above, "pg_stat_replication_pg_wal_lsn_diff", &follower).is_some_and(|bytes| bytes > 1_000_000.0);
        if behind && value(&below, "pg_replication_lag_seconds").is_some_and(|lag| lag > 0.2) {
            assert!(value(&below, "sidecar_database_replication_lag_seconds").unwrap() > 0.2);
            break;
        }
        assert!(began.elapsed().as_secs() < 30, "nobody saw the replica fall behind");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_locked_catalogue_costs_its_own_families_alone() {
    let Some(server) = started(Postgres::start(&[])) else { return };
    let mut probe = probe(&url(&server), "{}");
    assert_eq!(again(&mut *probe).await.fault, None);
    let server = std::sync::Arc::new(server);
    let locker = std::sync::Arc::clone(&server);
    let locking = std::thread::spawn(move || {
        locker.psql("BEGIN; LOCK TABLE pg_authid IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(3)")
    });
    let began = Instant::now();
    loop {
        let outcome = again(&mut *probe).await;
        if outcome.note("roles").is_some_and(|note| note.contains("not read")) {
            assert_eq!((outcome.fault.clone(), value(&outcome, "pg_up")), (None, Some(1.0)));
            assert_eq!(value(&outcome, "pg_exporter_last_scrape_error"), Some(1.0));
            assert_eq!(count(&outcome, "pg_roles_connection_limit"), 0);
            assert!(
                count(&outcome, "pg_stat_database_xact_commit") > 0
                    && count(&outcome, "pg_settings_max_connections") == 1
            );
            break;
        }
        assert!(began.elapsed().as_secs() < 20, "the lock was never met");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    locking.join().unwrap().unwrap();
    let outcome = again(&mut *probe).await;
    assert_eq!(value(&outcome, "pg_exporter_last_scrape_error"), Some(0.0), "{:?}", outcome.notes);
}

#[tokio::test]
async fn a_table_that_is_being_altered_keeps_nobody_waiting() {
    let Some(server) = started(Postgres::start(&[])) else { return };
    server.psql("CREATE TABLE still (id int); CREATE TABLE altered (id int); INSERT INTO still VALUES (1)").unwrap();
    let server = std::sync::Arc::new(server);
    let locker = std::sync::Arc::clone(&server);
    let locking = std::thread::spawn(move || {
        locker.psql("BEGIN; LOCK TABLE altered IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(3)")
    });
    let held = "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation = 'altered'::regclass";
    let began = Instant::now();
    while server.psql(held).unwrap() != "1" {
        assert!(began.elapsed().as_secs() < 10, "the lock was never taken");
    }
    let outcome = look(&url(&server), "{}").await;
    assert_eq!(value(&outcome, "pg_exporter_last_scrape_error"), Some(0.0), "{:?}", outcome.notes);
    assert!(series(&outcome, "pg_stat_user_tables_table_size_bytes", &["postgres", "public", "still"]).is_some());
    assert!(series(&outcome, "pg_stat_user_tables_table_size_bytes", &["postgres", "public", "altered"]).is_none());
    assert!(series(&outcome, "pg_stat_user_tables_n_live_tup", &["postgres", "public", "altered"]).is_some());
    locking.join().unwrap().unwrap();
}

#[tokio::test]
async fn who_may_not_look_loses_families_and_is_told() {
    let Some(server) = started(Postgres::start(&[])) else { return };
    server.psql("CREATE ROLE plain LOGIN PASSWORD 'canary-plain'").unwrap();
    let outcome = look(&format!("postgres://plain:canary-plain@127.0.0.1:{}/postgres", server.port), "{}").await;
    assert_eq!((outcome.fault.clone(), value(&outcome, "pg_up")), (None, Some(1.0)));
    assert_eq!(value(&outcome, "pg_exporter_last_scrape_error"), Some(0.0), "{:?}", outcome.notes);
    assert!(outcome.note("wal").unwrap().contains("not read"));
    for absent in ["pg_stat_activity_count", "pg_long_running_transactions", "pg_wal_segments"] {
        assert_eq!(count(&outcome, absent), 0, "{absent}: a part would look like all");
    }
    assert!(count(&outcome, "pg_stat_database_xact_commit") > 0 && count(&outcome, "pg_settings_max_connections") == 1);
}

#[tokio::test]
async fn of_what_there_is_too_much_the_largest_are_kept_and_sums_stay_right() {
    let Some(server) = started(Postgres::start(&["max_connections=150"])) else { return };
    server
        .psql(
            "DO $$ BEGIN FOR n IN 1..130 LOOP EXECUTE format('CREATE TABLE t%s (id int)', n); END LOOP; END $$; \
               CREATE TABLE zz_large AS SELECT generate_series(1, 20000) AS id",
        )
        .unwrap();
    server.psql("ANALYZE zz_large").unwrap();
    std::fs::write(server.server.folder().join("data/pg_hba.conf"), "host all all 127.0.0.1/32 trust\n").unwrap();
    server.psql("SELECT pg_reload_conf()").unwrap();
    let mut crowd = Vec::new();
    for at in 0..120 {
        use sqlx::ConnectOptions as _;
        let options: sqlx::postgres::PgConnectOptions = url(&server).parse().unwrap();
        crowd.push(options.application_name(&format!("worker-{at}")).connect().await.unwrap());
    }
    let outcome = look(&url(&server), "{}").await;
    assert_eq!(count(&outcome, "pg_stat_user_tables_n_live_tup"), agent::limits::PG_TABLES);
    assert!(series(&outcome, "pg_stat_user_tables_n_live_tup", &["postgres", "public", "zz_large"]).is_some());
    let groups: Vec<_> =
        outcome.readings.iter().filter(|reading| reading.metric.name == "pg_stat_activity_count").collect();
    let idle: f64 = groups.iter().filter(|group| group.labels[0] == "postgres").map(|group| group.value).sum();
    assert!((120.0..124.0).contains(&idle), "{idle} sessions in all");
    let names = groups.iter().filter(|group| group.labels[3].starts_with("worker-")).count();
    assert!(names <= agent::limits::PG_SESSIONS && names > 90, "{names}");
    assert!(groups.iter().any(|group| group.labels[3] == "(others)" && group.value > 15.0));
    drop(crowd);
}
