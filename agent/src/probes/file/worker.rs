//! Work that may hang in the kernel, done by a worker on the blocking pool. What must stay true: a run that gives up on it leaves one
//! thread behind and not one a run, for the next one waits for the same worker.

use std::mem;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, timeout_at};

/// A worker of which there is one, at rest or at work.
pub(in crate::probes) enum Worker<W> {
    Idle(W),
    Busy(JoinHandle<W>),
    /// It panicked.
    Lost,
}

/// Why there is no result.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::probes) enum Missed {
    /// It did not come in time; the work goes on.
    Late,
    /// The worker panicked, now or before.
    Lost,
}

impl<W: Send + 'static> Worker<W> {
    /// Has the worker do something, once it is done with what it was left with before.
    pub(in crate::probes) async fn has<R: Send + 'static>(
        &mut self,
        deadline: Instant,
        work: impl FnOnce(&mut W) -> R + Send + 'static,
    ) -> Result<R, Missed> {
        if let Self::Busy(earlier) = self {
            match timeout_at(deadline, earlier).await {
                Ok(Ok(worker)) => *self = Self::Idle(worker),
                Ok(Err(_panic)) => *self = Self::Lost,
                Err(_elapsed) => return Err(Missed::Late),
            }
        }
        let Self::Idle(mut worker) = mem::replace(self, Self::Lost) else { return Err(Missed::Lost) };
        let (sender, result) = oneshot::channel();
        *self = Self::Busy(spawn_blocking(move || {
            let done = work(&mut worker);
            // Nobody may be waiting any more.
            drop(sender.send(done));
            worker
        }));
        match timeout_at(deadline, result).await {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(_panic)) => Err(Missed::Lost),
            Err(_elapsed) => Err(Missed::Late),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;
    use std::sync::mpsc;
    use std::time::Duration;

    fn soon() -> Instant {
        clock::now() + Duration::from_millis(50)
    }

    fn far() -> Instant {
        clock::now() + Duration::from_secs(30)
    }

    #[tokio::test]
    async fn hung_work_holds_one_thread_and_the_worker_comes_back() {
        let (let_go, hangs) = mpsc::channel::<()>();
        let mut worker = Worker::Idle(0);
        assert_eq!(
            worker
                .has(far(), |count| {
                    *count += 1;
                    *count
                })
                .await,
            Ok(1)
        );
        let hanging = move |count: &mut i32| {
            *count += 10;
            let _ = hangs.recv();
        };
        assert_eq!(worker.has(soon(), hanging).await, Err(Missed::Late));
        for _run in 0..3 {
            assert_eq!(worker.has(soon(), |count| *count += 100).await, Err(Missed::Late), "it has not begun");
        }
        let_go.send(()).unwrap();
        assert_eq!(
            worker.has(far(), |count| *count).await,
            Ok(11),
            "what was given up on was done once, the rest never"
        );
    }

    #[tokio::test]
    async fn a_panic_is_told_and_not_waited_for() {
        let mut worker = Worker::Idle(());
        for _run in 0..2 {
            let ended: Result<(), Missed> = worker.has(far(), |()| panic!("a bug")).await;
            assert_eq!(ended, Err(Missed::Lost));
        }
    }
}
