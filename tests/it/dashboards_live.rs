//! The Grafana dashboards against a real Prometheus that scrapes real programs: agents beside the demo API, PostgreSQL, MariaDB,
//! Redis with a replica and nginx, the API under load. Every query has data, but for the exceptions named here with their reasons.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tests::agent::Agent;
use tests::grafana::ask::{Exception, complaints};
use tests::grafana::dashboards;
use tests::program::{Running, clean};
use tests::repo::{read, root};
use tests::servers::mariadb::{self, MariaDb};
use tests::servers::nginx::Nginx;
use tests::servers::postgres::{self, Postgres};
use tests::servers::prometheus::Prometheus;
use tests::servers::redis::{self, Redis};
use tests::servers::{free_port, installed, start::output};
use tests::skipped;

/// The longest wait is for a second sample of a rate, after the slowest check has run.
const PATIENCE: Duration = Duration::from_secs(90);

/// The demo API; its own process is what the peer's process and container are.
struct Api {
    running: Running,
    url: String,
    _folder: tempfile::TempDir,
}

impl Api {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = clean("backend");
        command.env("LISTEN", "127.0.0.1:0").env("JWT_SECRET", "a secret of the tests, long enough for the rule");
        command.env("DATABASE_URL", format!("sqlite://{}", folder.path().join("demo.db").display()));
        let running = Running::start(&mut command);
        let line = running.line("listening");
        let port = line.split("127.0.0.1:").nth(1).expect("an address");
        let port: String = port.chars().take_while(char::is_ascii_digit).collect();
        Self { running, url: format!("http://127.0.0.1:{port}"), _folder: folder }
    }

    /// A few users for as long as the test looks, and the port at which their metrics are.
    fn under_load(&self) -> (Running, u16) {
        let port = free_port();
        let mut command = clean("loadtest");
        let plan = root().join("docker/backend/loadtest.yml");
        command.current_dir(root()).arg("--plan").arg(plan).args(["--target", &self.url, "--users", "8"]);
        command.args(["--metrics-listen", &format!("127.0.0.1:{port}")]);
        (Running::start(command.args(["--ramp", "1s", "--run-time", "300s", "--quiet"])), port)
    }
}

/// A cgroup of the API's own with limits, as a container engine makes it; removed when dropped.
struct Container {
    name: String,
    folders: Vec<PathBuf>,
}

