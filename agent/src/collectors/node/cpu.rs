//! Processors: the time each spent in each mode, which are online or isolated, how often they were throttled, and their frequency.
//! Source: proc(5), kernel documentation, admin-guide/cputopology and admin-guide/pm/cpufreq.

use super::look::{Lack, Look, number, numbered, parser, text};
use super::{Part, on};
use crate::collectors::files::{Unread, float};
use crate::parser::Parser;
use crate::reading::Metric;
use crate::small;
use std::collections::BTreeMap;
use std::path::Path;

static SECONDS: Metric = Metric::counter("node_cpu_seconds_total", "Seconds that the processor spent in each mode")
    .labelled(&["cpu", "mode"]);
static GUEST: Metric = Metric::counter(
    "node_cpu_guest_seconds_total",
    "Seconds that the processor spent in virtual machines; they are also counted as user and nice",
)
.labelled(&["cpu", "mode"]);
static ONLINE: Metric = Metric::gauge("node_cpu_online", "Whether the processor is online, 1 or 0").labelled(&["cpu"]);
static ISOLATED: Metric =
    Metric::gauge("node_cpu_isolated", "1 for each processor that is kept out of scheduling").labelled(&["cpu"]);
static CORE_THROTTLES: Metric =
    Metric::counter("node_cpu_core_throttles_total", "How often the core was slowed down for its heat")
        .labelled(&["package", "core"]);
static PACKAGE_THROTTLES: Metric =
    Metric::counter("node_cpu_package_throttles_total", "How often the package was slowed down for its heat")
        .labelled(&["package"]);
static FREQUENCY: Metric =
    Metric::gauge("node_cpu_frequency_hertz", "Frequency that the processor runs at, in hertz").labelled(&["cpu"]);
static FREQUENCY_AVERAGE: Metric =
    Metric::gauge("node_cpu_frequency_avg_hertz", "Frequency of the processor on average, in hertz").labelled(&["cpu"]);
static FREQUENCY_LEAST: Metric =
    Metric::gauge("node_cpu_frequency_min_hertz", "Least frequency of the processor, in hertz").labelled(&["cpu"]);
static FREQUENCY_MOST: Metric =
    Metric::gauge("node_cpu_frequency_max_hertz", "Most frequency of the processor, in hertz").labelled(&["cpu"]);
static SCALING: Metric =
    Metric::gauge("node_cpu_scaling_frequency_hertz", "Frequency that scaling has set, in hertz").labelled(&["cpu"]);
static SCALING_LEAST: Metric =
    Metric::gauge("node_cpu_scaling_frequency_min_hertz", "Least frequency that scaling may set, in hertz")
        .labelled(&["cpu"]);
static SCALING_MOST: Metric =
    Metric::gauge("node_cpu_scaling_frequency_max_hertz", "Most frequency that scaling may set, in hertz")
        .labelled(&["cpu"]);
static GOVERNOR: Metric =
    Metric::gauge("node_cpu_scaling_governor", "1 for the governor that sets the frequency, 0 for the others")
        .labelled(&["cpu", "governor"]);

/// The rows of the table.
pub(super) static CPU: Part =
    on("cpu", cpu, &[&SECONDS, &GUEST, &ONLINE, &ISOLATED, &CORE_THROTTLES, &PACKAGE_THROTTLES]);
pub(super) static CPUFREQ: Part = on(
    "cpufreq",
    cpufreq,
    &[
        &FREQUENCY,
        &FREQUENCY_AVERAGE,
        &FREQUENCY_LEAST,
        &FREQUENCY_MOST,
        &SCALING,
        &SCALING_LEAST,
        &SCALING_MOST,
        &GOVERNOR,
    ],
);
/// What reads the kernel's bytes here.
pub(super) const STAT: Parser = parser("node_cpu_stat", |bytes| drop(parse(&String::from_utf8_lossy(bytes))));

/// Modes in the order of a line of `/proc/stat`; the last two are of virtual machines.
const MODES: [&str; 8] = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"];
const IDLE: usize = 3;
/// A processor whose idle time falls by more than this was taken out and put in again.
const JUMP_SECONDS: u64 = 3;

