//! A deadline that costs next to nothing when it is not reached. Arming a timer for each request and taking it back
//! costs more than the request's own parsing; so one timer a user stays armed, and when it fires it looks whether the
//! deadline has moved.

use crate::clock;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use tokio::task::coop::unconstrained;
use tokio::time::{Instant, Sleep, sleep_until};

/// One user's deadline.
#[derive(Debug)]
pub(super) struct Alarm {
    deadline: Instant,
    timer: Pin<Box<Sleep>>,
}

impl Alarm {
    /// An alarm for this moment.
    pub(super) fn new(deadline: Instant) -> Self {
        Self { deadline, timer: Box::pin(sleep_until(deadline)) }
    }

    /// Moves the deadline. The timer is touched only when it would fire too late.
    pub(super) fn set(&mut self, deadline: Instant) {
        self.deadline = deadline;
        if self.timer.deadline() > deadline {
            self.timer.as_mut().reset(deadline);
        }
    }

    /// Ready once the deadline has passed.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // Outside tokio's budget for one turn of a task: a peer that sends without end uses it up, and a timer that then says
        // "later" would never fire.
        while pin!(unconstrained(self.timer.as_mut())).poll(cx).is_ready() {
            if clock::now() >= self.deadline {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(self.deadline);
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn fires_at_the_last_deadline_and_not_before() {
        let start = clock::now();
        let second = Duration::from_secs(1);
        let mut alarm = Alarm::new(start + second);
        alarm.set(start + second * 5);
        poll_fn(|cx| alarm.poll(cx)).await;
        assert_eq!(clock::now() - start, second * 5);
        alarm.set(start + second * 60);
        alarm.set(start + second * 7);
        poll_fn(|cx| alarm.poll(cx)).await;
        assert_eq!(clock::now() - start, second * 7);
        let mut sooner = Alarm::new(start + second * 60);
        sooner.set(start + second * 9);
        poll_fn(|cx| sooner.poll(cx)).await;
        assert_eq!(clock::now() - start, second * 9);
    }
}
