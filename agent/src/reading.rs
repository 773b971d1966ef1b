//! What a probe or collector measured: a value of a metric that is declared once, beside the code that measures it.
//! A leaf: it knows neither how values are kept nor how they are exported.

use crate::limits;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// How a metric behaves in time, and so how Prometheus must be told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// May go up and down.
    Gauge,
    /// Only grows; its name ends in `_total`.
    Counter,
    /// Only grows, and bears a public exporter's name without `_total`: `counter` in text 0.0.4, `unknown` in OpenMetrics.
    BareCounter,
    /// Of no declared type under a public exporter's name: `untyped` in text 0.0.4, `unknown` in OpenMetrics.
    Untyped,
    /// One of the samples of a public exporter's histogram; its name ends in `_bucket` (last label `le`), `_sum` or `_count`. The
    /// family is `histogram` in text 0.0.4, each sample `unknown` in OpenMetrics.
    Histogram,
    /// One of the samples of a public exporter's summary: the quantiles under the family's own name (last label `quantile`), and
    /// `_sum` and `_count`. The family is `summary` in text 0.0.4, each sample `unknown` in OpenMetrics.
    Summary,
    /// Always 1; the labels carry the information. The name ends in `_info`.
    Info,
}

impl Type {
    /// The word for it in text format 0.0.4.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gauge | Self::Info => "gauge",
            Self::Counter | Self::BareCounter => "counter",
            Self::Untyped => "untyped",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
        }
    }
}

/// A metric's name and meaning. Declared as a `static` in the file that measures it and listed in that file's table row.
/// A `*` in the name stands for words that only the peer knows (a server's status variable, a line of `/proc/meminfo`): such a
/// metric is a pattern, and [`Metric::named`] makes the metrics of its readings.
#[derive(Debug)]
pub struct Metric {
    /// The full sample name, unit and `_total` included.
    pub name: &'static str,
    /// What it is, in which unit and state, without a full stop.
    pub help: &'static str,
    /// How it behaves.
    pub kind: Type,
    /// Its own labels, in order. The name of the check is added by the exposition and is not one of them.
    pub labels: &'static [&'static str],
}

/// The name says which it is; every probe compares metrics some hundred times a run.
impl PartialEq for Metric {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other) || self.name == other.name
    }
}

impl Eq for Metric {}

impl Metric {
    /// A gauge without labels of its own.
    #[must_use]
    pub const fn gauge(name: &'static str, help: &'static str) -> Self {
        Self { name, help, kind: Type::Gauge, labels: &[] }
    }

    /// A counter without labels of its own; the name ends in `_total`.
    #[must_use]
    pub const fn counter(name: &'static str, help: &'static str) -> Self {
        Self { name, help, kind: Type::Counter, labels: &[] }
    }

    /// The same metric with labels.
    #[must_use]
    pub const fn labelled(self, labels: &'static [&'static str]) -> Self {
        Self { labels, ..self }
    }

    /// The same metric with another behaviour.
    #[must_use]
    pub const fn of(self, kind: Type) -> Self {
        Self { kind, ..self }
    }

    /// A counter under a public exporter's name without `_total`.
    #[must_use]
    pub const fn bare_counter(name: &'static str, help: &'static str) -> Self {
        Self { name, help, kind: Type::BareCounter, labels: &[] }
    }

    /// A metric under a public exporter's name that declares no type.
    #[must_use]
    pub const fn untyped(name: &'static str, help: &'static str) -> Self {
        Self { name, help, kind: Type::Untyped, labels: &[] }
    }

    /// The metric that this pattern stands for with `word` in the place of its `*`, also in the help. Letters, digits and `_` only;
    /// the word is used as it is. `None` when it holds anything else, and beyond the caps of [`Names`].
    #[must_use]
    pub fn named(&'static self, word: &str) -> Option<&'static Self> {
        static MADE: Mutex<Names> = Mutex::new(Names(BTreeMap::new()));
        let fits = !word.is_empty() && word.len() <= limits::NAME_WORD_BYTES;
        if !fits || !word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return None;
        }
        MADE.lock().unwrap_or_else(PoisonError::into_inner).make(self, word)
    }

    /// The name that the type is declared for: that of the sample, or for a part of a histogram or summary that of the whole.
    #[must_use]
    pub fn family(&self) -> &'static str {
        let ends = match self.kind {
            Type::Histogram => &["_bucket", "_sum", "_count"][..],
            Type::Summary => &["_sum", "_count"],
            _ => &[],
        };
        ends.iter().find_map(|end| self.name.strip_suffix(end)).unwrap_or(self.name)
    }

    /// Whether the other one is this metric, or one that this pattern stands for.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self == other
            || self.name.split_once('*').is_some_and(|(begin, end)| {
                let fits = other.name.len() > begin.len() + end.len();
                fits && other.name.starts_with(begin) && other.name.ends_with(end) && self.labels == other.labels
            })
    }

    /// Whether it is a whole server's figure under a public exporter's name (`nginx_…`, `pg_…`), which only the sidecar beside that
    /// server exports: two sidecars that see one server would count it twice.
    #[must_use]
    pub fn is_of_the_peer_alone(&self) -> bool {
        !["probe_", "sidecar_"].iter().any(|prefix| self.name.starts_with(prefix))
    }

    /// A measured value of it, without labels.
    #[must_use]
    pub const fn is(&'static self, value: f64) -> Reading {
        Reading { metric: self, labels: Vec::new(), value }
    }

    /// A measured value of it; as many label values as the metric has labels, cleaned and capped by the caller (invariant 9).
    #[must_use]
    pub fn with<const N: usize>(&'static self, labels: [&str; N], value: f64) -> Reading {
        debug_assert_eq!(N, self.labels.len(), "labels of {}", self.name);
        Reading { metric: self, labels: labels.map(str::to_owned).to_vec(), value }
    }
}

