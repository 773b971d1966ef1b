//! The keys at the top of the file, except the checks, with flags and environment over them.

use super::expand::Environment;
use super::layers::Flags;
use super::plan::ServerPlan;
use super::{Tables, host, keys};
use crate::collectors::{NodePlan, PeerLabels, PeerPlan};
use crate::limits;
use crate::node::{Key, Node, Place, Problems, Value, child, did_you_mean};
use crate::units::{self, Span};
use ipnet::IpNet;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// Where the agent listens unless told otherwise.
pub(crate) const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 9797);

/// The source that the key `host` switches.
const HOST: &str = "host";

/// The top of the file as written; [`keys::TOP`] has the meaning of each key.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct RawTop {
    listen: Option<String>,
    peer: RawPeer,
    host: Option<bool>,
    host_root: Option<PathBuf>,
    /// Read in `layers.rs`; named here so that the list of keys is whole.
    checks: IgnoredAny,
    /// Read in [`collectors`]; named here for the same reason.
    collectors: IgnoredAny,
    diagnostics_from: Vec<String>,
    health_aliases: Vec<String>,
    reload: Option<Reload>,
    silence_file: Option<PathBuf>,
}

/// When the configuration is read again without being asked.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Reload {
    Watch,
    Request,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawPeer {
    cgroup: Option<String>,
    process: Option<String>,
    memory_limit: Option<String>,
    cpu_limit: Option<String>,
    volumes: Vec<PathBuf>,
    container: Option<String>,
    pod: Option<String>,
    namespace: Option<String>,
    image: Option<String>,
}

/// What the plan needs beside the checks.
pub(super) struct Top {
    pub(super) server: ServerPlan,
    pub(super) watch: bool,
    pub(super) silence_file: Option<PathBuf>,
    pub(super) peer: PeerPlan,
    pub(super) host: bool,
    pub(super) host_root: PathBuf,
    pub(super) collectors: Vec<&'static str>,
    pub(super) collect_interval: Duration,
}

/// Reads and checks it all; `None` when the top as a whole is no mapping.
pub(super) fn read(
    root: &Node,
    flags: &Flags,
    env: &Environment,
    tables: Tables,
    problems: &mut Problems,
) -> Option<Top> {
    let supported = without_unsupported(root, problems);
    let supported = without_peer_url(supported, problems);
    let raw: RawTop = supported.read_on("", problems)?;
    let (collectors, collect_interval, node) = collectors(root, raw.host, tables, problems);
    let silence_file = raw.silence_file.clone().filter(|path| !path.as_os_str().is_empty());
    let watch = raw.reload != Some(Reload::Request);
    let server = ServerPlan {
        listen: listen(&raw, root, flags, env, problems),
        web_config: flags.web_config.as_ref().map(PathBuf::from),
        diagnostics_from: networks(&raw, root, env, problems),
        aliases: aliases(&raw, root, problems),
    };
    let cgroup = flags.peer_cgroup.clone().or_else(|| env.filled("AGENT_PEER_CGROUP").map(str::to_owned));
    let labels = labels(&raw.peer, root, env, problems);
    let peer = PeerPlan { node, labels, ..peer(raw.peer, cgroup, root, problems) };
    let at = root.get("host_root").map_or(Place::default(), |node| node.at);
    let host_root = host::root(raw.host_root, at, problems);
    let host = collectors.contains(&HOST);
    Some(Top { server, watch, silence_file, peer, host, host_root, collectors, collect_interval })
}

/// Refuses by name what a later version will read, so that it gets no "did you mean".
fn without_unsupported(root: &Node, problems: &mut Problems) -> Node {
    let Value::Map(entries) = &root.value else { return root.clone() };
    let later = |key: &Key| keys::NOT_YET.contains(&key.name.as_str());
    for (key, _) in entries.iter().filter(|(key, _)| later(key)) {
        let hint = "remove it: this version would do nothing with it";
        problems.add_with_hint(&key.name, key.at, format!("`{}` is not yet supported", key.name), hint);
    }
    let kept = entries.iter().filter(|(key, _)| !later(key)).cloned().collect();
    Node { value: Value::Map(kept), at: root.at }
}

/// A likely mistake with a better answer than "expected a mapping".
fn without_peer_url(mut root: Node, problems: &mut Problems) -> Node {
    if let Some(node) = root.get("peer").filter(|node| node.as_text().is_some()) {
        let message = "`peer` at the top is a mapping that says where the peer's resources are, found text";
        let hint = "the peer's URL belongs to a check with `peer: true`; the keys here are cgroup, process, memory_limit, cpu_limit, volumes, container, pod, namespace, image";
        problems.add_with_hint("peer", node.at, message, hint);
    }
    if let Value::Map(entries) = &mut root.value {
        entries.retain(|(key, node)| key.name != "peer" || node.as_text().is_none());
    }
    root
}

