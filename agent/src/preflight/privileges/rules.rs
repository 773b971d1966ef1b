//! The rules of `--privileges`. All are warnings: an agent that sees less works all the same, and says so on its pages.

use crate::preflight::{Rule, Severity};

/// All of them.
pub(in crate::preflight) static RULES: &[&Rule] = &[
    &NO_CGROUP,
    &NO_PROCESS,
    &HIDEPID,
    &NO_HOST_ROOT,
    &NO_PING,
    &UNREADABLE,
    &WRITABLE,
    &NO_NAMES,
    &PRIVILEGED,
    &CAPABILITIES,
    &ROOT,
    &NEW_PRIVILEGES,
    &ENGINE_SOCKET,
    &TOKEN,
];

const fn rule(name: &'static str, summary: &'static str, why: &'static str) -> Rule {
    let fix = "see the finding for the one line that changes it";
    Rule { name, severity: Severity::Warning, summary, why, fix }
}

pub(super) static NO_CGROUP: Rule = rule(
    "privileges-no-cgroup",
    "the peer's cgroup is not seen, or in part",
    "memory, throttling, OOM kills and restarts of the peer cannot be told",
);
pub(super) static NO_PROCESS: Rule = rule(
    "privileges-no-process",
    "the peer's processes are not seen, or in part",
    "its threads, files, connections and open ports cannot be told",
);
pub(super) static HIDEPID: Rule =
    rule("privileges-hidepid", "`/proc` hides processes of other users", "a shared PID namespace shows nothing");
pub(super) static NO_HOST_ROOT: Rule = rule(
    "privileges-no-host-root",
    "the host's root is not mounted here",
    "`node_filesystem_*` would be the container's; one agent a host is enough for them",
);
pub(super) static NO_PING: Rule =
    rule("privileges-no-ping", "pings may not be sent", "the check `icmp:` fails with `config`");
pub(super) static UNREADABLE: Rule = rule(
    "privileges-volume-unreadable",
    "a volume is mounted and this user may not read it",
    "backups and certificates in it cannot be checked",
);
pub(super) static WRITABLE: Rule = rule(
    "privileges-writable",
    "the agent may write where it only reads",
    "whoever takes the agent over could change the data that it watches",
);
pub(super) static NO_NAMES: Rule = rule(
    "privileges-no-downward-api",
    "in a pod, the names of pod, namespace and container are not told",
    "`container_*` carries no labels that dashboards select by",
);
pub(super) static PRIVILEGED: Rule = rule(
    "privileges-privileged",
    "the container is privileged",
    "the agent never needs it, and an intruder would have the host",
);
pub(super) static CAPABILITIES: Rule =
    rule("privileges-capabilities", "capabilities are held", "the agent needs none, and an intruder may");
pub(super) static ROOT: Rule =
    rule("privileges-root", "the agent runs as root", "it needs no root, and an intruder would have it");
pub(super) static NEW_PRIVILEGES: Rule = rule(
    "privileges-new-privileges",
    "programs may gain rights",
    "nothing the agent starts needs more rights than it has",
);
pub(super) static ENGINE_SOCKET: Rule = rule(
    "privileges-engine-socket",
    "the socket of a container engine is mounted",
    "it is root on the host; the agent never asks the engine",
);
pub(super) static TOKEN: Rule =
    rule("privileges-api-token", "a service account's token is mounted", "the agent never asks the API server");
