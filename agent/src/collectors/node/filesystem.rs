//! File systems: room and inodes of each mount of the host. In a container without the host's root only what is surely a file system
//! of the host is shown: one mount of each block device or network share, under the container's name for it.

use super::look::{Lack, Look, parser};
use super::mounts::{Answer, Asked, Mount};
use super::{Part, on};
use crate::collectors::files::{self, float};
use crate::limits;
use crate::parser::Parser;
use crate::reading::Metric;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub(super) use super::mounts::Mounts;

const LABELS: &[&str] = &["device", "mountpoint", "fstype", "device_error"];

static SIZE: Metric = Metric::gauge("node_filesystem_size_bytes", "Size of the file system in bytes").labelled(LABELS);
static FREE: Metric =
    Metric::gauge("node_filesystem_free_bytes", "Free space in bytes, also what only root may use").labelled(LABELS);
static AVAILABLE: Metric =
    Metric::gauge("node_filesystem_avail_bytes", "Space that everybody may use, in bytes").labelled(LABELS);
static FILES: Metric = Metric::gauge("node_filesystem_files", "Inodes of the file system").labelled(LABELS);
static FILES_FREE: Metric = Metric::gauge("node_filesystem_files_free", "Free inodes").labelled(LABELS);
static READ_ONLY: Metric =
    Metric::gauge("node_filesystem_readonly", "Whether the mount or its file system is read-only, 1 or 0")
        .labelled(LABELS);
static ERROR: Metric = Metric::gauge(
    "node_filesystem_device_error",
    "Whether the file system could not be asked, 1 or 0; one that hangs is not asked again until it answers",
)
.labelled(LABELS);
static INFO: Metric = Metric::gauge("node_filesystem_mount_info", "Which device is mounted where, always 1")
    .labelled(&["device", "major", "minor", "mountpoint"]);

/// The row of the table.
pub(super) static FILESYSTEM: Part =
    on("filesystem", filesystem, &[&SIZE, &FREE, &AVAILABLE, &FILES, &FILES_FREE, &READ_ONLY, &ERROR, &INFO]);
/// What reads the kernel's bytes here.
pub(super) const MOUNTINFO: Parser = parser("node_mountinfo", |bytes| {
    String::from_utf8_lossy(bytes).lines().for_each(|line| drop(Mount::read(line)));
});

/// File systems that hold no files of people, as node_exporter's default pattern has it.
const LEFT_OUT: [&str; 25] = [
    "autofs",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "devpts",
    "devtmpfs",
    "fusectl",
    "hugetlbfs",
    "iso9660",
    "mqueue",
    "nsfs",
    "overlay",
    "proc",
    "procfs",
    "pstore",
    "rpc_pipefs",
    "securityfs",
    "selinuxfs",
    "squashfs",
    "erofs",
    "sysfs",
    "tracefs",
];

/// Mount points of the system itself, as node_exporter's default pattern has it:
/// `^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)`.
fn is_of_the_system(point: &str) -> bool {
    let below = |folder: &str| point.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let inside = |folder: &str| point.strip_prefix(folder).is_some_and(|rest| !rest.is_empty());
    ["/dev", "/proc", "/sys"].iter().any(|folder| below(folder))
        || ["/run/credentials/", "/var/lib/docker/", "/var/lib/containers/storage/"].iter().any(|folder| inside(folder))
}

/// A mount point as the host names it, where its root is mounted at `root`; `None` for what is not below it.
fn as_the_host_says<'a>(point: &'a str, root: &Path) -> Option<&'a str> {
    let root = root.to_str()?.trim_end_matches('/');
    match point.strip_prefix(root)? {
        "" => Some("/"),
        rest if rest.starts_with('/') => Some(rest),
        _ => None,
    }
}

