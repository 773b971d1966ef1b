//! Durations, sizes and think times as people write them (`250ms`, `1m30s`, `64KiB`, `1s..3s`) and read them.
//! Pure text; knows nothing else of the load tester.

mod unit;

pub use unit::Unit;
pub(crate) use unit::short;

use std::fmt;
use std::time::Duration;

/// What is wrong with a written quantity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {what}\nhint: write it like {example}")]
pub struct UnitError {
    text: String,
    what: &'static str,
    example: &'static str,
}

const DURATION_UNITS: &[(&str, f64)] =
    &[("us", 1e-6), ("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("min", 60.0), ("h", 3600.0), ("d", 86_400.0)];

const SIZE_UNITS: &[(&str, f64)] = &[
    ("b", 1.0),
    ("kib", 1024.0),
    ("kb", 1e3),
    ("k", 1024.0),
    ("mib", 1_048_576.0),
    ("mb", 1e6),
    ("m", 1_048_576.0),
    ("gib", 1_073_741_824.0),
    ("gb", 1e9),
    ("g", 1_073_741_824.0),
];

/// Longest duration that is understood: a year.
const YEAR: f64 = 366.0 * 86_400.0;

/// Reads a duration: `250ms`, `10s`, `1m30s`, `2h`, or a bare number of seconds.
///
/// # Errors
/// When the text is no duration, or one of more than a year.
pub fn duration(text: &str) -> Result<Duration, UnitError> {
    let example = "`250ms`, `10s`, `1m30s` or `2h`";
    let error = || UnitError { text: text.to_owned(), what: "duration", example };
    let seconds = sum(text, DURATION_UNITS).filter(|seconds| *seconds <= YEAR).ok_or_else(error)?;
    Ok(Duration::from_secs_f64(seconds))
}

/// Reads a size in bytes: `512`, `64KiB`, `1.5MB`, `2g`.
///
/// # Errors
/// When the text is no size.
pub fn bytes(text: &str) -> Result<u64, UnitError> {
    let example = "`512`, `64KiB` or `2MB`";
    let error = || UnitError { text: text.to_owned(), what: "size", example };
    let size = sum(text, SIZE_UNITS).filter(|size| *size < 9e15).ok_or_else(error)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 9e15, checked above")]
    Ok(size.round() as u64)
}

/// A time in whole microseconds, as reports have it.
#[must_use]
pub fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// Reads a rate per second: `300/s`, `1.5/s`, `90/m`.
///
/// # Errors
/// When the text is no rate; a bare number is none, for it could be per second or per minute.
pub fn rate(text: &str) -> Result<f64, UnitError> {
    let error = || UnitError { text: text.to_owned(), what: "rate", example: "`300/s` or `90/m`" };
    let (amount, per) = text.split_once('/').ok_or_else(error)?;
    let seconds = match per.trim() {
        "s" | "sec" | "second" => 1.0,
        "m" | "min" | "minute" => 60.0,
        _ => return Err(error()),
    };
    number(amount.trim()).map(|amount| amount / seconds).ok_or_else(error)
}

/// A think time: a pause of random length between two bounds, both included. Equal bounds make it fixed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Think {
    /// Shortest pause.
    pub min: Duration,
    /// Longest pause; never below `min`.
    pub max: Duration,
}

impl Think {
    /// The pause for a random number between 0 and 1.
    #[must_use]
    pub fn at(self, share: f64) -> Duration {
        self.min + self.max.saturating_sub(self.min).mul_f64(share.clamp(0.0, 1.0))
    }
}

impl fmt::Display for Think {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.min == self.max {
            return write!(out, "{}", Readable(self.min));
        }
        write!(out, "{}..{}", Readable(self.min), Readable(self.max))
    }
}

/// Reads a think time: `1s..3s`, or one duration for a fixed pause. `0s` means none.
///
/// # Errors
/// When a bound is no duration, or the second is smaller than the first.
pub fn think(text: &str) -> Result<Think, UnitError> {
    let error = || UnitError { text: text.to_owned(), what: "think time", example: "`1s..3s` or `500ms`" };
    let (min, max) = text.split_once("..").unwrap_or((text, text));
    let read = |bound: &str| duration(bound).map_err(|_| error());
    let think = Think { min: read(min)?, max: read(max)? };
    if think.max < think.min { Err(error()) } else { Ok(think) }
}

/// A duration as people read it, three digits at most: `850us`, `12.3ms`, `1.53s`, `2m 5s`, `1h 30m`.
#[derive(Clone, Copy, Debug)]
pub struct Readable(pub Duration);

