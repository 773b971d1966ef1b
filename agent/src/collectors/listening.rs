//! The ports on which something listens, as `/proc/net/tcp` and `tcp6` tell of a network namespace: our own, or that of the peer's
//! process where its PID namespace is shared. Source: the kernel's Documentation/networking/proc_net_tcp.rst; any user may read it.

use super::process::Process;
use super::{PeerPlan, Roots, files};
use crate::limits;
use crate::small;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A port that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listener {
    /// The port.
    pub port: u16,
    /// Whether it is open on the loopback address only.
    pub loopback: bool,
}

/// What listens in our own network namespace.
#[must_use]
pub fn here(roots: &Roots) -> Vec<Listener> {
    of(&roots.proc.join("self/net"))
}

/// What the peer's process and its children listen on; `None` when they cannot be seen. `apart` says that the peer has a network namespace
/// of its own: then everything in it is the peer's, should the agent's user not be allowed to see whose socket is whose.
#[must_use]
pub fn of_peer(roots: &Roots, peer: &PeerPlan, apart: bool) -> Option<Vec<Listener>> {
    let pid = Process::new(roots, peer).pid().ok()?;
    let net = roots.proc.join(pid.number.to_string()).join("net");
    match sockets(&roots.proc, pid.number) {
        Some(sockets) => Some(only(&net, |inode| sockets.contains(inode))),
        None => apart.then(|| of(&net)),
    }
}

/// The inodes of the sockets of a process and of those that it started; `None` when the process's own may not be seen.
fn sockets(proc: &Path, first: u32) -> Option<BTreeSet<String>> {
    let (mut all, mut open) = (open_sockets(proc, first)?, vec![first]);
    let mut left = limits::PEER_CHILDREN;
    while let Some(number) = open.pop().filter(|_| left > 0) {
        left -= 1;
        let children = files::read(&proc.join(format!("{number}/task/{number}/children"))).unwrap_or_default();
        for child in children.split_whitespace().filter_map(|word| word.parse().ok()) {
            all.extend(open_sockets(proc, child).unwrap_or_default());
            open.push(child);
        }
    }
    Some(all)
}

fn open_sockets(proc: &Path, number: u32) -> Option<BTreeSet<String>> {
    let links = std::fs::read_dir(proc.join(number.to_string()).join("fd")).ok()?;
    let inode = |path: PathBuf| {
        let link = std::fs::read_link(path).ok()?;
        Some(link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned())
    };
    Some(small::set(links.flatten().take(limits::PEER_FILES).filter_map(|entry| inode(entry.path()))))
}

fn of(folder: &Path) -> Vec<Listener> {
    only(folder, |_| true)
}

/// Those whose socket's inode is wanted.
fn only(folder: &Path, wanted: impl Fn(&str) -> bool) -> Vec<Listener> {
    let texts = ["tcp", "tcp6"].map(|name| files::read(&folder.join(name)).unwrap_or_default());
    let lines = texts.iter().flat_map(|text| text.lines());
    let mut all: Vec<Listener> =
        lines.filter(|line| line.split_whitespace().nth(9).is_none_or(&wanted)).filter_map(read).collect();
    // A port that is open on loopback and elsewhere is open.
    small::sort(&mut all);
    all.dedup_by_key(|listener| listener.port);
    all
}

/// A line of a socket that listens (state 0A).
fn read(line: &str) -> Option<Listener> {
    let mut words = line.split_whitespace().skip(1);
    let (address, port) = words.next()?.split_once(':')?;
    let listens = words.nth(1)? == "0A";
    let port = u16::from_str_radix(port, 16).ok().filter(|_| listens)?;
    Some(Listener { port, loopback: is_loopback(address) })
}

/// Addresses are written in the order of the machine's bytes, four at a time: 127.0.0.1 is `0100007F` on the usual ones.
fn is_loopback(address: &str) -> bool {
    match address.len() {
        8 => address.ends_with("7F"),
        32 => {
            address == "00000000000000000000000001000000"
                || (address.starts_with("0000000000000000FFFF0000") && address.ends_with("7F"))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Tree;
    use super::*;

    const TCP: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
        \x20  0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 11 1\n\
        \x20  1: 00000000:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 12 1\n\
        \x20  2: 0100007F:A1B2 0100007F:0BB8 01 00000000:00000000 00:00000000 00000000  1000        0 13 1\n";
    const TCP6: &str = "  sl\n\
        \x20  0: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 14\n\
        \x20  1: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 15\n";

    #[test]
    fn tells_open_ports_and_which_are_open_on_loopback_only() {
        let tree = Tree::new(&[("self/net/tcp", TCP), ("self/net/tcp6", TCP6), ("1/net/tcp", TCP)]);
        let open = |port, loopback| Listener { port, loopback };
        assert_eq!(
            here(&Roots { proc: tree.path(), ..Roots::of_system() }),
            [open(80, true), open(3000, false), open(8080, false)]
        );
        assert_eq!(of(&tree.join("1/net")), [open(3000, false), open(8080, true)]);
        assert_eq!(of(&tree.join("2/net")), []);
    }

    #[test]
    fn of_a_peer_only_its_own_sockets_count_and_those_of_its_children() {
        let stat = "1 (api) S 0 1 1 0 -1 4194560 1 1 1 1 1 1 1 1 20 0 1 0 100 1000 100";
        let tree = Tree::new(&[("1/comm", "api\n"), ("1/stat", stat), ("1/net/tcp", TCP), ("1/task/1/children", "7 ")]);
        let roots = Roots { proc: tree.path(), ..Roots::of_system() };
        let ports =
            |apart| of_peer(&roots, &PeerPlan::default(), apart).map(|all| all.iter().map(|it| it.port).collect());
        assert_eq!(ports(false), None::<Vec<u16>>, "nobody may see whose they are");
        assert_eq!(ports(true), Some(vec![3000, 8080]), "in a namespace of its own all are the peer's");
        std::fs::create_dir_all(tree.join("1/fd")).unwrap();
        assert_eq!(ports(false), Some(Vec::new()));
        std::os::unix::fs::symlink("socket:[11]", tree.join("1/fd/3")).unwrap();
        assert_eq!(ports(false), Some(vec![8080]));
        std::fs::create_dir_all(tree.join("7/fd")).unwrap();
        std::os::unix::fs::symlink("socket:[12]", tree.join("7/fd/3")).unwrap();
        assert_eq!(ports(false), Some(vec![3000, 8080]), "a child's");
    }

    #[test]
    fn odd_lines_are_passed_over() {
        for line in ["", "0:", "0: x:y z 0A", "0: 0100007F 0 0A", "0: 0100007F:FFFFF 0 0A"] {
            assert_eq!(read(line), None, "{line}");
        }
    }
}
