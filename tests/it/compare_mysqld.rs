//! mysqld_exporter and our agent on one MariaDB with tables, activity and `performance_schema`: what dashboards and rules find there
//! they find here. Beyond what the exporter does by itself, the collectors that they ask for are switched on.

use std::time::Duration;
use tests::agent::Agent;
use tests::compare::{Gaps, Page, compare};
use tests::http::get;
use tests::servers::exporter::Exporter;
use tests::servers::mariadb::{MariaDb, PASSWORD};
use tests::servers::start::free_port;
use tests::{skipped, wait_for};

const COLLECTORS: &[&str] = &[
    "--collect.info_schema.processlist",
    "--collect.info_schema.tables",
    "--collect.info_schema.tables.databases=shop,heartbeat",
    "--collect.info_schema.innodb_metrics",
    "--collect.auto_increment.columns",
    "--collect.binlog_size",
    "--collect.perf_schema.tableiowaits",
    "--collect.perf_schema.eventsstatementssum",
    "--collect.heartbeat",
];

/// Tables, rows, queries, a beat.
const ACTIVITY: &str = "\
    USE shop; CREATE TABLE shop.users (id tinyint unsigned AUTO_INCREMENT PRIMARY KEY, name varchar(40)); \
    CREATE TABLE shop.orders (id bigint AUTO_INCREMENT PRIMARY KEY, user int, note text, KEY (user)) ROW_FORMAT=COMPRESSED; \
    INSERT INTO shop.users (name) SELECT seq FROM seq_1_to_200; \
    INSERT INTO shop.orders (user, note) SELECT seq % 200, repeat('x', 400) FROM seq_1_to_3000; \
    SELECT count(*) FROM shop.orders JOIN shop.users ON orders.user = users.id; ANALYZE TABLE shop.users, shop.orders; \
    CREATE TABLE shop.holes (id int) ENGINE=MEMORY; INSERT INTO shop.holes SELECT seq FROM seq_1_to_20; \
    DELETE FROM shop.holes WHERE id > 10; CREATE DATABASE heartbeat; CREATE TABLE heartbeat.heartbeat (ts varchar(26) NOT NULL, server_id int unsigned PRIMARY KEY); \
    INSERT INTO heartbeat.heartbeat VALUES ('2026-11-21T06:17:09.500000', 7); \
    GRANT PROCESS, REPLICATION CLIENT, SLAVE MONITOR, BINLOG MONITOR, SELECT ON *.* TO app@'%'";

/// Each of the two asks hundreds of things: beside many more, that is little.
const WORK: &str = "\
    SELECT count(*) FROM information_schema.tables; SELECT count(*) FROM information_schema.columns; \
    SELECT count(*), max(variable_value) FROM information_schema.global_status ORDER BY 1; \
    SELECT * FROM shop.users WHERE name LIKE '%7%' ORDER BY name; SELECT sum(user) FROM shop.orders; \
    SELECT variable_name FROM information_schema.global_variables; SELECT json_value('{\"a\": 1}', '$.a'), (SELECT 1); \
    SELECT count(*), 1 / 0, 1 / 0, 1 / 0, 1 / 0, 1 / 0 FROM shop.holes WHERE id > 0; ";

/// Works, and waits until the server has nothing left to write or to clean up.
fn work(server: &MariaDb) {
    (0..3).for_each(|_| drop(server.sql(&WORK.repeat(100)).expect("work")));
    // Two seconds of waiting for a lock, for the same reason.
    std::thread::scope(|scope| {
        scope.spawn(|| server.sql("LOCK TABLES shop.users WRITE; SELECT sleep(2)").expect("a lock"));
        wait_for("the lock", Duration::from_secs(10), || {
            let held = "SELECT count(*) FROM information_schema.processlist WHERE state = 'User sleep'";
            server.sql(held).ok().filter(|count| count == "1")
        });
        server.sql("SELECT count(*) FROM shop.users").expect("the lock is given back");
    });
    let rest = "SELECT variable_value FROM information_schema.global_status WHERE variable_name IN \
                ('innodb_buffer_pool_pages_dirty', 'innodb_history_list_length') AND variable_value <> '0'";
    server.sql("SET GLOBAL innodb_max_dirty_pages_pct = 0").expect("a setting");
    wait_for("a server at rest", Duration::from_secs(20), || server.sql(rest).ok().filter(String::is_empty));
}

