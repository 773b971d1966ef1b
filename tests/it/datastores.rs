//! Real PostgreSQL, MariaDB, Redis and nginx from Debian beside one agent: what it says is what their own clients say, and when one of
//! them goes wrong it says which and why.

use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tests::agent::Agent;
use tests::program::Running;
use tests::servers::mariadb::{self, MariaDb};
use tests::servers::nginx::Nginx;
use tests::servers::postgres::{self, Postgres};
use tests::servers::prometheus::Prometheus;
use tests::servers::redis::{self, Redis};
use tests::{skipped, wait_for};

/// How long two who look at the same figure may need to agree: a run of the check, a scrape, and a slow machine.
const AGREE_WITHIN: Duration = Duration::from_secs(20);

struct Databases {
    postgres: Postgres,
    mariadb: MariaDb,
    redis: Redis,
}

/// All three at once: the slowest sets the time.
fn databases() -> Result<Databases, String> {
    std::thread::scope(|scope| {
        let postgres = scope.spawn(|| Postgres::start(&["max_connections=25"]));
        let mariadb = scope.spawn(|| MariaDb::start(&["--max-connections=25"]));
        let redis = Redis::start(&["--maxclients", "40", "--maxmemory", "64mb"])?;
        let crashed = |_panic| "the starting thread panicked".to_owned();
        Ok(Databases {
            postgres: postgres.join().map_err(crashed)??,
            mariadb: mariadb.join().map_err(crashed)??,
            redis,
        })
    })
}

impl Databases {
    fn postgres_url(&self) -> String {
        format!("postgresql+asyncpg://postgres:{}@127.0.0.1:{}/postgres", postgres::PASSWORD, self.postgres.port)
    }

    fn mariadb_url(&self) -> String {
        format!("mysql+pymysql://app:{}@127.0.0.1:{}/shop", mariadb::PASSWORD, self.mariadb.port)
    }

    fn redis_url(&self) -> String {
        format!("redis://:{}@127.0.0.1:{}/0", redis::PASSWORD, self.redis.port)
    }

    /// The three checks of a configuration file, each every second.
    fn checks(&self) -> String {
        let check = |name: &str, url: &str, more: &str| {
            format!("  - {{name: {name}, url: \"{url}\", interval: 1s, timeout: 1s, fail_after: 3{more}}}\n")
        };
        [
            check("pg", &self.postgres_url(), ", tables: [users], migration_version: \"0007\""),
            check("maria", &self.mariadb_url(), ", tables: [users]"),
            check("cache", &self.redis_url(), ""),
        ]
        .concat()
    }

    /// A table that the checks require, and one migration.
    fn fill(&self) {
        self.postgres
            .psql("CREATE TABLE users (id int); CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES ('0007')")
            .expect("tables in PostgreSQL");
        self.mariadb.sql("CREATE TABLE shop.users (id int)").expect("a table in MariaDB");
    }

    /// What `psql` reads as one number.
    fn psql(&self, sql: &str) -> f64 {
        self.postgres.psql(sql).expect("psql answers").parse().expect("a number")
    }

    /// What `mariadb` shows for a global status or variable.
    fn mariadb_shows(&self, statement: &str) -> f64 {
        let row = self.mariadb.sql(statement).expect("mariadb answers");
        row.split_whitespace().nth(1).expect("a value").parse().expect("a number")
    }

    /// A field of Redis' `INFO`.
    fn redis_says(&self, field: &str) -> String {
        let info = self.redis.cli(&["INFO"]).expect("redis-cli answers");
        let value = info.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        value.expect("the field").trim().to_owned()
    }

    fn redis_number(&self, field: &str) -> f64 {
        self.redis_says(field).parse().expect("a number")
    }
}

/// Asks both until they are at most `tolerance` apart.
fn agree(what: &str, tolerance: f64, agent: impl Fn() -> Option<f64>, client: impl Fn() -> f64) {
    let mut last = (None, 0.0);
    let close = || {
        last = (agent(), client());
        last.0.filter(|found| (found - last.1).abs() <= tolerance).map(|_| ())
    };
    let waited = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| wait_for(what, AGREE_WITHIN, close)));
    assert!(waited.is_ok(), "{what}: Prometheus has {:?} of the agent, its own client says {}", last.0, last.1);
}

