//! A script without a network: replays given outcomes, for tests of the engine and of what reads its summaries.

use super::{Outcome, Script, Seat, User};
use crate::measure::Failure;
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;

/// One request of a scripted user.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Index of the request's name.
    pub name: usize,
    /// How long it takes; longer than any run for a request that hangs.
    pub latency: Duration,
    /// The status; 0 for none.
    pub status: u16,
    /// Why it counts as an error.
    pub failure: Option<Failure>,
}

/// Users that go through the same steps again and again.
#[derive(Clone, Debug)]
pub struct Scripted {
    name: String,
    steps: Arc<[Step]>,
}

impl Scripted {
    /// A script of these steps.
    #[must_use]
    pub fn new(name: &str, steps: &[Step]) -> Self {
        Self { name: name.to_owned(), steps: steps.into() }
    }
}

impl Script for Scripted {
    fn name(&self) -> &str {
        &self.name
    }

    fn first(&self) -> usize {
        self.steps.first().map_or(0, |step| step.name)
    }

    fn user(&self, _: usize) -> Box<dyn User> {
        Box::new(self.clone())
    }
}

impl User for Scripted {
    fn iterate<'a>(&'a mut self, seat: &'a mut Seat) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            for step in self.steps.iter() {
                if !seat.depart(step.name) {
                    return;
                }
                tokio::time::sleep(step.latency).await;
                let Step { latency, status, failure, .. } = *step;
                seat.done(Outcome { latency, status, failure, ..Outcome::default() });
            }
        })
    }
}
