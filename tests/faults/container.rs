//! The peer of a fault about its container: a real one where an engine runs and a local base is made, else a cgroup with the same limits and
//! processes in it. Either is found by the name of its parent. Removed when dropped.

use super::cgroup::Cgroup;
use crate::program::Running;
use crate::stack::{docker, remove};
use std::any::Any;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// A base that has a shell and the usual tools; `docker/bases/build` makes it.
const IMAGE: &str = "stack-local/redis:7.0";

/// What the engine sets; what is `None` has no limit.
#[derive(Clone, Copy, Default)]
pub struct Limits {
    /// Memory, in MiB.
    pub memory: Option<u32>,
    /// Processor time, in hundredths of a core.
    pub cpu: Option<u32>,
    /// Processes and threads.
    pub pids: Option<u32>,
}

/// The peer.
pub enum Peer {
    /// In a container.
    Container(Container),
    /// In a cgroup without one, and the process that keeps it busy.
    Cgroup(Cgroup, Option<Running>),
}

/// A container under a parent of its own name.
pub struct Container(String);

impl Peer {
    /// Starts a peer that does nothing for some minutes.
    ///
    /// # Errors
    /// Where there is neither an engine with the base nor root with cgroup v1.
    pub fn idle(limits: Limits) -> Result<Self, String> {
        if Container::possible() {
            return Container::start(limits, "no", "exec sleep 300").map(Self::Container);
        }
        let cgroup = Cgroup::new(&limits.files())?;
        let idle = cgroup.run("exec sleep 300");
        Ok(Self::Cgroup(cgroup, Some(idle)))
    }

    /// A peer that lives until it is told to die, and from then on dies a moment after each start.
    ///
    /// # Errors
    /// As [`Peer::idle`].
    pub fn mortal() -> Result<Self, String> {
        if Container::possible() {
            let line = "until [ -e /tmp/go ]; do sleep 0.1; done; sleep 1; exit 1";
            return Container::start(Limits::default(), "always", line).map(Self::Container);
        }
        Self::idle(Limits::default())
    }

    /// What `peer: {cgroup: …}` is told.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Container(container) => &container.0,
            Self::Cgroup(cgroup, _) => &cgroup.name,
        }
    }

    /// Runs a line of shell in it; what is returned must live as long as the line shall.
    ///
    /// # Errors
    /// With the engine's words.
    pub fn run(&self, line: &str) -> Result<Box<dyn Any + Send>, String> {
        match self {
            Self::Container(container) => {
                docker(&["exec", "-d", &container.0, "sh", "-c", line])?;
                Ok(Box::new(()))
            }
            Self::Cgroup(cgroup, _) => Ok(Box::new(cgroup.run(line))),
        }
    }

    /// From now on it dies again and again, for a quarter of a minute where nobody restarts it but us.
    ///
    /// # Errors
    /// With the engine's words.
    pub fn dies(self) -> Result<Box<dyn Any + Send>, String> {
        match self {
            Self::Container(container) => {
                docker(&["exec", &container.0, "touch", "/tmp/go"])?;
                Ok(Box::new(container))
            }
            Self::Cgroup(cgroup, idle) => Ok(Box::new(Joined(Some(std::thread::spawn(move || lives(&cgroup, idle)))))),
        }
    }
}

/// Some lives within some seconds, each of a process that is killed.
fn lives(cgroup: &Cgroup, mut life: Option<Running>) {
    for _life in 0..6 {
        if let Some(mut life) = life.take() {
            life.signal(rustix::process::Signal::KILL);
            life.end();
        }
        if cgroup.next_life().is_err() {
            return;
        }
        life = Some(cgroup.run("exec sleep 300"));
        std::thread::sleep(Duration::from_millis(2500));
    }
}

/// A thread that is waited for.
struct Joined(Option<std::thread::JoinHandle<()>>);

impl Drop for Joined {
    fn drop(&mut self) {
        let _ended = self.0.take().map(std::thread::JoinHandle::join);
    }
}

impl Limits {
    /// As files of cgroup v1.
    fn files(self) -> Vec<(&'static str, &'static str, String)> {
        let memory = self.memory.map(|megabytes| ("memory", "memory.limit_in_bytes", format!("{megabytes}M")));
        let cpu = self.cpu.map(|hundredths| ("cpu", "cpu.cfs_quota_us", format!("{}", hundredths * 1000)));
        let pids = self.pids.map(|pids| ("pids", "pids.max", pids.to_string()));
        memory.into_iter().chain(cpu).chain(pids).collect()
    }

    /// As words for the engine.
    fn words(self) -> Vec<String> {
        let mut words = Vec::new();
        if let Some(megabytes) = self.memory {
            words.extend([format!("--memory={megabytes}m"), format!("--memory-swap={megabytes}m")]);
        }
        words.extend(self.cpu.map(|hundredths| format!("--cpus={}.{:02}", hundredths / 100, hundredths % 100)));
        words.extend(self.pids.map(|pids| format!("--pids-limit={pids}")));
        words
    }
}

impl Container {
    /// Whether an engine answers here and has the base.
    #[must_use]
    pub fn possible() -> bool {
        docker(&["image", "inspect", "-f", "{{.Id}}", IMAGE]).is_ok()
    }

    fn start(limits: Limits, restart: &str, line: &str) -> Result<Self, String> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("fault_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let parent = format!("{name}.slice");
        let mut words =
            ["run", "-d", "--network", "none", "--entrypoint", "sh", "--restart", restart].map(str::to_owned).to_vec();
        words.extend(["--name", &name, "--cgroup-parent", &parent].map(str::to_owned));
        words.extend(limits.words());
        words.extend([IMAGE, "-c", line].map(str::to_owned));
        let own = Self(name);
        docker(&words.iter().map(String::as_str).collect::<Vec<_>>())?;
        Ok(own)
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        remove(&self.0);
    }
}
