//! Each bad plan has its exact message; a good one says where each value came from.

use super::*;
use std::path::Path;

pub(super) const CANARY: &str = "canary-7f3a";

pub(super) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plans")
}

pub(super) fn without_paths(text: &str) -> String {
    text.replace(&format!("{}/", folder().join("bad").display()), "").replace(&format!("{}/", folder().display()), "")
}

pub(super) fn none(_: &str) -> Option<String> {
    None
}

pub(super) fn bad(name: &str) -> String {
    let flags = Flags { plan: Some(folder().join(format!("bad/{name}.yml"))), ..Flags::default() };
    let problems = build(&flags, &none).expect_err("the plan is bad");
    let said = without_paths(&problems.to_string());
    assert!(!said.contains(CANARY), "{said}");
    said
}

#[test]
fn a_malformed_plan_gets_line_column_and_caret() {
    insta::assert_snapshot!(bad("unknown_key"), @r"
    error: unknown key `usres`
      at unknown_key.yml:1:1
      1 | usres: 200
        | ^^^^^
    hint: did you mean `users`? known keys: target, users, run_time, ramp, rate, arrivals, profile, stages, think, requests, max_errors, http2, variables, headers, data, journeys, setup, teardown, groups, agents, calm, targets, abort_after, validate
    ");
    insta::assert_snapshot!(bad("unknown_nested_key"), @r"
    error: unknown key `file`
      at unknown_nested_key.yml:3:5
      3 |     file: [home.hurl]
        |     ^^^^
    hint: did you mean `files`? known keys: name, weight, files, steps, think
    ");
    insta::assert_snapshot!(bad("duplicate_key"), @r"
    error: key `users` is written twice
      at duplicate_key.yml:3:1
      3 | users: 100
        | ^^^^^
    hint: keep one of them
    ");
    insta::assert_snapshot!(bad("no_yaml"), @r#"
    error: this is no YAML: invalid trailing content after single-quoted scalar
      at no_yaml.yml:3:14
      3 |   - 'GET /x' p95 < 2s
        |              ^
    hint: a text that begins with a quote or has `: ` or `#` in it is quoted as a whole: "'GET /x' p95 < 2s"
    "#);
    insta::assert_snapshot!(bad("wrong_kind"), @r"
    error: one value belongs here, no list and no map
      at wrong_kind.yml:1:8
      1 | users: [200]
        |        ^
    ");
    insta::assert_snapshot!(bad("missing_value"), @r"
    error: one value belongs here, no list and no map
      at missing_value.yml:3:3
      3 |   - 
        |   ^
    ");
    insta::assert_snapshot!(bad("secret"), @r"
    error: key `password` is written twice
      at secret.yml:2:36
      2 | variables: {password: ***
        |                          ^
    hint: keep one of them
    ");
}

#[test]
fn a_plan_that_makes_no_sense_gets_every_problem_at_once() {
    insta::assert_snapshot!(bad("wrong_values"), @r"
    error: `localhost:8000` is not a target: it has no scheme
      at target (wrong_values.yml:2:9)
    hint: did you mean `http://localhost:8000`?

    error: `0` is not a whole number from 1 to 1000000000000
      at requests (wrong_values.yml:7:11)
    hint: write it like `200`

    error: `none` is not a whole number from 1 to 1000000000000
      at max_errors (wrong_values.yml:8:13)
    hint: write it like `200`

    error: `lots` is not a whole number from 1 to 50000
      at users (wrong_values.yml:3:8)
    hint: write it like `200`

    error: `5 parsecs` is not a duration
      at run_time (wrong_values.yml:4:11)
    hint: write it like `250ms`, `10s`, `1m30s` or `2h`

    error: `-1s` is not a duration
      at ramp (wrong_values.yml:5:7)
    hint: write it like `250ms`, `10s`, `1m30s` or `2h`

    error: `3s..1s` is not a think time
      at think (wrong_values.yml:6:8)
    hint: write it like `1s..3s` or `500ms`

    error: `a b` is no name of a variable
      at variables.a b (wrong_values.yml:11:10)
    hint: letters, digits, `_` and `-`, beginning with a letter

    error: `${NOT_SET_ANYWHERE}` is not set
      at variables.password (wrong_values.yml:12:13)
    hint: set it in the environment, or give a default: `${NAME:-value}`

    error: the variable `target` always holds the target's URL
      at variables.target (wrong_values.yml:10:11)
    hint: name the target with `--target` or `target:`, or choose another name

    error: cannot read `none.csv`: there is no such file or folder
      at data[0].file (wrong_values.yml:14:12)
    hint: it is sought at `none.csv`: paths are relative to the plan's folder

    error: unknown order `shuffled`
      at data[1].order (wrong_values.yml:15:32)
    hint: orders: circular, random, sequential, unique

    error: `0` is not a whole number from 1 to 1000
      at journeys[0].weight (wrong_values.yml:17:26)
    hint: write it like `200`

    error: a journey without files
      at journeys[1].files
    hint: name at least one `.hurl` file

    error: unknown indicator `p96`
      at targets[0] (wrong_values.yml:20:5)
      20 |   - p96 < 2s
         |     ^^^
    hint: did you mean `p95`? indicators: p50, p90, p95, p99, max, errors, throughput, recovery
    ");
}

#[test]
fn wrong_targets_get_a_caret_and_the_names_there_are() {
    insta::assert_snapshot!(bad("wrong_targets"), @r#"
    error: the group `api` has no requests
      at targets[0] (wrong_targets.yml:7:5)
      7 |   - api p95 < 2s
        |     ^^^
    hint: no request's name or `METHOD /path` fits `*/api/*`

    error: nothing is called `hme`
      at targets[1] (wrong_targets.yml:8:5)
      8 |   - hme p95 < 2s
        |     ^^^
    hint: did you mean `home`? known names: GET /, GET /health, home, pages, api

    error: the group `pages` has no requests
      at targets[2] (wrong_targets.yml:9:5)
      9 |   - pages p95 < 2s
        |     ^^^^^
    hint: no request's name or `METHOD /path` fits `GET /*.html`

    error: `300` is not a limit for `p99`
      at targets[3] (wrong_targets.yml:10:5)
      10 |   - "home p99 < 300"
         |                 ^^^
    hint: write it like `300ms` or `2s`

    error: no comparison in the target
      at targets[4] (wrong_targets.yml:11:5)
      11 |   - errors under 1%
         |     ^^^^^^^^^^^^^^^
    hint: write it like `p95 < 2s`, `errors < 1%` or `throughput > 150/s`

    error: `fast` is not a limit for `throughput`
      at targets[5] (wrong_targets.yml:12:5)
      12 |   - throughput > fast
         |                  ^^^^
    hint: write it like `150/s`
    "#);
}

#[test]
fn wrong_times_after_which_a_miss_ends_the_run_are_named() {
    insta::assert_snapshot!(bad("wrong_aborts"), @r"
    error: `0s` is no time after which a missed target ends the run
      at abort_after (wrong_aborts.yml:6:14)
    hint: from a second to a week, or `never`

    error: `soon` is not a duration
      at targets[0].abort_after (wrong_aborts.yml:3:40)
    hint: write it like `250ms`, `10s`, `1m30s` or `2h`

    error: `10ms` is no time after which a missed target ends the run
      at targets[2].abort_after (wrong_aborts.yml:5:37)
    hint: from a second to a week, or `never`

    error: no comparison in the target
      at targets[1].target (wrong_aborts.yml:4:14)
      4 |   - {target: p95 under 2s, abort_after: 5s}
        |              ^^^^^^^^^^^^
    hint: write it like `p95 < 2s`, `errors < 1%` or `throughput > 150/s`
    ");
    insta::assert_snapshot!(bad("wrong_abort_key"), @r"
    error: unknown key `after`
      at wrong_abort_key.yml:4:27
      4 |   - {target: errors < 5%, after: 10s}
        |                           ^^^^^
    hint: known keys: target, abort_after
    ");
}

#[test]
fn the_flag_is_for_all_targets_that_do_not_say_themselves_after_how_long_a_miss_ends_the_run() {
    let after = |flag: Option<&str>| {
        let flags = Flags { abort_after: flag.map(str::to_owned), require: vec!["p50 < 1s".into()], ..flags(true) };
        let plan = build(&flags, &none).expect("a plan");
        let seconds = |target: &Setting<Target>| target.value.abort_after.map(|after| after.as_secs());
        plan.targets.iter().skip(5).map(seconds).collect::<Vec<_>>()
    };
    assert_eq!(after(None), [Some(20), Some(5), None, Some(20)]);
    assert_eq!(after(Some("1m")), [Some(60), Some(5), None, Some(60)]);
    assert_eq!(after(Some("never")), [None, Some(5), None, None]);
}

#[test]
fn files_and_rows_that_are_missing_are_named() {
    insta::assert_snapshot!(bad("too_few_rows"), @r"
    error: `../rows.csv` has 2 rows for 3 users, each of whom wants its own
      at data[0].file (too_few_rows.yml:4:15)
    hint: add rows, ask for fewer users, or use the order `circular`

    error: `../rows.csv` and `../rows.csv` both have a column `email`
      at data[1].file (too_few_rows.yml:4:51)
    hint: rename one of them

    error: `../rows.csv` and `../rows.csv` both have a column `user_password`
      at data[1].file (too_few_rows.yml:4:51)
    hint: rename one of them
    ");
    insta::assert_snapshot!(bad("missing_journey"), @r"
    error: cannot read `nowhere.hurl`: there is no such file or folder
      at journeys[0].files[1] (missing_journey.yml:3:27)
    hint: name an existing `.hurl` file; paths are relative to the plan's folder
    ");
}

#[test]
fn a_setup_that_is_not_there_or_moves_the_target_is_refused() {
    insta::assert_snapshot!(bad("wrong_setup"), @r"
    error: cannot read `nowhere.hurl`: there is no such file or folder
      at setup[1] (wrong_setup.yml:2:23)
    hint: name an existing `.hurl` file; paths are relative to the plan's folder

    error: a teardown without files
      at teardown
    hint: name at least one `.hurl` file
    ");
    insta::assert_snapshot!(bad("moved_target"), @r#"
    error: the variable `target` always holds the target's URL
      at moved_target.hurl:4:1
      4 | target: header "Location"
        | ^^^^^^
    hint: capture it by another name
    "#);
}

#[test]
fn stages_that_make_no_sense_are_all_named() {
    insta::assert_snapshot!(bad("wrong_stages"));
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    insta::assert_snapshot!(bad("beside_stages"));
    insta::assert_snapshot!(bad("thinking_arrivals"));
    insta::assert_snapshot!(bad("mixed_stages"));
    insta::assert_snapshot!(bad("unjudged_stages"));
    insta::assert_snapshot!(bad("counted_search"));
}

#[test]
fn without_a_target_all_three_places_are_named() {
    insta::assert_snapshot!(bad("no_target"), @r"
    error: no target
    hint: name it with `--target URL`, `target:` in `loadtest.yml`, or `LOADTEST_TARGET` in the environment
    ");
}

#[test]
fn a_plan_that_is_not_there_is_named() {
    let flags = Flags { plan: Some("nowhere/loadtest.yml".into()), ..Flags::default() };
    insta::assert_snapshot!(build(&flags, &none).expect_err("no such file"), @r"
    error: cannot read the plan `nowhere/loadtest.yml`: there is no such file or folder
      at --plan
    hint: name an existing file with `--plan`; without the flag, `./loadtest.yml` is read where it exists
    ");
}

#[test]
fn every_bad_plan_is_tested() {
    let source = concat!(include_str!("tests.rs"), include_str!("steps_tests.rs"));
    for entry in std::fs::read_dir(folder().join("bad")).expect("the folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "yml") {
            continue;
        }
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        assert!(source.contains(&format!("bad(\"{name}\")")), "{name} has no test");
    }
}

#[test]
fn the_hash_follows_setup_and_teardown() {
    let folder = tempfile::tempdir().expect("a folder");
    let hash = |plan: &str, setup: &str| {
        std::fs::write(folder.path().join("go.hurl"), "GET {{target}}/\n").expect("written");
        std::fs::write(folder.path().join("once.hurl"), setup).expect("written");
        let path = folder.path().join("plan.yml");
        std::fs::write(&path, format!("target: http://127.0.0.1\njourneys: [{{files: go.hurl}}]\n{plan}"))
            .expect("written");
        build(&Flags { plan: Some(path), ..Flags::default() }, &none).expect("a plan").hash
    };
    let plans = [("", "a"), ("setup: once.hurl", "a"), ("setup: once.hurl", "b"), ("teardown: once.hurl", "a")];
    let hashes = plans.map(|(plan, path)| hash(plan, &format!("GET {{{{target}}}}/{path}\n")));
    assert_eq!(hashes.iter().collect::<std::collections::BTreeSet<_>>().len(), hashes.len());
}

#[test]
fn every_key_of_the_reference_is_in_the_good_plan() {
    let text = std::fs::read_to_string(folder().join("good.yml")).expect("the plan");
    let stages = std::fs::read_to_string(folder().join("stages.yml")).expect("the plan");
    for (key, ..) in KEYS {
        let has = |text: &str| text.lines().any(|line| line.trim_start_matches("# ").starts_with(&format!("{key}:")));
        assert!(has(&text) || has(&stages), "{key}");
    }
    for (key, ..) in VALIDATION_KEYS {
        assert!(text.lines().any(|line| line.starts_with(&format!("  {key}:"))), "validate.{key}");
    }
}

#[test]
fn a_dry_run_tells_every_stage() {
    let flags = Flags { plan: Some(folder().join("stages.yml")), ..Flags::default() };
    let plan = build(&flags, &none).expect("a good plan");
    insta::assert_snapshot!(without_paths(&explain(&plan)));
    let first = |profile: &str, rate: Option<&str>| {
        let (profile, rate) = (Some(profile.to_owned()), rate.map(str::to_owned));
        let flags = Flags { target: Some("http://127.0.0.1:8000/".into()), profile, rate, ..Flags::default() };
        let said = explain(&build(&flags, &none).expect("a plan"));
        said.split("\nvariables").next().unwrap_or_default().to_owned()
    };
    let all = PROFILES.iter().map(|profile| first(profile.name, None)).collect::<String>();
    insta::assert_snapshot!(all);
    insta::assert_snapshot!(first("stress", Some("300/s")));
}

#[test]
fn the_hash_follows_rates_stages_and_arrivals() {
    let base = Flags { target: Some("http://127.0.0.1:8000".into()), rate: Some("10/s".into()), ..Flags::default() };
    let hash = |flags: &Flags| build(flags, &none).expect("a plan").hash;
    let others = [
        Flags { rate: Some("11/s".into()), ..base.clone() },
        Flags { arrivals: Some("poisson".into()), ..base.clone() },
        Flags { users: Some("7".into()), ..base.clone() },
        Flags { profile: Some("spike".into()), ..base.clone() },
        Flags { rate: None, users: Some("10".into()), ..base.clone() },
    ];
    let hashes: std::collections::BTreeSet<String> = others.iter().chain([&base]).map(hash).collect();
    assert_eq!(hashes.len(), others.len() + 1);
}

fn flags(plan: bool) -> Flags {
    Flags { plan: plan.then(|| folder().join("good.yml")), ..Flags::default() }
}

#[test]
fn a_dry_run_says_what_will_be_done_and_where_each_value_came_from() {
    let flags = Flags {
        users: Some("1".to_owned()),
        variable: vec!["api_key=canary-7f3a".to_owned()],
        require: vec!["throughput > 1/s".to_owned()],
        ..flags(true)
    };
    let plan = build(&flags, &none).expect("a good plan");
    let said = without_paths(&explain(&plan));
    assert!(!said.contains(CANARY), "{said}");
    assert!(!format!("{plan:?}").contains(&format!("api_key={CANARY}")));
    insta::assert_snapshot!(said, @r"
    plan
      target     http://127.0.0.1:8000/  good.yml:2
      users      1                       --users
      ramp       5s                      good.yml:5
      run time   30s                     good.yml:4
      think      100ms..300ms            good.yml:6
      requests   at most 1000            good.yml:7
      ends when  500 have failed         good.yml:8
      http2      no, HTTP/1.1            good.yml:50

    stages
      ramp  0 to 1 user in 5s                measured apart, not judged
      load  1 user for 30s or 1000 requests  judged

    variables
      api_key    ***                    --variable
      page_size  20                     good.yml:12
      password   ***                    good.yml:11
      target     http://127.0.0.1:8000  good.yml:2
      tenant     acme                   good.yml:10

    headers
      Authorization    ***               good.yml:15
      X-Forwarded-For  {{user_address}}  good.yml:14

    data
      rows.csv  2 rows, unique  email, user_password

    setup, once before the load  good.yml:21
        GET /
        GET /health

    journeys
      home  75 % of the users, think 100ms..300ms  good.yml:19
        GET /
        GET /health
      twice  25 % of the users, think 1s  good.yml:20
        GET /
        GET /health
        GET /
        GET /health

    teardown, once after the load  good.yml:22
        GET /
        GET /health

    groups
      pages  GET /, GET /health  over 2 requests

    sidecars, asked from 6s before the load on
      backend  http://127.0.0.1:9797/metrics  good.yml:26
      db       http://127.0.0.1:9798/metrics  good.yml:27

    targets
      pages p95 < 2s             over 2 requests, ends the run when missed for 20s  good.yml:30
      'GET /health' p99 < 300ms  over 1 request, ends the run when missed for 20s   good.yml:31
      errors < 1%                over 2 requests, ends the run when missed for 20s  good.yml:32
      backend.cpu < 70%          over 1 sidecar, ends the run when missed for 20s   good.yml:33
      memory < 80% over 10s      over 2 sidecars, ends the run when missed for 20s  good.yml:34
      home p95 < 500ms over 10s  over 2 requests, ends the run when missed for 20s  good.yml:35
      pages errors < 5%          over 2 requests, ends the run when missed for 5s   good.yml:36
      max < 9s                   over 2 requests                                    good.yml:37
      throughput > 1/s           over 2 requests, ends the run when missed for 20s  --require
    ");
}

#[test]
fn a_flag_wins_over_the_plan_and_the_plan_over_the_environment() {
    let environment = |name: &str| (name == "LOADTEST_TARGET").then(|| "http://environment:1".to_owned());
    let target = |flags: &Flags| build(flags, &environment).expect("a plan").target.value.to_string();
    assert_eq!(target(&Flags { target: Some("http://flag:1".into()), ..flags(true) }), "http://flag:1/");
    assert_eq!(target(&flags(true)), "http://127.0.0.1:8000/");
    assert_eq!(target(&flags(false)), "http://environment:1/");
}

#[test]
fn without_a_plan_the_honest_default_is_told() {
    let flags = Flags { target: Some("http://127.0.0.1:8000".into()), ..flags(false) };
    insta::assert_snapshot!(explain(&build(&flags, &none).expect("a plan")), @r"
    plan
      target    http://127.0.0.1:8000/  --target
      users     10                      default
      ramp      15s                     default
      run time  1m                      default
      think     1s..3s                  default

    stages
      ramp  0 to 10 users in 15s  measured apart, not judged
      load  10 users for 1m       judged

    variables
      target  http://127.0.0.1:8000  --target

    journeys
      default  100 % of the users, think 1s..3s  default, for the plan names none
        GET /
        GET /health

    targets
      p95 < 2s     over 2 requests  default
      errors < 5%  over 2 requests  default
    ");
}

#[test]
fn one_url_is_one_request() {
    let flags = Flags { target: Some("http://127.0.0.1:8000/page/".into()), ..flags(false) };
    let plan = build(&flags, &none).expect("a plan");
    assert_eq!(plan.names.requests.len(), 1);
}

#[test]
fn the_hash_follows_the_load_and_not_the_target() {
    let hash = |flags: &Flags| build(flags, &none).expect("a plan").hash;
    let base = hash(&flags(true));
    assert_eq!(base.len(), 64);
    assert_eq!(base, hash(&Flags { target: Some("http://other:1".into()), ..flags(true) }));
    assert_ne!(base, hash(&Flags { users: Some("1".into()), ..flags(true) }));
    assert_ne!(base, hash(&Flags { think: Some("9s".into()), ..flags(true) }));
}

#[test]
fn wrong_flags_are_named_as_flags() {
    let flags = Flags {
        target: Some("http://127.0.0.1:1".into()),
        users: Some("0".into()),
        run_time: Some("0s".into()),
        think: Some("a".into()),
        variable: vec!["novalue".into(), "target=x".into()],
        require: vec!["p95 < soon".into()],
        ..Flags::default()
    };
    insta::assert_snapshot!(build(&flags, &none).expect_err("wrong flags"), @r"
    error: `0` is not a whole number from 1 to 50000
      at --users
    hint: write it like `200`

    error: a run of no time
      at --run-time
    hint: write it like `60s`

    error: `a` is not a think time
      at --think
    hint: write it like `1s..3s` or `500ms`

    error: a variable without a value
      at --variable
    hint: write it like `--variable NAME=VALUE`

    error: the variable `target` always holds the target's URL
      at --variable
    hint: name the target with `--target` or `target:`, or choose another name

    error: `soon` is not a limit for `p95`
      at --require
       | p95 < soon
       |       ^^^^
    hint: write it like `300ms` or `2s`
    ");
}
