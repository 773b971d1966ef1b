//! Fixture trees: v1, v2, hybrid, both drivers, restarts and OOM kills.

use super::metrics::{OOM_KILLS, RESTARTS};
use super::*;
use crate::collectors::facts::PIDS_USED_RATIO;
use crate::collectors::testing::{Tree, at, value};
use crate::reading::Metric;

const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const PROC: &[(&str, &str)] = &[
    ("proc/stat", "cpu  1\ncpu0 1\ncpu1 1\ncpu2 1\ncpu3 1\n"),
    ("proc/meminfo", "MemTotal: 1048576 kB\n"),
    ("proc/vmstat", "oom_kill 3\n"),
];

fn v2_container(tree: &Tree, folder: &str, usage_usec: u64) {
    let file = |name: &str| format!("cgroup/{folder}/{name}");
    tree.write(&file("cgroup.procs"), "0\n");
    tree.write(&file("memory.current"), "90000000\n");
    tree.write(&file("memory.max"), "100000000\n");
    tree.write(&file("memory.stat"), "anon 40000000\nfile 45000000\nkernel 6000000\nshmem 5000000\ninactive_file 30000000\nslab_reclaimable 1000000\n");
    tree.write(
        &file("cpu.stat"),
        &format!("usage_usec {usage_usec}\nnr_periods 100\nnr_throttled 10\nthrottled_usec 2000000\n"),
    );
    tree.write(&file("cpu.max"), "50000 100000\n");
    tree.write(&file("pids.current"), "7\n");
    tree.write(&file("pids.max"), "max\n");
    tree.write(&file("memory.pressure"), "some avg10=12.00 avg60=0 avg300=0 total=0\n");
}

fn v2() -> Tree {
    let tree = Tree::new(PROC);
    tree.write("cgroup/cgroup.controllers", "cpu memory pids\n");
    tree.write("cgroup/shop_api.slice/memory.max", "max\n");
    tree.write("cgroup/shop_api.slice/memory.events", "low 0\noom 1\noom_kill 1\n");
    v2_container(&tree, &format!("shop_api.slice/docker-{ID}.scope"), 1_000_000);
    tree
}

fn v1_container(tree: &Tree, folder: &str) {
    let file = |controller: &str, name: &str| format!("cgroup/{controller}/{folder}/{name}");
    tree.write(&file("memory", "cgroup.procs"), "0\n");
    tree.write(&file("memory", "memory.usage_in_bytes"), "90000000\n");
    tree.write(&file("memory", "memory.limit_in_bytes"), "100000000\n");
    tree.write(
        &file("memory", "memory.stat"),
        "total_rss 40000000\ntotal_shmem 5000000\ntotal_inactive_file 30000000\nhierarchical_memory_limit 80000000\n",
    );
    tree.write(&file("memory", "memory.oom_control"), "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n");
    tree.write(&file("cpuacct", "cpuacct.usage"), "1000000000\n");
    tree.write(&file("cpu", "cpu.stat"), "nr_periods 100\nnr_throttled 10\nthrottled_time 2000000000\n");
    tree.write(&file("cpu", "cpu.cfs_quota_us"), "-1\n");
    tree.write(&file("cpu", "cpu.cfs_period_us"), "100000\n");
    tree.write(&file("pids", "pids.current"), "7\n");
    tree.write(&file("pids", "pids.max"), "50\n");
}

fn v1() -> Tree {
    let tree = Tree::new(PROC);
    v1_container(&tree, &format!("shop_api.slice/{ID}"));
    tree
}

fn collector(tree: &Tree, name: &str) -> Cgroup {
    let roots = Roots { proc: tree.join("proc"), cgroup: tree.join("cgroup"), ..Roots::of_system() };
    Cgroup::new(&roots, &PeerPlan { cgroup: Some(name.to_owned()), ..PeerPlan::default() })
}

fn readings(collected: Collected) -> Vec<Reading> {
    match collected {
        Collected::Readings(readings) => readings,
        other => panic!("no readings: {other:?}"),
    }
}

fn named(readings: &[Reading], name: &str) -> Option<f64> {
    readings.iter().find(|reading| reading.metric.name == name).map(|reading| reading.value)
}

fn ratio_of(readings: &[Reading], metric: &Metric) -> Option<f64> {
    value(readings, metric, &["peer"])
}

