//! The container's series: names, meaning, labels, and how many of those that dashboards ask for there are.

use super::*;
use crate::collectors::PeerLabels;
use crate::collectors::testing::{Tree, at};
use std::io::Write as _;

const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// What kubernetes-mixin, dockprom and the rules that are passed around ask for.
const ASKED_FOR: &str = "container_cpu_usage_seconds_total container_cpu_user_seconds_total container_cpu_system_seconds_total \
    container_cpu_cfs_periods_total container_cpu_cfs_throttled_periods_total container_cpu_cfs_throttled_seconds_total \
    container_memory_working_set_bytes container_memory_usage_bytes container_memory_rss container_memory_cache \
    container_memory_swap container_memory_failcnt container_oom_events_total container_network_receive_bytes_total \
    container_network_receive_packets_total container_network_receive_packets_dropped_total \
    container_network_receive_errors_total container_network_transmit_bytes_total container_network_transmit_packets_total \
    container_network_transmit_packets_dropped_total container_network_transmit_errors_total container_fs_reads_total \
    container_fs_writes_total container_fs_reads_bytes_total container_fs_writes_bytes_total container_fs_usage_bytes \
    container_fs_limit_bytes container_fs_inodes_free container_fs_inodes_total container_spec_cpu_quota \
    container_spec_cpu_period container_spec_cpu_shares container_spec_memory_limit_bytes container_start_time_seconds \
    container_last_seen container_health_state container_processes container_threads container_file_descriptors \
    container_pressure_cpu_waiting_seconds_total container_pressure_cpu_stalled_seconds_total \
    container_pressure_memory_waiting_seconds_total container_pressure_memory_stalled_seconds_total \
    container_pressure_io_waiting_seconds_total container_pressure_io_stalled_seconds_total machine_cpu_cores \
    machine_memory_bytes";
/// What of it cannot be known without the runtime's socket: the size of a container's writable layer, the verdict of Docker's own
/// health check.
const NOT_TO_BE_KNOWN: &[&str] = &["container_fs_usage_bytes", "container_health_state"];

/// A container whose process is seen, with everything that a kernel tells.
fn tree() -> Tree {
    let tree = Tree::new(&[
        ("proc/stat", "cpu  1\ncpu0 1\ncpu1 1\nbtime 1700000000\n"),
        ("proc/meminfo", "MemTotal: 1048576 kB\nSwapTotal: 0 kB\n"),
        ("proc/sys/kernel/random/boot_id", "3bf0a3fc-9593-4255-8125-01b72b2b8227\n"),
        ("proc/20/stat", "20 (api) S 1 42 42 0 -1 0 0 0 0 0 1 0 0 0 20 0 7 0 100 4096 256 0"),
        ("proc/20/limits", "Max open files            1024                 4096                 files\n"),
        (
            "proc/20/net/dev",
            "a\nb\n    lo: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n  eth0: 100 10 1 2 0 0 0 0 200 20 3 4 0 0 0 0\n",
        ),
        ("proc/20/fd/0", ""),
        ("proc/20/root/bin", ""),
        ("sys/dev/block/8:0/uevent", "DEVNAME=sda\n"),
        ("cgroup/cgroup.controllers", "cpu memory io pids\n"),
        ("cgroup/shop_api.slice/memory.events", "oom_kill 2\n"),
        ("cgroup/shop_api.slice/memory.max", "max\n"),
    ]);
    let own = [
        ("cgroup.procs", "20\n"),
        ("memory.current", "90000000\n"),
        ("memory.max", "100000000\n"),
        ("memory.peak", "95000000\n"),
        ("memory.swap.current", "7\n"),
        ("memory.swap.max", "max\n"),
        ("memory.min", "0\n"),
        ("memory.events", "low 0\nhigh 3\nmax 4\noom 1\noom_kill 1\n"),
        (
            "memory.stat",
            "anon 40000000\nfile 45000000\nkernel 6000000\nshmem 5000000\nfile_mapped 11\ninactive_file 30000000\nactive_file 9\n\
             pgfault 12\npgmajfault 13\nslab_reclaimable 1000000\n",
        ),
        (
            "cpu.stat",
            "usage_usec 1500000\nuser_usec 1000000\nsystem_usec 500000\nnr_periods 100\nnr_throttled 10\nthrottled_usec 2000000\n",
        ),
        ("cpu.max", "50000 100000\n"),
        ("cpu.weight", "100\n"),
        ("pids.current", "7\n"),
        ("pids.max", "max\n"),
        ("io.stat", "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n"),
        ("cpu.pressure", "some avg10=0 avg60=0 avg300=0 total=2500000\nfull avg10=0 avg60=0 avg300=0 total=1000000\n"),
        ("memory.pressure", "some avg10=0 avg60=0 avg300=0 total=0\nfull avg10=0 avg60=0 avg300=0 total=0\n"),
        ("io.pressure", "some avg10=0 avg60=0 avg300=0 total=0\nfull avg10=0 avg60=0 avg300=0 total=0\n"),
    ];
    for (name, text) in own {
        tree.write(&format!("cgroup/shop_api.slice/docker-{ID}.scope/{name}"), text);
    }
    tree
}

