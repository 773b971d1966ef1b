//! Memory: of an agent that has little to do, beside all exporters that it replaces; and after many probes of every kind, and as many
//! again, against real servers.

use super::measured::Measured;
use super::peers;
use super::rates::Pages;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use tests::servers::mariadb::{self, MariaDb};
use tests::servers::postgres::{self, Postgres};
use tests::servers::redis::{self, Redis};
use tests::sinks::Sink;

/// Checks of each kind, each five times a second, for its deadline is its interval.
const EACH: usize = 20;

/// The exporters of Debian that this one replaces, with what they need to start at all.
const EXPORTERS: [(&str, &[&str]); 7] = [
    ("prometheus-blackbox-exporter", &["--config.file=/etc/prometheus/blackbox.yml"]),
    ("prometheus-node-exporter", &[]),
    ("prometheus-process-exporter", &["-procnames", "nginx"]),
    ("prometheus-nginx-exporter", &[]),
    ("prometheus-redis-exporter", &[]),
    ("prometheus-postgres-exporter", &[]),
    ("prometheus-mysqld-exporter", &["--config.my-cnf=/dev/null"]),
];

/// Kinds whose peers are pages of the one nginx, each below its own name.
const ON_PAGES: [&str; 7] = ["prometheus", "alertmanager", "grafana", "logstash", "chroma", "openai", "mcp"];

/// A kind: its name, a URL, and further keys of its check.
type Kind = (&'static str, String, &'static str);

struct Servers {
    pages: Pages,
    redis: Redis,
    postgres: Postgres,
    mariadb: MariaDb,
    mail: Sink,
}

impl Servers {
    fn start(folder: &Path) -> Result<Self, String> {
        let (pages, redis) = (Pages::start(folder)?, Redis::start(&["--maxclients", "400"])?);
        let mail = Sink::smtp().map_err(|error| error.to_string())?;
        Ok(Self { pages, redis, postgres: Postgres::start(&[])?, mariadb: MariaDb::start(&[])?, mail })
    }

    /// A URL of every kind that can be looked at here.
    fn kinds(&self, folder: &Path) -> Result<Vec<Kind>, String> {
        let (plain, tls) = (self.pages.plain(), format!("127.0.0.1:{}", self.pages.tls));
        let unverified = ", tls_config: {insecure_skip_verify: true}";
        let with = |scheme: &str| plain.replacen("http", scheme, 1);
        let below = |kind: &'static str| {
            let path = if kind == "mcp" { String::new() } else { kind.to_owned() };
            (kind, format!("{}/{path}", with(kind)), "")
        };
        let mut kinds = vec![
            ("http", plain.to_owned(), ""),
            ("https", format!("https://{tls}"), unverified),
            ("tcp", with("tcp"), ""),
            ("tls", format!("tls://{tls}"), unverified),
            ("nginx", with("nginx"), ""),
            ("metrics", with("metrics"), ", reexport: 'nothing_*'"),
            ("redis", format!("redis://:{}@127.0.0.1:{}/0", redis::PASSWORD, self.redis.port), ""),
            (
                "postgres",
                format!("postgres://postgres:{}@127.0.0.1:{}/postgres", postgres::PASSWORD, self.postgres.port),
                "",
            ),
            ("mysql", format!("mysql://app:{}@127.0.0.1:{}/shop", mariadb::PASSWORD, self.mariadb.port), ""),
            ("file", format!("file://{}", folder.join("dump.sql.gz").display()), ""),
            ("cert", format!("cert://{}", folder.join("cert").display()), ""),
            ("smtp", format!("smtp://{}", self.mail.address), ""),
        ];
        kinds.extend(scripted(folder).map_err(|error| error.to_string())?);
        kinds.extend(ON_PAGES.map(below));
        // Without a group that may send pings this is a check of its refusal.
        kinds.extend(may_ping().then(|| ("icmp", "icmp://127.0.0.1".to_owned(), "")));
        Ok(kinds)
    }
}

fn scripted(folder: &Path) -> std::io::Result<[Kind; 4]> {
    let socket = folder.join("app.sock");
    peers::unix(&socket)?;
    let dialogue = ", query_response: [{send: PING}, {expect: '^PONG$'}]";
    Ok([
        ("unix", format!("unix://{}", socket.display()), dialogue),
        ("dns", format!("dns://127.0.0.1:{}/shop.example", peers::dns()?), ""),
        ("websocket", format!("ws://127.0.0.1:{}", peers::websocket()?), ""),
        ("grpc", format!("grpc://127.0.0.1:{}", peers::grpc()?), ""),
    ])
}

