//! Data files: what of a row arrives at a server, and what of it nobody may see.

use super::server::Server;
use super::{loadtest, stderr, stdout};
use std::collections::BTreeSet;
use std::path::Path;

const SHOP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/shop");
const SHORT: &[&str] = &["--run-time", "1s", "--think", "20ms"];

#[test]
fn the_shop_of_the_examples_sends_each_customers_row_as_its_json_file_writes_it() {
    let server = Server::start();
    let output = loadtest(&[&["--target", &server.url()], SHORT].concat()).current_dir(SHOP).output().expect("a run");
    assert_ne!(output.status.code(), Some(1), "{}", stdout(&output));
    assert_ne!(output.status.code(), Some(2), "{}", stderr(&output));
    let sent = |line: &str| -> BTreeSet<String> {
        let requests = server.heads().into_iter().filter(|request| request.starts_with(line));
        requests.filter_map(|request| request.split_once("\r\n\r\n").map(|(_, body)| body.to_owned())).collect()
    };
    assert_eq!(
        sent("PUT /profile "),
        BTreeSet::from([
            r#"{"email": "ann@example.org", "age": 41, "newsletter": true, "voucher": null}"#.to_owned(),
            r#"{"email": "bob@example.org", "age": 29, "newsletter": false, "voucher": 1e3}"#.to_owned(),
            r#"{"email": "cem@example.org", "age": 67, "newsletter": true, "voucher": 2.50}"#.to_owned(),
        ])
    );
    for (customer, basket) in [
        ("ann", r#"{"items":[{"article":9007199254740993,"price":19.90}],"note":"ring \"twice\""}"#),
        ("bob", r#"{"items":[],"note":""}"#),
        ("cem", r#"{"items":[{"article":7,"price":1.00},{"article":8,"price":0.5}],"note":"Grüße"}"#),
    ] {
        assert_eq!(sent(&format!("PUT /basket?of={customer}@example.org ")), BTreeSet::from([basket.to_owned()]));
        let order = format!("{{\"customer\": \"{customer}@example.org\", \"basket\": {basket}}}\n");
        assert!(sent("POST /orders ").contains(&order), "{order}");
    }
}

/// A plan with a journey and rows, in a folder of its own.
fn folder(rows: &str, journey: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let plan = "users: 2\nramp: 0s\njourneys: [{files: a.hurl}]\ndata: [{file: rows.jsonl}]\n";
    for (name, text) in [("loadtest.yml", plan), ("a.hurl", journey), ("rows.jsonl", rows)] {
        std::fs::write(folder.path().join(name), text).expect("written");
    }
    folder
}

fn run(folder: &Path, flags: &[&str]) -> (Option<i32>, String) {
    let output = loadtest(&[SHORT, flags].concat()).current_dir(folder).output().expect("a run");
    (output.status.code(), stdout(&output) + &stderr(&output))
}

#[test]
fn no_secret_of_a_json_row_is_shown_not_even_a_number_or_one_within() {
    let server = Server::start();
    let rows = "{\"pass\": 47110815, \"user\": {\"name\": \"bob\", \"password\": \"canary \\\"7f3a\\\"\"}}\n";
    // The first fails with the number in its message, the second with the nested value.
    for assert in ["body == {{pass}}", "body == {{user}}"] {
        let folder = folder(rows, &format!("GET {{{{target}}}}/\nHTTP 200\n[Asserts]\n{assert}\n"));
        let (code, said) = run(folder.path(), &["--target", &server.url()]);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("***") && !said.contains("47110815") && !said.contains("canary"), "{said}");
    }
}

#[test]
fn a_dry_run_names_the_keys_and_a_bad_row_ends_it_with_its_line() {
    let journey = "GET {{target}}/{{name}}\n";
    let good = folder("{\"name\": \"bob\", \"age\": 1}\n", journey);
    let (code, said) = run(good.path(), &["--target", "http://127.0.0.1:1", "--dry-run"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("rows.jsonl  1 row, circular  age, name"), "{said}");
    let bad = folder("{\"name\": \"bob\"}\n{\"name\": \"canary\", \"nmae\": 1}\n", journey);
    let (code, said) = run(bad.path(), &["--target", "http://127.0.0.1:1", "--dry-run"]);
    assert_eq!(code, Some(2));
    insta::assert_snapshot!(said, @"
    error: row 2 has a key `nmae`, which the first row has not
      at rows.jsonl:2
    hint: give every object the same keys
    ");
}