/// Sessions of the databases' own clients that stay open while the test looks.
fn sessions(databases: &Databases, each: usize) -> Vec<Running> {
    let port = databases.postgres.port.to_string();
    let socket = databases.mariadb.socket.to_string_lossy().into_owned();
    let psql = |_| {
        let mut command = std::process::Command::new("psql");
        command.env("PGPASSWORD", postgres::PASSWORD);
        command.args(["-X", "-h", "127.0.0.1", "-p", &port, "-U", "postgres", "-c", "SELECT pg_sleep(600)"]);
        Running::start(&mut command)
    };
    let mariadb = |_| {
        let mut command = std::process::Command::new("mariadb");
        command.args(["--no-defaults", "-u", "root", "--socket", &socket, "-e", "SELECT sleep(600)"]);
        Running::start(&mut command)
    };
    (0..each).map(psql).chain((0..each).map(mariadb)).collect()
}

#[test]
fn what_prometheus_reads_is_what_their_own_clients_say() {
    let name = "what_prometheus_reads_is_what_their_own_clients_say";
    let folder = tempfile::tempdir().expect("a folder");
    let started = databases().and_then(|databases| Ok((databases, Nginx::start("location / { return 200 fine; }")?)));
    let (databases, nginx) = match started {
        Ok(started) => started,
        Err(why) => return skipped(name, &why),
    };
    databases.fill();
    let text = format!(
        "collectors: {{interval: 1s}}\nchecks:\n  - {{name: web, url: \"{}\", peer: true, interval: 1s, timeout: 1s}}\n{}",
        nginx.url,
        databases.checks()
    );
    let agent = Agent::with_config(folder.path(), &text);
    let prometheus = match Prometheus::start(agent.url.trim_start_matches("http://")) {
        Ok(prometheus) => prometheus,
        Err(why) => return skipped(name, &why),
    };
    for check in ["web", "pg", "maria", "cache"] {
        agent.wait_sample(&format!("sidecar_check_up{{check=\"{check}\"}}"), 1.0);
    }
    let open = sessions(&databases, 7);
    connections(&databases, &prometheus);
    drop(open);
    cache_hits(&databases, &prometheus);
    memory_and_size(&databases, &prometheus);
    versions(&databases, &agent);
    host_and_agent(&agent, &prometheus);
    let web = |series: &str| prometheus.query(&format!("{series}{{check=\"web\"}}"));
    assert_eq!((web("probe_http_status_code"), web("sidecar_check_up")), (Some(200.0), Some(1.0)));
    assert_eq!(agent.page("/ready").status, 200);
}

/// Connections agree to one: the client that asks is one more, and may still be on its way out when the agent looks. The ratio agrees
/// to what one connection makes of it.
fn connections(databases: &Databases, prometheus: &Prometheus) {
    let read = |series: &str, check: &str| prometheus.query(&format!("{series}{{check=\"{check}\"}}"));
    let in_postgres =
        || databases.psql("SELECT count(*) - 1 FROM pg_stat_activity WHERE backend_type = 'client backend'");
    let in_mariadb = || databases.mariadb_shows("SHOW GLOBAL STATUS LIKE 'Threads_connected'") - 1.0;
    wait_for("seven sessions of each", AGREE_WITHIN, || (in_postgres() >= 8.0 && in_mariadb() >= 8.0).then_some(()));
    agree("PostgreSQL's connections", 1.0, || read("sidecar_database_connections", "pg"), in_postgres);
    agree("MariaDB's connections", 1.0, || read("sidecar_database_connections", "maria"), in_mariadb);
    let in_redis = || databases.redis_number("connected_clients") - 1.0;
    agree("Redis' clients", 1.0, || read("sidecar_database_connections", "cache"), in_redis);
    let limits = [
        ("pg", databases.psql("SHOW max_connections"), in_postgres()),
        ("maria", databases.mariadb_shows("SHOW GLOBAL VARIABLES LIKE 'max_connections'"), in_mariadb()),
        ("cache", databases.redis_number("maxclients"), in_redis()),
    ];
    for (check, most, open) in limits {
        assert_eq!(read("sidecar_database_connections_max", check), Some(most), "{check}");
        let ratio = || read("sidecar_connections_used_ratio", check);
        agree(&format!("connections used of {check}"), 1.0 / most + 1e-9, ratio, || open / most);
    }
    let least = 8.0 / 25.0 - 1e-9;
    assert!(read("sidecar_connections_used_ratio", "pg").is_some_and(|ratio| ratio >= least), "the sessions are in it");
}

