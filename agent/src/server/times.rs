//! Wall time in UTC for JSON and for people. Pure.

use crate::clock::Utc;
use std::time::{Duration, SystemTime};

/// `2026-11-21T06:17:04Z`.
pub(super) fn rfc3339(at: SystemTime) -> String {
    Utc::of(at).seconds()
}

/// `06:17:04` on the day of `now`, `20 Nov 06:17` on another.
pub(super) fn short(at: SystemTime, now: SystemTime) -> String {
    let (then, today) = (Utc::of(at), Utc::of(now));
    let Utc { month, day, hour, minute, second, .. } = then;
    if (then.year, month, day) == (today.year, today.month, today.day) {
        return format!("{hour:02}:{minute:02}:{second:02}");
    }
    let name = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = name.get(month as usize - 1).copied().unwrap_or_default();
    format!("{day} {month} {hour:02}:{minute:02}")
}

/// How long ago; zero when the clock was set back.
pub(super) fn ago(at: SystemTime, now: SystemTime) -> Duration {
    now.duration_since(at).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn names_the_day_only_when_it_is_another() {
        let now = at(1_700_000_000);
        assert_eq!(short(at(1_699_999_999), now), "22:13:19");
        assert_eq!(short(at(1_699_913_600), now), "13 Nov 22:13");
        assert_eq!(ago(at(1_700_000_005), now), Duration::ZERO);
    }
}
