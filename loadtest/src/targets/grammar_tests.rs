//! Targets as people write them, and what is said of those that cannot be read.

use super::*;
use proptest::prelude::*;

fn read(text: &str) -> (Option<String>, &'static str, Op, f64) {
    let found = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    (found.name, found.indicator.name, found.op, found.limit)
}

#[test]
fn reads_targets_as_people_write_them() {
    let some = |name: &str| Some(name.to_owned());
    assert_eq!(read("api p95 < 2s"), (some("api"), "p95", Op::Below, 2e6));
    assert_eq!(read("errors < 1%"), (None, "errors", Op::Below, 0.01));
    assert_eq!(read("throughput > 150/s"), (None, "throughput", Op::Above, 150.0));
    assert_eq!(read("throughput >= 90/m"), (None, "throughput", Op::AtLeast, 1.5));
    assert_eq!(read("login errors < 0.1%"), (some("login"), "errors", Op::Below, 0.001));
    assert_eq!(read("'GET /x' p99 < 300ms"), (some("GET /x"), "p99", Op::Below, 3e5));
    assert_eq!(read("GET /x?a=1 p99<=300ms"), (some("GET /x?a=1"), "p99", Op::AtMost, 3e5));
    assert_eq!(read("  max<10s "), (None, "max", Op::Below, 1e7));
    assert_eq!(read("\"max\" max < 1m30s"), (some("max"), "max", Op::Below, 9e7));
}

#[test]
fn figures_of_sidecars_and_windows_are_read_too() {
    let read = |text: &str| {
        let found = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let figure = found.figure.map_or("", |figure| figure.name);
        (found.name.unwrap_or_default(), figure, found.limit, found.over.map_or(0, |over| over.as_secs()))
    };
    let own = |name: &str, figure, limit, over| (name.to_owned(), figure, limit, over);
    assert_eq!(read("backend.cpu < 70%"), own("backend", "cpu", 0.7, 0));
    assert_eq!(read("db.connections_used<80%"), own("db", "connections_used", 0.8, 0));
    assert_eq!(read("my service.memory < 80% over 10s"), own("my service", "memory", 0.8, 10));
    assert_eq!(read("'a.b'.cpu < 70%"), own("a.b", "cpu", 0.7, 0));
    assert_eq!(read("memory < 80%"), own("", "memory", 0.8, 0));
    assert_eq!(read("db query < 1s"), own("db", "query", 1e6, 0));
    assert_eq!(read("db avg query < 1s"), own("db", "query", 1e6, 0));
    assert_eq!(read("restarts < 1"), own("", "restarts", 1.0, 0));
    assert_eq!(read("p95 < 300ms over 30s"), own("", "", 3e5, 30));
    assert_eq!(read("GET /x throughput > 10/s over 1m during spike"), own("GET /x", "", 10.0, 60));
}

#[test]
fn a_target_may_name_a_stage() {
    let read = |text: &str| {
        let found = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        (found.indicator.name, found.limit, found.stage.unwrap_or_default())
    };
    assert_eq!(read("p95 < 300ms during spike"), ("p95", 3e5, "spike".to_owned()));
    assert_eq!(read("errors<1%  during  'warm up' "), ("errors", 0.01, "warm up".to_owned()));
    assert_eq!(read("throughput > 10/s during 2nd"), ("throughput", 10.0, "2nd".to_owned()));
    assert_eq!(read("recovery < 30s after spike"), ("recovery", 3e7, "spike".to_owned()));
    assert_eq!(read("p95 < 300ms"), ("p95", 3e5, String::new()));
    assert_eq!(parse("during p95 < 3s").unwrap().name.as_deref(), Some("during"));
}

