//! The peer's process, when this container may see it: a PID namespace shared with the peer (opt-in in compose, a pod's
//! `shareProcessNamespace`), or the same host.

use super::facts::FDS_USED_RATIO;
use super::files::{self, float, ratio};
use super::pid::{self, Pid};
use super::{Collected, Collector, Moment, PeerPlan, Roots, Source};
use crate::limits;
use crate::parser::Parser;
use crate::reading::Metric;
use std::cell::Cell;
use std::path::{Path, PathBuf};

static CPU: Metric = Metric::counter(
    "sidecar_peer_process_cpu_seconds_total",
    "User and system CPU time of the peer's process in seconds",
);
static RESIDENT: Metric =
    Metric::gauge("sidecar_peer_process_resident_memory_bytes", "Resident memory of the peer's process in bytes");
static THREADS: Metric = Metric::gauge("sidecar_peer_process_threads", "Threads of the peer's process");
static OPEN: Metric = Metric::gauge(
    "sidecar_peer_process_open_fds",
    "Open file descriptors of the peer's process; absent unless the agent runs as its user and group",
);
static MOST: Metric =
    Metric::gauge("sidecar_peer_process_max_fds", "Most file descriptors that the peer's process may open");
static STARTED: Metric = Metric::gauge(
    "sidecar_peer_process_start_time_seconds",
    "When the peer's process started, in seconds since the Unix epoch",
);
static CONNECTIONS: Metric = Metric::gauge(
    "sidecar_peer_connections",
    "Established TCP connections in the network namespace of the peer's process",
);

/// The row of the table.
pub(super) static SOURCE: Source = Source {
    name: "process",
    summary: "processor time, memory, threads, file descriptors and connections of the peer's process, where it can be seen",
    default_on: true,
    facts: &[&CPU, &RESIDENT, &THREADS, &OPEN, &MOST, &STARTED, &CONNECTIONS, &FDS_USED_RATIO],
    parsers: &[Parser { name: "proc_stat", read: pid::read }],
    build: |roots, peer| Box::new(Process::new(roots, peer)),
};

pub(super) struct Process {
    proc: PathBuf,
    name: Option<String>,
    own_pid: u32,
    /// The one found by name, with its start: looking through all of `/proc` costs a file for each process.
    known: Cell<Option<(u32, u64)>>,
}

/// Names of a PID 1 that only looks after the peer: the pause container of a pod, and the inits of images.
const NOT_THE_PEER: &[&str] = &["systemd", "init", "pause", "docker-init", "tini", "dumb-init"];
/// The host's own PID namespace always has this number (`PROC_PID_INIT_INO`, linux/proc_ns.h); its PID 1 is nobody's peer.
const HOST_NAMESPACE: &str = "pid:[4026531836]";

impl Process {
    /// Looks for the process that the configuration names.
    pub(super) fn new(roots: &Roots, peer: &PeerPlan) -> Self {
        Self {
            proc: roots.proc.clone(),
            name: peer.process.clone(),
            own_pid: std::process::id(),
            known: Cell::new(None),
        }
    }

    fn on_the_host(&self) -> bool {
        std::fs::read_link(self.proc.join("self/ns/pid")).is_ok_and(|namespace| namespace.as_os_str() == HOST_NAMESPACE)
    }

    /// The peer's process, as remembered while it lives.
    ///
    /// # Errors
    /// When no process here is the peer: why, for people.
    pub(super) fn pid(&self) -> Result<Pid, String> {
        if let Some((number, start)) = self.known.get() {
            let pid = Pid::new(&self.proc, number);
            if pid.stat().is_ok_and(|stat| stat.start_ticks == start && !stat.ended()) {
                return Ok(pid);
            }
        }
        let (pid, _chosen) = self.find()?;
        if self.name.is_some() {
            self.known.set(pid.stat().ok().map(|stat| (pid.number, stat.start_ticks)));
        }
        Ok(pid)
    }