impl Container {
    fn around(process: u32) -> Result<Self, String> {
        let name = format!("sidecar_test_dashboards_{}", std::process::id());
        let mut container = Self { name, folders: Vec::new() };
        let root = Path::new("/sys/fs/cgroup");
        let one_tree = root.join("cgroup.controllers").is_file();
        let limits: &[(&str, &[(&str, &str)])] = if one_tree {
            &[("", &[("memory.max", "1073741824"), ("cpu.max", "100000 100000"), ("pids.max", "500")])]
        } else {
            &[
                ("memory", &[("memory.limit_in_bytes", "1073741824")]),
                ("cpu", &[("cpu.cfs_quota_us", "100000")]),
                ("cpuacct", &[]),
                ("pids", &[("pids.max", "500")]),
            ]
        };
        for (controller, files) in limits {
            let folder = root.join(controller).join(&container.name);
            let made = |error: std::io::Error| format!("no cgroup could be made at `{}`: {error}", folder.display());
            std::fs::create_dir(&folder).map_err(made)?;
            container.folders.push(folder.clone());
            for (file, text) in files.iter().copied().chain([("cgroup.procs", process.to_string().as_str())]) {
                std::fs::write(folder.join(file), text).map_err(made)?;
            }
        }
        Ok(container)
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        // A cgroup cannot go before its last process has gone, to its parent when it still lives.
        for folder in &self.folders {
            let parent = folder.parent().unwrap_or(folder).join("cgroup.procs");
            for process in std::fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default().lines() {
                drop(std::fs::write(&parent, process));
            }
            let mut tries = 0..100;
            while std::fs::remove_dir(folder).is_err() && tries.next().is_some() {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

/// All servers of the stack. Fields are dropped in order: the API before its cgroup.
struct Stack {
    api: Api,
    container: Result<Container, String>,
    postgres: Postgres,
    mariadb: MariaDb,
    redis: Redis,
    replica: Redis,
    nginx: Nginx,
    tls_port: u16,
    backups: tempfile::TempDir,
}

impl Stack {
    fn start() -> Result<Self, String> {
        installed("prometheus")?;
        let backups = tempfile::tempdir().map_err(|error| error.to_string())?;
        let tls_port = free_port();
        let nginx = Nginx::start(&secured(backups.path(), tls_port)?)?;
        let (postgres, mariadb) = std::thread::scope(|scope| {
            let postgres = scope.spawn(|| Postgres::start(&["shared_preload_libraries=pg_stat_statements"]));
            let mariadb = MariaDb::start(&["--performance-schema=ON"]);
            (postgres.join().map_err(|_panic| "the starting thread panicked".to_owned()), mariadb)
        });
        let (postgres, mariadb) = (postgres??, mariadb?);
        postgres.psql("CREATE EXTENSION pg_stat_statements")?;
        postgres.psql("CREATE TABLE users (id int)")?;
        mariadb.sql("CREATE TABLE shop.users (id int); GRANT SELECT, PROCESS ON *.* TO app@'%'")?;
        let redis = Redis::start(&["--maxmemory", "64mb"])?;
        redis.cli(&["SET", "here", "1"])?;
        redis.cli(&["GET", "here"])?;
        let master = redis.port.to_string();
        let replica = Redis::start(&["--replicaof", "127.0.0.1", &master, "--masterauth", redis::PASSWORD])?;
        let api = Api::start();
        let container = Container::around(api.running.id());
        Ok(Self { api, container, postgres, mariadb, redis, replica, nginx, tls_port, backups })
    }

    /// The sidecar of the API: its peer, all that it depends on, and a check that fails.
    fn backend_sidecar(&self, folder: &Path) -> Agent {
        let peer = self.container.as_ref().map(|container| format!(", cgroup: {}", container.name));
        let mut text =
            format!("peer: {{process: backend{}}}\ncollectors: {{interval: 1s}}\nchecks:\n", peer.unwrap_or_default());
        let mut check = |name: &str, url: &str, more: &str| {
            text += &format!("  - {{name: {name}, url: \"{url}\", interval: 1s, timeout: 1s{more}}}\n");
        };
        check("api", &format!("{}/health", self.api.url), ", peer: true");
        check("db", &self.postgres_url(), ", tables: [users]");
        let user = format!("app:{}@127.0.0.1:{}", mariadb::PASSWORD, self.mariadb.port);
        check("mysql", &format!("mysql://{user}/shop"), ", tables: [users]");
        check("cache", &format!("redis://:{}@127.0.0.1:{}/0", redis::PASSWORD, self.redis.port), "");
        check("replica", &format!("redis://:{}@127.0.0.1:{}/0", redis::PASSWORD, self.replica.port), "");
        check("certificate", &format!("tls://127.0.0.1:{}", self.tls_port), "");
        check("dead", "tcp://127.0.0.1:1", "");
        if has_kind("file") {
            check("backup", &format!("file://{}/*.gz?max_age=26h", self.backups.path().display()), "");
        }
        Agent::with_config(folder, &text)
    }

    /// A sidecar with nothing but its peer.
    fn sidecar(&self, service: &str, folder: &Path) -> Agent {
        let url = match service {
            "db" => self.postgres_url(),
            // `nginx_*` is told of a peer only.
            _ if has_kind("nginx") => format!("{}/stub_status", self.nginx.url.replace("http:", "nginx:")),
            _ => self.nginx.url.clone(),
        };
        let check = format!("{{name: {service}, url: \"{url}\", peer: true, interval: 1s, timeout: 1s}}");
        Agent::with_config(folder, &format!("collectors: {{interval: 1s}}\nchecks: [{check}]\n"))
    }

    fn postgres_url(&self) -> String {
        format!("postgresql://postgres:{}@127.0.0.1:{}/postgres", postgres::PASSWORD, self.postgres.port)
    }
}

/// What goes into nginx's `server` block: its status page, and TLS at a port with a certificate made by openssl. Two backups lie beside.
fn secured(folder: &Path, port: u16) -> Result<String, String> {
    let path = |name: &str| folder.join(name).display().to_string();
    let (certificate, key) = (path("server.pem"), path("server.key"));
    let mut command = Command::new(installed("openssl")?);
    command.args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "60",
    ]);
    output(command.args(["-subj", "/CN=localhost", "-keyout", &key, "-out", &certificate]))?;
    for name in ["shop-1.sql", "shop-2.sql"] {
        std::fs::write(folder.join(name), "-- a dump\n".repeat(500)).map_err(|error| error.to_string())?;
        output(Command::new("gzip").arg(folder.join(name)))?;
        // A file that has just been written may still be growing.
        let written = std::fs::File::options().append(true).open(folder.join(format!("{name}.gz")));
        let earlier = std::time::SystemTime::now() - Duration::from_secs(3600);
        written.and_then(|file| file.set_modified(earlier)).map_err(|error| error.to_string())?;
    }
    Ok(format!(
        "listen 127.0.0.1:{port} ssl; ssl_certificate {certificate}; ssl_certificate_key {key}; \
         location /stub_status {{ stub_status; }} location / {{ return 200 fine; }}"
    ))
}

/// Whether this agent has a kind of probe.
fn has_kind(kind: &str) -> bool {
    read(&root().join("REFERENCE.md")).lines().any(|line| line == format!("### {kind}"))
}

/// The scrape of the stack's own Prometheus, every second: static targets with `service` and `team`, `job` by name prefix, `instance`
/// of `probe_*` from `check`.
fn scrape(sidecars: &[(&Agent, &str, &str)], api: &Api, load: u16) -> String {
    let target = |url: &str, service: &str, team: &str| {
        let address = url.trim_start_matches("http://");
        format!("{{targets: ['{address}'], labels: {{service: {service}, team: {team}}}}}")
    };
    let sidecars: Vec<String> =
        sidecars.iter().map(|(agent, service, team)| target(&agent.url, service, team)).collect();
    let prefixes = [("probe", "blackbox"), ("nginx", "nginx")];
    let job = |(prefix, job): (&str, &str)| {
        format!("{{source_labels: [__name__], regex: '{prefix}_.*', target_label: job, replacement: {job}}}")
    };
    let instance =
        "{source_labels: [__name__, check], regex: 'probe_.*;(.+)', target_label: instance, replacement: '$1'}";
    let relabelling = prefixes.map(job).into_iter().chain([instance.to_owned()]).collect::<Vec<_>>().join(", ");
    format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}\nrule_files: [rules.yml]\nscrape_configs:\n  \
         - {{job_name: sidecar, metric_relabel_configs: [{relabelling}], static_configs: [{}]}}\n  \
         - {{job_name: backend, static_configs: [{}]}}\n  - {{job_name: loadtest, static_configs: [{{targets: ['127.0.0.1:{load}']}}]}}\n  \
         - {{job_name: prometheus, static_configs: [{{targets: [PROMETHEUS]}}]}}\n",
        sidecars.join(", "),
        target(&api.url, "backend", "api"),
    )
}

