//! Rounds as people and programs read them, from answers made by hand.

use super::*;
use std::time::Duration;

fn page(body: &str) -> Answer {
    let status = if body.contains("\"unhealthy\"") { 503 } else { 200 };
    Answer::of(Ok(Fetched { status, body: body.as_bytes().to_vec() }))
}

fn row(name: &str, answer: Answer) -> Row {
    Row { address: address::parse(name).unwrap(), took: Duration::from_micros(1234), answer }
}

/// 2026-11-21 06:20:00.
fn at() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_242_000)
}

const WELL: &str = r#"{"status":"healthy","services":{"api":{"healthy":true,"state":"up"}},
    "system":{"cpu":{"peer":{"used_ratio":0.123}},"memory":{"peer":{"used_ratio":0.4}}},"process":{"memory_bytes":10485760}}"#;
const ILL: &str = r#"{"status":"unhealthy","services":{"api":{"healthy":false,"state":"down","reason":"timeout","since":"2026-11-20T06:17:04Z"},
    "db":{"healthy":false,"state":"down","reason":"refused","since":"2026-11-21T06:17:04Z"}},
    "causes":[{"cause":"dependency_not_ready","subject":"api","since":"2026-11-20T06:17:04Z","caused_by":"db"},
              {"cause":"wrong_port","subject":"db","since":"2026-11-21T06:17:04Z"}]}"#;

fn round() -> Round {
    let refused = Fault::new(Reason::Refused, "nothing listens on 10.0.0.7:9797").hint("is it started?");
    let rows = vec![row("frontend", page(WELL)), row("backend", page(ILL)), row("cache:9000", Answer::None(refused))];
    Round { rows, at: at() }
}

#[test]
fn the_table_says_what_is_wrong_with_each_in_the_order_given() {
    insta::assert_snapshot!(round().text(Format::Table, Paint::OFF, None), @r"
    SERVICE     STATE      CHECKS  CPU  MEMORY          WHAT IS WRONG (UTC)
    frontend    healthy    1/1     12%  10.0 MiB (40%)
    backend     unhealthy  0/2     -    -               wrong_port at db, since 06:17:04
                                                        dependency_not_ready at api, caused by db, since 2026-11-20 06:17
    cache:9000  refused    -       -    -               nothing listens on 10.0.0.7:9797
                                                        hint: is it started?
    3 sidecars: 1 healthy, 1 unhealthy, 1 refused
    ");
    assert_eq!(round().exit(), Exit::BadNews);
}

#[test]
fn one_that_is_silenced_says_so_even_when_it_is_well() {
    let body = WELL.replacen('{', r#"{"silenced":{"until":"2026-11-21T07:00:00Z","reason":"deployment"},"#, 1);
    let text = Round { rows: vec![row("frontend", page(&body))], at: at() }.text(Format::Table, Paint::OFF, None);
    assert!(text.contains("silenced until 2026-11-21T07:00:00Z: deployment"), "{text}");
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for width in [20, 40, 60, 72, 80, 200] {
        let text = round().text(Format::Table, Paint::OFF, Some(width));
        for line in text.lines() {
            assert!(line.chars().count() <= width, "{width}: {line}");
        }
        assert!(text.contains("wrong_port") || width < 20, "{width}: {text}");
    }
}

#[test]
fn degraded_is_good_enough_and_starting_is_not() {
    let exit = |status: u16, word: &str| {
        let body = format!(r#"{{"status":"{word}","services":{{}}}}"#).into_bytes();
        Round { rows: vec![row("a", Answer::of(Ok(Fetched { status, body })))], at: at() }.exit()
    };
    assert_eq!(exit(200, "healthy"), Exit::Good);
    assert_eq!(exit(200, "degraded"), Exit::Good);
    assert_eq!(exit(503, "starting"), Exit::BadNews);
    assert_eq!(exit(503, "unhealthy"), Exit::BadNews);
    // A page that contradicts itself is not believed.
    assert_eq!(exit(503, "healthy"), Exit::BadNews);
}

#[test]
fn garbage_is_no_agent_and_is_not_repeated() {
    let answer = Answer::of(Ok(Fetched { status: 200, body: b"<html>s3cret</html>".to_vec() }));
    let text = Round { rows: vec![row("a", answer)], at: at() }.text(Format::Json, Paint::OFF, None);
    assert!(text.contains("no agent") && !text.contains("s3cret"), "{text}");
    let answer = Answer::of(Ok(Fetched { status: 401, body: Vec::new() }));
    assert_eq!(state(&answer), "locked");
}

#[test]
fn the_json_has_everything_the_agent_said() {
    let text = round().text(Format::Json, Paint::OFF, None);
    assert_eq!(text.lines().count(), 1);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["at"], "2026-11-21T06:20:00Z");
    assert_eq!(json["good"], false);
    assert_eq!(json["sidecars"][0]["health"]["process"]["memory_bytes"], 10_485_760);
    assert_eq!(json["sidecars"][1]["checks"], serde_json::json!({"up": 0, "all": 2}));
    assert_eq!(json["sidecars"][2]["error"]["reason"], "refused");
    assert_eq!(json["sidecars"][2]["url"], "http://cache:9000/health");
}

#[test]
fn addresses_are_refused_together_and_without_their_passwords() {
    let written = ["db", "ftp://u:s3cret@h", "u:s3cret@h:99999", "db:9797"].map(str::to_owned);
    let wrong = Plan::new(&written, Duration::from_secs(1), None).unwrap_err();
    assert_eq!(wrong.len(), 2, "{wrong:?}");
    assert!(!wrong.concat().contains("s3cret"), "{wrong:?}");
    let plan = Plan::new(&[written[0].clone(), written[3].clone()], Duration::from_secs(1), None).unwrap();
    assert_eq!(plan.sidecars.len(), 1, "one that is written twice is asked once");
}
