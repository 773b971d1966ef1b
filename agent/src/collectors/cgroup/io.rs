//! What the container reads from and writes to block devices: `io.stat` of v2, `blkio.throttle.*` of v1. Source: kernel documentation,
//! admin-guide/cgroup-v2 and cgroup-v1/blkio-controller.

use super::super::files::{self, float};
use super::labels::Labels;
use super::names;
use crate::limits;
use crate::reading::Reading;
use std::collections::BTreeMap;
use std::path::Path;

/// Major and minor number.
pub(super) type Numbers = (u32, u32);

/// One device's counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) reads: Option<u64>,
    pub(super) writes: Option<u64>,
    pub(super) read_bytes: Option<u64>,
    pub(super) written_bytes: Option<u64>,
}

pub(super) type Devices = BTreeMap<Numbers, Counts>;

fn numbers(text: &str) -> Option<Numbers> {
    let (major, minor) = text.split_once(':')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// The counts of a device, room made for it while there are not too many.
fn entry<'a>(devices: &'a mut Devices, device: &str) -> Option<&'a mut Counts> {
    let device = numbers(device)?;
    (devices.len() < limits::DEVICES || devices.contains_key(&device)).then(|| devices.entry(device).or_default())
}

/// Lines of `8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0`.
pub(super) fn v2(text: &str) -> Devices {
    let mut devices = Devices::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let Some(counts) = words.next().and_then(|device| entry(&mut devices, device)) else { continue };
        for (key, value) in words.filter_map(|word| word.split_once('=')) {
            let value = value.parse().ok();
            match key {
                "rbytes" => counts.read_bytes = value,
                "wbytes" => counts.written_bytes = value,
                "rios" => counts.reads = value,
                "wios" => counts.writes = value,
                _ => {}
            }
        }
    }
    devices
}

/// Lines of `8:0 Read 1`, one file for bytes and one for operations.
pub(super) fn v1(bytes: &str, operations: &str) -> Devices {
    let mut devices = Devices::new();
    for (text, of_bytes) in [(bytes, true), (operations, false)] {
        for line in text.lines() {
            let mut words = line.split_whitespace();
            let (Some(device), Some(what), Some(value)) = (words.next(), words.next(), words.next()) else { continue };
            let Some(counts) = entry(&mut devices, device) else { continue };
            let value = value.parse().ok();
            match (what, of_bytes) {
                ("Read", true) => counts.read_bytes = value,
                ("Write", true) => counts.written_bytes = value,
                ("Read", false) => counts.reads = value,
                ("Write", false) => counts.writes = value,
                _ => {}
            }
        }
    }
    devices
}

/// The names of devices, each looked up once.
#[derive(Debug, Default)]
pub(super) struct DeviceNames(BTreeMap<Numbers, String>);

impl DeviceNames {
    /// `/dev/sda`; by its numbers, as udev links them, where `/sys` does not tell the name.
    fn of(&mut self, sys: &Path, (major, minor): Numbers) -> String {
        if let Some(known) = self.0.get(&(major, minor)) {
            return known.clone();
        }
        let uevent = files::read(&sys.join(format!("dev/block/{major}:{minor}/uevent"))).unwrap_or_default();
        let name = uevent.lines().find_map(|line| line.strip_prefix("DEVNAME="));
        let fits = |name: &&str| name.len() <= 64 && name.bytes().all(|b| b.is_ascii_graphic());
        let name = match name.filter(fits) {
            Some(name) => format!("/dev/{name}"),
            None => format!("/dev/block/{major}:{minor}"),
        };
        if self.0.len() < 4 * limits::DEVICES {
            self.0.insert((major, minor), name.clone());
        }
        name
    }

    pub(super) fn readings(&mut self, sys: &Path, devices: &Devices, labels: &Labels, readings: &mut Vec<Reading>) {
        for (numbers, counts) in devices {
            let device = self.of(sys, *numbers);
            let plain = [
                (&names::FS_READS, counts.reads),
                (&names::FS_WRITES, counts.writes),
                (&names::FS_READ_BYTES, counts.read_bytes),
                (&names::FS_WRITTEN_BYTES, counts.written_bytes),
            ];
            let known = plain.into_iter().filter_map(|(metric, value)| Some((metric, value?)));
            readings.extend(known.map(|(metric, value)| labels.reading(metric, &[&device], float(value))));
            let (major, minor) = (numbers.0.to_string(), numbers.1.to_string());
            for (operation, bytes) in [("Read", counts.read_bytes), ("Write", counts.written_bytes)] {
                let more = [device.as_str(), &major, &minor, operation];
                readings.extend(bytes.map(|bytes| labels.reading(&names::BLKIO_USAGE, &more, float(bytes))));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::testing::Tree;

    #[test]
    fn reads_both_versions() {
        let counts = |reads, writes, read_bytes, written_bytes| Counts { reads, writes, read_bytes, written_bytes };
        let all = Devices::from([((8, 0), counts(Some(3), Some(4), Some(1), Some(2)))]);
        assert_eq!(v2("8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=9 dios=9\n"), all);
        assert_eq!(v1("8:0 Read 1\n8:0 Write 2\n8:0 Sync 3\nTotal 3\n", "8:0 Read 3\n8:0 Write 4\nTotal 7\n"), all);
        assert_eq!(v1("8:0 Read 1\n", ""), Devices::from([((8, 0), counts(None, None, Some(1), None))]));
        assert_eq!(v2("rubbish\n8:x rbytes=1\n"), Devices::new());
        assert_eq!(
            v2("254:16 \n"),
            Devices::from([((254, 16), Counts::default())]),
            "an idle device, as 5.x kernels write it"
        );
    }

    #[test]
    fn devices_are_capped() {
        let text: String = (0..1000).map(|minor| format!("8:{minor} rbytes=1\n")).collect();
        assert_eq!(v2(&text).len(), limits::DEVICES);
    }

    #[test]
    fn a_device_has_the_name_that_sys_tells() {
        let tree = Tree::new(&[("dev/block/8:0/uevent", "MAJOR=8\nMINOR=0\nDEVNAME=sda\nDEVTYPE=disk\n")]);
        let mut names = DeviceNames::default();
        assert_eq!(names.of(&tree.path(), (8, 0)), "/dev/sda");
        assert_eq!(names.of(&tree.path(), (8, 1)), "/dev/block/8:1");
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_the_parsers(text in "([0-9:]{1,6} ?(Read|rbytes=)? ?[0-9]{0,25}\n|.{0,40}\n){0,20}") {
            v2(&text);
            v1(&text, &text);
        }
    }
}
