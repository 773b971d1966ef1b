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

/// Asks until the answer is this one.
fn wait_for(server: &MariaDb, query: &str, wanted: &str) {
    let began = std::time::Instant::now();
    while server.sql(query).as_deref() != Ok(wanted) {
        assert!(began.elapsed() < std::time::Duration::from_secs(20), "{query}: {:?}", server.sql(query));
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

/// A primary and a replica that follows it by GTID, with what the agent's account needs to look at a replica.
fn replicated() -> Result<(MariaDb, MariaDb), String> {
    let primary = MariaDb::start(&["--server-id=1", "--log-bin=binlog"])?;
    let replica = MariaDb::start(&["--server-id=2", "--slave-net-timeout=10"])?;
    primary.sql("CREATE TABLE shop.users (id int)")?;
    replica.sql("CREATE TABLE shop.users (id int); GRANT SLAVE MONITOR ON *.* TO app@'%'")?;
    replica.follow(&primary)?;
    Ok((primary, replica))
}

#[tokio::test]
async fn a_replica_is_told_as_it_runs_stops_and_loses_its_primary() {
    let Some((mut primary, replica)) = started(replicated()) else { return };
    let url = |server: &MariaDb| format!("mysql://app:{PASSWORD}@127.0.0.1:{}/shop", server.port);
    let of_primary = look(&url(&primary), "{}").await;
    assert!(of_primary.note("replication").unwrap().contains("SLAVE MONITOR"), "the missing right is named");
    assert_eq!(value(&of_primary, "mysql_exporter_last_scrape_error"), Some(1.0));
    primary.sql("GRANT SLAVE MONITOR ON *.* TO app@'%'; INSERT INTO shop.users VALUES (1), (2)").unwrap();
    let of_primary = look(&url(&primary), "{}").await;
    assert_eq!(value(&of_primary, "sidecar_database_is_replica"), Some(0.0));
    assert_eq!(value(&of_primary, "mysql_slave_status_slave_io_running"), None);
    wait_for(&replica, "SELECT count(*) FROM shop.users", "2");

    let mut probe = probe(&url(&replica), "{}");
    let runs = again(&mut *probe).await;
    let figures = |outcome: &agent::probes::Outcome| {
        let names = [
            "sidecar_database_is_replica",
            "sidecar_database_replication_up",
            "sidecar_database_replication_lag_seconds",
            "mysql_slave_status_slave_io_running",
            "mysql_slave_status_slave_sql_running",
            "mysql_slave_status_seconds_behind_master",
            "mysql_slave_status_master_server_id",
        ];
        names.map(|name| value(outcome, name))
    };
    let (yes, no) = (Some(1.0), Some(0.0));
    assert_eq!(figures(&runs), [yes, yes, no, yes, yes, no, yes]);
    let sequence = primary.sql("SELECT substring_index(@@gtid_binlog_pos, '-', -1)").unwrap().parse().ok();
    assert_eq!(value(&runs, "mysql_slave_status_gtid_io_pos"), sequence);
    assert_eq!(value(&runs, "mysql_slave_status_gtid_slave_pos"), sequence);

    replica.sql("STOP SLAVE SQL_THREAD").unwrap();
    let stopped = again(&mut *probe).await;
    assert!(stopped.ok(), "a replica that stands still answers");
    assert_eq!(figures(&stopped), [yes, no, None, yes, no, None, yes]);

    replica.sql("START SLAVE SQL_THREAD").unwrap();
    primary.server.stop();
    // The receiving thread notices, and tries again and again.
    let began = std::time::Instant::now();
    let lost = loop {
        let lost = again(&mut *probe).await;
        // Asked for twice in a look, for the check and for the family: it may change in between.
        if ["sidecar_database_replication_up", "mysql_slave_status_slave_io_running"].map(|name| value(&lost, name))
            == [no, no]
        {
            break lost;
        }
        assert!(began.elapsed() < std::time::Duration::from_secs(20), "it never noticed");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    };
    assert_eq!(figures(&lost), [yes, no, None, no, yes, None, yes]);
}

#[tokio::test]
async fn a_dependency_is_asked_for_no_family() {
    let Some(server) = started(MariaDb::start(&[])) else { return };
    let asked = || server.sql("SHOW GLOBAL STATUS LIKE 'Questions'").unwrap();
    let questions = |text: String| text.split_whitespace().last().unwrap().parse::<f64>().unwrap();
    let url = format!("mysql://app:{PASSWORD}@127.0.0.1:{}/shop", server.port);
    let net = agent::probes::net::Net::default();
    let mut costs = Vec::new();
    for depth in [agent::probes::Depth::Dependency, agent::probes::Depth::Peer] {
        let timeout = std::time::Duration::from_secs(10);
        let mut probe = probe(&url, "{}");
        assert!(agent::probes::run(&mut *probe, &net, timeout, depth).await.ok());
        let before = questions(asked());
        let outcome = agent::probes::run(&mut *probe, &net, timeout, depth).await;
        costs.push(questions(asked()) - before);
        let families = outcome.readings.iter().filter(|reading| reading.metric.name.starts_with("mysql_")).count();
        assert_eq!(families > 0, depth == agent::probes::Depth::Peer, "{depth:?}: {families}");
    }
    // Two statements of the first question, three figures, migrations; and the client that counts.
    assert!(costs[0] <= 9.0 && costs[1] > costs[0], "{costs:?}");
}