    /// The peer's process, and how it was chosen when it was chosen by name.
    ///
    /// # Errors
    /// When no process here is the peer: why, for people.
    pub(super) fn find(&self) -> Result<(Pid, Option<String>), String> {
        match &self.name {
            Some(name) => {
                let named = named(&self.proc, name).ok_or_else(|| {
                    format!("no process is called `{name}` here: it has ended, or its PID namespace is not shared")
                })?;
                let pid = Pid::new(&self.proc, named.oldest);
                let chosen = chosen(&pid, &named, name);
                Ok((pid, Some(chosen)))
            }
            None if self.own_pid == 1 => Err("the PID namespace is not shared with the peer".to_owned()),
            None if self.on_the_host() => {
                Err("this is the host's PID namespace: name the peer's process in `peer.process`".to_owned())
            }
            None => {
                let first = Pid::new(&self.proc, 1);
                match first.comm() {
                    Ok(name) if NOT_THE_PEER.contains(&name.as_str()) => {
                        Err(format!("PID 1 is `{name}` and not the peer: name the peer's process in `peer.process`"))
                    }
                    Ok(_) => Ok((first, None)),
                    Err(error) => Err(error.to_string()),
                }
            }
        }
    }
}

/// The processes of one command name.
struct Named {
    /// The one that started first.
    oldest: u32,
    all: usize,
}

/// The processes with that command name; names are compared as the kernel cuts them, to 15 bytes.
fn named(proc: &Path, name: &str) -> Option<Named> {
    let cut: String =
        String::from_utf8_lossy(name.as_bytes().get(..name.len().min(15)).unwrap_or_default()).into_owned();
    let pids = std::fs::read_dir(proc).ok()?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let named =
        pids.take(limits::PROCESSES_LOOKED_AT).filter(|pid| Pid::new(proc, *pid).comm().is_ok_and(|comm| comm == cut));
    let alive = |pid| Pid::new(proc, pid).stat().ok().filter(|stat| !stat.ended());
    let named: Vec<(u64, u32)> = named.filter_map(|pid| Some((alive(pid)?.start_ticks, pid))).collect();
    named.iter().min().map(|(_, oldest)| Named { oldest: *oldest, all: named.len() })
}

/// Which process was taken for the peer, so that somebody else's on a shared host is recognised.
fn chosen(pid: &Pid, named: &Named, name: &str) -> String {
    let program = pid.program();
    let facts = [(!program.is_empty()).then(|| format!("`{program}`")), pid.uid().map(|uid| format!("uid {uid}"))];
    let facts: Vec<String> = facts.into_iter().flatten().collect();
    let facts = if facts.is_empty() { String::new() } else { format!(" ({})", facts.join(", ")) };
    let others = match named.all {
        0 | 1 => format!("the only one called `{name}`"),
        all => format!("the oldest of {all} called `{name}`"),
    };
    format!("pid {}{facts}, {others}", named.oldest)
}