/// One alert that fires, so that there is something to list.
const RULES: &str = r#"{"groups": [{"name": "test", "rules": [{"alert": "CheckDown", "expr": "sidecar_check_up == 0", "labels": {"severity": "warning"}}]}]}"#;

/// Panels that cannot have data in this stack, on any machine.
const NEVER_HERE: &[(&str, u64, &str)] = &[
    ("datastores", 18, "needs a replica of PostgreSQL"),
    ("datastores", 19, "needs a replica of PostgreSQL"),
    ("datastores", 38, "needs a replica of MySQL"),
    ("datastores", 39, "needs a replica of MySQL"),
    ("fleet", 46, "no Alertmanager runs here; the end-to-end test of the stack has one"),
];

/// What the queries that need the peer's container have in them: all words of one row.
const OF_THE_CONTAINER: &[&[&str]] = &[
    &["sidecar_peer_cpu"],
    &["sidecar_peer_memory"],
    &["sidecar_peer_restarts"],
    &["sidecar_peer_oom"],
    &["sidecar_memory_used_ratio", "scope=\"peer\""],
    &["sidecar_cpu_used_ratio", "scope=\"peer\""],
    &["sidecar_cpu_throttled_ratio"],
];

/// What this machine, or this agent, does not have.
fn exceptions(stack: &Stack) -> Vec<Exception> {
    let panel = |(dashboard, panel, why): &(&str, u64, &str)| Exception::panel(dashboard, *panel, why);
    let mut found: Vec<Exception> = NEVER_HERE.iter().map(panel).collect();
    let text = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    if stack.container.is_err() || text("/sys/fs/cgroup/cgroup.controllers").is_empty() {
        found.push(Exception::panel("service", 36, "needs cgroup v2"));
    }
    if text("/proc/swaps").lines().count() < 2 {
        found.push(Exception::panel("host", 15, "this machine has no swap"));
    }
    for query in dashboards().iter().flat_map(|dashboard| dashboard.queries()) {
        let of_the_container = OF_THE_CONTAINER.iter().any(|words| words.iter().all(|word| query.expr.contains(word)));
        if let (Err(why), true) = (&stack.container, of_the_container) {
            found.push(Exception::query(&query, why));
        }
    }
    found
}