#[test]
fn each_mistake_has_its_message_place_and_hint() {
    let cases = [
        "",
        "api p95",
        "p96 < 2s",
        "< 2s",
        "p95 <",
        "p95 < 2",
        "p95 < soon",
        "errors < 2",
        "errors < 101%",
        "throughput > 150",
        "throughput > 150/h",
        "p95 == 2s",
        "p95 = 2s",
        "'GET /x p95 < 2s",
        "p95 < -2s",
        "p95 < 2s during",
        "p95 < 2s after spike",
        "recovery < 30s",
        "recovery < 30s during spike",
        "p95 < during spike",
        "db.cpus < 3%",
        "db.cpu < 2s",
        "p95 < 2s over long",
        "p95 < 2s over 9ms",
    ];
    let mut said = String::new();
    for text in cases {
        let error = parse(text).expect_err(text);
        said += &format!("{text:20}| {error} | {} | {}\n", slice(text, &error.at), error.hint);
    }
    insta::assert_snapshot!(said, @r"
                        | no comparison in the target |  | write it like `p95 < 2s`, `errors < 1%` or `throughput > 150/s`
    api p95             | no comparison in the target | api p95 | write it like `p95 < 2s`, `errors < 1%` or `throughput > 150/s`
    p96 < 2s            | unknown indicator `p96` | p96 | did you mean `p95`? indicators: p50, p90, p95, p99, max, errors, throughput, recovery
    < 2s                | no indicator before the comparison | < | indicators: p50, p90, p95, p99, max, errors, throughput, recovery
    p95 <               | no limit after the comparison | < | write it like `300ms` or `2s`
    p95 < 2             | `2` is not a limit for `p95` | 2 | write it like `300ms` or `2s`
    p95 < soon          | `soon` is not a limit for `p95` | soon | write it like `300ms` or `2s`
    errors < 2          | `2` is not a limit for `errors` | 2 | write it like `1%`
    errors < 101%       | `101%` is not a limit for `errors` | 101% | write it like `1%`
    throughput > 150    | `150` is not a limit for `throughput` | 150 | write it like `150/s`
    throughput > 150/h  | `150/h` is not a limit for `throughput` | 150/h | write it like `150/s`
    p95 == 2s           | unknown comparison `==` | == | comparisons: `<`, `<=`, `>`, `>=`
    p95 = 2s            | unknown comparison `=` | = | comparisons: `<`, `<=`, `>`, `>=`
    'GET /x p95 < 2s    | a quote without its partner | 'GET /x | close it: 'GET /x' p95 < 2s
    p95 < -2s           | `-2s` is not a limit for `p95` | -2s | write it like `300ms` or `2s`
    p95 < 2s during     | no stage at the end | 2s during | write it like `p95 < 300ms during spike`
    p95 < 2s after spike| only a recovery comes `after` a stage | p95 | write it like `recovery < 30s after spike`, or `p95 < 300ms during spike`
    recovery < 30s      | a recovery without its stage | recovery | write it like `recovery < 30s after spike`, or `p95 < 300ms during spike`
    recovery < 30s during spike| a recovery without its stage | recovery | write it like `recovery < 30s after spike`, or `p95 < 300ms during spike`
    p95 < during spike  | `during spike` is not a limit for `p95` | during spike | write it like `300ms` or `2s`
    db.cpus < 3%        | unknown indicator `db.cpus` | db.cpus | did you mean `cpu`? figures of sidecars: cpu, cpu_throttled, cpu_pressure, memory, memory_pressure, io_pressure, disk, inodes, fds, processes, connections_used, pool, query, slow_queries, transaction, failing, down, restarts, oom_kills, host_cpu, host_memory
    db.cpu < 2s         | `2s` is not a limit for `db.cpu` | 2s | write it like `1%`
    p95 < 2s over long  | `long` is not a time | long | write it like `p95 < 300ms over 30s`
    p95 < 2s over 9ms   | a window is a second or longer | 9ms | write it like `p95 < 300ms over 30s`
    ");
}

proptest! {
    #[test]
    fn never_panics_and_points_into_the_text(text in "\\PC{0,40}") {
        if let Err(error) = parse(&text) {
            prop_assert!(text.get(error.at.clone()).is_some(), "{:?}", error.at);
        }
    }

    #[test]
    fn reads_back_what_it_would_write(
        name in proptest::option::of("[a-zA-Z/]{1,8}( [a-z/<>=]{1,8})?"), row in 0..INDICATORS.len(), amount in 1_u32..100,
    ) {
        let indicator = &INDICATORS[row];
        let limit = match indicator.unit { Unit::Time => "ms", Unit::Share => "%", Unit::Rate => "/s", Unit::Count => "" };
        let written = name.as_ref().map_or(String::new(), |name| format!("'{name}' "));
        let text = format!("{written}{} < {amount}{limit}", indicator.name);
        let found = parse(&text).map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?;
        prop_assert_eq!(found.name, name);
        prop_assert_eq!(found.indicator.name, indicator.name);
    }
}
