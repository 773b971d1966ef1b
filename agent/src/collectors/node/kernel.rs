//! What the kernel counts of itself: load, interrupts, forks, open files, entropy, scheduling, pressure, hung tasks.
//! Source: proc(5), kernel documentation, accounting/psi and scheduler/sched-stats.

use super::look::{Lack, Look, number, parser};
use super::{Part, on};
use crate::collectors::files::{float, keyed, waited};
use crate::parser::Parser;
use crate::reading::Metric;

static LOAD: [Metric; 3] = [
    Metric::gauge("node_load1", "Runnable or blocked processes on average over one minute"),
    Metric::gauge("node_load5", "Runnable or blocked processes on average over five minutes"),
    Metric::gauge("node_load15", "Runnable or blocked processes on average over fifteen minutes"),
];
static INTERRUPTS: Metric = Metric::counter("node_intr_total", "Interrupts served since boot");
static SWITCHES: Metric = Metric::counter("node_context_switches_total", "Context switches since boot");
static FORKS: Metric = Metric::counter("node_forks_total", "Processes and threads made since boot");
static BOOTED: Metric =
    Metric::gauge("node_boot_time_seconds", "When the machine booted, in seconds since the Unix epoch");
static RUNNING: Metric = Metric::gauge("node_procs_running", "Processes that run or could run now");
static BLOCKED: Metric = Metric::gauge("node_procs_blocked", "Processes that wait for input or output now");
static FILES: Metric = Metric::gauge("node_filefd_allocated", "File handles in use");
static FILES_MOST: Metric = Metric::gauge("node_filefd_maximum", "File handles that there may be");
static ENTROPY: Metric = Metric::gauge("node_entropy_available_bits", "Entropy at hand, in bits");
static ENTROPY_POOL: Metric = Metric::gauge("node_entropy_pool_size_bits", "Size of the pool of entropy, in bits");
static RAN: Metric =
    Metric::counter("node_schedstat_running_seconds_total", "Seconds that the processor ran processes")
        .labelled(&["cpu"]);
static WAITED: Metric =
    Metric::counter("node_schedstat_waiting_seconds_total", "Seconds that processes waited for the processor")
        .labelled(&["cpu"]);
static SLICES: Metric =
    Metric::counter("node_schedstat_timeslices_total", "Slices of time that the processor gave").labelled(&["cpu"]);
static CPU_WAITING: Metric =
    Metric::counter("node_pressure_cpu_waiting_seconds_total", "Seconds in which some process waited for a processor");
static IO_WAITING: Metric = Metric::counter(
    "node_pressure_io_waiting_seconds_total",
    "Seconds in which some process waited for input or output",
);
static IO_STALLED: Metric = Metric::counter(
    "node_pressure_io_stalled_seconds_total",
    "Seconds in which all processes waited for input or output",
);
static MEMORY_WAITING: Metric =
    Metric::counter("node_pressure_memory_waiting_seconds_total", "Seconds in which some process waited for memory");
static MEMORY_STALLED: Metric =
    Metric::counter("node_pressure_memory_stalled_seconds_total", "Seconds in which all processes waited for memory");
static IRQ_STALLED: Metric =
    Metric::counter("node_pressure_irq_stalled_seconds_total", "Seconds in which processes waited for interrupts");
static HUNG: Metric = Metric::counter("node_kernel_hung_tasks_total", "Tasks that the kernel found hung since boot");
static SELINUX: Metric = Metric::gauge("node_selinux_enabled", "Whether SELinux is on, 1 or 0");
static SELINUX_MODE: Metric =
    Metric::gauge("node_selinux_current_mode", "1 when SELinux forbids, 0 when it only reports");

/// The rows of the table.
pub(super) static LOADAVG: Part = on("loadavg", loadavg, &[&LOAD[0], &LOAD[1], &LOAD[2]]);
pub(super) static STAT: Part = on("stat", stat, &[&INTERRUPTS, &SWITCHES, &FORKS, &BOOTED, &RUNNING, &BLOCKED]);
pub(super) static FILEFD: Part = on("filefd", filefd, &[&FILES, &FILES_MOST]);
pub(super) static ENTROPY_PART: Part = on("entropy", entropy, &[&ENTROPY, &ENTROPY_POOL]);
pub(super) static SCHEDSTAT: Part = on("schedstat", schedstat, &[&RAN, &WAITED, &SLICES]);
pub(super) static PRESSURE: Part =
    on("pressure", pressure, &[&CPU_WAITING, &IO_WAITING, &IO_STALLED, &MEMORY_WAITING, &MEMORY_STALLED, &IRQ_STALLED]);
