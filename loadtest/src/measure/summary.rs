//! The figures of a run, as the targets judge them and the reports print them.

use super::{Failure, Timeline};
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// All requests of one name in one stage, or of all.
#[derive(Clone, Debug)]
pub struct Row {
    /// The request's name.
    pub name: String,
    /// The stage's name.
    pub stage: String,
    /// Finished and given-up requests, errors included.
    pub count: u64,
    /// Requests still unanswered when the summary was taken, besides `count`, old enough to tell something; their ages
    /// are in `latencies`, as lower bounds. None are left in the final summary: given-up ones count as timeouts.
    pub unanswered: u64,
    /// Errors by cause.
    pub errors_by: BTreeMap<Failure, u64>,
    /// An example of what was wrong, for people (redacted, capped).
    pub example: Option<String>,
    /// Latencies in microseconds, errors and unanswered requests included.
    pub latencies: Histogram<u64>,
    /// Body bytes received.
    pub bytes: u64,
    /// Answers that came over HTTP/2.
    pub http2: u64,
    /// The time over which the requests were counted.
    pub over: Duration,
}

impl Row {
    /// A row without samples.
    ///
    /// # Errors
    /// Never in practice: three significant digits are a valid precision.
    pub(crate) fn empty(name: &str, stage: &str, over: Duration) -> Option<Self> {
        Some(Self {
            name: name.to_owned(),
            stage: stage.to_owned(),
            count: 0,
            unanswered: 0,
            errors_by: BTreeMap::new(),
            example: None,
            latencies: super::histogram()?,
            bytes: 0,
            http2: 0,
            over,
        })
    }

    /// Requests that count as errors.
    #[must_use]
    pub fn errors(&self) -> u64 {
        self.errors_by.values().sum()
    }

    /// Errors of all requests, 0 to 1; absent without requests, for no data is never success.
    #[must_use]
    pub fn error_ratio(&self) -> Option<f64> {
        (self.count > 0).then(|| ratio(self.errors(), self.count))
    }

    /// Time that users waited for all these requests together.
    #[must_use]
    pub fn waited(&self) -> Duration {
        Duration::from_secs_f64((self.latencies.mean() * ratio(self.latencies.len(), 1) / 1e6).clamp(0.0, 1e12))
    }

    /// Finished requests a second; absent before any time has passed.
    #[must_use]
    pub fn throughput(&self) -> Option<f64> {
        (!self.over.is_zero()).then(|| ratio(self.count, 1) / self.over.as_secs_f64())
    }

    /// The latency below which this share (0 to 1) of the requests lie; absent where the samples cannot carry it: a
    /// percentile needs at least one sample beyond it, so p99 needs 100.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        super::carries(self.latencies.len(), share)
            .then(|| Duration::from_micros(self.latencies.value_at_quantile(share)))
    }

    /// The longest latency, as exact as the histogram: three digits.
    #[must_use]
    pub fn max(&self) -> Option<Duration> {
        (!self.latencies.is_empty()).then(|| Duration::from_micros(self.latencies.max()))
    }

    /// Adds another row's requests to this one. `over` is the caller's affair: stages follow one another, names and
    /// shards run side by side.
    pub fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.unanswered += other.unanswered;
        self.bytes += other.bytes;
        self.http2 += other.http2;
        for (failure, errors) in &other.errors_by {
            *self.errors_by.entry(*failure).or_default() += errors;
        }
        self.example = self.example.take().or_else(|| other.example.clone());
        // The histograms resize themselves, so that the addition cannot fail.
        let _ = self.latencies.add(&other.latencies);
    }
}

/// How the generator itself fared.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Generator {
    /// Client CPU time per request, in microseconds.
    pub cpu_us_per_request: f64,
    /// Share of the CPU this process may use that it did use, 0 to 1.
    pub cpu_used_ratio: f64,
    /// How late the generator's own timers fired.
    pub late: Lateness,
    /// Share of their time that the users lost to timers and wake-ups that came late: by so much less was offered than they
    /// were meant to.
    pub lost_ratio: f64,
    /// Whether the generator was the bottleneck: its figures say more of itself than of the target.
    pub saturated: bool,
}

/// How late the generator's own timers fired, in microseconds: at each percentile that a latency is judged by, for it is an
/// error bar of that latency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lateness {
    /// Median.
    pub p50_us: u64,
    /// 90th percentile.
    pub p90_us: u64,
    /// 95th percentile.
    pub p95_us: u64,
    /// 99th percentile.
    pub p99_us: u64,
    /// The latest of all.
    pub max_us: u64,
}

impl Lateness {
    /// The worse of two, figure by figure.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        Self {
            p50_us: self.p50_us.max(other.p50_us),
            p90_us: self.p90_us.max(other.p90_us),
            p95_us: self.p95_us.max(other.p95_us),
            p99_us: self.p99_us.max(other.p99_us),
            max_us: self.max_us.max(other.max_us),
        }
    }
}

