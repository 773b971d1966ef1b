//! What is mounted in this container, from `mountinfo` (proc(5)).

use super::container;
use std::path::Path;

/// A mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mount {
    /// Where.
    pub(super) at: String,
    kind: String,
    options: String,
    /// Whether it can be written to, as far as the mount goes.
    pub(super) writable: bool,
}

/// The mounts of this process.
pub(super) fn read(proc: &Path) -> Option<Vec<Mount>> {
    let text = container::read(&proc.join("self/mountinfo")).ok()?;
    Some(text.lines().filter_map(parse).collect())
}

/// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`.
fn parse(line: &str) -> Option<Mount> {
    let (before, behind) = line.split_once(" - ")?;
    let mut before = before.split(' ').skip(4);
    let (at, options) = (before.next()?, before.next()?);
    let mut behind = behind.split(' ');
    let (kind, of_file_system) = (behind.next()?, behind.nth(1).unwrap_or_default());
    let read_only = |options: &str| options.split(',').any(|option| option == "ro");
    Some(Mount {
        at: unescaped(at),
        kind: kind.to_owned(),
        writable: !read_only(options) && !read_only(of_file_system),
        options: format!("{options},{of_file_system}"),
    })
}

/// Spaces and the like stand as three octal digits.
fn unescaped(text: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// Kinds that hold no data of anybody.
const OF_THE_KERNEL: &[&str] = &[
    "proc",
    "sysfs",
    "tmpfs",
    "devpts",
    "devtmpfs",
    "mqueue",
    "cgroup",
    "cgroup2",
    "bpf",
    "tracefs",
    "debugfs",
    "securityfs",
];
/// What engines mount into every container.
const OF_THE_ENGINE: &[&str] = &["/etc/resolv.conf", "/etc/hostname", "/etc/hosts", "/dev/termination-log"];

impl Mount {
    /// Whether somebody mounted it on purpose.
    pub(super) fn is_volume(&self) -> bool {
        let kernel =
            ["/proc", "/sys", "/dev"].iter().any(|top| self.at == *top || self.at.starts_with(&format!("{top}/")));
        self.at != "/"
            && !kernel
            && !OF_THE_KERNEL.contains(&self.kind.as_str())
            && !OF_THE_ENGINE.contains(&self.at.as_str())
    }

    /// The option by which `/proc` hides processes.
    pub(super) fn hides_processes(&self) -> Option<String> {
        let of_proc = self.at == "/proc" && self.kind == "proc";
        let option = self.options.split(',').find(|option| option.starts_with("hidepid=")).filter(|_| of_proc)?;
        (!matches!(option, "hidepid=0" | "hidepid=off")).then(|| option.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_mountinfo_is_read() {
        let mount = parse("36 35 98:0 /a /data\\040of\\040db rw,noatime shared:1 - ext4 /dev/sda1 rw").unwrap();
        assert_eq!((mount.at.as_str(), mount.writable, mount.is_volume()), ("/data of db", true, true));
        assert!(!parse("36 35 98:0 / /backups ro,relatime - ext4 /dev/sda1 rw").unwrap().writable);
        assert!(!parse("36 35 98:0 / /backups rw - nfs server:/x ro,vers=4").unwrap().writable);
        for line in [
            "1 2 0:1 / /tmp rw - tmpfs tmpfs rw",
            "1 2 0:1 / /etc/hosts rw - ext4 /dev/sda1 rw",
            "1 2 0:1 / / rw - overlay overlay rw",
        ] {
            assert!(!parse(line).unwrap().is_volume(), "{line}");
        }
        let hidden = parse("1 2 0:1 / /proc rw - proc proc rw,hidepid=2").unwrap();
        assert_eq!(hidden.hides_processes().as_deref(), Some("hidepid=2"));
        assert_eq!(parse("1 2 0:1 / /proc rw - proc proc rw").unwrap().hides_processes(), None);
        assert_eq!(parse("nonsense"), None);
    }
}
