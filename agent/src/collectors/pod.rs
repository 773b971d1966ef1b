//! The peer's container by its processes, in a pod that shares its PID namespace and whose cgroup cannot be read (a restricted pod
//! mounts no host path): limits are told by the downward API. Processes of one container have one text in `/proc/<pid>/cgroup`.
//! Memory is anonymous memory of them all and the largest shared part, for shared pages appear in every process that maps them;
//! page tables, slab and socket buffers are not in it, so it is a lower bound. Source: proc(5), `RssAnon` and `RssShmem`.

use super::cgroup::metrics::{CPU_LIMIT, MEMORY_LIMIT, UNRECLAIMABLE};
use super::facts::{CPU_USED_RATIO, MEMORY_USED_RATIO};
use super::files::{float, ratio};
use super::pid::{self, Pid};
use super::process::Process;
use super::{Collected, Collector, Moment, PeerPlan, Roots, Source};
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::Instant;

/// The row of the table.
pub(super) static SOURCE: Source = Source {
    name: "pod",
    summary: "memory and processor time of the peer's container by its processes, in a pod that shares its PID namespace, against the limits told in `peer`",
    default_on: true,
    facts: &[&MEMORY_USED_RATIO, &CPU_USED_RATIO, &UNRECLAIMABLE, &MEMORY_LIMIT, &CPU_LIMIT],
    parsers: &[],
    build: |roots, peer| Box::new(Pod::new(roots, peer)),
};

struct Pod {
    proc: PathBuf,
    peer: Process,
    plan: PeerPlan,
    /// Processor time of the container at the last look, and when that was.
    before: Option<(Instant, Duration)>,
}

/// What the processes of a container sum up to.
#[derive(Debug, PartialEq, Eq)]
struct Sum {
    unreclaimable: u64,
    cpu: Duration,
}

impl Pod {
    fn new(roots: &Roots, peer: &PeerPlan) -> Self {
        Self { proc: roots.proc.clone(), peer: Process::new(roots, peer), plan: peer.clone(), before: None }
    }

    fn sum(&self, peer: &Pid) -> Result<Sum, String> {
        let container = peer.cgroup().map_err(|error| error.to_string())?;
        let (mut anonymous, mut shared, mut cpu) = (0_u64, 0_u64, Duration::ZERO);
        // A process that ends while it is looked at is left out.
        for process in pid::all(&self.proc).filter(|process| process.cgroup().is_ok_and(|other| other == container)) {
            let (Ok(stat), Ok((own, with_others))) = (process.stat(), process.unreclaimable()) else { continue };
            anonymous = anonymous.saturating_add(own);
            shared = shared.max(with_others);
            cpu += stat.cpu;
        }
        Ok(Sum { unreclaimable: anonymous.saturating_add(shared), cpu })
    }
}

