//! A row of the table of `INFO`, and how its value is read.

use crate::reading::Metric;

/// A field and the metric that it becomes.
pub(super) struct Field {
    /// Its name in `INFO`.
    pub(super) name: &'static str,
    /// By what its value is divided to come to the metric's unit.
    pub(super) divisor: f64,
    /// The metric.
    pub(super) metric: Metric,
}

/// A field that may go up and down.
pub(super) const fn gauge(name: &'static str, metric: &'static str, help: &'static str) -> Field {
    Field { name, divisor: 1.0, metric: Metric::gauge(metric, help) }
}

/// A field that only grows; public names of such do not always end in `_total`.
pub(super) const fn counter(name: &'static str, metric: &'static str, help: &'static str) -> Field {
    Field { name, divisor: 1.0, metric: Metric::bare_counter(metric, help) }
}

/// A field in microseconds whose metric is in seconds.
pub(super) const fn microseconds(name: &'static str, metric: &'static str, help: &'static str) -> Field {
    Field { name, divisor: 1e6, metric: Metric::gauge(metric, help) }
}

/// A value as a figure: the words for good and bad are 1 and 0. Negative figures have their meaning (-1: not yet).
pub(super) fn figure(value: &str) -> Option<f64> {
    match value {
        "ok" | "true" => Some(1.0),
        "err" | "fail" | "false" => Some(0.0),
        number => number.parse().ok().filter(|number: &f64| number.is_finite()),
    }
}

/// A part `key=value` of a field's value, the parts separated by commas.
pub(super) fn part<'a>(value: &'a str, key: &str) -> Option<&'a str> {
    value.split(',').find_map(|part| part.split_once('=').filter(|(name, _)| *name == key)).map(|(_, value)| value)
}

/// A part that is a figure.
pub(super) fn number(value: &str, key: &str) -> Option<f64> {
    part(value, key)?.parse().ok().filter(|number: &f64| number.is_finite())
}

/// A word that only the server knows, when it is fit for a label value: not empty, not long, one line.
pub(super) fn word(text: &str) -> Option<&str> {
    let fits = !text.is_empty() && text.len() <= crate::limits::REDIS_WORD_BYTES;
    Some(text).filter(|text| fits && !text.chars().any(|c| c.is_control() || c == char::REPLACEMENT_CHARACTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_finite_numbers_and_the_words_for_good_and_bad() {
        let cases = [
            ("12", Some(12.0)),
            ("-1", Some(-1.0)),
            ("0.50", Some(0.5)),
            ("ok", Some(1.0)),
            ("fail", Some(0.0)),
            ("NaN", None),
            ("inf", None),
            ("1e999", None),
            ("", None),
            ("12MB", None),
        ];
        for (text, expected) in cases {
            assert_eq!(figure(text), expected, "{text}");
        }
    }

    #[test]
    fn parts_are_found_by_their_key() {
        assert_eq!(number("calls=21,usec=175,usec_per_call=8.33", "usec"), Some(175.0));
        assert_eq!(number("calls=21,usec=", "usec"), None);
        assert_eq!(number(",,=,calls", "calls"), None);
    }

    #[test]
    fn a_word_that_no_label_should_hold_is_none() {
        for text in ["", "a\nb", "a\u{fffd}", &"x".repeat(crate::limits::REDIS_WORD_BYTES + 1)] {
            assert_eq!(word(text), None, "{text:?}");
        }
        assert_eq!(word("config|get"), Some("config|get"));
    }
}
