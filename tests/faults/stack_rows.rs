//! The faults of the whole stack. A new one is a row and a few lines here. Those after which a cause stands for ten minutes come last.

use super::stack::{Fault, api_is_back};
use crate::stack::{Stack, docker};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

const ROW: Fault = Fault {
    name: "",
    tells: &[],
    also: &[],
    within: 20,
    act: |_| Ok(()),
    heal: |_| Ok(()),
    strikes_the_api: false,
    stays: &[],
};

/// The rows, in order.
pub static FAULTS: &[Fault] = &[
    Fault {
        name: "the database hangs",
        tells: &[("db", "no_answer", "db"), ("backend", "no_answer", "db")],
        act: |stack| stack.engine("pause", "db"),
        heal: |stack| stack.engine("unpause", "db").and_then(|()| api_is_back(stack)),
        strikes_the_api: true,
        ..ROW
    },
    Fault {
        name: "the database's password was changed",
        tells: &[("db", "authentication_refused", "db"), ("backend", "authentication_refused", "db")],
        act: other_password,
        heal: own_password,
        strikes_the_api: true,
        ..ROW
    },
    Fault {
        name: "a table is missing",
        tells: &[("db", "schema_missing", "db")],
        also: &["half_started"],
        act: |stack| stack.sql("ALTER TABLE evidence RENAME TO evidence_old").map(drop),
        heal: |stack| stack.sql("ALTER TABLE evidence_old RENAME TO evidence").map(drop),
        strikes_the_api: true,
        ..ROW
    },
    Fault {
        name: "a client takes the database's connections",
        tells: &[("db", "connections_near_limit", "db"), ("backend", "connections_near_limit", "db")],
        within: 40,
        act: take_connections,
        heal: give_connections_back,
        ..ROW
    },
    Fault {
        name: "the database's disk is full",
        tells: &[("db", "disk_full", "/data")],
        also: &["half_started", "unexpected_status"],
        within: 30,
        act: Stack::fill_disk,
        heal: Stack::empty_disk,
        strikes_the_api: true,
        ..ROW
    },
    Fault {
        name: "Redis hangs",
        tells: &[("redis", "no_answer", "redis"), ("backend", "no_answer", "redis")],
        act: |stack| stack.engine("pause", "redis"),
        heal: |stack| stack.engine("unpause", "redis").and_then(|()| api_is_back(stack)),
        strikes_the_api: true,
        ..ROW
    },
    Fault {
        name: "Redis is out of memory",
        tells: &[("redis", "redis_out_of_memory", "redis"), ("backend", "redis_out_of_memory", "redis")],
        also: &["half_started"],
        act: no_memory,
        heal: own_memory,
        strikes_the_api: true,
        ..ROW
    },
    Fault {
        name: "the API cannot reach the database, its sidecar can",
        tells: &[("backend", "half_started", "backend")],
        act: |stack| network(stack, "disconnect", "data"),
        heal: |stack| network(stack, "connect", "data").and_then(|()| api_is_back(stack)),
        strikes_the_api: true,
        ..ROW
    },
    Fault {
        name: "something holds the API's pool",
        tells: &[("backend", "pool_starved", "backend")],
        // The page says so itself: its database part has no connection left.
        also: &["half_started"],
        act: |stack| stack.faults("{\"hold_connections\": 8}"),
        heal: |stack| stack.faults("{}").and_then(|()| api_is_back(stack)),
        strikes_the_api: true,
        ..ROW
    },
    Fault {
        name: "the page's container is full of processes",
        tells: &[("frontend", "pids_near_limit", "peer")],
        act: many_processes,
        heal: |stack| stack.inside("frontend", "pkill sleep || kill $(pidof sleep)").map(drop),
        ..ROW
    },
    Fault {
        name: "the API is throttled",
        tells: &[("backend", "cpu_throttled", "peer")],
        also: &["no_answer"],
        within: 100,
        act: |stack| stack.cpus("backend", 5).and_then(|()| stack.faults("{\"cpu_burn_ms\": 40}")),
        heal: |stack| {
            stack.cpus("backend", 100)?;
            stack.faults("{}")?;
            api_is_back(stack)
        },
        strikes_the_api: true,
        ..ROW
    },
    Fault {
        name: "the database hangs and Redis is out of memory",
        tells: &[
            ("db", "no_answer", "db"),
            ("backend", "no_answer", "db"),
            ("redis", "redis_out_of_memory", "redis"),
            ("backend", "redis_out_of_memory", "redis"),
        ],
        act: |stack| {
            no_memory(stack)?;
            stack.engine("pause", "db")
        },
        heal: |stack| {
            stack.engine("unpause", "db")?;
            own_memory(stack)?;
            api_is_back(stack)
        },
        strikes_the_api: true,
        ..ROW
    },
    Fault {
        name: "the database was stopped",
        tells: &[("db", "peer_gone", "peer"), ("backend", "dns_unknown", "db")],
        within: 30,
        act: |stack| stack.engine("stop", "db"),
        heal: |stack| {
            stack.engine("start", "db")?;
            stack.healthy("db")?;
            api_is_back(stack)
        },
        strikes_the_api: true,
        ..ROW
    },
    Fault {
        name: "the API was stopped, nginx stands before nothing",
        tells: &[("nginx", "upstream_down", "api-through-nginx"), ("backend", "peer_gone", "peer")],
        within: 30,
        act: |stack| stack.engine("stop", "backend"),
        heal: |stack| stack.engine("start", "backend").and_then(|()| api_is_back(stack)),
        ..ROW
    },
    Fault {
        name: "the API was deployed anew on another port",
        tells: &[("backend", "wrong_port", "backend")],
        // Until the sweep has come by.
        also: &["not_listening"],
        within: 60,
        act: |stack| {
            listen(stack, "0.0.0.0:8000", "0.0.0.0:8123")?;
            stack.engine("restart", "backend-sidecar")
        },
        heal: |stack| listen(stack, "0.0.0.0:8123", "0.0.0.0:8000").and_then(|()| api_is_back(stack)),
        stays: &["crash_loop"],
        strikes_the_api: true,
    },
    Fault {
        name: "the API listens on its own loopback only",
        tells: &[("backend", "not_listening", "backend")],
        within: 40,
        act: |stack| listen(stack, "0.0.0.0:8000", "127.0.0.1:8000"),
        heal: |stack| listen(stack, "127.0.0.1:8000", "0.0.0.0:8000").and_then(|()| api_is_back(stack)),
        stays: &["crash_loop"],
        strikes_the_api: true,
        ..ROW
    },
    Fault {
        name: "Redis became a replica of nobody",
        tells: &[("redis", "redis_read_only", "redis"), ("backend", "redis_read_only", "redis")],
        also: &["half_started", "replication_broken"],
        act: |stack| redis(stack, "replicaof 127.0.0.1 1"),
        heal: |stack| redis(stack, "replicaof no one"),
        stays: &["redis_read_only"],
        ..ROW
    },
    Fault {
        name: "the API's memory leaks until it is killed",
        tells: &[("backend", "oom_killed", "peer")],
        also: &["memory_near_limit", "crash_loop", "no_answer", "upstream_down", "peer_gone"],
        within: 60,
        act: leak,
        heal: api_is_back,
        stays: &["oom_killed", "crash_loop"],
        strikes_the_api: true,
    },
    Fault {
        name: "the page dies again and again",
        tells: &[("frontend", "crash_loop", "peer")],
        within: 60,
        act: die_again,
        heal: |stack| stack.healthy("frontend"),
        stays: &["crash_loop"],
        ..ROW
    },
];

