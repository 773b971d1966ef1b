//! Trees of processes: summed up, ended, hidden, odd.

use super::*;
use crate::collectors::testing::{Tree, at, value};

const HERE: &str = "0::/../a1\n";

/// A process of the peer's container with these clock ticks of user time.
fn process(tree: &Tree, pid: u32, name: &str, ticks: u64) {
    let file = |name: &str| format!("{pid}/{name}");
    tree.write(&file("comm"), &format!("{name}\n"));
    tree.write(&file("cgroup"), HERE);
    let stat = format!("{pid} ({name}) S 1 42 42 0 -1 0 30 0 5 0 {ticks} 50 0 0 20 0 1 0 {}00 4096 256 0", pid);
    tree.write(&file("stat"), &stat);
    let status = "State:\tS (sleeping)\nVmSwap:\t 4 kB\nvoluntary_ctxt_switches:\t7\nnonvoluntary_ctxt_switches:\t3\n";
    tree.write(&file("status"), status);
    tree.write(&file("io"), "rchar: 1\nread_bytes: 4096\nwrite_bytes: 8192\n");
    tree.write(&file("limits"), "Max open files            10                 4096                 files\n");
    tree.write(&file("fd/0"), "");
    tree.write(&file("fd/1"), "");
    tree.write(&file("smaps_rollup"), "Pss:\t 100 kB\nSwapPss:\t 2 kB\n");
}

fn tree() -> Tree {
    let tree = Tree::new(&[("stat", "cpu  1\ncpu0 1\nbtime 1700000000\n")]);
    process(&tree, 20, "api", 100);
    process(&tree, 21, "worker", 25);
    process(&tree, 22, "worker", 50);
    tree
}

fn groups(tree: &Tree) -> NameGroups {
    let roots = Roots { proc: tree.path(), cgroup: "/nowhere".into(), ..Roots::of_system() };
    NameGroups::new(&roots, &PeerPlan { process: Some("api".to_owned()), ..PeerPlan::default() })
}

fn readings(collected: Collected) -> Vec<Reading> {
    match collected {
        Collected::Readings(readings) => readings,
        other => panic!("no readings: {other:?}"),
    }
}

#[test]
fn sums_up_by_name() {
    let tree = tree();
    tree.write("99/cgroup", "0::/../other\n");
    tree.write("99/stat", "99 (other) S 1 42 42 0 -1 0 30 0 5 0 1 50 0 0 20 0 1 0 100 4096 256 0");
    let readings = readings(groups(&tree).collect(at(0)));
    let is = |metric, labels: &[&str]| value(&readings, metric, labels);
    assert_eq!(is(&PROCESSES, &["worker"]), Some(2.0));
    assert_eq!(is(&PROCESSES, &["other"]), None, "another container's");
    let second = float(rustix::param::clock_ticks_per_second());
    assert_eq!(is(&CPU, &["worker", "user"]), Some(75.0 / second));
    assert_eq!(is(&CPU, &["api", "system"]), Some(50.0 / second));
    assert_eq!(is(&READ, &["worker"]), Some(8192.0));
    assert_eq!(is(&MINOR, &["worker"]), Some(60.0));
    assert_eq!(is(&MAJOR, &["worker"]), Some(10.0));
    assert_eq!(is(&SWITCHES, &["worker", "nonvoluntary"]), Some(6.0));
    assert_eq!(is(&MEMORY, &["worker", "swapped"]), Some(8192.0));
    assert_eq!(is(&MEMORY, &["worker", "proportionalResident"]), Some(204_800.0));
    assert_eq!(is(&OPEN, &["worker"]), Some(4.0));
    assert_eq!(is(&WORST, &["worker"]), Some(0.2));
    assert_eq!(is(&OLDEST, &["worker"]), Some(1_700_000_021.0));
    assert_eq!(is(&STATES, &["worker", "Sleeping"]), Some(2.0));
    assert_eq!(is(&PARTIAL, &[]), Some(0.0));
}

#[test]
fn where_the_agent_is_in_the_same_cgroup_only_what_the_peer_started_is_its() {
    let tree = tree();
    tree.write("21/stat", "21 (worker) S 20 42 42 0 -1 0 30 0 5 0 25 50 0 0 20 0 1 0 2100 4096 256 0");
    tree.write("22/stat", "22 (worker) S 21 42 42 0 -1 0 30 0 5 0 25 50 0 0 20 0 1 0 2200 4096 256 0");
    process(&tree, 19, "somebody", 7);
    let count = |name: &str| value(&readings(groups(&tree).collect(at(0))), &PROCESSES, &[name]);
    assert_eq!((count("api"), count("worker"), count("somebody")), (Some(1.0), Some(2.0), Some(1.0)));
    tree.write("self/cgroup", "0::/\n");
    assert_eq!(count("somebody"), Some(1.0), "the cgroup is the peer's own");
    tree.write("self/cgroup", HERE);
    assert_eq!((count("api"), count("worker"), count("somebody")), (Some(1.0), Some(2.0), None));
}

