//! Reads the configuration again when asked and takes it over, part by part: checks and sources on the schedule, the state, the pages.
//! What must stay true: a bad configuration changes nothing but what is told of it (invariant 7), and a disk that hangs holds one thread.

use super::difference::{Running, Steps};
use super::lookout::Files;
use super::{announce, build_sources, look_elsewhere};
use crate::config::{self, ConfigError, InForce, Loaded, Seen};
use crate::reload::{Applied, Attempt, By, Order, Refusal, Trouble};
use crate::schedule::Schedule;
use crate::state::Event;
use crate::units::Span;
use crate::{clock, limits};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;

/// A reading of the configuration, and the files that it read.
pub type Reading = (Result<Loaded, ConfigError>, Vec<Seen>);
/// Reads it from the same flags, variables and file as at the start.
pub type Load = Arc<dyn Fn() -> Reading + Send + Sync>;

/// Keeps what runs in step with the configuration.
pub(super) struct Steward {
    pub(super) load: Load,
    pub(super) running: Running,
    pub(super) schedule: Schedule,
    pub(super) events: mpsc::Sender<Event>,
    pub(super) in_force: watch::Sender<Arc<InForce>>,
    pub(super) files: watch::Sender<Files>,
    /// Where the keeper of the silence hears of another file.
    pub(super) silence_file: watch::Sender<Option<PathBuf>>,
    /// A reading that was not waited for.
    pub(super) late: Option<JoinHandle<Reading>>,
    /// The port that the agent itself listens on.
    pub(super) own_port: u16,
}

impl Steward {
    /// Carries out orders, one after the other, until nobody gives any.
    pub(super) async fn serve(&mut self, orders: &mut mpsc::Receiver<Order>) {
        while let Some(Order { by, answer }) = orders.recv().await {
            let attempt = self.reload(by).await;
            if let Some(answer) = answer {
                // Who asked may have gone.
                let _heard = answer.send(attempt);
            }
        }
    }

    async fn reload(&mut self, by: By) -> Arc<Attempt> {
        let outcome = match self.read().await {
            Ok((Ok(loaded), files)) => {
                log_warnings(&loaded);
                let attempt = self.take(loaded, by).await;
                self.watch(files);
                return attempt;
            }
            Ok((Err(error), files)) => {
                self.watch(files);
                Refusal {
                    was_read: !matches!(error, ConfigError::Unreadable { .. }),
                    troubles: config::troubles(&error),
                }
            }
            Err(message) => Refusal {
                was_read: false,
                troubles: vec![Trouble { message, hint: Some("is its disk well?".to_owned()), ..Trouble::default() }],
            },
        };
        log_refusal(by, &outcome);
        let attempt = Arc::new(Attempt { at: clock::wall(), by, outcome: Err(outcome) });
        self.tell(Event::Refused(Arc::clone(&attempt))).await;
        attempt
    }

    /// Reads on a thread that may block; the error says why there is nothing.
    async fn read(&mut self) -> Result<Reading, String> {
        let late = format!("the configuration has not been read within {}", Span(limits::RELOAD_TIMEOUT));
        let deadline = clock::now() + limits::RELOAD_TIMEOUT;
        if let Some(earlier) = &mut self.late {
            // What it says is old; but as long as it hangs, another thread would hang beside it.
            let _old = tokio::time::timeout_at(deadline, earlier).await.map_err(|_elapsed| late.clone())?;
            self.late = None;
        }
        let load = Arc::clone(&self.load);
        let mut reading = spawn_blocking(move || load());
        match timeout(limits::RELOAD_TIMEOUT, &mut reading).await {
            Ok(read) => read.map_err(|_panic| "reading the configuration has a bug, please report it".to_owned()),
            Err(_elapsed) => {
                self.late = Some(reading);
                Err(late)
            }
        }
    }

    async fn take(&mut self, loaded: Loaded, by: By) -> Arc<Attempt> {
        let Loaded { plan, warnings, file } = loaded;
        let effective = plan.effective_at(self.running.server.listen);
        let Steps { mut changes, stop, start, collect_anew } = self.running.become_plan(plan);
        changes.warnings = warnings.iter().map(|warning| config::trouble(warning, file.as_deref())).collect();
        for number in stop {
            self.schedule.stop(number).await;
        }
        if collect_anew {
            self.schedule.stop_sources().await;
        }
        log_changes(by, &changes);
        let attempt = Arc::new(Attempt { at: clock::wall(), by, outcome: Ok(changes) });
        let (checks, sources) = (self.running.checks(), self.running.numbered_sources());
        // Before anything that begins can tell its first result.
        self.tell(Event::Reloaded { attempt: Arc::clone(&attempt), checks, sources }).await;
        look_elsewhere(&self.schedule, &self.running, self.own_port);
        for (number, check) in start {
            announce(&check);
            self.schedule.check(number, check);
        }
        if collect_anew {
            let sources = build_sources(&self.running);
            self.schedule.sources(sources, self.running.collecting.interval);
        }
        let file = &self.running.silence_file;
        self.silence_file.send_if_modified(|known| {
            *known != *file && {
                known.clone_from(file);
                true
            }
        });
        self.in_force.send_replace(Arc::new(InForce { server: self.running.server.clone(), effective }));
        attempt
    }

    fn watch(&self, files: Files) {
        self.files.send_replace(if self.running.watch { files } else { Files::new() });
    }

    async fn tell(&self, event: Event) {
        // The writer ends with the process only.
        let _heard = self.events.send(event).await;
    }
}

/// What a configuration that works has to say.
pub(super) fn log_warnings(loaded: &Loaded) {
    for warning in &loaded.warnings {
        let hint = warning.hint.as_deref();
        tracing::warn!(at = warning.path, line = warning.at.line, hint, "{}", warning.message);
    }
}

fn log_changes(by: By, changes: &Applied) {
    let list = |names: &[String]| (!names.is_empty()).then(|| names.join(", "));
    let keys = |names: &[&str]| (!names.is_empty()).then(|| names.join(", "));
    let (added, removed, changed) = (list(&changes.added), list(&changes.removed), list(&changes.changed));
    let (settings, kept) = (keys(&changes.settings), changes.kept);
    tracing::info!(by = by.as_str(), added, removed, changed, kept, settings, "configuration read again");
    if let Some(keys) = keys(&changes.needs_restart) {
        tracing::warn!(keys, "what has changed here is taken over at the next start of the agent only");
    }
}

fn log_refusal(by: By, refusal: &Refusal) {
    tracing::warn!(
        by = by.as_str(),
        problems = refusal.troubles.len(),
        "configuration is bad, the one before stays in force"
    );
    for Trouble { message, at, hint } in &refusal.troubles {
        let at = (!at.is_empty()).then_some(at.as_str());
        tracing::warn!(at, hint = hint.as_deref(), "{message}");
    }
}
