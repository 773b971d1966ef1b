//! What comes out of JSON, and each bad file with its message, in which no value stands.

use super::super::{Feed, Order};
use super::*;
use proptest::prelude::*;
use std::path::Path;

const CANARY: &str = "hunter2";

fn feed(name: &str, bytes: &[u8]) -> Result<Feed, Problem> {
    Feed::parse(bytes, Path::new(name), Order::Sequential)
}

fn row(feed: &Feed, index: usize) -> Vec<(String, Value)> {
    feed.variables(0, index, 0.0).collect()
}

fn shown_row(feed: &Feed, index: usize) -> String {
    row(feed, index).iter().map(|(name, value)| format!("{name}: {}\n", value.describe())).collect()
}

#[test]
fn scalars_keep_their_types_and_nested_values_become_their_json() {
    let text = r#"[
      {"user": "5", "age": 41, "paid": true, "note": null, "cart": {"b": [1.0, 1e3, "a \" b"], "a": {}, "e": [ ]}, "tags": ["x", {"y": 1, "y": 2}]},
      {"tags": [], "note": "", "user": "é\u00e9", "age": -7, "paid": false, "cart": 0}
    ]"#;
    let feed = feed("a.json", format!("\u{feff}{text}").as_bytes()).expect("rows");
    insta::assert_snapshot!(shown_row(&feed, 0), @r#"
    age: integer `41`
    cart: string `{"b":[1.0,1e3,"a \" b"],"a":{},"e":[]}`
    note: null
    paid: boolean `true`
    tags: string `["x",{"y":1,"y":2}]`
    user: string `5`
    "#);
    insta::assert_snapshot!(shown_row(&feed, 1), @r"
    age: integer `-7`
    cart: integer `0`
    note: string ``
    paid: boolean `false`
    tags: string `[]`
    user: string `éé`
    ");
}

#[test]
fn an_object_a_line_is_the_same_as_an_array_of_them() {
    let lines = feed("a.jsonl", b"{\"b\": \"x\", \"a\": 1}\r\n\r\n  \n{\"a\": 2, \"b\": \"y\"}").expect("rows");
    let array = feed("a.json", b"[{\"a\": 1, \"b\": \"x\"},\n{\"b\": \"y\", \"a\": 2}]\n").expect("rows");
    assert_eq!(lines.rows.len(), 2);
    // Whatever their order in the first object: a fingerprint must not follow it.
    assert_eq!(lines.columns, array.columns);
    assert_eq!((row(&lines, 0), row(&lines, 1)), (row(&array, 0), row(&array, 1)));
}

#[test]
fn numbers_are_written_as_the_file_writes_them() {
    for text in
        ["0", "-0", "1.0", "1.50", "1e3", "1E+3", "0.1", "123456789012345678901", "-9223372036854775809", "1e400"]
    {
        let feed = feed("a.json", format!("[{{\"n\": {text}}}]").as_bytes()).expect("a row");
        let value = row(&feed, 0).remove(0).1;
        assert_eq!(value.render().as_deref(), Some(text));
        assert_eq!(value.kind(), if text.contains(['.', 'e', 'E']) { "float" } else { "integer" }, "{text}");
    }
}

#[test]
fn what_is_secret_is_known_however_deep_it_lies() {
    let text = br#"[{
        "pin": 1, "api_key": 4711.0, "active_token": true, "old_token": null, "password": "hun\"ter2",
        "user": {"name": "bob", "password": "a \"b\"", "more": [{"secret": [815, "deep", false]}]},
        "tokens": {"first": "t1"}
    }]"#;
    let feed = feed("a.json", text).expect("a row");
    let mut secrets: Vec<String> = feed.secrets().collect();
    secrets.sort();
    assert_eq!(
        secrets,
        ["4711.0", "815", "a \"b\"", "a \\\"b\\\"", "deep", "deep", "hun\"ter2", "t1", "t1", "{\"first\":\"t1\"}"]
    );
}

/// What is said of a file; never a value of it.
fn said(name: &str, bytes: &[u8]) -> String {
    let said = feed(name, bytes).expect_err("a bad file").to_string();
    assert!(!said.contains(CANARY), "{said}");
    said
}

fn all(name: &str, texts: &[&str]) -> String {
    texts.iter().map(|text| said(name, text.as_bytes()) + "\n").collect()
}