fn listen(raw: &RawTop, root: &Node, flags: &Flags, env: &Environment, problems: &mut Problems) -> SocketAddr {
    let at = root.get("listen").map_or(Place::default(), |node| node.at);
    let flag = flags.listen.as_deref().map(|text| (text, "--listen", Place::default()));
    let variable = || env.filled("AGENT_LISTEN").map(|text| (text, "AGENT_LISTEN", Place::default()));
    let file = || raw.listen.as_deref().map(|text| (text, "listen", at));
    let Some((text, path, at)) = flag.or_else(variable).or_else(file) else { return LISTEN };
    parse_listen(text).unwrap_or_else(|| {
        let hint = "write address and port, as in `0.0.0.0:9797`, `127.0.0.1:9797`, `[::]:9797` or `:9797`";
        problems.add_with_hint(path, at, format!("not an address to listen on: `{text}`"), hint);
        LISTEN
    })
}

/// An address with port; without address it is every address of this machine.
pub(crate) fn parse_listen(text: &str) -> Option<SocketAddr> {
    let text = text.trim();
    match text.strip_prefix(':') {
        Some(port) => port.parse().ok().map(|port| SocketAddr::new(LISTEN.ip(), port)),
        None => text.replace("localhost:", "127.0.0.1:").parse().ok(),
    }
}

/// What is known of the peer; limits are forgiven nothing, for a ratio against a wrong limit is a lie.
fn peer(raw: RawPeer, cgroup: Option<String>, root: &Node, problems: &mut Problems) -> PeerPlan {
    let place = |key: &str| root.get("peer").and_then(|peer| peer.get(key)).map_or(Place::default(), |node| node.at);
    let memory_limit = raw.memory_limit.and_then(|text| match units::bytes(&text) {
        Ok(bytes) if bytes > 0 => Some(bytes),
        Ok(_) => {
            problems.add("peer.memory_limit", place("memory_limit"), "a limit of 0 bytes cannot be".to_owned());
            None
        }
        Err(error) => {
            problems.add("peer.memory_limit", place("memory_limit"), error.to_string());
            None
        }
    });
    let cpu_limit = raw.cpu_limit.and_then(|text| {
        let cores = units::cores(&text).filter(|cores| *cores > 0.0);
        if cores.is_none() {
            let hint = "write cores, as in `1.5`, or thousandths of one, as in `500m`";
            problems.add_with_hint(
                "peer.cpu_limit",
                place("cpu_limit"),
                format!("not a number of cores: `{text}`"),
                hint,
            );
        }
        cores
    });
    let cgroup = cgroup.or(raw.cgroup);
    PeerPlan { cgroup, process: raw.process, memory_limit, cpu_limit, volumes: raw.volumes, ..PeerPlan::default() }
}

/// What the peer's container is called; a variable that the downward API fills wins over the file.
fn labels(raw: &RawPeer, root: &Node, env: &Environment, problems: &mut Problems) -> PeerLabels {
    let mut label = |key: &str, variable: &str, written: Option<&String>| {
        let value = env.filled(variable).or(written.map(String::as_str))?;
        if value.len() <= limits::PEER_LABEL_BYTES && !value.chars().any(char::is_control) {
            return Some(value.to_owned());
        }
        let place = root.get("peer").and_then(|peer| peer.get(key)).map_or(Place::default(), |node| node.at);
        let most = limits::PEER_LABEL_BYTES;
        problems.add(&format!("peer.{key}"), place, format!("a label has one line of at most {most} bytes"));
        None
    };
    PeerLabels {
        container: label("container", "AGENT_PEER_CONTAINER", raw.container.as_ref()),
        pod: label("pod", "AGENT_PEER_POD", raw.pod.as_ref()),
        namespace: label("namespace", "AGENT_PEER_NAMESPACE", raw.namespace.as_ref()),
        image: label("image", "AGENT_PEER_IMAGE", raw.image.as_ref()),
    }
}

