//! Which version is mounted, and where the peer's directory is. Never follows `..` or a link: a name is looked for below the mount.

use crate::limits;
use std::collections::VecDeque;
use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// How the cgroup file system is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// One tree. A hybrid machine is not this: its `unified/` has no controllers.
    V2(PathBuf),
    /// A tree for each controller.
    V1(Controllers),
}

/// The mounted controllers of v1; one that is not mounted is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Controllers {
    pub(super) memory: Option<PathBuf>,
    pub(super) cpu: Option<PathBuf>,
    pub(super) cpuacct: Option<PathBuf>,
    pub(super) pids: Option<PathBuf>,
}

/// A container's cgroup told from every other, also from its own next life: the name stays over `docker restart`, the inode does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    name: String,
    inode: u64,
}

/// Where the peer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The named directory.
    pub(super) parent: PathBuf,
    /// The container's directory; the named one itself when it holds no other.
    pub(super) own: PathBuf,
    /// On v1 the container's directory under each controller. Each is found by name: a nested Docker's paths differ between them.
    pub(super) by_controller: Controllers,
    /// The container.
    pub(super) identity: Identity,
}

impl Layout {
    /// What is mounted at `root`.
    pub(super) fn of(root: &Path) -> Option<Self> {
        if root.join("cgroup.controllers").is_file() {
            return Some(Self::V2(root.to_path_buf()));
        }
        let mounted = |names: &[&str]| names.iter().map(|name| root.join(name)).find(|path| path.is_dir());
        let controllers = Controllers {
            memory: mounted(&["memory"]),
            cpu: mounted(&["cpu", "cpu,cpuacct"]),
            cpuacct: mounted(&["cpuacct", "cpu,cpuacct"]),
            pids: mounted(&["pids"]),
        };
        (controllers != Controllers::default()).then_some(Self::V1(controllers))
    }

    /// Finds the peer's directory by the name of its parent; the root itself when there is no name (the parent is what is mounted).
    pub(super) fn find(&self, name: Option<&String>) -> Result<Found, String> {
        let root = self.root().ok_or("no controller is mounted")?;
        let parent = match name {
            None => root.to_path_buf(),
            Some(name) => below(root, name).ok_or_else(|| {
                format!("no cgroup is called `{name}`: the service is not running, or has another `cgroup_parent`")
            })?,
        };
        let own = newest_child(&parent).unwrap_or_else(|| parent.clone());
        if own == parent && name.is_some() && !has_tasks(&parent) {
            let named = name.map(String::as_str).unwrap_or_default();
            return Err(format!("the peer's container is not running: `{named}` is empty"));
        }
        let identity = identity(&own).ok_or("the peer's container has just ended")?;
        let by_controller = match self {
            Self::V2(_) => Controllers::default(),
            Self::V1(roots) => {
                roots.each(|root| beside(root, name, (own != parent).then_some(own.file_name()).flatten()))
            }
        };
        Ok(Found { parent, own, identity, by_controller })
    }

    /// Whether OOM kills are counted in a directory that outlives the container: v2 counts them hierarchically, v1 does not.
    pub(super) fn counts_outlive_the_container(&self, found: &Found) -> bool {
        matches!(self, Self::V2(_)) && found.parent != found.own
    }

    fn root(&self) -> Option<&Path> {
        match self {
            Self::V2(root) => Some(root),
            Self::V1(controllers) => [&controllers.memory, &controllers.cpuacct, &controllers.cpu, &controllers.pids]
                .into_iter()
                .flatten()
                .next()
                .map(PathBuf::as_path),
        }
    }
}

impl Controllers {
    fn each(&self, find: impl Fn(&Path) -> Option<PathBuf>) -> Self {
        let find = |root: &Option<PathBuf>| root.as_deref().and_then(&find);
        Self { memory: find(&self.memory), cpu: find(&self.cpu), cpuacct: find(&self.cpuacct), pids: find(&self.pids) }
    }
}

/// The container's directory under another controller: the same name below it, the same child.
fn beside(root: &Path, name: Option<&String>, child: Option<&OsStr>) -> Option<PathBuf> {
    let parent = name.map_or_else(|| Some(root.to_path_buf()), |name| below(root, name))?;
    let own = child.map_or(parent.clone(), |child| parent.join(child));
    own.is_dir().then_some(own)
}

/// The first directory below `root` whose last component is the name, with or without `.slice`; breadth first, bounded.
fn below(root: &Path, name: &str) -> Option<PathBuf> {
    let bare = name.trim_matches('/').rsplit('/').next().unwrap_or(name);
    let slice = format!("{bare}.slice");
    let mut waiting = VecDeque::from([(root.to_path_buf(), 0)]);
    let mut looked_at = 0;
    while let Some((folder, depth)) = waiting.pop_front() {
        for (child, child_name) in folders(&folder) {
            looked_at += 1;
            if child_name == bare || child_name == slice {
                return Some(child);
            }
            if depth < limits::CGROUP_DEPTH && looked_at < limits::CGROUPS_LOOKED_AT {
                waiting.push_back((child, depth + 1));
            }
        }
    }
    None
}

/// The container's directory among the children: the one made last, for a stopped one may still be there.
fn newest_child(parent: &Path) -> Option<PathBuf> {
    folders(parent).into_iter().filter_map(|(path, _)| Some((identity(&path)?.inode, path))).max().map(|(_, path)| path)
}

fn folders(folder: &Path) -> Vec<(PathBuf, String)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let kept = entries.filter_map(|entry| {
        let entry = entry.ok().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))?;
        Some((entry.path(), entry.file_name().to_string_lossy().into_owned()))
    });
    kept.take(limits::CGROUPS_LOOKED_AT).collect()
}

fn identity(path: &Path) -> Option<Identity> {
    let inode = std::fs::symlink_metadata(path).ok()?.ino();
    Some(Identity { name: path.file_name()?.to_string_lossy().into_owned(), inode })
}

/// Whether tasks run in the directory itself. Foreign tasks read as pid 0 from another PID namespace, and still are lines.
fn has_tasks(path: &Path) -> bool {
    super::files::read(&path.join("cgroup.procs")).is_ok_and(|text| !text.trim().is_empty())
}
