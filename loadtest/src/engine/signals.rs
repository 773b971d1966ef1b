//! Signals, caught before anything else starts (invariant 10). The first one ends the run with a full report, the second
//! at once with what there is.

use super::{Control, Reason};
use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that end a run.
#[derive(Debug)]
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    /// How many have come.
    heard: usize,
}

impl Signals {
    /// Catches them, from now on. Called once, before the first run, within the runtime.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn claim() -> io::Result<Self> {
        // goose would take Ctrl-C through this crate, which has one place a process: its second Ctrl-C ends the process
        // without a report. We take the place first; our own handler then passes the signal on to nothing.
        let _ = ctrlc::set_handler(|| {});
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            heard: 0,
        })
    }

    /// The next one.
    pub async fn next(&mut self) -> Reason {
        let reason = tokio::select! {
            _ = self.interrupt.recv() => Reason::Interrupted,
            _ = self.terminate.recv() => Reason::Terminated,
            _ = self.hangup.recv() => Reason::HungUp,
        };
        self.heard += 1;
        reason
    }

    /// Waits until a second one has come, counted from the start of the process; at once where it has.
    pub async fn insist(&mut self) {
        while self.heard < 2 {
            self.next().await;
        }
    }

    /// Obeys them for the length of a run; to be dropped with it.
    pub async fn obey(&mut self, control: &Control) {
        let first = self.next().await;
        control.stop(first);
        let second = self.next().await;
        control.abort(second);
        // A third and later one changes nothing: the report is being written.
        std::future::pending::<()>().await;
    }
}
