//! The web configuration as it is now: looked at once a second at most, read again when a file of it has changed. A bad one
//! never replaces a good one (invariant 7).

use super::{Loaded, ReadNode, WebConfig, WebConfigError, load};
use crate::{clock, limits};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use tokio::time::{Instant, timeout};

/// A file and its state when last seen; `None` when it could not be looked at. Links are followed, so a changed Kubernetes
/// secret is seen.
pub(super) type Seen = Vec<(PathBuf, Option<(SystemTime, u64)>)>;

/// A web configuration on disk.
pub(in crate::server) struct Watched {
    path: PathBuf,
    read: ReadNode,
    state: Mutex<State>,
}

struct State {
    config: Arc<WebConfig>,
    seen: Seen,
    looked_at: Instant,
    good: bool,
}

impl Watched {
    /// Reads it for the first time.
    ///
    /// # Errors
    /// With everything that is wrong with it.
    pub(in crate::server) fn open(path: &Path, read: ReadNode) -> Result<Self, WebConfigError> {
        let (config, seen) = load_file(path, read);
        let config = config?;
        log_notes(path, &config);
        let state = State { config: Arc::new(config), seen, looked_at: clock::now(), good: true };
        Ok(Self { path: path.to_owned(), read, state: Mutex::new(state) })
    }

    /// Whether it was good when last read.
    pub(in crate::server) fn good(&self) -> bool {
        self.state().good
    }

    /// The configuration, read again when it has changed since the last look.
    pub(in crate::server) async fn fresh(self: &Arc<Self>) -> Arc<WebConfig> {
        if self.due() {
            let this = Arc::clone(self);
            // Files hang when their disk does: then the configuration at hand serves on.
            let _ = timeout(limits::WEB_CONFIG_LOOK, tokio::task::spawn_blocking(move || this.look())).await;
        }
        Arc::clone(&self.state().config)
    }

    fn due(&self) -> bool {
        let (now, mut state) = (clock::now(), self.state());
        let due = now.saturating_duration_since(state.looked_at) >= limits::WEB_CONFIG_LOOK;
        if due {
            state.looked_at = now;
        }
        due
    }

    fn look(&self) {
        let known = self.state().seen.clone();
        if known.iter().all(|(file, seen)| look_at(file) == *seen) {
            return;
        }
        let (config, mut seen) = load_file(&self.path, self.read);
        let mut state = self.state();
        state.good = config.is_ok();
        match config {
            Ok(config) => {
                tracing::info!(file = %self.path.display(), "web configuration read again");
                log_notes(&self.path, &config);
                state.config = Arc::new(config);
            }
            Err(error) => {
                tracing::warn!(file = %self.path.display(), %error, "web configuration is bad, the one before stays in force");
                // A file that is not named any more may have been the mistake; keep an eye on it.
                let gone = known.into_iter().filter(|(file, _)| !seen.iter().any(|(other, _)| other == file));
                let gone = gone.map(|(file, _)| file).collect();
                seen.extend(look_at_all(gone));
            }
        }
        state.seen = seen;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn log_notes(file: &Path, config: &WebConfig) {
    config.notes.iter().for_each(|note| tracing::warn!(file = %file.display(), "{note}"));
}

pub(super) fn load_file(path: &Path, read: ReadNode) -> (Result<WebConfig, WebConfigError>, Seen) {
    let mut seen = look_at_all(vec![path.to_owned()]);
    let node = match read(path) {
        Ok(node) => node,
        Err(message) => return (Err(WebConfigError::Unreadable(message)), seen),
    };
    let Loaded { config, seen: named } = load(&node, path.parent().unwrap_or(Path::new("")));
    seen.extend(named);
    let config = config.map_err(|problems| WebConfigError::Problems { file: path.to_owned(), problems });
    (config, seen)
}

/// The state of each file.
pub(super) fn look_at_all(files: Vec<PathBuf>) -> Seen {
    files.into_iter().map(|file| (file.clone(), look_at(&file))).collect()
}

fn look_at(file: &Path) -> Option<(SystemTime, u64)> {
    let about = std::fs::metadata(file).ok()?;
    Some((about.modified().ok()?, about.len()))
}