#[test]
fn what_a_process_counted_stays_when_it_has_ended() {
    let tree = tree();
    let mut groups = groups(&tree);
    groups.collect(at(0));
    tree.remove("21");
    tree.remove("22");
    process(&tree, 23, "worker", 25);
    let now = readings(groups.collect(at(5)));
    let second = float(rustix::param::clock_ticks_per_second());
    assert_eq!(value(&now, &CPU, &["worker", "user"]), Some(100.0 / second));
    assert_eq!(value(&now, &PROCESSES, &["worker"]), Some(1.0));
    tree.remove("23");
    let now = readings(groups.collect(at(10)));
    assert_eq!(value(&now, &CPU, &["worker", "user"]), Some(100.0 / second));
    assert_eq!(value(&now, &PROCESSES, &["worker"]), Some(0.0), "the group is known and has nobody");
    tree.remove("20");
    let Collected::Noted(now, _) = groups.collect(at(15)) else { panic!("not noted") };
    assert_eq!(value(&now, &PROCESSES, &["api"]), Some(0.0));
}

#[test]
fn what_may_not_be_read_costs_itself_only() {
    let tree = tree();
    for gone in ["io", "smaps_rollup"] {
        std::fs::remove_file(tree.join(format!("20/{gone}"))).expect("removed");
    }
    tree.remove("20/fd");
    std::fs::remove_file(tree.join("21/status")).expect("removed");
    let readings = readings(groups(&tree).collect(at(0)));
    assert_eq!(value(&readings, &PROCESSES, &["api"]), Some(1.0));
    for (metric, labels) in [(&READ, &["api"][..]), (&OPEN, &["api"]), (&WORST, &["api"])] {
        assert_eq!(value(&readings, metric, labels), None, "{}", metric.name);
    }
    assert_eq!(value(&readings, &PARTIAL, &[]), Some(2.0));
    assert_eq!(value(&readings, &UNREAD, &[]), Some(1.0), "one ended half-way");
    assert_eq!(value(&readings, &PROCESSES, &["worker"]), Some(1.0));
}

#[test]
fn what_could_not_be_read_once_is_not_counted_twice() {
    let tree = tree();
    let mut groups = groups(&tree);
    let mut read = |second| value(&readings(groups.collect(at(second))), &READ, &["api"]);
    assert_eq!(read(0), Some(4096.0));
    tree.write("20/io", "");
    assert_eq!(read(1), Some(4096.0));
    tree.write("20/io", "read_bytes: 5000\nwrite_bytes: 8192\n");
    assert_eq!(read(2), Some(5000.0));
}

#[test]
fn an_odd_name_and_a_zombie_are_no_reason_to_fail() {
    let tree = tree();
    process(&tree, 23, "x) S 1", 1);
    let zombie = b"24 (\xff\xfe\n) Z 1 42 42 0 -1 0 0 0 0 0 1 0 0 0 20 0 1 0 100 0 0 0";
    tree.write("24/cgroup", HERE);
    tree.write("24/status", "State:\tZ (zombie)\n");
    std::fs::write(tree.join("24/stat"), zombie).expect("written");
    let readings = readings(groups(&tree).collect(at(0)));
    assert_eq!(value(&readings, &PROCESSES, &["x) S 1"]), Some(1.0));
    let odd = "\u{fffd}\u{fffd}\u{fffd}";
    assert_eq!(value(&readings, &STATES, &[odd, "Zombie"]), Some(1.0));
    assert_eq!(value(&readings, &MEMORY, &[odd, "resident"]), Some(0.0));
}

#[test]
fn names_beyond_the_cap_are_summed_up() {
    let tree = tree();
    for pid in 100..200 {
        process(&tree, pid, &format!("p{pid}"), 1);
    }
    let readings = readings(groups(&tree).collect(at(0)));
    let names: Vec<_> = readings.iter().filter(|reading| *reading.metric == PROCESSES).collect();
    assert!(names.len() <= limits::NAME_GROUPS + 1, "{}", names.len());
    let all: f64 = names.iter().map(|reading| reading.value).sum();
    assert!((all - 103.0).abs() < 0.1, "{all}");
}

#[test]
fn switches_of_more_threads_than_are_looked_at_are_absent() {
    let tree = tree();
    let many = "20 (api) R 1 42 42 0 -1 0 30 0 5 0 1 50 0 0 20 0 5000 0 2000 4096 256 0";
    tree.write("20/stat", many);
    tree.write("21/stat", "21 (worker) S 1 42 42 0 -1 0 30 0 5 0 1 50 0 0 20 0 2 0 2100 4096 256 0");
    for (thread, letter) in [("21", "S"), ("31", "D")] {
        let status = format!("State:\t{letter}\nvoluntary_ctxt_switches:\t5\nnonvoluntary_ctxt_switches:\t1\n");
        tree.write(&format!("21/task/{thread}/status"), &status);
    }
    let readings = readings(groups(&tree).collect(at(0)));
    assert_eq!(value(&readings, &SWITCHES, &["api", "voluntary"]), None);
    assert_eq!(value(&readings, &STATES, &["api", "Running"]), Some(1.0), "the process itself");
    assert_eq!(value(&readings, &SWITCHES, &["worker", "voluntary"]), Some(17.0), "two threads, and another process");
    assert_eq!(value(&readings, &STATES, &["worker", "Waiting"]), Some(1.0));
}

#[test]
fn without_a_peer_to_see_there_is_nothing() {
    let tree = Tree::new(&[]);
    assert!(matches!(groups(&tree).collect(at(0)), Collected::Absent(why) if why.contains("api")));
}

proptest::proptest! {
    #[test]
    fn no_bytes_break_the_parsers(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
        read_bytes(&bytes);
        let name = group_name(&String::from_utf8_lossy(&bytes));
        assert!(!name.is_empty() && name.chars().count() <= 64 && !name.chars().any(char::is_control));
    }
}
