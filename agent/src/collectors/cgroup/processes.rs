//! What the container's processes tell: open files, limits, start, root file system, and the network that they share.

use super::super::files::float;
use super::super::members::Found;
use super::super::pid::Pid;
use super::labels::Labels;
use super::names;
use crate::limits;
use crate::reading::{Metric, Reading};
use std::path::Path;

/// Columns of `/proc/<pid>/net/dev`, counted behind the interface's name.
const COLUMNS: &[(&Metric, usize)] = &[
    (&names::RECEIVED_BYTES, 0),
    (&names::RECEIVED_PACKETS, 1),
    (&names::RECEIVED_ERRORS, 2),
    (&names::RECEIVED_DROPPED, 3),
    (&names::SENT_BYTES, 8),
    (&names::SENT_PACKETS, 9),
    (&names::SENT_ERRORS, 10),
    (&names::SENT_DROPPED, 11),
];
/// Interfaces that are no way out of a container, as cAdvisor leaves them out.
const NOT_THE_CONTAINERS: &[&str] = &["lo", "veth", "docker", "nerdctl"];

/// All of it; without a process that is seen, only the network of a pod, which the agent is in itself.
pub(in crate::collectors) fn readings(proc: &Path, members: &Found, labels: &Labels, readings: &mut Vec<Reading>) {
    let network = match members.first() {
        Some((first, stat)) => {
            let soft = first.most_files().ok();
            readings.extend(soft.map(|most| labels.reading(&names::ULIMITS, &["max_open_files"], float(most))));
            readings.extend(first.started_at(stat).map(|at| labels.reading(&names::START_TIME, &[], at)));
            files_open(members, labels, readings);
            root(first, labels, readings);
            Some(first.clone())
        }
        None => labels.is_in_a_pod().then(|| Pid::myself(proc)),
    };
    let table = network.and_then(|process| process.text("net/dev").ok()).unwrap_or_default();
    for (interface, counts) in interfaces(&table) {
        let known = COLUMNS.iter().filter_map(|(metric, column)| Some((*metric, *counts.get(*column)?)));
        readings.extend(known.map(|(metric, count)| labels.reading(metric, &[interface], float(count))));
    }
}

/// Counted only when those of every process could be.
fn files_open(members: &Found, labels: &Labels, readings: &mut Vec<Reading>) {
    let (mut open, mut sockets) = (0_u64, Some(0_u64));
    for (pid, _) in &members.0 {
        let Ok((files, of_them)) = pid.files_and_sockets() else { return };
        open = open.saturating_add(files);
        sockets = sockets.zip(of_them).map(|(one, two)| one.saturating_add(two));
    }
    readings.push(labels.reading(&names::FILE_DESCRIPTORS, &[], float(open)));
    readings.extend(sockets.map(|sockets| labels.reading(&names::SOCKETS, &[], float(sockets))));
}

/// The file system of the container's root; its device is not known from in here.
fn root(first: &Pid, labels: &Labels, readings: &mut Vec<Reading>) {
    let Some(root) = first.root() else { return };
    let plain = [
        (&names::FS_LIMIT, root.f_blocks.saturating_mul(root.f_frsize)),
        (&names::FS_INODES, root.f_files),
        (&names::FS_INODES_FREE, root.f_ffree),
    ];
    // A file system that makes inodes as needed tells 0 of them.
    let told = plain.into_iter().filter(|_| root.f_blocks > 0);
    readings.extend(told.map(|(metric, value)| labels.reading(metric, &["rootfs"], float(value))));
}

/// Interfaces and their counts.
fn interfaces(table: &str) -> impl Iterator<Item = (&str, Vec<u64>)> {
    let lines = table.lines().skip(2).filter_map(|line| line.split_once(':'));
    let named = lines.map(|(name, counts)| (name.trim(), counts));
    let fits = |name: &str| !name.is_empty() && name.len() <= 32 && name.bytes().all(|b| b.is_ascii_graphic());
    let wanted =
        named.filter(move |(name, _)| fits(name) && !NOT_THE_CONTAINERS.iter().any(|begin| name.starts_with(begin)));
    wanted.take(limits::INTERFACES).map(|(name, counts)| {
        (name, counts.split_whitespace().take(16).map_while(|count| count.parse().ok()).collect())
    })
}

/// Reads any bytes as a table of interfaces, for fuzzing.
pub(super) fn read_bytes(bytes: &[u8]) {
    let _read = interfaces(&String::from_utf8_lossy(bytes)).count();
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "Inter-|   Receive  |  Transmit\n face |bytes    packets errs drop fifo frame compressed multicast|bytes\n";

    #[test]
    fn reads_the_interfaces_that_lead_out() {
        let table = format!(
            "{HEAD}    lo: 9 9 0 0 0 0 0 0 9 9 0 0 0 0 0 0\n  eth0:1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\nveth1: 1 1\n"
        );
        let all: Vec<_> = interfaces(&table).collect();
        assert_eq!(all, [("eth0", (1..=16).collect())]);
        assert_eq!(interfaces(&format!("{HEAD}eth0: 1 x 3\n")).collect::<Vec<_>>(), [("eth0", vec![1])]);
        assert_eq!(interfaces("").count(), 0);
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_the_parser(text in "(.{0,10}:? ?([0-9]{0,25} ){0,20}\n){0,40}") {
            assert!(interfaces(&text).count() <= limits::INTERFACES);
        }
    }
}
