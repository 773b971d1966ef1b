//! One process as `/proc/<pid>` tells of it. Source: proc(5). Any user may read `stat`, `status`, `limits` and `net/`; counting open
//! files needs the same user and group.

use super::files::{self, Unread, float};
use crate::limits;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::Instant;

/// A process under a `/proc` root.
#[derive(Clone, Debug)]
pub(super) struct Pid {
    /// Its number; 0 for this process.
    pub(super) number: u32,
    proc: PathBuf,
    folder: PathBuf,
}

/// The figures of `/proc/<pid>/stat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stat {
    /// User and system time.
    pub(super) cpu: Duration,
    /// User time.
    pub(super) user: Duration,
    /// System time.
    pub(super) system: Duration,
    /// Page faults that needed no disk, and that did.
    pub(super) faults: [u64; 2],
    /// The state's letter.
    pub(super) state: char,
    /// The process that started it, or took it over.
    pub(super) parent: u32,
    /// Threads.
    pub(super) threads: u64,
    /// Start, in clock ticks since boot: with the pid it names a process for good.
    pub(super) start_ticks: u64,
    /// Virtual memory.
    pub(super) virtual_bytes: u64,
    /// Resident memory.
    pub(super) resident_bytes: u64,
}

impl Stat {
    /// Whether it has ended and only its parent has not asked how. A first thread that ended before the others looks the same but for
    /// their count.
    pub(super) const fn ended(&self) -> bool {
        matches!(self.state, 'Z' | 'X') && self.threads <= 1
    }
}

impl Pid {
    /// A process by its number.
    #[must_use]
    pub(super) fn new(proc: &Path, pid: u32) -> Self {
        Self { number: pid, proc: proc.to_path_buf(), folder: proc.join(pid.to_string()) }
    }

    /// This process.
    #[must_use]
    pub(super) fn myself(proc: &Path) -> Self {
        Self { number: 0, proc: proc.to_path_buf(), folder: proc.join("self") }
    }

    /// Its processor time, memory, threads and start.
    ///
    /// # Errors
    /// When it has ended.
    pub(super) fn stat(&self) -> Result<Stat, Unread> {
        let path = self.folder.join("stat");
        let text = files::read(&path)?;
        parse_stat(&text).ok_or_else(|| files::odd(&path, &text))
    }

    /// One of its files.
    ///
    /// # Errors
    /// When it has ended, or this user may not read it.
    pub(super) fn text(&self, name: &str) -> Result<String, Unread> {
        files::read(&self.folder.join(name))
    }

    /// The `status` of each of its threads, at most so many.
    pub(super) fn threads(&self, most: usize) -> impl Iterator<Item = Result<String, Unread>> {
        let entries = std::fs::read_dir(self.folder.join("task")).into_iter().flatten().flatten();
        entries.take(most).map(|entry| files::read(&entry.path().join("status")))
    }

    /// The file system of its root directory, where this user may look into it.
    #[must_use]
    pub(super) fn root(&self) -> Option<rustix::fs::StatVfs> {
        // With the slash it is the directory itself, not the link to it.
        rustix::fs::statvfs(self.folder.join("root/")).ok()
    }

    /// How many files it has open, and how many of them are sockets; the latter only up to [`limits::FILES_LOOKED_AT`] files.
    ///
    /// # Errors
    /// When this user may not look.
    pub(super) fn files_and_sockets(&self) -> Result<(u64, Option<u64>), Unread> {
        let open = self.open_files()?;
        if open > limits::FILES_LOOKED_AT {
            return Ok((open, None));
        }
        let entries = std::fs::read_dir(self.folder.join("fd")).into_iter().flatten().flatten();
        let links = entries.filter_map(|entry| std::fs::read_link(entry.path()).ok());
        let sockets = links.filter(|link| link.as_os_str().as_encoded_bytes().starts_with(b"socket:")).count();
        Ok((open, u64::try_from(sockets).ok()))
    }

    /// Whether this agent is in that cgroup of the process too: then it is nobody's container, and tells the two from nobody.
    pub(super) fn shares_with_the_agent(&self, cgroup: &str) -> bool {
        Self::myself(&self.proc).cgroup().is_ok_and(|ours| ours == cgroup)
    }

    /// Its command name, as the kernel keeps it: at most 15 bytes, any bytes.
    ///
    /// # Errors
    /// When it has ended.
    pub(super) fn comm(&self) -> Result<String, Unread> {
        files::read(&self.folder.join("comm")).map(|text| text.trim_end_matches('\n').to_owned())
    }

