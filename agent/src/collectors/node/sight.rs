//! What of the host can be seen from here. Most of `/proc` and `/sys` is the whole machine's, in a container too; network and mounts
//! are those of the reader's own namespaces. What must stay true: a container's own figures are never shown as the host's.

use crate::collectors::Roots;
use crate::collectors::files;
use std::path::{Path, PathBuf};

/// The kernel's number of the initial UTS namespace, `PROC_UTS_INIT_INO`.
const HOST_NAMES: &str = "uts:[4026531838]";
/// Why the parts that belong to a network namespace are left out.
const OWN_NETWORK: &str = "this is a container's own network: give the container the host's network, or its PID namespace, or \
                           mount the host's `/` and name it in `host_root`";

/// Why the parts that read the host's own files are left out.
const OWN_FILES: &str = "these are a container's own files: mount the host's `/` and name it in `host_root`";
/// Why the parts that look at every process are left out.
const OWN_PROCESSES: &str = "these are a container's own processes: give the container the host's PID namespace";

/// Where the host's figures are.
#[derive(Debug)]
pub(super) struct Sight {
    /// Its `/proc`.
    pub(super) proc: PathBuf,
    /// Its `/sys`.
    pub(super) sys: PathBuf,
    /// Its `/`.
    pub(super) root: PathBuf,
    /// The mounts that this process has, for only they can be asked.
    pub(super) own_mounts: PathBuf,
    /// The `net` folder of its own network in `/proc`.
    net: Option<PathBuf>,
    /// Whether this process is in its network: `/proc/sys/net` shows the reader's, whichever `/proc` it is.
    in_its_network: bool,
    /// Whether `/sys/class/net` has its devices: a sysfs shows those of the network that it was mounted in.
    devices: bool,
    /// Whether its `/proc` shows every process of the machine.
    all_processes: bool,
    /// Whether the mounts of this process are its own.
    its_mounts: bool,
}

impl Sight {
    /// Looks once; namespaces do not change while a process runs.
    pub(super) fn of(roots: &Roots) -> Self {
        let mounted = |name: &str, sign: &str, own: &Path| {
            let there = roots.root.join(name);
            let fits = roots.root != Path::new("/") && there.join(sign).exists();
            if fits { there } else { own.to_path_buf() }
        };
        let (proc, sys) = (mounted("proc", "stat", &roots.proc), mounted("sys", "class", &roots.sys));
        let in_its_network = in_the_first_network(&roots.proc);
        let all_processes = sees_all_processes(&proc);
        let net = if in_its_network { Some(roots.proc.join("net")) } else { all_processes.then(|| proc.join("1/net")) };
        Self {
            devices: in_its_network || (sys != roots.sys && net.is_some()),
            all_processes,
            its_mounts: all_processes && of_one_root(&proc),
            own_mounts: roots.proc.join("self/mountinfo"),
            root: roots.root.clone(),
            proc,
            sys,
            net,
            in_its_network,
        }
    }

    /// The host's `/proc/net`.
    ///
    /// # Errors
    /// Why it cannot be seen.
    pub(super) fn net(&self) -> Result<&Path, &'static str> {
        self.net.as_deref().ok_or(OWN_NETWORK)
    }

    /// The host's `/sys/class/net`.
    ///
    /// # Errors
    /// Why it cannot be seen.
    pub(super) fn devices(&self) -> Result<PathBuf, &'static str> {
        if self.devices { Ok(self.sys.join("class/net")) } else { Err(OWN_NETWORK) }
    }

    /// The host's `/proc/sys/net`.
    ///
    /// # Errors
    /// Why it cannot be seen.
    pub(super) fn net_settings(&self) -> Result<PathBuf, &'static str> {
        if self.in_its_network { Ok(self.proc.join("sys/net")) } else { Err(OWN_NETWORK) }
    }

    /// The host's `/proc` with all processes.
    ///
    /// # Errors
    /// Why they cannot be seen.
    pub(super) fn processes(&self) -> Result<&Path, &'static str> {
        if self.all_processes { Ok(&self.proc) } else { Err(OWN_PROCESSES) }
    }

    /// The host's root.
    ///
    /// # Errors
    /// Why its files cannot be seen.
    pub(super) fn own_files(&self) -> Result<&Path, &'static str> {
        if self.below_a_root() || self.its_mounts { Ok(&self.root) } else { Err(OWN_FILES) }
    }

    /// Whether the host's file systems are mounted below a folder, as node_exporter's `--path.rootfs` says.
    pub(super) fn below_a_root(&self) -> bool {
        self.root != Path::new("/")
    }

    /// Whether the mounts of this process are the host's.
    pub(super) fn has_its_mounts(&self) -> bool {
        self.its_mounts
    }

    /// The name of the host: a container has its own, which is told apart by the namespace.
    pub(super) fn node_name(&self) -> Option<String> {
        let own = || files::read(&self.proc.join("sys/kernel/hostname")).ok();
        let namespace = std::fs::read_link(self.proc.join("self/ns/uts")).ok();
        let foreign = namespace.is_some_and(|found| found.as_os_str() != HOST_NAMES);
        let written = || files::read(&self.root.join("etc/hostname")).ok();
        let name = if foreign && self.below_a_root() { written().or_else(own) } else { own() };
        name.map(|name| name.trim().to_owned())
    }
}