#[test]
fn each_broken_array_has_its_message() {
    insta::assert_snapshot!(all("a.json", &["", " \n", "[]", "{\"a\": 1}", "\n\"hunter2\"", "null", "hunter2"]), @r#"
    error: `a.json` is empty
    hint: it holds one array of objects, `[{"email": "ann@example.org"}, …]`; an object a line is for a file `.jsonl`
    error: `a.json` is empty
    hint: it holds one array of objects, `[{"email": "ann@example.org"}, …]`; an object a line is for a file `.jsonl`
    error: `a.json` has no rows
    hint: add at least one object
    error: `a.json` is an object, not an array of objects
      at a.json:1
    hint: it holds one array of objects, `[{"email": "ann@example.org"}, …]`; an object a line is for a file `.jsonl`
    error: `a.json` is a text, not an array of objects
      at a.json:2
    hint: it holds one array of objects, `[{"email": "ann@example.org"}, …]`; an object a line is for a file `.jsonl`
    error: `a.json` is null, not an array of objects
      at a.json:1
    hint: it holds one array of objects, `[{"email": "ann@example.org"}, …]`; an object a line is for a file `.jsonl`
    error: this is no JSON from here on
      at a.json:1:1
    hint: keys and texts stand in double quotes, a comma between two items and none behind the last; there are no comments
    "#);
    insta::assert_snapshot!(all("a.json", &["[1, 2]", "[{\"a\": 1},\n\"hunter2\"]", "[[\"hunter2\"]]"]), @r#"
    error: row 1 is a number, not an object
      at a.json:1
    hint: it holds one array of objects, `[{"email": "ann@example.org"}, …]`; an object a line is for a file `.jsonl`
    error: row 2 is a text, not an object
      at a.json:2
    hint: it holds one array of objects, `[{"email": "ann@example.org"}, …]`; an object a line is for a file `.jsonl`
    error: row 1 is an array, not an object
      at a.json:1
    hint: it holds one array of objects, `[{"email": "ann@example.org"}, …]`; an object a line is for a file `.jsonl`
    "#);
    insta::assert_snapshot!(all("a.json", &["[{\"a\": \"hunter2\"}", "[{\"a\": \"hunter2", "[\n {\"a\": 'hunter2'}]", "[{\"é\": \"hunter2\",}]", "[{\"a\": 1},]", "[{\"a\": 1}] {\"a\": 1}", "[{\"a\": NaN}]", "[{\"a\": \"hunter2\n\"}]"]), @r#"
    error: the JSON ends too early here
      at a.json:1:18
    hint: it holds one array of objects, `[{"email": "ann@example.org"}, …]`; an object a line is for a file `.jsonl`
    error: the JSON ends too early here
      at a.json:1:16
    hint: it holds one array of objects, `[{"email": "ann@example.org"}, …]`; an object a line is for a file `.jsonl`
    error: this is no JSON from here on
      at a.json:2:8
    hint: keys and texts stand in double quotes, a comma between two items and none behind the last; there are no comments
    error: this is no JSON from here on
      at a.json:1:18
    hint: keys and texts stand in double quotes, a comma between two items and none behind the last; there are no comments
    error: this is no JSON from here on
      at a.json:1:11
    hint: keys and texts stand in double quotes, a comma between two items and none behind the last; there are no comments
    error: this is no JSON from here on
      at a.json:1:12
    hint: keys and texts stand in double quotes, a comma between two items and none behind the last; there are no comments
    error: this is no JSON from here on
      at a.json:1:8
    hint: keys and texts stand in double quotes, a comma between two items and none behind the last; there are no comments
    error: this is no JSON from here on
      at a.json:1:16
    hint: keys and texts stand in double quotes, a comma between two items and none behind the last; there are no comments
    "#);
    let deep = format!("[{{\"a\": {}}}]", "[".repeat(126));
    insta::assert_snapshot!(all("a.json", &[&deep]), @"
    error: arrays and objects lie too deep in one another here
      at a.json:1:134
    hint: at most 127 levels
    ");
}

#[test]
fn each_broken_line_has_its_message() {
    let broken = format!("{}{{\"a\": hunter2}}\n", "{\"a\": 1}\n".repeat(6));
    insta::assert_snapshot!(all("a.jsonl", &["", "\n", &broken, "{\"a\": 1}\n{\"a\":\n1}", "{\"a\": 1} {\"a\": 2}", "\n[{\"a\": 1}]", "{\"a\": 1},\n{\"a\": 1}", "{\"a\": 1}\n7"]), @r#"
    error: `a.jsonl` is empty
    hint: each line is one object, `{"email": "ann@example.org"}`; an array of objects is for a file `.json`
    error: `a.jsonl` is empty
    hint: each line is one object, `{"email": "ann@example.org"}`; an array of objects is for a file `.json`
    error: this is no JSON from here on
      at a.jsonl:7:7
    hint: keys and texts stand in double quotes, a comma between two items and none behind the last; there are no comments
    error: the JSON ends too early here
      at a.jsonl:2:6
    hint: each line is one object, `{"email": "ann@example.org"}`; an array of objects is for a file `.json`
    error: this is no JSON from here on
      at a.jsonl:1:10
    hint: keys and texts stand in double quotes, a comma between two items and none behind the last; there are no comments
    error: row 1 is an array, not an object
      at a.jsonl:2
    hint: each line is one object, `{"email": "ann@example.org"}`; an array of objects is for a file `.json`
    error: this is no JSON from here on
      at a.jsonl:1:9
    hint: keys and texts stand in double quotes, a comma between two items and none behind the last; there are no comments
    error: row 2 is a number, not an object
      at a.jsonl:2
    hint: each line is one object, `{"email": "ann@example.org"}`; an array of objects is for a file `.json`
    "#);
}

#[test]
fn every_row_has_the_keys_of_the_first() {
    insta::assert_snapshot!(all("a.json", &[
        "[{\"a\": 1},\n{\"a\": 2, \"b\": \"hunter2\"}]",
        "[{\"a\": 1, \"b\": 2},\n{\"a\": 2, \"b\": 3},\n{\"b\": \"hunter2\"}]",
        "[{\"a\": 1}, {}]",
        "[{}]",
    ]), @"
    error: row 2 has a key `b`, which the first row has not
      at a.json:2
    hint: give every object the same keys
    error: row 3 lacks the key `a`, which the first row has
      at a.json:3
    hint: give every object the same keys
    error: row 2 lacks the key `a`, which the first row has
      at a.json:1
    hint: give every object the same keys
    error: row 1 has no keys
      at a.json:1
    hint: each key becomes a variable: add at least one
    ");
}

#[test]
fn keys_are_names_of_variables_and_stand_once() {
    insta::assert_snapshot!(all("a.json", &[
        "[{\"user.name\": \"hunter2\"}]",
        "[{\"\": 1}]",
        "[{\"a\\u001b[31m\": 1}]",
        "[{\"target\": \"hunter2\"}]",
        "[{\"a\": 1}, {\"a\": 1, \"a\": \"hunter2\"}]",
    ]), @r"
    error: row 1 has a key `user.name`, which is no name of a variable
      at a.json:1
    hint: name each key with letters, digits, `_` or `-`, beginning with a letter
    error: row 1 has a key ``, which is no name of a variable
      at a.json:1
    hint: name each key with letters, digits, `_` or `-`, beginning with a letter
    error: row 1 has a key `a\u{1b}[31m`, which is no name of a variable
      at a.json:1
    hint: name each key with letters, digits, `_` or `-`, beginning with a letter
    error: row 1 has a key `target`, which would hide the target's URL
      at a.json:1
    hint: choose another name
    error: row 2 has the key `a` twice
      at a.json:1
    hint: keep one of them
    ");
    let long = said("a.json", format!("[{{\"{} \": 1}}]", "k".repeat(1000)).as_bytes());
    assert!(long.len() < 250, "{long}");
}

#[test]
fn what_is_not_utf_8_is_told_with_its_line() {
    insta::assert_snapshot!(said("a.json", b"[{\"a\":\n\"\xff\"}]"), @"
    error: `a.json` is not UTF-8
      at a.json:2
    hint: save it as UTF-8
    ");
    insta::assert_snapshot!(said("a.jsonl", b"\xff\xfe[\0"), @"
    error: `a.jsonl` is not UTF-8
      at a.jsonl:1
    hint: save it as UTF-8
    ");
}

fn scalar() -> impl Strategy<Value = serde_json::Value> {
    prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        ".{0,12}".prop_map(Into::into),
        proptest::collection::vec("[a-z\"\\\\ {\\[]{0,4}", 0..3).prop_map(Into::into),
    ]
}

proptest! {
    #[test]
    fn whatever_is_written_comes_out_as_it_went_in(rows in proptest::collection::vec([scalar(), scalar()], 1..6)) {
        let objects: Vec<_> = rows.iter().map(|[a, b]| serde_json::json!({"a": a, "b": b})).collect();
        let array = serde_json::to_string_pretty(&objects).expect("JSON");
        let lines: String = objects.iter().map(|object| format!("{object}\n")).collect();
        for feed in [feed("a.json", array.as_bytes()), feed("a.ndjson", lines.as_bytes())] {
            let feed = feed.expect("rows");
            prop_assert_eq!(feed.rows.len(), rows.len());
            for (index, cells) in rows.iter().enumerate() {
                for ((_, value), cell) in row(&feed, index).iter().zip(cells) {
                    let text = cell.as_str().map_or_else(|| cell.to_string(), str::to_owned);
                    prop_assert_eq!(value.render().map(std::borrow::Cow::into_owned), Some(text));
                }
            }
        }
    }

    #[test]
    fn a_damaged_file_shows_no_value(cut in 0..100_usize, length in 0..40_usize, more in "[\\[\\]{}\",:\\\\0a\n]{0,2}") {
        let whole = "[{\"a\": \"hunter2\", \"b\": [\"hunter2\"]},\n{\"a\": \"hunter2\", \"b\": {\"c\": \"hunter2\"}}]";
        let (before, after) = (whole.get(..cut).unwrap_or(whole), whole.get(cut + length..).unwrap_or(""));
        let damaged = format!("{before}{more}{after}");
        for name in ["a.json", "a.jsonl"] {
            if let Err(problem) = feed(name, damaged.as_bytes()) {
                prop_assert!(!problem.to_string().contains(CANARY), "{damaged}\n{problem}");
            }
        }
    }
}