fn networks(raw: &RawTop, root: &Node, env: &Environment, problems: &mut Problems) -> Vec<IpNet> {
    let variable = env.filled("AGENT_DIAGNOSTICS_FROM");
    let texts: Vec<(String, String, Place)> = match variable {
        Some(list) => {
            let part = |text: &str| (text.trim().to_owned(), "AGENT_DIAGNOSTICS_FROM".to_owned(), Place::default());
            list.split(',').filter(|text| !text.trim().is_empty()).map(part).collect()
        }
        None => located(&raw.diagnostics_from, "diagnostics_from", root),
    };
    let mut networks = Vec::new();
    for (text, path, at) in texts {
        let address = || text.parse::<IpAddr>().map(IpNet::from);
        match text.parse::<IpNet>().or_else(|_| address()) {
            Ok(network) => networks.push(network),
            Err(_) => {
                let hint = "write an address or a network, as in `10.0.0.7` or `10.0.0.0/8`";
                problems.add_with_hint(&path, at, format!("not a network: `{text}`"), hint);
            }
        }
    }
    networks
}

fn aliases(raw: &RawTop, root: &Node, problems: &mut Problems) -> Vec<String> {
    let mut aliases = Vec::new();
    for (text, path, at) in located(&raw.health_aliases, "health_aliases", root) {
        let plain = |c: char| c.is_ascii_alphanumeric() || "/-_.~".contains(c);
        let alias = text.trim_end_matches('/');
        if alias.starts_with('/') && !alias.contains("//") && alias.chars().all(plain) {
            aliases.push(alias.to_owned());
        } else {
            let hint = "write a path from its first `/` on, as in `/api/v1/health`";
            problems.add_with_hint(&path, at, format!("not a prefix of paths: `{text}`"), hint);
        }
    }
    aliases
}

/// The texts of a list at the top with their paths and places.
fn located(texts: &[String], name: &str, root: &Node) -> Vec<(String, String, Place)> {
    let node = root.get(name);
    let place = |index: usize| match node.map(|node| &node.value) {
        Some(Value::List(items)) => items.get(index).map_or(Place::default(), |item| item.at),
        _ => node.map_or(Place::default(), |node| node.at),
    };
    texts.iter().enumerate().map(|(index, text)| (text.clone(), format!("{name}[{index}]"), place(index))).collect()
}

/// Which sources run, and how often.
fn collectors(
    root: &Node,
    host: Option<bool>,
    tables: Tables,
    problems: &mut Problems,
) -> (Vec<&'static str>, Duration, NodePlan) {
    let empty = Node::default();
    let node = root.get("collectors").unwrap_or(&empty);
    if !matches!(node.value, Value::Null | Value::Map(_)) {
        let message = format!("expected a mapping, found {}", node.shape());
        problems.add_with_hint("collectors", node.at, message, "write `process: false`, or `interval: 5s`");
    }
    let names: Vec<&str> = tables.sources.iter().map(|source| source.name).chain(["interval"]).collect();
    for (key, _) in node.entries().iter().filter(|(key, _)| !names.contains(&key.name.as_str())) {
        let message = format!("unknown collector `{}`", key.name);
        let path = child("collectors", &key.name);
        problems.add_with_hint(&path, key.at, message, did_you_mean(&key.name, "names", &names));
    }
    let (node_on, node_plan) = host::node(node, host, problems);
    let mut switch = |name: &str, default: bool| {
        if name == host::NODE {
            return node_on;
        }
        let written = node.get(name).filter(|node| node.value != Value::Null);
        written.map_or(Some(default), |node| node.read::<bool>(&child("collectors", name), problems)).unwrap_or(default)
    };
    let on = |source: &str, default_on: bool| host.filter(|_| source == HOST).unwrap_or(default_on);
    let sources = tables.sources.iter();
    let chosen = sources.filter(|source| switch(source.name, on(source.name, source.default_on))).map(|s| s.name);
    let chosen = chosen.collect();
    let interval = node.get("interval").filter(|node| node.value != Value::Null);
    let interval = interval.and_then(|node| read_interval(node, "collectors.interval", problems));
    (chosen, interval.unwrap_or(limits::COLLECT_INTERVAL), node_plan)
}

/// A time between two collections.
pub(super) fn read_interval(node: &Node, path: &str, problems: &mut Problems) -> Option<Duration> {
    let Span(interval) = node.read::<Span>(path, problems)?;
    if interval < limits::INTERVAL_LEAST || interval > limits::INTERVAL_MOST {
        let (least, most) = (Span(limits::INTERVAL_LEAST), Span(limits::INTERVAL_MOST));
        problems.add(path, node.at, format!("an interval lies between {least} and {most}"));
    }
    Some(interval)
}

/// The keys that the top of a file really has.
#[cfg(test)]
pub(super) fn fields() -> &'static [&'static str] {
    crate::node::fields::<RawTop>()
}