/// A processor's times in clock ticks: [`MODES`], then guest and guest at low priority.
type Times = [u64; 10];

/// The times at the last look. The kernel's idle and iowait times step back now and then, and a counter must not.
#[derive(Debug, Default)]
pub(super) struct Ticks(BTreeMap<u32, Times>);

impl Ticks {
    /// Takes in what was read; a time that stepped back keeps its value.
    fn take(&mut self, read: BTreeMap<u32, Times>, per_second: u64) -> &BTreeMap<u32, Times> {
        let merged = read.into_iter().map(|(cpu, new)| {
            let old = self.0.get(&cpu).copied().unwrap_or_default();
            (cpu, forward(old, new, JUMP_SECONDS.saturating_mul(per_second)))
        });
        self.0 = small::map(merged);
        &self.0
    }
}

fn forward(old: Times, new: Times, jump: u64) -> Times {
    let idle = |times: Times| times.into_iter().nth(IDLE).unwrap_or(0);
    if idle(old).saturating_sub(idle(new)) >= jump {
        return new;
    }
    let mut times = old;
    times.iter_mut().zip(new).for_each(|(time, new)| *time = (*time).max(new));
    times
}

/// The processors of `/proc/stat`.
fn parse(text: &str) -> BTreeMap<u32, Times> {
    small::map(text.lines().take_while(|line| line.starts_with("cpu")).filter_map(one))
}

fn one(line: &str) -> Option<(u32, Times)> {
    let mut words = line.strip_prefix("cpu")?.split_ascii_whitespace();
    let cpu = line.chars().nth(3).filter(char::is_ascii_digit).and_then(|_| words.next()?.parse().ok())?;
    let mut times = Times::default();
    for (time, word) in times.iter_mut().zip(words) {
        *time = word.parse().ok()?;
    }
    Some((cpu, times))
}

fn cpu(look: &mut Look<'_>) -> Result<(), Lack> {
    let read = parse(&look.needed("stat")?);
    if read.is_empty() {
        return Err(Lack::Failed("`stat` names no processor".to_owned()));
    }
    let per_second = rustix::param::clock_ticks_per_second();
    let times = look.kept.ticks.take(read, per_second).clone();
    for (cpu, times) in times {
        let cpu = cpu.to_string();
        let seconds = times.map(|time| float(time) / float(per_second.max(1)));
        for (mode, seconds) in MODES.iter().zip(seconds) {
            look.give(&SECONDS, [&cpu, mode], seconds);
        }
        for (mode, seconds) in ["user", "nice"].iter().zip(seconds.into_iter().skip(MODES.len())) {
            look.give(&GUEST, [&cpu, mode], seconds);
        }
    }
    topology(look)
}

/// What `/sys` tells of each processor; a machine without it has none to report.
fn topology(look: &mut Look<'_>) -> Result<(), Lack> {
    let folder = look.sys("devices/system/cpu");
    for cpu in text(&folder.join("isolated")).iter().flat_map(|list| listed(list)) {
        look.give(&ISOLATED, [&cpu.to_string()], 1.0);
    }
    let cpus = match numbered(&folder, "cpu") {
        Err(Unread::Missing(_)) => return Ok(()),
        other => other?,
    };
    let (mut cores, mut packages) = (BTreeMap::new(), BTreeMap::new());
    // The first processor has no such file on most machines, for it cannot be taken out.
    let switchable = cpus.iter().any(|(name, _)| folder.join(name).join("online").exists());
    for (name, cpu) in &cpus {
        let folder = folder.join(name);
        if switchable {
            look.give(&ONLINE, [&cpu.to_string()], number(&folder.join("online")).unwrap_or(1.0));
        }
        throttles(&folder, &mut cores, &mut packages);
    }
    for ((package, core), count) in &cores {
        look.give(&CORE_THROTTLES, [&package.to_string(), &core.to_string()], *count);
    }
    for (package, count) in &packages {
        look.give(&PACKAGE_THROTTLES, [&package.to_string()], *count);
    }
    Ok(())
}

