//! Disks: what `/proc/diskstats` counts of each. Source: kernel documentation, admin-guide/iostats; sectors have 512 bytes there,
//! whatever the disk's own are.

use super::look::{Lack, Look, parser, text};
use super::{Part, on};
use crate::collectors::files::float;
use crate::parser::Parser;
use crate::reading::Metric;

const DEVICE: &[&str] = &["device"];

/// Factor of the kernel's unit.
const ONE: f64 = 1.0;
const SECTOR: f64 = 512.0;
const MILLISECOND: f64 = 0.001;

/// The columns of a line behind the name, in order, with what a unit of them is.
static COLUMNS: [(Metric, f64); 17] = [
    (Metric::counter("node_disk_reads_completed_total", "Reads that were finished").labelled(DEVICE), ONE),
    (Metric::counter("node_disk_reads_merged_total", "Reads that were joined with another one").labelled(DEVICE), ONE),
    (Metric::counter("node_disk_read_bytes_total", "Bytes read").labelled(DEVICE), SECTOR),
    (
        Metric::counter("node_disk_read_time_seconds_total", "Seconds that all reads took together").labelled(DEVICE),
        MILLISECOND,
    ),
    (Metric::counter("node_disk_writes_completed_total", "Writes that were finished").labelled(DEVICE), ONE),
    (
        Metric::counter("node_disk_writes_merged_total", "Writes that were joined with another one").labelled(DEVICE),
        ONE,
    ),
    (Metric::counter("node_disk_written_bytes_total", "Bytes written").labelled(DEVICE), SECTOR),
    (
        Metric::counter("node_disk_write_time_seconds_total", "Seconds that all writes took together").labelled(DEVICE),
        MILLISECOND,
    ),
    (Metric::gauge("node_disk_io_now", "Requests that are under way").labelled(DEVICE), ONE),
    (
        Metric::counter("node_disk_io_time_seconds_total", "Seconds in which the disk was busy").labelled(DEVICE),
        MILLISECOND,
    ),
    (
        Metric::counter(
            "node_disk_io_time_weighted_seconds_total",
            "Seconds in which the disk was busy, times the requests under way",
        )
        .labelled(DEVICE),
        MILLISECOND,
    ),
    (Metric::counter("node_disk_discards_completed_total", "Discards that were finished").labelled(DEVICE), ONE),
    (
        Metric::counter("node_disk_discards_merged_total", "Discards that were joined with another one")
            .labelled(DEVICE),
        ONE,
    ),
    (
        Metric::counter("node_disk_discarded_sectors_total", "Sectors of 512 bytes that were discarded")
            .labelled(DEVICE),
        ONE,
    ),
    (
        Metric::counter("node_disk_discard_time_seconds_total", "Seconds that all discards took together")
            .labelled(DEVICE),
        MILLISECOND,
    ),
    (Metric::counter("node_disk_flush_requests_total", "Flushes that were finished").labelled(DEVICE), ONE),
    (
        Metric::counter("node_disk_flush_requests_time_seconds_total", "Seconds that all flushes took together")
            .labelled(DEVICE),
        MILLISECOND,
    ),
];
static INFO: Metric = Metric::gauge(
    "node_disk_info",
    "What the disk is, always 1; path, wwn, model, serial and revision are empty where udev's database cannot be read",
)
.labelled(&["device", "major", "minor", "path", "wwn", "model", "serial", "revision", "rotational"]);

/// The row of the table.
pub(super) static DISKSTATS: Part = on(
    "diskstats",
    diskstats,
    &[
        &COLUMNS[0].0,
        &COLUMNS[1].0,
        &COLUMNS[2].0,
        &COLUMNS[3].0,
        &COLUMNS[4].0,
        &COLUMNS[5].0,
        &COLUMNS[6].0,
        &COLUMNS[7].0,
        &COLUMNS[8].0,
        &COLUMNS[9].0,
        &COLUMNS[10].0,
        &COLUMNS[11].0,
        &COLUMNS[12].0,
        &COLUMNS[13].0,
        &COLUMNS[14].0,
        &COLUMNS[15].0,
        &COLUMNS[16].0,
        &INFO,
    ],
);
/// What reads the kernel's bytes here.
pub(super) const LINE: Parser = parser("node_diskstats", |bytes| {
    for line in String::from_utf8_lossy(bytes).lines() {
        let _left_out = disk(line).map(|disk| is_left_out(disk.name));
    }
});

/// A line of `/proc/diskstats`.
#[derive(Debug, PartialEq)]
struct Disk<'a> {
    major: &'a str,
    minor: &'a str,
    name: &'a str,
    /// As many as this kernel counts.
    counts: Vec<u64>,
}

fn disk(line: &str) -> Option<Disk<'_>> {
    let mut words = line.split_ascii_whitespace();
    let (major, minor, name) = (words.next()?, words.next()?, words.next()?);
    let counts: Option<Vec<u64>> = words.take(COLUMNS.len()).map(|word| word.parse().ok()).collect();
    Some(Disk { major, minor, name, counts: counts.filter(|counts| !counts.is_empty())? })
}

