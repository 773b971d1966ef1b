//! The one place that asks what time it is, and the one that makes a date of it. Pure logic takes `now` as an argument
//! (invariant 4).

use std::time::SystemTime;
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

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