/// Ratios agree to 0.02: both sides count on while they are asked.
fn cache_hits(databases: &Databases, prometheus: &Prometheus) {
    let read = |check: &str| prometheus.query(&format!("sidecar_cache_hit_ratio{{check=\"{check}\"}}"));
    let postgres = || databases.psql("SELECT sum(blks_hit) / sum(blks_hit + blks_read) FROM pg_stat_database");
    agree("PostgreSQL's cache hits", 0.02, || read("pg"), postgres);
    let status = |name: &str| databases.mariadb_shows(&format!("SHOW GLOBAL STATUS LIKE '{name}'"));
    let mariadb = || 1.0 - status("Innodb_buffer_pool_reads") / status("Innodb_buffer_pool_read_requests");
    agree("MariaDB's cache hits", 0.02, || read("maria"), mariadb);
    let misses = "for i = 1, 3000 do redis.call('GET', 'absent' .. i) end for i = 1, 1000 do redis.call('SET', 'k', i) redis.call('GET', 'k') end";
    databases.redis.cli(&["EVAL", misses, "0"]).expect("hits and misses");
    let redis = || {
        let (hits, misses) = (databases.redis_number("keyspace_hits"), databases.redis_number("keyspace_misses"));
        hits / (hits + misses)
    };
    agree("Redis' cache hits", 0.02, || read("cache"), redis);
    assert!(redis() < 0.5, "the misses are in it: {}", redis());
}

/// Memory agrees to 1 MiB of 20: buffers come and go. The size of a database agrees to a page or eight.
fn memory_and_size(databases: &Databases, prometheus: &Prometheus) {
    let read = |series: &str, check: &str| prometheus.query(&format!("{series}{{check=\"{check}\"}}"));
    databases.redis.cli(&["SETRANGE", "big", "20000000", "x"]).expect("a large value");
    let used = || databases.redis_number("used_memory");
    assert!(used() > 20e6, "{}", used());
    agree("Redis' memory", 1_048_576.0, || read("sidecar_database_memory_used_bytes", "cache"), used);
    assert_eq!(read("sidecar_database_memory_max_bytes", "cache"), Some(databases.redis_number("maxmemory")));
    let size = || databases.psql("SELECT pg_database_size('postgres')");
    agree("PostgreSQL's size", 65_536.0, || read("sidecar_database_size_bytes", "pg"), size);
    let uptime = || databases.redis_number("uptime_in_seconds");
    agree("Redis' uptime", 3.0, || read("sidecar_database_uptime_seconds", "cache"), uptime);
    let uptime = || databases.mariadb_shows("SHOW GLOBAL STATUS LIKE 'Uptime'");
    agree("MariaDB's uptime", 3.0, || read("sidecar_database_uptime_seconds", "maria"), uptime);
}