/// Its password is another one, and who is in must log in again.
fn other_password(stack: &Stack) -> Result<(), String> {
    stack.sql("ALTER ROLE app PASSWORD 'another one'")?;
    stack.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'").map(drop)
}

fn own_password(stack: &Stack) -> Result<(), String> {
    let password = stack.db_password()?;
    stack.sql(&format!("ALTER ROLE app PASSWORD '{password}'"))?;
    api_is_back(stack)
}

/// Clients of this machine that hold a connection each.
static CLIENTS: Mutex<Vec<Child>> = Mutex::new(Vec::new());

fn take_connections(stack: &Stack) -> Result<(), String> {
    let host = stack.address("db", "data")?;
    let password = stack.db_password()?;
    // Not the one of Debian's PATH, which asks Perl which version it should be.
    let program = crate::servers::postgres::programs()?.join("psql");
    let mut clients = CLIENTS.lock().unwrap_or_else(PoisonError::into_inner);
    for _client in 0..84 {
        let mut psql = Command::new(&program);
        psql.args(["-h", &host, "-U", "app", "-d", "app", "-qc", "SELECT pg_sleep(300)"]);
        psql.env("PGPASSWORD", &password).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        clients.push(psql.spawn().map_err(|error| format!("psql: {error}"))?);
    }
    Ok(())
}