/// Memory, loops, floppies and partitions, as node_exporter's default pattern has it:
/// `^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$`.
fn is_left_out(name: &str) -> bool {
    let kind = name.trim_end_matches(|c: char| c.is_ascii_digit());
    if kind.len() == name.len() {
        return false;
    }
    let letters = |start: &str| kind.strip_prefix(start).is_some_and(|rest| matches!(rest.as_bytes(), [b'a'..=b'z']));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let of_nvme = |kind: &str| {
        let (controller, rest) = kind.strip_prefix("nvme")?.split_once('n')?;
        Some(digits(controller) && digits(rest.strip_suffix('p')?))
    };
    ["ram", "zram", "loop", "fd"].contains(&kind)
        || ["hd", "sd", "vd", "xvd"].iter().any(|start| letters(start))
        || of_nvme(kind).unwrap_or(false)
}

fn diskstats(look: &mut Look<'_>) -> Result<(), Lack> {
    let text = look.needed("diskstats")?;
    for disk in text.lines().filter_map(disk).filter(|disk| !is_left_out(disk.name)) {
        for ((metric, unit), count) in COLUMNS.iter().zip(&disk.counts) {
            look.give(metric, [disk.name], float(*count) * unit);
        }
        info(look, &disk);
    }
    Ok(())
}

fn info(look: &mut Look<'_>, disk: &Disk<'_>) {
    let database = look.sight.root.join(format!("run/udev/data/b{}:{}", disk.major, disk.minor));
    let known = text(&database).unwrap_or_default();
    let property = |name: &str| {
        let found = known.lines().find_map(|line| line.strip_prefix("E:")?.strip_prefix(name)?.strip_prefix('='));
        found.unwrap_or_default()
    };
    let serials = ["SCSI_IDENT_SERIAL", "ID_SERIAL_SHORT", "ID_SERIAL"];
    let serial = serials.iter().map(|name| property(name)).find(|found| !found.is_empty()).unwrap_or_default();
    // In `/sys/block`, the `/` of a name such as `cciss/c0d0` is written `!`.
    let queue = look.sys("block").join(disk.name.replace('/', "!")).join("queue/rotational");
    let rotational = if text(&queue).is_some_and(|text| text == "1") { "1" } else { "0" };
    let [path, wwn, model, revision] = ["ID_PATH", "ID_WWN", "ID_MODEL", "ID_REVISION"].map(property);
    let labels = [disk.name, disk.major, disk.minor, path, wwn, model, serial, revision, rotational];
    look.give(&INFO, labels, 1.0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::node::testing::{found, look_at};

    const VDA: &str = " 254       0 vda 158832 11480 7869354 165070 32050 67317 15588184 47387 0 14144 213812 9680 1 2255944 1220 3983 134\n";

    #[test]
    fn reads_what_each_kernel_counts() {
        let cases = [
            (VDA, Some(("vda", 17))),
            (" 8 0 sda 1 2 3 4 5 6 7 8 9 10 11", Some(("sda", 11))),
            (" 8 0 sda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19", Some(("sda", 17))),
            (" 8 0 sda", None),
            (" 8 0 sda 1 x", None),
            ("", None),
        ];
        for (line, expected) in cases {
            assert_eq!(disk(line).map(|disk| (disk.name, disk.counts.len())), expected, "{line}");
        }
    }

    #[test]
    fn leaves_out_partitions_and_memory() {
        for name in ["ram0", "zram1", "loop7", "fd0", "sda1", "hdb12", "vda2", "xvdf1", "nvme0n1p1", "nvme10n2p33"] {
            assert!(is_left_out(name), "{name}");
        }
        for name in ["sda", "vda", "xvda", "nvme0n1", "dm-0", "md0", "sdaa1", "mmcblk0p1", "sr0", "c0d0", "", "0"] {
            assert!(!is_left_out(name), "{name}");
        }
    }

    #[test]
    fn units_are_bytes_and_seconds() {
        let (result, readings) = look_at(&[("proc/diskstats", VDA)], &DISKSTATS);
        assert_eq!((result, readings.len()), (Ok(()), 18));
        assert_eq!(found(&readings, "node_disk_read_bytes_total", &["vda"]), Some(7_869_354.0 * 512.0));
        assert_eq!(found(&readings, "node_disk_read_time_seconds_total", &["vda"]), Some(165.07));
        assert_eq!(found(&readings, "node_disk_discarded_sectors_total", &["vda"]), Some(2_255_944.0));
    }

    #[test]
    fn names_a_disk_from_udevs_database() {
        let files = [
            ("proc/diskstats", VDA),
            ("run/udev/data/b254:0", "S:disk\nE:ID_MODEL=QEMU\nE:ID_SERIAL=a1\nE:ID_PATH=pci-0000:00:04.0\n"),
            ("sys/block/vda/queue/rotational", "1\n"),
        ];
        let (_, readings) = look_at(&files, &DISKSTATS);
        let labels = ["vda", "254", "0", "pci-0000:00:04.0", "", "QEMU", "a1", "", "1"];
        assert_eq!(found(&readings, "node_disk_info", &labels), Some(1.0));
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_the_parser(line in " ?[0-9]{0,3} [0-9]{0,3} [a-z0-9]{0,12} [0-9 ]{0,80}|.{0,80}") {
            let _left_out = disk(&line).map(|disk| is_left_out(disk.name));
        }
    }
}
