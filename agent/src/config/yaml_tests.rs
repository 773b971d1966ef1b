//! What YAML becomes, and what is refused.

use super::*;
use proptest::prelude::*;
use std::fmt::Write as _;

/// A node in one line, with places when asked.
fn show(node: &Node) -> String {
    match &node.value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => format!("{number}f"),
        Value::Text(text) => format!("{text:?}"),
        Value::List(items) => format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(" ")),
        Value::Map(entries) => {
            let shown = entries.iter().map(|(key, node)| format!("{}={}", key.name, show(node)));
            format!("{{{}}}", shown.collect::<Vec<_>>().join(" "))
        }
    }
}

fn shown(text: &str) -> String {
    read(text).map_or_else(|error| told(&error), |node| show(&node))
}

fn told(error: &YamlError) -> String {
    let hint = error.hint.map_or(String::new(), |hint| format!(" | {hint}"));
    format!("{}:{} {}{hint}", error.at.line, error.at.column, error.message)
}

/// As a file of others.
fn shown_of_others(text: &str) -> String {
    documents(text).map_or_else(|error| told(&error), |read| read.documents.iter().map(show).collect())
}

#[test]
fn a_number_is_a_number_only_when_it_prints_as_written() {
    let written =
        "[1, -2, 007, 0x1f, 1.5, 1.50, 1e3, .inf, true, True, yes, null, ~, \"1\", '2', !!str 3, 99999999999999999999]";
    let read = r#"[1 -2 "007" "0x1f" 1.5f "1.50" "1e3" ".inf" true "True" "yes" null null "1" "2" "3" "99999999999999999999"]"#;
    assert_eq!(shown(written), read);
}

#[test]
fn every_node_knows_its_place() {
    let node = read("listen: x\nchecks:\n  - name: db\n    url: tcp://ö\n").unwrap();
    let check = &node.get("checks").unwrap().value;
    let Value::List(items) = check else { panic!("{check:?}") };
    assert_eq!(items[0].at, Place { line: 3, column: 5 });
    assert_eq!(items[0].get("url").unwrap().at, Place { line: 4, column: 10 });
    assert_eq!(items[0].entries()[1].0.at, Place { line: 4, column: 5 });
}

#[test]
fn anchors_aliases_and_merge_keys_work() {
    assert_eq!(shown("a: &x {p: 1, q: 2}\nb: {<<: *x, q: 3}\nc: *x"), "{a={p=1 q=2} b={q=3 p=1} c={p=1 q=2}}");
    assert_eq!(shown("a: &x {p: 1}\nb: &y {p: 2, r: 4}\nc: {<<: [*x, *y]}"), "{a={p=1} b={p=2 r=4} c={p=1 r=4}}");
    assert_eq!(shown("\"<<\": 1"), "{<<=1}");
    assert_eq!(shown("a: {<<: 3}"), "1:5 `<<` takes a mapping or a list of mappings");
}

#[test]
fn an_empty_file_is_an_empty_node() {
    for text in ["", "\n\n", "# only a comment\n", "---\n", "\u{feff}"] {
        assert_eq!(shown(text), "null", "{text:?}");
    }
}

