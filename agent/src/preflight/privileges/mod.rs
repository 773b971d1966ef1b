//! `agent check --privileges`: what this container can and cannot see, and what it may do that it should not. Reads only, below the
//! roots given. What the collectors see is asked of the collectors themselves, so that this page and `agent run` cannot disagree.

mod container;
mod mounts;
mod rules;
#[cfg(test)]
mod tests;

pub(super) use rules::RULES;

use super::{Findings, Place, Rule};
use crate::clock;
use crate::collectors::{Collected, Moment, PeerPlan, Roots, SOURCES};
use crate::config::Environment;
use container::{Container, NET_RAW, SYS_ADMIN};
use mounts::Mount;
use std::path::PathBuf;

/// What is looked at.
#[derive(Clone, Debug)]
pub struct Sight {
    /// Where the kernel's files are, and the host's root where it is mounted.
    pub roots: Roots,
    /// This container's own root: its sockets and its token are looked for below it.
    pub here: PathBuf,
    /// What the configuration says of the peer.
    pub peer: PeerPlan,
}

impl Sight {
    /// This container, with what the configuration says of the peer and where the host's root is mounted; `/` when it is not.
    #[must_use]
    pub fn of_system(peer: PeerPlan, host_root: PathBuf) -> Self {
        Self { roots: Roots { root: host_root, ..Roots::of_system() }, here: PathBuf::from("/"), peer }
    }
}

/// One look, with where its findings go.
struct Look<'a> {
    sight: &'a Sight,
    environment: &'a Environment,
    container: Container,
    mounts: Vec<Mount>,
    in_pod: bool,
    findings: &'a mut Findings,
}

/// Lays down what is seen (as inputs that were looked at) and what is not, or should not be (as findings).
pub(super) fn check(sight: &Sight, environment: &Environment, findings: &mut Findings) {
    let container = match Container::read(&sight.roots.proc) {
        Ok(container) => container,
        Err(why) => return findings.unreadable(format!("error: cannot tell what this container may do: {why}\n")),
    };
    let mounts = mounts::read(&sight.roots.proc).unwrap_or_default();
    let in_pod = environment.filled("KUBERNETES_SERVICE_HOST").is_some();
    let mut look = Look { sight, environment, container, mounts, in_pod, findings };
    look.peer();
    look.host();
    look.ping();
    look.volumes();
    look.names();
    look.rights();
    look.sockets();
}

