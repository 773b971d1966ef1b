//! The host under node_exporter's names, labels and types: one file a group of parts, one row a part in [`PARTS`]. Each part fails
//! alone, and "nothing to report" is no failure. Runs only with `host: true`, so that a host is counted once.

mod cpu;
mod disk;
mod filesystem;
mod kernel;
mod look;
mod machine;
mod memory;
mod mounts;
mod netdev;
mod netstat;
mod processes;
mod sensors;
mod sight;
mod system;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod time;

use self::look::{Kept, Lack, Look};
use self::sight::Sight;
use super::{Collected, Collector, Moment, NodePlan, Source};
use crate::clock;
use crate::limits;
use crate::reading::{Metric, Reading};
use crate::version::Version;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

static BUILD: Metric =
    Metric::gauge("node_exporter_build_info", "Version of what exports these metrics, which is this agent, always 1")
        .labelled(&["version", "revision", "branch", "goversion", "goos", "goarch", "tags"]);
static SUCCESS: Metric = Metric::gauge(
    "node_scrape_collector_success",
    "Whether the part could be read the last time, 1 or 0; a machine that has none of it is no failure",
)
.labelled(&["collector"]);
static TOOK: Metric =
    Metric::gauge("node_scrape_collector_duration_seconds", "How long reading the part took").labelled(&["collector"]);

/// How a part is read.
type Read = fn(&mut Look<'_>) -> Result<(), Lack>;

/// A part: what node_exporter calls a collector, under the same name.
pub(super) struct Part {
    name: &'static str,
    /// Whether it is read unless configured otherwise.
    default_on: bool,
    read: Read,
    facts: &'static [&'static Metric],
}

