//! The peer's processes summed up by command name, under process-exporter's names. A name may hold any bytes, a process may end while
//! it is looked at, may be a zombie, may not be looked into: each costs its own figure and no more. Counts of processes that have ended
//! stay in their group's, so that no counter goes back. Source: proc(5).

use super::cgroup::Finder;
use super::files::{self, float, ratio};
use super::members::{Found, Members};
use super::pid::{self, Pid, Stat};
use super::{Collected, Collector, Moment, PeerPlan, Roots, Source};
use crate::limits;
use crate::parser::Parser;
use crate::reading::{Metric, Reading};
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use tokio::time::Instant;

const fn gauge(name: &'static str, help: &'static str) -> Metric {
    Metric::gauge(name, help).labelled(&["groupname"])
}

const fn counter(name: &'static str, help: &'static str) -> Metric {
    Metric::counter(name, help).labelled(&["groupname"])
}

static PROCESSES: Metric = gauge("namedprocess_namegroup_num_procs", "Processes of that name");
static CPU: Metric =
    counter("namedprocess_namegroup_cpu_seconds_total", "Processor time of the processes by mode, in seconds")
        .labelled(&["groupname", "mode"]);
static READ: Metric =
    counter("namedprocess_namegroup_read_bytes_total", "Bytes that the processes had read from disks");
static WRITTEN: Metric =
    counter("namedprocess_namegroup_write_bytes_total", "Bytes that the processes had written to disks");
static MAJOR: Metric = counter("namedprocess_namegroup_major_page_faults_total", "Page faults that waited for a disk");
static MINOR: Metric = counter("namedprocess_namegroup_minor_page_faults_total", "Page faults that needed no disk");
static SWITCHES: Metric =
    counter("namedprocess_namegroup_context_switches_total", "Context switches of the processes' threads by kind")
        .labelled(&["groupname", "ctxswitchtype"]);
static MEMORY: Metric = gauge("namedprocess_namegroup_memory_bytes", "Memory of the processes by kind, in bytes")
    .labelled(&["groupname", "memtype"]);
static OPEN: Metric = gauge("namedprocess_namegroup_open_filedesc", "Open file descriptors of the processes");
static WORST: Metric = gauge(
    "namedprocess_namegroup_worst_fd_ratio",
    "Open file descriptors divided by the limit, of the process that is nearest to it",
);
static OLDEST: Metric = gauge(
    "namedprocess_namegroup_oldest_start_time_seconds",
    "When the oldest of the processes started, in seconds since the Unix epoch",
);
static THREADS: Metric = gauge("namedprocess_namegroup_num_threads", "Threads of the processes");
static STATES: Metric =
    gauge("namedprocess_namegroup_states", "Threads of the processes by state").labelled(&["groupname", "state"]);
static PARTIAL: Metric = Metric::bare_counter(
    "namedprocess_scrape_partial_errors",
    "Times that some of a process's figures could not be read, mostly for want of rights",
);
static UNREAD: Metric =
    Metric::bare_counter("namedprocess_scrape_procread_errors", "Times that a process could not be read at all");
static ERRORS: Metric = Metric::bare_counter("namedprocess_scrape_errors", "Times that no process could be read");

/// The row of the table.
pub(super) static SOURCE: Source = Source {
    name: "namegroups",
    summary: "the peer's processes summed up by name, under process-exporter's names, where they can be seen",
    default_on: true,
    facts: &[
        &PROCESSES, &CPU, &READ, &WRITTEN, &MAJOR, &MINOR, &SWITCHES, &MEMORY, &OPEN, &WORST, &OLDEST, &THREADS,
        &STATES, &PARTIAL, &UNREAD, &ERRORS,
    ],
    parsers: &[Parser { name: "proc_status", read: read_bytes }],
    build: |roots, peer| Box::new(NameGroups::new(roots, peer)),
};

/// The names that a group may have beyond those that are told apart.
const OTHER: &str = "other";
/// States as process-exporter words them; what is none of the others is `Other`.
const STATE_NAMES: [&str; 5] = ["Running", "Sleeping", "Waiting", "Zombie", "Other"];

