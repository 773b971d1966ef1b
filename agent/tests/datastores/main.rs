//! The probes of the databases against real servers: what they say must be what the servers' own clients say. A server that is
//! not installed is SKIPPED, by name.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on has failed")]

#[path = "../../../tests/src/servers"]
#[expect(unreachable_pub, reason = "these files are public in the crate that they come from")]
#[allow(dead_code, reason = "the tests from outside use more of them")]
mod servers {
    pub mod mariadb;
    pub mod postgres;
    pub mod redis;
    pub mod start;
}

mod against_mariadb;
mod against_postgres;
mod against_redis;
mod over_tls;
mod postgres_families;

use agent::node::{Node, Problems};
use agent::probes::net::Net;
use agent::probes::{Depth, Outcome, Probe, Reason, Target, kind_of, run};
use agent::reading::Reading;
use std::time::Duration;

/// A probe as a config file makes it; `own` holds its keys as JSON, which is YAML as well.
fn probe(url: &str, own: &str) -> Box<dyn Probe> {
    let target = Target::parse(url).unwrap();
    let mut problems = Problems::default();
    let node = keys(serde_json::from_str(own).unwrap());
    let built = (kind_of(&target.scheme).unwrap().build)(&target, &node, &mut problems);
    built.unwrap_or_else(|| panic!("{problems:?}"))
}

/// JSON as the loader of the configuration would hand it over.
fn keys(json: serde_json::Value) -> Node {
    use agent::node::{Key, Value};
    let value = match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(flag) => Value::Bool(flag),
        serde_json::Value::Number(number) => Value::Float(number.as_f64().unwrap()),
        serde_json::Value::String(text) => Value::Text(text),
        serde_json::Value::Array(items) => Value::List(items.into_iter().map(keys).collect()),
        serde_json::Value::Object(map) => {
            let key = |name| Key { name, at: agent::node::Place::default() };
            Value::Map(map.into_iter().map(|(name, value)| (key(name), keys(value))).collect())
        }
    };
    Node { value, ..Node::default() }
}

/// One run of a new probe.
async fn look(url: &str, own: &str) -> Outcome {
    again(&mut *probe(url, own)).await
}

/// One run; the password is in nothing that it says.
async fn again(probe: &mut dyn Probe) -> Outcome {
    let outcome = run(probe, &Net::default(), Duration::from_secs(10), Depth::Peer).await;
    assert!(!format!("{outcome:?}").contains("canary"), "{outcome:?}");
    outcome
}

fn value(outcome: &Outcome, name: &str) -> Option<f64> {
    let is = |reading: &&Reading| reading.metric.name == name;
    outcome.readings.iter().find(is).map(|reading| reading.value)
}

/// Reason and message of a failed run.
fn fault(outcome: Outcome) -> (Reason, String) {
    let fault = outcome.fault.unwrap_or_else(|| panic!("it did not fail"));
    (fault.reason, format!("{} (hint: {})", fault.message, fault.hint.unwrap_or_default()))
}

/// The server, or `None` with a line that says why not.
fn started<S>(server: Result<S, String>) -> Option<S> {
    match server {
        Ok(server) => Some(server),
        Err(why) if why.ends_with("is not installed") => {
            eprintln!("SKIPPED {}: {why}", std::thread::current().name().unwrap_or("test"));
            None
        }
        Err(why) => panic!("{why}"),
    }
}
