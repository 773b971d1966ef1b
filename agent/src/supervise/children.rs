//! The children of this process and how they end. One task reaps all of them, also orphans that the kernel gave us, and tells
//! whoever waits for one. What must stay true: nobody else in this program waits for a child, or its exit code would be lost.

use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, kill_process, kill_process_group, wait};
use std::collections::HashMap;
use std::io;
use std::process::{ChildStderr, ChildStdout, Command};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::signal::unix::{self, SignalKind};
use tokio::sync::oneshot;

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself, with this code.
    Code(u8),
    /// By this signal.
    Killed(i32),
}

impl End {
    /// As an exit code: its own, or 128 and the number of the signal.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Code(code) => code,
            Self::Killed(signal) => u8::try_from(signal).map_or(u8::MAX, |number| number.saturating_add(128)),
        }
    }

    /// Whether it ended by itself with code 0.
    #[must_use]
    pub fn good(self) -> bool {
        self == Self::Code(0)
    }

    fn of(status: WaitStatus) -> Option<Self> {
        let code = status.exit_status().map(|code| Self::Code(u8::try_from(code).unwrap_or(u8::MAX)));
        code.or_else(|| status.terminating_signal().map(Self::Killed))
    }
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Killed(number) => match Signal::from_named_raw(*number).map(super::name_of) {
                Some(name) if name.starts_with("SIG") => write!(f, "killed by {name}"),
                _ => write!(f, "killed by signal {number}"),
            },
        }
    }
}

type Awaited = Arc<Mutex<HashMap<Pid, oneshot::Sender<End>>>>;

/// Starts children and reaps them.
#[derive(Clone, Debug)]
pub struct Children {
    awaited: Awaited,
}

impl Children {
    /// Begins to reap, on a task of the runtime around it, which must have one thread: a child is entered in the list of those
    /// awaited in the same breath as it is started.
    ///
    /// # Errors
    /// When `SIGCHLD` cannot be caught.
    pub fn reap() -> io::Result<Self> {
        let mut told = unix::signal(SignalKind::child())?;
        let awaited = Awaited::default();
        let list = Arc::clone(&awaited);
        tokio::spawn(async move {
            loop {
                reap_all(&list);
                if told.recv().await.is_none() {
                    return;
                }
            }
        });
        Ok(Self { awaited })
    }

    /// Starts a child.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn spawn(&self, command: &mut Command) -> io::Result<Child> {
        let mut child = command.spawn()?;
        let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let id = id.ok_or_else(|| io::Error::other("the system gave it no process id"))?;
        let (tell, end) = oneshot::channel();
        self.awaited.lock().unwrap_or_else(PoisonError::into_inner).insert(id, tell);
        Ok(Child { id, end, known: None, stdout: child.stdout.take(), stderr: child.stderr.take() })
    }
}

/// Takes in every child that has ended, and tells those who wait.
fn reap_all(awaited: &Awaited) {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some((id, status))) => {
                let mut awaited = awaited.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some((end, tell)) = End::of(status).and_then(|end| Some((end, awaited.remove(&id)?))) {
                    let _nobody_waits = tell.send(end);
                }
            }
            Err(rustix::io::Errno::INTR) => {}
            Ok(None) | Err(_) => return,
        }
    }
}

/// A child at work, or one whose end nobody has asked for yet.
#[derive(Debug)]
pub struct Child {
    id: Pid,
    end: oneshot::Receiver<End>,
    known: Option<End>,
    /// Its output, when it was asked to be piped.
    pub stdout: Option<ChildStdout>,
    /// Its errors, likewise.
    pub stderr: Option<ChildStderr>,
}

impl Child {
    /// Its process id.
    #[must_use]
    pub fn id(&self) -> Pid {
        self.id
    }

    /// Waits for its end. May be dropped and asked again.
    pub async fn ended(&mut self) -> End {
        if let Some(end) = self.known {
            return end;
        }
        // The sender is dropped only with the reaping task, at the end of the runtime.
        let end = (&mut self.end).await.unwrap_or(End::Code(u8::MAX));
        self.known = Some(end);
        end
    }

    /// Sends a signal to the process itself, unless it is known to have ended.
    pub fn signal(&self, signal: Signal) {
        if self.known.is_none() {
            let _gone = kill_process(self.id, signal);
        }
    }

    /// Sends a signal to the group that it was started as: itself and all its children.
    pub fn signal_group(&self, signal: Signal) {
        let _gone = kill_process_group(self.id, signal);
    }
}