/// Whether this network lets group 0 send pings; `tests/bench/agent` makes one that does.
fn may_ping() -> bool {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ping_group_range").unwrap_or_default();
    range.split_whitespace().next() == Some("0")
}

pub(super) fn all(own: &Path, folder: &Path) -> Result<(), String> {
    idle(own, folder)?;
    let servers = Servers::start(folder)?;
    let mut packed = Command::new("sh");
    packed.args(["-c", "{ echo \"-- PostgreSQL database dump\"; seq 30000; echo \"-- PostgreSQL database dump complete\"; } | gzip >\"$1\"", "sh"]).arg(folder.join("dump.sql.gz"));
    packed.status().map_err(|error| error.to_string())?;
    let kinds = servers.kinds(folder)?;
    println!("\nnot among the kinds probed below: {}", unprobed(own, &kinds)?);
    let wanted: f64 = std::env::var("BENCH_PROBES").ok().and_then(|word| word.parse().ok()).unwrap_or(10_000.0);
    let agent = Measured::agent(own, folder, &configuration(&kinds))?;
    for round in ["after", "and after as many again"] {
        let want = if round == "after" { wanted } else { wanted * 2.0 };
        until(&agent, &kinds, want)?;
        let (resident, peak) = (agent.resident(), agent.status_kb("VmHWM") / 1024.0);
        println!(
            "  {round} {wanted:.0} probes of each of {} kinds: {resident:.2} MB resident, peak {peak:.2}",
            kinds.len()
        );
    }
    for (kind, _, _) in &kinds {
        let (ok, failed) = agent.runs(&format!("{kind}-"));
        println!("    {kind:<9} {ok:>8.0} ok {failed:>6.0} failed");
    }
    Ok(())
}

fn idle(own: &Path, folder: &Path) -> Result<(), String> {
    let agent = Measured::agent(own, folder, "checks:\n  - {name: dead, url: \"tcp://127.0.0.1:1\", interval: 10s}\n")?;
    let host = Measured::agent(own, folder, "host: true\n")?;
    let started = EXPORTERS.map(|(name, arguments)| {
        Measured::exporter(name, &arguments.iter().map(|&word| word.to_owned()).collect::<Vec<_>>())
    });
    std::thread::sleep(Duration::from_secs(15));
    println!(
        "\nidle, after 15 s: agent with one check {:.2} MB, with `host: true` {:.2} MB",
        agent.resident(),
        host.resident()
    );
    let mut sum = 0.0;
    for exporter in started.into_iter().flatten().filter(|exporter| exporter.resident() > 0.0) {
        sum += exporter.resident();
        println!("  {:<30} {:>7.2} MB, binary {:.1} MB", exporter.name, exporter.resident(), exporter.megabytes());
    }
    println!("  {:<30} {sum:>7.2} MB", "together");
    Ok(())
}

/// The peer is the Redis: its own family is measured as well.
fn configuration(kinds: &[Kind]) -> String {
    let mut text = "checks:\n".to_owned();
    for (kind, url, more) in kinds {
        for at in 0..EACH {
            let peer = if *kind == "redis" && at == 0 { ", peer: true" } else { "" };
            text += &format!("  - {{name: {kind}-{at}, url: \"{url}\", interval: 200ms{more}{peer}}}\n");
        }
    }
    text
}

/// Waits until each kind has had so many probes.
fn until(agent: &Measured, kinds: &[Kind], wanted: f64) -> Result<(), String> {
    let began = Instant::now();
    let done = |kind: &str| {
        let (ok, failed) = agent.runs(&format!("{kind}-"));
        ok + failed >= wanted
    };
    while !kinds.iter().all(|(kind, _, _)| done(kind)) {
        if began.elapsed() > Duration::from_secs(1200) {
            return Err("the probes take more than twenty minutes".to_owned());
        }
        std::thread::sleep(Duration::from_secs(1));
    }
    Ok(())
}

/// The kinds of the agent's own reference that have no server here.
fn unprobed(own: &Path, kinds: &[Kind]) -> Result<String, String> {
    let told = Command::new(own).arg("reference").output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    let named = text.lines().filter_map(|line| line.strip_prefix("### ")).filter(|name| !name.contains(' '));
    let missing: Vec<&str> = named.filter(|name| !kinds.iter().any(|(kind, _, _)| kind == name)).collect();
    Ok(missing.join(" "))
}
