//! A program under test, started as a user starts it and stopped when the test ends.

use crate::wait_for;
use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Where a binary of the workspace is: beside the test that runs, in the same profile.
///
/// # Panics
/// When it has not been built; `tests/run` builds all of them first.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap_or_default();
    // A test lies in `deps`, one of our own programs beside the others.
    let places = || own.ancestors().skip(1).take(2).map(|folder| folder.join(name));
    let path = places().find(|path| path.is_file()).or_else(|| places().last()).unwrap_or_default();
    assert!(path.exists(), "{} is not built: run `cargo build --workspace` first", path.display());
    path
}

/// A finished program: what it said and how it ended.
#[derive(Debug)]
pub struct Finished {
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// Exit code; 128 + n when a signal n ended it.
    pub code: i32,
}

/// Runs a program of the workspace to its end, without any of this environment's settings for it.
///
/// # Panics
/// When it cannot be started.
#[must_use]
pub fn finish<S: AsRef<OsStr>>(name: &str, arguments: &[S]) -> Finished {
    finish_command(clean(name).args(arguments))
}

/// Runs a prepared command to its end.
///
/// # Panics
/// When it cannot be started.
#[must_use]
#[expect(clippy::panic, reason = "a test fails by panicking")]
pub fn finish_command(command: &mut Command) -> Finished {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    Finished {
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        code: code(output.status),
    }
}

/// A command for a program of the workspace whose environment holds nothing but `PATH`.
#[must_use]
pub fn clean(name: &str) -> Command {
    let mut command = Command::new(binary(name));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

fn code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}

/// A program that runs while the test looks at it; killed when dropped.
pub struct Running {
    child: Child,
    said: Arc<Mutex<String>>,
}

impl Running {
    /// Starts a command; its stdout and stderr are kept together, line by line.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    #[expect(clippy::panic, reason = "a test fails by panicking")]
    pub fn start(command: &mut Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let said = Arc::new(Mutex::new(String::new()));
        child.stdout.take().into_iter().for_each(|pipe| keep(pipe, &said));
        child.stderr.take().into_iter().for_each(|pipe| keep(pipe, &said));
        Self { child, said }
    }

    /// All it has said so far.
    #[must_use]
    pub fn said(&self) -> String {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for a line that contains `words` and returns it.
    #[must_use]
    pub fn line(&self, words: &str) -> String {
        let find = || self.said().lines().find(|line| line.contains(words)).map(str::to_owned);
        let awaited = format!("a line with `{words}`");
        let deadline = Duration::from_secs(20);
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| wait_for(&awaited, deadline, find)));
        found.unwrap_or_else(|panic| {
            eprintln!("it said:\n{}", self.said());
            std::panic::resume_unwind(panic)
        })
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: rustix::process::Signal) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw) {
            let _gone = rustix::process::kill_process(pid, signal);
        }
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end and returns its exit code (128 + n when a signal n ended it).
    pub fn end(&mut self) -> i32 {
        wait_for("the program's end", Duration::from_secs(60), || self.child.try_wait().ok().flatten().map(code))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn keep(pipe: impl Read + Send + 'static, said: &Arc<Mutex<String>>) {
    let said = Arc::clone(said);
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
            said.push_str(&line);
            said.push('\n');
        }
    });
}
