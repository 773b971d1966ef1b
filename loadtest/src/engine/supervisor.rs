//! Looks after a run: its end, a hung or dead target, the generator's own CPU and timers.

use super::stop::Phase;
use super::watch::{Patience, Trouble, judge};
use super::{Control, EngineError, Reason};
use crate::{clock, limits};
use std::pin::pin;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// Watches until the run must end, and then until its last requests have had their time.
pub(super) async fn watch(control: &Control, patience: Patience) {
    // A task of its own: it waits in the same queues as the users. This very task is run by a thread that has nothing else to
    // do, and would fire in time while every user is late. It ends when the set is dropped.
    let mut own = JoinSet::new();
    own.spawn(lateness(control.clone()));
    end(control, patience).await;
}

/// Runs the engine and the watch together: until the engine has gathered its users, or is left behind because it
/// does not in time.
pub(super) async fn together(
    watching: impl Future<Output = ()>,
    engine: impl Future<Output = Result<(), EngineError>>,
    control: &Control,
) -> Result<(), EngineError> {
    let (mut watching, mut engine) = (pin!(watching), pin!(engine));
    tokio::select! {
        () = &mut watching => {}
        ended = &mut engine => return ended,
    }
    // The users have been told to leave; goose looks twice a second.
    control.0.stop.reach(Phase::Cut);
    tokio::time::timeout(limits::GOOSE_ENDS, engine).await.unwrap_or(Ok(()))
}

async fn end(control: &Control, patience: Patience) {
    let books = &control.0;
    let mut next_cpu = clock::now();
    let mut draining_since: Option<Instant> = None;
    loop {
        let now = clock::now();
        if now >= next_cpu && books.has_begun() {
            books.itself().cpu(books.at(now), clock::cpu());
            next_cpu = now + limits::CPU_EVERY;
        }
        if books.has_begun() {
            books.look();
        }
        match books.stop.phase() {
            Phase::Running => {
                let seen = books.seen();
                match judge(&seen, patience) {
                    Some(Trouble::Hung) => control.abort(Reason::Hung),
                    Some(Trouble::Dead) => control.abort(Reason::Dead),
                    None if books.has_failed() => control.stop(Reason::Errors),
                    None if seen.now >= books.shape.duration() && books.has_begun() => control.stop(Reason::Time),
                    None => {}
                }
            }
            Phase::Draining => {
                let since = *draining_since.get_or_insert(now);
                if now - since >= limits::DRAIN || books.flights.oldest(books.now()).0 == 0 {
                    break;
                }
            }
            Phase::Cut => break,
        }
        sleep_until(now + limits::WATCH_EVERY).await;
    }
    books.itself().cpu(books.now(), clock::cpu());
}

/// A timer that measures how late timers fire: what the generator's own queue adds to every latency. On a fixed schedule: a
/// pause of a tenth of a second makes ten of them late, as it does the answers that come within it, and not one.
async fn lateness(control: Control) {
    let mut due = clock::now();
    loop {
        due += limits::LATENESS_EVERY;
        sleep_until(due).await;
        control.0.itself().late(clock::now().saturating_duration_since(due));
    }
}