/// What only grows: user and system time, bytes read and written, major and minor faults, voluntary and other switches. What cannot be
/// read is absent.
type Counts = [Option<f64>; 8];

/// The figures of a group now.
#[derive(Debug, Default)]
struct Now {
    processes: u64,
    threads: u64,
    resident: u64,
    virtual_bytes: u64,
    swapped: u64,
    open: Option<u64>,
    worst: Option<f64>,
    oldest: Option<f64>,
    states: [u64; 5],
    proportional: Option<[u64; 2]>,
}

/// A process that was seen, and what was counted of it.
struct Known {
    group: String,
    counts: Counts,
    proportional: Option<[u64; 2]>,
    seen: bool,
}

struct NameGroups {
    finder: Finder,
    members: Members,
    known: HashMap<(u32, u64), Known>,
    /// What each group has counted in all.
    sums: BTreeMap<String, Counts>,
    proportional_due: Option<Instant>,
    proc: PathBuf,
    /// When the machine started; asked for once.
    booted: Option<f64>,
    partial: u64,
    unread: u64,
    failed: u64,
}

/// What the tasks of a process tell: states, and voluntary and other switches.
type Tasks = ([u64; 5], [Option<f64>; 2]);

fn add(sum: &mut Counts, now: &Counts, before: Option<&Counts>) {
    for (at, sum) in sum.iter_mut().enumerate() {
        let before = before.and_then(|before| *before.get(at)?).unwrap_or(0.0);
        if let Some(now) = now.get(at).copied().flatten() {
            *sum = Some(sum.unwrap_or(0.0) + (now - before).max(0.0));
        }
    }
}

/// A name as a label: what cannot be shown is replaced.
fn group_name(stat: &str) -> String {
    let name = stat.split_once('(').and_then(|(_, rest)| rest.rsplit_once(')')).map_or("", |(name, _)| name);
    let shown: String = name.chars().take(64).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if shown.is_empty() { OTHER.to_owned() } else { shown }
}

fn state(letter: char) -> usize {
    match letter {
        'R' => 0,
        'S' | 'I' => 1,
        'D' => 2,
        'Z' => 3,
        _ => 4,
    }
}

fn status_state(status: &str) -> Option<char> {
    status.lines().find_map(|line| line.strip_prefix("State:"))?.trim_start().chars().next()
}

/// Bytes that went to or came from a disk. Source: proc(5), `/proc/<pid>/io`.
fn disk_bytes(io: &str) -> [Option<f64>; 2] {
    [files::keyed(io, "read_bytes").map(float), files::keyed(io, "write_bytes").map(float)]
}

fn switches(status: &str) -> [Option<f64>; 2] {
    ["voluntary_ctxt_switches", "nonvoluntary_ctxt_switches"].map(|key| files::keyed(status, key).map(float))
}

fn proportional(rollup: &str) -> Option<[u64; 2]> {
    let bytes = |key| files::keyed(rollup, key).map(|kib| kib.saturating_mul(1024));
    Some([bytes("Pss")?, bytes("SwapPss").unwrap_or(0)])
}

/// Reads any bytes as each of these files, for fuzzing.
fn read_bytes(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _read = (group_name(&text), status_state(&text), disk_bytes(&text), switches(&text), proportional(&text));
}

/// States and switches of all threads; the switches are absent when there are too many threads to look at each.
fn tasks(pid: &Pid, stat: &Stat, status: &str, budget: &mut usize) -> Tasks {
    let mut states = [0; 5];
    let mut count = |letter: char| {
        if let Some(states) = states.get_mut(state(letter)) {
            *states += 1;
        }
    };
    if stat.threads <= 1 {
        count(stat.state);
        return (states, switches(status));
    }
    let wanted = usize::try_from(stat.threads).unwrap_or(usize::MAX);
    let Some(left) = budget.checked_sub(wanted) else {
        count(stat.state);
        return (states, [None, None]);
    };
    *budget = left;
    let mut sums = [0.0, 0.0];
    for thread in pid.threads(wanted) {
        let Ok(status) = thread else { continue };
        count(status_state(&status).unwrap_or(' '));
        for (sum, more) in sums.iter_mut().zip(switches(&status)) {
            *sum += more.unwrap_or(0.0);
        }
    }
    (states, sums.map(Some))
}

