//! Owns what is counted and its names. Label values come from closed sets: methods that we know, route templates, statuses
//! that we send; never a raw path.

use std::sync::atomic::AtomicU64;

use axum::http::Method;
use chrono::{DateTime, Utc};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use crate::{cache::Purpose, db::PoolView};

/// Media type of the page.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// The route of a request that matched none: whatever scanners ask for, it is one series.
pub const UNMATCHED: &str = "unmatched";

/// Bounds of all histograms in seconds; 2 and 5 are the limits of the shipped alerts.
const BOUNDS: [f64; 14] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    method: &'static str,
    route: String,
}

/// All metrics of the service.
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    request_seconds: Family<RouteLabels, Histogram, fn() -> Histogram>,
    in_flight: Gauge,
    /// Jobs that gave recommendations.
    pub recommendations_generated: Counter,
    /// Jobs that did not.
    pub recommendation_failures: Counter,
    /// Time of a job that did, its wait in the queue included.
    pub recommendation_seconds: Histogram,
    pool_size: Gauge,
    pool_checked_in: Gauge,
    pool_checked_out: Gauge,
}

impl Metrics {
    /// All metrics at their beginning.
    pub fn new(started: DateTime<Utc>) -> Self {
        let metrics = Self {
            registry: Registry::default(),
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(histogram),
            in_flight: Gauge::default(),
            recommendations_generated: Counter::default(),
            recommendation_failures: Counter::default(),
            recommendation_seconds: histogram(),
            pool_size: Gauge::default(),
            pool_checked_in: Gauge::default(),
            pool_checked_out: Gauge::default(),
        };
        metrics.registered(started)
    }

    fn registered(mut self, started: DateTime<Utc>) -> Self {
        let registry = &mut self.registry;
        registry.register("http_requests", "Requests answered", self.requests.clone());
        let help = "Time from a request's head to its answer's head, in seconds";
        registry.register("http_request_duration_seconds", help, self.request_seconds.clone());
        let help = "Requests being worked on, this scrape included";
        registry.register("http_requests_in_flight", help, self.in_flight.clone());
        let help = "Recommendation jobs that succeeded";
        registry.register("recommendations_generated", help, self.recommendations_generated.clone());
        let help = "Recommendation jobs that failed: queue full, worker late, database error";
        registry.register("recommendation_failures", help, self.recommendation_failures.clone());
        let help = "Time of a successful recommendation job, its wait included, in seconds";
        registry.register("recommendation_generation_seconds", help, self.recommendation_seconds.clone());
        registry.register("db_pool_size", "Database connections that there may be", self.pool_size.clone());
        registry.register("db_pool_checked_in", "Database connections that are free", self.pool_checked_in.clone());
        registry.register("db_pool_checked_out", "Database connections in use", self.pool_checked_out.clone());
        let start_time = Gauge::<f64, AtomicU64>::default();
        let micros = started.timestamp_subsec_micros();
        start_time.set(f64::from(u32::try_from(started.timestamp()).unwrap_or(u32::MAX)) + f64::from(micros) / 1e6);
        registry.register("process_start_time_seconds", "Start of the process, Unix seconds", start_time);
        self
    }

    /// Puts the cache's metrics on the page: only where there is a cache.
    pub fn register_cache(&mut self, cache: &CacheMetrics) {
        let registry = &mut self.registry;
        registry.register("cache_hits", "Look-ups that Redis had a copy for", cache.hits.clone());
        registry.register("cache_misses", "Look-ups that Redis had no copy for", cache.misses.clone());
        registry.register("cache_failures", "Commands that Redis did not answer", cache.failures.clone());
        registry.register("cache_up", "Whether Redis answered the last command, 1 or 0", cache.up.clone());
    }

    /// Counts one answered request.
    pub fn observe_request(&self, method: &Method, route: &str, status: u16, seconds: f64) {
        let method = known_method(method);
        let labels = RequestLabels { method, route: route.to_owned(), status };
        self.requests.get_or_create(&labels).inc();
        let labels = RouteLabels { method, route: route.to_owned() };
        self.request_seconds.get_or_create(&labels).observe(seconds);
    }

