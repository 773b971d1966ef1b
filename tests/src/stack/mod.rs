//! The whole stack in containers: `docker/up` on a copy of `docker/` and `dashboards/`, under a project name, ports and secrets of its
//! own, so that nothing of whoever works here is touched. Taken down, volumes and all, when dropped.

pub mod claims;
mod deeds;
mod watch;

pub use deeds::SMALL_DISK;

use crate::http::{Answer, get, sample};
use crate::program::{Finished, Running, finish_command};
use crate::repo::root;
use crate::servers::{free_port, start::output};
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::Command;

/// The services that have a sidecar, with the team that is told of them.
pub const SERVICES: [(&str, &str); 8] = [
    ("db", "database"),
    ("redis", "database"),
    ("backend", "api"),
    ("frontend", "api"),
    ("nginx", "platform"),
    ("prometheus", "platform"),
    ("alertmanager", "platform"),
    ("grafana", "platform"),
];

/// A stack.
pub struct Stack {
    folder: tempfile::TempDir,
    /// The compose project, and the first part of the cgroups' names.
    pub project: String,
    /// nginx' port for HTTPS on this host.
    pub https: u16,
    /// nginx' address in the load tester's network.
    pub edge: String,
    prometheus: u16,
    alertmanager: u16,
    files: Vec<String>,
    /// Everything that the engine said of the containers while the stack started.
    pub events: Option<Running>,
}

/// Runs docker and returns what it printed.
///
/// # Errors
/// With its words when it fails.
pub fn docker(arguments: &[&str]) -> Result<String, String> {
    output(Command::new("docker").args(arguments))
}

/// Removes a container, and its parents of the same name, which the engine leaves.
pub fn remove(container: &str) {
    let _removed = docker(&["rm", "-f", container]);
    for controller in std::fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten() {
        let _gone = std::fs::remove_dir(controller.path().join(format!("{container}.slice")));
    }
}

/// The static binaries that go into the local images.
const BINARIES: [(&str, &str, &str); 2] =
    [("STACK_AGENT_BINARY", "agent", "agent"), ("STACK_BACKEND_BINARY", "release", "backend")];

fn binaries() -> impl Iterator<Item = (&'static str, PathBuf)> {
    let home = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let home = home.join(format!("{}-unknown-linux-gnu", std::env::consts::ARCH));
    BINARIES.iter().map(move |(variable, profile, name)| (*variable, home.join(profile).join(name)))
}

impl Stack {
    /// Why no stack can run here, if none can.
    #[must_use]
    pub fn impossible() -> Option<String> {
        if let Err(why) = docker(&["version", "--format", "{{.Server.Version}}"]) {
            return Some(format!("no Docker engine answers: {}", why.lines().last().unwrap_or_default()));
        }
        if let Some((_, path)) = binaries().find(|(_, path)| !path.exists()) {
            return Some(format!("{} is not built; tests/run builds it", crate::repo::shown(&path)));
        }
        let bases = finish_command(Command::new(root().join("docker/bases/build")).arg("--list"));
        let old = bases.stdout.lines().find(|line| !line.ends_with("fresh"));
        match (bases.code, old) {
            (0, None) => None,
            (0, Some(line)) => Some(format!("the local bases are not made (docker/bases/build): {line}")),
            _ => Some(format!("docker/bases/build --list: {}", bases.stderr)),
        }
    }

