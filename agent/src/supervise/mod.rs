//! The command behind `--`: put in our place, or run as our child with every signal passed on and every zombie reaped.
//! It knows processes, signals and the terminal, and nothing of checks. What must stay true: the command cannot tell us from its
//! own parent (input, output, terminal, signals, exit code), and no child of this process is left a zombie.

mod children;
mod signals;
mod terminal;

pub use children::{Child, Children, End};
pub use signals::{Caught, FORWARDED, STOPPING, code_of, name_of};

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// Why a command could not be started.
#[derive(Debug, thiserror::Error)]
#[error("cannot start `{program}`: {why}\nhint: {hint}")]
pub struct NotStarted {
    /// Its first word.
    pub program: String,
    /// The system's words.
    pub why: io::Error,
    /// What to do.
    pub hint: &'static str,
}

impl NotStarted {
    /// What an error of the system means for this command.
    #[must_use]
    pub fn new(program: &str, why: io::Error) -> Self {
        let hint = match why.kind() {
            io::ErrorKind::NotFound if program.contains('/') => {
                "the file, or the interpreter that its first line names, does not exist here"
            }
            io::ErrorKind::NotFound => "it is in no folder of `PATH`; is it in this image?",
            io::ErrorKind::PermissionDenied => {
                "make it executable (`chmod +x`), and its volume mounted without `noexec`"
            }
            io::ErrorKind::ArgumentListTooLong => "its arguments and the environment are larger than the system takes",
            _ => "is it a program for this machine, or a script whose first line begins with `#!`?",
        };
        Self { program: program.to_owned(), why, hint }
    }

    /// The code of shells: 127 when there is no such command, 126 when it cannot be executed.
    #[must_use]
    pub fn code(&self) -> u8 {
        if self.why.kind() == io::ErrorKind::NotFound { 127 } else { 126 }
    }
}

/// A command of these words; `None` without any.
#[must_use]
pub fn command(words: &[std::ffi::OsString]) -> Option<(String, Command)> {
    let (program, arguments) = words.split_first()?;
    let mut command = Command::new(program);
    command.args(arguments);
    Some((program.to_string_lossy().into_owned(), command))
}

/// Puts the command in the place of this process; comes back only when that fails.
#[must_use]
pub fn replace(program: &str, command: &mut Command) -> NotStarted {
    NotStarted::new(program, command.exec())
}

/// Whether this process is the first of its PID namespace, to which the kernel gives all orphans.
#[must_use]
pub fn is_init() -> bool {
    std::process::id() == 1
}

/// Runs the command as the first process of a PID namespace should: signals go to it, orphans are reaped, its end is ours.
/// Needs a tokio runtime around it.
///
/// # Errors
/// When it cannot be started.
pub async fn as_init(program: &str, command: &mut Command) -> Result<End, NotStarted> {
    let refuse = |error| NotStarted::new(program, error);
    let mut caught = Caught::these(FORWARDED).map_err(refuse)?;
    let children = Children::reap().map_err(refuse)?;
    let mut child = children.spawn(command.process_group(0)).map_err(refuse)?;
    terminal::give_to(child.id());
    loop {
        tokio::select! {
            end = child.ended() => return Ok(end),
            signal = caught.next() => child.signal(signal),
        }
    }
}

/// Starts the command as a group of processes of its own, which gets the terminal when there is one.
///
/// # Errors
/// When it cannot be started.
pub fn start(program: &str, command: &mut Command, children: &Children) -> Result<Child, NotStarted> {
    let child = children.spawn(command.process_group(0)).map_err(|error| NotStarted::new(program, error))?;
    terminal::give_to(child.id());
    Ok(child)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_is_not_there_differs_from_one_that_cannot_be_executed() {
        let folder = tempfile::tempdir().unwrap();
        let plain = folder.path().join("plain");
        std::fs::write(&plain, "no program").unwrap();
        for (program, code, words) in [
            ("no-such-command-anywhere", 127, "in no folder of `PATH`"),
            ("/no/such/file", 127, "does not exist"),
            (plain.to_str().unwrap(), 126, "chmod"),
        ] {
            let refused = NotStarted::new(program, Command::new(program).spawn().unwrap_err());
            assert_eq!(refused.code(), code, "{refused}");
            assert!(refused.to_string().contains(words) && refused.to_string().contains(program), "{refused}");
        }
    }
}