/// The names made so far, by pattern and word: at most [`limits::NAMES_OF_A_PATTERN`] of each, and [`limits::NAMES_MADE`] in all, so
/// that a server which makes up names leaves the others theirs.
struct Names(BTreeMap<usize, BTreeMap<String, &'static Metric>>);

impl Names {
    fn make(&mut self, pattern: &'static Metric, word: &str) -> Option<&'static Metric> {
        let all: usize = self.0.values().map(BTreeMap::len).sum();
        let made = self.0.entry(std::ptr::from_ref(pattern).addr()).or_default();
        if let Some(known) = made.get(word) {
            return Some(known);
        }
        if made.len() >= limits::NAMES_OF_A_PATTERN || all >= limits::NAMES_MADE {
            return None;
        }
        // Kept for the life of the process, as every other metric is; the caps above bound it.
        let kept = |text: &str| -> &'static str { Box::leak(text.replacen('*', word, 1).into_boxed_str()) };
        let metric = Metric { name: kept(pattern.name), help: kept(pattern.help), ..*pattern };
        let metric: &'static Metric = Box::leak(Box::new(metric));
        made.insert(word.to_owned(), metric);
        Some(metric)
    }
}

/// One measured value.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// What was measured.
    pub metric: &'static Metric,
    /// Values of the metric's labels, in the metric's order.
    pub labels: Vec<String>,
    /// The value, in the metric's unit.
    pub value: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    static STATUS: Metric = Metric::untyped("mysql_global_status_*", "Generic metric from SHOW GLOBAL STATUS: *");

    #[test]
    fn a_pattern_makes_each_name_once() {
        let made = STATUS.named("uptime").expect("a metric");
        assert_eq!((made.name, made.kind), ("mysql_global_status_uptime", Type::Untyped));
        assert_eq!(made.help, "Generic metric from SHOW GLOBAL STATUS: uptime");
        assert!(std::ptr::eq(made, STATUS.named("uptime").expect("a metric")));
        assert!(STATUS.covers(made) && STATUS.covers(&STATUS) && !made.covers(&STATUS));
        assert!(!STATUS.covers(&Metric::untyped("mysql_global_status_", "")));
    }

    #[test]
    fn a_name_that_is_none_makes_no_metric() {
        for word in ["", "a b", "a\"b", "ü", &"x".repeat(limits::NAME_WORD_BYTES + 1)] {
            assert!(STATUS.named(word).is_none(), "{word}");
        }
    }

    #[test]
    fn a_server_that_makes_up_names_leaves_other_patterns_theirs() {
        static PATTERNS: [Metric; 7] = [const { Metric::untyped("made_up_*", "*") }; 7];
        let mut names = Names(BTreeMap::new());
        let mut made = |pattern: &'static Metric| {
            (0..2 * limits::NAMES_OF_A_PATTERN).filter(|at| names.make(pattern, &format!("w{at}")).is_some()).count()
        };
        let counts: Vec<usize> = PATTERNS.iter().map(&mut made).collect();
        assert_eq!(counts[..4], [limits::NAMES_OF_A_PATTERN; 4], "a server of MySQL has four patterns");
        assert!(counts[4] > 0, "the host has names left");
        assert_eq!(counts.iter().sum::<usize>(), limits::NAMES_MADE);
        assert!(names.make(&PATTERNS[0], "w0").is_some(), "what is known stays known");
    }
}
