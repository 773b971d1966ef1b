//! The culprit bench: a backend in a container's cgroup with a real agent beside it, neighbours that look suspicious and are not, and the
//! load tester, which must name the one that is guilty: the backend, nobody where nothing shows, or itself. Rows are drawn by seed.
//! `tests/culprit/run` tries all, `it/culprit.rs` one. Needs root and cgroup v1. What must stay true: a row leaves nothing behind.

pub mod stack;
pub mod stack_faults;

use crate::agent::Agent;
use crate::faults::cgroup::Cgroup;
use crate::program::{Finished, Running, binary, clean, finish_command};
use crate::servers::free_port;
use crate::wait_for;
use std::time::Duration;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The backend's quota is too small for its work.
    Cpu,
    /// All of the backend's connections are taken, in the middle of the run.
    Pool,
    /// Requests wait for nothing that anybody sees.
    Unseen,
    /// The load generator itself has no CPU.
    Generator,
}

/// A neighbour that is not guilty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoy {
    /// Works more from the load on, within its limit.
    Busy,
    /// Was at its limit all the time.
    Throttled,
}

/// A row.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// What goes wrong.
    pub fault: Fault,
    /// Beside it.
    pub decoy: Option<Decoy>,
    /// Draws what is not written here.
    pub seed: u64,
}

/// What came of it.
#[derive(Debug)]
pub struct Told {
    /// The exit code.
    pub exit: i32,
    /// Who was named: services, or `load generator`.
    pub named: Vec<String>,
    /// The sentence, or the reason of the verdict.
    pub sentence: String,
}

/// Every fault with every neighbour, and three guilty generators.
#[must_use]
pub fn table(seed: u64) -> Vec<Row> {
    let decoys = [None, Some(Decoy::Busy), Some(Decoy::Throttled)];
    let faults = [Fault::Cpu, Fault::Pool, Fault::Unseen, Fault::Generator];
    let rows = faults.iter().flat_map(|fault| decoys.iter().map(move |decoy| (*fault, *decoy)));
    (seed..).zip(rows).map(|(seed, (fault, decoy))| Row { fault, decoy, seed }).collect()
}

impl Row {
    /// Whether the right one was named, and the verdict right.
    #[must_use]
    pub fn is_right(&self, told: &Told) -> bool {
        let (named, exit): (&[&str], i32) = match self.fault {
            Fault::Cpu | Fault::Pool => (&["backend"], 1),
            Fault::Unseen => (&[], 1),
            Fault::Generator => (&[], 3),
        };
        let only_itself = self.fault == Fault::Generator && told.named.iter().all(|name| name == "load generator");
        told.exit == exit && (only_itself || told.named == named)
    }

    /// Brings it about.
    ///
    /// # Errors
    /// When it cannot be brought about here.
    pub fn play(&self) -> Result<Told, String> {
        let draw = |from: u64, to: u64| from + self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) % (to - from);
        let quota = if self.fault == Fault::Cpu { draw(10, 25) * 1000 } else { 100_000 };
        let port = free_port();
        let line = format!(
            "exec env LISTEN=127.0.0.1:{port} FAULTS=1 SEED_USERS=3 LOG_LEVEL=error DATABASE_URL=sqlite::memory: {}",
            binary("backend").display()
        );
        let backend = Service::start("backend", quota, &line, &format!("http://127.0.0.1:{port}/health"))?;
        let neighbour = self.decoy.map(|decoy| neighbour(decoy, port)).transpose()?;
        let faults = match self.fault {
            Fault::Cpu => format!(r#"{{"cpu_burn_ms": {}}}"#, draw(4, 8)),
            Fault::Pool => r#"{"hold_connections": 8}"#.to_owned(),
            Fault::Unseen => format!(r#"{{"latency_ms": {}}}"#, draw(150, 400)),
            Fault::Generator => "{}".to_owned(),
        };
        let url = format!("http://127.0.0.1:{port}");
        wait_for("the backend", Duration::from_secs(20), || ureq::get(&format!("{url}/health")).call().ok());
        let set = format!("{url}/faults");
        let act = move || ureq::put(&set).header("content-type", "application/json").send(faults).map(drop);
        let later = if self.fault == Fault::Pool {
            // After the calm time, the ramp and some seconds of good load.
            Some(std::thread::spawn(move || {
                std::thread::sleep(Duration::from_secs(13));
                act()
            }))
        } else {
            act().map_err(|error| format!("the fault: {error}"))?;
            None
        };
        let services: Vec<&Service> = [&backend].into_iter().chain(&neighbour).collect();
        let told = self.load(&url, &services);
        if let Some(Ok(Err(error))) = later.map(std::thread::JoinHandle::join) {
            return Err(format!("the fault: {error}"));
        }
        told
    }

    fn load(&self, url: &str, services: &[&Service]) -> Result<Told, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let json = folder.path().join("run.json").display().to_string();
        let agents: Vec<String> = services.iter().map(|one| format!("{}={}", one.name, one.agent.url)).collect();
        let agents = agents.join(",");
        let target = format!("{url}/health");
        let mut flags = vec!["--target", &target, "--agents", &agents, "--json", &json, "--calm", "7s", "--quiet"];
        flags.extend(["--users", "8", "--ramp", "1s", "--run-time", "14s", "--require", "p95 < 60ms"]);
        flags.extend(["--require", "errors < 1%"]);
        flags.extend(["--think", if self.fault == Fault::Generator { "0s" } else { "40ms" }]);
        let finished = match self.fault {
            Fault::Generator => starved(&flags)?,
            _ => finish_command(clean("loadtest").args(&flags)),
        };
        told(&finished, &json)
    }
}

