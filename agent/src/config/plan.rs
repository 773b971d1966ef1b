//! What runs: everything checked, nothing optional that need not be.

use crate::collectors::PeerPlan;
use crate::probes::Probe;
use crate::snapshot::CheckFacts;
use ipnet::IpNet;
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
}

impl fmt::Debug for Check {
    /// Without the probe, whose parameters hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check").field("facts", &self.facts).finish_non_exhaustive()
    }
}

/// What the server needs.
#[derive(Clone, Debug)]
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

/// Everything `agent run` needs.
#[derive(Debug)]
pub struct Plan {
    /// The server.
    pub server: ServerPlan,
    /// The checks, in the order written.
    pub checks: Vec<Check>,
    /// What the collectors are told of the peer.
    pub peer: PeerPlan,
    /// Whether this agent exports `node_*` for its host.
    pub host: bool,
    /// Names of the sources that run.
    pub collectors: Vec<&'static str>,
    /// Time between two collections.
    pub collect_interval: Duration,
}
