//! What changed last: a short memory of the moments that explain a failure (a restart, another version, another address), for "it worked
//! yesterday" is answered by what is different today. Pure; bounded by [`limits::CHANGES_KEPT`].

use crate::clock::Utc;
use crate::collectors::Collected;
use crate::limits;
use crate::probes::Outcome;
use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// What sort of change it was; a closed set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A check changed its debounced state.
    State,
    /// A check's name has another address.
    Address,
    /// A service tells another version, or another software answers.
    Version,
    /// The peer's container or process was started anew.
    Restart,
    /// The agent took another configuration.
    Configuration,
}

impl What {
    /// The word for people and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Address => "address",
            Self::Version => "version",
            Self::Restart => "restart",
            Self::Configuration => "configuration",
        }
    }
}

/// Something that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// When it was seen.
    pub at: SystemTime,
    /// What sort of change.
    pub what: What,
    /// Of which check, or `peer`, or `agent`.
    pub subject: String,
    /// What it was before; empty when there was nothing. It may be an address: for restricted pages.
    pub from: String,
    /// What it is now.
    pub to: String,
}

/// The memory of changes.
#[derive(Debug, Default)]
pub struct Changes {
    ring: VecDeque<Change>,
    /// Made anew when something changed, shared by snapshots otherwise.
    shown: Arc<Vec<Change>>,
    versions: BTreeMap<String, String>,
    peer: BTreeMap<&'static str, String>,
}

/// Notes of a run by which a service tells what it is.
const TELLING: [&str; 2] = ["version", "server"];

/// Figures of the peer whose change is a restart.
const RESTARTS: &str = "sidecar_peer_restarts_total";
const STARTED: &str = "sidecar_peer_process_start_time_seconds";

impl Changes {
    /// The changes, newest first.
    #[must_use]
    pub fn shown(&self) -> Arc<Vec<Change>> {
        Arc::clone(&self.shown)
    }

    /// Keeps one, and forgets the oldest when there are too many.
    pub fn keep(&mut self, change: Change) {
        self.ring.push_front(change);
        self.ring.truncate(limits::CHANGES_KEPT);
        self.shown = Arc::new(self.ring.iter().cloned().collect());
    }

    /// Takes in a run of a check; `before` is the address that its name had when it last succeeded.
    pub fn ran(&mut self, check: &str, at: SystemTime, outcome: &Outcome, before: Option<IpAddr>) {
        if let Some((from, to)) = before.zip(outcome.address).filter(|(from, to)| from != to && outcome.ok()) {
            let change = Change {
                at,
                what: What::Address,
                subject: check.to_owned(),
                from: from.to_string(),
                to: to.to_string(),
            };
            self.keep(change);
        }
        let Some(version) = TELLING.iter().find_map(|name| outcome.note(name)) else { return };
        match self.versions.get(check).filter(|known| *known != version).cloned() {
            Some(from) => {
                self.versions.insert(check.to_owned(), version.to_owned());
                let (subject, to) = (check.to_owned(), version.to_owned());
                self.keep(Change { at, what: What::Version, subject, from, to });
            }
            None if !self.versions.contains_key(check) => {
                self.versions.insert(check.to_owned(), version.to_owned());
            }
            None => {}
        }
    }

    /// Forgets the versions of checks that do not go on; another service may answer under the name.
    pub fn retain(&mut self, goes_on: impl Fn(&str) -> bool) {
        self.versions.retain(|check, _| goes_on(check));
    }

    /// Forgets the figures of the peer: the next ones may be another's.
    pub fn forget_peer(&mut self) {
        self.peer.clear();
    }

    /// Takes in a collection: a restart of the peer.
    pub fn collected(&mut self, at: SystemTime, collected: &Collected) {
        let mut restart = None;
        for reading in collected.readings() {
            let name = reading.metric.name;
            let value = match name {
                RESTARTS => format!("{} restarts", reading.value),
                STARTED => started(reading.value),
                _ => continue,
            };
            let before = self.peer.insert(name, value.clone());
            if let Some(from) = before.filter(|before| *before != value) {
                restart.get_or_insert((from, value));
            }
        }
        // One restart shows in several figures, read together.
        if let Some((from, to)) = restart {
            self.keep(Change { at, what: What::Restart, subject: "peer".to_owned(), from, to });
        }
    }
}

/// A moment in seconds since 1970, to the second: clock ticks make it waver below.
fn started(seconds: f64) -> String {
    let since = Duration::try_from_secs_f64(seconds.round()).unwrap_or_default();
    SystemTime::UNIX_EPOCH
        .checked_add(since)
        .map_or_else(String::new, |at| format!("started {}", Utc::of(at).seconds()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::sample::time;
    use crate::probes::Note;
    use crate::reading::Metric;

    static RESTARTS: Metric = Metric::counter("sidecar_peer_restarts_total", "Restarts");

    fn shown(changes: &Changes) -> Vec<String> {
        let line =
            |change: &Change| format!("{} {} {} → {}", change.subject, change.what.as_str(), change.from, change.to);
        changes.shown().iter().map(line).collect()
    }

    fn run(address: u8, version: &str) -> Outcome {
        let notes = vec![Note { name: "version", text: version.to_owned() }];
        Outcome { address: Some(IpAddr::from([10, 0, 0, address])), notes, ..Outcome::default() }
    }

    #[test]
    fn another_address_and_another_version_are_kept_and_the_first_of_each_is_none() {
        let mut changes = Changes::default();
        changes.ran("db", time(1), &run(1, "16.4"), None);
        assert_eq!(shown(&changes), [""; 0]);
        changes.ran("db", time(2), &run(1, "16.4"), Some(IpAddr::from([10, 0, 0, 1])));
        changes.ran("db", time(3), &run(2, "17.0"), Some(IpAddr::from([10, 0, 0, 1])));
        assert_eq!(shown(&changes), ["db version 16.4 → 17.0", "db address 10.0.0.1 → 10.0.0.2"]);
    }

    #[test]
    fn a_restart_is_one_change() {
        let mut changes = Changes::default();
        for restarts in [2.0, 2.0, 3.0, 3.0] {
            changes.collected(time(1), &Collected::Readings(vec![RESTARTS.is(restarts)]));
        }
        assert_eq!(shown(&changes), ["peer restart 2 restarts → 3 restarts"]);
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let mut changes = Changes::default();
        for second in 0..100 {
            let change = Change {
                at: time(second),
                what: What::State,
                subject: second.to_string(),
                from: String::new(),
                to: String::new(),
            };
            changes.keep(change);
        }
        let kept = changes.shown();
        assert_eq!((kept.len(), kept[0].subject.as_str()), (limits::CHANGES_KEPT, "99"));
    }
}
