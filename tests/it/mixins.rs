//! The shipped relabelling in a real Prometheus that scrapes real agents beside real servers: what public mixins, dashboards and pasted
//! alert rules select by default finds data. `tests/compare/selectors.txt` is the list, `selectors.gaps` what may find nothing and why.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Command;
use std::time::{Duration, Instant};
use tests::agent::Agent;
use tests::compare::{Selector, excuse, gaps, selectors};
use tests::repo::{read, root};
use tests::servers::mariadb::{self, MariaDb};
use tests::servers::nginx::Nginx;
use tests::servers::postgres::{self, Postgres};
use tests::servers::prometheus::Prometheus;
use tests::servers::redis::{self, Redis};
use tests::servers::{free_port, installed};
use tests::skipped;

/// How long data may take to come: the slowest source has an interval of some seconds, and a scrape follows.
const PATIENCE: Duration = Duration::from_secs(45);

/// Families that the agent is about to get: counted, and not demanded yet.
const AWAITED: [&str; 4] = ["redis", "postgres", "mysql", "node"];

/// A server with an agent beside it, under the name of a sidecar of the shipped configuration.
struct Beside {
    /// The families that come from here.
    families: &'static [&'static str],
    sidecar: &'static str,
    agent: Agent,
    _folder: tempfile::TempDir,
    _server: Box<dyn std::any::Any>,
}

fn beside(
    families: &'static [&'static str],
    sidecar: &'static str,
    server: impl std::any::Any,
    text: &str,
) -> Result<Beside, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let agent = Agent::with_config(folder.path(), text);
    Ok(Beside { families, sidecar, agent, _folder: folder, _server: Box::new(server) })
}

fn check(url: &str, more: &str) -> String {
    format!("checks:\n  - {{name: own, url: \"{url}\", peer: true, interval: 1s}}\n{more}")
}

/// With a page over TLS as well, for what blackbox tells of certificates.
fn nginx() -> Result<Beside, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let home = folder.path().display();
    let (port, subject) = (free_port(), ["-subj", "/CN=localhost", "-days", "2", "-keyout"]);
    let mut openssl = Command::new(installed("openssl")?);
    openssl.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes"]).args(subject).arg(folder.path().join("key"));
    let made = openssl.arg("-out").arg(folder.path().join("cert")).output().map_err(|error| error.to_string())?;
    let told = String::from_utf8_lossy(&made.stderr);
    made.status.success().then_some(()).ok_or_else(|| format!("openssl: {told}"))?;
    let nginx = Nginx::start(&format!(
        "listen 127.0.0.1:{port} ssl; ssl_certificate {home}/cert; ssl_certificate_key {home}/key; \
         location = /stub_status {{ stub_status; }} location / {{ return 200 fine; }}"
    ))?;
    let page = format!(
        "  - {{name: page, url: \"https://127.0.0.1:{port}\", interval: 1s, tls_config: {{insecure_skip_verify: true}}}}\n"
    );
    let text = check(&nginx.url.replacen("http://", "nginx://", 1), &page);
    beside(&["nginx", "blackbox", "node"], "nginx-sidecar", (nginx, folder), &format!("host: true\n{text}"))
}

fn redis() -> Result<Beside, String> {
    let redis = Redis::start(&["--maxmemory", "64mb"])?;
    for words in [&["SET", "a", "1"][..], &["SET", "b", "1", "EX", "600"], &["GET", "a"], &["GET", "no"]] {
        redis.cli(words)?;
    }
    let url = format!("redis://:{}@127.0.0.1:{}/0", redis::PASSWORD, redis.port);
    beside(&["redis"], "redis-sidecar", redis, &check(&url, ""))
}

fn postgres() -> Result<Beside, String> {
    let postgres = Postgres::start(&[])?;
    postgres.psql("CREATE DATABASE shop")?;
    postgres.psql("CREATE TABLE things AS SELECT 1 AS one")?;
    let url = format!("postgres://postgres:{}@127.0.0.1:{}/postgres", postgres::PASSWORD, postgres.port);
    beside(&["postgres"], "db-sidecar", postgres, &check(&url, ""))
}