fn servers() -> Result<(MariaDb, Exporter), String> {
    let server = MariaDb::start(&[
        "--performance-schema=on",
        "--log-bin=binlog",
        "--server-id=1",
        "--event-scheduler=on",
        "--plugin-load-add=query_response_time",
        "--query-response-time-stats=on",
        "--innodb-buffer-pool-size=64M",
    ])?;
    server.sql(ACTIVITY).expect("tables and activity");
    work(&server);
    let port = free_port();
    let listen = format!("--web.listen-address=127.0.0.1:{port}");
    let login = format!("app:{PASSWORD}@(127.0.0.1:{})/", server.port);
    let words: Vec<&str> = [listen.as_str()].into_iter().chain(COLLECTORS.iter().copied()).collect();
    let exporter = Exporter::start("prometheus-mysqld-exporter", port, &words, &[("DATA_SOURCE_NAME", &login)])?;
    Ok((server, exporter))
}

/// Moves by itself while nobody works, so that no two looks agree and none need differ: looked for by name alone.
const RESTLESS: &str = "mysql_global_status_innodb_checkpoint_age";

/// What the exporter says of MySQL; the rest is about its own process.
fn of_mysql(page: Page) -> Page {
    page.only(|name| name.starts_with("mysql_") && name != RESTLESS)
}

#[test]
fn what_mysqld_exporter_says_is_on_our_page() {
    let (server, exporter) = match servers() {
        Ok(servers) => servers,
        Err(why) => return skipped("what_mysqld_exporter_says_is_on_our_page", &why),
    };
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("mysql://app:{PASSWORD}@127.0.0.1:{}/shop", server.port);
    let config = format!("checks:\n  - {{name: db, url: \"{url}\", peer: true, interval: 2s, timeout: 2s}}\n");
    let agent = Agent::with_config(folder.path(), &config);
    agent.wait_sample("mysql_up{check=\"db\"}", 1.0);
    let runs = || agent.sample("sidecar_check_runs_total{check=\"db\",result=\"ok\"}");
    // Both looked at the same moment, as nearly as can be: the next run of ours after theirs. Seconds that are counted may be further
    // apart on a busy machine; what differs for another reason differs each time.
    let look = || {
        let theirs = of_mysql(exporter.page().expect("their page"));
        let before = runs().unwrap_or(0.0);
        wait_for("the next run", Duration::from_secs(10), || runs().filter(|now| *now > before).map(drop));
        let body = get(&format!("{}/metrics", agent.url)).expect("our page").body;
        let ours = of_mysql(Page::read(&body));
        (compare("mysqld", &theirs, &ours, &Gaps::of("mysqld").expect("gaps")), body, ours)
    };
    let mut seen = look();
    for _ in 0..2 {
        if seen.0.unexplained.is_empty() {
            break;
        }
        seen = look();
    }
    let (comparison, body, ours) = seen;
    tests::tell(&format!("{comparison}"));
    assert!(comparison.unexplained.is_empty(), "{:#?}", comparison.unexplained);
    assert!(Page::read(&body).series_of(RESTLESS).count() == 1, "{RESTLESS}");
    as_the_client_says(&server, &ours);
}