    /// The program as it was called: the first word of its command line, for the others may hold secrets; empty when it has none
    /// (a kernel thread), or when the word could be a URL.
    #[must_use]
    pub(super) fn program(&self) -> String {
        let line = files::read(&self.folder.join("cmdline")).unwrap_or_default();
        let word = line.split(['\0', ' ', '\n']).next().unwrap_or_default();
        let plain = !word.contains(['@', '?', '=']) && !word.contains("://");
        if plain {
            word.chars().filter(|c| !c.is_control()).take(limits::PEER_TEXT_CHARS).collect()
        } else {
            String::new()
        }
    }

    /// The user that it runs as.
    #[must_use]
    pub(super) fn uid(&self) -> Option<u32> {
        let status = files::read(&self.folder.join("status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
        line.split_whitespace().nth(1)?.parse().ok()
    }

    /// Its cgroup as this namespace sees it: the same text for two processes of one container, another for any other.
    ///
    /// # Errors
    /// When it has ended.
    pub(super) fn cgroup(&self) -> Result<String, Unread> {
        files::read(&self.folder.join("cgroup"))
    }

    /// Its anonymous and its shared resident memory in bytes; a kernel thread has none.
    ///
    /// # Errors
    /// When it has ended.
    pub(super) fn unreclaimable(&self) -> Result<(u64, u64), Unread> {
        let text = files::read(&self.folder.join("status"))?;
        let bytes = |name| files::keyed(&text, name).unwrap_or(0).saturating_mul(1024);
        Ok((bytes("RssAnon"), bytes("RssShmem")))
    }

    /// How many files it has open.
    ///
    /// # Errors
    /// When this user may not look.
    pub(super) fn open_files(&self) -> Result<u64, Unread> {
        let path = self.folder.join("fd");
        let entries = std::fs::read_dir(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::PermissionDenied => Unread::Denied(path.display().to_string()),
            _ => Unread::Missing(path.display().to_string()),
        })?;
        Ok(u64::try_from(entries.count()).unwrap_or(u64::MAX))
    }

    /// How many files it may have open.
    ///
    /// # Errors
    /// When its limits cannot be read.
    pub(super) fn most_files(&self) -> Result<u64, Unread> {
        let path = self.folder.join("limits");
        let text = files::read(&path)?;
        let line = text.lines().find_map(|line| line.strip_prefix("Max open files"));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok()).ok_or_else(|| files::odd(&path, &text))
    }

    /// Established TCP connections in its network namespace, both address families.
    ///
    /// # Errors
    /// When neither table can be read.
    pub(super) fn connections(&self) -> Result<u64, Unread> {
        let table = |name: &str| files::read(&self.folder.join("net").join(name)).map(|text| established(&text));
        let (four, six) = (table("tcp"), table("tcp6"));
        match (four, six) {
            (Err(error), Err(_)) => Err(error),
            (four, six) => Ok(four.unwrap_or(0) + six.unwrap_or(0)),
        }
    }

    /// When it started, in seconds since the Unix epoch.
    #[must_use]
    pub(super) fn started_at(&self, stat: &Stat) -> Option<f64> {
        Some(booted(&self.proc)? + ticks(stat.start_ticks).as_secs_f64())
    }

    /// The host's memory.
    #[must_use]
    pub(super) fn memory_total(&self) -> Option<u64> {
        memory_total(&self.proc)
    }

    /// The host's processors.
    #[must_use]
    pub(super) fn host_cores(&self) -> f64 {
        host_cores(&self.proc)
    }
}

/// The processes under a `/proc` root, at most [`limits::PROCESSES_LOOKED_AT`] of them.
pub(super) fn all(proc: &Path) -> impl Iterator<Item = Pid> {
    let entries = std::fs::read_dir(proc).into_iter().flatten();
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    pids.take(limits::PROCESSES_LOOKED_AT).map(|pid| Pid::new(proc, pid))
}

/// When the machine started, in seconds since the Unix epoch.
#[must_use]
pub(super) fn booted(proc: &Path) -> Option<f64> {
    files::keyed(&files::read(&proc.join("stat")).ok()?, "btime").map(float)
}

/// The host's memory in bytes.
#[must_use]
pub(super) fn memory_total(proc: &Path) -> Option<u64> {
    files::keyed(&files::read(&proc.join("meminfo")).ok()?, "MemTotal").map(|kib| kib.saturating_mul(1024))
}

