//! The recorder against an exact sort, windows, flights, the watch on the generator.

use super::*;
use crate::limits;
use proptest::prelude::*;

fn labels(names: &[&str], stages: &[(&str, u64, u64)]) -> Labels {
    Labels {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        stages: stages
            .iter()
            .map(|(name, from, until)| StageLabel {
                name: (*name).to_owned(),
                from: Duration::from_secs(*from),
                until: Duration::from_secs(*until),
            })
            .collect(),
    }
}

fn sample(name: usize, stage: usize, us: u64) -> Sample {
    Sample { name, stage, latency: Duration::from_micros(us), status: 200, bytes: 10, http2: false, failure: None }
}

fn summary(rows: Vec<Row>) -> Summary {
    Summary {
        rows,
        elapsed: Duration::from_secs(10),
        users: 1,
        in_flight: 0,
        oldest_in_flight: Duration::ZERO,
        generator: Generator::default(),
        arrivals: None,
        timeline: Timeline::default(),
    }
}

/// The value at a quantile by sorting: the smallest that has at least that share of the samples at or below it.
fn exact(sorted: &[u64], quantile: f64) -> u64 {
    let rank = (quantile * sorted.len() as f64).ceil().max(1.0) as usize;
    sorted[rank - 1]
}

proptest! {
    #[test]
    fn percentiles_are_those_of_a_sort_within_a_thousandth(
        values in prop::collection::vec(prop_oneof![1_u64..2_000, 1_000_u64..200_000, 100_000_u64..600_000_000], 1..400),
        shards in 1_usize..4,
    ) {
        let recorder = Recorder::new(labels(&["a"], &[("load", 0, 10)]), shards);
        let mut sorted = values.clone();
        sorted.sort_unstable();
        // From several threads, so that several shards are merged.
        std::thread::scope(|scope| {
            for part in values.chunks(values.len().div_ceil(3)) {
                scope.spawn(|| part.iter().for_each(|us| recorder.record(&sample(0, 0, *us), Duration::ZERO, None)));
            }
        });
        let rows = recorder.rows(Duration::from_secs(10), std::iter::empty());
        prop_assert_eq!(rows[0].count, values.len() as u64);
        for quantile in [0.5, 0.9, 0.95, 0.99, 1.0] {
            let (got, truth) = (rows[0].latencies.value_at_quantile(quantile), exact(&sorted, quantile));
            prop_assert!(got.abs_diff(truth) as f64 <= truth as f64 * 0.001, "{quantile}: {got} against {truth}");
        }
    }

    #[test]
    fn a_histogram_survives_its_text(values in prop::collection::vec(1_u64..600_000_000, 0..200)) {
        let mut histogram = histogram().unwrap();
        values.iter().for_each(|us| histogram.record(*us).unwrap());
        let read = decode(&encode(&histogram).unwrap()).unwrap();
        prop_assert_eq!(read, histogram);
    }

    #[test]
    fn any_text_is_decoded_or_refused(text in "[A-Za-z0-9+/]{0,200}={0,2}") {
        let _ = decode(&text);
    }
}

#[test]
fn the_text_of_a_histogram_is_what_hdr_viewers_read() {
    let mut histogram = histogram().unwrap();
    histogram.record(1000).unwrap();
    // The cookie of the deflated V2 form.
    assert!(encode(&histogram).unwrap().starts_with("HISTF"));
    assert!(matches!(decode("?"), Err(HdrError::Base64)));
    assert!(matches!(decode("AAAA"), Err(HdrError::Form)));
}

#[test]
fn rows_are_kept_apart_by_stage_and_name() {
    let recorder = Recorder::new(labels(&["a", "b"], &[("ramp", 0, 5), ("hold", 5, 10)]), 2);
    recorder.record(&sample(0, 0, 100), Duration::from_secs(1), None);
    recorder.record(&sample(0, 1, 300), Duration::from_secs(6), None);
    let failed = Sample { failure: Some(Failure::Status), status: 500, http2: true, ..sample(1, 1, 200) };
    recorder.record(&failed, Duration::from_secs(6), Some("status 500, expected 200"));
    recorder.record(&failed, Duration::from_secs(7), Some("another"));
    recorder.record(&sample(7, 0, 100), Duration::ZERO, None);
    recorder.record(&sample(0, 7, 100), Duration::ZERO, None);

    let rows = recorder.rows(Duration::from_secs(8), std::iter::empty());
    let keys: Vec<_> =
        rows.iter().map(|row| (row.stage.as_str(), row.name.as_str(), row.count, row.errors())).collect();
    assert_eq!(keys, [("ramp", "a", 1, 0), ("hold", "a", 1, 0), ("hold", "b", 2, 2)]);
    assert_eq!(rows[2].example.as_deref(), Some("status 500, expected 200"));
    assert_eq!(rows[2].errors_by[&Failure::Status], 2);
    assert_eq!(rows.iter().map(|row| row.http2).collect::<Vec<_>>(), [0, 0, 2]);
    let over: Vec<_> = rows.iter().map(|row| row.over.as_secs()).collect();
    assert_eq!(over, [5, 3, 3], "the running stage counts up to now");
    assert_eq!(recorder.count(), 4);

    let summary = summary(rows);
    let total = summary.total(&[]).unwrap();
    assert_eq!(
        (total.name.as_str(), total.count, total.errors(), total.over.as_secs(), total.bytes),
        ("all", 4, 2, 8, 40)
    );
    assert_eq!(total.http2, 2);
    let hold = summary.total(&["hold"]).unwrap();
    assert_eq!((hold.count, hold.over.as_secs(), hold.throughput()), (3, 3, Some(1.0)));
    assert_eq!(summary.by_name(&[]).iter().map(|row| row.count).collect::<Vec<_>>(), [2, 2]);
    assert!(summary.total(&["none"]).is_none());
}