pub(super) static KERNEL_HUNG: Part = on("kernel_hung", kernel_hung, &[&HUNG]);
pub(super) static SELINUX_PART: Part = on("selinux", selinux, &[&SELINUX, &SELINUX_MODE]);
/// What reads the kernel's bytes here.
pub(super) const SCHEDSTAT_LINES: Parser = parser("node_schedstat", |bytes| {
    for line in String::from_utf8_lossy(bytes).lines() {
        let _ran = ran(line);
    }
});

fn loadavg(look: &mut Look<'_>) -> Result<(), Lack> {
    let text = look.needed("loadavg")?;
    for (metric, word) in LOAD.iter().zip(text.split_ascii_whitespace()) {
        let load: f64 = word.parse().map_err(|_odd| Lack::Failed(format!("no load: `{word}`")))?;
        look.give(metric, [], load);
    }
    Ok(())
}

fn stat(look: &mut Look<'_>) -> Result<(), Lack> {
    let text = look.needed("stat")?;
    let all = [
        (&INTERRUPTS, "intr"),
        (&SWITCHES, "ctxt"),
        (&FORKS, "processes"),
        (&BOOTED, "btime"),
        (&RUNNING, "procs_running"),
        (&BLOCKED, "procs_blocked"),
    ];
    for (metric, name) in all {
        if let Some(value) = keyed(&text, name) {
            look.give(metric, [], float(value));
        }
    }
    Ok(())
}

fn filefd(look: &mut Look<'_>) -> Result<(), Lack> {
    let text = look.needed("sys/fs/file-nr")?;
    let mut numbers = text.split_ascii_whitespace().map(str::parse::<u64>);
    // The second one has been 0 since Linux 2.6.
    let (Some(Ok(used)), Some(Ok(most))) = (numbers.next(), numbers.nth(1)) else {
        return Err(Lack::Failed("`sys/fs/file-nr` is not understood".to_owned()));
    };
    look.give(&FILES, [], float(used));
    look.give(&FILES_MOST, [], float(most));
    Ok(())
}

fn entropy(look: &mut Look<'_>) -> Result<(), Lack> {
    let folder = look.sight.proc.join("sys/kernel/random");
    let all = [(&ENTROPY, "entropy_avail"), (&ENTROPY_POOL, "poolsize")];
    for (metric, name) in all {
        let value = number(&folder.join(name)).ok_or_else(|| Lack::Failed(format!("`{name}` cannot be read")))?;
        look.give(metric, [], value);
    }
    Ok(())
}

/// The processor, and what it ran, what waited for it (nanoseconds) and its slices: fields 8 to 10 of a line of `/proc/schedstat`.
fn ran(line: &str) -> Option<(u32, [u64; 3])> {
    let mut words = line.strip_prefix("cpu")?.split_ascii_whitespace();
    let cpu = words.next()?.parse().ok()?;
    let mut words = words.skip(6).map(|word| word.parse().ok());
    Some((cpu, [words.next()??, words.next()??, words.next()??]))
}

fn schedstat(look: &mut Look<'_>) -> Result<(), Lack> {
    for (cpu, [ran, waited, slices]) in look.proc("schedstat")?.lines().filter_map(ran) {
        let cpu = cpu.to_string();
        look.give(&RAN, [&cpu], float(ran) / 1e9);
        look.give(&WAITED, [&cpu], float(waited) / 1e9);
        look.give(&SLICES, [&cpu], float(slices));
    }
    Ok(())
}

fn pressure(look: &mut Look<'_>) -> Result<(), Lack> {
    let all = [
        ("cpu", "some", &CPU_WAITING),
        ("io", "some", &IO_WAITING),
        ("io", "full", &IO_STALLED),
        ("memory", "some", &MEMORY_WAITING),
        ("memory", "full", &MEMORY_STALLED),
        ("irq", "full", &IRQ_STALLED),
    ];
    let mut any = false;
    for (resource, who, metric) in all {
        // A kernel with `psi=0` has the files, and an error in the place of their text.
        let found = look.proc(&format!("pressure/{resource}")).ok().and_then(|text| waited(&text, who));
        if let Some(waited) = found {
            look.give(metric, [], waited.as_secs_f64());
            any = true;
        }
    }
    if any { Ok(()) } else { Err(Lack::Nothing) }
}

