//! Free space and inodes of the volumes that the configuration names, and of `/`. A source of its own: a hung mount then costs only
//! this one.

use super::facts::DISK_FREE_RATIO;
use super::files::{self, float, ratio};
use super::{Collected, Collector, Moment, Source};
use crate::reading::{Metric, Reading};
use std::path::{Path, PathBuf};

static SIZE: Metric =
    Metric::gauge("sidecar_disk_size_bytes", "Size of the file system in bytes").labelled(&["mountpoint"]);
static FREE: Metric = Metric::gauge("sidecar_disk_free_bytes", "Space available to unprivileged users in bytes")
    .labelled(&["mountpoint"]);
static INODES_FREE: Metric = Metric::gauge(
    "sidecar_disk_inodes_free_ratio",
    "Free inodes divided by all inodes, 0 to 1; absent where the file system has none",
)
.labelled(&["mountpoint"]);
static READ_ONLY: Metric = Metric::gauge(
    "sidecar_disk_read_only",
    "1 when the file system itself is read-only, else 0; that a writable one is mounted read-only here does not count",
)
.labelled(&["mountpoint"]);

/// The row of the table.
pub(super) static SOURCE: Source = Source {
    name: "volumes",
    summary: "free space and inodes of `/` and of the volumes named in `peer.volumes`",
    default_on: true,
    facts: &[&DISK_FREE_RATIO, &SIZE, &FREE, &INODES_FREE, &READ_ONLY],
    parsers: &[],
    build: |roots, peer| {
        let mut paths = vec![PathBuf::from("/")];
        paths.extend(peer.volumes.iter().filter(|path| path.as_os_str() != "/").cloned());
        Box::new(Volumes { paths, proc: roots.proc.clone() })
    },
};

struct Volumes {
    paths: Vec<PathBuf>,
    proc: PathBuf,
}

impl Collector for Volumes {
    fn collect(&mut self, _at: Moment) -> Collected {
        let mut readings = Vec::new();
        let mut unread = Vec::new();
        let mounts = files::read(&self.proc.join("self/mountinfo")).unwrap_or_default();
        for path in &self.paths {
            match look(path, &mounts) {
                Ok(found) => readings.extend(found),
                Err(error) => unread.push(format!("`{}`: {error}", path.display())),
            }
        }
        if unread.is_empty() { Collected::Readings(readings) } else { Collected::Partly(readings, unread.join("; ")) }
    }
}

fn look(path: &Path, mounts: &str) -> Result<Vec<Reading>, rustix::io::Errno> {
    let stat = rustix::fs::statvfs(path)?;
    let name = path.to_string_lossy();
    let (size, free) = (stat.f_blocks.saturating_mul(stat.f_frsize), stat.f_bavail.saturating_mul(stat.f_frsize));
    let device = rustix::fs::stat(path)?.st_dev;
    let here = || stat.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY);
    let read_only = is_read_only(mounts, device).unwrap_or_else(here);
    let mut readings = vec![
        SIZE.with([&name], float(size)),
        FREE.with([&name], float(free)),
        READ_ONLY.with([&name], f64::from(u8::from(read_only))),
    ];
    readings.extend(ratio(free, size).map(|share| DISK_FREE_RATIO.with([&name], share)));
    readings.extend(ratio(stat.f_favail, stat.f_files).map(|share| INODES_FREE.with([&name], share)));
    Ok(readings)
}

/// Whether the file system on that device is read-only, whatever the mount is: the last field of `/proc/self/mountinfo`, proc(5).
/// `None` when the device is not among the mounts, as with subvolumes of btrfs.
fn is_read_only(mounts: &str, device: u64) -> Option<bool> {
    let device = format!("{}:{}", rustix::fs::major(device), rustix::fs::minor(device));
    let line = mounts.lines().find(|line| line.split(' ').nth(2) == Some(&device))?;
    let (_, own) = line.split_once(" - ")?;
    Some(own.split(' ').nth(2)?.split(',').any(|option| option == "ro"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::testing::{at, value};

    fn volumes(paths: &[&str]) -> Volumes {
        Volumes { paths: paths.iter().map(PathBuf::from).collect(), proc: "/proc".into() }
    }

    #[test]
    fn a_writable_file_system_that_is_mounted_read_only_is_writable() {
        let mounts = "36 35 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro\n\
                      40 36 8:2 /volumes/a /data ro,relatime - ext4 /dev/sdb1 rw\n\
                      41 36 8:3 /volumes/b /more ro,relatime - ext4 /dev/sdc1 ro\n";
        let said = [1, 2, 3, 4].map(|minor| is_read_only(mounts, rustix::fs::makedev(8, minor)));
        assert_eq!(said, [Some(false), Some(false), Some(true), None]);
        assert_eq!(is_read_only("", rustix::fs::makedev(8, 1)), None);
    }

    #[test]
    fn says_what_df_says() {
        let Collected::Readings(readings) = volumes(&["/"]).collect(at(0)) else { panic!("no readings") };
        let df = std::process::Command::new("df").args(["-B1", "--output=size,avail", "/"]).output().expect("df");
        let words: Vec<f64> =
            String::from_utf8_lossy(&df.stdout).split_whitespace().filter_map(|word| word.parse().ok()).collect();
        assert_eq!(value(&readings, &SIZE, &["/"]), Some(words[0]));
        let free = value(&readings, &FREE, &["/"]).expect("free space");
        assert!((free - words[1]).abs() < 1e9, "within a gigabyte, for others write too: {free} {}", words[1]);
        let share = value(&readings, &DISK_FREE_RATIO, &["/"]).expect("a ratio");
        assert!((share - free / words[0]).abs() < 1e-9);
    }

    #[test]
    fn a_volume_that_is_not_there_is_named_and_costs_the_others_nothing() {
        let Collected::Partly(readings, why) = volumes(&["/", "/nowhere"]).collect(at(0)) else {
            panic!("nothing was amiss")
        };
        assert!(value(&readings, &SIZE, &["/"]).is_some());
        assert!(why.starts_with("`/nowhere`: "), "{why}");
    }
}