fn versions(databases: &Databases, agent: &Agent) {
    let page = agent.page("/diagnostics").json();
    let note = |check: &str, name: &str| page["services"][check]["last"]["notes"][name].as_str().map(str::to_owned);
    let first = |text: String, until: char| text.split(until).next().map(str::to_owned).unwrap_or_default();
    let postgres = databases.postgres.psql("SHOW server_version").expect("psql answers");
    assert_eq!(note("pg", "version"), Some(format!("postgresql {}", first(postgres, ' '))));
    assert_eq!(note("pg", "migration").as_deref(), Some("0007 (alembic_version)"));
    let mariadb = databases.mariadb.sql("SELECT version()").expect("mariadb answers");
    assert_eq!(note("maria", "version"), Some(format!("mariadb {}", first(mariadb, '-'))));
    assert_eq!(note("cache", "version"), Some(format!("redis {}", databases.redis_says("redis_version"))));
}

/// `/proc` of the host and of the agent's own process.
fn host_and_agent(agent: &Agent, prometheus: &Prometheus) {
    let proc = |file: &str| std::fs::read_to_string(format!("/proc/{file}")).expect("a file of /proc");
    let kib = |text: String, name: &str| -> f64 {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).expect("the line");
        line.split_whitespace().nth(1).expect("a value").parse::<f64>().expect("a number") * 1024.0
    };
    let meminfo = |name: &str| kib(proc("meminfo"), name);
    assert_eq!(prometheus.query("sidecar_host_memory_total_bytes"), Some(meminfo("MemTotal")));
    let used = || 1.0 - meminfo("MemAvailable") / meminfo("MemTotal");
    agree("memory of the host", 0.03, || prometheus.query("sidecar_memory_used_ratio{scope=\"host\"}"), used);
    let load = || proc("loadavg").split(' ').next().expect("a load").parse().expect("a number");
    agree("load of the host", 0.3, || prometheus.query("sidecar_host_load{over=\"1m\"}"), load);
    let own = format!("{}/status", agent.running.id());
    let resident = || kib(proc(&own), "VmRSS");
    agree("memory of the agent", 1_048_576.0, || prometheus.query("process_resident_memory_bytes"), resident);
    let files = || {
        let open = std::fs::read_dir(format!("/proc/{}/fd", agent.running.id())).expect("its files");
        f64::from(u32::try_from(open.count()).expect("few"))
    };
    agree("open files of the agent", 3.0, || prometheus.query("process_open_fds"), files);
}

/// The last fault of a check as `/diagnostics` shows it: reason and message.
fn fault(agent: &Agent, check: &str) -> Option<(String, String)> {
    let page = agent.page("/diagnostics").json();
    let fault = &page["services"][check]["last"]["fault"];
    Some((fault["reason"].as_str()?.to_owned(), fault["message"].as_str()?.to_owned()))
}

fn unix_now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

#[test]
fn a_stopped_database_turns_its_check_down_in_time_and_recovers() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut databases = match databases() {
        Ok(databases) => databases,
        Err(why) => return skipped("a_stopped_database_turns_its_check_down_in_time_and_recovers", &why),
    };
    databases.fill();
    let agent = Agent::with_config(folder.path(), &format!("checks:\n{}", databases.checks()));
    let checks = ["pg", "maria", "cache"];
    let up = |check: &str| format!("sidecar_check_up{{check=\"{check}\"}}");
    checks.iter().for_each(|check| agent.wait_sample(&up(check), 1.0));
    let stopped = unix_now();
    databases.postgres.server.stop();
    databases.mariadb.server.stop();
    databases.redis.server.stop();
    for check in checks {
        agent.wait_sample(&up(check), 0.0);
        let since = agent.sample(&format!("sidecar_check_state_since_timestamp_seconds{{check=\"{check}\"}}"));
        let took = since.expect("a time") - stopped;
        // Three intervals of a second and their jitter of a tenth; half a second for the runs themselves on a busy machine.
        assert!((0.0..=3.8).contains(&took), "{check} was down after {took} s");
        let refused = agent.sample(&format!("sidecar_check_failures_total{{check=\"{check}\",reason=\"refused\"}}"));
        assert!(refused.is_some_and(|count| count >= 2.0), "{check}: {refused:?}");
        let (reason, message) = fault(&agent, check).expect("a fault");
        assert_eq!(reason, "refused", "{check}: {message}");
    }
    assert_eq!(agent.page("/live").status, 200, "a dead dependency is no reason to restart the agent");
    databases.postgres.restart().expect("PostgreSQL is back");
    databases.mariadb.restart().expect("MariaDB is back");
    databases.redis.restart().expect("Redis is back");
    checks.iter().for_each(|check| agent.wait_sample(&up(check), 1.0));
    assert!(checks.iter().all(|check| fault(&agent, check).is_none()));
}

