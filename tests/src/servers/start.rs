//! Starting a real server for a test: a free port, a folder of its own, a user that the server accepts, and its end with the test.
//! Knows nothing of the rest of this crate, so that the agent's own tests can include it.

use rustix::process::{Pid, Signal, kill_process};
use std::io::Read as _;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Debian's `nobody` and `nogroup`: database servers refuse to run as root.
const NOBODY: u32 = 65534;

/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// Between two looks at it.
const PAUSE: Duration = Duration::from_millis(50);

/// A port that was free a moment ago; 0, which no server keeps, when loopback has none.
#[must_use]
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    listener.map_or(0, |address| address.port())
}

/// Where a program is, or why the test is skipped.
///
/// # Errors
/// When it is not installed.
pub fn installed(program: &str) -> Result<PathBuf, String> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    let found =
        std::env::split_paths(&folders).chain(usual).map(|folder| folder.join(program)).find(|path| path.exists());
    found.ok_or_else(|| format!("{program} is not installed"))
}

/// A server that runs until it is dropped, with its folder.
pub struct Server {
    command: Command,
    child: Child,
    folder: tempfile::TempDir,
}

impl Server {
    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts it in a folder.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(mut command: Command, folder: tempfile::TempDir) -> Result<Self, String> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = spawn(&mut command)?;
        Ok(Self { command, child, folder })
    }

    /// Waits until `ready` says yes.
    ///
    /// # Errors
    /// When it ends before, or a minute passes.
    pub fn until(mut self, ready: impl Fn() -> bool) -> Result<Self, String> {
        let began = Instant::now();
        while !ready() {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("the server ended by itself: {status}"));
            }
            if began.elapsed() > PATIENCE {
                return Err("the server was not ready within a minute".to_owned());
            }
            std::thread::sleep(PAUSE);
        }
        Ok(self)
    }

    /// Stops it at once, as a crash would.
    pub fn stop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// When it has ended.
    pub fn signal(&self, signal: Signal) -> Result<(), String> {
        kill_process(Pid::from_child(&self.child), signal).map_err(|error| error.to_string())
    }

    /// Sends it and the processes that it started a signal.
    ///
    /// # Errors
    /// When it has ended.
    pub fn signal_all(&self, signal: Signal) -> Result<(), String> {
        self.signal(signal)?;
        let id = self.child.id();
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
        for child in children.unwrap_or_default().split_whitespace() {
            if let Some(child) = child.parse().ok().and_then(Pid::from_raw) {
                // One that ended meanwhile needs no signal.
                let _gone = kill_process(child, signal);
            }
        }
        Ok(())
    }

    /// Asks it to end by a signal of its own and waits a little; whoever does not listen is stopped.
    pub fn end(&mut self, signal: Signal) {
        let asked = Pid::from_child(&self.child);
        let began = Instant::now();
        let running = |child: &mut Child| matches!(child.try_wait(), Ok(None));
        if running(&mut self.child) && kill_process(asked, signal).is_ok() {
            while running(&mut self.child) && began.elapsed() < Duration::from_secs(5) {
                std::thread::sleep(PAUSE);
            }
        }
        self.stop();
    }

    /// Starts it again where it was, after [`Server::stop`], and waits until `ready` says yes. A server that ends by itself is
    /// tried again: PostgreSQL does so while the last process of its crashed forerunner is still there.
    ///
    /// # Errors
    /// When it is not ready within a minute.
    pub fn restart(&mut self, ready: impl Fn() -> bool) -> Result<(), String> {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if !matches!(self.child.try_wait(), Ok(None)) {
                self.child = spawn(&mut self.command)?;
            }
            if ready() {
                return Ok(());
            }
            std::thread::sleep(PAUSE);
        }
        Err("the server was not ready again within a minute".to_owned())
    }
}

fn spawn(command: &mut Command) -> Result<Child, String> {
    command.spawn().map_err(|error| format!("{command:?}: {error}"))
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// An empty folder that belongs to the user that servers run as.
///
/// # Errors
/// When it cannot be made.
pub fn folder() -> Result<tempfile::TempDir, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    if is_root() {
        chown(folder.path(), Some(NOBODY), Some(NOBODY)).map_err(|error| error.to_string())?;
    }
    Ok(folder)
}

/// A command that does not run as root.
#[must_use]
pub fn unprivileged(program: &Path, folder: &Path) -> Command {
    let mut command = if is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.current_dir(folder);
    command
}

/// Runs a command to its end and returns what it printed.
///
/// # Errors
/// When it fails, with what it said.
pub fn output(command: &mut Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{command:?}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let mut text = String::new();
    output.stdout.as_slice().read_to_string(&mut text).map_err(|error| error.to_string())?;
    Ok(text.trim_end().to_owned())
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}
