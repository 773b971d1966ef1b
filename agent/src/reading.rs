//! What a probe or collector measured: a value of a metric that is declared once, beside the code that measures it.
//! A leaf: it knows neither how values are kept nor how they are exported.

/// How a metric behaves in time, and so how Prometheus must be told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// May go up and down.
    Gauge,
    /// Only grows; its name ends in `_total`.
    Counter,
    /// Only grows, and bears a public exporter's name without `_total`: `counter` in text 0.0.4, `unknown` in OpenMetrics.
    BareCounter,
    /// Always 1; the labels carry the information. The name ends in `_info`.
    Info,
}

/// A metric's name and meaning. Declared as a `static` in the file that measures it and listed in that file's table row.
#[derive(Debug, PartialEq, Eq)]
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