impl NameGroups {
    fn new(roots: &Roots, peer: &PeerPlan) -> Self {
        Self {
            finder: Finder::new(roots, peer),
            members: Members::new(roots, peer),
            known: HashMap::new(),
            sums: BTreeMap::new(),
            proportional_due: None,
            proc: roots.proc.clone(),
            booted: None,
            partial: 0,
            unread: 0,
            failed: 0,
        }
    }

    /// The peer's processes; its cgroup's where it is read and this PID namespace shows them.
    fn found(&mut self) -> Result<Found, String> {
        let tasks = self.finder.find().ok().and_then(|found| found.tasks());
        let members = self.members.of(tasks.as_ref());
        if members.seen() { Ok(members) } else { self.members.of_process() }
    }

    /// The group of a name; the name itself while there are not too many.
    fn group(&self, name: String) -> String {
        let room = self.sums.len() < limits::NAME_GROUPS || self.sums.contains_key(&name);
        if room { name } else { OTHER.to_owned() }
    }

    fn look(
        &mut self,
        (pid, stat): &(Pid, Stat),
        proportional_due: bool,
        budget: &mut usize,
        now: &mut BTreeMap<String, Now>,
    ) {
        // A process that was seen before keeps its group, whatever it calls itself now.
        let seen = self.known.get(&(pid.number, stat.start_ticks)).map(|known| known.group.clone());
        let group = seen.or_else(|| pid.text("stat").ok().map(|text| self.group(group_name(&text))));
        let (Some(group), Ok(status)) = (group, pid.text("status")) else {
            self.unread += 1;
            return;
        };
        let (states, switches) = tasks(pid, stat, &status, budget);
        let disk = pid.text("io").map(|text| disk_bytes(&text)).unwrap_or_default();
        let open = pid.open_files().ok();
        self.partial += u64::from(open.is_none()) + u64::from(disk.iter().any(Option::is_none));
        let [minor, major] = stat.faults.map(|count| Some(float(count)));
        let [read, written] = disk;
        let [voluntary, other] = switches;
        let times = [stat.user, stat.system].map(|time| Some(time.as_secs_f64()));
        let [user, system] = times;
        let counts = [user, system, read, written, major, minor, voluntary, other];
        let known = self.known.entry((pid.number, stat.start_ticks)).or_insert_with(|| Known {
            group,
            counts: [None; 8],
            proportional: None,
            seen: true,
        });
        add(self.sums.entry(known.group.clone()).or_insert([None; 8]), &counts, Some(&known.counts));
        // What could not be read this time is as it was: counted again from nothing, it would come twice.
        known.counts.iter_mut().zip(counts).for_each(|(kept, now)| *kept = now.or(*kept));
        known.seen = true;
        if proportional_due {
            known.proportional = pid.text("smaps_rollup").ok().and_then(|text| proportional(&text));
        }
        let sum = now.entry(known.group.clone()).or_default();
        sum.processes += 1;
        sum.threads = sum.threads.saturating_add(stat.threads);
        sum.resident = sum.resident.saturating_add(stat.resident_bytes);
        sum.virtual_bytes = sum.virtual_bytes.saturating_add(stat.virtual_bytes);
        let swapped = files::keyed(&status, "VmSwap").unwrap_or(0).saturating_mul(1024);
        sum.swapped = sum.swapped.saturating_add(swapped);
        sum.open = open.map(|open| sum.open.unwrap_or(0).saturating_add(open)).or(sum.open);
        let used = open.zip(pid.most_files().ok()).and_then(|(open, most)| ratio(open, most));
        sum.worst = sum.worst.into_iter().chain(used).reduce(f64::max);
        sum.oldest = sum
            .oldest
            .into_iter()
            .chain(self.booted.map(|booted| booted + pid::ticks(stat.start_ticks).as_secs_f64()))
            .reduce(f64::min);
        sum.states.iter_mut().zip(states).for_each(|(sum, more)| *sum += more);
        if let Some(more) = known.proportional {
            let sum = sum.proportional.get_or_insert([0; 2]);
            sum.iter_mut().zip(more).for_each(|(sum, more)| *sum = sum.saturating_add(more));
        }
    }

