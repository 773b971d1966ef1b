//! The culprit bench on the whole stack in containers: a fault is brought about in one of its services, with and without a neighbour that is not
//! guilty, and the load tester, told of all sidecars, must say NO-GO and name that service first. Its parameters are drawn by seed. By hand,
//! through `tests/culprit/run stack`: needs Docker, root and cgroup v1. What must stay true: a row leaves the stack as it found it.

use super::stack_faults::Fault;
use super::{Decoy, Told, starved, told};
use crate::program::{clean, finish_command};
use crate::repo::root;
use crate::stack::{SMALL_DISK, Stack};
use std::time::Duration;

/// The stack, and what is drawn.
pub struct Bench {
    pub(super) stack: Stack,
    random: u64,
}

/// All that have a sidecar, but for the second backend.
const ALL: [&str; 5] = ["backend", "db", "redis", "frontend", "nginx"];
/// From the load tester's start on until the load has lasted for some seconds.
const LOADED: Duration = Duration::from_secs(24);

impl Bench {
    /// The stack, started; its database on a disk of 320 MB that commits slowly, as rented ones do.
    ///
    /// # Errors
    /// When it cannot be started here.
    pub fn start(seed: u64) -> Result<Self, String> {
        if let Some(why) = Stack::impossible() {
            return Err(why);
        }
        let mut stack =
            Stack::copy("culprit", &[("FAULTS", "1"), ("STACK_EXTRA_FILES", SMALL_DISK.0), ("POOL_SIZE", "8")])?;
        stack.add_file(SMALL_DISK.0, SMALL_DISK.1)?;
        // Peers are looked at every two seconds, so that a run of half a minute shows who went first.
        for service in ALL {
            stack.edit(
                &format!("docker/sidecars/{service}.yml"),
                "    peer: true\n",
                "    peer: true\n    interval: 2s\n",
            )?;
        }
        stack.start(&["--loadtest"])?;
        let bench = Self { stack, random: seed };
        bench.stack.sql("ALTER SYSTEM SET commit_delay = 100000")?;
        bench.stack.sql("ALTER SYSTEM SET commit_siblings = 0")?;
        bench.stack.sql("ALTER SYSTEM SET max_wal_size = 64")?;
        bench.stack.sql("SELECT pg_reload_conf()")?;
        Ok(bench)
    }

    /// The next neighbour, if there is one.
    pub fn decoy(&mut self) -> Option<Decoy> {
        [None, Some(Decoy::Busy), Some(Decoy::Throttled)].get(usize::try_from(self.draw(0, 3)).unwrap_or(0)).copied()?
    }

    /// Brings a fault about, asks the load tester, and makes all well again.
    ///
    /// # Errors
    /// When it cannot be brought about.
    pub fn play(&mut self, fault: &Fault, decoy: Option<Decoy>) -> Result<Told, String> {
        if let Some(decoy) = decoy {
            self.distract(decoy)?;
        }
        (fault.before)(self)?;
        let (flags, folder) = self.flags(fault)?;
        let json = folder.path().join("run.json").display().to_string();
        let starves = fault.starves();
        let run = std::thread::spawn(move || {
            let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
            let finished = if starves { starved(&flags)? } else { finish_command(clean("loadtest").args(&flags)) };
            told(&finished, &json)
        });
        std::thread::sleep(LOADED);
        let acted = (fault.during)(self);
        let told = run.join().map_err(|_| "the load tester's thread has panicked".to_owned())?;
        (fault.heal)(self)?;
        self.calm_down(decoy)?;
        acted.and(told)
    }

    fn flags(&mut self, fault: &Fault) -> Result<(Vec<String>, tempfile::TempDir), String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let json = folder.path().join("run.json").display().to_string();
        let plan = root().join("tests/culprit/stack.yml").display().to_string();
        let mut services: Vec<&str> = ALL.to_vec();
        services.extend(fault.more);
        let mut agents = Vec::new();
        for service in services {
            agents.push(format!(
                "{service}=http://{}:9797",
                self.stack.address(&format!("{service}-sidecar"), "monitoring")?
            ));
        }
        let target = format!("https://{}", self.stack.edge);
        let agents = agents.join(",");
        let words = ["--plan", &plan, "--target", &target, "--agents", &agents, "--json", &json, "--quiet"];
        let mut flags: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        if fault.starves() {
            let users = self.draw(60, 120).to_string();
            flags.extend(["--users", &users, "--think", "0s"].map(str::to_owned));
        }
        Ok((flags, folder))
    }

    /// A number of that range.
    pub(super) fn draw(&mut self, from: u64, to: u64) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        from + (self.random >> 33) % (to - from)
    }

    fn distract(&self, decoy: Decoy) -> Result<(), String> {
        let (service, line) = match decoy {
            // Works more from the load on, within its limit.
            Decoy::Busy => {
                ("redis", "sleep 13; end=$(($(date +%s) + 60)); while [ $(date +%s) -lt $end ]; do sleep 0.02; done")
            }
            Decoy::Throttled => ("frontend", "end=$(($(date +%s) + 100)); while [ $(date +%s) -lt $end ]; do :; done"),
        };
        if decoy == Decoy::Throttled {
            // What it burns is more than that.
            self.stack.cpus(service, 10)?;
        }
        self.stack.beside(service, &["timeout", "110", "sh", "-c", line])?;
        if decoy == Decoy::Throttled {
            // Until its sidecar has seen it so.
            std::thread::sleep(Duration::from_secs(7));
        }
        Ok(())
    }

    fn calm_down(&self, decoy: Option<Decoy>) -> Result<(), String> {
        match decoy {
            None => Ok(()),
            Some(Decoy::Busy) => self.stack.restart("redis"),
            Some(Decoy::Throttled) => self.stack.cpus("frontend", 50).and_then(|()| self.stack.restart("frontend")),
        }
    }
}
