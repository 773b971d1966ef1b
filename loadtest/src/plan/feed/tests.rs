//! Orders, formats by their endings, and bad CSV; JSON has its tests beside it.

use super::*;

fn name(row: &[Value]) -> String {
    row[0].render().expect("a text").into_owned()
}

fn feed(text: &str, order: Order) -> Result<Feed, Problem> {
    Feed::parse(text.as_bytes(), Path::new("users.csv"), order)
}

#[test]
fn each_order_gives_the_rows_it_promises() {
    let rows = |order, calls: &[(usize, usize, f64)]| {
        let feed = feed("\u{feff}name, word\na,1\nb,2\nc,3\n", order).expect("a table");
        assert_eq!(feed.columns.as_ref(), ["name", "word"]);
        calls.iter().map(|&(user, round, chance)| name(feed.row(user, round, chance))).collect::<String>()
    };
    assert_eq!(rows(Order::Circular, &[(7, 0, 0.0), (1, 3, 0.9), (7, 1, 0.0), (2, 0, 0.0)]), "abca");
    assert_eq!(rows(Order::Random, &[(0, 0, 0.0), (0, 0, 0.5), (0, 0, 0.99), (0, 0, 1.0)]), "abcc");
    assert_eq!(rows(Order::Sequential, &[(5, 0, 0.0), (5, 1, 0.0), (6, 0, 0.0), (5, 3, 0.0)]), "abaa");
    assert_eq!(rows(Order::Unique, &[(1, 0, 0.0), (1, 9, 0.0), (2, 0, 0.0)]), "bbc");
}

#[test]
fn each_broken_file_has_its_message_and_no_value_in_it() {
    let mut said = String::new();
    for text in [
        "",
        "a,b\n",
        "a,b\n1\n",
        "a,a\n1,2\n",
        "a b\n1\n",
        "target\nx\n",
        "password\nhunter2,hunter2\n",
        " [{\"password\": \"hunter2\"}]",
    ] {
        said += &format!("{}\n", feed(text, Order::Circular).expect_err(text));
    }
    assert!(!said.contains("hunter2"));
    insta::assert_snapshot!(said, @r"
    error: `users.csv` has no rows below its head
    hint: add at least one
    error: `users.csv` has no rows below its head
    hint: add at least one
    error: this row has 1 fields, the head has 2
      at users.csv:2
    hint: a head with the variables' names, then a row a line with as many fields
    error: column `a` of `users.csv` occurs twice
    hint: name each column with letters, digits, `_` or `-`, and only once
    error: column 1 of `users.csv` is called `a b`, which is no name of a variable
    hint: name each column with letters, digits, `_` or `-`, and only once
    error: column `target` of `users.csv` would hide the target's URL
    hint: name each column with letters, digits, `_` or `-`, and only once
    error: this row has 2 fields, the head has 1
      at users.csv:2
    hint: a head with the variables' names, then a row a line with as many fields
    error: `users.csv` looks like JSON, but its ending says CSV
    hint: call it `.json` for an array of objects, `.jsonl` for an object a line
    ");
}

#[test]
fn values_of_secret_columns_are_known() {
    let feed = feed("user,api_key\nbob,k1\nann,k2\n", Order::Random).expect("a table");
    assert_eq!(feed.secrets().collect::<Vec<_>>(), ["k1", "k2"]);
}

#[test]
fn the_ending_says_the_format_and_any_other_is_csv() {
    let says = |name: &str| format_of(Path::new(name)).holds.split(':').next().unwrap_or_default();
    for (name, format) in [("a.json", "JSON"), ("a.JSON", "JSON"), ("a.jsonl", "JSON"), ("a.ndjson", "JSON")] {
        assert_eq!(says(name), format, "{name}");
    }
    for name in ["a.csv", "a.txt", "users", "json", "a.json.gz"] {
        assert_eq!(says(name), "CSV", "{name}");
    }
    let rows = Feed::parse(b"user\nbob\n", Path::new("users.txt"), Order::Unique).expect("a table");
    assert_eq!(rows.variables(0, 0, 0.0).collect::<Vec<_>>(), [("user".to_owned(), Value::text("bob"))]);
}

#[test]
fn a_data_file_has_no_more_rows_and_bytes_than_its_caps() {
    let folder = tempfile::tempdir().expect("a folder");
    let read = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        Feed::read(&path, Path::new(name), Order::Circular).map(|feed| feed.rows.len()).map_err(|error| error.what)
    };
    let many = |name: &str, text: &str| {
        assert_eq!(read(name, text), Err(format!("`{name}` has more than 1000000 rows")));
    };
    many("a.json", &format!("[{}0]", "{\"a\":1},".repeat(DATA_ROWS + 1)));
    many("a.csv", &format!("a\n{}", "1\n".repeat(DATA_ROWS + 1)));
    let large = " ".repeat(usize::try_from(DATA_BYTES).expect("a size") + 1);
    assert_eq!(read("a.json", &large), Err("`a.json` is larger than 64 MiB".to_owned()));
}
