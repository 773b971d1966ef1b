//! Durations and sizes as operators write them (`250ms`, `1m30s`, `26h`, `512MiB`) and as people read them.
//! Pure text; knows nothing else of the agent.

use serde::de::{self, Deserialize, Deserializer, Visitor};
use std::fmt;
use std::time::Duration;

/// A duration written `250ms`, `10s`, `1m30s`, `26h`, `7d`, or a bare number of seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

/// What is wrong with a written duration or size.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {what}, write it like {example}")]
pub struct UnitError {
    text: String,
    what: &'static str,
    example: &'static str,
}

const DURATION_UNITS: &[(&str, f64)] =
    &[("ms", 1e-3), ("us", 1e-6), ("s", 1.0), ("m", 60.0), ("h", 3600.0), ("d", 86_400.0), ("w", 604_800.0)];
const SIZE_UNITS: &[(&str, f64)] = &[
    ("b", 1.0),
    ("k", 1024.0),
    ("ki", 1024.0),
    ("kib", 1024.0),
    ("kb", 1000.0),
    ("m", 1_048_576.0),
    ("mi", 1_048_576.0),
    ("mib", 1_048_576.0),
    ("mb", 1e6),
    ("g", 1_073_741_824.0),
    ("gi", 1_073_741_824.0),
    ("gib", 1_073_741_824.0),
    ("gb", 1e9),
    ("tib", 1_099_511_627_776.0),
    ("tb", 1e12),
];

/// Reads a duration; see [`Span`].
///
/// # Errors
/// When the text is no duration, or is longer than a century.
pub fn duration(text: &str) -> Result<Duration, UnitError> {
    let seconds = sum(text.trim(), DURATION_UNITS).filter(|s| *s <= 3.2e9);
    seconds.map(Duration::from_secs_f64).ok_or_else(|| UnitError {
        text: text.to_owned(),
        what: "duration",
        example: "`250ms`, `10s`, `1m30s` or `26h`",
    })
}

/// Reads a size in bytes: `512`, `64KiB`, `1.5GiB`, `2MB`.
///
/// # Errors
/// When the text is no size.
pub fn bytes(text: &str) -> Result<u64, UnitError> {
    let lower = text.trim().to_ascii_lowercase();
    let size = sum(&lower, SIZE_UNITS).filter(|b| *b < 9e18);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be below 9e18 and positive"
    )]
    size.map(|b| b as u64).ok_or_else(|| UnitError {
        text: text.to_owned(),
        what: "size",
        example: "`512`, `64KiB` or `1.5GiB`",
    })
}

/// Reads a number of processors as Kubernetes writes it: `2`, `0.5`, `500m` (thousandths). `None` when it is none.
/// Source: Kubernetes documentation, Resource Management for Pods and Containers.
#[must_use]
pub fn cores(text: &str) -> Option<f64> {
    let text = text.trim();
    let (number, part) = text.strip_suffix('m').map_or((text, 1.0), |thousandths| (thousandths, 1e-3));
    sum(number, &[]).map(|cores| cores * part)
}

/// Adds up `<number><unit>` pairs; one bare number counts as the base unit. `None` when anything does not fit.
fn sum(text: &str, units: &[(&str, f64)]) -> Option<f64> {
    if let Ok(bare) = text.parse::<f64>() {
        return (bare.is_finite() && bare >= 0.0 && text.starts_with(|c: char| c.is_ascii_digit())).then_some(bare);
    }
    let (mut rest, mut total) = (text, 0.0);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').filter(|at| *at > 0)?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, next) = tail.split_at(letters);
        let factor = units.iter().find(|(name, _)| *name == unit.trim())?.1;
        total += number.parse::<f64>().ok()? * factor;
        rest = next;
    }
    (!text.is_empty()).then_some(total)
}

