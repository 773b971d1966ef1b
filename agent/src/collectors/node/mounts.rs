//! Asking mounts for their room. A mount whose server is gone holds whoever asks it for ever, so they are asked on a thread that is left
//! behind when it hangs. What must stay true: a look ends within its time, a mount that hangs is not asked again until the thread that
//! asked it has returned, and there are never more such threads than [`limits::NODE_HUNG_MOUNTS`].

use crate::limits;
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::time::Duration;

/// What a mount that hangs has as its error.
pub(super) const HANGS: &str = "mountpoint timeout";

/// Room of a file system, in bytes and inodes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Room {
    pub(super) size: u64,
    pub(super) free: u64,
    pub(super) available: u64,
    pub(super) files: u64,
    pub(super) files_free: u64,
}

/// Its room, or why it could not be asked, of a closed set of words.
pub(super) type Answer = Result<Room, &'static str>;

/// What became of a question.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Asked {
    /// There is an answer, or it hangs.
    Answered(Answer),
    /// So many others hang that this one was not asked.
    NotAsked,
}

/// A line of `/proc/self/mountinfo`, proc(5).
#[derive(Debug, PartialEq)]
pub(super) struct Mount {
    pub(super) major: String,
    pub(super) minor: String,
    /// Where it is mounted, as this process sees it.
    pub(super) point: String,
    /// Type of the file system.
    pub(super) kind: String,
    /// What is mounted.
    pub(super) source: String,
    /// Whether the mount or the file system is read-only.
    pub(super) read_only: bool,
}

impl Mount {
    pub(super) fn read(line: &str) -> Option<Self> {
        let (mount, system) = line.split_once(" - ")?;
        let mut mount = mount.split(' ').skip(2);
        let (major, minor) = mount.next()?.split_once(':')?;
        let (point, options) = (mount.nth(1)?, mount.next()?);
        let mut system = system.split(' ');
        let (kind, source, own) = (system.next()?, system.next()?, system.next().unwrap_or_default());
        let mut all = options.split(',').chain(own.split(','));
        Some(Self {
            major: major.to_owned(),
            minor: minor.to_owned(),
            point: unescaped(point),
            kind: unescaped(kind),
            source: unescaped(source),
            read_only: all.any(|option| ["ro", "emergency_ro"].contains(&option)),
        })
    }

    /// Whether it is a block device or a share of the network, and no memory of a container.
    pub(super) fn is_of_a_device(&self) -> bool {
        self.source.starts_with('/') || self.source.contains(":/")
    }

    pub(super) fn device_number(&self) -> (String, String) {
        (self.major.clone(), self.minor.clone())
    }

    /// What is mounted, without a password that may stand in a share's address.
    pub(super) fn shown_source(&self) -> String {
        match self.source.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?.1))) {
            Some((scheme, behind)) => format!("{scheme}://{behind}"),
            None => self.source.clone(),
        }
    }
}

/// The kernel writes spaces, tabs, line ends and backslashes of names in octal.
fn unescaped(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(text.to_owned(), |text, (octal, plain)| text.replace(octal, plain))
}

/// The mounts that hang, and how mounts are asked.
#[derive(Debug)]
pub(super) struct Mounts {
    /// The system call; tests pass one that hangs.
    ask: fn(&Path) -> Answer,
    /// How long one mount is waited for.
    patience: Duration,
    /// The mounts whose thread has not returned.
    hanging: BTreeMap<PathBuf, Receiver<Answer>>,
}

impl Default for Mounts {
    fn default() -> Self {
        Self { ask: room, patience: limits::NODE_MOUNT_PATIENCE, hanging: BTreeMap::new() }
    }
}

impl Mounts {
    /// Asks each; gives an answer for each, in their order.
    pub(super) fn ask(&mut self, paths: Vec<PathBuf>) -> Vec<Asked> {
        // A thread that has returned has dropped its sender, with an answer or without.
        self.hanging.retain(|_, thread| matches!(thread.try_recv(), Err(TryRecvError::Empty)));
        let mut answers: Vec<Asked> = paths.iter().map(|path| self.known(path)).collect();
        let mut waiting: Vec<usize> =
            (0..paths.len()).filter(|at| matches!(answers.get(*at), Some(Asked::NotAsked))).collect();
        waiting.reverse();
        let most = limits::NODE_HUNG_MOUNTS.min(self.hanging.len() + limits::NODE_HUNG_MOUNTS_A_LOOK);
        while !waiting.is_empty() && self.hanging.len() < most {
            let Some(round) = Round::start(&paths, &waiting, self.ask) else { break };
            let Some(hangs) = round.collect(&mut waiting, &mut answers, self.patience) else { break };
            if let (Some(answer), Some(path)) = (answers.get_mut(hangs), paths.get(hangs)) {
                *answer = Asked::Answered(Err(HANGS));
                self.hanging.insert(path.clone(), round.answers);
            }
        }
        answers
    }

