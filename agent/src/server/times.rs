//! Wall time in UTC for JSON and for people. Pure.

use crate::clock;
use std::time::{Duration, SystemTime};

/// `2026-11-21T06:17:04Z`.
pub(super) fn rfc3339(at: SystemTime) -> String {
    let Parts { year, month, day, hour, minute, second } = split(at);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// `06:17:04` on the day of `now`, `20 Nov 06:17` on another.
pub(super) fn short(at: SystemTime, now: SystemTime) -> String {
    let (then, today) = (split(at), split(now));
    let Parts { month, day, hour, minute, second, .. } = then;
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

struct Parts {
    year: u64,
    month: u64,
    day: u64,
    hour: u64,
    minute: u64,
    second: u64,
}

/// Days become a date by counting 400-year cycles from 1 March of the year 0, so that the leap day is the last of its year.
fn split(at: SystemTime) -> Parts {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds since 1970, never negative")]
    let seconds = clock::unix(at) as u64;
    let days = seconds / 86_400 + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    Parts {
        year: era * 400 + year_of_era + u64::from(month <= 2),
        month,
        day: of_year - (153 * shifted + 2) / 5 + 1,
        hour: seconds / 3600 % 24,
        minute: seconds / 60 % 60,
        second: seconds % 60,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn writes_dates_as_date_does() {
        let cases = [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_709_164_800, "2024-02-29T00:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (1_700_000_000, "2023-11-14T22:13:20Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(rfc3339(at(seconds)), expected);
        }
    }

    #[test]
    fn names_the_day_only_when_it_is_another() {
        let now = at(1_700_000_000);
        assert_eq!(short(at(1_699_999_999), now), "22:13:19");
        assert_eq!(short(at(1_699_913_600), now), "13 Nov 22:13");
        assert_eq!(ago(at(1_700_000_005), now), Duration::ZERO);
    }
}
