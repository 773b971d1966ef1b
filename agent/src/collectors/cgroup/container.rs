//! The figures of a cgroup as cAdvisor's series, and what it says of the machine.

use super::super::files::{self, float};
use super::super::pid;
use super::labels::Labels;
use super::{Figures, names};
use crate::reading::Reading;
use std::path::Path;

/// Everything that needs nothing but the figures; what is unknown is absent.
pub(super) fn plain(figures: &Figures, labels: &Labels, readings: &mut Vec<Reading>) {
    let counts = [
        (&names::MEMORY_USAGE, figures.memory_bytes),
        (&names::MEMORY_WORKING_SET, figures.working_set_bytes),
        (&names::CFS_PERIODS, figures.periods),
        (&names::CFS_THROTTLED_PERIODS, figures.throttled_periods),
        (&names::THREADS, figures.pids),
    ];
    let counts = counts.into_iter().filter_map(|(metric, value)| Some((metric, float(value?))));
    let more = figures.more.iter().copied();
    readings.extend(counts.chain(more).map(|(metric, value)| labels.reading(metric, &[], value)));
    readings.extend(figures.cpu.map(|time| labels.reading(&names::CPU_USAGE, &["total"], time.as_secs_f64())));
    readings.extend(figures.throttled.map(|time| labels.reading(&names::CFS_THROTTLED, &[], time.as_secs_f64())));
    let most = figures.pids_limit.map(|limit| limit.at().map_or(0.0, float));
    readings.extend(most.map(|most| labels.reading(&names::THREADS_MAX, &[], most)));
    for (what, count) in ["pgfault", "pgmajfault"].into_iter().zip(figures.faults) {
        // Both scopes are the same figure, as cAdvisor has it: the kernel sums up the hierarchy.
        let scopes = ["container", "hierarchy"].into_iter().zip([count, count]);
        readings.extend(
            scopes.filter_map(|(scope, count)| {
                Some(labels.reading(&names::MEMORY_FAILURES, &[what, scope], float(count?)))
            }),
        );
    }
}

/// The machine's boot, which does not change while the agent runs.
#[derive(Debug, Default)]
pub(super) struct Machine(Option<String>);

impl Machine {
    pub(super) fn readings(&mut self, proc: &Path, readings: &mut Vec<Reading>) {
        let boot = self.0.get_or_insert_with(|| {
            let id = files::read(&proc.join("sys/kernel/random/boot_id")).unwrap_or_default();
            id.trim().chars().filter(|c| c.is_ascii_hexdigit() || *c == '-').take(36).collect()
        });
        readings.push(names::MACHINE_CORES.with([boot], pid::host_cores(proc)));
        let Ok(memory) = files::read(&proc.join("meminfo")) else { return };
        for (metric, key) in [(&names::MACHINE_MEMORY, "MemTotal"), (&names::MACHINE_SWAP, "SwapTotal")] {
            let bytes = files::keyed(&memory, key).map(|kib| float(kib.saturating_mul(1024)));
            readings.extend(bytes.map(|bytes| metric.with([boot], bytes)));
        }
    }
}