fn mariadb() -> Result<Beside, String> {
    let mariadb = MariaDb::start(&[])?;
    let url = format!("mysql://app:{}@127.0.0.1:{}/shop", mariadb::PASSWORD, mariadb.port);
    beside(&["mysql"], "backend-sidecar", mariadb, &check(&url, ""))
}

/// The shipped file with one change to names: these sidecars are our agents, each scraped every second.
fn configuration(all: &[Beside]) -> String {
    let text = read(&root().join("docker/prometheus/prometheus.yml")).replace("15s", "1s");
    let text = text.replace("scrape_timeout: 10s", "scrape_timeout: 1s").replace("/etc/prometheus/rules", "/nowhere");
    all.iter().fold(text, |text, one| {
        let target = format!("{}:9797", one.sidecar);
        assert!(text.contains(&target), "the shipped configuration scrapes {target}");
        text.replace(&target, one.agent.url.trim_start_matches("http://"))
    })
}

/// Asks until everything is found or patience ends; what is left has found nothing.
fn unfound<'a>(prometheus: &Prometheus, wanted: &[&'a Selector]) -> Vec<&'a Selector> {
    let began = Instant::now();
    let mut left = wanted.to_vec();
    while !left.is_empty() && began.elapsed() < PATIENCE {
        left.retain(|selector| prometheus.query(&format!("count({})", selector.text)).is_none());
        std::thread::sleep(Duration::from_millis(500));
    }
    left
}

/// Covered and total of each family.
fn table(wanted: &[&Selector], missing: &[&Selector]) -> String {
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for selector in wanted {
        let (found, total) = counts.entry(&selector.family).or_default();
        *total += 1;
        *found += usize::from(!missing.contains(selector));
    }
    let (found, total) = counts.values().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    let mut text = format!("selectors of public mixins: {found}/{total} find data");
    for (family, (found, total)) in counts {
        let _infallible = write!(text, ", {family} {found}/{total}");
    }
    text
}

#[test]
fn the_default_selectors_of_public_mixins_find_data() {
    let test = "the_default_selectors_of_public_mixins_find_data";
    let started = [nginx(), redis(), postgres(), mariadb()];
    let mut all = Vec::new();
    for one in started {
        match one {
            Ok(one) => all.push(one),
            Err(why) => skipped(test, &why),
        }
    }
    let prometheus = match Prometheus::start_with(&configuration(&all), &[]) {
        Ok(prometheus) => prometheus,
        Err(why) => return skipped(test, &why),
    };
    let list = selectors().expect("the list");
    let excuses = gaps().expect("the gaps");
    let here = |selector: &&Selector| all.iter().any(|one| one.families.contains(&selector.family.as_str()));
    let wanted: Vec<&Selector> = list.iter().filter(here).collect();
    let (excused, needed): (Vec<_>, Vec<_>) = wanted
        .iter()
        .copied()
        .partition(|one| excuse(&excuses, &one.text).is_some() || AWAITED.contains(&&*one.family));
    let mut missing = unfound(&prometheus, &needed);
    let unexplained: Vec<_> = missing.iter().map(|one| format!("{} ({})", one.text, one.origin)).collect();
    missing.extend(excused.iter().filter(|one| prometheus.query(&format!("count({})", one.text)).is_none()));
    tests::tell(&table(&wanted, &missing));
    assert!(unexplained.is_empty(), "these find nothing:\n{}", unexplained.join("\n"));
}

#[test]
fn every_gap_is_about_a_selector_of_the_list() {
    let list = selectors().expect("the list");
    let excuses = gaps().expect("the gaps");
    let idle: Vec<_> = excuses
        .keys()
        .filter(|gap| !list.iter().any(|one| one.text == **gap || one.text.split('{').next() == Some(gap.as_str())))
        .collect();
    assert!(idle.is_empty(), "{idle:?}");
}
