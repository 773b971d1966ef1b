//! The API starts through `agent wait`: it says in the container's log what it waits for and why, and nothing listens until then.

use std::process::Command;
use std::time::Duration;
use tests::http::get;
use tests::program::finish_command;
use tests::stack::{Stack, docker};
use tests::wait_for;

const SOON: Duration = Duration::from_secs(60);

/// What was written to the log of the API's container since it was last started.
fn said(stack: &Stack) -> Option<String> {
    let container = stack.container("backend").ok()?;
    let started = stack.inspect("backend").ok()?["State"]["StartedAt"].as_str()?.to_owned();
    Some(finish_command(Command::new("docker").args(["logs", "--since", &started, &container])).stderr)
}

pub(crate) fn starts_when_ready(stack: &Stack) {
    let container = |service: &str| stack.container(service).expect("a container");
    let health = || Some(get(&format!("http://{}:8000/health", stack.address("backend", "app").ok()?)).ok()?.status);
    let log =
        wait_for("the words of a start with all in place", SOON, || said(stack).filter(|log| log.contains("ready: ")));
    assert!(log.contains("waiting for db, redis, at most "), "{log}");
    assert!(log.contains("db ready after ") && log.contains("ready: all 2 are ready after "), "{log}");

    docker(&["stop", &container("db")]).expect("stopped");
    docker(&["restart", &container("backend")]).expect("started again");
    let waiting =
        wait_for("it to say what it waits for", SOON, || said(stack).filter(|log| log.contains("db not ready: ")));
    assert!(waiting.contains("redis ready after ") && !waiting.contains("ready: all"), "{waiting}");
    assert_eq!(health(), None, "nothing listens before the database is there");

    docker(&["start", &container("db")]).expect("started");
    let after =
        wait_for("it to start", SOON, || said(stack).filter(|log| log.contains("ready: all 2 are ready after ")));
    wait_for("the API", SOON, || health().filter(|status| *status == 200));
    for (words, secret) in [(&log, "db_password"), (&waiting, "db_password"), (&after, "redis_password")] {
        let secret = std::fs::read_to_string(stack.path("docker/secrets").join(secret)).expect("a secret");
        assert!(!words.contains(secret.trim()), "{words}");
    }
}