    /// Counts a request as being worked on until the guard is dropped: also when the client goes away in between.
    pub fn begin_request(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    /// The page, with the pool as it is now.
    pub fn page(&self, pool: PoolView) -> Result<String, std::fmt::Error> {
        self.pool_size.set(pool.size.into());
        self.pool_checked_in.set(pool.checked_in.into());
        self.pool_checked_out.set(pool.checked_out.into());
        let mut page = String::new();
        encode(&mut page, &self.registry)?;
        Ok(page)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CacheLabels {
    cache: &'static str,
}

/// What is counted of the cache.
#[derive(Clone, Debug)]
pub struct CacheMetrics {
    hits: Family<CacheLabels, Counter>,
    misses: Family<CacheLabels, Counter>,
    failures: Family<CacheLabels, Counter>,
    up: Gauge,
}

impl Default for CacheMetrics {
    /// Every series from the beginning: a rate needs the zero.
    fn default() -> Self {
        let metrics = Self {
            hits: Family::default(),
            misses: Family::default(),
            failures: Family::default(),
            up: Gauge::default(),
        };
        for purpose in [Purpose::Records, Purpose::Sessions] {
            for family in [&metrics.hits, &metrics.misses, &metrics.failures] {
                drop(family.get_or_create(&cache_labels(purpose)));
            }
        }
        metrics
    }
}

impl CacheMetrics {
    /// Counts an answer of Redis to a look-up.
    pub fn looked_up(&self, purpose: Purpose, is_found: bool) {
        let family = if is_found { &self.hits } else { &self.misses };
        family.get_or_create(&cache_labels(purpose)).inc();
    }

    /// Counts a command without an answer.
    pub fn failed(&self, purpose: Purpose) {
        self.failures.get_or_create(&cache_labels(purpose)).inc();
    }

    /// Notes whether the last command was answered.
    pub fn set_up(&self, is_up: bool) {
        self.up.set(is_up.into());
    }
}

fn cache_labels(purpose: Purpose) -> CacheLabels {
    let cache = match purpose {
        Purpose::Records => "records",
        Purpose::Sessions => "sessions",
    };
    CacheLabels { cache }
}

/// One request being worked on.
pub struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

fn histogram() -> Histogram {
    Histogram::new(BOUNDS)
}

fn known_method(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_up_method_is_one_series() {
        let metrics = Metrics::new(DateTime::UNIX_EPOCH);
        for name in ["BREW", "WHEN"] {
            metrics.observe_request(&Method::from_bytes(name.as_bytes()).expect("a token"), UNMATCHED, 405, 0.0);
        }
        let page = metrics.page(PoolView::default()).expect("encodes");
        assert!(
            page.contains("http_requests_total{method=\"other\",route=\"unmatched\",status=\"405\"} 2\n"),
            "{page}"
        );
    }

    #[test]
    fn the_page_has_every_family_with_its_type_and_ends_as_it_should() {
        let metrics = Metrics::new(DateTime::UNIX_EPOCH);
        // A family without a series is not on the page.
        metrics.observe_request(&Method::GET, "/", 200, 0.0);
        let page = metrics.page(PoolView { size: 8, checked_in: 7, checked_out: 1 }).expect("encodes");
        let types: Vec<_> = page.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
        let expected = [
            "http_requests counter",
            "http_request_duration_seconds histogram",
            "http_requests_in_flight gauge",
            "recommendations_generated counter",
            "recommendation_failures counter",
            "recommendation_generation_seconds histogram",
            "db_pool_size gauge",
            "db_pool_checked_in gauge",
            "db_pool_checked_out gauge",
            "process_start_time_seconds gauge",
        ];
        assert_eq!(types, expected);
        assert!(page.contains("\ndb_pool_checked_out 1\n") && page.ends_with("# EOF\n"), "{page}");
    }
}
