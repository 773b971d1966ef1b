//! The processes of the peer: those of its cgroup where this PID namespace shows them, otherwise those that have the same text in
//! `/proc/<pid>/cgroup` as the peer's process; where the agent has that text too it tells nobody apart, and the peer is its process with
//! those that it started. `hidepid` hides them all, and then there are none.

use super::cgroup::Tasks;
use super::pid::{self, Pid, Stat};
use super::process::Process;
use super::{PeerPlan, Roots};
use crate::limits;
use std::collections::HashSet;
use std::path::PathBuf;

/// Looks for them.
pub(super) struct Members {
    proc: PathBuf,
    process: Process,
}

/// What was found: those that could be looked at, with what `stat` says of them.
pub(super) struct Found(pub(super) Vec<(Pid, Stat)>);

impl Members {
    pub(super) fn new(roots: &Roots, peer: &PeerPlan) -> Self {
        Self { proc: roots.proc.clone(), process: Process::new(roots, peer) }
    }

    /// The processes of a cgroup.
    pub(super) fn of(&self, tasks: Option<&Tasks>) -> Found {
        let pids = tasks.map_or(&[][..], |tasks| tasks.seen.as_slice());
        looked_at(pids.iter().map(|pid| Pid::new(&self.proc, *pid)))
    }

    /// The processes that share the cgroup of the peer's process, or descend from it.
    ///
    /// # Errors
    /// When the peer's process cannot be seen: why, for people.
    pub(super) fn of_process(&self) -> Result<Found, String> {
        let peer = self.process.pid()?;
        let container = peer.cgroup().map_err(|error| error.to_string())?;
        let same = |process: &Pid| process.cgroup().is_ok_and(|other| other == container);
        let all = pid::all(&self.proc).filter(same);
        if !peer.shares_with_the_agent(&container) {
            return Ok(looked_at(all.take(limits::PEER_PROCESSES)));
        }
        let mut found = looked_at(all);
        found.descend_from(peer.number);
        found.0.truncate(limits::PEER_PROCESSES);
        Ok(found)
    }
}

/// A process that ends while it is looked at is left out.
fn looked_at(pids: impl Iterator<Item = Pid>) -> Found {
    Found(pids.filter_map(|pid| pid.stat().ok().map(|stat| (pid, stat))).collect())
}

impl Found {
    /// Keeps a process and those that it started, or that these started.
    fn descend_from(&mut self, first: u32) {
        let (mut family, mut before) = (HashSet::from([first]), 0);
        while family.len() > before {
            before = family.len();
            for (pid, stat) in &self.0 {
                if family.contains(&stat.parent) {
                    family.insert(pid.number);
                }
            }
        }
        self.0.retain(|(pid, _)| family.contains(&pid.number));
    }

    /// Whether any process is seen.
    pub(super) fn seen(&self) -> bool {
        !self.0.is_empty()
    }

    /// The one that started first.
    pub(super) fn first(&self) -> Option<&(Pid, Stat)> {
        self.0.iter().min_by_key(|(_, stat)| stat.start_ticks)
    }
}
