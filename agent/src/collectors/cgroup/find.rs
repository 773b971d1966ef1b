//! Which version is mounted, and where the peer's directory is. Never follows `..` or a link: a name is looked for below the mount,
//! the one that the configuration gives, or the one under which the peer's process stands in `/proc/<pid>/cgroup`.

use super::super::process::Process;
use super::super::{PeerPlan, Roots};
use crate::limits;
use std::collections::{BTreeMap, VecDeque};
use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

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
    pub(super) blkio: Option<PathBuf>,
    /// The tree of v2 on a hybrid machine. It has no controllers and still tells pressure.
    pub(super) unified: Option<PathBuf>,
}

/// A container's cgroup told from every other, also from its own next life: the name stays over `docker restart`, the inode does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    name: String,
    inode: u64,
}

/// Where the peer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::collectors) struct Found {
    pub(super) layout: Layout,
    /// The named directory; that above the container's when it was found by its process.
    pub(super) parent: PathBuf,
    /// Whether the parent is the peer's alone. A pod's is not: its other containers, the agent among them, are in it too.
    pub(super) parent_is_the_peers: bool,
    /// The container's directory; the named one itself when it holds no other.
    pub(super) own: PathBuf,
    /// On v1 the container's directory under each controller. Each is found by name: a nested Docker's paths differ between them.
    pub(super) by_controller: Controllers,
    /// The container.
    pub(super) identity: Identity,
    /// Its path below the mount, as cAdvisor's label `id` has it.
    pub(super) id: String,
    /// The path of its parent below the mount.
    pub(super) parent_id: String,
}

/// Why the peer was not found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::collectors) enum Lost {
    /// Nothing says where it could be.
    Nowhere(String),
    /// Its directory is known and no container is in it.
    Ended {
        /// The named directory.
        parent: PathBuf,
        /// For people.
        why: String,
    },
}

/// The processes of a container, as its `cgroup.procs` has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::collectors) struct Tasks {
    /// How many there are.
    pub(super) all: u64,
    /// The numbers of those that this PID namespace sees.
    pub(in crate::collectors) seen: Vec<u32>,
}

impl Found {
    /// What the container is called when nobody told it: its directory's name in the configuration, its program, or its short id.
    pub(super) fn name(&self, peer: &PeerPlan) -> String {
        let named = peer.cgroup.as_deref().map(bare).filter(|name| !name.is_empty());
        named.or(peer.process.as_deref()).map_or_else(|| short_id(&self.identity.name), str::to_owned)
    }

    /// Whether OOM kills are counted in a directory that outlives the container: v2 counts them hierarchically, v1 does not.
    pub(super) fn count_outlives_the_container(&self) -> bool {
        matches!(self.layout, Layout::V2(_)) && self.parent != self.own && self.parent_is_the_peers
    }

    /// The directory of its pod on v2, where it was found by its process.
    pub(super) fn pod(&self) -> Option<&Path> {
        (matches!(self.layout, Layout::V2(_)) && !self.parent_is_the_peers).then_some(self.parent.as_path())
    }

    /// Whether the container has ended since it was found.
    pub(super) fn has_ended(&self) -> bool {
        identity(&self.own).as_ref() != Some(&self.identity)
    }

    /// Why it is not there any more.
    pub(super) fn ended(self) -> Lost {
        Lost::Ended { parent: self.parent, why: "the peer's container has just ended".to_owned() }
    }

    /// When its directory was made: the earlier of its own time and that of a file which nobody writes.
    pub(super) fn made_at(&self) -> Option<SystemTime> {
        let quiet = match self.layout {
            Layout::V2(_) => "cgroup.events",
            Layout::V1(_) => "cgroup.clone_children",
        };
        let times = [self.own.clone(), self.own.join(quiet)];
        times.iter().filter_map(|path| std::fs::symlink_metadata(path).ok()?.modified().ok()).min()
    }

    /// Its processes, also those in cgroups that it made itself.
    pub(in crate::collectors) fn tasks(&self) -> Option<Tasks> {
        let mut tasks = Tasks::default();
        let mut waiting = VecDeque::from([(self.own.clone(), 0)]);
        while let Some((folder, depth)) = waiting.pop_front() {
            let text = match super::files::read(&folder.join("cgroup.procs")) {
                Ok(text) => text,
                Err(_) if depth == 0 => return None,
                // One that has just gone had no processes left; one of threads tells them not.
                Err(_) => String::new(),
            };
            for pid in text.lines().filter_map(|line| line.trim().parse::<u32>().ok()) {
                tasks.all += 1;
                if pid > 0 && tasks.seen.len() < limits::PEER_PROCESSES {
                    tasks.seen.push(pid);
                }
            }
            // On v2 only a leaf has processes.
            if depth < limits::CGROUP_DEPTH && waiting.len() < limits::PEER_PROCESSES {
                waiting.extend(folders(&folder).into_iter().map(|(child, _)| (child, depth + 1)));
            }
        }
        Some(tasks)
    }
}

