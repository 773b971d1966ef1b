//! Two runs held against each other: what has become slower, by how much, and how sure that is. Pure.
//!
//! The interval of a percentile comes from the order of its samples (the ranks that it may have by chance, a binomial), one in a
//! thousand left out. It takes the samples for independent; a pause that hits many requests at once makes it too narrow, which the
//! limit, far beyond noise, forgives. What must stay true: a change counts only when the whole interval lies beyond the limit.

use crate::limits::{LATE_TIMES, SLOWER_FLOOR, SLOWER_TIMES, Z};
use crate::measure::{Generator, Lateness, Row};
use crate::targets::{Kind, Tally, Trigger};
use crate::units::{Readable, micros};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// An earlier run to compare with.
#[derive(Clone, Debug)]
pub struct Baseline {
    /// When its first request was sent, RFC 3339.
    pub started: String,
    /// The stage that was judged.
    pub stage: String,
    /// What was measured in it.
    pub rows: Vec<Row>,
}

impl Baseline {
    /// Compares the judged stage of a run with it.
    #[must_use]
    pub fn against(&self, stage: &str, rows: &[&Row], generator: Generator) -> Comparison {
        let base: Vec<&Row> = self.rows.iter().collect();
        let changes = compare(&base, rows, &generator.late);
        let mut comparison = Comparison { started: self.started.clone(), inconclusive: None, changes };
        comparison.inconclusive = if stage != self.stage {
            Some(format!("this run is judged by its stage `{stage}`, the baseline by `{}`", self.stage))
        } else if generator.saturated {
            Some("the load generator was the bottleneck".to_owned())
        } else if comparison.is_unclear() {
            Some("the requests are too few to compare".to_owned())
        } else {
            None
        };
        comparison
    }
}

/// What changed against the baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// When the baseline's first request was sent, RFC 3339.
    pub started: String,
    /// Why nothing can be said of the whole, where that is so.
    pub inconclusive: Option<String>,
    /// One change for each request name and percentile, and for all requests.
    pub changes: Vec<Change>,
}

/// A percentile of the latencies of one name in two runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The request's name; `total` for all.
    pub request: String,
    /// `p50` or `p95`.
    pub indicator: String,
    /// In the baseline, microseconds.
    pub was_us: u64,
    /// In this run, microseconds.
    pub now_us: u64,
    /// Requests in the baseline and in this run.
    pub counts: [u64; 2],
    /// How many times as long it takes, at least and at most; null where the samples do not tell.
    pub times: Option<[f64; 2]>,
    /// What that means.
    pub outcome: Direction,
}

/// Which way it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Surely slower, and by more than the limit and the floor: a trigger.
    Degraded,
    /// Surely slower.
    Slower,
    /// The interval holds 1: no difference is sure.
    Same,
    /// Surely faster.
    Faster,
    /// Too few samples.
    Unclear,
}

/// The percentiles that are compared: beyond the 95th, chance is too large to roll a release back for.
const COMPARED: [(&str, f64); 2] = [("p50", 0.50), ("p95", 0.95)];

/// A percentile and where it may lie, microseconds.
#[derive(Clone, Copy, Debug)]
struct Estimate {
    is: u64,
    low: u64,
    /// None where no sample bounds it.
    high: Option<u64>,
    count: u64,
}

/// Compares the judged stage of two runs, name by name and as a whole.
#[must_use]
pub fn compare(base: &[&Row], now: &[&Row], late: &Lateness) -> Vec<Change> {
    let mut names: Vec<&str> = Vec::new();
    for row in now.iter().filter(|row| row.count > 0) {
        if !names.contains(&row.name.as_str()) {
            names.push(&row.name);
        }
    }
    let of = |rows: &[&Row], name: &str| Tally::of(rows.iter().copied().filter(|row| row.name == name));
    let mut changes: Vec<Change> = names
        .iter()
        .filter_map(|name| Some(changes_of(name, &of(base, name)?, &of(now, name)?, late)))
        .flatten()
        .collect();
    if names.len() > 1
        && let (Some(base), Some(now)) = (Tally::of(base.iter().copied()), Tally::of(now.iter().copied()))
    {
        changes.extend(changes_of("total", &base, &now, late));
    }
    changes
}