/// The mounts to be asked: with the name that the host has for each.
fn chosen(text: &str, look: &Look<'_>) -> Vec<(Mount, String)> {
    let sight = look.sight;
    let mounts = text.lines().filter_map(Mount::read);
    let mut chosen: Vec<(Mount, String)> = Vec::new();
    let mut devices = BTreeSet::new();
    let foreign = !sight.below_a_root() && !sight.has_its_mounts();
    for mount in mounts {
        let Some(point) = as_the_host_says(&mount.point, &sight.root) else { continue };
        if is_of_the_system(point) || LEFT_OUT.contains(&mount.kind.as_str()) {
            continue;
        }
        if foreign && !(mount.is_of_a_device() && is_no_file_of_docker(point) && devices.insert(mount.device_number()))
        {
            continue;
        }
        let point = point.to_owned();
        chosen.push((mount, point));
    }
    chosen.truncate(limits::NODE_MOUNTS);
    chosen
}

/// Whether it is none of the files that container engines mount one by one.
fn is_no_file_of_docker(point: &str) -> bool {
    !["/etc/hosts", "/etc/hostname", "/etc/resolv.conf"].contains(&point) && !point.starts_with("/run/secrets/")
}

fn filesystem(look: &mut Look<'_>) -> Result<(), Lack> {
    let text = files::read(&look.sight.own_mounts).map_err(|error| Lack::Failed(error.to_string()))?;
    let chosen = chosen(&text, look);
    let paths: Vec<PathBuf> = chosen.iter().map(|(mount, _)| PathBuf::from(&mount.point)).collect();
    let answers = look.kept.mounts.ask(paths);
    let mut seen = BTreeSet::new();
    let mut unasked = 0;
    for ((mount, point), answer) in chosen.iter().zip(answers) {
        match answer {
            Asked::NotAsked => unasked += 1,
            Asked::Answered(answer) if seen.insert((&mount.source, point, &mount.kind)) => {
                tell(look, mount, point, &answer);
            }
            Asked::Answered(_) => {}
        }
    }
    match unasked {
        0 => Ok(()),
        unasked => Err(Lack::Failed(format!("{unasked} mounts were not asked, too many others hang"))),
    }
}