#[test]
fn what_mysqld_exporter_says_of_a_replica_is_on_our_page() {
    let name = "what_mysqld_exporter_says_of_a_replica_is_on_our_page";
    let started = MariaDb::start(&["--server-id=1", "--log-bin=binlog"])
        .and_then(|primary| Ok((primary, MariaDb::start(&["--server-id=2"])?)));
    let (primary, replica) = match started {
        Ok(servers) => servers,
        Err(why) => return skipped(name, &why),
    };
    replica.sql("GRANT PROCESS, SLAVE MONITOR ON *.* TO app@'%'").expect("rights");
    replica.follow(&primary).expect("a replica");
    primary.sql("CREATE TABLE shop.users (id int); INSERT INTO shop.users VALUES (1)").expect("rows");
    wait_for("the row on the replica", Duration::from_secs(20), || replica.sql("SELECT id FROM shop.users").ok());
    let port = free_port();
    let listen = format!("--web.listen-address=127.0.0.1:{port}");
    let login = format!("app:{PASSWORD}@(127.0.0.1:{})/", replica.port);
    let exporter = Exporter::start("prometheus-mysqld-exporter", port, &[&listen], &[("DATA_SOURCE_NAME", &login)]);
    let exporter = match exporter {
        Ok(exporter) => exporter,
        Err(why) => return skipped(name, &why),
    };
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("mysql://app:{PASSWORD}@127.0.0.1:{}/shop", replica.port);
    let config = format!("checks:\n  - {{name: db, url: \"{url}\", peer: true, interval: 2s, timeout: 2s}}\n");
    let agent = Agent::with_config(folder.path(), &config);
    agent.wait_sample("mysql_up{check=\"db\"}", 1.0);
    let of_replica = |page: Page| page.only(|name| name.starts_with("mysql_slave_status_"));
    let ours = of_replica(Page::read(&get(&format!("{}/metrics", agent.url)).expect("our page").body));
    let theirs = of_replica(exporter.page().expect("their page"));
    let comparison = compare("mysqld of a replica", &theirs, &ours, &Gaps::default());
    tests::tell(&format!("{comparison}"));
    assert!(comparison.unexplained.is_empty(), "{:#?}", comparison.unexplained);
    assert!(comparison.total > 20, "{comparison}");
}

/// Figures that do not move while nobody works, against the `mariadb` client.
fn as_the_client_says(server: &MariaDb, ours: &Page) {
    let value = |name: &str, label: Option<(&str, &str)>| {
        let fits = |series: &&tests::compare::Series| {
            label.is_none_or(|(name, value)| series.labels.get(name).is_some_and(|has| has == value))
        };
        ours.series_of(name).find(fits).unwrap_or_else(|| panic!("no {name} {label:?}")).value
    };
    let asked = |sql: &str| server.sql(sql).expect("an answer").parse::<f64>().expect("a number");
    let cases = [
        ("mysql_global_variables_max_connections", None, "SELECT @@max_connections"),
        ("mysql_global_variables_innodb_buffer_pool_size", None, "SELECT @@innodb_buffer_pool_size"),
        (
            "mysql_global_status_innodb_page_size",
            None,
            "SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'innodb_page_size'",
        ),
        (
            "mysql_global_status_handlers_total",
            Some(("handler", "write")),
            "SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'handler_write'",
        ),
        (
            "mysql_global_status_commands_total",
            Some(("command", "create_table")),
            "SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'com_create_table'",
        ),
        (
            "mysql_info_schema_auto_increment_column",
            Some(("table", "users")),
            "SELECT auto_increment FROM information_schema.tables WHERE table_name = 'users' AND table_schema = 'shop'",
        ),
        ("mysql_info_schema_auto_increment_column_max", Some(("table", "users")), "SELECT 255"),
        (
            "mysql_heartbeat_stored_timestamp_seconds",
            Some(("server_id", "7")),
            "SELECT unix_timestamp('2026-11-21 06:17:09.5')",
        ),
        ("mysql_binlog_files", None, "SELECT 1"),
        ("mysql_exporter_last_scrape_error", None, "SELECT 0"),
    ];
    for (name, label, sql) in cases {
        assert!((value(name, label) - asked(sql)).abs() < 1e-6, "{name}: {} but {}", value(name, label), asked(sql));
    }
}