type Id = i64;

/// The count of a core stands at each of its threads, that of a package at each of its cores; one of each is taken.
fn throttles(folder: &Path, cores: &mut BTreeMap<(Id, Id), f64>, packages: &mut BTreeMap<Id, f64>) {
    let throttle = folder.join("thermal_throttle");
    if !throttle.exists() {
        return;
    }
    let id = |name: &str| text(&folder.join("topology").join(name))?.parse::<Id>().ok();
    let Some((package, core)) = id("physical_package_id").zip(id("core_id")) else { return };
    if let (false, Some(count)) = (cores.contains_key(&(package, core)), number(&throttle.join("core_throttle_count")))
    {
        cores.insert((package, core), count);
    }
    if let (false, Some(count)) = (packages.contains_key(&package), number(&throttle.join("package_throttle_count"))) {
        packages.insert(package, count);
    }
}

/// The numbers of a list such as `0-3,8`; ranges that no machine has are left out.
fn listed(list: &str) -> Vec<u32> {
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (first.parse::<u32>().ok()?, last.parse::<u32>().ok()?);
        (last < crate::limits::NODE_CPUS).then_some(first..=last)
    };
    list.split(',').filter_map(range).flatten().collect()
}

fn cpufreq(look: &mut Look<'_>) -> Result<(), Lack> {
    let folder = look.sys("devices/system/cpu");
    let mut any = false;
    for (name, cpu) in numbered(&folder, "cpu")? {
        let (folder, cpu) = (folder.join(name).join("cpufreq"), cpu.to_string());
        if !folder.exists() {
            continue;
        }
        any = true;
        for (metric, file) in FREQUENCIES {
            // In thousands of hertz.
            if let Some(thousands) = number(&folder.join(file)) {
                look.give(metric, [&cpu], thousands * 1000.0);
            }
        }
        let governor = text(&folder.join("scaling_governor")).unwrap_or_default();
        let all = text(&folder.join("scaling_available_governors")).unwrap_or_default();
        for one in all.split_ascii_whitespace().filter(|_| !governor.is_empty()) {
            look.give(&GOVERNOR, [&cpu, one], f64::from(u8::from(one == governor)));
        }
    }
    if any { Ok(()) } else { Err(Lack::Nothing) }
}

