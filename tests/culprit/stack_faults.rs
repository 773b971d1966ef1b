//! The faults of the whole stack: who is guilty, how each is brought about and how all is well again. A new one is a row and a few lines here.

use super::Told;
use super::stack::Bench;
use std::time::Duration;

type Act = fn(&mut Bench) -> Result<(), String>;

/// A fault of the stack.
pub struct Fault {
    /// Its name, for the table and to choose it.
    pub name: &'static str,
    /// Who must be named first; nobody where nothing is wrong.
    pub guilty: Option<&'static str>,
    /// A service that is there for this row only.
    pub(super) more: Option<&'static str>,
    /// What is done before the load tester starts.
    pub(super) before: Act,
    /// What is done under load.
    pub(super) during: Act,
    /// How all is well again.
    pub(super) heal: Act,
}

/// What the load tester calls itself.
const GENERATOR: &str = "load generator";
const NOTHING: Fault =
    Fault { name: "healthy", guilty: None, more: None, before: nothing, during: nothing, heal: nothing };
/// The load tester has five hundredths of a core.
const STARVED: Fault = Fault { name: "generator", guilty: Some(GENERATOR), ..NOTHING };

/// The rows, in order.
pub const FAULTS: &[Fault] = &[
    NOTHING,
    Fault { name: "cpu", guilty: Some("backend"), before: half_the_cpu, heal: all_cpu, ..NOTHING },
    Fault { name: "pool", guilty: Some("backend"), before: pool_of_two, heal: pool_of_eight, ..NOTHING },
    Fault { name: "slow-query", guilty: Some("db"), before: slow_query, heal: fast_query, ..NOTHING },
    Fault { name: "lock", guilty: Some("db"), during: lock, ..NOTHING },
    Fault { name: "rate-limit", guilty: Some("nginx"), before: tight_limit, heal: wide_limit, ..NOTHING },
    Fault { name: "disk", guilty: Some("db"), during: fill_disk, heal: empty_disk, ..NOTHING },
    Fault {
        name: "replica",
        guilty: Some(REPLICA),
        more: Some(REPLICA),
        before: two_replicas,
        during: freeze_replica,
        heal: one_replica,
    },
    Fault { name: "db-cpu", guilty: Some("db"), before: less_db_cpu, heal: all_db_cpu, ..NOTHING },
    Fault { name: "cache", guilty: Some("redis"), during: freeze_cache, heal: thaw_cache, ..NOTHING },
    Fault { name: "leak", guilty: Some("backend"), during: leak, heal: no_leak, ..NOTHING },
    STARVED,
    STARVED,
    STARVED,
];

impl Fault {
    /// Whether the verdict is right, and the first one named the guilty one.
    #[must_use]
    pub fn is_right(&self, told: &Told) -> bool {
        let named = told.named.first().map(String::as_str);
        match self.guilty {
            None => told.exit == 0,
            Some(GENERATOR) => told.exit == 3 && named.is_none_or(|name| name == GENERATOR),
            Some(guilty) => matches!(told.exit, 1 | 5) && named == Some(guilty),
        }
    }

    /// Whether the generator itself is to be short of CPU.
    pub(super) fn starves(&self) -> bool {
        self.guilty == Some(GENERATOR)
    }
}

#[expect(clippy::unnecessary_wraps, reason = "a row of the table")]
fn nothing(_: &mut Bench) -> Result<(), String> {
    Ok(())
}

/// Work that fits into a core, and half a core for it.
fn half_the_cpu(bench: &mut Bench) -> Result<(), String> {
    let burn = bench.draw(16, 19);
    bench.stack.faults(&format!("{{\"cpu_burn_ms\": {burn}}}"))?;
    bench.stack.cpus("backend", 50)
}

fn all_cpu(bench: &mut Bench) -> Result<(), String> {
    bench.stack.cpus("backend", 100)?;
    bench.stack.faults("{}")
}

fn pool_of_two(bench: &mut Bench) -> Result<(), String> {
    pool(bench, "POOL_SIZE=8", "POOL_SIZE=2")
}

fn pool_of_eight(bench: &mut Bench) -> Result<(), String> {
    pool(bench, "POOL_SIZE=2", "POOL_SIZE=8")
}

fn pool(bench: &Bench, from: &str, to: &str) -> Result<(), String> {
    bench.stack.edit("docker/.env", from, to)?;
    bench.stack.compose(&["up", "-d", "--no-deps", "backend"])?;
    bench.stack.healthy("backend")
}

/// A trigger that somebody forgot in the table.
fn slow_query(bench: &mut Bench) -> Result<(), String> {
    let milliseconds = bench.draw(400, 900);
    bench.stack.sql(&format!(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.{milliseconds}); RETURN NULL; END $$"
    ))?;
    bench
        .stack
        .sql("CREATE TRIGGER slow AFTER INSERT OR UPDATE ON assets FOR EACH STATEMENT EXECUTE FUNCTION slow()")
        .map(drop)
}