fn tell(look: &mut Look<'_>, mount: &Mount, point: &str, answer: &Answer) {
    let device = mount.shown_source();
    let error = answer.as_ref().err().copied().unwrap_or_default();
    let labels = [device.as_str(), point, &mount.kind, error];
    look.give(&ERROR, labels, f64::from(u8::from(answer.is_err())));
    look.give(&READ_ONLY, labels, f64::from(u8::from(mount.read_only)));
    let Ok(room) = answer else { return };
    look.give(&SIZE, labels, float(room.size));
    look.give(&FREE, labels, float(room.free));
    look.give(&AVAILABLE, labels, float(room.available));
    look.give(&FILES, labels, float(room.files));
    look.give(&FILES_FREE, labels, float(room.files_free));
    look.give(&INFO, [&device, &mount.major, &mount.minor, point], 1.0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::node::off;
    use crate::collectors::node::testing::{Bench, found};

    const KTHREADD: &str = "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0";
    const BARE: &str = "27 1 254:0 / / rw - ext4 /dev/vda rw\n\
        22 27 0:21 / /proc rw - proc proc rw\n\
        28 27 8:2 / /data\\040one ro - xfs /dev/sdb1 rw\n\
        29 27 0:30 / /mnt/nfs rw - nfs4 nas:/export rw\n\
        30 27 0:40 / /run rw - tmpfs tmpfs rw\n\
        31 27 0:41 / /var/lib/docker/overlay2/x rw - ext4 /dev/vda rw\n";

    fn points(readings: &[crate::reading::Reading]) -> Vec<String> {
        let errors = readings.iter().filter(|reading| reading.metric.name == "node_filesystem_device_error");
        errors.map(|reading| reading.labels[1].clone()).collect()
    }

    #[test]
    fn on_a_bare_host_every_mount_with_files_is_shown() {
        let bench = Bench::new(&[("proc/2/stat", KTHREADD), ("proc/1/mountinfo", BARE), ("proc/self/mountinfo", BARE)]);
        let (result, readings) = bench.look(&FILESYSTEM);
        assert_eq!(result, Ok(()));
        assert_eq!(points(&readings), ["/", "/data one", "/mnt/nfs", "/run"]);
        assert!(found(&readings, "node_filesystem_size_bytes", &["/dev/vda", "/", "ext4", ""]) > Some(0.0));
        let missing = ["/dev/sdb1", "/data one", "xfs", "no such file or directory"];
        assert_eq!(found(&readings, "node_filesystem_device_error", &missing), Some(1.0));
        assert_eq!(found(&readings, "node_filesystem_readonly", &missing), Some(1.0));
    }

    #[test]
    fn with_the_hosts_root_mounted_its_mount_points_are_stripped_of_it() {
        let bench = Bench::below("host", &[]);
        let root = bench.root().display().to_string();
        let own = format!(
            "1 0 0:9 / / rw - overlay overlay rw\n2 1 8:1 / {root} ro - ext4 /dev/sda1 rw\n\
             3 2 8:2 / {root}/boot rw - ext4 /dev/sda2 ro,emergency_ro\n4 1 8:3 / {root}-other rw - ext4 /dev/sda3 rw\n\
             5 1 8:1 /x /etc/hosts rw - ext4 /dev/sda1 rw\n"
        );
        bench.write("proc/self/mountinfo", &own);
        let (_, readings) = bench.look(&FILESYSTEM);
        assert_eq!(points(&readings), ["/", "/boot"]);
    }

    #[test]
    fn in_a_container_only_a_file_system_of_the_host_is_shown_and_once() {
        let own = "1 0 0:9 / / rw - overlay overlay rw\n2 1 0:10 / /dev/shm rw - tmpfs shm rw\n\
            3 1 8:1 /a /etc/hosts rw - ext4 /dev/sda1 rw\n4 1 8:1 /volumes/db /volumes/db ro - ext4 /dev/sda1 rw\n\
            5 1 8:1 /volumes/more /more ro - ext4 /dev/sda1 rw\n6 1 0:11 / /scratch rw - tmpfs tmpfs rw\n\
            7 1 0:12 / /share rw - nfs4 nas:/export rw\n";
        let (_, readings) = Bench::new(&[("proc/self/mountinfo", own)]).look(&FILESYSTEM);
        assert_eq!(points(&readings), ["/volumes/db", "/share"]);
    }

    #[test]
    fn each_figure_of_a_file_system_has_its_name() {
        fn told(look: &mut Look<'_>) -> Result<(), Lack> {
            let mount = Mount::read("1 2 8:1 / /a rw - ext4 /dev/a rw").expect("a mount");
            tell(
                look,
                &mount,
                "/a",
                &Ok(super::super::mounts::Room { size: 5, free: 4, available: 3, files: 2, files_free: 1 }),
            );
            Ok(())
        }
        static TOLD: Part = off("told", told, &[]);
        let (_, readings) = Bench::new(&[]).look(&TOLD);
        let names = ["size_bytes", "free_bytes", "avail_bytes", "files", "files_free", "device_error"];
        let value = |name| found(&readings, &format!("node_filesystem_{name}"), &["/dev/a", "/a", "ext4", ""]);
        assert_eq!(names.map(value), [5.0, 4.0, 3.0, 2.0, 1.0, 0.0].map(Some));
    }

    #[test]
    fn mounts_of_the_system_are_left_out() {
        for point in
            ["/dev", "/dev/shm", "/proc", "/sys/fs/cgroup", "/var/lib/docker/overlay2/a/merged", "/run/credentials/x"]
        {
            assert!(is_of_the_system(point), "{point}");
        }
        for point in
            ["/", "/devices", "/processed", "/var/lib/docker", "/var/lib/docker/", "/run/credentials", "/run", "/home"]
        {
            assert!(!is_of_the_system(point), "{point}");
        }
    }

    #[test]
    fn the_hosts_name_of_a_mount_point() {
        let cases = [
            ("/", "/", Some("/")),
            ("/data", "/", Some("/data")),
            ("/host", "/host", Some("/")),
            ("/host/data", "/host/", Some("/data")),
            ("/hosting", "/host", None),
            ("/etc/hosts", "/host", None),
        ];
        for (point, root, expected) in cases {
            assert_eq!(as_the_host_says(point, Path::new(root)), expected, "{point} below {root}");
        }
    }
}