impl Generator {
    /// The worse of two generators, figure by figure: what is said of a union of shards.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        Self {
            cpu_us_per_request: self.cpu_us_per_request.max(other.cpu_us_per_request),
            cpu_used_ratio: self.cpu_used_ratio.max(other.cpu_used_ratio),
            late: self.late.worse(other.late),
            lost_ratio: self.lost_ratio.max(other.lost_ratio),
            saturated: self.saturated || other.saturated,
        }
    }
}

/// What became of the arrivals of the open model. None is lost: it was started, late perhaps, or it waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Arrivals {
    /// Arrivals whose journey was begun.
    pub started: u64,
    /// Those among them that were late because all workers had their hands full: their latencies count from the time at which
    /// they were due, and are upper bounds.
    pub held_back: u64,
    /// By how much those were late, 99th percentile, in microseconds.
    pub held_p99_us: u64,
    /// Arrivals that were due and never begun.
    pub waiting: u64,
}

impl Arrivals {
    /// Those of several generators; of the lateness the worst.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            started: self.started + other.started,
            held_back: self.held_back + other.held_back,
            held_p99_us: self.held_p99_us.max(other.held_p99_us),
            waiting: self.waiting + other.waiting,
        }
    }
}

/// Everything measured so far.
#[derive(Clone, Debug)]
pub struct Summary {
    /// One row per stage and request name that has samples.
    pub rows: Vec<Row>,
    /// Time since the first request.
    pub elapsed: Duration,
    /// Users at work now.
    pub users: usize,
    /// Requests in flight.
    pub in_flight: usize,
    /// Age of the oldest request in flight: a lower bound of its latency.
    pub oldest_in_flight: Duration,
    /// The generator.
    pub generator: Generator,
    /// What became of the arrivals, where they set the pace.
    pub arrivals: Option<Arrivals>,
    /// The run over time.
    pub timeline: Timeline,
}

impl Summary {
    /// All rows of the named stages together (every stage when none is named), as one row called `all`.
    #[must_use]
    pub fn total(&self, stages: &[&str]) -> Option<Row> {
        let chosen = |row: &&Row| stages.is_empty() || stages.contains(&row.stage.as_str());
        self.rows
            .iter()
            .filter(chosen)
            .fold(None, |sum: Option<Row>, row| match sum {
                None => Some(Row { name: "all".to_owned(), stage: "all".to_owned(), ..row.clone() }),
                Some(mut sum) => {
                    sum.add(row);
                    Some(sum)
                }
            })
            .map(|sum| Row { over: self.over(stages), ..sum })
    }

    /// One row a request name over the named stages (every stage when none is named), in the order of the plan.
    #[must_use]
    pub fn by_name(&self, stages: &[&str]) -> Vec<Row> {
        let mut sums: Vec<Row> = Vec::new();
        for row in self.rows.iter().filter(|row| stages.is_empty() || stages.contains(&row.stage.as_str())) {
            match sums.iter_mut().find(|sum| sum.name == row.name) {
                Some(sum) => sum.add(row),
                None => sums.push(Row { stage: "all".to_owned(), over: self.over(stages), ..row.clone() }),
            }
        }
        sums
    }

    /// The rows of the same run elsewhere (another shard), added name by name and stage by stage.
    pub fn merge(&mut self, other: &Self) {
        for row in &other.rows {
            match self.rows.iter_mut().find(|mine| mine.name == row.name && mine.stage == row.stage) {
                Some(mine) => {
                    mine.add(row);
                    mine.over = mine.over.max(row.over);
                }
                None => self.rows.push(row.clone()),
            }
        }
        self.elapsed = self.elapsed.max(other.elapsed);
        self.users += other.users;
        self.in_flight += other.in_flight;
        self.oldest_in_flight = self.oldest_in_flight.max(other.oldest_in_flight);
        self.generator = self.generator.worse(other.generator);
        self.arrivals = match (self.arrivals, other.arrivals) {
            (Some(mine), Some(other)) => Some(mine.plus(other)),
            (mine, other) => mine.or(other),
        };
        self.timeline.merge(&other.timeline);
    }

    /// The time that the chosen stages lasted; each once, for every name has a row of it.
    fn over(&self, stages: &[&str]) -> Duration {
        let mut seen: Vec<&str> = Vec::new();
        let mut sum = Duration::ZERO;
        for row in self.rows.iter().filter(|row| stages.is_empty() || stages.contains(&row.stage.as_str())) {
            if !seen.contains(&row.stage.as_str()) {
                seen.push(&row.stage);
                sum += row.over;
            }
        }
        sum
    }
}

/// A quotient of counts; exact below 2^53.
#[expect(clippy::cast_precision_loss, reason = "counts of requests stay below 2^53")]
pub(super) fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}
