//! Runs virtual users against a target: who works when, how the run ends, what the generator itself does meanwhile.
//!
//! Knows neither plans nor `.hurl` files: a [`Script`] makes users, a
//! [`User`] does one iteration at a time on its [`Seat`]. Prints nothing. What must stay true: every request that is sent
//! is in the books exactly once, whatever ends the run, and nothing ends it later than its deadline.

mod arrivals;
mod control;
mod crew;
#[cfg(test)]
mod crew_tests;
mod descriptors;
mod goose;
mod scripted;
mod seat;
mod shape;
mod signals;
mod stop;
mod supervisor;
#[cfg(test)]
mod tests;
mod watch;

pub use control::Control;
pub use descriptors::{TooFewFiles, check_file_descriptors};
pub use scripted::{Scripted, Step};
pub use seat::{Outcome, Seat};
pub use shape::{Pace, Shape, Stage, Turn};
pub use signals::Signals;
pub use watch::Patience;

use crate::measure::Summary;
use futures_util::future::BoxFuture;
use std::sync::Arc;

/// What a run does.
pub struct Work {
    /// Users over time.
    pub shape: Shape,
    /// Stop after exactly this many requests.
    pub requests: Option<u64>,
    /// Stop when so many requests have failed.
    pub max_errors: Option<u64>,
    /// Request names; users refer to them by index.
    pub names: Vec<String>,
    /// What users do, each with the share of users that do it.
    pub scripts: Vec<(usize, Arc<dyn Script>)>,
    /// When to give up on a target that does not answer.
    pub patience: Patience,
}

/// What a kind of user does; shared by its users.
pub trait Script: Send + Sync {
    /// Its name, distinct from the others'.
    fn name(&self) -> &str;
    /// Index of the name of its first request.
    fn first(&self) -> usize;
    /// A new user with that number.
    fn user(&self, number: usize) -> Box<dyn User>;
}

/// One virtual user.
pub trait User: Send {
    /// Goes through its journey once, thinking included. Dropped in the middle when the run is aborted.
    fn iterate<'a>(&'a mut self, seat: &'a mut Seat) -> BoxFuture<'a, ()>;
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Its time was up.
    Time,
    /// Its requests were done.
    Requests,
    /// Nothing answered while requests were in flight.
    Hung,
    /// Requests failed without any answer, for seconds.
    Dead,
    /// Whoever guards a release has seen enough.
    RollBack,
    /// Whoever looks at the targets has seen one that is lost.
    Lost,
    /// As many requests have failed as may.
    Errors,
    /// SIGINT.
    Interrupted,
    /// SIGTERM.
    Terminated,
    /// SIGHUP.
    HungUp,
}

impl Reason {
    /// The signal's number, where a signal ended the run: the exit code is 128 more.
    #[must_use]
    pub const fn signal(self) -> Option<u8> {
        match self {
            Self::Interrupted => Some(2),
            Self::Terminated => Some(15),
            Self::HungUp => Some(1),
            Self::Time | Self::Requests | Self::Hung | Self::Dead | Self::RollBack | Self::Lost | Self::Errors => None,
        }
    }
}

/// A run that has ended.
#[derive(Debug)]
pub struct Ended {
    /// Why.
    pub reason: Reason,
    /// All that was measured.
    pub summary: Summary,
}

/// Why a run could not start.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Nothing to do.
    #[error("the run has no users or no journeys")]
    Nothing,
    /// Too few file descriptors.
    #[error(transparent)]
    Files(#[from] TooFewFiles),
    /// More users than one generator may have.
    #[error("{0} users are more than one generator can have ({max})", max = crate::limits::USERS)]
    TooManyUsers(usize),
    /// goose refuses.
    #[error("the engine could not start: {0}")]
    Goose(String),
}

/// Runs the work to its end.
///
/// # Errors
/// When it cannot start. Whatever happens after the start is in the summary.
pub async fn run(work: Work, control: Control) -> Result<Ended, EngineError> {
    let (users, seats) = (work.shape.peak(), work.shape.seats());
    if users == 0 || work.scripts.iter().all(|(weight, _)| *weight == 0) {
        return Err(EngineError::Nothing);
    }
    if seats > crate::limits::USERS {
        return Err(EngineError::TooManyUsers(seats));
    }
    check_file_descriptors(seats)?;
    let patience = work.patience;
    let watching = supervisor::watch(&control, patience);
    let engine = goose::attack(work.scripts, users, &control);
    supervisor::together(watching, engine, &control).await?;
    let reason = control.0.close();
    Ok(Ended { reason, summary: control.summary() })
}