/// Whether this process is in the machine's first network namespace: only there the kernel shows settings of the whole machine, such as
/// this one (net/core/sysctl_net_core.c registers that table for `init_net` alone).
fn in_the_first_network(proc: &Path) -> bool {
    proc.join("sys/net/core/netdev_budget").exists()
}

/// Whether that `/proc` shows all processes of the machine: process 2 of the first PID namespace is the kernel's `kthreadd`, a thread
/// of the kernel as its flags say (`PF_KTHREAD`), which no program in a container can be.
fn sees_all_processes(proc: &Path) -> bool {
    files::read(&proc.join("2/stat")).is_ok_and(|text| is_kernel_thread(&text))
}

fn is_kernel_thread(stat: &str) -> bool {
    const OF_THE_KERNEL: u64 = 0x0020_0000;
    let flags = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(6)?.parse::<u64>().ok());
    flags.is_some_and(|flags| flags & OF_THE_KERNEL != 0)
}

/// Whether `/` is on the same device for this process and for the host's first one: a container has another one.
fn of_one_root(proc: &Path) -> bool {
    let root = |who: &str| {
        let text = files::read(&proc.join(who).join("mountinfo")).ok()?;
        let fields = text.lines().map(|line| line.split(' '));
        let mut devices = fields.filter_map(|mut line| {
            let device = line.nth(2)?;
            (line.nth(1)? == "/").then(|| device.to_owned())
        });
        devices.next()
    };
    let first = root("1");
    first.is_some() && first == root("self")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::testing::Tree;

    const KTHREADD: &str = "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 10 0 0 20 0 1 0 18 0 0";
    const PROGRAM: &str = "2 (kthreadd) S 1 2 2 0 -1 4194304 0 0 0 0 0 10 0 0 20 0 1 0 18 0 0";

    fn sight(files: &[(&str, &str)], root: &str) -> (Tree, Sight) {
        let tree = Tree::new(files);
        let roots = Roots {
            proc: tree.join("proc"),
            cgroup: tree.join("cgroup"),
            sys: tree.join("sys"),
            root: if root == "/" { "/".into() } else { tree.join(root) },
        };
        let sight = Sight::of(&roots);
        (tree, sight)
    }

    #[test]
    fn a_thread_of_the_kernel_is_told_from_a_program_of_its_name() {
        assert!(is_kernel_thread(KTHREADD) && !is_kernel_thread(PROGRAM));
        for odd in ["", "2 (x", "2 (x) S 1", "2 (x) S 0 0 0 0 -1 many"] {
            assert!(!is_kernel_thread(odd), "{odd}");
        }
    }

    #[test]
    fn on_a_bare_host_everything_is_its_own() {
        let mounts = "27 1 254:0 / / rw - ext4 /dev/vda rw\n";
        let files = [
            ("proc/sys/net/core/netdev_budget", "300\n"),
            ("proc/2/stat", KTHREADD),
            ("proc/1/mountinfo", mounts),
            ("proc/self/mountinfo", mounts),
        ];
        let (tree, sight) = sight(&files, "/");
        assert_eq!(sight.net(), Ok(tree.join("proc/net").as_path()));
        assert_eq!(sight.devices(), Ok(tree.join("sys/class/net")));
        assert!(sight.net_settings().is_ok() && sight.has_its_mounts() && !sight.below_a_root());
    }

    #[test]
    fn in_a_container_of_its_own_the_network_is_left_out() {
        let (_tree, sight) = sight(&[("proc/net/dev", "eth0: 1\n"), ("proc/2/stat", PROGRAM)], "/");
        assert!(sight.net().is_err() && sight.devices().is_err() && sight.net_settings().is_err());
        assert!(!sight.has_its_mounts());
    }

    #[test]
    fn in_the_hosts_pid_namespace_the_network_is_that_of_process_1() {
        let files = [
            ("proc/2/stat", KTHREADD),
            ("proc/1/mountinfo", "27 1 254:0 / / rw - ext4 /dev/vda rw\n"),
            ("proc/self/mountinfo", "90 80 0:55 / / rw - overlay overlay rw\n"),
        ];
        let (tree, sight) = sight(&files, "/");
        assert_eq!(sight.net(), Ok(tree.join("proc/1/net").as_path()));
        assert!(sight.devices().is_err(), "sysfs has the container's devices");
        assert!(!sight.has_its_mounts());
    }

    #[test]
    fn with_the_hosts_root_mounted_its_own_files_are_read() {
        let files = [
            ("host/proc/stat", ""),
            ("host/proc/2/stat", KTHREADD),
            ("host/sys/class/net/eth0/mtu", "1500\n"),
            ("host/etc/hostname", "machine\n"),
            ("proc/sys/kernel/hostname", "0123abcd\n"),
        ];
        let (tree, sight) = sight(&files, "host");
        assert_eq!(sight.proc, tree.join("host/proc"));
        assert_eq!(sight.net(), Ok(tree.join("host/proc/1/net").as_path()));
        assert_eq!(sight.devices(), Ok(tree.join("host/sys/class/net")));
        assert!(sight.net_settings().is_err(), "those are the reader's");
        std::fs::create_dir_all(tree.join("host/proc/self/ns")).expect("folders");
        std::os::unix::fs::symlink("uts:[4026532222]", tree.join("host/proc/self/ns/uts")).expect("a link");
        assert_eq!(sight.node_name().as_deref(), Some("machine"));
    }
}