fn collector(tree: &Tree, labels: PeerLabels) -> Cgroup {
    let roots =
        Roots { proc: tree.join("proc"), cgroup: tree.join("cgroup"), sys: tree.join("sys"), root: tree.path() };
    Cgroup::new(&roots, &PeerPlan { cgroup: Some("shop_api".to_owned()), labels, ..PeerPlan::default() })
}

fn told() -> PeerLabels {
    let text = |text: &str| Some(text.to_owned());
    PeerLabels {
        container: text("api"),
        pod: text("shop-7d4b9c"),
        namespace: text("shop"),
        image: text("example/api:1"),
    }
}

/// The series of the page, as `name{further labels} value`, and the labels that all of `container_*` have.
fn page(readings: &[Reading]) -> (Vec<String>, Vec<String>) {
    let ours: Vec<&Reading> = readings.iter().filter(|reading| reading.metric.name.starts_with("container_")).collect();
    let further = |reading: &Reading| {
        let pairs = reading.metric.labels.iter().zip(&reading.labels).skip(6);
        pairs.map(|(label, value)| format!("{label}={value}")).collect::<Vec<_>>().join(",")
    };
    let shown = ours.iter().map(|reading| format!("{}{{{}}} {}", reading.metric.name, further(reading), reading.value));
    let usual = ours.iter().find(|reading| *reading.metric == names::MEMORY_USAGE).expect("usage");
    (shown.collect(), usual.labels.clone())
}

#[test]
fn every_figure_has_cadvisors_name_and_meaning() {
    let tree = tree();
    let collected = collector(&tree, told()).collect(at(0));
    let (mut shown, labels) = page(collected.readings());
    let moving = ["container_last_seen", "container_fs_limit", "container_fs_inodes"];
    shown.retain(|line| !moving.iter().any(|begin| line.starts_with(begin)));
    shown.sort();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    container_blkio_device_usage_total{device=/dev/sda,major=8,minor=0,operation=Read} 1
    container_blkio_device_usage_total{device=/dev/sda,major=8,minor=0,operation=Write} 2
    container_cpu_cfs_periods_total{} 100
    container_cpu_cfs_throttled_periods_total{} 10
    container_cpu_cfs_throttled_seconds_total{} 2
    container_cpu_system_seconds_total{} 0.5
    container_cpu_usage_seconds_total{cpu=total} 1.5
    container_cpu_user_seconds_total{} 1
    container_file_descriptors{} 1
    container_fs_reads_bytes_total{device=/dev/sda} 1
    container_fs_reads_total{device=/dev/sda} 3
    container_fs_writes_bytes_total{device=/dev/sda} 2
    container_fs_writes_total{device=/dev/sda} 4
    container_memory_cache{} 45000000
    container_memory_events_high_total{} 3
    container_memory_events_max_total{} 4
    container_memory_failcnt{} 4
    container_memory_failures_total{failure_type=pgfault,scope=container} 12
    container_memory_failures_total{failure_type=pgfault,scope=hierarchy} 12
    container_memory_failures_total{failure_type=pgmajfault,scope=container} 13
    container_memory_failures_total{failure_type=pgmajfault,scope=hierarchy} 13
    container_memory_kernel_usage{} 6000000
    container_memory_mapped_file{} 11
    container_memory_max_usage_bytes{} 95000000
    container_memory_rss{} 40000000
    container_memory_swap{} 7
    container_memory_total_active_file_bytes{} 9
    container_memory_total_inactive_file_bytes{} 30000000
    container_memory_usage_bytes{} 90000000
    container_memory_working_set_bytes{} 60000000
    container_network_receive_bytes_total{interface=eth0} 100
    container_network_receive_errors_total{interface=eth0} 1
    container_network_receive_packets_dropped_total{interface=eth0} 2
    container_network_receive_packets_total{interface=eth0} 10
    container_network_transmit_bytes_total{interface=eth0} 200
    container_network_transmit_errors_total{interface=eth0} 3
    container_network_transmit_packets_dropped_total{interface=eth0} 4
    container_network_transmit_packets_total{interface=eth0} 20
    container_oom_events_total{} 2
    container_pressure_cpu_stalled_seconds_total{} 1
    container_pressure_cpu_waiting_seconds_total{} 2.5
    container_pressure_io_stalled_seconds_total{} 0
    container_pressure_io_waiting_seconds_total{} 0
    container_pressure_memory_stalled_seconds_total{} 0
    container_pressure_memory_waiting_seconds_total{} 0
    container_processes{} 1
    container_sockets{} 0
    container_spec_cpu_period{} 100000
    container_spec_cpu_quota{} 50000
    container_spec_cpu_shares{} 2597
    container_spec_memory_limit_bytes{} 100000000
    container_spec_memory_reservation_limit_bytes{} 0
    container_spec_memory_swap_limit_bytes{} 0
    container_start_time_seconds{} 1700000001
    container_threads_max{} 0
    container_threads{} 7
    container_ulimits_soft{ulimit=max_open_files} 1024
    "#);
    let id = format!("/shop_api.slice/docker-{ID}.scope");
    assert_eq!(labels, ["api", &id, "example/api:1", "api", "shop", "shop-7d4b9c"]);
}

