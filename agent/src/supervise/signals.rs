//! Signals as they come in: those that end a wait or a start, and all that may be passed on to a child.

use rustix::process::Signal;
use std::io;
use std::task::Poll;
use tokio::signal::unix::{self, SignalKind};

/// What asks this process to end.
pub const STOPPING: &[Signal] = &[Signal::TERM, Signal::INT, Signal::HUP];

/// All that a parent can pass on. Left out are those that tell of a fault of the process itself, those that nobody can catch,
/// `SIGCHLD`, and the real-time signals, whose numbers no safe call sends.
pub const FORWARDED: &[Signal] = &[
    Signal::TERM,
    Signal::INT,
    Signal::HUP,
    Signal::QUIT,
    Signal::USR1,
    Signal::USR2,
    Signal::ALARM,
    Signal::VTALARM,
    Signal::PROF,
    Signal::WINCH,
    Signal::CONT,
    Signal::TSTP,
    Signal::URG,
    Signal::IO,
    Signal::POWER,
    Signal::XCPU,
    Signal::XFSZ,
];

/// The name of one of them, as `kill -l` knows it.
#[must_use]
pub fn name_of(signal: Signal) -> &'static str {
    match signal {
        Signal::TERM => "SIGTERM",
        Signal::INT => "SIGINT",
        Signal::HUP => "SIGHUP",
        Signal::QUIT => "SIGQUIT",
        Signal::USR1 => "SIGUSR1",
        Signal::USR2 => "SIGUSR2",
        Signal::WINCH => "SIGWINCH",
        Signal::KILL => "SIGKILL",
        _ => "a signal",
    }
}

/// The exit code of a process that a signal ended: 128 and its number.
#[must_use]
pub fn code_of(signal: Signal) -> u8 {
    u8::try_from(signal.as_raw()).map_or(u8::MAX, |number| number.saturating_add(128))
}

/// Signals that are caught for the rest of this process's life.
#[derive(Debug)]
pub struct Caught(Vec<(Signal, unix::Signal)>);

impl Caught {
    /// Begins to catch them. Needs a tokio runtime around it.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn these(signals: &[Signal]) -> io::Result<Self> {
        let caught = signals.iter().map(|signal| Ok((*signal, unix::signal(SignalKind::from_raw(signal.as_raw()))?)));
        caught.collect::<io::Result<_>>().map(Self)
    }

    /// The next one; of several that came at once, the one that stands first.
    pub async fn next(&mut self) -> Signal {
        std::future::poll_fn(|context| {
            let mut all = self.0.iter_mut();
            all.find_map(|(signal, stream)| stream.poll_recv(context).is_ready().then_some(*signal))
                .map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}