    /// A stack that is not started yet; `settings` are lines of its `.env`.
    ///
    /// # Errors
    /// When the files cannot be copied.
    pub fn copy(purpose: &str, settings: &[(&str, &str)]) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        for part in ["docker", "dashboards"] {
            output(Command::new("cp").arg("-r").arg(root().join(part)).arg(folder.path()))?;
        }
        let number = std::process::id();
        let (project, subnet) = (format!("test_{purpose}_{number}"), format!("10.249.{}", number % 250));
        let stack = Self {
            project,
            https: free_port(),
            edge: format!("{subnet}.10"),
            prometheus: free_port(),
            alertmanager: free_port(),
            files: vec!["compose.yaml".to_owned(), "compose.local.yaml".to_owned()],
            events: None,
            folder,
        };
        let ports = [
            ("HTTP_PORT", free_port()),
            ("HTTPS_PORT", stack.https),
            ("PROMETHEUS_PORT", stack.prometheus),
            ("ALERTMANAGER_PORT", stack.alertmanager),
            ("GRAFANA_PORT", free_port()),
        ];
        let mut lines: Vec<String> = ports.iter().map(|(name, port)| format!("{name}={port}\n")).collect();
        lines.push(format!("COMPOSE_PROJECT_NAME={}\n", stack.project));
        lines.push(format!("LOADTEST_SUBNET={subnet}.0/24\nLOADTEST_NGINX={}\n", stack.edge));
        lines.extend(settings.iter().map(|(name, value)| format!("{name}={value}\n")));
        std::fs::remove_dir_all(stack.path("docker/secrets")).or_else(absent)?;
        std::fs::write(stack.path("docker/.env"), lines.concat()).map_err(|error| error.to_string())?;
        Ok(stack)
    }

    /// A file of the copy.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts a secret where `docker/up` would make it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn secret(&self, name: &str, value: &str) -> Result<(), String> {
        let folder = self.path("docker/secrets");
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        std::fs::write(folder.join(name), value).map_err(|error| error.to_string())
    }

    /// Changes a file of the copy.
    ///
    /// # Errors
    /// When it cannot be written, or does not hold `from`.
    pub fn edit(&self, file: &str, from: &str, to: &str) -> Result<(), String> {
        let text = std::fs::read_to_string(self.path(file)).map_err(|error| error.to_string())?;
        let changed = text.replace(from, to);
        if changed == text {
            return Err(format!("{file} does not hold `{from}`"));
        }
        std::fs::write(self.path(file), changed).map_err(|error| error.to_string())
    }

    /// One more compose file, in the copy's `docker/`, for what `compose` does from now on.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add_file(&mut self, name: &str, text: &str) -> Result<(), String> {
        std::fs::write(self.path("docker").join(name), text).map_err(|error| error.to_string())?;
        self.files.push(name.to_owned());
        Ok(())
    }

    /// `docker/up` with these arguments, to its end.
    pub fn up(&mut self, arguments: &[&str]) -> Finished {
        for name in ["mysql", "loadtest"] {
            if arguments.contains(&format!("--{name}").as_str()) {
                self.files.push(format!("compose.{name}.yaml"));
            }
        }
        let mut watch = Command::new("docker");
        watch.args([
            "events",
            "--filter",
            "type=container",
            "--filter",
            "event=start",
            "--filter",
            "event=health_status",
        ]);
        watch
            .args(["--format", "{{.TimeNano}} {{.Status}} {{index .Actor.Attributes \"com.docker.compose.service\"}}"]);
        watch.args(["--filter", &format!("label=com.docker.compose.project={}", self.project)]);
        self.events = Some(Running::start(&mut watch));
        finish_command(self.script("up").arg("--local").args(arguments))
    }

    fn script(&self, name: &str) -> Command {
        let mut command = Command::new("bash");
        command.arg(self.path("docker").join(name)).env_clear();
        for name in ["PATH", "HOME", "DOCKER_HOST", "XDG_CACHE_HOME", "DEBIAN_MIRROR"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        // The room that docker/up wants is for images, which are here already.
        command.envs(binaries()).env("STACK_MIN_FREE_MB", "512");
        command
    }

    /// `docker-compose` on the stack's files.
    ///
    /// # Errors
    /// With its words when it fails.
    pub fn compose(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new("docker-compose");
        if output(Command::new("docker").args(["compose", "version"])).is_ok() {
            command = Command::new("docker");
            command.arg("compose");
        }
        command.current_dir(self.path("docker")).args(["--env-file", ".env"]);
        command.args(self.files.iter().flat_map(|file| ["-f", file]));
        let mysql = [("MYSQL_IMAGE", "stack-local/mysql:10.11")];
        output(
            command
                .args(["--profile", "monitoring"])
                .args(arguments)
                .envs(mysql)
                .env("COMPOSE_PROJECT_NAME", &self.project),
        )
    }

    /// `docker/down --volumes`, and what is left of the stack then: nothing.
    ///
    /// # Errors
    /// When it fails, or something is left.
    pub fn down(&self) -> Result<(), String> {
        let ended = finish_command(self.script("down").arg("--volumes"));
        if ended.code != 0 {
            return Err(format!("docker/down: {}{}", ended.stdout, ended.stderr));
        }
        let label = format!("label=com.docker.compose.project={}", self.project);
        for list in [&["ps", "-a"][..], &["network", "ls"], &["volume", "ls"]] {
            let left = docker(&[list, &["-q", "--filter", &label]].concat())?;
            if !left.is_empty() {
                return Err(format!("docker/down left {list:?}: {left}"));
            }
        }
        Ok(())
    }

    /// The container of a service.
    ///
    /// # Errors
    /// When there is none.
    pub fn container(&self, service: &str) -> Result<String, String> {
        let label = |name: &str, value: &str| format!("label=com.docker.compose.{name}={value}");
        let found = docker(&[
            "ps",
            "-aq",
            "--filter",
            &label("project", &self.project),
            "--filter",
            &label("service", service),
        ])?;
        found.lines().next().map(str::to_owned).ok_or_else(|| format!("{service} has no container"))
    }

    /// What the engine knows of a service's container.
    ///
    /// # Errors
    /// When there is none.
    pub fn inspect(&self, service: &str) -> Result<Value, String> {
        let text = docker(&["inspect", &self.container(service)?])?;
        let all: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        all.get(0).cloned().ok_or_else(|| format!("{service}: {text}"))
    }

    /// A service's address in one of the stack's networks, which this machine reaches too.
    ///
    /// # Errors
    /// When it has none there.
    pub fn address(&self, service: &str, network: &str) -> Result<String, String> {
        let pointer = format!("/NetworkSettings/Networks/{}_{network}/IPAddress", self.project);
        let address = self.inspect(service)?.pointer(&pointer).and_then(Value::as_str).map(str::to_owned);
        address.filter(|address| !address.is_empty()).ok_or_else(|| format!("{service} has no address in {network}"))
    }

    /// A page of the sidecar beside a service.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn sidecar(&self, service: &str, path: &str) -> Result<Answer, String> {
        get(&format!("http://{}:9797{path}", self.address(&format!("{service}-sidecar"), "monitoring")?))
    }

    /// A sample of the sidecar beside a service: the name with its labels as written.
    #[must_use]
    pub fn sample(&self, service: &str, series: &str) -> Option<f64> {
        sample(&self.sidecar(service, "/metrics").ok()?.body, series)
    }

    /// What a sidecar says of one check: `up`, or `down` with its reason.
    ///
    /// # Errors
    /// When it does not answer, or has no such check.
    pub fn check(&self, service: &str, check: &str) -> Result<String, String> {
        let page = self.sidecar(service, "/health")?.json();
        let found = page.pointer(&format!("/services/{check}")).ok_or_else(|| format!("no check {check}: {page}"))?;
        let text = |key: &str| found.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(format!("{} {}", text("state"), text("reason")).trim_end().to_owned())
    }
}

/// The address of this machine that containers reach, where alerts may be sent to.
///
/// # Errors
/// When the engine has no bridge.
pub fn bridge() -> Result<IpAddr, String> {
    let text = docker(&[
        "network",
        "inspect",
        "bridge",
        "-f",
        "{{with index .IPAM.Config 0}}{{.Gateway}} {{.Subnet}}{{end}}",
    ])?;
    // An engine that was not told a gateway takes the first address, and older ones do not say so.
    let (gateway, subnet) = text.split_once(' ').unwrap_or_default();
    if let Ok(address) = gateway.parse() {
        return Ok(address);
    }
    let network = subnet.split('/').next().unwrap_or_default().parse::<Ipv4Addr>();
    let network = network.map_err(|error| format!("the engine's bridge is `{text}`: {error}"))?;
    Ok(Ipv4Addr::from(u32::from(network) + 1).into())
}

fn absent(error: std::io::Error) -> Result<(), String> {
    if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error.to_string()) }
}

impl Drop for Stack {
    fn drop(&mut self) {
        if let Err(why) = self.down() {
            eprintln!("the stack {} is not wholly gone: {why}", self.project);
        }
    }
}