#[test]
fn reads_v2_by_the_name_of_the_slice() {
    let tree = v2();
    let readings = readings(collector(&tree, "shop_api").collect(at(0)));
    assert_eq!(
        ratio_of(&readings, &MEMORY_USED_RATIO),
        Some(0.5),
        "anon + shmem + kernel - reclaimable slab, of the limit"
    );
    assert_eq!(named(&readings, "sidecar_peer_memory_working_set_bytes"), Some(60_000_000.0));
    assert_eq!(named(&readings, "sidecar_peer_cpu_limit_cores"), Some(0.5));
    assert_eq!(named(&readings, "sidecar_peer_pids"), Some(7.0));
    assert_eq!(named(&readings, "sidecar_peer_pids_limit"), None, "`max` is no limit");
    assert_eq!(ratio_of(&readings, &PIDS_USED_RATIO), None, "and no share of one");
    assert_eq!(named(&readings, "sidecar_peer_pressure_ratio"), Some(0.12));
    assert_eq!(value(&readings, &OOM_KILLS, &["counted"]), Some(1.0), "the slice's count");
    assert_eq!(value(&readings, &OOM_KILLS, &["inferred"]), None, "v2 need not guess");
    assert_eq!(ratio_of(&readings, &CPU_USED_RATIO), None, "one look is no rate");
}

#[test]
fn reads_v1_with_the_tightest_limit_of_the_hierarchy() {
    let tree = v1();
    let readings = readings(collector(&tree, "shop_api.slice").collect(at(0)));
    assert_eq!(named(&readings, "sidecar_peer_memory_limit_bytes"), Some(80_000_000.0));
    assert_eq!(ratio_of(&readings, &MEMORY_USED_RATIO), Some(45.0 / 80.0));
    assert_eq!(named(&readings, "sidecar_peer_cpu_seconds_total"), Some(1.0));
    assert_eq!(named(&readings, "sidecar_peer_cpu_limit_cores"), None, "a quota of -1 is none");
    assert_eq!(named(&readings, "sidecar_peer_pids_limit"), Some(50.0));
    assert_eq!(ratio_of(&readings, &PIDS_USED_RATIO), Some(0.14));
}

#[test]
fn a_hybrid_machine_is_read_as_v1() {
    let tree = v1();
    tree.write("cgroup/unified/cgroup.controllers", "\n");
    tree.write("cgroup/unified/cpu.stat", "usage_usec 1\n");
    let waited = "some avg10=12.00 avg60=0 avg300=0 total=2500000\nfull avg10=0 avg60=0 avg300=0 total=0\n";
    tree.write(&format!("cgroup/unified/shop_api.slice/{ID}/memory.pressure"), waited);
    let readings = readings(collector(&tree, "shop_api").collect(at(0)));
    assert_eq!(named(&readings, "sidecar_peer_pids"), Some(7.0));
    assert_eq!(named(&readings, "sidecar_peer_cpu_seconds_total"), Some(1.0), "of the controller");
    assert_eq!(named(&readings, "container_pressure_memory_waiting_seconds_total"), Some(2.5), "of the unified tree");
    assert_eq!(named(&readings, "sidecar_peer_pressure_ratio"), Some(0.12));
}

#[test]
fn under_a_nested_docker_each_controller_has_a_path_of_its_own() {
    let tree = v1();
    tree.remove("cgroup/memory/shop_api.slice");
    for (controller, file, text) in [
        ("memory", "memory.usage_in_bytes", "90000000\n"),
        ("memory", "memory.limit_in_bytes", "100000000\n"),
        ("memory", "memory.stat", "total_rss 40000000\n"),
    ] {
        tree.write(&format!("cgroup/{controller}/machine/vm-1/shop_api.slice/{ID}/{file}"), text);
    }
    let readings = readings(collector(&tree, "shop_api").collect(at(0)));
    assert_eq!(named(&readings, "sidecar_peer_memory_limit_bytes"), Some(100_000_000.0));
    assert_eq!(named(&readings, "sidecar_peer_cpu_seconds_total"), Some(1.0));
    assert_eq!(named(&readings, "sidecar_peer_pids_limit"), Some(50.0));
}

#[test]
fn a_mount_of_just_the_peers_directory_needs_no_name() {
    let tree = v2();
    tree.write("cgroup/shop_api.slice/cgroup.controllers", "cpu memory pids\n");
    let path = tree.join("cgroup/shop_api.slice");
    let readings = readings(collector(&tree, path.to_str().expect("text")).collect(at(0)));
    assert_eq!(named(&readings, "sidecar_peer_pids"), Some(7.0));
}

#[test]
fn rates_are_of_the_quota_and_throttling_of_the_periods_since() {
    let tree = v2();
    let mut cgroup = collector(&tree, "shop_api");
    cgroup.collect(at(0));
    let container = format!("cgroup/shop_api.slice/docker-{ID}.scope");
    tree.write(
        &format!("{container}/cpu.stat"),
        "usage_usec 3500000\nnr_periods 200\nnr_throttled 50\nthrottled_usec 9000000\n",
    );
    let readings = readings(cgroup.collect(at(10)));
    assert_eq!(ratio_of(&readings, &CPU_USED_RATIO), Some(0.5), "2.5 s in 10 s of half a core");
    assert_eq!(ratio_of(&readings, &CPU_THROTTLED_RATIO), Some(0.4));
}