    fn known(&self, path: &Path) -> Asked {
        if self.hanging.contains_key(path) { Asked::Answered(Err(HANGS)) } else { Asked::NotAsked }
    }
}

/// A thread that asks one mount after the other.
struct Round {
    answers: Receiver<Answer>,
    /// Set when it is left behind: it then ends instead of going on.
    left: Arc<AtomicBool>,
}

impl Round {
    /// Starts it on what waits, the last one first; `None` when the system has no thread to spare.
    fn start(paths: &[PathBuf], waiting: &[usize], ask: fn(&Path) -> Answer) -> Option<Self> {
        let (sender, answers) = channel();
        let left = Arc::new(AtomicBool::new(false));
        let paths: Vec<PathBuf> = waiting.iter().rev().filter_map(|at| paths.get(*at).cloned()).collect();
        let stop = Arc::clone(&left);
        let thread = std::thread::Builder::new().name("mounts".to_owned()).stack_size(limits::NODE_MOUNT_STACK_BYTES);
        thread.spawn(move || ask_all(&paths, ask, &stop, &sender)).ok()?;
        Some(Self { answers, left })
    }

    /// Takes the answers as they come; gives back the mount that does not answer in its time, taken from those that wait.
    fn collect(&self, waiting: &mut Vec<usize>, answers: &mut [Asked], patience: Duration) -> Option<usize> {
        while let Some(at) = waiting.pop() {
            match self.answers.recv_timeout(patience) {
                Ok(answer) => answers.iter_mut().skip(at).take(1).for_each(|kept| *kept = Asked::Answered(answer)),
                Err(RecvTimeoutError::Timeout) => {
                    self.left.store(true, Ordering::Relaxed);
                    return Some(at);
                }
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
        None
    }
}

fn ask_all(paths: &[PathBuf], ask: fn(&Path) -> Answer, stop: &AtomicBool, answers: &Sender<Answer>) {
    for path in paths {
        if answers.send(ask(path)).is_err() || stop.load(Ordering::Relaxed) {
            return;
        }
    }
}

/// The system call.
fn room(path: &Path) -> Answer {
    let stat = rustix::fs::statvfs(path).map_err(word)?;
    let bytes = |blocks: u64| blocks.saturating_mul(stat.f_frsize);
    Ok(Room {
        size: bytes(stat.f_blocks),
        free: bytes(stat.f_bfree),
        available: bytes(stat.f_bavail),
        files: stat.f_files,
        files_free: stat.f_ffree,
    })
}

/// An error as a word of a closed set; the words are the system's.
fn word(error: Errno) -> &'static str {
    match error {
        Errno::ACCESS => "permission denied",
        Errno::PERM => "operation not permitted",
        Errno::NOENT => "no such file or directory",
        Errno::STALE => "stale NFS file handle",
        Errno::IO => "input/output error",
        Errno::NOTCONN => "transport endpoint is not connected",
        Errno::CONNABORTED => "software caused connection abort",
        Errno::HOSTDOWN => "host is down",
        Errno::TIMEDOUT => "connection timed out",
        Errno::NODEV | Errno::NXIO => "no such device",
        _ => "error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;
    use std::sync::{Mutex, MutexGuard, PoisonError};

    const SOME: Room = Room { size: 1, free: 1, available: 1, files: 1, files_free: 1 };

    /// The two tests that hang share these, and so take turns.
    static HELD: AtomicBool = AtomicBool::new(false);
    static CALLS: AtomicUsize = AtomicUsize::new(0);

    fn alone() -> MutexGuard<'static, ()> {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        HELD.store(true, Ordering::SeqCst);
        CALLS.store(0, Ordering::SeqCst);
        turn
    }

    /// Hangs at what is called `hung…`, as long as it is held.
    fn hung(path: &Path) -> Answer {
        CALLS.fetch_add(1, Ordering::SeqCst);
        while path.starts_with("/hung") && HELD.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(SOME)
    }

    fn mounts() -> Mounts {
        Mounts { ask: hung, patience: Duration::from_millis(50), ..Mounts::default() }
    }

    fn paths(names: &[&str]) -> Vec<PathBuf> {
        names.iter().map(PathBuf::from).collect()
    }

    #[test]
    fn a_mount_that_hangs_costs_the_others_nothing_and_is_not_asked_again_until_it_returns() {
        let _turn = alone();
        let mut mounts = mounts();
        let all = || paths(&["/a", "/hung", "/b"]);
        let (fine, hangs) = (Asked::Answered(Ok(SOME)), Asked::Answered(Err(HANGS)));
        assert_eq!(mounts.ask(all()), [fine, hangs, fine]);
        let calls = CALLS.load(Ordering::SeqCst);
        assert_eq!(mounts.ask(all()), [fine, hangs, fine]);
        assert_eq!(CALLS.load(Ordering::SeqCst), calls + 2, "only the other two were asked");
        HELD.store(false, Ordering::SeqCst);
        let back = (0..500).any(|_| {
            std::thread::sleep(Duration::from_millis(2));
            mounts.ask(all()) == [fine, fine, fine]
        });
        assert!(back && mounts.hanging.is_empty());
    }

    #[test]
    fn the_threads_that_hang_are_bounded() {
        let _turn = alone();
        let mut mounts = Mounts { patience: Duration::from_millis(5), ..mounts() };
        let many: Vec<PathBuf> = (0..30).map(|n| PathBuf::from(format!("/hung/{n}"))).collect();
        let hanging = |answers: &[Asked]| answers.iter().filter(|one| **one == Asked::Answered(Err(HANGS))).count();
        assert_eq!(hanging(&mounts.ask(many.clone())), limits::NODE_HUNG_MOUNTS_A_LOOK);
        for _ in 0..limits::NODE_HUNG_MOUNTS {
            mounts.ask(many.clone());
        }
        assert_eq!(mounts.hanging.len(), limits::NODE_HUNG_MOUNTS);
        let calls = CALLS.load(Ordering::SeqCst);
        assert_eq!(hanging(&mounts.ask(many)), limits::NODE_HUNG_MOUNTS);
        assert_eq!(CALLS.load(Ordering::SeqCst), calls);
        HELD.store(false, Ordering::SeqCst);
    }

    #[test]
    fn reads_a_line_of_mountinfo() {
        let line = "36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 - ext3 /dev/root rw,errors=continue";
        let mount = Mount::read(line).expect("a mount");
        assert_eq!((mount.major.as_str(), mount.minor.as_str(), mount.point.as_str()), ("98", "0", "/mnt 2"));
        assert_eq!((mount.kind.as_str(), mount.source.as_str(), mount.read_only), ("ext3", "/dev/root", false));
        for (line, read_only) in [
            ("1 2 3:4 / /a ro - ext4 /dev/a rw", true),
            ("1 2 3:4 / /a rw - ext4 /dev/a ro,x", true),
            ("1 2 3:4 / /a rw - ext4 /dev/a rw,emergency_ro", true),
            ("1 2 3:4 / /a rw,root=x - ext4 /dev/a rw,errors=remount-ro", false),
        ] {
            assert_eq!(Mount::read(line).map(|mount| mount.read_only), Some(read_only), "{line}");
        }
        for odd in ["", " - ", "1 2 3 / /a rw - ext4 /dev/a rw", "1 2 3:4 / - ext4 x", "1 2 3:4 / /a rw - ext4"] {
            assert_eq!(Mount::read(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_password_in_a_shares_address_is_not_shown() {
        let shown =
            |source: &str| Mount::read(&format!("1 2 0:4 / /a rw - davfs {source} rw")).map(|m| m.shown_source());
        assert_eq!(shown("https://user:CANARY@files.example/x").as_deref(), Some("https://files.example/x"));
        assert_eq!(shown("nas:/export").as_deref(), Some("nas:/export"));
    }

    #[test]
    fn a_real_file_system_answers() {
        assert!(matches!(Mounts::default().ask(paths(&["/"]))[..], [Asked::Answered(Ok(room))] if room.size > 0));
        assert_eq!(Mounts::default().ask(paths(&["/nowhere"])), [Asked::Answered(Err("no such file or directory"))]);
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_the_parser(line in "[0-9 :/a-z\\\\-]{0,80}|.{0,80}") {
            let _mount = Mount::read(&line).map(|mount| mount.shown_source());
        }
    }
}