fn changes_of(name: &str, base: &Tally, now: &Tally, late: &Lateness) -> Vec<Change> {
    let one = |(indicator, share): &(&str, f64)| {
        let excuse = match *indicator {
            "p50" => late.p50_us,
            _ => late.p95_us,
        };
        change(name, indicator, estimate(base, *share), less(estimate(now, *share), excuse))
    };
    COMPARED.iter().map(one).collect()
}

/// A generator that is late makes latencies look longer: the lower end of what they are makes up for it.
fn less(estimate: Estimate, late_us: u64) -> Estimate {
    Estimate { low: estimate.low.saturating_sub(late_us * u64::from(LATE_TIMES)), ..estimate }
}

fn estimate(of: &Tally, share: f64) -> Estimate {
    let n = crate::targets::to_f64(of.latencies.len());
    let (middle, half) = (n * share, Z * (n * share * (1.0 - share)).sqrt());
    // Below that, ranks are no bell curve, and a handful of requests would pass for a proof.
    let enough = n * share.min(1.0 - share) >= BEYOND;
    let at = |rank: f64| of.latencies.value_at_quantile((rank / n).clamp(0.0, 1.0));
    Estimate {
        is: of.latencies.value_at_quantile(share),
        low: if enough && middle - half >= 1.0 { at((middle - half).floor()) } else { 0 },
        high: (enough && middle + half < n).then(|| at((middle + half).ceil())),
        count: of.count,
    }
}

fn change(name: &str, indicator: &str, base: Estimate, now: Estimate) -> Change {
    let times = match (base.high, now.high) {
        (Some(base_high), Some(now_high)) if base.low > 0 => {
            Some([ratio(now.low, base_high), ratio(now_high, base.low)])
        }
        // The baseline is bounded above and this run below: that it is slower at least so much is sure all the same.
        (Some(base_high), None) if ratio(now.low, base_high) > 1.0 => Some([ratio(now.low, base_high), f64::MAX]),
        _ => None,
    };
    let beyond_floor = base.high.is_some_and(|high| now.low.saturating_sub(high) > micros(SLOWER_FLOOR));
    let outcome = match times {
        None => Direction::Unclear,
        Some([low, _]) if low > SLOWER_TIMES && beyond_floor => Direction::Degraded,
        Some([low, _]) if low > 1.0 => Direction::Slower,
        Some([_, high]) if high < 1.0 => Direction::Faster,
        Some(_) => Direction::Same,
    };
    Change {
        request: name.to_owned(),
        indicator: indicator.to_owned(),
        was_us: base.is,
        now_us: now.is,
        counts: [base.count, now.count],
        times: times.map(|[low, high]| [low, high.min(TIMES_MOST)]),
        outcome,
    }
}

/// Samples that must be expected on either side of a percentile before its interval is told: 10 for a median, 100 for p95.
const BEYOND: f64 = 5.0;

/// More than this many times as long is told as this: the figure goes into JSON, which has no infinity.
const TIMES_MOST: f64 = 1e6;

impl Comparison {
    /// Nothing in it is sure.
    #[must_use]
    pub fn is_unclear(&self) -> bool {
        self.changes.iter().all(|change| change.outcome == Direction::Unclear)
    }

    /// The triggers in it.
    #[must_use]
    pub fn triggers(&self) -> Vec<Trigger> {
        if self.inconclusive.is_some() {
            return Vec::new();
        }
        self.changes.iter().filter(|change| change.outcome == Direction::Degraded).map(Change::trigger).collect()
    }
}

impl Change {
    fn trigger(&self) -> Trigger {
        let [was, now] = [self.was_us, self.now_us].map(|us| Readable(Duration::from_micros(us)));
        let least = self.times.map_or(0.0, |[low, _]| low);
        let whom =
            if self.request == "total" { "over all requests, ".to_owned() } else { format!("`{}` ", self.request) };
        let said = format!(
            "{whom}{} is at least {} times that of the baseline ({was} then, {now} now)",
            self.indicator,
            digits(least)
        );
        Trigger { trigger: Kind::Slower, request: self.request.clone(), said }
    }

