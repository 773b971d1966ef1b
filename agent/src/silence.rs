//! A maintenance window: checks go on, `/ready` says what it says, and whoever is told of alerts is told that nobody wants to be woken.
//! Plain data, the order for one, and what the text of a mark file means. Pure; it knows nothing of who keeps it or shows it.

use crate::clock::Utc;
use crate::limits;
use crate::units;
use std::time::{Duration, SystemTime};
use tokio::sync::{mpsc, oneshot};

/// Who asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// `POST /-/silence`.
    Page,
    /// The file of `silence_file`.
    File,
}

impl By {
    /// The word for logs and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Page => "request",
            Self::File => "file",
        }
    }
}

/// A window. Each has an end: one that is forgotten must not hide a broken service for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// When it began.
    pub since: SystemTime,
    /// When it ends.
    pub until: SystemTime,
    /// Why, in one line, when somebody said so.
    pub reason: Option<String>,
    /// Who asked for it.
    pub by: By,
}

/// The order for one.
#[derive(Debug)]
pub struct Order {
    /// How long from now, with a reason; `None` ends the one that was ordered before.
    pub wish: Option<(Duration, Option<String>)>,
    /// Told what holds from now on: a file may silence still.
    pub answer: oneshot::Sender<Option<Silence>>,
}

/// Where orders go.
pub type Orders = mpsc::Sender<Order>;

impl Silence {
    /// The window that a mark file makes: from its last change for [`limits::SILENCE_MOST`], or as its first line says in `for 10m …` or
    /// `until 2026-11-30T12:30:00Z …`; what is left of the line is the reason. `None` when it is over.
    #[must_use]
    pub fn of_mark(text: &str, modified: SystemTime, now: SystemTime) -> Option<Self> {
        // A clock that was set back must not make the window longer.
        let since = modified.min(now);
        let most = since + limits::SILENCE_MOST;
        let line = text.trim_start_matches('\u{feff}').lines().next().unwrap_or_default().trim();
        let (until, rest) = end(line, since).unwrap_or((most, line));
        let until = until.min(most);
        (now < until).then(|| Self { since, until, reason: reason(rest), by: By::File })
    }
}

/// The end that a line names, and what is left of it.
fn end(line: &str, since: SystemTime) -> Option<(SystemTime, &str)> {
    let (word, rest) = line.split_once(char::is_whitespace)?;
    let (value, rest) = rest.trim_start().split_once(char::is_whitespace).unwrap_or((rest.trim_start(), ""));
    let until = match word {
        "for" => since.checked_add(units::duration(value).ok()?)?,
        "until" => Utc::read(value)?,
        _ => return None,
    };
    Some((until, rest))
}

/// A reason fit for a line of a page or log; `None` when nothing is left of it.
#[must_use]
pub fn reason(text: &str) -> Option<String> {
    let one_line = text.trim().trim_start_matches([':', '-', '#']).trim();
    let clean: String = one_line.chars().filter(|c| !c.is_control()).take(limits::SILENCE_REASON_CHARS).collect();
    (!clean.is_empty()).then_some(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3600;

    /// 2026-11-30T12:00:00Z and so many seconds.
    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_796_040_000 + seconds)
    }

    /// End and reason of a mark written at 12:00, as seen so many seconds later.
    fn mark(text: &str, later: u64) -> Option<(u64, Option<String>)> {
        let silence = Silence::of_mark(text, at(0), at(later))?;
        Some((silence.until.duration_since(at(0)).unwrap().as_secs(), silence.reason))
    }

    #[test]
    fn a_mark_says_how_long_and_why() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(mark("", 1), Some((24 * HOUR, None)));
        assert_eq!(mark("new database\nmore", 1), Some((24 * HOUR, some("new database"))));
        assert_eq!(mark("for 10m deployment of 1.2\r\n", 1), Some((600, some("deployment of 1.2"))));
        assert_eq!(
            mark("until 2026-11-30T12:30:00Z: deployment", 1),
            Some((24 * HOUR, some("until 2026-11-30T12:30:00Z: deployment")))
        );
        assert_eq!(mark("until 2026-11-30T12:30:00Z - deployment", 1), Some((1800, some("deployment"))));
        assert_eq!(mark("for 10m", 1), Some((600, None)));
        assert_eq!(mark("for a while", 1), Some((24 * HOUR, some("for a while"))), "not a time, so a reason");
    }

    #[test]
    fn a_mark_ends_and_none_lasts_longer_than_a_day() {
        assert_eq!(mark("for 10m", 600), None);
        assert_eq!(mark("until 2026-11-30T12:30:00Z", 1800), None);
        assert_eq!(mark("for 7d", 1), Some((24 * HOUR, None)));
        assert_eq!(mark("until 2030-01-01T00:00:00Z", 1), Some((24 * HOUR, None)));
        assert_eq!(mark("", 24 * HOUR), None);
        assert_eq!(Silence::of_mark("for 10m", at(5 * HOUR), at(0)).unwrap().until, at(600), "the clock was set back");
    }

    #[test]
    fn a_reason_is_one_short_line() {
        assert_eq!(reason(" \u{7}de\nploy "), Some("deploy".to_owned()));
        assert_eq!(reason(" : "), None);
        assert_eq!(reason(&"x".repeat(1000)).unwrap().len(), limits::SILENCE_REASON_CHARS);
    }
}