impl Collector for Pod {
    fn collect(&mut self, at: Moment) -> Collected {
        if self.plan.cgroup.is_some() {
            return Collected::Absent("the peer's cgroup is named, and tells more".to_owned());
        }
        let (memory, cores) = (self.plan.memory_limit, self.plan.cpu_limit);
        if memory.is_none() && cores.is_none() {
            return Collected::Absent("no limit is told in `peer.memory_limit` or `peer.cpu_limit`".to_owned());
        }
        let sum = match self.peer.find().and_then(|(peer, _)| self.sum(&peer)) {
            Ok(sum) => sum,
            Err(why) => return Collected::Absent(why),
        };
        let mut readings = vec![UNRECLAIMABLE.is(float(sum.unreclaimable))];
        readings.extend(memory.map(|limit| MEMORY_LIMIT.is(float(limit))));
        readings.extend(cores.map(|cores| CPU_LIMIT.is(cores)));
        let memory = memory.and_then(|limit| ratio(sum.unreclaimable, limit));
        readings.extend(memory.map(|used| MEMORY_USED_RATIO.with(["peer"], used)));
        // A process that ended took its time with it: then there is no figure for once.
        let cpu = cores.and_then(|cores| pid::used_since(self.before, (at.now, sum.cpu), cores));
        readings.extend(cpu.map(|used| CPU_USED_RATIO.with(["peer"], used)));
        self.before = Some((at.now, sum.cpu));
        Collected::Readings(readings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::testing::{Tree, at, value};

    const HERE: &str = "0::/../a1\n";

    fn process(tree: &Tree, pid: u32, cgroup: &str, ticks: u64, (anonymous, shared): (u64, u64)) {
        let stat = format!("{pid} (api) S 1 42 42 0 -1 0 0 0 0 0 {ticks} 0 0 0 20 0 7 0 100 4096 256 0");
        tree.write(&format!("{pid}/comm"), "api\n");
        tree.write(&format!("{pid}/stat"), &stat);
        tree.write(&format!("{pid}/cgroup"), cgroup);
        tree.write(&format!("{pid}/status"), &format!("RssAnon:\t {anonymous} kB\nRssShmem:\t {shared} kB\n"));
    }

    fn tree() -> Tree {
        let tree = Tree::new(&[]);
        process(&tree, 20, HERE, 100, (1024, 512));
        process(&tree, 21, HERE, 50, (2048, 512));
        process(&tree, 30, "0::/../b2\n", 9000, (999_999, 0));
        tree
    }

    fn pod(tree: &Tree, peer: PeerPlan) -> Pod {
        let roots = Roots { proc: tree.path(), cgroup: "/nowhere".into(), ..Roots::of_system() };
        Pod::new(&roots, &PeerPlan { process: Some("api".to_owned()), ..peer })
    }

    fn limits() -> PeerPlan {
        PeerPlan { memory_limit: Some(7 << 20), cpu_limit: Some(0.5), ..PeerPlan::default() }
    }

    #[test]
    fn sums_up_the_processes_of_the_peers_container_and_no_others() {
        let tree = tree();
        let mut pod = pod(&tree, limits());
        let Collected::Readings(readings) = pod.collect(at(0)) else { panic!("no readings") };
        assert_eq!(value(&readings, &UNRECLAIMABLE, &[]), Some(3_670_016.0), "3 MiB of their own and 512 KiB shared");
        assert_eq!(value(&readings, &MEMORY_USED_RATIO, &["peer"]), Some(0.5));
        assert_eq!(value(&readings, &CPU_USED_RATIO, &["peer"]), None, "one look makes no rate");
        process(&tree, 21, HERE, 175, (2048, 512));
        let Collected::Readings(readings) = pod.collect(at(10)) else { panic!("no readings") };
        assert_eq!(value(&readings, &CPU_USED_RATIO, &["peer"]), Some(0.25), "1.25 s of 10 s on half a core");
    }

    #[test]
    fn a_process_that_ended_gives_no_negative_rate() {
        let tree = tree();
        let mut pod = pod(&tree, limits());
        pod.collect(at(0));
        tree.remove("21");
        let Collected::Readings(readings) = pod.collect(at(10)) else { panic!("no readings") };
        assert_eq!(value(&readings, &CPU_USED_RATIO, &["peer"]), None);
    }

    #[test]
    fn says_why_it_has_nothing_to_tell() {
        let why = |collected| match collected {
            Collected::Absent(why) => why,
            other => panic!("{other:?}"),
        };
        let tree = tree();
        insta::assert_snapshot!(why(pod(&tree, PeerPlan::default()).collect(at(0))), @"no limit is told in `peer.memory_limit` or `peer.cpu_limit`");
        let named = PeerPlan { cgroup: Some("x".to_owned()), ..limits() };
        insta::assert_snapshot!(why(pod(&tree, named).collect(at(0))), @"the peer's cgroup is named, and tells more");
        let elsewhere = Tree::new(&[]);
        insta::assert_snapshot!(why(pod(&elsewhere, limits()).collect(at(0))), @"no process is called `api` here: it has ended, or its PID namespace is not shared");
    }
}
