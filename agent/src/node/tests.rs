//! Reading types out of nodes: what is accepted, and what each mistake says.

use super::*;
use crate::secret::Secret;
use crate::units::Span;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Fast,
    Careful,
    Custom(u8),
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Inner {
    user: String,
    password: Option<Secret>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Outer {
    name: String,
    #[serde(default)]
    port: Option<u16>,
    #[serde(default)]
    share: f64,
    #[serde(default)]
    wait: Option<Span>,
    #[serde(default)]
    mode: Option<Mode>,
    #[serde(default)]
    on: bool,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    login: Inner,
}

fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    let place = |line| Place { line, column: 3 };
    let entry = |(line, (name, value)): (usize, (&str, Value))| {
        (Key { name: name.to_owned(), at: place(line + 1) }, Node { value, at: Place { line: line + 1, column: 9 } })
    };
    Value::Map(entries.into_iter().enumerate().map(entry).collect())
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn read(value: Value) -> (Option<Outer>, String) {
    let mut problems = Problems::default();
    let read = Node::new(value).read("checks[2]", &mut problems);
    let line = |p: &Problem| {
        let hint = p.hint.as_ref().map_or(String::new(), |hint| format!(" | {hint}"));
        format!("{}:{} {}: {}{hint}\n", p.at.line, p.at.column, p.path, p.message)
    };
    (read, problems.0.iter().map(line).collect())
}

#[test]
fn reads_what_the_environment_can_only_give_as_text() {
    let (outer, problems) = read(map([
        ("name", Value::Integer(1234)),
        ("port", text("8080")),
        ("share", text("0.5")),
        ("wait", text("1m30s")),
        ("mode", text("careful")),
        ("on", text("Yes")),
        ("tags", text("one")),
        ("headers", map([("x-id", Value::Integer(7)), ("x-on", Value::Bool(true))])),
        ("login", map([("password", Value::Float(1.5))])),
    ]));
    assert_eq!(problems, "");
    let outer = outer.unwrap();
    assert_eq!((outer.name.as_str(), outer.port, outer.share, outer.on), ("1234", Some(8080), 0.5, true));
    assert_eq!((outer.mode, outer.tags), (Some(Mode::Careful), vec!["one".to_owned()]));
    assert_eq!(outer.headers.get("x-id").map(String::as_str), Some("7"));
    assert_eq!(outer.login.password.unwrap().expose(), "1.5");
}

#[test]
fn an_empty_value_is_as_if_it_were_not_written() {
    let (outer, problems) = read(map([("name", text("a")), ("tags", Value::Null), ("login", Value::Null)]));
    assert_eq!(problems, "");
    assert_eq!(outer.unwrap().tags, Vec::<String>::new());
}

#[test]
fn an_enum_may_carry_a_value() {
    let (outer, _) = read(map([("name", text("a")), ("mode", map([("custom", Value::Integer(7))]))]));
    assert_eq!(outer.unwrap().mode, Some(Mode::Custom(7)));
}

#[test]
fn every_mistake_is_found_in_one_reading() {
    let (outer, problems) = read(map([
        ("naem", text("x")),
        ("port", Value::Integer(70_000)),
        ("share", text("half")),
        ("wait", text("5 parsecs")),
        ("mode", text("carful")),
        ("on", Value::List(Vec::new())),
        ("tags", Value::List(vec![Node::new(map([])), Node::text("ok"), Node::new(Value::Null)])),
        ("headers", text("x: y")),
        ("login", map([("user", map([])), ("passwd", text("hunter2"))])),
    ]));
    assert_eq!(outer, None);
    insta::assert_snapshot!(problems, @r"
    0:0 checks[2].tags[0]: expected text, found a mapping
    0:0 checks[2].tags[2]: expected text, found nothing
    0:0 checks[2].name: `name` is missing
    1:3 checks[2].naem: unknown key `naem` | did you mean `name`? known keys: name, port, share, wait, mode, on, tags, headers, login
    1:9 checks[2].login.user: expected text, found a mapping
    2:3 checks[2].login.passwd: unknown key `passwd` | did you mean `password`? known keys: user, password
    2:9 checks[2].port: expected a whole number from 0 to 65535, found the number 70000
    3:9 checks[2].share: expected a number, found text
    4:9 checks[2].wait: `5 parsecs` is not a duration, write it like `250ms`, `10s`, `1m30s` or `26h`
    5:9 checks[2].mode: unknown value `carful` | did you mean `careful`? known values: fast, careful, custom
    6:9 checks[2].on: expected `true` or `false`, found a list
    8:9 checks[2].headers: expected a mapping, found text
    ");
}

#[test]
fn a_missing_key_is_named_at_its_mapping() {
    insta::assert_snapshot!(read(map([("port", Value::Integer(1))])).1, @"0:0 checks[2].name: `name` is missing");
    insta::assert_snapshot!(read(Value::Integer(3)).1, @"0:0 checks[2]: expected a mapping with the keys name, port, share, wait, mode, on, tags, headers, login, found the number 3");
}

#[test]
fn a_key_that_failed_is_not_called_missing() {
    insta::assert_snapshot!(read(map([("name", Value::List(Vec::new()))])).1, @"1:9 checks[2].name: expected text, found a list");
}

#[test]
fn unknown_keys_do_not_keep_the_rest_from_being_read() {
    let (outer, problems) = read(map([("name", text("a")), ("prot", Value::Integer(1))]));
    assert_eq!(outer.unwrap().name, "a");
    insta::assert_snapshot!(problems, @"2:3 checks[2].prot: unknown key `prot` | did you mean `port`? known keys: name, port, share, wait, mode, on, tags, headers, login");
}

#[test]
fn no_message_repeats_a_text_in_the_wrong_place() {
    let (_, problems) = read(map([
        ("name", text("a")),
        ("port", text("hunter2")),
        ("on", text("hunter2")),
        ("headers", text("hunter2")),
        ("login", text("hunter2")),
    ]));
    assert!(!problems.contains("hunter2"), "{problems}");
    assert_eq!(problems.lines().count(), 4);
}

#[test]
fn fields_are_those_that_serde_reads() {
    assert_eq!(fields::<Inner>(), ["user", "password"]);
    assert_eq!(fields::<String>(), [""; 0]);
}
