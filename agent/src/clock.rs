//! The one place that asks what time it is, and the one that makes a date of it. Pure logic takes `now` as an argument
//! (invariant 4).

use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// Monotonic time, for durations and deadlines. Follows tokio's paused clock in tests.
#[must_use]
pub fn now() -> Instant {
    Instant::now()
}

/// Wall time, for time stamps that people and Prometheus read.
#[must_use]
pub fn wall() -> SystemTime {
    SystemTime::now()
}

/// Seconds since the Unix epoch, with fractions; 0 before it.
#[must_use]
pub fn unix(at: SystemTime) -> f64 {
    at.duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// A moment as a date and time of day in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Utc {
    /// The year, 1970 or later.
    pub year: u64,
    /// The month, from 1.
    pub month: u64,
    /// The day of the month, from 1.
    pub day: u64,
    /// The hour, from 0 to 23.
    pub hour: u64,
    /// The minute.
    pub minute: u64,
    /// The second; leap seconds do not exist here.
    pub second: u64,
    /// The millisecond.
    pub millisecond: u32,
}

impl Utc {
    /// The date of a moment; 1970 began with all that lies before it.
    #[must_use]
    pub fn of(at: SystemTime) -> Self {
        let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let seconds = since.as_secs();
        // Years are counted from 1 March of the year 0 in cycles of 400, so that the leap day is the last of its year.
        let days = seconds / 86_400 + 719_468;
        let (era, of_era) = (days / 146_097, days % 146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * of_year + 2) / 153;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        Self {
            year: era * 400 + year_of_era + u64::from(month <= 2),
            month,
            day: of_year - (153 * shifted + 2) / 5 + 1,
            hour: seconds / 3600 % 24,
            minute: seconds / 60 % 60,
            second: seconds % 60,
            millisecond: since.subsec_millis(),
        }
    }

    /// The moment that a text such as `2026-11-21T06:17:04Z` names, with `Z` and to the second; `None` when it is none.
    #[must_use]
    pub fn read(text: &str) -> Option<SystemTime> {
        let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
        let [year, month, day] = numbers(date, '-')?;
        let [hour, minute, second] = numbers(time, ':')?;
        if hour > 23 || minute > 59 || second > 59 || year < 1970 {
            return None;
        }
        let seconds = u64::try_from(days(i64::from(year), i64::from(month), i64::from(day))?).ok()? * 86_400;
        let of_day = u64::from(hour * 3600 + minute * 60 + second);
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds + of_day))
    }

    /// `2026-11-21T06:17:04Z`, as in RFC 3339.
    #[must_use]
    pub fn seconds(self) -> String {
        format!("{}Z", self.without_zone())
    }

    /// `2026-11-21T06:17:04.123Z`, as in RFC 3339.
    #[must_use]
    pub fn milliseconds(self) -> String {
        format!("{}.{:03}Z", self.without_zone(), self.millisecond)
    }

    fn without_zone(self) -> String {
        let Self { year, month, day, hour, minute, second, .. } = self;
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
    }
}

/// Days from 1 January 1970 to this date of the Gregorian calendar; `None` when there is no such day.
#[must_use]
pub fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(0..=9999).contains(&year) || !(1..=last).contains(&day) {
        return None;
    }
    // As in `Utc::of`: from 1 March of the year 0, so that the leap day is the last of its year.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * month + 2) / 5 + day - 1 - 719_468)
}

/// Three numbers of digits only.
fn numbers(text: &str, between: char) -> Option<[u32; 3]> {
    let number = |part: &str| part.parse().ok().filter(|_| part.bytes().all(|b| b.is_ascii_digit()));
    let mut parts = text.split(between).map(number);
    let three = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(three)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_and_no_day_that_does_not_exist() {
        for text in ["1970-01-01T00:00:00Z", "2000-02-29T23:59:59Z", "2026-11-30T12:30:00Z", "2100-03-01T00:00:00Z"] {
            assert_eq!(Utc::read(text).map(|at| Utc::of(at).seconds()).as_deref(), Some(text));
        }
        for text in [
            "2026-11-30T12:30:00",
            "2026-11-31T00:00:00Z",
            "2100-02-29T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "2026-11-30T24:00:00Z",
            "2026-11-30T12:30Z",
            "2026-11-30T12:30:00:00Z",
            "2026-+1-30T12:30:00Z",
            "",
        ] {
            assert_eq!(Utc::read(text), None, "{text}");
        }
    }

    #[test]
    fn dates_are_right_around_leap_days_and_centuries() {
        let cases = [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (951_868_800_000, "2000-03-01T00:00:00.000Z"),
            (1_709_164_800_000, "2024-02-29T00:00:00.000Z"),
            (1_735_689_599_000, "2024-12-31T23:59:59.000Z"),
            (1_795_241_829_123, "2026-11-21T06:17:09.123Z"),
            (4_107_542_399_000, "2100-02-28T23:59:59.000Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ];
        for (milliseconds, expected) in cases {
            let date = Utc::of(SystemTime::UNIX_EPOCH + Duration::from_millis(milliseconds));
            assert_eq!(date.milliseconds(), expected);
            assert_eq!(date.seconds(), format!("{}Z", expected.split('.').next().unwrap()));
        }
        assert_eq!(Utc::of(SystemTime::UNIX_EPOCH - Duration::from_secs(1)).seconds(), "1970-01-01T00:00:00Z");
    }
}