#[test]
fn without_a_limit_the_host_is_the_limit_and_no_limit_is_shown() {
    let tree = v1();
    let folder = format!("cgroup/memory/shop_api.slice/{ID}");
    tree.write(&format!("{folder}/memory.limit_in_bytes"), "9223372036854771712\n");
    tree.write(
        &format!("{folder}/memory.stat"),
        "total_rss 107374182\nhierarchical_memory_limit 9223372036854771712\n",
    );
    let readings = readings(collector(&tree, "shop_api").collect(at(0)));
    assert_eq!(named(&readings, "sidecar_peer_memory_limit_bytes"), None);
    let used = ratio_of(&readings, &MEMORY_USED_RATIO).expect("a ratio");
    assert!((used - 0.1).abs() < 1e-6, "{used}");
}

#[test]
fn a_limit_that_cannot_be_read_is_a_failure_and_not_no_limit() {
    let tree = v1();
    tree.write(&format!("cgroup/memory/shop_api.slice/{ID}/memory.limit_in_bytes"), "rubbish\n");
    let collected = collector(&tree, "shop_api").collect(at(0));
    assert!(matches!(&collected, Collected::Failed(why) if why.contains("memory.limit_in_bytes")), "{collected:?}");
}

#[test]
fn a_restart_is_counted_and_rates_begin_anew() {
    let tree = v2();
    let mut cgroup = collector(&tree, "shop_api");
    assert_eq!(value(&readings(cgroup.collect(at(0))), &RESTARTS, &[]), Some(0.0));
    tree.remove(&format!("cgroup/shop_api.slice/docker-{ID}.scope"));
    let gone = cgroup.collect(at(5));
    let other = ID.replace('0', "f");
    v2_container(&tree, &format!("shop_api.slice/docker-{other}.scope"), 10);
    tree.write("cgroup/shop_api.slice/memory.events", "oom_kill 2\n");
    let readings = readings(cgroup.collect(at(10)));
    let Collected::Noted(last, why) = &gone else { panic!("{gone:?}") };
    assert!(why.contains("not running"), "{why}");
    assert_eq!(named(last, "sidecar_peer_memory_bytes"), None, "what is gone has no memory");
    assert_eq!(value(last, &OOM_KILLS, &["counted"]), Some(1.0));
    assert_eq!(value(&readings, &RESTARTS, &[]), Some(1.0));
    assert_eq!(value(&readings, &OOM_KILLS, &["counted"]), Some(2.0), "the slice's count goes on");
    assert_eq!(ratio_of(&readings, &CPU_USED_RATIO), None, "the old container's time says nothing of the new one");
}

#[test]
fn on_v2_the_agents_own_restart_loses_no_kill() {
    let tree = v2();
    tree.write("cgroup/shop_api.slice/memory.events", "oom_kill 5\n");
    let first = readings(collector(&tree, "shop_api").collect(at(0)));
    let second = readings(collector(&tree, "shop_api").collect(at(5)));
    for readings in [first, second] {
        assert_eq!(value(&readings, &OOM_KILLS, &["counted"]), Some(5.0), "the slice has counted all along");
    }
}

#[test]
fn on_v1_an_oom_kill_that_ended_the_container_is_inferred() {
    let tree = v1();
    let mut cgroup = collector(&tree, "shop_api");
    cgroup.collect(at(0));
    for controller in ["memory", "cpu", "cpuacct", "pids"] {
        tree.remove(&format!("cgroup/{controller}/shop_api.slice/{ID}"));
    }
    let other = ID.replace('0', "f");
    v1_container(&tree, &format!("shop_api.slice/{other}"));
    tree.write("proc/vmstat", "oom_kill 4\n");
    let readings = readings(cgroup.collect(at(5)));
    assert_eq!(value(&readings, &RESTARTS, &[]), Some(1.0));
    assert_eq!(value(&readings, &OOM_KILLS, &["inferred"]), Some(1.0));
    assert_eq!(value(&readings, &OOM_KILLS, &["counted"]), Some(0.0));
}

#[test]
fn says_why_there_is_nothing_to_read() {
    let why = |collected| match collected {
        Collected::Absent(why) => why,
        other => panic!("{other:?}"),
    };
    let tree = v2();
    insta::assert_snapshot!(why(collector(&tree, "shop_web").collect(at(0))), @"no cgroup is called `shop_web`: the service is not running, or has another `cgroup_parent`");
    let unnamed = Roots { proc: tree.join("proc"), cgroup: tree.join("cgroup"), ..Roots::of_system() };
    let mut unnamed = Cgroup::new(&unnamed, &PeerPlan::default());
    insta::assert_snapshot!(why(unnamed.collect(at(0))), @"no cgroup is named: give the service a `cgroup_parent` and name it in `peer.cgroup`");
    let empty = Tree::new(&[("proc/stat", "")]);
    let said = why(collector(&empty, "shop_api").collect(at(0)));
    assert!(said.ends_with("mount `/sys/fs/cgroup` read-only"), "{said}");
}
