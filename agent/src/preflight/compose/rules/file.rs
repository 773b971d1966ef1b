//! The file itself: what compose would refuse, variables that are missing, keys that are misspelt.

use super::super::item::{Item, Value};
use super::super::model::Project;
use super::super::notes::Notes;
use super::super::ports;
use super::{error, warning};
use crate::node::did_you_mean;
use crate::preflight::Rule;

pub(in crate::preflight::compose) static RULES: &[&Rule] =
    &[&INVALID, &DUPLICATE, &UNKNOWN_KEY, &EXTENDS, &INCLUDE, &REQUIRED, &UNSET];

pub(in crate::preflight::compose) static INVALID: Rule = error(
    "compose-invalid",
    "a value that compose refuses",
    "compose refuses the whole file",
    "write it as the Compose specification has it",
);
pub(in crate::preflight::compose) static DUPLICATE: Rule = error(
    "compose-duplicate-key",
    "a key stands in one mapping twice",
    "compose refuses the whole file; what reads it more kindly takes one of the two in silence",
    "keep one of them",
);
static UNKNOWN_KEY: Rule = error(
    "compose-unknown-key",
    "a key that the Compose specification does not know",
    "compose refuses the whole file, or the setting does nothing",
    "correct the key; your own begin with `x-`",
);
pub(in crate::preflight::compose) static EXTENDS: Rule = error(
    "compose-extends",
    "`extends` names a file or service that is not there, or itself",
    "compose refuses the whole file",
    "name a service that exists, and its file",
);
pub(in crate::preflight::compose) static INCLUDE: Rule = error(
    "compose-include",
    "`include` names a file that is not there, or one with a service of the same name",
    "compose refuses the whole file",
    "correct the path, relative to this file",
);
pub(in crate::preflight::compose) static REQUIRED: Rule = error(
    "compose-variable-required",
    "a variable that the file requires (`${X:?}`) is not set",
    "compose refuses to start",
    "set it in the environment, in `.env` beside the file, or in the file of `--env`",
);
pub(in crate::preflight::compose) static UNSET: Rule = warning(
    "compose-variable-unset",
    "a variable is not set and has no default",
    "compose puts nothing in its place and goes on",
    "set it, or write `${X:?}` to require it, or `${X:-}` if nothing is meant",
);

/// Keys at the top.
const TOP: &[&str] = &["version", "name", "include", "services", "networks", "volumes", "secrets", "configs", "models"];

/// Keys of a service, also those of the old versions 2 and 3.
const SERVICE: &[&str] = &[
    "annotations",
    "attach",
    "blkio_config",
    "build",
    "cap_add",
    "cap_drop",
    "cgroup",
    "cgroup_parent",
    "command",
    "configs",
    "container_name",
    "cpu_count",
    "cpu_percent",
    "cpu_period",
    "cpu_quota",
    "cpu_rt_period",
    "cpu_rt_runtime",
    "cpu_shares",
    "cpus",
    "cpuset",
    "credential_spec",
    "depends_on",
    "deploy",
    "develop",
    "device_cgroup_rules",
    "devices",
    "dns",
    "dns_opt",
    "dns_search",
    "domainname",
    "entrypoint",
    "env_file",
    "environment",
    "expose",
    "extends",
    "external_links",
    "extra_hosts",
    "gpus",
    "group_add",
    "healthcheck",
    "hostname",
    "image",
    "init",
    "ipc",
    "isolation",
    "label_file",
    "labels",
    "links",
    "logging",
    "mac_address",
    "mem_limit",
    "mem_reservation",
    "mem_swappiness",
    "memswap_limit",
    "models",
    "network_mode",
    "networks",
    "oom_kill_disable",
    "oom_score_adj",
    "pid",
    "pids_limit",
    "platform",
    "ports",
    "post_start",
    "pre_start",
    "pre_stop",
    "privileged",
    "profiles",
    "provider",
    "pull_policy",
    "pull_refresh_after",
    "read_only",
    "restart",
    "runtime",
    "scale",
    "secrets",
    "security_opt",
    "shm_size",
    "stdin_open",
    "stop_grace_period",
    "stop_signal",
    "storage_opt",
    "sysctls",
    "tmpfs",
    "tty",
    "ulimits",
    "use_api_socket",
    "user",
    "userns_mode",
    "uts",
    "volume_driver",
    "volumes",
    "volumes_from",
    "working_dir",
];

const HEALTH: &[&str] = &["disable", "interval", "retries", "start_interval", "start_period", "test", "timeout"];

pub(super) fn check(project: &Project, notes: &mut Notes) {
    let top = &project.item;
    match top.get("services").map(|services| (&services.value, services.at)) {
        None if top.get("include").is_some() => {}
        // The first version had services at the top, and no key that says so.
        None => notes.add(&INVALID, top.at, "services", "there are no `services`"),
        Some((Value::Map(_), _)) => known(top, "", TOP, notes),
        Some((_, at)) => notes.add(&INVALID, at, "services", "`services` is not a mapping of names"),
    }
    for (key, service) in top.get("services").map(Item::entries).unwrap_or_default() {
        let path = format!("services.{}", key.name);
        if service.entries().is_empty() {
            notes.add(&INVALID, key.at, path, "the service says nothing: it needs an `image` or a `build`");
            continue;
        }
        known(service, &path, SERVICE, notes);
        if let Some(check) = service.get("healthcheck") {
            known(check, &format!("{path}.healthcheck"), HEALTH, notes);
        }
        if ["image", "build", "provider", "extends"].iter().all(|key| service.get(key).is_none()) {
            let fix =
                "an override file is given behind the file that it overrides: `--compose compose.yaml --compose THIS`";
            notes.advise(&INVALID, key.at, &path, ("the service has neither `image` nor `build`", fix));
        }
        published(service, &path, notes);
    }
}

fn known(item: &Item, path: &str, keys: &[&str], notes: &mut Notes) {
    for (key, _) in item.entries().iter().filter(|(key, _)| !key.name.starts_with("x-")) {
        if !keys.contains(&key.name.as_str()) {
            let fix = did_you_mean(&key.name, "keys", keys);
            // A list of eighty keys helps nobody.
            let fix = if fix.starts_with("known") && keys.len() > 20 { UNKNOWN_KEY.fix.to_owned() } else { fix };
            let place = crate::node::child(path, &key.name);
            notes.advise(&UNKNOWN_KEY, key.at, place, (format!("unknown key `{}`", key.name), fix));
        }
    }
}

fn published(service: &Item, path: &str, notes: &mut Notes) {
    for (index, port) in service.get("ports").map(Item::items).unwrap_or_default().iter().enumerate() {
        if port.text().is_some() && !port.origin().unset && ports::read(port).is_empty() {
            let fix = "write `HOST:CONTAINER`, with an address before it and `/udp` behind it where wanted";
            let message = "this is no port mapping that compose reads";
            notes.advise(&INVALID, port.at, format!("{path}.ports[{index}]"), (message, fix));
        }
    }
}