impl Look<'_> {
    fn seen(&mut self, what: &str, how: impl Into<String>) {
        self.findings.checked(what, how);
    }

    /// Notes what is missing or too much; the way out is that of a pod or that of a compose service.
    fn note(&mut self, rule: &'static Rule, key: &str, message: impl Into<String>, (compose, pod): (&str, &str)) {
        let fix = if self.in_pod { format!("Kubernetes: {pod}") } else { format!("compose: {compose}") };
        self.findings.add_with_fix(rule, Place { key: key.to_owned(), ..Place::default() }, message, fix);
    }

    /// The peer's cgroup and its processes, as the collectors of the same names see them.
    fn peer(&mut self) {
        let ways = (
            "`cgroup_parent: PROJECT_SERVICE.slice` at the service, and at the sidecar `volumes: [\"/sys/fs/cgroup:/sys/fs/cgroup:ro\"]` and `AGENT_PEER_CGROUP: PROJECT_SERVICE.slice`",
            "`shareProcessNamespace: true` in the pod's spec; the agent then sums the processes of its peer",
        );
        self.source("cgroup", &rules::NO_CGROUP, "peer's cgroup", ways);
        let ways = (
            "`pid: \"service:NAME\"` at the sidecar; it then ends with its peer and cannot tell of the crash, so leave it out unless you need it",
            "`shareProcessNamespace: true` in the pod's spec",
        );
        self.source("process", &rules::NO_PROCESS, "peer's processes", ways);
        if let Some(hidden) = self.mounts.iter().find_map(Mount::hides_processes) {
            let message = format!("`/proc` is mounted with `{hidden}`, which hides the processes of other users");
            let ways = (
                "remove `hidepid` from the host's mount of /proc, or run both containers as one user",
                "run both containers as one `runAsUser`",
            );
            self.note(&rules::HIDEPID, "/proc", message, ways);
        }
    }

    fn source(&mut self, name: &str, rule: &'static Rule, what: &str, ways: (&str, &str)) {
        let Some(source) = SOURCES.iter().find(|source| source.name == name) else { return };
        let moment = Moment { now: clock::now(), wall: clock::wall() };
        match (source.build)(&self.sight.roots, &self.sight.peer).collect(moment) {
            Collected::Readings(readings) => self.seen(what, format!("seen, {} figures", readings.len())),
            Collected::Noted(_, how) => self.seen(what, format!("seen, {how}")),
            Collected::Partly(_, why) => self.note(rule, what, format!("seen in part: {why}"), ways),
            Collected::Absent(why) | Collected::Failed(why) => self.note(rule, what, format!("not seen: {why}"), ways),
        }
    }

    /// The host's own file systems; without them figures of disks are those of the container.
    fn host(&mut self) {
        let root = &self.sight.roots.root;
        if root.as_os_str() != "/" && std::fs::read_dir(root).is_ok() {
            return self.seen("host's root", format!("seen, at {}", root.display()));
        }
        let ways = (
            "`volumes: [\"/:/host:ro\"]` at one sidecar a host and `host_root: /host`, for its `node_*` figures",
            "a DaemonSet with `hostPath: {path: /}` mounted read-only at /host and `host_root: /host`",
        );
        self.note(&rules::NO_HOST_ROOT, "host's root", "not mounted: disks of the host are not seen", ways);
    }

    /// Pings need a group of the range that the kernel allows, or a capability that nobody should give.
    fn ping(&mut self) {
        if self.container.may_ping() {
            return self.seen("pings", "may be sent, without a capability");
        }
        if self.container.has(NET_RAW) {
            return self.seen("pings", "may be sent, by CAP_NET_RAW");
        }
        let ways = (
            "`sysctls: {net.ipv4.ping_group_range: \"0 2147483647\"}` at the sidecar",
            "`securityContext: {sysctls: [{name: net.ipv4.ping_group_range, value: \"0 2147483647\"}]}` of the pod",
        );
        self.note(&rules::NO_PING, "pings", "the check `icmp:` may not send any", ways);
    }

    /// What is mounted here beside the kernel's own: seen when it can be read, too much when it can be written.
    fn volumes(&mut self) {
        let volumes: Vec<Mount> = self.mounts.iter().filter(|mount| mount.is_volume()).cloned().collect();
        for volume in volumes {
            let at = volume.at.as_str();
            let below = self.sight.here.join(at.trim_start_matches('/'));
            let readable = if below.is_dir() {
                std::fs::read_dir(&below).map(drop)
            } else {
                std::fs::File::open(&below).map(drop)
            };
            match readable {
                Ok(()) => {
                    self.seen(&format!("volume {at}"), if volume.writable { "readable" } else { "readable, read-only" })
                }
                Err(error) => {
                    let ways = (
                        "`group_add: [GROUP]` of its files at the sidecar",
                        "`securityContext: {fsGroup: …}` of the pod",
                    );
                    self.note(&rules::UNREADABLE, at, format!("mounted and not readable: {error}"), ways);
                }
            }
            if volume.writable {
                let ways = ("`:ro` behind the volume", "`readOnly: true` at the volumeMount");
                self.note(&rules::WRITABLE, at, "the agent may write to this volume", ways);
            }
        }
        if self.mounts.iter().any(|mount| mount.at == "/" && mount.writable) {
            let ways = ("`read_only: true`", "`securityContext: {readOnlyRootFilesystem: true}`");
            self.note(&rules::WRITABLE, "/", "the agent may write to its own root file system", ways);
        }
    }

    /// In a pod, names that only the downward API tells.
    fn names(&mut self) {
        if !self.in_pod {
            return;
        }
        let missing = |name: &&str| self.environment.filled(name).is_none();
        let wanted = ["AGENT_PEER_POD", "AGENT_PEER_NAMESPACE", "AGENT_PEER_CONTAINER"];
        let missing: Vec<&str> = wanted.iter().copied().filter(|name| missing(name)).collect();
        if missing.is_empty() {
            return self.seen("downward API", "pod, namespace and container are named");
        }
        let message = format!("not told: {}", missing.join(", "));
        let pod = "`env: [{name: AGENT_PEER_POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]`, and so on";
        self.note(&rules::NO_NAMES, "downward API", message, (pod, pod));
    }

    fn rights(&mut self) {
        if self.container.has(SYS_ADMIN) {
            let ways = ("remove `privileged: true` and `cap_add`", "remove `privileged: true` and `capabilities.add`");
            self.note(
                &rules::PRIVILEGED,
                "privileged",
                "this container may do what root of the host may (CAP_SYS_ADMIN)",
                ways,
            );
        } else if self.container.capabilities != 0 {
            let count = self.container.capabilities.count_ones();
            let ways = ("`cap_drop: [ALL]`", "`securityContext: {capabilities: {drop: [ALL]}}`");
            self.note(&rules::CAPABILITIES, "capabilities", format!("{count} are held, and none is needed"), ways);
        } else {
            self.seen("capabilities", "none, as it should be");
        }
        if self.container.user == 0 {
            let ways = ("`user: \"65532:65532\"`", "`securityContext: {runAsNonRoot: true, runAsUser: 65532}`");
            self.note(&rules::ROOT, "user", "the agent runs as root", ways);
        }
        if !self.container.no_new_privileges {
            let ways = (
                "`security_opt: [\"no-new-privileges:true\"]`",
                "`securityContext: {allowPrivilegeEscalation: false}`",
            );
            self.note(
                &rules::NEW_PRIVILEGES,
                "no_new_privs",
                "a program with the setuid bit would get more rights",
                ways,
            );
        }
    }

    /// A way to the engine is a way to the host.
    fn sockets(&mut self) {
        let mut told = Vec::new();
        for socket in ENGINE_SOCKETS {
            let place = self.sight.here.join(socket);
            // `/var/run` is mostly a link to `/run`: one socket is told once.
            let real = std::fs::canonicalize(&place).unwrap_or_else(|_| place.clone());
            if std::fs::symlink_metadata(&place).is_ok() && !told.contains(&real) {
                told.push(real);
                let ways = ("remove the volume `docker.sock`", "remove the hostPath volume");
                let message = "the engine's socket is mounted: who takes over the agent takes over the host";
                self.note(&rules::ENGINE_SOCKET, &format!("/{socket}"), message, ways);
            }
        }
        let token = "var/run/secrets/kubernetes.io/serviceaccount/token";
        if self.in_pod && std::fs::symlink_metadata(self.sight.here.join(token)).is_ok() {
            let way = "`automountServiceAccountToken: false` in the pod's spec";
            self.note(
                &rules::TOKEN,
                &format!("/{token}"),
                "a token of the API server is mounted, which the agent never uses",
                (way, way),
            );
        }
    }
}

/// Where container engines listen, below the root.
const ENGINE_SOCKETS: &[&str] = &[
    "run/docker.sock",
    "var/run/docker.sock",
    "run/containerd/containerd.sock",
    "run/crio/crio.sock",
    "run/podman/podman.sock",
];
