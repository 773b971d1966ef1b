//! WebSocket steps of a plan: each wrong one has its exact message, and a dry run tells them all.

use super::tests::{CANARY, bad, folder, none, without_paths};
use super::*;

#[test]
fn steps_that_make_no_sense_are_all_named() {
    insta::assert_snapshot!(bad("wrong_steps"));
    insta::assert_snapshot!(bad("unknown_step_key"), @r"
    error: unknown key `sent`
      at unknown_step_key.yml:4:9
      4 |         sent: ping
        |         ^^^^
    hint: did you mean `send`? known keys: websocket, name, headers, send, expect, capture, messages, timeout, insecure, cacert
    ");
    insta::assert_snapshot!(bad("unknown_expect_key"), @r"
    error: unknown key `equal`
      at unknown_expect_key.yml:4:18
      4 |         expect: {equal: pong}
        |                  ^^^^^
    hint: did you mean `equals`? known keys: jsonpath, equals, contains, matches
    ");
    insta::assert_snapshot!(bad("step_without_url"), @r"
    error: key `websocket` is missing
      at step_without_url.yml:3:9
      3 |       - send: ping
        |         ^
    hint: add `websocket:` to this entry
    ");
    insta::assert_snapshot!(bad("step_of_a_list"), @r"
    error: expected a file's name or the keys of a WebSocket here
      at step_of_a_list.yml:3:9
      3 |       - [home.hurl]
        |         ^
    ");
}

#[test]
fn a_dry_run_tells_every_step() {
    let flags = Flags { plan: Some(folder().join("steps.yml")), ..Flags::default() };
    let plan = build(&flags, &|name| (name == "API_TOKEN").then(|| CANARY.to_owned())).expect("a good plan");
    let said = without_paths(&explain(&plan));
    assert!(!said.contains(CANARY), "{said}");
    assert!(!plan.redactor.clean(CANARY).contains(CANARY) && !plan.redactor.clean("canary-9b1c").contains("canary"));
    insta::assert_snapshot!(said, @r"
    plan
      target    http://127.0.0.1:8000/  steps.yml:2
      users     10                      default
      ramp      15s                     default
      run time  1m                      default
      think     1s..3s                  default

    stages
      ramp  0 to 10 users in 15s  measured apart, not judged
      load  10 users for 1m       judged

    variables
      target  http://127.0.0.1:8000  steps.yml:2
      tenant  acme                   steps.yml:4

    journeys
      live  50 % of the users, think 1s..3s  steps.yml:8
        GET /
        GET /health
        echo (open)
        echo  10 round trips on a WebSocket, at most 5s each
        GET /
        GET /health
      WS /api/ticks  50 % of the users, think 1s..3s  steps.yml:21
        WS /api/ticks (open)
        WS /api/ticks  1 round trip on a WebSocket, at most 10s

    groups
      api  */api/*  over 2 requests

    targets
      echo p95 < 50ms       over 1 request   steps.yml:23
      echo (open) p95 < 1s  over 1 request   steps.yml:24
      live errors < 1%      over 4 requests  steps.yml:25
      api p95 < 1s          over 2 requests  steps.yml:26
    ");
    let text = std::fs::read_to_string(folder().join("steps.yml")).expect("the plan");
    for (key, ..) in STEP_KEYS {
        assert!(text.lines().any(|line| line.trim_start_matches([' ', '-']).starts_with(&format!("{key}:"))), "{key}");
    }
}

#[test]
fn the_hash_follows_every_key_of_a_step() {
    let hash = |step: &str| {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), format!("target: http://h\njourneys: [{{name: a, steps: [{step}]}}]"))
            .expect("written");
        let flags = Flags { plan: Some(file.path().to_owned()), ..Flags::default() };
        build(&flags, &none).unwrap_or_else(|problems| panic!("{problems}")).hash
    };
    let with = |key: &str| hash(&format!("{{websocket: 'ws://h/', {key}}}"));
    let keys = [
        "name: b",
        "headers: {x: a}",
        "send: a",
        "send: [a]",
        "send: [a, a]",
        "expect: a",
        "expect: {contains: a}",
        "expect: {matches: a}",
        "expect: {jsonpath: $.a}",
        "expect: {jsonpath: $.a, equals: b}",
        "capture: {a: $.a}",
        "messages: 2",
        "timeout: 1s",
        "insecure: true",
        "cacert: a.pem",
    ];
    let hashes: std::collections::BTreeSet<String> = keys.iter().map(|key| with(key)).collect();
    // One text is one text, however it is written.
    assert_eq!(hashes.len(), keys.len() - 1);
    assert!(!hashes.contains(&hash("{websocket: 'ws://h/'}")));
    assert_ne!(hash("{websocket: 'ws://h/'}"), hash("{websocket: 'ws://h/b'}"));
}