static FREQUENCIES: [(&Metric, &str); 7] = [
    (&FREQUENCY, "cpuinfo_cur_freq"),
    (&FREQUENCY_AVERAGE, "cpuinfo_avg_freq"),
    (&FREQUENCY_LEAST, "cpuinfo_min_freq"),
    (&FREQUENCY_MOST, "cpuinfo_max_freq"),
    (&SCALING, "scaling_cur_freq"),
    (&SCALING_LEAST, "scaling_min_freq"),
    (&SCALING_MOST, "scaling_max_freq"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::node::testing::{found, look_at};

    #[test]
    fn reads_each_processor_and_not_their_sum() {
        type Read = (u32, [u64; 3]);
        let cases: [(&str, &[Read]); 5] = [
            ("cpu  9 9 9\ncpu0 1 2 3 4\ncpu11 5 6 7 8 9 10 11 12 13 14\n", &[(0, [1, 2, 3]), (11, [5, 6, 7])]),
            ("cpu0 1 2 x\ncpu1 1 2 3\nintr 5\ncpu2 1\n", &[(1, [1, 2, 3])]),
            ("cpu\ncpux 1\ncpu 0 1\n", &[]),
            ("", &[]),
            ("cpu0\n", &[(0, [0, 0, 0])]),
        ];
        for (text, expected) in cases {
            let read: Vec<Read> =
                parse(text).into_iter().map(|(cpu, times)| (cpu, [times[0], times[1], times[2]])).collect();
            assert_eq!(read, expected, "{text}");
        }
    }

    #[test]
    fn a_time_that_steps_back_stands_still_and_a_processor_put_in_anew_begins_again() {
        let times = |idle, iowait| [1, 1, 1, idle, iowait, 0, 0, 0, 0, 0];
        assert_eq!(forward(times(1000, 50), times(990, 40), 300), times(1000, 50));
        assert_eq!(forward(times(1000, 50), times(1010, 60), 300), times(1010, 60));
        assert_eq!(forward(times(1000, 50), times(10, 0), 300), times(10, 0));
    }

    #[test]
    fn a_processor_that_was_taken_out_is_gone() {
        let mut ticks = Ticks::default();
        ticks.take(parse("cpu0 5 5\ncpu1 5 5\n"), 100);
        let left = ticks.take(parse("cpu0 6 4\n"), 100);
        assert_eq!(left.len(), 1);
        assert_eq!(left[&0][..2], [6, 5]);
    }

    #[test]
    fn counts_the_throttles_of_a_core_once() {
        let files = [
            ("proc/stat", "cpu0 100 0 0 0 0 0 0 0 7 9\ncpu1 1\n"),
            ("sys/devices/system/cpu/isolated", "1\n"),
            ("sys/devices/system/cpu/cpu0/topology/physical_package_id", "0\n"),
            ("sys/devices/system/cpu/cpu0/topology/core_id", "3\n"),
            ("sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count", "7\n"),
            ("sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_count", "9\n"),
            ("sys/devices/system/cpu/cpu1/topology/physical_package_id", "0\n"),
            ("sys/devices/system/cpu/cpu1/topology/core_id", "3\n"),
            ("sys/devices/system/cpu/cpu1/thermal_throttle/core_throttle_count", "8\n"),
            ("sys/devices/system/cpu/cpu1/online", "0\n"),
        ];
        let (result, readings) = look_at(&files, &CPU);
        assert_eq!(result, Ok(()));
        assert_eq!(found(&readings, "node_cpu_seconds_total", &["0", "user"]), Some(1.0));
        assert_eq!(found(&readings, "node_cpu_guest_seconds_total", &["0", "nice"]), Some(0.09));
        assert_eq!(found(&readings, "node_cpu_core_throttles_total", &["0", "3"]), Some(7.0));
        assert_eq!(found(&readings, "node_cpu_package_throttles_total", &["0"]), Some(9.0));
        assert_eq!(found(&readings, "node_cpu_online", &["0"]), Some(1.0));
        assert_eq!(found(&readings, "node_cpu_online", &["1"]), Some(0.0));
        assert_eq!(found(&readings, "node_cpu_isolated", &["1"]), Some(1.0));
    }

    #[test]
    fn lists_of_processors_are_bounded() {
        assert_eq!(listed("0-2,8"), [0, 1, 2, 8]);
        assert_eq!(listed(""), Vec::<u32>::new());
        assert_eq!(listed("0-4294967295,5,x,7-6"), [5]);
    }

    #[test]
    fn says_which_governor_sets_the_frequency() {
        let at = |name: &str| format!("sys/devices/system/cpu/cpu0/cpufreq/{name}");
        let (max, governor, all) = (at("cpuinfo_max_freq"), at("scaling_governor"), at("scaling_available_governors"));
        let files = [(max.as_str(), "3400000\n"), (&governor, "powersave\n"), (&all, "performance powersave\n")];
        let (result, readings) = look_at(&files, &CPUFREQ);
        assert_eq!(result, Ok(()));
        assert_eq!(found(&readings, "node_cpu_frequency_max_hertz", &["0"]), Some(3.4e9));
        assert_eq!(found(&readings, "node_cpu_scaling_governor", &["0", "powersave"]), Some(1.0));
        assert_eq!(found(&readings, "node_cpu_scaling_governor", &["0", "performance"]), Some(0.0));
        assert_eq!(look_at(&[("sys/devices/system/cpu/cpu0/online", "1\n")], &CPUFREQ).0, Err(Lack::Nothing));
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_the_parsers(text in "(cpu[0-9]{0,12} [0-9 ]{0,60}\n|.{0,60}){0,4}") {
            let _read = parse(&text);
            let _listed = listed(&text);
        }
    }
}
