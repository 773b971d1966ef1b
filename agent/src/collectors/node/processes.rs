//! Processes and interrupts one by one. Dear on a large machine, so both are off unless switched on, as with node_exporter.

use super::look::{Lack, Look, names, number, parser};
use super::{Part, off};
use crate::collectors::files::{self, float};
use crate::limits;
use crate::parser::Parser;
use crate::reading::Metric;
use std::collections::BTreeMap;
use std::path::Path;

static THREADS: Metric = Metric::gauge("node_processes_threads", "Threads that there are");
static THREADS_MOST: Metric = Metric::gauge("node_processes_max_threads", "Threads that there may be");
static THREADS_STATE: Metric =
    Metric::gauge("node_processes_threads_state", "Threads by state").labelled(&["thread_state"]);
static STATE: Metric = Metric::gauge("node_processes_state", "Processes by state").labelled(&["state"]);
static PIDS: Metric = Metric::gauge("node_processes_pids", "Processes that there are");
static PIDS_MOST: Metric = Metric::gauge("node_processes_max_processes", "Process numbers that there may be");
static INTERRUPTS: Metric = Metric::counter("node_interrupts_total", "Interrupts served by processor and kind")
    .labelled(&["cpu", "type", "info", "devices"]);

/// The rows of the table.
pub(super) static PROCESSES: Part =
    off("processes", processes, &[&THREADS, &THREADS_MOST, &THREADS_STATE, &STATE, &PIDS, &PIDS_MOST]);
pub(super) static INTERRUPTS_PART: Part = off("interrupts", interrupts, &[&INTERRUPTS]);
/// What reads the kernel's bytes here.
pub(super) const PARSERS: [Parser; 2] = [
    parser("node_interrupts", |bytes| drop(table(&String::from_utf8_lossy(bytes)))),
    parser("node_process_stat", |bytes| {
        let _letters = state(&String::from_utf8_lossy(bytes)).map(str::len);
    }),
];

/// The state's letter and the number of threads of a `stat` file. The name before them may hold anything, also `)`.
fn state(stat: &str) -> Option<&str> {
    stat.rsplit_once(") ")?.1.split(' ').next().filter(|state| state.len() == 1)
}

type States = BTreeMap<String, u64>;

/// The states of the processes or threads in a folder, counted; those that end meanwhile are none.
fn states(folder: &Path, most: usize, mut also: impl FnMut(&Path)) -> States {
    let mut states = States::new();
    let numbers = names(folder).unwrap_or_default().into_iter().filter(|name| name.bytes().all(|b| b.is_ascii_digit()));
    for name in numbers.take(most) {
        let one = folder.join(name);
        if let Some(state) = files::read(&one.join("stat")).ok().as_deref().and_then(state) {
            *states.entry(state.to_owned()).or_insert(0) += 1;
            also(&one);
        }
    }
    states
}

fn processes(look: &mut Look<'_>) -> Result<(), Lack> {
    let proc = look.sight.processes().map_err(Lack::Unseen)?.to_path_buf();
    let mut threads = States::new();
    let of_processes = states(&proc, limits::PROCESSES_LOOKED_AT, |process| {
        for (state, count) in states(&process.join("task"), limits::PROCESSES_LOOKED_AT, |_| {}) {
            *threads.entry(state).or_insert(0) += count;
        }
    });
    let count = |states: &States| states.values().sum::<u64>();
    look.give(&THREADS, [], float(count(&threads)));
    look.give(&PIDS, [], float(count(&of_processes)));
    for (state, count) in &of_processes {
        look.give(&STATE, [state], float(*count));
    }
    for (state, count) in &threads {
        look.give(&THREADS_STATE, [state], float(*count));
    }
    for (metric, name) in [(&THREADS_MOST, "threads-max"), (&PIDS_MOST, "pid_max")] {
        if let Some(most) = number(&proc.join("sys/kernel").join(name)) {
            look.give(metric, [], most);
        }
    }
    Ok(())
}

