//! The parts that a service's own health page tells of: whether it calls them healthy, how fast they answer it, their pools.
//! It is the service's word, and measured as such. What must stay true: a part's name is shown to everybody, so none that could
//! be an address or a URL is taken.

use super::pool;
use crate::limits;
use crate::probes::Context;
use crate::probes::facts::{PART_HEALTHY, PART_RESPONSE_TIME};
use serde_json::Value;
use std::collections::HashSet;

/// The keys under which frameworks list them.
const LISTS: [&str; 4] = ["services", "components", "dependencies", "checks"];
const BAD: [&str; 8] = ["down", "unhealthy", "error", "fail", "failed", "critical", "out_of_service", "unavailable"];
const GOOD: [&str; 7] = ["up", "healthy", "ok", "pass", "passing", "available", "connected"];

/// Measures what a JSON answer says of its parts; their pools and its own only where no other place is configured for them.
pub(super) fn measure(cx: &mut Context<'_>, answer: &Value, pools: bool) {
    if pools {
        pool::measure_found(cx, "", answer);
    }
    let mut unnamed = 0_u32;
    for (name, part) in parts(answer) {
        let Some(name) = plain(name) else {
            unnamed += 1;
            continue;
        };
        if let Some(healthy) = healthy(part) {
            cx.measure(PART_HEALTHY.with([name], f64::from(u8::from(healthy))));
        }
        let took = part.get("response_time_ms").and_then(Value::as_f64).filter(|took| *took >= 0.0);
        if let Some(milliseconds) = took {
            cx.measure(PART_RESPONSE_TIME.with([name], milliseconds / 1000.0));
        }
        if pools {
            pool::measure_found(cx, name, part);
        }
    }
    let failing = failing(answer);
    if !failing.is_empty() {
        cx.note("failing", &failing.join(", "));
    }
    if unnamed > 0 {
        let rule = "only letters, digits, spaces, `_` and `-` may stand in one";
        cx.note("parts_left_out", &format!("{unnamed} because of their names: {rule}"));
    }
}

/// The parts that a health page calls unhealthy, in its order.
pub(super) fn failing(answer: &Value) -> Vec<String> {
    let ill = parts(answer).filter(|(_, part)| healthy(part) == Some(false));
    ill.map(|(name, _)| plain(name).unwrap_or("(a part whose name is not shown)").to_owned()).collect()
}

/// The parts that an answer lists, capped; of two with one name the first.
fn parts(answer: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let mut seen = HashSet::new();
    let all = LISTS.into_iter().filter_map(|list| answer.get(list)?.as_object()).flatten();
    all.filter(move |(name, _)| seen.insert(name.as_str())).take(limits::PEER_SERVICES)
}

/// What is said of a part; a word against it weighs more than a word for it, and an unknown word is none.
fn healthy(part: &Value) -> Option<bool> {
    let word = part.get("status").unwrap_or(part).as_str().map(str::to_ascii_lowercase);
    let is = |words: &[&str]| word.as_deref().is_some_and(|word| words.contains(&word));
    let flag = part.get("healthy").and_then(Value::as_bool);
    if flag == Some(false) || is(&BAD) {
        return Some(false);
    }
    (flag == Some(true) || is(&GOOD)).then_some(true)
}

/// A name that may be shown to everybody.
pub(in crate::probes) fn plain(name: &str) -> Option<&str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ' ');
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic());
    (begins && name.len() <= limits::NAME_CHARS && name.chars().all(fits)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probes::net::Net;
    use crate::probes::{Outcome, Probe, Run};
    use proptest::prelude::*;
    use serde_json::json;
    use std::time::Duration;

    /// Measures instead of probing.
    struct Said(Value);

    impl Probe for Said {
        fn run<'a>(&'a mut self, cx: &'a mut Context<'_>) -> Run<'a> {
            measure(cx, &self.0, true);
            Box::pin(async { Ok(()) })
        }
    }

    async fn measured(answer: Value) -> Outcome {
        crate::probes::run(&mut Said(answer), &Net::default(), Duration::from_secs(1), crate::probes::Depth::Peer).await
    }

    fn lines(outcome: &Outcome) -> String {
        let line = |r: &crate::reading::Reading| format!("{}{{{}}} {}", r.metric.name, r.labels.join(","), r.value);
        outcome.readings.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn names_the_parts_that_fail() {
        let answer = json!({
            "services": {"database": {"healthy": true}, "redis": {"healthy": false}, "vector": {"status": "DOWN"}},
            "components": {"disk": "error", "mail": "ok"}
        });
        assert_eq!(failing(&answer), ["redis", "vector", "disk"]);
        assert!(failing(&json!([1])).is_empty());
    }

    #[test]
    fn a_word_against_a_part_weighs_more_and_an_unknown_word_is_none() {
        let cases = [
            (json!({"healthy": true, "status": "down"}), Some(false)),
            (json!({"healthy": false, "status": "up"}), Some(false)),
            (json!({"healthy": true}), Some(true)),
            (json!({"status": "UP"}), Some(true)),
            (json!("ok"), Some(true)),
            (json!({"status": "degraded"}), None),
            (json!({"healthy": "yes"}), None),
            (json!(3), None),
        ];
        for (part, expected) in cases {
            assert_eq!(healthy(&part), expected, "{part}");
        }
    }

    #[tokio::test]
    async fn measures_what_is_said_and_nothing_that_is_not() {
        let outcome = measured(json!({
            "pool": {"size": 4},
            "services": {
                "database": {"healthy": true, "response_time_ms": 2.5, "pool": {"size": 20, "checked_out": 5}},
                "search": {"status": "yellow"}
            },
            "checks": {"database": "down"}
        }))
        .await;
        insta::assert_snapshot!(lines(&outcome), @r"
        sidecar_pool_size{} 4
        sidecar_part_healthy{database} 1
        sidecar_part_response_time_seconds{database} 0.0025
        sidecar_pool_size{database} 20
        sidecar_pool_checked_out{database} 5
        sidecar_pool_used_ratio{database} 0.25
        ");
    }

    #[tokio::test]
    async fn a_name_that_could_be_an_address_is_neither_measured_nor_told() {
        for name in ["postgres://app:CANARY@db/app", "10.1.2.3", "db.internal", "a/b", "", "7", &"x".repeat(64)] {
            let mut answer = json!({"services": {}});
            answer["services"][name] = json!({"healthy": false, "pool": {"size": 3}});
            let outcome = measured(answer).await;
            assert_eq!(outcome.readings, [], "{name}");
            assert_eq!(outcome.note("failing"), Some("(a part whose name is not shown)"));
            assert!(outcome.note("parts_left_out").is_some_and(|note| note.starts_with("1 because")), "{outcome:?}");
        }
    }

    #[tokio::test]
    async fn the_number_of_parts_is_capped() {
        let many: serde_json::Map<_, _> = (0..100).map(|n| (format!("part{n}"), json!("ok"))).collect();
        let outcome = measured(json!({"services": many})).await;
        assert_eq!(outcome.readings.len(), limits::PEER_SERVICES);
    }

    proptest! {
        #[test]
        fn whatever_is_called_a_name_is_plain(name in ".{0,80}") {
            if let Some(plain) = plain(&name) {
                prop_assert!(!plain.contains([':', '/', '@', '.', '<', '"', '\n']) && plain.len() < 64);
            }
        }
    }
}
