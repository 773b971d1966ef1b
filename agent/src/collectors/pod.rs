//! The peer's container by its processes, in a pod that shares its PID namespace and whose cgroup cannot be read (a restricted pod
//! mounts no host path): limits are told by the downward API. Processes of one container have one text in `/proc/<pid>/cgroup`.
//! Memory is anonymous memory of them all and the largest shared part, for shared pages appear in every process that maps them;
//! page tables, slab and socket buffers are not in it, so it is a lower bound. Source: proc(5), `RssAnon` and `RssShmem`.

use super::cgroup::metrics::{CPU_LIMIT, MEMORY_LIMIT, UNRECLAIMABLE};
use super::cgroup::{Finder, Labels, names, processes};
use super::facts::{CPU_USED_RATIO, MEMORY_USED_RATIO};
use super::files::{float, ratio};
use super::members::{Found, Members};
use super::pid;
use super::{Collected, Collector, Moment, PeerPlan, Roots, Source};
use crate::clock;
use crate::reading::Reading;
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::Instant;

/// The row of the table.
pub(super) static SOURCE: Source = Source {
    name: "pod",
    summary: "memory, processor time, processes and network of the peer's container by its processes and its pod, where no cgroup can be read, against the limits told in `peer`",
    default_on: true,
    facts: &[
        &MEMORY_USED_RATIO,
        &CPU_USED_RATIO,
        &UNRECLAIMABLE,
        &MEMORY_LIMIT,
        &CPU_LIMIT,
        &names::MEMORY_LIMIT,
        &names::CPU_QUOTA,
        &names::CPU_PERIOD,
        &names::PROCESSES,
        &names::THREADS,
        &names::ULIMITS,
        &names::FILE_DESCRIPTORS,
        &names::SOCKETS,
        &names::START_TIME,
        &names::LAST_SEEN,
        &names::FS_LIMIT,
        &names::FS_INODES,
        &names::FS_INODES_FREE,
        &names::RECEIVED_BYTES,
        &names::RECEIVED_PACKETS,
        &names::RECEIVED_DROPPED,
        &names::RECEIVED_ERRORS,
        &names::SENT_BYTES,
        &names::SENT_PACKETS,
        &names::SENT_DROPPED,
        &names::SENT_ERRORS,
    ],
    parsers: &[],
    build: |roots, peer| Box::new(Pod::new(roots, peer)),
};

/// The enforcement period that Kubernetes and Docker set, in microseconds.
const PERIOD: f64 = 100_000.0;

struct Pod {
    proc: PathBuf,
    members: Members,
    finder: Finder,
    plan: PeerPlan,
    /// Processor time of the container at the last look, and when that was.
    before: Option<(Instant, Duration)>,
}

/// What the processes of a container sum up to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sum {
    anonymous: u64,
    shared: u64,
    cpu: Duration,
    threads: u64,
}

impl Sum {
    /// A process that ends while it is looked at is left out.
    fn of(members: &Found) -> Self {
        let mut sum = Self::default();
        for (process, stat) in &members.0 {
            let Ok((own, with_others)) = process.unreclaimable() else { continue };
            sum.anonymous = sum.anonymous.saturating_add(own);
            sum.shared = sum.shared.max(with_others);
            sum.cpu = sum.cpu.saturating_add(stat.cpu);
            sum.threads = sum.threads.saturating_add(stat.threads);
        }
        sum
    }

    fn unreclaimable(&self) -> u64 {
        self.anonymous.saturating_add(self.shared)
    }
}

impl Pod {
    fn new(roots: &Roots, peer: &PeerPlan) -> Self {
        let (members, finder) = (Members::new(roots, peer), Finder::new(roots, peer));
        Self { proc: roots.proc.clone(), members, finder, plan: peer.clone(), before: None }
    }

