//! What is known of readings of the configuration after the first: the order for one, what it changed or why it was refused, and the
//! counts. Plain data, without secrets; it knows nothing of how a configuration is read or taken over.

use serde::Serialize;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::sync::{mpsc, oneshot};

/// Who asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// SIGHUP.
    Signal,
    /// `POST /-/reload`.
    Page,
    /// A file of the configuration that changed.
    File,
}

impl By {
    /// The word for logs and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signal => "SIGHUP",
            Self::Page => "POST /-/reload",
            Self::File => "a changed file",
        }
    }
}

/// The order to read the configuration again.
#[derive(Debug)]
pub struct Order {
    /// Who asks.
    pub by: By,
    /// Where the outcome is told, when somebody waits for it.
    pub answer: Option<oneshot::Sender<Arc<Attempt>>>,
}

/// Where orders go; one that finds no room is refused, for a reload is under way then and others wait.
pub type Orders = mpsc::Sender<Order>;

/// A reading and its outcome.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// When it ended.
    pub at: SystemTime,
    /// Who asked.
    pub by: By,
    /// What came of it.
    pub outcome: Result<Applied, Refusal>,
}

/// What a new configuration changed: names of checks and keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Applied {
    /// Checks that are new.
    pub added: Vec<String>,
    /// Checks that are gone.
    pub removed: Vec<String>,
    /// Checks that began anew, for something about them is not as before.
    pub changed: Vec<String>,
    /// How many checks go on as if nothing had happened.
    pub kept: usize,
    /// Keys at the top that are not as before and were taken over.
    pub settings: Vec<&'static str>,
    /// Keys at the top that are not as before and wait for the next start.
    pub needs_restart: Vec<&'static str>,
    /// What its author may want to know although it works.
    pub warnings: Vec<Trouble>,
}

impl Applied {
    /// How much of each, in a line; `None` when nothing was changed.
    #[must_use]
    pub fn in_short(&self) -> Option<String> {
        let lists = [("added", &self.added), ("removed", &self.removed), ("changed", &self.changed)];
        let some = lists.iter().filter(|(_, names)| !names.is_empty());
        let mut told: Vec<String> = some.map(|(word, names)| format!("{} {word}", checks(names.len()))).collect();
        if !self.settings.is_empty() {
            told.push(format!("settings {}", self.settings.join(" ")));
        }
        (!told.is_empty()).then(|| told.join(", "))
    }
}

fn checks(count: usize) -> String {
    format!("{count} check{}", if count == 1 { "" } else { "s" })
}

/// Why the configuration before stays in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Whether it could be read at all, so that its author is to blame and not the disk.
    pub was_read: bool,
    /// All that is wrong.
    pub troubles: Vec<Trouble>,
}

/// One thing that is wrong, and where, and what to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// What is wrong; without secrets.
    pub message: String,
    /// Key path and place in the file, or the flag or variable.
    pub at: String,
    /// What to do, when there is advice.
    pub hint: Option<String>,
}

/// The counts, and the last one.
#[derive(Clone, Debug)]
pub struct Reloads {
    /// When the configuration in force was read.
    pub in_force_since: SystemTime,
    /// How many were taken over.
    pub taken: u64,
    /// How many were refused.
    pub refused: u64,
    /// The last one; `None` when there was none.
    pub last: Option<Arc<Attempt>>,
}

impl Reloads {
    /// None yet: the configuration that the agent started with is in force.
    #[must_use]
    pub const fn none(started_at: SystemTime) -> Self {
        Self { in_force_since: started_at, taken: 0, refused: 0, last: None }
    }

    /// Counts one more.
    pub fn note(&mut self, attempt: Arc<Attempt>) {
        match attempt.outcome {
            Ok(_) => {
                self.taken += 1;
                self.in_force_since = attempt.at;
            }
            Err(_) => self.refused += 1,
        }
        self.last = Some(attempt);
    }

    /// Whether the configuration that was read last is the one in force.
    #[must_use]
    pub fn last_was_taken(&self) -> bool {
        self.last.as_ref().is_none_or(|last| last.outcome.is_ok())
    }
}
