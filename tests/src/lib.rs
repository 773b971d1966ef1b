//! What the tests share: the programs under test as a user starts them, a plain HTTP client, patience with a deadline.
//! It drives binaries and knows nothing of their code.

pub mod agent;
pub mod compare;
pub mod compose;
#[path = "../culprit/mod.rs"]
pub mod culprit;
#[path = "../faults/mod.rs"]
pub mod faults;
pub mod grafana;
pub mod http;
pub mod other_host;
pub mod program;
pub mod python;
pub mod repo;
pub mod rude;
pub mod rules;
pub mod servers;
pub mod sinks;
pub mod stack;

use std::io::Write as _;
use std::time::{Duration, Instant};

/// Asks until the answer is `Some` or the deadline passes; the deadline is for broken code, not for slow machines.
///
/// # Panics
/// When the deadline passes first, saying what was awaited.
pub fn wait_for<T>(what: &str, deadline: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(began.elapsed() < deadline, "waited {deadline:?} in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Says on stderr that a test could not run here and why; the caller returns. `tests/run` counts these lines.
pub fn skipped(test: &str, why: &str) {
    tell(&format!("SKIPPED {test}: {why}"));
}

/// Says something on stderr past the test harness, which keeps to itself what a test that passes prints.
pub fn tell(words: &str) {
    let _unheard = writeln!(std::io::stderr(), "{words}");
}