impl fmt::Display for Readable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs_f64();
        // Bounds lie where rounding would print 1000us or 60s.
        if self.0.is_zero() {
            write!(out, "0s")
        } else if seconds < 0.000_999_5 {
            write!(out, "{:.0}us", seconds * 1e6)
        } else if seconds < 0.999_5 {
            write!(out, "{}ms", Digits(seconds * 1e3))
        } else if seconds < 59.95 {
            write!(out, "{}s", Digits(seconds))
        } else {
            let whole = self.0.as_secs() + u64::from(self.0.subsec_millis() >= 500);
            let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
            match (hours, minutes, seconds) {
                (0, m, 0) => write!(out, "{m}m"),
                (0, m, s) => write!(out, "{m}m {s}s"),
                (h, 0, _) => write!(out, "{h}h"),
                (h, m, _) => write!(out, "{h}h {m}m"),
            }
        }
    }
}

/// A number below 1000 with three digits and no trailing zeros after the point.
struct Digits(f64);

impl fmt::Display for Digits {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = if self.0 < 9.995 { 2 } else { usize::from(self.0 < 99.95) };
        let text = format!("{:.*}", places, self.0);
        out.write_str(if places == 0 { &text } else { text.trim_end_matches('0').trim_end_matches('.') })
    }
}

/// Adds up `1m30s`: numbers, each with one of the units; a bare number alone has the unit of factor 1.
fn sum(text: &str, units: &[(&str, f64)]) -> Option<f64> {
    let lower = text.trim().to_ascii_lowercase();
    if let Some(number) = number(&lower) {
        return Some(number);
    }
    let mut rest = lower.as_str();
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (value, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let factor = units.iter().find(|(name, _)| *name == unit)?.1;
        total += number(value)? * factor;
        rest = tail;
    }
    (!lower.is_empty()).then_some(total)
}

/// A plain decimal number: digits with at most one point, no sign, no exponent.
fn number(text: &str) -> Option<f64> {
    let plain = text.starts_with(|c: char| c.is_ascii_digit()) && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_durations() {
        for (text, ms) in
            [("250ms", 250), ("10s", 10_000), ("1m30s", 90_000), ("2h", 7_200_000), ("3", 3000), ("0.5s", 500)]
        {
            assert_eq!(duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "s", "-1s", "1x", "1e9s", "nan", "inf", "1..2", "5000d", "1.2.3s", "10s x"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn reads_sizes() {
        for (text, size) in [("512", 512), ("64KiB", 65_536), ("2MB", 2_000_000), ("1.5g", 1_610_612_736)] {
            assert_eq!(bytes(text), Ok(size), "{text}");
        }
    }

    #[test]
    fn reads_rates() {
        for (text, expected) in [("300/s", 300.0), ("1.5 / s", 1.5), ("90/m", 1.5), ("0/s", 0.0)] {
            assert_eq!(rate(text), Ok(expected), "{text}");
        }
        for text in ["", "300", "/s", "-1/s", "1/h", "a/s", "1e3/s"] {
            assert!(rate(text).is_err(), "{text}");
        }
    }

    #[test]
    fn reads_think_times() {
        let seconds = |min, max| Think { min: Duration::from_secs(min), max: Duration::from_secs(max) };
        assert_eq!(think("1s..3s"), Ok(seconds(1, 3)));
        assert_eq!(think("2s"), Ok(seconds(2, 2)));
        assert_eq!(think("1..3"), Ok(seconds(1, 3)));
        insta::assert_snapshot!(think("3s..1s").unwrap_err(), @r"
        `3s..1s` is not a think time
        hint: write it like `1s..3s` or `500ms`
        ");
        assert_eq!(seconds(1, 3).to_string(), "1s..3s");
        assert_eq!(seconds(1, 3).at(0.5), Duration::from_secs(2));
    }

    #[test]
    fn durations_read_well() {
        for (us, text) in [
            (0, "0s"),
            (850, "850us"),
            (999, "999us"),
            (1_000, "1ms"),
            (12_345, "12.3ms"),
            (999_499, "999ms"),
            (999_600, "1s"),
            (1_530_000, "1.53s"),
            (59_960_000, "1m"),
            (125_000_000, "2m 5s"),
            (5_400_000_000, "1h 30m"),
        ] {
            assert_eq!(Readable(Duration::from_micros(us)).to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,12}") {
            let _ = (duration(&text), bytes(&text), think(&text));
        }

        #[test]
        fn what_is_printed_reads_back_within_three_digits(us in 1_u64..59_000_000) {
            let read = duration(&Readable(Duration::from_micros(us)).to_string()).unwrap();
            let (read, us) = (read.as_secs_f64() * 1e6, us as f64);
            prop_assert!((read - us).abs() <= us * 0.0051 + 0.51, "{us} became {read}");
        }
    }
}