#[test]
fn shards_merge_exactly() {
    let (one, two) = (
        Recorder::new(labels(&["a", "b"], &[("load", 0, 10)]), 1),
        Recorder::new(labels(&["a", "b"], &[("load", 0, 10)]), 1),
    );
    for us in 1..=100 {
        one.record(&sample(0, 0, us * 10), Duration::ZERO, None);
        two.record(&sample(0, 0, us * 1000), Duration::ZERO, None);
        two.record(&sample(1, 0, us), Duration::ZERO, None);
    }
    let now = Duration::from_secs(10);
    let mut union = summary(one.rows(now, std::iter::empty()));
    union.merge(&summary(two.rows(now, std::iter::empty())));
    assert_eq!((union.rows.len(), union.rows[0].count, union.users), (2, 200, 2));
    assert_eq!(union.rows[0].latencies.value_at_quantile(0.5), 1000);
    assert_eq!(union.rows[0].max().unwrap().as_millis(), 100);
}

#[test]
fn a_percentile_that_the_samples_cannot_carry_is_absent() {
    let mut row = Row::empty("a", "load", Duration::from_secs(1)).unwrap();
    assert_eq!((row.quantile(0.5), row.max(), row.error_ratio()), (None, None, None));
    (0..99).for_each(|_| row.latencies.record(1000).unwrap());
    assert_eq!(row.quantile(0.99), None);
    assert!(row.quantile(0.95).is_some());
    row.latencies.record(1000).unwrap();
    assert_eq!(row.quantile(0.99), Some(Duration::from_millis(1)));
}

#[test]
fn a_hanging_request_is_a_lower_bound_in_the_live_rows() {
    let recorder = Recorder::new(labels(&["a"], &[("load", 0, 10)]), 1);
    let flights = Flights::new(3);
    let flight = |since| Flight { name: 0, stage: 0, since: Duration::from_millis(since), held: Duration::ZERO };
    flights.begin(0, flight(0));
    flights.begin(1, flight(2900));
    flights.begin(9, flight(0));
    recorder.record(&sample(0, 0, 1000), Duration::ZERO, None);

    let now = Duration::from_secs(3);
    assert_eq!(flights.oldest(now), (2, now));
    let row = &recorder.rows(now, flights.iter())[0];
    assert_eq!((row.count, row.unanswered, row.errors()), (1, 1, 0), "a young one says nothing yet");
    assert!(row.max().unwrap() >= Duration::from_millis(2997));

    flights.end(0);
    flights.end(1);
    assert_eq!(flights.oldest(now), (0, Duration::ZERO));
    assert_eq!(recorder.rows(now, flights.iter())[0].unanswered, 0);
}

#[test]
fn the_window_forgets_old_seconds() {
    let recorder = Recorder::new(labels(&["a"], &[("load", 0, 60)]), 2);
    for second in 0..20_u64 {
        let at = Duration::from_millis(second * 1000 + 500);
        recorder.record(&sample(0, 0, (second + 1) * 1000), at, None);
        recorder.record(&Sample { failure: Some(Failure::Timeout), ..sample(0, 0, 1) }, at, None);
    }
    let window = recorder.window(Duration::from_secs(20)).unwrap();
    assert_eq!((window.count, window.errors, window.over.as_secs()), (10, 5, 5));
    assert!((15_990..=16_010).contains(&window.latencies.value_at_quantile(0.6)), "{:?}", window.latencies.min());
    assert_eq!(window.throughput(), Some(2.0));
    let later = recorder.window(Duration::from_secs(40)).unwrap();
    assert_eq!((later.count, later.throughput()), (0, Some(0.0)));
    assert_eq!(recorder.window(Duration::ZERO).unwrap().throughput(), None);
}

#[test]
fn the_generator_is_saturated_when_busy_or_late() {
    let second = Duration::from_secs;
    let figures = |cpu_share: f64, late_ms: u64| {
        let mut watch = SelfWatch::new(2.0);
        (0..=10).for_each(|at| watch.cpu(second(at), second(at).mul_f64(cpu_share * 2.0)));
        (0..limits::LATE_SAMPLES).for_each(|_| watch.late(Duration::from_millis(late_ms)));
        watch.generator(1_000_000, second(1_000_000))
    };
    let calm = figures(0.5, 1);
    assert!(!calm.saturated && (calm.cpu_used_ratio - 0.5).abs() < 0.01, "{calm:?}");
    assert!((calm.cpu_us_per_request - 10.0).abs() < 0.1, "{calm:?}");
    assert!(figures(0.95, 1).saturated);
    assert!(!figures(0.1, 60).saturated, "an error bar, no more");
    assert!(figures(0.1, 300).saturated);
    assert!(figures(0.1, 2).late.max_us <= 1, "the grain of the timers is no lateness");
    let late = figures(0.1, 150);
    assert!(late.late.p99_us < limits::LATE_US && late.saturated, "a tenth of the load was not offered: {late:?}");
    assert!((0.12..0.14).contains(&late.lost_ratio), "{late:?}");
    let mut thinking = SelfWatch::new(1.0);
    (0..1000).for_each(|_| thinking.thought(Duration::from_millis(2000), Duration::from_millis(102)));
    let thought = thinking.generator(1000, second(2000)).lost_ratio;
    assert!((0.047..0.049).contains(&thought), "100 ms after each thought and each answer of 2 s: {thought}");
    assert!(!SelfWatch::new(1.0).generator(0, Duration::ZERO).saturated, "nothing measured is not saturated");
}