fn kernel_hung(look: &mut Look<'_>) -> Result<(), Lack> {
    let count = number(&look.sight.proc.join("sys/kernel/hung_task_detect_count")).ok_or(Lack::Nothing)?;
    look.give(&HUNG, [], count);
    Ok(())
}

fn selinux(look: &mut Look<'_>) -> Result<(), Lack> {
    let mode = number(&look.sys("fs/selinux/enforce"));
    look.give(&SELINUX, [], f64::from(u8::from(mode.is_some())));
    if let Some(mode) = mode {
        look.give(&SELINUX_MODE, [], mode);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::node::testing::{found, look_at};

    #[test]
    fn reads_the_counts_of_the_kernel() {
        let text =
            "cpu  1\nintr 677830 0 0\nctxt 11\nbtime 1796005219\nprocesses 27683\nprocs_running 2\nprocs_blocked 1\n";
        let (result, readings) = look_at(&[("proc/stat", text)], &STAT);
        assert_eq!((result, readings.len()), (Ok(()), 6));
        assert_eq!(found(&readings, "node_intr_total", &[]), Some(677_830.0));
        assert_eq!(found(&readings, "node_procs_blocked", &[]), Some(1.0));
    }

    #[test]
    fn reads_load_and_open_files() {
        let (_, readings) = look_at(&[("proc/loadavg", "0.75 0.53 12.5 3/121 27684\n")], &LOADAVG);
        assert_eq!(found(&readings, "node_load15", &[]), Some(12.5));
        assert!(matches!(look_at(&[("proc/loadavg", "x\n")], &LOADAVG).0, Err(Lack::Failed(_))));
        let (_, readings) = look_at(&[("proc/sys/fs/file-nr", "674\t0\t9223372036854775807\n")], &FILEFD);
        assert_eq!(found(&readings, "node_filefd_allocated", &[]), Some(674.0));
        assert!(matches!(look_at(&[("proc/sys/fs/file-nr", "674\n")], &FILEFD).0, Err(Lack::Failed(_))));
    }

    #[test]
    fn reads_schedstat_of_processors_only() {
        let cases = [
            (
                "cpu3 0 0 0 0 0 0 2045936778163039 343796328169361 4767485306",
                Some((3, [2_045_936_778_163_039, 343_796_328_169_361, 4_767_485_306])),
            ),
            ("domain0 f 0 0 0 0 0 0 1 2 3", None),
            ("cpu0 0 0 0 0 0 0 1 2", None),
            ("version 15", None),
        ];
        for (line, expected) in cases {
            assert_eq!(ran(line), expected, "{line}");
        }
        assert_eq!(look_at(&[], &SCHEDSTAT).0, Err(Lack::Nothing));
    }

    #[test]
    fn pressure_is_in_seconds_and_nothing_without_it() {
        let some = "some avg10=0.95 avg60=1.81 avg300=2.20 total=55695520\nfull avg10=0.00 total=4\n";
        let (result, readings) = look_at(&[("proc/pressure/cpu", some), ("proc/pressure/io", some)], &PRESSURE);
        assert_eq!((result, readings.len()), (Ok(()), 3));
        assert_eq!(found(&readings, "node_pressure_cpu_waiting_seconds_total", &[]), Some(55.69552));
        assert_eq!(look_at(&[], &PRESSURE).0, Err(Lack::Nothing));
    }

    #[test]
    fn selinux_is_off_where_its_file_is_not() {
        assert_eq!(found(&look_at(&[], &SELINUX_PART).1, "node_selinux_enabled", &[]), Some(0.0));
        let on = look_at(&[("sys/fs/selinux/enforce", "1")], &SELINUX_PART).1;
        assert_eq!(found(&on, "node_selinux_current_mode", &[]), Some(1.0));
    }

    #[test]
    fn a_file_that_every_machine_has_and_is_not_there_is_a_failure() {
        for part in [&LOADAVG, &STAT, &FILEFD, &ENTROPY_PART] {
            assert!(matches!(look_at(&[], part).0, Err(Lack::Failed(_))), "{}", part.name);
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_the_parsers(text in "(cpu)?[0-9]{0,3}.{0,80}") {
            let _ran = ran(&text);
            let _total = waited(&text, "some");
        }
    }
}
