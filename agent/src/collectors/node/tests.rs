//! The source as a whole: parts fail alone, switches, pace, and what every part gives is declared.

use super::testing::{Bench, found};
use super::*;
use crate::collectors::testing::at;

const STAT: &str = "cpu0 1 2 3 4\nintr 5\nctxt 6\nbtime 7\nprocesses 8\nprocs_running 1\nprocs_blocked 0\n";

fn only(names: &[&'static str]) -> NodePlan {
    NodePlan { switches: parts().map(|(name, _)| (name, names.contains(&name))).collect(), interval: None }
}

#[test]
fn a_part_that_fails_costs_the_others_nothing_and_what_is_not_there_is_no_failure() {
    let bench = Bench::new(&[("proc/stat", STAT), ("proc/loadavg", "nonsense\n")]);
    let mut node = bench.node(&only(&["stat", "loadavg", "mdadm"]));
    let Collected::Partly(readings, why) = node.collect(at(0)) else { panic!("nothing was amiss") };
    assert_eq!(why, "loadavg: no load: `nonsense`");
    assert_eq!(found(&readings, "node_forks_total", &[]), Some(8.0));
    for (part, success) in [("stat", 1.0), ("loadavg", 0.0), ("mdadm", 1.0)] {
        assert_eq!(found(&readings, "node_scrape_collector_success", &[part]), Some(success), "{part}");
        assert!(found(&readings, "node_scrape_collector_duration_seconds", &[part]).is_some(), "{part}");
    }
}

#[test]
fn a_containers_own_figures_are_left_out_with_the_reason() {
    let bench = Bench::new(&[("proc/net/dev", "eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"), ("proc/stat", STAT)]);
    let Collected::Noted(readings, why) = bench.node(&only(&["netdev", "netclass", "os", "stat"])).collect(at(0))
    else {
        panic!("nothing was left out")
    };
    assert!(why.contains("left out: netclass, netdev, for this is a container's own network"), "{why}");
    assert!(why.contains("left out: os, for") && why.contains("host_root"), "{why}");
    assert_eq!(found(&readings, "node_scrape_collector_success", &["netdev"]), None);
    assert!(!readings.iter().any(|reading| reading.metric.name.starts_with("node_network_")));
}

#[test]
fn parts_are_switched_one_by_one() {
    let names = |plan: &NodePlan| Bench::new(&[]).node(plan).parts.iter().map(|part| part.name).collect::<Vec<_>>();
    let usual = names(&NodePlan::default());
    assert!(usual.contains(&"hwmon") && !usual.contains(&"interrupts") && !usual.contains(&"processes"));
    let switched = names(&NodePlan { switches: vec![("hwmon", false), ("interrupts", true)], interval: None });
    assert!(!switched.contains(&"hwmon") && switched.contains(&"interrupts"));
}

#[test]
fn it_is_read_at_its_own_pace() {
    let bench = Bench::new(&[]);
    let mut node = bench.node(&only(&[]));
    assert!(node.is_due(at(0).now));
    node.collect(at(0));
    assert_eq!([5, 10, 15].map(|seconds| node.is_due(at(seconds).now)), [false, false, true]);
    let mut slow = bench.node(&NodePlan { interval: Some(Duration::from_mins(1)), ..only(&[]) });
    slow.collect(at(0));
    assert_eq!([30, 60].map(|seconds| slow.is_due(at(seconds).now)), [false, true]);
}

/// On this very machine.
#[test]
fn every_reading_is_declared_by_the_part_that_gives_it() {
    let sight = Sight::of(&crate::collectors::Roots::of_system());
    let mut kept = Kept::default();
    for part in PARTS {
        let mut look = Look { sight: &sight, kept: &mut kept, at: at(0), found: Vec::new(), before: 0 };
        let _result = (part.read)(&mut look);
        for reading in &look.found {
            let declared = part.facts.iter().any(|fact| fact.covers(reading.metric));
            assert!(declared, "{} gives {}", part.name, reading.metric.name);
            assert_eq!(reading.labels.len(), reading.metric.labels.len(), "{}", reading.metric.name);
        }
        let mut series: Vec<_> = look.found.iter().map(|reading| (reading.metric.name, &reading.labels)).collect();
        series.sort();
        let all = series.len();
        series.dedup();
        assert_eq!(series.len(), all, "{} gives a series twice", part.name);
    }
}

#[test]
fn names_are_sorted_and_unique_so_that_they_can_be_switched() {
    let names: Vec<&str> = parts().map(|(name, _)| name).collect();
    assert!(names.is_sorted() && names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
}

#[test]
fn what_one_part_gives_is_bounded() {
    let mut text = (0..2000).map(|cpu| format!("CPU{cpu} ")).collect::<String>() + "\n";
    let counts = "1 ".repeat(2000);
    (0..30).for_each(|number| text.push_str(&format!("{number}: {counts} edge device\n")));
    let (result, readings) = Bench::new(&[("proc/interrupts", &text)]).look(&processes::INTERRUPTS_PART);
    assert_eq!((result, readings.len()), (Ok(()), limits::NODE_PART_READINGS));
}