#[test]
fn what_hides_the_meaning_is_refused() {
    let mut all = String::new();
    for text in [
        "a: 1\nb: 2\na: 3\n",
        "a: 1\n---\nb: 2\n",
        "a: !secret x\n",
        "? [a, b]\n: 1\n",
        "a: &x [*x]\n",
        "a: *unknown\n",
        "a: [1, 2\nb: 3\n",
        "a: b: c\n",
        "a:\n\t- b\n",
        "checks:\n  - name: db\n   url: x\n",
        "a: \"open\n",
        "%YAML 9.9\n",
    ] {
        let _ = writeln!(all, "{text:?}\n  {}", shown(text));
    }
    insta::assert_snapshot!(all, @r#"
    "a: 1\nb: 2\na: 3\n"
      3:1 the key `a` stands here a second time, first in line 1 | keep one of them
    "a: 1\n---\nb: 2\n"
      2:1 a second document begins here | a configuration is one document, remove the line `---`
    "a: !secret x\n"
      1:4 tags like `!secret` are not supported
    "? [a, b]\n: 1\n"
      1:3 a key must be plain text
    "a: &x [*x]\n"
      1:8 this alias stands inside the value that it names
    "a: *unknown\n"
      1:4 not valid YAML: while parsing node, found unknown anchor
    "a: [1, 2\nb: 3\n"
      2:2 not valid YAML: illegal placement of ':' indicator
    "a: b: c\n"
      1:5 not valid YAML: mapping values are not allowed in this context | quote a value that contains `: `, and check the indentation above
    "a:\n\t- b\n"
      2:2 not valid YAML: tabs disallowed within this context (block indentation) | indent with spaces, YAML forbids tabs there
    "checks:\n  - name: db\n   url: x\n"
      3:4 not valid YAML: while parsing a block collection, did not find expected '-' indicator
    "a: \"open\n"
      1:4 not valid YAML: while scanning a quoted scalar, found unexpected end of stream
    "%YAML 9.9\n"
      2:1 not valid YAML: did not find expected <document start>
    "#);
}

#[test]
fn brackets_and_quotes_of_others_may_go_on_at_any_column() {
    for (text, wanted) in [
        ("a:\n  b: [\n    \"x\",\n    'y'\n  ]\n  c: 1\n", r#"{a={b=["x" "y"] c=1}}"#),
        ("a:\n  b: [\"x\",\n\"y\"]\n", r#"{a={b=["x" "y"]}}"#),
        ("a:\n  b: [\n  x,\n y\n]\n", r#"{a={b=["x" "y"]}}"#),
        ("a:\n  b: {\n    p: 'x'\n  }\n  c: [\n    'y'\n  ]\n", r#"{a={b={p="x"} c=["y"]}}"#),
        ("a:\n  b: \"x\n  y\n\n z \\\"\n\"\n  c: 1\n", r#"{a={b="x y\nz \" " c=1}}"#),
        ("a:\n  b: ['x\n  it''s', 'y\nz']\n", r#"{a={b=["x it's" "y z"]}}"#),
        ("a:\n  b: [\r\n    'x'\r\n  ]\r\n", r#"{a={b=["x"]}}"#),
    ] {
        assert_eq!(shown_of_others(text), wanted, "{text:?}");
    }
}

#[test]
fn what_is_wrong_in_files_of_others_is_told_at_its_own_place() {
    let bracket = "a:\n  b: [\n    'x'\n  ]\n";
    for (text, wanted) in [
        // Behind what was moved, and in a line that was.
        (format!("{bracket} c: 1\n"), "5:2 not valid YAML: while parsing a block mapping, did not find expected key"),
        ("a:\n  b: ['x'\n  c: 1\n".to_owned(), "3:4 not valid YAML: illegal placement of ':' indicator"),
        ("a:\n  b: ['x'\n  , *no]\n".to_owned(), "3:5 not valid YAML: while parsing node, found unknown anchor"),
        // Never closed: the next quotes end it, and the place of those helps nobody.
        ("a:\n  b: \"x\n  c: \"y\"\n".to_owned(), "2:6 not valid YAML: invalid indentation in quoted scalar"),
        ("a:\n  b: \"x\n  c: y\n".to_owned(), "2:6 not valid YAML: invalid indentation in quoted scalar"),
        (
            "a:\n  b: \"x\n y\n---\nz\"\n".to_owned(),
            "2:6 not valid YAML: while scanning a quoted scalar, found unexpected document indicator",
        ),
    ] {
        assert_eq!(shown_of_others(&text), wanted, "{text:?}");
    }
    let read = documents(&format!("{bracket}c: ['x'\n, y]\n")).unwrap();
    let Value::List(items) = &read.documents[0].get("c").unwrap().value else { panic!("{read:?}") };
    assert_eq!(items[1].at, Place { line: 6, column: 3 });
}

#[test]
fn reading_again_ends() {
    let wide = "x".repeat(limits::YAML_AGAIN_BYTES / 4);
    let bracket = "b: [\n  'x'\n]\n";
    let brackets = |count: usize| format!("# {wide}\n{}", bracket.repeat(count));
    assert!(documents(&brackets(3)).is_ok());
    assert_eq!(shown_of_others(&brackets(4)), "13:1 not valid YAML: invalid indentation");
    // A lone carriage return makes the scanner's lines others than ours.
    assert_eq!(shown_of_others("a: 1\rb:\n  c: [\n    'x'\n  ]\n"), "5:3 not valid YAML: invalid indentation");
}

#[test]
fn nested_aliases_cannot_fill_the_memory() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let item = format!("*a{}, ", level - 1);
        let _ = writeln!(text, "a{level}: &a{level} [{}]", item.repeat(10));
    }
    assert!(shown(&text).contains("too large once its aliases are written out"));
    let long = format!("a: &a {}\nb: [{}]", "x".repeat(1 << 20), "*a, ".repeat(100));
    assert!(shown(&long).contains("too large once its aliases are written out"));
}

#[test]
fn deep_nesting_is_refused_before_the_stack_ends() {
    assert!(shown(&"[".repeat(200)).contains("nested deeper than 32 levels"));
    assert!(shown(&"- ".repeat(5000)).contains("nested deeper than 32 levels"));
    assert!(shown(&"{a: ".repeat(100_000)).contains("recursion limit"), "the scanner reads ahead and gives up itself");
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(?s).{0,200}") {
        let _ = read(&text);
    }

    #[test]
    fn no_arrangement_of_yaml_signs_makes_it_panic(text in r#"[-:?\[\]{}&*!|>'"%@`#, \n\tabx0~<]{0,60}"#) {
        let _ = read(&text);
        let _ = documents(&text);
    }

    #[test]
    fn a_plain_scalar_read_as_text_is_what_was_written(text in "[0-9a-zA-Z.+-]{1,12}") {
        let read = match plain(&text) {
            Value::Null => return Ok(()),
            Value::Bool(value) => value.to_string(),
            Value::Integer(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            Value::Text(text) => text,
            other => format!("{other:?}"),
        };
        prop_assert_eq!(read, text);
    }
}