fn give_connections_back(stack: &Stack) -> Result<(), String> {
    for mut client in CLIENTS.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
        let _gone = (client.kill(), client.wait());
    }
    // What a client leaves behind is noticed when it is asked to answer.
    stack.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(300)%' AND pid <> pg_backend_pid()")?;
    api_is_back(stack)
}

/// Commands of Redis, one after the other.
fn redis(stack: &Stack, commands: &str) -> Result<(), String> {
    for command in commands.split("; ") {
        let line = format!("REDISCLI_AUTH=$(cat /run/secrets/redis_password) redis-cli {command}");
        let said = stack.inside("redis", &line)?;
        if said.trim() != "OK" {
            return Err(format!("redis-cli {command}: {said}"));
        }
    }
    Ok(())
}

fn no_memory(stack: &Stack) -> Result<(), String> {
    redis(stack, "config set maxmemory-policy noeviction; config set maxmemory 100kb")
}

/// As the compose file has it.
fn own_memory(stack: &Stack) -> Result<(), String> {
    redis(stack, "config set maxmemory 192mb; config set maxmemory-policy allkeys-lru")
}

fn network(stack: &Stack, command: &str, name: &str) -> Result<(), String> {
    let container = stack.container("backend")?;
    docker(&["network", command, &format!("{}_{name}", stack.project), &container]).map(drop)
}

fn many_processes(stack: &Stack) -> Result<(), String> {
    let limit = stack.inspect("frontend")?.pointer("/HostConfig/PidsLimit").and_then(serde_json::Value::as_u64);
    let present = stack.inside("frontend", "cat /sys/fs/cgroup/pids/pids.current 2>/dev/null || echo 4")?;
    let present: u64 = present.trim().parse().unwrap_or(4);
    let more = limit.unwrap_or(32).saturating_sub(present + 1);
    let line = format!("i=0; while [ $i -lt {more} ]; do sleep 300 & i=$((i+1)); done; wait");
    stack.beside("frontend", &["sh", "-c", &line])
}

/// The API has another address of its own.
fn listen(stack: &Stack, from: &str, to: &str) -> Result<(), String> {
    stack.edit("docker/compose.yaml", &format!("LISTEN: {from}"), &format!("LISTEN: {to}"))?;
    stack.compose(&["up", "-d", "--no-deps", "backend"]).map(drop)
}

fn leak(stack: &Stack) -> Result<(), String> {
    stack.faults(&format!("{{\"leak_bytes_per_request\": {}}}", 16 << 20))?;
    let url = format!("http://{}:8000/health", stack.address("backend", "app")?);
    for _request in 0..40 {
        let _answer = crate::http::get(&url);
    }
    Ok(())
}

/// As far as the engine can tell it ends by itself.
fn die_again(stack: &Stack) -> Result<(), String> {
    for _death in 0..3 {
        stack.inside("frontend", "kill -QUIT 1")?;
        std::thread::sleep(std::time::Duration::from_secs(4));
    }
    Ok(())
}
