//! The probe `mysql` against a real MariaDB.

use super::servers::mariadb::{MariaDb, PASSWORD};
use super::{again, fault, look, probe, started, value};
use agent::probes::Reason;

#[tokio::test]
async fn figures_are_those_of_the_client() {
    let Some(server) = started(MariaDb::start(&["--max-connections=20"])) else { return };
    server.sql("CREATE TABLE shop.users (id int); CREATE TABLE shop._sqlx_migrations (version bigint, success bool); INSERT INTO shop._sqlx_migrations VALUES (20240102, true), (20240203, false)").unwrap();
    let url = format!("mysql+pymysql://app:{PASSWORD}@127.0.0.1:{}/shop", server.port);
    let mut probe = probe(&url, r#"{"tables": ["users", "shop.users"], "migration_version": "20240102"}"#);
    let outcome = again(&mut *probe).await;
    assert_eq!(outcome.fault, None);
    assert_eq!(value(&outcome, "sidecar_database_connections_max"), Some(20.0));
    // The session of the command-line client that came before may still be on its way out.
    let connections = value(&outcome, "sidecar_database_connections").unwrap();
    assert!((1.0..=2.0).contains(&connections), "{connections}");
    assert_eq!(value(&outcome, "sidecar_connections_used_ratio"), Some(connections / 20.0));
    assert_eq!(value(&outcome, "sidecar_database_tables_missing"), Some(0.0));
    assert_eq!(value(&outcome, "sidecar_database_slow_queries_total"), Some(0.0));
    assert_eq!(value(&outcome, "sidecar_database_longest_transaction_seconds"), None, "needs PROCESS");
    let version = server.sql("SELECT version()").unwrap();
    assert_eq!(outcome.note("version").unwrap(), format!("mariadb {}", version.split('-').next().unwrap()));
    assert_eq!(outcome.note("migration"), Some("20240102 (_sqlx_migrations)"));
    let size = server
        .sql("SELECT sum(data_length+index_length) FROM information_schema.tables WHERE table_schema='shop'")
        .unwrap();
    assert_eq!(value(&outcome, "sidecar_database_size_bytes"), size.parse().ok());
    let ratio = "SELECT 1-(SELECT variable_value FROM information_schema.global_status WHERE variable_name='Innodb_buffer_pool_reads')/(SELECT variable_value FROM information_schema.global_status WHERE variable_name='Innodb_buffer_pool_read_requests')";
    let hits: f64 = server.sql(ratio).unwrap().parse().unwrap();
    assert!((value(&outcome, "sidecar_cache_hit_ratio").unwrap() - hits).abs() < 0.05);
    let second = again(&mut *probe).await;
    assert_eq!(second.phases.iter().map(|phase| phase.name).collect::<Vec<_>>(), ["query"]);
    assert_eq!(server.sql("SELECT count(*) FROM information_schema.processlist WHERE user = 'app'").unwrap(), "1");
    let behind = fault(look(&url, r#"{"migration_version": "20240203"}"#).await);
    assert!(behind.1.contains("stands at migration `20240102`"), "{}", behind.1);
}

#[tokio::test]
async fn a_user_with_privileges_sees_more() {
    let Some(server) = started(MariaDb::start(&["--performance-schema=on"])) else { return };
    server
        .sql("GRANT PROCESS, SLAVE MONITOR ON *.* TO app@'%'; GRANT SELECT ON performance_schema.* TO app@'%'")
        .unwrap();
    let outcome =
        look(&format!("mariadb://app:{PASSWORD}@localhost/shop?unix_socket={}", server.socket.display()), "{}").await;
    assert_eq!(outcome.fault, None);
    assert_eq!(value(&outcome, "sidecar_database_longest_transaction_seconds"), Some(0.0));
    assert_eq!(value(&outcome, "sidecar_database_is_replica"), Some(0.0));
    assert!(value(&outcome, "sidecar_database_query_time_seconds").unwrap() > 0.0);
}

#[tokio::test]
async fn each_trouble_has_its_reason() {
    let Some(mut server) = started(MariaDb::start(&["--max-connections=10"])) else { return };
    let at = format!("127.0.0.1:{}", server.port);
    let url = format!("mysql://app:{PASSWORD}@{at}/shop");
    assert_eq!(fault(look(&format!("mysql://app:canary-wrong@{at}/shop"), "{}").await).0, Reason::Auth);
    server.sql("GRANT ALL ON absent.* TO app@'%'").unwrap();
    let absent = fault(look(&format!("mysql://app:{PASSWORD}@{at}/absent"), "{}").await);
    assert_eq!(absent.0, Reason::Schema, "{}", absent.1);
    let missing = fault(look(&url, r#"{"tables": ["users", "shop.orders"]}"#).await);
    assert!(missing.1.starts_with("2 required tables are missing: `users`, `shop.orders`"), "{}", missing.1);
    let wanted = fault(look(&format!("{url}?ssl-mode=REQUIRED"), "{}").await);
    assert_eq!(wanted.0, Reason::Tls, "{}", wanted.1);
    let said = fault(look(&format!("postgresql://a:b@{at}/x"), "{}").await);
    assert_eq!(said.0, Reason::ProtocolMismatch, "{}", said.1);
    assert!(said.1.contains("speaks mariadb 10") && said.1.contains("the URL says postgresql"), "{}", said.1);
    let mut crowd = Vec::new();
    let crowded = loop {
        let mut one = probe(&url, "{}");
        let outcome = again(&mut *one).await;
        if !outcome.ok() {
            break fault(outcome);
        }
        crowd.push(one);
        assert!(crowd.len() < 12, "the server never was full");
    };
    assert_eq!(crowded.0, Reason::Saturated, "{}", crowded.1);
    let mut kept = crowd.pop().unwrap();
    drop(crowd);
    server.server.stop();
    let lost = fault(again(&mut *kept).await);
    assert_eq!(lost.0, Reason::Refused, "{}", lost.1);
}
