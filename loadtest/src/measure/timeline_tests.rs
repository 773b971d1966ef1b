//! The timeline: windows against the samples themselves, hanging requests, bounded memory.

use super::*;
use proptest::prelude::*;
use std::time::Duration;

const S: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

fn recorder(names: &[&str], shards: usize) -> Recorder {
    let stage = StageLabel { name: "load".to_owned(), from: Duration::ZERO, until: S * 10 };
    Recorder::new(Labels { names: names.iter().map(|&name| name.to_owned()).collect(), stages: vec![stage] }, shards)
}

fn sample(name: usize, latency: Duration, failure: Option<Failure>) -> Sample {
    Sample { name, stage: 0, latency, status: 200, bytes: 10, http2: false, failure }
}

fn at(recorder: &Recorder, now: Duration) -> Timeline {
    recorder.timeline(now, std::iter::empty())
}

proptest! {
    // Each case takes histograms of its own: 256 of them took ten seconds.
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_window_has_the_requests_that_finished_in_it(
        samples in prop::collection::vec((0_u64..40_000, 0_usize..3, 1_u64..10_000_000, any::<bool>()), 1..300),
        from in 0_u64..45, length in 1_u64..45,
    ) {
        let recorder = recorder(&["a", "b", "c"], 2);
        // From several threads and in any order, so that shards and late samples are merged.
        std::thread::scope(|scope| {
            for part in samples.chunks(samples.len().div_ceil(3)) {
                let recorder = &recorder;
                scope.spawn(move || for (ms, name, us, failed) in part {
                    let sample = sample(*name, Duration::from_micros(*us), failed.then_some(Failure::Status));
                    recorder.record(&sample, MS * u32::try_from(*ms).unwrap(), None);
                });
            }
        });
        let timeline = at(&recorder, S * 40);
        let (from, until) = (S * u32::try_from(from).unwrap(), S * u32::try_from(from + length).unwrap());
        let within: Vec<_> = samples.iter().filter(|(ms, ..)| {
            let at = MS * u32::try_from(*ms).unwrap();
            at >= from && at < until
        }).collect();
        let whole = timeline.window(from, until, |_| true);
        prop_assert_eq!(whole.as_ref().map_or(0, |row| row.count), within.len() as u64);
        for name in ["a", "b", "c"] {
            let index = timeline.names().iter().position(|one| one == name).unwrap();
            let mut own: Vec<u64> = within.iter().filter(|(_, n, ..)| *n == index).map(|(_, _, us, _)| *us).collect();
            own.sort_unstable();
            let row = timeline.window(from, until, |one| one == name);
            prop_assert_eq!(row.as_ref().map_or(0, |row| row.count), own.len() as u64);
            let Some(row) = row else { continue };
            prop_assert_eq!(row.errors(), within.iter().filter(|(_, n, _, failed)| *n == index && *failed).count() as u64);
            prop_assert_eq!(row.bytes, own.len() as u64 * 10);
            let (got, truth) = (row.latencies.value_at_quantile(0.5), own[own.len().div_ceil(2) - 1]);
            prop_assert!(got.abs_diff(truth) as f64 <= truth as f64 * 0.01 + 1.0, "{got} against {truth}");
        }
    }
}

#[test]
fn slots_follow_one_another_and_tell_what_happened() {
    let recorder = recorder(&["a", "b"], 1);
    for second in [0, 0, 2] {
        let failure = (second == 2).then_some(Failure::Timeout);
        recorder.record(&sample(0, MS * 100 * (second + 1), failure), S * second + MS * 400, None);
        recorder.record(&sample(1, MS * 100 * (second + 1), None), S * second + MS * 500, None);
    }
    let seen = Gauges { users: 7, in_flight: 3, offered: Some(2.5), ..Gauges::default() };
    recorder.gauge(MS * 2100, seen);
    recorder.gauge(MS * 2200, Gauges { users: 5, in_flight: 4, ..seen });
    let timeline = at(&recorder, MS * 2600);
    let slots: Vec<Moment> = timeline.slots().collect();
    let told: Vec<_> = slots.iter().map(|slot| (slot.from, slot.until, slot.count, slot.errors)).collect();
    assert_eq!(told, [(Duration::ZERO, S, 4, 0), (S, S * 2, 0, 0), (S * 2, MS * 2600, 2, 1)]);
    assert!(slots[0].p50.unwrap().abs_diff(MS * 100) < MS && slots[0].p95.is_none(), "{slots:?}");
    assert_eq!((slots[1].p50, slots[1].gauges), (None, Gauges::default()));
    assert_eq!(slots[2].gauges, Gauges { users: 7, in_flight: 4, offered: Some(5.0), ..Gauges::default() });
    let heat: Vec<u64> = timeline.heat().map(|slot| slot.iter().map(|(.., count)| count).sum()).collect();
    assert_eq!(heat, [4, 0, 2]);
    // Asked again, nothing is counted twice; what comes later in the same second is added.
    recorder.record(&sample(0, MS, None), MS * 2700, None);
    assert_eq!(at(&recorder, MS * 2800).slots().map(|slot| slot.count).collect::<Vec<_>>(), [4, 0, 3]);
}