/// The first twelve digits of the container's id, as `docker ps` shows them.
fn short_id(name: &str) -> String {
    let id = name.split(|c: char| !c.is_ascii_hexdigit()).find(|run| run.len() >= 32).unwrap_or(name);
    id.chars().take(12).collect()
}

impl Lost {
    pub(super) fn why(self) -> String {
        match self {
            Self::Nowhere(why) | Self::Ended { why, .. } => why,
        }
    }
}

/// Looks for the peer's cgroup, and remembers where it was: a look through a whole tree costs more than the figures.
pub(in crate::collectors) struct Finder {
    roots: Roots,
    name: Option<String>,
    process: Process,
    /// Where a name was found under a root.
    known: BTreeMap<PathBuf, (String, PathBuf)>,
}

impl Finder {
    pub(in crate::collectors) fn new(roots: &Roots, peer: &PeerPlan) -> Self {
        let process = Process::new(roots, peer);
        Self { roots: roots.clone(), name: peer.cgroup.clone(), process, known: BTreeMap::new() }
    }

    /// Where the peer is now.
    pub(in crate::collectors) fn find(&mut self) -> Result<Found, Lost> {
        let container = self.process.pid().ok().and_then(|pid| {
            let cgroup = pid.cgroup().ok()?;
            if pid.shares_with_the_agent(&cgroup) { None } else { container_of(&cgroup) }
        });
        let Some(name) = self.name.clone() else {
            return self.by_process(container.as_deref());
        };
        let own_mount = name.starts_with('/');
        let root = if own_mount { PathBuf::from(&name) } else { self.roots.cgroup.clone() };
        let layout = mounted(&root)?;
        let top = layout.root().ok_or_else(|| Lost::Nowhere("no controller is mounted".to_owned()))?.to_path_buf();
        let parent = if own_mount {
            top.clone()
        } else {
            self.below(&top, bare(&name)).ok_or_else(|| {
                let why = "the service is not running, or has another `cgroup_parent`";
                Lost::Nowhere(format!("no cgroup is called `{name}`: {why}"))
            })?
        };
        let own = child(&parent, container.as_deref()).unwrap_or_else(|| parent.clone());
        if own == parent && !own_mount && !has_tasks(&parent) {
            let why = format!("the peer's container is not running: `{name}` is empty");
            return Err(Lost::Ended { parent, why });
        }
        let name = (!own_mount).then_some(name);
        let by_controller = match &layout {
            Layout::V2(_) => Controllers::default(),
            Layout::V1(roots) => {
                let child = (own != parent).then(|| own.file_name()).flatten();
                roots.each(|root| self.beside(root, name.as_deref().map(bare), child))
            }
        };
        found(layout, (&top, parent, own), true, by_controller)
    }

    /// The cgroup of the peer's process, where the whole tree is mounted: a pod's container has no `cgroup_parent` to name.
    fn by_process(&mut self, container: Option<&str>) -> Result<Found, Lost> {
        let unnamed = || {
            let hint = "give the service a `cgroup_parent` and name it in `peer.cgroup`";
            Lost::Nowhere(format!("no cgroup is named: {hint}"))
        };
        let container = container.ok_or_else(unnamed)?;
        let layout = mounted(&self.roots.cgroup)?;
        let top = layout.root().ok_or_else(unnamed)?.to_path_buf();
        let own = self.below(&top, container).ok_or_else(|| {
            Lost::Nowhere(format!("the cgroup `{container}` of the peer's process is not mounted here"))
        })?;
        let parent = own.parent().unwrap_or(&top).to_path_buf();
        let by_controller = match &layout {
            Layout::V2(_) => Controllers::default(),
            Layout::V1(roots) => roots.each(|root| self.below(root, container)),
        };
        found(layout, (&top, parent, own), false, by_controller)
    }

    /// The container's directory under another controller: the same name below it, the same child.
    fn beside(&mut self, root: &Path, name: Option<&str>, child: Option<&OsStr>) -> Option<PathBuf> {
        let parent = match name {
            Some(name) => self.below(root, name)?,
            None => root.to_path_buf(),
        };
        let own = child.map_or(parent.clone(), |child| parent.join(child));
        own.is_dir().then_some(own)
    }

