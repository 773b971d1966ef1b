//! The probe `postgres` against a real PostgreSQL.

use super::servers::postgres::{PASSWORD, Postgres};
use super::{again, fault, look, probe, started, value};
use agent::probes::Reason;

#[tokio::test]
async fn figures_are_those_of_psql() {
    let settings = ["max_connections=20", "shared_preload_libraries=pg_stat_statements"];
    let Some(server) = started(Postgres::start(&settings)) else { return };
    server.psql("CREATE TABLE users (id int); CREATE SCHEMA app; CREATE TABLE app.\"Orders\" (id int); CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES ('abc123'); CREATE EXTENSION pg_stat_statements").unwrap();
    let url = format!("postgresql+asyncpg://postgres:{PASSWORD}@127.0.0.1:{}/postgres", server.port);
    let mut probe = probe(&url, r#"{"tables": ["users", "USERS", "app.Orders"], "migration_version": "abc123"}"#);
    let outcome = again(&mut *probe).await;
    assert_eq!(outcome.fault, None);
    let says = |sql: &str| server.psql(sql).unwrap().parse::<f64>().ok();
    assert_eq!(value(&outcome, "sidecar_database_connections_max"), Some(20.0));
    // The session of the command-line client that came before may still be on its way out.
    let connections = value(&outcome, "sidecar_database_connections").unwrap();
    assert!((1.0..=2.0).contains(&connections), "{connections}");
    assert_eq!(value(&outcome, "sidecar_connections_used_ratio"), Some(connections / 20.0));
    assert_eq!(value(&outcome, "sidecar_database_tables_missing"), Some(0.0));
    assert_eq!(value(&outcome, "sidecar_database_is_replica"), Some(0.0));
    assert_eq!(value(&outcome, "sidecar_database_slow_queries"), Some(0.0));
    let size = says("SELECT pg_database_size('postgres')").unwrap();
    assert!((value(&outcome, "sidecar_database_size_bytes").unwrap() - size).abs() <= 65_536.0);
    let hits = says("SELECT sum(blks_hit)/sum(blks_hit+blks_read) FROM pg_stat_database").unwrap();
    assert!((value(&outcome, "sidecar_cache_hit_ratio").unwrap() - hits).abs() < 0.05);
    assert!(value(&outcome, "sidecar_database_query_time_seconds").unwrap() > 0.0);
    assert_eq!(outcome.note("migration"), Some("abc123 (alembic_version)"));
    assert_eq!(
        format!("postgresql {}", server.psql("SHOW server_version").unwrap().split(' ').next().unwrap()),
        outcome.note("version").unwrap()
    );
    let names: Vec<_> = outcome.phases.iter().map(|phase| phase.name).collect();
    assert_eq!(names, ["resolve", "connect", "tls", "login", "query"]);
    // Kept: the second run neither connects nor logs in, and the server sees one agent, by its name.
    let second = again(&mut *probe).await;
    assert_eq!(second.phases.iter().map(|phase| phase.name).collect::<Vec<_>>(), ["query"]);
    assert_eq!(
        server.psql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'sidecar-agent'").unwrap(),
        "1"
    );
}

#[tokio::test]
async fn each_trouble_has_its_reason() {
    let Some(server) = started(Postgres::start(&["max_connections=6", "superuser_reserved_connections=0"])) else {
        return;
    };
    let at = format!("127.0.0.1:{}", server.port);
    let url = format!("postgres://postgres:{PASSWORD}@{at}/postgres");
    assert_eq!(fault(look(&format!("postgres://postgres:canary-wrong@{at}/postgres"), "{}").await).0, Reason::Auth);
    let absent = fault(look(&format!("postgres://postgres:{PASSWORD}@{at}/absent"), "{}").await);
    assert_eq!(absent.0, Reason::Schema);
    assert!(absent.1.contains("create the database, or correct the path"), "{}", absent.1);
    let missing = fault(look(&url, r#"{"tables": ["users", "app.orders", "pg_class"]}"#).await);
    assert_eq!(missing.0, Reason::Schema);
    assert!(missing.1.starts_with("2 required tables are missing: `users`, `app.orders`"), "{}", missing.1);
    let behind = fault(look(&url, r#"{"migration_version": "7"}"#).await);
    assert!(behind.1.starts_with("no migration is recorded, expected `7`"), "{}", behind.1);
    server.psql("CREATE TABLE schema_migrations (version text); INSERT INTO schema_migrations VALUES ('5')").unwrap();
    let behind = fault(look(&url, r#"{"migration_version": "7"}"#).await);
    assert!(behind.1.contains("stands at migration `5` of `schema_migrations`, expected `7`"), "{}", behind.1);
    let wanted = fault(look(&format!("{url}?sslmode=require"), "{}").await);
    assert_eq!(wanted.0, Reason::Tls, "{}", wanted.1);
    let said = fault(look(&format!("mysql://a:b@{at}/x"), "{}").await);
    assert_eq!(said.0, Reason::ProtocolMismatch);
    assert!(said.1.contains("speaks postgresql, the URL says mysql"), "{}", said.1);
    let said = fault(look(&format!("redis://{at}"), "{}").await);
    assert!(said.1.contains("speaks postgresql, the URL says redis"), "{}", said.1);
    let mut crowd = Vec::new();
    for _ in 0..6 {
        let mut one = probe(&url, "{}");
        assert!(again(&mut *one).await.ok());
        crowd.push(one);
    }
    let crowded = fault(look(&url, "{}").await);
    assert_eq!(crowded.0, Reason::Saturated, "{}", crowded.1);
}

#[tokio::test]
async fn a_user_without_privileges_loses_figures_and_not_the_check() {
    let Some(server) = started(Postgres::start(&["shared_preload_libraries=pg_stat_statements"])) else { return };
    server
        .psql("CREATE ROLE plain LOGIN PASSWORD 'canary-plain'; CREATE TABLE alembic_version (version_num text)")
        .unwrap();
    let url = format!("postgres://plain:canary-plain@127.0.0.1:{}/postgres", server.port);
    let outcome = look(&url, r#"{"tables": ["alembic_version"]}"#).await;
    assert_eq!(outcome.fault, None);
    assert_eq!(value(&outcome, "sidecar_database_slow_queries"), None);
    assert_eq!(value(&outcome, "sidecar_database_query_time_seconds"), None);
    assert!(value(&outcome, "sidecar_database_connections").is_some());
    assert!(outcome.note("statistics").unwrap().contains("pg_monitor"));
    assert!(outcome.note("migration").unwrap().starts_with("not read: "), "{:?}", outcome.note("migration"));
}

#[tokio::test]
async fn slow_queries_and_old_transactions_are_seen() {
    let Some(server) = started(Postgres::start(&[])) else { return };
    let server = std::sync::Arc::new(server);
    let sleeper = std::sync::Arc::clone(&server);
    let sleeping = std::thread::spawn(move || sleeper.psql("SELECT pg_sleep(3)"));
    let mut probe = probe(
        &format!("postgres://postgres:{PASSWORD}@127.0.0.1:{}/postgres", server.port),
        r#"{"slow_after": "200ms"}"#,
    );
    let began = std::time::Instant::now();
    loop {
        let outcome = again(&mut *probe).await;
        if value(&outcome, "sidecar_database_slow_queries") == Some(1.0) {
            assert!(value(&outcome, "sidecar_database_longest_transaction_seconds").unwrap() > 0.2);
            break;
        }
        assert!(began.elapsed().as_secs() < 10, "the slow query was never seen");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    sleeping.join().unwrap().unwrap();
}

#[tokio::test]
async fn sockets_work_and_a_lost_server_is_refused() {
    let Some(mut server) = started(Postgres::start(&[])) else { return };
    let socket = server.server.folder().display().to_string();
    let url = format!("postgresql://postgres:{PASSWORD}@/postgres?host={socket}&port={}", server.port);
    let mut by_socket = probe(&url, "{}");
    assert_eq!(again(&mut *by_socket).await.fault, None);
    let mut by_name = probe(&format!("postgres://postgres:{PASSWORD}@localhost:{}/postgres", server.port), "{}");
    assert_eq!(again(&mut *by_name).await.fault, None);
    // The server ends its backends; the kept connection is found gone, and the new one makes a fresh start.
    server
        .psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sidecar-agent'")
        .unwrap();
    assert_eq!(again(&mut *by_name).await.fault, None);
    server.server.stop();
    let lost = fault(again(&mut *by_name).await);
    assert_eq!(lost.0, Reason::Refused, "{}", lost.1);
}

/// The form in which every query goes out; the guards must hold without an explicit transaction, or a pooler would keep them.
#[tokio::test]
async fn a_guarded_query_is_cut_off_writes_nothing_and_leaves_nothing() {
    let Some(server) = started(Postgres::start(&[])) else { return };
    let guards = "SET TRANSACTION READ ONLY; SET LOCAL statement_timeout = 200; SET LOCAL lock_timeout = 100;";
    let slow = server.psql(&format!("{guards} SELECT pg_sleep(5)")).unwrap_err();
    assert!(slow.contains("statement timeout"), "{slow}");
    let writing = server.psql(&format!("{guards} CREATE TABLE t (id int)")).unwrap_err();
    assert!(writing.contains("read-only transaction"), "{writing}");
    assert_eq!(server.psql("SHOW statement_timeout").unwrap(), "0");
}