#[test]
fn a_request_that_hangs_is_in_the_window_with_its_age() {
    let recorder = recorder(&["a", "b"], 1);
    let flights = Flights::new(2);
    flights.begin(0, Flight { name: 1, stage: 0, since: S * 3, held: Duration::ZERO });
    flights.begin(1, Flight { name: 1, stage: 0, since: MS * 9500, held: MS });
    let timeline = recorder.timeline(S * 10, flights.iter());
    let row = timeline.window(S * 5, S * 10, |_| true).expect("one hangs");
    assert_eq!((row.name.as_str(), row.count, row.unanswered), ("b", 0, 1), "the young one says nothing yet");
    assert!(row.max().unwrap().abs_diff(S * 7) < MS * 10);
    let earlier = timeline.window(S * 2, S * 5, |_| true).expect("it hung then");
    assert!(earlier.max().unwrap().abs_diff(S * 2) < MS * 10, "as old as it was then");
    assert!(timeline.window(Duration::ZERO, S * 3, |_| true).is_none());
    assert!(timeline.window(S * 5, S * 10, |name| name == "a").is_none());
}

#[test]
fn a_long_run_gets_wider_slots_and_loses_nothing() {
    let recorder = recorder(&["a"], 1);
    for second in 0..3600 {
        recorder.record(&sample(0, MS * (second % 50 + 1), None), S * second, None);
    }
    let timeline = at(&recorder, S * 3600);
    assert_eq!((timeline.width(), timeline.slots().count()), (S * 4, 900));
    assert_eq!(timeline.slots().map(|slot| slot.count).sum::<u64>(), 3600);
    let window = timeline.window(S * 400, S * 800, |_| true).unwrap();
    assert_eq!((window.count, window.over), (400, S * 400));
}

#[test]
fn the_memory_of_a_timeline_has_a_cap() {
    let names: Vec<String> = (0..400).map(|name| name.to_string()).collect();
    let mut timeline = Timeline::new(&names);
    for second in 0..100 {
        let latencies = (0..50).map(|spread| (500 + spread * 2, 1)).collect();
        let part = timeline::Part { count: 50, latencies, ..timeline::Part::default() };
        timeline.add(second, (0..400).map(|name| (name, part.clone())));
    }
    assert_eq!(timeline.width(), S * 2, "two million cells in slots of a second");
    assert_eq!(timeline.slots().map(|slot| slot.count).sum::<u64>(), 2_000_000);
}

#[test]
fn timelines_of_two_generators_add_up() {
    let (one, two) = (recorder(&["a", "b"], 1), recorder(&["b", "c"], 1));
    one.record(&sample(0, MS, None), MS * 500, None);
    two.record(&sample(0, MS * 9, None), MS * 700, None);
    // A slot in four seconds here, one a second there.
    two.record(&sample(1, MS * 5, None), S * 3000, None);
    one.gauge(MS * 500, Gauges { users: 3, ..Gauges::default() });
    two.gauge(MS * 500, Gauges { users: 4, ..Gauges::default() });
    let mut union = at(&one, S);
    union.merge(&at(&two, S * 3001));
    assert_eq!((union.width(), union.names()), (S * 4, &["a", "b", "c"].map(str::to_owned)[..]));
    let first = union.slots().next().unwrap();
    assert_eq!((first.count, first.gauges.users), (2, 7));
    let count = |name: &str| union.window(Duration::ZERO, S * 3001, |one| one == name).map(|row| row.count);
    assert_eq!((count("a"), count("b"), count("c")), (Some(1), Some(1), Some(1)));
}