    /// The directory of that name below `root`, as remembered or looked for.
    fn below(&mut self, root: &Path, name: &str) -> Option<PathBuf> {
        if let Some((known, path)) = self.known.get(root)
            && known == name
            && path.is_dir()
        {
            return Some(path.clone());
        }
        let path = below(root, name)?;
        self.known.insert(root.to_path_buf(), (name.to_owned(), path.clone()));
        Some(path)
    }
}

fn mounted(root: &Path) -> Result<Layout, Lost> {
    Layout::of(root).ok_or_else(|| {
        Lost::Nowhere(format!("no cgroup file system at `{}`: mount `/sys/fs/cgroup` read-only", root.display()))
    })
}

fn found(
    layout: Layout,
    (top, parent, own): (&Path, PathBuf, PathBuf),
    parent_is_the_peers: bool,
    by_controller: Controllers,
) -> Result<Found, Lost> {
    let ended = || Lost::Ended { parent: parent.clone(), why: "the peer's container has just ended".to_owned() };
    let identity = identity(&own).ok_or_else(ended)?;
    let id = |path: &Path| format!("/{}", path.strip_prefix(top).unwrap_or(Path::new("")).display());
    let (id, parent_id) = (id(&own), id(&parent));
    Ok(Found { layout, parent, parent_is_the_peers, own, by_controller, identity, id, parent_id })
}

/// The last component of a name, without `.slice`.
pub(super) fn bare(name: &str) -> &str {
    let last = name.trim_end_matches('/').rsplit('/').next().unwrap_or(name);
    last.strip_suffix(".slice").unwrap_or(last)
}

/// The directory of the container that a process is in, from its `/proc/<pid>/cgroup`: the innermost component that holds a container's
/// id (cri-o puts one more below it). A sibling seen from a private namespace reads `/../<name>`, so only names are taken.
pub(super) fn container_of(text: &str) -> Option<String> {
    let paths = text.lines().filter_map(|line| line.splitn(3, ':').nth(2));
    paths.filter_map(|path| path.rsplit('/').find(|part| has_id(part))).next().map(str::to_owned)
}

/// Whether a name holds a container's id: 32 hexadecimal digits at least (the runtimes have 64) between anything else.
fn has_id(name: &str) -> bool {
    name.split(|c: char| !c.is_ascii_hexdigit()).any(|run| run.len() >= 32)
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
            blkio: mounted(&["blkio"]),
            unified: None,
        };
        let unified = mounted(&["unified"]);
        (controllers != Controllers::default()).then_some(Self::V1(Controllers { unified, ..controllers }))
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
    fn each(&self, mut find: impl FnMut(&Path) -> Option<PathBuf>) -> Self {
        let mut find = |root: &Option<PathBuf>| root.as_deref().and_then(&mut find);
        Self {
            memory: find(&self.memory),
            cpu: find(&self.cpu),
            cpuacct: find(&self.cpuacct),
            pids: find(&self.pids),
            blkio: find(&self.blkio),
            unified: find(&self.unified),
        }
    }
}

/// The first directory below `root` whose last component is the name, with or without `.slice`; breadth first, bounded.
fn below(root: &Path, name: &str) -> Option<PathBuf> {
    let slice = format!("{name}.slice");
    let mut waiting = VecDeque::from([(root.to_path_buf(), 0)]);
    let mut looked_at = 0;
    while let Some((folder, depth)) = waiting.pop_front() {
        for (child, child_name) in folders(&folder) {
            looked_at += 1;
            if child_name == name || child_name == slice {
                return Some(child);
            }
            if depth < limits::CGROUP_DEPTH && looked_at < limits::CGROUPS_LOOKED_AT {
                waiting.push_back((child, depth + 1));
            }
        }
    }
    None
}

/// The container's directory among the children: that of the peer's process where it is seen, otherwise the one made last, for a
/// stopped one may still be there. What cri-o and podman run beside each container is none.
fn child(parent: &Path, container: Option<&str>) -> Option<PathBuf> {
    let children = || folders(parent).into_iter().filter(|(_, name)| !name.contains("-conmon-"));
    let own = container.and_then(|own| children().find(|(_, name)| name == own));
    own.map(|(path, _)| path)
        .or_else(|| children().filter_map(|(path, _)| Some((identity(&path)?.inode, path))).max().map(|(_, path)| path))
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
