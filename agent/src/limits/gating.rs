//! Caps and times of `agent wait` and `agent start`, each with its reason.

use std::time::Duration;

/// How long `agent wait` waits unless told otherwise: what databases and migrations need, and shorter than orchestrators' patience.
pub const WAIT_TIMEOUT: Duration = Duration::from_secs(60);
/// First pause between two questions of `agent wait` to one dependency; doubles.
pub const WAIT_FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Longest such pause unless told otherwise: what a person does not yet call waiting.
pub const WAIT_LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Shortest such pause that may be asked for.
pub const WAIT_PAUSE_LEAST: Duration = Duration::from_millis(10);
/// How long a dependency may have been ready when the last one is, before it is asked again.
pub const WAIT_READY_FOR: Duration = Duration::from_secs(5);
/// Answers in a row that need a person, before `--fail-fast` gives up.
pub const WAIT_HOPELESS_AFTER: u32 = 2;
/// After the deadline, how long a try that it has cut may take to say where it hung.
pub const WAIT_LAST_WORDS: Duration = Duration::from_millis(20);
/// Time between two looks at the clock for people at a terminal.
pub const WAIT_TICK: Duration = Duration::from_secs(1);
/// Time between two reminders where there is no terminal.
pub const WAIT_REMINDER: Duration = Duration::from_secs(10);
/// Width of a line where the terminal does not tell its own.
pub const WAIT_LINE_CHARS: usize = 120;
/// How long the command of `agent start` has after its SIGTERM unless told otherwise: Docker itself gives ten seconds.
pub const START_GRACE: Duration = Duration::from_secs(8);
/// How long the whole shutdown may take unless told otherwise: less than the thirty seconds after which Kubernetes kills.
pub const START_BUDGET: Duration = Duration::from_secs(25);
/// How long `/ready` answers 503 before the command is told, when pages are served and nothing else is written.
pub const START_DRAIN: Duration = Duration::from_secs(2);
/// How long a step with `retry` is tried again unless it says how long.
pub const START_RETRY: Duration = Duration::from_secs(30);
/// How long the command of a step may take unless told otherwise.
pub const HOOK_TIMEOUT: Duration = Duration::from_secs(60);
/// The same of a command that undoes a step.
pub const HOOK_STOP_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a command of a step has between SIGTERM and SIGKILL when it must end.
pub const HOOK_GRACE: Duration = Duration::from_secs(2);
/// How long the rest of a command's output is waited for after its end: its children may hold it open for ever.
pub const HOOK_LAST_WORDS: Duration = Duration::from_millis(200);
/// Longest line of a command's output that is shown in one piece.
pub const HOOK_LINE_BYTES: u64 = 8 << 10;
