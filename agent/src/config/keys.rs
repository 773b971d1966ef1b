//! The keys of a configuration file, with the text that REFERENCE.md prints. Tests hold them against what is really read.

use crate::probes::{Key, key};

/// Keys at the top of the file.
pub static TOP: &[Key] = &[
    key("listen", "address:port", "`0.0.0.0:9797`", "where the agent serves its pages; `:9797` means all addresses"),
    key(
        "peer",
        "mapping",
        "nothing is known of the peer",
        "what the collectors are told of the peer: `cgroup` (the `cgroup_parent` of its service, with or without `.slice`, \
         or the directory itself), `process` (its command name, when the PID namespace is shared), `memory_limit` and \
         `cpu_limit` (what a pod's downward API tells, `256Mi` and `500m`, where no cgroup can be read), `volumes` \
         (paths whose free space is watched, as mounted here), and `container`, `pod`, `namespace` and `image` (the labels of \
         `container_*`, as the kubelet has them; without `container` the cgroup's name is the container's)",
    ),
    key(
        "host",
        "`true` or `false`",
        "as the collector `host`",
        "whether this agent reports on its host, short for `collectors: {host: …}`; on a host with several agents one is enough; \
         only when `true` is written here, the host's metrics come under node_exporter's names too (source `node`)",
    ),
    key(
        "host_root",
        "absolute path",
        "`/`",
        "where the host's `/` is mounted in this container (read-only, with all that is mounted below it), as in `/host`: the source \
         `node` then reads the host's own `/proc`, `/sys` and files below it, and names mount points without it",
    ),
    key("checks", "list of checks", "none", "what is probed; see below"),
    key(
        "collectors",
        "mapping",
        "see Collectors",
        "switches a source on or off by name (`process: false`); `interval` is the time between two collections; `node` takes a \
         mapping that switches its parts (`node: {hwmon: false, interrupts: true, interval: 15s}`)",
    ),
    key(
        "diagnostics_from",
        "list of networks",
        "loopback only",
        "addresses or networks (`10.0.0.0/8`) that may see the restricted pages, beside loopback",
    ),
    key(
        "health_aliases",
        "list of paths",
        "none",
        "prefixes under which `readiness` and `diagnostics` answer too, such as `/api/v1/health`",
    ),
    key(
        "reload",
        "`watch` or `request`",
        "`watch`",
        "when the configuration is read again: as soon as its file, a `${file:…}` or a TLS file of a check has changed, or only when \
         SIGHUP or `POST /-/reload` asks for it, which always works. A bad one never replaces a good one",
    ),
    key(
        "silence_file",
        "path",
        "none",
        "a maintenance window lasts while this file exists, at most a day from its last change, over restarts too. Its first line may say less \
         and why: `for 10m deployment`, `until 2026-11-30T12:30:00Z deployment`",
    ),
];

/// Keys that a later version will read; refused by name until then, for a key that does nothing is a lie.
pub static NOT_YET: &[&str] = &["rules", "blackbox_config", "probe_api", "state_dir"];

/// Keys of every check.
pub static CHECK: &[Key] = &[
    key(
        "name",
        "text",
        "required",
        "what the check is called everywhere: lower-case letters, digits, `-` and `_`, at most 63 of them",
    ),
    key("url", "URL", "required", "what is probed; the scheme picks the kind of probe"),
    key("interval", "duration", "`10s`, slow kinds `5m`", "time between two runs"),
    key("timeout", "duration", "`5s`, or the interval when that is shorter", "deadline of one run"),
    key("fail_after", "whole number", "`3`", "failures in a row that turn the check down"),
    key("ok_after", "whole number", "`2`", "successes in a row that turn it up again"),
    key(
        "role",
        "`liveness`, `readiness` or `observe`",
        "`readiness` for the peer, else `observe`",
        "what a failure means: the peer is dead, it should get no traffic, or it is only shown",
    ),
    key("depends_on", "list of names", "none", "checks whose failure explains a failure of this one"),
    key(
        "all_addresses",
        "`true` or `false`",
        "`false`",
        "probes every address of the URL's host apart, at most 8, each with its share of the timeout; one that fails fails the \
         check. For kinds with `preferred_ip_protocol`",
    ),
    key("peer", "`true` or `false`", "`false`", "marks the check of the service that this agent stands beside"),
    key(
        "sweep",
        "`true` or `false`",
        "`false`",
        "tries every port of the peer, at most 2 000 a second, when its own port refuses and the check goes down, and again each time \
         it has been down four times as long, to name the port on which the service listens instead. For the check with `peer: true`",
    ),
];