fn fast_query(bench: &mut Bench) -> Result<(), String> {
    bench.stack.sql("DROP FUNCTION slow() CASCADE").map(drop)
}

/// A migration that nobody ended.
fn lock(bench: &mut Bench) -> Result<(), String> {
    let seconds = bench.draw(14, 20);
    let lock = format!("BEGIN; LOCK TABLE assets IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep({seconds}); COMMIT");
    bench.stack.beside("db", &["psql", "-h", "/var/run/postgresql", "-U", "postgres", "-d", "app", "-qc", &lock])
}

const CONF: &str = "docker/nginx/nginx.conf";
/// The API's limits as they ship, and too tight for a user.
const LIMITS: [(&str, &str); 2] = [
    ("zone=api:10m rate=10r/s;", "zone=api:10m rate=3r/s;"),
    ("limit_req zone=api burst=10 nodelay;", "limit_req zone=api burst=8 nodelay;"),
];

fn tight_limit(bench: &mut Bench) -> Result<(), String> {
    nginx(bench, &LIMITS)
}

fn wide_limit(bench: &mut Bench) -> Result<(), String> {
    nginx(bench, &LIMITS.map(|(wide, tight)| (tight, wide)))
}

/// Changes nginx' configuration, and has it read again.
fn nginx(bench: &Bench, edits: &[(&str, &str)]) -> Result<(), String> {
    edits.iter().try_for_each(|(from, to)| bench.stack.edit(CONF, from, to))?;
    bench.stack.inside("nginx", "nginx -s reload").map(drop)
}

fn fill_disk(bench: &mut Bench) -> Result<(), String> {
    // The table must grow to notice: most of each page stays empty.
    bench.stack.sql("ALTER TABLE assets SET (fillfactor = 10)")?;
    bench.stack.fill_disk()
}

fn empty_disk(bench: &mut Bench) -> Result<(), String> {
    bench.stack.empty_disk()?;
    bench.stack.sql("ALTER TABLE assets RESET (fillfactor)")?;
    bench.stack.healthy("db")?;
    bench.stack.healthy("backend")
}

/// As the first one, with a sidecar of its own; nginx takes both in turn.
const REPLICA: &str = "backend2";
const REPLICA_FILE: &str = include_str!("replica.yaml");
const BESIDE_REPLICA: &str = "collectors: {host: false, process: false}\nchecks:\n  \
    - {name: backend2, url: \"http://backend2:8000/health\", peer: true, interval: 2s}\n";
const ONE: &str = "map \"\" $backend { default backend:8000; }";
const BOTH: &str =
    "upstream backends { server backend:8000; server backend2:8000; }\n  map \"\" $backend { default backends; }";

fn two_replicas(bench: &mut Bench) -> Result<(), String> {
    let config = bench.stack.path("docker/sidecars/backend2.yml");
    std::fs::write(config, BESIDE_REPLICA).map_err(|error| error.to_string())?;
    bench.stack.add_file("replica.yaml", REPLICA_FILE)?;
    bench.stack.compose(&["up", "-d", "--no-deps", REPLICA, "backend2-sidecar"])?;
    bench.stack.healthy(REPLICA)?;
    nginx(bench, &[(ONE, BOTH)])
}

fn freeze_replica(bench: &mut Bench) -> Result<(), String> {
    bench.stack.engine("pause", REPLICA)
}

fn one_replica(bench: &mut Bench) -> Result<(), String> {
    nginx(bench, &[(BOTH, ONE)])?;
    bench.stack.engine("unpause", REPLICA)?;
    bench.stack.compose(&["rm", "-sf", REPLICA, "backend2-sidecar"]).map(drop)
}

fn less_db_cpu(bench: &mut Bench) -> Result<(), String> {
    let hundredths = bench.draw(2, 4);
    bench.stack.cpus("db", hundredths)
}

fn all_db_cpu(bench: &mut Bench) -> Result<(), String> {
    bench.stack.cpus("db", 100)?;
    bench.stack.healthy("db")
}

fn freeze_cache(bench: &mut Bench) -> Result<(), String> {
    bench.stack.engine("pause", "redis")
}

fn thaw_cache(bench: &mut Bench) -> Result<(), String> {
    bench.stack.engine("unpause", "redis")?;
    bench.stack.healthy("redis")?;
    bench.stack.healthy("backend")
}

fn leak(bench: &mut Bench) -> Result<(), String> {
    let bytes = bench.draw(1_000_000, 2_000_000);
    // The switch is forgotten by a process that is killed.
    for _ in 0..3 {
        let _ = bench.stack.faults(&format!("{{\"leak_bytes_per_request\": {bytes}}}"));
        std::thread::sleep(Duration::from_secs(4));
    }
    Ok(())
}

fn no_leak(bench: &mut Bench) -> Result<(), String> {
    bench.stack.healthy("backend")?;
    bench.stack.faults("{}")
}
