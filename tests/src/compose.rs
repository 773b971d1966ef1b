//! The compose files of `docker/` as an engine reads them: `docker-compose config` (1.29) or `docker compose config` (v2). Needs no
//! running engine. The two print mounts and ports in different shapes; [`Mount`] and [`published`] read both.

use crate::repo::root;
use serde_json::{Map, Value};
use std::process::Command;

/// A mount of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// A path of the host, or the name of a volume.
    pub source: String,
    /// Where it is in the container.
    pub target: String,
    /// Whether the container may not write.
    pub read_only: bool,
}

/// The files `docker/compose<NAME>.yaml` put together (`""` is the main one), all profiles included.
///
/// # Errors
/// With the engine's words when it refuses them, or `Ok(None)` where no compose is installed.
pub fn config(names: &[&str]) -> Result<Option<Value>, String> {
    let Some(mut command) = program() else { return Ok(None) };
    command.current_dir(root().join("docker")).args(["--env-file", ".env.example"]);
    for name in names {
        command.arg("-f").arg(format!("compose{name}.yaml"));
    }
    command.args(["--profile", "monitoring", "--profile", "backup", "config"]);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", "/nonexistent");
    let output = command.output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    serde_saphyr::from_str(&text).map(Some).map_err(|error| format!("not YAML: {error}"))
}

fn program() -> Option<Command> {
    let answers = |command: &mut Command| command.output().is_ok_and(|output| output.status.success());
    if answers(Command::new("docker-compose").arg("version")) {
        return Some(Command::new("docker-compose"));
    }
    answers(Command::new("docker").args(["compose", "version"])).then(|| {
        let mut command = Command::new("docker");
        command.arg("compose");
        command
    })
}

/// The services by name.
#[must_use]
pub fn services(config: &Value) -> &Map<String, Value> {
    static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    config["services"].as_object().unwrap_or(&NONE)
}

/// The mounts of a service.
#[must_use]
pub fn mounts(service: &Value) -> Vec<Mount> {
    let list = service["volumes"].as_array().cloned().unwrap_or_default();
    list.iter()
        .map(|mount| match mount.as_str() {
            Some(text) => {
                let mut parts = text.splitn(3, ':').map(str::to_owned);
                let mut next = || parts.next().unwrap_or_default();
                Mount { source: next(), target: next(), read_only: next() == "ro" }
            }
            None => Mount {
                source: mount["source"].as_str().unwrap_or_default().to_owned(),
                target: mount["target"].as_str().unwrap_or_default().to_owned(),
                read_only: mount["read_only"] == true,
            },
        })
        .collect()
}

/// The published ports of a service, as `address:port→container port`; the address is empty when it is every one.
#[must_use]
pub fn published(service: &Value) -> Vec<String> {
    let list = service["ports"].as_array().cloned().unwrap_or_default();
    let shown = |port: &Value| match port.as_str() {
        Some(text) => {
            let (from, to) = text.trim_end_matches("/tcp").rsplit_once(':').unwrap_or(("", text));
            let (address, port) = from.rsplit_once(':').unwrap_or(("", from));
            format!("{address}:{port}→{to}")
        }
        None => {
            let bare = |value: &Value| value.to_string().trim_matches('"').to_owned();
            let address = port["host_ip"].as_str().unwrap_or_default();
            format!("{address}:{}→{}", bare(&port["published"]), bare(&port["target"]))
        }
    };
    list.iter().map(shown).collect()
}

/// The names in a list, or the keys of a mapping: compose takes `networks`, `secrets` and `depends_on` as either.
#[must_use]
pub fn names(value: &Value) -> Vec<String> {
    let name = |item: &Value| item.as_str().or_else(|| item["source"].as_str()).unwrap_or_default().to_owned();
    match value {
        Value::Object(map) => map.keys().cloned().collect(),
        Value::Array(list) => list.iter().map(name).collect(),
        _ => Vec::new(),
    }
}
