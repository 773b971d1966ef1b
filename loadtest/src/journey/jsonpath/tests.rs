//! Cases of `jsonpath`, one line each, and property tests.

use super::*;
use crate::journey::json;
use proptest::prelude::*;

const STORE: &str = r#"{"store": {"book": [
    {"category": "reference", "author": "Rees", "title": "Sayings", "price": 8.95},
    {"category": "fiction", "author": "Waugh", "title": "Sword", "price": 12.99},
    {"category": "fiction", "author": "Melville", "title": "Moby", "isbn": "0-553", "price": 8.99},
    {"category": "fiction", "author": "Tolkien", "title": "Rings", "isbn": "0-395", "price": 22.99}],
    "bicycle": {"color": "red", "price": 399}}, "max": 10}"#;

fn check(document: &str, path: &str, expected: &str) {
    let document = json::parse(document).unwrap();
    let found = Path::parse(path).unwrap_or_else(|error| panic!("{path}: {error:?}"));
    let found = Value::List(found.find(&document).into_iter().cloned().collect());
    assert_eq!(found, json::parse(expected).unwrap(), "{path} gave {}", found.describe());
}

#[test]
fn finds_names_wildcards_and_descendants() {
    check(STORE, "$.store.bicycle.color", r#"["red"]"#);
    check(STORE, "$['store']['bicycle'][\"color\"]", r#"["red"]"#);
    check(STORE, "$ .store .bicycle['color']", r#"["red"]"#);
    check(STORE, "$.store.book[*].author", r#"["Rees","Waugh","Melville","Tolkien"]"#);
    check(STORE, "$..author", r#"["Rees","Waugh","Melville","Tolkien"]"#);
    check(STORE, "$..price", "[399,8.95,12.99,8.99,22.99]");
    check(STORE, "$..book[2].title", r#"["Moby"]"#);
    check(STORE, "$.nope", "[]");
    check(STORE, "$.store.bicycle.*", r#"["red",399]"#);
    check(STORE, "$.store.bicycle['color','price']", r#"["red",399]"#);
    check(r#"{"é":1,"a b":2,"x":{"y":3}}"#, "$.é", "[1]");
    check(r#"{"é":1,"a b":2,"x":{"y":3}}"#, "$['a b']", "[2]");
    check(r#"{"\"'":1}"#, r#"$['"\'']"#, "[1]");
    check(r#"{"☺":1}"#, r"$['\u263a']", "[1]");
    check("[[1,[2]],3]", "$..[0]", "[[1,[2]],1,2]");
    check("7", "$", "[7]");
}

#[test]
fn indexes_and_slices_follow_the_rfc() {
    let list = r#"["a","b","c","d","e","f","g"]"#;
    check(list, "$[0]", r#"["a"]"#);
    check(list, "$[-1]", r#"["g"]"#);
    check(list, "$[7]", "[]");
    check(list, "$[-8]", "[]");
    check(list, "$[1:3]", r#"["b","c"]"#);
    check(list, "$[5:]", r#"["f","g"]"#);
    check(list, "$[1:5:2]", r#"["b","d"]"#);
    check(list, "$[5:1:-2]", r#"["f","d"]"#);
    check(list, "$[::-1]", r#"["g","f","e","d","c","b","a"]"#);
    check(list, "$[:-5]", r#"["a","b"]"#);
    check(list, "$[-2 : ]", r#"["f","g"]"#);
    check(list, "$[0:0:0]", "[]");
    check(list, "$[0,0,2]", r#"["a","a","c"]"#);
    check("{}", "$[0]", "[]");
    check("[]", "$[::-1]", "[]");
}

#[test]
fn filters_compare_by_value() {
    check(STORE, "$.store.book[?@.price < 10].title", r#"["Sayings","Moby"]"#);
    check(STORE, "$.store.book[?(@.price<$.max)].title", r#"["Sayings","Moby"]"#);
    check(STORE, "$.store.book[?@.isbn].title", r#"["Moby","Rings"]"#);
    check(STORE, "$.store.book[?!@.isbn].title", r#"["Sayings","Sword"]"#);
    check(STORE, "$.store.book[?(@.isbn && @.price > 10)].title", r#"["Rings"]"#);
    check(STORE, "$.store.book[?@.price > 20 || @.category == 'reference'].title", r#"["Sayings","Rings"]"#);
    check(STORE, "$.store.book[?!(@.price > 9)].title", r#"["Sayings","Moby"]"#);
    check(STORE, "$.store[?@.color == 'red'].price", "[399]");
    check("[1, 1.0, 2, \"1\", null, true]", "$[?@ == 1]", "[1, 1.0]");
    check("[1, 2, \"a\"]", "$[?@ >= 1]", "[1, 2]");
    check("[{\"a\":null},{}]", "$[?@.a == null]", "[{\"a\":null}]");
    check("[{\"a\":1},{}]", "$[?@.a == @.b]", "[{}]");
    check("[{\"a\":1},{}]", "$[?@.a != 1]", "[{}]");
    check("[[1,2],[1]]", "$[?@ == $[1]]", "[[1]]");
}

#[test]
fn functions_work_in_filters() {
    check(STORE, "$.store.book[?length(@.title) == 4].title", r#"["Moby"]"#);
    check(STORE, "$.store.book[?count(@.*) > 4].title", r#"["Moby","Rings"]"#);
    check(STORE, "$.store.book[?match(@.author, '.*(ill|lk).*')].author", r#"["Melville","Tolkien"]"#);
    check(STORE, "$.store.book[?search(@.author, 'ee')].author", r#"["Rees"]"#);
    check(STORE, "$.store[?value(@..color) == 'red'].color", r#"["red"]"#);
    check("[\"a\",\"xa\",\"b\"]", "$[?match(@, 'a|b')]", r#"["a","b"]"#);
}

#[test]
fn refuses_what_is_no_path() {
    for (path, column) in [
        ("", 1),
        ("a", 1),
        ("$.", 3),
        ("$.a-b", 4),
        ("$[", 3),
        ("$[01]", 3),
        ("$[1", 4),
        ("$['a]", 6),
        ("$[?@.a = 1]", 8),
        ("$[?@.*==1]", 4),
        ("$[?1]", 5),
        ("$[?(@.a]", 8),
        ("$ ", 2),
        ("$[9007199254740992]", 3),
        ("$[?foo(@)]", 4),
    ] {
        assert_eq!(Path::parse(path).unwrap_err().column, column, "{path}");
    }
}

#[test]
fn nesting_is_capped() {
    let path = format!("$[?{}@.a{}]", "(".repeat(70), ")".repeat(70));
    assert_eq!(Path::parse(&path).unwrap_err().expected, "less nesting");
}

proptest! {
    #[test]
    fn never_panics(path in r#"\$[\[\].@?*:,()!<>=&|'"a0-9 \\\-]{0,30}"#, document in r#"[\[\]{}",:01a]{0,20}"#) {
        let document = json::parse(&document).unwrap_or(Value::Null);
        if let Ok(path) = Path::parse(&path) {
            let _ = path.find(&document);
        }
    }
}