    /// Why another collector tells it all, or nobody can.
    fn nothing_to_tell(&mut self) -> Option<&'static str> {
        let plan = &self.plan;
        if plan.cgroup.is_some() {
            return Some("the peer's cgroup is named, and tells more");
        }
        if plan.memory_limit.is_none() && plan.cpu_limit.is_none() && plan.labels.pod.is_none() {
            return Some("no limit is told in `peer.memory_limit` or `peer.cpu_limit`, and no pod in `peer.pod`");
        }
        self.finder.find().is_ok().then_some("the cgroup of the peer's process can be read, and tells more")
    }

    fn ratios(&mut self, at: Moment, sum: &Sum, readings: &mut Vec<Reading>) {
        let (memory, cores) = (self.plan.memory_limit, self.plan.cpu_limit);
        readings.push(UNRECLAIMABLE.is(float(sum.unreclaimable())));
        readings.extend(memory.map(|limit| MEMORY_LIMIT.is(float(limit))));
        readings.extend(cores.map(|cores| CPU_LIMIT.is(cores)));
        let memory = memory.and_then(|limit| ratio(sum.unreclaimable(), limit));
        readings.extend(memory.map(|used| MEMORY_USED_RATIO.with(["peer"], used)));
        // A process that ended took its time with it: then there is no figure for once.
        let cpu = cores.and_then(|cores| pid::used_since(self.before, (at.now, sum.cpu), cores));
        readings.extend(cpu.map(|used| CPU_USED_RATIO.with(["peer"], used)));
        self.before = Some((at.now, sum.cpu));
    }

    /// What cAdvisor's names can be given without a cgroup. Memory and processor time are not among them: those of processes mean
    /// something else.
    fn container(&self, at: Moment, members: &Found, sum: &Sum, readings: &mut Vec<Reading>) {
        let labels = Labels::new(&self.plan.labels, self.plan.process.as_deref().unwrap_or("peer"));
        let spec = [
            (&names::MEMORY_LIMIT, self.plan.memory_limit.map(float)),
            (&names::CPU_QUOTA, self.plan.cpu_limit.map(|cores| (cores * PERIOD).round())),
            (&names::CPU_PERIOD, self.plan.cpu_limit.map(|_| PERIOD)),
        ];
        readings.extend(spec.into_iter().filter_map(|(metric, value)| Some(labels.reading(metric, &[], value?))));
        if members.seen() {
            let processes = u64::try_from(members.0.len()).unwrap_or(u64::MAX);
            readings.push(labels.reading(&names::PROCESSES, &[], float(processes)));
            readings.push(labels.reading(&names::THREADS, &[], float(sum.threads)));
            readings.push(labels.reading(&names::LAST_SEEN, &[], clock::unix(at.wall)));
        }
        processes::readings(&self.proc, members, &labels, readings);
    }
}

impl Collector for Pod {
    fn collect(&mut self, at: Moment) -> Collected {
        if let Some(why) = self.nothing_to_tell() {
            return Collected::Absent(why.to_owned());
        }
        let (members, unseen) = match self.members.of_process() {
            Ok(members) => (members, None),
            // The pod's network is there without any process.
            Err(why) if self.plan.labels.pod.is_some() => (Found(Vec::new()), Some(why)),
            Err(why) => return Collected::Absent(why),
        };
        let (sum, mut readings) = (Sum::of(&members), Vec::new());
        if unseen.is_none() {
            self.ratios(at, &sum, &mut readings);
        }
        self.container(at, &members, &sum, &mut readings);
        match unseen {
            Some(why) => Collected::Noted(readings, why),
            None => Collected::Readings(readings),
        }
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
        insta::assert_snapshot!(why(pod(&tree, PeerPlan::default()).collect(at(0))), @"no limit is told in `peer.memory_limit` or `peer.cpu_limit`, and no pod in `peer.pod`");
        let named = PeerPlan { cgroup: Some("x".to_owned()), ..limits() };
        insta::assert_snapshot!(why(pod(&tree, named).collect(at(0))), @"the peer's cgroup is named, and tells more");
        let elsewhere = Tree::new(&[]);
        insta::assert_snapshot!(why(pod(&elsewhere, limits()).collect(at(0))), @"no process is called `api` here: it has ended, or its PID namespace is not shared");
    }
}
