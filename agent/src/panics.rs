//! What becomes of a panic: one line of the log instead of a backtrace in the middle of it. Whoever runs foreign code catches the
//! panic itself; here it is only told. What must stay true: nobody loses a panic of ours, and a peer that makes a driver panic
//! cannot fill the log.

use futures_util::FutureExt as _;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::pin::pin;
use std::task::Poll;

thread_local! {
    /// Whether this thread is inside of [`caught`].
    static EXPECTED: Cell<bool> = const { Cell::new(false) };
}

/// Tells panics of the whole process from here on.
pub fn tell_in_one_line() {
    panic::set_hook(Box::new(tell));
}

fn tell(panic: &PanicHookInfo<'_>) {
    let at = panic.location().map(ToString::to_string).unwrap_or_default();
    let why = panic.payload_as_str().unwrap_or("no words");
    if EXPECTED.get() {
        tracing::debug!(at, why, "a library panicked over what a peer sent");
    } else if tracing::dispatcher::has_been_set() {
        tracing::error!(at, why, "a bug, please report it; the part it is in has given up");
    } else {
        eprintln!("error: a bug, please report it: {why}\n  at {at}");
    }
}

/// A panic was caught; its words are in the log.
#[derive(Debug)]
pub struct Caught;

/// Runs a library that is known to panic over what a peer sends, and catches it.
///
/// # Errors
/// When it panicked.
pub async fn caught<T>(work: impl Future<Output = T>) -> Result<T, Caught> {
    let mut work = pin!(AssertUnwindSafe(work).catch_unwind());
    let ended = std::future::poll_fn(|context| {
        EXPECTED.set(true);
        let polled: Poll<_> = work.as_mut().poll(context);
        EXPECTED.set(false);
        polled
    });
    ended.await.map_err(|_words| Caught)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_caught_and_expected_only_while_it_is_being_caught() {
        let panicking = caught(async {
            tokio::task::yield_now().await;
            assert!(EXPECTED.get());
            panic!("as the test wants it");
        });
        let outside = async {
            for _ in 0..3 {
                assert!(!EXPECTED.get(), "another task is running");
                tokio::task::yield_now().await;
            }
        };
        let (ended, ()) = tokio::join!(panicking, outside);
        let ended: Result<(), Caught> = ended;
        assert!(ended.is_err() && !EXPECTED.get());
        assert_eq!(caught(async { 7 }).await.ok(), Some(7));
    }
}