/// A part that is on by default.
const fn on(name: &'static str, read: Read, facts: &'static [&'static Metric]) -> Part {
    Part { name, default_on: true, read, facts }
}

/// A part that is off by default.
const fn off(name: &'static str, read: Read, facts: &'static [&'static Metric]) -> Part {
    Part { name, default_on: false, read, facts }
}

/// All parts. A new one is a function and a row here.
static PARTS: [&Part; 34] = [
    &netstat::ARP_PART,
    &netdev::BONDING,
    &netstat::CONNTRACK,
    &cpu::CPU,
    &cpu::CPUFREQ,
    &disk::DISKSTATS,
    &system::DMI,
    &machine::EDAC,
    &kernel::ENTROPY_PART,
    &kernel::FILEFD,
    &filesystem::FILESYSTEM,
    &sensors::HWMON,
    &processes::INTERRUPTS_PART,
    &kernel::KERNEL_HUNG,
    &kernel::LOADAVG,
    &machine::MDADM,
    &memory::MEMINFO_PART,
    &netdev::NETCLASS,
    &netdev::NETDEV,
    &netstat::NETSTAT_PART,
    &system::OS_PART,
    &kernel::PRESSURE,
    &processes::PROCESSES,
    &machine::RAPL,
    &kernel::SCHEDSTAT,
    &kernel::SELINUX_PART,
    &netstat::SOCKSTAT_PART,
    &netstat::SOFTNET_PART,
    &kernel::STAT,
    &sensors::THERMAL_ZONE,
    &time::TIME,
    &netstat::UDP_QUEUES_PART,
    &system::UNAME_PART,
    &memory::VMSTAT_PART,
];

/// What is told of the source itself.
static OWN: [&Metric; 3] = [&BUILD, &SUCCESS, &TOOK];

static FACTS: [&Metric; count_facts()] = facts();

const fn count_facts() -> usize {
    let (mut count, mut parts): (usize, &[&Part]) = (OWN.len(), &PARTS);
    while let Some((part, rest)) = parts.split_first() {
        count += part.facts.len();
        parts = rest;
    }
    count
}

/// The facts of all parts in one list, as a row of `SOURCES` wants it.
const fn facts() -> [&'static Metric; count_facts()] {
    let mut all = [OWN[0]; count_facts()];
    let (own, mut free) = all.split_at_mut(OWN.len());
    own.copy_from_slice(&OWN);
    let mut parts: &[&Part] = &PARTS;
    while let Some((part, rest)) = parts.split_first() {
        let (its, others) = free.split_at_mut(part.facts.len());
        its.copy_from_slice(part.facts);
        (free, parts) = (others, rest);
    }
    all
}

/// The row of the table.
pub(super) static SOURCE: Source = Source {
    name: "node",
    summary: "the host under node_exporter's names, with `host: true`; `collectors: {node: {…}}` switches its parts by node_exporter's \
              names of them, and `interval` says how often they are read",
    default_on: false,
    facts: &FACTS,
    parsers: &[
        cpu::STAT,
        disk::LINE,
        filesystem::MOUNTINFO,
        kernel::SCHEDSTAT_LINES,
        machine::MDSTAT,
        memory::MEMINFO,
        netdev::LINE,
        netstat::PARSERS[0],
        netstat::PARSERS[1],
        netstat::PARSERS[2],
        processes::PARSERS[0],
        processes::PARSERS[1],
        sensors::FILE_NAME,
        system::OS_RELEASE,
        time::ZONE_FILE,
    ],
    build: |roots, peer| Box::new(Node::new(Sight::of(roots), &peer.node)),
};

/// The names of the parts, and whether each is on by default.
pub(super) fn parts() -> impl Iterator<Item = (&'static str, bool)> {
    PARTS.iter().map(|part| (part.name, part.default_on))
}

struct Node {
    sight: Sight,
    kept: Kept,
    parts: Vec<&'static Part>,
    every: Duration,
    last: Option<Instant>,
}

impl Node {
    fn new(sight: Sight, plan: &NodePlan) -> Self {
        let written = |name: &str| plan.switches.iter().find(|(part, _)| *part == name).map(|(_, on)| *on);
        let chosen = PARTS.iter().copied().filter(|part| written(part.name).unwrap_or(part.default_on));
        let every = plan.interval.unwrap_or(limits::NODE_INTERVAL);
        Self { sight, kept: Kept::default(), parts: chosen.collect(), every, last: None }
    }

    /// The readings, and what is to be told of those that are missing: what failed, what cannot be seen from here.
    fn look(&mut self, at: Moment) -> (Vec<Reading>, Vec<String>, Vec<String>) {
        let found = Vec::with_capacity(limits::NODE_READINGS_USUAL);
        let mut look = Look { sight: &self.sight, kept: &mut self.kept, at, found, before: 0 };
        let (mut failed, mut unseen): (_, BTreeMap<&str, Vec<&str>>) = (Vec::new(), BTreeMap::new());
        look.give(&BUILD, build(), 1.0);
        for part in &self.parts {
            look.before = look.found.len();
            let began = clock::now();
            let read = (part.read)(&mut look);
            let took = clock::now().duration_since(began);
            let success = match read {
                Ok(()) | Err(Lack::Nothing) => 1.0,
                Err(Lack::Unseen(why)) => {
                    unseen.entry(why).or_default().push(part.name);
                    continue;
                }
                Err(Lack::Failed(why)) => {
                    failed.push(format!("{}: {why}", part.name));
                    0.0
                }
            };
            look.before = look.found.len();
            look.give(&SUCCESS, [part.name], success);
            look.give(&TOOK, [part.name], took.as_secs_f64());
        }
        let unseen = unseen.into_iter().map(|(why, parts)| format!("left out: {}, for {why}", parts.join(", ")));
        (look.found, failed, unseen.collect())
    }
}

fn build() -> [&'static str; 7] {
    let machine = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    [Version::THIS.number, Version::THIS.commit, "", "", "linux", machine, ""]
}

impl Collector for Node {
    fn collect(&mut self, at: Moment) -> Collected {
        self.last = Some(at.now);
        let (readings, mut failed, unseen) = self.look(at);
        match (failed.is_empty(), unseen.is_empty()) {
            (true, true) => Collected::Readings(readings),
            (true, false) => Collected::Noted(readings, unseen.join("; ")),
            (false, _) => {
                failed.extend(unseen);
                Collected::Partly(readings, failed.join("; "))
            }
        }
    }

    fn is_due(&self, now: Instant) -> bool {
        self.last.is_none_or(|last| now.duration_since(last) + limits::NODE_INTERVAL_SLACK >= self.every)
    }
}