/// The host's processors, from `/proc/stat`; 1 when that cannot be read.
#[must_use]
pub(super) fn host_cores(proc: &Path) -> f64 {
    let text = files::read(&proc.join("stat")).unwrap_or_default();
    let cores = text
        .lines()
        .filter(|line| line.strip_prefix("cpu").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())));
    float(u64::try_from(cores.count()).unwrap_or(1).max(1))
}

/// The share of `cores` used between two looks at a processor time; nothing on the first look or when time ran backwards.
#[must_use]
pub(super) fn used_since(before: Option<(Instant, Duration)>, now: (Instant, Duration), cores: f64) -> Option<f64> {
    let (then, used_then) = before?;
    let wall = now.0.checked_duration_since(then).filter(|wall| !wall.is_zero())?;
    let used = now.1.checked_sub(used_then)?;
    (cores > 0.0).then(|| used.as_secs_f64() / wall.as_secs_f64() / cores)
}

/// Reads whatever `/proc` says of a process, for fuzzing.
pub(super) fn read(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _read = (parse_stat(&text), established(&text));
}

/// Fields of `stat` are counted from the last `)`: the name before it may hold anything.
fn parse_stat(text: &str) -> Option<Stat> {
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let field = |number: usize| fields.get(number.checked_sub(3)?)?.parse::<u64>().ok();
    let page = u64::try_from(rustix::param::page_size()).ok()?;
    let (user, system) = (field(14)?, field(15)?);
    Some(Stat {
        cpu: ticks(user.checked_add(system)?),
        user: ticks(user),
        system: ticks(system),
        faults: [field(10)?, field(12)?],
        state: fields.first()?.chars().next()?,
        parent: u32::try_from(field(4)?).ok()?,
        threads: field(20)?,
        start_ticks: field(22)?,
        virtual_bytes: field(23)?,
        resident_bytes: field(24)?.checked_mul(page)?,
    })
}

/// Clock ticks as a time.
pub(super) fn ticks(count: u64) -> Duration {
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    Duration::from_secs(count / per_second) + Duration::from_millis(count % per_second * 1000 / per_second)
}

/// Lines of `/proc/net/tcp` in state 01. Source: kernel documentation, networking/proc_net_tcp.
fn established(table: &str) -> u64 {
    let open = table.lines().skip(1).filter(|line| line.split_whitespace().nth(3) == Some("01"));
    u64::try_from(open.count()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str =
        "42 (a) b) x) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 7 0 1000 10485760 256 18446744073709551615 0 0";

    #[test]
    fn reads_stat_whatever_the_process_is_called() {
        let stat = parse_stat(STAT).expect("understood");
        assert_eq!((stat.cpu, stat.threads, stat.start_ticks), (Duration::from_secs(3), 7, 1000));
        assert_eq!((stat.virtual_bytes, stat.resident_bytes), (10_485_760, 256 * 4096));
        assert_eq!((stat.parent, stat.ended()), (1, false));
        assert_eq!(parse_stat("42 (x) S 1"), None);
        assert_eq!(parse_stat(""), None);
    }

    #[test]
    fn who_is_only_waited_for_has_ended() {
        let ended = |from: &str, to: &str| parse_stat(&STAT.replace(from, to)).expect("understood").ended();
        assert!(ended(
            "S 1 42 42 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 7",
            "Z 1 42 42 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 1"
        ));
        assert!(!ended(" S ", " Z "), "six threads go on without the first");
    }

    #[test]
    fn counts_established_connections_only() {
        let table = "  sl  local_address rem_address   st\n 0: 0100007F:1F90 00000000:0000 0A 0\n 1: 0100007F:1F90 0100007F:C350 01 0\n";
        assert_eq!(established(table), 1);
        assert_eq!(established(""), 0);
    }

    #[test]
    fn the_share_used_is_of_all_cores_and_needs_two_looks() {
        let (start, second) = (crate::clock::now(), Duration::from_secs(1));
        assert_eq!(used_since(None, (start, second), 2.0), None);
        assert_eq!(used_since(Some((start, second)), (start + 2 * second, 2 * second), 2.0), Some(0.25));
        assert_eq!(used_since(Some((start, second)), (start, second), 2.0), None);
        assert_eq!(used_since(Some((start, 2 * second)), (start + second, second), 2.0), None, "another process");
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_the_parsers(text in ".{0,200}") {
            parse_stat(&text);
            established(&text);
        }
    }
}
