//! How the report's figures are said, the same in every rendering for people.

use super::{Line, Report, Stage};
use crate::units::{Readable, short};
use std::time::Duration;

/// A latency of so many microseconds; a dash where the requests could not carry it.
pub(super) fn latency(us: Option<u64>) -> String {
    us.map_or("–".to_owned(), |us| Readable(Duration::from_micros(us)).to_string())
}

impl Stage {
    /// Its load: `200 users`, `300/s`.
    #[must_use]
    pub fn load(&self) -> String {
        match (self.rate, self.users) {
            (Some(rate), _) => format!("{}/s", short(rate)),
            (None, 1) => "1 user".to_owned(),
            (None, users) => format!("{users} users"),
        }
    }

    /// How long it lasted.
    #[must_use]
    pub fn lasted(&self) -> String {
        Readable(Duration::from_secs_f64(self.seconds.clamp(0.0, 1e9))).to_string()
    }

    /// Both: `200 users for 60s`.
    #[must_use]
    pub fn said(&self) -> String {
        format!("{} for {}", self.load(), self.lasted())
    }
}

impl Report {
    /// The judged lines of each request name, over all stages; first those that users waited for most.
    #[must_use]
    pub fn by_waiting(&self) -> Vec<(&str, Vec<&Line>)> {
        let mut names: Vec<(&str, Vec<&Line>)> = Vec::new();
        for line in self.requests.iter().filter(|line| self.is_judged(&line.stage)) {
            match names.iter_mut().find(|(name, _)| *name == line.name) {
                Some((_, lines)) => lines.push(line),
                None => names.push((&line.name, vec![line])),
            }
        }
        names.sort_by_key(|(_, lines)| std::cmp::Reverse(waited(lines)));
        names
    }
}

/// Time that users waited for these, in microseconds.
pub(super) fn waited(lines: &[&Line]) -> u64 {
    lines.iter().map(|line| line.waited_us).sum()
}