/// A server that accepts and never says a word.
fn silent() -> (std::net::TcpListener, u16) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    (listener, port)
}

#[test]
fn each_wrong_turn_has_its_reason() {
    let name = "each_wrong_turn_has_its_reason";
    let folder = tempfile::tempdir().expect("a folder");
    let started = databases().and_then(|databases| Ok((databases, Nginx::start("location / { return 200 fine; }")?)));
    let (databases, nginx) = match started {
        Ok(started) => started,
        Err(why) => return skipped(name, &why),
    };
    let (_kept, silent) = silent();
    let (pg, maria, cache) = (databases.postgres.port, databases.mariadb.port, databases.redis.port);
    let web = nginx.url.rsplit(':').next().expect("a port");
    let tables = ", tables: [users, shop.orders]";
    let cases: [(&str, String, &str, &str, &[&str]); 12] = [
        ("pg-tables", databases.postgres_url(), tables, "schema", &["2 required tables", "`users`", "`shop.orders`"]),
        ("my-tables", databases.mariadb_url(), tables, "schema", &["2 required tables", "`users`", "`shop.orders`"]),
        ("pg-login", format!("postgres://postgres:c4nary@127.0.0.1:{pg}/postgres"), "", "auth", &["password"]),
        ("my-login", format!("mysql://app:c4nary@127.0.0.1:{maria}/shop"), "", "auth", &["refused the login"]),
        ("redis-login", format!("redis://:c4nary@127.0.0.1:{cache}"), "", "auth", &["WRONGPASS"]),
        (
            "pg-at-my",
            format!("postgres://a:c4nary@127.0.0.1:{maria}/x"),
            "",
            "protocol_mismatch",
            &["speaks mariadb", "the URL says postgres"],
        ),
        (
            "my-at-pg",
            format!("mysql://a:c4nary@127.0.0.1:{pg}/x"),
            "",
            "protocol_mismatch",
            &["speaks postgresql", "the URL says mysql"],
        ),
        (
            "redis-at-web",
            format!("redis://:c4nary@127.0.0.1:{web}"),
            "",
            "protocol_mismatch",
            &["speaks http", "the URL says redis"],
        ),
        (
            "web-at-redis",
            format!("http://127.0.0.1:{cache}/"),
            "",
            "protocol_mismatch",
            &["speaks redis", "the URL says http"],
        ),
        ("pg-silent", format!("postgres://a:c4nary@127.0.0.1:{silent}/x"), "", "timeout", &["connected"]),
        ("my-silent", format!("mysql://a:c4nary@127.0.0.1:{silent}/x"), "", "timeout", &["connected"]),
        ("redis-silent", format!("redis://:c4nary@127.0.0.1:{silent}"), "", "timeout", &["connected"]),
    ];
    let check = |(name, url, more, ..): &(&str, String, &str, &str, &[&str])| {
        format!("  - {{name: {name}, url: \"{url}\", interval: 1s, timeout: 1s, fail_after: 2{more}}}\n")
    };
    let agent = Agent::with_config(folder.path(), &format!("checks:\n{}", cases.iter().map(check).collect::<String>()));
    for (check, _, _, reason, words) in &cases {
        agent.wait_sample(&format!("sidecar_check_up{{check=\"{check}\"}}"), 0.0);
        let (found, message) = fault(&agent, check).expect("a fault");
        eprintln!("{check}: {found}: {message}");
        assert_eq!(found, *reason, "{check}: {message}");
        words.iter().for_each(|word| assert!(message.contains(word), "{check}: no `{word}` in: {message}"));
    }
    assert!(!agent.page("/diagnostics").body.contains("c4nary"), "no password on the page");
}
