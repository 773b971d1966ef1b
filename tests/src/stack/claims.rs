//! Claims about something that is dear to start: each is tried in its turn, also after one that failed, and all are judged at the end.

use crate::tell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// What has been claimed so far.
#[derive(Debug, Default)]
pub struct Claims(Vec<Claim>);

#[derive(Debug)]
struct Claim {
    words: &'static str,
    took: Duration,
    failed: Option<String>,
}

impl Claims {
    /// Tries a claim; returns what it found, `None` when it failed.
    pub fn hold<T>(&mut self, words: &'static str, try_it: impl FnOnce() -> T) -> Option<T> {
        let began = Instant::now();
        let found = catch_unwind(AssertUnwindSafe(try_it));
        let took = began.elapsed();
        let (found, failed) = match found {
            Ok(found) => (Some(found), None),
            Err(panic) => (None, Some(said(panic.as_ref()))),
        };
        let verdict = if failed.is_none() { "holds " } else { "FAILED" };
        tell(&format!("{:>5.0} s  {verdict}  {words}", took.as_secs_f64()));
        self.0.push(Claim { words, took, failed });
        found
    }

    /// Fails when one of them has failed, with all of their words.
    ///
    /// # Panics
    /// When one of them has failed.
    pub fn judge(self) {
        let whole: Duration = self.0.iter().map(|claim| claim.took).sum();
        tell(&format!("{:>5.0} s  {} claims", whole.as_secs_f64(), self.0.len()));
        let failed: Vec<String> =
            self.0.iter().filter_map(|claim| Some(format!("{}\n  {}", claim.words, claim.failed.as_ref()?))).collect();
        assert!(failed.is_empty(), "{} of {} claims failed:\n{}", failed.len(), self.0.len(), failed.join("\n"));
    }
}

fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}