/// The load tester with five hundredths of a core.
pub(crate) fn starved(flags: &[&str]) -> Result<Finished, String> {
    let cgroup = Cgroup::new(&[("cpu", "cpu.cfs_quota_us", "5000".to_owned())])?;
    let quoted: Vec<String> = flags.iter().map(|flag| format!("'{flag}'")).collect();
    let mut running = cgroup.run(&format!("exec {} {}", binary("loadtest").display(), quoted.join(" ")));
    let code = running.end();
    Ok(Finished { stdout: running.said(), stderr: String::new(), code })
}

/// What the load tester's report names.
pub(crate) fn told(finished: &Finished, json: &str) -> Result<Told, String> {
    let text = std::fs::read_to_string(json).unwrap_or_default();
    let report: serde_json::Value =
        serde_json::from_str(&text).map_err(|_| format!("no report: {} {}", finished.stdout, finished.stderr))?;
    let list =
        |of: &serde_json::Value, key: &str| of.get(key).and_then(|list| list.as_array().cloned()).unwrap_or_default();
    let word = |of: &serde_json::Value, key: &str| of.get(key).and_then(|word| word.as_str().map(str::to_owned));
    let findings = list(&report, "findings");
    let finding = findings.iter().find(|finding| word(finding, "target").is_some());
    let suspects = finding.map(|finding| list(finding, "suspects")).unwrap_or_default();
    let named = suspects.iter().filter(|suspect| suspect.get("named").is_some_and(|named| named == true));
    let named = named.filter_map(|suspect| word(suspect, "service")).collect();
    let said = finding.map_or_else(|| word(&report, "reason"), |finding| word(finding, "sentence"));
    Ok(Told { exit: finished.code, named, sentence: said.unwrap_or_default() })
}

/// A program in a container's cgroup, with its agent; what ends first is named first.
struct Service {
    name: &'static str,
    agent: Agent,
    _program: Running,
    _cgroup: Cgroup,
    _folder: tempfile::TempDir,
}

impl Service {
    fn start(name: &'static str, quota: u64, line: &str, check: &str) -> Result<Self, String> {
        let cgroup = Cgroup::new(&[("cpu", "cpu.cfs_quota_us", quota.to_string())])?;
        let program = cgroup.run(line);
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let config = format!(
            "peer: {{cgroup: {}}}\ncollectors: {{interval: 1s, process: false, host: false}}\nchecks:\n  \
             - {{name: {name}, url: \"{check}\", peer: true, interval: 1s}}\n",
            cgroup.name
        );
        let agent = Agent::with_config(folder.path(), &config);
        Ok(Self { name, agent, _program: program, _cgroup: cgroup, _folder: folder })
    }
}

fn neighbour(decoy: Decoy, port: u16) -> Result<Service, String> {
    let check = format!("tcp://127.0.0.1:{port}");
    match decoy {
        // A fifth of a core, of the whole that it may use, from the load on. One process: the shell's children would outlive it.
        Decoy::Busy => {
            let work = "import time\ntime.sleep(8)\nwhile True:\n t = time.time() + 0.02\n while time.time() < t: pass\n time.sleep(0.08)";
            Service::start("neighbour", 100_000, &format!("exec python3 -c '{work}'"), &check)
        }
        Decoy::Throttled => Service::start("neighbour", 5_000, "while :; do :; done", &check),
    }
}