impl Collector for Process {
    fn collect(&mut self, _at: Moment) -> Collected {
        let (pid, chosen) = match self.find() {
            Ok(found) => found,
            Err(why) => return Collected::Absent(why),
        };
        let stat = match pid.stat() {
            Ok(stat) => stat,
            Err(error @ files::Unread::Missing(_)) => return Collected::Absent(error.to_string()),
            Err(error) => return Collected::Failed(error.to_string()),
        };
        let mut readings = vec![
            CPU.is(stat.cpu.as_secs_f64()),
            RESIDENT.is(float(stat.resident_bytes)),
            THREADS.is(float(stat.threads)),
        ];
        readings.extend(pid.started_at(&stat).map(|seconds| STARTED.is(seconds)));
        readings.extend(pid.connections().ok().map(|open| CONNECTIONS.is(float(open))));
        let (open, most) = (pid.open_files().ok(), pid.most_files().ok());
        readings.extend(open.map(|open| OPEN.is(float(open))));
        readings.extend(most.map(|most| MOST.is(float(most))));
        let used = open.zip(most).and_then(|(open, most)| ratio(open, most));
        readings.extend(used.map(|used| FDS_USED_RATIO.with(["peer"], used)));
        match chosen {
            Some(chosen) => Collected::Noted(readings, chosen),
            None => Collected::Readings(readings),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::testing::{Tree, at, value};

    const STAT: &str = "(api) S 1 42 42 0 -1 0 0 0 0 0 250 50 0 0 20 0 7 0";

    fn tree() -> Tree {
        Tree::new(&[
            ("1/comm", "api\n"),
            ("1/stat", &format!("1 {STAT} 1000 4096 256 0")),
            (
                "1/limits",
                "Limit  Soft Hard Units\nMax open files            1024                 4096                 files\n",
            ),
            ("1/net/tcp", "head\n 0: a b 01 x\n"),
            ("stat", "cpu  1 2\ncpu0 1 2\nbtime 1700000000\n"),
        ])
    }

    fn collect(tree: &Tree, name: Option<&str>, own_pid: u32) -> Collected {
        Process { proc: tree.path(), name: name.map(str::to_owned), own_pid, known: Cell::new(None) }.collect(at(0))
    }

    #[test]
    fn reads_pid_1_of_a_shared_namespace() {
        let Collected::Readings(readings) = collect(&tree(), None, 7) else { panic!("no readings") };
        assert_eq!(value(&readings, &CPU, &[]), Some(3.0));
        assert_eq!(value(&readings, &STARTED, &[]), Some(1_700_000_010.0));
        assert_eq!(value(&readings, &MOST, &[]), Some(1024.0));
        assert_eq!(value(&readings, &CONNECTIONS, &[]), Some(1.0));
        assert_eq!(value(&readings, &OPEN, &[]), None, "what may not be counted is absent, not zero");
    }

    #[test]
    fn says_why_there_is_no_peer_to_see() {
        let why = |collected| match collected {
            Collected::Absent(why) => why,
            other => panic!("{other:?}"),
        };
        insta::assert_snapshot!(why(collect(&tree(), None, 1)), @"the PID namespace is not shared with the peer");
        insta::assert_snapshot!(why(collect(&tree(), Some("nginx"), 7)), @"no process is called `nginx` here: it has ended, or its PID namespace is not shared");
        let host = tree();
        std::fs::create_dir_all(host.join("self/ns")).expect("folders");
        std::os::unix::fs::symlink(HOST_NAMESPACE, host.join("self/ns/pid")).expect("a link");
        insta::assert_snapshot!(why(collect(&host, None, 7)), @"this is the host's PID namespace: name the peer's process in `peer.process`");
        let host = Tree::new(&[("1/comm", "systemd\n")]);
        insta::assert_snapshot!(why(collect(&host, None, 7)), @"PID 1 is `systemd` and not the peer: name the peer's process in `peer.process`");
    }

    #[test]
    fn of_several_of_one_name_the_oldest_is_the_peer() {
        let tree = Tree::new(&[
            ("20/comm", "a-very-long-com\n"),
            ("20/stat", &format!("20 {STAT} 900 4096 256 0")),
            ("30/comm", "a-very-long-com\n"),
            ("30/stat", &format!("30 {STAT} 300 4096 256 0")),
            ("40/comm", "other\n"),
            ("40/stat", &format!("40 {STAT} 100 4096 256 0")),
        ]);
        assert_eq!(named(&tree.path(), "a-very-long-command-name").map(|named| named.oldest), Some(30));
    }

    #[test]
    fn one_that_has_ended_is_not_the_peer_although_nobody_asked_how() {
        let tree = tree();
        let mut process =
            Process { proc: tree.path(), name: Some("api".to_owned()), own_pid: 7, known: Cell::new(None) };
        assert!(process.pid().is_ok() && matches!(process.collect(at(0)), Collected::Noted(..)));
        tree.write("1/stat", "1 (api) Z 1 42 42 0 -1 0 0 0 0 0 250 50 0 0 20 0 1 0 1000 0 0 0");
        assert!(process.pid().is_err(), "it was known");
        assert!(matches!(process.collect(at(5)), Collected::Absent(_)));
    }

    #[test]
    fn says_which_process_was_chosen_and_shows_no_argument() {
        let tree = tree();
        let from = |tree: &Tree| match collect(tree, Some("api"), 7) {
            Collected::Noted(readings, from) if !readings.is_empty() => from,
            other => panic!("{other:?}"),
        };
        insta::assert_snapshot!(from(&tree), @"pid 1, the only one called `api`");
        tree.write("1/cmdline", "/opt/api\0--password=CANARY\0");
        tree.write("1/status", "Name:\tapi\nUid:\t1000\t1001\t1000\t1000\n");
        for pid in ["20", "30"] {
            tree.write(&format!("{pid}/comm"), "api\n");
            tree.write(&format!("{pid}/stat"), &format!("{pid} {STAT} 2000 4096 256 0"));
        }
        insta::assert_snapshot!(from(&tree), @"pid 1 (`/opt/api`, uid 1001), the oldest of 3 called `api`");
        for line in ["postgres://app:CANARY@db", "token=CANARY x", "a@CANARY"] {
            tree.write("1/cmdline", line);
            assert!(!from(&tree).contains("CANARY"), "{line}");
        }
    }

    #[test]
    fn a_name_that_is_no_utf_8_is_no_reason_to_die() {
        let tree = Tree::new(&[("30/stat", &format!("30 {STAT} 300 4096 256 0"))]);
        std::fs::write(tree.path().join("30/comm"), b"\xff\xfe\n").expect("written");
        assert!(named(&tree.path(), "api").is_none());
    }
}