#[test]
fn every_panel_shows_data_of_a_running_stack() {
    let stack = match Stack::start() {
        Ok(stack) => stack,
        Err(why) => return skipped("every_panel_shows_data_of_a_running_stack", &why),
    };
    let folders = [(); 3].map(|()| tempfile::tempdir().expect("a folder"));
    let [one, two, three] = folders.each_ref().map(tempfile::TempDir::path);
    let (backend, database, proxy) =
        (stack.backend_sidecar(one), stack.sidecar("db", two), stack.sidecar("nginx", three));
    let (load, port) = stack.api.under_load();
    let sidecars = [(&backend, "backend", "api"), (&database, "db", "database"), (&proxy, "nginx", "platform")];
    let prometheus =
        Prometheus::start_with(&scrape(&sidecars, &stack.api, port), &[("rules.yml", RULES)]).expect("Prometheus");
    let found = complaints(&prometheus.url, &[("service", "backend"), ("slo", "99.9")], &exceptions(&stack), PATIENCE);
    assert!(
        found.is_empty(),
        "{} complaints:\n{}\n{}\n{}",
        found.len(),
        found.join("\n"),
        load.said(),
        backend.running.said()
    );
    // The checker can object: nothing of this service is there, and an exception of what is there is none.
    let wrong =
        complaints(&prometheus.url, &[("service", "nobody"), ("slo", "99.9")], &exceptions(&stack), Duration::ZERO);
    assert!(wrong.iter().any(|why| why.starts_with("service panel 1 ")), "{wrong:?}");
    let needless = [
        exceptions(&stack),
        vec![Exception::panel("service", 2, "a test"), Exception::panel("service", 999, "a test")],
    ];
    let told = complaints(&prometheus.url, &[("service", "backend"), ("slo", "99.9")], &needless.concat(), PATIENCE);
    assert_eq!(told.len(), 4, "three queries of one panel, and one panel that is none: {told:?}");
}
