//! The agent itself, under the names that Prometheus clients use for their own process.

use super::facts::{CPU_USED_RATIO, FDS_USED_RATIO, MEMORY_USED_RATIO};
use super::files::{float, ratio};
use super::pid::{self, Pid};
use super::{Collected, Collector, Moment, Source};
use crate::reading::{Metric, Reading};
use std::time::Duration;
use tokio::time::Instant;

// With the label `check` they are a service's own figures, which its page of metrics tells and `reexport` names.
static CPU: Metric = Metric::counter(
    "process_cpu_seconds_total",
    "User and system CPU time in seconds, of the agent, or of the service that `check` reads",
);
static RESIDENT: Metric = Metric::gauge(
    "process_resident_memory_bytes",
    "Resident memory in bytes, of the agent, or of the service that `check` reads",
);
static VIRTUAL: Metric = Metric::gauge(
    "process_virtual_memory_bytes",
    "Virtual memory in bytes, of the agent, or of the service that `check` reads",
);
static OPEN: Metric =
    Metric::gauge("process_open_fds", "Open file descriptors of the agent, or of the service that `check` reads");
static MOST: Metric = Metric::gauge(
    "process_max_fds",
    "Most file descriptors that the agent may open, or the service that `check` reads",
);
static THREADS: Metric = Metric::gauge("process_threads", "Threads of the agent, or of the service that `check` reads");
static STARTED: Metric = Metric::gauge(
    "process_start_time_seconds",
    "When the agent started, or the service that `check` reads, in seconds since the Unix epoch",
);

/// The row of the table.
pub(super) static SOURCE: Source = Source {
    name: "itself",
    summary: "processor time, memory, file descriptors and threads of the agent",
    default_on: true,
    facts: &[
        &CPU,
        &RESIDENT,
        &VIRTUAL,
        &OPEN,
        &MOST,
        &THREADS,
        &STARTED,
        &MEMORY_USED_RATIO,
        &CPU_USED_RATIO,
        &FDS_USED_RATIO,
    ],
    parsers: &[],
    build: |roots, _peer| Box::new(Itself { pid: Pid::myself(&roots.proc), before: None, started_at: None }),
};

struct Itself {
    pid: Pid,
    before: Option<(Instant, Duration)>,
    /// Does not change, and costs a look at `/proc/stat`.
    started_at: Option<f64>,
}

impl Collector for Itself {
    fn collect(&mut self, at: Moment) -> Collected {
        let stat = match self.pid.stat() {
            Ok(stat) => stat,
            Err(error) => return Collected::Failed(error.to_string()),
        };
        let mut readings = vec![
            CPU.is(stat.cpu.as_secs_f64()),
            RESIDENT.is(float(stat.resident_bytes)),
            VIRTUAL.is(float(stat.virtual_bytes)),
            THREADS.is(float(stat.threads)),
        ];
        self.started_at = self.started_at.or_else(|| self.pid.started_at(&stat));
        readings.extend(self.started_at.map(|seconds| STARTED.is(seconds)));
        readings.extend(self.pid.memory_total().and_then(|total| ratio(stat.resident_bytes, total)).map(in_memory));
        if let (Ok(open), Ok(most)) = (self.pid.open_files(), self.pid.most_files()) {
            readings.extend([OPEN.is(float(open)), MOST.is(float(most))]);
            readings.extend(ratio(open, most).map(|used| FDS_USED_RATIO.with(["agent"], used)));
        }
        let cores = self.pid.host_cores();
        readings.extend(
            pid::used_since(self.before, (at.now, stat.cpu), cores).map(|used| CPU_USED_RATIO.with(["agent"], used)),
        );
        self.before = Some((at.now, stat.cpu));
        Collected::Readings(readings)
    }
}

fn in_memory(used: f64) -> Reading {
    MEMORY_USED_RATIO.with(["agent"], used)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::testing::{at, value};
    use crate::collectors::{PeerPlan, Roots};

    #[test]
    fn says_of_itself_what_proc_says() {
        let roots = Roots { proc: "/proc".into(), cgroup: "/nowhere".into(), ..Roots::of_system() };
        let mut itself = (SOURCE.build)(&roots, &PeerPlan::default());
        let Collected::Readings(readings) = itself.collect(at(0)) else { panic!("no readings") };
        let resident = value(&readings, &RESIDENT, &[]).expect("resident memory");
        assert!(resident > 1e5 && resident < 1e10, "{resident}");
        assert!(value(&readings, &THREADS, &[]).is_some_and(|threads| threads >= 1.0));
        assert!(value(&readings, &OPEN, &[]).is_some_and(|open| open >= 3.0));
        let started = value(&readings, &STARTED, &[]).expect("a start time");
        let now = crate::clock::unix(crate::clock::wall());
        assert!(now - started >= -2.0 && now - started < 3600.0, "{started} against {now}");
        assert_eq!(value(&readings, &CPU_USED_RATIO, &["agent"]), None);
        let Collected::Readings(readings) = itself.collect(at(10)) else { panic!("no readings") };
        assert!(value(&readings, &CPU_USED_RATIO, &["agent"]).is_some());
    }
}