/// A line of `/proc/interrupts`.
#[derive(Debug, PartialEq)]
struct Interrupt<'a> {
    name: &'a str,
    counts: Vec<u64>,
    info: String,
    devices: String,
}

/// The lines with a count for each processor; `ERR` and `MIS` have only one.
fn table(text: &str) -> Vec<Interrupt<'_>> {
    let mut lines = text.lines();
    let cpus = lines.next().unwrap_or_default().split_ascii_whitespace().count();
    lines.filter_map(|line| interrupt(line, cpus)).collect()
}

fn interrupt(line: &str, cpus: usize) -> Option<Interrupt<'_>> {
    let (name, rest) = line.split_once(':')?;
    let name = name.trim();
    let words: Vec<&str> = rest.split_ascii_whitespace().collect();
    let (counts, details) = words.split_at_checked(cpus).filter(|(_, details)| !details.is_empty())?;
    let counts: Option<Vec<u64>> = counts.iter().map(|word| word.parse().ok()).collect();
    let (info, devices) = match details.split_first() {
        Some((info, devices)) if name.parse::<u32>().is_ok() => ((*info).to_owned(), devices.join(" ")),
        _ => (details.join(" "), String::new()),
    };
    Some(Interrupt { name, counts: counts?, info, devices })
}

fn interrupts(look: &mut Look<'_>) -> Result<(), Lack> {
    let text = look.needed("interrupts")?;
    for Interrupt { name, counts, info, devices } in table(&text) {
        for (cpu, count) in counts.iter().enumerate() {
            look.give(&INTERRUPTS, [&cpu.to_string(), name, &info, &devices], float(*count));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::node::testing::{found, look_at};

    const KTHREADD: &str = "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0";

    #[test]
    fn counts_processes_and_threads_by_state() {
        let files = [
            ("proc/2/stat", KTHREADD),
            ("proc/2/task/2/stat", KTHREADD),
            ("proc/7/stat", "7 (a) R) R 1 7"),
            ("proc/7/task/7/stat", "7 (a) R) R 1 7"),
            ("proc/7/task/8/stat", "8 (a) R) S 1 7"),
            ("proc/9/gone", ""),
            ("proc/sys/kernel/pid_max", "32768\n"),
        ];
        let (result, readings) = look_at(&files, &PROCESSES);
        assert_eq!(result, Ok(()));
        assert_eq!(found(&readings, "node_processes_pids", &[]), Some(2.0));
        assert_eq!(found(&readings, "node_processes_threads", &[]), Some(3.0));
        assert_eq!(found(&readings, "node_processes_state", &["R"]), Some(1.0));
        assert_eq!(found(&readings, "node_processes_threads_state", &["S"]), Some(2.0));
        assert!(matches!(look_at(&[("proc/1/stat", "1 (api) S 0")], &PROCESSES).0, Err(Lack::Unseen(_))));
    }

    #[test]
    fn reads_interrupts_with_a_count_for_each_processor() {
        let text = "           CPU0       CPU1       \n 24:          1          0  IO-APIC   5-edge      ACPI:Ged\nRES:      32638      20441   Rescheduling interrupts\nERR:          0\nodd\n";
        let read = table(text);
        assert_eq!(read.len(), 2);
        assert_eq!(
            (read[0].name, read[0].info.as_str(), read[0].devices.as_str()),
            ("24", "IO-APIC", "5-edge ACPI:Ged")
        );
        assert_eq!(
            (read[1].counts.as_slice(), read[1].info.as_str()),
            ([32_638, 20_441].as_slice(), "Rescheduling interrupts")
        );
        assert_eq!(table(""), []);
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_the_parsers(text in "(CPU0 CPU1\n)?.{0,120}") {
            let _read = (table(&text).len(), state(&text));
        }
    }
}
