//! A container's cgroup without a container: directories of cgroup v1 made by root under a name of the test's own, with the limits that
//! the engine would set, and programs in them. Removed when dropped.

use crate::program::Running;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

const ROOT: &str = "/sys/fs/cgroup";
const CONTROLLERS: &[&str] = &["memory", "cpu", "cpuacct", "pids"];

/// The parent's name and the directory of one container's life in it.
pub struct Cgroup {
    /// What `peer: {cgroup: …}` is told.
    pub name: String,
    life: AtomicU32,
    limits: Vec<(&'static str, &'static str, String)>,
}

impl Cgroup {
    /// Makes the parent, and a first life with these limits: controller, file, value.
    ///
    /// # Errors
    /// Without root or cgroup v1.
    pub fn new(limits: &[(&'static str, &'static str, String)]) -> Result<Self, String> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        if !Path::new(ROOT).join("memory/memory.limit_in_bytes").exists() || !rustix::process::getuid().is_root() {
            return Err("needs root and cgroup v1".to_owned());
        }
        let name = format!("fault_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let own = Self { name, life: AtomicU32::new(0), limits: limits.to_vec() };
        own.make()?;
        Ok(own)
    }

    fn folder(&self, controller: &str) -> PathBuf {
        let life = self.life.load(Ordering::Relaxed);
        // An engine names a container by 64 hexadecimal digits.
        Path::new(ROOT).join(controller).join(format!("{}.slice", self.name)).join(format!("{life:064x}"))
    }

    fn make(&self) -> Result<(), String> {
        for controller in CONTROLLERS {
            let folder = self.folder(controller);
            std::fs::create_dir_all(&folder).map_err(|error| format!("needs root and cgroup v1: {error}"))?;
        }
        self.limits.iter().try_for_each(|(controller, file, value)| self.set(controller, file, value))
    }

    /// Writes a limit.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn set(&self, controller: &str, file: &str, value: &str) -> Result<(), String> {
        let path = self.folder(controller).join(file);
        std::fs::write(&path, value).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Runs a line of shell in it.
    #[must_use]
    pub fn run(&self, line: &str) -> Running {
        let joins: String =
            CONTROLLERS.iter().map(|it| format!("echo $$ > {}/cgroup.procs; ", self.folder(it).display())).collect();
        Running::start(Command::new("sh").args(["-c", &format!("{joins}{line}")]))
    }

    /// The container is started again: the old life's directories go, new ones come. Nothing may run in the old ones.
    ///
    /// # Errors
    /// When something still runs there.
    pub fn next_life(&self) -> Result<(), String> {
        self.remove()?;
        self.life.fetch_add(1, Ordering::Relaxed);
        self.make()
    }

    fn remove(&self) -> Result<(), String> {
        for controller in CONTROLLERS {
            let folder = self.folder(controller);
            // A process that was killed leaves a moment later.
            let gone = (0..100).any(|_| {
                let gone = std::fs::remove_dir(&folder).is_ok() || !folder.exists();
                if !gone {
                    std::thread::sleep(std::time::Duration::from_millis(20));
                }
                gone
            });
            if !gone {
                return Err(format!("{} is still in use", folder.display()));
            }
        }
        Ok(())
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        let _left = self.remove();
        for controller in CONTROLLERS {
            let _left = std::fs::remove_dir(Path::new(ROOT).join(controller).join(format!("{}.slice", self.name)));
        }
    }
}