    /// The change for people: `+12 % to +31 %`.
    #[must_use]
    pub fn said(&self) -> String {
        let percent = |times: f64| format!("{:+.0} %", (times - 1.0) * 100.0);
        match self.times {
            None => "–".to_owned(),
            Some([low, high]) if high >= TIMES_MOST => format!("at least {}", percent(low)),
            Some([low, high]) => format!("{} to {}", percent(low), percent(high)),
        }
    }
}

impl Direction {
    /// The word for reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Degraded => "degraded",
            Self::Slower => "slower",
            Self::Same => "same",
            Self::Faster => "faster",
            Self::Unclear => "unclear",
        }
    }
}

fn digits(times: f64) -> String {
    if times >= 10.0 { format!("{times:.0}") } else { format!("{times:.1}") }
}

fn ratio(part: u64, whole: u64) -> f64 {
    crate::targets::to_f64(part) / crate::targets::to_f64(whole.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::targets::test_row;

    /// `(milliseconds, count)`: latencies of a row.
    fn outcome(base: &[(u64, u64)], now: &[(u64, u64)]) -> (Direction, Direction) {
        let (base, now) = (test_row("GET /", base, 0), test_row("GET /", now, 0));
        let changes = compare(&[&base], &[&now], &Lateness::default());
        assert_eq!(changes.len(), 2, "one name is also the total");
        (changes[0].outcome, changes[1].outcome)
    }

    #[test]
    fn a_degradation_clears_the_limit_with_its_whole_interval_and_the_floor() {
        let base = [(20, 500), (40, 500)];
        assert_eq!(outcome(&base, &base), (Direction::Same, Direction::Same));
        assert_eq!(outcome(&base, &[(100, 500), (200, 500)]), (Direction::Degraded, Direction::Degraded));
        assert_eq!(outcome(&base, &[(41, 1000)]).1, Direction::Slower, "slower for sure, but by 2 %");
        assert_eq!(outcome(&base, &[(5, 1000)]), (Direction::Faster, Direction::Faster));
        assert_eq!(outcome(&[(2, 1000)], &[(8, 1000)]).0, Direction::Slower, "four times, but only 6 ms");
        assert_eq!(outcome(&base, &[(100, 5)]), (Direction::Unclear, Direction::Unclear));
        assert_eq!(outcome(&[(20, 3)], &[(100, 900)]), (Direction::Unclear, Direction::Unclear));
    }

    #[test]
    fn an_interval_that_reaches_below_the_limit_is_no_degradation() {
        // The median is 1.6 times as long, but by chance it might as well be that of the first half.
        let (base, now) = ([(100, 1000)], [(100, 480), (160, 520)]);
        assert_eq!(outcome(&base, &now).0, Direction::Same);
        assert_eq!(outcome(&base, &[(100, 100), (160, 900)]).0, Direction::Degraded);
    }

    #[test]
    fn the_generators_own_lateness_is_no_degradation() {
        let (base, now) = (test_row("GET /", &[(100, 1000)], 0), test_row("GET /", &[(160, 1000)], 0));
        let late = Lateness { p50_us: 20_000, p95_us: 0, ..Lateness::default() };
        let changes = compare(&[&base], &[&now], &late);
        assert_eq!((changes[0].outcome, changes[1].outcome), (Direction::Slower, Direction::Degraded));
    }

    #[test]
    fn a_trigger_says_what_was_and_what_is() {
        let (base, now) = (test_row("GET /", &[(20, 1000)], 0), test_row("GET /", &[(90, 1000)], 0));
        let comparison = Comparison {
            started: String::new(),
            inconclusive: None,
            changes: compare(&[&base], &[&now], &Lateness::default()),
        };
        let said: Vec<String> = comparison.triggers().into_iter().map(|trigger| trigger.said).collect();
        assert_eq!(said[0], "`GET /` p50 is at least 4.5 times that of the baseline (20ms then, 90ms now)");
        assert_eq!(comparison.changes[0].said(), "+350 % to +350 %");
        let unsure = Comparison { inconclusive: Some("why".to_owned()), ..comparison };
        assert!(unsure.triggers().is_empty());
    }
}
