//! What runs: everything checked, nothing optional that need not be.

use super::origin::Origin;
use crate::collectors::PeerPlan;
use crate::probes::Probe;
use crate::small;
use crate::snapshot::CheckFacts;
use crate::units::Span;
use ipnet::IpNet;
use serde_json::json;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A check ready to run.
pub struct Check {
    /// What does not change about it.
    pub facts: Arc<CheckFacts>,
    /// The probe with its parameters.
    pub probe: Box<dyn Probe>,
    /// What it was made of.
    pub origin: Origin,
}

impl fmt::Debug for Check {
    /// Without the probe, whose parameters hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check").field("facts", &self.facts).finish_non_exhaustive()
    }
}

/// What the server needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerPlan {
    /// Address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// TLS, users and limits in exporter-toolkit's format.
    pub web_config: Option<PathBuf>,
    /// Networks that may see the restricted pages, beside loopback.
    pub diagnostics_from: Vec<IpNet>,
    /// Prefixes under which `readiness` and `diagnostics` answer too, such as `/api/v1/health`.
    pub aliases: Vec<String>,
}

/// What the server shows and by which it answers; another one takes its place when the configuration is read again.
#[derive(Clone, Debug)]
pub struct InForce {
    /// Where and for whom it answers.
    pub server: ServerPlan,
    /// The plan in force, without secrets, for `/config`.
    pub effective: serde_json::Value,
}

/// Everything `agent run` needs.
#[derive(Debug)]
pub struct Plan {
    /// The server.
    pub server: ServerPlan,
    /// Whether the files of the configuration are watched, and it is read again when they change.
    pub watch: bool,
    /// The file whose existence declares a maintenance window.
    pub silence_file: Option<PathBuf>,
    /// The checks, in the order written.
    pub checks: Vec<Check>,
    /// What the collectors are told of the peer.
    pub peer: PeerPlan,
    /// Whether this agent reports on its host.
    pub host: bool,
    /// Where the host's root is mounted here.
    pub host_root: PathBuf,
    /// Names of the sources that run.
    pub collectors: Vec<&'static str>,
    /// Time between two collections.
    pub collect_interval: Duration,
}

impl Plan {
    /// The plan in force as JSON, for `/config`. It is made of what holds no secret: facts of the checks, addresses, names.
    #[must_use]
    pub fn effective(&self) -> serde_json::Value {
        self.effective_at(self.server.listen)
    }

    /// The same for an agent that listens at this address already.
    #[must_use]
    pub fn effective_at(&self, listen: SocketAddr) -> serde_json::Value {
        let checks: Vec<serde_json::Value> = self.checks.iter().map(|check| effective_check(&check.facts)).collect();
        json!({
            "listen": listen.to_string(),
            "web_config": self.server.web_config.as_ref().map(|path| path.display().to_string()),
            "diagnostics_from": self.server.diagnostics_from.iter().map(IpNet::to_string).collect::<Vec<_>>(),
            "health_aliases": self.server.aliases,
            "silence_file": self.silence_file,
            "reload": if self.watch { "watch" } else { "request" },
            "peer": {
                "cgroup": self.peer.cgroup,
                "process": self.peer.process,
                "memory_limit_bytes": self.peer.memory_limit,
                "cpu_limit_cores": self.peer.cpu_limit,
                "volumes": self.peer.volumes,
                "container": self.peer.labels.container,
                "pod": self.peer.labels.pod,
                "namespace": self.peer.labels.namespace,
                "image": self.peer.labels.image,
            },
            "host_root": self.host_root,
            "collectors": self.collectors,
            "node": small::map(self.peer.node.switches.iter().copied()),
            "node_interval": self.peer.node.interval.map(|every| Span(every).to_string()),
            "collect_interval": Span(self.collect_interval).to_string(),
            "checks": checks,
        })
    }
}

fn effective_check(facts: &CheckFacts) -> serde_json::Value {
    json!({
        "name": facts.name,
        "kind": facts.kind,
        "target": facts.target,
        "role": facts.role.as_str(),
        "peer": facts.peer,
        "sweep": facts.sweep,
        "depends_on": facts.depends_on,
        "interval": Span(facts.interval).to_string(),
        "timeout": Span(facts.timeout).to_string(),
        "fail_after": facts.fail_after,
        "ok_after": facts.ok_after,
    })
}