/// Keys of the file of `agent start`.
pub static PHASES: &[Key] = &[
    key("shutdown", "mapping", "see below", "the times of the end"),
    key(
        "phases",
        "list",
        "required",
        "what is done before the command, in this order; each phase is over before the next begins",
    ),
    key(
        "shutdown.drain",
        "duration",
        "`2s` with `--listen`, else none",
        "how long `/ready` answers 503 before the command gets its SIGTERM",
    ),
    key("shutdown.grace", "duration", "`8s`", "how long the command then has, before it is killed"),
    key("shutdown.budget", "duration", "`25s`", "how long all of the end may take, with the `stop` of the steps"),
    key("phases[].name", "text", "required", "what the phase is called in the log"),
    key("phases[].steps", "list", "required", "its steps; they run together as far as `depends_on` allows"),
    key(
        "steps[].name",
        "text",
        "required",
        "as of a check, unique in the file; with `--listen` the name under which the pages show it",
    ),
    key(
        "steps[].check",
        "URL or mapping",
        "none",
        "a dependency that must answer: a URL, or `url`, `timeout` and the probe's own keys as in a configuration",
    ),
    key(
        "steps[].run",
        "list of words",
        "none",
        "a command that must end with 0: program and arguments, without a shell",
    ),
    key(
        "steps[].environment",
        "file or `builtin:common`",
        "none",
        "a schema that the variables of this process must meet, as for `agent check --schema`; errors fail the step, warnings are told",
    ),
    key(
        "steps[].profile",
        "`production`, `staging` or `development`",
        "`production`",
        "with `environment`: how strict to be, as `agent check --profile`",
    ),
    key(
        "steps[].accepted",
        "file",
        "none",
        "with `environment`: findings that are lived with, as `agent check --accepted`",
    ),
    key("steps[].env", "mapping", "none", "with `run`: variables beside those of this process"),
    key("steps[].workdir", "path", "where the agent runs", "with `run`: where the command runs"),
    key(
        "steps[].depends_on",
        "list of names",
        "none",
        "steps of this phase or an earlier one that must have succeeded before",
    ),
    key("steps[].timeout", "duration", "that of the check, else `60s`", "how long one try may take"),
    key(
        "steps[].retry",
        "mapping",
        "none",
        "tries the step again after a failure; without it the first failure is the end",
    ),
    key(
        "steps[].stop",
        "mapping",
        "none",
        "a command that undoes the step at the end, when it had succeeded; in reverse order",
    ),
    key("steps[].retry.wait", "duration", "`30s`", "for how long"),
    key("steps[].stop.run", "list of words", "required", "as `run`"),
    key("steps[].stop.env", "mapping", "none", "as `env`"),
    key("steps[].stop.workdir", "path", "where the agent runs", "as `workdir`"),
    key("steps[].stop.timeout", "duration", "`10s`", "how long it may take, at most what is left of the budget"),
];

/// Variables of the environment.
pub static ENVIRONMENT: &[(&str, &str)] = &[
    ("AGENT_CONFIG", "the configuration file, as `--config`"),
    ("AGENT_LISTEN", "as `--listen`; `agent health` takes its port"),
    ("AGENT_PEER", "URL of the peer, as `--peer`"),
    ("AGENT_CHECK_<NAME>", "URL of a check; `<NAME>` in lower case with `-` for `_` is its name"),
    ("AGENT_PEER_CGROUP", "as `--peer-cgroup`"),
    ("AGENT_PEER_CONTAINER", "as `peer.container`"),
    ("AGENT_PEER_POD", "as `peer.pod`; a pod's `fieldRef: metadata.name`"),
    ("AGENT_PEER_NAMESPACE", "as `peer.namespace`; a pod's `fieldRef: metadata.namespace`"),
    ("AGENT_PEER_IMAGE", "as `peer.image`"),
    ("AGENT_DIAGNOSTICS_FROM", "as `diagnostics_from`, separated by commas"),
    ("AGENT_LOG_LEVEL", "as `--log.level`"),
    ("AGENT_LOG_FORMAT", "as `--log.format`"),
    ("AGENT_STATUS_URLS", "what `agent status` asks when no URL is given, separated by commas or spaces"),
    ("NO_COLOR", "when set, nothing is coloured"),
];
