//! Ending a run in two steps: first no new requests and no more thinking, then no more waiting for answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

/// How far the run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// Requests go out.
    Running,
    /// None go out any more; those in flight may finish.
    Draining,
    /// Those in flight are given up.
    Cut,
}

/// Shared by all users.
#[derive(Debug, Default)]
pub(super) struct Stop {
    phase: AtomicU8,
    drained: Arc<Notify>,
    cut: Arc<Notify>,
}

impl Stop {
    pub(super) fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Acquire) {
            0 => Phase::Running,
            1 => Phase::Draining,
            _ => Phase::Cut,
        }
    }

    /// Goes at least as far as this.
    pub(super) fn reach(&self, phase: Phase) {
        self.phase.fetch_max(phase as u8, Ordering::AcqRel);
        if phase >= Phase::Draining {
            self.drained.notify_waiters();
        }
        if phase >= Phase::Cut {
            self.cut.notify_waiters();
        }
    }

    /// Waits until no new requests are wanted.
    pub(super) async fn draining(&self) {
        let notified = self.drained.notified();
        // The waiter counts from its creation on, so that nothing is lost between it and this look.
        if self.phase() < Phase::Draining {
            notified.await;
        }
    }

    /// Fires when answers are not waited for any more; to be looked at together with [`Stop::phase`].
    pub(super) fn cut(&self) -> OwnedNotified {
        Arc::clone(&self.cut).notified_owned()
    }
}
