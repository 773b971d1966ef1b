//! Numbers as JSON and Hurl have them: 64-bit integers, floats, and integers of any size kept as text.
//! Compared by value across the three; Hurl compares the big ones as text, which puts 9 above 10.

use std::cmp::Ordering;
use std::fmt;

/// A number.
#[derive(Clone, Debug)]
pub enum Number {
    /// An integer of at most 64 bits.
    Integer(i64),
    /// A number with a point or an exponent.
    Float(f64),
    /// Any other number, as written.
    Big(String),
}

impl Number {
    /// The number of a JSON text: with a point or exponent a float, else an integer.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let float = || text.parse::<f64>().ok().filter(|float| float.is_finite());
        if text.contains(['.', 'e', 'E']) {
            return float().map_or_else(|| Self::Big(text.to_owned()), Self::Float);
        }
        text.parse().map_or_else(|_| Self::Big(text.to_owned()), Self::Integer)
    }

    /// The same, shown as it is written there, and not as Hurl would: `1e3` and not `1000.0`. For data that is sent on.
    #[must_use]
    pub fn as_written(text: &str) -> Self {
        let number = Self::parse(text);
        if number.to_string() == text { number } else { Self::Big(text.to_owned()) }
    }

    /// The nearest float.
    #[must_use]
    pub fn as_f64(&self) -> f64 {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "the nearest float is what is asked for")]
            Self::Integer(integer) => *integer as f64,
            Self::Float(float) => *float,
            Self::Big(text) => text.parse().unwrap_or(f64::NAN),
        }
    }

    /// Whether it is a float: written with a point or an exponent.
    #[must_use]
    pub fn is_float(&self) -> bool {
        match self {
            Self::Integer(_) => false,
            Self::Float(_) => true,
            Self::Big(text) => text.contains(['.', 'e', 'E']),
        }
    }

    /// Compares by value.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Integer(one), Self::Integer(two)) => one.cmp(two),
            (Self::Big(_), _) | (_, Self::Big(_)) => Decimal::of(self).cmp(&Decimal::of(other)),
            _ => self.as_f64().partial_cmp(&other.as_f64()).unwrap_or(Ordering::Equal),
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.compare(other) == Ordering::Equal
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(integer) => write!(f, "{integer}"),
            // Hurl shows `-1.5` as `-1.5.0`; that is a slip, not an interface.
            Self::Float(float) if float.fract() == 0.0 => write!(f, "{float}.0"),
            Self::Float(float) => write!(f, "{float}"),
            Self::Big(text) => f.write_str(text),
        }
    }
}

/// A decimal number in normal form: `±0.digits × 10^point`, no leading and no trailing zeros.
#[derive(PartialEq, Eq)]
struct Decimal {
    negative: bool,
    digits: String,
    point: i64,
}

impl Decimal {
    fn of(number: &Number) -> Self {
        match number {
            Number::Float(float) => Self::parse(&format!("{float:e}")),
            other => Self::parse(&other.to_string()),
        }
    }

    fn parse(text: &str) -> Self {
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{integer}{fraction}");
        let digits = all.trim_start_matches('0');
        let leading = all.len() - digits.len();
        let length = i64::try_from(integer.len()).unwrap_or(i64::MAX) - i64::try_from(leading).unwrap_or(0);
        let exponent: i64 = exponent.trim_start_matches('+').parse().unwrap_or(0);
        let digits = digits.trim_end_matches('0').to_owned();
        let zero = digits.is_empty();
        Self { negative: negative && !zero, digits, point: if zero { 0 } else { length.saturating_add(exponent) } }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let size = |one: &Self, two: &Self| {
            let zeros = two.digits.is_empty().cmp(&one.digits.is_empty());
            zeros.then(one.point.cmp(&two.point)).then_with(|| one.digits.cmp(&two.digits))
        };
        match (self.negative, other.negative) {
            (false, false) => size(self, other),
            (true, true) => size(other, self),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(one: &str, order: Ordering, two: &str) {
        let (one, two) = (Number::parse(one), Number::parse(two));
        assert_eq!(one.compare(&two), order, "{one} {two}");
        assert_eq!(two.compare(&one), order.reverse(), "{two} {one}");
    }

    #[test]
    fn numbers_compare_by_value_whatever_their_form() {
        use Ordering::{Equal, Greater, Less};
        check("1", Equal, "1.0");
        check("1", Less, "1.5");
        check("9", Less, "100000000000000000000");
        check("100000000000000000000", Less, "200000000000000000000");
        check("100000000000000000000", Equal, "1e20");
        check("-100000000000000000000", Less, "9");
        check("-100000000000000000000", Greater, "-200000000000000000000");
        check("0", Less, "100000000000000000000");
        check("1e400", Greater, "1e308");
        check("9223372036854775808", Greater, "9223372036854775807");
    }

    #[test]
    fn floats_show_their_point() {
        for (text, shown) in [("1.0", "1.0"), ("-1.5", "-1.5"), ("1e3", "1000.0"), ("0.1", "0.1"), ("-0", "0")] {
            assert_eq!(Number::parse(text).to_string(), shown);
        }
    }

    #[test]
    fn a_number_kept_as_written_is_the_same_number_of_the_same_kind() {
        for text in ["1", "-0", "1.0", "1.50", "1e3", "1E+3", "0.10", "123456789012345678901"] {
            let (kept, read) = (Number::as_written(text), Number::parse(text));
            assert_eq!(kept.to_string(), text);
            assert_eq!((kept.is_float(), &kept), (read.is_float(), &read), "{text}");
        }
    }
}