#[test]
fn what_dashboards_ask_for_is_there() {
    let collected = collector(&tree(), told()).collect(at(0));
    let have = |name: &&str| collected.readings().iter().any(|reading| reading.metric.name == *name);
    let (covered, missing): (Vec<&str>, Vec<&str>) = ASKED_FOR.split_whitespace().partition(have);
    let total = covered.len() + missing.len();
    let _unheard =
        writeln!(std::io::stderr(), "container_*: {}/{total} names covered, missing {missing:?}", covered.len());
    assert_eq!(missing, NOT_TO_BE_KNOWN);
}

/// `name!=""`, `image!=""`, `container!=""`, `container!="POD"`: a container about which nothing is told is found all the same.
#[test]
fn the_usual_selectors_match_a_container_about_which_nothing_is_told() {
    let collected = collector(&tree(), PeerLabels::default()).collect(at(0));
    let (_, labels) = page(collected.readings());
    let [container, _, image, name, namespace, pod] = labels.as_slice() else { panic!("{labels:?}") };
    assert_eq!([container.as_str(), image, name], ["shop_api", "unknown", "shop_api"]);
    assert_eq!([namespace.as_str(), pod], ["", ""], "no pod is made up");
}

#[test]
fn no_two_series_are_one_and_each_stands_in_the_table() {
    let collected = collector(&tree(), told()).collect(at(0));
    let mut seen = std::collections::HashSet::new();
    for reading in collected.readings() {
        assert!(seen.insert((reading.metric.name, &reading.labels)), "{reading:?}");
        assert_eq!(reading.labels.len(), reading.metric.labels.len(), "{}", reading.metric.name);
        assert!(metrics::FACTS.contains(&reading.metric), "{}", reading.metric.name);
    }
}

#[test]
fn no_limit_is_0_and_one_that_cannot_be_read_is_absent() {
    let tree = tree();
    let limit = |tree: &Tree| {
        let collected = collector(tree, told()).collect(at(0));
        collected.readings().iter().find(|reading| *reading.metric == names::MEMORY_LIMIT).map(|reading| reading.value)
    };
    let file = format!("cgroup/shop_api.slice/docker-{ID}.scope/memory.max");
    assert_eq!(limit(&tree), Some(100_000_000.0));
    tree.write(&file, "max\n");
    assert_eq!(limit(&tree), Some(0.0));
    std::fs::remove_file(tree.join(&file)).expect("removed");
    assert_eq!(limit(&tree), None);
}

#[test]
fn the_working_set_is_never_below_nothing() {
    let tree = tree();
    tree.write(&format!("cgroup/shop_api.slice/docker-{ID}.scope/memory.current"), "10000000\n");
    let collected = collector(&tree, told()).collect(at(0));
    let found = collected.readings().iter().find(|reading| *reading.metric == names::MEMORY_WORKING_SET);
    assert_eq!(found.map(|reading| reading.value), Some(0.0));
}

#[test]
fn what_outlives_the_container_has_the_labels_of_what_outlives_it() {
    let tree = tree();
    let mut cgroup = collector(&tree, told());
    cgroup.collect(at(0));
    tree.remove(&format!("cgroup/shop_api.slice/docker-{ID}.scope"));
    tree.write("cgroup/shop_api.slice/memory.events", "oom_kill 3\n");
    let Collected::Noted(last, _) = cgroup.collect(at(5)) else { panic!("nothing is told of its end") };
    let one = |metric: &Metric| last.iter().find(|reading| reading.metric == metric).expect("told");
    assert_eq!((one(&names::OOM_EVENTS).value, one(&names::OOM_EVENTS).labels[1].as_str()), (3.0, "/shop_api.slice"));
    assert_eq!(one(&names::LAST_SEEN).labels[1], format!("/shop_api.slice/docker-{ID}.scope"));
    assert!(last.iter().all(|reading| *reading.metric != names::MEMORY_USAGE));
}

/// With the mount option `memory_localevents` a parent counts nothing of its children.
#[test]
fn a_parent_that_counts_less_than_its_child_is_not_believed() {
    let tree = tree();
    tree.write("cgroup/shop_api.slice/memory.events", "oom_kill 0\n");
    let collected = collector(&tree, told()).collect(at(0));
    let kills = collected.readings().iter().find(|reading| *reading.metric == names::OOM_EVENTS).expect("told");
    assert!((kills.value - 1.0).abs() < 0.1, "{kills:?}");
}