impl fmt::Display for Span {
    /// The shortest form a person would say: `850 µs`, `12.4 ms`, `3.2 s`, `5m 10s`, `3d 4h`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, whole) = (self.0.as_secs_f64(), self.0.as_secs());
        match seconds {
            s if s < 0.000_000_5 => f.write_str("0 s"),
            s if s < 0.001 => write!(f, "{:.0} µs", s * 1e6),
            s if s < 1.0 => write!(f, "{} ms", trimmed(s * 1e3)),
            s if s < 60.0 => write!(f, "{} s", trimmed(s)),
            _ => two_units(f, whole),
        }
    }
}

fn two_units(f: &mut fmt::Formatter<'_>, whole: u64) -> fmt::Result {
    let parts = [(whole / 86_400, "d"), (whole / 3600 % 24, "h"), (whole / 60 % 60, "m"), (whole % 60, "s")];
    let mut shown = parts.iter().skip_while(|(n, _)| *n == 0).take(2).filter(|(n, _)| *n > 0);
    if let Some((n, unit)) = shown.next() {
        write!(f, "{n}{unit}")?;
    }
    shown.try_for_each(|(n, unit)| write!(f, " {n}{unit}"))
}

/// One decimal, and none when it is `.0`.
fn trimmed(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// A size for people: `512 B`, `64.0 KiB`, `1.5 GiB`.
#[must_use]
pub fn human_bytes(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut value = bytes as f64;
    for unit in ["B", "KiB", "MiB", "GiB", "TiB"] {
        if value < 1024.0 || unit == "TiB" {
            return if unit == "B" { format!("{bytes} B") } else { format!("{value:.1} {unit}") };
        }
        value /= 1024.0;
    }
    format!("{bytes} B")
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;
        impl Visitor<'_> for Written {
            type Value = Span;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration like `10s` or `1m30s`")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Span, E> {
                duration(text).map(Span).map_err(E::custom)
            }
            fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Span, E> {
                duration(&seconds.to_string()).map(Span).map_err(E::custom)
            }
            fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Span, E> {
                duration(&seconds.to_string()).map(Span).map_err(E::custom)
            }
            fn visit_f64<E: de::Error>(self, seconds: f64) -> Result<Span, E> {
                duration(&seconds.to_string()).map(Span).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_durations_as_operators_write_them() {
        let cases =
            [("250ms", 250), ("10s", 10_000), ("1m30s", 90_000), ("26h", 93_600_000), ("5", 5_000), ("1.5s", 1_500)];
        for (text, milliseconds) in cases {
            assert_eq!(duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_duration_or_size() {
        for text in ["", "s", "-5s", "5 parsecs", "1e400s", "NaN", "inf", "10s10", "..s", "９s"] {
            assert!(duration(text).is_err(), "{text}");
        }
        for text in ["", "MiB", "-1", "5 parsecs"] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn reads_sizes() {
        for (text, expected) in [("512", 512), ("64KiB", 65_536), ("1.5GiB", 1_610_612_736), ("2MB", 2_000_000)] {
            assert_eq!(bytes(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn reads_what_the_downward_api_says() {
        for (text, expected) in [("1", 1.0), ("0.5", 0.5), ("500m", 0.5), ("1500m", 1.5)] {
            assert_eq!(cores(text), Some(expected), "{text}");
        }
        for text in ["", "m", "-1", "1k", "half"] {
            assert_eq!(cores(text), None, "{text}");
        }
        assert_eq!(bytes("256Mi"), Ok(268_435_456));
    }

    #[test]
    fn says_durations_as_people_do() {
        let cases = [
            (0.0, "0 s"),
            (0.00085, "850 µs"),
            (0.0124, "12.4 ms"),
            (3.0, "3 s"),
            (310.0, "5m 10s"),
            (273_600.0, "3d 4h"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(Span(Duration::from_secs_f64(seconds)).to_string(), expected);
        }
    }

    #[test]
    fn says_sizes_as_people_do() {
        assert_eq!(human_bytes(512), "512 B");
        assert_eq!(human_bytes(1_610_612_736), "1.5 GiB");
    }
}