    fn readings(&self, now: &BTreeMap<String, Now>) -> Vec<Reading> {
        let mut readings = Vec::new();
        let nobody = Now::default();
        for (name, counts) in &self.sums {
            told(name, now.get(name).unwrap_or(&nobody), &mut readings);
            let [user, system, read, written, major, minor, voluntary, other] = *counts;
            let plain = [(&READ, read), (&WRITTEN, written), (&MAJOR, major), (&MINOR, minor)];
            readings.extend(plain.into_iter().filter_map(|(metric, value)| Some(metric.with([name], value?))));
            let by_kind = [
                (&CPU, "user", user),
                (&CPU, "system", system),
                (&SWITCHES, "voluntary", voluntary),
                (&SWITCHES, "nonvoluntary", other),
            ];
            readings.extend(
                by_kind.into_iter().filter_map(|(metric, kind, value)| Some(metric.with([name, kind], value?))),
            );
        }
        let errors = [(&PARTIAL, self.partial), (&UNREAD, self.unread), (&ERRORS, self.failed)];
        readings.extend(errors.into_iter().map(|(metric, count)| metric.is(float(count))));
        readings
    }
}

/// The figures of a group now.
fn told(name: &str, now: &Now, readings: &mut Vec<Reading>) {
    readings.push(PROCESSES.with([name], float(now.processes)));
    readings.push(THREADS.with([name], float(now.threads)));
    for (kind, bytes) in [("resident", now.resident), ("virtual", now.virtual_bytes), ("swapped", now.swapped)] {
        readings.push(MEMORY.with([name, kind], float(bytes)));
    }
    for (kind, bytes) in
        ["proportionalResident", "proportionalSwapped"].into_iter().zip(now.proportional.into_iter().flatten())
    {
        readings.push(MEMORY.with([name, kind], float(bytes)));
    }
    for (state, count) in STATE_NAMES.into_iter().zip(now.states) {
        readings.push(STATES.with([name, state], float(count)));
    }
    readings.extend(now.open.map(|open| OPEN.with([name], float(open))));
    readings.extend(now.worst.map(|worst| WORST.with([name], worst)));
    readings.extend(now.oldest.map(|oldest| OLDEST.with([name], oldest.trunc())));
}

impl Collector for NameGroups {
    fn collect(&mut self, at: Moment) -> Collected {
        let found = match self.found() {
            Ok(found) => found,
            Err(why) if self.sums.is_empty() => return Collected::Absent(why),
            Err(why) => {
                self.failed += 1;
                return Collected::Noted(self.readings(&BTreeMap::new()), why);
            }
        };
        let due = self.proportional_due.is_none_or(|due| at.now >= due);
        if due {
            self.proportional_due = at.now.checked_add(limits::PROPORTIONAL_INTERVAL);
        }
        self.booted = self.booted.or_else(|| pid::booted(&self.proc));
        self.known.values_mut().for_each(|known| known.seen = false);
        let (mut now, mut budget) = (BTreeMap::new(), limits::PEER_THREADS);
        for member in &found.0 {
            let new = !self.known.contains_key(&(member.0.number, member.1.start_ticks));
            self.look(member, due || new, &mut budget, &mut now);
        }
        self.known.retain(|_, known| known.seen);
        Collected::Readings(self.readings(&now))
    }
}

#[cfg(test)]
#[path = "namegroups_tests.rs"]
mod tests;
